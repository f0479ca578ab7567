#include "act/firewall.h"

#include "act/firewall_plan.h"
#include "act/firewall_record.h"
#include "act/firewall_rules.h"
#include "act/nft.h"
#include "act/notice.h"
#include "base/file.h"
#include "base/monotonic.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static json_t *way_to_json(const struct firewall_way *w)
{
    char text[INET6_ADDRSTRLEN];
    json_t *o = json_object();
    json_put_string(o, "address", address_text(&w->address, text));
    json_put_int(o, "port", w->port);
    json_put_bool(o, "out", w->out);
    return o;
}

static json_t *record_of(const struct firewall_plan *p, bool confirmed)
{
    char boot[40], text[120];
    CLEANUP_STR struct str rules = {0};
    json_t *o = json_object(), *list = json_array();
    firewall_boot_id(boot);
    firewall_rules(&rules, p, 0);
    json_put_string(o, "mode", firewall_mode_name(p->mode));
    json_put_string(o, "boot", boot);
    json_put_int(o, "started_ms", (int64_t)firewall_boot_ms());
    json_put_int(o, "since", (int64_t)time(NULL));
    json_put_int(o, "trial_seconds", p->trial_seconds);
    json_put_bool(o, "confirmed", confirmed);
    for (size_t i = 0; i < p->operator.way_count; i++)
        json_array_append_new(list, json_from_text(connection_text(&p->operator.ways[i].connection,
                                                                   text, sizeof text)));
    json_object_set_new(o, "connections", list);
    list = json_array();
    for (size_t i = 0; i < p->way_count; i++)
        json_array_append_new(list, way_to_json(&p->ways[i]));
    json_object_set_new(o, "ways", list);
    list = json_array();
    for (size_t i = 0; i < p->named_count; i++) {
        char network[INET6_ADDRSTRLEN + 5], address[INET6_ADDRSTRLEN];
        snprintf(network, sizeof network, "%s/%u", address_text(&p->named[i].address, address),
                 p->named[i].bits);
        json_array_append_new(list, json_from_text(network));
    }
    json_object_set_new(o, "named", list);
    json_put_int(o, "notice_port", p->notice_port);
    json_put_int(o, "notice_tls_port", p->notice_tls_port);
    json_put_string(o, "rules", str_text(&rules));
    return o;
}

/* The digests of all tables, and the record into the state. */
static bool remember(int dirfd, enum firewall_scope scope, json_t *record, struct error *e)
{
    char own[65];
    json_t *tables = firewall_tables(scope, own, e);
    if (!tables)
        return false;
    json_object_set_new(record, "others", tables);
    json_put_string(record, "own", own);
    return firewall_record_write(dirfd, scope, record, e);
}

/* A confirmed isolation that changes its mode keeps the ways that were proved. */
static void inherit(struct firewall_plan *p, const json_t *record)
{
    size_t i;
    json_t *item;
    json_array_foreach(json_get_array(record, "ways"), i, item)
    {
        struct firewall_network n;
        int64_t port = json_integer_value(json_object_get(item, "port"));
        const char *address = json_get_string(item, "address");
        if (address && firewall_network_parse(&n, address, NULL) && port > 0 && port <= UINT16_MAX)
            firewall_plan_add_way(
                p, &(struct firewall_way){n.address, (uint16_t)port,
                                          json_is_true(json_object_get(item, "out"))});
    }
    json_array_foreach(json_get_array(record, "named"), i, item)
    {
        struct firewall_network n;
        const char *text = json_string_value(item);
        if (p->named_count < FIREWALL_MOST && text && firewall_network_parse(&n, text, NULL))
            p->named[p->named_count++] = n;
    }
}

/* The rules that a unit loads at every start. */
static bool keep_rules(int dirfd, enum firewall_scope scope, const char *rules, struct error *e)
{
    const char *name = firewall_names_of(scope)->rules;
    if (!file_replace(dirfd, name, rules, strlen(rules), 0600, e))
        return false;
    file_give_to_owner(dirfd, name);
    return true;
}

static void take_back(enum firewall_scope scope)
{
    CLEANUP_STR struct str text = {0};
    const char *table = firewall_names_of(scope)->table;
    str_printf(&text, "table inet %s\ndelete table inet %s\n", table, table);
    (void)!nft_load(text.data, NULL);
}

/* A notice asks more of the kernel than all else: without it visitors are refused at least; and
 * where not even that is taken stays what is in force. */
static void add_later(struct firewall_plan *p, struct str *rules, unsigned seconds,
                      struct firewall_result *r)
{
    CLEANUP_STR struct str text = {0};
    struct firewall_plan whole = *p;
    whole.once_cut = NULL;
    p->once_cut(&whole, p->context);
    p->once_cut = NULL;
    firewall_rules(&text, &whole, seconds);
    if (!nft_load(text.data, &r->later)) {
        whole.notice_port = whole.notice_tls_port = 0;
        str_clear(&text);
        firewall_rules(&text, &whole, seconds);
        if (!nft_load(text.data, NULL))
            return;
    }
    *p = whole;
    str_clear(rules);
    str_add(rules, text.data);
}

/* What is in force: for the next start, where it is for good, and for whoever asks. */
static bool write_down(int dirfd, const struct firewall_plan *p, bool confirmed, const char *rules,
                       struct error *e)
{
    enum firewall_scope scope = firewall_scope_of(p->mode);
    CLEANUP_JSON json_t *record = record_of(p, confirmed);
    return (!confirmed || keep_rules(dirfd, scope, rules, e)) && remember(dirfd, scope, record, e);
}

/* Written down at once what is in force, so that one that is killed while it looks for the sites
 * leaves what can be confirmed, is there at the next start, and can be done again. */
static void finish(int dirfd, struct firewall_plan *p, bool confirmed, struct str *rules,
                   struct firewall_result *r)
{
    struct firewall_plan now = *p;
    now.once_cut = NULL;
    (void)!write_down(dirfd, &now, confirmed, rules->data, NULL);
    add_later(p, rules, confirmed ? 0 : p->trial_seconds, r);
    if (r->later.code)
        (void)!notice_stop(dirfd, NULL);
}

/* A table that was made with an owner is nobody else's to change (nft(8), "flags owner"): somebody
 * who has been here before can keep ours like that. */
static void say_who_holds(enum firewall_scope scope, struct error *e)
{
    static const char before_name[] = "# progname ";
    const char *table = firewall_names_of(scope)->table;
    const char *const words[] = {"list", "table", "inet", table};
    CLEANUP_STR struct str said = {0}, name = {0};
    if (!nft_ask(&said, words, ARRAY_COUNT(words), NULL) || !strstr(str_text(&said), "flags owner"))
        return;
    const char *at = strstr(str_text(&said), before_name);
    at = at ? at + strlen(before_name) : "?";
    str_add_printable(&name, at, strcspn(at, "\n"));
    error_set(e, ERR_SYSTEM,
              "a program that calls itself \"%.32s\" holds the table inet %s, and nobody else may "
              "change it: end it (ss -f netlink names it), or pull the cable, and do this again",
              str_text(&name), table);
}

/* Loaded, and the standing connections ended; `confirmed`: for good. `start`: of the call. */
static bool put_in_force(int dirfd, const struct firewall_plan *plan, bool confirmed,
                         uint64_t start, struct firewall_result *out, struct error *e)
{
    enum firewall_scope scope = firewall_scope_of(plan->mode);
    struct firewall_plan p = *plan;
    struct firewall_result r = {.mode = p.mode, .confirmed = confirmed};
    CLEANUP_STR struct str rules = {0};
    firewall_rules(&rules, &p, confirmed ? 0 : p.trial_seconds);
    if (!nft_load(rules.data, e)) {
        say_who_holds(scope, e);
        error_prefix(e, "%s", _("nothing was changed, the kernel or nft does not take the rules"));
        return false;
    }
    r.load_us = monotonic_us() - start;
    clock_gettime(CLOCK_REALTIME, &r.since);
    (void)!firewall_cut_standing(&p, &r.ended, &r.left, &r.why);
    r.all_us = monotonic_us() - start;
    if (p.once_cut)
        finish(dirfd, &p, confirmed, &rules, &r);
    if (!firewall_is_live(scope)) {
        error_set(e, ERR_SYSTEM, "the rules were loaded, and somebody else took them away at once");
        return false;
    }
    if (!write_down(dirfd, &p, confirmed, rules.data, e)) {
        if (!confirmed)
            take_back(scope);
        return false;
    }
    if (confirmed && p.mode == FIREWALL_WEB)
        notice_stay(dirfd);
    if (p.mode == FIREWALL_CONTAIN || p.mode == FIREWALL_FULL)
        (void)!notice_stop(dirfd, NULL);
    *out = r;
    return true;
}

static bool is_confirmed(const json_t *record, enum firewall_scope scope)
{
    return record && json_is_true(json_object_get(record, "confirmed")) && firewall_is_live(scope);
}

bool firewall_begin(int dirfd, const struct firewall_plan *plan, struct firewall_result *out,
                    struct error *e)
{
    uint64_t start = monotonic_us();
    enum firewall_scope scope = firewall_scope_of(plan->mode);
    struct firewall_plan p = *plan;
    CLEANUP_JSON json_t *before = firewall_record_read(dirfd, scope, NULL);
    bool confirmed = is_confirmed(before, scope);
    if (confirmed)
        inherit(&p, before);
    return firewall_check(&p, e) && put_in_force(dirfd, &p, confirmed, start, out, e);
}

json_t *firewall_proved(int dirfd)
{
    static const char *const keys[] = {"mode", "ways", "named"};
    CLEANUP_JSON json_t *record = firewall_record_read(dirfd, FIREWALL_ISOLATION, NULL);
    if (!is_confirmed(record, FIREWALL_ISOLATION))
        return NULL;
    json_t *proved = json_object();
    for (size_t i = 0; i < ARRAY_COUNT(keys); i++)
        json_object_set(proved, keys[i], json_object_get(record, keys[i]));
    return proved;
}

bool firewall_named(int dirfd, struct firewall_network out[FIREWALL_MOST], size_t *count)
{
    struct firewall_plan p = {0};
    if (!firewall_is_live(FIREWALL_ISOLATION))
        return false;
    CLEANUP_JSON json_t *record = firewall_record_read(dirfd, FIREWALL_ISOLATION, NULL);
    inherit(&p, record);
    memcpy(out, p.named, p.named_count * sizeof *out);
    *count = p.named_count;
    return true;
}

bool firewall_again(int dirfd, const struct firewall_plan *plan, const json_t *proved,
                    struct firewall_result *out, struct error *e)
{
    uint64_t start = monotonic_us();
    struct firewall_plan p = *plan;
    inherit(&p, proved);
    if (p.mode == FIREWALL_FULL && p.way_count && !p.named_count)
        p.mode = FIREWALL_CONTAIN;
    return put_in_force(dirfd, &p, true, start, out, e);
}

static unsigned seconds_left(const json_t *record)
{
    int64_t total = json_integer_value(json_object_get(record, "trial_seconds")) * 1000;
    int64_t gone =
        (int64_t)firewall_boot_ms() - json_integer_value(json_object_get(record, "started_ms"));
    return gone < total ? (unsigned)((total - gone + 999) / 1000) : 0;
}

static bool is_this_boot(const json_t *record)
{
    char boot[40];
    firewall_boot_id(boot);
    return str_equal(json_get_string(record, "boot"), boot);
}

static void look_at(struct firewall_status *s, const json_t *record, const char *own,
                    const json_t *tables, enum firewall_scope scope)
{
    bool confirmed = json_is_true(json_object_get(record, "confirmed"));
    const char *mode = json_get_string(record, "mode");
    if (mode)
        (void)firewall_mode_parse(&s->mode, mode);
    s->since = json_integer_value(json_object_get(record, "since"));
    s->notice_port = (uint16_t)json_integer_value(json_object_get(record, "notice_port"));
    s->notice_tls_port = (uint16_t)json_integer_value(json_object_get(record, "notice_tls_port"));
    unsigned left = is_this_boot(record) ? seconds_left(record) : 0;
    bool live = own[0] && firewall_is_live(scope);
    if (confirmed)
        s->stand = live ? FIREWALL_CONFIRMED : FIREWALL_REMOVED;
    else if (live)
        s->stand = FIREWALL_TRIAL;
    else /* the last second is the kernel's and not ours to judge */
        s->stand = left > 1 ? FIREWALL_REMOVED : FIREWALL_LAPSED;
    s->seconds_left = s->stand == FIREWALL_TRIAL ? left : 0;
    s->altered = live && !str_equal(own, json_get_string(record, "own"));
    firewall_tables_differ(s->changed, sizeof s->changed, json_get_object(record, "others"),
                           tables);
}

bool firewall_is_known(int dirfd, enum firewall_scope scope)
{
    return faccessat(dirfd, firewall_names_of(scope)->record, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

bool firewall_look(int dirfd, enum firewall_scope scope, struct firewall_status *out,
                   struct error *e)
{
    struct firewall_status s = {.stand = FIREWALL_NONE};
    struct error problem = ERROR_INIT;
    char own[65];
    CLEANUP_JSON json_t *record = firewall_record_read(dirfd, scope, &problem);
    if (!record && problem.code != ERR_ABSENT) {
        if (e)
            *e = problem;
        return false;
    }
    CLEANUP_JSON json_t *tables = firewall_tables(scope, own, e);
    if (!tables)
        return false;
    if (record)
        look_at(&s, record, own, tables, scope);
    else if (own[0])
        s.stand = FIREWALL_STRANGE;
    *out = s;
    return true;
}

static bool is_new_way(const json_t *record, const struct operator_way *w)
{
    char text[120];
    size_t i;
    json_t *item;
    connection_text(&w->connection, text, sizeof text);
    json_array_foreach(json_get_array(record, "connections"), i,
                       item) if (str_equal(json_string_value(item), text)) return false;
    return (int64_t)w->since_ms > json_integer_value(json_object_get(record, "started_ms"));
}

static bool may_confirm(const json_t *record, const struct operator* op, struct error *e)
{
    if (op->seat == OPERATOR_CONSOLE)
        return true;
    for (size_t i = 0; i < op->way_count; i++)
        if (is_new_way(record, &op->ways[i]))
            return true;
    if (op->seat == OPERATOR_NETWORK)
        error_set(e, ERR_USAGE,
                  "this connection was there before: that proves nothing. Leave it open, connect "
                  "anew from where you are, and confirm there");
    else
        error_set(e, ERR_USAGE, "it is not to be seen that you came over a new connection: %s",
                  op->why[0] ? op->why : _("nobody sits at a terminal here"));
    return false;
}

bool firewall_confirm(int dirfd, enum firewall_scope scope, const struct operator* op,
                      struct error *e)
{
    const struct firewall_names *names = firewall_names_of(scope);
    struct firewall_status s;
    if (!firewall_look(dirfd, scope, &s, e))
        return false;
    if (s.stand == FIREWALL_CONFIRMED)
        return true;
    if (s.stand != FIREWALL_TRIAL) {
        error_set(e, ERR_USAGE, "%s",
                  s.stand == FIREWALL_LAPSED    ? _("the trial is over and everything is open as "
                                                       "before: begin anew")
                  : s.stand == FIREWALL_REMOVED ? _("somebody else took the rules away, and "
                                                    "everything is open: begin anew")
                                                : _("there is no trial to confirm"));
        return false;
    }
    if (s.altered) {
        error_set(e, ERR_USAGE,
                  "somebody else changed rules in the table inet %s: it is not confirmed; begin "
                  "anew",
                  names->table);
        return false;
    }
    CLEANUP_JSON json_t *record = firewall_record_read(dirfd, scope, e);
    const char *rules = record ? json_get_string(record, "rules") : NULL;
    if (!rules || !may_confirm(record, op, e))
        return false;
    if (!keep_rules(dirfd, scope, rules, e))
        return false;
    if (!nft_load(rules, e)) {
        unlinkat(dirfd, names->rules, 0);
        return false;
    }
    if (s.mode == FIREWALL_WEB)
        notice_stay(dirfd);
    json_put_bool(record, "confirmed", true);
    return remember(dirfd, scope, record, e);
}

/* His connections would go on, and he could come again. */
static bool keeps_way_in(const struct firewall_plan *p)
{
    for (size_t i = 0; i < p->operator.way_count; i++) {
        const struct operator_way *w = &p->operator.ways[i];
        const struct connection *c = &w->connection;
        uint16_t port = w->made_here ? c->remote_port : c->local_port;
        bool kept = false;
        for (size_t k = 0; k < p->way_count && p->mode != FIREWALL_FULL; k++)
            kept |= address_equal(&p->ways[k].address, &c->remote) && p->ways[k].port == port &&
                    p->ways[k].out == w->made_here;
        for (size_t k = 0; k < p->named_count; k++)
            kept |= firewall_network_has(&p->named[k], &c->remote);
        if (!kept)
            return false;
    }
    return true;
}

bool firewall_mend(int dirfd, enum firewall_scope scope, const struct operator* op,
                   struct firewall_result *out, bool *mended, struct error *e)
{
    struct firewall_status s;
    struct firewall_result r = {.confirmed = true};
    *mended = false;
    if (!firewall_look(dirfd, scope, &s, e))
        return false;
    if (s.stand != FIREWALL_REMOVED && !(s.stand == FIREWALL_CONFIRMED && s.altered))
        return true;
    CLEANUP_JSON json_t *record = firewall_record_read(dirfd, scope, e);
    const char *rules = record ? json_get_string(record, "rules") : NULL;
    if (!rules || !json_is_true(json_object_get(record, "confirmed")))
        return record != NULL;
    struct firewall_plan p = {.mode = s.mode, .trial_seconds = FIREWALL_SHORTEST, .operator= * op };
    inherit(&p, record);
    if (!firewall_check(&p, e))
        return false;
    if (!keeps_way_in(&p)) {
        error_set(e, ERR_USAGE,
                  "this would lock you out: the rules that were confirmed have no way in for you");
        return false;
    }
    if (!keep_rules(dirfd, scope, rules, e) || !nft_load(rules, e))
        return false;
    (void)!firewall_cut_standing(&p, &r.ended, &r.left, &r.why);
    *mended = true;
    *out = r;
    return remember(dirfd, scope, record, e);
}

bool firewall_end(int dirfd, enum firewall_scope scope, struct error *e)
{
    const struct firewall_names *names = firewall_names_of(scope);
    CLEANUP_STR struct str text = {0};
    char aside[64];
    snprintf(aside, sizeof aside, "%s.aside", names->rules);
    /* first, so that the next start does not bring it back; what stays in force is to stay then */
    if (renameat(dirfd, names->rules, dirfd, aside) != 0 && errno != ENOENT) {
        error_set_errno(e, errno, "removing the rules that are loaded at every start failed");
        error_at(e, names->rules, 0, 0);
        return false;
    }
    str_printf(&text, "table inet %s\ndelete table inet %s\n", names->table, names->table);
    if (!nft_load(text.data, e)) {
        (void)!renameat(dirfd, aside, dirfd, names->rules);
        return false;
    }
    unlinkat(dirfd, aside, 0);
    if (scope == FIREWALL_ISOLATION && !notice_stop(dirfd, e))
        return false;
    if (unlinkat(dirfd, names->record, 0) != 0 && errno != ENOENT) {
        error_set_errno(e, errno, "removing the record of the firewall failed");
        error_at(e, names->record, 0, 0);
        return false;
    }
    return true;
}
