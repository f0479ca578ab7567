#include "cmd/cmd.h"

#include "base/json.h"
#include "base/str.h"

static json_t *advisory_json(const struct advisory *a)
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
    json_put_string(o, "version", a->version);
    json_put_string(o, "url", a->url);
    json_put_string(o, "feed", a->feed);
    return o;
}

static int list(struct cli *cli, const struct advisories *set, bool damaged)
{
    int64_t before = INT64_MAX, as_of = INT64_MAX;
    size_t shown = 0;
    if (cli->before && !date_parse(cli->before, &before))
        return cli_usage(cli, _("--before wants a date like 2001-06-06, not %s"), cli->before);
    if (cli->as_of && !date_parse_day_end(cli->as_of, &as_of))
        return cli_usage(cli, _("--as-of wants a date like 2001-06-06, not %s"), cli->as_of);
    for (size_t i = 0; i < advisories_count(set); i++) {
        const struct advisory *a = advisories_at(set, i);
        if (a->released >= before || a->released > as_of)
            continue;
        shown++;
        if (cli->json) {
            show_json_line(&cli->show, advisory_json(a));
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

static void show_case(struct cli *cli, const struct advisory_case *c)
{
    CLEANUP_STR struct str line = {0};
    str_add(&line, language_text(c->title));
    for (size_t i = 0; i < c->cve_count; i++)
        str_printf(&line, "%s%s", i ? ", " : " — ", c->cves[i]);
    fputc('\n', stdout);
    cli_paragraph(cli, _("on"), str_text(&line));
    str_clear(&line);
    for (size_t i = 0; i < c->patch_count; i++)
        str_printf(&line, "%s%s", i ? ", " : "", c->patches[i]);
    cli_paragraph(cli, _("patch"), str_text(&line));
    for (size_t i = 0; i < c->file_count; i++) {
        str_clear(&line);
        str_printf(&line, "%s %s", c->files[i].path, c->files[i].range);
        cli_paragraph(cli, i ? "" : _("proof"), str_text(&line));
    }
    for (size_t i = 0; i < c->exploit_count; i++)
        cli_paragraph(cli, i ? "" : _("used by"), language_text(c->exploits[i].text));
    for (size_t i = 0; i < c->remedy_count; i++)
        cli_paragraph(cli, i ? "" : _("do this"), language_text(c->remedies[i].text));
}

static json_t *case_json(const struct advisory_case *c)
{
    json_t *o = json_object(), *cves = json_array(), *patches = json_array(), *files = json_array(),
           *remedies = json_array();
    json_put_string(o, "product", c->title);
    for (size_t i = 0; i < c->cve_count; i++)
        json_array_append_new(cves, json_from_text(c->cves[i]));
    for (size_t i = 0; i < c->patch_count; i++)
        json_array_append_new(patches, json_from_text(c->patches[i]));
    for (size_t i = 0; i < c->file_count; i++)
        json_array_append_new(
            files, json_pack("{s:s, s:s}", "path", c->files[i].path, "fixed", c->files[i].range));
    for (size_t i = 0; i < c->remedy_count; i++)
        json_array_append_new(remedies, json_from_text(c->remedies[i].text));
    json_object_set_new(o, "cves", cves);
    json_object_set_new(o, "patches", patches);
    json_object_set_new(o, "files", files);
    json_object_set_new(o, "remedies", remedies);
    return o;
}

static int show_one(struct cli *cli, const struct advisories *set, const char *id, bool damaged)
{
    const struct advisory *a = advisories_find(set, id);
    if (!a)
        return cli_usage(cli, _("there is no advisory %s; yagura advisory list names them"), id);
    const struct advisory_case *const *cases;
    size_t count = advisories_cases_of(set, a, &cases);
    if (cli->json) {
        json_t *o = advisory_json(a), *list = json_array();
        json_put_string(o, "summary", a->summary);
        json_put_string(o, "description", a->description);
        for (size_t i = 0; i < count; i++)
            json_array_append_new(list, case_json(cases[i]));
        json_object_set_new(o, "cases", list);
        show_json_line(&cli->show, o);
        cli_end_json(cli, damaged, "advisories", 1);
        return damaged ? EXIT_UNKNOWN : EXIT_CLEAN;
    }
    char day[16];
    CLEANUP_STR struct str head = {0};
    date_format_day(a->released, day);
    str_printf(&head, "%s  %s", a->id, language_text(a->title));
    show_colour(&cli->show, SHOW_BOLD);
    show_wrap(&cli->show, "", 0, str_text(&head));
    show_colour(&cli->show, SHOW_PLAIN);
    str_clear(&head);
    str_printf(&head, "%s · %s · %s %s · %s", day, show_severity(a->severity), _("version"),
               a->version, a->publisher);
    show_wrap(&cli->show, "", 0, str_text(&head));
    cli_paragraph(cli, _("what"), language_text(a->summary));
    cli_paragraph(cli, _("why"), language_text(a->description));
    for (size_t i = 0; i < count; i++)
        show_case(cli, cases[i]);
    fputc('\n', stdout);
    cli_paragraph(cli, _("read"), a->url);
    cli_paragraph(cli, _("contact"), a->contact);
    const struct advisory_revision *revisions;
    size_t revision_count = advisories_revisions(set, a, &revisions);
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
    if (str_equal(what, "list") && cli->argument_count == 1)
        return list(cli, set, damaged.code != 0);
    if (str_equal(what, "show") && cli->argument_count == 2)
        return show_one(cli, set, cli->arguments[1], damaged.code != 0);
    return cli_usage(cli, _("advisory list or advisory show ID?"));
}
