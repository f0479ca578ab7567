/* put_back.h - an older generation that was put back becomes the published one. */
#ifndef YAGURA_CONTENT_PUT_BACK_H
#define YAGURA_CONTENT_PUT_BACK_H

#include "content/site.h"

/* Publishes, of what differs from the accepted generation, that which was asked for (`asked` NULL:
 * all) and is as in `older`: what another hand changed meanwhile, or elsewhere, is not let in.
 * `entry` goes into the ledger. Nothing is done where `older` is the accepted one. */
bool put_back_accept(struct state *s, struct objects *objects, struct site *site,
                     const struct generation *older, bool (*asked)(void *context, const char *path),
                     void *context, json_t *entry, struct error *e);

#endif
