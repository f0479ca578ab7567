#include "content/aside.h"

#include "base/file.h"
#include "base/mem.h"
#include "base/str.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

/* Ours or root's, closed to others, on this device. */
static bool sound(int fd, dev_t dev, bool *same_device, struct error *e)
{
    struct stat st;
    if (fstat(fd, &st) != 0) {
        error_set_errno(e, errno, "looking at the folder for what is put aside");
        return false;
    }
    *same_device = st.st_dev == dev;
    if ((st.st_uid != geteuid() && st.st_uid != 0) || (st.st_mode & 077)) {
        error_set(e, ERR_UNREADABLE,
                  "the folder for what is put aside is there and not ours alone");
        return false;
    }
    return true;
}

static int open_in(int parent, const char *name, dev_t dev, bool *same_device, struct error *e)
{
    /* Root's where that can be had: a guard that runs as another user makes it for root, too. */
    if (mkdirat(parent, name, 0700) == 0)
        (void)!fchownat(parent, name, 0, 0, AT_SYMLINK_NOFOLLOW);
    else if (errno != EEXIST) {
        error_set_errno(e, errno, "making the folder for what is put aside");
        return -1;
    }
    int fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0) {
        error_set_errno(e, errno, "opening the folder for what is put aside");
        return -1;
    }
    if (!sound(fd, dev, same_device, e)) {
        close(fd);
        return -1;
    }
    return fd;
}

/* A reason that is another one tomorrow: none to lay the folder into the document root for good. */
static bool passes(int number)
{
    return number == ENOSPC || number == EDQUOT || number == EIO || number == ENOMEM ||
           number == EMFILE || number == ENFILE;
}

bool aside_open(struct aside *out, int rootfd, const char *root, const char *site, struct error *e)
{
    *out = (struct aside){.fd = -1};
    snprintf(out->name, sizeof out->name, ".yagura-%s", site);
    struct stat st, above;
    if (fstat(rootfd, &st) != 0) {
        error_set_errno(e, errno, "looking at the document root");
        return false;
    }
    CLEANUP_CLOSE int parent = openat(rootfd, "..", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    bool same_device = false;
    struct error above_failed = ERROR_INIT;
    const char *slash = strrchr(root, '/');
    if (parent >= 0 && fstat(parent, &above) == 0 && above.st_dev == st.st_dev) {
        out->fd = open_in(parent, out->name, st.st_dev, &same_device, &above_failed);
        snprintf(out->path, sizeof out->path, "%.*s/%s", slash ? (int)(slash - root) : 0, root,
                 out->name);
    }
    if (passes(above_failed.sys_errno)) {
        if (e)
            *e = above_failed;
        error_prefix(e, "%s", out->path);
        return false;
    }
    if (out->fd < 0 || !same_device) {
        if (out->fd >= 0)
            close(out->fd);
        out->within = true;
        snprintf(out->path, sizeof out->path, "%.3900s/%s", root, out->name);
        out->fd = open_in(rootfd, out->name, st.st_dev, &same_device, e);
    }
    if (out->fd < 0) {
        error_prefix(e, "%s", out->path);
        return false;
    }
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    /* Nobody makes a name a nanosecond: another process that opens it gets other numbers. */
    mkdirat(out->fd, ASIDE_PROOF, 0700); /* now, as the disk may be full when it is wanted */
    atomic_init(&out->next, (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec);
    flock(out->fd, LOCK_SH);
    return true;
}

static int look_in(int parent, const char *name, dev_t dev)
{
    bool same_device = false;
    int fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
    if (fd >= 0 && (!sound(fd, dev, &same_device, NULL) || !same_device))
        mem_cleanup_close(&fd);
    return fd;
}

int aside_look(int rootfd, const char *site)
{
    char name[sizeof((struct aside *)NULL)->name];
    struct stat st;
    snprintf(name, sizeof name, ".yagura-%s", site);
    CLEANUP_CLOSE int parent = openat(rootfd, "..", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fstat(rootfd, &st) != 0)
        return -1;
    int fd = parent >= 0 ? look_in(parent, name, st.st_dev) : -1;
    return fd >= 0 ? fd : look_in(rootfd, name, st.st_dev);
}

void aside_close(struct aside *a)
{
    if (a->fd >= 0)
        close(a->fd);
    a->fd = -1;
}

void aside_ready_name(struct aside *a, char out[ASIDE_NAME_SIZE])
{
    snprintf(out, ASIDE_NAME_SIZE, "ready-%llu", (unsigned long long)atomic_fetch_add(&a->next, 1));
}

void aside_bad_name_of(uint64_t number, int64_t when, char out[ASIDE_NAME_SIZE])
{
    struct tm tm;
    time_t seconds = (time_t)when;
    gmtime_r(&seconds, &tm);
    char text[24];
    strftime(text, sizeof text, "%Y%m%dT%H%M%SZ", &tm);
    snprintf(out, ASIDE_NAME_SIZE, "bad-%s-%llu", text, (unsigned long long)number);
}

void aside_bad_name(struct aside *a, char out[ASIDE_NAME_SIZE])
{
    aside_bad_name_of(atomic_fetch_add(&a->next, 1), (int64_t)time(NULL), out);
}

int aside_open_spare(struct aside *a, struct error *e)
{
    struct stat st;
    bool same_device;
    if (fstat(a->fd, &st) != 0) {
        error_set_errno(e, errno, "looking at the folder for what is put aside");
        return -1;
    }
    return open_in(a->fd, ASIDE_SPARE, st.st_dev, &same_device, e);
}

static bool clear_ready(struct aside *a, struct error *e)
{
    DIR *folder = file_list(a->fd, ".");
    if (!folder) {
        error_set_errno(e, errno, "listing what was put aside");
        return false;
    }
    bool good = true;
    for (struct dirent *d; (d = readdir(folder));)
        if (str_starts(d->d_name, "ready-"))
            good = file_remove_tree(a->fd, d->d_name, e) && good;
    closedir(folder);
    return good;
}

bool aside_clear_ready(struct aside *a, struct error *e)
{
    if (flock(a->fd, LOCK_EX | LOCK_NB) != 0)
        return true;
    bool good = clear_ready(a, e);
    flock(a->fd, LOCK_SH);
    return good;
}
