/* root.c - the live host and a mounted root: both are a directory descriptor. */
#include "target/ops.h"

#include "base/file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/xattr.h>
#include <unistd.h>

struct root {
    struct target target;
    struct target_volume volume;
};

static void root_close(struct target *t)
{
    close(t->rootfd);
    free(t);
}

static void stat_convert(const struct stat *from, struct target_stat *to)
{
    *to = (struct target_stat){
        .type = S_ISREG(from->st_mode)   ? TARGET_FILE
                : S_ISDIR(from->st_mode) ? TARGET_DIR
                : S_ISLNK(from->st_mode) ? TARGET_LINK
                                         : TARGET_OTHER,
        .size = (uint64_t)from->st_size,
        .mode = from->st_mode & 07777,
        .uid = from->st_uid,
        .gid = from->st_gid,
        .mtime = from->st_mtime,
        .ctime = from->st_ctime,
        .inode = from->st_ino,
        .device = from->st_dev,
        .has_owner = true,
    };
}

static bool root_stat(struct target *t, const char *path, bool follow, struct target_stat *out,
                      struct error *e)
{
    struct stat st;
    if (!file_stat_beneath(t->rootfd, path, follow, &st, e))
        return false;
    stat_convert(&st, out);
    return true;
}

static bool root_read(struct target *t, const char *path, size_t most, char **out, size_t *size,
                      struct error *e)
{
    CLEANUP_CLOSE int fd = file_open_beneath(t->rootfd, path, NULL, e);
    return fd >= 0 && file_read_fd(out, size, fd, most, e);
}

static bool root_read_at(struct target *t, const char *path, uint64_t offset, void *buffer,
                         size_t count, size_t *got, struct error *e)
{
    CLEANUP_CLOSE int fd = file_open_beneath(t->rootfd, path, NULL, e);
    if (fd < 0)
        return false;
    if (offset > INT64_MAX) {
        *got = 0;
        return true;
    }
    size_t done = 0;
    while (done < count) {
        ssize_t n = pread(fd, (char *)buffer + done, count - done, (off_t)(offset + done));
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0) {
            error_set_errno(e, errno, "could not be read");
            return false;
        }
        if (n == 0)
            break;
        done += (size_t)n;
    }
    *got = done;
    return true;
}

/* The link's directory is opened beneath the root, then the last part is read by its name in
 * it: readlinkat() there follows nothing. */
static bool root_readlink(struct target *t, const char *path, char *out, size_t size,
                          struct error *e)
{
    CLEANUP_FREE char *dir = mem_strdup(*path ? path : ".");
    size_t length = strlen(dir);
    while (length > 1 && dir[length - 1] == '/')
        dir[--length] = '\0';
    char *slash = strrchr(dir, '/');
    const char *name = slash ? slash + 1 : dir;
    CLEANUP_CLOSE int fd = -1;
    if (slash == dir) {
        fd = file_open_dir_beneath(t->rootfd, "/", e);
    } else if (slash) {
        *slash = '\0';
        fd = file_open_dir_beneath(t->rootfd, dir, e);
    } else {
        fd = file_open_dir_beneath(t->rootfd, ".", e);
    }
    if (fd < 0)
        return false;
    char found[4096];
    ssize_t n = readlinkat(fd, name, found, sizeof found);
    if (n < 0 && errno == EINVAL) {
        error_set(e, ERR_FORMAT, "is no link");
        return false;
    }
    if (n < 0) {
        error_set_errno(e, errno, "the link could not be read");
        return false;
    }
    if ((size_t)n >= size || (size_t)n >= sizeof found) {
        error_set(e, ERR_LIMIT, "the link leads to a name longer than we take");
        return false;
    }
    memcpy(out, found, (size_t)n);
    out[n] = '\0';
    return true;
}

static int entry_type(unsigned char type)
{
    switch (type) {
    case DT_UNKNOWN:
        return -1;
    case DT_REG:
        return TARGET_FILE;
    case DT_DIR:
        return TARGET_DIR;
    case DT_LNK:
        return TARGET_LINK;
    default:
        return TARGET_OTHER;
    }
}

static void dir_cleanup(DIR **dir)
{
    if (*dir)
        closedir(*dir);
}

struct entry_list {
    struct target_entry *items;
    size_t count, capacity;
};

static void entries_cleanup(struct entry_list *list)
{
    VEC_FREE(list);
}

struct stat_list {
    struct target_stat *items;
    size_t count, capacity;
};

static void stats_cleanup(struct stat_list *list)
{
    VEC_FREE(list);
}

/* `stats` may be NULL. */
static bool list_dir(DIR *dir, struct arena *arena, struct entry_list *list,
                     struct stat_list *stats, struct error *e)
{
    for (;;) {
        errno = 0;
        const struct dirent *d = readdir(dir);
        if (!d && errno) {
            error_set_errno(e, errno, "could not be listed");
            return false;
        }
        if (!d)
            return true;
        if (strcmp(d->d_name, ".") == 0 || strcmp(d->d_name, "..") == 0)
            continue;
        size_t most = stats ? TARGET_MOST_STATS : TARGET_MOST_ENTRIES;
        if (list->count == most) {
            error_set(e, ERR_LIMIT, "more than %d entries", (int)most);
            return false;
        }
        struct target_entry entry = {.name = arena_strdup(arena, d->d_name),
                                     .type = entry_type(d->d_type)};
        if (stats) {
            struct stat st;
            struct target_stat converted = {0};
            bool told = fstatat(dirfd(dir), d->d_name, &st, AT_SYMLINK_NOFOLLOW) == 0;
            if (told)
                stat_convert(&st, &converted);
            entry.type = told ? (int)converted.type : -1;
            VEC_PUSH(stats, converted);
        }
        VEC_PUSH(list, entry);
    }
}

static bool list_both(struct target *t, const char *path, struct arena *arena,
                      struct target_entry **out, struct target_stat **out_stats, size_t *count,
                      struct error *e)
{
    int fd = file_open_dir_beneath(t->rootfd, path, e);
    if (fd < 0)
        return false;
    CLEANUP(dir_cleanup) DIR *dir = fdopendir(fd);
    if (!dir) {
        error_set_errno(e, errno, "could not be listed");
        close(fd);
        return false;
    }
    CLEANUP(entries_cleanup) struct entry_list list = {0};
    CLEANUP(stats_cleanup) struct stat_list stats = {0};
    if (!list_dir(dir, arena, &list, out_stats ? &stats : NULL, e))
        return false;
    *out = arena_dup(arena, list.items, list.count * sizeof *list.items);
    if (out_stats)
        *out_stats = arena_dup(arena, stats.items, stats.count * sizeof *stats.items);
    *count = list.count;
    return true;
}

static bool root_list(struct target *t, const char *path, struct arena *arena,
                      struct target_entry **out, size_t *count, struct error *e)
{
    return list_both(t, path, arena, out, NULL, count, e);
}

static bool root_xattr(struct target *t, const char *path, const char *name, void *out, size_t most,
                       size_t *size, struct error *e)
{
    CLEANUP_CLOSE int fd = file_open_beneath(t->rootfd, path, NULL, e);
    if (fd < 0)
        return false;
    ssize_t n = fgetxattr(fd, name, out, most);
    if (n < 0 && errno != ENODATA && errno != ENOTSUP) {
        error_set_errno(e, errno, "the extended attribute could not be read");
        return false;
    }
    *size = n > 0 ? (size_t)n : 0;
    return true;
}

static const struct target_ops live_ops = {
    .kind = TARGET_LIVE,
    .close = root_close,
    .stat = root_stat,
    .read = root_read,
    .read_at = root_read_at,
    .readlink = root_readlink,
    .list = root_list,
    .list_stat = list_both,
    .xattr = root_xattr,
};

static const struct target_ops root_ops = {
    .kind = TARGET_ROOT,
    .close = root_close,
    .stat = root_stat,
    .read = root_read,
    .read_at = root_read_at,
    .readlink = root_readlink,
    .list = root_list,
    .list_stat = list_both,
    .xattr = root_xattr,
};

bool root_open(struct target **out, const char *dir, enum target_kind kind, struct error *e)
{
    int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) {
        struct stat st;
        if (errno == ENOTDIR && stat(dir, &st) == 0)
            error_set(e, ERR_USAGE,
                      "is no folder, and --root wants one; for a disk image there is --image, for "
                      "what systeminfo or showrev printed --text");
        else
            error_set_errno(e, errno, "the folder to look at could not be opened");
        error_at(e, dir, 0, 0);
        return false;
    }
    bool live = kind == TARGET_LIVE;
    struct root *r = mem_alloc(sizeof *r);
    r->volume = (struct target_volume){
        .description = live ? _("the file systems of this host") : _("a directory"),
        .fs = "root",
        .serial = "",
    };
    r->target = (struct target){
        .ops = live ? &live_ops : &root_ops,
        .name = mem_strdup(live ? N_("this host") : dir),
        .rootfd = fd,
        .socket = -1,
        .volumes = &r->volume,
        .volume_count = 1,
    };
    *out = &r->target;
    return true;
}
