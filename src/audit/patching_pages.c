#include "audit/patching_internal.h"

#include "act/pages.h"
#include "base/str.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { MOST_PAGES = 200, TRIES_AFTER = 5 };

static bool have_page(const struct patching *p, const char *url)
{
    for (size_t i = 0; i < p->pages.count; i++)
        if (str_equal(p->pages.items[i].url, url))
            return true;
    return false;
}

static void add_page(struct patching *p, const char *url)
{
    if (p->pages.count < MOST_PAGES && !have_page(p, url))
        VEC_PUSH(&p->pages,
                 ((struct patching_page){.url = url, .why_before = "", .why_after = ""}));
}

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

/* "*:80", "[::]:443/ssl", "127.0.0.1:8080": a URL that reaches it over loopback, or NULL. */
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
        if (!*port || !listens(facts, port))
            return NULL;
        bool usual = str_equal(port, tls ? "443" : "80");
        return arena_printf(arena, "%s://%s%s%s/", tls ? "https" : "http", name, usual ? "" : ":",
                            usual ? "" : port);
    }
    return NULL;
}

static void add_site(struct patching *p, const struct facts *facts, const struct fact *site)
{
    const char *name = name_of(p->arena, site);
    if (str_equal(fact_text(site, "reachable"), "no") || *fact_text(site, "condition"))
        return;
    for (const char *at = fact_text(site, "bindings"); *at;) {
        size_t n = strcspn(at, " ");
        const char *url = url_of(p->arena, facts, name, arena_strndup(p->arena, at, n));
        if (url)
            add_page(p, url);
        at += n + (at[n] == ' ');
    }
}

void patching_choose_pages(struct patching *p, const struct patching_request *r,
                           const struct facts *facts)
{
    for (size_t i = 0; i < r->url_count; i++)
        add_page(p, r->urls[i]);
    if (r->url_count)
        return;
    for (const struct fact *f = facts_first(facts, "site"); f; f = facts_next(facts, "site", f))
        add_site(p, facts, f);
}

static int ask(struct patching *p, const char *url, const char **why)
{
    int status = 0;
    struct error e = ERROR_INIT;
    *why = pages_ask(&status, url, &e) ? "" : arena_strdup(p->arena, e.message);
    return *e.message ? 0 : status;
}

void patching_ask_before(struct patching *p)
{
    for (size_t i = 0; i < p->pages.count; i++)
        p->pages.items[i].before = ask(p, p->pages.items[i].url, &p->pages.items[i].why_before);
}

void patching_ask_after(struct patching *p)
{
    for (unsigned k = 0; k < TRIES_AFTER; k++) {
        bool as_before = true;
        if (k)
            sleep(1);
        for (size_t i = 0; i < p->pages.count; i++) {
            struct patching_page *page = &p->pages.items[i];
            if (k && page->after == page->before)
                continue;
            page->after = ask(p, page->url, &page->why_after);
            as_before &= page->after == page->before;
        }
        if (as_before)
            return;
    }
}
