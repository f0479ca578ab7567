/* csaf_cases.h - the list of cases under construction: equal ones are joined.
 *
 * Two cases are equal where they would be judged the same way: the same subject, ranges,
 * fixes and conditions. CVEs, remedies and exploits of both are kept, and the worse score. */
#ifndef YAGURA_FEED_CSAF_CASES_H
#define YAGURA_FEED_CSAF_CASES_H

#include "feed/advisories.h"

struct csaf_cases;

struct csaf_cases *csaf_cases_new(struct arena *arena);
void csaf_cases_free(struct csaf_cases *list);
size_t csaf_cases_count(const struct csaf_cases *list);
/* Takes what the case points to as it is (it lives in the arena). */
void csaf_cases_add(struct csaf_cases *list, const struct advisory_case *c);
/* The finished list, in the arena. */
size_t csaf_cases_take(struct csaf_cases *list, struct advisory_case **out);

#endif
