/* tampers.h - what the guard undid, as it is remembered: table tamper of state.db, a row a burst,
 * and tamper_path, a row a name (at most TAMPER_PATHS a burst; the rest is counted).
 *
 * A burst is what happens in one site without a pause of two seconds: an attacker in a loop is
 * one row that says how often. Rows are written by one process, the guard. */
#ifndef YAGURA_RECORD_TAMPERS_H
#define YAGURA_RECORD_TAMPERS_H

#include "base/mem.h"
#include "record/state.h"

enum { TAMPER_PATHS = 1000 };

struct tamper {
    int64_t id; /* 0: not written yet */
    const char *site;
    int64_t first_ns, last_ns;           /* since 1970 */
    uint64_t restored, failed, unlisted; /* unlisted: names that have no row of their own */
    uint64_t slowest_us;
    int64_t pid, uid; /* of the first; pid 0: not known */
    const char *exe, *command;
};

struct tamper_path {
    int64_t at_ns;
    const char *path, *kind, *evidence; /* evidence: name in the folder aside, or "" */
    unsigned what;
    uint64_t took_us, size;
    bool undone, has_sha256;
    uint8_t sha256[32]; /* of the evidence */
};

/* Writes or updates the burst (its id is set) and adds these names, in one transaction. */
bool tampers_write(struct state *s, struct tamper *t, const struct tamper_path *paths, size_t count,
                   struct error *e);

/* The names of one burst, in the order in which they were undone; strings in the arena. */
bool tampers_paths(struct state *s, int64_t id, struct arena *arena, struct tamper_path **out,
                   size_t *count, struct error *e);

/* What is known of the evidence of a site, the oldest first: name in the folder aside, path,
 * hash. Strings in the arena. */
bool tampers_evidence(struct state *s, const char *site, struct arena *arena,
                      struct tamper_path **out, size_t *count, struct error *e);

/* The latest first, at most `most`; strings in the arena. `site` NULL: of all. */
bool tampers_list(struct state *s, const char *site, size_t most, struct arena *arena,
                  struct tamper **out, size_t *count, struct error *e);

#endif
