/* control.h - how other commands speak with the running guard: DIR/guard.sock in the state.
 *
 * The folder is closed to others, so only its owner speaks here. A request is one line, the
 * answer one line:
 *
 *   status        what is guarded and how it goes, as JSON (`yagura status --json`)
 *   hold SITE     "ok": what changes in the site waits, until `release SITE` or the end of the
 *                 connection
 *   release SITE  "ok": the accepted generation is taken; what waited is looked at next
 *
 * Anything else is answered "no: REASON". At most 16 connections at a time; a line has at most
 * 256 bytes. */
#ifndef YAGURA_GUARD_CONTROL_H
#define YAGURA_GUARD_CONTROL_H

#include "base/error.h"
#include "base/str.h"

struct control;

/* Answers a line; what it adds to `answer` goes back. `connection` tells one from another. */
typedef void control_answer(void *context, unsigned connection, const char *line,
                            struct str *answer);

bool control_open(struct control **out, int state_dirfd, control_answer *answer,
                  void (*closed)(void *context, unsigned connection), void *context,
                  struct error *e);
void control_close(struct control *c);
int control_fd(const struct control *c); /* readable: call control_step() */
void control_step(struct control *c);

/* The other end. ERR_ABSENT: no guard is running on this state. */
struct control_client {
    int fd;
};
bool control_connect(struct control_client *out, int state_dirfd, struct error *e);
void control_disconnect(struct control_client *c);
bool control_ask(struct control_client *c, const char *line, struct str *answer, struct error *e);

#endif
