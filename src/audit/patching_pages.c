#include "audit/patching_internal.h"

#include "act/pages.h"
#include "audit/site_pages.h"
#include "base/str.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { MOST_PAGES = SITE_PAGES_MOST, TRIES_AFTER = 5 };

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

static bool listens(const struct facts *facts, const char *url)
{
    char port[8];
    struct page_url u;
    if (!pages_parse(&u, url, NULL))
        return false;
    snprintf(port, sizeof port, "%u", u.port);
    for (const struct fact *f = facts_first(facts, "listener"); f;
         f = facts_next(facts, "listener", f))
        if (str_equal(fact_text(f, "proto"), "tcp") && str_equal(fact_text(f, "port"), port))
            return true;
    return false;
}

void patching_choose_pages(struct patching *p, const struct patching_request *r,
                           const struct facts *facts)
{
    for (size_t i = 0; i < r->url_count; i++)
        add_page(p, r->urls[i]);
    if (r->url_count)
        return;
    site_page_list found = {0};
    site_pages_of(&found, facts, p->arena);
    for (size_t i = 0; i < found.count; i++)
        if (!found.items[i].address && listens(facts, found.items[i].url))
            add_page(p, found.items[i].url);
    VEC_FREE(&found);
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

/* Twice alike: a server that was told to read its settings anew answers for a moment as before. */
void patching_ask_after(struct patching *p)
{
    unsigned settled = 0;
    for (unsigned k = 0; k < TRIES_AFTER && settled < 2; k++) {
        bool as_before = true;
        if (k)
            sleep(1);
        for (size_t i = 0; i < p->pages.count; i++) {
            struct patching_page *page = &p->pages.items[i];
            page->after = ask(p, page->url, &page->why_after);
            as_before &= page->after == page->before;
        }
        settled = as_before ? settled + 1 : 0;
    }
}
