/* clock.h - what time it is on this host, and how wrong that may be: the kernel's own word for it
 * (adjtimex(2)). No other clock is asked, as that would need the network. */
#ifndef YAGURA_RESPOND_CLOCK_H
#define YAGURA_RESPOND_CLOCK_H

#include "base/json.h"

struct clock_state {
    bool kept_right;       /* something (chrony, ntpd, timesyncd) keeps it right */
    int64_t most_wrong_us; /* only then it means something */
    int64_t offset_us;     /* what was measured last and is being corrected; 0: nothing, or chrony,
                            * which corrects without telling the kernel how much */
};
struct clock_state clock_look(void);

/* Into an object: PREFIXsynchronised and, of a clock that is kept right, PREFIXmost_wrong_us and
 * PREFIXoffset_us. */
void clock_put(json_t *o, const char *prefix, const struct clock_state *clock);

/* UTC, as RFC 3339 */
void clock_put_time(json_t *o, const char *key, int64_t seconds);

#endif
