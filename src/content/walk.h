/* walk.h - the one way in which a tree on disk is looked at: in parallel, never through a
 * link, with the content hashed where it is asked for.
 *
 * Directories are listed by as many threads as asked for; the files of one directory are
 * hashed by whoever is free, in pieces of 64, so that neither a deep tree nor a folder with
 * 100,000 files leaves a core idle. For every directory the caller is asked twice, by some
 * thread:
 *
 *   listed()  the entries are there, sorted by the bytes of their names, with their stat; the
 *             caller says for each whether to hash it and whether to go down into it
 *   done()    everything asked for is there; the directory is forgotten when it returns
 *
 * Both may run in several threads at once, for different directories. A directory's done()
 * does not wait for those beneath it.
 *
 * A tree is written by others while we look. Each directory is opened from the root descriptor
 * with openat2 (beneath, no links, no magic links), each file by its name in that directory
 * without following links and without blocking, and only if it is still a regular file; a
 * FIFO, socket or device is never opened. A file whose size, mtime or ctime changed while it
 * was hashed is read again, three times at most, and is then `unstable`. Other file systems
 * mounted beneath the root are entered; `crosses` says so. */
#ifndef YAGURA_CONTENT_WALK_H
#define YAGURA_CONTENT_WALK_H

#include "base/error.h"
#include "base/mem.h"

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>

enum { SHA256_SIZE = 32 };

struct walk_entry {
    /* there at listed() */
    const char *name; /* terminated; bytes as they are on disk */
    size_t name_length;
    struct stat st;      /* of the name itself */
    const char *target;  /* of a link, terminated; else NULL */
    struct error *error; /* what could not be looked at; NULL if all could */
    /* the caller's, at listed() */
    bool hash;    /* regular files: hash the content; else read the attributes only */
    bool xattrs;  /* read the extended attributes */
    bool descend; /* directories: go down */
    uint32_t tag; /* of a directory: becomes the tag of its walk_dir */
    /* there at done() */
    bool hashed, unstable;
    uint8_t sha256[SHA256_SIZE];
    const uint8_t *xattr_bytes; /* as manifest.h has them; NULL if none */
    size_t xattr_size;
};

struct walk_dir {
    const char *path; /* beneath the root; "" for the root */
    int fd;           /* open until done() returns */
    uint32_t tag;     /* as given by the listed() of its parent; the root: as walk() was told */
    bool crosses;     /* another file system than its parent's */
    struct stat st;
    const uint8_t *xattr_bytes; /* of the root only, as nobody lists it */
    size_t xattr_size;
    struct walk_entry *entries;
    size_t count;
    struct error *error; /* it could not be listed, or not to its end; NULL if it could */
    struct arena *arena; /* lives until done() returns */
    void *user;
};

/* Read it from any thread (relaxed atomics). */
struct walk_progress {
    uint64_t files, bytes; /* hashed so far */
    uint64_t names;        /* looked at: moves where there is nothing to hash */
};

struct walk_options {
    unsigned threads; /* 0: one a core */
    uint32_t root_tag;
    void (*listed)(void *context, struct walk_dir *dir);
    void (*done)(void *context, struct walk_dir *dir);
    /* May be NULL. A file was hashed, and is still open as `fd`: to keep what was hashed. False
     * with an error makes it an entry that could not be looked at. */
    bool (*hashed)(void *context, const struct walk_entry *entry, int fd, struct error *e);
    void *context;
    struct walk_progress *progress; /* may be NULL */
    const atomic_bool *stop;        /* may be NULL; once true, the walk ends early */
};

/* Once, before OpenSSL is used: no memory for it ends the program (mem.h), as OpenSSL 3.0 goes on
 * with NULL pointers. */
void walk_begin(void);

/* False only if the root itself cannot be listed; what fails beneath is said in its entry. */
bool walk(int rootfd, const struct walk_options *options, struct error *e);

/* One name, of which the caller knows the stat (or NULL), looked at as the walk does: stat, and
 * what `hash` and `xattrs` ask for. The entry borrows from the arena. False if the name is not
 * there (ERR_ABSENT) or cannot be looked at. */
bool walk_one(struct walk_entry *out, int dirfd, const char *name, const struct stat *known,
              bool hash, bool xattrs, struct arena *arena, struct error *e);

/* SHA-256 of all that the file `fd` has. */
bool walk_hash_fd(uint8_t out[SHA256_SIZE], int fd, uint64_t *size, struct error *e);

#endif
