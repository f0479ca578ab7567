/* actions.h - what a step of a runbook can do: one file an action, one row in actions.c. */
#ifndef YAGURA_RESPOND_ACTIONS_H
#define YAGURA_RESPOND_ACTIONS_H

#include "respond/respond.h"

/* What is to be told of it goes into `result` (which the ledger keeps: no secret, nothing large).
 * *waits: a sentence, where the person has to confirm; the step is then begun, not done. False: it
 * failed, and what it had begun is as it was before or said in the error. */
typedef bool respond_action_run(struct response *r, const struct runbook_call *call, json_t *result,
                                const char **waits, struct error *e);

struct respond_action {
    const char *name;
    const struct runbook_takes *takes; /* NULL: it is its name alone */
    respond_action_run *run;
    respond_action_run *confirm; /* of one that waits; else NULL */
    respond_action_run *preview; /* says in *waits what it would do, and changes nothing; or NULL */
    respond_action_run *mend;    /* of one that is done: what others undid of it since, done again,
                                    where nothing is to be decided; or NULL */
    respond_action_run *back;    /* what it did does not hold: it is undone at once, by itself; or
                                    NULL. *waits: what was done, or is to be */
    respond_action_run *plan;    /* of a root or an image: puts into `result` what can be seen from
                                    outside of what it is for; or NULL */
    bool offline;                /* works on a root or an image, and changes nothing */
};
const struct respond_action *respond_action_find(const char *name);

respond_action_run action_administrator, action_evidence, action_isolate, action_isolate_confirm,
    action_isolate_mend, action_isolate_preview, action_holes, action_holes_preview, action_open,
    action_open_network, action_passwords, action_passwords_plan, action_reconnect,
    action_reconnect_back, action_reconnect_preview, action_report, action_restore,
    action_restore_plan, action_restore_preview, action_scan, action_scan_preview;

#endif
