/* {check: evidence-whole}: there is evidence, and it is what was written, file by file.
 * {check: report-written}: the last report is there, its bundle and signature with it. */
#include "base/file.h"
#include "base/language.h"
#include "base/str.h"
#include "respond/bundle.h"
#include "respond/checks.h"
#include "respond/evidence.h"

static const char *how_to_look(struct response *r, const char *name)
{
    CLEANUP_STR struct str command = {0};
    CLEANUP_CLOSE int folder = respond_evidence(r, NULL);
    if (folder < 0)
        return NULL;
    str_add(&command, "cd ");
    str_add_shell_word(&command, file_path_in(r->arena, folder, name));
    str_add(&command, " && sha256sum -c SHA256SUMS");
    return arena_strdup(r->arena, str_text(&command));
}

void check_evidence_whole(struct response *r, const struct runbook_call *call,
                          struct check_result *out)
{
    struct evidence_entry *entries;
    struct error e = ERROR_INIT;
    size_t count, files = 0;
    if (!evidence_entries(r, &entries, &count, &e)) {
        out->text = arena_strdup(r->arena, e.message);
        return;
    }
    out->verdict = CHECK_FALSE;
    if (!count) {
        out->text = _("no evidence was taken");
        return;
    }
    for (size_t i = 0; i < count; i++) {
        size_t here;
        if (!evidence_is_whole(r, &entries[i], &here, &out->text)) {
            out->todo = how_to_look(r, entries[i].folder);
            return;
        }
        files += here;
    }
    out->verdict = CHECK_TRUE;
    out->text = arena_printf(r->arena,
                             ngettext("%zu file of evidence is what was written",
                                      "%zu files of evidence are what was written", files),
                             files);
}

void check_report_written(struct response *r, const struct runbook_call *call,
                          struct check_result *out)
{
    struct evidence_entry *entries;
    struct error e = ERROR_INIT;
    size_t count, files;
    if (!evidence_entries(r, &entries, &count, &e)) {
        out->text = arena_strdup(r->arena, e.message);
        return;
    }
    const struct evidence_entry *report = evidence_last(entries, count, "report");
    out->verdict = CHECK_FALSE;
    if (!report) {
        out->text = _("no report was written");
        return;
    }
    if (!evidence_is_whole(r, report, &files, &out->text))
        return;
    CLEANUP_CLOSE int folder = evidence_open(r, report, &e);
    if (folder < 0 || !bundle_verify(r, folder, &e)) {
        out->text = arena_strdup(r->arena, e.message);
        return;
    }
    out->verdict = CHECK_TRUE;
    out->text = arena_printf(r->arena, _("the report and the signed bundle are in %s"),
                             file_path_in(r->arena, folder, "bundle.tar.zst"));
}
