#include "cmd/cmd.h"

#include "base/json.h"
#include "base/str.h"

#include <stdlib.h>

/* `key` is the count's name in JSON, `counted` the same for a person. */
static int print_problems(struct cli *cli, const struct sigma_problems *p, const char *key,
                          const char *counted, size_t total)
{
    size_t errors = 0;
    for (size_t i = 0; i < p->list.count; i++) {
        const struct sigma_problem *item = &p->list.items[i];
        errors += !item->warning;
        if (cli->json) {
            json_t *o = json_object();
            json_put_string(o, "type", "problem");
            json_put_string(o, "path", item->path);
            json_put_int(o, "line", item->line);
            json_put_int(o, "column", item->column);
            json_put_bool(o, "warning", item->warning);
            json_put_string(o, "text", item->message);
            show_json_line(&cli->show, o);
        } else {
            struct error e = ERROR_INIT;
            char text[1024];
            snprintf(e.message, sizeof e.message, "%s%s", item->warning ? _("warning: ") : "",
                     item->message);
            error_at(&e, item->path, item->line, item->column);
            printf("%s\n", error_text(&e, text, sizeof text));
        }
    }
    if (cli->json) {
        json_t *o = json_object();
        json_put_string(o, "type", "summary");
        json_put_int(o, "found", (int64_t)errors);
        json_put_int(o, "unknown", 0);
        json_put_int(o, key, (int64_t)total);
        show_json_line(&cli->show, o);
    } else {
        size_t warnings = p->list.count - errors;
        printf(counted, total);
        printf(_(", %zu wrong"), errors);
        printf(ngettext(", %zu warning\n", ", %zu warnings\n", warnings), warnings);
    }
    return errors ? EXIT_FOUND : EXIT_CLEAN;
}

static const char *sets_of(struct arena *arena, const struct rule *r)
{
    CLEANUP_STR struct str out = {0};
    for (size_t i = 0; i < r->set_count; i++)
        str_printf(&out, "%s%s", i ? " " : "", r->sets[i]);
    return out.length ? arena_strdup(arena, str_text(&out)) : r->helper ? _("(advisories)") : "-";
}

static json_t *texts(const char *const *items, size_t count)
{
    json_t *list = json_array();
    for (size_t i = 0; i < count; i++)
        json_array_append_new(list, json_from_text(items[i]));
    return list;
}

static json_t *rule_json(const struct rule *r, bool whole)
{
    json_t *o = json_object();
    json_put_string(o, "type", "rule");
    json_put_string(o, "name", r->name);
    json_put_string(o, "title", r->title);
    json_put_string(o, "severity", severity_name(r->severity));
    json_object_set_new(o, "sets", texts(r->sets, r->set_count));
    json_put_bool(o, "helper", r->helper);
    if (!whole)
        return o;
    json_put_string(o, "description", r->description);
    json_put_string(o, "why", r->why);
    json_put_string(o, "fix", r->fix);
    json_object_set_new(o, "steps", texts(r->steps, r->step_count));
    json_object_set_new(o, "falsepositives", texts(r->falsepositives, r->falsepositive_count));
    json_put_string(o, "source", r->source);
    json_object_set_new(o, "references", texts(r->references, r->reference_count));
    json_object_set_new(o, "fields", texts(r->fields, r->field_count));
    json_put_string(o, "path", r->path);
    return o;
}

static void list(struct cli *cli, const struct rules *rules)
{
    CLEANUP_ARENA struct arena *arena = arena_new();
    struct show_table table = {.columns = 3};
    *show_table_line(&table, SHOW_BOLD) =
        (struct show_line){{_("sets"), _("name"), _("what should not be")}, SHOW_BOLD, NULL};
    for (size_t i = 0; i < rules_count(rules); i++) {
        const struct rule *r = rules_at(rules, i);
        if (cli->json) {
            show_json_line(&cli->show, rule_json(r, false));
            continue;
        }
        *show_table_line(&table, SHOW_PLAIN) = (struct show_line){
            {sets_of(arena, r), r->name, language_text(r->title)}, SHOW_PLAIN, NULL};
    }
    if (cli->json)
        cli_end_json(cli, 0, "rules", rules_count(rules));
    else
        show_table(&cli->show, &table, true);
    VEC_FREE(&table.lines);
}

static int explain(struct cli *cli, const struct rules *rules, const char *name)
{
    const struct rule *r = rules_find(rules, name);
    if (!r)
        return cli_usage(cli, _("there is no rule %s; yagura rules list names them"), name);
    if (cli->json) {
        show_json_line(&cli->show, rule_json(r, true));
        cli_end_json(cli, 0, "rules", 1);
        return EXIT_CLEAN;
    }
    CLEANUP_ARENA struct arena *arena = arena_new();
    cli_paragraph(cli, _("rule"), r->name);
    cli_paragraph(cli, _("sets"), sets_of(arena, r));
    cli_paragraph(cli, _("what"), language_text(r->title));
    cli_paragraph(cli, "", show_places(arena, r->description));
    cli_paragraph(cli, _("why"), show_places(arena, r->why));
    for (size_t i = 0; i < r->later_count; i++) {
        char day[16];
        date_format_day(r->later[i].date, day);
        if (*r->later[i].text)
            cli_paragraph(cli, day, language_text(r->later[i].text));
    }
    cli_paragraph(cli, _("severity"), show_severity(r->severity));
    cli_paragraph(cli, _("do this"), show_places(arena, r->fix));
    for (size_t i = 0; i < r->step_count; i++)
        cli_paragraph(cli, "", show_places(arena, r->steps[i]));
    for (size_t i = 0; i < r->falsepositive_count; i++)
        cli_paragraph(cli, _("unless"), language_text(r->falsepositives[i]));
    cli_paragraph(cli, _("source"), r->source);
    for (size_t i = 0; i < r->reference_count; i++)
        cli_paragraph(cli, _("read"), r->references[i]);
    CLEANUP_STR struct str fields = {0};
    for (size_t i = 0; i < r->field_count; i++)
        str_printf(&fields, "%s%s", i ? ", " : "", r->fields[i]);
    cli_paragraph(cli, _("looks at"), str_text(&fields));
    cli_paragraph(cli, _("file"), r->path);
    return EXIT_CLEAN;
}

int cmd_rules(struct cli *cli)
{
    const char *what = cli->argument_count ? cli->arguments[0] : "";
    const char *argument = cli->argument_count > 1 ? cli->arguments[1] : NULL;
    bool own = str_equal(what, "lint") || str_equal(what, "test");
    CLEANUP_ARENA struct arena *arena = arena_new();
    struct sigma_problems problems = {.arena = arena};
    struct error e = ERROR_INIT;
    CLEANUP(rules_cleanup) struct rules *rules = NULL;
    if (!own && !str_equal(what, "list") && !(str_equal(what, "explain") && argument))
        return cli_unknown_action(cli, _("rules list, rules lint, rules test or rules explain "
                                         "NAME?"));
    if (!audit_load_rules(&rules, own ? argument : NULL, cli->rules, RULES_ALL, &problems, &e)) {
        cli_complain(&e);
        return EXIT_USAGE;
    }
    int code = EXIT_CLEAN;
    if (str_equal(what, "lint")) {
        rules_lint(rules, &problems);
        code = print_problems(cli, &problems, "rules",
                              ngettext("%zu rule", "%zu rules", rules_count(rules)),
                              rules_count(rules));
    } else if (str_equal(what, "test")) {
        size_t run = rules_test(rules, &problems);
        code = print_problems(cli, &problems, "examples",
                              ngettext("%zu example", "%zu examples", run), run);
    } else if (str_equal(what, "list")) {
        list(cli, rules);
    } else {
        code = explain(cli, rules, argument);
    }
    sigma_problems_free(&problems);
    return code;
}
