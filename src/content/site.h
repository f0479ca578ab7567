/* site.h - a site, opened: its document root, its policies, its published generation. */
#ifndef YAGURA_CONTENT_SITE_H
#define YAGURA_CONTENT_SITE_H

#include "content/aside.h"
#include "content/generations.h"
#include "content/policy.h"
#include "content/verify.h"

struct site {
    struct site_row row; /* strings in `arena` */
    int rootfd;
    struct policies *policies; /* its profile's, then its own; the aside folder is ignored */
    struct aside aside;        /* fd -1 if it was not asked for */
    struct generation generation;
    struct arena *arena;
};

/* What an opened site needs besides its row. */
struct site_wants {
    bool aside;
    bool generation;
    bool makes_root;            /* one that is gone is made anew, empty */
    const struct policies *own; /* further policies (configuration), or NULL */
};

bool site_open(struct site *out, struct state *s, const char *name, const struct site_wants *wants,
               struct error *e);
/* The same for one that the state does not know yet. */
bool site_open_new(struct site *out, const char *name, const char *root, const char *profile,
                   const struct site_wants *wants, struct error *e);
void site_close(struct site *site);
/* A name for a site from the last part of its document root: /var/www/Html is "html"; and one that
 * none of these sites has: html-2. */
const char *site_name_of(struct arena *arena, const char *root);
const char *site_name_free(struct arena *arena, const struct site_row *rows, size_t count,
                           const char *root);
#define CLEANUP_SITE CLEANUP(site_close)

/* What differs of one that was opened with its generation, reading only what the stat index does
 * not trust; what proves to be as published is kept there where `keep` is set, so that the next
 * look takes less time. `stop` may be NULL. */
bool site_compare_quickly(struct differences **out, struct state *s, const struct site *site,
                          bool keep, const atomic_bool *stop, struct error *e);

/* Opens the document root by its path again (it may be another directory than before). A link on
 * the way is followed only if it is root's or ours: who may write in a directory above could have
 * another place taken for the site. */
int site_open_root(const char *root, struct error *e);
/* Makes what is missing of the way. What is no directory, or a link of somebody else, is kept
 * beside it under a name beginning with ".yagura-found-". */
bool site_make_root(const char *root, struct error *e);

#endif
