/* What a look of the watch finds: the five kinds that watch.h lists. */
#include "act/firewall.h"
#include "base/json.h"
#include "base/language.h"
#include "base/str.h"
#include "content/site.h"
#include "content/verify.h"
#include "record/tampers.h"
#include "respond/watch.h"

#include <arpa/inet.h>
#include <errno.h>
#include <ifaddrs.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>

enum { MOST_NAMED = 5, MOST_BURSTS = 200 };

/* ---- helpers -------------------------------------------------------------------------------- */

static void hash_text(const char *text, char out[65])
{
    unsigned char hash[crypto_hash_sha256_BYTES];
    crypto_hash_sha256(hash, (const unsigned char *)text, strlen(text));
    sodium_bin2hex(out, 65, hash, sizeof hash);
}

static void add_find(struct watch_report *out, struct watch_find find)
{
    if (out->finds.count < WATCH_MOST_FINDS)
        VEC_PUSH(&out->finds, find);
    else
        json_decref(find.finding);
}

static void add_unknown(struct response *r, struct watch_report *out, const char *text)
{
    out->unknown++;
    respond_say(r, text);
}

static bool has_text(const json_t *list, const char *text)
{
    const json_t *o;
    size_t i;
    json_array_foreach(list, i, o)
    {
        if (str_equal(json_string_value(o), text))
            return true;
    }
    return false;
}

/* ---- content -------------------------------------------------------------------------------- */

static void name_site(struct response *r, const char *site, const struct differences *found,
                      struct watch_report *out)
{
    CLEANUP_STR struct str all = {0}, some = {0};
    char hash[65];
    size_t named = 0;
    for (size_t i = 0; i < found->count; i++) {
        const struct difference *d = &found->items[i];
        if (!d->wrong)
            continue;
        str_printf(&all, "%d %s\n", (int)d->kind, d->path);
        if (!d->beneath && named < MOST_NAMED) {
            str_add(&some, named++ ? ", " : "");
            str_add_printable(&some, d->path, strlen(d->path));
        }
    }
    hash_text(str_text(&all), hash);
    add_find(out, (struct watch_find){
                      .key = arena_printf(r->arena, "content:%s:%.16s", site, hash),
                      .text = arena_printf(r->arena,
                                           ngettext("%s: %zu name is not as it was published: %s",
                                                    "%s: %zu names are not as they were published: "
                                                    "%s",
                                                    found->wrong),
                                           site, found->wrong, str_text(&some)),
                      .grave = true});
}

static bool look_at_site(struct response *r, const char *name, struct watch_report *out,
                         struct error *e)
{
    CLEANUP_SITE struct site site = {.rootfd = -1, .aside = {.fd = -1}};
    CLEANUP(differences_cleanup) struct differences *found = NULL;
    if (!respond_open_site(&site, r, name, false, e) ||
        !site_compare_quickly(&found, r->state, &site, true, NULL, e))
        return false;
    size_t unreadable = found->of_kind[DIFFERENCE_UNREADABLE];
    if (unreadable)
        add_unknown(r, out,
                    arena_printf(r->arena,
                                 ngettext("%s: %zu name could not be read",
                                          "%s: %zu names could not be read", unreadable),
                                 name, unreadable));
    if (found->wrong)
        name_site(r, name, found, out);
    return true;
}

static bool look_at_content(struct response *r, struct watch_report *out, struct error *e)
{
    struct site_row *rows;
    size_t count;
    if (!sites_list(r->state, r->arena, &rows, &count, e))
        return false;
    for (size_t i = 0; i < count; i++) {
        struct error problem = ERROR_INIT;
        if (!look_at_site(r, rows[i].name, out, &problem))
            add_unknown(r, out, arena_printf(r->arena, "%s: %s", rows[i].name, problem.message));
    }
    return true;
}

/* What the guard has undone is as it was; that somebody could do it is what is found. */
static bool look_at_guard(struct response *r, const json_t *known, struct watch_report *out,
                          struct error *e)
{
    struct tamper *bursts;
    size_t count;
    int64_t last = json_integer_value(json_object_get(known, "burst"));
    if (!tampers_list(r->state, NULL, MOST_BURSTS, r->arena, &bursts, &count, e))
        return false;
    for (size_t i = 0; i < count; i++) {
        const struct tamper *b = &bursts[i];
        struct tamper_path *paths;
        size_t path_count;
        uint64_t names = b->restored + b->failed;
        if (b->id <= last)
            continue;
        if (!tampers_paths(r->state, b->id, r->arena, &paths, &path_count, e))
            return false;
        CLEANUP_STR struct str path = {0};
        str_add_printable(&path, path_count ? paths[0].path : "?",
                          path_count ? strlen(paths[0].path) : 1);
        add_find(
            out,
            (struct watch_find){
                .key = arena_printf(r->arena, "burst:%lld", (long long)b->id),
                .text = arena_printf(
                    r->arena,
                    ngettext("%s: somebody changed %s; the guard undid %llu change",
                             "%s: somebody changed %s and others; the guard undid %llu changes",
                             names),
                    b->site, str_text(&path), (unsigned long long)names),
                .grave = true,
                .passing = true});
    }
    return true;
}

/* ---- persistence ---------------------------------------------------------------------------- */

static bool is_compared(const struct fact *f)
{
    return str_equal(f->kind, "persistence") || str_equal(f->kind, "account") ||
           str_equal(f->kind, "privileged-file");
}

/* All that a fact says but what changes by itself with the days, and where it stands in its file;
 * of a key not when its file was changed, which may have been for another key's sake. False: a part
 * of it could not be read, and nothing can be said. */
static bool hash_fact(const struct fact *f, char out[65])
{
    static const char *const passing[] = {"age_days", "changed"};
    bool is_key = str_equal(fact_text(f, "way"), "key");
    CLEANUP_STR struct str text = {0};
    str_printf(&text, "%s\n%s\n", f->kind, f->path);
    for (size_t i = 0; i < f->value_count; i++) {
        const struct fact_value *v = &f->values[i];
        bool left_out = false;
        for (size_t k = 0; k < ARRAY_COUNT(passing); k++)
            left_out |= str_equal(v->key, passing[k]);
        left_out |= is_key && str_equal(v->key, "modified");
        if (v->state == VALUE_UNREADABLE)
            return false;
        if (!left_out)
            str_printf(&text, "%s=%s\n", v->key, v->state == VALUE_TEXT ? v->text : "\n");
    }
    hash_text(str_text(&text), out);
    out[32] = '\0'; /* 128 bits tell facts apart */
    return true;
}

/* The fact that a finding speaks of, by its place; NULL: none of those that are compared. */
static const struct fact *fact_of(const struct facts *facts, const struct finding *f)
{
    for (size_t i = 0; f->evidence.count && i < facts_count(facts); i++) {
        const struct fact *fact = facts_at(facts, i);
        if (is_compared(fact) && str_equal(fact->path, f->evidence.items[0].path) &&
            fact->line == f->evidence.items[0].line)
            return fact;
    }
    return NULL;
}

static bool is_told(const struct finding *f)
{
    return finding_is_open(f) && f->severity >= SEVERITY_LOW;
}

static const char *unread_text(struct response *r, const struct fact *f)
{
    return arena_printf(r->arena, "%s %s", fact_text(f, "what"), f->path);
}

static void judge(struct response *r, const struct audit *a, const struct finding *f,
                  const json_t *known, struct watch_report *out)
{
    char hash[65] = "";
    const struct fact *fact = fact_of(a->facts, f);
    if (!is_told(f) || incident_signed(&r->incident, f->id))
        return;
    if (fact && !hash_fact(fact, hash)) {
        add_unknown(r, out,
                    arena_printf(r->arena, _("%s could not be compared with what it was"),
                                 f->subject_name));
        return;
    }
    if (fact ? json_object_get(json_object_get(known, "facts"), hash) != NULL
             : has_text(json_get_array(known, "findings"), f->id))
        return;
    CLEANUP_STR struct str name = {0};
    str_add_printable(&name, f->subject_name, strlen(f->subject_name));
    json_t *finding = respond_finding(f);
    add_find(out, (struct watch_find){.key = arena_printf(r->arena, "%s:%.16s", f->id, hash),
                                      .text = arena_printf(r->arena, "%.8s  %s: %s", f->id,
                                                           language_text(f->rule_title),
                                                           str_text(&name)),
                                      .grave = true,
                                      .finding = finding});
}

static struct audit *audit_now(struct response *r, struct error *e)
{
    struct audit *a = NULL;
    struct audit_request request = audit_persistence_request(TARGET_LIVE, NULL, r->state, false);
    return audit_run(&a, &request, e) ? a : NULL;
}

static void look_at_persistence(struct response *r, const struct audit *a, const json_t *known,
                                struct watch_report *out)
{
    for (size_t i = 0; i < a->findings->list.count; i++)
        judge(r, a, a->findings->list.items[i], known, out);
    for (const struct fact *f = facts_first(a->facts, "unread"); f;
         f = facts_next(a->facts, "unread", f)) {
        const char *text = unread_text(r, f);
        if (!has_text(json_get_array(known, "unread"), text))
            add_unknown(r, out, arena_printf(r->arena, "%s: %s", text, fact_text(f, "reason")));
    }
}

/* ---- the network ---------------------------------------------------------------------------- */

static const char *account_name(struct response *r, const struct facts *facts, uint32_t uid)
{
    char number[16];
    snprintf(number, sizeof number, "%u", uid);
    for (const struct fact *f = facts_first(facts, "account"); f;
         f = facts_next(facts, "account", f))
        if (str_equal(fact_text(f, "uid"), number))
            return arena_strdup(r->arena, fact_text(f, "name"));
    return arena_printf(r->arena, "uid %u", uid);
}

/* An account that the configurations of the web servers name; root serves nobody's pages. */
static bool serves_pages(const struct facts *facts, const char *account)
{
    static const char *const kinds[] = {"site", "web-server"};
    if (str_equal(account, "root"))
        return false;
    for (size_t k = 0; k < ARRAY_COUNT(kinds); k++)
        for (const struct fact *f = facts_first(facts, kinds[k]); f;
             f = facts_next(facts, kinds[k], f))
            if (str_equal(fact_text(f, "user"), account))
                return true;
    return false;
}

static bool listens_outside(const struct connection *c)
{
    return !c->udp && c->state == CONNECTION_LISTEN && !address_is_loopback(&c->local);
}

static bool is_port_allowed(const struct response *r, uint16_t port)
{
    const struct respond_options *o = r->options;
    for (size_t i = 0; i < o->known_port_count; i++)
        if (!o->known_ports[i].udp && port >= o->known_ports[i].first &&
            port <= o->known_ports[i].last)
            return true;
    return false;
}

static bool is_number_in(const json_t *list, int64_t number)
{
    const json_t *o;
    size_t i;
    json_array_foreach(list, i, o)
    {
        if (json_integer_value(o) == number)
            return true;
    }
    return false;
}

static bool is_listened_on(const struct connections *all, uint16_t port)
{
    for (size_t i = 0; i < all->count; i++)
        if (!all->items[i].udp && all->items[i].state == CONNECTION_LISTEN &&
            all->items[i].local_port == port)
            return true;
    return false;
}

static bool is_own_address(const struct ifaddrs *own, const struct address *a)
{
    if (address_is_loopback(a) || address_is_any(a))
        return true;
    for (const struct ifaddrs *i = own; i; i = i->ifa_next)
        if (address_is(a, i->ifa_addr))
            return true;
    return false;
}

static void free_addresses(struct ifaddrs **own)
{
    if (*own)
        freeifaddrs(*own);
}

static bool look_at_network(struct response *r, const struct facts *facts, const json_t *known,
                            struct watch_report *out, struct error *e)
{
    CLEANUP_CONNECTIONS struct connections all = {0};
    CLEANUP(free_addresses) struct ifaddrs *own = NULL;
    if (!connections_read(&all, e))
        return false;
    if (getifaddrs(&own) != 0) {
        error_set_errno(e, errno, "reading the addresses of this host failed");
        return false;
    }
    for (size_t i = 0; i < all.count; i++) {
        const struct connection *c = &all.items[i];
        const char *account = account_name(r, facts, c->uid);
        char address[INET6_ADDRSTRLEN];
        if (listens_outside(c) && !is_port_allowed(r, c->local_port) &&
            !is_number_in(json_get_array(known, "listeners"), c->local_port))
            add_find(out,
                     (struct watch_find){
                         .key = arena_printf(r->arena, "listener:%u", c->local_port),
                         .text = arena_printf(r->arena,
                                              _("a program of %s listens to the outside on TCP "
                                                "port %u: none did at the reconnection"),
                                              account, c->local_port),
                         .grave = true});
        else if (!c->udp && c->state != CONNECTION_LISTEN && serves_pages(facts, account) &&
                 !is_own_address(own, &c->remote) && !is_listened_on(&all, c->local_port))
            add_find(out,
                     (struct watch_find){
                         .key = arena_printf(r->arena, "outgoing:%s:%s:%u", account,
                                             address_text(&c->remote, address), c->remote_port),
                         .text = arena_printf(
                             r->arena, _("a program of %s has made a connection to %s, port %u"),
                             account, address_text(&c->remote, address), c->remote_port),
                         .passing = true});
    }
    return true;
}

/* ---- what is known at the reconnection ------------------------------------------------------ */

static void note_facts(struct response *r, const struct audit *a, json_t *known)
{
    char hash[65];
    json_t *facts = json_object(), *findings = json_array(), *unread = json_array();
    for (size_t i = 0; i < facts_count(a->facts); i++)
        if (is_compared(facts_at(a->facts, i)) && hash_fact(facts_at(a->facts, i), hash))
            json_object_set_new(facts, hash, json_true());
    for (size_t i = 0; i < a->findings->list.count; i++)
        if (is_told(a->findings->list.items[i]))
            json_array_append_new(findings, json_from_text(a->findings->list.items[i]->id));
    for (const struct fact *f = facts_first(a->facts, "unread"); f;
         f = facts_next(a->facts, "unread", f))
        json_array_append_new(unread, json_from_text(unread_text(r, f)));
    json_object_set_new(known, "facts", facts);
    json_object_set_new(known, "findings", findings);
    json_object_set_new(known, "unread", unread);
}

bool watch_note_known(struct response *r, json_t *known, struct error *e)
{
    CLEANUP(audit_cleanup) struct audit *a = audit_now(r, e);
    CLEANUP_CONNECTIONS struct connections all = {0};
    struct tamper *bursts;
    size_t count;
    int64_t last = 0;
    if (!a || !connections_read(&all, e) ||
        !tampers_list(r->state, NULL, MOST_BURSTS, r->arena, &bursts, &count, e))
        return false;
    note_facts(r, a, known);
    json_t *listeners = json_array();
    for (size_t i = 0; i < all.count; i++)
        if (listens_outside(&all.items[i]) && !is_number_in(listeners, all.items[i].local_port))
            json_array_append_new(listeners, json_integer(all.items[i].local_port));
    json_object_set_new(known, "listeners", listeners);
    for (size_t i = 0; i < count; i++)
        last = bursts[i].id > last ? bursts[i].id : last;
    json_put_int(known, "burst", last);
    json_put_int(known, "ledger_problems", (int64_t)r->incident.problems);
    return true;
}

bool watch_find_all(struct response *r, const json_t *known, struct watch_report *out,
                    struct error *e)
{
    struct error problem = ERROR_INIT;
    if ((int64_t)r->incident.problems >
        json_integer_value(json_object_get(known, "ledger_problems")))
        add_find(out, (struct watch_find){.key = "ledger",
                                          .text = _("THE LEDGER WAS CHANGED: yagura ledger verify "
                                                    "says where"),
                                          .grave = true});
    if (!look_at_content(r, out, e) || !look_at_guard(r, known, out, e))
        return false;
    CLEANUP(audit_cleanup) struct audit *a = audit_now(r, &problem);
    if (!a) {
        add_unknown(r, out, arena_strdup(r->arena, problem.message));
        return true;
    }
    look_at_persistence(r, a, known, out);
    if (!look_at_network(r, a->facts, known, out, &problem))
        add_unknown(r, out, arena_strdup(r->arena, problem.message));
    return true;
}
