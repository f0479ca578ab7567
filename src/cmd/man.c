/* man.c - the man page and the shell completion, made from the same tables as --help. */
#include "cmd/cmd.h"

#include "base/str.h"

/* Text in a man page: a line may not begin with . or ', a backslash, a dash and a
 * quotation mark (which a request such as .B would take away) are escaped. */
static void roff(FILE *out, const char *text)
{
    if (*text == '.' || *text == '\'')
        fputs("\\&", out);
    for (; *text; text++) {
        if (*text == '\\')
            fputs("\\e", out);
        else if (*text == '-')
            fputs("\\-", out);
        else if (*text == '"')
            fputs("\\(dq", out);
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

static void examples(FILE *out)
{
    static const struct {
        const char *command, *what;
    } rows[] = {
        {"yagura audit", N_("what is open on this host")},
        {"yagura audit --image disk.img --as-of 2001-06-06",
         N_("a disk image, as it would have been judged that day")},
        {"yagura audit --checklist iis5 --image disk.img", N_("one checklist, as a scored table")},
        {"yagura patch plan --root /mnt", N_("what to do on a mounted volume, in order")},
        {"yagura patch record Q293826 --image disk.img --because \"pilot host\"",
         N_("write down what was applied")},
        {"yagura ports --gateway | nft -c -f -", N_("rules for the router in front, tried out")},
        {"yagura scan /var/www", N_("what attackers left behind there")},
        {"yagura respond start --because \"index.html was defaced\"",
         N_("a site was defaced: begin to lead it back, step by step")},
        {"yagura audit --json --fail-on high >/dev/null || echo look",
         N_("in a script: the exit code says it")},
    };
    fprintf(out, ".SH %s\n", _("EXAMPLES"));
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
        fputs(".TP\n.B ", out);
        roff(out, rows[i].command);
        roff(out, language_text(rows[i].what));
    }
}

static void files(FILE *out)
{
    static const struct {
        const char *path, *what;
    } rows[] = {
        {"/var/lib/yagura", N_("root's state: what was found, published and recorded, imported "
                               "advisories, the key that signs, caches")},
        {"~/.local/state/yagura", N_("the state of everyone else")},
        {"/etc/yagura/yagura.yaml", N_("the configuration; every key may be left out")},
        {YAGURA_PREFIX "/share/yagura", N_("the advisories and rules that come with the program")},
    };
    fprintf(out, ".SH %s\n", _("FILES"));
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
        fputs(".TP\n.I ", out);
        roff(out, rows[i].path);
        roff(out, language_text(rows[i].what));
    }
}

void cmd_print_man(FILE *out)
{
    fprintf(out, ".TH YAGURA 1 \"\" \"yagura %s\" \"yagura\"\n", YAGURA_VERSION);
    /* No option is torn in two, no line pulled apart; Japanese, which has no spaces, is broken as
     * ja.tmac of groff says. */
    fprintf(out, "%s.ad l\n.nh\n", language_is_japanese() ? ".mso ja.tmac\n" : "");
    fprintf(out, ".SH %s\n", _("NAME"));
    roff(out, _("yagura - a watchtower for web servers"));
    fprintf(out,
            ".SH %s\n.B yagura\n[\\-\\-state DIR] [\\-\\-json] [\\-\\-lang en|ja] COMMAND ...\n",
            _("SYNOPSIS"));
    fprintf(out, ".SH %s\n", _("DESCRIPTION"));
    roff(out,
         _("Looks at web servers, tells which holes are open and what to fix first; keeps sites as "
           "they were published. What is looked at is this host, or --root DIR, --image FILE or "
           "--text FILE."));
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
            if (cli_lists(c->options, cli_options[k].name))
                option(out, &cli_options[k]);
    }
    fprintf(out, ".SH %s\n", _("OPTIONS OF EVERY COMMAND"));
    for (size_t k = 0; k < cli_global_option_count; k++)
        option(out, &cli_options[k]);
    fprintf(out, ".SH %s\n", _("EXIT STATUS"));
    roff(out, _("Exit codes: 0 nothing wrong, 1 something was found, 2 bad usage or input, 3 "
                "nothing was found, but something could not be looked at."));
    fprintf(out, ".SH %s\n", _("ENVIRONMENT"));
    roff(out, _("YAGURA_STATE stands for --state, YAGURA_CONFIG for --config; NO_COLOR switches "
                "colours off; YAGURA_DATA, YAGURA_LIBEXEC and YAGURA_LOCALE name other places of "
                "the program's own files."));
    examples(out);
    files(out);
    fprintf(out, ".SH %s\n", _("SEE ALSO"));
    roff(out, "apt-get(8), bash(1), nft(8), ss(8)");
}

/* Each line is a word for the shell that completes it: options and commands from the tables,
 * what an option or an action takes, and names of files where files belong. */
void cmd_print_completion(FILE *out)
{
    fputs("# bash completion of yagura\n"
          "_yagura() {\n"
          "    local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD-1]}\n"
          "    local command= action= skip= w words=\n"
          "    COMPREPLY=()\n"
          "    case $before in\n",
          out);
    for (size_t k = 0; k < cli_option_count; k++) {
        const struct option_row *o = &cli_options[k];
        if (!o->argument)
            continue;
        fprintf(out, "    %s) ", o->name);
        if (str_equal(o->argument, "DIR"))
            fputs("compopt -o filenames; mapfile -t COMPREPLY < <(compgen -d -- \"$word\")", out);
        else if (str_equal(o->argument, "FILE"))
            fputs("compopt -o filenames; mapfile -t COMPREPLY < <(compgen -f -- \"$word\")", out);
        else if (str_equal(o->name, "--lang"))
            fputs("mapfile -t COMPREPLY < <(compgen -W 'en ja' -- \"$word\")", out);
        else if (str_equal(o->name, "--fail-on"))
            fputs(
                "mapfile -t COMPREPLY < <(compgen -W 'info low medium high critical' -- \"$word\")",
                out);
        else
            fputs(":", out); /* a date, a name, a reason: nobody knows it but the person */
        fputs("; return ;;\n", out);
    }
    fputs("    esac\n"
          "    for w in \"${COMP_WORDS[@]:1:COMP_CWORD-1}\"; do\n"
          "        if [[ $skip ]]; then skip=; continue; fi\n"
          "        case $w in\n        ",
          out);
    const char *between = "";
    for (size_t k = 0; k < cli_option_count; k++)
        if (cli_options[k].argument) {
            fprintf(out, "%s%s", between, cli_options[k].name);
            between = "|";
        }
    fputs(") skip=1 ;;\n"
          "        -*) ;;\n"
          "        *) if [[ ! $command ]]; then command=$w; elif [[ ! $action ]]; then action=$w; "
          "fi ;;\n"
          "        esac\n"
          "    done\n"
          "    words='",
          out);
    for (size_t k = 0; k < cli_global_option_count; k++)
        fprintf(out, "%s%s", k ? " " : "", cli_options[k].name);
    fputs("'\n    case $command in\n    '') words+='", out);
    for (size_t i = 0; i < cli_command_count; i++)
        fprintf(out, " %s", cli_commands[i].name);
    fputs("' ;;\n", out);
    for (size_t i = 0; i < cli_command_count; i++) {
        const struct command *c = &cli_commands[i];
        fprintf(out, "    %s) words+=' %s'", c->name, c->options);
        if (*c->actions)
            fprintf(out, "; [[ $action ]] || words+=' %s'", c->actions);
        if (str_equal(c->name, "help"))
            for (size_t k = 0; k < cli_command_count; k++)
                fprintf(out, "%s%s%s", k ? " " : "; [[ $action ]] || words+=' ",
                        cli_commands[k].name, k + 1 == cli_command_count ? "'" : "");
        if (str_equal(c->name, "audit"))
            fputs("; [[ \" ${COMP_WORDS[*]} \" != *' --checklist '* ]] || words+=\" $(\"$1\" rules "
                  "list --json 2>/dev/null | grep -o '\"sets\":\\[[^]]*\\]' | grep -o "
                  "'\"[a-z0-9-]*\"[],]' | tr -d '\"],' | sort -u | tr '\\n' ' ')\"",
                  out);
        fputs(" ;;\n", out);
    }
    fputs(
        "    esac\n"
        "    case $command/$action in\n"
        "    feed/import|rules/lint|rules/test) compopt -o filenames; mapfile -t COMPREPLY < "
        "<(compgen "
        "-f -- \"$word\") ;;\n"
        "    rules/explain) words+=\" $(\"$1\" rules list --json 2>/dev/null | grep -o "
        "'\"name\":\"[^\"]*' | cut -d'\"' -f4 | tr '\\n' ' ')\" ;;\n"
        "    esac\n"
        "    mapfile -t -O \"${#COMPREPLY[@]}\" COMPREPLY < <(compgen -W \"$words\" -- \"$word\")\n"
        "}\n"
        "complete -F _yagura yagura\n",
        out);
}
