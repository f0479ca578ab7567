/* watch.h - what the kernel says of changes on a file system: fanotify, by one mark on the whole
 * file system and not on a mount, so that a change made through another mount or in another
 * mount namespace (a container) is seen, and no folder needs a watch of its own.
 *
 * Read from the group: FAN_CLASS_NOTIF with FAN_REPORT_DFID_NAME_TARGET (Linux 5.17): every
 * event names the directory (by handle) and the name in it, and the thing itself (by handle).
 * Nobody waits for us: these are notifications. The queue is as long as memory allows, or bounded
 * by fs.fanotify.max_queued_events; what does not fit the kernel drops, and says so
 * (WATCH_LOST).
 *
 * A name of which several events had been read when it was told is told once: whoever is told
 * looks at it then, so what happens after is told again. Events of this very process are told as
 * such: what the restorer does comes back as well. */
#ifndef YAGURA_GUARD_WATCH_H
#define YAGURA_GUARD_WATCH_H

#include "base/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

enum watch_kind {
    WATCH_NAME, /* something happened to `name` in the directory `dir` */
    WATCH_LOST  /* events were lost: look at everything */
};

struct watch_event {
    enum watch_kind kind;
    uint64_t dir;     /* key of the directory: see watch_learn_dir() */
    const char *name; /* "." for the directory itself */
    uint64_t thing;   /* hash of the handle of what it is; 0 if not told */
    uint64_t mask;    /* FAN_* */
    pid_t pid;        /* 0: not told */
    bool is_dir;
};

struct watch;

/* Needs CAP_SYS_ADMIN. ERR_UNSUPPORTED where the kernel or the file system cannot. */
bool watch_open(struct watch **out, bool bounded, struct error *e);

/* The lesser eye, for who is not root: inotify, a watch a folder (watch_learn_dir()). It does not
 * name the process, nor the thing (a write through a hard link from elsewhere is not seen), nor
 * what comes through another mount point; folders made quickly one in another can slip through
 * until they are learnt. The sweeps find all that, later. */
bool watch_open_unprivileged(struct watch **out, struct error *e);
bool watch_is_unprivileged(const struct watch *w);

/* The key by which events will name this open directory. With inotify it is watched from now
 * on; ERR_LIMIT when the user's watches are used up (fs.inotify.max_user_watches). */
bool watch_learn_dir(struct watch *w, uint64_t fsid, int dirfd, uint64_t *key, struct error *e);
void watch_close(struct watch *w);
void watch_cleanup(struct watch **w);

/* Marks the file system of this descriptor; again for each further one. */
bool watch_add(struct watch *w, int fd, struct error *e);

/* What happens to names in this folder is of no interest (Linux 6.0; without it, it only costs). */
void watch_ignore(struct watch *w, int fd);

int watch_fd(const struct watch *w); /* readable: there are events */

/* Reads what there is and calls `event` for each, at most for some thousands: then
 * watch_has_more(). False only if reading itself failed. */
bool watch_has_more(const struct watch *w);
bool watch_read(struct watch *w, void (*event)(void *context, const struct watch_event *event),
                void *context, struct error *e);

#endif
