/* From an audit to a plan of exact versions: see patching.h. */
#include "audit/patching.h"

#include "base/json.h"
#include "base/str.h"
#include "model/date.h"

#include <stdlib.h>

static const char *source_of(const struct facts *facts, const char *name)
{
    for (const struct fact *f = facts_first(facts, "package"); f;
         f = facts_next(facts, "package", f))
        if (str_equal(fact_text(f, "name"), name) && *fact_text(f, "source_package"))
            return fact_text(f, "source_package");
    return name;
}

static void add_word(struct str *list, const char *word)
{
    if (!strstr(str_text(list), word))
        str_printf(list, "%s%s", list->length ? " " : "", word);
}

/* The open findings about this package or its source: their rules, ids and CVEs. */
static const char *closes_of(struct arena *arena, const struct audit *a, const char *name)
{
    enum { MOST = 2000 };
    const char *source = source_of(a->facts, name);
    CLEANUP_STR struct str list = {0};
    for (size_t i = 0; i < a->findings->list.count && list.length < MOST; i++) {
        const struct finding *f = a->findings->list.items[i];
        if (!finding_is_open(f) || !str_equal(f->subject_kind, "package") ||
            !(str_equal(f->subject_name, name) || str_equal(f->subject_name, source)))
            continue;
        add_word(&list, f->rule_id);
        add_word(&list, f->id);
        for (size_t k = 0; k < f->cves.count && list.length < MOST; k++)
            add_word(&list, f->cves.items[k]);
    }
    return arena_strdup(arena, str_text(&list));
}

static void add_steps(struct patch_plan *p, const struct plan *steps)
{
    for (size_t i = 0; i < steps->steps.count; i++) {
        static const char *const parts[] = {
            [PLAN_NOW] = "now",         [PLAN_SERVICE_PACK] = "service-pack",
            [PLAN_PATCH] = "patch",     [PLAN_UPDATE] = "update",
            [PLAN_SETTING] = "setting", [PLAN_NO_REMEDY] = "no-remedy"};
        const struct plan_step *s = steps->steps.items[i];
        CLEANUP_STR struct str closes = {0};
        for (size_t k = 0; k < s->closes.count; k++)
            str_printf(&closes, "%s%s", k ? " " : "", s->closes.items[k]);
        struct patch_plan_step row = {
            s->order, parts[s->part], arena_strdup(p->arena, s->patch ? s->patch : ""),
            message_text(p->arena, &s->what), arena_strdup(p->arena, str_text(&closes))};
        VEC_PUSH(&p->steps, row);
    }
}

static void add_packages(struct patch_plan *p, const struct audit *a, bool all)
{
    for (const struct fact *u = facts_first(a->facts, "update"); u;
         u = facts_next(a->facts, "update", u)) {
        bool security = str_equal(fact_text(u, "security"), "yes");
        const char *name = arena_strdup(p->arena, fact_text(u, "name")),
                   *arch = arena_strdup(p->arena, fact_text(u, "arch")),
                   *from = arena_strdup(p->arena, fact_text(u, "installed")),
                   *to = arena_strdup(p->arena, fact_text(u, "candidate")),
                   *held = arena_strdup(p->arena, fact_text(u, "held"));
        if (!security && !all)
            continue;
        if (*held) {
            const char *newest = fact_text(u, "security_version");
            struct patch_plan_held h = {
                name, arch, from, security && *newest ? arena_strdup(p->arena, newest) : to, held};
            VEC_PUSH(&p->held, h);
            continue;
        }
        struct package_change c = {name,
                                   arch,
                                   from,
                                   to,
                                   arena_strdup(p->arena, fact_text(u, "source_list")),
                                   closes_of(p->arena, a, name),
                                   security,
                                   false};
        VEC_PUSH(&p->packages, c);
    }
}

/* What apt brings along is part of the plan: the test host tries that, too. */
static bool add_dependencies(struct patch_plan *p, struct error *e)
{
    struct package_changes changes;
    if (!p->packages.count)
        return true;
    if (!packages_simulate(&changes, p->arena, p->packages.items, p->packages.count, e))
        return false;
    for (size_t i = 0; i < changes.count; i++)
        if (changes.items[i].dependency)
            VEC_PUSH(&p->packages, changes.items[i]);
    return true;
}

struct patch_plan *patching_plan(const struct audit *a, const struct plan *steps, const char *who,
                                 bool all, struct error *e)
{
    CLEANUP(patch_plan_cleanup) struct patch_plan *p = patch_plan_new();
    char made[32];
    date_format(a->now, made);
    p->made = arena_strdup(p->arena, made);
    p->who = arena_strdup(p->arena, who);
    p->version = YAGURA_VERSION;
    p->host = arena_strdup(p->arena, a->host_name);
    p->identity = arena_strdup(p->arena, a->identity);
    p->os = arena_strdup(p->arena, a->host_line);
    add_steps(p, steps);
    add_packages(p, a, all);
    if (target_kind(a->target) == TARGET_LIVE && !add_dependencies(p, e))
        return NULL;
    struct patch_plan *made_plan = p;
    p = NULL;
    return made_plan;
}
