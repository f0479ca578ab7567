#include "guard/dpkg_run.h"

#include "base/mem.h"
#include "guard/handles.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { LATE_S = 5 };

struct name {
    char *path;
    size_t site;
    bool by_dpkg;
};

struct dpkg_run {
    int lock;
    VEC(struct name) names;
    struct handles *known; /* key of site and path: its number in `names` */
    time_t since;
    pid_t last; /* who held the lock when we last saw it held, and when */
    time_t last_s;
};

static time_t now_s(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
    return now.tv_sec;
}

struct dpkg_run *dpkg_run_open(const char *admindir, size_t sites)
{
    char path[4200];
    if (!sites)
        return NULL;
    snprintf(path, sizeof path, "%.4096s/lock", admindir);
    /* to ask for a write lock it has to be open for writing; nothing is written */
    int lock = open(path, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
    if (lock < 0)
        return NULL;
    struct dpkg_run *d = mem_alloc(sizeof *d);
    *d = (struct dpkg_run){.lock = lock, .known = handles_new(64)};
    return d;
}

void dpkg_run_forget(struct dpkg_run *d)
{
    for (size_t i = 0; i < d->names.count; i++)
        free(d->names.items[i].path);
    VEC_FREE(&d->names);
    handles_free(d->known);
    d->known = handles_new(64);
}

void dpkg_run_close(struct dpkg_run *d)
{
    if (!d)
        return;
    dpkg_run_forget(d);
    handles_free(d->known);
    close(d->lock);
    free(d);
}

/* 0: nobody. */
static pid_t holder(const struct dpkg_run *d)
{
    struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    return fcntl(d->lock, F_GETLK, &lock) == 0 && lock.l_type != F_UNLCK ? lock.l_pid : 0;
}

/* An event can be read a little after dpkg has ended. */
bool dpkg_run_is(struct dpkg_run *d, pid_t pid)
{
    pid_t now = holder(d);
    if (now) {
        d->last = now;
        d->last_s = now_s();
    }
    return pid > 0 && pid == d->last && (now || now_s() - d->last_s <= LATE_S);
}

static uint64_t key_of(size_t site, const char *path)
{
    return handle_hash(site, 0, path, strlen(path));
}

void dpkg_run_note(struct dpkg_run *d, size_t site, const char *path, bool by_dpkg)
{
    uint32_t number = handles_find(d->known, key_of(site, path));
    if (number != HANDLE_NONE) {
        d->names.items[number].by_dpkg = d->names.items[number].by_dpkg || by_dpkg;
        return;
    }
    if (!d->names.count)
        d->since = now_s();
    handles_set(d->known, key_of(site, path), (uint32_t)d->names.count);
    VEC_PUSH(&d->names, ((struct name){mem_strdup(path), site, by_dpkg}));
}

bool dpkg_run_waits(const struct dpkg_run *d, size_t site, const char *path)
{
    return d->names.count && handles_find(d->known, key_of(site, path)) != HANDLE_NONE;
}

bool dpkg_run_any(const struct dpkg_run *d)
{
    return d->names.count > 0;
}

bool dpkg_run_ended(const struct dpkg_run *d)
{
    return d->names.count && (!holder(d) || now_s() - d->since > DPKG_RUN_MOST_S);
}

void dpkg_run_names(const struct dpkg_run *d, size_t site, bool only_by_dpkg, struct str *out)
{
    for (size_t i = 0; i < d->names.count; i++)
        if (d->names.items[i].site == site && (d->names.items[i].by_dpkg || !only_by_dpkg)) {
            str_add(out, d->names.items[i].path);
            str_add_char(out, '\0');
        }
}
