/* {action: report}: timeline, page, forms, notices, the bundle of all evidence; with `forms: DIR`
 * the organisation's own forms. report-N in the folder of evidence (evidence.h). */
#include "base/file.h"
#include "base/str.h"
#include "respond/actions.h"
#include "respond/bundle.h"
#include "respond/forms.h"
#include "respond/plan.h"
#include "respond/report.h"

#include <stdlib.h>
#include <time.h>

static const char page_name[] = "report.html";

struct writing {
    struct response *r;
    struct evidence_folder *folder;
    const json_t *facts;
    VEC(const char *) forms; /* "PATH  its first line" */
};

static void writing_cleanup(struct writing *w)
{
    VEC_FREE(&w->forms);
}

static bool write_form(void *context, const char *name, const char *template, size_t size,
                       struct error *e)
{
    struct writing *w = context;
    CLEANUP_STR struct str text = {0};
    forms_fill(&text, template, size, w->facts);
    const char *path = file_path_in(w->r->arena, evidence_folder_fd(w->folder), name);
    VEC_PUSH(&w->forms, arena_printf(w->r->arena, "%s  %.*s", path,
                                     (int)strcspn(str_text(&text), "\n"), str_text(&text)));
    return evidence_write(w->folder, name, str_text(&text), text.length, e);
}

/* What is there to be read, and to be gone on with. */
static void tell_paths(const struct writing *w)
{
    respond_tell(w->r,
                 arena_printf(w->r->arena, _("The report, for a browser: %s"),
                              file_path_in(w->r->arena, evidence_folder_fd(w->folder), page_name)));
    if (w->forms.count)
        respond_tell(w->r, _("Forms and notices, filled as far as the facts go. Complete them and "
                             "decide who gets which: nothing was sent."));
    for (size_t i = 0; i < w->forms.count; i++)
        respond_tell(w->r, w->forms.items[i]);
}

static bool write_all(struct evidence_folder *f, struct response *r,
                      const struct runbook_call *call, const struct timeline *t, json_t *result,
                      struct error *e)
{
    struct evidence_entry *evidence;
    size_t count;
    CLEANUP_STR struct str lines = {0}, text = {0}, page = {0}, plan = {0};
    const char *forms = runbook_argument(call, "forms", "");
    if (!evidence_entries(r, &evidence, &count, e))
        return false;
    CLEANUP_JSON json_t *facts = report_facts(r, call, t, evidence, count);
    CLEANUP(writing_cleanup) struct writing w = {.r = r, .folder = f, .facts = facts};
    struct bundle_told told;
    timeline_add_lines(&lines, t);
    timeline_add_text(&text, t);
    report_html(&page, r, facts, t, evidence, count);
    if (!respond_is_live(r))
        plan_add_text(&plan, r);
    if ((plan.length && !evidence_write(f, "plan.txt", plan.data, plan.length, e)) ||
        !evidence_write(f, "timeline.jsonl", str_text(&lines), lines.length, e) ||
        !evidence_write(f, "timeline.txt", str_text(&text), text.length, e) ||
        !evidence_write(f, page_name, str_text(&page), page.length, e) ||
        !forms_each(*forms ? forms : NULL, write_form, &w, e) || !bundle_write(f, r, &told, e) ||
        !evidence_end(f, r, e) || !evidence_enter(f, r, result, e))
        return false;
    json_t *o = json_object();
    json_put_int(o, "moments", (int64_t)t->moments.count);
    json_put_int(o, "forms", (int64_t)w.forms.count);
    json_put_int(o, "bundle_files", (int64_t)told.files);
    json_put_int(o, "bundle_bytes", (int64_t)told.bytes);
    json_object_set_new(result, "report", o);
    tell_paths(&w);
    return true;
}

bool action_report(struct response *r, const struct runbook_call *call, json_t *result,
                   const char **waits, struct error *e)
{
    CLEANUP_EVIDENCE struct evidence_folder *f = NULL;
    CLEANUP(timeline_free) struct timeline t = {0};
    tzset();
    if (!timeline_read(&t, r, e) || !evidence_folder_make(&f, r, "report", e))
        return false;
    if (write_all(f, r, call, &t, result, e))
        return true;
    /* half a report is none, and would take the room that another try needs */
    CLEANUP_CLOSE int parent = respond_evidence(r, NULL);
    if (parent >= 0)
        file_remove_tree(parent, evidence_folder_name(f), NULL);
    return false;
}
