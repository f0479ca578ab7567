#include "respond/clock.h"

#include "model/date.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/timex.h>

enum { NS_IN_US = 1000 };

struct clock_state clock_look(void)
{
    struct timex kernel = {0}; /* modes 0: only read */
    int state = adjtimex(&kernel);
    if (state < 0 || state == TIME_ERROR)
        return (struct clock_state){0};
    return (struct clock_state){.kept_right = true,
                                .most_wrong_us = kernel.maxerror,
                                .offset_us = kernel.status & STA_NANO ? kernel.offset / NS_IN_US
                                                                      : kernel.offset};
}

void clock_put(json_t *o, const char *prefix, const struct clock_state *clock)
{
    char key[64];
    snprintf(key, sizeof key, "%.32ssynchronised", prefix);
    json_put_bool(o, key, clock->kept_right);
    if (!clock->kept_right)
        return;
    snprintf(key, sizeof key, "%.32smost_wrong_us", prefix);
    json_put_int(o, key, clock->most_wrong_us);
    snprintf(key, sizeof key, "%.32soffset_us", prefix);
    json_put_int(o, key, clock->offset_us);
}

void clock_put_time(json_t *o, const char *key, int64_t seconds)
{
    char when[32];
    date_format(seconds, when);
    json_put_string(o, key, when);
}
