/* patch_policy.h - whether a patch plan may be applied now: what the organisation's policy says.
 *
 * Pure: who asks fills in the situation. A policy that is not set (`set` false) asks for nothing
 * but that a receipt is not too old; what it would ask for is said as a note, and each refusal
 * may be overridden with a reason, which the ledger keeps. */
#ifndef YAGURA_JUDGE_PATCH_POLICY_H
#define YAGURA_JUDGE_PATCH_POLICY_H

#include "base/mem.h"
#include "model/finding.h"

enum { PATCH_RECEIPT_DAYS = 14, PATCH_BACKUP_HOURS = 24, PATCH_MINUTES_A_DAY = 24 * 60 };

/* From `from` until before `to`, in minutes of the day; a window over midnight belongs to the day
 * on which it opens. */
struct patch_window {
    bool set;
    unsigned days; /* 1 << weekday, Sunday is 0 */
    unsigned from, to;
    const char *zone; /* as in /usr/share/zoneinfo */
};

struct patch_policy {
    bool set;
    bool staging;        /* nothing without a receipt */
    bool other_approver; /* who answers for the receipt is not who applies */
    uint64_t receipt_days;
    const char *const *receipt_keys; /* "RW...": whose receipts are believed; none: any, and said */
    size_t receipt_key_count;
    struct patch_window window;
    const char *backup_path, *backup_command; /* NULL: not asked for */
    uint64_t backup_hours;
};

enum patch_backup { PATCH_BACKUP_GOOD, PATCH_BACKUP_OLD, PATCH_BACKUP_MISSING };

struct patch_situation {
    int64_t now;
    unsigned weekday, minute; /* in the window's zone */
    bool receipt;             /* there is one, and it is of this plan */
    bool own_key;             /* it is signed by this host's own ledger */
    const char *key;          /* the key that signed it */
    int64_t receipt_made;
    const char *approver, *applier;
    enum patch_backup backup; /* where the policy asks for one */
};

/* `refusals` stop, `notes` are said. Keys of the policy that refuse, for the ledger: "staging",
 * "receipt_days", "receipt_keys", "other_approver", "window", "backup". */
struct patch_refusal {
    const char *key;
    struct message text;
};
struct patch_opinion {
    VEC(struct patch_refusal) refusals;
    VEC(struct message) notes;
};
void patch_policy_judge(struct patch_opinion *out, struct arena *arena,
                        const struct patch_policy *p, const struct patch_situation *s);
void patch_opinion_free(struct patch_opinion *o);

bool patch_window_is_open(const struct patch_window *w, unsigned weekday, unsigned minute);

#endif
