#include "model/site_root.h"

#include "base/str.h"

#include <stdlib.h>

struct listing {
    const struct facts *facts;
    struct arena *arena;
    VEC(struct site_root) roots;
};

static const char *trimmed(struct arena *arena, const char *path)
{
    size_t length = strlen(path);
    while (length > 1 && path[length - 1] == '/')
        length--;
    return arena_strndup(arena, path, length);
}

static bool is_listed(const struct listing *l, const struct site_root *r)
{
    for (size_t i = 0; i < l->roots.count; i++) {
        const struct site_root *other = &l->roots.items[i];
        if (str_equal(other->server, r->server) && str_equal(other->root, r->root) &&
            str_equal(other->pattern, r->pattern) && str_equal(other->user, r->user) &&
            str_equal(other->group, r->group))
            return true;
    }
    return false;
}

static const char *first_of(const struct fact *f, const char *key, const char *otherwise)
{
    return *fact_text(f, key) ? fact_text(f, key) : fact_text(f, otherwise);
}

/* The folder that a fact has under `key`; `site` says who runs it. */
static void list(struct listing *l, const struct fact *f, const struct fact *site, const char *key,
                 const char *url)
{
    const struct fact_value *folder = fact_value(f, key);
    if (!folder || folder->state == VALUE_ABSENT)
        return;
    bool known = folder->state == VALUE_TEXT && folder->text[0] == '/';
    const char *pattern = arena_printf(l->arena, "%s_pattern", key);
    struct site_root r = {
        .server = fact_text(site, "server"),
        .name = fact_text(site, "name"),
        .root = known ? trimmed(l->arena, folder->text) : "",
        .pattern = known ? "" : first_of(f, pattern, key),
        .url_prefix = url,
        .user = first_of(site, "runs_as_user", "user"),
        .group = first_of(site, "runs_as_group", "group"),
        .source = arena_printf(l->arena, "%s:%llu", f->path, (unsigned long long)f->line),
    };
    if (!is_listed(l, &r))
        VEC_PUSH(&l->roots, r);
}

/* Whether a path's folder is where its site's root has it: nothing new to look at. */
static bool lies_in_root(struct arena *arena, const struct fact *site, const struct fact *path)
{
    const char *root = trimmed(arena, fact_text(site, "root"));
    const char *folder = fact_text(path, "directory");
    if (str_equal(trimmed(arena, folder), root))
        return true;
    return *root && str_starts(folder, root) &&
           str_equal(folder + (str_equal(root, "/") ? 0 : strlen(root)), fact_text(path, "path"));
}

/* What stands at a handler's path never reaches a visitor as it is, unless it is a program in
 * the folder itself: pages that PHP makes lie there. */
static bool is_answered_elsewhere(const struct fact *path)
{
    static const char *const elsewhere[] = {"proxy:http", "return:", "grpc:", "memcached:"};
    for (size_t i = 0; i < ARRAY_COUNT(elsewhere); i++)
        if (str_starts(fact_text(path, "handler"), elsewhere[i]))
            return true;
    return false;
}

static void list_site(struct listing *l, const struct fact *site)
{
    if (str_equal(fact_text(site, "reachable"), "no") || is_answered_elsewhere(site))
        return;
    list(l, site, site, "root", "/");
    for (const struct fact *p = NULL; (p = facts_next(l->facts, "vdir", p));)
        if (str_equal(fact_text(p, "server"), fact_text(site, "server")) &&
            str_equal(fact_text(p, "instance"), fact_text(site, "instance")) &&
            str_equal(fact_text(p, "site"), fact_text(site, "name")) && !is_answered_elsewhere(p) &&
            !lies_in_root(l->arena, site, p))
            list(l, p, site, "directory", fact_text(p, "path"));
}

struct site_roots site_roots_of(const struct facts *facts, struct arena *arena)
{
    static const char *const servers[] = {"nginx", "apache2", "lighttpd"};
    struct listing l = {.facts = facts, .arena = arena};
    for (const struct fact *site = NULL; (site = facts_next(facts, "site", site));)
        for (size_t i = 0; i < ARRAY_COUNT(servers); i++)
            if (str_equal(fact_text(site, "server"), servers[i]))
                list_site(&l, site);
    struct site_roots out = {.count = l.roots.count};
    out.items = arena_dup(arena, l.roots.items, l.roots.count * sizeof *l.roots.items);
    VEC_FREE(&l.roots);
    return out;
}
