/* verify.h - a site on disk compared with what was published.
 *
 * Kinds of difference: a name that was not published (added), one that is missing (removed),
 * one with other content or attributes (changed), one that is now something else (type: a link
 * where a file was), the same content under another name (moved), and what could not be looked
 * at (unreadable), which is never clean. Every path has its own difference; `beneath` says that
 * its directory has the same one, for views that want to be short.
 *
 * The modification time of a directory is not compared: it says only that a name came or
 * went, and that is seen by itself. Content is compared by SHA-256; with a stat index, files
 * that it trusts are not read. */
#ifndef YAGURA_CONTENT_VERIFY_H
#define YAGURA_CONTENT_VERIFY_H

#include "base/error.h"
#include "base/mem.h"
#include "content/manifest.h"
#include "content/policy.h"
#include "content/stat_index.h"
#include "content/walk.h"

enum difference_kind {
    DIFFERENCE_ADDED,
    DIFFERENCE_REMOVED,
    DIFFERENCE_CHANGED,
    DIFFERENCE_TYPE,
    DIFFERENCE_MOVED,
    DIFFERENCE_UNREADABLE
};
enum { DIFFERENCE_KINDS = DIFFERENCE_UNREADABLE + 1 };
const char *difference_kind_name(enum difference_kind kind);

/* What differs of a changed entry, as a set. */
enum difference_what {
    WHAT_CONTENT = 1,
    WHAT_SIZE = 2,
    WHAT_MODE = 4,
    WHAT_OWNER = 8,
    WHAT_GROUP = 16,
    WHAT_MTIME = 32,
    WHAT_TARGET = 64,
    WHAT_XATTRS = 128
};
enum { WHAT_COUNT = 8 };
const char *difference_what_name(enum difference_what one);

struct difference {
    enum difference_kind kind;
    enum policy policy;
    bool wrong;         /* against the policy: to be undone. Not: to be told only */
    const char *reason; /* of an upload that is not let in: why (a msgid); else NULL */
    bool beneath;       /* its directory was added or removed as well */
    const char *path;   /* beneath the document root */
    const char *from;   /* of a moved one: where it was; else NULL */
    uint32_t index;     /* in the manifest (of `from`, if moved); MANIFEST_NONE if added */
    unsigned what;      /* of a changed one */
    mode_t was_mode;    /* as published; 0 if it was not */
    struct stat now;    /* of what is there now; zeros if removed */
    uint8_t now_sha256[SHA256_SIZE]; /* of regular files that were read; else zeros */
    bool now_hashed;
    const char *now_target; /* of links */
    const uint8_t *now_xattrs;
    size_t now_xattrs_size;
    const struct error *error; /* of an unreadable one */
};

struct differences {
    struct difference *items; /* sorted by path */
    size_t count;
    size_t of_kind[DIFFERENCE_KINDS];
    size_t wrong;          /* how many are to be undone */
    uint64_t files, bytes; /* compared in all; bytes: those that were read */
    struct arena *arena;
};
void differences_free(struct differences *d);
void differences_cleanup(struct differences **d);

struct verify_options {
    const struct policies *policies; /* NULL: all is fixed */
    struct stat_index *index;        /* NULL: none. What proves to be as published is noted */
    bool quick;                      /* do not read what the index trusts */
    unsigned threads;                /* 0: one a core */
    struct walk_progress *progress;  /* may be NULL */
    const atomic_bool *stop;         /* may be NULL */
};

/* False only if the document root cannot be looked at. */
bool verify(struct differences **out, int rootfd, const struct manifest *m,
            const struct verify_options *options, struct error *e);

/* What differs between an entry and what was seen, as a set of difference_what; the types are
 * the same. Of what was not hashed, content is not compared. */
unsigned verify_compare(const struct manifest_entry *was, const struct walk_entry *is);

/* Is what is there now against the policy? `was` is NULL if it was not published as this type;
 * `what` is what differs. Reads the file in `dirfd` where the policy asks for it: an upload for
 * programs (*reason then says which, else it is NULL), a growing file for its beginning. */
bool verify_against_policy(int dirfd, const struct walk_entry *is, const struct manifest_entry *was,
                           enum policy policy, unsigned what, const char **reason);

#endif
