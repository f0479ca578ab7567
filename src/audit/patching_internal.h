/* patching_internal.h - what the files of patching share. */
#ifndef YAGURA_AUDIT_PATCHING_INTERNAL_H
#define YAGURA_AUDIT_PATCHING_INTERNAL_H

#include "audit/patching.h"

/* Which pages are asked: those of the request, else one of each site that the facts know and whose
 * port listens. Then asks each; afterwards what is not as it was is asked again for a while: a
 * server takes a moment to start. */
void patching_choose_pages(struct patching *p, const struct patching_request *r,
                           const struct facts *facts);
void patching_ask_before(struct patching *p);
void patching_ask_after(struct patching *p);

/* Whether this host is cut off from where apt would fetch the packages: `cut_off`, with a note that
 * says what has to be named. What was named is looked up; without that no name is. */
void patching_look_at_cut(struct patching *p, const struct patching_request *r);

/* `way_back` and `missing`: from what the plan would change, or from what has changed. */
void patching_find_way_back(struct patching *p, bool ran);

#endif
