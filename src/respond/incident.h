/* incident.h - how far a response is: nothing but what the ledger says.
 *
 * Every entry of kind "respond" names the incident, what happened ("start", "begin", "done",
 * "failed", "skip", "plan", "undo", "sign", "first-sign", "change", "resume", "close"; of a step in
 * stages each "stage"; of the watch (watch.h) "watch", "find" and "watch-over") and, of a step,
 * which. The state of an incident is these entries read in order, so that a reboot, a lost terminal
 * or another operator finds it as it is, and a changed ledger is a changed incident: it is verified
 * whenever one is opened. That takes the longer, the more a ledger has to tell (0.1 ms an entry):
 * where a host is to be cut off, it is first read and cut off, and then verified.
 *
 * A step that was begun and neither done nor failed was cut short (by a reboot, a kill). */
#ifndef YAGURA_RESPOND_INCIDENT_H
#define YAGURA_RESPOND_INCIDENT_H

#include "base/json.h"
#include "model/finding.h"
#include "record/state.h"
#include "respond/runbook.h"

enum step_state {
    STEP_OPEN,
    STEP_BEGUN,
    STEP_FAILED,
    STEP_DONE,
    STEP_SKIPPED,
    STEP_UNDONE,
    STEP_PLANNED /* left for the host itself: plan.h */
};
const char *step_state_name(enum step_state state); /* "open", "begun" ... */

struct incident_step {
    enum step_state state;
    int64_t at; /* of the last entry; seconds since 1970 */
    const char *who, *because;
    const json_t *result; /* what the action found, of the last entry that had one; or NULL */
};

/* Who says when it began: the operator, or (first_sign.h) what the guard or the files show. */
enum first_sign_from { FIRST_SIGN_NONE, FIRST_SIGN_SAID, FIRST_SIGN_GUARD, FIRST_SIGN_FILES };

struct incident {
    const char *id;         /* "2026-11-26-1" */
    int64_t opened, closed; /* closed 0: open */
    const char *who, *because, *runbook;
    const char *runbook_sha256;       /* hexadecimal, of the file when it began */
    const char *target_kind, *target; /* "live", "root", "image" and its path ("") */
    int64_t first_sign;               /* 0: not known */
    enum first_sign_from first_sign_from;
    const char *first_sign_subject; /* who said so, or of what it is the time; "" */
    int64_t before;                 /* when the incident before this one was closed; 0: none was */
    struct incident_step steps[RUNBOOK_STEPS];
    const char *last_who;
    json_t *array; /* keeps what `result` points to */
    /* of the ledger as a whole */
    bool verified;
    size_t problems;
    struct message problem; /* the first one */
};

/* The incident with this id; NULL: the last one that is open, else the last one. Its steps are
 * those of `book`. ERR_ABSENT if there is none. */
bool incident_open(struct incident *out, struct state *s, const char *id, struct arena *arena,
                   struct error *e);
/* The two halves of that. A ledger that was changed is no error, but counted in `problems`; one
 * that cannot be verified is (ledger_verify()). */
bool incident_read(struct incident *out, struct state *s, const char *id, struct arena *arena,
                   struct error *e);
bool incident_verify(struct incident *i, struct state *s, struct arena *arena, struct error *e);
/* Reads the steps of this runbook; a step that it does not have is left out. */
void incident_read_steps(struct incident *i, const struct runbook *book, struct arena *arena);
/* Has somebody signed for this, and why? NULL: no. A finding's id may have been given as it is
 * shown, by its first eight digits. */
const char *incident_signed(const struct incident *i, const char *what);
/* Is it the name of something that a step found and that can be signed for (`findings`,
 * `unread` and `to_change` of a result), or the watch? */
bool incident_knows(const struct incident *i, const char *what);
void incident_close(struct incident *i);

/* A new id for today: the date and the next number. */
bool incident_new_id(struct state *s, int64_t now, struct arena *arena, const char **id,
                     struct error *e);

/* An entry for the ledger; the caller adds to it. */
json_t *incident_entry(const char *id, const char *what, const char *step, const char *who);

#endif
