/* {check: evidence-whole}: there is evidence, and it is what was written, file by file.
 * {check: report-written}: the last report is there, its bundle and signature with it. */
#include "base/language.h"
#include "base/str.h"
#include "respond/checks.h"
#include "respond/evidence.h"

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
            out->todo = arena_printf(r->arena, "cd evidence/%s/%s && sha256sum -c SHA256SUMS",
                                     r->incident.id, entries[i].folder);
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
