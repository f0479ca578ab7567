/* watch.h - the closer watch over a host that was reconnected: whoever got in once comes again.
 *
 * It begins with the opening, and ends after its hours (`respond.watch_hours`), when the
 * reconnection is undone (and that is confirmed, where it is on trial), or when it has cut the host
 * off again. Nothing of it runs meanwhile: a
 * timer has `yagura respond watch` look every few minutes, and each look compares with what was
 * known at the reconnection:
 *
 *   content      every site with what is published (quickly: what proves to be untouched is not
 *                read again), and what the guard undid since
 *   persistence  what starts by itself, accounts and keys: rules of the set persistence, medium and
 *                more, that did not speak at the reconnection, or speak of something else now, and
 *                that nobody signed for
 *   listeners    a TCP port that listens to the outside and did not then, and that `ports.allow`
 *                does not name
 *   outgoing     a connection that an account of the web servers has made to somewhere. A site may
 *                have business outside: it is told, and never a reason to isolate again
 *   ledger       it, or what was known at the reconnection, was changed
 *
 * The ledger has the beginning ("watch": until when, and the hash of what was known), each thing
 * found ("find", when it appears and not at every look), the end ("watch-over"), and of an
 * isolation an "undo" of the step. DIR/watch.json is the working memory: where it is not, no watch
 * is on, and there is nothing to do.
 *
 * Where `respond.isolate_again` names a mode, a look that finds something isolates through the ways
 * in that were proved in this incident, for good: nobody may be there to confirm a trial, and a
 * host that is known to be broken into must not open by itself. The alarm is raised before it, as
 * none gets out afterwards. */
#ifndef YAGURA_RESPOND_WATCH_H
#define YAGURA_RESPOND_WATCH_H

#include "respond/respond.h"

enum { WATCH_STALE_SECONDS = 15 * 60, WATCH_MOST_FINDS = 200 };

/* Before the opening, while nobody from outside can add to it: what is known, into `known`. */
bool watch_note_known(struct response *r, json_t *known, struct error *e);
/* The watch is on, for options->watch_hours (0: none is), over the step that is being done. */
bool watch_begin(struct response *r, json_t *known, struct error *e);
/* The reconnection does not stand any more. */
void watch_end(struct response *r);

struct watch_find {
    const char *key;  /* what it is told apart by */
    const char *text; /* a sentence */
    bool grave;       /* a reason to isolate again */
    bool passing;     /* it may be over at the next look, and is told once all the same */
    bool is_new;      /* not there at the last look */
    json_t *finding;  /* of a rule, in short; or NULL */
};

enum watch_outcome { WATCH_OFF, WATCH_LOOKED, WATCH_IS_OVER, WATCH_ISOLATED };
struct watch_report {
    enum watch_outcome outcome;
    int64_t until;
    VEC(struct watch_find) finds;
    size_t new_finds, unknown; /* unknown: what could not be looked at; said by options->say */
    const char *mode;          /* of WATCH_ISOLATED */
};
void watch_report_free(struct watch_report *report);

/* One look. The response has state, options and arena, and need not be open: it may be about an
 * incident that is closed. False: it could not look. */
bool watch_look(struct response *r, struct watch_report *out, struct error *e);

/* Its working memory is there; without reading it. */
bool watch_may_be_on(struct state *s);

struct watch_status {
    bool begun, on;              /* on: and not over */
    int64_t until, looked, over; /* seconds since 1970; 0: never, not yet */
    size_t finds;                /* of this watch, as the ledger has them */
    const char *last, *ended;    /* the last of them, why it is over; or NULL */
    bool stale;                  /* nobody looks */
    const char *isolate_again;   /* of the configuration: a mode, or NULL */
};
/* Of the incident that is open in the response. */
void watch_status(struct response *r, struct watch_status *out);

/* For watch.c: looks, and adds what is found. What could not be looked at is counted and said. */
bool watch_find_all(struct response *r, const json_t *known, struct watch_report *out,
                    struct error *e);

#endif
