#include "respond/checks.h"

#include "base/language.h"
#include "base/str.h"

static const struct respond_check checks[] = {
    {"opened", check_opened},
    {"content", check_content},
    {"holes", check_holes},
    {"evidence-whole", check_evidence_whole},
    {"report-written", check_report_written},
    {"isolated", check_isolated},
    {"local-administrator", check_local_administrator},
    {"operator-known", check_operator_known},
    {"passwords-changed", check_passwords_changed},
    {"reconnected", check_reconnected},
    {"scan-settled", check_scan_settled},
    {"step-done", check_step_done},
};

const struct respond_check *respond_check_find(const char *name)
{
    for (size_t i = 0; i < ARRAY_COUNT(checks); i++)
        if (str_equal(checks[i].name, name))
            return &checks[i];
    return NULL;
}

/* {check: step-done, step: ID}: not skipped, but done. */
void check_step_done(struct response *r, const struct runbook_call *call, struct check_result *out)
{
    const char *id = runbook_argument(call, "step", "");
    const struct runbook_step *step = runbook_find(r->book, id);
    bool done = step && respond_step_of(r, step)->state == STEP_DONE;
    out->verdict = done ? CHECK_TRUE : CHECK_FALSE;
    out->text = arena_printf(r->arena, done ? _("step %s is done") : _("step %s is not done"), id);
    out->todo = done ? NULL : arena_printf(r->arena, "yagura respond do %s", id);
}
