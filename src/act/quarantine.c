#include "act/quarantine.h"

#include "base/file.h"
#include "base/json.h"
#include "base/str.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/fs.h>
#include <linux/openat2.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

static const char beside[] = ".yagura-quarantine";
enum { MOST_RECORD = 64 * 1024, MOST_ITEMS = 100 * 1000, MOST_ABOVE = 256 };
static const uint64_t most_hashed = 1ull << 30;

/* --- folders --- */

/* Ours or root's, and closed to others. */
static bool is_sound(int fd, struct error *e)
{
    struct stat st;
    if (fstat(fd, &st) == 0 && (st.st_uid == geteuid() || st.st_uid == 0) && !(st.st_mode & 077))
        return true;
    error_set(e, ERR_UNREADABLE, "the folder for the quarantine is there and not ours alone");
    return false;
}

static int open_folder(int parent, const char *name, bool make, struct error *e)
{
    if (make && mkdirat(parent, name, 0700) != 0 && errno != EEXIST) {
        error_set_errno(e, errno, "making the folder for the quarantine");
        return -1;
    }
    int fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0) {
        error_set_errno(e, errno, "opening the folder for the quarantine");
        return -1;
    }
    if (!is_sound(fd, e)) {
        close(fd);
        return -1;
    }
    return fd;
}

bool quarantine_open(struct quarantine *out, int state_dirfd, bool make, struct error *e)
{
    out->fd = open_folder(state_dirfd, "quarantine", make, e);
    return out->fd >= 0;
}

void quarantine_close(struct quarantine *q)
{
    if (q->fd >= 0)
        close(q->fd);
    q->fd = -1;
}

/* A bind mount has the device of what lies above it, and no rename leads out of it either. */
static bool is_one_mount(int a, int b)
{
    struct statx one, other;
    if (statx(a, "", AT_EMPTY_PATH, STATX_INO | STATX_MNT_ID, &one) != 0 ||
        statx(b, "", AT_EMPTY_PATH, STATX_INO | STATX_MNT_ID, &other) != 0)
        return false;
    bool known = one.stx_mask & other.stx_mask & STATX_MNT_ID; /* since Linux 5.8 */
    return one.stx_dev_major == other.stx_dev_major && one.stx_dev_minor == other.stx_dev_minor &&
           (!known || one.stx_mnt_id == other.stx_mnt_id);
}

static bool is_same_folder(int a, int b)
{
    struct stat one, other;
    return fstat(a, &one) == 0 && fstat(b, &other) == 0 && one.st_ino == other.st_ino &&
           one.st_dev == other.st_dev;
}

int quarantine_processes_folder(struct quarantine *q, bool make, struct error *e)
{
    return open_folder(q->fd, "processes", make, e);
}

/* The topmost folder of the file system that a folder lies on, and in it our own. */
static int open_beside(int dir, bool make, struct error *e)
{
    CLEANUP_CLOSE int top = fcntl(dir, F_DUPFD_CLOEXEC, 0);
    if (top < 0) {
        error_set_errno(e, errno, "looking for the top of the file system");
        return -1;
    }
    for (int i = 0; i < MOST_ABOVE; i++) {
        int parent = openat(top, "..", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        bool higher = parent >= 0 && is_one_mount(parent, top) && !is_same_folder(parent, top);
        if (!higher) {
            if (parent >= 0)
                close(parent);
            break;
        }
        close(top);
        top = parent;
    }
    return open_folder(top, beside, make, e);
}

static const char *path_of(struct arena *arena, int fd)
{
    char link[64], path[PATH_MAX];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t n = readlink(link, path, sizeof path - 1);
    return n > 0 ? arena_strndup(arena, path, (size_t)n) : "";
}

/* By a path that was written down: through no link, whatever was put into the way since. */
static int open_written_down(const char *path)
{
    struct open_how how = {.flags = O_RDONLY | O_DIRECTORY | O_CLOEXEC,
                           .resolve = RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS};
    return (int)syscall(SYS_openat2, AT_FDCWD, path, &how, sizeof how);
}

/* --- what is moved --- */

static const char *kind_of(mode_t mode)
{
    return S_ISREG(mode) ? "file" : S_ISDIR(mode) ? "directory" : S_ISLNK(mode) ? "link" : "other";
}

static void hash(char *out, size_t size, int fd)
{
    enum { PIECE = 256 * 1024 };
    CLEANUP_FREE unsigned char *buffer = mem_resize(NULL, PIECE);
    unsigned char digest[crypto_hash_sha256_BYTES];
    crypto_hash_sha256_state state;
    ssize_t n = 1;
    crypto_hash_sha256_init(&state);
    for (uint64_t at = 0; at <= most_hashed && (n = pread(fd, buffer, PIECE, (off_t)at)) > 0;
         at += (uint64_t)n)
        crypto_hash_sha256_update(&state, buffer, (size_t)n);
    crypto_hash_sha256_final(&state, digest);
    if (n == 0)
        sodium_bin2hex(out, size, digest, sizeof digest);
}

/* The flags of chattr, by which somebody keeps a file where it is; 0 where there are none. */
static int flags_of(int dir, const char *name, int *fd)
{
    int flags = 0;
    *fd = openat(dir, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC | O_NOCTTY);
    if (*fd >= 0 && ioctl(*fd, FS_IOC_GETFLAGS, &flags) != 0)
        flags = 0;
    return flags & (FS_IMMUTABLE_FL | FS_APPEND_FL);
}

static void set_flags(int fd, int wanted)
{
    int flags;
    if (fd < 0 || ioctl(fd, FS_IOC_GETFLAGS, &flags) != 0)
        return;
    flags = (flags & ~(FS_IMMUTABLE_FL | FS_APPEND_FL)) | wanted;
    (void)!ioctl(fd, FS_IOC_SETFLAGS, &flags);
}

static bool same(int dir, const char *name, const struct stat *as)
{
    struct stat st;
    return fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) == 0 && st.st_ino == as->st_ino &&
           st.st_dev == as->st_dev;
}

/* --- records --- */

static void put_bytes(json_t *o, const char *key, const char *text)
{
    size_t size = strlen(text);
    CLEANUP_FREE char *hex = mem_alloc(2 * size + 1);
    sodium_bin2hex(hex, 2 * size + 1, (const unsigned char *)text, size);
    json_put_string(o, key, hex);
}

/* A path is bytes, which JSON cannot hold: it is kept as hexadecimal digits. NULL if it is none. */
static const char *get_bytes(const json_t *o, const char *key, struct arena *arena)
{
    const char *hex = json_get_string(o, key), *end;
    size_t size, most = hex ? strlen(hex) / 2 : 0;
    unsigned char *out = arena_alloc(arena, most + 1);
    if (!hex || sodium_hex2bin(out, most, hex, strlen(hex), NULL, &size, &end) != 0 || *end ||
        !size || memchr(out, 0, size))
        return NULL;
    return (const char *)out;
}

struct record {
    struct quarantine_item item;
    const char *folder, *name; /* of the origin */
    const char *place;         /* the folder it lies in; "" = that of the records */
    uint64_t inode;
    int flags;
};

static bool write_record(struct quarantine *q, const struct record *r, struct error *e)
{
    CLEANUP_JSON json_t *o = json_object();
    CLEANUP_STR struct str line = {0};
    char name[QUARANTINE_ID_SIZE + 8];
    const struct quarantine_item *i = &r->item;
    json_put_string(o, "id", i->id);
    json_put_string(o, "origin", i->origin);
    put_bytes(o, "folder", r->folder);
    put_bytes(o, "name", r->name);
    put_bytes(o, "place", *r->place ? r->place : ".");
    json_put_int(o, "inode", (int64_t)r->inode);
    json_put_int(o, "flags", r->flags);
    json_put_string(o, "kind", i->kind);
    json_put_int(o, "size", (int64_t)i->size);
    json_put_int(o, "mode", i->mode);
    json_put_int(o, "uid", i->uid);
    json_put_int(o, "gid", i->gid);
    json_put_int(o, "mtime_ns", i->mtime_ns);
    json_put_int(o, "other_names", (int64_t)i->other_names);
    json_put_string(o, "sha256", i->sha256);
    json_put_int(o, "since", i->since);
    json_put_string(o, "who", i->who);
    json_put_string(o, "why", i->why);
    json_add_line(&line, o);
    str_add_char(&line, '\n');
    snprintf(name, sizeof name, "%s.json", i->id);
    return file_replace(q->fd, name, line.data, line.length, 0600, e);
}

static const char *text_of(const json_t *o, const char *key, struct arena *arena)
{
    const char *text = json_get_string(o, key);
    return arena_strdup(arena, text ? text : "");
}

static int64_t number_of(const json_t *o, const char *key)
{
    return json_integer_value(json_object_get(o, key));
}

static bool id_is_valid(const char *id)
{
    size_t length = strspn(id, "0123456789abcdef");
    return length && length < QUARANTINE_ID_SIZE && !id[length];
}

static bool read_record(struct quarantine *q, const char *id, struct arena *arena,
                        struct record *out, struct error *e)
{
    CLEANUP_FREE char *text = NULL;
    char name[QUARANTINE_ID_SIZE + 8];
    size_t size;
    if (!id_is_valid(id)) {
        error_set(e, ERR_ABSENT, "nothing in quarantine has the id %s", id);
        return false;
    }
    snprintf(name, sizeof name, "%s.json", id);
    CLEANUP_CLOSE int fd = openat(q->fd, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    if (fd < 0 && errno == ENOENT) {
        error_set(e, ERR_ABSENT, "nothing in quarantine has the id %s", id);
        return false;
    }
    if (fd < 0) {
        error_set_errno(e, errno, "reading the record of %s", id);
        return false;
    }
    if (!file_read_fd(&text, &size, fd, MOST_RECORD, e))
        return false;
    CLEANUP_JSON json_t *o = json_parse(text, size, name, MOST_RECORD, MOST_RECORD, e);
    if (!o)
        return false;
    *out = (struct record){.folder = get_bytes(o, "folder", arena),
                           .name = get_bytes(o, "name", arena),
                           .place = get_bytes(o, "place", arena),
                           .inode = (uint64_t)number_of(o, "inode"),
                           .flags = (int)number_of(o, "flags")};
    if (!out->folder || !out->name || !out->place || out->folder[0] != '/' ||
        strchr(out->name, '/')) {
        error_set(e, ERR_CORRUPT, "the record of %s does not say where it was", id);
        return false;
    }
    if (str_equal(out->place, "."))
        out->place = "";
    struct quarantine_item *i = &out->item;
    snprintf(i->id, sizeof i->id, "%s", id);
    i->origin =
        arena_printf(arena, "%s/%s", str_equal(out->folder, "/") ? "" : out->folder, out->name);
    i->kept = *out->place ? arena_printf(arena, "%s/%s", out->place, id)
                          : arena_printf(arena, "%s/%s", path_of(arena, q->fd), id);
    i->kind = text_of(o, "kind", arena);
    i->size = (uint64_t)number_of(o, "size");
    i->mode = (uint32_t)number_of(o, "mode");
    i->uid = (uint32_t)number_of(o, "uid");
    i->gid = (uint32_t)number_of(o, "gid");
    i->mtime_ns = number_of(o, "mtime_ns");
    i->other_names = (uint64_t)number_of(o, "other_names");
    i->sha256 = text_of(o, "sha256", arena);
    i->since = number_of(o, "since");
    i->who = text_of(o, "who", arena);
    i->why = text_of(o, "why", arena);
    return true;
}

static void forget(struct quarantine *q, const char *id)
{
    char name[QUARANTINE_ID_SIZE + 8];
    snprintf(name, sizeof name, "%s.json", id);
    unlinkat(q->fd, name, 0);
    fsync(q->fd);
}

/* --- taking --- */

/* Eight digits that no record has yet. */
static void make_id(struct quarantine *q, char out[QUARANTINE_ID_SIZE])
{
    char name[QUARANTINE_ID_SIZE + 8];
    do {
        snprintf(out, QUARANTINE_ID_SIZE, "%08x", randombytes_random());
        snprintf(name, sizeof name, "%s.json", out);
    } while (faccessat(q->fd, name, F_OK, AT_SYMLINK_NOFOLLOW) == 0);
}

/* Opens the folder that the path's last part lies in. */
static int open_parent(const struct quarantine_wish *wish, struct arena *arena, const char **name,
                       struct error *e)
{
    const char *slash = strrchr(wish->path, '/');
    *name = slash ? slash + 1 : wish->path;
    if (!**name || str_equal(*name, ".") || str_equal(*name, "..")) {
        error_set(e, ERR_USAGE, "this names no file");
        return -1;
    }
    const char *folder =
        slash ? arena_strndup(arena, wish->path, (size_t)(slash - wish->path)) : "";
    return file_open_dir_beneath(wish->rootfd, folder, e);
}

static void describe(struct record *r, const struct quarantine_wish *wish, const struct stat *st,
                     int fd, struct arena *arena)
{
    char digest[2 * crypto_hash_sha256_BYTES + 1] = "";
    if (S_ISREG(st->st_mode) && fd >= 0)
        hash(digest, sizeof digest, fd);
    struct quarantine_item *i = &r->item;
    i->origin = arena_printf(arena, "%s/%s", str_equal(r->folder, "/") ? "" : r->folder, r->name);
    i->kind = kind_of(st->st_mode);
    i->size = (uint64_t)st->st_size;
    i->mode = st->st_mode & 07777;
    i->uid = st->st_uid;
    i->gid = st->st_gid;
    i->mtime_ns = (int64_t)st->st_mtim.tv_sec * 1000000000 + st->st_mtim.tv_nsec;
    i->other_names = S_ISDIR(st->st_mode) || !st->st_nlink ? 0 : (uint64_t)st->st_nlink - 1;
    i->sha256 = arena_strdup(arena, digest);
    i->who = arena_strdup(arena, wish->who ? wish->who : "");
    i->why = arena_strdup(arena, wish->why ? wish->why : "");
    i->since = wish->now;
    r->inode = (uint64_t)st->st_ino;
}

/* Renames, sees whether it was that, and says so. */
static bool move(int from, const char *name, int to, const char *id, const struct stat *st,
                 struct error *e)
{
    if (renameat2(from, name, to, id, RENAME_NOREPLACE) != 0) {
        error_set_errno(e, errno, "moving it into quarantine");
        return false;
    }
    if (!same(to, id, st)) {
        if (renameat2(to, id, from, name, RENAME_NOREPLACE) != 0)
            error_set_errno(e, errno,
                            "something else was put into its place; that lies in "
                            "quarantine now, and could not be moved back");
        else
            error_set(e, ERR_UNREADABLE,
                      "something else was put into its place meanwhile; look "
                      "again");
        return false;
    }
    fsync(to);
    fsync(from);
    return true;
}

/* Into the folder of records where a rename reaches that, else into the one of its own file
 * system. */
static bool move_where_it_can(struct quarantine *q, struct record *r, int dir,
                              const struct stat *st, struct arena *arena, struct error *e)
{
    struct stat own;
    struct error first = ERROR_INIT;
    if (fstat(q->fd, &own) == 0 && own.st_dev == st->st_dev) {
        if (!write_record(q, r, e))
            return false;
        if (move(dir, r->name, q->fd, r->item.id, st, &first))
            return true;
        if (first.sys_errno != EXDEV) { /* a bind mount is of one device, and another mount */
            forget(q, r->item.id);
            if (e)
                *e = first;
            return false;
        }
    }
    CLEANUP_CLOSE int place = open_beside(dir, true, e);
    if (place < 0) {
        forget(q, r->item.id);
        return false;
    }
    r->place = path_of(arena, place);
    r->item.kept = arena_printf(arena, "%s/%s", r->place, r->item.id);
    if (write_record(q, r, e) && move(dir, r->name, place, r->item.id, st, e))
        return true;
    forget(q, r->item.id);
    return false;
}

bool quarantine_take(struct quarantine *q, const struct quarantine_wish *wish, bool dry,
                     struct arena *arena, struct quarantine_item *out, struct error *e)
{
    struct record r = {.place = ""};
    struct stat st;
    CLEANUP_CLOSE int dir = open_parent(wish, arena, &r.name, e);
    if (dir < 0)
        return false;
    CLEANUP_CLOSE int thing = openat(dir, r.name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
    if (thing < 0 || fstat(thing, &st) != 0) {
        error_set_errno(e, errno, "looking at it");
        error_at(e, wish->path, 0, 0);
        return false;
    }
    if (wish->inode && (st.st_ino != wish->inode || st.st_dev != wish->device)) {
        error_set(e, ERR_UNREADABLE, "something else lies there now; look again");
        error_at(e, wish->path, 0, 0);
        return false;
    }
    CLEANUP_CLOSE int opened = -1;
    r.flags = S_ISREG(st.st_mode) || S_ISDIR(st.st_mode) ? flags_of(dir, r.name, &opened) : 0;
    struct stat again;
    if (opened >= 0 &&
        (fstat(opened, &again) != 0 || again.st_ino != st.st_ino || again.st_dev != st.st_dev)) {
        error_set(e, ERR_UNREADABLE, "something else was put into its place meanwhile; look again");
        error_at(e, wish->path, 0, 0);
        return false;
    }
    r.folder = path_of(arena, dir);
    make_id(q, r.item.id);
    describe(&r, wish, &st, opened, arena);
    r.item.kept = arena_printf(arena, "%s/%s", path_of(arena, q->fd), r.item.id);
    if (!dry) {
        if (r.flags)
            set_flags(opened, 0);
        if (!move_where_it_can(q, &r, dir, &st, arena, e)) {
            if (r.flags)
                set_flags(opened, r.flags);
            error_at(e, wish->path, 0, 0);
            return false;
        }
    }
    *out = r.item;
    return true;
}

/* --- giving back --- */

static int open_place(struct quarantine *q, const struct record *r, struct error *e)
{
    int fd = *r->place ? open_written_down(r->place) : fcntl(q->fd, F_DUPFD_CLOEXEC, 0);
    if (fd < 0)
        error_set_errno(e, errno, "opening the folder in which it lies");
    if (fd >= 0 && !is_sound(fd, e)) {
        close(fd);
        fd = -1;
    }
    return fd;
}

static int open_origin(const struct record *r, struct error *e)
{
    int fd = open_written_down(r->folder);
    if (fd >= 0)
        return fd;
    if (errno == ENOENT)
        error_set(e, ERR_ABSENT, "the folder it came from is gone: make it again first");
    else if (errno == ELOOP)
        error_set(e, ERR_UNREADABLE,
                  "a link lies in the way to where it came from now: it is not followed");
    else
        error_set_errno(e, errno, "opening the folder it came from");
    return -1;
}

/* Is it still what was taken? Nobody but root can have changed it. */
static bool is_as_taken(const struct record *r, int place, struct stat *st, struct error *e)
{
    if (fstatat(place, r->item.id, st, AT_SYMLINK_NOFOLLOW) != 0) {
        error_set_errno(e, errno, "looking at it");
        return false;
    }
    int64_t mtime = (int64_t)st->st_mtim.tv_sec * 1000000000 + st->st_mtim.tv_nsec;
    if ((uint64_t)st->st_ino == r->inode && (st->st_mode & 07777) == r->item.mode &&
        st->st_uid == r->item.uid && st->st_gid == r->item.gid && mtime == r->item.mtime_ns &&
        (uint64_t)st->st_size == r->item.size)
        return true;
    error_set(e, ERR_CORRUPT, "it was changed since it was moved here");
    return false;
}

static bool give_back(const struct record *r, int place, bool dry, struct error *e)
{
    struct stat st, there;
    CLEANUP_CLOSE int origin = open_origin(r, e);
    if (origin < 0 || !is_as_taken(r, place, &st, e))
        return false;
    if (fstatat(origin, r->name, &there, AT_SYMLINK_NOFOLLOW) == 0) {
        error_set(e, ERR_USAGE, "something else lies there now: move that away first");
        return false;
    }
    if (dry)
        return true;
    if (renameat2(place, r->item.id, origin, r->name, RENAME_NOREPLACE) != 0) {
        error_set_errno(e, errno, "moving it back");
        return false;
    }
    if (r->flags) {
        int fd;
        flags_of(origin, r->name, &fd);
        if (fd >= 0 && same(origin, r->name, &st))
            set_flags(fd, r->flags);
        mem_cleanup_close(&fd);
    }
    fsync(origin);
    fsync(place);
    return true;
}

bool quarantine_give_back(struct quarantine *q, const char *id, bool dry, struct arena *arena,
                          struct quarantine_item *out, struct error *e)
{
    struct record r;
    if (!read_record(q, id, arena, &r, e))
        return false;
    CLEANUP_CLOSE int place = open_place(q, &r, e);
    if (place < 0 || !give_back(&r, place, dry, e)) {
        error_at(e, r.item.origin, 0, 0);
        return false;
    }
    if (!dry)
        forget(q, id);
    *out = r.item;
    return true;
}

/* --- listing --- */

static int by_time(const void *x, const void *y)
{
    const struct quarantine_item *a = x, *b = y;
    return a->since != b->since ? (a->since < b->since ? -1 : 1) : strcmp(a->id, b->id);
}

/* A record without the thing is one of a move that was cut short before anything happened. */
static bool lies_there(struct quarantine *q, const struct record *r)
{
    struct stat st;
    CLEANUP_CLOSE int place = open_place(q, r, NULL);
    return place < 0 || fstatat(place, r->item.id, &st, AT_SYMLINK_NOFOLLOW) == 0;
}

bool quarantine_list(struct quarantine *q, struct arena *arena, struct quarantine_item **out,
                     size_t *count, struct error *e)
{
    VEC(struct quarantine_item) list = {0};
    bool good = true;
    DIR *dir = file_list(q->fd, ".");
    if (!dir) {
        error_set_errno(e, errno, "listing the quarantine");
        return false;
    }
    for (const struct dirent *d; (d = readdir(dir)) && list.count < MOST_ITEMS;) {
        struct record r;
        char id[QUARANTINE_ID_SIZE];
        size_t length = strlen(d->d_name);
        if (!str_ends(d->d_name, ".json") || length - 5 >= sizeof id)
            continue;
        snprintf(id, sizeof id, "%.*s", (int)(length - 5), d->d_name);
        if (!read_record(q, id, arena, &r, e))
            good = false;
        else if (lies_there(q, &r))
            VEC_PUSH(&list, r.item);
    }
    closedir(dir);
    if (list.count)
        qsort(list.items, list.count, sizeof *list.items, by_time);
    *out = list.count ? arena_dup(arena, list.items, list.count * sizeof *list.items) : NULL;
    *count = list.count;
    VEC_FREE(&list);
    return good;
}

int quarantine_open_place(const struct quarantine_item *item, struct error *e)
{
    char path[PATH_MAX];
    const char *slash = strrchr(item->kept, '/');
    snprintf(path, sizeof path, "%.*s", slash ? (int)(slash - item->kept) : 0, item->kept);
    int fd = open_written_down(path);
    if (fd < 0)
        error_set_errno(e, errno, "opening the folder for the quarantine");
    return fd;
}
