/* plan.h - what to do, in which order: from findings to steps.
 *
 * Pure. Two parts: *now*, the workarounds that shut exploited holes today; *then*, the service
 * pack, the maximal patches (a superseded one never appears), grouped so that one restart
 * serves as many as possible, each after what it requires; last the settings. A patch that the
 * ledger, an earlier audit or an uninstall folder shows and that is gone now is "lost". The
 * plan never calls the host safe: `open_settings` and `open_ports` say what it does not do. */
#ifndef YAGURA_JUDGE_PLAN_H
#define YAGURA_JUDGE_PLAN_H

#include "judge/advisory.h"

enum plan_part { PLAN_NOW, PLAN_SERVICE_PACK, PLAN_PATCH, PLAN_UPDATE, PLAN_SETTING };

struct plan_step {
    unsigned order; /* 1, 2, 3 ... */
    enum plan_part part;
    const char *patch;          /* id or package; NULL for a setting or workaround */
    struct message what;        /* an imperative sentence */
    VEC(const char *) closes;   /* rule ids, most severe first */
    VEC(const char *) subjects; /* of settings: the sites, services, lines concerned */
    VEC(const char *) needs;    /* keys that must be there first */
    struct message check;       /* how to see that it worked */
    bool exploited;
    bool intrusion; /* somebody has been in: before everything else */
    bool lost;      /* was there before and is gone */
    int reboot;     /* 1 yes, 0 no, -1 not known */
    enum severity severity;
};

struct plan {
    VEC(struct plan_step *) steps; /* in order */
    size_t bulletins;              /* open advisories that the patches close together */
    size_t open_settings;          /* checklist findings that no patch closes */
    size_t open_ports;             /* listeners that should not be reachable */
    size_t unknown;                /* findings that could not be judged */
    bool check_again;              /* there is a service pack in it */
};

/* `findings` as judged; steps live in its arena. */
struct plan *plan_make(struct findings *findings, const struct judge_input *in);
void plan_free(struct plan *p);

#endif
