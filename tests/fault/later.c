/* later.c - to be preloaded: a program that asks for the time (date_now()) is told one that is
 * LATER_SECONDS later. */
#include <stdlib.h>
#include <time.h>

time_t time(time_t *out);
time_t time(time_t *out)
{
    const char *text = getenv("LATER_SECONDS");
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    now.tv_sec += text ? atol(text) : 0;
    if (out)
        *out = now.tv_sec;
    return now.tv_sec;
}
