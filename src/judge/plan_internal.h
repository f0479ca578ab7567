/* plan_internal.h - what plan.c (from findings to steps) and plan_order.c (what falls away, what
 * comes first) share. Not for others. */
#ifndef YAGURA_JUDGE_PLAN_INTERNAL_H
#define YAGURA_JUDGE_PLAN_INTERNAL_H

#include "judge/patches.h"
#include "judge/plan.h"

struct plan_by_rule {
    const char *rule;
    struct plan_step *step;
};

struct planning {
    struct plan *plan;
    const struct judge_input *in;
    struct arena *arena;
    struct {
        const char *product, *version;
        struct patches *graph;
    } graphs[32];
    size_t graph_count;
    /* The settings that are done with the step of an advisory: a checklist rule's name each. */
    VEC(struct plan_by_rule) by_rule;
};

/* The graph of any product on this host that knows the key, and the patch; NULL if none does. */
const struct advisory_patch *plan_patch_of(struct planning *p, const char *key,
                                           struct patches **graph);
bool plan_lists(const char *const *items, size_t count, const char *text);

/* What one step brings with another falls away, and what it closes goes over to that one. */
void plan_drop_contained(struct planning *p);
/* Sorts, numbers, says how each is checked and where the host is started anew. */
void plan_order(struct plan *plan);

#endif
