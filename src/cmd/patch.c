#include "cmd/cmd.h"

#include "audit/patching.h"
#include "base/json.h"
#include "base/str.h"
#include "judge/patches.h"
#include "record/ledger.h"
#include "record/patch_json.h"
#include "show/patching.h"

/* The plan as a file, for stage and apply. */
static bool write_plan(struct cli *cli, const struct audit *a, const struct plan *steps)
{
    struct error e = ERROR_INIT;
    CLEANUP(patch_plan_cleanup)
    struct patch_plan *p = patching_plan(a, steps, cli->who ? cli->who : cli_who(), cli->all, &e);
    CLEANUP_STR struct str text = {0};
    if (p)
        patch_plan_write(&text, p);
    if (!p || !patch_write_file(cli->out, text.data, text.length, &e)) {
        error_prefix(&e, "the plan was not written");
        cli_complain(&e);
        return false;
    }
    patch_hash(p->hash, text.data, text.length);
    show_patch_plan(&cli->show, p, cli->out);
    return true;
}

static int plan(struct cli *cli, struct audit_request *request)
{
    int code = EXIT_UNKNOWN;
    bool written = true;
    CLEANUP(audit_cleanup) struct audit *a = cli_audit(cli, request, &code);
    if (!a)
        return code;
    struct plan *p = plan_make(a->findings, &a->input);
    if (cli->out && cli->json) /* the summary is the last line */
        written = write_plan(cli, a, p);
    show_plan(&cli->show, a, p);
    if (cli->out && !cli->json)
        written = write_plan(cli, a, p);
    plan_free(p);
    code = cli_exit_code(cli, a);
    return written || code == EXIT_FOUND ? code : EXIT_UNKNOWN;
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
    json_put_string(o, "who", cli->who ? cli->who : cli_who());
    json_put_string(o, "recorded_by", cli_who());
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

/* --- what is meant by the words on the command line --- */

/* The patch as the advisories write it: "q293826", "293826" and "KB293826" are Q293826. */
static const char *known_patch(struct arena *arena, const struct audit *a, const char *word)
{
    size_t letters = str_starts_nocase(word, "KB") ? 2 : str_starts_nocase(word, "Q") ? 1 : 0;
    const char *digits = word + letters;
    bool number = *digits && strspn(digits, "0123456789") == strlen(digits);
    const char *spellings[] = {word, number ? arena_printf(arena, "Q%s", digits) : word,
                               number ? arena_printf(arena, "KB%s", digits) : word};
    const struct advisory_patch *const *patches;
    size_t count = advisories_patches(a->advisories, NULL, &patches);
    for (size_t k = 0; k < ARRAY_COUNT(spellings); k++) {
        for (size_t i = 0; i < count; i++)
            if (str_equal_nocase(patches[i]->key, spellings[k]))
                return patches[i]->key;
        for (const struct fact *f = facts_first(a->facts, "hotfix"); f;
             f = facts_next(a->facts, "hotfix", f))
            if (str_equal_nocase(fact_text(f, "id"), spellings[k]))
                return fact_text(f, "id");
    }
    /* Solaris: another revision of one that is known, 108662-03 for 108662-01. */
    size_t base = strspn(word, "0123456789");
    for (size_t i = 0; base == 6 && word[base] == '-' && i < count; i++)
        if (strncmp(patches[i]->key, word, base + 1) == 0)
            return word;
    for (const struct fact *f = facts_first(a->facts, "package"); f;
         f = facts_next(a->facts, "package", f))
        if (str_equal(fact_text(f, "name"), word))
            return word;
    return NULL;
}

/* The patches of an advisory that fit this host: "Q293826, Q295534", or "". */
static const char *patches_here(struct arena *arena, const struct audit *a,
                                const struct advisory *advisory, const char **first)
{
    CLEANUP_STR struct str list = {0};
    const struct advisory_case *const *cases;
    size_t count = advisories_cases_of(a->advisories, advisory, &cases);
    for (size_t i = 0; i < count; i++) {
        bool here = false;
        for (const struct fact *f = facts_first(a->facts, "product"); f;
             f = facts_next(a->facts, "product", f))
            here |= str_equal(fact_text(f, "name"), cases[i]->product);
        for (size_t k = 0;
             here && patches_on_platform(a->facts, cases[i]->platform) && k < cases[i]->patch_count;
             k++) {
            if (strstr(str_text(&list), cases[i]->patches[k]))
                continue;
            if (!list.length)
                *first = cases[i]->patches[k];
            str_printf(&list, "%s%s", list.length ? ", " : "", cases[i]->patches[k]);
        }
    }
    return arena_strdup(arena, str_text(&list));
}

static bool is_finding(const struct audit *a, const char *word)
{
    enum { LEAST = 6 };
    for (size_t i = 0; i < a->findings->list.count; i++)
        if (strlen(word) >= LEAST && str_starts(a->findings->list.items[i]->id, word))
            return true;
    return false;
}

/* What is to be written down for a word; NULL: said already, it is bad usage. What nobody here
 * knows is taken with a reason only: a slip would stay in the ledger for good. */
static const char *meant(struct cli *cli, struct arena *arena, const struct audit *a,
                         const char *word)
{
    const char *patch = known_patch(arena, a, word), *first = NULL;
    if (patch)
        return patch;
    const struct advisory *advisory = advisories_find(a->advisories, word);
    if (advisory) {
        const char *list = patches_here(arena, a, advisory, &first);
        if (first)
            cli_usage(cli, _("%s is an advisory: its patch here is %s: yagura patch record %s"),
                      advisory->id, list, first);
        else
            cli_usage(cli, _("%s is an advisory, and has no patch for this target"), advisory->id);
        return NULL;
    }
    if (is_finding(a, word)) {
        cli_usage(cli, _("%s is a finding: yagura explain %s names its patch"), word, word);
        return NULL;
    }
    if (cli->because)
        return word;
    cli_usage(cli,
              _("no advisory here knows a patch %s; if it is written rightly, say why it is to be "
                "written down: --because TEXT"),
              word);
    return NULL;
}

static bool write_down(struct cli *cli, struct state *state, const struct audit *a,
                       const char *patch, int64_t applied)
{
    struct error e = ERROR_INIT;
    bool known, proven;
    enum verdict v = verdict_of(a, patch, &known, &proven);
    bool by_claim = known && v == VERDICT_FIXED && !proven;
    const char *verdict = known ? verdict_name(v) : "unknown";
    if (!note(cli, state, a, patch, applied, verdict, &e)) {
        error_prefix(&e, "%s was not written down", patch);
        cli_complain(&e);
        return false;
    }
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
    return true;
}

/* A day that is given is its first second in UTC, and begins earlier in the east. */
static bool is_in_future(int64_t applied)
{
    enum { EASTERNMOST_SECONDS = 14 * 3600 };
    return applied > date_now() + EASTERNMOST_SECONDS;
}

static int record(struct cli *cli, struct audit_request *request)
{
    CLEANUP_ARENA struct arena *arena = arena_new();
    if (cli->argument_count < 2)
        return cli_usage(cli, _("which patch was applied? yagura patch record Q293826"));
    int64_t applied = date_now();
    if (request->as_of != DATE_NONE && request->as_of < applied)
        applied = request->as_of; /* what is written down on a day was applied by then */
    if (cli->when && !date_parse(cli->when, &applied))
        return cli_usage(cli, _("--when wants a date like 2001-06-06, not %s"), cli->when);
    if (is_in_future(applied))
        return cli_usage(cli, _("--when %s has not come yet: what was applied is written down"),
                         cli->when);
    if (!request->state)
        return EXIT_UNKNOWN;
    int code = EXIT_UNKNOWN;
    CLEANUP(audit_cleanup) struct audit *a = cli_audit(cli, request, &code);
    if (!a)
        return code;
    size_t count = cli->argument_count - 1;
    const char **patches = arena_alloc(arena, count * sizeof *patches);
    for (size_t i = 0; i < count; i++)
        if (!(patches[i] = meant(cli, arena, a, cli->arguments[i + 1])))
            return EXIT_USAGE;
    for (size_t i = 0; i < count; i++)
        if (!write_down(cli, request->state, a, patches[i], applied))
            return EXIT_UNKNOWN;
    /* The claim counts from now on: look once more with it. */
    CLEANUP(audit_cleanup) struct audit *again = cli_audit(cli, request, &code);
    if (!again)
        return code;
    if (cli->json) {
        json_t *o = json_object();
        json_put_string(o, "type", "summary");
        json_put_int(o, "found", (int64_t)again->open);
        json_put_int(o, "unknown", (int64_t)audit_unknown(again));
        show_json_line(&cli->show, o);
    } else {
        show_wrap(&cli->show, "", 2,
                  arena_printf(arena, _("Now open here: %zu. The record: %s"), again->open,
                               show_command(arena, "patch history")));
    }
    return cli_exit_code(cli, again);
}

/* --- what was written down --- */

static void show_recorded(struct cli *cli, struct arena *arena, const json_t *o)
{
    const char *text = json_get_string(o, "text"), *by = json_get_string(o, "recorded_by");
    const char *verdict = json_get_string(o, "verdict");
    enum verdict then;
    CLEANUP_STR struct str line = {0};
    str_printf(&line, "%.10s  %s  %s  %s%s%s  ", json_get_string(o, "applied"),
               json_get_string(o, "patch"), json_get_string(o, "host"), json_get_string(o, "who"),
               text ? "  " : "", text ? text : "");
    /* as it was judged when it was written down */
    if (verdict && verdict_from_name(verdict, &then))
        str_printf(&line, "%s  ", show_verdict(then));
    str_add(
        &line,
        by ? arena_printf(arena, _("(written down on %.10s by %s)"), json_get_string(o, "time"), by)
           : arena_printf(arena, _("(written down on %.10s)"), json_get_string(o, "time")));
    show_wrap(&cli->show, "", 4, str_text(&line));
}

/* A plan that was tried, applied or taken back by this program. */
static bool is_run(const char *kind)
{
    return str_equal(kind, "patch-staged") || str_equal(kind, "patch-applied") ||
           str_equal(kind, "patch-undone");
}

static void show_run(struct cli *cli, struct arena *arena, const json_t *o)
{
    const char *kind = json_get_string(o, "kind"), *text = json_get_string(o, "text");
    const json_t *good = json_object_get(o, "good");
    show_wrap(&cli->show, "", 4,
              arena_printf(
                  arena, _("%.10s  %s  %s  %s: packages %zu, plan %.16s%s%s%s"),
                  json_get_string(o, "time"), json_get_string(o, "host"), json_get_string(o, "who"),
                  str_equal(kind, "patch-staged")    ? _("tried")
                  : str_equal(kind, "patch-applied") ? _("applied")
                                                     : _("taken back"),
                  json_array_size(json_get_array(o, "packages")), json_get_string(o, "plan"),
                  good && !json_is_true(good) ? _("; not as it should be") : "", text ? "  " : "",
                  text ? text : ""));
}

/* Of the target that is named, else of all. */
static int history(struct cli *cli, struct audit_request *request)
{
    CLEANUP_ARENA struct arena *arena = arena_new();
    CLEANUP(audit_cleanup) struct audit *target = NULL;
    struct ledger_entry *entries;
    size_t count, shown = 0;
    struct error e = ERROR_INIT;
    bool one = request->kind != TARGET_LIVE || request->name;
    if (one && !audit_collect(&target, request, &e)) {
        cli_complain(&e);
        return e.code == ERR_SYSTEM ? EXIT_UNKNOWN : EXIT_USAGE;
    }
    if (!ledger_read(request->state, one ? target->identity : NULL, arena, &entries, &count, &e)) {
        cli_complain(&e);
        return EXIT_UNKNOWN;
    }
    for (size_t i = 0; i < count; i++) {
        CLEANUP_JSON json_t *o =
            json_parse(entries[i].body, strlen(entries[i].body), "ledger", 1 << 20, 1 << 20, &e);
        const char *kind = o ? json_get_string(o, "kind") : NULL;
        if (!str_equal(kind, "patch") && !is_run(kind))
            continue;
        shown++;
        if (cli->json) {
            json_put_string(o, "type", is_run(kind) ? "patch-run" : "patch");
            show_json_line(&cli->show, json_incref(o));
        } else if (is_run(kind)) {
            show_run(cli, arena, o);
        } else {
            show_recorded(cli, arena, o);
        }
    }
    if (cli->json) {
        cli_end_json(cli, 0, "patches", shown);
    } else if (!shown) {
        show_hint(&cli->show,
                  one ? _("Nothing has been written down about this target yet:")
                      : _("Nothing has been written down yet:"),
                  show_command(arena, "patch record PATCH"));
    }
    return EXIT_CLEAN;
}

/* An option that this action does not know would be silently without effect. */
static bool options_fit(const struct cli *cli, const char *what)
{
    const struct {
        bool given;
        const char *option, *actions;
    } rows[] = {{cli->out, "--out", "plan"},
                {cli->receipt, "--receipt", "stage apply"},
                {cli->override, "--override", "apply"},
                {cli->dry_run, "--dry-run", "stage apply undo"},
                {cli->yes, "--yes", "stage apply undo"},
                {cli->when, "--when", "record"}};
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++)
        if (rows[i].given && !cli_lists(rows[i].actions, what)) {
            cli_usage(cli, _("patch %s does not take %s"), what, rows[i].option);
            return false;
        }
    return true;
}

static int on_this_host(struct cli *cli, struct audit_request *request, const char *what)
{
    if (request->kind != TARGET_LIVE || request->as_of != DATE_NONE)
        return cli_usage(cli, _("patch %s is for this host, as it is now"), what);
    if (str_equal(what, "undo"))
        return cli_patch_undo(cli, request);
    if (cli->argument_count < 2)
        return cli_usage(cli, _("which plan? yagura patch plan --out plan.json makes one"));
    return cli_patch_run(cli, request, cli->arguments[1], str_equal(what, "stage"));
}

int cmd_patch(struct cli *cli)
{
    struct audit_request request;
    const char *what = cli->argument_count ? cli->arguments[0] : "";
    if (!cli_request(cli, &request))
        return EXIT_USAGE;
    if (!cli_lists(cli->command->actions, what) || !*what)
        return cli_unknown_action(cli, _("patch plan, stage, apply, undo, policy, record or "
                                         "history?"));
    size_t words =
        str_equal(what, "record") ? cli->argument_count
        : str_equal(what, "stage") || str_equal(what, "apply") || str_equal(what, "policy") ? 2
                                                                                            : 1;
    if (cli->argument_count > words)
        return cli_usage(cli, _("%s is one word too many"), cli->arguments[words]);
    if (!options_fit(cli, what))
        return EXIT_USAGE;
    if (str_equal(what, "policy"))
        return cli_patch_policy(cli);
    bool changes = str_equal(what, "stage") || str_equal(what, "apply") || str_equal(what, "undo");
    struct error e = ERROR_INIT;
    CLEANUP(state_cleanup)
    struct state *state = str_equal(what, "plan")                ? cli_state(cli)
                          : changes || str_equal(what, "record") ? cli_state_or_fail(cli)
                                                                 : cli_state_to_read(cli, &e);
    request.state = state;
    if (!state && str_equal(what, "history")) {
        if (e.code == ERR_ABSENT)
            error_prefix(&e, "there is no record here");
        cli_complain(&e);
        return EXIT_UNKNOWN;
    }
    if (!state && changes)
        return EXIT_UNKNOWN;
    if (str_equal(what, "plan"))
        return plan(cli, &request);
    if (changes)
        return on_this_host(cli, &request, what);
    return str_equal(what, "record") ? record(cli, &request) : history(cli, &request);
}
