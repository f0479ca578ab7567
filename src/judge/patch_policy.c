#include "judge/patch_policy.h"

#include "base/str.h"
#include "model/date.h"

#include <stdlib.h>

enum { DAYS_A_WEEK = 7, DAY_SECONDS = 24 * 3600 };

void patch_opinion_free(struct patch_opinion *o)
{
    VEC_FREE(&o->refusals);
    VEC_FREE(&o->notes);
}

bool patch_window_is_open(const struct patch_window *w, unsigned weekday, unsigned minute)
{
    unsigned yesterday = (weekday + DAYS_A_WEEK - 1) % DAYS_A_WEEK;
    bool today_counts = w->days & 1U << weekday, yesterday_counts = w->days & 1U << yesterday;
    if (w->from < w->to)
        return today_counts && minute >= w->from && minute < w->to;
    return (today_counts && minute >= w->from) || (yesterday_counts && minute < w->to);
}

static void refuse(struct patch_opinion *o, const char *key, struct message text)
{
    struct patch_refusal r = {key, text};
    VEC_PUSH(&o->refusals, r);
}

static struct message with(struct arena *arena, const char *id, const char *name, const char *value)
{
    struct message m = message_of(id);
    message_put(&m, name, arena_strdup(arena, value));
    return m;
}

static const char *number(struct arena *arena, int64_t n)
{
    return arena_printf(arena, "%lld", (long long)n);
}

static bool knows(const struct patch_policy *p, const char *key)
{
    for (size_t i = 0; i < p->receipt_key_count; i++)
        if (str_equal(p->receipt_keys[i], key))
            return true;
    return false;
}

static void judge_receipt(struct patch_opinion *o, struct arena *arena,
                          const struct patch_policy *p, const struct patch_situation *s)
{
    char when[32];
    date_format(s->receipt_made, when);
    if (s->now - s->receipt_made > (int64_t)p->receipt_days * DAY_SECONDS) {
        struct message m =
            with(arena,
                 N_("the receipt is of {when}: older than {days} days, and what was tried then may "
                    "be something else now; stage the plan again"),
                 "when", when);
        message_put(&m, "days", number(arena, (int64_t)p->receipt_days));
        refuse(o, "receipt_days", m);
    } else if (s->receipt_made - s->now > DAY_SECONDS) {
        refuse(o, "receipt_days",
               with(arena, N_("the receipt is of {when}, which has not come yet"), "when", when));
    }
    if (s->own_key || knows(p, s->key))
        return;
    struct message unknown = with(arena,
                                  N_("the receipt is signed by a key that is not known here "
                                     "(patch.policy.receipt_keys in yagura.yaml): {key}"),
                                  "key", s->key);
    if (p->receipt_key_count)
        refuse(o, "receipt_keys", unknown);
    else
        VEC_PUSH(&o->notes, unknown);
}

void patch_policy_judge(struct patch_opinion *o, struct arena *arena, const struct patch_policy *p,
                        const struct patch_situation *s)
{
    if (s->receipt)
        judge_receipt(o, arena, p, s);
    else if (p->staging)
        refuse(o, "staging",
               message_of(N_("the policy asks that a plan is tried on a test host first, and there "
                             "is no receipt of that: yagura patch stage")));
    else
        VEC_PUSH(&o->notes,
                 message_of(N_("no receipt shows that this plan was tried on a test host first")));
    if (p->other_approver && (!s->receipt || str_equal_nocase(s->approver, s->applier)))
        refuse(o, "other_approver",
               with(arena,
                    N_("the policy asks that somebody else than {who} answers for the staging"),
                    "who", s->applier));
    if (p->window.set && !patch_window_is_open(&p->window, s->weekday, s->minute))
        refuse(o, "window",
               with(arena,
                    N_("the policy's window is not open now (it is {time} in its time zone)"),
                    "time",
                    arena_printf(arena, "%02u:%02u %s", s->minute / 60, s->minute % 60,
                                 p->window.zone)));
    if (!p->backup_path && !p->backup_command)
        return;
    const char *what = p->backup_path ? p->backup_path : p->backup_command;
    if (s->backup == PATCH_BACKUP_MISSING)
        refuse(o, "backup",
               with(arena, N_("the policy asks for a backup, and there is none: {what}"), "what",
                    what));
    else if (s->backup == PATCH_BACKUP_OLD) {
        struct message m =
            with(arena, N_("the backup {what} is older than {hours} hours"), "what", what);
        message_put(&m, "hours", number(arena, (int64_t)p->backup_hours));
        refuse(o, "backup", m);
    }
}
