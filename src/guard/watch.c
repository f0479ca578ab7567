#include "guard/watch.h"

#include "base/mem.h"
#include "base/str.h"
#include "guard/handles.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/fanotify.h>
#include <sys/inotify.h>
#include <unistd.h>

/* Debian 12's headers have all of these; the kernel may not. */
static const unsigned group_flags = FAN_CLASS_NOTIF | FAN_CLOEXEC | FAN_NONBLOCK |
                                    FAN_UNLIMITED_QUEUE | FAN_UNLIMITED_MARKS |
                                    FAN_REPORT_DFID_NAME_TARGET;
/* Without the _SELF events: that a thing went or moved its folder's event tells, with its handle.
 */
static const uint64_t asked = FAN_MODIFY | FAN_CLOSE_WRITE | FAN_ATTRIB | FAN_CREATE | FAN_DELETE |
                              FAN_MOVED_FROM | FAN_MOVED_TO | FAN_ONDIR;

/* A long queue is slow to add to: the kernel looks for an event to merge with, in chains of up to
 * 128 (fs/notify/fanotify), and those who write in the site and we ourselves wait for that. So it
 * is taken over here every PULL events, up to MOST_CHUNKS buffers. */
enum { BUFFER = 64 * 1024, SEEN = 4096, PULL = 16, MOST_CHUNKS = 1024, MOST_EVENTS = 2048 };

struct chunk {
    struct chunk *next;
    uint64_t number; /* chunks are counted as they are taken over */
    size_t size, used;
    char bytes[] __attribute__((aligned(16)));
};

static const uint32_t inotify_asked = IN_MODIFY | IN_CLOSE_WRITE | IN_ATTRIB | IN_CREATE |
                                      IN_DELETE | IN_DELETE_SELF | IN_MOVED_FROM | IN_MOVED_TO |
                                      IN_MOVE_SELF | IN_ONLYDIR | IN_DONT_FOLLOW;

struct watch {
    int fd;
    bool inotify;
    struct chunk *first, *last; /* read, and not told yet */
    size_t chunks;
    uint64_t taken; /* the number of the last chunk */
    char *buffer;
    /* What was told, and the chunk that was the last one then; only saves work. */
    struct {
        uint64_t hash, until;
    } seen[SEEN];
};

bool watch_open(struct watch **out, bool bounded, struct error *e)
{
    unsigned flags = bounded ? group_flags & ~(unsigned)FAN_UNLIMITED_QUEUE : group_flags;
    int fd = fanotify_init(flags, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        if (errno == EINVAL || errno == ENOSYS)
            error_set(e, ERR_UNSUPPORTED,
                      "this kernel has no fanotify that names what changed "
                      "(Linux 5.17 has)");
        else
            error_set_errno(e, errno, "asking the kernel for changes (fanotify)");
        return false;
    }
    struct watch *w = mem_alloc(sizeof *w);
    w->fd = fd;
    w->buffer = mem_alloc(BUFFER);
    *out = w;
    return true;
}

void watch_close(struct watch *w)
{
    if (!w)
        return;
    close(w->fd);
    for (struct chunk *next; w->first; w->first = next) {
        next = w->first->next;
        free(w->first);
    }
    free(w->buffer);
    free(w);
}

void watch_cleanup(struct watch **w)
{
    watch_close(*w);
}

bool watch_open_unprivileged(struct watch **out, struct error *e)
{
    int fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
    if (fd < 0) {
        error_set_errno(e, errno, "asking the kernel for changes (inotify)");
        return false;
    }
    struct watch *w = mem_alloc(sizeof *w);
    w->fd = fd;
    w->inotify = true;
    w->buffer = mem_alloc(BUFFER);
    *out = w;
    return true;
}

bool watch_is_unprivileged(const struct watch *w)
{
    return w->inotify;
}

/* inotify names a folder by the number of its watch. */
static uint64_t key_of_number(int number)
{
    return handle_hash(0, 0, &number, sizeof number);
}

bool watch_learn_dir(struct watch *w, uint64_t fsid, int dirfd, uint64_t *key, struct error *e)
{
    if (!w->inotify)
        return handle_of(key, fsid, dirfd, "", e);
    char path[64];
    snprintf(path, sizeof path, "/proc/self/fd/%d/.", dirfd);
    int number = inotify_add_watch(w->fd, path, inotify_asked);
    if (number < 0) {
        int code = errno;
        error_set_errno(e, code, "watching a folder");
        if (e && code == ENOSPC)
            e->code = ERR_LIMIT;
        return false;
    }
    *key = key_of_number(number);
    return true;
}

bool watch_add(struct watch *w, int fd, struct error *e)
{
    if (w->inotify)
        return true;
    if (fanotify_mark(w->fd, FAN_MARK_ADD | FAN_MARK_FILESYSTEM, asked, fd, NULL) == 0)
        return true;
    if (errno == ENODEV || errno == EXDEV || errno == EOPNOTSUPP)
        error_set(e, ERR_UNSUPPORTED,
                  "this file system does not tell its changes by handle (an overlay does if it is "
                  "mounted with index=on,nfs_export=on)");
    else
        error_set_errno(e, errno, "marking the file system");
    return false;
}

void watch_ignore(struct watch *w, int fd)
{
#ifdef FAN_MARK_IGNORE_SURV
    if (!w->inotify)
        fanotify_mark(w->fd, FAN_MARK_ADD | FAN_MARK_IGNORE_SURV, asked | FAN_EVENT_ON_CHILD, fd,
                      NULL);
#endif
}

int watch_fd(const struct watch *w)
{
    return w->fd;
}

/* One record of an event: its directory and name, or the thing itself. */
static bool read_record(const struct fanotify_event_info_header *head, struct watch_event *event)
{
    const struct fanotify_event_info_fid *info = (const void *)head;
    const struct file_handle *handle = (const void *)info->handle;
    uint64_t fsid;
    if (head->len < sizeof *info + sizeof *handle ||
        handle->handle_bytes > head->len - sizeof *info - sizeof *handle)
        return false;
    memcpy(&fsid, &info->fsid, sizeof fsid);
    uint64_t hash = handle_hash(fsid, handle->handle_type, handle->f_handle, handle->handle_bytes);
    if (head->info_type == FAN_EVENT_INFO_TYPE_FID) {
        event->thing = hash;
        return true;
    }
    if (head->info_type != FAN_EVENT_INFO_TYPE_DFID_NAME &&
        head->info_type != FAN_EVENT_INFO_TYPE_DFID)
        return true;
    event->dir = hash;
    const char *name = (const char *)handle->f_handle + handle->handle_bytes;
    const char *end = (const char *)head + head->len;
    event->name = head->info_type == FAN_EVENT_INFO_TYPE_DFID || name >= end ||
                          !memchr(name, 0, (size_t)(end - name))
                      ? "."
                      : name;
    return true;
}

/* What was taken over before that had happened before it: who was told then has looked since. What
 * was taken over later may have happened after the look. */
static bool told_before(struct watch *w, const struct watch_event *event)
{
    uint64_t came = (event->mask & (FAN_CREATE | FAN_MOVED_TO)) != 0;
    uint64_t hash = handle_hash(event->dir ^ event->thing * 3 ^ came << 63, (int)event->pid,
                                event->name, strlen(event->name));
    size_t slot = hash % SEEN;
    if (w->seen[slot].hash == hash && w->first->number <= w->seen[slot].until)
        return true;
    w->seen[slot].hash = hash;
    w->seen[slot].until = w->taken;
    return false;
}

/* The kernel lays events at multiples of 4, where a 64-bit mask may not be read in place. */
static void read_event(struct watch *w, const char *at,
                       void (*tell)(void *context, const struct watch_event *event), void *context)
{
    struct fanotify_event_metadata meta;
    memcpy(&meta, at, sizeof meta);
    struct watch_event event = {.kind = WATCH_NAME,
                                .name = ".",
                                .mask = meta.mask,
                                .pid = meta.pid,
                                .is_dir = (meta.mask & FAN_ONDIR) != 0};
    if (meta.mask & FAN_Q_OVERFLOW) {
        event.kind = WATCH_LOST;
        tell(context, &event);
        return;
    }
    for (uint32_t used = meta.metadata_len;
         used + sizeof(struct fanotify_event_info_header) <= meta.event_len;) {
        const struct fanotify_event_info_header *head = (const void *)(at + used);
        if (head->len < sizeof *head || head->len > meta.event_len - used ||
            !read_record(head, &event))
            break;
        used += head->len;
    }
    if ((event.dir || event.thing) && !told_before(w, &event))
        tell(context, &event);
}

static void read_inotify(struct watch *w, const struct inotify_event *at,
                         void (*tell)(void *context, const struct watch_event *event),
                         void *context)
{
    struct watch_event event = {.kind = at->mask & IN_Q_OVERFLOW ? WATCH_LOST : WATCH_NAME,
                                .dir = key_of_number(at->wd),
                                .name = at->len ? at->name : ".",
                                .mask = at->mask, /* the same numbers as FAN_* */
                                .is_dir = (at->mask & IN_ISDIR) != 0};
    if (at->mask & IN_IGNORED) /* the folder is gone; its parent's event said so */
        return;
    if (event.kind == WATCH_LOST || !told_before(w, &event))
        tell(context, &event);
}

/* Takes over what the kernel has, as far as there is room. */
static bool pull(struct watch *w, struct error *e)
{
    while (w->chunks < MOST_CHUNKS) {
        ssize_t size = read(w->fd, w->buffer, BUFFER);
        if (size < 0) {
            if (errno == EAGAIN || errno == EINTR)
                return true;
            error_set_errno(e, errno, "reading what changed");
            return false;
        }
        struct chunk *chunk = mem_alloc(sizeof *chunk + (size_t)size);
        chunk->size = (size_t)size;
        chunk->number = ++w->taken;
        memcpy(chunk->bytes, w->buffer, chunk->size);
        if (w->last)
            w->last->next = chunk;
        else
            w->first = chunk;
        w->last = chunk;
        w->chunks++;
        if (chunk->size < BUFFER / 2)
            return true;
    }
    return true;
}

bool watch_has_more(const struct watch *w)
{
    return w->first != NULL;
}

static void drop_first(struct watch *w)
{
    struct chunk *chunk = w->first;
    w->first = chunk->next;
    if (!w->first)
        w->last = NULL;
    w->chunks--;
    free(chunk);
}

/* The size of the event that comes next, or 0 with an error. */
static size_t next_event(const struct watch *w, const struct chunk *chunk, struct error *e)
{
    size_t left = chunk->size - chunk->used;
    const char *at = chunk->bytes + chunk->used;
    if (w->inotify)
        return sizeof(struct inotify_event) + ((const struct inotify_event *)(const void *)at)->len;
    struct fanotify_event_metadata meta = {0};
    memcpy(&meta, at, left < sizeof meta ? left : sizeof meta);
    if (FAN_EVENT_OK(&meta, (long)left) && meta.vers == FANOTIFY_METADATA_VERSION)
        return meta.event_len;
    error_set(e, ERR_UNSUPPORTED, "the kernel tells changes in another format");
    return 0;
}

bool watch_read(struct watch *w, void (*tell)(void *context, const struct watch_event *event),
                void *context, struct error *e)
{
    for (unsigned count = 0; count < MOST_EVENTS; count++) {
        if (count % PULL == 0 && !pull(w, e))
            return false;
        struct chunk *chunk = w->first;
        if (!chunk)
            return true;
        size_t size = next_event(w, chunk, e);
        if (!size)
            return false;
        const char *at = chunk->bytes + chunk->used;
        if (w->inotify)
            read_inotify(w, (const void *)at, tell, context);
        else
            read_event(w, at, tell, context);
        chunk->used += size;
        if (chunk->used >= chunk->size)
            drop_first(w);
    }
    return true;
}
