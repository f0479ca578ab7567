/* spares.h - good copies of the smallest pages, kept ready beside the document root, so that
 * undoing a change is one rename.
 *
 *   ASIDE/spare/N-HASH      a page as it was published, attributes included; N is its number
 *                           among all names of the folder aside, HASH the first 104 bits of its
 *                           SHA-256 in hexadecimal
 *
 * A thread of its own makes them, entry pages (index.*) first and then the smaller before the
 * larger, as long as they fit: `most_bytes` on the disk and a tenth of what is free there when
 * it begins. No copy is made of what is larger than SPARE_LARGEST, of what policy does not put
 * back, or of what cannot be given all its attributes.
 *
 * The restorer takes one (spares_take()) and exchanges it for the bad page, which then lies
 * under the copy's name. Giving it the name of evidence is left to the thread, when the burst
 * pauses: a rename costs as much as all the rest. If we are killed before that, the next start
 * tells evidence from copy by HASH and gives it the name that was reported, from N and the time
 * of the exchange (its ctime). After a pause the thread makes the copies anew. */
#ifndef YAGURA_GUARD_SPARES_H
#define YAGURA_GUARD_SPARES_H

#include "content/mend.h"
#include "guard/alive.h"

enum { SPARE_LARGEST = 1 << 20, SPARES_MOST = 100000 };

struct spares;

/* Everything is borrowed and must live until spares_stop(). `alive` (or NULL) gets a beat for each
 * name that its end has to do with: they may be very many. */
bool spares_start(struct spares **out, const struct manifest *manifest,
                  const struct policies *policies, struct objects *objects, struct aside *aside,
                  uint64_t most_bytes, struct alive *alive, struct error *e);

/* Ends the thread; what lies under a copy's name gets its own. The copies are removed, now
 * (`clear`) or by the thread that is started next. */
void spares_stop(struct spares *s, bool clear);

/* The folder was deleted, and the copies with it: only a new start makes them anew. */
bool spares_lost(const struct spares *s);

/* The folder ASIDE/spare, open. */
int spares_dir(const struct spares *s);

/* A copy of this entry, for one exchange; false: none is ready. One thread may ask. */
bool spares_take(struct spares *s, uint32_t index, struct mend_ready *out);

/* The exchange was made: what lies under the copy's name is this piece of evidence. */
void spares_note_evidence(struct spares *s, const char *name, const char *evidence);

/* How many are ready, and how many there are to be. */
void spares_count(struct spares *s, uint64_t *ready, uint64_t *wanted);

#endif
