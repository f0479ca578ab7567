/* Step 7, in stages: the administrator's way alone, as it is while this host is cut off; the host's
 * own health check, visitors still getting the notice; the public. Then content and pages are
 * looked at once more, and if they are not right it is cut off again at once. The closer watch
 * begins with the opening: there is no moment between. {action: reconnect} */
#include "act/firewall.h"
#include "act/notice.h"
#include "base/language.h"
#include "base/str.h"
#include "respond/actions.h"
#include "respond/health.h"
#include "respond/isolate.h"
#include "respond/watch.h"

static const struct runbook_call healthy = {.name = "healthy"};

static bool note(struct response *r, const char *stage, const char *text, json_t *result,
                 struct error *e)
{
    return respond_note(r, "stage", stage, text, result, e);
}

static bool stage_administrator(struct response *r, struct error *e)
{
    struct operator op;
    CLEANUP_JSON json_t *result = json_object();
    return isolate_find_operator(&op, result, e) && note(r, "administrator", NULL, result, e);
}

/* False with r->refusal: not healthy; false without: *e. */
static bool stage_health(struct response *r, const char *stage, struct error *e)
{
    struct check_result found;
    CLEANUP_JSON json_t *result = json_object();
    health_look(r, true, result, &found);
    if (!note(r, stage, found.text, result, e))
        return false;
    if (found.verdict == CHECK_TRUE) {
        respond_tell(r, found.text);
        return true;
    }
    r->refusal = (struct check_made){&healthy, found};
    return false;
}

/* Told before it is done: a ledger that takes nothing lets nobody in. */
static bool stage_public(struct response *r, json_t *proved, struct error *e)
{
    CLEANUP_JSON json_t *result = json_object(), *known = json_object();
    int dir = state_dirfd(r->state);
    if (proved)
        json_object_set(result, "proved", proved);
    if (!watch_note_known(r, known, e) || !note(r, "public", NULL, result, e) ||
        !watch_begin(r, known, e))
        return false;
    r->opened = proved != NULL;
    return firewall_end(dir, FIREWALL_ISOLATION, e) && notice_stop(dir, e);
}

bool action_reconnect(struct response *r, const struct runbook_call *call, json_t *result,
                      const char **waits, struct error *e)
{
    CLEANUP_JSON json_t *proved = firewall_proved(state_dirfd(r->state));
    if (!stage_administrator(r, e))
        return false;
    if (!stage_health(r, "health", e))
        return r->refusal.call != NULL;
    if (!stage_public(r, proved, e))
        return false;
    if (!stage_health(r, "health after the opening", e))
        return r->refusal.call != NULL;
    json_put_int(result, "watch_hours", r->options->watch_hours);
    return true;
}

/* What this run did not open is not this run's to shut. */
bool action_reconnect_back(struct response *r, const struct runbook_call *undo, json_t *result,
                           const char **waits, struct error *e)
{
    struct error untold = ERROR_INIT;
    if (!r->opened)
        return true;
    struct incident now;
    /* it was verified when this run began: the network is open, and that would take its time */
    if (!incident_read(&now, r->state, r->incident.id, r->arena, e))
        return false;
    CLEANUP_JSON json_t *proved = isolate_proved(&now);
    incident_close(&now);
    const char *mode = proved ? json_get_string(proved, "mode") : NULL;
    if (!proved || !mode)
        error_set(e, ERR_CORRUPT, "the ledger does not say which ways in were proved");
    else if (isolate_again(r, proved, mode, result, e))
        r->opened = false;
    if (r->opened) {
        if (watch_may_be_on(r->state))
            respond_say(r, _("The closer watch goes on meanwhile."));
        return false;
    }
    watch_end(r); /* not before: one of the two has to be there at any moment */
    *waits = _("This host was cut off again at once, as it was before: your ways in are the same. "
               "Mend what is said above, and do this step again.");
    if (!note(r, "cut off again", NULL, result, &untold))
        respond_say(r, untold.message);
    return true;
}

static const char *after_that(const struct response *r)
{
    const struct respond_options *o = r->options;
    if (!o->watch_hours)
        return _("no closer watch (respond.watch_hours is 0)");
    return o->isolate_again
               ? arena_printf(r->arena,
                              ngettext("closer watch for %u hour, which isolates again by itself "
                                       "(%s)",
                                       "closer watch for %u hours, which isolates again by itself "
                                       "(%s)",
                                       o->watch_hours),
                              o->watch_hours, o->isolate_again)
               : arena_printf(
                     r->arena,
                     ngettext("closer watch for %u hour, which tells and does not isolate "
                              "(respond.isolate_again is no)",
                              "closer watch for %u hours, which tells and does not isolate "
                              "(respond.isolate_again is no)",
                              o->watch_hours),
                     o->watch_hours);
}

bool action_reconnect_preview(struct response *r, const struct runbook_call *call, json_t *result,
                              const char **waits, struct error *e)
{
    struct check_result found;
    const char *const *command = r->options->health_command;
    health_look(r, false, result, &found);
    *waits =
        command
            ? arena_printf(
                  r->arena,
                  _("In stages: 1. your way in alone, as now. 2. This host asks itself for its "
                    "pages (just now: %s), and runs %s. 3. Visitors are let in; then all of this "
                    "and the content once more, and if it is not right this host is cut off again "
                    "at once. 4. After that %s."),
                  found.text, command[0], after_that(r))
            : arena_printf(
                  r->arena,
                  _("In stages: 1. your way in alone, as now. 2. This host asks itself for its "
                    "pages (just now: %s). 3. Visitors are let in; then the pages and the content "
                    "once more, and if they are not right this host is cut off again at once. 4. "
                    "After that %s."),
                  found.text, after_that(r));
    return true;
}
