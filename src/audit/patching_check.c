/* May this plan be applied here, and can it: see patching.h. */
#include "audit/patching.h"

#include "audit/patching_internal.h"
#include "base/json.h"
#include "base/str.h"
#include "model/date.h"
#include "record/keys.h"
#include "record/ledger.h"

#include <stdlib.h>

static struct message with(struct patching *p, const char *id, const char *name, const char *value)
{
    struct message m = message_of(id);
    message_put(&m, name, arena_strdup(p->arena, value));
    return m;
}

static void put(struct patching *p, struct message *m, const char *name, const char *value)
{
    message_put(m, name, arena_strdup(p->arena, value));
}

static void obstacle(struct patching *p, struct message m)
{
    VEC_PUSH(&p->obstacles, m);
}

static const char *count_text(struct patching *p, size_t n)
{
    return arena_printf(p->arena, "%zu", n);
}

/* --- the receipt --- */

static const struct package_change *in_receipt(const struct patch_receipt *r,
                                               const struct package_change *c)
{
    for (size_t i = 0; i < r->packages.count; i++)
        if (str_equal(r->packages.items[i].name, c->name) &&
            str_equal(r->packages.items[i].arch, c->arch))
            return &r->packages.items[i];
    return NULL;
}

static void check_receipt(struct patching *p, const struct patching_request *r)
{
    if (!str_equal(r->receipt->plan, r->plan->hash)) {
        struct message m =
            with(p,
                 N_("the receipt is of another plan ({other}), this one is {plan}: it was changed, "
                    "or it is not what was tried"),
                 "other", r->receipt->plan);
        put(p, &m, "plan", r->plan->hash);
        obstacle(p, m);
        return;
    }
    for (size_t i = 0; i < r->plan->packages.count; i++) {
        const struct package_change *c = &r->plan->packages.items[i], *tried;
        tried = in_receipt(r->receipt, c);
        if (tried && str_equal(tried->to, c->to))
            continue;
        struct message m =
            with(p,
                 N_("{package} was {tried} on the test host, and the plan says {to}: "
                    "the receipt does not fit the plan"),
                 "package", c->name);
        put(p, &m, "tried", tried ? tried->to : "-");
        put(p, &m, "to", c->to);
        obstacle(p, m);
    }
}

/* --- versions --- */

static void check_package(struct patching *p, const struct package_states *states,
                          const struct package_change *c)
{
    const struct package_state *s = packages_find(states, c->name, c->arch);
    struct patching_package row = {c, s ? arena_strdup(p->arena, s->version) : "", "",
                                   s && s->finished};
    bool there = str_equal(row.before, c->to);
    p->there += there;
    if (!there && !str_equal(row.before, c->from)) {
        struct message m =
            *row.before
                ? with(p,
                       N_("{package} is {installed} here, and the plan begins with {from}: make a "
                          "plan for this host"),
                       "package", c->name)
                : with(p,
                       N_("{package} is not installed here, and the plan begins with {from}: make "
                          "a plan for this host"),
                       "package", c->name);
        if (*row.before)
            put(p, &m, "installed", row.before);
        put(p, &m, "from", *c->from ? c->from : "-");
        obstacle(p, m);
    } else if (!there && s && s->hold) {
        obstacle(p, with(p, N_("{package} is held here (apt-mark unhold {package} lets it go)"),
                         "package", c->name));
    }
    /* Of a run that was torn, what it had begun with. */
    if (there && p->begun)
        row.before = c->from;
    VEC_PUSH(&p->packages, row);
}

static bool is_planned(const struct patch_plan *plan, const struct package_change *c)
{
    for (size_t i = 0; i < plan->packages.count; i++) {
        const struct package_change *q = &plan->packages.items[i];
        if (str_equal(q->name, c->name) && str_equal(q->to, c->to) &&
            (str_equal(q->arch, c->arch) || str_equal(q->arch, "all") || str_equal(c->arch, "all")))
            return true;
    }
    return false;
}

/* What apt would do is what was planned, no more. */
static bool simulate(struct patching *p, const struct patching_request *r, struct error *e)
{
    struct package_changes changes;
    struct error problem = ERROR_INIT;
    if (p->there == r->plan->packages.count)
        return true;
    if (!packages_simulate(&changes, p->arena, r->plan->packages.items, r->plan->packages.count,
                           &problem)) {
        if (problem.code != ERR_ABSENT && problem.code != ERR_USAGE) {
            if (e)
                *e = problem;
            return false;
        }
        /* What dpkg was interrupted in is put right first; then apt says. */
        if (!p->unfinished)
            obstacle(p, with(p, "{reason}", "reason", problem.message));
        return true;
    }
    for (size_t i = 0; i < changes.count; i++) {
        const struct package_change *c = &changes.items[i];
        if (is_planned(r->plan, c))
            continue;
        struct message m = with(p,
                                N_("apt would change {package} to {to}, too, and the plan does not "
                                   "have it: make a plan for this host"),
                                "package", c->name);
        put(p, &m, "to", c->to);
        obstacle(p, m);
    }
    return true;
}

/* --- what was begun and has no end in the ledger --- */

static bool find_begun(struct patching *p, const struct patching_request *r, struct error *e)
{
    struct ledger_entry *entries;
    size_t count;
    if (!ledger_read(r->audit->state, NULL, p->arena, &entries, &count, e))
        return false;
    for (size_t i = 0; i < count; i++) {
        CLEANUP_JSON json_t *o =
            json_parse(entries[i].body, strlen(entries[i].body), "ledger", 1 << 20, 1 << 20, NULL);
        const char *kind = o ? json_get_string(o, "kind") : NULL;
        if (!kind || !str_equal(json_get_string(o, "plan"), r->plan->hash))
            continue;
        if (str_equal(kind, "patch-begun"))
            p->begun = true;
        else if (str_equal(kind, "patch-applied") || str_equal(kind, "patch-staged") ||
                 str_equal(kind, "patch-undone"))
            p->begun = false;
    }
    return true;
}

/* --- the policy --- */

static bool is_own_key(const struct patching_request *r)
{
    struct keypair key;
    char text[KEYS_PUBLIC_TEXT];
    if (!keys_open(&key, state_dirfd(r->audit->state), "ledger", false, NULL))
        return false;
    keys_public_text(text, &key);
    keys_wipe(&key);
    return str_equal(text, r->receipt->key);
}

static bool check_policy(struct patching *p, const struct patching_request *r, struct error *e)
{
    struct patch_situation s = {.now = date_now(), .applier = r->who, .approver = ""};
    if (r->receipt) {
        s.receipt = true;
        s.own_key = is_own_key(r);
        s.key = r->receipt->key;
        s.approver = r->receipt->who;
        (void)!date_parse(r->receipt->when, &s.receipt_made);
    }
    if (r->policy->window.set &&
        !patching_local_time(s.now, r->policy->window.zone, &s.weekday, &s.minute)) {
        error_set(e, ERR_USAGE,
                  "there is no time zone \"%s\" on this host: the policy's window "
                  "cannot be judged",
                  r->policy->window.zone);
        return false;
    }
    if (r->policy->backup_path || r->policy->backup_command)
        s.backup = patching_backup(r->policy, s.now);
    patch_policy_judge(&p->opinion, p->arena, r->policy, &s);
    return true;
}

/* --- all of it --- */

void patching_find_way_back(struct patching *p, bool ran)
{
    CLEANUP_STR struct str command = {0}, missing = {0};
    VEC(struct package_change) changes = {0};
    for (size_t i = 0; i < p->packages.count; i++) {
        struct package_change c = *p->packages.items[i].wanted;
        c.from = p->packages.items[i].before;
        c.to = ran ? p->packages.items[i].after : c.to;
        if (!str_equal(c.from, c.to))
            VEC_PUSH(&changes, c);
    }
    struct error e = ERROR_INIT;
    if (changes.count && !packages_way_back(&command, &missing, changes.items, changes.count, &e))
        VEC_PUSH(&p->notes, with(p, N_("what would lead back could not be looked up: {reason}"),
                                 "reason", e.message));
    p->way_back = arena_strdup(p->arena, str_text(&command));
    p->missing = arena_strdup(p->arena, str_text(&missing));
    VEC_FREE(&changes);
}

bool patching_check(struct patching *p, const struct patching_request *r, struct error *e)
{
    CLEANUP_PACKAGE_STATES struct package_states states = {0};
    *p = (struct patching){.arena = arena_new(), .way_back = "", .missing = "", .log = ""};
    if (!find_begun(p, r, e) || !packages_look(&states, e))
        return false;
    for (size_t i = 0; i < states.list.count; i++)
        p->unfinished += states.list.items[i].there && !states.list.items[i].finished;
    for (size_t i = 0; i < r->plan->packages.count; i++)
        check_package(p, &states, &r->plan->packages.items[i]);
    if (r->receipt)
        check_receipt(p, r);
    if (!p->obstacles.count && !simulate(p, r, e))
        return false;
    if (r->policy && !r->staging && !check_policy(p, r, e))
        return false;
    if (!p->obstacles.count)
        patching_look_at_cut(p, r);
    patching_find_way_back(p, false);
    if (p->begun)
        VEC_PUSH(&p->notes, message_of(N_("an earlier run of this plan was interrupted: this one "
                                          "goes on with it")));
    if (p->unfinished)
        VEC_PUSH(&p->notes,
                 with(p, N_("packages that dpkg has left unconfigured: {count}; they come first"),
                      "count", count_text(p, p->unfinished)));
    if (p->there && p->there < r->plan->packages.count)
        VEC_PUSH(&p->notes, with(p, N_("packages that have their version already: {count}"),
                                 "count", count_text(p, p->there)));
    return true;
}

bool patching_may_run(const struct patching *p, const struct patching_request *r)
{
    return !p->obstacles.count && (!p->opinion.refusals.count || (r->override && r->because));
}

void patching_free(struct patching *p)
{
    if (!p->arena)
        return;
    VEC_FREE(&p->obstacles);
    VEC_FREE(&p->notes);
    VEC_FREE(&p->packages);
    VEC_FREE(&p->pages);
    VEC_FREE(&p->services);
    patch_opinion_free(&p->opinion);
    audit_free(p->before);
    audit_free(p->after);
    json_decref(p->record);
    arena_free(p->arena);
    p->arena = NULL;
}
