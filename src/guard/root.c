#include "guard/root.h"

#include "base/file.h"
#include "base/mem.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

enum { MOST_MOUNTS = 64 };

/* A directory on the way; the first is "/", the last the document root (whose fd is the site's). */
struct step {
    int fd;
    const char *name; /* in the directory before it */
};

struct root {
    struct site *site;
    char *way; /* the names of the steps */
    VEC(struct step) steps;
    bool by_link; /* the site's path leads there through links */
};

static bool same_inode(const struct stat *a, const struct stat *b)
{
    return a->st_ino == b->st_ino && a->st_dev == b->st_dev;
}

static bool is_at(int fd, int parent, const char *name)
{
    struct stat held, there;
    return fstat(fd, &held) == 0 && fstatat(parent, name, &there, AT_SYMLINK_NOFOLLOW) == 0 &&
           same_inode(&held, &there);
}

/* The way that these names are, from "/". False if one of them is a link. */
static bool open_steps(struct root *r, const char *way)
{
    r->way = mem_strdup(way);
    int fd = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
    VEC_PUSH(&r->steps, ((struct step){fd, ""}));
    for (char *name = r->way + 1, *next; fd >= 0 && *name; name = next) {
        next = name + strcspn(name, "/");
        if (*next)
            *next++ = '\0';
        /* the last is the one that we hold, whatever stands there now */
        fd = *next ? openat(fd, name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
                   : r->site->rootfd;
        VEC_PUSH(&r->steps, ((struct step){fd, name}));
    }
    return fd >= 0;
}

static void close_steps(struct root *r)
{
    for (size_t i = 0; i < r->steps.count; i++)
        if (r->steps.items[i].fd >= 0 && r->steps.items[i].fd != r->site->rootfd)
            close(r->steps.items[i].fd);
    VEC_FREE(&r->steps);
    free(r->way);
    r->way = NULL;
}

bool root_hold(struct root **out, struct site *site, struct error *e)
{
    struct root *r = mem_alloc(sizeof *r);
    r->site = site;
    bool good = open_steps(r, site->row.root);
    if (!good) { /* through links that site_open_root() lets pass */
        char link[64], where[4096];
        snprintf(link, sizeof link, "/proc/self/fd/%d", site->rootfd);
        ssize_t n = readlink(link, where, sizeof where - 1);
        where[n > 0 ? n : 0] = '\0';
        close_steps(r);
        r->by_link = true;
        good = where[0] == '/' && open_steps(r, where);
    }
    if (!good) {
        error_set(e, ERR_UNREADABLE, "the way to the document root keeps changing");
        root_let_go(r);
        return false;
    }
    *out = r;
    return true;
}

void root_let_go(struct root *r)
{
    if (!r)
        return;
    close_steps(r);
    free(r);
}

static bool step_in_place(const struct root *r, size_t i)
{
    return is_at(r->steps.items[i].fd, r->steps.items[i - 1].fd, r->steps.items[i].name);
}

bool root_in_place(const struct root *r)
{
    for (size_t i = 1; i < r->steps.count; i++)
        if (!step_in_place(r, i))
            return false;
    struct stat held, there;
    return !r->by_link || (fstat(r->site->rootfd, &held) == 0 &&
                           stat(r->site->row.root, &there) == 0 && same_inode(&held, &there));
}

/* What is mounted at this name goes, and what lies below shows again. */
static void uncover(int fd, int parent, const char *name)
{
    char path[320];
    snprintf(path, sizeof path, "/proc/self/fd/%d/%s", parent, name);
    for (int i = 0; i < MOST_MOUNTS && !is_at(fd, parent, name); i++)
        if (umount2(path, MNT_DETACH | UMOUNT_NOFOLLOW) != 0)
            break;
}

/* `from` in `from_dir` becomes `name` in `parent`; what stood there goes aside if it can, else to
 * where ours was. */
static bool swap_in(struct root *r, int from_dir, const char *from, int parent, const char *name)
{
    char bad[ASIDE_NAME_SIZE], between[ASIDE_NAME_SIZE + 16];
    aside_bad_name(&r->site->aside, bad);
    if (renameat2(parent, name, r->site->aside.fd, bad, RENAME_NOREPLACE) == 0 || errno == ENOENT)
        if (renameat2(from_dir, from, parent, name, RENAME_NOREPLACE) == 0)
            return true;
    if (renameat2(from_dir, from, parent, name, RENAME_EXCHANGE) == 0)
        return true;
    /* it was moved into what stands in its place */
    snprintf(between, sizeof between, ".yagura-%s", bad);
    return renameat2(from_dir, from, parent, between, RENAME_NOREPLACE) == 0 &&
           renameat2(parent, between, parent, name, RENAME_EXCHANGE) == 0;
}

/* A directory that was deleted: a new one with what is known of the old. */
static bool make_anew(struct root *r, struct step *step, int parent)
{
    char made[ASIDE_NAME_SIZE + 16], number[ASIDE_NAME_SIZE];
    struct stat was;
    aside_ready_name(&r->site->aside, number);
    snprintf(made, sizeof made, ".yagura-%s", number);
    if (fstat(step->fd, &was) != 0 || mkdirat(parent, made, 0700) != 0)
        return false;
    CLEANUP_CLOSE int fd = openat(parent, made, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0 || fchown(fd, was.st_uid, was.st_gid) != 0 || fchmod(fd, was.st_mode & 07777) != 0 ||
        !swap_in(r, parent, made, parent, step->name)) {
        unlinkat(parent, made, AT_REMOVEDIR);
        return false;
    }
    return dup3(fd, step->fd, O_CLOEXEC) >= 0;
}

static bool bring_back(struct root *r, size_t i, bool *anew)
{
    struct step *step = &r->steps.items[i];
    int parent = r->steps.items[i - 1].fd;
    uncover(step->fd, parent, step->name);
    if (is_at(step->fd, parent, step->name))
        return true;
    char from[256];
    CLEANUP_CLOSE int from_dir = file_open_parent(step->fd, from);
    struct stat st;
    if (from_dir >= 0)
        return swap_in(r, from_dir, from, parent, step->name) && step_in_place(r, i);
    if (fstat(step->fd, &st) != 0 || st.st_nlink || !make_anew(r, step, parent))
        return false; /* not deleted, but out of reach: it may come back */
    *anew = i + 1 == r->steps.count;
    return step_in_place(r, i);
}

bool root_bring_back(struct root *r, bool *anew)
{
    *anew = false;
    for (size_t i = 1; i < r->steps.count; i++)
        if (!step_in_place(r, i) && !bring_back(r, i, anew))
            return false;
    return root_in_place(r);
}

bool root_mend_aside(struct root *r, bool *anew, struct error *e)
{
    struct site *site = r->site;
    struct aside *aside = &site->aside;
    struct stat st;
    *anew = false;
    int parent = aside->within ? site->rootfd : r->steps.items[r->steps.count - 2].fd;
    if (is_at(aside->fd, parent, aside->name))
        return true;
    char from[256];
    CLEANUP_CLOSE int from_dir = file_open_parent(aside->fd, from);
    if (from_dir >= 0 && swap_in(r, from_dir, from, parent, aside->name))
        return true;
    if (fstat(aside->fd, &st) == 0 && st.st_nlink)
        return true; /* out of reach, and as good as ever */
    struct aside fresh;
    if (!aside_open(&fresh, site->rootfd, site->row.root, site->row.name, e))
        return false;
    *anew = dup3(fresh.fd, aside->fd, O_CLOEXEC) >= 0;
    aside->within = fresh.within;
    memcpy(aside->path, fresh.path, sizeof aside->path);
    aside_close(&fresh);
    return *anew;
}

/* Field 5 of a line of mountinfo (proc(5)), where space, tab, newline and backslash are \ooo. */
bool root_mount_point(const char *line, size_t length, struct str *out)
{
    size_t at = 0;
    str_clear(out);
    for (int field = 1; field < 5 && at < length; at++)
        field += line[at] == ' ';
    for (; at < length && line[at] != ' '; at++) {
        if (line[at] != '\\' || length - at < 4) {
            str_add_char(out, line[at]);
            continue;
        }
        str_add_char(out, (char)((line[at + 1] - '0') << 6 | (line[at + 2] - '0') << 3 |
                                 (line[at + 3] - '0')));
        at += 3;
    }
    return out->length > 0;
}
