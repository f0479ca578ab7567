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
                 int64_t applied, const char *verdict, struct error *e)
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
    /* How the target looked when this was said: judge/patches.h tells by it what came later. */
    static const char *const looks[] = {"service_pack", "last_written"};
    const struct fact *host = facts_first(a->facts, "host");
    for (size_t i = 0; host && i < ARRAY_COUNT(looks); i++)
        if (fact_value(host, looks[i]) && fact_value(host, looks[i])->state == VALUE_TEXT)
            json_put_string(o, looks[i], fact_text(host, looks[i]));
    json_put_string(o, "verdict", verdict);
    if (cli->because)
        json_put_string(o, "text", cli->because);
    return ledger_append(state, o, date_now(), e);
}

/* What an audit will say about the patch that was just recorded; `proven`: not by the claim
 * alone. */
static enum verdict verdict_of(const struct audit *a, const char *patch, bool *known, bool *proven)
{
    /* the first is the worst */
    static const enum verdict order[] = {VERDICT_BROKEN, VERDICT_UNKNOWN, VERDICT_FIXED,
                                         VERDICT_NOT_AFFECTED};
    size_t worst = ARRAY_COUNT(order) - 1;
    *known = *proven = false;
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
        static const size_t by_proof[] = {[PROOF_NONE] = 2,
                                          [PROOF_NEW] = 2,
                                          [PROOF_OLD] = 0,
                                          [PROOF_UNREADABLE] = 1,
                                          [PROOF_MISSING] = 3};
        size_t one = patches_marker(p, patch, NULL) == MARKER_PENDING && by_proof[proof] > 1
                         ? 1
                         : by_proof[proof];
        *proven |= proof == PROOF_NEW || patches_in_service_pack(p, patch) ||
                   patches_has_service_pack(a->facts, patch);
        worst = one < worst ? one : worst;
    }
    for (const struct fact *f = facts_first(a->facts, "package"); f;
         f = facts_next(a->facts, "package", f)) {
        if (str_equal(fact_text(f, "name"), patch)) {
            *known = *proven = true;
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
    if (request->as_of != DATE_NONE && request->as_of < applied)
        applied = request->as_of; /* what is written down on a day was applied by then */
    if (cli->when && !date_parse(cli->when, &applied))
        return cli_usage(cli, _("--when wants a date like 2001-06-06, not %s"), cli->when);
    if (!request->state)
        return EXIT_UNKNOWN;
    int code = EXIT_UNKNOWN;
    CLEANUP(audit_cleanup) struct audit *a = cli_audit(cli, request, &code);
    if (!a)
        return code;
    code = EXIT_CLEAN;
    for (size_t i = 1; i < cli->argument_count; i++) {
        const char *patch = cli->arguments[i];
        struct error e = ERROR_INIT;
        bool known, proven;
        enum verdict v = verdict_of(a, patch, &known, &proven);
        const char *verdict = known ? verdict_name(v) : "unknown";
        if (!note(cli, request->state, a, patch, applied, verdict, &e)) {
            cli_complain(&e);
            return EXIT_UNKNOWN;
        }
        bool by_claim = known && v == VERDICT_FIXED && !proven;
        if (cli->json) {
            json_t *o = json_object();
            json_put_string(o, "type", "recorded");
            json_put_string(o, "patch", patch);
            json_put_string(o, "target", a->identity);
            json_put_string(o, "verdict", verdict);
            json_put_string(o, "confidence",
                            confidence_name(by_claim ? CONFIDENCE_LOW : CONFIDENCE_HIGH));
            show_json_line(&cli->show, o);
        } else if (!known) {
            printf(_("%s: written down. No advisory here knows it, so nothing can confirm it.\n"),
                   patch);
        } else if (v == VERDICT_BROKEN) {
            printf(_("%s: written down, but the files contradict it: broken. Apply it again.\n"),
                   patch);
        } else if (by_claim) {
            printf(_("%s: written down. It counts as fixed by your word (low confidence): nothing "
                     "here can prove it.\n"),
                   patch);
        } else {
            printf(_("%s: written down. Looked again: %s.\n"), patch, show_verdict(v));
        }
        if (known && v == VERDICT_BROKEN)
            code = EXIT_FOUND;
        else if ((!known || v == VERDICT_UNKNOWN) && code == EXIT_CLEAN)
            code = EXIT_UNKNOWN;
    }
    if (cli->json) {
        json_t *o = json_object();
        json_put_string(o, "type", "summary");
        json_put_int(o, "found", code == EXIT_FOUND);
        json_put_int(o, "unknown", code == EXIT_UNKNOWN);
        show_json_line(&cli->show, o);
    } else {
        /* The claim counts from now on: look once more with it. */
        int ignored;
        CLEANUP(audit_cleanup) struct audit *again = cli_audit(cli, request, &ignored);
        if (again)
            printf(_("Now open here: %zu. yagura patch history shows the record.\n"), again->open);
    }
    return code;
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
        const char *text = json_get_string(o, "text"), *verdict = json_get_string(o, "verdict");
        enum verdict then;
        CLEANUP_STR struct str line = {0};
        str_printf(&line, "%.10s  %s  %s  %s%s%s", json_get_string(o, "applied"),
                   json_get_string(o, "patch"), json_get_string(o, "host"),
                   json_get_string(o, "who"), text ? "  " : "", text ? text : "");
        /* as it was judged when it was written down */
        if (verdict && verdict_from_name(verdict, &then))
            str_printf(&line, "  %s", show_verdict(then));
        show_wrap(&cli->show, "", 4, str_text(&line));
        json_decref(o);
    }
    if (cli->json) {
        json_t *o = json_object();
        json_put_string(o, "type", "summary");
        json_put_int(o, "found", (int64_t)shown);
        json_put_int(o, "unknown", 0);
        show_json_line(&cli->show, o);
    } else if (!shown) {
        printf("%s\n", _("Nothing has been written down yet: yagura patch record ID"));
    }
    return EXIT_CLEAN;
}

int cmd_patch(struct cli *cli)
{
    struct audit_request request;
    const char *what = cli->argument_count ? cli->arguments[0] : "";
    if (!cli_request(cli, &request))
        return EXIT_USAGE;
    if (!str_equal(what, "plan") && !str_equal(what, "record") && !str_equal(what, "history"))
        return cli_usage(cli, _("patch plan, patch record or patch history?"));
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
