/* respond.h - leading through a runbook: what is next, doing it, proving it, undoing it.
 *
 * A step proves itself: after its action (or the person's word, where it has none) the checks in
 * `verify` are made, and only if all of them are true it is done. Every step's beginning and end
 * is an entry of the ledger (incident.h) before anything is said to be so. What an action found
 * lies in DIR/evidence/ID/ and, in short, in the entry. */
#ifndef YAGURA_RESPOND_RESPOND_H
#define YAGURA_RESPOND_RESPOND_H

#include "act/firewall.h"
#include "audit/audit.h"
#include "content/deploy.h"
#include "respond/incident.h"
#include "target/target.h"

struct respond_options {
    const char *who, *because; /* because NULL: not said */
    const char *first_sign;    /* --first-sign: a date, or NULL */
    const char *dpkg;          /* config: the package database, or NULL */
    const char *mode;          /* --mode: of isolation, over what the runbook says; or NULL */
    const char *allow;         /* --allow: addresses that stay connected; or NULL */
    unsigned trial_seconds;    /* of isolation; 0: ten minutes */
    bool dry_run;
    const char *from, *from_git; /* of restore: what the site is to become (act/tree_source.h) */
    const char *site, *profile;  /* of restore: which site, and of what kind a new one is */
    const char *rules;           /* of scan: a file or folder of YARA rules of one's own, or NULL */
    bool apply;                  /* of patch: apply the plan */
    const char *out;             /* of patch: write the plan there, too; or NULL */
    /* The plan, its first `count` steps being those of this incident. May be NULL. */
    void (*show_plan)(void *context, const struct audit *a, const struct plan *p, size_t count);
    /* Applies the plan in this file as `patch apply` does. NULL: that cannot be done. */
    bool (*apply_plan)(void *context, const char *path, struct error *e);
    /* What a site would become, to be looked at; then: is it to be done? NULL: yes. */
    void (*show_source)(void *context, const struct site *site, const struct deploy *d);
    bool (*agreed)(void *context);
    const char *const *pages; /* that the host asks itself for (health.h); none: of each site */
    size_t page_count;
    const char *const *health_command; /* ends with NULL; or NULL: none */
    unsigned watch_hours;              /* of the closer watch (watch.h); 0: none */
    const char *isolate_again;         /* the mode in which the watch isolates; NULL: it does not */
    const struct firewall_ports *known_ports; /* no surprise to the watch */
    size_t known_port_count;
    /* One line of JSON for whoever is to know at once. May be NULL. */
    void (*alarm)(void *context, const char *text, size_t size);
    /* Further policies of a site (configuration); may be NULL. */
    const struct policies *(*own_policies)(void *context, const char *site);
    /* A running guard waits while a site is put back; may be NULL. */
    bool (*hold)(void *context, const char *site, struct error *e);
    void (*release)(void *context, const char *site);
    /* A line for the person while something takes long. May be NULL. */
    void (*say)(void *context, const char *text);
    /* The same, where there is nothing to worry about. May be NULL. */
    void (*tell)(void *context, const char *text);
    /* How far a look of seconds is, until it is called with NULL. May be NULL. */
    void (*looking)(void *context, const struct walk_progress *at);
    /* A finding of the scan, as it is found. May be NULL. */
    void (*finding)(void *context, const struct finding *f);
    /* do scan --quarantine: moves what was found out of reach and ends what runs from it, after
     * asking. True: look again. May be NULL. */
    bool (*quarantine)(void *context, const struct audit *found);
    void *context;
};

/* What a check says: text is a sentence, todo a line to follow or to paste (NULL: none). */
enum verdict_of_check { CHECK_TRUE, CHECK_FALSE, CHECK_UNKNOWN };
struct check_result {
    enum verdict_of_check verdict;
    const char *text, *todo;
};
struct check_made {
    const struct runbook_call *call;
    struct check_result result;
};

struct response {
    struct state *state;
    struct objects *objects; /* opened when it is wanted: respond_objects() */
    struct runbook *book;
    struct incident incident;
    struct arena *arena;
    const struct respond_options *options;
    struct audit *scan;   /* of this run: the check after the action need not look again; or NULL */
    bool scan_is_partial; /* of a proof: not every file was looked into */
    bool proves_only;     /* what is done already is proved: nothing is let in on the word of it */
    const struct runbook_step *step; /* that is being done or undone */
    struct check_made refusal;       /* of an action that went no further, which is no failure of
                                        its own: why; call NULL: it went on */
    bool opened;                     /* the network, by this run */
};

/* Opens a new incident with this runbook, of this target ("live", "" is this host), which has to be
 * there. ERR_USAGE if one is open already. */
bool respond_start(struct response *r, const char *runbook, const char *target_kind,
                   const char *target, struct error *e);
/* The incident `id` (NULL: the open one, else the last), and its runbook as it was
 * (runbook_copy.h). It is not verified yet, nor is one that was started: that comes before anything
 * else, but for what cuts this host off (respond_cuts()), which is verified as soon as it did. */
bool respond_open(struct response *r, const char *id, struct error *e);
/* incident_verify(), once a run: what is entered meanwhile is our own. */
bool respond_verify(struct response *r, struct error *e);
/* Does it cut this host off? Then no ledger keeps it waiting, nor is one that takes nothing in its
 * way. */
bool respond_cuts(const struct runbook_call *call);
/* Also of one that could not be opened. */
void respond_close(struct response *r);

/* The first step that is neither done, skipped nor planned (plan.h); NULL: none is left. */
const struct runbook_step *respond_next(const struct response *r);
struct incident_step *respond_step_of(struct response *r, const struct runbook_step *step);

/* What doing a step came to. */
enum respond_outcome {
    RESPOND_DONE,
    RESPOND_UNDONE,
    RESPOND_WAITS,   /* begun, and waits for the person: see `text` */
    RESPOND_REFUSED, /* a check is not true: results say which */
    RESPOND_PREVIEW  /* options->dry_run: nothing was done */
};
struct respond_report {
    enum respond_outcome outcome;
    const char *text; /* of RESPOND_WAITS and RESPOND_PREVIEW; of RESPOND_REFUSED where what was
                         begun was undone again; or NULL */
    VEC(struct check_made) checks;
    json_t *result; /* of the action; or NULL */
};
void respond_report_free(struct respond_report *report); /* also where what filled it failed */

/* Does it. False: the action failed (and the ledger says so), or it is not its turn. */
bool respond_do(struct response *r, const struct runbook_step *step, struct respond_report *out,
                struct error *e);
/* What waits for a confirmation over a new way in, confirmed: *step. */
bool respond_confirm(struct response *r, const struct runbook_step **step,
                     struct respond_report *out, struct error *e);
/* The person takes something upon himself: a finding of the scan, a hole, or a password that was
 * changed elsewhere. `what` is its id, as a step named it; ERR_USAGE if none did. */
bool respond_sign(struct response *r, const char *what, struct error *e);
/* options->first_sign, said of an incident that is open already. What was put back as of another
 * one is open again. */
bool respond_first_sign(struct response *r, struct error *e);
bool respond_skip(struct response *r, const struct runbook_step *step, struct error *e);
/* RESPOND_UNDONE, RESPOND_WAITS (it is on trial: respond_confirm()), RESPOND_PREVIEW. */
bool respond_undo(struct response *r, const struct runbook_step *step, struct respond_report *out,
                  struct error *e);
/* Another operator, or the same one on another day, goes on with it: the ledger says who. What
 * others undid of it meanwhile is done again, where that can be. */
bool respond_resume(struct response *r, struct error *e);
/* Are the steps that are done still true? Those that are not are open again, and the ledger says
 * so. Of one that was begun and not ended it is looked at, too, how far it came. *lost: how
 * many are not true. */
bool respond_prove(struct response *r, struct respond_report *out, size_t *lost, struct error *e);
/* Nothing is left to do, and all of it is true: the incident is closed. */
bool respond_end(struct response *r, struct respond_report *out, struct error *e);
/* Closes it with options->because, where respond_open() found the incident and not its runbook:
 * nothing is proved. */
bool respond_give_up(struct response *r, struct error *e);

/* --- for actions and checks (response.c) --- */
struct objects *respond_objects(struct response *r, struct error *e);
/* With its published generation, and the policies of the configuration besides. */
bool respond_open_site(struct site *out, struct response *r, const char *name, bool aside,
                       struct error *e);
/* DIR/evidence/ID, open (0700); -1 with an error. */
int respond_evidence(struct response *r, struct error *e);
bool respond_is_live(const struct response *r);
void respond_say(const struct response *r, const char *text);  /* to be looked at */
void respond_tell(const struct response *r, const char *text); /* all is well */
/* An entry about the step that is being done, or NULL: about the incident. `stage`, `because` and
 * `result` may be NULL. The incident is not read again. */
bool respond_note(struct response *r, const char *what, const char *stage, const char *because,
                  json_t *result, struct error *e);
/* "unread:/srv/x", by which what is no finding is signed for: the kind, and the name as it can be
 * shown and typed. What could not be looked at ("unread") is not clean: it is signed for, too. */
const char *respond_id(struct response *r, const char *kind, const char *name);
/* In short, for a result: id, rule, severity, verdict, subject. */
json_t *respond_finding(const struct finding *f);
/* The id of the step that does this action, whatever its runbook calls it; NULL: none does. */
const char *respond_step_that(const struct response *r, const char *action);
/* "yagura respond do ID", with `more` behind it ("" or " --allow ..."), of that step; NULL. */
const char *respond_todo(struct response *r, const char *action, const char *more);
/* The audit request's target: this host, or the root or image of the incident. */
enum target_kind respond_target_kind(const struct response *r);

#endif
