#include "base/str.h"
#include "model/date.h"
#include "respond/report.h"

#include <stdio.h>
#include <stdlib.h>

enum { MOST_ROWS = 2000 };

/* HTML 5, 13.1.2.3 and 13.1.3: these five are enough in text and in quoted attributes. What steers
 * the direction of writing is escaped first. */
static void add_text(struct str *out, const char *text)
{
    CLEANUP_STR struct str plain = {0};
    str_add_printable(&plain, text, strlen(text));
    for (const char *c = str_text(&plain); *c; c++)
        switch (*c) {
        case '&':
            str_add(out, "&amp;");
            break;
        case '<':
            str_add(out, "&lt;");
            break;
        case '>':
            str_add(out, "&gt;");
            break;
        case '"':
            str_add(out, "&quot;");
            break;
        case '\'':
            str_add(out, "&#39;");
            break;
        default:
            str_add_char(out, *c);
        }
}

static void add_cell(struct str *out, const char *class, const char *text)
{
    str_printf(out, "<td%s%s%s>", *class ? " class=\"" : "", class, *class ? "\"" : "");
    add_text(out, text);
    str_add(out, "</td>");
}

static void add_heading(struct str *out, const char *text)
{
    str_add(out, "<h2>");
    add_text(out, text);
    str_add(out, "</h2>\n");
}

static void add_paragraph(struct str *out, const char *text)
{
    str_add(out, "<p>");
    add_text(out, text);
    str_add(out, "</p>\n");
}

static void begin_table(struct str *out, const char *const *columns, size_t count)
{
    str_add(out, "<div class=\"wide\"><table><thead><tr>");
    for (size_t i = 0; i < count; i++) {
        str_add(out, "<th scope=\"col\">");
        add_text(out, columns[i]);
        str_add(out, "</th>");
    }
    str_add(out, "</tr></thead><tbody>\n");
}

static void end_table(struct str *out)
{
    str_add(out, "</tbody></table></div>\n");
}

static const char style[] =
    ":root{color-scheme:light dark;--line:#c9ced6;--soft:#5b6470;--band:#f3f5f8;--good:#1a6b3c;"
    "--bad:#a3231f;--back:#fff;--ink:#1b1f24}"
    "@media(prefers-color-scheme:dark){:root{--line:#3a424d;--soft:#9aa5b1;--band:#1d232b;"
    "--good:#63c28d;--bad:#f08a80;--back:#12161b;--ink:#e6e9ed}}"
    "body{font:16px/1.6 system-ui,'Hiragino Sans','Noto Sans JP','Yu Gothic UI',sans-serif;"
    "max-width:72rem;margin:0 auto;padding:2rem 1.2rem 4rem;background:var(--back);"
    "color:var(--ink)}"
    "h1{font-size:1.6rem;line-height:1.3;margin:0 0 .3rem}h2{font-size:1.15rem;"
    "margin:2.4rem 0 .6rem;border-bottom:1px solid var(--line);padding-bottom:.25rem}"
    ".sub{color:var(--soft);margin:0 0 1.5rem}"
    "dl{display:grid;grid-template-columns:minmax(9rem,max-content) 1fr;gap:.25rem 1.2rem;margin:0}"
    "dt{color:var(--soft)}dd{margin:0;overflow-wrap:anywhere}"
    "@media(max-width:40rem){dl{grid-template-columns:1fr;gap:0}dd{margin:0 0 .6rem}}"
    ".wide{overflow-x:auto}table{border-collapse:collapse;width:100%;font-size:.9rem}"
    "th,td{text-align:left;vertical-align:top;padding:.35rem .6rem;"
    "border-bottom:1px solid var(--line)}"
    "th{background:var(--band);font-weight:600;white-space:nowrap}"
    ".time{white-space:nowrap;font-variant-numeric:tabular-nums}"
    ".path{font-family:ui-monospace,monospace;font-size:.85em;overflow-wrap:anywhere}"
    "td{overflow-wrap:anywhere}td.path{min-width:17rem}.what{min-width:11rem}.good{color:var(--"
    "good);font-weight:600}.bad{"
    "color:var(--bad);font-weight:600}"
    "pre{background:var(--band);padding:.8rem 1rem;overflow-x:auto;font-size:.85rem}"
    "@media print{body{padding:0;max-width:none;font-size:10pt}h2{break-after:avoid}"
    "tr{break-inside:avoid}}";

static void add_pair(struct str *out, const char *label, const char *value)
{
    str_add(out, "<dt>");
    add_text(out, label);
    str_add(out, "</dt><dd>");
    add_text(out, value && *value ? value : _("not known"));
    str_add(out, "</dd>\n");
}

static void add_summary(struct str *out, struct response *r, const json_t *facts)
{
    const struct {
        const char *label, *place;
    } rows[] = {
        {_("Host"), "host"},
        {_("Addresses"), "addresses"},
        {_("System"), "os"},
        {_("Sites"), "sites"},
        {_("Opened"), "opened"},
        {_("Opened by"), "who"},
        {_("Why"), "because"},
        {_("First sign of the intrusion"), "first_sign"},
        {_("How that is known"), language_is_japanese() ? "first_sign_ja" : "first_sign_en"},
        {_("Reached from outside before the cut"), "listening"},
        {_("By these programs"), "programs"},
        {_("Closed"), "closed"},
        {_("Zone of the times"), "zone"},
        {_("Clock wrong by at most"), "clock_error"}};
    str_add(out, "<dl>\n");
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++)
        if (!str_equal(rows[i].place, "closed") || r->incident.closed)
            add_pair(out, rows[i].label, json_get_string(facts, rows[i].place));
    str_add(out, "</dl>\n");
    if (!json_get_string(facts, "clock_error"))
        add_paragraph(out, _("Nothing keeps this clock right: how wrong the times are is not "
                             "known. Compare it with a clock that is right, and note the "
                             "difference."));
}

static void add_steps(struct str *out, struct response *r)
{
    static const char *const states[] = {[STEP_OPEN] = N_("Not begun"),
                                         [STEP_BEGUN] = N_("In progress"),
                                         [STEP_FAILED] = N_("Failed"),
                                         [STEP_DONE] = N_("Done"),
                                         [STEP_SKIPPED] = N_("Skipped"),
                                         [STEP_UNDONE] = N_("Undone"),
                                         [STEP_PLANNED] = N_("planned, for the host itself")};
    const char *const columns[] = {"", _("Step"), _("State"), _("When"), _("Who"), _("Remark")};
    add_heading(out, _("Steps"));
    begin_table(out, columns, ARRAY_COUNT(columns));
    for (size_t i = 0; i < r->book->steps.count; i++) {
        const struct incident_step *s = &r->incident.steps[i];
        char number[24], when[40] = "";
        snprintf(number, sizeof number, "%zu", i);
        if (s->at)
            timeline_local(s->at, when);
        str_add(out, "<tr>");
        add_cell(out, "", number);
        add_cell(out, "", runbook_text(&r->book->steps.items[i].title));
        add_cell(out,
                 s->state == STEP_DONE ? "good"
                 : s->state == STEP_SKIPPED || s->state == STEP_BEGUN || s->state == STEP_PLANNED
                     ? ""
                     : "bad",
                 language_text(states[s->state]));
        add_cell(out, "time", when);
        add_cell(out, "", s->who ? s->who : "");
        add_cell(out, "", s->because ? s->because : "");
        str_add(out, "</tr>\n");
    }
    end_table(out);
}

static void add_timeline(struct str *out, struct response *r, const struct timeline *t)
{
    const char *const columns[] = {_("When"), _("From"), _("What"), _("Of what"), _("Who")};
    add_heading(out, _("What happened, in one sequence"));
    add_paragraph(out, _("A file's mtime is what its writer wanted it to be; logins are what files "
                         "say that an attacker with root's rights can change. All times are this "
                         "host's own clock; those of the ledger and of logins are whole seconds."));
    begin_table(out, columns, ARRAY_COUNT(columns));
    for (size_t i = 0; i < t->moments.count && i < MOST_ROWS; i++) {
        const struct moment *m = &t->moments.items[i];
        char when[48];
        timeline_time(m, when);
        str_add(out, "<tr>");
        add_cell(out, "time", when);
        add_cell(out, "", language_text(m->source));
        add_cell(out, "what", language_text(m->what));
        add_cell(out, "path",
                 *m->detail ? arena_printf(r->arena, "%s  %s", m->subject, m->detail) : m->subject);
        add_cell(out, "", m->who);
        str_add(out, "</tr>\n");
    }
    end_table(out);
    if (t->moments.count > MOST_ROWS || t->left_out)
        add_paragraph(out, arena_printf(r->arena,
                                        _("%zu more are in timeline.jsonl, and %zu were only "
                                          "counted."),
                                        t->moments.count > MOST_ROWS ? t->moments.count - MOST_ROWS
                                                                     : (size_t)0,
                                        t->left_out));
}

static void add_evidence(struct str *out, const struct evidence_entry *evidence, size_t count)
{
    const char *const columns[] = {_("Folder"), _("When"),  _("Who"),
                                   _("Files"),  _("Bytes"), _("SHA-256 of its list")};
    add_heading(out, _("Evidence"));
    if (!count)
        add_paragraph(out, _("No evidence of a running host was taken."));
    if (!count)
        return;
    begin_table(out, columns, ARRAY_COUNT(columns));
    for (size_t i = 0; i < count; i++) {
        int64_t at;
        char when[40] = "", files[24], bytes[24];
        if (date_parse(evidence[i].time, &at))
            timeline_local(at, when);
        snprintf(files, sizeof files, "%lld", (long long)evidence[i].files);
        snprintf(bytes, sizeof bytes, "%lld", (long long)evidence[i].bytes);
        str_add(out, "<tr>");
        add_cell(out, "", evidence[i].folder);
        add_cell(out, "time", when);
        add_cell(out, "", evidence[i].who);
        add_cell(out, "", files);
        add_cell(out, "", bytes);
        add_cell(out, "path", evidence[i].sha256);
        str_add(out, "</tr>\n");
    }
    end_table(out);
}

static void add_proof(struct str *out, struct response *r)
{
    add_heading(out, _("How to check that nothing was changed"));
    add_paragraph(out, _("The bundle is signed with the key of this host's ledger. Compare "
                         "ledger.pub with a copy that was kept elsewhere: who owned the host could "
                         "have owned the key."));
    str_add(out, "<pre>minisign -Vm bundle.tar.zst -p ledger.pub\n"
                 "tar --zstd -xf bundle.tar.zst\n"
                 "sha256sum -c yagura-");
    add_text(out, r->incident.id);
    str_add(out, "/SHA256SUMS\nyagura ledger verify --checkpoint yagura-");
    add_text(out, r->incident.id);
    str_add(out, "/ledger/checkpoint.txt</pre>\n");
    if (r->incident.problems) {
        str_add(out, "<p class=\"bad\">");
        add_text(out, _("The ledger was changed: yagura ledger verify says where."));
        str_add(out, "</p>\n");
    }
}

void report_html(struct str *out, struct response *r, const json_t *facts, const struct timeline *t,
                 const struct evidence_entry *evidence, size_t evidence_count)
{
    const char *title = arena_printf(r->arena, _("Incident %s"), r->incident.id);
    str_printf(out,
               "<!doctype html>\n<html lang=\"%s\"><head><meta charset=\"utf-8\">"
               "<meta name=\"viewport\" content=\"width=device-width\">"
               "<meta http-equiv=\"Content-Security-Policy\" "
               "content=\"default-src 'none'; style-src 'unsafe-inline'\">"
               "<title>",
               language_is_japanese() ? "ja" : "en");
    add_text(out, title);
    str_printf(out, "</title><style>%s</style></head><body>\n<h1>", style);
    add_text(out, title);
    str_add(out, "</h1>\n<p class=\"sub\">");
    add_text(out, runbook_text(&r->book->title));
    str_add(out, " · ");
    add_text(out, json_get_string(facts, "today"));
    str_add(out, " · yagura " YAGURA_VERSION "</p>\n");
    add_summary(out, r, facts);
    add_steps(out, r);
    add_timeline(out, r, t);
    add_evidence(out, evidence, evidence_count);
    add_proof(out, r);
    str_add(out, "</body></html>\n");
}
