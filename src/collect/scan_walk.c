#include "collect/scan_walk.h"

#include "base/file.h"
#include "base/language.h"
#include "base/mem.h"
#include "base/monotonic.h"
#include "base/str.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/vfs.h>
#include <unistd.h>

enum { MOST_DEPTH = 256 };

/* Magic numbers that linux/magic.h of Debian 12 does not have (of each file system in the kernel).
 */
enum { MQUEUE = 0x19800202, CONFIGFS = 0x62656570, FUSECTL = 0x65735543, BINFMT = 0x42494e4d };

struct folder {
    DIR *dir;
    size_t path_length; /* of the path up to it */
    dev_t dev;
};

struct walking {
    struct scan_walk *w;
    struct folder open[MOST_DEPTH];
    size_t depth;
    struct str path;
};

static bool is_kernels_own(int fd)
{
    static const unsigned long kinds[] = {PROC_SUPER_MAGIC,
                                          SYSFS_MAGIC,
                                          CGROUP_SUPER_MAGIC,
                                          CGROUP2_SUPER_MAGIC,
                                          DEVPTS_SUPER_MAGIC,
                                          DEBUGFS_MAGIC,
                                          TRACEFS_MAGIC,
                                          SECURITYFS_MAGIC,
                                          BPF_FS_MAGIC,
                                          PSTOREFS_MAGIC,
                                          EFIVARFS_MAGIC,
                                          SELINUX_MAGIC,
                                          AAFS_MAGIC,
                                          BINFMTFS_MAGIC,
                                          NSFS_MAGIC,
                                          MQUEUE,
                                          CONFIGFS,
                                          FUSECTL,
                                          BINFMT};
    struct statfs fs;
    if (fstatfs(fd, &fs) != 0)
        return false;
    for (size_t i = 0; i < ARRAY_COUNT(kinds); i++)
        if ((unsigned long)fs.f_type == kinds[i])
            return true;
    return false;
}

static void note_errno(struct scan_walk *w, const char *path, int number)
{
    w->note(w->context, path, strerror(number));
}

/* As open(), without a trace on the file where we may (its owner, or root). */
static int open_quietly(int dirfd, const char *name, int flags)
{
    flags |= O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY;
    int fd = openat(dirfd, name, flags | O_NOATIME);
    return fd < 0 && errno == EPERM ? openat(dirfd, name, flags) : fd;
}

static bool is_left_out(const struct scan_walk *w, const struct stat *st)
{
    for (size_t i = 0; i < w->left_out_count; i++)
        if (w->left_out[i].ino == st->st_ino && w->left_out[i].dev == st->st_dev)
            return true;
    return false;
}

/* Takes the descriptor of a folder. */
static void enter(struct walking *k, int fd, const struct stat *st)
{
    struct scan_walk *w = k->w;
    const struct folder *above = k->depth ? &k->open[k->depth - 1] : NULL;
    bool aside = is_left_out(w, st);
    bool kernels = (!above || above->dev != st->st_dev) && is_kernels_own(fd);
    w->aside += aside;
    w->kernel += kernels;
    if (aside || kernels) {
        close(fd);
        return;
    }
    DIR *dir = k->depth < MOST_DEPTH ? fdopendir(fd) : NULL;
    if (!dir) {
        if (k->depth == MOST_DEPTH)
            w->note(w->context, str_text(&k->path), _("it lies deeper than 256 folders"));
        else
            note_errno(w, str_text(&k->path), errno);
        close(fd);
        return;
    }
    k->open[k->depth++] = (struct folder){dir, k->path.length, st->st_dev};
}

static void take(struct walking *k, int dirfd, const char *name, bool folder)
{
    struct scan_walk *w = k->w;
    struct stat st;
    int fd = open_quietly(dirfd, name, folder ? O_DIRECTORY : 0);
    if (fd < 0 && (errno == ENOENT || errno == ENOTDIR))
        return; /* it went meanwhile */
    if (fd < 0 && errno == ELOOP) {
        w->links++; /* it became one */
        return;
    }
    if (fd < 0 || fstat(fd, &st) != 0) {
        note_errno(w, str_text(&k->path), errno);
        if (fd >= 0)
            close(fd);
        return;
    }
    if (folder) {
        enter(k, fd, &st);
    } else if (S_ISREG(st.st_mode)) {
        w->file(w->context, fd, str_text(&k->path), &st);
    } else {
        w->others++;
        close(fd);
    }
}

static void look_at_entry(struct walking *k, int dirfd, const struct dirent *d)
{
    unsigned char type = d->d_type;
    struct stat st;
    if (type == DT_UNKNOWN && fstatat(dirfd, d->d_name, &st, AT_SYMLINK_NOFOLLOW) == 0)
        type = (unsigned char)IFTODT(st.st_mode);
    if (type == DT_LNK)
        k->w->links++;
    else if (type == DT_DIR || type == DT_REG)
        take(k, dirfd, d->d_name, type == DT_DIR);
    else
        k->w->others++;
}

/* The deepest open folder goes on. */
static void step(struct walking *k)
{
    struct folder *f = &k->open[k->depth - 1];
    k->path.length = f->path_length;
    k->path.data[k->path.length] = '\0';
    errno = 0;
    const struct dirent *d = readdir(f->dir);
    if (!d) {
        if (errno)
            note_errno(k->w, str_text(&k->path), errno);
        closedir(f->dir);
        k->depth--;
        return;
    }
    if (str_equal(d->d_name, ".") || str_equal(d->d_name, ".."))
        return;
    if (!str_ends(str_text(&k->path), "/"))
        str_add_char(&k->path, '/');
    str_add(&k->path, d->d_name);
    look_at_entry(k, dirfd(f->dir), d);
}

/* Its sentence, and whether what was named is there at all. */
static void note_error(struct scan_walk *w, const char *path, const struct error *e)
{
    w->absent |= e->code == ERR_ABSENT;
    w->note(w->context, path, e->message);
}

void scan_walk_path(struct scan_walk *w, int rootfd, const char *path)
{
    struct error e = ERROR_INIT;
    struct stat st;
    if (!file_stat_beneath(rootfd, path, true, &st, &e)) {
        note_error(w, path, &e);
        return;
    }
    bool folder = S_ISDIR(st.st_mode);
    int fd =
        folder ? file_open_dir_beneath(rootfd, path, &e) : file_open_beneath(rootfd, path, &st, &e);
    if (fd < 0) {
        note_error(w, path, &e);
        return;
    }
    if (!folder) {
        w->file(w->context, fd, path, &st);
        return;
    }
    if (fstat(fd, &st) != 0) {
        note_errno(w, path, errno);
        close(fd);
        return;
    }
    CLEANUP_FREE struct walking *k = mem_alloc(sizeof *k);
    k->w = w;
    str_add(&k->path, path);
    while (k->path.length > 1 && str_ends(k->path.data, "/"))
        k->path.data[--k->path.length] = '\0';
    enter(k, fd, &st);
    while (k->depth && !w->late) {
        step(k);
        w->late = k->depth && w->until_ms && monotonic_ms() >= w->until_ms;
    }
    while (k->depth)
        closedir(k->open[--k->depth].dir);
    str_free(&k->path);
}
