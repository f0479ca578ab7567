/* deploy.h - another tree brought into the document root and published, in one step.
 *
 * Made in this order, so that a visitor gets an old or a new page at every moment, and whatever
 * ends it early leaves a site that is to be one of the two:
 *
 *   plan       the tree's content is kept and a manifest made of it; nothing is touched yet
 *   accept     that manifest becomes the published generation
 *   carry out  the mender brings the document root to it: first what is new, then what changes,
 *              last what goes. Where this ends early, the guard, or `restore`, does the rest.
 *
 * What the manifest takes from where:
 *   - where a path's policy is not "fixed", it is the site's own: what was published there stays,
 *     and the tree's is left out (`left` counts the names where that begins);
 *   - owner, group and attributes are those of the published entry of the same path, or else
 *     owner and group of the directory above; the mode likewise, but whether a file is a program
 *     (may be executed) comes from the tree;
 *   - what is the same as before keeps its time, so that nothing is written for nothing;
 *   - .git, .hg and .svn at the top of the tree are never taken.
 *
 * What the deployment replaces is kept as an object and is no evidence: it is not left in the
 * folder aside. What another hand had put there is.
 *
 * A site that was never published (deploy_plan_first()) may have been in an attacker's hands, so
 * that nothing of its content is believed:
 *   - what is there is no part of the manifest, and goes aside as evidence
 *   - but where a path's policy is not "fixed", what is there stays, unpublished, unless the policy
 *     itself refuses it (a program among uploads); what is missing there is put in from the tree
 *   - and what the profile keeps (profile.h), and the tree does not have, stays and is published:
 *     `kept` names it, for somebody to read
 *   - owner, group and mode of a path stay, but for set-id bits, capabilities, and that everybody
 *     may write */
#ifndef YAGURA_CONTENT_DEPLOY_H
#define YAGURA_CONTENT_DEPLOY_H

#include "content/capture.h"
#include "content/mend.h"
#include "content/site.h"
#include "content/verify.h"

struct deploy {
    struct manifest *manifest; /* what is to be published */
    struct capture *taken;     /* what of the tree could not be taken */
    struct differences *found; /* the document root against `manifest`: what is to be done */
    bool nothing;              /* the site is as the tree, and was published so */
    size_t left;               /* names of the tree that lie where the site's own is */
    VEC(const char *) kept;    /* in `arena` */
    VEC(const char *) lost;    /* what the profile keeps, and is neither there nor in the tree */
    bool first;
    struct arena *arena;
    struct generation before; /* once accepted: what was published until then */
    struct objects *held;
};
void deploy_cleanup(struct deploy *d);
#define CLEANUP_DEPLOY CLEANUP(deploy_cleanup)

/* `treefd` is the tree's folder. The site has its generation open. `keeps`: what the profile keeps
 * (profile.h) stays as it was published, where the tree does not have it; `kept` names it. */
bool deploy_plan(struct deploy *out, struct objects *objects, const struct site *site, int treefd,
                 bool keeps, struct walk_progress *progress, struct error *e);

/* The same for a site of site_open_new(): the first generation is the tree. */
bool deploy_plan_first(struct deploy *out, struct objects *objects, const struct site *site,
                       int treefd, struct walk_progress *progress, struct error *e);

/* `entry` goes into the ledger; the site then has the new generation open. */
bool deploy_accept(struct deploy *d, struct state *s, struct objects *objects, struct site *site,
                   json_t *entry, struct error *e);

/* The mender has the new manifest. Ends with a full comparison. */
enum mend_result deploy_carry_out(struct deploy *d, struct mender *m);

#endif
