/* guard.h - the live loop: what changed, is it wrong, put it back.
 *
 * One thread reads the kernel's events and mends at once (content/mend.h); nothing else is on
 * that path. What it did is told to `event`, on the same thread, after the page is back: the
 * callee hands it on and returns.
 *
 * Changes made while nobody looked (before the start, and when events were lost) are found by a
 * sweep: a full comparison with the accepted generation, never with what is there. A second
 * thread sweeps all content at a slow pace as well, for changes of which the kernel tells
 * nothing (through a mapping that was open before), and hands what it finds to the first.
 *
 * Every few seconds the guard writes to a file of its own in each folder aside, which lies
 * under the same mark: if that is not told within guard_blind_ns, the guard is blind and says
 * so (GUARD_BLIND), and sweeps instead until it sees again. */
#ifndef YAGURA_GUARD_GUARD_H
#define YAGURA_GUARD_GUARD_H

#include "content/mend.h"
#include "content/site.h"
#include "guard/alive.h"
#include "guard/who.h"

#include <stdatomic.h>

enum guard_said {
    GUARD_MENDED,    /* mend: what was wrong and what was done */
    GUARD_SWEPT,     /* a sweep ended */
    GUARD_LOST,      /* events were lost: a sweep follows */
    GUARD_BLIND,     /* the self-test did not come back */
    GUARD_SEES,      /* and now it does again */
    GUARD_ROOT_GONE, /* the document root was moved, deleted or covered by a mount */
    GUARD_ROOT_BACK,
    GUARD_TROUBLE, /* error: something could not be done */
    GUARD_DETECTED /* mend: what is wrong, and stays so: detect_only */
};

struct guard_event {
    enum guard_said said;
    const char *site; /* "" if it is of none */
    const struct mend_event *mend;
    const struct who *who; /* NULL: not known (found by a sweep) */
    const struct error *error;
    int64_t at_ns;   /* seconds of 1970 in ns: when the event was read */
    int64_t took_ns; /* from reading the event to the page being back */
    uint64_t files;  /* of a sweep */
};

/* What `yagura status` shows; written by the loop, read by anybody. */
struct guard_counts {
    atomic_uint_least64_t events, mended, left, failed, lost, sweeps;
    atomic_uint_least64_t pending; /* names that are still wrong, and tried again */
    atomic_int_least64_t started_s, last_event_s, last_proved_s; /* 0: never */
    atomic_bool blind, detect_only;
};

struct guard_options {
    struct state *state;
    struct objects *objects;
    struct alive *alive; /* beats and progress go there; may be NULL */
    bool unprivileged;   /* inotify instead of fanotify: see watch.h for what it loses */
    bool detect_only;
    bool bounded_queue;        /* see watch.h */
    const char *dpkg_admindir; /* see dpkg_run.h; NULL: packages are nothing special */
    uint64_t ready_bytes;      /* of a site: what copies may take (spares.h); 0: none */
    unsigned sweep_seconds;    /* a paced sweep of all content takes this long; 0: none */
    unsigned selftest_seconds; /* 0: none */
    void (*event)(void *context, const struct guard_event *event);
    /* dpkg has changed these names of the site (each ended by NUL), and has ended: begins to
     * publish those that its record bears out, and returns. dpkg_busy(): that goes on. */
    void (*dpkg_ended)(void *context, const char *site, const char *names, size_t size);
    bool (*dpkg_busy)(void *context);
    /* Further policies of a site that is opened anew after a publication; may be NULL. */
    const struct policies *(*own_policies)(void *context, const char *site);
    void *context;
};

struct guard;

/* Takes the sites over (opened with aside and generation); they are closed by guard_stop().
 * Marks first, then sweeps: nothing that changes between the two is missed. */
bool guard_start(struct guard **out, const struct guard_options *options, struct site *sites,
                 size_t count, struct error *e);

/* Waits at most this long for what changes, and mends it; also when `other_fd` (or -1) is
 * readable it returns. False if the kernel can no longer be asked: start anew. */
bool guard_step(struct guard *g, int timeout_ms, int other_fd, struct error *e);
void guard_stop(struct guard *g);

const struct guard_counts *guard_counts(const struct guard *g);
/* Of a site: copies that are ready, and how many there are to be (spares.h). */
void guard_count_ready(const struct guard *g, size_t site, uint64_t *ready, uint64_t *wanted);

/* For a publication: `hold` makes what changes in the site wait; `release` takes the generation
 * that is accepted now, and looks at all that waited. */
bool guard_hold(struct guard *g, const char *site, struct error *e);
bool guard_release(struct guard *g, const char *site, struct error *e);

#endif
