/* timeline.h - what happened, in one sequence: the ledger, the guard, the times of what was put
 * aside or into quarantine, and of the files of findings (as they were when these were found),
 * logins.
 *
 * All times are this host's own clock, and how wrong that may be is said with it. A file's mtime
 * is what its writer wanted it to be (utimensat). Its btime (when it was made) and ctime are the
 * kernel's; the ctime of a thing that was put aside is mostly the moment of that. Logins are what
 * root's own files say (utmp.h). */
#ifndef YAGURA_RESPOND_TIMELINE_H
#define YAGURA_RESPOND_TIMELINE_H

#include "respond/evidence.h"

struct moment {
    int64_t at_ns;       /* since 1970 */
    const char *source;  /* "ledger", "guard", "file", "login" */
    const char *what;    /* an English msgid */
    const char *subject; /* a step, a path, a user; "" */
    const char *detail;  /* as it was recorded: in no language; "" */
    const char *who;     /* "" */
    size_t order;        /* in which it was read: of equal times it stays, as the ledger's do */
    const char *done;    /* the kind of a ledger's entry, of what went well; else NULL */
};

struct timeline {
    VEC(struct moment) moments; /* by time; strings in the arena of the response */
    size_t left_out;
    uint64_t bursts, names; /* of the guard */
    int64_t first_ns;       /* the guard's first; 0 */
};

/* From a day before the first sign (or what began the incident) on. */
bool timeline_read(struct timeline *out, struct response *r, struct error *e);
void timeline_free(struct timeline *t);

/* 2026-11-26 13:04:05 +09:00 in the zone of this process */
void timeline_local(int64_t seconds, char out[40]);
/* On the screen, where all times are UTC: 2026-11-26T04:04:05Z (2026-11-26 13:04:05 +09:00), as it
 * is a person who reads them; without the second where this process is in UTC. */
const char *timeline_screen(struct arena *arena, int64_t seconds);
/* The same of a moment, with the fraction of a second where its source knows one. */
void timeline_time(const struct moment *m, char out[48]);

void timeline_add_lines(struct str *out, const struct timeline *t); /* JSON Lines */
void timeline_add_text(struct str *out, const struct timeline *t);  /* for a person */

#endif
