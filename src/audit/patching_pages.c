#include "audit/patching_internal.h"

#include "act/pages.h"
#include "audit/site_pages.h"
#include "base/str.h"

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

void patching_choose_pages(struct patching *p, const struct patching_request *r,
                           const struct facts *facts)
{
    for (size_t i = 0; i < r->url_count; i++)
        add_page(p, r->urls[i]);
    if (r->url_count)
        return;
    const char **urls;
    size_t count = site_pages(facts, true, p->arena, &urls);
    for (size_t i = 0; i < count; i++)
        add_page(p, urls[i]);
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
