/* respond_internal.h - what opening.c and respond.c share. */
#ifndef YAGURA_RESPOND_RESPOND_INTERNAL_H
#define YAGURA_RESPOND_RESPOND_INTERNAL_H

#include "respond/respond.h"

/* After an entry: the incident `id` as the ledger has it now. Whether it was verified stays. */
bool respond_read_again(struct response *r, const char *id, struct error *e);
/* options->first_sign, which is not to come. ERR_USAGE. */
bool respond_read_first_sign(const struct response *r, int64_t now, int64_t *out, struct error *e);

#endif
