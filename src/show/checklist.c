#include "show/show.h"

#include "base/json.h"
#include "base/str.h"

/* The titles of rules name a state that should not be: the answer has to read with them. */
static const char *answer(const struct rule_result *r)
{
    return r->too_early                    ? "-"
           : r->outcome == OUTCOME_FIRES   ? _("✗ yes")
           : r->outcome == OUTCOME_UNKNOWN ? "?"
                                           : _("✓ no");
}

static bool is_row(const struct audit *a, const struct rule_result *r, const char *set)
{
    if (r->rule->helper || r->outcome == OUTCOME_NOT_APPLICABLE)
        return false;
    const char *own = rules_set_of(r->rule, a->facts);
    return set ? str_equal(own, set) : *own;
}

/* Weight times how bad it is; what is unknown counts as if it fired: it is not known good. */
static double exposure(const struct rule_result *r)
{
    static const double bad[] = {[SEVERITY_INFO] = 0.1,
                                 [SEVERITY_LOW] = 0.3,
                                 [SEVERITY_MEDIUM] = 1,
                                 [SEVERITY_HIGH] = 2,
                                 [SEVERITY_CRITICAL] = 4};
    return r->too_early ? 0 : r->rule->weight * bad[r->severity];
}

static int compare(const void *x, const void *y)
{
    const struct rule_result *a = *(const struct rule_result *const *)x;
    const struct rule_result *b = *(const struct rule_result *const *)y;
    static const int order[] = {[OUTCOME_FIRES] = 0, [OUTCOME_UNKNOWN] = 1, [OUTCOME_QUIET] = 2};
    if (a->too_early != b->too_early)
        return a->too_early - b->too_early;
    if (order[a->outcome] != order[b->outcome])
        return order[a->outcome] - order[b->outcome];
    if (a->severity != b->severity)
        return (int)b->severity - (int)a->severity;
    return strcmp(a->rule->name, b->rule->name);
}

static void row_json(struct show *s, const struct audit *a, const struct rule_result *r)
{
    json_t *o = json_object();
    json_put_string(o, "type", "check");
    json_put_string(o, "rule", r->rule->name);
    json_put_string(o, "checklist", rules_set_of(r->rule, a->facts));
    json_put_string(o, "checklist_id", r->rule->checklist_id);
    json_put_string(o, "title", r->rule->title);
    json_put_string(o, "severity", severity_name(r->severity));
    json_put_string(o, "outcome", r->too_early ? "too-early" : rule_outcome_name(r->outcome));
    json_put_int(o, "subjects", (int64_t)r->fired_count);
    if (*r->reason)
        json_put_string(o, "reason", r->reason);
    show_json_line(s, o);
}

/* Nothing was checked: that is no good result, and no score. */
static void show_no_fit(struct show *s, const struct audit *a, const char *set)
{
    CLEANUP_ARENA struct arena *arena = arena_new();
    const char *os = *a->host_line ? a->host_line : _("no system that was recognised");
    show_wrap(s, "? ", 2,
              set ? arena_printf(arena,
                                 _("The checklist %s does not fit this target (%s): nothing was "
                                   "checked. Without a name all that fit are used."),
                                 set, os)
                  : arena_printf(
                        arena, _("No checklist fits this target (%s): nothing was checked."), os));
}

size_t show_checklist(struct show *s, const struct audit *a, const char *set, enum severity least)
{
    VEC(const struct rule_result *) rows = {0};
    double total = 0, open = 0;
    size_t fires = 0, unknown = 0, early = 0;
    for (size_t i = 0; i < rule_results_count(a->outcomes); i++) {
        const struct rule_result *r = rule_results_at(a->outcomes, i);
        if (!is_row(a, r, set))
            continue;
        VEC_PUSH(&rows, r);
        total += exposure(r);
        early += r->too_early;
        fires += !r->too_early && r->outcome == OUTCOME_FIRES;
        unknown += !r->too_early && r->outcome == OUTCOME_UNKNOWN;
        if (r->outcome != OUTCOME_QUIET)
            open += exposure(r);
    }
    if (rows.count)
        qsort(rows.items, rows.count, sizeof *rows.items, compare);
    size_t count = rows.count - early; /* that were asked */
    double score = total > 0 ? 10 * open / total : 0;
    if (s->json) {
        show_problems(s, a);
        for (size_t i = 0; i < rows.count; i++)
            row_json(s, a, rows.items[i]);
        json_t *o = json_object();
        json_put_string(o, "type", "summary");
        json_put_string(o, "target", a->identity);
        json_put_int(o, "found", (int64_t)audit_found(a, least));
        json_put_int(o, "unknown", (int64_t)(audit_unknown(a) + (count ? 0 : 1)));
        json_put_int(o, "fails", (int64_t)fires);
        json_put_int(o, "checks", (int64_t)count);
        json_put_int(o, "too_early", (int64_t)early);
        if (count)
            json_object_set_new(o, "exposure", json_real((double)(long)(score * 10 + 0.5) / 10));
        show_json_line(s, o);
        VEC_FREE(&rows);
        return count;
    }
    show_problems(s, a);
    if (!rows.count) {
        show_no_fit(s, a, set);
        return 0;
    }
    CLEANUP_ARENA struct arena *arena = arena_new();
    struct show_table table = {.columns = 5};
    struct show_line *line = show_table_line(&table, SHOW_BOLD);
    *line = (struct show_line){
        {_("here?"), _("exposure"), _("weight"), set ? NULL : _("set"), _("what should not be")},
        SHOW_BOLD,
        NULL};
    for (size_t i = 0; i < rows.count; i++) {
        const struct rule_result *r = rows.items[i];
        bool quiet = r->outcome == OUTCOME_QUIET;
        line = show_table_line(&table, r->too_early                  ? SHOW_PLAIN
                                       : r->outcome == OUTCOME_FIRES ? SHOW_RED
                                       : quiet                       ? SHOW_GREEN
                                                                     : SHOW_YELLOW);
        line->cells[0] = answer(r);
        line->cells[1] =
            arena_printf(arena, "%.1f", quiet || total <= 0 ? 0 : 10 * exposure(r) / total);
        line->cells[2] = show_severity(r->severity);
        line->cells[3] = set ? NULL : rules_set_of(r->rule, a->facts);
        line->cells[4] = language_text(r->rule->title);
        line->below = quiet || r->too_early ? NULL : r->rule->name;
    }
    show_table(s, &table, true);
    VEC_FREE(&rows);
    fputc('\n', s->out);
    show_wrap(s, "", 0,
              arena_printf(
                  arena,
                  ngettext("%zu check: %zu failed, %zu could not be judged. Exposure %.1f of 10 "
                           "(0 is best; what could not be judged counts as open).",
                           "%zu checks: %zu failed, %zu could not be judged. Exposure %.1f of 10 "
                           "(0 is best; what could not be judged counts as open).",
                           count),
                  count, fires, unknown, score));
    if (early)
        show_wrap(s, "- ", 2, show_too_early(arena, early));
    show_hint(s, _("What one means and what to do:"), show_command(arena, "rules explain NAME"));
    show_hint(s, _("What was found of each:"), show_command(arena, "audit --all"));
    return count;
}
