/* sweeper.h - the second pair of eyes: compares a site with what was published, over and over,
 * at a low priority, for changes of which the kernel tells nothing.
 *
 * Every `quick_ms` (or 20 times what the last look took, if that is longer: at most a twentieth
 * of one core) it looks at the attributes of all names; every `full_seconds` it reads all
 * content. A write through a mapping that was open before changes a file's time when it first
 * touches a page: the quick look finds it within about a second. What it finds wrong goes down a
 * pipe as (u32 site, u32 length, path); the loop looks for itself and mends.
 *
 * It has a stat index of its own, so that nothing is shared with the loop but what never
 * changes. It must be stopped before a site's generation is closed. */
#ifndef YAGURA_GUARD_SWEEPER_H
#define YAGURA_GUARD_SWEEPER_H

#include "base/str.h"
#include "content/site.h"

struct sweeper;

bool sweeper_start(struct sweeper **out, const struct site *sites, size_t count, unsigned quick_ms,
                   unsigned full_seconds, struct error *e);
void sweeper_stop(struct sweeper *s);

int sweeper_fd(const struct sweeper *s); /* readable: there is something */
/* The next path; false if there is none now. */
bool sweeper_next(struct sweeper *s, size_t *site, struct str *path);

/* How often a full look has ended, and when the last one did (seconds since 1970; 0: never). */
uint64_t sweeper_proved(struct sweeper *s, int64_t *last_s);

#endif
