#include "audit/audit_internal.h"
#include "audit/put_aside.h"

#include "base/file.h"
#include "base/json.h"
#include "base/str.h"
#include "base/where.h"
#include "collect/collect.h"
#include "judge/coverage.h"
#include "judge/patch_rules.h"
#include "judge/updates.h"
#include "model/date.h"
#include "record/ledger.h"

#include <dirent.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

static const char *const kind_names[] = {
    [TARGET_LIVE] = "live",
    [TARGET_ROOT] = "root",
    [TARGET_IMAGE] = "image",
    [TARGET_TEXT] = "text",
};

bool audit_target_kind_from_name(const char *name, enum target_kind *out)
{
    for (size_t i = 0; i < ARRAY_COUNT(kind_names); i++) {
        if (str_equal(name, kind_names[i])) {
            *out = (enum target_kind)i;
            return true;
        }
    }
    return false;
}

bool audit_open_target(struct audit *a, const struct audit_request *r, struct error *e)
{
    switch (r->kind) {
    case TARGET_LIVE:
        return target_open_live(&a->target, e);
    case TARGET_ROOT:
        return target_open_root(&a->target, r->argument, e);
    case TARGET_IMAGE:
        return target_open_image(&a->target, r->argument, e);
    case TARGET_TEXT:
        return target_open_text(&a->target, r->argument, e);
    }
    return false;
}

bool audit_open_advisories(struct advisories **out, struct state *state, struct error *damaged,
                           struct error *e)
{
    CLEANUP_ARENA struct arena *arena = arena_new();
    VEC(const char *) paths = {0};
    char folder[4096];
    if (where_is(WHERE_DATA, "advisories", folder, sizeof folder)) {
        DIR *dir = opendir(folder);
        const struct dirent *entry;
        while (dir && (entry = readdir(dir)))
            if (str_ends(entry->d_name, ".db"))
                VEC_PUSH(&paths, (const char *)arena_printf(arena, "%s/%s", folder, entry->d_name));
        if (dir)
            closedir(dir);
    }
    if (state)
        VEC_PUSH(&paths, file_path_in(arena, state_dirfd(state), "advisories.db"));
    bool good = advisories_open(out, paths.items, paths.count, damaged, e);
    VEC_FREE(&paths);
    return good;
}

/* What is shipped may be left out of a package; what a person names has to be there. */
static bool is_folder(const char *path, struct error *e)
{
    struct stat st;
    if (stat(path, &st) == 0 && S_ISDIR(st.st_mode))
        return true;
    error_set(e, ERR_ABSENT, "there is no folder of rules here");
    error_at(e, path, 0, 0);
    return false;
}

/* A folder of shipped rules. */
static bool is_asked(const char *folder, enum audit_rules which)
{
    /* The host that runs this program is a Linux: the rest cannot apply. */
    bool here = str_equal(folder, "linux") || str_equal(folder, "apache");
    bool persistence = str_equal(folder, "persistence");
    bool scan = str_equal(folder, "scan"); /* those of scan.h */
    /* The worms of their time stand among the rules of their servers. */
    bool worms = str_equal(folder, "iis") || str_equal(folder, "solaris");
    switch (which) {
    case RULES_ALL:
        return true;
    case RULES_AUDIT:
        return !persistence && !scan;
    case RULES_AUDIT_HERE:
        return here;
    case RULES_PERSISTENCE:
        return persistence || worms;
    case RULES_PERSISTENCE_HERE:
        return persistence;
    }
    return false;
}

bool audit_load_rules(struct rules **out, const char *only, const char *also,
                      enum audit_rules which, struct sigma_problems *problems, struct error *e)
{
    VEC(const char *) dirs = {0};
    char folder[4096];
    if ((only && !is_folder(only, e)) || (also && !is_folder(also, e)))
        return false;
    if (only) {
        VEC_PUSH(&dirs, only);
    } else if (where_is(WHERE_DATA, "rules", folder, sizeof folder)) {
        DIR *dir = opendir(folder);
        const struct dirent *entry;
        while (dir && (entry = readdir(dir))) {
            if (!strchr(entry->d_name, '.') && is_asked(entry->d_name, which))
                VEC_PUSH(&dirs, (const char *)arena_printf(problems->arena, "%s/%s", folder,
                                                           entry->d_name));
        }
        if (dir)
            closedir(dir);
    }
    if (also)
        VEC_PUSH(&dirs, also);
    bool good = rules_load(out, dirs.items, dirs.count, problems, e);
    VEC_FREE(&dirs);
    return good;
}

static void keep_problems(struct audit *a, const struct sigma_problems *problems)
{
    for (size_t i = 0; i < problems->list.count; i++) {
        const struct sigma_problem *p = &problems->list.items[i];
        if (p->warning)
            continue;
        size_t n = a->rule_problem_count++;
        if (n >= ARRAY_COUNT(a->rule_problems))
            continue;
        error_set(&a->rule_problems[n], ERR_FORMAT, "%s", p->message);
        error_at(&a->rule_problems[n], p->path, p->line, p->column);
    }
}

static bool load_rules(struct audit *a, const struct audit_request *r, struct error *e)
{
    CLEANUP_ARENA struct arena *arena = arena_new();
    struct sigma_problems problems = {.arena = arena};
    bool here = r->kind == TARGET_LIVE;
    enum audit_rules which = r->about == ABOUT_HOLES
                                 ? (here ? RULES_AUDIT_HERE : RULES_AUDIT)
                                 : (here ? RULES_PERSISTENCE_HERE : RULES_PERSISTENCE);
    bool good = audit_load_rules(&a->rules, NULL, r->rules_dir, which, &problems, e);
    if (good)
        keep_problems(a, &problems);
    sigma_problems_free(&problems);
    return good;
}

bool audit_take_rules(struct audit *a, const char *const *dirs, size_t count, struct error *e)
{
    CLEANUP_ARENA struct arena *arena = arena_new();
    struct sigma_problems problems = {.arena = arena};
    bool good = rules_load(&a->rules, dirs, count, &problems, e);
    if (good)
        keep_problems(a, &problems);
    sigma_problems_free(&problems);
    return good;
}

static int compare_nocase(const void *x, const void *y)
{
    const char *a = *(const char *const *)x, *b = *(const char *const *)y;
    while (*a && str_lower(*a) == str_lower(*b))
        a++, b++;
    return (int)(unsigned char)str_lower(*a) - (int)(unsigned char)str_lower(*b);
}

/* The wants of rules and advisories as one sorted list without repetitions. */
static size_t join_wants(const struct audit *a, const char ***out)
{
    const char *const *of_rules = NULL, *const *of_advisories = NULL;
    size_t n = a->rules ? rules_wants(a->rules, &of_rules) : 0;
    size_t m = a->advisories ? advisories_wants(a->advisories, &of_advisories) : 0;
    const char **all = mem_alloc((n + m + 1) * sizeof *all);
    if (n)
        memcpy(all, of_rules, n * sizeof *all);
    if (m)
        memcpy(all + n, of_advisories, m * sizeof *all);
    qsort(all, n + m, sizeof *all, compare_nocase);
    size_t kept = 0;
    for (size_t i = 0; i < n + m; i++)
        if (!kept || compare_nocase(&all[kept - 1], &all[i]) != 0)
            all[kept++] = all[i];
    *out = all;
    return kept;
}

/* The same host seen tomorrow, or as an image, is the same host. */
void audit_find_identity(struct audit *a, const struct audit_request *r)
{
    const struct fact *host = facts_first(a->facts, "host");
    const char *text = r->name;
    if (!text && host)
        text = fact_text(host, "identity");
    if (!text || !*text)
        text = r->argument ? r->argument : "this host";
    unsigned char digest[crypto_hash_sha256_BYTES];
    crypto_hash_sha256(digest, (const unsigned char *)text, strlen(text));
    sodium_bin2hex(a->identity, sizeof a->identity, digest, sizeof digest);
    a->host_name = r->name ? r->name : host ? fact_text(host, "name") : "";
    a->host_line = host ? fact_text(host, "os") : "";
}

/* What the configuration says is a fact of this host, and of no other. */
static void add_policy(struct audit *a, const struct audit_request *r)
{
    static const char *const states[] = {[AUDIT_POLICY_NONE] = "none", [AUDIT_POLICY_SET] = "set"};
    if (r->kind != TARGET_LIVE || r->patch_policy == AUDIT_POLICY_NOT_ASKED)
        return;
    struct fact *f =
        facts_add(a->facts, "policy", "/etc/yagura/yagura.yaml", 0, -1, CONFIDENCE_HIGH);
    fact_put(a->facts, f, "of", "patch");
    if (r->patch_policy == AUDIT_POLICY_UNREADABLE)
        fact_put_state(a->facts, f, "state", VALUE_UNREADABLE,
                       _("the configuration could not be read"));
    else
        fact_put(a->facts, f, "state", states[r->patch_policy]);
}

struct audit_request audit_persistence_request(enum target_kind kind, const char *argument,
                                               struct state *state, bool whole)
{
    return (struct audit_request){.kind = kind,
                                  .argument = argument,
                                  .as_of = DATE_NONE,
                                  .state = state,
                                  .about = whole ? ABOUT_INTRUSION : ABOUT_PERSISTENCE};
}

bool audit_take_facts(struct audit *a, const struct audit_request *r, struct error *e)
{
    static const unsigned purposes[] = {
        [ABOUT_HOLES] = COLLECT_AUDIT,
        [ABOUT_PERSISTENCE] = COLLECT_PERSISTENCE,
        [ABOUT_INTRUSION] = COLLECT_PERSISTENCE | COLLECT_FILES,
        [ABOUT_SITES] = COLLECT_SITES,
        [ABOUT_SECRETS] = COLLECT_SECRETS,
    };
    const char **items = NULL;
    struct wants wants = {.count = join_wants(a, &items)};
    wants.items = items;
    a->facts = facts_new();
    bool good = collect_all(a->facts, a->target, &wants, purposes[r->about], r->patience,
                            r->state ? state_cache(r->state) : NULL, a->now, e);
    free(items);
    add_policy(a, r);
    audit_find_identity(a, r);
    return good;
}

struct audit *audit_new(const struct audit_request *r)
{
    struct audit *a = mem_alloc(sizeof *a);
    a->about = r->about;
    a->now = date_now();
    a->as_of = r->as_of == DATE_NONE ? a->now : r->as_of;
    return a;
}

bool audit_collect(struct audit **out, const struct audit_request *request, struct error *e)
{
    CLEANUP(audit_cleanup) struct audit *a = audit_new(request);
    struct error ignored = ERROR_INIT;
    if (!audit_open_target(a, request, e))
        return false;
    /* Wants make `facts` show what an audit would look at; without them it is an inventory. */
    if (!audit_open_advisories(&a->advisories, request->state, &a->feed_problem, &ignored))
        a->advisories = NULL;
    if (!load_rules(a, request, request->rules_dir ? e : &ignored)) {
        if (request->rules_dir)
            return false;
        a->rules = NULL;
    }
    if (!audit_take_facts(a, request, e))
        return false;
    *out = a;
    a = NULL;
    return true;
}

void audit_count(struct audit *a)
{
    for (size_t i = 0; i < a->findings->list.count; i++) {
        const struct finding *f = a->findings->list.items[i];
        a->open += finding_is_open(f);
        a->unknown += f->verdict == VERDICT_UNKNOWN;
        a->fixed += f->verdict == VERDICT_FIXED;
    }
}

static bool remember_target(struct audit *a, const struct audit_request *r)
{
    /* `explain` may be asked from another folder. */
    CLEANUP_FREE char *absolute = r->argument ? realpath(r->argument, NULL) : NULL;
    return r->state &&
           state_remember_target(r->state, a->identity, a->host_name, kind_names[r->kind],
                                 absolute      ? absolute
                                 : r->argument ? r->argument
                                               : "",
                                 r->name ? r->name : "", a->now, &a->memory);
}

void audit_remember_ids(struct audit *a, const struct audit_request *r)
{
    a->remembered = remember_target(a, r) &&
                    state_remember_ids(r->state, a->identity, a->findings, a->now, &a->memory);
}

static void remember(struct audit *a, const struct audit_request *r)
{
    if (!remember_target(a, r))
        return;
    bool complete = r->about == ABOUT_HOLES && r->with_advisories && r->with_checklist &&
                    r->with_updates && !r->set && !facts_first(a->facts, "unread") &&
                    facts_first(a->facts, "host");
    /* An audit as of another day is a question, not an observation. */
    if (r->as_of != DATE_NONE)
        a->remembered = state_remember_ids(r->state, a->identity, a->findings, a->now, &a->memory);
    else
        a->remembered =
            state_merge_findings(r->state, a->identity, a->findings, complete, a->now, &a->memory);
}

/* What the record says was applied here is a claim like the host's own. */
static void add_recorded(struct audit *a, struct state *state)
{
    CLEANUP_ARENA struct arena *arena = arena_new();
    struct ledger_entry *entries;
    size_t count;
    if (!ledger_read(state, a->identity, arena, &entries, &count, &a->memory))
        return;
    for (size_t i = 0; i < count; i++) {
        CLEANUP_JSON json_t *o =
            json_parse(entries[i].body, strlen(entries[i].body), "ledger", 1 << 20, 1 << 20, NULL);
        int64_t applied = DATE_NONE;
        const char *when = o ? json_get_string(o, "applied") : NULL;
        if (!o || !str_equal(json_get_string(o, "kind"), "patch"))
            continue;
        if (when && date_parse(when, &applied) && applied > a->as_of)
            continue;
        struct fact *f = facts_add(a->facts, "patch-recorded", "ledger", (uint64_t)entries[i].seq,
                                   -1, CONFIDENCE_MEDIUM);
        fact_put(a->facts, f, "id", json_get_string(o, "patch"));
        fact_put(a->facts, f, "installed", "1");
        /* how the target looked then: see patches.h */
        static const char *const then[] = {"time", "service_pack", "last_written"};
        for (size_t k = 0; k < ARRAY_COUNT(then); k++)
            if (json_get_string(o, then[k]))
                fact_put(a->facts, f, then[k], json_get_string(o, then[k]));
    }
}

/* Rules of other sets were loaded with those that are asked for. A user's own, of no set, count. */
static void keep_persistence(struct audit *a)
{
    for (size_t i = 0; i < rules_count(a->rules); i++) {
        const struct rule *rule = rules_at(a->rules, i);
        bool asked = !rule->set_count;
        for (size_t k = 0; k < rule->set_count; k++)
            asked |= str_equal(rule->sets[k], "persistence");
        if (!asked)
            rule_results_dismiss(a->outcomes, i, OUTCOME_NOT_APPLICABLE);
    }
}

static void leave_out_put_aside(struct audit *a, struct state *state)
{
    CLEANUP_PUT_ASIDE struct put_aside aside;
    put_aside_find(&aside, state);
    put_aside_drop(a, &aside);
}

bool audit_run(struct audit **out, const struct audit_request *request, struct error *e)
{
    CLEANUP(audit_cleanup) struct audit *a = audit_new(request);
    if (!audit_open_target(a, request, e) ||
        !audit_open_advisories(&a->advisories, request->state, &a->feed_problem, e) ||
        !load_rules(a, request, e) || !audit_take_facts(a, request, e))
        return false;
    if (request->state) {
        (void)!state_merge_patches(request->state, a->identity, a->facts,
                                   request->as_of == DATE_NONE, a->now, &a->memory);
        add_recorded(a, request->state);
    }

    a->outcomes = rules_evaluate(a->rules, a->facts);
    a->findings = findings_new();
    a->input = (struct judge_input){.facts = a->facts,
                                    .advisories = a->advisories,
                                    .identity = a->identity,
                                    .as_of = a->as_of,
                                    .rule = rule_results_truth,
                                    .rule_context = a->outcomes};
    rule_results_as_of(a->outcomes, a->facts, a->as_of);
    patch_rules_dismiss(a->outcomes, &a->input);
    bool holes = request->about == ABOUT_HOLES;
    if (!holes)
        keep_persistence(a);
    if (holes && request->with_advisories)
        judge_advisories(a->findings, &a->input);
    if (holes && request->with_updates)
        judge_updates(a->findings, a->facts, a->identity, a->now, a->as_of);
    if (!holes || request->with_checklist)
        rules_judge(a->findings, a->outcomes, a->facts, holes ? request->set : NULL, a->identity);
    if (!holes)
        leave_out_put_aside(a, request->state);
    judge_coverage(a->findings, &a->input);
    patch_rules_mark_repeated(a->findings, &a->input);
    if (!a->feed_problem.code)
        (void)!advisories_damage(a->advisories, &a->feed_problem);
    remember(a, request);
    findings_sort(a->findings);
    audit_count(a);
    *out = a;
    a = NULL;
    return true;
}

size_t audit_found(const struct audit *a, enum severity least)
{
    size_t found = 0;
    for (size_t i = 0; i < a->findings->list.count; i++)
        found += finding_is_open(a->findings->list.items[i]) &&
                 a->findings->list.items[i]->severity >= least;
    return found;
}

size_t audit_unknown(const struct audit *a)
{
    return a->unknown + (a->feed_problem.code != 0) + a->rule_problem_count;
}

void audit_free(struct audit *a)
{
    if (!a)
        return;
    findings_free(a->findings);
    rule_results_free(a->outcomes);
    rules_free(a->rules);
    facts_free(a->facts);
    advisories_close(a->advisories);
    target_close(a->target);
    free(a);
}

void audit_cleanup(struct audit **a)
{
    audit_free(*a);
}
