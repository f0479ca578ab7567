/* fixture.h - advisories out of CSAF texts and facts out of JSON lines, for tests of judge/. */
#ifndef YAGURA_TESTS_JUDGE_FIXTURE_H
#define YAGURA_TESTS_JUDGE_FIXTURE_H

#include "feed/advisories.h"
#include "model/fact.h"

/* Compiles the documents in a temporary folder and opens what came out. */
struct advisories *fixture_advisories(const char *const *documents, size_t count);
/* One fact a line. */
struct facts *fixture_facts(const char *lines);

/* A bulletin for IIS 5.0, exploited from 2001-05-08 on, with a workaround: id, day, patch, what
 * that supersedes and the file's range ("" = none), further URIs of the server product. */
char *fixture_bulletin(struct arena *a, const char *id, const char *day, const char *patch,
                       const char *supersedes, const char *range, const char *extra);

/* The host that it speaks of. */
#define WINDOWS_HOST(values)                                                                       \
    "{\"kind\":\"host\",\"family\":\"windows\",\"version\":\"5.0\",\"service_pack\":\"1\"" values  \
    "}\n{\"kind\":\"product\",\"name\":\"iis\",\"version\":\"5.0\"}\n"
#define FILE_IS(version) ",\"file-version:%SystemRoot%/system32/inetsrv/w3svc.dll\":" version
#define MARKER(id)       "{\"kind\":\"hotfix\",\"id\":\"" id "\",\"installed\":\"1\"}\n"

#endif
