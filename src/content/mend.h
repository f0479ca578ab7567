/* mend.h - one path of a site put back as it was published.
 *
 * The one restorer of the program: the live guard, `restore`, and the runbook call it. It looks
 * at a path, decides by the manifest and the policies, and acts:
 *
 *   not published        moved aside, as a whole (what policy allows stays)
 *   missing              made ready aside, renamed into place
 *   other content, type  made ready aside, exchanged (RENAME_EXCHANGE): a visitor gets the old
 *                        or the new page and never a half; what was there is kept as evidence,
 *                        unread: its size costs nothing
 *   other attributes     set on the open file
 *
 * Nothing is reached by name twice: each directory is opened in the one above it, without
 * links, and everything is decided and done on these descriptors. When a directory was moved
 * away or exchanged meanwhile, the path no longer leads to the descriptor: then it is looked at
 * again from the root, at most MEND_TRIES times.
 *
 * With find_dir() a directory is known by identity, not only by name: one that was moved away or
 * exchanged is fetched back by renaming, whatever it holds, and a stranger of the same name goes
 * aside as a whole.
 *
 * What is mounted over a wrong name is unmounted (lazily), and what lies below is looked at.
 *
 * Directories keep their published modification time after a mend. Nothing is synced here:
 * mend_sync() makes durable what was done, after the pages are back. */
#ifndef YAGURA_CONTENT_MEND_H
#define YAGURA_CONTENT_MEND_H

#include "content/aside.h"
#include "content/manifest.h"
#include "content/objects.h"
#include "content/policy.h"
#include "content/stat_index.h"
#include "content/verify.h"

enum { MEND_TRIES = 16 };

/* What was done to one name. */
struct mend_event {
    const char *path;          /* beneath the document root */
    enum difference_kind kind; /* what was wrong: added, removed, changed, type */
    unsigned what;             /* of a changed one: difference_what */
    enum policy policy;
    bool undone;               /* false: policy allows it, or it failed */
    const struct error *error; /* NULL if nothing failed; beside `undone`: the page is back,
                                * but not with all of its attributes */
    const char *reason;        /* of an upload that was not let in (a msgid), or NULL */
    int dirfd;                 /* where it is, open, and its name there */
    const char *name;
    char evidence[ASIDE_NAME_SIZE]; /* name in the aside folder; "" if nothing was put there */
    char lies_as[ASIDE_NAME_SIZE];  /* not there yet: the name of the copy that was taken */
    struct stat bad;                /* of what was put aside, or whose attributes were wrong */
};

/* A copy of an entry that was made ready before: a name in an open folder on the file system of
 * the folder aside. */
struct mend_ready {
    int dirfd;
    char name[ASIDE_NAME_SIZE];
    uint64_t number; /* among all names of the folder aside: evidence gets it */
};

struct mender {
    int rootfd;
    const struct manifest *manifest;
    const struct policies *policies;
    struct objects *objects;
    struct aside *aside;
    struct stat_index *index;       /* NULL: read everything */
    bool dry_run;                   /* say what would be done */
    struct walk_progress *progress; /* of mend_tree(); may be NULL */
    /* The published directory `index`, open, wherever it is now; *fd -1: it is no more. False:
     * its identity is not known, any directory of its name is taken for it. May be NULL. */
    bool (*find_dir)(void *context, uint32_t index, int *fd);
    /* Is this name on the way to `path` to be left alone for now? MEND_LEFT then. May be NULL. */
    bool (*waits)(void *context, const char *name, const char *path);
    /* Gives a copy of the entry away, for one exchange; what was exchanged for it then lies under
     * its name (event.lies_as), and gets that of event.evidence from the callee. May be NULL. */
    bool (*take_ready)(void *context, uint32_t index, struct mend_ready *out);
    void (*event)(void *context, const struct mend_event *event);
    void *context;
    bool keeps_folder; /* see mend_settle() */
    /* the mender's own */
    bool uncovered; /* a mount was taken away in this round */
    struct {
        bool known, changed;
        int fd;
        uint32_t index;
        enum policy policy;
        char path[4096];
    } folder;
    enum { MEND_ASIDE_UNKNOWN, MEND_ASIDE_PLAIN, MEND_ASIDE_SPECIAL } aside_kind;
    dev_t aside_dev;
};

enum mend_result { MEND_RIGHT, MEND_DONE, MEND_LEFT, MEND_FAILED };

/* Looks at `path` ("" is the root itself, whose attributes alone are looked at), at the
 * directories above it, and, where a directory has to be made anew, at all that belongs in it;
 * not at what lies in a directory that is in its place: see mend_tree(). MEND_LEFT: something
 * is there that policy allows. */
enum mend_result mend_path(struct mender *m, const char *path);

/* The path and all that lies beneath it, found by comparing (verify.h) with `threads`. */
enum mend_result mend_tree(struct mender *m, const char *path, unsigned threads, bool quick);

/* A mender that keeps_folder keeps the published folder of the last path open, proved to be the
 * right one, for the next path in it, and sets that folder's time only once: here, where it is
 * closed. To be called before waiting, and before the mender goes. */
void mend_settle(struct mender *m);

bool mend_sync(struct mender *m, struct error *e);

#endif
