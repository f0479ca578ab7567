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
