#include "judge/updates.h"

#include "base/str.h"

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

void judge_updates(struct findings *out, const struct facts *facts, const char *target_identity,
                   int64_t now)
{
    struct updates_input in = {out, facts, target_identity, now};
    updates_judge_packages(&in);
    updates_judge_sources(&in);
    updates_judge_restarts(&in);
    updates_judge_support(&in);
}
