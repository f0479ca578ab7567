/* capture.h - a tree taken as it is: into a manifest being built, its content into objects.
 *
 * Used for the first baseline and for a tree that is published as a whole. What cannot be read,
 * and what is no file, folder or link (FIFOs, sockets, devices are not published), is left out
 * and named: a baseline with such a hole is said to have one. */
#ifndef YAGURA_CONTENT_CAPTURE_H
#define YAGURA_CONTENT_CAPTURE_H

#include "content/manifest_build.h"
#include "content/objects.h"
#include "content/policy.h"
#include "content/walk.h"

struct left_out {
    const char *path;
    struct error error;
};

struct capture {
    uint64_t entries, files, bytes;
    struct left_out *left_out; /* sorted by path; in the arena */
    size_t left_out_count;
    struct arena *arena;
};
void capture_free(struct capture *c);
void capture_cleanup(struct capture **c);

/* `objects` may be NULL: nothing is kept. False if the root cannot be listed, or the objects
 * cannot be written (a full disk): then nothing of the build is of use. */
bool capture_tree(struct capture **out, struct build *b, int rootfd,
                  const struct policies *policies, struct objects *objects, unsigned threads,
                  struct walk_progress *progress, struct error *e);

#endif
