/* site_pages.h - a page of each site that is served here, to see whether its server answers. */
#ifndef YAGURA_AUDIT_SITE_PAGES_H
#define YAGURA_AUDIT_SITE_PAGES_H

#include "model/fact.h"

/* The URLs, for act/pages.h, of every site that the facts know; in the arena. One that hangs on a
 * condition, or is bound to an outer address only, has none. `listening`: only those whose port
 * listens, for which the facts have to know the listeners (ABOUT_SITES does not). */
size_t site_pages(const struct facts *facts, bool listening, struct arena *arena,
                  const char ***out);

#endif
