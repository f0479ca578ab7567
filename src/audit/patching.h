/* patching.h - a patch plan: made, tried, applied, gone back from.
 *
 *   patching_plan()   the plan of an audit with exact versions, as apt would bring them now
 *   patching_check()  may and can this plan be applied here? Changes nothing
 *   patching_run()    does it: notes versions, installs, restarts, asks the pages, audits again
 *   patching_undo()   back to the versions before the last run
 *
 * `patch stage` and `patch apply` are the same run; staging writes a receipt behind it, and no
 * policy holds there. What stops is an obstacle (this plan does not fit this host) or a refusal
 * (the policy says no, which may be overridden with a reason). Nothing here parses or prints.
 *
 * A run that is killed is taken up by the next one with the same plan: dpkg goes on by itself
 * meanwhile (act/packages.h), what has its version already is left, and what is unconfigured is
 * configured. The ledger has an entry "patch-begun" before anything is changed, and
 * "patch-applied" or "patch-staged" behind it. */
#ifndef YAGURA_AUDIT_PATCHING_H
#define YAGURA_AUDIT_PATCHING_H

#include "act/packages.h"
#include "act/services.h"
#include "audit/audit.h"
#include "judge/patch_policy.h"
#include "record/patch_receipt.h"

enum patching_step {
    PATCHING_AUDITS,
    PATCHING_FETCHES,
    PATCHING_INSTALLS,
    PATCHING_RESTARTS,
    PATCHING_ASKS,
    PATCHING_AUDITS_AGAIN
};

struct patching_request {
    const struct audit_request *audit;   /* of the live host, with a state */
    const struct patch_plan *plan;       /* as read from its file */
    const struct patch_receipt *receipt; /* NULL: none, or this is staging */
    const struct patch_policy *policy;   /* NULL: none holds */
    const char *const *urls;             /* pages to ask; none: those of the sites that are found */
    size_t url_count;
    const char *who, *recorded_by, *because;
    bool staging, override;
    /* Said as it goes; may be NULL. */
    void (*say)(void *context, enum patching_step step);
    void *context;
};

struct patching_package {
    const struct package_change *wanted;
    const char *before, *after; /* "" = not there; `after` only once it ran */
    bool finished;              /* configured, too */
};

struct patching_page {
    const char *url;
    int before, after;                  /* status; 0: no answer */
    const char *why_before, *why_after; /* of no answer */
};

struct patching_service {
    const char *unit;
    enum service_outcome outcome;
    const char *why; /* of a failure, else "" */
};

struct patching {
    struct arena *arena;
    /* of patching_check() */
    VEC(struct message) obstacles;
    struct patch_opinion opinion;
    VEC(struct message) notes;
    VEC(struct patching_package) packages;
    size_t there;                   /* have their version already */
    bool cut_off, not_fetched;      /* this host is isolated (its note comes first); the packages
                                       could not be fetched, and none was changed */
    size_t unfinished;              /* packages that dpkg has left unconfigured */
    bool begun;                     /* an earlier run of this plan was interrupted */
    const char *way_back, *missing; /* a command; what cannot be had again */
    /* of patching_run() */
    VEC(struct patching_page) pages;
    VEC(struct patching_service) services;
    struct audit *before, *after;
    struct error problem; /* of fetching or installing */
    const char *log;      /* what apt and dpkg said */
    json_t *record;       /* the ledger's entry of the result */
};

/* In the plan's arena. `all`: other updates than those for security, too. Only of the live host is
 * apt asked what comes along; of another target the plan has what the facts say. */
struct patch_plan *patching_plan(const struct audit *a, const struct plan *steps, const char *who,
                                 bool all, struct error *e);

/* False: it could not be looked at. Otherwise obstacles and refusals say. */
bool patching_check(struct patching *p, const struct patching_request *r, struct error *e);
/* For --dry-run: which pages would be asked (`pages`, without answers) and what would be restarted
 * (`services`, as services_would() says): what waits for it already, and what listens and maps
 * files of these packages. */
bool patching_foresee(struct patching *p, const struct patching_request *r, struct error *e);
bool patching_may_run(const struct patching *p, const struct patching_request *r);
/* False: it never began, or the ledger could not be written. What failed on the way is in
 * `problem`, packages, services and pages. */
bool patching_run(struct patching *p, const struct patching_request *r, struct error *e);

/* How many packages, services and pages are worse than they should be. */
size_t patching_failures(const struct patching *p);
/* What could not be looked at or done: pages without an answer before, services by hand. */
size_t patching_unknown(const struct patching *p);
/* The signed receipt of a staging without failures. */
bool patching_write_receipt(const struct patching *p, const struct patching_request *r,
                            const char *path, struct error *e);

/* The last run that the ledger has of this host and that is not undone, and back from it:
 * ERR_ABSENT where there is none. A run that changed nothing is none. `changes` are in the arena:
 * `from` before that run, `to` after it. */
bool patching_last(struct package_changes *out, struct arena *arena, const char **plan,
                   struct state *state, const char *identity, struct error *e);
bool patching_undo(const struct package_changes *changes, const char *plan,
                   const struct patching_request *r, const struct audit *host, const char **log,
                   struct arena *arena, struct error *e);

void patching_free(struct patching *p);

/* Whether the folder or file was changed within so many hours; a command says so by its exit
 * code. */
enum patch_backup patching_backup(const struct patch_policy *policy, int64_t now);
/* Weekday (Sunday is 0) and minute of the day in a time zone; false: there is no such zone. */
bool patching_local_time(int64_t when, const char *zone, unsigned *weekday, unsigned *minute);

#endif
