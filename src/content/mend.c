#include "content/mend.h"

#include "base/file.h"
#include "base/mem.h"
#include "base/str.h"
#include "content/placing.h"
#include "content/xattrs.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/syscall.h>
#include <sys/xattr.h>
#include <unistd.h>

/* The worst of several. */
static enum mend_result worse(enum mend_result a, enum mend_result b)
{
    return a > b ? a : b;
}

static int64_t ns_of(struct timespec t)
{
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

/* ---- telling ----------------------------------------------------------------------------- */

static void tell(struct mender *m, const struct mend_event *event)
{
    if (m->event)
        m->event(m->context, event);
}

static enum mend_result tell_failed(struct mender *m, struct mend_event *event,
                                    const struct error *error)
{
    event->error = error;
    event->undone = false;
    tell(m, event);
    return MEND_FAILED;
}

static enum mend_result tell_done(struct mender *m, struct mend_event *event)
{
    event->undone = true;
    tell(m, event);
    return MEND_DONE;
}

static enum mend_result tell_left(struct mender *m, struct mend_event *event)
{
    event->undone = false;
    tell(m, event);
    return MEND_LEFT;
}

/* ---- one name ----------------------------------------------------------------------------- */

/* A name as it stands in a directory that is open and, as far as we know, in its place. */
struct spot {
    int dirfd;
    const char *name;
    const char *path; /* beneath the document root, its own name included */
    uint32_t index;   /* in the manifest; MANIFEST_NONE: not published */
    uint32_t parent;  /* of the directory; MANIFEST_NONE: not published */
    enum policy policy;
    struct stat st; /* of what stands there */
    int missing;    /* errno of looking at it; 0: it is there */
};

static void look_at_spot(struct spot *at)
{
    at->missing = fstatat(at->dirfd, at->name, &at->st, AT_SYMLINK_NOFOLLOW) == 0 ? 0 : errno;
}

/* Where names may come and go, so does the directory's time. */
static bool keeps_times(enum policy policy)
{
    return policy == POLICY_FIXED || policy == POLICY_APPEND;
}

/* The directory's own time, which coming and going names changed. */
static void restore_dir_time(struct mender *m, int dirfd, uint32_t index)
{
    struct manifest_entry dir;
    struct stat st;
    if (m->dry_run || index == MANIFEST_NONE || fstat(dirfd, &st) != 0)
        return;
    manifest_entry(m->manifest, index, &dir);
    if (ns_of(st.st_mtim) != dir.mtime_ns)
        placing_set_times(dirfd, &dir);
}

/* What could not be moved as it is a mount point: the mount is taken away, and what lies below
 * is looked at in the next round. */
static bool uncover(struct mender *m, const struct spot *at, const struct error *e)
{
    char path[320];
    if (e->sys_errno != EBUSY)
        return false;
    snprintf(path, sizeof path, "/proc/self/fd/%d/%s", at->dirfd, at->name);
    m->uncovered = umount2(path, MNT_DETACH | UMOUNT_NOFOLLOW) == 0;
    return m->uncovered;
}

static enum mend_result not_published(struct mender *m, const struct spot *at,
                                      const struct walk_entry *is)
{
    struct error e = ERROR_INIT;
    struct mend_event event = {.path = at->path,
                               .dirfd = at->dirfd,
                               .name = at->name,
                               .kind = DIFFERENCE_ADDED,
                               .policy = at->policy,
                               .bad = is->st};
    if (!verify_against_policy(at->dirfd, is, NULL, at->policy, 0, &event.reason))
        return tell_left(m, &event);
    if (!m->dry_run && !placing_move_aside(m, at->dirfd, at->name, &event, &e) &&
        !uncover(m, at, &e))
        return e.code == ERR_ABSENT ? MEND_RIGHT : tell_failed(m, &event, &e);
    return tell_done(m, &event);
}

static int open_below(int dirfd, const char *name)
{
    struct open_how how = {
        .flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC,
        .resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS,
    };
    return (int)syscall(SYS_openat2, dirfd, name, &how, sizeof how);
}

static bool same_inode(const struct stat *a, const struct stat *b)
{
    return a->st_ino == b->st_ino && a->st_dev == b->st_dev;
}

/* Is this directory one of the site's own, at its published place or at any other in it? */
static bool within_root(const struct mender *m, int dirfd)
{
    struct stat root, st;
    CLEANUP_CLOSE int at = openat(dirfd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fstat(m->rootfd, &root) != 0)
        return false;
    for (int depth = 0; at >= 0 && depth < 2048 && fstat(at, &st) == 0; depth++) {
        if (same_inode(&st, &root))
            return true;
        int above = openat(at, "..", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        struct stat higher;
        if (above < 0 || fstat(above, &higher) != 0 || same_inode(&higher, &st)) {
            if (above >= 0)
                close(above);
            return false;
        }
        close(at);
        at = above;
    }
    return false;
}

/* The published directory lies elsewhere: back to its name. With another one of the site's it
 * changes places, else what stands at its name goes aside first. */
static bool fetch_dir(struct mender *m, const struct spot *at, int fd, bool occupied,
                      struct mend_event *event)
{
    char name[256];
    CLEANUP_CLOSE int parent = file_open_parent(fd, name);
    if (parent < 0)
        return false;
    if (occupied && within_root(m, parent))
        return placing_rename(parent, name, at->dirfd, at->name, RENAME_EXCHANGE) == 0;
    if (occupied && !placing_move_aside(m, at->dirfd, at->name, event, NULL))
        return false;
    return placing_rename(parent, name, at->dirfd, at->name, RENAME_NOREPLACE) == 0;
}

static enum mend_result put_back(struct mender *m, const struct spot *at, struct mend_event *event)
{
    struct error e = ERROR_INIT;
    CLEANUP_CLOSE int dir = -1;
    if (!m->dry_run && m->find_dir && m->find_dir(m->context, at->index, &dir) && dir >= 0 &&
        fetch_dir(m, at, dir, event->kind != DIFFERENCE_REMOVED, event))
        return tell_done(m, event);
    struct error partly = ERROR_INIT;
    if (!m->dry_run && !placing_replace(m, at->index, at->dirfd, at->name, event, &partly, &e) &&
        !uncover(m, at, &e))
        return tell_failed(m, event, &e);
    if (partly.code != ERR_NONE)
        event->error = &partly;
    return tell_done(m, event);
}

static enum mend_result missing(struct mender *m, const struct spot *at)
{
    struct mend_event event = {.path = at->path,
                               .dirfd = at->dirfd,
                               .name = at->name,
                               .kind = DIFFERENCE_REMOVED,
                               .policy = at->policy};
    if (at->policy == POLICY_FREE || at->policy == POLICY_UPLOAD)
        return tell_left(m, &event);
    return put_back(m, at, &event);
}

static enum mend_result only_attributes(struct mender *m, const struct spot *at,
                                        const struct manifest_entry *was,
                                        const struct walk_entry *is, struct mend_event *event)
{
    struct error e = ERROR_INIT;
    if (m->dry_run)
        return tell_done(m, event);
    if (S_ISLNK(was->mode)) {
        if (!placing_set_link_attributes(at->dirfd, at->name, was, &e))
            return tell_failed(m, event, &e);
        return tell_done(m, event);
    }
    placing_clear_flags(at->dirfd, at->name);
    CLEANUP_CLOSE int fd =
        openat(at->dirfd, at->name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC | O_NOCTTY);
    struct stat st;
    if (fd < 0 || fstat(fd, &st) != 0 || st.st_ino != is->st.st_ino ||
        (st.st_mode & S_IFMT) != (was->mode & S_IFMT))
        return put_back(m, at, event); /* replaced under our hands: whatever it is now */
    if (!placing_set_attributes(fd, was, &e))
        return tell_failed(m, event, &e);
    return tell_done(m, event);
}

/* The content is not read where its size already tells that it is wrong. */
static bool needs_reading(const struct mender *m, uint32_t index, const struct manifest_entry *was,
                          const struct stat *st, enum policy policy)
{
    if (!S_ISREG(was->mode))
        return false;
    if (was->size != (uint64_t)st->st_size)
        return policy == POLICY_APPEND;
    return !m->index || !stat_index_trusts(m->index, index, was, st);
}

static enum mend_result same_type(struct mender *m, const struct spot *at,
                                  const struct manifest_entry *was, const struct walk_entry *is)
{
    struct mend_event event = {.path = at->path,
                               .dirfd = at->dirfd,
                               .name = at->name,
                               .kind = DIFFERENCE_CHANGED,
                               .policy = at->policy,
                               .bad = is->st};
    event.what = verify_compare(was, is);
    if (is->unstable || is->error)
        event.what |= S_ISREG(was->mode) ? WHAT_CONTENT : 0;
    if (!event.what)
        return MEND_RIGHT;
    if (!verify_against_policy(at->dirfd, is, was, at->policy, event.what, &event.reason))
        return tell_left(m, &event);
    if (event.what & (WHAT_CONTENT | WHAT_TARGET))
        return put_back(m, at, &event);
    return only_attributes(m, at, was, is, &event);
}

/* A directory of the right name that is not the one that was published. */
static bool is_stranger(struct mender *m, uint32_t index, const struct manifest_entry *was,
                        const struct stat *st)
{
    CLEANUP_CLOSE int fd = -1;
    struct stat published;
    if (!S_ISDIR(was->mode) || !m->find_dir || !m->find_dir(m->context, index, &fd))
        return false;
    return fd < 0 || fstat(fd, &published) != 0 || !same_inode(&published, st);
}

/* It is there and cannot even be looked at: a file system that somebody mounted over it and to
 * which not even root is admitted (FUSE), or of which the server is gone. */
static enum mend_result unreadable(struct mender *m, const struct spot *at)
{
    struct error e = ERROR_INIT, busy = {.sys_errno = EBUSY};
    struct mend_event event = {.path = at->path,
                               .dirfd = at->dirfd,
                               .name = at->name,
                               .kind =
                                   at->index == MANIFEST_NONE ? DIFFERENCE_ADDED : DIFFERENCE_TYPE,
                               .policy = at->policy};
    if (at->policy == POLICY_FREE)
        return tell_left(m, &event);
    if (!m->dry_run && uncover(m, at, &busy))
        return tell_done(m, &event);
    event.kind = DIFFERENCE_UNREADABLE;
    error_set_errno(&e, at->missing, "looking at it");
    return tell_failed(m, &event, &e);
}

/* *below: it is a directory in its place, and one may go down. */
static enum mend_result mend_name(struct mender *m, const struct spot *at, bool *below)
{
    struct error e = ERROR_INIT;
    CLEANUP_ARENA struct arena *arena = arena_new();
    struct manifest_entry was;
    *below = false;
    bool published = at->index != MANIFEST_NONE;
    if (published)
        manifest_entry(m->manifest, at->index, &was);
    if (at->missing && at->missing != ENOENT)
        return unreadable(m, at);
    if (at->missing)
        return published ? missing(m, at) : MEND_RIGHT;

    bool same = published && (was.mode & S_IFMT) == (at->st.st_mode & S_IFMT);
    bool read = same && needs_reading(m, at->index, &was, &at->st, at->policy);
    struct walk_entry is;
    if (!walk_one(&is, at->dirfd, at->name, &at->st, read, same, arena, &e) && e.code == ERR_ABSENT)
        return published ? missing(m, at) : MEND_RIGHT;
    same = published && (was.mode & S_IFMT) == (is.st.st_mode & S_IFMT) &&
           !is_stranger(m, at->index, &was, &is.st);
    if (!published) {
        enum mend_result r = not_published(m, at, &is);
        *below = r == MEND_LEFT && S_ISDIR(is.st.st_mode);
        return r;
    }
    if (same) {
        enum mend_result r = same_type(m, at, &was, &is);
        *below = S_ISDIR(was.mode) && r != MEND_FAILED;
        return r;
    }
    struct mend_event event = {.path = at->path,
                               .dirfd = at->dirfd,
                               .name = at->name,
                               .kind = DIFFERENCE_TYPE,
                               .policy = at->policy,
                               .bad = is.st};
    if (!verify_against_policy(at->dirfd, &is, NULL, at->policy, 0, &event.reason))
        return tell_left(m, &event);
    return put_back(m, at, &event);
}

/* ---- a path ------------------------------------------------------------------------------- */

/* Does the path of a directory still lead to this descriptor? */
static bool still_there(const struct mender *m, const char *folder, int dirfd)
{
    CLEANUP_CLOSE int again = open_below(m->rootfd, folder[0] ? folder : ".");
    struct stat a, b;
    return again >= 0 && fstat(again, &a) == 0 && fstat(dirfd, &b) == 0 && same_inode(&a, &b);
}

static enum mend_result mend_root(struct mender *m)
{
    struct manifest_entry was;
    manifest_entry(m->manifest, MANIFEST_ROOT, &was);
    CLEANUP_ARENA struct arena *arena = arena_new();
    struct walk_entry is = {.xattrs = true};
    struct error e = ERROR_INIT;
    struct mend_event event = {.path = "", .kind = DIFFERENCE_CHANGED};
    if (fstat(m->rootfd, &is.st) != 0 ||
        !xattrs_read_fd(&is.xattr_bytes, &is.xattr_size, m->rootfd, arena, &e))
        return tell_failed(m, &event, &e);
    event.bad = is.st;
    event.what = verify_compare(&was, &is);
    event.policy = policy_of_path(m->policies, "", true);
    if (!event.what)
        return MEND_RIGHT;
    if (event.policy == POLICY_FREE || event.policy == POLICY_IGNORE)
        return tell_left(m, &event);
    if (!m->dry_run && !placing_set_attributes(m->rootfd, &was, &e))
        return tell_failed(m, &event, &e);
    return tell_done(m, &event);
}

/* The folder of the last path, for the next one in it: see mend_settle(). */
static void keep_folder(struct mender *m, const char *path, int *dirfd, uint32_t index,
                        enum policy policy, bool changed)
{
    if (m->folder.known && m->folder.index == index)
        changed = changed || m->folder.changed;
    else
        mend_settle(m);
    if (m->folder.known)
        close(m->folder.fd);
    m->folder.known = true;
    m->folder.changed = changed;
    m->folder.fd = *dirfd;
    m->folder.index = index;
    m->folder.policy = policy;
    snprintf(m->folder.path, sizeof m->folder.path, "%s", path);
    *dirfd = -1;
}

void mend_settle(struct mender *m)
{
    if (!m->folder.known)
        return;
    if (m->folder.changed)
        restore_dir_time(m, m->folder.fd, m->folder.index);
    close(m->folder.fd);
    m->folder.known = false;
}

/* A file in the folder that was kept. False: it has to be looked at along its path. */
static bool mend_in_folder(struct mender *m, const char *path, enum mend_result *result)
{
    const char *slash = strrchr(path, '/');
    size_t length = slash ? (size_t)(slash - path) : 0;
    if (!m->folder.known || strncmp(m->folder.path, path, length) != 0 || m->folder.path[length])
        return false;
    struct spot at = {.dirfd = m->folder.fd,
                      .name = slash ? slash + 1 : path,
                      .path = path,
                      .parent = m->folder.index};
    struct manifest_entry was = {0};
    bool below;
    at.index = manifest_child(m->manifest, at.parent, at.name, strlen(at.name));
    if (at.index != MANIFEST_NONE)
        manifest_entry(m->manifest, at.index, &was);
    look_at_spot(&at);
    if (S_ISDIR(was.mode) || (!at.missing && S_ISDIR(at.st.st_mode)))
        return false;
    at.policy = policy_of(m->policies, path, false, m->folder.policy);
    *result = MEND_LEFT;
    if (at.policy == POLICY_IGNORE || (m->waits && m->waits(m->context, path, path)))
        return true;
    *result = mend_name(m, &at, &below);
    m->folder.changed = m->folder.changed || keeps_times(at.policy);
    return !m->uncovered && still_there(m, m->folder.path, m->folder.fd);
}

/* Once along the path; *again: a directory moved under our hands. */
static enum mend_result mend_along(struct mender *m, const char *path, bool *again)
{
    CLEANUP_CLOSE int dirfd = open_below(m->rootfd, ".");
    CLEANUP_FREE char *part = mem_strdup(path);
    struct spot at = {.policy = policy_of(m->policies, "", true, POLICY_FIXED)};
    uint32_t folder = MANIFEST_ROOT;
    enum policy folder_policy;
    enum mend_result worst = MEND_RIGHT;
    size_t start = 0, folder_length = 0;
    for (;;) {
        size_t end = start + strcspn(path + start, "/");
        bool last = path[end] == '\0';
        char name[256];
        snprintf(name, sizeof name, "%.*s", (int)(end - start), path + start);
        part[end] = '\0';
        at.dirfd = dirfd;
        at.name = name;
        at.path = part;
        at.parent = folder;
        at.index = folder == MANIFEST_NONE
                       ? MANIFEST_NONE
                       : manifest_child(m->manifest, folder, name, strlen(name));
        look_at_spot(&at);
        bool is_dir = !last || (!at.missing && S_ISDIR(at.st.st_mode));
        folder_policy = at.policy;
        at.policy = policy_of(m->policies, part, is_dir, at.policy);
        if (at.policy == POLICY_IGNORE)
            return worse(worst, MEND_LEFT);
        if (m->waits && (last || at.index == MANIFEST_NONE) && m->waits(m->context, part, path))
            return worse(worst, MEND_LEFT);
        bool below;
        worst = worse(worst, mend_name(m, &at, &below));
        bool kept = last && m->keeps_folder && folder != MANIFEST_NONE;
        if (keeps_times(at.policy) && !kept)
            restore_dir_time(m, dirfd, folder);
        if (m->uncovered) {
            *again = true;
            return worst;
        }
        if (last || !below)
            break;
        int next = open_below(dirfd, name);
        if (next < 0) {
            *again = true;
            return worst;
        }
        close(dirfd);
        dirfd = next;
        folder = at.index;
        folder_length = end;
        part[end] = '/';
        start = end + 1;
    }
    part[folder_length] = '\0';
    *again = !still_there(m, part, dirfd);
    if (!*again && m->keeps_folder && folder != MANIFEST_NONE &&
        !path[start + strcspn(path + start, "/")])
        keep_folder(m, part, &dirfd, folder, folder_policy, keeps_times(at.policy));
    return worst;
}

enum mend_result mend_path(struct mender *m, const char *path)
{
    if (!path[0])
        return mend_root(m);
    enum mend_result worst = MEND_RIGHT;
    m->uncovered = false;
    if (mend_in_folder(m, path, &worst))
        return worst;
    bool again = true;
    for (int try = 0; again && try < MEND_TRIES; try++) {
        again = m->uncovered = false;
        worst = worse(worst, mend_along(m, path, &again));
    }
    if (!again)
        return worst;
    struct error e = ERROR_INIT;
    struct mend_event event = {.path = path, .kind = DIFFERENCE_UNREADABLE};
    error_set(&e, ERR_UNREADABLE, "its directory keeps being moved");
    return tell_failed(m, &event, &e);
}

/* ---- a tree ------------------------------------------------------------------------------- */

static bool lies_in(const char *path, const char *tree)
{
    size_t length = strlen(tree);
    return !length ||
           (strncmp(path, tree, length) == 0 && (path[length] == '/' || path[length] == '\0'));
}

/* The times of all directories that are fixed: names came and went in them. */
static void restore_times(struct mender *m, const char *path)
{
    CLEANUP_STR struct str folder = {0};
    for (uint32_t i = 0; i < manifest_count(m->manifest); i++) {
        struct manifest_entry entry;
        manifest_entry(m->manifest, i, &entry);
        if (!S_ISDIR(entry.mode))
            continue;
        str_clear(&folder);
        manifest_add_path(m->manifest, i, &folder);
        if (!lies_in(str_text(&folder), path) ||
            !keeps_times(policy_of_path(m->policies, str_text(&folder), true)))
            continue;
        CLEANUP_CLOSE int fd = open_below(m->rootfd, i ? folder.data : ".");
        if (fd >= 0)
            restore_dir_time(m, fd, i);
    }
}

enum mend_result mend_tree(struct mender *m, const char *path, unsigned threads, bool quick)
{
    enum mend_result worst = mend_path(m, path);
    struct verify_options options = {.policies = m->policies,
                                     .index = m->index,
                                     .quick = quick,
                                     .threads = threads,
                                     .progress = m->progress};
    CLEANUP(differences_cleanup) struct differences *found = NULL;
    struct error e = ERROR_INIT;
    if (!verify(&found, m->rootfd, m->manifest, &options, &e)) {
        struct mend_event event = {.path = path, .kind = DIFFERENCE_UNREADABLE};
        return tell_failed(m, &event, &e);
    }
    for (size_t i = 0; i < found->count; i++) {
        const struct difference *d = &found->items[i];
        if (d->kind == DIFFERENCE_MOVED && d->wrong && lies_in(d->from, path))
            worst = worse(worst, mend_path(m, d->from));
        if (d->wrong && !d->beneath && lies_in(d->path, path))
            worst = worse(worst, mend_path(m, d->path));
        if (d->kind == DIFFERENCE_UNREADABLE && lies_in(d->path, path)) {
            enum mend_result r = mend_path(m, d->path);
            worst = worse(worst, r);
            if (r == MEND_DONE || r == MEND_FAILED || d->error->sys_errno == ENOENT) /* it went */
                continue;
            struct mend_event event = {
                .path = d->path, .kind = d->kind, .policy = d->policy, .error = d->error};
            tell(m, &event);
            worst = MEND_FAILED;
        }
    }
    if (worst == MEND_DONE)
        restore_times(m, path);
    return worst;
}

bool mend_sync(struct mender *m, struct error *e)
{
    if (syncfs(m->rootfd) == 0)
        return true;
    error_set_errno(e, errno, "making the restored pages durable");
    return false;
}
