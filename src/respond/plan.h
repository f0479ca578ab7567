/* plan.h - what an incident of a root or an image leaves to be done on the host itself.
 *
 * Steps that change the host are not done there: the ledger has an entry "plan" of each, with what
 * can be seen of it from outside (the secrets, the sites: `plan` of actions.h), and they are
 * settled. The same as a text for a person, with what the other steps found, is plan.txt in the
 * folder of evidence; it is written anew after every step, and the report keeps a copy. */
#ifndef YAGURA_RESPOND_PLAN_H
#define YAGURA_RESPOND_PLAN_H

#include "base/str.h"
#include "respond/respond.h"

/* Is it a step for the host itself, in an incident that is about a root or an image? */
bool plan_holds(const struct response *r, const struct runbook_step *step);
/* What can be seen of it from outside. What cannot is said in `unread`. */
void plan_look(struct response *r, const struct runbook_step *step, json_t *result);
void plan_add_text(struct str *out, struct response *r);
/* "--image FILE", as a shell takes it; "" of this host. */
const char *plan_target(struct response *r);
bool plan_write(struct response *r, struct error *e);
/* Where that text lies; in the arena. */
const char *plan_file(struct response *r);

#endif
