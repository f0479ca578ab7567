#include "cmd/cmd.h"

#include "base/json.h"
#include "base/str.h"
#include "content/walk.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <sodium.h>
#include <stdarg.h>
#include <stdlib.h>
#include <unistd.h>

#define OPTION(member) offsetof(struct cli, member)
const struct option_row cli_options[] = {
    {"--state", "DIR", N_("where the memory lies (default: /var/lib/yagura, or your own)"),
     OPTION(state), NULL},
    {"--config", "FILE", N_("the configuration (default: /etc/yagura/yagura.yaml)"), OPTION(config),
     NULL},
    {"--json", NULL,
     N_("print JSON Lines, in English whatever --lang says; the last line is a summary"),
     OPTION(json), NULL},
    {"--lang", "en|ja", N_("the language (default: as LC_ALL or LANG says)"), OPTION(lang), NULL},
    {"--help", NULL, N_("print this help"), OPTION(help), "-h"},
    {"--version", NULL, N_("print the version"), OPTION(version), "-V"},
    {"--root", "DIR", N_("look at a mounted volume, an unpacked backup or a container"),
     OPTION(root), NULL},
    {"--image", "FILE", N_("look at a disk image that nobody mounted (raw or VMDK)"), OPTION(image),
     NULL},
    {"--text", "FILE", N_("look at what systeminfo or showrev -p printed"), OPTION(text), NULL},
    {"--name", "NAME",
     N_("call the target or the site so, instead of by the identity found on it, or by its "
        "folder"),
     OPTION(name), NULL},
    {"--as-of", "DATE", N_("judge as it would have been judged that day (YYYY-MM-DD)"),
     OPTION(as_of), NULL},
    {"--fail-on", "SEVERITY", N_("what lies below counts as nothing found for the exit code"),
     OPTION(fail_on), NULL},
    {"--rules", "DIR", N_("load your own rules too (Sigma; for scan: YARA)"), OPTION(rules), NULL},
    {"--clamd", "SOCKET", N_("where clamd listens, or off (default: where it usually is)"),
     OPTION(clamd), NULL},
    {"--quarantine", NULL, N_("move the files that are found out of reach"), OPTION(quarantine),
     NULL},
    {"--all", NULL, N_("leave nothing out for the sake of one screen"), OPTION(all), NULL},
    {"--checklist", NULL, N_("only the checklists, as a scored table"), OPTION(checklist), NULL},
    {"--gateway", NULL, N_("print the rules for a border router"), OPTION(gateway), NULL},
    {"--because", "TEXT", N_("why, for the record"), OPTION(because), NULL},
    {"--who", "NAME", N_("who did it (default: you)"), OPTION(who), NULL},
    {"--when", "DATE", N_("when it was done (default: now)"), OPTION(when), NULL},
    {"--checkpoint", "FILE", N_("compare with a checkpoint that was kept elsewhere"),
     OPTION(against), NULL},
    {"--out", "FILE", N_("write the plan there, with the exact versions of packages"), OPTION(out),
     NULL},
    {"--receipt", "FILE", N_("the receipt of the test host (stage: default PLAN.receipt)"),
     OPTION(receipt), NULL},
    {"--override", NULL, N_("against the policy, with --because; the ledger keeps both"),
     OPTION(override), NULL},
    {"--man", NULL, N_("the man page"), OPTION(man), NULL},
    {"--completion", NULL, N_("the completion for bash"), OPTION(completion), NULL},
    {"--profile", "NAME", N_("policies for a kind of site (default: the one that fits)"),
     OPTION(profile), NULL},
    {"--generation", "N", N_("that generation instead of the published one"), OPTION(generation),
     NULL},
    {"--keep", "N", N_("how many generations stay (default: as configured, 10)"), OPTION(keep),
     NULL},
    {"--from", "DIR|ARCHIVE",
     N_("deploy this folder or archive (tar, zip); with --from-git: where the repository is"),
     OPTION(from), NULL},
    {"--from-git", "REV", N_("deploy this revision of a git repository (default: the one here)"),
     OPTION(from_git), NULL},
    {"--quick", NULL, N_("do not read files whose size, times and inode are as they were"),
     OPTION(quick), NULL},
    {"--yes", NULL, N_("do not ask"), OPTION(yes), "-y"},
    {"--dry-run", NULL, N_("say what would be done, and change nothing"), OPTION(dry_run), "-n"},
    {"--mtree", NULL, N_("as text for mtree -f"), OPTION(mtree), NULL},
    {"--detect-only", NULL, N_("say what changes, and put nothing back"), OPTION(detect_only),
     NULL},
    {"--dpkg", NULL, N_("what dpkg's own record says of files that packages own"), OPTION(dpkg),
     NULL},
    {"--mode", "web|contain|full", N_("how far to cut off: visitors get a notice, or nothing"),
     OPTION(mode), NULL},
    {"--runbook", "NAME", N_("another runbook: its name, or a file with a slash in its path"),
     OPTION(runbook), NULL},
    {"--first-sign", "DATE", N_("when the intrusion first showed, as far as you know"),
     OPTION(first_sign), NULL},
    {"--site", "SITE|DOCUMENT-ROOT", N_("of do restore: only this one, also one never published"),
     OPTION(site), NULL},
    {"--apply", NULL, N_("of do patch: apply the plan that the step has written"), OPTION(apply),
     NULL},
    {"--close", NULL, N_("shut the ports that have no business outside, on trial"), OPTION(close),
     NULL},
    {"--confirm", NULL, N_("make the trial permanent; only over a connection made since"),
     OPTION(confirm), NULL},
    {"--open", NULL, N_("undo --close"), OPTION(open), NULL},
    {"--allow", "ADDRESS[,...]", N_("everything from and to these addresses or networks stays"),
     OPTION(allow), NULL},
    {"--trial", "SECONDS",
     N_("how long the trial lasts unless it is confirmed (default: 60; of respond 600)"),
     OPTION(trial), NULL},
    {"--from-outside", "HOST", N_("try from here what HOST lets in; only a host of your own"),
     OPTION(from_outside), NULL},
    {"--before", "DATE", N_("only what was published before"), OPTION(before), NULL},
};
const size_t cli_option_count = ARRAY_COUNT(cli_options);
const size_t cli_global_option_count = 6;

#define TARGET_OPTIONS "--root --image --text --name"

const struct command cli_commands[] = {
    {"audit", "[SET]", N_("which holes are open here, and what to fix first"),
     N_("Looks at the target, compares it with the advisories, the package lists and the "
        "checklists, and shows what is open, worst first. SET, with --checklist: only that one; "
        "persistence is what an intruder leaves to come back (with --all every file of packages is "
        "compared, too)."),
     "", TARGET_OPTIONS " --as-of --fail-on --rules --all --checklist", cmd_audit},
    {"explain", "ID", N_("the long story of one finding"),
     N_("Looks at the target of that finding again and tells all about it: what, why it matters "
        "here, what to do, where it was seen, where to read on."),
     "", TARGET_OPTIONS " --as-of --rules", cmd_explain},
    {"facts", "[persistence | intrusion | secrets]", N_("what was observed, without judging it"),
     N_("Lists what the collectors found. --json prints every fact as one line. persistence: what "
        "starts by itself and no package brought, who may be somebody; intrusion: the same with "
        "every file of packages; secrets: what has to be changed after an intrusion, never its "
        "value."),
     "persistence intrusion secrets", TARGET_OPTIONS " --all --rules", cmd_facts},
    {"patch", "plan | stage PLAN | apply PLAN | undo | policy print | record PATCH ... | history",
     N_("what to apply in which order; try it, apply it, write down what was applied"),
     N_("plan shows the steps; with --out it writes them to a file, with the exact versions of "
        "Debian packages (--all: other updates than those for security, too). stage tries that "
        "plan on a test host and signs a receipt; apply installs exactly these versions here, "
        "checks the receipt and the policy first, restarts what needs it, asks each site for a "
        "page before and after, audits again and says how to go back; undo goes back. policy "
        "print prints a policy to begin with. record PATCH writes down what was applied by other "
        "means and looks again at once; history shows what was recorded."),
     "plan stage apply undo policy record history",
     TARGET_OPTIONS " --as-of --rules --all --out --receipt --dry-run --yes --override --because "
                    "--who --when",
     cmd_patch},
    {"ports", "[PORT ...]", N_("what listens, and whether it should; shuts what should not"),
     N_("Lists the listeners with process and package. --gateway prints rules for a router in "
        "front that shut the ports without business outside. --close shuts them here: nothing new "
        "comes in but to the ports of the sites, those that the configuration allows, and the "
        "administrator's way in. It is on trial until --confirm comes over a new connection; "
        "--open undoes it. --from-outside, on another machine, tries which ports of HOST can be "
        "reached over IPv4 and IPv6: those without business outside, or each PORT (111, "
        "137/udp)."),
     "",
     TARGET_OPTIONS " --gateway --close --confirm --open --allow --trial --from-outside --dry-run "
                    "--yes --because --who --rules --all",
     cmd_ports},
    {"scan", "[PATH ...]", N_("has somebody been in: web shells, defaced pages, worms"),
     N_("Looks into the files beneath each PATH, or of the whole target, for what attackers leave "
        "behind: by YARA rules, the program's and yours, and by ClamAV where clamd runs. Of this "
        "host, without PATH: the document roots and the folders for everybody. Archives are not "
        "unfolded, links not followed. With --quarantine what was found is moved out of reach, "
        "which yagura quarantine undoes, and what runs from it is ended, which nothing undoes."),
     "",
     "--root --image --name --rules --clamd --fail-on --quarantine --yes --dry-run --because "
     "--who",
     cmd_scan},
    {"quarantine", "list | take PATH ... | give-back ID ...",
     N_("what was moved out of reach, and back again"),
     N_("list shows what was moved; take moves a file that no pattern knows, such as a job of "
        "cron, "
        "and ends nothing that runs from it; give-back puts it where it was, as it was, unless "
        "something else lies there now."),
     "list take give-back", "--yes --dry-run --because --who", cmd_quarantine},
    {"feed", "import PATH ... | list | remove NAME", N_("load advisories (CSAF 2.0)"),
     N_("import reads files, folders and archives; what is broken is named, the rest goes in. list "
        "shows what is loaded and how old it is; remove takes an imported feed out again, and the "
        "ledger says so."),
     "import list remove", "--because", cmd_feed},
    {"advisory", "list | show ID", N_("read the loaded advisories"),
     N_("list prints one line each; show prints one with its cases, patches and remedies. ID may "
        "also be a CVE, a patch, or a name that only a finding has."),
     "list show", "--as-of --before", cmd_advisory},
    {"rules", "list | lint [DIR] | test [DIR] | explain NAME", N_("the checklist rules (Sigma)"),
     N_("list shows them, lint names what is wrong with file, line and column, test runs the "
        "examples written in them, explain tells about one."),
     "list lint test explain", "--rules", cmd_rules},
    {"ledger", "show | verify | checkpoint", N_("the record, and its proof"),
     N_("show prints the entries; verify names an entry that was changed, slipped in or taken "
        "out; checkpoint prints a text to keep elsewhere, against which a cut tail or a rewritten "
        "whole is found later."),
     "show verify checkpoint", "--checkpoint", cmd_ledger},
    {"version-cmp", "dpkg|rpm|windows|solaris|generic", N_("compare versions: pairs in, < = > out"),
     N_("Reads pairs \"A B\", one a line, from standard input and prints <, = or > for each."),
     "dpkg rpm windows solaris generic", "", cmd_version_cmp},
    {"up", "[DOCUMENT-ROOT ...]", N_("look at this host, then guard the sites it serves"),
     N_("Audits, finds the document roots of the web servers that run here, publishes those that "
        "are new as they are, and guards them until it is stopped. Where no web server runs, it "
        "guards a small demonstration site."),
     "", "--detect-only --profile --because --who", cmd_up},
    {"init", "DOCUMENT-ROOT", N_("publish a site for the first time: take it as it is"),
     N_("Keeps all that is in the document root, signs a list of it, and from then on knows what "
        "was published."),
     "", "--name --profile --because --who", cmd_init},
    {"verify", "[SITE]", N_("compare a site with what was published"),
     N_("Lists what was added, removed, changed, moved. --quick reads only what seems changed. "
        "Without SITE all sites are compared."),
     "", "--quick --all", cmd_verify},
    {"publish", "[SITE] [-- COMMAND ...]", N_("what differs becomes the published state"),
     N_("Shows what differs and asks. With a command, runs it and publishes what it changed, and "
        "nothing that other hands changed meanwhile. --from and --from-git deploy and publish in "
        "one step: each page is the old or the new one at every moment, and what goes goes last. "
        "--dpkg publishes, unasked, what an upgrade brought: files of Debian packages whose "
        "content is what dpkg's record (MD5) says now, and nothing else; a guard does so by "
        "itself."),
     "", "--from --from-git --dpkg --yes --dry-run --all --because --who --", cmd_publish},
    {"restore", "[SITE [PATH ...]]", N_("put a site back as it was published"),
     N_("What was changed is put back, what was added is moved aside and kept. An older "
        "generation becomes the published one."),
     "", "--generation --dry-run --yes --because --who", cmd_restore},
    {"history", "[SITE]", N_("the published generations of a site"),
     N_("Lists them, the newest first; * is the published one."), "", "", cmd_history},
    {"diff", "[SITE [PATH ...]]", N_("what changed, as a unified diff"),
     N_("Shows what differs from what was published, texts line by line."), "", "--generation",
     cmd_diff},
    {"gc", "", N_("drop old generations and what only they needed"),
     N_("Keeps the newest generations of each site, removes content that none needs, and keeps "
        "the evidence in the folder aside within its bound (evidence_mb): the newest of each "
        "path always stays."),
     "", "--keep --dry-run --who --because", cmd_gc},
    {"manifest", "export [SITE]", N_("the list of what was published"),
     N_("Prints the signed manifest, or with --mtree a text that mtree -f checks."), "export",
     "--mtree --generation --all", cmd_manifest},
    {"guard", "[SITE ...]", N_("watch the sites, and undo what others change"),
     N_("Runs until it is stopped. What changes is put back at once and kept as evidence."), "",
     "--detect-only", cmd_guard},
    {"on-tamper", "", N_("run what the guard runs when pages were tampered with"),
     N_("Runs the on_tamper: of the configuration as the guard does, with what comes on standard "
        "input: to try it, and for its unit."),
     "", "", cmd_on_tamper},
    {"status", "", N_("how it stands: the screen of plain yagura"),
     N_("Shows what the last audits found, the published sites, whether the guard lives and what "
        "it undid lately (--all: everything it undid). Ends with 3 if sites are published and "
        "nobody guards them, or the guard is blind; with 1 if a page is wrong and could not be put "
        "back yet."),
     "", "--all", cmd_status},
    {"respond",
     "start | status | next | do STEP | skip STEP | undo STEP | sign ID ... | lock ACCOUNT ... | "
     "expire ACCOUNT ... | unlock ACCOUNT ... | end-sessions ACCOUNT ... | rotate FILE ... | "
     "confirm | resume | close | watch | print",
     N_("a site was defaced: what to do now, in which order"),
     N_("Leads through the runbook: start opens an incident; next tells of the next step, do does "
        "it and proves it; skip wants --because; undo takes it back; sign takes a finding, a hole "
        "or a changed password upon you; lock shuts a local account and ends what it runs (expire "
        "leaves its password as it is, unlock takes either back, end-sessions only throws it out); "
        "rotate gives a wp-config.php new salts; confirm makes what is on trial last; resume looks "
        "again whether all that was done is still true; close ends it. watch looks once whether "
        "anybody has come back since the reconnection, for a timer. print is the paper copy to "
        "keep before anything happens."),
     "start status next do skip undo sign lock expire unlock end-sessions rotate confirm resume "
     "close watch print",
     "--root --image --runbook --first-sign --mode --allow --trial --from --from-git --site "
     "--profile --all --quarantine --rules --apply --out --receipt --override --because --who "
     "--yes --dry-run",
     cmd_respond},
    {"help", "[COMMAND]", N_("this help, or that of a command"), N_("Prints help."), "",
     "--man --completion", cmd_help},
};
const size_t cli_command_count = ARRAY_COUNT(cli_commands);

static void nearest(const char *word, const char **best, unsigned *distance, const char *candidate)
{
    unsigned d = str_distance(word, candidate);
    if (d < *distance) {
        *distance = d;
        *best = candidate;
    }
}

static const struct option_row *find_option(const char *name, size_t length)
{
    for (size_t i = 0; i < cli_option_count; i++) {
        const struct option_row *o = &cli_options[i];
        if ((strlen(o->name) == length && memcmp(o->name, name, length) == 0) ||
            (o->other_names && strlen(o->other_names) == length &&
             memcmp(o->other_names, name, length) == 0))
            return o;
    }
    return NULL;
}

static bool takes(const struct command *c, const struct option_row *o)
{
    return o - cli_options < (ptrdiff_t)cli_global_option_count ||
           (c && cli_lists(c->options, o->name));
}

/* For show_command(): "audit --all", "--image". */
static bool command_takes(const char *command, const char *option)
{
    size_t length = strcspn(command, " ");
    const struct option_row *o = find_option(option, strlen(option));
    for (size_t i = 0; i < cli_command_count && o; i++)
        if (strlen(cli_commands[i].name) == length &&
            memcmp(cli_commands[i].name, command, length) == 0)
            /* rules that were named once the incident keeps */
            return takes(&cli_commands[i], o) &&
                   !(cli_commands[i].run == cmd_respond && str_equal(option, "--rules"));
    return false;
}

/* Its options end with "--". */
static bool takes_command_line(const struct command *c)
{
    return str_ends(c->options, " --");
}

static void say_how_called(const struct cli *cli, const char *program)
{
    struct show_call call = {.program = program, .takes = command_takes};
    const struct show_given given[] = {
        {"--state", cli->state, false}, {"--config", cli->config, false},
        {"--lang", cli->lang, false},   {"--root", cli->root, true},
        {"--image", cli->image, true},  {"--text", cli->text, true},
        {"--name", cli->name, true},    {"--as-of", cli->as_of, false},
        {"--rules", cli->rules, false}};
    for (size_t i = 0; i < ARRAY_COUNT(given); i++)
        if (given[i].value)
            call.given[call.count++] = given[i];
    show_called(&call);
}

static int unknown_option(struct cli *cli, const char *word)
{
    const char *best = NULL;
    unsigned distance = 4;
    CLEANUP_FREE char *name = strndup(word, strcspn(word, "="));
    for (size_t i = 0; i < cli_option_count; i++)
        if (!cli->command || takes(cli->command, &cli_options[i]))
            nearest(name, &best, &distance, cli_options[i].name);
    if (best)
        return cli_usage(cli, _("there is no option %s; did you mean %s?"), word, best);
    return cli_usage(cli, _("there is no option %s here"), word);
}

int cli_unknown_command(const struct cli *cli, const char *word)
{
    const char *best = NULL;
    unsigned distance = 4;
    for (size_t i = 0; i < cli_command_count; i++)
        nearest(word, &best, &distance, cli_commands[i].name);
    if (best)
        return cli_usage(cli, _("there is no command %s; did you mean %s?"), word, best);
    return cli_usage(cli, _("there is no command %s"), word);
}

int cli_unknown_action(const struct cli *cli, const char *question)
{
    const char *word = cli->argument_count ? cli->arguments[0] : "";
    if (!*word)
        return cli_usage(cli, "%s", question);
    if (cli_lists(cli->command->actions, word) && cli->argument_count > 1)
        return cli_usage(cli, _("%s is one word too many"),
                         cli->arguments[cli->argument_count - 1]);
    CLEANUP_ARENA struct arena *arena = arena_new();
    const char *best = NULL;
    unsigned distance = 4;
    for (const char *p = cli->command->actions; *p;) {
        size_t n = strcspn(p, " ");
        nearest(word, &best, &distance, arena_strndup(arena, p, n));
        p += n + (p[n] == ' ');
    }
    if (best && !cli_lists(cli->command->actions, word))
        return cli_usage(cli, _("there is no %s %s; did you mean %s?"), cli->command->name, word,
                         best);
    return cli_usage(cli, "%s", question);
}

/* One pass; the command is the first word without a dash. -1: go on. */
static int parse(struct cli *cli, int argc, char **argv)
{
    const char **words = mem_alloc((size_t)argc * sizeof *words);
    const struct option_row **seen = mem_alloc((size_t)argc * sizeof *seen);
    size_t seen_count = 0;
    bool only_words = false;
    int code = -1;
    for (int i = 1; i < argc && code < 0; i++) {
        const char *word = argv[i];
        if (only_words && cli->command && takes_command_line(cli->command)) {
            cli->behind = (const char *const *)&argv[i];
            cli->behind_count = (size_t)(argc - i);
            break;
        }
        if (only_words || word[0] != '-' || !word[1]) {
            if (cli->command) {
                words[cli->argument_count++] = word;
                continue;
            }
            for (size_t c = 0; c < cli_command_count; c++)
                if (str_equal(cli_commands[c].name, word))
                    cli->command = &cli_commands[c];
            if (!cli->command)
                code = cli_unknown_command(cli, word);
            continue;
        }
        if (str_equal(word, "--")) {
            only_words = true;
            continue;
        }
        size_t length = strcspn(word, "=");
        const struct option_row *o = find_option(word, length);
        if (!o) {
            code = unknown_option(cli, word);
            continue;
        }
        seen[seen_count++] = o;
        char *member = (char *)cli + o->offset;
        if (!o->argument) {
            *(bool *)member = true;
        } else if (word[length] == '=') {
            *(const char **)member = word + length + 1;
        } else if (i + 1 < argc) {
            *(const char **)member = argv[++i];
        } else {
            code = cli_usage(cli, _("%s needs %s"), o->name, o->argument);
        }
    }
    for (size_t i = 0; i < seen_count && code < 0 && cli->command; i++)
        if (!takes(cli->command, seen[i]))
            code = cli_usage(cli, _("%s does not take %s"), cli->command->name, seen[i]->name);
    if (code < 0 && only_words && cli->command && takes_command_line(cli->command) &&
        !cli->behind_count)
        code = cli_usage(cli, _("which command? Nothing stands behind --"));
    free(seen);
    cli->arguments = words;
    return code;
}

/* `yagura ... | head`: who closed the pipe has seen enough, and needs no complaint. */
static bool reader_left(void)
{
    struct pollfd out = {.fd = STDOUT_FILENO, .events = POLLOUT};
    return poll(&out, 1, 0) == 1 && (out.revents & (POLLERR | POLLHUP));
}

int main(int argc, char **argv)
{
    struct cli cli = {0};
    signal(SIGPIPE, SIG_IGN);
    const char *lang = NULL;
    bool json = false;
    for (int i = 1; i < argc; i++) { /* errors of parsing are told in the right language too */
        json |= str_equal(argv[i], "--json");
        if (str_starts(argv[i], "--lang="))
            lang = argv[i] + 7;
        else if (str_equal(argv[i], "--lang") && i + 1 < argc)
            lang = argv[i + 1];
    }
    /* JSON is never translated, and some of its texts are made far below: sentences of errors,
     * reasons why something could not be looked at. */
    language_set(json ? "en" : lang);
    json_begin();
    walk_begin();
    if (sodium_init() < 0) {
        fprintf(stderr, "yagura: %s\n", _("libsodium could not be started"));
        return EXIT_UNKNOWN;
    }
    const char *program = argc && *argv[0] ? argv[0] : "yagura";
    say_how_called(&cli, program);
    int code = parse(&cli, argc, argv);
    say_how_called(&cli, program);
    show_init(&cli.show, stdout, cli.json);
    cli.show.all = cli.all;
    if (code < 0 && cli.lang && !str_equal(cli.lang, "en") && !str_equal(cli.lang, "ja"))
        code = cli_usage(&cli, _("--lang is en or ja, not %s"), cli.lang);
    if (code < 0 && cli.version) {
        printf("yagura %s\n", YAGURA_VERSION);
        code = EXIT_CLEAN;
    }
    if (code < 0 && cli.help) {
        if (cli.command)
            cmd_print_help(cli.command, stdout);
        else
            cmd_print_overview(stdout);
        code = EXIT_CLEAN;
    }
    if (code < 0)
        code = cli.command ? cli.command->run(&cli) : cmd_status(&cli);
    free((void *)cli.arguments);
    /* A full disk or a closed pipe must not look like a clean result. */
    if (fflush(stdout) != 0 || ferror(stdout)) {
        if (!reader_left())
            fprintf(stderr, _("yagura: standard output: %s\n"), strerror(errno));
        code = EXIT_UNKNOWN;
    }
    return code;
}
