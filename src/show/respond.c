#include "show/respond.h"

#include "base/json.h"
#include "base/str.h"
#include "model/date.h"
#include "respond/checks.h"
#include "respond/first_sign.h"
#include "respond/timeline.h"

#include <sys/utsname.h>

static const char *state_text(enum step_state state)
{
    static const char *const texts[] = {N_("open"),
                                        N_("begun, not ended"),
                                        N_("not done yet"),
                                        N_("done"),
                                        N_("skipped"),
                                        N_("undone"),
                                        N_("planned, for the host itself")};
    return language_text(texts[state]);
}

static const char *state_sign(enum step_state state)
{
    return state == STEP_DONE                               ? "+"
           : state == STEP_SKIPPED || state == STEP_PLANNED ? "-"
           : state == STEP_OPEN                             ? " "
                                                            : "!";
}

static size_t number_of(const struct runbook *book, const struct runbook_step *step)
{
    return (size_t)(step - book->steps.items);
}

static json_t *json_step(struct response *r, const struct runbook_step *step)
{
    const struct incident_step *is = respond_step_of(r, step);
    char when[32];
    json_t *o = json_object();
    json_put_string(o, "type", "incident-step");
    json_put_string(o, "incident", r->incident.id);
    json_put_int(o, "number", (int64_t)number_of(r->book, step));
    json_put_string(o, "step", step->id);
    json_put_string(o, "title", runbook_text(&step->title));
    json_put_string(o, "state", step_state_name(is->state));
    date_format(is->at, when);
    json_put_string(o, "at", is->state == STEP_OPEN ? NULL : when);
    json_put_string(o, "who", is->who);
    json_put_string(o, "because", is->because);
    if (is->result)
        json_object_set(o, "result", (json_t *)is->result);
    return o;
}

static void put_time(json_t *o, const char *key, int64_t seconds)
{
    char when[32];
    date_format(seconds, when);
    json_put_string(o, key, seconds ? when : NULL);
}

static void json_watch(struct show *s, struct response *r)
{
    struct watch_status w;
    watch_status(r, &w);
    if (!w.begun)
        return;
    json_t *o = json_object();
    json_put_string(o, "type", "watch");
    json_put_string(o, "incident", r->incident.id);
    json_put_bool(o, "on", w.on);
    json_put_bool(o, "stale", w.stale);
    put_time(o, "until", w.until);
    put_time(o, "looked", w.looked);
    put_time(o, "over", w.over);
    json_put_int(o, "finds", (int64_t)w.finds);
    json_put_string(o, "last", w.last);
    json_put_string(o, "isolate_again", w.isolate_again);
    show_json_line(s, o);
}

static const char *const signs_from[] = {NULL, "operator", "guard", "files"};

static void json_incident(struct show *s, const struct incident *i)
{
    CLEANUP_ARENA struct arena *arena = arena_new();
    char when[32];
    json_t *o = json_object();
    json_put_string(o, "type", "incident");
    json_put_string(o, "incident", i->id);
    json_put_string(o, "runbook", i->runbook);
    date_format(i->opened, when);
    json_put_string(o, "opened", when);
    date_format(i->closed, when);
    json_put_string(o, "closed", i->closed ? when : NULL);
    date_format(i->first_sign, when);
    json_put_string(o, "first_sign", i->first_sign ? when : NULL);
    json_put_string(o, "first_sign_from", signs_from[i->first_sign_from]);
    json_put_string(o, "first_sign_subject", i->first_sign_subject);
    json_put_string(o, "who", i->who);
    json_put_string(o, "because", i->because);
    json_put_string(o, "target_kind", i->target_kind);
    json_put_string(o, "target_argument", i->target);
    json_put_string(o, "ledger_problem", i->problems ? message_text(arena, &i->problem) : NULL);
    show_json_line(s, o);
}

/* How the closer watch stands, if there ever was one. */
static void say_watch(struct show *s, struct response *r, struct arena *arena)
{
    struct watch_status w;
    watch_status(r, &w);
    if (!w.begun)
        return;
    const char *found = w.finds
                            ? arena_printf(arena,
                                           ngettext("%zu thing found, the last one: %s",
                                                    "%zu things found, the last one: %s", w.finds),
                                           w.finds, w.last ? w.last : "")
                            : _("nothing found");
    if (!w.on)
        show_wrap(s, w.finds ? "! " : "+ ", 2,
                  arena_printf(arena, _("The closer watch is over since %s%s%s; %s"),
                               timeline_screen(arena, w.over), w.ended && *w.ended ? ": " : "",
                               w.ended ? w.ended : "", found));
    else if (w.stale && w.looked)
        show_wrap(s, "! ", 2,
                  arena_printf(arena,
                               _("NOBODY LOOKS: the closer watch is to go on until %s, and the "
                                 "last look was at %s; %s"),
                               timeline_screen(arena, w.until), timeline_screen(arena, w.looked),
                               found));
    else if (w.stale)
        show_wrap(s, "! ", 2,
                  arena_printf(arena,
                               _("NOBODY LOOKS: the closer watch is to go on until %s, and there "
                                 "was no look yet"),
                               timeline_screen(arena, w.until)));
    else {
        const char *until = timeline_screen(arena, w.until);
        const char *then =
            w.isolate_again
                ? arena_printf(arena, _("it isolates again by itself: %s"), w.isolate_again)
                : _("it tells, and does not isolate");
        show_wrap(s,
                  w.finds    ? "! "
                  : w.looked ? "+ "
                             : "- ",
                  2,
                  w.looked
                      ? arena_printf(arena, _("Closer watch until %s (%s); last look: %s; %s"),
                                     until, then, timeline_screen(arena, w.looked), found)
                      /* what was not looked at is not called clean */
                      : arena_printf(arena, _("Closer watch until %s (%s); last look: none yet"),
                                     until, then));
    }
    if (w.stale)
        show_hint(s, _("What should look every few minutes:"),
                  "systemctl status yagura-watch.timer");
}

void show_watch(struct show *s, struct response *r)
{
    CLEANUP_ARENA struct arena *arena = arena_new();
    if (s->json)
        json_watch(s, r);
    else
        say_watch(s, r, arena);
}

void show_incident_line(struct show *s, const struct incident *i)
{
    CLEANUP_ARENA struct arena *arena = arena_new();
    if (s->json)
        json_incident(s, i);
    else
        show_hint(s, arena_printf(arena, _("! Incident %s is open:"), i->id),
                  show_command(arena, "respond"));
}

void show_incident(struct show *s, struct response *r)
{
    CLEANUP_ARENA struct arena *arena = arena_new();
    const struct incident *i = &r->incident;
    if (s->json) {
        json_incident(s, i);
        for (size_t k = 0; k < r->book->steps.count; k++)
            show_json_line(s, json_step(r, &r->book->steps.items[k]));
        json_watch(s, r);
        return;
    }
    show_wrap(s, "", 2,
              arena_printf(arena,
                           i->closed ? _("Incident %s, %s, opened %s by %s, closed")
                                     : _("Incident %s, %s, opened %s by %s"),
                           i->id, runbook_text(&r->book->title), timeline_screen(arena, i->opened),
                           i->who));
    if (*i->because)
        show_wrap(s, "  ", 2, i->because);
    if (i->first_sign)
        show_wrap(s, "  ", 2,
                  arena_printf(arena, _("First sign of the intrusion: %s, %s"),
                               timeline_screen(arena, i->first_sign), first_sign_source(arena, i)));
    else
        show_wrap(s, "  ", 2, _("The first sign of the intrusion is not known."));
    if (!i->closed && i->first_sign_from != FIRST_SIGN_SAID)
        show_hint(s, _("If you know when it began (as 2026-11-26T09:00:00+09:00):"),
                  show_command(arena, "respond resume --first-sign DATE"));
    if (i->problems)
        show_wrap(
            s, "! ", 2,
            arena_printf(arena, _("THE LEDGER WAS CHANGED: %s"), show_message(arena, &i->problem)));
    for (size_t k = 0; k < r->book->steps.count; k++) {
        const struct runbook_step *step = &r->book->steps.items[k];
        const struct incident_step *is = &i->steps[k];
        show_wrap(s, arena_printf(arena, "%s %zu ", state_sign(is->state), k), 4,
                  is->state == STEP_OPEN
                      ? arena_printf(arena, "%s", runbook_text(&step->title))
                      : arena_printf(arena, "%s: %s, %s, %s%s%s", runbook_text(&step->title),
                                     state_text(is->state), timeline_screen(arena, is->at), is->who,
                                     is->because && *is->because ? ": " : "",
                                     is->because ? is->because : ""));
    }
    say_watch(s, r, arena);
    show_what_is_next(s, r);
}

void show_what_is_next(struct show *s, struct response *r)
{
    CLEANUP_ARENA struct arena *arena = arena_new();
    const struct runbook_step *next = respond_next(r);
    if (s->json || r->incident.closed)
        return;
    if (next)
        show_hint(s, arena_printf(arena, _("Next, %s:"), runbook_text(&next->title)),
                  show_command(arena, "respond next"));
    else
        show_hint(s, _("Nothing is left to do:"), show_command(arena, "respond close"));
}

/* ---- the runbook ---------------------------------------------------------------------------- */

static json_t *json_texts(const struct runbook_text *items, size_t count)
{
    json_t *list = json_array();
    for (size_t i = 0; i < count; i++)
        json_array_append_new(list, json_from_text(runbook_text(&items[i])));
    return list;
}

static json_t *json_calls(const struct runbook_call *items, size_t count)
{
    json_t *list = json_array();
    for (size_t i = 0; i < count; i++)
        json_array_append_new(list, json_from_text(items[i].name));
    return list;
}

static void json_at_length(struct show *s, const struct runbook *book,
                           const struct runbook_step *step)
{
    json_t *o = json_object();
    json_put_string(o, "type", "runbook-step");
    json_put_string(o, "runbook", book->id);
    json_put_int(o, "number", (int64_t)number_of(book, step));
    json_put_string(o, "step", step->id);
    json_put_string(o, "title", runbook_text(&step->title));
    json_put_string(o, "text", runbook_text(&step->text));
    json_put_string(o, "why", runbook_text(&step->why));
    json_object_set_new(o, "person", json_texts(step->person.items, step->person.count));
    json_object_set_new(o, "before", json_calls(step->before.items, step->before.count));
    json_put_string(o, "action", step->action.name);
    json_object_set_new(o, "verify", json_calls(step->verify.items, step->verify.count));
    json_put_string(o, "undo", step->undo.name);
    json_put_string(o, "no_undo", step->undo.name ? NULL : runbook_text(&step->no_undo));
    json_object_set_new(o, "evidence", json_texts(step->evidence.items, step->evidence.count));
    json_put_bool(o, "offline", step->offline);
    show_json_line(s, o);
}

static void calls(struct show *s, const char *label, const struct runbook_call *items, size_t count)
{
    if (count)
        fprintf(s->out, "\n%s\n", label);
    for (size_t i = 0; i < count; i++)
        show_wrap(s, "  - ", 4, language_text(respond_check_find(items[i].name)->means));
}

static void texts(struct show *s, const char *label, const char *sign,
                  const struct runbook_text *items, size_t count)
{
    if (count)
        fprintf(s->out, "\n%s\n", label);
    for (size_t i = 0; i < count; i++)
        show_wrap(s, sign, (unsigned)strlen(sign), runbook_text(&items[i]));
}

static void step_at_length(struct show *s, const struct runbook *book,
                           const struct runbook_step *step)
{
    CLEANUP_ARENA struct arena *arena = arena_new();
    show_colour(s, SHOW_BOLD);
    show_wrap(s, arena_printf(arena, "%zu  ", number_of(book, step)), 3,
              runbook_text(&step->title));
    show_colour(s, SHOW_PLAIN);
    show_wrap(s, "   ", 3, runbook_text(&step->text));
    show_wrap(s, "   ", 3, runbook_text(&step->why));
    calls(s, _("What has to be true before it:"), step->before.items, step->before.count);
    texts(s, _("What only you can do:"), "  [ ] ", step->person.items, step->person.count);
    calls(s, _("It is done when this is true, whoever says so:"), step->verify.items,
          step->verify.count);
    texts(s, _("What is kept of it:"), "  - ", step->evidence.items, step->evidence.count);
    fprintf(s->out, "\n");
    show_hint(s, step->action.name ? _("Do it:") : _("When it is done, say so:"),
              show_command(arena, arena_printf(arena, "respond do %s", step->id)));
    if (step->undo.name)
        show_hint(s, _("Undo it:"),
                  show_command(arena, arena_printf(arena, "respond undo %s", step->id)));
    else
        show_wrap(s, "", 2, arena_printf(arena, _("Undoing it: %s"), runbook_text(&step->no_undo)));
}

void show_respond_step(struct show *s, struct response *r, const struct runbook_step *step)
{
    if (!s->json) {
        step_at_length(s, r->book, step);
        return;
    }
    show_json_line(s, json_step(r, step));
    json_at_length(s, r->book, step);
}

/* A command to paste, or what a person is to do. */
static const char *todo(struct arena *arena, const char *text)
{
    static const char name[] = "yagura ";
    return str_starts(text, name) ? show_command_on(arena, text + strlen(name), false) : text;
}

void show_respond_note(struct show *s, const char *sign, const char *text)
{
    CLEANUP_ARENA struct arena *arena = arena_new();
    if (!s->json) {
        show_wrap(s, sign, 2, show_with_commands(arena, text));
        return;
    }
    json_t *o = json_object();
    json_put_string(o, "type", "note");
    json_put_string(o, "text", show_as_called(arena, text));
    show_json_line(s, o);
}

static const char *const verdicts[] = {"true", "false", "unknown"};

static bool all_true(const struct respond_report *report)
{
    for (size_t i = 0; i < report->checks.count; i++)
        if (report->checks.items[i].result.verdict != CHECK_TRUE)
            return false;
    return true;
}

void show_respond_report(struct show *s, struct response *r, const struct runbook_step *step,
                         const struct respond_report *report)
{
    CLEANUP_ARENA struct arena *arena = arena_new();
    for (size_t i = 0; i < report->checks.count; i++) {
        const struct check_result *c = &report->checks.items[i].result;
        if (s->json) {
            json_t *o = json_object();
            json_put_string(o, "type", "check");
            json_put_string(o, "check", report->checks.items[i].call->name);
            json_put_string(o, "verdict", verdicts[c->verdict]);
            json_put_string(o, "text", c->text);
            json_put_string(o, "todo", c->todo);
            show_json_line(s, o);
            continue;
        }
        show_wrap(s,
                  c->verdict == CHECK_TRUE    ? "+ "
                  : c->verdict == CHECK_FALSE ? "! "
                                              : "? ",
                  2, show_with_commands(arena, c->text));
        if (c->todo)
            show_wrap(s, "    ", 6, todo(arena, c->todo));
    }
    if (s->json) {
        if (report->text)
            show_respond_note(s, "! ", report->text);
        if (step)
            show_json_line(s, json_step(r, step));
        return;
    }
    if (report->outcome == RESPOND_WAITS)
        show_wrap(s, "", 2, show_with_commands(arena, report->text));
    else if (report->outcome == RESPOND_PREVIEW) {
        if (report->text)
            show_wrap(s, "", 2, show_with_commands(arena, report->text));
        show_wrap(s, "", 2,
                  all_true(report)
                      ? _("Nothing was done.")
                      : _("Nothing was done. What is not true yet is what the step is for."));
    } else if (step && report->outcome == RESPOND_UNDONE)
        show_wrap(s, "", 2,
                  arena_printf(arena, _("Step %zu (%s) is undone."), number_of(r->book, step),
                               runbook_text(&step->title)));
    else if (step && report->outcome == RESPOND_REFUSED) {
        if (report->text)
            show_wrap(s, "! ", 2, show_with_commands(arena, report->text));
        show_wrap(s, "", 2,
                  arena_printf(arena, _("Step %zu (%s) is NOT done."), number_of(r->book, step),
                               runbook_text(&step->title)));
    } else if (step)
        show_wrap(s, "", 2,
                  arena_printf(arena, _("Step %zu (%s) is done and proved."),
                               number_of(r->book, step), runbook_text(&step->title)));
}

void show_watch_report(struct show *s, struct response *r, const struct watch_report *report)
{
    static const char *const outcomes[] = {"off", "looked", "over", "isolated"};
    CLEANUP_ARENA struct arena *arena = arena_new();
    for (size_t i = 0; i < report->finds.count; i++) {
        const struct watch_find *f = &report->finds.items[i];
        if (s->json) {
            json_t *o = json_object();
            json_put_string(o, "type", "find");
            json_put_string(o, "incident", r->incident.id);
            json_put_string(o, "text", f->text);
            json_put_bool(o, "grave", f->grave);
            json_put_bool(o, "new", f->is_new);
            if (f->finding)
                json_object_set(o, "finding", f->finding);
            show_json_line(s, o);
        } else if (f->is_new)
            show_wrap(s, "! ", 2, f->text);
    }
    if (s->json) {
        json_t *o = json_object();
        json_put_string(o, "type", "look");
        json_put_string(o, "outcome", outcomes[report->outcome]);
        json_put_int(o, "new", (int64_t)report->new_finds);
        put_time(o, "until", report->until);
        json_put_string(o, "mode", report->outcome == WATCH_ISOLATED ? report->mode : NULL);
        show_json_line(s, o);
        return;
    }
    size_t old = report->finds.count - report->new_finds;
    if (old)
        show_wrap(s, "! ", 2,
                  arena_printf(arena,
                               ngettext("%zu thing that was told before is still so",
                                        "%zu things that were told before are still so", old),
                               old));
    if (report->outcome == WATCH_ISOLATED)
        show_wrap(s, "! ", 2,
                  arena_printf(arena,
                               _("This host was cut off again (%s). The ways in that were proved "
                                 "in incident %s are open."),
                               report->mode, r->incident.id));
    if (report->finds.count)
        show_hint(s, _("What to do:"),
                  show_command(arena, r->incident.closed ? "respond start" : "respond"));
}

void show_runbook(struct show *s, const struct runbook *book)
{
    if (s->json) {
        for (size_t i = 0; i < book->steps.count; i++)
            json_at_length(s, book, &book->steps.items[i]);
        return;
    }
    CLEANUP_ARENA struct arena *arena = arena_new();
    char today[16];
    struct utsname host;
    date_format_day(date_now(), today);
    show_wrap(s, "", 0, runbook_text(&book->title));
    show_wrap(s, "", 2,
              arena_printf(arena,
                           _("The paper copy, for %s, of %s. Keep it where it can be read "
                             "when this host cannot."),
                           uname(&host) == 0 ? host.nodename : "?", today));
    fprintf(s->out, "\n");
    show_hint(s, _("Begin:"), show_command(arena, "respond start --because \"...\""));
    show_hint(s, _("Where it stands:"), show_command(arena, "respond"));
    show_hint(s, _("What is next:"), show_command(arena, "respond next"));
    show_hint(s, _("What cannot be done is skipped, with a reason:"),
              show_command(arena, "respond skip STEP --because \"...\""));
    show_hint(s, _("After a reboot, or by somebody else:"), show_command(arena, "respond resume"));
    show_hint(s, _("At the end:"), show_command(arena, "respond close"));
    fprintf(s->out, "\n%s\n\n",
            _("To be called (provider, management, police): ____________________"));
    for (size_t i = 0; i < book->steps.count; i++) {
        step_at_length(s, book, &book->steps.items[i]);
        fprintf(s->out, "%s\n\n", _("Done at ____________ by ____________  remarks:"));
    }
}
