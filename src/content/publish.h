/* publish.h - what differs is accepted, all or some of it, as the next generation.
 *
 * The new manifest is the old one with the accepted differences in it. What is not accepted
 * stays as it was published: it is still wrong afterwards, and the guard undoes it. The content
 * of what is accepted is kept first; a file that changed since it was looked at ends the
 * publication with the old generation in force (ERR_CORRUPT: look again). */
#ifndef YAGURA_CONTENT_PUBLISH_H
#define YAGURA_CONTENT_PUBLISH_H

#include "content/capture.h"
#include "content/site.h"
#include "content/verify.h"

/* Can it become part of a generation? Not what could not be read, and nothing but files, folders
 * and links: a FIFO, a socket or a device is never published. */
bool publish_can(const struct difference *d);

/* accept() is asked once for each difference that can be published; of what lies in an added
 * directory that is not accepted nothing is. `entry` goes into the ledger (generations.h). The site
 * then has the new generation open. *count: how many were accepted; with 0 nothing is written. */
bool publish_accept(struct state *s, struct objects *objects, struct site *site,
                    const struct differences *found,
                    bool (*accept)(void *context, const struct difference *d), void *context,
                    json_t *entry, size_t *count, struct error *e);

/* The first generation of a new site: all that is there. `taken` says what, and what could not
 * be. */
bool publish_first(struct state *s, struct objects *objects, struct site *site, json_t *entry,
                   struct walk_progress *progress, struct capture **taken, struct error *e);

#endif
