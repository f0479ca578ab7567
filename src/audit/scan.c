#include "audit/scan.h"

#include "audit/audit_internal.h"
#include "audit/put_aside.h"
#include "base/language.h"
#include "base/str.h"
#include "base/where.h"
#include "collect/collect.h"
#include "collect/scan_running.h"
#include "judge/coverage.h"
#include "model/site_root.h"
#include "record/sites.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* What attackers leave behind. */
static const char *const scan_kinds[] = {
    "yara-hit",    "clamav-hit",      "running",       "leaving",
    "persistence", "privileged-file", "packaged-file", "account",
    "session",     "site-content",    "stray-program", "the comparison with the packages"};

static bool is_of_scan(const char *kind)
{
    for (size_t i = 0; i < ARRAY_COUNT(scan_kinds); i++)
        if (str_equal(kind, scan_kinds[i]))
            return true;
    return false;
}

/* A disk may be that of a server of 2001, whose worms have rules of their own. */
static bool load_rules(struct audit *a, const struct audit_request *r, struct error *e)
{
    static const char *const folders[] = {"scan", "persistence", "iis", "solaris"};
    CLEANUP_ARENA struct arena *arena = arena_new();
    const char *dirs[ARRAY_COUNT(folders)];
    size_t count = r->kind == TARGET_LIVE ? 2 : ARRAY_COUNT(folders);
    char rules[4096];
    if (!where_is(WHERE_DATA, "rules", rules, sizeof rules)) {
        error_set(e, ERR_ABSENT, "the rules that came with the program are not there");
        return false;
    }
    for (size_t i = 0; i < count; i++)
        dirs[i] = arena_printf(arena, "%s/%s", rules, folders[i]);
    return audit_take_rules(a, dirs, count, e);
}

/* --- where to look on this host --- */

struct places {
    struct arena *arena;
    VEC(const char *) list;
};

bool audit_lies_in(const char *path, const char *folder)
{
    size_t length = strlen(folder);
    return str_starts(path, folder) && (path[length] == '/' || !path[length]);
}

/* Nothing is looked at twice. */
static void add_place(struct places *p, const char *path)
{
    struct stat st;
    if (path[0] != '/' || !path[1] || lstat(path, &st) != 0)
        return;
    for (size_t i = 0; i < p->list.count; i++)
        if (audit_lies_in(path, p->list.items[i]))
            return;
    size_t kept = 0;
    for (size_t i = 0; i < p->list.count; i++)
        if (!audit_lies_in(p->list.items[i], path))
            p->list.items[kept++] = p->list.items[i];
    p->list.count = kept;
    VEC_PUSH(&p->list, (const char *)arena_strdup(p->arena, path));
}

static void find_places(struct places *p, const struct audit *a, struct state *state)
{
    static const char *const usual[] = {"/var/www", "/srv/www", "/usr/lib/cgi-bin",
                                        "/tmp",     "/var/tmp", "/dev/shm"};
    struct site_roots roots = site_roots_of(a->facts, p->arena);
    struct site_row *sites;
    size_t count;
    for (size_t i = 0; i < roots.count; i++)
        add_place(p, roots.items[i].root);
    if (state && state_knows_sites(state) && sites_list(state, p->arena, &sites, &count, NULL))
        for (size_t i = 0; i < count; i++)
            add_place(p, sites[i].root);
    for (size_t i = 0; i < ARRAY_COUNT(usual); i++)
        add_place(p, usual[i]);
}

static void places_cleanup(struct places *p)
{
    VEC_FREE(&p->list);
    arena_free(p->arena);
}

/* --- the pipeline --- */

static bool look_into_files(struct audit *a, struct scan_result *result,
                            const struct audit_request *target, const struct scan_request *bytes,
                            const struct put_aside *aside, struct error *e)
{
    CLEANUP(places_cleanup) struct places places = {.arena = arena_new()};
    struct scan_request request = *bytes;
    char shipped[4096];
    const char *ours[] = {shipped};
    if (!where_is(WHERE_DATA, "yara", shipped, sizeof shipped)) {
        error_set(e, ERR_ABSENT, "the rules that came with the program are not there");
        return false;
    }
    request.ours = ours;
    request.our_count = 1;
    request.left_out = aside->folders.items;
    request.left_out_count = aside->folders.count;
    if (request.only_paths) {
        for (size_t i = 0; i < bytes->path_count; i++)
            add_place(&places, bytes->paths[i]);
        request.paths = places.list.items;
        request.path_count = places.list.count;
        request.deleted_programs = true;
    } else if (!request.path_count && target->kind == TARGET_LIVE) {
        find_places(&places, a, target->state);
        request.paths = places.list.items;
        request.path_count = places.list.count;
        request.deleted_programs = true;
    }
    return scan_bytes(a->facts, a->target, &request, result, e);
}

/* --- what runs of it --- */

struct files {
    VEC(struct running_file) list;
};

static void files_cleanup(struct files *f)
{
    VEC_FREE(&f->list);
}

static void add_hits(struct files *files, const struct facts *facts)
{
    static const char *const kinds[] = {"yara-hit", "clamav-hit"};
    for (size_t k = 0; k < ARRAY_COUNT(kinds); k++)
        for (const struct fact *f = NULL; (f = facts_next(facts, kinds[k], f));) {
            struct running_file file = {.path = fact_text(f, "path"),
                                        .by = k ? "clamav" : fact_text(f, "by")};
            if (str_to_u64(fact_text(f, "device"), &file.device) &&
                str_to_u64(fact_text(f, "inode"), &file.inode))
                VEC_PUSH(&files->list, file);
        }
}

/* A file is the same one wherever it was moved, and a process that ran it runs it on. */
static void add_quarantined(struct files *files, const struct put_aside *aside)
{
    for (size_t i = 0; i < aside->item_count; i++) {
        struct stat st;
        if (lstat(aside->items[i].kept, &st) != 0 || !S_ISREG(st.st_mode))
            continue;
        struct running_file file = {st.st_dev, st.st_ino, aside->items[i].origin, "quarantine"};
        VEC_PUSH(&files->list, file);
    }
}

static void find_running(struct audit *a, const struct put_aside *aside)
{
    CLEANUP(files_cleanup) struct files files = {0};
    struct error e = ERROR_INIT;
    add_hits(&files, a->facts);
    add_quarantined(&files, aside);
    if (!running_find(a->facts, files.list.items, files.list.count, &e))
        facts_unread(a->facts, N_("running processes"), "/proc", e.message);
}

/* A record of that path says itself what could not be looked at, and the rules say it of that. */
static bool is_told_by_a_record(const struct facts *facts, const struct fact *unread)
{
    for (const struct fact *f = NULL; (f = facts_next(facts, "persistence", f));) {
        const struct fact_value *runs = fact_value(f, "runs");
        if (runs && runs->state == VALUE_UNREADABLE && str_equal(f->path, unread->path))
            return true;
    }
    return false;
}

/* Of what collectors could not look at, that which a scan asks about; a collector that died has
 * found nothing, and that is not clean. */
static bool is_asked_about(const struct facts *facts, const struct fact *unread)
{
    const char *what = fact_text(unread, "what");
    if (str_equal(what, "what starts by itself"))
        return !is_told_by_a_record(facts, unread);
    return is_of_scan(what) || collect_is_source(what);
}

static void judge_what_was_not_seen(struct audit *a, size_t collected)
{
    for (size_t i = 0; i < facts_count(a->facts); i++) {
        const struct fact *f = facts_at(a->facts, i);
        if (str_equal(f->kind, "unread") && (i >= collected || is_asked_about(a->facts, f)))
            judge_unread(a->findings, f, a->identity);
    }
}

static void judge(struct audit *a, const struct put_aside *aside, size_t collected)
{
    a->outcomes = rules_evaluate(a->rules, a->facts);
    for (size_t i = 0; i < rules_count(a->rules); i++)
        if (!is_of_scan(rules_at(a->rules, i)->category))
            rule_results_dismiss(a->outcomes, i, OUTCOME_NOT_APPLICABLE);
    a->findings = findings_new();
    a->input = (struct judge_input){.facts = a->facts, .identity = a->identity, .as_of = a->as_of};
    rules_judge(a->findings, a->outcomes, a->facts, NULL, a->identity);
    put_aside_drop(a, aside);
    judge_what_was_not_seen(a, collected);
    findings_sort(a->findings);
    audit_count(a);
}

bool audit_scan(struct audit **out, struct scan_result *result, const struct audit_request *asked,
                const struct scan_request *bytes, struct error *e)
{
    struct audit_request all = *asked, *target = &all;
    struct collect_patience patience = {.ms = COLLECT_PATIENCE_MS,
                                        .session = asked->session,
                                        .files = bytes->files,
                                        .bytes = bytes->bytes};
    all.about = ABOUT_INTRUSION;
    all.patience = &patience;
    CLEANUP(audit_cleanup) struct audit *a = audit_new(target);
    if (!audit_open_target(a, target, e) || !load_rules(a, target, e))
        return false;
    bool whole = !bytes->path_count || bytes->only_paths;
    if (!whole) {
        a->facts = facts_new();
        audit_find_identity(a, target);
    } else if (!audit_take_facts(a, target, e)) {
        return false;
    }
    size_t collected = facts_count(a->facts);
    CLEANUP_PUT_ASIDE struct put_aside aside;
    put_aside_find(&aside, target->state);
    if (!look_into_files(a, result, target, bytes, &aside, e))
        return false;
    if (target->kind == TARGET_LIVE) {
        find_running(a, &aside);
        audit_compare_sites(a->facts, target, bytes->paths, whole ? 0 : bytes->path_count);
    }
    judge(a, &aside, collected);
    for (size_t i = 0; i < result->problem_count; i++)
        if (a->rule_problem_count++ < ARRAY_COUNT(a->rule_problems))
            a->rule_problems[a->rule_problem_count - 1] = result->problems[i % 8];
    *out = a;
    a = NULL;
    return true;
}

bool audit_scan_again(struct audit **out, struct scan_result *result,
                      const struct audit_request *target, const struct scan_request *bytes,
                      struct error *e)
{
    struct scan_request paths = *bytes;
    paths.only_paths = true;
    return audit_scan(out, result, target, &paths, e);
}
