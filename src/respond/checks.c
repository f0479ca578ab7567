#include "respond/checks.h"

#include "base/language.h"
#include "base/str.h"

static const struct respond_check checks[] = {
    {.name = "opened", .run = check_opened},
    {.name = "content", .run = check_content, .reads_all = true},
    {.name = "holes", .run = check_holes},
    {.name = "evidence-whole", .run = check_evidence_whole, .reads_all = true},
    {.name = "report-written", .run = check_report_written},
    {.name = "isolated", .run = check_isolated},
    {.name = "local-administrator", .run = check_local_administrator},
    {.name = "operator-known", .run = check_operator_known},
    {.name = "passwords-changed", .run = check_passwords_changed},
    {.name = "reconnected", .run = check_reconnected},
    {.name = "scan-settled", .run = check_scan_settled},
    {.name = "step-done", .run = check_step_done},
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
