#include "cmd/cmd.h"

#include "audit/scan.h"
#include "base/str.h"

/* `audit --checklist`: only the tables; the exit code goes by what fires. */
static int checklist(struct cli *cli, struct audit_request *request, enum severity fail_on)
{
    request->with_advisories = request->with_updates = false;
    request->set = cli->argument_count ? cli->arguments[0] : NULL;
    int code = EXIT_UNKNOWN;
    CLEANUP(state_cleanup) struct state *state = request->state;
    CLEANUP(audit_cleanup) struct audit *a = cli_audit(cli, request, &code);
    if (!a)
        return code;
    if (request->set) {
        bool known = false;
        for (size_t i = 0; i < rules_count(a->rules); i++)
            for (size_t k = 0; k < rules_at(a->rules, i)->set_count; k++)
                known |= str_equal(rules_at(a->rules, i)->sets[k], request->set);
        if (!known)
            return cli_usage(cli, _("there is no checklist %s; yagura rules list names them"),
                             request->set);
    }
    size_t checks = show_checklist(&cli->show, a, request->set, fail_on);
    return checks ? cli_exit_code(cli, a) : EXIT_UNKNOWN;
}

int cmd_audit(struct cli *cli)
{
    struct audit_request request;
    enum severity fail_on;
    if (!cli_request(cli, &request) || !cli_fail_on(cli, &fail_on))
        return EXIT_USAGE;
    if (cli->argument_count > (cli->checklist ? 1u : 0u))
        return cli_usage(cli, _("%s is one word too many; a target is --root, --image or --text"),
                         cli->arguments[cli->checklist ? 1 : 0]);
    request.state = cli_state(cli);
    bool persistence =
        cli->checklist && cli->argument_count && str_equal(cli->arguments[0], "persistence");
    if (persistence) /* each thing found has a story of its own: no table of what is good */
        request.about = cli->all ? ABOUT_INTRUSION : ABOUT_PERSISTENCE;
    else if (cli->checklist)
        return checklist(cli, &request, fail_on);
    int code = EXIT_UNKNOWN;
    CLEANUP(state_cleanup) struct state *state = request.state;
    CLEANUP(audit_cleanup) struct audit *a = cli_audit(cli, &request, &code);
    if (!a)
        return code;
    show_audit(&cli->show, a, fail_on);
    return cli_exit_code(cli, a);
}

/* The finding whose id begins so; *several where it is not the only one. */
static const struct finding *find_in(const struct audit *a, const char *wanted, bool *several)
{
    const struct finding *found = NULL;
    *several = false;
    for (size_t i = 0; i < a->findings->list.count; i++) {
        const struct finding *f = a->findings->list.items[i];
        if (!str_starts(f->id, wanted))
            continue;
        *several = found != NULL;
        if (found)
            return found;
        found = f;
    }
    return found;
}

/* What no audit sees: `yagura scan` of the whole target. */
static struct audit *scan_all(struct cli *cli, const struct audit_request *request, int *code)
{
    struct scan_result result;
    const struct scan_request bytes = {.clamd =
                                           request->kind == TARGET_LIVE ? scan_find_clamd() : NULL};
    return cli_scan(cli, request, &bytes, &result, code);
}

int cmd_explain(struct cli *cli)
{
    struct audit_request request;
    if (cli->argument_count != 1)
        return cli_usage(cli, _("which finding? yagura audit shows their ids"));
    if (!cli_request(cli, &request))
        return EXIT_USAGE;
    struct error e = ERROR_INIT;
    bool named = request.kind != TARGET_LIVE;
    CLEANUP(state_cleanup)
    struct state *state = named ? cli_state_if_any(cli) : cli_state_to_read(cli, &e);
    if (!state && !named) {
        cli_complain(&e);
        fprintf(stderr, _("yagura: without the memory of an audit nobody knows which target that "
                          "is: name the target, or the memory with --state DIR\n"));
        return EXIT_UNKNOWN;
    }
    request.state = state;
    /* Where a target is named, the beginning of the id is looked for in what it shows; else the
     * memory knows which target it was. */
    const char *wanted = cli->arguments[0];
    struct state_target known;
    if (!named) {
        if (!state_target_of_finding(state, wanted, &known, &e)) {
            cli_complain(&e);
            return e.code == ERR_SYSTEM ? EXIT_UNKNOWN : EXIT_USAGE;
        }
        wanted = known.finding;
        if (audit_target_kind_from_name(known.kind, &request.kind))
            request.argument = *known.argument ? known.argument : NULL;
        if (*known.given && !request.name)
            request.name = known.given;
    }
    int code = EXIT_UNKNOWN;
    bool several = false;
    const struct finding *found = NULL;
    CLEANUP(audit_cleanup) struct audit *a = NULL;
    /* What an audit does not see, a look at what an intruder left may, and then a scan. */
    static const enum audit_about abouts[] = {ABOUT_HOLES, ABOUT_PERSISTENCE, ABOUT_INTRUSION};
    bool has_files = request.kind != TARGET_TEXT;
    for (size_t i = 0; !found && !several && i < ARRAY_COUNT(abouts) + has_files; i++) {
        bool audits = i < ARRAY_COUNT(abouts);
        request.about = audits ? abouts[i] : ABOUT_INTRUSION;
        audit_free(a);
        a = audits ? cli_audit(cli, &request, &code) : scan_all(cli, &request, &code);
        if (!a)
            return code;
        found = find_in(a, wanted, &several);
    }
    if (several)
        return cli_usage(cli, _("several findings begin with %s: give more digits"), wanted);
    if (!found) {
        fprintf(stderr,
                _("yagura: finding %s is not there any more: the target does not show it today\n"),
                wanted);
        if (cli->json)
            cli_end_json(cli, 0, NULL, 0);
        return EXIT_CLEAN;
    }
    show_explain(&cli->show, a, found);
    return finding_is_open(found)              ? EXIT_FOUND
           : found->verdict == VERDICT_UNKNOWN ? EXIT_UNKNOWN
                                               : EXIT_CLEAN;
}

/* What `facts` may be asked for, instead of what an audit looks at. */
static bool facts_about(struct cli *cli, struct audit_request *request)
{
    static const char *const names[] = {[ABOUT_PERSISTENCE] = "persistence",
                                        [ABOUT_INTRUSION] = "intrusion",
                                        [ABOUT_SECRETS] = "secrets"};
    for (size_t i = 0; cli->argument_count == 1 && i < ARRAY_COUNT(names); i++) {
        if (names[i] && str_equal(names[i], cli->arguments[0])) {
            request->about = (enum audit_about)i;
            return true;
        }
    }
    return !cli->argument_count;
}

int cmd_facts(struct cli *cli)
{
    struct audit_request request;
    if (!cli_request(cli, &request))
        return EXIT_USAGE;
    if (!facts_about(cli, &request))
        return cli_usage(cli, _("%s is one word too many; a target is --root, --image or --text"),
                         cli->arguments[cli->argument_count - 1]);
    CLEANUP(state_cleanup) struct state *state = cli_state(cli);
    request.state = state;
    struct error e = ERROR_INIT;
    CLEANUP(audit_cleanup) struct audit *a = NULL;
    if (!audit_collect(&a, &request, &e)) {
        cli_complain(&e);
        return cli_code_of(&e);
    }
    show_facts(&cli->show, a);
    return facts_first(a->facts, "unread") || !facts_first(a->facts, "host") ? EXIT_UNKNOWN
                                                                             : EXIT_CLEAN;
}
