/* man.c - the man page and the shell completion, made from the same tables as --help. */
#include "cmd/cmd.h"

#include "base/str.h"

/* Text in a man page: a line may not begin with . or ', a backslash and a dash are escaped. */
static void roff(FILE *out, const char *text)
{
    if (*text == '.' || *text == '\'')
        fputs("\\&", out);
    for (; *text; text++) {
        if (*text == '\\')
            fputs("\\e", out);
        else if (*text == '-')
            fputs("\\-", out);
        else
            fputc(*text, out);
    }
    fputc('\n', out);
}

static void option(FILE *out, const struct option_row *o)
{
    CLEANUP_STR struct str head = {0};
    str_printf(&head, "%s%s%s", o->name, o->argument ? " " : "", o->argument ? o->argument : "");
    fputs(".TP\n.B ", out);
    roff(out, str_text(&head));
    roff(out, language_text(o->help));
}

static bool lists(const char *words, const char *word)
{
    size_t length = strlen(word);
    for (const char *p = words; *p;) {
        size_t n = strcspn(p, " ");
        if (n == length && memcmp(p, word, n) == 0)
            return true;
        p += n + (p[n] == ' ');
    }
    return false;
}

void cmd_print_man(FILE *out)
{
    fprintf(out, ".TH YAGURA 1 \"\" \"yagura %s\" \"yagura\"\n", YAGURA_VERSION);
    fprintf(out, ".SH %s\n", _("NAME"));
    roff(out, _("yagura - a watchtower for web servers"));
    fprintf(out,
            ".SH %s\n.B yagura\n[\\-\\-state DIR] [\\-\\-json] [\\-\\-lang en|ja] COMMAND ...\n",
            _("SYNOPSIS"));
    fprintf(out, ".SH %s\n", _("DESCRIPTION"));
    roff(out,
         _("TARGET is nothing (this host), --root DIR, --image FILE or --text FILE. yagura help "
           "COMMAND tells more."));
    fprintf(out, ".SH %s\n", _("COMMANDS"));
    for (size_t i = 0; i < cli_command_count; i++) {
        const struct command *c = &cli_commands[i];
        fputs(".SS ", out);
        CLEANUP_STR struct str head = {0};
        str_printf(&head, "%s %s", c->name, c->usage);
        roff(out, str_text(&head));
        roff(out, language_text(c->summary));
        fputs(".PP\n", out);
        roff(out, language_text(c->details));
        for (size_t k = 0; k < cli_option_count; k++)
            if (lists(c->options, cli_options[k].name))
                option(out, &cli_options[k]);
    }
    fprintf(out, ".SH %s\n", _("OPTIONS OF EVERY COMMAND"));
    for (size_t k = 0; k < cli_global_option_count; k++)
        option(out, &cli_options[k]);
    fprintf(out, ".SH %s\n", _("EXIT STATUS"));
    roff(out, _("Exit codes: 0 nothing wrong, 1 something was found, 2 bad usage or input, 3 "
                "nothing was found, but something could not be looked at."));
    fprintf(out, ".SH %s\n", _("ENVIRONMENT"));
    roff(out, _("YAGURA_STATE stands for --state; NO_COLOR switches colours off; YAGURA_DATA, "
                "YAGURA_LIBEXEC and YAGURA_LOCALE name other places of the program's own files."));
}

void cmd_print_completion(FILE *out)
{
    fputs(
        "# bash completion of yagura\n_yagura() {\n  local word=${COMP_WORDS[COMP_CWORD]} "
        "command=\n"
        "  for w in \"${COMP_WORDS[@]:1:COMP_CWORD-1}\"; do case $w in -*) ;; *) command=$w; break "
        ";; "
        "esac; done\n  case ${COMP_WORDS[COMP_CWORD-1]} in --root|--state|--rules) "
        "COMPREPLY=($(compgen "
        "-d -- \"$word\")); return ;; --image|--text|--checkpoint) COMPREPLY=($(compgen "
        "-f "
        "-- \"$word\")); return ;; --lang) COMPREPLY=($(compgen -W 'en ja' -- \"$word\")); return "
        ";; "
        "--fail-on) COMPREPLY=($(compgen -W 'info low medium high critical' -- \"$word\")); return "
        ";; esac\n  local words='",
        out);
    for (size_t k = 0; k < cli_global_option_count; k++)
        fprintf(out, "%s ", cli_options[k].name);
    fputs("'\n  case $command in\n  '') words+='", out);
    for (size_t i = 0; i < cli_command_count; i++)
        fprintf(out, "%s ", cli_commands[i].name);
    fputs("' ;;\n", out);
    for (size_t i = 0; i < cli_command_count; i++)
        fprintf(out, "  %s) words+='%s' ;;\n", cli_commands[i].name, cli_commands[i].options);
    fputs("  esac\n  COMPREPLY=($(compgen -W \"$words\" -- \"$word\"))\n}\ncomplete -F _yagura "
          "yagura\n",
          out);
}
