#include "base/str.h"
#include "judge/patch_rules.h"
#include "judge/plan_internal.h"
#include "judge/ports.h"
#include "model/date.h"

#include <stdlib.h>

static struct plan_step *new_step(struct planning *p, enum plan_part part, const char *patch)
{
    struct plan_step *s = arena_alloc(p->arena, sizeof *s);
    s->part = part;
    s->patch = patch;
    s->reboot = -1;
    s->sequence = p->plan->steps.count;
    VEC_PUSH(&p->plan->steps, s);
    return s;
}

static struct plan_step *step_for(struct planning *p, enum plan_part part, const char *patch)
{
    for (size_t i = 0; i < p->plan->steps.count; i++) {
        struct plan_step *s = p->plan->steps.items[i];
        if (s->part == part && s->patch && str_equal_nocase(s->patch, patch))
            return s;
    }
    return new_step(p, part, patch);
}

bool plan_lists(const char *const *items, size_t count, const char *text)
{
    for (size_t i = 0; i < count; i++)
        if (str_equal_nocase(items[i], text))
            return true;
    return false;
}

static void closes(struct plan_step *s, const struct finding *f)
{
    if (!plan_lists(s->closes.items, s->closes.count, f->rule_id))
        VEC_PUSH(&s->closes, f->rule_id);
    s->exploited |= f->exploited;
    if (f->severity > s->severity)
        s->severity = f->severity;
}

static void concerns(struct plan_step *s, const struct finding *f)
{
    /* Where a step names sites or files, the host's own name says nothing. */
    if (s->subjects.count && f->subject_kind && str_equal(f->subject_kind, "host"))
        return;
    if (f->subject_name && !plan_lists(s->subjects.items, s->subjects.count, f->subject_name))
        VEC_PUSH(&s->subjects, f->subject_name);
}

static struct patches *graph_of(struct planning *p, const char *product, const char *version)
{
    for (size_t i = 0; i < p->graph_count; i++)
        if (str_equal(p->graphs[i].product, product) && str_equal(p->graphs[i].version, version))
            return p->graphs[i].graph;
    struct patches *graph =
        patches_of(p->arena, p->in->advisories, p->in->facts, product, version, p->in->as_of);
    if (p->graph_count < ARRAY_COUNT(p->graphs)) {
        p->graphs[p->graph_count].product = product;
        p->graphs[p->graph_count].version = version;
        p->graphs[p->graph_count++].graph = graph;
    }
    return graph;
}

const struct advisory_patch *plan_patch_of(struct planning *p, const char *key,
                                           struct patches **graph)
{
    const struct fact *host = facts_first(p->in->facts, "host");
    for (const struct fact *f = facts_first(p->in->facts, "product"); f;
         f = facts_next(p->in->facts, "product", f)) {
        *graph = graph_of(p, fact_text(f, "name"), fact_text(f, "version"));
        const struct advisory_patch *patch = patches_find(*graph, key);
        if (patch)
            return patch;
    }
    *graph =
        graph_of(p, host ? fact_text(host, "family") : "", host ? fact_text(host, "version") : "");
    return patches_find(*graph, key);
}

static struct plan_step *step_that_says(struct planning *p, enum plan_part part,
                                        const struct message *what)
{
    for (size_t i = 0; i < p->plan->steps.count; i++) {
        struct plan_step *s = p->plan->steps.items[i];
        if (s->part == part && !s->patch && message_equal(&s->what, what))
            return s;
    }
    return NULL;
}

/* --- advisories --- */

/* The checklist rule that says whether the hole is open, or whether anything leads to it, is
 * satisfied by the step that shuts it. */
static void remember_rules(struct planning *p, const struct advisory_case *c, struct plan_step *s)
{
    const char *const rules[] = {c->rule, c->exposed_by};
    for (size_t i = 0; i < ARRAY_COUNT(rules); i++) {
        struct plan_by_rule row = {rules[i], s};
        if (*rules[i])
            VEC_PUSH(&p->by_rule, row);
    }
}

static size_t cases_of(const struct planning *p, const struct finding *f,
                       const struct advisory_case *const **cases)
{
    const struct advisory *a = advisories_find(p->in->advisories, f->rule_id);
    return a ? advisories_cases_of(p->in->advisories, a, cases) : 0;
}

/* Workarounds of exploited holes: what shuts them today, before any patch is there. */
static void add_now(struct planning *p, const struct finding *f)
{
    const struct advisory_case *const *cases;
    size_t count = f->exploited && !f->unreachable ? cases_of(p, f, &cases) : 0;
    for (size_t i = 0; i < count; i++) {
        struct plan_step *first = NULL;
        if (!str_equal(cases[i]->title, f->subject_name))
            continue;
        for (size_t r = 0; r < cases[i]->remedy_count; r++) {
            const struct advisory_remedy *remedy = &cases[i]->remedies[r];
            if (remedy->kind != REMEDY_WORKAROUND && remedy->kind != REMEDY_MITIGATION)
                continue;
            if (remedy->date != DATE_NONE && p->in->as_of != DATE_NONE &&
                remedy->date > p->in->as_of)
                continue;
            struct message what = message_of(remedy->text);
            struct plan_step *s = step_that_says(p, PLAN_NOW, &what);
            if (!s) {
                s = new_step(p, PLAN_NOW, NULL);
                s->what = what;
                s->reboot = 0;
                s->settles = true;
            }
            s->settles &= !f->patches.count;
            closes(s, f);
            if (!first)
                first = s;
        }
        if (first)
            remember_rules(p, cases[i], first);
    }
}

static void name_patch(struct plan_step *s, const struct advisory_patch *patch, const char *key)
{
    bool pack = patches_is_service_pack(key);
    bool named = patch && (pack || strstr(patch->title, patch->key));
    if (!patch || !*patch->title) {
        s->what = message_of(N_("Apply {patch}"));
        message_put(&s->what, "patch", key);
        return;
    }
    s->what = message_of(pack    ? N_("Apply {title}")
                         : named ? N_("Apply {title} ({advisory})")
                                 : N_("Apply {title} ({patch}, {advisory})"));
    message_put_translated(&s->what, "title", patch->title);
    if (!pack)
        message_put(&s->what, "advisory", patch->advisory_id);
    if (!named)
        message_put(&s->what, "patch", patch->key);
}

static struct plan_step *patch_step(struct planning *p, const char *key);

static bool is_applied(const struct planning *p, const struct patches *graph,
                       const struct advisory_patch *patch, const char *key)
{
    if (patches_is_service_pack(key))
        return patches_has_service_pack(p->in->facts, key);
    const char *const *all;
    size_t count = patches_successors(graph, key, &all);
    for (size_t i = 0; i < count; i++)
        if (patches_marker(graph, all[i], NULL) == MARKER_PRESENT)
            return true;
    return patches_in_service_pack(graph, key) ||
           (patch && patches_proof(graph, patch->files, patch->file_count, NULL) == PROOF_NEW);
}

/* What is needed first becomes a step even if no finding asks for it. */
static void add_needs(struct planning *p, struct plan_step *s, const struct advisory_patch *patch)
{
    for (size_t i = 0; patch && i < patch->requires_count; i++) {
        const char *need = patch->requires[i];
        const char *key = strchr(need, ':') && !patches_is_service_pack(need)
                              ? arena_printf(p->arena, "service-pack:%s", need)
                              : need;
        struct patches *graph;
        const struct advisory_patch *needed = plan_patch_of(p, key, &graph);
        if (is_applied(p, graph, needed, key))
            continue;
        const struct plan_step *first =
            patch_step(p, patches_is_service_pack(key) ? key : patches_newest(graph, key));
        if (!plan_lists(s->needs.items, s->needs.count, first->patch))
            VEC_PUSH(&s->needs, first->patch);
    }
}

/* Was it here before? The record, an earlier audit, or the uninstall folder say so. */
static const char *const before_kinds[] = {"patch-before", "hotfix-leavings", "patch-recorded"};

static bool was_here(const struct facts *facts, const char *key)
{
    for (size_t k = 0; k < ARRAY_COUNT(before_kinds); k++)
        for (const struct fact *f = facts_first(facts, before_kinds[k]); f;
             f = facts_next(facts, before_kinds[k], f))
            if (str_equal_nocase(fact_text(f, "id"), key))
                return true;
    return false;
}

/* Those of them that are gone and that no advisory knows: whether the service pack brings them
 * nobody can say here. */
static bool is_known(const struct advisories *set, const char *key)
{
    const struct advisory_patch *const *all;
    size_t count = advisories_patches(set, NULL, &all);
    for (size_t i = 0; i < count; i++)
        if (str_equal_nocase(all[i]->key, key) ||
            plan_lists(all[i]->supersedes, all[i]->supersedes_count, key))
            return true;
    return false;
}

static void add_gone(struct planning *p)
{
    for (size_t k = 0; k < ARRAY_COUNT(before_kinds); k++)
        for (const struct fact *f = facts_first(p->in->facts, before_kinds[k]); f;
             f = facts_next(p->in->facts, before_kinds[k], f)) {
            const char *id = fact_text(f, "id");
            struct patches *graph;
            if (*id && !plan_patch_of(p, id, &graph) &&
                patches_marker(graph, id, NULL) == MARKER_ABSENT &&
                !is_known(p->in->advisories, id) &&
                !plan_lists(p->plan->gone.items, p->plan->gone.count, id))
                VEC_PUSH(&p->plan->gone, id);
        }
}

static struct plan_step *patch_step(struct planning *p, const char *key)
{
    struct patches *graph;
    const struct advisory_patch *patch = plan_patch_of(p, key, &graph);
    bool pack = patches_is_service_pack(key);
    struct plan_step *s =
        step_for(p, pack ? PLAN_SERVICE_PACK : PLAN_PATCH, patch ? patch->key : key);
    if (s->what.id)
        return s;
    name_patch(s, patch, key);
    s->reboot = patch ? patch->reboot : -1;
    if (pack && s->reboot < 0)
        s->reboot = 1;
    add_needs(p, s, patch);
    const char *const *below;
    size_t count = patches_superseded(graph, key, &below);
    s->lost = was_here(p->in->facts, key);
    for (size_t i = 0; i < count; i++)
        s->lost |= was_here(p->in->facts, below[i]) &&
                   patches_marker(graph, below[i], NULL) == MARKER_ABSENT;
    return s;
}

static void add_patch(struct planning *p, const struct finding *f)
{
    struct plan_step *s = patch_step(p, f->patches.items[0]);
    closes(s, f);
    s->lost |= f->verdict == VERDICT_BROKEN;
    p->plan->bulletins++;
}

/* --- settings, updates, and what nobody knows a remedy for --- */

static struct plan_step *add_setting(struct planning *p, const struct finding *f)
{
    bool about_host = f->subject_kind && str_equal(f->subject_kind, "host");
    struct plan_step *s = step_that_says(p, PLAN_NOW, &f->remedy);
    if (!s)
        s = step_that_says(p, PLAN_SETTING, &f->remedy);
    /* "Delete the folder." of one host are two folders, where two rules say so. */
    if (s && s->part == PLAN_SETTING && (about_host || s->about_host) &&
        !plan_lists(s->closes.items, s->closes.count, f->rule_id))
        s = NULL;
    if (!s) {
        /* Somebody has been in: that comes before everything. */
        bool intrusion = f->rule_kind == RULE_LEAVING;
        s = new_step(p, intrusion ? PLAN_NOW : PLAN_SETTING, NULL);
        s->intrusion = intrusion;
        s->what = f->remedy;
        s->reboot = 0;
        s->about_host = about_host;
        s->title = f->rule_kind == RULE_CHECKLIST ? f->rule_title : NULL;
    }
    closes(s, f);
    concerns(s, f);
    if (s->closes.count > 1)
        s->title = NULL;
    return s;
}

static void add_advisory(struct planning *p, const struct finding *f)
{
    add_now(p, f);
    if (f->patches.count) {
        add_patch(p, f);
    } else {
        struct plan_step *s = add_setting(p, f);
        const struct advisory_case *const *cases;
        size_t count = cases_of(p, f, &cases);
        for (size_t i = 0; i < count; i++)
            if (str_equal(cases[i]->title, f->subject_name))
                remember_rules(p, cases[i], s);
    }
}

/* A row of a checklist that asks for a patch is closed by the step that brings it, or one that
 * supersedes it; where there is none, by the newest of the patches that it names. */
static void add_patch_rule(struct planning *p, const struct finding *f)
{
    for (size_t i = 0; i < p->plan->steps.count; i++) {
        struct plan_step *s = p->plan->steps.items[i];
        struct patches *graph;
        if (!s->patch)
            continue;
        plan_patch_of(p, s->patch, &graph);
        if (patch_rules_asks_for(f, graph, s->patch)) {
            closes(s, f);
            return;
        }
    }
    struct patches *graph;
    const char *best = f->patches.items[0];
    for (size_t i = 0; i < f->patches.count; i++)
        if (plan_patch_of(p, f->patches.items[i], &graph))
            best = f->patches.items[i];
    closes(patch_step(p, best), f);
}

static void add_checklist(struct planning *p, const struct finding *f)
{
    if (f->patches.count) {
        add_patch_rule(p, f);
        return;
    }
    p->plan->open_settings++;
    for (size_t i = 0; i < p->by_rule.count; i++) {
        struct plan_step *s = p->by_rule.items[i].step;
        if (!str_equal(p->by_rule.items[i].rule, f->rule_id))
            continue;
        closes(s, f);
        concerns(s, f);
        if (s->part == PLAN_NOW)
            s->about_setting = f->rule_id;
        return;
    }
    add_setting(p, f);
}

/* The updates of a distribution come with one command; those that are held back, or need
 * another one, keep a step of their own. */
static void add_update(struct planning *p, const struct finding *f)
{
    static const char *const all = N_("sudo apt-get update && sudo apt-get upgrade");
    const struct message *own = f->steps.count ? &f->steps.items[0] : NULL;
    bool plain = own && str_starts(own->id, "sudo apt-get update && ");
    struct plan_step *s = step_for(p, PLAN_UPDATE, plain ? "apt" : f->subject_name);
    if (!s->what.id)
        s->what = plain ? message_of(all) : own ? *own : f->remedy.id ? f->remedy : f->summary;
    closes(s, f);
    concerns(s, f);
}

/* What was updated and still runs in its old form: with the updates, behind them. */
static void add_restart(struct planning *p, const struct finding *f)
{
    struct plan_step *s = step_that_says(p, PLAN_UPDATE, &f->remedy);
    if (!s) {
        s = new_step(p, PLAN_UPDATE, NULL);
        s->what = f->remedy;
        s->reboot = str_equal(f->subject_kind, "kernel");
    }
    closes(s, f);
    concerns(s, f);
}

static void add(struct planning *p, const struct finding *f)
{
    if (!f->remedy.id && !f->patches.count && f->rule_kind != RULE_UPDATE) {
        struct plan_step *s = new_step(p, PLAN_NO_REMEDY, NULL);
        s->what = f->summary;
        s->reboot = 0;
        closes(s, f);
        return;
    }
    switch (f->rule_kind) {
    case RULE_ADVISORY:
        add_advisory(p, f);
        break;
    case RULE_UPDATE:
        add_update(p, f);
        break;
    case RULE_RESTART:
        add_restart(p, f);
        break;
    case RULE_CHECKLIST:
        add_checklist(p, f);
        break;
    default:
        add_setting(p, f);
    }
}

struct plan *plan_make(struct findings *findings, const struct judge_input *in)
{
    struct plan *plan = mem_alloc(sizeof *plan);
    struct planning p = {.plan = plan, .in = in, .arena = findings->arena};
    /* First the advisories and what was left behind: the checklists go into their steps. */
    for (int pass = 0; pass < 2; pass++) {
        for (size_t i = 0; i < findings->list.count; i++) {
            const struct finding *f = findings->list.items[i];
            bool later = f->rule_kind != RULE_ADVISORY && f->rule_kind != RULE_LEAVING;
            if (finding_is_open(f) && later == (pass == 1))
                add(&p, f);
        }
        plan_drop_contained(&p);
    }
    for (size_t i = 0; i < findings->list.count; i++)
        plan->unknown += findings->list.items[i]->verdict == VERDICT_UNKNOWN;
    add_gone(&p);
    struct port_row *rows;
    size_t ports = judge_ports(p.arena, in->facts, &rows);
    for (size_t i = 0; i < ports; i++)
        plan->open_ports += rows[i].opinion == PORT_NO_BUSINESS;
    VEC_FREE(&p.by_rule);
    plan_order(plan);
    return plan;
}

void plan_free(struct plan *p)
{
    if (!p)
        return;
    for (size_t i = 0; i < p->steps.count; i++) {
        VEC_FREE(&p->steps.items[i]->closes);
        VEC_FREE(&p->steps.items[i]->subjects);
        VEC_FREE(&p->steps.items[i]->needs);
    }
    VEC_FREE(&p->steps);
    VEC_FREE(&p->gone);
    free(p);
}
