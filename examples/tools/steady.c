/*
 * LD_PRELOAD for the programs that build the examples, so that mkntfs, libntfs-3g, mtools
 * and makefs write the same bytes every time: the time is $STILL_CLOCK (Unix seconds).
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>
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

/*
 * And folders are read in the order of their names: makefs and mcopy write what they find
 * in the order in which they find it, and that differs from one file system to the next.
 */
enum { OPEN_AT_ONCE = 64 };

static struct listing {
    DIR *of;
    struct dirent **names;
    int n, at;
} listings[OPEN_AT_ONCE];

static int by_name(const void *a, const void *b)
{
    return strcmp((*(struct dirent *const *)a)->d_name, (*(struct dirent *const *)b)->d_name);
}

static struct listing *take(DIR *dir)
{
    struct dirent *(*next)(DIR *) = (struct dirent * (*)(DIR *)) dlsym(RTLD_NEXT, "readdir");
    struct listing *l = listings;
    while (l < listings + OPEN_AT_ONCE && l->of)
        l++;
    if (l == listings + OPEN_AT_ONCE)
        abort();
    *l = (struct listing){.of = dir};
    for (struct dirent *e; (e = next(dir)) != NULL; l->n++) {
        struct dirent **more = realloc(l->names, (size_t)(l->n + 1) * sizeof *more);
        struct dirent *copy = malloc(sizeof *copy);
        if (!more || !copy)
            abort();
        /* only as much as the entry has: what follows it may not be readable */
        memcpy(copy, e, e->d_reclen < sizeof *copy ? e->d_reclen : sizeof *copy);
        l->names = more;
        l->names[l->n] = copy;
    }
    if (l->n)
        qsort(l->names, (size_t)l->n, sizeof *l->names, by_name);
    return l;
}

struct dirent *readdir(DIR *dir)
{
    struct listing *l = listings;
    while (l < listings + OPEN_AT_ONCE && l->of != dir)
        l++;
    if (l == listings + OPEN_AT_ONCE)
        l = take(dir);
    return l->at < l->n ? l->names[l->at++] : NULL;
}

struct dirent64 *readdir64(DIR *dir)
{
    return (struct dirent64 *)readdir(dir); /* one and the same on 64-bit Linux */
}

int closedir(DIR *dir)
{
    int (*next)(DIR *) = (int (*)(DIR *))dlsym(RTLD_NEXT, "closedir");
    for (struct listing *l = listings; l < listings + OPEN_AT_ONCE; l++)
        if (l->of == dir) {
            while (l->n > 0)
                free(l->names[--l->n]);
            free(l->names);
            *l = (struct listing){0};
        }
    return next(dir);
}
