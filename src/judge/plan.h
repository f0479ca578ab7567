/* plan.h - what to do, in which order: from findings to steps.
 *
 * Pure. *Now*: somebody has been in, and the workarounds that shut exploited holes today.
 * *Then*: the service pack, the maximal patches (a superseded one never appears; the exploited
 * and the grave first, one restart behind them all), the updates of a distribution and the
 * restarts that make them count, the settings. Last what nobody has a remedy for. Every open
 * finding is closed by at least one step, and what a person does once is one step: a checklist
 * rule that asks for a patch, or for the setting that an advisory's workaround is, goes into
 * the step that is there already.
 *
 * A patch that the ledger, an earlier audit or an uninstall folder shows and that is gone now is
 * "lost". The plan never calls the host safe: `open_settings` and `open_ports` say what it does
 * not do. */
#ifndef YAGURA_JUDGE_PLAN_H
#define YAGURA_JUDGE_PLAN_H

#include "judge/advisory.h"

enum plan_part {
    PLAN_NOW,
    PLAN_SERVICE_PACK,
    PLAN_PATCH,
    PLAN_UPDATE,
    PLAN_SETTING,
    PLAN_NO_REMEDY
};

struct plan_step {
    unsigned order; /* 1, 2, 3 ... */
    enum plan_part part;
    const char *patch;          /* id or package; NULL for a setting or workaround */
    struct message what;        /* an imperative sentence; of PLAN_NO_REMEDY what is open */
    const char *title;          /* of a checklist rule that stands alone in its step; or NULL */
    VEC(const char *) closes;   /* rule ids, most severe first */
    VEC(const char *) subjects; /* of settings: the sites, services, lines concerned */
    VEC(const char *) needs;    /* keys that must be there first: `patch` of earlier steps */
    struct message check;       /* how to see that it worked */
    bool exploited;
    bool intrusion;            /* somebody has been in: before everything else */
    bool lost;                 /* was there before and is gone */
    bool about_host;           /* the only subject is the host itself */
    bool settles;              /* of PLAN_NOW: closes its findings for good, no patch is to come */
    const char *about_setting; /* of PLAN_NOW: a checklist rule that it satisfies, or NULL */
    int reboot;                /* 1 yes, 0 no, -1 not known */
    bool restart;              /* after this step the host is started anew, once for its part */
    enum severity severity;
    size_t sequence; /* the order in which they were thought of */
};

struct plan {
    VEC(struct plan_step *) steps; /* in order */
    VEC(const char *) gone;        /* patches seen before, gone now, that no advisory knows */
    size_t bulletins;              /* open advisories that the patches close together */
    size_t open_settings;          /* checklist findings that no patch closes */
    size_t open_ports;             /* listeners that should not be reachable */
    size_t unknown;                /* findings that could not be judged */
    bool check_again;              /* there is a service pack in it */
};

/* `findings` as judged; steps live in its arena. */
struct plan *plan_make(struct findings *findings, const struct judge_input *in);
/* Puts the steps that close these findings in front, in the order of the findings, each behind what
 * it needs; the others keep their order. Returns how many are in front. */
size_t plan_put_first(struct plan *p, const struct finding *const *findings, size_t count);
void plan_free(struct plan *p);

#endif
