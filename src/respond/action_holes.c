/* Step 4. {action: holes, least: high} lists the holes that are open, the ones that can be reached
 * first, and the plan in that order; keeps the plan as evidence and, with --apply, applies the one
 * that was kept last: the plan that a test host has signed a receipt for is that one. */
#include "audit/patching.h"
#include "base/file.h"
#include "base/language.h"
#include "base/str.h"
#include "record/patch_json.h"
#include "respond/actions.h"
#include "respond/evidence.h"
#include "respond/holes.h"

#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

enum { MOST_LISTED = 200 };
static const char plan_name[] = "plan.json";

/* ---- what is open, and what closes it -------------------------------------------------------- */

static void list(struct response *r, const struct audit *a, const struct runbook_call *call,
                 json_t *result)
{
    enum severity least = holes_least(call);
    json_t *rows = json_array();
    for (size_t i = 0; i < a->findings->list.count; i++) {
        const struct finding *f = a->findings->list.items[i];
        if ((!holes_count(f, least) && !holes_unknown(f, least)) ||
            incident_signed(&r->incident, f->id))
            continue;
        if (r->options->finding)
            r->options->finding(r->options->context, f);
        if (json_array_size(rows) < MOST_LISTED)
            json_array_append_new(rows, respond_finding(f));
    }
    json_object_set_new(result, "findings", rows);
}

/* The findings are sorted: intruders first, then what is used and reached, then what is reached. */
static void order(struct response *r, const struct audit *a, const struct runbook_call *call,
                  struct plan *p)
{
    enum severity least = holes_least(call);
    size_t count = 0;
    CLEANUP_FREE const struct finding **first =
        mem_alloc((a->findings->list.count + 1) * sizeof *first);
    for (size_t i = 0; i < a->findings->list.count; i++)
        if (holes_count(a->findings->list.items[i], least) &&
            !incident_signed(&r->incident, a->findings->list.items[i]->id))
            first[count++] = a->findings->list.items[i];
    size_t front = plan_put_first(p, first, count);
    if (r->options->show_plan)
        r->options->show_plan(r->options->context, a, p, front);
}

/* ---- the plan as a file ---------------------------------------------------------------------- */

static bool write_plan(struct str *text, struct response *r, const struct audit *a,
                       const struct plan *p, struct error *e)
{
    CLEANUP(patch_plan_cleanup)
    struct patch_plan *plan = patching_plan(a, p, r->options->who, false, e);
    if (!plan)
        return false;
    patch_plan_write(text, plan);
    return true;
}

static bool keep(struct response *r, const struct str *text, json_t *result, struct error *e)
{
    CLEANUP_EVIDENCE struct evidence_folder *folder = NULL;
    char hash[PATCH_HASH_SIZE];
    if (!evidence_folder_make(&folder, r, "plan", e) ||
        !evidence_write(folder, plan_name, text->data, text->length, e) ||
        !evidence_end(folder, r, e) || !evidence_enter(folder, r, result, e))
        return false;
    patch_hash(hash, text->data, text->length);
    json_put_string(result, "plan", hash);
    respond_tell(r, arena_printf(r->arena, _("The plan: %s"),
                                 file_path_in(r->arena, evidence_folder_fd(folder), plan_name)));
    return !r->options->out || patch_write_file(r->options->out, text->data, text->length, e);
}

/* The one that was kept last, and nobody changed. NULL without an error: there is none yet. */
static const char *kept_plan(struct response *r, struct error *e)
{
    struct evidence_entry *entries;
    size_t count, files;
    const char *problem;
    if (!evidence_entries(r, &entries, &count, e))
        return NULL;
    const struct evidence_entry *last = evidence_last(entries, count, "plan");
    if (!last)
        return NULL;
    if (!evidence_is_whole(r, last, &files, &problem)) {
        error_set(e, ERR_CORRUPT, "the plan is not to be believed: %.400s", problem);
        return NULL;
    }
    CLEANUP_CLOSE int folder = evidence_open(r, last, e);
    return folder < 0 ? NULL : file_path_in(r->arena, folder, plan_name);
}

/* ---- the step -------------------------------------------------------------------------------- */

static bool show(struct response *r, const struct runbook_call *call, json_t *result,
                 struct str *text, struct error *e)
{
    CLEANUP(audit_cleanup) struct audit *a = holes_look(r, e);
    struct error problem = ERROR_INIT;
    if (!a)
        return false;
    list(r, a, call, result);
    struct plan *p = plan_make(a->findings, &a->input);
    order(r, a, call, p);
    /* that apt does not answer hides no hole */
    if (!write_plan(text, r, a, p, &problem)) {
        str_clear(text);
        respond_say(r, arena_printf(r->arena, _("the plan was not written: %s"), problem.message));
    }
    plan_free(p);
    return true;
}

static bool can_apply(struct response *r, struct error *e)
{
    if (!r->options->apply || (respond_is_live(r) && r->options->apply_plan))
        return true;
    error_set(e, ERR_USAGE, "a plan is applied on the host itself, not to %.200s",
              r->incident.target);
    return false;
}

bool action_holes(struct response *r, const struct runbook_call *call, json_t *result,
                  const char **waits, struct error *e)
{
    CLEANUP_STR struct str text = {0};
    struct error none = ERROR_INIT;
    if (!can_apply(r, e))
        return false;
    const char *plan = r->options->apply ? kept_plan(r, &none) : NULL;
    if (none.code) {
        if (e)
            *e = none;
        return false;
    }
    if (!plan) {
        if (!show(r, call, result, &text, e) || (text.length && !keep(r, &text, result, e)))
            return false;
        plan = r->options->apply && text.length ? kept_plan(r, e) : NULL;
    }
    if (!r->options->apply || !plan)
        return true;
    json_put_bool(result, "applied", true);
    return r->options->apply_plan(r->options->context, plan, e);
}

bool action_holes_preview(struct response *r, const struct runbook_call *call, json_t *result,
                          const char **waits, struct error *e)
{
    CLEANUP_STR struct str text = {0};
    struct error none = ERROR_INIT;
    if (!can_apply(r, e) || !show(r, call, result, &text, e))
        return false;
    if (!r->options->apply)
        return true;
    const char *plan = kept_plan(r, &none);
    if (plan || none.code || !text.length) {
        if (none.code && e)
            *e = none;
        return !none.code && (!plan || r->options->apply_plan(r->options->context, plan, e));
    }
    CLEANUP_CLOSE int fd = memfd_create(plan_name, MFD_CLOEXEC);
    if (fd < 0 || write(fd, text.data, text.length) != (ssize_t)text.length) {
        error_set(e, ERR_SYSTEM, "the plan was not written");
        return false;
    }
    return r->options->apply_plan(r->options->context,
                                  arena_printf(r->arena, "/proc/self/fd/%d", fd), e);
}
