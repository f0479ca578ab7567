/* {check: holes, least: high}: no hole at least that severe is open that an attacker can reach;
 * nor one that attackers use, whatever its severity. What attackers left behind is a hole, too. */
#include "audit/audit.h"
#include "base/language.h"
#include "base/str.h"
#include "model/date.h"
#include "respond/checks.h"

static bool counts(const struct finding *f, enum severity least)
{
    enum finding_group group = finding_group(f);
    return finding_is_open(f) &&
           (group == GROUP_INTRUSION || group == GROUP_EXPLOITED_OPEN || group == GROUP_EXPLOITED ||
            (group == GROUP_REACHABLE && f->severity >= least));
}

void check_holes(struct response *r, const struct runbook_call *call, struct check_result *out)
{
    struct error e = ERROR_INIT;
    enum severity least = SEVERITY_HIGH;
    severity_from_name(runbook_argument(call, "least", "high"), &least);
    CLEANUP(audit_cleanup) struct audit *a = NULL;
    struct audit_request request = {.kind = respond_target_kind(r),
                                    .argument = respond_is_live(r) ? NULL : r->incident.target,
                                    .as_of = DATE_NONE,
                                    .state = r->state,
                                    .with_advisories = true,
                                    .with_checklist = true,
                                    .with_updates = true};
    if (!audit_run(&a, &request, &e)) {
        out->text = arena_strdup(r->arena, e.message);
        return;
    }
    size_t open = 0, unknown = 0;
    const char *first = NULL;
    for (size_t i = 0; i < a->findings->list.count; i++) {
        const struct finding *f = a->findings->list.items[i];
        unknown += f->verdict == VERDICT_UNKNOWN && f->severity >= least;
        if (!counts(f, least))
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
    out->todo = open ? "yagura patch plan" : unknown ? "yagura audit --all" : NULL;
}
