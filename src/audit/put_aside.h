/* put_aside.h - what was moved out of the way already: the quarantine, and the folders beside the
 * document roots (content/aside.h). What lies there was found once and acted upon.
 *
 * Only what the state knows as its own, and what is closed to others: a folder that merely bears
 * such a name hides nothing. */
#ifndef YAGURA_AUDIT_PUT_ASIDE_H
#define YAGURA_AUDIT_PUT_ASIDE_H

#include "act/quarantine.h"
#include "audit/audit.h"
#include "collect/scan.h"

struct put_aside {
    struct arena *arena;
    struct quarantine kept; /* fd -1: there is none */
    struct quarantine_item *items;
    size_t item_count;
    VEC(struct scan_folder) folders;
};

/* Of the state, which may be NULL: then there is nothing. */
void put_aside_find(struct put_aside *out, struct state *state);
/* Takes away the findings of set-uid files that lie there: what was set-uid is kept so, where
 * nobody can start it. */
void put_aside_drop(struct audit *a, const struct put_aside *o);
void put_aside_cleanup(struct put_aside *o);
#define CLEANUP_PUT_ASIDE CLEANUP(put_aside_cleanup)

#endif
