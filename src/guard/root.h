/* root.h - is the document root where it was, and how it gets there again.
 *
 * The guard holds open the document root and every directory on the way to it: whatever is done
 * to their names, these descriptors are they. Each is compared and put back in the one above it,
 * and no link is followed on the way: who may write in a directory above the document root could
 * otherwise lay a link there, and have the site built in /etc. */
#ifndef YAGURA_GUARD_ROOT_H
#define YAGURA_GUARD_ROOT_H

#include "base/str.h"
#include "content/site.h"

struct root;

/* The way to the site's document root as it is now; the site must outlive it. */
bool root_hold(struct root **out, struct site *site, struct error *e);
void root_let_go(struct root *r);

/* Its path leads to the directory that we hold. */
bool root_in_place(const struct root *r);

/* What is mounted over it, or over a directory above it, is taken away; what was moved is moved
 * back, what was deleted is made anew: *anew, if that is the document root, which then is empty.
 * What stands there instead goes aside. True if it then is in place. */
bool root_bring_back(struct root *r, bool *anew);

/* The folder aside: moved back if somebody moved it, made anew if it was deleted (*anew). */
bool root_mend_aside(struct root *r, bool *anew, struct error *e);

/* The mount point of a line of /proc/self/mountinfo (field 5, proc(5)), its \ooo undone. */
bool root_mount_point(const char *line, size_t length, struct str *out);

#endif
