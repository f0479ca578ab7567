/* Step 1: cut off, and step 7: opened again. {action: isolate, mode: web|contain|full} */
#include "act/firewall.h"
#include "act/notice.h"
#include "audit/audit.h"
#include "base/language.h"
#include "base/monotonic.h"
#include "base/str.h"
#include "judge/ports.h"
#include "model/date.h"
#include "respond/actions.h"
#include "respond/checks.h"
#include "respond/evidence.h"
#include "respond/isolate.h"

#include <stdio.h>

enum { TRIAL_SECONDS = 600, MOST_PORTS = 16 };

/* The usual two, and of sites those they say. */
static void choose_web(struct firewall_plan *p, const struct facts *sites)
{
    struct site_port ports[MOST_PORTS];
    size_t count = ports_of_sites(sites, ports, MOST_PORTS);
    p->web_count = p->web_tls_count = 0;
    for (size_t i = 0; i < count; i++) {
        if (ports[i].tls)
            p->web_tls[p->web_tls_count++] = ports[i].port;
        else
            p->web[p->web_count++] = ports[i].port;
    }
}

static void add_certificate(struct notice *n, struct notice_certificate c)
{
    for (size_t i = 0; i < n->certificate_count; i++)
        if (str_equal(n->certificates[i].chain, c.chain))
            return;
    if (*c.chain && *c.key && !strpbrk(c.chain, "\t\n") && !strpbrk(c.key, "\t\n") &&
        n->certificate_count < ARRAY_COUNT(n->certificates))
        n->certificates[n->certificate_count++] = c;
}

/* Strings stay those of the facts. */
static void choose_certificates(struct notice *n, const struct facts *sites)
{
    for (const struct fact *f = NULL; (f = facts_next(sites, "site", f));)
        add_certificate(n, (struct notice_certificate){fact_text(f, "certificate"),
                                                       fact_text(f, "certificate_key")});
}

/* NULL: it could not be looked at. */
static struct audit *sites_served(void)
{
    struct audit *a;
    struct audit_request request = {.kind = TARGET_LIVE, .as_of = DATE_NONE, .about = ABOUT_SITES};
    return audit_collect(&a, &request, NULL) ? a : NULL;
}

/* Nobody in front of the door is no reason to leave it open. */
static void show_notice(struct firewall_plan *p, void *context)
{
    struct response *r = context;
    struct error e = ERROR_INIT;
    struct notice notice = {.seconds = p->trial_seconds + 60};
    CLEANUP(audit_cleanup) struct audit *sites = sites_served();
    if (sites) {
        choose_web(p, sites->facts);
        choose_certificates(&notice, sites->facts);
    }
    if (!notice_start(&p->notice_port, &p->notice_tls_port, state_dirfd(r->state), &notice, &e)) {
        p->notice_port = p->notice_tls_port = 0;
        respond_say(r, arena_printf(r->arena, _("visitors get no notice: %s"), e.message));
    }
}

/* The usual ports at once, so that whoever is connected there is told; all else once it is cut. */
static void notice_later(struct firewall_plan *p, struct response *r)
{
    CLEANUP(facts_cleanup) struct facts *none = facts_new();
    if (p->mode != FIREWALL_WEB)
        return;
    choose_web(p, none);
    p->once_cut = show_notice;
    p->context = r;
}

static void put_operator(json_t *result, const char *key, const struct operator* op)
{
    json_t *o = json_object();
    json_put_string(o, "user", op->user);
    json_put_int(o, "uid", op->uid);
    json_put_bool(o, "local", op->local);
    json_put_string(o, "terminal", op->terminal);
    json_put_string(o, "through", op->through);
    json_put_int(o, "ways", (int64_t)op->way_count);
    json_t *list = json_array();
    for (size_t i = 0; i < op->way_count; i++) {
        char text[120];
        json_array_append_new(
            list, json_from_text(connection_text(&op->ways[i].connection, text, sizeof text)));
    }
    json_object_set_new(o, "connections", list);
    json_object_set_new(result, key, o);
}

/* All connections that stay, by name: one of them may be the attacker's. */
static const char *ways_text(struct response *r, const struct operator* op)
{
    CLEANUP_STR struct str list = {0};
    for (size_t i = 0; i < op->way_count; i++) {
        char text[120];
        connection_text(&op->ways[i].connection, text, sizeof text);
        str_printf(&list, "%s%s", i ? ", " : "", text);
    }
    return arena_strdup(r->arena, str_text(&list));
}

/* He who looks at the operator's tmux stays as well, and so does he to whom an SSH_CONNECTION leads
 * that somebody else wrote: only the operator can tell. */
static void say_ways(struct response *r, const struct operator* op)
{
    if (!op->way_count)
        return;
    const char *ways = ways_text(r, op);
    respond_tell(r, op->through[0] ? arena_printf(r->arena, _("Your way in, through %s, stays: %s"),
                                                  op->through, ways)
                                   : arena_printf(r->arena, _("Your way in stays: %s"), ways));
    for (size_t i = 1; i < op->way_count; i++)
        if (!address_equal(&op->ways[i].connection.remote, &op->ways[0].connection.remote)) {
            respond_say(r, _("They come from different addresses: if one is not yours, somebody "
                             "looks at your terminal. Undo this, log in without tmux or screen, "
                             "and do it again."));
            return;
        }
}

static bool find_operator(struct operator* out, struct error *e)
{
    CLEANUP_CONNECTIONS struct connections all = {0};
    return connections_read(&all, e) && operator_find(out, &all, e);
}

static bool make_plan(struct firewall_plan *p, struct response *r, const struct runbook_call *call,
                      struct error *e)
{
    const struct respond_options *o = r->options;
    const char *mode = o->mode ? o->mode : runbook_argument(call, "mode", "web");
    *p = (struct firewall_plan){.trial_seconds =
                                    o->trial_seconds ? o->trial_seconds : TRIAL_SECONDS};
    if (!firewall_mode_parse(&p->mode, mode) || p->mode == FIREWALL_PORTS) {
        error_set(e, ERR_USAGE, "--mode is web, contain or full, not %.32s", mode);
        return false;
    }
    if (!find_operator(&p->operator, e))
        return false;
    firewall_plan_ways(p);
    if (o->allow && !firewall_plan_name(p, o->allow, e))
        return false;
    return firewall_check(p, e);
}

static void put_cut(struct response *r, json_t *result, uint64_t before_us,
                    const struct firewall_result *cut)
{
    char second[32], whole[48];
    json_put_string(result, "mode", firewall_mode_name(cut->mode));
    json_put_int(result, "ended_connections", (int64_t)cut->ended);
    date_format(cut->since.tv_sec, second);
    snprintf(whole, sizeof whole, "%.19s.%06ldZ", second, cut->since.tv_nsec / 1000);
    json_put_string(result, "in_force_at", whole);
    json_put_int(result, "in_force_us", (int64_t)(before_us + cut->load_us));
    if (cut->later.code != ERR_NONE)
        respond_say(r, arena_printf(r->arena, _("visitors get no notice: %s"), cut->later.message));
}

/* What was read is evidence whether or not the door was shut. */
static void enter_alone(struct response *r, struct evidence_folder *first, json_t *result)
{
    struct error e = ERROR_INIT;
    if (first && !evidence_enter(first, r, result, &e))
        respond_say(r, arena_printf(r->arena, _("evidence is not complete: %s"), e.message));
}

/* The order of RFC 3227, but for the cut: what changes fastest is read first, once, and then the
 * door is shut before anything that takes longer is looked at. */
bool action_isolate(struct response *r, const struct runbook_call *call, json_t *result,
                    const char **waits, struct error *e)
{
    CLEANUP_EVIDENCE struct evidence_folder *first = NULL;
    struct firewall_plan p;
    struct firewall_result cut;
    struct error evidence = ERROR_INIT;
    uint64_t begun_us = monotonic_us();
    if (!make_plan(&p, r, call, e))
        return false;
    if (!evidence_first(&first, r, &evidence))
        respond_say(r, arena_printf(r->arena, _("no evidence of sockets and processes: %s"),
                                    evidence.message));
    notice_later(&p, r);
    uint64_t before_us = monotonic_us() - begun_us;
    bool is_cut = firewall_begin(state_dirfd(r->state), &p, &cut, e);
    /* before anything else is entered; what it says is told with what the step comes to */
    (void)!respond_verify(r, NULL);
    if (!is_cut) {
        notice_stop(state_dirfd(r->state), NULL);
        enter_alone(r, first, result);
        return false;
    }
    put_cut(r, result, before_us, &cut);
    if (cut.later.code)
        respond_say(r, arena_printf(r->arena,
                                    _("They are refused. Once that is mended, do it again to show "
                                      "it: yagura respond do %s"),
                                    r->step->id));
    put_operator(result, "operator", &p.operator);
    say_ways(r, &p.operator);
    if (cut.left)
        respond_say(
            r, arena_printf(r->arena,
                            ngettext("%zu standing connection could not be ended: %s",
                                     "%zu standing connections could not be ended: %s", cut.left),
                            cut.left, cut.why.message));
    evidence = ERROR_INIT;
    if (!evidence_rest(r, first, result, &evidence))
        respond_say(r, arena_printf(r->arena, _("evidence is not complete: %s"), evidence.message));
    if (!cut.confirmed)
        *waits = arena_printf(
            r->arena,
            _("This host is cut off, on trial for %u seconds. Keep this connection, log in anew "
              "over a NEW connection, and confirm there:\n"
              "yagura respond confirm\n"
              "Without that the kernel opens the host again by itself."),
            p.trial_seconds);
    return true;
}

bool isolate_again(struct response *r, const json_t *proved, const char *mode, json_t *result,
                   struct error *e)
{
    CLEANUP_EVIDENCE struct evidence_folder *first = NULL;
    struct firewall_plan p = {.trial_seconds = TRIAL_SECONDS};
    struct firewall_result cut;
    struct error evidence = ERROR_INIT;
    uint64_t begun_us = monotonic_us();
    if (!firewall_mode_parse(&p.mode, mode) || p.mode == FIREWALL_PORTS)
        p.mode = FIREWALL_WEB;
    if (find_operator(&p.operator, NULL) && p.operator.seat == OPERATOR_NETWORK)
        firewall_plan_ways(&p);
    if (!evidence_first(&first, r, &evidence))
        respond_say(r, arena_printf(r->arena, _("no evidence of sockets and processes: %s"),
                                    evidence.message));
    notice_later(&p, r);
    uint64_t before_us = monotonic_us() - begun_us;
    if (!firewall_again(state_dirfd(r->state), &p, proved, &cut, e)) {
        notice_stop(state_dirfd(r->state), NULL);
        enter_alone(r, first, result);
        return false;
    }
    put_cut(r, result, before_us, &cut);
    evidence = ERROR_INIT;
    if (!evidence_rest(r, first, result, &evidence))
        respond_say(r, arena_printf(r->arena, _("evidence is not complete: %s"), evidence.message));
    return true;
}

json_t *isolate_proved(const struct incident *i)
{
    const json_t *o;
    json_t *last = NULL;
    size_t k;
    json_array_foreach(i->array, k, o)
    {
        json_t *proved = json_get_object(json_get_object(o, "result"), "proved");
        if (proved && str_equal(json_get_string(o, "incident"), i->id) &&
            str_equal(json_get_string(o, "what"), "stage"))
            last = proved;
    }
    return json_incref(last);
}

bool isolate_find_operator(struct operator* out, json_t *result, struct error *e)
{
    if (!find_operator(out, e))
        return false;
    put_operator(result, "operator", out);
    return true;
}

bool action_isolate_preview(struct response *r, const struct runbook_call *call, json_t *result,
                            const char **waits, struct error *e)
{
    CLEANUP_CONNECTIONS struct connections all = {0};
    struct firewall_plan p;
    size_t ending;
    if (!make_plan(&p, r, call, e))
        return false;
    notice_later(&p, r);
    CLEANUP(audit_cleanup) struct audit *sites = p.mode == FIREWALL_WEB ? sites_served() : NULL;
    if (sites)
        choose_web(&p, sites->facts);
    if (!connections_read(&all, e) || !firewall_preview(&p, &all, NULL, &ending, e))
        return false;
    put_operator(result, "operator", &p.operator);
    say_ways(r, &p.operator);
    *waits = arena_printf(
        r->arena,
        ngettext("The kernel takes the rules (%s). %zu standing connection would end, and %zu "
                 "of yours would stay.",
                 "The kernel takes the rules (%s). %zu standing connections would end, and %zu "
                 "of yours would stay.",
                 ending),
        firewall_mode_name(p.mode), ending, p.way_count);
    return true;
}

bool action_isolate_confirm(struct response *r, const struct runbook_call *call, json_t *result,
                            const char **waits, struct error *e)
{
    struct operator op;
    if (!find_operator(&op, e) ||
        !firewall_confirm(state_dirfd(r->state), FIREWALL_ISOLATION, &op, e))
        return false;
    notice_stay(state_dirfd(r->state));
    put_operator(result, "confirmed_by", &op);
    return true;
}

bool action_isolate_mend(struct response *r, const struct runbook_call *call, json_t *result,
                         const char **waits, struct error *e)
{
    struct operator op;
    struct firewall_result cut;
    bool mended;
    if (!find_operator(&op, e) ||
        !firewall_mend(state_dirfd(r->state), FIREWALL_ISOLATION, &op, &cut, &mended, e))
        return false;
    if (!mended)
        return true;
    json_put_string(result, "mended", "isolate");
    json_put_int(result, "ended_connections", (int64_t)cut.ended);
    respond_say(r, arena_printf(r->arena,
                                ngettext("somebody else changed the rules that cut this host off, "
                                         "or took them away: they are back, and %zu connection "
                                         "made meanwhile was ended",
                                         "somebody else changed the rules that cut this host off, "
                                         "or took them away: they are back, and %zu connections "
                                         "made meanwhile were ended",
                                         cut.ended),
                                cut.ended));
    return true;
}

bool action_open_network(struct response *r, const struct runbook_call *call, json_t *result,
                         const char **waits, struct error *e)
{
    return firewall_end(state_dirfd(r->state), FIREWALL_ISOLATION, e) &&
           notice_stop(state_dirfd(r->state), e);
}

/* ---- checks --------------------------------------------------------------------------------- */

void check_operator_known(struct response *r, const struct runbook_call *call,
                          struct check_result *out)
{
    struct operator op;
    struct error e = ERROR_INIT;
    if (!find_operator(&op, &e)) {
        out->text = arena_strdup(r->arena, e.message);
        return;
    }
    out->verdict = op.seat == OPERATOR_HIDDEN && !r->options->allow ? CHECK_FALSE : CHECK_TRUE;
    out->text =
        out->verdict == CHECK_FALSE ? arena_strdup(r->arena, op.why)
        : op.seat == OPERATOR_CONSOLE
            ? _("you work at the console: no connection of yours can be cut")
        : op.seat == OPERATOR_NOWHERE
            ? _("you have neither a terminal nor a connection here: nothing of yours is cut")
        : op.seat == OPERATOR_HIDDEN
            ? arena_printf(r->arena, _("your way in is not known; what you named stays open: %s"),
                           r->options->allow)
            : arena_printf(r->arena, _("your way in is known and stays open: %s"),
                           ways_text(r, &op));
    if (out->verdict == CHECK_FALSE)
        out->todo = respond_todo(r, "isolate", " --allow YOUR-ADDRESS");
}

bool isolate_reconnects(const struct runbook_step *step)
{
    return str_equal(step->action.name, "reconnect") ||
           str_equal(step->action.name, "open-network");
}

/* The step that reconnects: done; or begun, which it was only because all that it asks for was
 * true, and cut short behind the opening, or in the middle of it. */
static bool is_reconnected(struct response *r)
{
    struct firewall_status is;
    for (size_t i = 0; i < r->book->steps.count; i++) {
        const struct runbook_step *step = &r->book->steps.items[i];
        enum step_state state = r->incident.steps[i].state;
        if (!isolate_reconnects(step))
            continue;
        return state == STEP_DONE ||
               (state == STEP_BEGUN &&
                firewall_look(state_dirfd(r->state), FIREWALL_ISOLATION, &is, NULL) &&
                (is.stand == FIREWALL_NONE || is.stand == FIREWALL_REMOVED));
    }
    return false;
}

static void look(struct response *r, struct check_result *out, bool wants_cut)
{
    struct firewall_status is;
    struct error e = ERROR_INIT;
    if (!firewall_look(state_dirfd(r->state), FIREWALL_ISOLATION, &is, &e)) {
        out->text = arena_strdup(r->arena, e.message);
        return;
    }
    bool good =
        wants_cut ? is.stand == FIREWALL_CONFIRMED && !is.altered : is.stand == FIREWALL_NONE;
    static const char *const texts[] = {
        [FIREWALL_NONE] = N_("the network is open"),
        [FIREWALL_TRIAL] = N_("this host is cut off on trial only, and not confirmed"),
        [FIREWALL_CONFIRMED] = N_("this host is cut off"),
        [FIREWALL_LAPSED] = N_("the trial is over without a confirmation: THIS HOST IS OPEN"),
        [FIREWALL_REMOVED] = N_("somebody took the rules away: THIS HOST IS OPEN"),
        [FIREWALL_STRANGE] = N_("there is a table of yagura's that this state knows nothing of")};
    out->verdict = good ? CHECK_TRUE : CHECK_FALSE;
    out->text = is.altered ? _("somebody changed the rules that cut this host off")
                           : language_text(texts[is.stand]);
    if (!good && wants_cut)
        out->todo =
            is.stand == FIREWALL_TRIAL ? "yagura respond confirm" : respond_todo(r, "isolate", "");
    else if (!good)
        out->todo =
            respond_todo(r, respond_step_that(r, "reconnect") ? "reconnect" : "open-network", "");
}

/* Once reconnected, it need not be true any more. */
void check_isolated(struct response *r, const struct runbook_call *call, struct check_result *out)
{
    if (is_reconnected(r)) {
        out->verdict = CHECK_TRUE;
        out->text = _("this host was cut off, and is reconnected");
        return;
    }
    look(r, out, true);
}

void check_reconnected(struct response *r, const struct runbook_call *call,
                       struct check_result *out)
{
    look(r, out, false);
}

/* Of the passwd file, that is, and over which way in is in the ledger. */
void check_local_administrator(struct response *r, const struct runbook_call *call,
                               struct check_result *out)
{
    struct operator op;
    struct error e = ERROR_INIT;
    if (!respond_is_live(r)) {
        out->verdict = CHECK_TRUE;
        out->text = _("it is looked at from outside");
        return;
    }
    if (!find_operator(&op, &e)) {
        out->text = arena_strdup(r->arena, e.message);
        return;
    }
    out->verdict = op.local ? CHECK_TRUE : CHECK_FALSE;
    out->text = arena_printf(r->arena,
                             op.local ? _("%s is an account of this host")
                                      : _("%s is NOT an account of this host (/etc/passwd): it may "
                                          "stop working, or be the attacker's"),
                             op.user[0] ? op.user : arena_printf(r->arena, "uid %u", op.uid));
    out->todo = op.local ? NULL : _("log in with a local account, from the console if you can");
}
