#include "cmd/cmd.h"

#include "base/json.h"
#include "base/str.h"

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

static int list(struct cli *cli, const struct view *v, bool damaged)
{
    int64_t before = INT64_MAX;
    size_t shown = 0;
    if (cli->before && !date_parse(cli->before, &before))
        return cli_usage(cli, _("--before wants a date like 2001-06-06, not %s"), cli->before);
    for (size_t i = 0; i < advisories_count(v->set); i++) {
        const struct advisory *a = advisories_at(v->set, i);
        if (a->released >= before || a->released > v->as_of)
            continue;
        shown++;
        if (cli->json) {
            show_json_line(&cli->show, advisory_json(v, a));
            continue;
        }
        char day[16];
        date_format_day(a->released, day);
        show_cell(&cli->show, a->id, 18);
        show_cell(&cli->show, day, 11);
        show_cell(&cli->show, show_severity(a->severity), 9);
        show_cell(&cli->show, language_text(a->title),
                  cli->show.width > 60 ? cli->show.width - 38 : 20);
        fputc('\n', stdout);
    }
    if (cli->json)
        cli_end_json(cli, damaged, "advisories", shown);
    else
        printf(ngettext("%zu advisory\n", "%zu advisories\n", shown), shown);
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

static void show_case(struct cli *cli, const struct view *v, const struct advisory_case *c)
{
    CLEANUP_STR struct str line = {0};
    str_add(&line, language_text(c->title));
    for (size_t i = 0; i < c->cve_count; i++)
        str_printf(&line, "%s%s", i ? ", " : " — ", c->cves[i]);
    fputc('\n', stdout);
    cli_paragraph(cli, _("on"), str_text(&line));
    str_clear(&line);
    for (size_t i = 0; i < c->patch_count; i++)
        if (is_patch_known(v, c, c->patches[i]))
            str_printf(&line, "%s%s", line.length ? ", " : "", c->patches[i]);
    cli_paragraph(cli, _("patch"), str_text(&line));
    for (size_t i = 0; i < c->file_count; i++) {
        str_clear(&line);
        str_printf(&line, "%s %s", c->files[i].path, c->files[i].range);
        cli_paragraph(cli, i ? "" : _("proof"), str_text(&line));
    }
    size_t shown = 0;
    for (size_t i = 0; i < c->exploit_count; i++)
        if (is_known(v, c->exploits[i].date))
            cli_paragraph(cli, shown++ ? "" : _("used by"), language_text(c->exploits[i].text));
    shown = 0;
    for (size_t i = 0; i < c->remedy_count; i++)
        if (is_known(v, c->remedies[i].date))
            cli_paragraph(cli, shown++ ? "" : _("do this"), language_text(c->remedies[i].text));
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
    if (!a)
        return cli_usage(cli, _("there is no advisory %s; yagura advisory list names them"), id);
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
    for (size_t i = 0; i < count; i++)
        show_case(cli, v, cases[i]);
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
    return cli_usage(cli, _("advisory list or advisory show ID?"));
}
