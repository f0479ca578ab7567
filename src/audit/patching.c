#include "audit/patching.h"

#include "audit/patching_internal.h"
#include "base/file.h"
#include "base/json.h"
#include "base/str.h"
#include "model/date.h"
#include "record/ledger.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static void say(const struct patching_request *r, enum patching_step step)
{
    if (r->say)
        r->say(r->context, step);
}

/* --- the log: what apt and dpkg say, in the state --- */

static int open_log(const char **path, struct arena *arena, const struct state *state,
                    const char *plan, struct error *e)
{
    const char *name = arena_printf(arena, "%.16s.log", plan);
    mkdirat(state_dirfd(state), "patches", 0700);
    CLEANUP_CLOSE int dir =
        openat(state_dirfd(state), "patches", O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    int fd = dir < 0
                 ? -1
                 : openat(dir, name, O_RDWR | O_CREAT | O_APPEND | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd < 0) {
        error_set_errno(e, errno, "opening a log in the folder patches/ of the state");
        return -1;
    }
    *path = file_path_in(arena, dir, name);
    return fd;
}

/* --- entries of the ledger --- */

static json_t *entry(const struct patching_request *r, const char *kind, const char *identity,
                     const char *host, const char *plan)
{
    json_t *o = json_object();
    json_put_string(o, "kind", kind);
    json_put_string(o, "target", identity);
    json_put_string(o, "host", host);
    json_put_string(o, "who", r->who);
    json_put_string(o, "recorded_by", r->recorded_by);
    json_put_string(o, "plan", plan);
    if (r->because)
        json_put_string(o, "text", r->because);
    return o;
}

static json_t *package_rows(const struct patching *p, bool after)
{
    json_t *list = json_array();
    for (size_t i = 0; i < p->packages.count; i++) {
        const struct patching_package *row = &p->packages.items[i];
        json_t *o = json_object();
        json_put_string(o, "name", row->wanted->name);
        json_put_string(o, "arch", row->wanted->arch);
        json_put_string(o, "before", row->before);
        json_put_string(o, after ? "after" : "to", after ? row->after : row->wanted->to);
        if (after)
            json_put_bool(o, "configured", row->finished);
        json_array_append_new(list, o);
    }
    return list;
}

static json_t *audit_row(const struct audit *a)
{
    json_t *o = json_object(), *ids = json_array();
    json_put_int(o, "open", a ? (int64_t)a->open : 0);
    json_put_int(o, "unknown", a ? (int64_t)audit_unknown(a) : 0);
    for (size_t i = 0; a && i < a->findings->list.count; i++)
        if (finding_is_open(a->findings->list.items[i]))
            json_array_append_new(ids, json_from_text(a->findings->list.items[i]->id));
    json_object_set_new(o, "ids", ids);
    return o;
}

static json_t *page_rows(const struct patching *p)
{
    json_t *list = json_array();
    for (size_t i = 0; i < p->pages.count; i++) {
        json_t *o = json_object();
        json_put_string(o, "url", p->pages.items[i].url);
        json_put_int(o, "before", p->pages.items[i].before);
        json_put_int(o, "after", p->pages.items[i].after);
        json_array_append_new(list, o);
    }
    return list;
}

static json_t *service_rows(const struct patching *p)
{
    json_t *list = json_array();
    for (size_t i = 0; i < p->services.count; i++) {
        json_t *o = json_object();
        json_put_string(o, "unit", p->services.items[i].unit);
        json_put_string(o, "outcome", services_outcome_name(p->services.items[i].outcome));
        json_array_append_new(list, o);
    }
    return list;
}

static bool note_begin(struct patching *p, const struct patching_request *r, struct error *e)
{
    CLEANUP_JSON json_t *o =
        entry(r, "patch-begun", p->before->identity, p->before->host_name, r->plan->hash);
    json_t *overridden = json_array();
    json_put_bool(o, "staging", r->staging);
    if (r->receipt) {
        json_t *receipt = json_object();
        json_put_string(receipt, "host", r->receipt->host);
        json_put_string(receipt, "who", r->receipt->who);
        json_put_string(receipt, "when", r->receipt->when);
        json_put_string(receipt, "key", r->receipt->key);
        json_object_set_new(o, "receipt", receipt);
    }
    for (size_t i = 0; i < p->opinion.refusals.count; i++)
        json_array_append_new(overridden, json_from_text(p->opinion.refusals.items[i].key));
    json_object_set_new(o, "overridden", overridden);
    json_object_set_new(o, "packages", package_rows(p, false));
    return ledger_append(r->audit->state, o, date_now(), e);
}

static bool note_end(struct patching *p, const struct patching_request *r, struct error *e)
{
    json_t *o = entry(r, r->staging ? "patch-staged" : "patch-applied", p->before->identity,
                      p->before->host_name, r->plan->hash);
    json_put_bool(o, "good", patching_failures(p) == 0);
    if (p->problem.code)
        json_put_string(o, "problem", p->problem.message);
    json_object_set_new(o, "packages", package_rows(p, true));
    json_object_set_new(o, "restarted", service_rows(p));
    json_object_set_new(o, "pages", page_rows(p));
    json_object_set_new(o, "audit_before", audit_row(p->before));
    json_object_set_new(o, "audit_after", audit_row(p->after));
    json_put_string(o, "way_back", p->way_back);
    p->record = o;
    return ledger_append(r->audit->state, o, date_now(), e);
}

/* --- the run --- */

static void install(struct patching *p, const struct patching_request *r, int log)
{
    VEC(struct package_change) wanted = {0};
    for (size_t i = 0; i < p->packages.count; i++)
        VEC_PUSH(&wanted, *p->packages.items[i].wanted);
    say(r, PATCHING_FETCHES);
    /* What is left unconfigured may wait for the very version that the plan brings: whether it
     * could be configured is seen behind the installation. */
    if (p->unfinished)
        (void)!packages_configure(log, NULL);
    p->not_fetched = wanted.count && !packages_fetch(wanted.items, wanted.count, log, &p->problem);
    if (wanted.count && !p->not_fetched) {
        say(r, PATCHING_INSTALLS);
        (void)!packages_install(wanted.items, wanted.count, log, &p->problem);
    }
    VEC_FREE(&wanted);
}

static bool look_after(struct patching *p, struct error *e)
{
    CLEANUP_PACKAGE_STATES struct package_states states = {0};
    if (!packages_look(&states, e))
        return false;
    for (size_t i = 0; i < p->packages.count; i++) {
        struct patching_package *row = &p->packages.items[i];
        const struct package_state *s =
            packages_find(&states, row->wanted->name, row->wanted->arch);
        row->after = s ? arena_strdup(p->arena, s->version) : "";
        row->finished = s && s->finished;
    }
    return true;
}

static bool known_service(const struct patching *p, const char *unit)
{
    for (size_t i = 0; i < p->services.count; i++)
        if (str_equal(p->services.items[i].unit, unit))
            return true;
    return false;
}

static const char *service_of(const struct fact *process)
{
    return *fact_text(process, "service") ? fact_text(process, "service")
                                          : fact_text(process, "name");
}

static void restart(struct patching *p, const struct facts *facts)
{
    for (const struct fact *f = facts_first(facts, "process"); f;
         f = facts_next(facts, "process", f)) {
        if (!str_equal(fact_text(f, "restart_needed"), "yes"))
            continue;
        const char *name = service_of(f);
        if (known_service(p, name))
            continue;
        struct error e = ERROR_INIT;
        struct patching_service s = {arena_strdup(p->arena, name), services_restart(name, &e), ""};
        s.why = arena_strdup(p->arena, e.message);
        VEC_PUSH(&p->services, s);
    }
}

/* Whether it maps files of a package that changes; `packages` is separated by blanks. */
static bool maps_changing(const struct patching *p, const char *packages)
{
    for (const char *at = packages; *at;) {
        size_t n = strcspn(at, " \n");
        for (size_t i = 0; i < p->packages.count; i++) {
            const char *name = p->packages.items[i].wanted->name;
            if (strlen(name) == n && memcmp(at, name, n) == 0)
                return true;
        }
        at += n + (at[n] != '\0');
    }
    return false;
}

bool patching_foresee(struct patching *p, const struct patching_request *r, struct error *e)
{
    CLEANUP(audit_cleanup) struct audit *now = NULL;
    if (!audit_collect(&now, r->audit, e))
        return false;
    patching_choose_pages(p, r, now->facts);
    for (const struct fact *f = facts_first(now->facts, "process"); f;
         f = facts_next(now->facts, "process", f)) {
        if (!str_equal(fact_text(f, "restart_needed"), "yes") &&
            !maps_changing(p, fact_text(f, "packages")))
            continue;
        const char *name = arena_strdup(p->arena, service_of(f));
        if (!known_service(p, name))
            VEC_PUSH(&p->services, ((struct patching_service){name, services_would(name), ""}));
    }
    return true;
}

bool patching_run(struct patching *p, const struct patching_request *r, struct error *e)
{
    CLEANUP(audit_cleanup) struct audit *now = NULL;
    CLEANUP_CLOSE int log = open_log(&p->log, p->arena, r->audit->state, r->plan->hash, e);
    if (log < 0)
        return false;
    say(r, PATCHING_AUDITS);
    if (!audit_run(&p->before, r->audit, e))
        return false;
    patching_choose_pages(p, r, p->before->facts);
    patching_ask_before(p);
    if (!note_begin(p, r, e))
        return false;
    install(p, r, log);
    struct error ignored = ERROR_INIT;
    if (look_after(p, p->problem.code ? &ignored : &p->problem))
        patching_find_way_back(p, true);
    say(r, PATCHING_RESTARTS);
    if (audit_collect(&now, r->audit, &ignored))
        restart(p, now->facts);
    say(r, PATCHING_ASKS);
    patching_ask_after(p);
    say(r, PATCHING_AUDITS_AGAIN);
    (void)!audit_run(&p->after, r->audit, p->problem.code ? &ignored : &p->problem);
    return note_end(p, r, e);
}

size_t patching_failures(const struct patching *p)
{
    size_t n = 0;
    for (size_t i = 0; i < p->packages.count; i++)
        n += !p->packages.items[i].finished ||
             !str_equal(p->packages.items[i].after, p->packages.items[i].wanted->to);
    for (size_t i = 0; i < p->services.count; i++)
        n += p->services.items[i].outcome == SERVICE_FAILED;
    for (size_t i = 0; i < p->pages.count; i++)
        n += p->pages.items[i].before && p->pages.items[i].after != p->pages.items[i].before;
    return n ? n : p->problem.code != 0;
}

size_t patching_unknown(const struct patching *p)
{
    size_t n = !p->after;
    for (size_t i = 0; i < p->services.count; i++)
        n += p->services.items[i].outcome == SERVICE_LEFT ||
             p->services.items[i].outcome == SERVICE_BY_HAND;
    for (size_t i = 0; i < p->pages.count; i++)
        n += !p->pages.items[i].before;
    return n;
}

bool patching_write_receipt(const struct patching *p, const struct patching_request *r,
                            const char *path, struct error *e)
{
    struct keypair key;
    char when[32];
    CLEANUP_JSON json_t *o = patch_receipt_begin(r->plan, r->who, r->recorded_by);
    json_t *host = json_object();
    date_format(date_now(), when);
    json_put_string(o, "when", when);
    json_put_string(host, "name", p->before->host_name);
    json_put_string(host, "identity", p->before->identity);
    json_put_string(host, "os", p->before->host_line);
    json_object_set_new(o, "host", host);
    static const char *const same[] = {"packages", "audit_before", "audit_after", "restarted",
                                       "pages"};
    for (size_t i = 0; i < ARRAY_COUNT(same); i++)
        json_object_set(o, same[i], json_object_get(p->record, same[i]));
    if (!keys_open(&key, state_dirfd(r->audit->state), "ledger", false, e))
        return false;
    bool good = patch_receipt_write(o, &key, path, e);
    keys_wipe(&key);
    return good;
}

/* --- back --- */

static bool take_rows(struct package_changes *out, struct arena *arena, const json_t *o)
{
    const json_t *rows = json_get_array(o, "packages");
    size_t count = json_array_size(rows), kept = 0;
    struct package_change *items = arena_alloc(arena, (count + 1) * sizeof *items);
    for (size_t i = 0; i < count; i++) {
        const json_t *row = json_array_get(rows, i);
        const char *name = json_get_string(row, "name"), *arch = json_get_string(row, "arch"),
                   *before = json_get_string(row, "before"), *to = json_get_string(row, "after");
        to = to ? to : json_get_string(row, "to");
        if (!name || !arch || !before || !to || str_equal(before, to))
            continue;
        items[kept++] = (struct package_change){.name = arena_strdup(arena, name),
                                                .arch = arena_strdup(arena, arch),
                                                .from = arena_strdup(arena, before),
                                                .to = arena_strdup(arena, to),
                                                .source = "",
                                                .closes = ""};
    }
    *out = (struct package_changes){items, kept};
    return kept > 0;
}

/* A run of the ledger that is not undone; `open`: it has no end yet. */
struct run {
    struct package_changes changes;
    const char *plan;
    bool open;
};
struct runs {
    VEC(struct run) list;
};

static void runs_free(struct runs *runs)
{
    VEC_FREE(&runs->list);
}

/* What an entry adds to the runs before it, or takes from them. */
static void take_entry(struct runs *runs, struct arena *arena, const json_t *o)
{
    const char *kind = json_get_string(o, "kind"), *plan = json_get_string(o, "plan");
    const struct run *last = runs->list.count ? &runs->list.items[runs->list.count - 1] : NULL;
    bool begun = str_equal(kind, "patch-begun");
    if (str_equal(kind, "patch-undone")) {
        runs->list.count -= last != NULL;
        return;
    }
    if (!plan || !(begun || str_equal(kind, "patch-applied") || str_equal(kind, "patch-staged")))
        return;
    /* The end of a run says what has become of it, and so does the next run of a torn one. */
    if (last && last->open && str_equal(last->plan, plan))
        runs->list.count--;
    struct run now = {.plan = arena_strdup(arena, plan), .open = begun};
    if (take_rows(&now.changes, arena, o))
        VEC_PUSH(&runs->list, now);
}

bool patching_last(struct package_changes *out, struct arena *arena, const char **plan,
                   struct state *state, const char *identity, struct error *e)
{
    CLEANUP(runs_free) struct runs runs = {0};
    struct ledger_entry *entries;
    size_t count;
    if (!ledger_read(state, identity, arena, &entries, &count, e))
        return false;
    for (size_t i = 0; i < count; i++) {
        CLEANUP_JSON json_t *o =
            json_parse(entries[i].body, strlen(entries[i].body), "ledger", 1 << 20, 1 << 20, NULL);
        if (o)
            take_entry(&runs, arena, o);
    }
    if (!runs.list.count) {
        error_set(e, ERR_ABSENT, "the ledger has no plan that was applied here and not undone");
        return false;
    }
    *out = runs.list.items[runs.list.count - 1].changes;
    *plan = runs.list.items[runs.list.count - 1].plan;
    return true;
}

bool patching_undo(const struct package_changes *changes, const char *plan,
                   const struct patching_request *r, const struct audit *host, const char **log,
                   struct arena *arena, struct error *e)
{
    CLEANUP_PACKAGE_STATES struct package_states states = {0};
    CLEANUP_CLOSE int fd = open_log(log, arena, r->audit->state, plan, e);
    if (fd < 0 || !packages_go_back(changes->items, changes->count, fd, e) ||
        !packages_look(&states, e))
        return false;
    for (size_t i = 0; i < changes->count; i++) {
        const struct package_change *c = &changes->items[i];
        const struct package_state *s = packages_find(&states, c->name, c->arch);
        if (str_equal(s ? s->version : "", c->from))
            continue;
        error_set(e, ERR_UNREADABLE, "%s is %s now, and should be %s again", c->name,
                  s ? s->version : "-", *c->from ? c->from : "-");
        return false;
    }
    CLEANUP_JSON json_t *o = entry(r, "patch-undone", host->identity, host->host_name, plan);
    json_t *rows = json_array();
    for (size_t i = 0; i < changes->count; i++) {
        json_t *row = json_object();
        json_put_string(row, "name", changes->items[i].name);
        json_put_string(row, "arch", changes->items[i].arch);
        json_put_string(row, "before", changes->items[i].to);
        json_put_string(row, "after", changes->items[i].from);
        json_array_append_new(rows, row);
    }
    json_object_set_new(o, "packages", rows);
    return ledger_append(r->audit->state, o, date_now(), e);
}
