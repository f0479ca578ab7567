/* supervise.h - the guard's small parent: starts it, and starts it again when it dies or hangs.
 *
 * The parent holds nothing but the shared page (alive.h): no state, no descriptor of the site;
 * its caller gives it its walls (walls.h).
 * A guard that shows no life for SUPERVISE_HUNG_MS is killed; the time that it waited for a core
 * on a busy host does not count, and one that is not ready yet has SUPERVISE_START_MS, as opening a
 * generation of a million entries is one long step. A new one is started at once, so that at most
 * two seconds pass; after five starts within ten seconds it waits a second before each. SIGTERM and
 * SIGINT go on to the guard, which ends by itself; the parent then ends with its exit code. When
 * the parent dies, the guard ends (PR_SET_PDEATHSIG): whoever started it starts it anew. */
#ifndef YAGURA_GUARD_SUPERVISE_H
#define YAGURA_GUARD_SUPERVISE_H

#include "guard/alive.h"

enum { SUPERVISE_HUNG_MS = 1500, SUPERVISE_START_MS = 30000 };

/* `run` is the guard: called in the child, its result is the exit code. An exit code of its own
 * (not a signal) ends the supervision, too, unless it is SUPERVISE_AGAIN. `died` is told in the
 * parent before each new start; may be NULL. */
enum { SUPERVISE_AGAIN = 75 }; /* as EX_TEMPFAIL: start me anew */

struct supervised {
    int (*run)(void *context, struct alive *alive);
    void (*died)(void *context, bool hung, int status, unsigned restarts);
    void (*look)(void *context, const struct alive *alive); /* ten times a second; may be NULL */
    void *context;
};

/* The exit code, or -1 with an error if the guard could not even be started. */
int supervise(const struct supervised *what, struct error *e);

#endif
