#include "judge/patch_rules.h"

#include "base/str.h"
#include "model/date.h"

struct graphs {
    VEC(struct patches *) list;
};

/* One a product on the host, and one of the system itself. */
static void graphs_make(struct graphs *g, struct arena *arena, const struct judge_input *in,
                        int64_t as_of)
{
    const struct fact *host = facts_first(in->facts, "host");
    for (const struct fact *f = facts_first(in->facts, "product"); f;
         f = facts_next(in->facts, "product", f))
        VEC_PUSH(&g->list, patches_of(arena, in->advisories, in->facts, fact_text(f, "name"),
                                      fact_text(f, "version"), as_of));
    if (host)
        VEC_PUSH(&g->list, patches_of(arena, in->advisories, in->facts, fact_text(host, "family"),
                                      fact_text(host, "version"), as_of));
}

bool patch_rules_asks_for(const struct finding *row, const struct patches *graph, const char *patch)
{
    const char *const *below;
    size_t count = patches_superseded(graph, patch, &below);
    for (size_t i = 0; i < row->patches.count; i++) {
        const char *wanted = row->patches.items[i];
        if (str_equal_nocase(wanted, patch) || patches_brings_pack(patch, wanted))
            return true;
        for (size_t k = 0; k < count; k++)
            if (str_equal_nocase(wanted, below[k]))
                return true;
    }
    return false;
}

static const struct advisory_patch *find(const struct graphs *g, const char *key,
                                         struct patches **graph)
{
    for (size_t i = 0; i < g->list.count; i++) {
        const struct advisory_patch *patch = patches_find(g->list.items[i], key);
        if (!patch)
            continue;
        *graph = g->list.items[i];
        return patch;
    }
    return NULL;
}

/* Known today, none of them known that day. What no advisory knows has no date. */
static bool is_too_early(const struct rule *rule, const struct graphs *then,
                         const struct graphs *today)
{
    struct patches *graph;
    size_t known = 0;
    for (size_t i = 0; i < rule->patch_count; i++) {
        if (find(then, rule->patches[i], &graph))
            return false;
        known += find(today, rule->patches[i], &graph) != NULL;
    }
    return known;
}

static bool is_proven(const struct rule *rule, const struct graphs *then)
{
    for (size_t i = 0; i < rule->patch_count; i++) {
        struct patches *graph;
        const struct advisory_patch *patch = find(then, rule->patches[i], &graph);
        if (patch && patches_proof(graph, patch->files, patch->file_count, NULL) == PROOF_NEW)
            return true;
    }
    return false;
}

void patch_rules_dismiss(struct rule_results *results, const struct judge_input *in)
{
    CLEANUP_ARENA struct arena *arena = arena_new();
    struct graphs then = {0}, today = {0};
    for (size_t i = 0; i < rule_results_count(results); i++) {
        const struct rule_result *r = rule_results_at(results, i);
        if (!r->rule->patch_count || r->outcome == OUTCOME_NOT_APPLICABLE)
            continue;
        if (!then.list.count) {
            graphs_make(&then, arena, in, in->as_of);
            graphs_make(&today, arena, in, DATE_NONE);
        }
        if (is_too_early(r->rule, &then, &today))
            rule_results_set_too_early(results, i);
        else if (r->outcome == OUTCOME_FIRES && is_proven(r->rule, &then))
            rule_results_dismiss(results, i, OUTCOME_QUIET);
    }
    VEC_FREE(&then.list);
    VEC_FREE(&today.list);
}

/* The advisory's hole is what the row looks at. */
static bool is_its_rule(const struct judge_input *in, const struct finding *f,
                        const struct finding *row)
{
    const struct advisory_case *const *cases;
    const struct advisory *a = advisories_find(in->advisories, f->rule_id);
    size_t count = a ? advisories_cases_of(in->advisories, a, &cases) : 0;
    for (size_t i = 0; i < count; i++)
        if (str_equal(cases[i]->rule, row->rule_id) && str_equal(cases[i]->title, f->subject_name))
            return true;
    return false;
}

void patch_rules_mark_repeated(struct findings *findings, const struct judge_input *in)
{
    CLEANUP_ARENA struct arena *arena = arena_new();
    struct graphs graphs = {0};
    for (size_t i = 0; i < findings->list.count; i++) {
        struct finding *row = findings->list.items[i];
        if (row->rule_kind != RULE_CHECKLIST || !finding_is_open(row))
            continue;
        if (row->patches.count && !graphs.list.count)
            graphs_make(&graphs, arena, in, in->as_of);
        for (size_t k = 0; k < findings->list.count && !row->repeated; k++) {
            const struct finding *f = findings->list.items[k];
            bool open = f->rule_kind == RULE_ADVISORY && finding_is_open(f);
            bool asks = open && f->patches.count && row->patches.count;
            row->repeated = open && is_its_rule(in, f, row);
            for (size_t g = 0; asks && g < graphs.list.count; g++)
                row->repeated |=
                    patch_rules_asks_for(row, graphs.list.items[g], f->patches.items[0]);
        }
    }
    VEC_FREE(&graphs.list);
}
