#include "cmd/site.h"

#include "base/json.h"
#include "base/str.h"
#include "record/tampers.h"
#include "respond/watch.h"
#include "show/respond.h"

/* Bursts that a screen shows, and --all. */
enum { FEW = 3, MANY = 100000 };

/* All that is asked together before anything is said. */
struct standing {
    struct state_summary audits;
    struct site_row *sites;
    size_t site_count;
    json_t *guard; /* what it answered; NULL: it does not run, or does not answer: */
    struct error guard_error;
    int64_t tampered; /* when the guard undid something last; 0: it never did */
    struct arena *arena;
};

static json_t *ask_guard(struct state *state, struct error *e)
{
    struct control_client client;
    CLEANUP_STR struct str answer = {0};
    if (!control_connect(&client, state_dirfd(state), e))
        return NULL;
    bool good = control_ask(&client, "status", &answer, e);
    control_disconnect(&client);
    return good ? json_parse(answer.data, answer.length, "", 1 << 20, 4096, e) : NULL;
}

static int64_t number(const json_t *o, const char *key)
{
    return (int64_t)json_integer_value(json_object_get(o, key));
}

static bool is_true(const json_t *o, const char *key)
{
    return json_is_true(json_object_get(o, key));
}

static bool is_guarded(const struct standing *st, const char *site)
{
    size_t i;
    json_t *one, *sites = json_get_array(st->guard, "sites");
    json_array_foreach(sites, i, one)
    {
        const char *name = json_get_string(one, "name");
        if (name && str_equal(name, site))
            return true;
    }
    return false;
}

static size_t unguarded(const struct standing *st)
{
    size_t count = 0;
    for (size_t i = 0; i < st->site_count; i++)
        count += !is_guarded(st, st->sites[i].name);
    return count;
}

/* ---- the audits ------------------------------------------------------------------------------ */

static void say_audits(struct cli *cli, const struct state_summary *summary)
{
    char when[16];
    if (summary->last_audit == DATE_NONE) {
        CLEANUP_ARENA struct arena *arena = arena_new();
        show_wrap(&cli->show, "", 0,
                  arena_printf(arena, _("Nothing has been looked at yet. Start with: %s"),
                               show_command(arena, "audit")));
        return;
    }
    date_format_day(summary->last_audit, when);
    CLEANUP_STR struct str line = {0};
    str_printf(&line, ngettext("%zu target, ", "%zu targets, ", summary->targets),
               summary->targets);
    str_printf(&line,
               ngettext("%zu open finding at the last audits (newest %s), ",
                        "%zu open findings at the last audits (newest %s), ",
                        summary->open_findings),
               summary->open_findings, when);
    str_printf(
        &line,
        ngettext("%zu entry in the ledger.", "%zu entries in the ledger.", summary->ledger_entries),
        summary->ledger_entries);
    show_wrap(&cli->show, "", 0, str_text(&line));
}

/* ---- the sites ------------------------------------------------------------------------------- */

/* False: its generation cannot be opened, or is not the accepted one. */
static bool show_site(struct cli *cli, struct state *state, const struct standing *st,
                      const struct site_row *row)
{
    CLEANUP_GENERATION struct generation g = {0};
    struct error e = ERROR_INIT;
    bool good = generation_open(&g, state, row, 0, &e);
    bool guarded = is_guarded(st, row->name);
    char when[32] = "";
    if (good)
        date_format(manifest_made_ns(g.manifest) / 1000000000, when);
    if (cli->json) {
        json_t *o = json_object();
        json_put_string(o, "type", "site");
        json_put_string(o, "name", row->name);
        json_put_string(o, "root", row->root);
        json_put_string(o, "profile", row->profile);
        json_put_int(o, "generation", (int64_t)row->generation);
        json_put_string(o, "made", good ? when : NULL);
        json_put_int(o, "entries", good ? (int64_t)manifest_count(g.manifest) : 0);
        json_put_bool(o, "guarded", guarded);
        json_put_string(o, "error", good ? NULL : e.message);
        show_json_line(&cli->show, o);
        return good;
    }
    const char *first = arena_printf(st->arena, "%s %s  ",
                                     !good     ? "?"
                                     : guarded ? "+"
                                               : "!",
                                     row->name);
    when[10] = '\0';
    show_wrap(&cli->show, first, 4,
              good ? arena_printf(st->arena,
                                  guarded ? _("%s: generation %llu of %s, %u names, guarded")
                                          : _("%s: generation %llu of %s, %u names, NOT guarded"),
                                  show_path(st->arena, row->root),
                                  (unsigned long long)row->generation, when,
                                  manifest_count(g.manifest) - 1)
                   : e.message);
    return good;
}

/* ---- the guard ------------------------------------------------------------------------------- */

static const char *time_text(struct arena *arena, int64_t seconds)
{
    char when[32];
    if (!seconds)
        return _("never");
    date_format(seconds, when);
    return arena_strdup(arena, when);
}

static void say_guard(struct cli *cli, const struct standing *st)
{
    const json_t *g = st->guard;
    struct show *show = &cli->show;
    if (!g && st->guard_error.code != ERR_ABSENT) {
        show_wrap(show, "? ", 2,
                  arena_printf(st->arena, _("The guard: %s"), st->guard_error.message));
        return;
    }
    if (!g) {
        show_wrap(show, "! ", 2,
                  arena_printf(st->arena,
                               _("NO GUARD RUNS: what is changed now stays changed. Start it: %s"),
                               show_command(st->arena, "guard")));
        return;
    }
    show_wrap(show, is_true(g, "blind") ? "! " : "+ ", 2,
              arena_printf(st->arena,
                           _("On guard since %s: %lld events, %lld changes undone, %lld failures; "
                             "all content last proved: %s"),
                           time_text(st->arena, number(g, "started")),
                           (long long)number(g, "events"), (long long)number(g, "restored"),
                           (long long)number(g, "failed"),
                           time_text(st->arena, number(g, "last_proved"))));
    if (is_true(g, "blind"))
        show_wrap(show, "! ", 2,
                  _("BLIND: the kernel does not tell the guard what changes; it only compares"));
    if (is_true(g, "detect_only"))
        show_wrap(show, "! ", 2, _("It only detects: nothing is put back"));
    if (number(g, "pending"))
        show_wrap(show, "! ", 2,
                  arena_printf(st->arena,
                               ngettext("%lld name is wrong and could not be put back yet; it is "
                                        "tried again",
                                        "%lld names are wrong and could not be put back yet; they "
                                        "are tried again",
                                        (unsigned long)number(g, "pending")),
                               (long long)number(g, "pending")));
}

/* ---- what was undone ------------------------------------------------------------------------- */

static json_t *json_paths(struct state *state, const struct tamper *t, struct arena *arena,
                          struct error *e)
{
    struct tamper_path *paths;
    size_t count;
    json_t *list = json_array();
    if (!tampers_paths(state, t->id, arena, &paths, &count, e))
        return list;
    for (size_t i = 0; i < count; i++) {
        char hash[65] = "";
        json_t *o = json_object();
        for (size_t k = 0; paths[i].has_sha256 && k < sizeof paths[i].sha256; k++)
            snprintf(hash + 2 * k, 3, "%02x", paths[i].sha256[k]);
        json_put_string(o, "path", show_path(arena, paths[i].path));
        json_put_string(o, "kind", paths[i].kind);
        json_put_bool(o, "undone", paths[i].undone);
        json_put_int(o, "took_us", (int64_t)paths[i].took_us);
        json_put_string(o, "evidence", paths[i].evidence);
        if (hash[0])
            json_put_string(o, "sha256", hash);
        json_array_append_new(list, o);
    }
    return list;
}

static void show_tamper(struct cli *cli, struct state *state, const struct tamper *t)
{
    CLEANUP_ARENA struct arena *arena = arena_new();
    struct error e = ERROR_INIT;
    char first[32], last[32];
    date_format(t->first_ns / 1000000000, first);
    date_format(t->last_ns / 1000000000, last);
    if (cli->json) {
        json_t *o = json_object();
        json_put_string(o, "type", "tamper");
        json_put_string(o, "site", t->site);
        json_put_string(o, "first", first);
        json_put_string(o, "last", last);
        json_put_int(o, "restored", (int64_t)t->restored);
        json_put_int(o, "failed", (int64_t)t->failed);
        json_put_int(o, "unlisted", (int64_t)t->unlisted);
        json_put_int(o, "slowest_us", (int64_t)t->slowest_us);
        json_put_int(o, "pid", t->pid);
        json_put_int(o, "uid", t->uid);
        json_put_string(o, "exe", t->exe);
        json_put_string(o, "command", t->command);
        if (cli->all)
            json_object_set_new(o, "paths", json_paths(state, t, arena, &e));
        show_json_line(&cli->show, o);
        return;
    }
    struct tamper_path *paths;
    size_t count;
    CLEANUP_STR struct str line = {0};
    bool known = tampers_paths(state, t->id, arena, &paths, &count, &e) && count;
    str_printf(&line, "%s: %s", t->site, known ? show_path(arena, paths[0].path) : "?");
    unsigned long more = (unsigned long)(t->restored + t->failed);
    if (more-- > 1)
        str_printf(&line, ngettext(" and %lu more change", " and %lu more changes", more), more);
    if (t->failed)
        str_printf(&line, _(", %llu of them could not be undone at once"),
                   (unsigned long long)t->failed);
    if (t->pid && t->uid < 0)
        str_printf(&line, _(", by process %d, which has ended"), (int)t->pid);
    else if (t->pid)
        str_printf(&line, _(", by process %lld (%s, user %lld)"), (long long)t->pid,
                   t->command[0] ? show_path(arena, t->command) : "?", (long long)t->uid);
    show_wrap(&cli->show, arena_printf(arena, "  %s  ", first), 4, line.data);
}

static bool show_tampers(struct cli *cli, struct state *state, struct standing *st, struct error *e)
{
    struct tamper *list;
    size_t count;
    size_t most = cli->all ? MANY : FEW;
    if (!tampers_list(state, NULL, most + 1, st->arena, &list, &count, e))
        return false;
    if (count && !cli->json)
        printf("\n%s\n", _("Tampered with, the latest first:"));
    st->tampered = count ? list[0].last_ns / 1000000000 : 0;
    for (size_t i = 0; i < count && i < most; i++)
        show_tamper(cli, state, &list[i]);
    if (count > most && !cli->json) {
        CLEANUP_ARENA struct arena *arena = arena_new();
        show_hint(&cli->show, _("More of them:"), show_command(arena, "status --all"));
    }
    return true;
}

/* ---- the incident ---------------------------------------------------------------------------- */

/* The watch goes on when the incident is closed; it is told with the runbook that it began with. */
static bool show_its_watch(struct cli *cli, struct state *state, const struct incident *incident,
                           struct standing *st, size_t *unknown, struct error *e)
{
    CLEANUP(config_cleanup) struct config *config = cli_config(cli);
    struct respond_options options = {.isolate_again = config ? config->isolate_again : NULL};
    struct response r = {.state = state, .arena = st->arena, .options = &options};
    struct watch_status watch = {.on = false};
    bool good = config && respond_open(&r, incident->id, e);
    if (good)
        watch_status(&r, &watch);
    if (watch.on)
        show_watch(&cli->show, &r);
    *unknown += watch.stale || !config; /* what is wrong with it was said */
    respond_close(&r);
    return good || !config;
}

/* What was undone and no incident has dealt with yet: as the guard's alarm says it. */
static void say_begin(struct cli *cli, struct standing *st, int64_t dealt_with)
{
    if (!cli->json && st->tampered > dealt_with)
        show_hint(&cli->show,
                  _("If that was none of you, somebody is in. What to do now, step by step:"),
                  show_command(st->arena, "respond start"));
}

static bool show_open_incident(struct cli *cli, struct state *state, struct standing *st,
                               size_t *found, size_t *unknown, struct error *e)
{
    CLEANUP(incident_close) struct incident incident = {0};
    struct error absent = ERROR_INIT;
    if (!incident_open(&incident, state, NULL, st->arena, &absent)) {
        if (absent.code != ERR_ABSENT)
            *e = absent;
        else
            say_begin(cli, st, 0);
        return absent.code == ERR_ABSENT;
    }
    if (incident.closed)
        say_begin(cli, st, incident.closed);
    if (!incident.closed) {
        if (!cli->json)
            printf("\n");
        show_incident_line(&cli->show, &incident);
        ++*found;
    }
    return !watch_may_be_on(state) || show_its_watch(cli, state, &incident, st, unknown, e);
}

/* ---- together -------------------------------------------------------------------------------- */

static int show_standing(struct cli *cli, struct state *state, struct standing *st)
{
    struct error e = ERROR_INIT;
    /* A page that is wrong is found; what nobody watches is not known to be right. */
    size_t found = (size_t)number(st->guard, "pending");
    size_t unknown = unguarded(st) + is_true(st->guard, "blind");
    if (!cli->json) {
        printf("%s\n\n", _("yagura: a watchtower for web servers"));
        say_audits(cli, &st->audits);
        if (st->site_count)
            printf("\n");
    }
    for (size_t i = 0; i < st->site_count; i++)
        unknown += !show_site(cli, state, st, &st->sites[i]);
    if (cli->json && st->guard)
        show_json_line(&cli->show, json_incref(st->guard));
    if (!cli->json && st->site_count)
        say_guard(cli, st);
    if (state && !show_tampers(cli, state, st, &e)) {
        cli_complain(&e);
        unknown++;
    }
    if (state && !show_open_incident(cli, state, st, &found, &unknown, &e)) {
        cli_complain(&e);
        unknown++;
    }
    if (state)
        found += cli_say_firewall(cli, state);
    int code = found ? EXIT_FOUND : unknown ? EXIT_UNKNOWN : EXIT_CLEAN;
    if (cli->json) {
        json_t *o = json_pack(
            "{s:s, s:I, s:I, s:I, s:I, s:I, s:I}", "type", "summary", "targets",
            (json_int_t)st->audits.targets, "open", (json_int_t)st->audits.open_findings, "ledger",
            (json_int_t)st->audits.ledger_entries, "sites", (json_int_t)st->site_count, "found",
            (json_int_t)found, "unknown", (json_int_t)unknown);
        show_json_line(&cli->show, o);
        return code;
    }
    if (st->site_count) {
        printf("\n");
        show_hint(&cli->show, _("Is it as it was published:"), show_command(st->arena, "verify"));
    }
    show_hint(&cli->show, _("What is open:"), show_command(st->arena, "audit"));
    show_hint(&cli->show, _("What to do, in order:"), show_command(st->arena, "patch plan"));
    show_hint(&cli->show, _("All commands:"), show_command(st->arena, "help"));
    return code;
}

int cmd_status(struct cli *cli)
{
    CLEANUP_ARENA struct arena *arena = arena_new();
    struct standing st = {.audits = {.last_audit = DATE_NONE}, .arena = arena};
    struct error e = ERROR_INIT;
    if (cli->argument_count)
        return cli_usage(cli, _("%s is one word too many"), cli->arguments[0]);
    CLEANUP(state_cleanup) struct state *state = cli_state_to_read(cli, &e);
    if (!state && e.code == ERR_ABSENT) { /* the first time */
        if (cli->state)
            cli_complain(&e);
    } else if (!state || !state_summarise(state, &st.audits, &e) ||
               !sites_list(state, arena, &st.sites, &st.site_count, &e)) {
        cli_complain(&e);
        return EXIT_UNKNOWN;
    }
    if (state)
        st.guard = ask_guard(state, &st.guard_error);
    int code = show_standing(cli, state, &st);
    json_decref(st.guard);
    return code;
}
