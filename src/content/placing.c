#include "content/placing.h"

#include "base/file.h"
#include "base/mem.h"
#include "content/xattrs.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/xattr.h>
#include <time.h>
#include <unistd.h>

/* Of evidence that lies on another file system than the aside folder, at most this much is
 * copied; the rest is cut. */
static const uint64_t most_copied = 64ULL * 1024 * 1024;

static struct timespec timespec_of(int64_t ns)
{
    return (struct timespec){ns / 1000000000, ns % 1000000000};
}

/* ---- attributes -------------------------------------------------------------------------- */

bool placing_set_times(int fd, const struct manifest_entry *entry)
{
    struct timespec times[2] = {{.tv_nsec = UTIME_OMIT}, timespec_of(entry->mtime_ns)};
    return futimens(fd, times) == 0;
}

/* In this order: a change of owner clears set-id bits and capabilities. An owner that cannot be
 * set (we are not root) is no reason to leave the page away: said, and the rest is done. */
bool placing_set_attributes(int fd, const struct manifest_entry *entry, struct error *e)
{
    struct stat st;
    bool good = fstat(fd, &st) == 0;
    if (good && (st.st_uid != entry->uid || st.st_gid != entry->gid))
        good = fchown(fd, entry->uid, entry->gid) == 0;
    if (!good)
        error_set_errno(e, errno, "setting the owner");
    if (fchmod(fd, entry->mode & 07777) != 0) {
        error_set_errno(e, errno, "setting the mode");
        good = false;
    }
    if (!xattrs_write_fd(fd, entry->xattrs, entry->xattrs_size, e))
        good = false;
    if (!placing_set_times(fd, entry)) {
        error_set_errno(e, errno, "setting the modification time");
        good = false;
    }
    return good;
}

/* What is made anew in a plain folder of ours has our owner and no attributes. */
static bool set_fresh_attributes(struct mender *m, int fd, const struct manifest_entry *entry,
                                 struct error *e)
{
    if (m->aside_kind != MEND_ASIDE_PLAIN || entry->xattrs_size || entry->uid != geteuid() ||
        entry->gid != getegid())
        return placing_set_attributes(fd, entry, e);
    if (fchmod(fd, entry->mode & 07777) == 0 && placing_set_times(fd, entry))
        return true;
    error_set_errno(e, errno, "setting the mode");
    return false;
}

/* Of what cannot be opened for writing: a link. */
bool placing_set_link_attributes(int dirfd, const char *name, const struct manifest_entry *entry,
                                 struct error *e)
{
    struct timespec times[2] = {{.tv_nsec = UTIME_OMIT}, timespec_of(entry->mtime_ns)};
    struct stat st;
    if (fstatat(dirfd, name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
        (st.st_uid == entry->uid && st.st_gid == entry->gid
             ? 0
             : fchownat(dirfd, name, entry->uid, entry->gid, AT_SYMLINK_NOFOLLOW)) == 0 &&
        utimensat(dirfd, name, times, AT_SYMLINK_NOFOLLOW) == 0)
        return true;
    error_set_errno(e, errno, "setting the attributes of the link");
    return false;
}

/* The flags by which somebody keeps a file from being changed (chattr +i, +a), off again. */
void placing_clear_flags(int dirfd, const char *name)
{
    CLEANUP_CLOSE int fd =
        openat(dirfd, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC | O_NOCTTY);
    int flags;
    if (fd < 0 || ioctl(fd, FS_IOC_GETFLAGS, &flags) != 0 ||
        !(flags & (FS_IMMUTABLE_FL | FS_APPEND_FL)))
        return;
    flags &= ~(FS_IMMUTABLE_FL | FS_APPEND_FL);
    ioctl(fd, FS_IOC_SETFLAGS, &flags);
}

int placing_rename(int from_dir, const char *from, int to_dir, const char *to, unsigned flags)
{
    if (renameat2(from_dir, from, to_dir, to, flags) == 0)
        return 0;
    if (errno != EPERM)
        return -1;
    placing_clear_flags(from_dir, from);
    placing_clear_flags(from_dir, ".");
    placing_clear_flags(to_dir, to);
    placing_clear_flags(to_dir, ".");
    return renameat2(from_dir, from, to_dir, to, flags);
}

/* ---- making ready ------------------------------------------------------------------------ */

static bool make_children(struct mender *m, const struct manifest_entry *dir, int fd,
                          struct error *partly, struct error *e)
{
    for (uint32_t i = 0; i < dir->child_count; i++) {
        struct manifest_entry child;
        char name[256];
        manifest_entry(m->manifest, dir->first_child + i, &child);
        snprintf(name, sizeof name, "%.*s", (int)child.name_length, child.name);
        if (!placing_make(m, dir->first_child + i, fd, name, partly, e))
            return false;
    }
    return true;
}

/* Owners and attributes that cannot be set do not keep a page away. */
bool placing_make(struct mender *m, uint32_t index, int dirfd, const char *name,
                  struct error *partly, struct error *e)
{
    struct manifest_entry entry;
    manifest_entry(m->manifest, index, &entry);
    if (S_ISLNK(entry.mode)) {
        CLEANUP_FREE char *target = mem_alloc(entry.target_size + 1);
        memcpy(target, entry.target, entry.target_size);
        if (symlinkat(target, dirfd, name) != 0) {
            error_set_errno(e, errno, "making the link anew");
            return false;
        }
        placing_set_link_attributes(dirfd, name, &entry, partly);
        return true;
    }
    bool is_dir = S_ISDIR(entry.mode);
    if (is_dir && mkdirat(dirfd, name, 0700) != 0) {
        error_set_errno(e, errno, "making the directory anew");
        return false;
    }
    int flags = is_dir ? O_RDONLY | O_DIRECTORY : O_RDWR | O_CREAT | O_EXCL;
    CLEANUP_CLOSE int fd = openat(dirfd, name, flags | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0) {
        error_set_errno(e, errno, "making the page anew");
        return false;
    }
    bool good = is_dir ? make_children(m, &entry, fd, partly, e)
                       : objects_get(m->objects, entry.sha256, fd, entry.size, e);
    if (good)
        set_fresh_attributes(m, fd, &entry, partly);
    return good;
}

/* ---- putting into place ------------------------------------------------------------------- */

/* Copies evidence from another file system, as far as it goes, and takes it away there. */
static bool carry_across(struct mender *m, int dirfd, const char *name, const char *bad,
                         struct error *e)
{
    CLEANUP_CLOSE int from =
        openat(dirfd, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC | O_NOCTTY);
    struct stat st;
    if (from < 0 || fstat(from, &st) != 0 || !S_ISREG(st.st_mode)) {
        error_set(e, ERR_UNSUPPORTED,
                  "it lies on another file system and is no file: take it away by hand");
        return false;
    }
    CLEANUP_CLOSE int to = openat(m->aside->fd, bad, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (to < 0) {
        error_set_errno(e, errno, "keeping the evidence");
        return false;
    }
    char buffer[65536];
    ssize_t n;
    for (uint64_t done = 0; done < most_copied && (n = read(from, buffer, sizeof buffer)) > 0;
         done += (uint64_t)n)
        if (write(to, buffer, (size_t)n) != n)
            break; /* a full disk keeps the beginning */
    if (unlinkat(dirfd, name, 0) != 0) {
        error_set_errno(e, errno, "taking it away");
        return false;
    }
    return true;
}

/* A name in `dirfd` becomes evidence; what is evidence already is never replaced (the clock may
 * have been set back). */
static bool keep_evidence(struct mender *m, int dirfd, const char *name, char kept[ASIDE_NAME_SIZE])
{
    for (int try = 0; try < MEND_TRIES; try++) {
        aside_bad_name(m->aside, kept);
        if (placing_rename(dirfd, name, m->aside->fd, kept, RENAME_NOREPLACE) == 0)
            return true;
        if (errno != EEXIST)
            break;
    }
    return false;
}

bool placing_move_aside(struct mender *m, int dirfd, const char *name, struct mend_event *event,
                        struct error *e)
{
    if (keep_evidence(m, dirfd, name, event->evidence))
        return true;
    if (errno == EXDEV && carry_across(m, dirfd, name, event->evidence, e))
        return true;
    if (errno != EXDEV)
        error_set_errno(e, errno, "moving it aside");
    event->evidence[0] = '\0';
    return false;
}

enum placed { NOT_PLACED, PLACED, EXCHANGED };

/* `ready` in `ready_dir` becomes `name`; what was there is `ready` then. */
static enum placed exchange(int ready_dir, const char *ready, int dirfd, const char *name,
                            struct error *e)
{
    for (int try = 0; try < MEND_TRIES; try++) {
        if (placing_rename(ready_dir, ready, dirfd, name, RENAME_EXCHANGE) == 0)
            return EXCHANGED;
        if (errno != ENOENT)
            break;
        if (placing_rename(ready_dir, ready, dirfd, name, RENAME_NOREPLACE) == 0)
            return PLACED;
        if (errno != EEXIST)
            break;
    }
    error_set_errno(e, errno, "putting the page into place");
    return NOT_PLACED;
}

/* Is this folder on another file system than the folder aside? What is made in that one gets
 * what its folder hands on, if it does (a set-group-id bit, a default access list). */
static bool lies_across(struct mender *m, int dirfd)
{
    struct stat st;
    if (m->aside_kind == MEND_ASIDE_UNKNOWN && fstat(m->aside->fd, &st) == 0) {
        m->aside_kind = st.st_mode & S_ISGID || flistxattr(m->aside->fd, NULL, 0) != 0
                            ? MEND_ASIDE_SPECIAL
                            : MEND_ASIDE_PLAIN;
        m->aside_dev = st.st_dev;
    }
    bool across = fstat(dirfd, &st) == 0 && st.st_dev != m->aside_dev;
    if (across)
        m->aside_kind = MEND_ASIDE_SPECIAL;
    return across;
}

/* What was made ready in the aside folder is put into place. Before that it gets the name of what
 * it is exchanged for: whenever we are killed, no evidence looks like something half-made. */
static bool exchange_aside(struct mender *m, const char *ready, int dirfd, const char *name,
                           struct mend_event *event, struct error *e)
{
    char bad[ASIDE_NAME_SIZE];
    int aside = m->aside->fd;
    if (!keep_evidence(m, aside, ready, bad)) {
        error_set_errno(e, errno, "putting the page into place");
        return false;
    }
    enum placed placed = exchange(aside, bad, dirfd, name, e);
    if (placed == NOT_PLACED)
        renameat(aside, bad, aside, ready);
    snprintf(event->evidence, sizeof event->evidence, "%s", placed == EXCHANGED ? bad : "");
    return placed != NOT_PLACED;
}

/* What was made ready in its own directory, on another file system than the aside folder's. */
static bool exchange_across(struct mender *m, const char *hidden, int dirfd, const char *name,
                            struct mend_event *event, struct error *e)
{
    enum placed placed = exchange(dirfd, hidden, dirfd, name, e);
    if (placed == EXCHANGED)
        aside_bad_name(m->aside, event->evidence);
    if (placed != EXCHANGED || !carry_across(m, dirfd, hidden, event->evidence, NULL))
        event->evidence[0] = '\0';
    return placed != NOT_PLACED;
}

/* A copy that was kept ready. False: there is none, or it cannot be placed: then one is made. */
static bool place_copy(struct mender *m, uint32_t index, int dirfd, const char *name,
                       struct mend_event *event)
{
    struct mend_ready copy;
    if (!m->take_ready || !m->take_ready(m->context, index, &copy))
        return false;
    enum placed placed = exchange(copy.dirfd, copy.name, dirfd, name, NULL);
    if (placed == NOT_PLACED)
        unlinkat(copy.dirfd, copy.name, 0);
    if (placed == EXCHANGED) {
        aside_bad_name_of(copy.number, (int64_t)time(NULL), event->evidence);
        memcpy(event->lies_as, copy.name, sizeof event->lies_as);
    }
    return placed != NOT_PLACED;
}

bool placing_replace(struct mender *m, uint32_t index, int dirfd, const char *name,
                     struct mend_event *event, struct error *partly, struct error *e)
{
    char ready[ASIDE_NAME_SIZE], hidden[ASIDE_NAME_SIZE + 16];
    bool across = lies_across(m, dirfd);
    if (!across && place_copy(m, index, dirfd, name, event))
        return true;
    aside_ready_name(m->aside, ready);
    snprintf(hidden, sizeof hidden, "%s%s", across ? ".yagura-" : "", ready);
    int ready_dir = across ? dirfd : m->aside->fd;
    if (placing_make(m, index, ready_dir, hidden, partly, e) &&
        (across ? exchange_across(m, hidden, dirfd, name, event, e)
                : exchange_aside(m, hidden, dirfd, name, event, e)))
        return true;
    file_remove_tree(ready_dir, hidden, NULL); /* half-made, and ours */
    return false;
}
