/* caller.h - who runs on_tamper: a process of its own, made before the guard has its walls.
 *
 * The guard may start nothing (walls.h). It hands each burst, a line of JSON, to this process,
 * which was told at its start what to run and believes nothing else. The texts come one at a
 * time, each with at most CALLER_SECONDS, then it is killed with all that it started:
 *
 *   by itself       becomes nobody, and has sh -c run the hook with the text on its input
 *   by a unit       if YAGURA_HOOK names a socket (yagura-guard.service), the text goes there, and
 *                   systemd runs the hook as another user under yagura-hook@.service
 *
 * It ends when the guard and its parent have ended and all texts were handed on. */
#ifndef YAGURA_GUARD_CALLER_H
#define YAGURA_GUARD_CALLER_H

#include "base/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

enum { CALLER_SECONDS = 10, CALLER_MOST_BYTES = 64 * 1024 };

struct caller {
    pid_t pid;
    int fd; /* texts go here: caller_tell() */
};

#define CALLER_NONE                                                                                \
    {                                                                                              \
        .fd = -1                                                                                   \
    }

/* True once its own walls (walls.h) stand. */
bool caller_start(struct caller *out, const char *hook, struct error *e);
/* In the guard: waits while earlier texts are in the way. False: nobody is there to take it. */
bool caller_tell(int fd, const char *text, size_t size);
/* In the parent, at the end: waits until it has ended. */
void caller_end(struct caller *c);

/* Runs the hook in this process' place, its input as it is; only on failure does it return. */
void caller_exec(const char *hook);

#endif
