#include "audit/site_pages.h"

#include "base/str.h"

#include <stdlib.h>

static bool have_page(const site_page_list *list, const struct site_page *page)
{
    for (size_t i = 0; i < list->count; i++)
        if (str_equal(list->items[i].url, page->url) &&
            str_equal(list->items[i].address, page->address))
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

static bool is_loopback(const char *address)
{
    static const char *const all[] = {"*", "0.0.0.0", "[::]", "127.0.0.1", "[::1]"};
    for (size_t i = 0; i < ARRAY_COUNT(all); i++)
        if (str_equal(address, all[i]))
            return true;
    return false;
}

/* "*:80", "[::]:443/ssl", "192.0.2.1:8080" */
static bool read_binding(struct site_page *out, struct arena *arena, const char *name,
                         const char *binding)
{
    bool tls = str_ends(binding, "/ssl");
    const char *colon = strrchr(binding, ':');
    if (!colon)
        return false;
    const char *port = arena_strndup(arena, colon + 1, strspn(colon + 1, "0123456789"));
    const char *address = arena_strndup(arena, binding, (size_t)(colon - binding));
    bool usual = str_equal(port, tls ? "443" : "80");
    if (!*port || !*address)
        return false;
    if (is_loopback(address))
        address = NULL;
    else if (address[0] == '[')
        address = arena_strndup(arena, address + 1, strcspn(address + 1, "]"));
    *out = (struct site_page){arena_printf(arena, "%s://%s%s%s/", tls ? "https" : "http", name,
                                           usual ? "" : ":", usual ? "" : port),
                              address};
    return true;
}

void site_pages_of(site_page_list *out, const struct facts *facts, struct arena *arena)
{
    for (const struct fact *f = facts_first(facts, "site"); f; f = facts_next(facts, "site", f)) {
        const char *name = name_of(arena, f);
        if (str_equal(fact_text(f, "reachable"), "no") || *fact_text(f, "condition"))
            continue;
        for (const char *at = fact_text(f, "bindings"); *at;) {
            size_t n = strcspn(at, " ");
            struct site_page page;
            if (out->count < SITE_PAGES_MOST &&
                read_binding(&page, arena, name, arena_strndup(arena, at, n)) &&
                !have_page(out, &page))
                VEC_PUSH(out, page);
            at += n + (at[n] == ' ');
        }
    }
}
