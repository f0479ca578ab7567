/* root.h - is the document root where it was, and how it gets there again.
 *
 * The guard holds the directory open: whatever is done to its name, that descriptor is it. */
#ifndef YAGURA_GUARD_ROOT_H
#define YAGURA_GUARD_ROOT_H

#include "base/str.h"
#include "content/site.h"

/* Its path leads to the directory that we hold. */
bool root_in_place(const struct site *site);
/* Takes away what is mounted over it. True if it then is in place. */
bool root_uncover(const struct site *site);
/* The directory above it, open, and its name there (within the row's path); -1 if that is gone. */
int root_open_above(const struct site *site, const char **name);
/* Moves it back to its name; what stands there goes aside. True if it then is in place. */
bool root_fetch(const struct site *site);

/* The mount point of a line of /proc/self/mountinfo (field 5, proc(5)), its \ooo undone. */
bool root_mount_point(const char *line, size_t length, struct str *out);

#endif
