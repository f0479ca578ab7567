/* report.h - what is told and kept of what the guard did, off the guard's own thread.
 *
 * The guard's event is copied into a queue and the guard goes on; a thread of its own
 *   - hashes the evidence (and only the first REPORT_HASHED bytes' worth of big ones: the size is
 *     kept, the hash left out),
 *   - keeps the evidence within its bound, at the end of each burst,
 *   - gathers what comes without a pause of two seconds into one burst (record/tampers.h),
 *   - writes a line a burst for the journal, and
 *   - hands the burst as JSON to what runs on_tamper (caller.h), if it is configured.
 * When the queue is full, events are counted in their burst and not kept one by one. */
#ifndef YAGURA_GUARD_REPORT_H
#define YAGURA_GUARD_REPORT_H

#include "guard/caller.h"
#include "guard/guard.h"
#include "record/tampers.h"

#define REPORT_HASHED (256ULL * 1024 * 1024)

struct report;

struct report_options {
    struct state *state; /* used by the report's thread alone */
    const struct site *sites;
    size_t count;
    uint64_t
        evidence_bytes; /* a site's evidence is kept below this (content/evidence.h); 0: no bound */
    int caller;         /* see caller_tell(); -1: there is no on_tamper */
    /* Called on the report's thread when a burst begins (`ended` false) and when it has ended. */
    void (*burst)(void *context, const struct tamper *t, const char *first_path,
                  enum difference_kind first_kind, bool ended);
    void (*untold)(void *context); /* what runs on_tamper is gone */
    void *context;
};

bool report_start(struct report **out, const struct report_options *options, struct error *e);
/* To be given to the guard: see guard_options.event. Never waits. */
void report_event(struct report *r, const struct guard_event *event);
/* Writes what is left, then ends. */
void report_stop(struct report *r);

#endif
