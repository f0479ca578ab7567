/* evidence.h - what was put aside (aside.h), kept within bounds.
 *
 * When the folder aside of a site holds more than it may, what goes first is, each time the oldest:
 *   1. what is the same as the next thing that was found at the same path: an attacker in a loop;
 *   2. what something newer was found at the same path after, and what no burst lists any more.
 * The newest of each path is never taken away, even if the folder stays larger than it may be.
 * What is known of a thing (path, size, hash, who) stays in the state in any case. */
#ifndef YAGURA_CONTENT_EVIDENCE_H
#define YAGURA_CONTENT_EVIDENCE_H

#include "record/tampers.h"

/* `asidefd` is the folder aside of that site. */
bool evidence_prune(int asidefd, struct state *s, const char *site, uint64_t most_bytes,
                    bool dry_run, uint64_t *removed, uint64_t *freed_bytes, struct error *e);

#endif
