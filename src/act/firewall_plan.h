/* firewall_plan.h - what a plan of firewall.h lets in, whom it would lock out, and which standing
 * connections it ends: for the files of the firewall. */
#ifndef YAGURA_ACT_FIREWALL_PLAN_H
#define YAGURA_ACT_FIREWALL_PLAN_H

#include "act/firewall.h"

/* Each once, at most FIREWALL_MOST. */
void firewall_plan_add_way(struct firewall_plan *p, const struct firewall_way *w);

/* Ends those that the rules do not let live, and counts those that the kernel would not end. */
bool firewall_cut_standing(const struct firewall_plan *p, size_t *ended, size_t *left,
                           struct error *e);

#endif
