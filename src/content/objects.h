/* objects.h - the content of every published page, kept under its SHA-256.
 *
 *   DIR/objects/ab/cdef...      as it is (where zstd gains less than an eighth, or nothing)
 *   DIR/objects/ab/cdef....zst  one zstd frame with content size and checksum
 *
 * The same content is kept once. An object appears under its name whole or not at all
 * (temporary, then link without replacing), and is durable once objects_sync() has returned:
 * a generation is only entered after that. Reading an object checks its hash: what comes back
 * is what was published, or ERR_CORRUPT. */
#ifndef YAGURA_CONTENT_OBJECTS_H
#define YAGURA_CONTENT_OBJECTS_H

#include "base/error.h"
#include "content/walk.h"

#include <stddef.h>
#include <stdint.h>

struct objects;

/* Opens DIR/objects, making it (0700) if need be. Any number of threads may use it. */
bool objects_open(struct objects **out, int state_dirfd, struct error *e);
void objects_free(struct objects *o);
void objects_cleanup(struct objects **o);

/* Bytes read or written are counted there from now on; NULL: nowhere. */
void objects_count_in(struct objects *o, struct walk_progress *progress);

bool objects_has(struct objects *o, const uint8_t sha256[32]);

/* Keeps what `fd` has from its start, `size` bytes. The content must have this hash, else
 * nothing is kept and the answer is ERR_CORRUPT: the file changed under our hands. */
bool objects_put(struct objects *o, int fd, uint64_t size, const uint8_t sha256[32],
                 struct error *e);

/* Writes the object to `fd` at its present offset, by reflink or copy where it lies as it is.
 * ERR_ABSENT if it is not kept, ERR_CORRUPT if it is damaged: then `fd` must not be used. */
bool objects_get(struct objects *o, const uint8_t sha256[32], int fd, uint64_t size,
                 struct error *e);
/* Into a malloc block; ERR_LIMIT over `most`. */
bool objects_get_bytes(struct objects *o, const uint8_t sha256[32], size_t most, char **out,
                       size_t *size, struct error *e);

/* Held while objects are put that no manifest names yet; by any number of processes at once. */
void objects_hold(struct objects *o);
/* Held by the one that removes: from before it looks which objects the manifests name, to the end
 * of objects_sweep(). Waits until nobody holds them, and nobody can until objects_let_go(). */
void objects_hold_alone(struct objects *o);
void objects_let_go(struct objects *o);

/* Everything put so far is on the disk when this returns. */
bool objects_sync(struct objects *o, struct error *e);

/* Removes every object for which keep() says no, and what was left half-made. Held alone. */
bool objects_sweep(struct objects *o, bool (*keep)(void *context, const uint8_t sha256[32]),
                   void *context, uint64_t *removed, uint64_t *freed_bytes, struct error *e);

#endif
