/* audit.h - the pipeline that every command calls: open the target, take the wants, collect,
 * judge, merge with the state.
 *
 * What is asked for is in a request, what came out in an audit. Nothing here parses or prints.
 * Without a state folder that can be written everything works, only nothing is remembered:
 * `memory` then says why. */
#ifndef YAGURA_AUDIT_AUDIT_H
#define YAGURA_AUDIT_AUDIT_H

#include "collect/collect.h"
#include "feed/advisories.h"
#include "judge/plan.h"
#include "judge/rules.h"
#include "model/fact.h"
#include "model/finding.h"
#include "record/state.h"
#include "target/target.h"

/* What the configuration of the host that runs this has as patch.policy: judged of that host. */
enum audit_policy {
    AUDIT_POLICY_NOT_ASKED,
    AUDIT_POLICY_NONE,
    AUDIT_POLICY_SET,
    AUDIT_POLICY_UNREADABLE
};

/* What is asked of the target. */
enum audit_about {
    ABOUT_HOLES,       /* advisories, checklists, updates: `audit` */
    ABOUT_PERSISTENCE, /* what an intruder leaves to come back: the rules of the set `persistence`,
                          and none else. A few hundred milliseconds */
    ABOUT_INTRUSION,   /* the same, with every file of packages and every set-uid file: seconds */
    ABOUT_SITES,       /* what is served here: facts of kind `site`, no rules; milliseconds */
    ABOUT_SECRETS      /* what has to be changed afterwards: facts of kind `secret`, no rules */
};

struct audit_request {
    enum target_kind kind;
    const char *argument;  /* path of root, image or text; NULL for the live host */
    const char *name;      /* --name: the identity, instead of the one found */
    int64_t as_of;         /* DATE_NONE: now */
    const char *rules_dir; /* a further folder of rules, or NULL */
    struct state *state;   /* NULL: no memory */
    bool with_advisories, with_checklist, with_updates; /* what to judge */
    enum audit_policy patch_policy;
    const char *set;        /* one checklist set only, or NULL for all that fit */
    enum audit_about about; /* other than ABOUT_HOLES: with_... and set say nothing */
    /* Of a scan: further policies of a site (configuration); may be NULL. */
    const struct policies *(*own_policies)(void *context, const char *site);
    void *policies_context;
    const char *session; /* of a scan: one that was broken off goes on where it was, in the same
                            session; NULL: it does not */
    const struct collect_patience *patience; /* audit_scan() sets it */
};

/* The request for what `scan` and the runbook ask of a target: only what an intruder left. The
 * facts (of kinds persistence, account, session, privileged-file, packaged-file, leaving) say when
 * each thing was changed; `whole` reads every file of packages, too. What the state put aside
 * itself is no finding (put_aside.h). */
struct audit_request audit_persistence_request(enum target_kind kind, const char *argument,
                                               struct state *state, bool whole);

struct audit {
    enum audit_about about;
    struct target *target;
    struct facts *facts;
    struct advisories *advisories;
    struct rules *rules;
    struct rule_results *outcomes;
    struct findings *findings;         /* sorted */
    char identity[65];                 /* of the target: SHA-256 in hexadecimal */
    const char *host_name, *host_line; /* for people; from the facts */
    int64_t now, as_of;
    struct judge_input input;      /* for the plan */
    struct error feed_problem;     /* a damaged imported database: said, and the shipped one used */
    struct error rule_problems[8]; /* the first rules that do not load: said */
    size_t rule_problem_count;     /* of all of them; each is something that was not looked at */
    struct error memory;           /* the state failed: said */
    bool remembered;               /* there is a state, and it has the findings' ids */
    size_t open, unknown, fixed;   /* findings */
};

bool audit_run(struct audit **out, const struct audit_request *request, struct error *e);

/* Of a scan, which remembers nothing else: that an id of its findings leads back to the target. */
void audit_remember_ids(struct audit *a, const struct audit_request *r);

/* Only target and facts (the rest NULL): for `yagura facts`. */
bool audit_collect(struct audit **out, const struct audit_request *request, struct error *e);

/* The shipped advisories and, over them, those that were imported (state may be NULL). */
bool audit_open_advisories(struct advisories **out, struct state *state, struct error *damaged,
                           struct error *e);

/* Which of the shipped rules: all of them; those that an audit asks; of these, those that can fit
 * the very host that runs this; those that can be about persistence, likewise. */
enum audit_rules {
    RULES_ALL,
    RULES_AUDIT,
    RULES_AUDIT_HERE,
    RULES_PERSISTENCE,
    RULES_PERSISTENCE_HERE
};

/* The rules of the folder `only`, or else the shipped ones; and those of the folder `also`. Either
 * may be NULL; a folder that was named and is not there is an error. */
bool audit_load_rules(struct rules **out, const char *only, const char *also,
                      enum audit_rules which, struct sigma_problems *problems, struct error *e);

/* What exit code 1 counts: open, and at least that severe. */
size_t audit_found(const struct audit *a, enum severity least);
/* What exit code 3 counts: findings that cannot be judged, a damaged feed, broken rules. */
size_t audit_unknown(const struct audit *a);

void audit_free(struct audit *a);
void audit_cleanup(struct audit **a);

bool audit_target_kind_from_name(const char *name, enum target_kind *out);

#endif
