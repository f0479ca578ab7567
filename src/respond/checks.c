#include "respond/checks.h"

#include "base/language.h"
#include "base/str.h"

const struct runbook_takes holes_takes[] = {
    {.name = "least", .words = "info low medium high critical"}, {.name = NULL}};
static const struct runbook_takes step_done_takes[] = {{.name = "step", .earlier_step = true},
                                                       {.name = NULL}};

static const struct respond_check checks[] = {
    {.name = "opened",
     .means = N_("the incident and its folder of evidence are there"),
     .run = check_opened},
    {.name = "content",
     .means = N_("every site is, byte for byte, what was published"),
     .run = check_content,
     .reads_all = true},
    {.name = "holes",
     .means = N_("no grave hole that can be reached, and none that attackers use, is open without "
                 "a signature"),
     .takes = holes_takes,
     .run = check_holes},
    {.name = "evidence-whole",
     .means = N_("the evidence is, file by file, what was written and entered into the ledger"),
     .run = check_evidence_whole,
     .reads_all = true},
    {.name = "report-written",
     .means = N_("the last report is there, and the signature of its bundle holds"),
     .run = check_report_written},
    {.name = "isolated",
     .means =
         N_("this host is cut off, confirmed over a new connection, and nobody changed the rules"),
     .run = check_isolated},
    {.name = "local-administrator",
     .means = N_("you work as an account of this host's own passwd file"),
     .run = check_local_administrator},
    {.name = "operator-known",
     .means = N_("your way in is known, so that you are not locked out"),
     .run = check_operator_known},
    {.name = "passwords-changed",
     .means = N_("each password listed is changed, locked or signed for"),
     .run = check_passwords_changed},
    {.name = "reconnected",
     .means = N_("the network is open again, and confirmed"),
     .run = check_reconnected},
    {.name = "scan-settled",
     .means = N_("each finding of the scan is gone or signed for"),
     .run = check_scan_settled},
    {.name = "step-done",
     .means = N_("another step was done, and not skipped"),
     .takes = step_done_takes,
     .run = check_step_done},
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
