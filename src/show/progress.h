/* progress.h - how far a long work is, on a terminal, from half a second on.
 *
 * One line on standard error, overwritten ten times a second by a thread of its own and wiped at
 * the end. Not on a terminal, or with JSON, nothing is printed. */
#ifndef YAGURA_SHOW_PROGRESS_H
#define YAGURA_SHOW_PROGRESS_H

#include "content/walk.h"
#include "show/show.h"

struct progress;

/* `what` is a text for people; the totals may be 0: not known. Read without a lock. */
struct progress *progress_start(const struct show *s, const char *what,
                                const struct walk_progress *at, uint64_t files, uint64_t bytes);
void progress_end(struct progress *p);

#endif
