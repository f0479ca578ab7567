/*
 * LD_PRELOAD for the programs that build the examples: the time is $STILL_CLOCK (Unix
 * seconds), so that mkntfs, libntfs-3g, mtools and makefs write the same bytes every time.
 */
#define _GNU_SOURCE
#include <stdlib.h>
#include <sys/time.h>
#include <time.h>

static time_t still(void)
{
    const char *text = getenv("STILL_CLOCK");
    return text ? (time_t)strtoll(text, NULL, 10) : 0;
}

time_t time(time_t *out)
{
    time_t now = still();
    if (out)
        *out = now;
    return now;
}

int gettimeofday(struct timeval *restrict tv, void *restrict tz)
{
    (void)tz;
    tv->tv_sec = still();
    tv->tv_usec = 0;
    return 0;
}

int clock_gettime(clockid_t id, struct timespec *ts)
{
    (void)id;
    ts->tv_sec = still();
    ts->tv_nsec = 0;
    return 0;
}
