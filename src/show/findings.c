#include "show/findings.h"

#include "base/json.h"
#include "base/str.h"
#include "model/date.h"

/* As many findings as a person reads on one screen: the worst in full, some more as a line
 * each; the rest is counted and can be had. */
enum { IN_FULL = 3, AS_LINES = 7, LABEL = 9 };

/* To be fixed today: used by attackers now, or reached by anyone and grave, or an update of
 * what stands in the path of every connection. */
static bool is_for_today(const struct finding *f)
{
    return finding_is_open(f) && !f->unreachable && !f->repeated &&
           (f->exploited || f->severity == SEVERITY_CRITICAL ||
            (f->severity >= SEVERITY_HIGH && (f->reachable || f->rule_kind == RULE_UPDATE)));
}

void show_labelled(struct show *s, const char *label, const char *text)
{
    if (!*text)
        return;
    CLEANUP_STR struct str first = {0};
    str_printf(&first, "    %s ", label);
    unsigned columns = show_columns(str_text(&first));
    for (; columns < 4 + LABEL; columns++)
        str_add_char(&first, ' ');
    show_wrap(s, str_text(&first), 4 + LABEL, text);
}

static enum show_colour colour_of(const struct finding *f)
{
    if (f->verdict == VERDICT_UNKNOWN)
        return SHOW_YELLOW;
    if (!finding_is_open(f))
        return SHOW_GREEN;
    return f->severity >= SEVERITY_HIGH ? SHOW_RED : SHOW_YELLOW;
}

void show_heading(struct show *s, struct arena *arena, const struct finding *f)
{
    CLEANUP_STR struct str first = {0};
    const char *mark = f->verdict == VERDICT_UNKNOWN ? "?" : finding_is_open(f) ? "!" : "+";
    str_printf(&first, "%s [%s] ", mark,
               f->verdict == VERDICT_UNKNOWN ? show_verdict(f->verdict)
                                             : show_severity(f->severity));
    CLEANUP_STR struct str text = {0};
    str_add(&text, show_message(arena, &f->summary));
    if (f->exploited)
        str_printf(&text, " — %s", _("attackers use this now"));
    if (f->verdict == VERDICT_BROKEN)
        str_printf(&text, " — %s", show_verdict(f->verdict));
    show_colour(s, colour_of(f));
    show_wrap(s, str_text(&first), 2, str_text(&text));
    show_colour(s, SHOW_PLAIN);
}

void show_source(struct show *s, const struct finding *f)
{
    CLEANUP_STR struct str text = {0};
    str_printf(&text, "%s", f->rule_id);
    for (size_t i = 0; i < f->cves.count && i < 3; i++)
        str_printf(&text, ", %s", f->cves.items[i]);
    if (f->cves.count > 3)
        str_printf(&text, _(" and %zu more"), f->cves.count - 3);
    str_printf(&text, " · %s: %s", _("sure"), show_confidence(f->confidence));
    show_labelled(s, _("source"), str_text(&text));
}

/* Where it was remembered, its id alone finds the target again. */
static const char *explain_command(struct arena *arena, const struct audit *a,
                                   const struct finding *f)
{
    return show_command_on(arena, arena_printf(arena, "explain %.8s", f->id), !a->remembered);
}

/* At most so many columns, with an ellipsis. */
static const char *shorten(struct arena *arena, const char *text, unsigned most)
{
    size_t n = strlen(text);
    if (show_columns(text) <= most)
        return text;
    char *copy = arena_strdup(arena, text);
    while (n && show_columns(copy) >= most)
        copy[n = str_utf8_valid_prefix(copy, n - 1)] = '\0';
    return arena_printf(arena, "%s…", copy);
}

/* What was seen that makes it so: the first piece of evidence, or that the patch is not there. */
static const char *seen_here(struct show *s, struct arena *arena, const struct audit *a,
                             const struct finding *f)
{
    const char *fact = f->evidence.count ? f->evidence.items[0].fact : NULL;
    fact = fact ? shorten(arena, fact, 2 * (s->width - 4 - LABEL) - 8) : NULL; /* two lines */
    if (f->rule_kind == RULE_LEAVING)
        return "";                    /* its summary says it */
    if (fact && strpbrk(fact, " =:")) /* a checklist's is in the target's own words */
        return f->rule_kind == RULE_CHECKLIST ? arena_printf(arena, _("\"%s\""), fact) : fact;
    if (f->verdict == VERDICT_AFFECTED && f->rule_kind == RULE_ADVISORY && f->patches.count)
        return arena_printf(arena, _("%s is not installed here"),
                            show_patch(a->advisories, f->patches.items[0]));
    return f->evidence.count ? f->evidence.items[0].path : "";
}

/* In brief; explain has the sentence. */
static const char *filter_note(struct arena *arena, const struct finding *f)
{
    for (size_t i = 0; i < f->notes.count; i++) {
        const struct message *note = &f->notes.items[i];
        if (str_starts(note->id, "A firewall or filter in front does not close this"))
            return f->port
                       ? arena_printf(
                             arena,
                             _("A firewall does not help: the way in is %s, which stays open."),
                             f->port)
                       : _("A firewall does not help: the way in is the web server's own port.");
        if (str_starts(note->id, "{port} has no business outside"))
            return show_message(arena, note);
    }
    return "";
}

/* The line to paste where there is one, else the sentence; NULL if there is neither. */
static const struct message *what_to_do(const struct finding *f)
{
    if (f->steps.count && (f->rule_kind == RULE_UPDATE || !f->remedy.id))
        return &f->steps.items[0];
    return f->remedy.id ? &f->remedy : NULL;
}

const char *show_step(struct arena *arena, const struct message *m)
{
    return show_paste(arena, show_message(arena, m));
}

static void show_one(struct show *s, struct arena *arena, const struct audit *a,
                     const struct finding *f)
{
    show_heading(s, arena, f);
    if (f->why.id)
        show_labelled(s, _("why"), show_message(arena, &f->why));
    show_labelled(s, _("here"), seen_here(s, arena, a, f));
    show_labelled(s, _("note"), filter_note(arena, f));
    const struct message *todo = what_to_do(f);
    if (todo)
        show_labelled(s, _("do this"), show_step(arena, todo));
    show_source(s, f);
    show_labelled(s, _("more"), explain_command(arena, a, f));
}

/* The order of the findings, in words. */
static void show_group(struct show *s, enum finding_group group)
{
    static const char *const words[] = {
        [GROUP_INTRUSION] = N_("Left behind by attackers"),
        [GROUP_EXPLOITED_OPEN] = N_("Attackers use these now, without a login"),
        [GROUP_EXPLOITED] = N_("Attackers use these now"),
        [GROUP_REACHABLE] = N_("Reached from the network without a login"),
        [GROUP_OTHER] = N_("The rest of what is open"),
        [GROUP_UNREACHABLE] = N_("Open, but nothing leads to it now"),
        [GROUP_UNKNOWN] = N_("Could not be judged"),
        [GROUP_SETTLED] = N_("Fixed or accepted"),
    };
    show_colour(s, SHOW_BOLD);
    fprintf(s->out, "\n%s\n", language_text(words[group]));
    show_colour(s, SHOW_PLAIN);
}

/* One finding on one line, cut to the width; its id is what `explain` wants. */
static void show_line(struct show *s, struct arena *arena, const struct finding *f)
{
    CLEANUP_STR struct str text = {0};
    const char *mark = f->verdict == VERDICT_UNKNOWN ? "?" : finding_is_open(f) ? "!" : "+";
    str_printf(&text, "%s [%s] %s", mark,
               f->verdict == VERDICT_UNKNOWN ? show_verdict(f->verdict)
                                             : show_severity(f->severity),
               show_message(arena, &f->summary));
    if (f->verdict == VERDICT_BROKEN)
        str_printf(&text, " — %s", show_verdict(f->verdict));
    show_colour(s, colour_of(f));
    show_cell(s, str_text(&text), s->width - 9);
    show_colour(s, SHOW_PLAIN);
    fprintf(s->out, " %.8s\n", f->id);
}

static void show_numbers(struct show *s, const struct audit *a)
{
    size_t today = 0, later = 0, info = 0, low = 0;
    for (size_t i = 0; i < a->findings->list.count; i++) {
        const struct finding *f = a->findings->list.items[i];
        if (!finding_is_open(f) || f->repeated)
            continue;
        if (is_for_today(f))
            today++;
        else if (f->severity == SEVERITY_INFO)
            info++;
        else if (f->severity == SEVERITY_LOW)
            low++;
        else
            later++;
    }
    CLEANUP_STR struct str line = {0};
    str_printf(&line, _("%zu to fix today, %zu this month"), today, later);
    if (low + info)
        str_printf(&line, ngettext(", %zu small thing", ", %zu small things", low + info),
                   low + info);
    if (a->unknown)
        str_printf(&line, _(", %zu that cannot be judged"), a->unknown);
    if (a->fixed)
        str_printf(&line, _(", %zu fixed"), a->fixed);
    show_colour(s, today ? SHOW_RED : later ? SHOW_YELLOW : SHOW_BOLD);
    show_wrap(s, "", 0, str_text(&line));
    show_colour(s, SHOW_PLAIN);
}

static void show_title(struct show *s, const struct audit *a)
{
    char day[16];
    CLEANUP_STR struct str line = {0};
    date_format_day(a->as_of, day);
    str_add(&line, *a->host_name ? a->host_name : language_text(target_name(a->target)));
    if (*a->host_line)
        str_printf(&line, _(" (%s)"), a->host_line);
    if (a->as_of != a->now)
        str_printf(&line, _(", as of %s"), day);
    show_colour(s, SHOW_BOLD);
    show_wrap(s, "", 0, str_text(&line));
    show_colour(s, SHOW_PLAIN);
}

const char *show_too_early(struct arena *arena, size_t count)
{
    return arena_printf(
        arena,
        ngettext("%zu check asks about what became known only after that day: it is left out.",
                 "%zu checks ask about what became known only after that day: they are left out.",
                 count),
        count);
}

static void show_problem(struct show *s, const struct error *e)
{
    char text[1024];
    if (!s->json) {
        show_wrap(s, "? ", 2, error_text(e, text, sizeof text));
        return;
    }
    json_t *o = json_object();
    json_put_string(o, "type", "problem");
    json_put_string(o, "path", e->path);
    json_put_int(o, "line", (int64_t)e->line);
    json_put_int(o, "column", (int64_t)e->column);
    json_put_string(o, "text", e->message);
    show_json_line(s, o);
}

void show_problems(struct show *s, const struct audit *a)
{
    if (a->feed_problem.code)
        show_problem(s, &a->feed_problem);
    size_t kept = ARRAY_COUNT(a->rule_problems);
    for (size_t i = 0; i < a->rule_problem_count && i < kept; i++)
        show_problem(s, &a->rule_problems[i]);
    if (a->rule_problem_count > kept && !s->json) {
        CLEANUP_ARENA struct arena *arena = arena_new();
        show_wrap(s, "? ", 2,
                  arena_printf(arena, _("%zu more problems in the rules: %s"),
                               a->rule_problem_count - kept, show_command(arena, "rules lint")));
    }
}

/* What stands above every finding because it changes what all of them mean. */
static void show_warnings(struct show *s, struct arena *arena, const struct audit *a)
{
    show_problems(s, a);
    bool updates = false;
    for (size_t i = 0; i < a->findings->list.count; i++)
        updates |= str_equal(a->findings->list.items[i]->rule_id, "debian-security-update");
    if (updates)
        show_wrap(
            s, "", 0,
            _("Which CVEs the waiting updates close is not said here: apt's lists name none."));
    size_t early = rule_results_too_early(a->outcomes);
    if (early)
        show_wrap(s, "", 0, show_too_early(arena, early));
    if (!advisories_count(a->advisories))
        show_wrap(s, "? ", 2,
                  arena_printf(arena,
                               _("No advisories are loaded: holes cannot be judged. Run make, or: "
                                 "%s"),
                               show_command_on(arena, "feed import PATH", false)));
}

static void show_next(struct show *s, const struct audit *a, size_t left_out)
{
    CLEANUP_ARENA struct arena *arena = arena_new();
    const struct finding *first = a->findings->list.count ? a->findings->list.items[0] : NULL;
    fputc('\n', s->out);
    if (left_out)
        show_wrap(
            s, "", 0,
            arena_printf(arena, _("%zu more: %s"), left_out, show_command(arena, "audit --all")));
    CLEANUP_STR struct str next = {0};
    const struct message *todo = NULL;
    if (first && (finding_is_open(first) || first->verdict == VERDICT_UNKNOWN))
        todo = what_to_do(first);
    str_printf(&next, "%s ", _("Next:"));
    if (todo)
        str_add(&next, show_step(arena, todo));
    else if (first && finding_is_open(first))
        str_add(&next, explain_command(arena, a, first));
    else
        str_add(&next, _("nothing to do here today"));
    show_colour(s, SHOW_BOLD);
    show_wrap(s, "", 2, str_text(&next));
    show_colour(s, SHOW_PLAIN);
    if (a->about != ABOUT_HOLES) {
        show_hint(s, _("What was seen, and since when:"), show_command(arena, "facts persistence"));
        return;
    }
    show_hint(s, _("What to do, in order:"), show_command(arena, "patch plan"));
    show_hint(s, _("What listens:"), show_command(arena, "ports"));
}

static json_t *summary_json(const struct audit *a, enum severity fail_on)
{
    size_t today = 0;
    for (size_t i = 0; i < a->findings->list.count; i++)
        today += is_for_today(a->findings->list.items[i]);
    char as_of[32];
    date_format(a->as_of, as_of);
    json_t *o = json_object();
    json_put_string(o, "type", "summary");
    json_put_string(o, "target", a->identity);
    json_put_string(o, "host", a->host_name);
    json_put_string(o, "os", a->host_line);
    json_put_string(o, "as_of", as_of);
    json_put_int(o, "found", (int64_t)audit_found(a, fail_on));
    json_put_int(o, "today", (int64_t)today);
    json_put_int(o, "unknown", (int64_t)audit_unknown(a));
    json_put_int(o, "fixed", (int64_t)a->fixed);
    json_put_int(o, "too_early", (int64_t)rule_results_too_early(a->outcomes));
    json_put_int(o, "advisories", (int64_t)advisories_count(a->advisories));
    return o;
}

void show_audit(struct show *s, const struct audit *a, enum severity fail_on)
{
    if (s->json) {
        show_problems(s, a);
        for (size_t i = 0; i < a->findings->list.count; i++)
            show_json_line(s, finding_to_json(a->findings->list.items[i], a->identity));
        show_json_line(s, summary_json(a, fail_on));
        return;
    }
    CLEANUP_ARENA struct arena *arena = arena_new();
    show_title(s, a);
    show_numbers(s, a);
    show_warnings(s, arena, a);
    size_t shown = 0, left_out = 0;
    enum finding_group group = GROUP_INTRUSION;
    for (size_t i = 0; i < a->findings->list.count; i++) {
        const struct finding *f = a->findings->list.items[i];
        if (!finding_is_open(f) && f->verdict != VERDICT_UNKNOWN && !s->all)
            continue;
        if (shown >= IN_FULL + AS_LINES && !s->all) {
            left_out++;
            continue;
        }
        bool heads = !shown || finding_group(f) != group;
        group = finding_group(f);
        if (heads)
            show_group(s, group);
        else if (shown <= IN_FULL || s->all)
            fputc('\n', s->out);
        if (shown < IN_FULL || s->all)
            show_one(s, arena, a, f);
        else
            show_line(s, arena, f);
        shown++;
    }
    show_next(s, a, left_out);
    if (a->memory.code) {
        char text[1024];
        show_wrap(s, "? ", 2,
                  arena_printf(arena, _("Nothing was remembered: %s"),
                               error_text(&a->memory, text, sizeof text)));
    }
}

void show_evidence(struct show *s, const struct finding *f)
{
    enum { MOST_SEEN = 8 }; /* of one more that many a line of somebody's crontab is the next */
    size_t count = f->evidence.count, shown = s->all || count <= MOST_SEEN ? count : MOST_SEEN;
    for (size_t i = 0; i < shown; i++) {
        const struct evidence *e = &f->evidence.items[i];
        CLEANUP_STR struct str text = {0};
        str_add(&text, language_text(e->path)); /* "this host" stands there too */
        if (e->line)
            str_printf(&text, ":%llu", (unsigned long long)e->line);
        else if (e->offset >= 0)
            str_printf(&text, " @%lld", (long long)e->offset);
        if (e->fact && *e->fact)
            str_printf(&text, "%s%s", text.length ? ": " : "", e->fact);
        show_labelled(s, i ? "" : _("seen in"), str_text(&text));
    }
    if (shown < count) {
        CLEANUP_ARENA struct arena *arena = arena_new();
        show_labelled(
            s, "", arena_printf(arena, _("and %zu more: --json has all of them"), count - shown));
    }
}

static void show_date(struct show *s, const char *label, int64_t when)
{
    char text[32];
    if (when == DATE_NONE)
        return;
    date_format(when, text);
    show_labelled(s, label, text);
}

void show_explain(struct show *s, const struct audit *a, const struct finding *f)
{
    if (s->json) {
        show_json_line(s, finding_to_json(f, a->identity));
        json_t *o = json_object();
        json_put_string(o, "type", "summary");
        json_put_string(o, "target", a->identity);
        json_put_int(o, "found", finding_is_open(f));
        json_put_int(o, "unknown", f->verdict == VERDICT_UNKNOWN);
        show_json_line(s, o);
        return;
    }
    CLEANUP_ARENA struct arena *arena = arena_new();
    show_title(s, a);
    fputc('\n', s->out);
    show_heading(s, arena, f);
    show_labelled(s, _("verdict"), show_verdict(f->verdict));
    if (f->why.id)
        show_labelled(s, _("why"), show_message(arena, &f->why));
    for (size_t i = 0; i < f->notes.count; i++)
        show_labelled(s, i ? "" : _("note"), show_message(arena, &f->notes.items[i]));
    if (f->remedy.id)
        show_labelled(s, _("do this"), show_step(arena, &f->remedy));
    for (size_t i = 0; i < f->steps.count; i++)
        show_labelled(s, f->remedy.id || i ? "" : _("do this"),
                      show_step(arena, &f->steps.items[i]));
    if (f->patches.count) {
        CLEANUP_STR struct str list = {0};
        for (size_t i = 0; i < f->patches.count; i++)
            str_printf(&list, "%s%s", i ? ", " : "",
                       show_patch(a->advisories, f->patches.items[i]));
        show_labelled(s, _("patch"), str_text(&list));
    }
    show_evidence(s, f);
    CLEANUP_STR struct str cves = {0};
    for (size_t i = 0; i < f->cves.count; i++)
        str_printf(&cves, "%s%s", i ? ", " : "", f->cves.items[i]);
    if (cves.length)
        show_labelled(s, "CVE", str_text(&cves));
    for (size_t i = 0; i < f->references.count; i++)
        show_labelled(s, i ? "" : _("read"), f->references.items[i].url);
    if (f->contact)
        show_labelled(s, _("contact"), f->contact);
    show_source(s, f);
    show_labelled(s, _("id"), f->id);
    show_date(s, _("first"), f->first_seen);
    show_date(s, _("last"), f->last_seen);
    show_date(s, _("fixed at"), f->fixed_at);
    if (f->revised)
        show_labelled(s, _("note"), _("the advisory was revised since the audit before this one"));
}
