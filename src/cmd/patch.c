#include "cmd/cmd.h"

#include "base/json.h"
#include "base/str.h"
#include "judge/patches.h"
#include "record/ledger.h"

#include <pwd.h>
#include <stdlib.h>
#include <unistd.h>

static int plan(struct cli *cli, struct audit_request *request)
{
    int code = EXIT_UNKNOWN;
    CLEANUP(audit_cleanup) struct audit *a = cli_audit(cli, request, &code);
    if (!a)
        return code;
    struct plan *p = plan_make(a->findings, &a->input);
    show_plan(&cli->show, a, p);
    plan_free(p);
    return cli_exit_code(cli, a);
}

static const char *who_is_it(const struct cli *cli)
{
    const struct passwd *p;
    const char *sudo = getenv("SUDO_USER");
    if (cli->who)
        return cli->who;
    if (sudo && *sudo)
        return sudo;
    p = getpwuid(getuid());
    return p ? p->pw_name : "?";
}

static bool note(struct cli *cli, struct state *state, const struct audit *a, const char *patch,
                 int64_t applied, struct error *e)
{
    char when[32];
    date_format(applied, when);
    CLEANUP_JSON json_t *o = json_object();
    json_put_string(o, "kind", "patch");
    json_put_string(o, "target", a->identity);
    json_put_string(o, "host", a->host_name);
    json_put_string(o, "who", who_is_it(cli));
    json_put_string(o, "patch", patch);
    json_put_string(o, "applied", when);
    if (cli->because)
        json_put_string(o, "text", cli->because);
    return ledger_append(state, o, date_now(), e);
}

/* What the files say about the patch that was just recorded. */
static enum verdict verdict_of(const struct audit *a, const char *patch, bool *known)
{
    /* the first is the worst */
    static const enum verdict order[] = {VERDICT_BROKEN, VERDICT_UNKNOWN, VERDICT_FIXED,
                                         VERDICT_NOT_AFFECTED};
    size_t worst = ARRAY_COUNT(order) - 1;
    *known = false;
    for (const struct fact *f = facts_first(a->facts, "product"); f;
         f = facts_next(a->facts, "product", f)) {
        CLEANUP_ARENA struct arena *arena = arena_new();
        struct patches *p = patches_of(arena, a->advisories, a->facts, fact_text(f, "name"),
                                       fact_text(f, "version"), a->as_of);
        const struct advisory_patch *found = patches_find(p, patch);
        if (!found)
            continue;
        *known = true;
        const struct advisory_file *file = NULL;
        enum proof proof = patches_proof(p, found->files, found->file_count, &file);
        enum marker marker = patches_marker(p, patch, NULL);
        bool there = marker == MARKER_PRESENT || patches_in_service_pack(p, patch) ||
                     patches_has_service_pack(a->facts, patch);
        size_t one =
            proof == PROOF_OLD                                                                ? 0
            : proof == PROOF_UNREADABLE || proof == PROOF_MISSING || marker == MARKER_PENDING ? 1
            : proof == PROOF_NEW || there                                                     ? 2
                                                                                              : 0;
        worst = one < worst ? one : worst;
    }
    for (const struct fact *f = facts_first(a->facts, "package"); f;
         f = facts_next(a->facts, "package", f)) {
        if (str_equal(fact_text(f, "name"), patch)) {
            *known = true;
            worst = worst < 2 ? worst : 2;
            for (const struct fact *u = facts_first(a->facts, "update"); u;
                 u = facts_next(a->facts, "update", u))
                if (str_equal(fact_text(u, "name"), patch))
                    worst = 0;
        }
    }
    return order[worst];
}

static int record(struct cli *cli, struct audit_request *request)
{
    if (cli->argument_count < 2)
        return cli_usage(cli, _("which patch was applied? yagura patch record Q293826"));
    int64_t applied = date_now();
    if (cli->when && !date_parse(cli->when, &applied))
        return cli_usage(cli, _("--when wants a date like 2001-06-06, not %s"), cli->when);
    if (!request->state)
        return EXIT_UNKNOWN;
    int code = EXIT_UNKNOWN;
    CLEANUP(audit_cleanup) struct audit *a = cli_audit(cli, request, &code);
    if (!a)
        return code;
    size_t broken = 0, unknown = 0;
    for (size_t i = 1; i < cli->argument_count; i++) {
        const char *patch = cli->arguments[i];
        struct error e = ERROR_INIT;
        if (!note(cli, request->state, a, patch, applied, &e)) {
            cli_complain(&e);
            return EXIT_UNKNOWN;
        }
        bool known;
        enum verdict v = verdict_of(a, patch, &known);
        if (cli->json) {
            json_t *o = json_object();
            json_put_string(o, "type", "recorded");
            json_put_string(o, "patch", patch);
            json_put_string(o, "target", a->identity);
            json_put_string(o, "verdict", known ? verdict_name(v) : "unknown");
            show_json_line(&cli->show, o);
        } else if (!known) {
            printf(_("%s: written down. No advisory here knows it, so nothing can confirm it.\n"),
                   patch);
        } else if (v == VERDICT_BROKEN) {
            printf(_("%s: written down, but the files contradict it: broken. Apply it again.\n"),
                   patch);
        } else {
            printf(_("%s: written down. Looked again: %s.\n"), patch, show_verdict(v));
        }
        broken += known && v == VERDICT_BROKEN;
        unknown += !known || v == VERDICT_UNKNOWN;
    }
    if (cli->json) {
        json_t *o = json_object();
        json_put_string(o, "type", "summary");
        json_put_int(o, "found", (int64_t)broken);
        json_put_int(o, "unknown", (int64_t)unknown);
        show_json_line(&cli->show, o);
    } else {
        /* The claim counts from now on: look once more with it. */
        int ignored;
        CLEANUP_ARENA struct arena *arena = arena_new();
        CLEANUP(audit_cleanup) struct audit *again = cli_audit(cli, request, &ignored);
        if (again)
            show_wrap(&cli->show, "", 2,
                      arena_printf(arena, _("Now open here: %zu. The record: %s"), again->open,
                                   show_command_on(arena, "patch history", false)));
    }
    return broken ? EXIT_FOUND : unknown ? EXIT_UNKNOWN : EXIT_CLEAN;
}

static int history(struct cli *cli, struct audit_request *request)
{
    CLEANUP_ARENA struct arena *arena = arena_new();
    struct ledger_entry *entries;
    size_t count, shown = 0;
    struct error e = ERROR_INIT;
    if (!request->state)
        return EXIT_UNKNOWN;
    if (!ledger_read(request->state, NULL, arena, &entries, &count, &e)) {
        cli_complain(&e);
        return EXIT_UNKNOWN;
    }
    for (size_t i = 0; i < count; i++) {
        json_t *o =
            json_parse(entries[i].body, strlen(entries[i].body), "ledger", 1 << 20, 1 << 20, &e);
        if (!o || !str_equal(json_get_string(o, "kind"), "patch")) {
            json_decref(o);
            continue;
        }
        shown++;
        if (cli->json) {
            json_put_string(o, "type", "patch");
            show_json_line(&cli->show, o);
            continue;
        }
        const char *text = json_get_string(o, "text");
        CLEANUP_STR struct str line = {0};
        str_printf(&line, "%.10s  %s  %s  %s%s%s", json_get_string(o, "applied"),
                   json_get_string(o, "patch"), json_get_string(o, "host"),
                   json_get_string(o, "who"), text ? "  " : "", text ? text : "");
        show_wrap(&cli->show, "", 4, str_text(&line));
        json_decref(o);
    }
    if (cli->json) {
        cli_end_json(cli, 0, "patches", shown);
    } else if (!shown) {
        show_wrap(&cli->show, "", 2,
                  arena_printf(arena, _("Nothing has been written down yet: %s"),
                               show_command(arena, "patch record ID")));
    }
    return EXIT_CLEAN;
}

int cmd_patch(struct cli *cli)
{
    struct audit_request request;
    const char *what = cli->argument_count ? cli->arguments[0] : "";
    if (!cli_request(cli, &request))
        return EXIT_USAGE;
    if (!cli_lists(cli->command->actions, what) || !*what)
        return cli_unknown_action(cli, _("patch plan, patch record or patch history?"));
    if (!str_equal(what, "record") && cli->argument_count > 1)
        return cli_usage(cli, _("%s is one word too many"), cli->arguments[1]);
    bool needs_memory = !str_equal(what, "plan");
    CLEANUP(state_cleanup)
    struct state *state = needs_memory ? cli_state_or_fail(cli) : cli_state(cli);
    request.state = state;
    if (str_equal(what, "plan"))
        return plan(cli, &request);
    return str_equal(what, "record") ? record(cli, &request) : history(cli, &request);
}
