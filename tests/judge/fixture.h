/* fixture.h - advisories out of CSAF texts and facts out of JSON lines, for tests of judge/. */
#ifndef YAGURA_TESTS_JUDGE_FIXTURE_H
#define YAGURA_TESTS_JUDGE_FIXTURE_H

#include "feed/advisories.h"
#include "model/fact.h"

/* Compiles the documents in a temporary folder and opens what came out. */
struct advisories *fixture_advisories(const char *const *documents, size_t count);
/* One fact a line. */
struct facts *fixture_facts(const char *lines);

#endif
