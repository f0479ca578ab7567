/* site_pages.h - which page of each site can be asked from this host itself (act/pages.h).
 *
 * One a binding of each `site` fact that visitors can reach: by its first name that is no pattern,
 * over loopback, or over the address that it listens at. */
#ifndef YAGURA_AUDIT_SITE_PAGES_H
#define YAGURA_AUDIT_SITE_PAGES_H

#include "base/mem.h"
#include "model/fact.h"

struct site_page {
    const char *url;
    const char *address; /* an own one of this host; NULL: loopback */
};
typedef VEC(struct site_page) site_page_list;

enum { SITE_PAGES_MOST = 200 };

/* Added to what is in the list, nothing twice. Strings live in the arena. */
void site_pages_of(site_page_list *out, const struct facts *facts, struct arena *arena);

#endif
