#include "respond/health.h"

#include "act/host_program.h"
#include "act/pages.h"
#include "audit/site_pages.h"
#include "base/json.h"
#include "base/language.h"
#include "base/str.h"
#include "model/date.h"

#include <stdlib.h>
#include <time.h>
#include <unistd.h>

enum { TRIES = 5, MOST_NAMED = 5, FIRST_LINE = 200 };

struct asked {
    struct site_page page;
    const char *problem; /* NULL: good */
    int status;          /* 0: no answer */
};

static int64_t now_seconds(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec;
}

static bool choose_pages(site_page_list *out, struct response *r, struct error *e)
{
    const struct respond_options *o = r->options;
    struct audit_request request = {.kind = TARGET_LIVE, .as_of = DATE_NONE, .about = ABOUT_SITES};
    CLEANUP(audit_cleanup) struct audit *a = NULL;
    for (size_t i = 0; i < o->page_count; i++)
        VEC_PUSH(out, ((struct site_page){o->pages[i], NULL}));
    if (out->count)
        return true;
    if (!audit_collect(&a, &request, e))
        return false;
    site_pages_of(out, a->facts, r->arena);
    return true;
}

static void ask(struct asked *a, struct response *r)
{
    struct error e = ERROR_INIT;
    const struct site_page *p = &a->page;
    const char *name = p->address ? arena_printf(r->arena, "%s (%s)", p->url, p->address) : p->url;
    a->status = 0;
    a->problem = NULL;
    if (!pages_ask_at(&a->status, p->url, p->address, &e))
        a->problem = arena_printf(r->arena, "%s: %s", name, e.message);
    else if (a->status < 200 || (a->status >= 400 && a->status != 401))
        a->problem = arena_printf(r->arena, _("%s answers %d"), name, a->status);
}

/* All of them, and those that were not good again, within HEALTH_SECONDS. */
static size_t ask_all(struct asked *all, size_t count, struct response *r)
{
    int64_t until = now_seconds() + HEALTH_SECONDS;
    size_t bad = count;
    for (unsigned k = 0; k < TRIES && bad; k++) {
        bad = 0;
        if (k)
            sleep(1);
        for (size_t i = 0; i < count; i++) {
            if (k && !all[i].problem)
                continue;
            if (now_seconds() < until)
                ask(&all[i], r);
            else if (!all[i].problem)
                all[i].problem = arena_printf(
                    r->arena, _("%s: not asked, the others took too long"), all[i].page.url);
            bad += all[i].problem != NULL;
        }
    }
    return bad;
}

static const char *name_some(struct response *r, const struct asked *all, size_t count)
{
    CLEANUP_STR struct str text = {0};
    size_t named = 0;
    for (size_t i = 0; i < count && named < MOST_NAMED; i++)
        if (all[i].problem)
            str_printf(&text, "%s%s", named++ ? "; " : "", all[i].problem);
    return arena_strdup(r->arena, str_text(&text));
}

static void tell_pages(json_t *result, const struct asked *all, size_t count)
{
    json_t *list = json_array();
    for (size_t i = 0; i < count; i++) {
        json_t *o = json_object();
        json_put_string(o, "url", all[i].page.url);
        if (all[i].page.address)
            json_put_string(o, "address", all[i].page.address);
        if (all[i].status)
            json_put_int(o, "status", all[i].status);
        else
            json_put_string(o, "error", all[i].problem);
        json_array_append_new(list, o);
    }
    json_object_set_new(result, "pages", list);
}

static bool look_at_pages(struct response *r, json_t *result, struct check_result *out)
{
    struct error e = ERROR_INIT;
    site_page_list pages = {0};
    if (!choose_pages(&pages, r, &e)) {
        out->text = arena_strdup(r->arena, e.message);
        VEC_FREE(&pages);
        return false;
    }
    size_t count = pages.count, bad;
    struct asked *all = arena_alloc(r->arena, (count + 1) * sizeof *all);
    for (size_t i = 0; i < count; i++)
        all[i].page = pages.items[i];
    VEC_FREE(&pages);
    bad = ask_all(all, count, r);
    tell_pages(result, all, count);
    if (!count && !r->options->health_command) {
        out->text = _("no site is known that could be asked for a page");
        out->todo = _("name pages in /etc/yagura/yagura.yaml: health: [https://www.example.jp/]");
        return false;
    }
    if (bad) {
        out->verdict = CHECK_FALSE;
        out->text =
            arena_printf(r->arena,
                         ngettext("this host asked itself for %zu page, and %zu is not served: %s",
                                  "this host asked itself for %zu pages, and %zu are not served: "
                                  "%s",
                                  count),
                         count, bad, name_some(r, all, count));
        out->todo = _("mend the web server (its error log says more); if other pages are to be "
                      "asked, name them in /etc/yagura/yagura.yaml: health: "
                      "[https://www.example.jp/]");
        return false;
    }
    out->text = arena_printf(r->arena,
                             ngettext("this host serves its pages: %zu was asked",
                                      "this host serves its pages: %zu were asked", count),
                             count);
    return true;
}

static bool run_command(struct response *r, json_t *result, struct check_result *out)
{
    const char *const *argv = r->options->health_command;
    struct host_program program = {.argv = argv, .seconds = HEALTH_SECONDS, .log = -1};
    CLEANUP_STR struct str said = {0}, line = {0};
    struct error e = ERROR_INIT;
    int code = 0;
    bool ran = host_program_run(&program, &code, &said, &e);
    json_put_string(result, "command", argv[0]);
    json_put_int(result, "code", ran ? code : -1);
    if (ran && code == 0)
        return true;
    size_t length = strcspn(str_text(&said), "\n");
    str_add_printable(&line, str_text(&said), length < FIRST_LINE ? length : FIRST_LINE);
    out->verdict = CHECK_FALSE;
    out->text = !ran ? arena_printf(r->arena, "%s: %s", argv[0], e.message)
                : code == HOST_PROGRAM_NOT_THERE
                    ? arena_printf(r->arena, _("your own check %s is not there"), argv[0])
                    : arena_printf(r->arena, _("your own check %s ends with %d: %s"), argv[0], code,
                                   str_text(&line));
    out->todo = _("respond.health in /etc/yagura/yagura.yaml names this command; mend what it "
                  "complains about, or the command");
    return false;
}

void health_look(struct response *r, bool with_command, json_t *result, struct check_result *out)
{
    *out = (struct check_result){.verdict = CHECK_UNKNOWN, .text = ""};
    if (!look_at_pages(r, result, out) ||
        (with_command && r->options->health_command && !run_command(r, result, out)))
        return;
    out->verdict = CHECK_TRUE;
}
