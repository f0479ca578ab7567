/* kept.h - what was found on the host and moved out of the way: what lies beside the document roots
 * (put there by the guard or by putting a site back), and the quarantine, with what was noted of
 * the processes that ran from it. All of it is evidence. */
#ifndef YAGURA_RESPOND_KEPT_H
#define YAGURA_RESPOND_KEPT_H

#include "respond/respond.h"

struct kept {
    int dirfd; /* it lies there, under this name */
    const char *name;
    const char *as;      /* "aside/SITE/NAME", "quarantine/ID", "quarantine/processes/PID-START" */
    const char *subject; /* "SITE: PATH" (PATH "?": not known), or where it was on the host */
    bool noted;          /* of a process: written by us, with times of ours */
    int recordfd;        /* of the quarantine: its folder, which has NAME.json; else -1 */
};

/* Calls `each` with all of them; nothing of an incident that is not of this host. What cannot be
 * opened is told to `unread` (may be NULL) and left out. */
struct kept_visitor {
    bool (*each)(void *context, const struct kept *k, struct error *e);
    void (*unread)(void *context, const char *what, const char *why);
    void *context;
};
bool kept_each(struct response *r, const struct kept_visitor *v, struct error *e);

#endif
