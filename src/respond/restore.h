/* restore.h - what the files of step "restore" share: action_restore.c puts back what was
 * published, restore_from.c what a person names. */
#ifndef YAGURA_RESPOND_RESTORE_H
#define YAGURA_RESPOND_RESTORE_H

#include "content/mend.h"
#include "content/site.h"
#include "respond/respond.h"

/* The site of --site (its name or document root), else the only one; what is not published yet is
 * `fresh`, and `name` one that it could have. ERR_USAGE: which one is not clear; the error says
 * what to type. */
struct restore_site {
    const char *name, *root;
    bool fresh;
};
bool restore_find(struct response *r, struct restore_site *out, struct error *e);

/* The document roots that are served here and were never published; in the arena of `r`. */
size_t restore_unpublished(struct response *r, const char ***roots);

/* What a mender did: its context, and what to call with each event. `aside`: the name beside the
 * document root, and the path that it had. */
struct restored {
    json_t *aside;
    size_t put_back, removed, failed;
    char first_error[512];
};
void restore_event(void *context, const struct mend_event *event);

/* From options->from or options->from_git: shown, asked, published, put in place. A look only: it
 * is shown, and that is all. */
bool restore_from(struct response *r, json_t *result, bool look_only, struct error *e);

/* The first of the two comparisons. ERR_CORRUPT: it differs again, so that somebody still writes
 * there. */
bool restore_verify(struct response *r, const struct site *site, struct error *e);

/* The generation that a named source was made into in this incident; 0: none. */
uint64_t restore_vouched(struct response *r, const char *site);

/* An entry for the ledger. */
json_t *restore_entry(struct response *r);

#endif
