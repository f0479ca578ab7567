/* live.h - what guard.c and publication.c share: the guard from inside. */
#ifndef YAGURA_GUARD_LIVE_H
#define YAGURA_GUARD_LIVE_H

#include "base/mem.h"
#include "guard/dpkg_run.h"
#include "guard/guard.h"
#include "guard/places.h"
#include "guard/root.h"
#include "guard/spares.h"
#include "guard/sweeper.h"
#include "guard/watch.h"

/* A path that could not be put back: a full disk, one that cannot be written, a damaged one. */
struct retry {
    char *path;
    int64_t since_ns, next_ns, delay_ns;
};

struct live_site {
    struct site *site;
    struct mender mender;
    struct stat_index *index;
    struct spares *spares; /* NULL: none */
    struct root *root;
    struct guard *guard;
    size_t number;
    bool held, root_gone, aside_gone;
    int proof;           /* ASIDE/proof: where the self-test writes */
    VEC(char *) waiting; /* paths that changed while it was held */
    VEC(char *) beneath; /* folders of which the names are to be looked at */
    VEC(struct retry) retries;
    bool too_many_retries; /* the whole site is tried as well */
};

struct guard {
    struct guard_options options;
    struct guard_counts counts;
    struct site *sites;
    struct live_site *live;
    size_t count;
    struct watch *watch;
    struct places *places;
    struct sweeper *sweeper;
    struct dpkg_run *dpkg; /* NULL: none */
    int mounts;            /* /proc/self/mountinfo: POLLPRI when it changes */
    pid_t own;
    /* of the event at hand */
    int64_t event_ns, event_wall_ns;
    const struct who *who;
    bool stays; /* it neither made the name nor moved it there */
    bool lost;
    bool publishing; /* what dpkg changed */
    int64_t selftest_sent_ns, next_selftest_ns, next_tick_ns;
};
/* guard.c */
void live_tell_said(struct guard *g, const struct live_site *live, enum guard_said said,
                    const struct error *error);
void live_look_at(struct guard *g, struct live_site *live, const char *path);
void live_sweep(struct guard *g, struct live_site *live, const char *path, bool quick);
/* A site of which the generation was opened: everything that knows entry numbers. */
bool live_open(struct guard *g, size_t number, struct error *e);
void live_start_spares(struct guard *g, struct live_site *live);
bool live_start_sweeper(struct guard *g, struct error *e);
void live_free_retries(struct live_site *live);

/* beneath.c: what lies in a folder that policy allows came before we knew the folder. It is looked
 * at a little in every step. */
void beneath_later(struct live_site *live, const char *path);
bool beneath_has_more(const struct guard *g);
void beneath_step(struct guard *g);
void beneath_free(struct live_site *live);

/* publication.c */
/* What changes while a publication is at work; "" stands for everything. */
void publication_wait(struct live_site *live, const char *path);
/* Looks at all that waited for a publication that has ended. */
void publication_settle(struct guard *g);
void publication_free(struct live_site *live);
/* What dpkg changes waits until its record can be asked. */
void publication_wait_for_dpkg(struct guard *g, struct live_site *live, const char *path,
                               bool is_dir);
void publication_follow_dpkg(struct guard *g);
/* Of the mender (waits() of mend.h). */
bool publication_waits(void *context, const char *name, const char *path);

#endif
