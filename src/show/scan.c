#include "show/findings.h"

#include "base/json.h"
#include "base/str.h"

static void show_one(struct show *s, struct arena *arena, const struct finding *f)
{
    show_heading(s, arena, f);
    if (f->verdict == VERDICT_UNKNOWN)
        return;
    if (f->why.id)
        show_labelled(s, _("why"), show_message(arena, &f->why));
    show_evidence(s, f);
    if (f->remedy.id)
        show_labelled(s, _("do this"), show_step(arena, &f->remedy));
    for (size_t i = 0; i < f->steps.count; i++)
        show_labelled(s, f->remedy.id || i ? "" : _("do this"),
                      show_step(arena, &f->steps.items[i]));
    show_source(s, f);
    show_labelled(s, _("id"), arena_printf(arena, "%.8s", f->id)); /* `respond sign` takes it */
}

static json_t *summary(const struct audit *a, const struct scan_result *r, enum severity least)
{
    json_t *o = json_object();
    json_put_string(o, "type", "summary");
    json_put_string(o, "target", a->identity);
    json_put_string(o, "host", a->host_name);
    json_put_int(o, "found", (int64_t)audit_found(a, least));
    json_put_int(o, "unknown", (int64_t)audit_unknown(a));
    json_put_int(o, "files", (int64_t)r->counts.files);
    json_put_int(o, "bytes", (int64_t)r->counts.bytes);
    json_put_int(o, "rules", r->counts.rules);
    json_put_bool(o, "clamav", r->counts.with_clamd);
    json_put_int(o, "archives_not_opened", (int64_t)r->counts.archives);
    json_put_int(o, "links_not_followed", (int64_t)r->links);
    return o;
}

/* What a clean result does not speak of. */
static void show_limits(struct show *s, struct arena *arena, const struct scan_result *r)
{
    CLEANUP_STR struct str line = {0};
    str_printf(&line, ngettext("%llu file, ", "%llu files, ", r->counts.files),
               (unsigned long long)r->counts.files);
    str_printf(&line, ngettext("%u YARA rule, ", "%u YARA rules, ", r->counts.rules),
               r->counts.rules);
    str_add(&line, r->counts.with_clamd ? _("with ClamAV") : _("without ClamAV"));
    show_wrap(s, "", 0, str_text(&line));
    str_clear(&line);
    if (r->counts.archives)
        str_printf(&line,
                   ngettext("%llu archive was not opened. ", "%llu archives were not opened. ",
                            r->counts.archives),
                   (unsigned long long)r->counts.archives);
    if (r->links)
        str_printf(
            &line,
            ngettext("%llu link was not followed. ", "%llu links were not followed. ", r->links),
            (unsigned long long)r->links);
    if (r->aside)
        str_printf(&line,
                   ngettext("%llu folder of what was put aside already was left out. ",
                            "%llu folders of what was put aside already were left out. ", r->aside),
                   (unsigned long long)r->aside);
    if (line.length)
        show_wrap(s, "", 0, arena_strndup(arena, line.data, line.length - 1));
}

void show_scan(struct show *s, const struct audit *a)
{
    CLEANUP_ARENA struct arena *arena = arena_new();
    show_problems(s, a);
    for (size_t i = 0; i < a->findings->list.count; i++) {
        const struct finding *f = a->findings->list.items[i];
        if (s->json) {
            show_json_line(s, finding_to_json(f, a->identity));
            continue;
        }
        show_one(s, arena, f);
        fputc('\n', s->out);
    }
}

void show_scan_end(struct show *s, const struct audit *a, const struct scan_result *r,
                   enum severity least)
{
    CLEANUP_ARENA struct arena *arena = arena_new();
    if (s->json) {
        show_json_line(s, summary(a, r, least));
        return;
    }
    size_t found = audit_found(a, least), unknown = audit_unknown(a);
    CLEANUP_STR struct str line = {0};
    if (found)
        str_printf(&line,
                   ngettext("%zu sign that somebody has been in",
                            "%zu signs that somebody has been in", found),
                   found);
    else
        str_add(&line, _("No sign that somebody has been in"));
    if (unknown)
        str_printf(&line, _(", %zu that could not be looked at"), unknown);
    show_colour(s, found ? SHOW_RED : unknown ? SHOW_YELLOW : SHOW_BOLD);
    show_wrap(s, "", 0, str_text(&line));
    show_colour(s, SHOW_PLAIN);
    show_limits(s, arena, r);
}
