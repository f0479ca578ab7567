#include "judge/updates.h"

#include "base/str.h"
#include "model/date.h"

struct finding *updates_finding(const struct updates_input *in, const char *rule, const char *title,
                                const char *subject_kind, const char *subject)
{
    char id[17];
    finding_make_id(id, in->identity, rule, subject);
    struct finding *f = findings_add(in->out);
    f->id = arena_strdup(in->out->arena, id);
    f->rule_id = rule;
    f->rule_title = title;
    f->subject_kind = subject_kind;
    f->subject_name = arena_strdup(in->out->arena, subject);
    f->verdict = VERDICT_AFFECTED;
    return f;
}

void updates_evidence(const struct updates_input *in, struct finding *f, const struct fact *fact,
                      const char *text)
{
    enum { MOST_EVIDENCE = 40 };
    struct arena *arena = in->out->arena;
    struct evidence e = {arena_strdup(arena, fact->path), fact->line, fact->offset,
                         arena_strdup(arena, text)};
    if (f->evidence.count < MOST_EVIDENCE)
        VEC_PUSH(&f->evidence, e);
}

void updates_argument(const struct updates_input *in, struct message *m, const char *name,
                      const char *value)
{
    message_put(m, name, arena_strdup(in->out->arena, value));
}

struct message updates_message(const struct updates_input *in, const char *id, const char *name,
                               const char *value)
{
    struct message m = message_of(id);
    updates_argument(in, &m, name, value);
    return m;
}

/* Lists and processes are those of the day they were read: they tell nothing of another. */
static void say_other_day(const struct updates_input *in, const char *day)
{
    const struct fact *host = facts_first(in->facts, "host");
    if (!host || !str_equal(fact_text(host, "family"), "debian"))
        return;
    struct finding *f = updates_finding(
        in, "updates-unknown", N_("It is not known which updates are pending"), "host", "updates");
    f->rule_kind = RULE_UPDATE;
    f->verdict = VERDICT_UNKNOWN;
    f->severity = SEVERITY_HIGH;
    f->summary = updates_message(in, N_("Cannot judge which updates were pending on {day}"), "day",
                                 arena_strdup(in->out->arena, day));
    f->why = message_of(N_("apt's lists and the running processes tell of the day on which they "
                           "were read, not of another."));
    f->remedy = message_of(N_("Look at the updates without --as-of."));
    updates_evidence(in, f, host, "host family=debian");
}

void judge_updates(struct findings *out, const struct facts *facts, const char *target_identity,
                   int64_t now, int64_t as_of)
{
    struct updates_input in = {out, facts, target_identity, as_of};
    char today[16], day[16];
    date_format_day(now, today);
    date_format_day(as_of, day);
    if (str_equal(today, day)) {
        updates_judge_packages(&in);
        updates_judge_sources(&in);
        updates_judge_restarts(&in);
    } else {
        say_other_day(&in, day);
    }
    updates_judge_support(&in);
}
