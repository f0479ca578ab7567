/* `yagura ports --close`, `--confirm`, `--open`. */
#include "cmd/cmd.h"

#include "act/firewall.h"
#include "base/json.h"
#include "base/str.h"
#include "cmd/config.h"
#include "cmd/site.h"
#include "judge/ports.h"
#include "model/date.h"
#include "record/ledger.h"

enum { TRIAL_SECONDS = 60 };

static void say(struct cli *cli, const char *first, const char *text)
{
    if (!cli->json)
        show_wrap(&cli->show, first, (unsigned)show_columns(first), text);
}

static void keep_open(struct firewall_plan *p, uint16_t port, bool udp)
{
    if (p->open_count < FIREWALL_MOST)
        p->open[p->open_count++] = (struct firewall_ports){port, port, udp};
}

static bool is_open(const struct firewall_plan *p, const struct fact *listener)
{
    uint64_t port;
    bool udp = str_equal(fact_text(listener, "proto"), "udp");
    if (!str_to_u64(fact_text(listener, "port"), &port))
        return false;
    for (size_t i = 0; i < p->open_count; i++)
        if (p->open[i].udp == udp && port >= p->open[i].first && port <= p->open[i].last)
            return true;
    return false;
}

/* The sites' ports (HTTP/3 is UDP), what the configuration allows, the way in. */
static void choose_open(struct firewall_plan *p, const struct config *config,
                        const struct facts *facts)
{
    struct site_port sites[16];
    size_t count = ports_of_sites(facts, sites, ARRAY_COUNT(sites));
    for (size_t i = 0; i < count; i++)
        keep_open(p, sites[i].port, false);
    keep_open(p, 443, true);
    for (size_t i = 0; i < p->operator.way_count; i++)
        if (!p->operator.ways[i].made_here)
            keep_open(p, p->operator.ways[i].connection.local_port, false);
    for (const struct fact *f = facts_first(facts, "listener"); f;
         f = facts_next(facts, "listener", f)) {
        uint64_t port;
        if (port_is_way_in(f) && str_to_u64(fact_text(f, "port"), &port) && !is_open(p, f))
            keep_open(p, (uint16_t)port, false);
    }
    for (size_t i = 0; i < config->allow_count && p->open_count < FIREWALL_MOST; i++)
        p->open[p->open_count++] = config->allow[i];
}

static bool make_plan(struct cli *cli, struct firewall_plan *p, const struct connections *all,
                      struct error *e)
{
    uint64_t seconds = TRIAL_SECONDS;
    *p = (struct firewall_plan){.mode = FIREWALL_PORTS};
    if (cli->trial && (!str_to_u64(cli->trial, &seconds) || seconds > FIREWALL_LONGEST)) {
        error_set(e, ERR_USAGE, "a trial lasts %d to %d seconds", FIREWALL_SHORTEST,
                  FIREWALL_LONGEST);
        return false;
    }
    p->trial_seconds = (unsigned)seconds;
    if (!operator_find(&p->operator, all, e))
        return false;
    firewall_plan_ways(p);
    return !cli->allow || firewall_plan_name(p, cli->allow, e);
}

/* One line for a port that listens over IPv4 and over IPv6. */
static bool is_shown(const struct fact *a, const struct fact *b)
{
    static const char *const keys[] = {"port", "proto", "address", "process"};
    for (size_t i = 0; a && i < ARRAY_COUNT(keys); i++)
        if (!str_equal(fact_text(a, keys[i]), fact_text(b, keys[i])))
            return false;
    return a != NULL;
}

/* How the host is cut off; of one that is not, stand NONE. */
static struct firewall_status isolation(struct state *state)
{
    struct firewall_status is;
    if (firewall_look(state_dirfd(state), FIREWALL_ISOLATION, &is, NULL) &&
        (is.stand == FIREWALL_TRIAL || is.stand == FIREWALL_CONFIRMED))
        return is;
    return (struct firewall_status){.stand = FIREWALL_NONE};
}

/* It answers for the sites and at their ports (TPROXY): shutting its own one changes nothing. */
static bool is_notice(const struct firewall_status *is, const struct fact *listener)
{
    uint64_t port;
    return is->stand != FIREWALL_NONE && str_equal(fact_text(listener, "proto"), "tcp") &&
           str_to_u64(fact_text(listener, "port"), &port) && port &&
           (port == is->notice_port || port == is->notice_tls_port);
}

/* What would be shut and what stays open, of the listeners that are not for this host alone. */
static size_t show_choice(struct cli *cli, const struct firewall_plan *p, const struct audit *a,
                          const struct firewall_status *is)
{
    struct port_row *rows;
    CLEANUP_ARENA struct arena *arena = arena_new();
    size_t count = judge_ports(arena, a->facts, &rows), closing = 0;
    const struct fact *shown = NULL;
    struct show_table table = {.columns = 4};
    *show_table_line(&table, SHOW_BOLD) = (struct show_line){
        {_("port"), _("address"), _("process"), _("from outside")}, SHOW_BOLD, NULL};
    for (size_t i = 0; i < count; i++) {
        const struct fact *f = rows[i].listener;
        bool notice = is_notice(is, f), open = notice || is_open(p, f);
        if (rows[i].opinion == PORT_LOCAL)
            continue;
        closing += !open;
        if (cli->json) {
            json_t *o = json_object();
            json_put_string(o, "type", "closing");
            json_put_string(o, "port", fact_text(f, "port"));
            json_put_string(o, "proto", fact_text(f, "proto"));
            json_put_string(o, "address", fact_text(f, "address"));
            json_put_string(o, "process", fact_text(f, "process"));
            json_put_bool(o, "open", open);
            show_json_line(&cli->show, o);
            continue;
        }
        if (is_shown(shown, f))
            continue;
        shown = f;
        struct show_line *line = show_table_line(&table, open ? SHOW_PLAIN : SHOW_YELLOW);
        line->cells[0] = arena_printf(arena, "%s/%s", fact_text(f, "port"), fact_text(f, "proto"));
        line->cells[1] = fact_text(f, "address");
        line->cells[2] = fact_text(f, "process");
        line->cells[3] = notice ? _("stays: the notice, at the sites' ports")
                         : open ? _("stays open")
                                : _("is shut");
    }
    if (!cli->json)
        show_table(&cli->show, &table, true);
    VEC_FREE(&table.lines);
    return closing;
}

static void show_operator(struct cli *cli, const struct operator* op)
{
    CLEANUP_ARENA struct arena *arena = arena_new();
    char text[120];
    for (size_t i = 0; i < op->way_count; i++) {
        connection_text(&op->ways[i].connection, text, sizeof text);
        say(cli, "",
            op->through[0]
                ? arena_printf(arena, _("Your way in, through %s, stays: %s"), op->through, text)
                : arena_printf(arena, _("Your way in stays: %s"), text));
    }
    if (op->seat == OPERATOR_CONSOLE)
        say(cli, "",
            arena_printf(arena, _("You are at the console (%s): nothing cuts you off there"),
                         op->terminal));
}

static bool note(struct cli *cli, struct state *state, const char *kind,
                 const struct firewall_plan *p, const struct firewall_result *r, struct error *e)
{
    CLEANUP_JSON json_t *entry = cli_site_entry(cli, kind);
    if (p) {
        json_put_int(entry, "trial_seconds", r->confirmed ? 0 : p->trial_seconds);
        json_put_int(entry, "ended", (int64_t)r->ended);
        json_put_int(entry, "left", (int64_t)r->left);
    }
    return ledger_append(state, entry, date_now(), e);
}

static void summary(struct cli *cli, const char *stand, size_t closing, size_t ending,
                    const struct firewall_result *r, unsigned seconds)
{
    if (!cli->json)
        return;
    json_t *o = json_object();
    json_put_string(o, "type", "summary");
    json_put_int(o, "found", 0);
    json_put_int(o, "unknown", r && r->left ? 1 : 0);
    json_put_string(o, "stand", stand);
    json_put_int(o, "closing", (int64_t)closing);
    json_put_int(o, "ending", (int64_t)ending);
    json_put_int(o, "trial_seconds", seconds);
    if (r) {
        json_put_int(o, "left", (int64_t)r->left);
        json_put_int(o, "load_us", (int64_t)r->load_us);
        json_put_int(o, "all_us", (int64_t)r->all_us);
    }
    show_json_line(&cli->show, o);
}

static int fail(const struct error *e)
{
    cli_complain(e);
    return e->code == ERR_USAGE ? EXIT_USAGE : EXIT_UNKNOWN;
}

static int begin(struct cli *cli, struct state *state, const struct firewall_plan *p,
                 size_t closing)
{
    CLEANUP_ARENA struct arena *arena = arena_new();
    struct firewall_result r;
    struct error e = ERROR_INIT, problem = ERROR_INIT;
    if (!firewall_begin(state_dirfd(state), p, &r, &e))
        return fail(&e);
    if (!note(cli, state, "ports-close", p, &r, &problem))
        cli_complain(&problem);
    if (r.left)
        cli_complain(&r.why);
    summary(cli, r.confirmed ? "confirmed" : "trial", closing, r.ended, &r, p->trial_seconds);
    say(cli, "",
        arena_printf(arena, _("Shut, in %.1f ms; %zu standing connections ended."),
                     (double)r.load_us / 1000, r.ended));
    if (!r.confirmed) {
        say(cli, "",
            arena_printf(arena,
                         _("On trial: in %u seconds the kernel opens everything again by itself. "
                           "Leave this connection open, connect anew, and say there: %s"),
                         p->trial_seconds, show_command(arena, "ports --confirm")));
        say(cli, "",
            arena_printf(arena, _("To undo it at once: %s"), show_command(arena, "ports --open")));
    }
    return r.left ? EXIT_UNKNOWN : EXIT_CLEAN;
}

static int close_ports(struct cli *cli, struct state *state)
{
    struct audit_request request;
    struct error e = ERROR_INIT;
    CLEANUP_CONNECTIONS struct connections all = {0};
    struct firewall_plan p;
    size_t ending = 0;
    int code = EXIT_UNKNOWN;
    CLEANUP(config_cleanup) struct config *config = cli_config(cli);
    if (!config || !cli_request(cli, &request))
        return EXIT_USAGE;
    if (request.kind != TARGET_LIVE)
        return cli_usage(cli, "%s", _("only the ports of this host can be shut"));
    if (!connections_read(&all, &e) || !make_plan(cli, &p, &all, &e))
        return fail(&e);
    request.state = state;
    request.with_advisories = request.with_checklist = request.with_updates = false;
    CLEANUP(audit_cleanup) struct audit *a = cli_audit(cli, &request, &code);
    if (!a)
        return code;
    choose_open(&p, config, a->facts);
    if (!firewall_preview(&p, &all, NULL, &ending, &e))
        return fail(&e);
    struct firewall_status is = isolation(state);
    size_t closing = show_choice(cli, &p, a, &is);
    CLEANUP_ARENA struct arena *arena = arena_new();
    if (is.stand != FIREWALL_NONE)
        say(cli, "! ",
            arena_printf(
                arena,
                _("This host is isolated (%s), and that goes first: what stays open here is "
                  "reached again once it is reconnected."),
                firewall_mode_name(is.mode)));
    show_operator(cli, &p.operator);
    say(cli, "",
        arena_printf(arena,
                     ngettext("%zu standing connection to what is shut would end.",
                              "%zu standing connections to what is shut would end.", ending),
                     ending));
    if (cli->dry_run) {
        say(cli, "", _("Nothing was changed."));
        summary(cli, "none", closing, ending, NULL, p.trial_seconds);
        return EXIT_CLEAN;
    }
    if (!cli_confirm(cli, _("Shut these?")))
        return EXIT_USAGE;
    return begin(cli, state, &p, closing);
}

static int confirm(struct cli *cli, struct state *state)
{
    struct error e = ERROR_INIT, problem = ERROR_INIT;
    CLEANUP_CONNECTIONS struct connections all = {0};
    struct operator op;
    if (!connections_read(&all, &e) || !operator_find(&op, &all, &e) ||
        !firewall_confirm(state_dirfd(state), FIREWALL_CLOSED_PORTS, &op, &e))
        return fail(&e);
    if (!note(cli, state, "ports-confirm", NULL, NULL, &problem))
        cli_complain(&problem);
    summary(cli, "confirmed", 0, 0, NULL, 0);
    say(cli, "", _("Confirmed: they stay shut, after a restart too."));
    return EXIT_CLEAN;
}

static int open_ports(struct cli *cli, struct state *state)
{
    struct error e = ERROR_INIT, problem = ERROR_INIT;
    if (cli->dry_run) {
        say(cli, "", _("The table inet yagura_ports would be taken away; nothing was changed."));
        summary(cli, "none", 0, 0, NULL, 0);
        return EXIT_CLEAN;
    }
    if (!firewall_end(state_dirfd(state), FIREWALL_CLOSED_PORTS, &e))
        return fail(&e);
    if (!note(cli, state, "ports-open", NULL, NULL, &problem))
        cli_complain(&problem);
    summary(cli, "none", 0, 0, NULL, 0);
    say(cli, "", _("Our rules are gone; those of others are as they were."));
    return EXIT_CLEAN;
}

int cmd_ports_close(struct cli *cli)
{
    if (cli->argument_count)
        return cli_usage(cli, _("%s is one word too many"), cli->arguments[0]);
    if (cli->close + cli->confirm + cli->open + (cli->from_outside != NULL) > 1)
        return cli_usage(cli, "%s", _("--close, --confirm, --open, --from-outside: one of them"));
    CLEANUP(state_cleanup) struct state *state = cli_state_or_fail(cli);
    if (!state)
        return EXIT_UNKNOWN;
    return cli->close     ? close_ports(cli, state)
           : cli->confirm ? confirm(cli, state)
                          : open_ports(cli, state);
}
