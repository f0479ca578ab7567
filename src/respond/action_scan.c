/* Step 3: what an intruder leaves to come back. Every finding is quarantined, mended, or signed for
 * by somebody with a reason. */
#include "act/quarantine.h"
#include "audit/scan.h"
#include "base/language.h"
#include "base/str.h"
#include "model/date.h"
#include "respond/actions.h"
#include "respond/checks.h"

enum { MOST_LISTED = 200 };

/* All of `yagura scan`: what stands in files, what starts by itself, what no package brought. */
static const struct audit *look(struct response *r, struct error *e)
{
    struct audit_request target = {.kind = respond_target_kind(r),
                                   .argument = respond_is_live(r) ? NULL : r->incident.target,
                                   .as_of = DATE_NONE,
                                   .state = r->state};
    struct quarantine kept = {.fd = -1};
    struct scan_result result = {0};
    if (r->scan)
        return r->scan;
    quarantine_open(&kept, state_dirfd(r->state), false, NULL);
    struct scan_request bytes = {.clamd = respond_is_live(r) ? scan_find_clamd() : NULL,
                                 .left_out_fd = kept.fd};
    bool good = audit_scan(&r->scan, &result, &target, &bytes, e);
    quarantine_close(&kept);
    if (!good)
        r->scan = NULL;
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

/* What could not be looked at is not clean: it is signed for, too. By what is shown of it: a name
 * of the attacker's, with bytes that nobody sees or types, would keep the host cut off. */
static const char *unread_id(struct response *r, const struct fact *f)
{
    CLEANUP_STR struct str id = {0};
    const char *name = *f->path ? f->path : fact_text(f, "what");
    str_add(&id, "unread:");
    for (size_t n; *name; name += n + (name[n] != '\0')) {
        n = strcspn(name, "\n\t");
        str_add_printable(&id, name, n);
        if (name[n])
            str_add(&id, name[n] == '\n' ? "\\x0a" : "\\x09");
    }
    return arena_strdup(r->arena, str_text(&id));
}

bool action_scan(struct response *r, const struct runbook_call *call, json_t *result,
                 const char **waits, struct error *e)
{
    audit_free(r->scan); /* look anew */
    r->scan = NULL;
    if (!look(r, e))
        return false;
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
        if (json_array_size(list) < MOST_LISTED)
            json_array_append_new(list, respond_finding(f));
        if (r->options->finding)
            r->options->finding(r->options->context, f);
    }
    json_t *unread = json_array();
    for (const struct fact *f = facts_first(r->scan->facts, "unread"); f;
         f = facts_next(r->scan->facts, "unread", f)) {
        const char *id = unread_id(r, f);
        if (incident_signed(&r->incident, id)) {
            signed_for++;
            continue;
        }
        if (json_array_size(unread) < MOST_LISTED)
            json_array_append_new(unread, json_from_text(id));
        respond_say(r, arena_printf(r->arena, "%s  %s: %s", id, language_text(fact_text(f, "what")),
                                    fact_text(f, "reason")));
    }
    json_object_set_new(result, "unread", unread);
    json_put_int(result, "unknown", (int64_t)audit_unknown(r->scan));
    json_put_int(result, "signed", (int64_t)signed_for);
    json_object_set_new(result, "findings", list);
    if (r->options->quarantine && r->options->quarantine(r->options->context, r->scan)) {
        audit_free(r->scan); /* the check is made of what is left */
        r->scan = NULL;
    }
    return !respond_is_live(r) || content_compare(r, result, e);
}

void check_scan_settled(struct response *r, const struct runbook_call *call,
                        struct check_result *out)
{
    struct error e = ERROR_INIT;
    const struct audit *a = look(r, &e);
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
        unknown += !incident_signed(&r->incident, unread_id(r, f));
    if (!open && unknown) {
        out->text = arena_printf(r->arena,
                                 ngettext("%zu thing could not be looked at, and is not signed for",
                                          "%zu things could not be looked at, and are not signed "
                                          "for",
                                          unknown),
                                 unknown);
        out->todo = "yagura respond sign ID ... --because \"...\"";
        return;
    }
    out->verdict = open ? CHECK_FALSE : CHECK_TRUE;
    out->text = open ? arena_printf(r->arena,
                                    ngettext("%zu finding is neither gone nor signed for: %s",
                                             "%zu findings are neither gone nor signed for: %s and "
                                             "others",
                                             open),
                                    open, first)
                     : _("nothing is left behind that nobody has signed for");
    out->todo = open ? "yagura respond sign ID ... --because \"...\"" : NULL;
}

/* Step 2: the accounts, keys and sessions among them. */
bool action_administrator(struct response *r, const struct runbook_call *call, json_t *result,
                          const char **waits, struct error *e)
{
    CLEANUP(audit_cleanup) struct audit *a = NULL;
    static const char *const kinds[] = {"account", "session"};
    struct audit_request request = audit_persistence_request(
        respond_target_kind(r), respond_is_live(r) ? NULL : r->incident.target, r->state, false);
    if (!audit_run(&a, &request, e))
        return false;
    json_t *roots = json_array(), *sessions = json_array();
    size_t listed = 0;
    for (size_t k = 0; k < ARRAY_COUNT(kinds); k++)
        for (const struct fact *f = facts_first(a->facts, kinds[k]); f;
             f = facts_next(a->facts, kinds[k], f)) {
            json_t *o = json_object();
            if (k == 0 && !str_equal(fact_text(f, "uid"), "0")) {
                json_decref(o);
                continue;
            }
            json_put_string(o, "user", fact_text(f, k ? "user" : "name"));
            json_put_string(o, "since", fact_text(f, "since"));
            json_put_string(o, "from", fact_text(f, "host"));
            json_array_append_new(k ? sessions : roots, o);
        }
    for (size_t i = 0; i < a->findings->list.count; i++)
        if (is_to_be_settled(a->findings->list.items[i]) && r->options->finding) {
            r->options->finding(r->options->context, a->findings->list.items[i]);
            listed++;
        }
    if (listed)
        respond_tell(r, _("Do you know each of these? What you do not know is taken away, and what "
                          "you know signed for, when the scan lists them again."));
    json_object_set_new(result, "accounts_with_uid_0", roots);
    json_object_set_new(result, "sessions", sessions);
    return true;
}
