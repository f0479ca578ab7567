/* patching.h - how a patch plan and its run look: see audit/patching.h. */
#ifndef YAGURA_SHOW_PATCHING_H
#define YAGURA_SHOW_PATCHING_H

#include "audit/patching.h"
#include "show/show.h"

/* "written to FILE": what is in it, and what comes next. */
void show_patch_plan(struct show *s, const struct patch_plan *p, const char *path);

/* What stands against it, what would be done, and how to go back. Of many packages the first ones,
 * and the command that shows all; `path` is the plan's file. */
void show_patching_check(struct show *s, const struct patching *p, const struct patching_request *r,
                         const char *path);
/* What the question that follows is about, in a few lines. */
void show_patching_question(struct show *s, const struct patching *p,
                            const struct patching_request *r, const char *path);

/* What patching_foresee() found. */
void show_patching_foreseen(struct show *s, const struct patching *p);

/* A step as it begins. */
void show_patching_step(struct show *s, enum patching_step step);

/* What has become of packages, services, pages and audits; `receipt` is the file, or NULL: of a
 * staging without failures, that it could not be written. The summary of --json is part of it. */
void show_patching_result(struct show *s, const struct patching *p,
                          const struct patching_request *r, const char *receipt);
/* The summary of a run that did not begin: `refused` because of obstacles or refusals. */
void show_patching_end(struct show *s, const struct patching *p, const struct patching_request *r,
                       bool refused);

/* A policy to begin with, as YAML with comments. */
void show_patch_policy(struct show *s);

#endif
