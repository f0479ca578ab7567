#include "audit/site_pages.h"

#include "base/str.h"

#include <stdlib.h>
#include <string.h>

static bool listens(const struct facts *facts, const char *port)
{
    for (const struct fact *f = facts_first(facts, "listener"); f;
         f = facts_next(facts, "listener", f))
        if (str_equal(fact_text(f, "proto"), "tcp") && str_equal(fact_text(f, "port"), port))
            return true;
    return false;
}

/* The first name that is one: no pattern. */
static const char *name_of(struct arena *arena, const struct fact *site)
{
    for (const char *at = fact_text(site, "names"); *at;) {
        size_t n = strcspn(at, " ");
        const char *name = arena_strndup(arena, at, n);
        if (n && name[0] != '~' && name[0] != '_' && name[0] != '.' && !strpbrk(name, "*$/"))
            return name;
        at += n + (at[n] == ' ');
    }
    return "localhost";
}

/* "*:80", "[::]:443/ssl", "127.0.0.1:8080": a URL that reaches it over loopback, or NULL. With
 * facts only where the port listens. */
static const char *url_of(struct arena *arena, const struct facts *facts, const char *name,
                          const char *binding)
{
    static const char *const reached[] = {"*:", "0.0.0.0:", "[::]:", "127.0.0.1:", "[::1]:"};
    bool tls = str_ends(binding, "/ssl");
    for (size_t i = 0; i < ARRAY_COUNT(reached); i++) {
        if (!str_starts(binding, reached[i]))
            continue;
        const char *at = binding + strlen(reached[i]);
        const char *port = arena_strndup(arena, at, strspn(at, "0123456789"));
        if (!*port || (facts && !listens(facts, port)))
            return NULL;
        bool usual = str_equal(port, tls ? "443" : "80");
        return arena_printf(arena, "%s://%s%s%s/", tls ? "https" : "http", name, usual ? "" : ":",
                            usual ? "" : port);
    }
    return NULL;
}

struct urls {
    VEC(const char *) list;
};

static void add_site(struct urls *urls, struct arena *arena, const struct facts *facts,
                     const struct fact *site)
{
    const char *name = name_of(arena, site);
    if (str_equal(fact_text(site, "reachable"), "no") || *fact_text(site, "condition"))
        return;
    for (const char *at = fact_text(site, "bindings"); *at;) {
        size_t n = strcspn(at, " ");
        const char *url = url_of(arena, facts, name, arena_strndup(arena, at, n));
        if (url)
            VEC_PUSH(&urls->list, url);
        at += n + (at[n] == ' ');
    }
}

size_t site_pages(const struct facts *facts, bool listening, struct arena *arena, const char ***out)
{
    struct urls urls = {0};
    for (const struct fact *f = facts_first(facts, "site"); f; f = facts_next(facts, "site", f))
        add_site(&urls, arena, listening ? facts : NULL, f);
    size_t count = urls.list.count;
    *out = count ? arena_dup(arena, urls.list.items, count * sizeof *urls.list.items) : NULL;
    VEC_FREE(&urls.list);
    return count;
}
