/* scan_walk.h - the files beneath a path, opened one after the other, for patterns to be looked
 * for.
 *
 * Only regular files are opened, and without a change of their access time where we may. Links
 * beneath the path are not followed, so that a walk ends; the path itself may be one. FIFOs,
 * sockets and devices are never opened. Left out, and counted: file systems that are the kernel's
 * own view of itself (proc, sysfs ...), and the folders that the caller names. No name makes a
 * folder ours: whoever was root here can choose any, with any owner and mode.
 *
 * Memory does not grow with the number of files; at most 256 folders are open, as deep as that
 * it goes. */
#ifndef YAGURA_COLLECT_SCAN_WALK_H
#define YAGURA_COLLECT_SCAN_WALK_H

#include "target/target.h"

#include <sys/stat.h>

struct scan_folder {
    dev_t dev;
    ino_t ino;
};

struct scan_walk {
    /* Takes the descriptor. */
    void (*file)(void *context, int fd, const char *path, const struct stat *st);
    void (*note)(void *context, const char *path, const char *sentence);
    void *context;
    const struct scan_folder *left_out; /* what is put aside already */
    size_t left_out_count;
    int64_t until_ms; /* of monotonic_ms(): then no further file is opened; 0: no end */
    bool late;        /* that came */
    /* counted: */
    uint64_t links, others, kernel, aside;
    bool absent; /* a path that was named is not there */
};

/* Of a live host or a root. */
void scan_walk_path(struct scan_walk *w, int rootfd, const char *path);
/* Of an image: files come as copies in memory, of at most 64 MiB each; path "" is all volumes. */
void scan_walk_image(struct scan_walk *w, struct target *target, const char *path);

#endif
