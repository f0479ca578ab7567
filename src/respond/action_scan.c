/* Step 3: what an intruder leaves to come back. Every finding is quarantined, mended, or signed for
 * by somebody with a reason. */
#include "act/operator.h"
#include "audit/scan.h"
#include "base/language.h"
#include "base/str.h"
#include "model/date.h"
#include "respond/actions.h"
#include "respond/checks.h"
#include "respond/isolate.h"
#include "respond/scan_spared.h"

#include <fcntl.h>
#include <sys/stat.h>

enum {
    NS_IN_SECOND = 1000000000,
    MOST_MS = 3600 * 1000 /* of looking into files */
};

/* As they are named now, else as they were when it was scanned last: what they found then is gone
 * only if they find it no more. NULL: none. */
static const char *own_rules(const struct response *r)
{
    if (r->options->rules)
        return r->options->rules;
    for (size_t i = 0; i < r->book->steps.count; i++) {
        const json_t *before = r->incident.steps[i].result;
        if (str_equal(r->book->steps.items[i].action.name, "scan") && before &&
            json_object_get(before, "rules"))
            return json_get_string(before, "rules");
    }
    return NULL;
}

/* It was begun and did not end: to prove that nothing was left is to do it. */
static bool is_cut_short(struct response *r)
{
    bool begun = false;
    for (size_t i = 0; i < r->book->steps.count; i++)
        begun |= str_equal(r->book->steps.items[i].action.name, "scan") &&
                 r->incident.steps[i].state == STEP_BEGUN;
    return begun;
}

/* All of `yagura scan`, or (`last`) what may be otherwise since then: what stands in files, what
 * starts by itself, what no package brought. */
static const struct audit *look(struct response *r, const json_t *last, struct error *e)
{
    struct audit_request target = {.kind = respond_target_kind(r),
                                   .argument = respond_is_live(r) ? NULL : r->incident.target,
                                   .as_of = DATE_NONE,
                                   .state = r->state,
                                   .own_policies = r->options->own_policies,
                                   .policies_context = r->options->context,
                                   .session = r->incident.id};
    struct scan_result result = {0};
    struct walk_progress at = {0};
    if (r->scan && (last || !r->scan_is_partial))
        return r->scan;
    audit_free(r->scan);
    r->scan = NULL;
    r->scan_is_partial = last != NULL;
    const char *rules = own_rules(r);
    struct scan_request bytes = {.theirs = &rules,
                                 .their_count = rules ? 1 : 0,
                                 .clamd = respond_is_live(r) ? scan_find_clamd() : NULL,
                                 .most_ms = MOST_MS,
                                 .files = &at.files,
                                 .bytes = &at.bytes};
    VEC(const char *) paths = {0};
    const json_t *entry, *f;
    size_t i, k;
    json_array_foreach(last ? r->incident.array : NULL, i, entry)
    {
        json_array_foreach(json_object_get(json_object_get(entry, "result"), "findings"), k, f)
        {
            if (json_get_string(f, "subject"))
                VEC_PUSH(&paths, json_get_string(f, "subject"));
        }
    }
    bytes.paths = paths.items;
    bytes.path_count = paths.count;
    if (r->options->looking)
        r->options->looking(r->options->context, &at);
    bool good = last ? audit_scan_again(&r->scan, &result, &target, &bytes, e)
                     : audit_scan(&r->scan, &result, &target, &bytes, e);
    VEC_FREE(&paths);
    if (r->options->looking)
        r->options->looking(r->options->context, NULL);
    if (!good)
        r->scan = NULL;
    else
        audit_remember_ids(r->scan, &target); /* they are shown in one line: `explain` has more */
    return r->scan;
}

static bool is_unknown(const struct finding *f)
{
    return f->verdict == VERDICT_UNKNOWN && f->severity >= SEVERITY_MEDIUM;
}

static bool is_to_be_settled(const struct finding *f)
{
    return finding_is_open(f) && f->severity >= SEVERITY_MEDIUM;
}

static int64_t ns_of(struct statx_timestamp t)
{
    return t.tv_sec * NS_IN_SECOND + t.tv_nsec;
}

/* Nobody is waited for: it may lie on a file system of the attacker's. */
static void put_times(struct response *r, json_t *o, const char *path)
{
    struct statx st;
    if (!respond_is_live(r) || path[0] != '/' ||
        statx(AT_FDCWD, path, AT_SYMLINK_NOFOLLOW | AT_STATX_DONT_SYNC,
              STATX_BASIC_STATS | STATX_BTIME, &st) != 0)
        return;
    json_put_string(o, "path", path);
    json_put_int(o, "written_ns", ns_of(st.stx_mtime));
    json_put_int(o, "changed_ns", ns_of(st.stx_ctime));
    if (st.stx_mask & STATX_BTIME)
        json_put_int(o, "made_ns", ns_of(st.stx_btime));
    json_put_int(o, "uid", st.stx_uid);
}

/* With the times of its files as they are now: they may be deleted by hand, and are to be in the
 * timeline all the same. */
static json_t *with_times(struct response *r, const struct finding *f)
{
    json_t *o = respond_finding(f), *files = json_array();
    for (size_t i = 0; i < f->evidence.count; i++) {
        const char *path = f->evidence.items[i].path;
        bool again = false;
        for (size_t k = 0; k < i && !again; k++)
            again = str_equal(f->evidence.items[k].path, path);
        if (again)
            continue;
        json_t *file = i ? json_object() : o;
        put_times(r, file, path);
        if (i && json_object_size(file))
            json_array_append(files, file);
        if (i)
            json_decref(file);
    }
    if (json_array_size(files))
        json_object_set(o, "files", files);
    json_decref(files);
    return o;
}

/* True: it is signed for. Else it is noted in the list, where there is one, and said. */
static bool is_signed(struct response *r, json_t *list, const char *id, const char *why)
{
    if (incident_signed(&r->incident, id))
        return true;
    if (list && json_array_size(list) < SCAN_MOST_LISTED)
        json_array_append_new(list, json_from_text(id));
    if (list)
        respond_say(r, arena_printf(r->arena, "%s  %s", id, why));
    return false;
}

static bool unread_is_signed(struct response *r, json_t *list, const struct fact *f)
{
    const char *what = fact_text(f, "what");
    return is_signed(r, list, respond_id(r, "unread", *f->path ? f->path : what),
                     arena_printf(r->arena, "%s: %s", language_text(what), fact_text(f, "reason")));
}

/* A rule that does not load has not looked: it goes by its file and line, and what is not known by
 * name by the folder. How many are signed for, and how many not. */
static void count_bad_rules(struct response *r, json_t *list, size_t *yes, size_t *no)
{
    const struct audit *a = r->scan;
    size_t named = ARRAY_COUNT(a->rule_problems), more = 0;
    if (a->rule_problem_count < named)
        named = a->rule_problem_count;
    else
        more = a->rule_problem_count - named;
    for (size_t i = 0; i < named + (more > 0); i++) {
        const struct error *e = i < named ? &a->rule_problems[i] : NULL;
        const char *rules = own_rules(r) ? own_rules(r) : "rules";
        const char *name = !e        ? rules
                           : e->line ? arena_printf(r->arena, "%s:%u", e->path, (unsigned)e->line)
                                     : e->path;
        const char *why = e ? e->message
                            : arena_printf(r->arena, _("%zu more problems in the rules: %s"), more,
                                           "yagura scan --rules DIR");
        size_t *count = is_signed(r, list, respond_id(r, "unread", name), why) ? yes : no;
        ++*count;
    }
}

/* Everything that is to be settled, one by one. */
static void tell_all(struct response *r, json_t *result)
{
    json_t *list = json_array();
    size_t signed_for = 0;
    for (size_t i = 0; i < r->scan->findings->list.count; i++) {
        const struct finding *f = r->scan->findings->list.items[i];
        if (!is_to_be_settled(f) && !is_unknown(f))
            continue;
        if (incident_signed(&r->incident, f->id)) {
            signed_for++;
            continue;
        }
        if (json_array_size(list) < SCAN_MOST_LISTED)
            json_array_append_new(list, with_times(r, f));
        if (r->options->finding)
            r->options->finding(r->options->context, f);
    }
    json_t *unread = json_array();
    size_t open = 0;
    for (const struct fact *f = facts_first(r->scan->facts, "unread"); f;
         f = facts_next(r->scan->facts, "unread", f))
        signed_for += unread_is_signed(r, unread, f);
    count_bad_rules(r, unread, &signed_for, &open);
    if (own_rules(r))
        json_put_string(result, "rules", own_rules(r));
    json_object_set_new(result, "unread", unread);
    json_put_int(result, "unknown", (int64_t)audit_unknown(r->scan));
    json_put_int(result, "signed", (int64_t)signed_for);
    json_object_set_new(result, "findings", list);
}

/* What would be moved and ended, too. */
bool action_scan_preview(struct response *r, const struct runbook_call *call, json_t *result,
                         const char **waits, struct error *e)
{
    if (!look(r, NULL, e))
        return false;
    tell_all(r, result);
    if (r->options->quarantine)
        r->options->quarantine(r->options->context, r->scan);
    return true;
}

bool action_scan(struct response *r, const struct runbook_call *call, json_t *result,
                 const char **waits, struct error *e)
{
    audit_free(r->scan); /* look anew */
    r->scan = NULL;
    if (!look(r, NULL, e))
        return false;
    char ended[32];
    date_format(date_now(), ended);
    json_put_string(result, "scan_ended", ended);
    tell_all(r, result);
    if (r->options->quarantine && r->options->quarantine(r->options->context, r->scan)) {
        audit_free(r->scan); /* the check is made of what is left */
        r->scan = NULL;
    }
    return !respond_is_live(r) || content_compare(r, result, e);
}

/* The step itself has just listed them. */
static const char *where_all_are(struct response *r)
{
    const char *id = respond_step_that(r, "scan");
    return !id || (r->step && str_equal(r->step->action.name, "scan"))
               ? ""
               : arena_printf(r->arena, _(" (yagura respond do %s lists all of them)"), id);
}

void check_scan_settled(struct response *r, const struct runbook_call *call,
                        struct check_result *out)
{
    struct error e = ERROR_INIT;
    int64_t minutes = 0;
    bool whole = r->scan && !r->scan_is_partial;
    const json_t *last =
        whole || !respond_is_live(r)
            ? NULL
            : scan_spared(&r->incident, r->book, date_now(), !r->proves_only, &minutes);
    if (!r->scan && r->proves_only && is_cut_short(r)) {
        out->verdict = CHECK_FALSE;
        out->text = _("the scan did not come to its end");
        out->todo = respond_todo(r, "scan", "");
        return;
    }
    const struct audit *a = look(r, last, &e);
    if (!a) {
        out->text = arena_strdup(r->arena, e.message);
        return;
    }
    size_t open = 0, unknown = 0;
    const char *first = NULL;
    for (size_t i = 0; i < a->findings->list.count; i++) {
        const struct finding *f = a->findings->list.items[i];
        if (incident_signed(&r->incident, f->id))
            continue;
        unknown += is_unknown(f);
        if (!is_to_be_settled(f))
            continue;
        open++;
        first = first ? first
                      : arena_printf(r->arena, "%.8s %s %s", f->id, f->rule_id, f->subject_name);
    }
    for (const struct fact *f = facts_first(a->facts, "unread"); f;
         f = facts_next(a->facts, "unread", f))
        unknown += !unread_is_signed(r, NULL, f);
    count_bad_rules(r, NULL, &(size_t){0}, &unknown);
    if (!open && unknown) {
        out->text = arena_printf(r->arena,
                                 ngettext("%zu thing could not be looked at, and is not signed "
                                          "for%s",
                                          "%zu things could not be looked at, and are not signed "
                                          "for%s",
                                          unknown),
                                 unknown, where_all_are(r));
        out->todo = "yagura respond sign ID ... --because \"...\"";
        return;
    }
    out->verdict = open ? CHECK_FALSE : CHECK_TRUE;
    out->text = open   ? arena_printf(r->arena,
                                      ngettext("%zu finding is neither gone nor signed for: %s%s",
                                               "%zu findings are neither gone nor signed for: %s and "
                                                 "others%s",
                                               open),
                                      open, first, open > 1 ? where_all_are(r) : "")
                : last ? arena_printf(r->arena,
                                      _("nothing is left behind that nobody has signed for: what "
                                        "starts by itself, what runs, packages, sites and whatever "
                                        "was found were looked at just now; all other files by the "
                                        "scan that ended %lld min ago"),
                                      (long long)minutes)
                       : _("nothing is left behind that nobody has signed for");
    out->todo = open ? "yagura respond sign ID ... --because \"...\"" : NULL;
}

static void tell_account(struct response *r, json_t *list, const struct fact *f)
{
    json_t *o = json_object();
    json_put_string(o, "user", fact_text(f, "name"));
    json_array_append_new(list, o);
    respond_say(r, arena_printf(r->arena, _("%s has uid 0: it is root"), fact_text(f, "name")));
}

static void tell_session(struct response *r, json_t *list, const struct fact *f)
{
    const char *user = fact_text(f, "user"), *since = fact_text(f, "since"),
               *host = fact_text(f, "host"), *tty = fact_text(f, "tty");
    json_t *o = json_object();
    json_put_string(o, "user", user);
    json_put_string(o, "since", since);
    json_put_string(o, "from", host);
    json_put_string(o, "terminal", tty);
    json_array_append_new(list, o);
    respond_say(r, arena_printf(r->arena, _("%s is logged in since %s (%s), from %s"), user,
                                *since ? since : "?", *tty ? tty : "?", *host ? host : "-"));
}

/* Step 2: who works here and over which way he came; the accounts, keys and sessions of others. */
bool action_administrator(struct response *r, const struct runbook_call *call, json_t *result,
                          const char **waits, struct error *e)
{
    CLEANUP(audit_cleanup) struct audit *a = NULL;
    struct operator op;
    struct audit_request request = audit_persistence_request(
        respond_target_kind(r), respond_is_live(r) ? NULL : r->incident.target, r->state, false);
    if (!audit_run(&a, &request, e))
        return false;
    if (respond_is_live(r)) /* who he is not is for the check to say */
        (void)!isolate_find_operator(&op, result, NULL);
    json_t *roots = json_array(), *sessions = json_array(), *findings = json_array(),
           *unread = json_array();
    size_t listed = 0;
    for (const struct fact *f = NULL; (f = facts_next(a->facts, "account", f));)
        if (str_equal(fact_text(f, "uid"), "0"))
            tell_account(r, roots, f);
    for (const struct fact *f = NULL; (f = facts_next(a->facts, "session", f));)
        tell_session(r, sessions, f);
    for (size_t i = 0; i < a->findings->list.count; i++) {
        const struct finding *f = a->findings->list.items[i];
        if (!is_to_be_settled(f) || incident_signed(&r->incident, f->id))
            continue;
        if (json_array_size(findings) < SCAN_MOST_LISTED)
            json_array_append_new(findings, with_times(r, f));
        if (r->options->finding)
            r->options->finding(r->options->context, f);
        listed++;
    }
    for (const struct fact *f = NULL; (f = facts_next(a->facts, "unread", f));)
        (void)unread_is_signed(r, unread, f);
    if (listed)
        respond_tell(r, _("Do you know each of these? What you do not know is taken away, and what "
                          "you know signed for, when the scan lists them again."));
    json_object_set_new(result, "accounts_with_uid_0", roots);
    json_object_set_new(result, "sessions", sessions);
    json_object_set_new(result, "findings", findings);
    json_object_set_new(result, "unread", unread);
    return true;
}
