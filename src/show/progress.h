/* progress.h - how far a long work is.
 *
 * On a terminal, from half a second on, one line on standard error, overwritten ten times a second
 * by a thread of its own and wiped at the end. Where that is none, a line of its own every half
 * minute: whoever reads it later or over a pipe sees that it goes on. With JSON nothing. */
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
