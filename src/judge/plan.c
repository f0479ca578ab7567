#include "judge/plan.h"

#include "base/str.h"
#include "judge/patches.h"
#include "judge/ports.h"
#include "model/date.h"

#include <stdlib.h>

struct planning {
    struct plan *plan;
    struct findings *findings;
    const struct judge_input *in;
    struct arena *arena;
    struct {
        const char *product, *version;
        struct patches *graph;
    } graphs[32];
    size_t graph_count;
};

static struct plan_step *step_for(struct planning *p, enum plan_part part, const char *patch)
{
    for (size_t i = 0; patch && i < p->plan->steps.count; i++) {
        struct plan_step *s = p->plan->steps.items[i];
        if (s->part == part && s->patch && str_equal_nocase(s->patch, patch))
            return s;
    }
    struct plan_step *s = arena_alloc(p->arena, sizeof *s);
    s->part = part;
    s->patch = patch;
    s->reboot = -1;
    VEC_PUSH(&p->plan->steps, s);
    return s;
}

static bool lists(const char *const *items, size_t count, const char *text)
{
    for (size_t i = 0; i < count; i++)
        if (str_equal_nocase(items[i], text))
            return true;
    return false;
}

static void closes(struct plan_step *s, const struct finding *f)
{
    if (!lists(s->closes.items, s->closes.count, f->rule_id))
        VEC_PUSH(&s->closes, f->rule_id);
    s->exploited |= f->exploited;
    if (f->severity > s->severity)
        s->severity = f->severity;
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

/* The graph of any product on this host that knows the key. */
static const struct advisory_patch *patch_of(struct planning *p, const char *key,
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

/* Workarounds of exploited holes: what shuts them today, before any patch is there. */
static void add_now(struct planning *p, const struct finding *f)
{
    const struct advisory *a = advisories_find(p->in->advisories, f->rule_id);
    const struct advisory_case *const *cases;
    size_t count = a ? advisories_cases_of(p->in->advisories, a, &cases) : 0;
    if (!f->exploited || f->unreachable)
        return;
    for (size_t i = 0; i < count; i++) {
        if (!str_equal(cases[i]->title, f->subject_name))
            continue;
        for (size_t r = 0; r < cases[i]->remedy_count; r++) {
            const struct advisory_remedy *remedy = &cases[i]->remedies[r];
            if (remedy->kind != REMEDY_WORKAROUND && remedy->kind != REMEDY_MITIGATION)
                continue;
            if (remedy->date != DATE_NONE && p->in->as_of != DATE_NONE &&
                remedy->date > p->in->as_of)
                continue;
            struct plan_step *s = NULL;
            for (size_t k = 0; k < p->plan->steps.count; k++)
                if (p->plan->steps.items[k]->part == PLAN_NOW &&
                    str_equal(p->plan->steps.items[k]->what.id, remedy->text))
                    s = p->plan->steps.items[k];
            if (!s)
                s = step_for(p, PLAN_NOW, NULL);
            s->what = message_of(remedy->text);
            s->reboot = 0;
            closes(s, f);
        }
    }
}

static void name_patch(struct plan_step *s, const struct advisory_patch *patch, const char *key)
{
    bool pack = patches_is_service_pack(key);
    bool named = patch && (pack || strstr(patch->title, patch->key));
    if (!patch || !*patch->title) {
        s->what = message_of(N_("Apply {patch}, on a test host first"));
        message_put(&s->what, "patch", key);
        return;
    }
    s->what = message_of(named ? N_("Apply {title}, on a test host first")
                               : N_("Apply {title} ({patch}), on a test host first"));
    message_put_translated(&s->what, "title", patch->title);
    if (!named)
        message_put(&s->what, "patch", patch->key);
}

static void add_needs(struct planning *p, struct plan_step *s, const struct advisory_patch *patch)
{
    for (size_t i = 0; patch && i < patch->requires_count; i++) {
        const char *need = patch->requires[i];
        const char *key = strchr(need, ':') && !patches_is_service_pack(need)
                              ? arena_printf(p->arena, "service-pack:%s", need)
                              : need;
        bool pack = patches_is_service_pack(key);
        if (pack && patches_has_service_pack(p->in->facts, key))
            continue;
        if (!lists(s->needs.items, s->needs.count, key))
            VEC_PUSH(&s->needs, key);
        if (!pack)
            continue;
        /* A service pack that is needed becomes a step even if no finding asks for it. */
        struct patches *graph;
        const struct advisory_patch *sp = patch_of(p, key, &graph);
        struct plan_step *first = step_for(p, PLAN_SERVICE_PACK, sp ? sp->key : key);
        if (!first->what.id) {
            name_patch(first, sp, key);
            first->reboot = 1;
        }
    }
}

/* Was it here before? The record, an earlier audit, or the uninstall folder say so. */
static bool was_here(const struct facts *facts, const char *key)
{
    static const char *const kinds[] = {"patch-before", "hotfix-leavings", "patch-recorded"};
    for (size_t k = 0; k < ARRAY_COUNT(kinds); k++)
        for (const struct fact *f = facts_first(facts, kinds[k]); f;
             f = facts_next(facts, kinds[k], f))
            if (str_equal_nocase(fact_text(f, "id"), key))
                return true;
    return false;
}

static void add_patch(struct planning *p, const struct finding *f, const char *key)
{
    struct patches *graph = NULL;
    const struct advisory_patch *patch = patch_of(p, key, &graph);
    bool pack = patches_is_service_pack(key);
    struct plan_step *s =
        step_for(p, pack ? PLAN_SERVICE_PACK : PLAN_PATCH, patch ? patch->key : key);
    closes(s, f);
    if (!s->what.id) {
        name_patch(s, patch, key);
        s->reboot = patch ? patch->reboot : -1;
        if (pack && s->reboot < 0)
            s->reboot = 1;
        add_needs(p, s, patch);
    }
    if (f->verdict == VERDICT_BROKEN || was_here(p->in->facts, key))
        s->lost = true;
    const char *const *below;
    size_t count = patches_superseded(graph, key, &below);
    for (size_t i = 0; i < count; i++)
        s->lost |= was_here(p->in->facts, below[i]) &&
                   patches_marker(graph, below[i], NULL) == MARKER_ABSENT;
}

static void add_setting(struct planning *p, const struct finding *f)
{
    if (!f->remedy.id)
        return;
    /* Somebody has been in: that comes before everything. */
    enum plan_part part = str_equal(f->subject_kind, "leaving") ? PLAN_NOW : PLAN_SETTING;
    struct plan_step *s = NULL;
    for (size_t i = 0; i < p->plan->steps.count; i++)
        if (p->plan->steps.items[i]->part == part &&
            str_equal(p->plan->steps.items[i]->what.id, f->remedy.id))
            s = p->plan->steps.items[i];
    if (!s) {
        s = step_for(p, part, NULL);
        s->intrusion = part == PLAN_NOW;
        s->what = f->remedy;
        s->reboot = 0;
    }
    closes(s, f);
    if (f->subject_name && !lists(s->subjects.items, s->subjects.count, f->subject_name))
        VEC_PUSH(&s->subjects, f->subject_name);
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
    if (f->subject_name && !lists(s->subjects.items, s->subjects.count, f->subject_name))
        VEC_PUSH(&s->subjects, f->subject_name);
}

static int by_order(const void *x, const void *y)
{
    const struct plan_step *a = *(struct plan_step *const *)x;
    const struct plan_step *b = *(struct plan_step *const *)y;
    if (a->part != b->part)
        return (int)a->part - (int)b->part;
    if (a->intrusion != b->intrusion)
        return a->intrusion ? -1 : 1;
    if (a->part == PLAN_PATCH && (a->needs.count > 0) != (b->needs.count > 0))
        return a->needs.count ? 1 : -1;
    if (a->exploited != b->exploited)
        return a->exploited ? -1 : 1;
    if (a->severity != b->severity)
        return (int)b->severity - (int)a->severity;
    /* patches that need a restart stand together, at the end of their part */
    if (a->part == PLAN_PATCH && a->reboot != b->reboot)
        return a->reboot - b->reboot;
    return strcmp(a->patch ? a->patch : a->what.id, b->patch ? b->patch : b->what.id);
}

/* Whatever a step needs comes before it. Bounded: each pass moves at least one step. */
static void order_needs(struct plan *plan)
{
    for (size_t pass = 0; pass < plan->steps.count; pass++) {
        bool moved = false;
        for (size_t i = 0; i < plan->steps.count; i++) {
            struct plan_step *s = plan->steps.items[i];
            for (size_t k = i + 1; k < plan->steps.count; k++) {
                struct plan_step *later = plan->steps.items[k];
                if (!later->patch || !lists(s->needs.items, s->needs.count, later->patch) ||
                    lists(later->needs.items, later->needs.count, s->patch ? s->patch : ""))
                    continue;
                memmove(&plan->steps.items[i + 1], &plan->steps.items[i],
                        (k - i) * sizeof *plan->steps.items);
                plan->steps.items[i] = later;
                moved = true;
                break;
            }
        }
        if (!moved)
            return;
    }
}

/* Only the highest service pack of a host is applied; what a patch step is contained in, and
 * a patch that another step supersedes, fall away. */
static void drop_contained(struct planning *p)
{
    struct plan *plan = p->plan;
    struct plan_step *pack = NULL;
    for (size_t i = 0; i < plan->steps.count; i++) {
        struct plan_step *s = plan->steps.items[i];
        if (s->part != PLAN_SERVICE_PACK)
            continue;
        const char *level = strrchr(s->patch, ':'), *best = pack ? strrchr(pack->patch, ':') : NULL;
        if (!best || patches_service_pack_level(level + 1) > patches_service_pack_level(best + 1))
            pack = s;
    }
    size_t kept = 0;
    for (size_t i = 0; i < plan->steps.count; i++) {
        struct plan_step *s = plan->steps.items[i];
        struct plan_step *into = NULL;
        if (s->part == PLAN_SERVICE_PACK && s != pack) {
            into = pack;
        } else if (s->part == PLAN_PATCH) {
            struct patches *graph;
            const struct advisory_patch *patch = patch_of(p, s->patch, &graph);
            for (size_t k = 0; pack && patch && k < patch->contained_count; k++) {
                const char *have = strrchr(pack->patch, ':');
                const char *in = strrchr(patch->contained_in[k], ':');
                if (have && in &&
                    patches_service_pack_level(have + 1) >= patches_service_pack_level(in + 1))
                    into = pack;
            }
            for (size_t k = 0; !into && k < plan->steps.count; k++) {
                struct plan_step *other = plan->steps.items[k];
                const char *const *below;
                if (other == s || other->part != PLAN_PATCH)
                    continue;
                size_t count = patches_superseded(graph, other->patch, &below);
                if (lists(below, count, s->patch))
                    into = other;
            }
        }
        if (!into) {
            plan->steps.items[kept++] = s;
            continue;
        }
        for (size_t k = 0; k < s->closes.count; k++)
            if (!lists(into->closes.items, into->closes.count, s->closes.items[k]))
                VEC_PUSH(&into->closes, s->closes.items[k]);
        into->exploited |= s->exploited;
        into->lost |= s->lost;
        VEC_FREE(&s->closes);
        VEC_FREE(&s->subjects);
        VEC_FREE(&s->needs);
    }
    plan->steps.count = kept;
}

struct plan *plan_make(struct findings *findings, const struct judge_input *in)
{
    struct plan *plan = mem_alloc(sizeof *plan);
    struct planning p = {.plan = plan, .findings = findings, .in = in, .arena = findings->arena};
    for (size_t i = 0; i < findings->list.count; i++) {
        struct finding *f = findings->list.items[i];
        if (f->verdict == VERDICT_UNKNOWN)
            plan->unknown++;
        if (!finding_is_open(f))
            continue;
        switch (f->rule_kind) {
        case RULE_ADVISORY:
            add_now(&p, f);
            if (f->patches.count) {
                plan->bulletins++;
                add_patch(&p, f, f->patches.items[0]);
            } else {
                add_setting(&p, f);
            }
            break;
        case RULE_UPDATE:
            add_update(&p, f);
            break;
        case RULE_CHECKLIST:
            plan->open_settings++;
            add_setting(&p, f);
            break;
        default:
            add_setting(&p, f);
        }
    }
    struct port_row *rows;
    size_t ports = judge_ports(p.arena, in->facts, &rows);
    for (size_t i = 0; i < ports; i++)
        plan->open_ports += rows[i].opinion == PORT_NO_BUSINESS;
    drop_contained(&p);
    if (plan->steps.count)
        qsort(plan->steps.items, plan->steps.count, sizeof *plan->steps.items, by_order);
    order_needs(plan);
    for (size_t i = 0; i < plan->steps.count; i++) {
        struct plan_step *s = plan->steps.items[i];
        s->order = (unsigned)i + 1;
        plan->check_again |= s->part == PLAN_SERVICE_PACK;
        s->check = message_of(N_("yagura audit: {closes} must turn to fixed"));
        message_put(&s->check, "closes", s->closes.count ? s->closes.items[0] : "");
    }
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
    free(p);
}
