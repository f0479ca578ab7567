#include "respond/plan.h"

#include "base/file.h"
#include "base/language.h"
#include "model/date.h"
#include "respond/actions.h"
#include "respond/timeline.h"

static const char file_name[] = "plan.txt";

bool plan_holds(const struct response *r, const struct runbook_step *step)
{
    const struct respond_action *action =
        step->action.name ? respond_action_find(step->action.name) : NULL;
    return !respond_is_live(r) && !(step->offline && (!action || action->offline));
}

void plan_look(struct response *r, const struct runbook_step *step, json_t *result)
{
    const struct respond_action *action =
        step->action.name ? respond_action_find(step->action.name) : NULL;
    struct error e = ERROR_INIT;
    const char *unused = NULL;
    if (!action || !action->plan || action->plan(r, &step->action, result, &unused, &e))
        return;
    json_t *unread = json_array();
    json_array_append_new(unread, json_from_text(e.message));
    json_object_set_new(result, "unread", unread);
}

const char *plan_target(struct response *r)
{
    CLEANUP_STR struct str out = {0};
    if (respond_is_live(r))
        return "";
    str_printf(&out, "--%s ", r->incident.target_kind);
    str_add_shell_word(&out, r->incident.target);
    return arena_strdup(r->arena, str_text(&out));
}

/* --- as a text --- */

static void add_lines(struct str *out, const char *sign, const char *text)
{
    str_printf(out, "%s%s\n", sign, text);
}

static void add_finding(struct str *out, struct response *r, const json_t *finding)
{
    const char *id = json_get_string(finding, "id"), *rule = json_get_string(finding, "rule"),
               *severity = json_get_string(finding, "severity"),
               *subject = json_get_string(finding, "subject"),
               *because = id ? incident_signed(&r->incident, id) : NULL;
    str_printf(out, "   [ ] %.8s  %s  %s  %s", id ? id : "",
               severity ? language_text(severity) : "", rule ? rule : "", subject ? subject : "");
    if (because)
        str_printf(out, _(" (signed for: %s)"), because);
    str_add_char(out, '\n');
}

/* What a step that was done from outside found, or was seen of one that is left. */
static void add_result(struct str *out, struct response *r, const json_t *result)
{
    static const char *const lists[] = {"to_change", "sites", "unread"};
    const char *const labels[] = {_("To be changed:"), _("Sites:"),
                                  _("Could not be looked at from outside; look there:")};
    const json_t *o;
    size_t i;
    const json_t *findings = json_object_get(result, "findings");
    if (json_array_size(findings))
        add_lines(out, "   ", _("Found, and to be settled on the host:"));
    json_array_foreach(findings, i, o)
    {
        add_finding(out, r, o);
    }
    for (size_t k = 0; k < ARRAY_COUNT(lists); k++) {
        const json_t *list = json_object_get(result, lists[k]);
        if (json_array_size(list))
            add_lines(out, "   ", labels[k]);
        json_array_foreach(list, i, o)
        {
            if (json_string_value(o))
                add_lines(out, "   [ ] ", json_string_value(o));
        }
    }
}

static bool holds_text(const json_t *list, const char *text)
{
    const json_t *o;
    size_t i;
    json_array_foreach(list, i, o)
    {
        const char *id = json_get_string(o, "id");
        if (str_equal(id ? id : json_string_value(o) ? json_string_value(o) : "", text))
            return true;
    }
    return false;
}

/* What every run of the step found: one that was signed for is not listed by the next run, and is
 * to be settled on the host all the same. */
static json_t *found_by(struct response *r, const struct runbook_step *step)
{
    static const char *const lists[] = {"findings", "unread"};
    json_t *all = json_object();
    const json_t *entry, *o;
    size_t i, k;
    json_array_foreach(r->incident.array, i, entry)
    {
        const char *id = json_get_string(entry, "step");
        if (!str_equal(json_get_string(entry, "incident"), r->incident.id) || !id ||
            !str_equal(id, step->id))
            continue;
        for (size_t l = 0; l < ARRAY_COUNT(lists); l++) {
            json_t *to = json_object_get(all, lists[l]);
            if (!to) {
                to = json_array();
                json_object_set_new(all, lists[l], to);
            }
            json_array_foreach(json_object_get(json_get_object(entry, "result"), lists[l]), k, o)
            {
                const char *text = json_get_string(o, "id");
                text = text ? text : json_string_value(o);
                if (text && !holds_text(to, text))
                    json_array_append(to, (json_t *)o);
            }
        }
    }
    return all;
}

static void add_step(struct str *out, struct response *r, size_t number)
{
    const struct runbook_step *step = &r->book->steps.items[number];
    const struct incident_step *is = respond_step_of(r, step);
    bool held = plan_holds(r, step);
    if (!held && !is->result)
        return; /* not looked at yet */
    str_printf(out, "\n%zu  %s%s\n", number, runbook_text(&step->title),
               is->state == STEP_SKIPPED ? _(" (skipped)") : "");
    if (is->state == STEP_SKIPPED && is->because)
        add_lines(out, "   ", is->because);
    if (!held)
        str_printf(out, _("   Looked at from outside, %s, by %s\n"),
                   timeline_screen(r->arena, is->at), is->who);
    if (held) {
        add_lines(out, "   ", runbook_text(&step->text));
        add_lines(out, "   ", runbook_text(&step->why));
        for (size_t i = 0; i < step->person.count; i++)
            add_lines(out, "   [ ] ", runbook_text(&step->person.items[i]));
    }
    CLEANUP_JSON json_t *found = held ? NULL : found_by(r, step);
    add_result(out, r, held ? is->result : found);
    if (held && step->action.name)
        str_printf(out, _("   On the host: yagura respond do %s\n"), step->id);
}

void plan_add_text(struct str *out, struct response *r)
{
    const char *now = timeline_screen(r->arena, date_now());
    str_printf(out, _("Plan for the host of %s\nIncident %s, %s, as of %s\n\n"), r->incident.target,
               r->incident.id, runbook_text(&r->book->title), now);
    add_lines(out, "",
              _("What follows was not done: it changes the host, and was looked at from outside "
                "only. Do it there, in this order. Where yagura runs (Linux), open an incident on "
                "the host and follow its steps: yagura respond start. On any other system do by "
                "hand what each step says."));
    const char *target = plan_target(r);
    str_printf(out,
               _("What closes the holes, and in which order: yagura patch plan %s\n"
                 "What a finding is, and what to do about it: yagura explain ID %s\n"
                 "Done at ____________ by ____________\n"),
               target, target);
    for (size_t i = 0; i < r->book->steps.count; i++)
        add_step(out, r, i);
}

bool plan_write(struct response *r, struct error *e)
{
    CLEANUP_CLOSE int folder = respond_evidence(r, e);
    CLEANUP_STR struct str text = {0};
    if (folder < 0)
        return false;
    plan_add_text(&text, r);
    return file_replace(folder, file_name, str_text(&text), text.length, 0600, e);
}

const char *plan_file(struct response *r)
{
    CLEANUP_CLOSE int folder = respond_evidence(r, NULL);
    return folder < 0 ? file_name : file_path_in(r->arena, folder, file_name);
}
