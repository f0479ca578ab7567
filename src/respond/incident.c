#include "respond/incident.h"

#include "base/str.h"
#include "model/date.h"
#include "record/ledger.h"

#include <stdio.h>
#include <stdlib.h>

static const struct {
    const char *what;
    enum step_state state;
} transitions[] = {{"begin", STEP_BEGUN},  {"failed", STEP_FAILED}, {"done", STEP_DONE},
                   {"skip", STEP_SKIPPED}, {"undo", STEP_UNDONE},   {"plan", STEP_PLANNED}};

const char *step_state_name(enum step_state state)
{
    static const char *const names[] = {"open",    "begun",  "failed", "done",
                                        "skipped", "undone", "planned"};
    return names[state];
}

static json_t *read_entries(struct state *s, struct arena *arena, struct error *e)
{
    struct ledger_entry *entries;
    size_t count;
    if (!ledger_read(s, NULL, arena, &entries, &count, e))
        return NULL;
    json_t *all = json_array();
    for (size_t i = 0; i < count; i++) {
        if (!strstr(entries[i].body, "\"respond\""))
            continue;
        json_t *o =
            json_parse(entries[i].body, strlen(entries[i].body), "ledger", 4 << 20, 4 << 20, NULL);
        if (o && str_equal(json_get_string(o, "kind"), "respond") && json_get_string(o, "incident"))
            json_array_append(all, o);
        json_decref(o);
    }
    return all;
}

static const char *text_of(const json_t *o, const char *key)
{
    const char *text = json_get_string(o, key);
    return text ? text : "";
}

static int64_t time_of(const json_t *o, const char *key)
{
    int64_t seconds;
    return date_parse(text_of(o, key), &seconds) ? seconds : 0;
}

/* The last one that is open, else the last one. */
static const char *choose(const json_t *all)
{
    const char *last = NULL, *last_open = NULL;
    const json_t *o;
    size_t i;
    json_array_foreach(all, i, o)
    {
        const char *id = json_get_string(o, "incident"), *what = text_of(o, "what");
        if (str_equal(what, "start"))
            last = last_open = id;
        if (str_equal(what, "close") && str_equal(id, last_open))
            last_open = NULL;
    }
    return last_open ? last_open : last;
}

static void read_start(struct incident *out, const json_t *o)
{
    out->id = json_get_string(o, "incident");
    out->opened = time_of(o, "time");
    out->who = text_of(o, "who");
    out->because = text_of(o, "because");
    out->runbook = text_of(o, "runbook");
    out->runbook_sha256 = text_of(o, "runbook_sha256");
    out->target_kind = text_of(o, "target_kind");
    out->target = text_of(o, "target_argument");
}

/* What the operator said last goes before what this host shows, of which the earliest counts: when
 * the step is done again, what was put back meanwhile shows nothing any more. */
static void read_first_sign(struct incident *out, const json_t *o)
{
    const json_t *shown = json_get_object(json_get_object(o, "result"), "first_sign");
    int64_t said = time_of(o, "first_sign"), at = shown ? time_of(shown, "time") : 0;
    if (said) {
        out->first_sign = said;
        out->first_sign_from = FIRST_SIGN_SAID;
        out->first_sign_subject = text_of(o, "who");
    } else if (at && out->first_sign_from != FIRST_SIGN_SAID &&
               (!out->first_sign || at < out->first_sign)) {
        out->first_sign = at;
        out->first_sign_from =
            str_equal(text_of(shown, "from"), "guard") ? FIRST_SIGN_GUARD : FIRST_SIGN_FILES;
        out->first_sign_subject = text_of(shown, "subject");
    }
}

bool incident_read(struct incident *out, struct state *s, const char *id, struct arena *arena,
                   struct error *e)
{
    *out = (struct incident){.first_sign_subject = ""};
    json_t *all = read_entries(s, arena, e);
    if (!all)
        return false;
    out->array = all;
    const char *wanted = id ? id : choose(all);
    const json_t *o;
    size_t i;
    json_array_foreach(all, i, o)
    {
        const char *what = text_of(o, "what");
        if (!out->id && str_equal(what, "close"))
            out->before = time_of(o, "time");
        if (!wanted || !str_equal(json_get_string(o, "incident"), wanted))
            continue;
        out->last_who = text_of(o, "who");
        if (str_equal(what, "start"))
            read_start(out, o);
        if (str_equal(what, "close"))
            out->closed = time_of(o, "time");
        read_first_sign(out, o);
    }
    if (!out->id) {
        incident_close(out);
        if (id)
            error_set(e, ERR_ABSENT, "there is no incident \"%.64s\"", id);
        else
            error_set(e, ERR_ABSENT, "no incident was opened: yagura respond start");
        return false;
    }
    return true;
}

bool incident_verify(struct incident *i, struct state *s, struct arena *arena, struct error *e)
{
    struct ledger_report report;
    if (!ledger_verify(s, NULL, arena, &report, e))
        return false;
    i->verified = true;
    i->problems = report.problems;
    i->problem = report.problem[0];
    return true;
}

bool incident_open(struct incident *out, struct state *s, const char *id, struct arena *arena,
                   struct error *e)
{
    if (!incident_read(out, s, id, arena, e))
        return false;
    if (incident_verify(out, s, arena, e))
        return true;
    incident_close(out);
    return false;
}

void incident_read_steps(struct incident *out, const struct runbook *book, struct arena *arena)
{
    const json_t *o;
    size_t i;
    json_array_foreach(out->array, i, o)
    {
        const char *id = json_get_string(o, "step");
        const struct runbook_step *step = id && str_equal(json_get_string(o, "incident"), out->id)
                                              ? runbook_find(book, id)
                                              : NULL;
        for (size_t k = 0; step && k < ARRAY_COUNT(transitions); k++) {
            if (!str_equal(text_of(o, "what"), transitions[k].what))
                continue;
            struct incident_step *to = &out->steps[step - book->steps.items];
            to->state = transitions[k].state;
            to->at = time_of(o, "time");
            to->who = text_of(o, "who");
            to->because = text_of(o, "because");
            const json_t *result = json_get_object(o, "result");
            to->result = result ? result : to->result;
        }
    }
}

enum { SHORT_ID = 8, WHOLE_ID = 16 };

/* `id` itself or, of a finding's 16 hexadecimal digits, at least the first eight. */
static bool is_called(const char *id, const char *said)
{
    size_t length = strlen(said);
    return str_equal(id, said) ||
           (length >= SHORT_ID && strlen(id) == WHOLE_ID &&
            strspn(id, "0123456789abcdef") == WHOLE_ID && strncmp(id, said, length) == 0);
}

bool incident_knows(const struct incident *i, const char *what)
{
    static const char *const lists[] = {"unread", "to_change"};
    for (size_t k = 0; k < RUNBOOK_STEPS; k++) {
        const json_t *o;
        size_t n;
        json_array_foreach(json_object_get(i->steps[k].result, "findings"), n, o)
        {
            if (is_called(text_of(o, "id"), what))
                return true;
        }
        for (size_t l = 0; l < ARRAY_COUNT(lists); l++)
            json_array_foreach(json_object_get(i->steps[k].result, lists[l]), n, o)
            {
                if (str_equal(json_string_value(o), what))
                    return true;
            }
    }
    const json_t *o;
    size_t k;
    json_array_foreach(i->array, k, o)
    {
        const char *found = json_get_string(json_get_object(o, "finding"), "id");
        if (found && str_equal(json_get_string(o, "incident"), i->id) && is_called(found, what))
            return true;
    }
    return false;
}

const char *incident_signed(const struct incident *i, const char *what)
{
    const json_t *o;
    size_t k;
    json_array_foreach(i->array, k, o)
    {
        if (str_equal(json_get_string(o, "incident"), i->id) &&
            str_equal(json_get_string(o, "what"), "sign") && is_called(what, text_of(o, "signed")))
            return text_of(o, "because");
    }
    return NULL;
}

void incident_close(struct incident *i)
{
    json_decref(i->array);
    i->array = NULL;
}

bool incident_new_id(struct state *s, int64_t now, struct arena *arena, const char **id,
                     struct error *e)
{
    CLEANUP_JSON json_t *all = read_entries(s, arena, e);
    if (!all)
        return false;
    char day[32];
    unsigned highest = 0;
    date_format(now, day);
    day[10] = '\0';
    const json_t *o;
    size_t i;
    json_array_foreach(all, i, o)
    {
        const char *other = json_get_string(o, "incident");
        if (strncmp(other, day, 10) == 0 && other[10] == '-') {
            unsigned number = (unsigned)strtoul(other + 11, NULL, 10);
            highest = number > highest ? number : highest;
        }
    }
    *id = arena_printf(arena, "%s-%u", day, highest + 1);
    return true;
}

json_t *incident_entry(const char *id, const char *what, const char *step, const char *who)
{
    json_t *o = json_object();
    json_put_string(o, "kind", "respond");
    json_put_string(o, "incident", id);
    json_put_string(o, "what", what);
    if (step)
        json_put_string(o, "step", step);
    json_put_string(o, "who", who);
    return o;
}
