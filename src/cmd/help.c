#include "cmd/cmd.h"

#include "base/str.h"

#include <stdlib.h>

static void print_option(struct show *s, const struct option_row *o)
{
    CLEANUP_STR struct str first = {0};
    str_printf(&first, "  %s%s%s ", o->name, o->argument ? " " : "",
               o->argument ? o->argument : "");
    while (first.length < 24)
        str_add_char(&first, ' ');
    show_wrap(s, str_text(&first), 24, language_text(o->help));
}

void cmd_print_help(const struct command *c, FILE *out)
{
    struct show s;
    show_init(&s, out, false);
    cli_print_usage(&s, c);
    fputc('\n', out);
    show_wrap(&s, "", 0, language_text(c->details));
    fprintf(out, "\n%s\n", _("Options:"));
    for (size_t i = 0; i < cli_option_count; i++)
        if (cli_lists(c->options, cli_options[i].name))
            print_option(&s, &cli_options[i]);
    for (size_t i = 0; i < cli_global_option_count; i++)
        print_option(&s, &cli_options[i]);
    fputc('\n', out);
    show_wrap(&s, "", 0,
              _("Exit codes: 0 nothing wrong, 1 something was found, 2 bad usage or input, 3 "
                "nothing was found, but something could not be looked at."));
}

/* The page is found by man where it was installed; else it is read from the program. */
static const char *man_command(struct arena *arena)
{
    const char *page = show_command(arena, "help --man");
    return strchr(show_program(arena), '/')
               ? arena_printf(arena, "%s%c|%cman%c-l%c-", page, SHOW_COMMAND_BLANK,
                              SHOW_COMMAND_BLANK, SHOW_COMMAND_BLANK, SHOW_COMMAND_BLANK)
               : arena_printf(arena, "man%cyagura", SHOW_COMMAND_BLANK);
}

void cmd_print_overview(FILE *out)
{
    struct show s;
    show_init(&s, out, false);
    show_wrap(&s, "", 0, _("yagura: a watchtower for web servers"));
    CLEANUP_ARENA struct arena *arena = arena_new();
    show_wrap(&s, "", 2,
              arena_printf(arena, "\n%s [--state DIR] [--json] [--lang en|ja] COMMAND ...\n",
                           show_program(arena)));
    for (size_t i = 0; i < cli_command_count; i++) {
        CLEANUP_STR struct str first = {0};
        str_printf(&first, "  %-12s ", cli_commands[i].name);
        show_wrap(&s, str_text(&first), 15, language_text(cli_commands[i].summary));
    }
    fputc('\n', out);
    show_wrap(
        &s, "", 0,
        arena_printf(arena,
                     _("What is looked at is this host, or --root DIR, --image FILE or --text "
                       "FILE. More: %s · %s"),
                     show_command(arena, "help COMMAND"), man_command(arena)));
}

int cmd_help(struct cli *cli)
{
    if (cli->man) {
        cmd_print_man(stdout);
        return EXIT_CLEAN;
    }
    if (cli->completion) {
        cmd_print_completion(stdout);
        return EXIT_CLEAN;
    }
    if (!cli->argument_count) {
        cmd_print_overview(stdout);
        return EXIT_CLEAN;
    }
    for (size_t i = 0; i < cli_command_count; i++) {
        if (str_equal(cli_commands[i].name, cli->arguments[0])) {
            cmd_print_help(&cli_commands[i], stdout);
            return EXIT_CLEAN;
        }
    }
    return cli_unknown_command(cli, cli->arguments[0]);
}

int cmd_status(struct cli *cli)
{
    struct state_summary summary;
    struct error e = ERROR_INIT;
    if (cli->argument_count)
        return cli_usage(cli, _("%s is one word too many"), cli->arguments[0]);
    CLEANUP(state_cleanup) struct state *state = cli_state_to_read(cli, &e);
    if (!state && e.code == ERR_ABSENT) { /* the first time */
        if (cli->state)
            cli_complain(&e);
        summary = (struct state_summary){.last_audit = DATE_NONE};
    } else if (!state || !state_summarise(state, &summary, &e)) {
        cli_complain(&e);
        return EXIT_UNKNOWN;
    }
    char when[16] = "";
    if (summary.last_audit != DATE_NONE)
        date_format_day(summary.last_audit, when);
    if (cli->json) {
        json_t *o =
            json_pack("{s:s, s:I, s:I, s:I, s:i, s:i}", "type", "summary", "targets",
                      (json_int_t)summary.targets, "open", (json_int_t)summary.open_findings,
                      "ledger", (json_int_t)summary.ledger_entries, "found", 0, "unknown", 0);
        show_json_line(&cli->show, o);
        return EXIT_CLEAN;
    }
    CLEANUP_ARENA struct arena *arena = arena_new();
    printf("%s\n\n", _("yagura: a watchtower for web servers"));
    if (summary.last_audit == DATE_NONE) {
        show_wrap(&cli->show, "", 0,
                  arena_printf(arena, _("Nothing has been looked at yet. Start with: %s"),
                               show_command(arena, "audit")));
    } else {
        CLEANUP_STR struct str line = {0};
        str_printf(&line, ngettext("%zu target, ", "%zu targets, ", summary.targets),
                   summary.targets);
        str_printf(&line,
                   ngettext("%zu open finding at the last audits (newest %s), ",
                            "%zu open findings at the last audits (newest %s), ",
                            summary.open_findings),
                   summary.open_findings, when);
        str_printf(&line,
                   ngettext("%zu entry in the ledger.", "%zu entries in the ledger.",
                            summary.ledger_entries),
                   summary.ledger_entries);
        show_wrap(&cli->show, "", 0, str_text(&line));
    }
    show_hint(&cli->show, _("What is open:"), show_command(arena, "audit"));
    show_hint(&cli->show, _("What to do, in order:"), show_command(arena, "patch plan"));
    show_hint(&cli->show, _("All commands:"), show_command(arena, "help"));
    return EXIT_CLEAN;
}
