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

/* `way_back` and `missing`: from what the plan would change, or from what has changed. */
void patching_find_way_back(struct patching *p, bool ran);

#endif
