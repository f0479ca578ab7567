#include "cmd/cmd.h"

#include "base/json.h"
#include "base/str.h"

#include <ctype.h>
#include <stdlib.h>

/* The set, and the day as of which it is shown; INT64_MAX: all there is. */
struct view {
    const struct advisories *set;
    int64_t as_of;
};

static bool is_known(const struct view *v, int64_t date)
{
    return date == DATE_NONE || date <= v->as_of;
}

static json_t *advisory_json(const struct view *v, const struct advisory *a)
{
    char day[16];
    json_t *o = json_object();
    json_put_string(o, "type", "advisory");
    json_put_string(o, "id", a->id);
    json_put_string(o, "title", a->title);
    json_put_string(o, "publisher", a->publisher);
    json_put_string(o, "severity", severity_name(a->severity));
    date_format_day(a->released, day);
    json_put_string(o, "released", day);
    json_put_string(o, "version", advisories_version_on(v->set, a, v->as_of));
    json_put_string(o, "url", a->url);
    json_put_string(o, "feed", a->feed);
    return o;
}

static void list_heading(struct show_table *table)
{
    *show_table_line(table, SHOW_BOLD) = (struct show_line){
        {_("advisory"), _("released"), _("severity"), _("what")}, SHOW_BOLD, NULL};
}

static void list_line(struct show_table *table, struct arena *arena, const struct advisory *a)
{
    char day[16];
    date_format_day(a->released, day);
    *show_table_line(table, SHOW_PLAIN) = (struct show_line){
        {a->id, arena_strdup(arena, day), show_severity(a->severity), language_text(a->title)},
        SHOW_PLAIN,
        NULL};
}

static int list(struct cli *cli, const struct view *v, bool damaged)
{
    int64_t before = INT64_MAX;
    size_t shown = 0;
    if (cli->before && !date_parse(cli->before, &before))
        return cli_usage(cli, _("--before wants a date like 2001-06-06, not %s"), cli->before);
    struct show_table table = {.columns = 4};
    list_heading(&table);
    CLEANUP_ARENA struct arena *arena = arena_new();
    for (size_t i = 0; i < advisories_count(v->set); i++) {
        const struct advisory *a = advisories_at(v->set, i);
        if (a->released >= before || !is_known(v, a->released))
            continue;
        shown++;
        if (cli->json)
            show_json_line(&cli->show, advisory_json(v, a));
        else
            list_line(&table, arena, a);
    }
    if (cli->json) {
        cli_end_json(cli, damaged, "advisories", shown);
    } else {
        show_table(&cli->show, &table, false);
        printf(ngettext("%zu advisory\n", "%zu advisories\n", shown), shown);
    }
    VEC_FREE(&table.lines);
    return damaged ? EXIT_UNKNOWN : EXIT_CLEAN;
}

/* A patch that no document describes has no date. */
static bool is_patch_known(const struct view *v, const struct advisory_case *c, const char *key)
{
    const struct advisory_patch *const *all;
    size_t count = advisories_patches(v->set, c->product, &all);
    for (size_t i = 0; i < count; i++)
        if (str_equal_nocase(all[i]->key, key) && str_equal(all[i]->platform, c->platform))
            return is_known(v, all[i]->released);
    return true;
}

static bool same_list(const char *const *a, size_t a_count, const char *const *b, size_t b_count)
{
    if (a_count != b_count)
        return false;
    for (size_t i = 0; i < a_count; i++)
        if (!str_equal(a[i], b[i]))
            return false;
    return true;
}

/* The same patches, and the same files to prove them. */
static bool same_patches(const struct advisory_case *a, const struct advisory_case *b)
{
    if (!same_list(a->patches, a->patch_count, b->patches, b->patch_count) ||
        a->file_count != b->file_count)
        return false;
    for (size_t i = 0; i < a->file_count; i++)
        if (!str_equal(a->files[i].path, b->files[i].path) ||
            !str_equal(a->files[i].range, b->files[i].range))
            return false;
    return true;
}

/* The same holes, used in the same way, with the same to be done. */
static bool same_story(const struct view *v, const struct advisory_case *a,
                       const struct advisory_case *b)
{
    if (!same_list(a->cves, a->cve_count, b->cves, b->cve_count) ||
        a->exploit_count != b->exploit_count || a->remedy_count != b->remedy_count)
        return false;
    for (size_t i = 0; i < a->exploit_count; i++)
        if (!str_equal(a->exploits[i].text, b->exploits[i].text) ||
            is_known(v, a->exploits[i].date) != is_known(v, b->exploits[i].date))
            return false;
    for (size_t i = 0; i < a->remedy_count; i++)
        if (!str_equal(a->remedies[i].text, b->remedies[i].text) ||
            is_known(v, a->remedies[i].date) != is_known(v, b->remedies[i].date))
            return false;
    return true;
}

/* "Solaris 7 (SPARC), Solaris 8 (SPARC) — CVE-1999-0977" and what proves the patch there. */
static void show_products(struct cli *cli, const struct view *v,
                          const struct advisory_case *const *cases, size_t count, size_t first,
                          bool *done)
{
    const struct advisory_case *c = cases[first];
    CLEANUP_STR struct str line = {0};
    for (size_t i = first; i < count; i++) {
        if (done[i] || !same_story(v, c, cases[i]) || !same_patches(c, cases[i]))
            continue;
        done[i] = true;
        str_printf(&line, "%s%s", line.length ? ", " : "", language_text(cases[i]->title));
    }
    for (size_t i = 0; i < c->cve_count; i++)
        str_printf(&line, "%s%s", i ? ", " : " — ", c->cves[i]);
    cli_paragraph(cli, _("on"), str_text(&line));
    str_clear(&line);
    for (size_t i = 0; i < c->patch_count; i++)
        if (is_patch_known(v, c, c->patches[i]))
            str_printf(&line, "%s%s", line.length ? ", " : "", show_patch(v->set, c->patches[i]));
    cli_paragraph(cli, _("patch"), str_text(&line));
    for (size_t i = 0; i < c->file_count; i++) {
        str_clear(&line);
        str_printf(&line, "%s %s", c->files[i].path, c->files[i].range);
        cli_paragraph(cli, i ? "" : _("proof"), str_text(&line));
    }
}

/* What is the same on several products is said once. */
static void show_cases(struct cli *cli, const struct view *v,
                       const struct advisory_case *const *cases, size_t count)
{
    CLEANUP_FREE bool *done = mem_alloc(count * sizeof *done + 1);
    memset(done, 0, count * sizeof *done);
    for (size_t i = 0; i < count; i++) {
        const struct advisory_case *c = cases[i];
        if (done[i])
            continue;
        fputc('\n', stdout);
        for (size_t k = i; k < count; k++)
            if (!done[k] && same_story(v, c, cases[k]))
                show_products(cli, v, cases, count, k, done);
        size_t shown = 0;
        for (size_t k = 0; k < c->exploit_count; k++)
            if (is_known(v, c->exploits[k].date))
                cli_paragraph(cli, shown++ ? "" : _("used by"), language_text(c->exploits[k].text));
        shown = 0;
        for (size_t k = 0; k < c->remedy_count; k++)
            if (is_known(v, c->remedies[k].date))
                cli_paragraph(cli, shown++ ? "" : _("do this"), language_text(c->remedies[k].text));
    }
}

static json_t *case_json(const struct view *v, const struct advisory_case *c)
{
    json_t *o = json_object(), *cves = json_array(), *patches = json_array(), *files = json_array(),
           *remedies = json_array(), *exploits = json_array();
    json_put_string(o, "product", c->title);
    for (size_t i = 0; i < c->cve_count; i++)
        json_array_append_new(cves, json_from_text(c->cves[i]));
    for (size_t i = 0; i < c->patch_count; i++)
        if (is_patch_known(v, c, c->patches[i]))
            json_array_append_new(patches, json_from_text(c->patches[i]));
    for (size_t i = 0; i < c->file_count; i++)
        json_array_append_new(
            files, json_pack("{s:s, s:s}", "path", c->files[i].path, "fixed", c->files[i].range));
    for (size_t i = 0; i < c->remedy_count; i++)
        if (is_known(v, c->remedies[i].date))
            json_array_append_new(remedies, json_from_text(c->remedies[i].text));
    for (size_t i = 0; i < c->exploit_count; i++)
        if (is_known(v, c->exploits[i].date))
            json_array_append_new(exploits, json_from_text(c->exploits[i].text));
    json_object_set_new(o, "cves", cves);
    json_object_set_new(o, "patches", patches);
    json_object_set_new(o, "files", files);
    json_object_set_new(o, "remedies", remedies);
    json_object_set_new(o, "exploits", exploits);
    return o;
}

/* WORD stands in the text and is not a piece of a longer one. */
static bool mentions(const char *text, const char *word)
{
    size_t length = strlen(word);
    for (const char *p = text; *text && (p = strcasestr(p, word)); p++)
        if ((p == text || !isalnum((unsigned char)p[-1])) && !isalnum((unsigned char)p[length]))
            return true;
    return false;
}

/* Whether the document speaks of that CVE, patch or older bulletin. */
static bool speaks_of(const struct advisories *set, const struct advisory *a, const char *word)
{
    const struct advisory_case *const *cases;
    size_t count = advisories_cases_of(set, a, &cases);
    bool found = mentions(a->title, word) || mentions(a->summary, word) ||
                 mentions(a->description, word) || mentions(a->url, word);
    for (size_t i = 0; i < count && !found; i++) {
        const struct advisory_case *c = cases[i];
        for (size_t k = 0; k < c->cve_count; k++)
            found |= str_equal_nocase(c->cves[k], word);
        for (size_t k = 0; k < c->patch_count; k++)
            found |= str_equal_nocase(c->patches[k], word);
        for (size_t k = 0; k < c->remedy_count; k++)
            found |= mentions(c->remedies[k].text, word);
    }
    const struct advisory_revision *revisions;
    size_t revision_count = advisories_revisions(set, a, &revisions);
    for (size_t i = 0; i < revision_count; i++)
        found |= mentions(revisions[i].summary, word);
    return found;
}

static bool is_rule(const char *name)
{
    CLEANUP_ARENA struct arena *arena = arena_new();
    struct sigma_problems problems = {.arena = arena};
    struct error e = ERROR_INIT;
    CLEANUP(rules_cleanup) struct rules *rules = NULL;
    bool is =
        audit_load_rules(&rules, NULL, NULL, RULES_ALL, &problems, &e) && rules_find(rules, name);
    sigma_problems_free(&problems);
    return is;
}

/* No document has that id: those that speak of it, or where else it stands. *one is the only
 * one. */
static int point_on(struct cli *cli, const struct view *v, const char *id, bool damaged,
                    const struct advisory **one)
{
    CLEANUP_ARENA struct arena *arena = arena_new();
    struct show_table table = {.columns = 4};
    size_t found = 0;
    list_heading(&table);
    CLEANUP_JSON json_t *objects = json_array();
    for (size_t i = 0; i < advisories_count(v->set); i++) {
        const struct advisory *a = advisories_at(v->set, i);
        if (!is_known(v, a->released) || !speaks_of(v->set, a, id))
            continue;
        *one = found++ ? NULL : a;
        list_line(&table, arena, a);
        json_array_append_new(objects, advisory_json(v, a));
    }
    if (found > 1 && cli->json) {
        for (size_t i = 0; i < found; i++)
            show_json_line(&cli->show, json_incref(json_array_get(objects, i)));
        cli_end_json(cli, damaged, "advisories", found);
    } else if (found > 1) {
        show_wrap(&cli->show, "", 0, arena_printf(arena, _("These advisories speak of %s:"), id));
        show_table(&cli->show, &table, false);
        show_wrap(&cli->show, "", 2,
                  arena_printf(arena, _("Read one: %s"), show_command(arena, "advisory show ID")));
    }
    VEC_FREE(&table.lines);
    if (found)
        return damaged ? EXIT_UNKNOWN : EXIT_CLEAN;
    if (is_rule(id))
        return cli_usage(cli, _("%s is a rule, not an advisory: yagura rules explain %s"), id, id);
    return cli_usage(cli, _("there is no advisory %s; yagura advisory list names them"), id);
}

static json_t *history_json(const struct advisory_revision *revisions, size_t count)
{
    json_t *history = json_array();
    for (size_t i = 0; i < count; i++) {
        char day[16];
        json_t *o = json_object();
        date_format_day(revisions[i].date, day);
        json_put_string(o, "date", day);
        json_put_string(o, "number", revisions[i].number);
        json_put_string(o, "summary", revisions[i].summary);
        json_array_append_new(history, o);
    }
    return history;
}

/* The revisions of that day and before; those behind may be in any order. */
static size_t history_of(const struct view *v, const struct advisory *a, struct arena *arena,
                         const struct advisory_revision **out)
{
    const struct advisory_revision *all;
    size_t count = advisories_revisions(v->set, a, &all), kept = 0;
    struct advisory_revision *list = arena_alloc(arena, (count + 1) * sizeof *list);
    for (size_t i = 0; i < count; i++)
        if (is_known(v, all[i].date))
            list[kept++] = all[i];
    *out = list;
    return kept;
}

static int show_one(struct cli *cli, const struct view *v, const char *id, bool damaged)
{
    const struct advisory *a = advisories_find(v->set, id);
    if (!a) {
        int code = point_on(cli, v, id, damaged, &a);
        if (!a)
            return code;
    }
    char day[16];
    date_format_day(a->released, day);
    if (!is_known(v, a->released))
        return cli_usage(cli, _("%s was first published on %s, after %s"), a->id, day, cli->as_of);
    CLEANUP_ARENA struct arena *arena = arena_new();
    const struct advisory_case *const *cases;
    const struct advisory_revision *revisions;
    size_t count = advisories_cases_of(v->set, a, &cases);
    size_t revision_count = history_of(v, a, arena, &revisions);
    if (cli->json) {
        json_t *o = advisory_json(v, a), *list = json_array();
        json_put_string(o, "summary", a->summary);
        json_put_string(o, "description", a->description);
        for (size_t i = 0; i < count; i++)
            json_array_append_new(list, case_json(v, cases[i]));
        json_object_set_new(o, "cases", list);
        json_put_string(o, "contact", a->contact);
        json_object_set_new(o, "history", history_json(revisions, revision_count));
        show_json_line(&cli->show, o);
        cli_end_json(cli, damaged, "advisories", 1);
        return damaged ? EXIT_UNKNOWN : EXIT_CLEAN;
    }
    CLEANUP_STR struct str head = {0};
    str_printf(&head, "%s  %s", a->id, language_text(a->title));
    show_colour(&cli->show, SHOW_BOLD);
    show_wrap(&cli->show, "", 0, str_text(&head));
    show_colour(&cli->show, SHOW_PLAIN);
    str_clear(&head);
    str_printf(&head, "%s · %s · %s %s · %s", day, show_severity(a->severity), _("version"),
               advisories_version_on(v->set, a, v->as_of), a->publisher);
    show_wrap(&cli->show, "", 0, str_text(&head));
    cli_paragraph(cli, _("what"), language_text(a->summary));
    cli_paragraph(cli, _("why"), language_text(a->description));
    show_cases(cli, v, cases, count);
    fputc('\n', stdout);
    cli_paragraph(cli, _("read"), a->url);
    cli_paragraph(cli, _("contact"), a->contact);
    for (size_t i = 0; i < revision_count; i++) {
        str_clear(&head);
        date_format_day(revisions[i].date, day);
        str_printf(&head, "%s  %s  %s", day, revisions[i].number,
                   language_text(revisions[i].summary));
        cli_paragraph(cli, i ? "" : _("history"), str_text(&head));
    }
    return damaged ? EXIT_UNKNOWN : EXIT_CLEAN;
}

int cmd_advisory(struct cli *cli)
{
    const char *what = cli->argument_count ? cli->arguments[0] : "";
    CLEANUP(state_cleanup) struct state *state = cli_state_if_any(cli);
    CLEANUP(advisories_cleanup) struct advisories *set = NULL;
    struct error e = ERROR_INIT, damaged = ERROR_INIT;
    if (!audit_open_advisories(&set, state, &damaged, &e)) {
        cli_complain(&e);
        return EXIT_UNKNOWN;
    }
    if (damaged.code)
        cli_complain(&damaged);
    struct view view = {set, INT64_MAX};
    if (cli->as_of && !date_parse_day_end(cli->as_of, &view.as_of))
        return cli_usage(cli, _("--as-of wants a date like 2001-06-06, not %s"), cli->as_of);
    if (str_equal(what, "list") && cli->argument_count == 1)
        return list(cli, &view, damaged.code != 0);
    if (str_equal(what, "show") && cli->argument_count == 2)
        return show_one(cli, &view, cli->arguments[1], damaged.code != 0);
    return cli_unknown_action(cli, _("advisory list or advisory show ID?"));
}
