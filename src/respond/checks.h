/* checks.h - what has to be true of a step: one file a check or a few of a kind, one row in
 * checks.c. A check changes nothing, and what it could not look at is CHECK_UNKNOWN. */
#ifndef YAGURA_RESPOND_CHECKS_H
#define YAGURA_RESPOND_CHECKS_H

#include "respond/respond.h"

typedef void respond_check_run(struct response *r, const struct runbook_call *call,
                               struct check_result *out);

struct respond_check {
    const char *name;
    const char *means;                 /* an English msgid: what is so where it is true */
    const struct runbook_takes *takes; /* NULL: it is its name alone */
    respond_check_run *run;
    bool reads_all; /* of a site, or of the evidence: takes long, and hears nothing of the steps */
};
const struct respond_check *respond_check_find(const char *name);

/* {least: SEVERITY} of the check and of the action that speak of holes. */
extern const struct runbook_takes holes_takes[];

/* Says what of the sites is not as it was published; `content` in result. False: the state could
 * not be read. */
bool content_compare(struct response *r, json_t *result, struct error *e);

respond_check_run check_opened, check_content, check_holes, check_step_done, check_evidence_whole,
    check_report_written, check_isolated, check_local_administrator, check_operator_known,
    check_passwords_changed, check_reconnected, check_scan_settled;

#endif
