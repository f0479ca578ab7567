#include "respond/respond_internal.h"

#include "base/str.h"
#include "model/date.h"
#include "record/ledger.h"
#include "respond/actions.h"
#include "respond/checks.h"
#include "respond/clock.h"
#include "respond/isolate.h"
#include "respond/plan.h"
#include "respond/watch.h"

/* ---- which ---------------------------------------------------------------------------------- */

struct incident_step *respond_step_of(struct response *r, const struct runbook_step *step)
{
    return &r->incident.steps[step - r->book->steps.items];
}

static bool is_settled(enum step_state state)
{
    return state == STEP_DONE || state == STEP_SKIPPED || state == STEP_PLANNED;
}

const struct runbook_step *respond_next(const struct response *r)
{
    for (size_t i = 0; i < r->book->steps.count; i++)
        if (!is_settled(r->incident.steps[i].state))
            return &r->book->steps.items[i];
    return NULL;
}

/* ---- checks --------------------------------------------------------------------------------- */

/* Nothing is done between the checks of one report: what reads all of a site for one step need not
 * do so for the next one. */
static const struct check_result *seen_before(const struct respond_report *out,
                                              const struct respond_check *check)
{
    for (size_t i = 0; check->reads_all && i < out->checks.count; i++)
        if (str_equal(out->checks.items[i].call->name, check->name))
            return &out->checks.items[i].result;
    return NULL;
}

static bool check_all(struct response *r, const struct runbook_call *calls, size_t count,
                      struct respond_report *out)
{
    bool good = true;
    for (size_t i = 0; i < count; i++) {
        struct check_result result = {.verdict = CHECK_UNKNOWN, .text = ""};
        const struct respond_check *check = respond_check_find(calls[i].name);
        const struct check_result *seen = seen_before(out, check);
        if (seen)
            result = *seen;
        else
            check->run(r, &calls[i], &result);
        good = good && result.verdict == CHECK_TRUE;
        VEC_PUSH(&out->checks, ((struct check_made){&calls[i], result}));
    }
    return good;
}

/* What the first check from `first` on says that is not true; NULL: all are. */
static const char *first_untrue(const struct respond_report *out, size_t first)
{
    for (size_t i = first; i < out->checks.count; i++)
        if (out->checks.items[i].result.verdict != CHECK_TRUE)
            return out->checks.items[i].result.text;
    return NULL;
}

void respond_report_free(struct respond_report *report)
{
    VEC_FREE(&report->checks);
    json_decref(report->result);
    report->result = NULL;
}

/* ---- doing ---------------------------------------------------------------------------------- */

static bool write_entry(struct response *r, const char *what, const struct runbook_step *step,
                        const char *because, json_t *result, struct error *e)
{
    const char *id = r->incident.id;
    CLEANUP_JSON json_t *entry = incident_entry(id, what, step ? step->id : NULL, r->options->who);
    if (because)
        json_put_string(entry, "because", because);
    if (result && json_object_size(result))
        json_object_set(entry, "result", result);
    return ledger_append(r->state, entry, date_now(), e) && respond_read_again(r, id, e);
}

bool respond_note(struct response *r, const char *what, const char *stage, const char *because,
                  json_t *result, struct error *e)
{
    CLEANUP_JSON json_t *entry =
        incident_entry(r->incident.id, what, r->step ? r->step->id : NULL, r->options->who);
    if (stage)
        json_put_string(entry, "stage", stage);
    if (because)
        json_put_string(entry, "because", because);
    if (result && json_object_size(result))
        json_object_set(entry, "result", result);
    return ledger_append(r->state, entry, date_now(), e);
}

static bool is_open(const struct response *r, struct error *e)
{
    if (!r->incident.closed)
        return true;
    error_set(e, ERR_USAGE, "incident %.64s is closed: yagura respond start opens another one",
              r->incident.id);
    return false;
}

/* In their order: a page that was put back before the hole is shut is defaced again. */
static bool is_its_turn(struct response *r, const struct runbook_step *step, struct error *e)
{
    for (const struct runbook_step *s = r->book->steps.items; s < step; s++)
        if (!is_settled(respond_step_of(r, s)->state)) {
            error_set(e, ERR_USAGE,
                      "step %zu (%s) comes first: do it, or yagura respond skip %s --because ...",
                      (size_t)(s - r->book->steps.items), s->id, s->id);
            return false;
        }
    return true;
}

/* What would change this host is not done for one that is looked at from outside. */
static bool is_for_here(struct response *r, const struct runbook_step *step, struct error *e)
{
    if (!plan_holds(r, step))
        return true;
    error_set(e, ERR_USAGE,
              "step %s changes the host, and this incident is about %.300s: it stands in the plan, "
              "%.300s",
              step->id, r->incident.target, plan_file(r));
    return false;
}

/* Of a root or an image the steps that change the host are planned, once; the text is written anew
 * as more is known. */
static bool plan_the_rest(struct response *r, struct error *e)
{
    for (size_t i = 0; i < r->book->steps.count; i++) {
        const struct runbook_step *step = &r->book->steps.items[i];
        if (!plan_holds(r, step) || is_settled(r->incident.steps[i].state))
            continue;
        CLEANUP_JSON json_t *result = json_object();
        plan_look(r, step, result);
        if (!write_entry(r, "plan", step, NULL, result, e))
            return false;
    }
    return plan_write(r, e);
}

static void fail(struct response *r, const struct runbook_step *step, struct error *e)
{
    struct error ledger = ERROR_INIT;
    if (!write_entry(r, "failed", step, e->message, NULL, &ledger))
        error_prefix(e, "the ledger does not know of it (%.200s)", ledger.message);
}

/* Done if it is true; else it is not, whoever says so. */
static bool prove(struct response *r, const struct runbook_step *step, struct respond_report *out,
                  struct error *e)
{
    out->checks.count = 0;
    bool good = check_all(r, step->verify.items, step->verify.count, out);
    out->outcome = good ? RESPOND_DONE : RESPOND_REFUSED;
    if (!write_entry(r, good ? "done" : "failed", step,
                     good ? r->options->because : first_untrue(out, 0), out->result, e))
        return false;
    return respond_is_live(r) || plan_the_rest(r, e);
}

/* An action that went no further says why as a check does. */
static bool refuse(struct response *r, const struct runbook_step *step, struct respond_report *out,
                   struct error *e)
{
    out->checks.count = 0;
    VEC_PUSH(&out->checks, r->refusal);
    out->outcome = RESPOND_REFUSED;
    return write_entry(r, "failed", step, r->refusal.result.text, out->result, e);
}

/* What was begun does not hold, or nothing could be written down of it. */
static bool go_back(struct response *r, const struct runbook_step *step,
                    const struct respond_action *action, struct respond_report *out,
                    struct error *e)
{
    struct error problem = ERROR_INIT;
    if (!action || !action->back || action->back(r, &step->undo, out->result, &out->text, &problem))
        return true;
    error_set(e, problem.code ? problem.code : ERR_SYSTEM,
              "THE NETWORK IS OPEN, and cutting it off again failed (%.200s): yagura respond undo "
              "%.60s, or pull the cable",
              problem.message, step->id);
    return false;
}

/* What would be done is what is not true yet, and what the action says of itself. */
static bool preview(struct response *r, const struct runbook_call *call, struct respond_report *out,
                    struct error *e)
{
    const struct respond_action *action = call->name ? respond_action_find(call->name) : NULL;
    out->outcome = RESPOND_PREVIEW;
    return !action || !action->preview || action->preview(r, call, out->result, &out->text, e);
}

/* Cut off is cut off, also where the ledger takes no entry of it. */
static bool run_untold(struct response *r, const struct runbook_step *step,
                       struct respond_report *out, const struct error *why, struct error *e)
{
    const struct respond_action *action = respond_action_find(step->action.name);
    if (!action->run(r, &step->action, out->result, &out->text, e))
        return false;
    error_set(e, why->code,
              "THIS HOST IS CUT OFF, and the ledger does not take it (%.200s). To hold it, do it "
              "again from a state elsewhere: yagura respond start --state /run/yagura, then yagura "
              "respond do isolate --state /run/yagura",
              why->message);
    return false;
}

bool respond_do(struct response *r, const struct runbook_step *step, struct respond_report *out,
                struct error *e)
{
    struct error untold = ERROR_INIT;
    *out = (struct respond_report){.result = json_object()};
    if (!is_open(r, e) || !is_for_here(r, step, e) || !is_its_turn(r, step, e))
        return false;
    const struct respond_action *action =
        step->action.name ? respond_action_find(step->action.name) : NULL;
    if (!check_all(r, step->before.items, step->before.count, out)) {
        out->outcome = RESPOND_REFUSED;
        return true;
    }
    if (r->options->dry_run) {
        check_all(r, step->verify.items, step->verify.count, out);
        return preview(r, &step->action, out, e);
    }
    r->step = step;
    if (!write_entry(r, "begin", step, NULL, NULL, &untold)) {
        if (respond_cuts(&step->action))
            return run_untold(r, step, out, &untold, e);
        *e = untold;
        return false;
    }
    if (action && !action->run(r, &step->action, out->result, &out->text, e)) {
        fail(r, step, e);
        (void)!go_back(r, step, action, out, e);
        return false;
    }
    if (out->text) {
        out->outcome = RESPOND_WAITS;
        return write_entry(r, "begin", step, NULL, out->result, e);
    }
    bool told = r->refusal.call ? refuse(r, step, out, e) : prove(r, step, out, e);
    return (out->outcome == RESPOND_DONE || go_back(r, step, action, out, e)) && told;
}

static bool is_true(struct response *r, const struct runbook_step *step)
{
    struct respond_report unseen = {0};
    bool good = check_all(r, step->verify.items, step->verify.count, &unseen);
    respond_report_free(&unseen);
    return good;
}

bool respond_confirm(struct response *r, const struct runbook_step **which,
                     struct respond_report *out, struct error *e)
{
    *out = (struct respond_report){.result = json_object()};
    if (!is_open(r, e))
        return false;
    for (size_t i = 0; i < r->book->steps.count; i++) {
        const struct runbook_step *step = &r->book->steps.items[i];
        bool undone = r->incident.steps[i].state == STEP_UNDONE;
        const struct runbook_call *call = undone ? &step->undo : &step->action;
        const struct respond_action *action = call->name ? respond_action_find(call->name) : NULL;
        /* a slip of the pen while it is on trial is no end of the trial: the kernel knows */
        bool tried =
            r->incident.steps[i].state == STEP_BEGUN || r->incident.steps[i].state == STEP_FAILED;
        if ((!undone && !tried) || !action || !action->confirm)
            continue;
        const char *waits = NULL;
        *which = step;
        /* what was begun did is what the step did: the confirmation adds to it */
        if (r->incident.steps[i].result)
            json_object_update(out->result, (json_t *)r->incident.steps[i].result);
        /* it may have been confirmed already, and the ledger not have been told */
        if ((undone || !is_true(r, step)) && !action->confirm(r, call, out->result, &waits, e))
            return false;
        if (undone && isolate_reconnects(step))
            watch_end(r);
        out->outcome = RESPOND_UNDONE;
        return undone ? write_entry(r, "undo", step, NULL, out->result, e) : prove(r, step, out, e);
    }
    error_set(e, ERR_USAGE, "nothing waits for a confirmation");
    return false;
}

bool respond_sign(struct response *r, const char *what, struct error *e)
{
    if (!is_open(r, e))
        return false;
    if (!r->options->because || !*r->options->because) {
        error_set(e, ERR_USAGE, "why? It is signed --because \"...\"");
        return false;
    }
    if (!incident_knows(&r->incident, what)) {
        error_set(e, ERR_USAGE,
                  "no step lists anything called \"%.100s\" now (it may be settled): yagura "
                  "respond next, and do it, says what there is to sign for",
                  what);
        return false;
    }
    CLEANUP_JSON json_t *entry = incident_entry(r->incident.id, "sign", NULL, r->options->who);
    json_put_string(entry, "signed", what);
    json_put_string(entry, "because", r->options->because);
    return ledger_append(r->state, entry, date_now(), e) &&
           respond_read_again(r, r->incident.id, e);
}

bool respond_first_sign(struct response *r, struct error *e)
{
    int64_t at, before = r->incident.first_sign;
    if (!is_open(r, e) || !respond_read_first_sign(r, date_now(), &at, e))
        return false;
    CLEANUP_JSON json_t *entry =
        incident_entry(r->incident.id, "first-sign", NULL, r->options->who);
    clock_put_time(entry, "first_sign", at);
    if (r->options->because)
        json_put_string(entry, "because", r->options->because);
    if (!ledger_append(r->state, entry, date_now(), e) || !respond_read_again(r, r->incident.id, e))
        return false;
    for (size_t i = 0; i < r->book->steps.count && at != before; i++) {
        const struct runbook_step *step = &r->book->steps.items[i];
        if (str_equal(step->action.name, "restore") && r->incident.steps[i].state == STEP_DONE &&
            !write_entry(r, "failed", step,
                         _("it was put back as of another first sign of the intrusion"), NULL, e))
            return false;
    }
    return true;
}

bool respond_skip(struct response *r, const struct runbook_step *step, struct error *e)
{
    if (!is_open(r, e) || !is_its_turn(r, step, e))
        return false;
    if (!r->options->because || !*r->options->because) {
        error_set(e, ERR_USAGE, "why? A step is skipped --because \"...\"");
        return false;
    }
    return write_entry(r, "skip", step, r->options->because, NULL, e);
}

bool respond_undo(struct response *r, const struct runbook_step *step, struct respond_report *out,
                  struct error *e)
{
    *out = (struct respond_report){.result = json_object()};
    /* a host that stays cut off when the incident is closed is opened by the same command */
    bool opens = step->undo.name && str_equal(step->undo.name, "open-network");
    if ((!opens && !is_open(r, e)) || !is_for_here(r, step, e))
        return false;
    if (!step->undo.name) {
        error_set(e, ERR_USAGE, "%s", runbook_text(&step->no_undo));
        return false;
    }
    if (respond_step_of(r, step)->state == STEP_OPEN) {
        error_set(e, ERR_USAGE, "step %s was not done", step->id);
        return false;
    }
    if (r->options->dry_run)
        return preview(r, &step->undo, out, e);
    if (!respond_action_find(step->undo.name)->run(r, &step->undo, out->result, &out->text, e))
        return false;
    /* what is on trial may lapse: somebody has to look then, as before */
    if (isolate_reconnects(step) && !out->text)
        watch_end(r);
    out->outcome = out->text ? RESPOND_WAITS : RESPOND_UNDONE;
    return write_entry(r, "undo", step, r->options->because, out->result, e);
}

bool respond_resume(struct response *r, struct error *e)
{
    CLEANUP_JSON json_t *result = json_object();
    for (size_t i = 0; i < r->book->steps.count && !r->incident.closed; i++) {
        const struct runbook_call *call = &r->book->steps.items[i].action;
        const struct respond_action *action = call->name ? respond_action_find(call->name) : NULL;
        const char *waits = NULL;
        struct error problem = ERROR_INIT;
        /* what cannot be mended is not true any more, and that is what is found next */
        if (r->incident.steps[i].state == STEP_DONE && action && action->mend &&
            !action->mend(r, call, result, &waits, &problem))
            respond_say(r,
                        arena_printf(r->arena, _("it could not be mended: %s"), problem.message));
    }
    return r->incident.closed || write_entry(r, "resume", NULL, r->options->because, result, e);
}

bool respond_prove(struct response *r, struct respond_report *out, size_t *lost, struct error *e)
{
    *out = (struct respond_report){.outcome = RESPOND_DONE};
    *lost = 0;
    r->proves_only = true;
    const struct runbook_step *end = r->book->steps.items + r->book->steps.count;
    for (const struct runbook_step *step = r->book->steps.items; step < end; step++) {
        enum step_state state = respond_step_of(r, step)->state;
        bool done = state == STEP_DONE;
        if (!done && state != STEP_BEGUN)
            continue;
        size_t first = out->checks.count;
        if (check_all(r, step->verify.items, step->verify.count, out))
            continue;
        const char *because = first_untrue(out, first);
        ++*lost;
        out->outcome = RESPOND_REFUSED;
        if (done && !r->incident.closed && !write_entry(r, "failed", step, because, NULL, e))
            return false;
    }
    return true;
}

bool respond_give_up(struct response *r, struct error *e)
{
    CLEANUP_JSON json_t *entry = incident_entry(r->incident.id, "close", NULL, r->options->who);
    json_put_string(entry, "because", r->options->because);
    return ledger_append(r->state, entry, date_now(), e);
}

bool respond_end(struct response *r, struct respond_report *out, struct error *e)
{
    size_t lost;
    *out = (struct respond_report){.outcome = RESPOND_REFUSED};
    if (!is_open(r, e))
        return false;
    const struct runbook_step *next = respond_next(r);
    if (next) {
        error_set(e, ERR_USAGE, "step %s is not done: yagura respond next", next->id);
        return false;
    }
    if (r->incident.problems && (!r->options->because || !*r->options->because)) {
        error_set(e, ERR_CORRUPT,
                  "the ledger was changed (yagura ledger verify says where): an incident with such "
                  "a ledger is closed only --because \"...\"");
        return false;
    }
    if (!respond_prove(r, out, &lost, e))
        return false;
    if (lost)
        return true;
    out->outcome = RESPOND_DONE;
    return write_entry(r, "close", NULL, r->options->because, NULL, e);
}
