/* alive.h - a page of memory that the guard shares with its parent: how it fares.
 *
 * The guard counts a beat in every round of its loop, and its long works (learning a tree, a
 * sweep, a large page restored) count names, files and bytes: as long as any of the four moves,
 * it is alive. Nothing else is shared, and nothing is parsed. */
#ifndef YAGURA_GUARD_ALIVE_H
#define YAGURA_GUARD_ALIVE_H

#include "base/error.h"
#include "content/walk.h"

#include <stdatomic.h>
#include <stdint.h>

struct alive {
    atomic_bool ready; /* on guard: what happened before was looked at */
    atomic_uint_least64_t beats;
    struct walk_progress progress;
    atomic_uint_least32_t restarts; /* counted by the parent */
};

/* Zeroed memory that a forked child shares. */
struct alive *alive_new(struct error *e);
void alive_beat(struct alive *a);
uint64_t alive_sum(const struct alive *a); /* changes while it lives */

#endif
