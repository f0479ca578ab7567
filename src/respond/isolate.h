/* isolate.h - what the files of isolation and of reconnection share. */
#ifndef YAGURA_RESPOND_ISOLATE_H
#define YAGURA_RESPOND_ISOLATE_H

#include "act/operator.h"
#include "respond/respond.h"

/* Cuts off again at once and for good (firewall_again()), with the evidence in the order of the
 * first time. `mode`: "web", "contain", "full". The one who calls is let in besides, if he came
 * over the network. */
bool isolate_again(struct response *r, const json_t *proved, const char *mode, json_t *result,
                   struct error *e);

/* The ways that were proved in this incident, as the ledger has them of its last opening
 * (firewall_proved()); NULL: none. A new reference. */
json_t *isolate_proved(const struct incident *i);

/* Who does it, told in result["operator"]. */
bool isolate_find_operator(struct operator* out, json_t *result, struct error *e);

/* Is it a step that opens the network? */
bool isolate_reconnects(const struct runbook_step *step);

#endif
