/* What the manifests do not know, or know otherwise: of each published site one fact of kind
 * "site-content" (docs/facts.md). */
#include "audit/audit_internal.h"
#include "base/language.h"
#include "base/str.h"
#include "content/site.h"
#include "record/sites.h"

enum { MOST_NAMED = 5 };

struct wanted {
    const struct audit_request *target;
    const char *const *paths; /* none: all sites */
    size_t path_count;
};

static bool is_wanted(const struct wanted *w, const char *path)
{
    for (size_t i = 0; i < w->path_count; i++)
        if (audit_lies_in(path, w->paths[i]))
            return true;
    return !w->path_count;
}

/* Is one of the paths in the document root, or above it? */
static bool is_wanted_site(const struct wanted *w, const char *root)
{
    for (size_t i = 0; i < w->path_count; i++)
        if (audit_lies_in(w->paths[i], root))
            return true;
    return is_wanted(w, root);
}

/* What is there and against the policy; what is missing leaves nothing behind. */
static void state_differing(struct facts *facts, const struct wanted *w, const struct site_row *row,
                            const struct differences *found)
{
    CLEANUP_ARENA struct arena *arena = arena_new();
    CLEANUP_STR struct str names = {0};
    size_t count = 0;
    for (size_t i = 0; i < found->count; i++) {
        const struct difference *d = &found->items[i];
        if (!d->wrong || d->beneath || d->kind == DIFFERENCE_REMOVED ||
            d->kind == DIFFERENCE_UNREADABLE ||
            !is_wanted(w, arena_printf(arena, "%s/%s", row->root, d->path)))
            continue;
        if (count++ < MOST_NAMED) {
            str_add(&names, count > 1 ? ", " : "");
            str_add_printable(&names, d->path, strlen(d->path));
        }
    }
    if (!count)
        return;
    struct fact *f = facts_add(facts, "site-content", row->root, 0, -1, CONFIDENCE_HIGH);
    fact_put(facts, f, "site", row->name);
    fact_put(facts, f, "path", row->root);
    fact_put_number(facts, f, "count", (int64_t)count);
    fact_put(facts, f, "names", str_text(&names));
}

static bool compare(struct facts *facts, const struct wanted *w, const struct site_row *row,
                    struct error *e)
{
    const struct audit_request *t = w->target;
    CLEANUP_SITE struct site site = {.rootfd = -1, .aside = {.fd = -1}};
    CLEANUP(differences_cleanup) struct differences *found = NULL;
    struct site_wants wants = {
        .generation = true,
        .own = t->own_policies ? t->own_policies(t->policies_context, row->name) : NULL};
    if (!site_open(&site, t->state, row->name, &wants, e) ||
        !site_compare_quickly(&found, t->state, &site, false, NULL, e))
        return false;
    state_differing(facts, w, row, found);
    if (found->of_kind[DIFFERENCE_UNREADABLE])
        facts_unread(facts, N_("published content"), row->root,
                     _("some names of the site could not be read: yagura verify names them"));
    return true;
}

void audit_compare_sites(struct facts *facts, const struct audit_request *target,
                         const char *const *paths, size_t path_count)
{
    CLEANUP_ARENA struct arena *arena = arena_new();
    struct wanted w = {target, paths, path_count};
    struct site_row *sites;
    size_t count;
    struct error e = ERROR_INIT;
    if (!target->state || !state_knows_sites(target->state))
        return;
    if (!sites_list(target->state, arena, &sites, &count, &e)) {
        facts_unread(facts, N_("published content"), "", e.message);
        return;
    }
    for (size_t i = 0; i < count; i++) {
        struct error problem = ERROR_INIT;
        if (sites[i].generation && is_wanted_site(&w, sites[i].root) &&
            !compare(facts, &w, &sites[i], &problem))
            facts_unread(facts, N_("published content"), sites[i].root, problem.message);
    }
}
