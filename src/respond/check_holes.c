/* {check: holes, least: high}: no hole at least that severe is open that an attacker can reach;
 * nor one that attackers use, whatever its severity. What attackers left behind is a hole, too.
 * Somebody may sign for one that cannot be closed now, or not be judged. */
#include "base/language.h"
#include "base/str.h"
#include "model/date.h"
#include "respond/checks.h"
#include "respond/holes.h"
#include "respond/plan.h"

bool holes_count(const struct finding *f, enum severity least)
{
    enum finding_group group = finding_group(f);
    return finding_is_open(f) &&
           (group == GROUP_INTRUSION || group == GROUP_EXPLOITED_OPEN || group == GROUP_EXPLOITED ||
            (group == GROUP_REACHABLE && f->severity >= least));
}

struct audit *holes_look(struct response *r, struct error *e)
{
    struct audit *a = NULL;
    struct audit_request request = {.kind = respond_target_kind(r),
                                    .argument = respond_is_live(r) ? NULL : r->incident.target,
                                    .as_of = DATE_NONE,
                                    .state = r->state,
                                    .with_advisories = true,
                                    .with_checklist = true,
                                    .with_updates = true};
    return audit_run(&a, &request, e) ? a : NULL;
}

enum severity holes_least(const struct runbook_call *call)
{
    enum severity least = SEVERITY_HIGH;
    severity_from_name(runbook_argument(call, "least", "high"), &least);
    return least;
}

bool holes_unknown(const struct finding *f, enum severity least)
{
    return f->verdict == VERDICT_UNKNOWN && f->severity >= least;
}

void check_holes(struct response *r, const struct runbook_call *call, struct check_result *out)
{
    struct error e = ERROR_INIT;
    enum severity least = holes_least(call);
    CLEANUP(audit_cleanup) struct audit *a = holes_look(r, &e);
    if (!a) {
        out->text = arena_strdup(r->arena, e.message);
        return;
    }
    size_t open = 0, unknown = 0;
    const char *first = NULL;
    for (size_t i = 0; i < a->findings->list.count; i++) {
        const struct finding *f = a->findings->list.items[i];
        if (incident_signed(&r->incident, f->id))
            continue;
        unknown += holes_unknown(f, least);
        if (!holes_count(f, least))
            continue;
        open++;
        first = first ? first : arena_strdup(r->arena, f->rule_id);
    }
    out->verdict = open ? CHECK_FALSE : unknown ? CHECK_UNKNOWN : CHECK_TRUE;
    out->text =
        unknown && !open
            ? arena_printf(r->arena,
                           ngettext("whether %zu grave hole is open could not be judged",
                                    "whether %zu grave holes are open could not be judged",
                                    unknown),
                           unknown)
        : open
            ? arena_printf(r->arena,
                           ngettext("%zu hole that can be reached is open: %s",
                                    "%zu holes that can be reached are open: %s and others", open),
                           open, first)
            : _("no hole that can be reached is open");
    out->todo = open      ? respond_is_live(r)
                                ? "yagura patch plan"
                                : arena_printf(r->arena, "yagura patch plan %s", plan_target(r))
                     : unknown ? "yagura respond sign ID ... --because \"...\""
                          : NULL;
}
