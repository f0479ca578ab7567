/* dpkg_files.h - which package a file belongs to: dpkg's lists of files,
 * /var/lib/dpkg/info/PACKAGE[:ARCH].list, one path a line.
 *
 * All lists of a host are 10 MiB and more in a thousand files; they are searched only when
 * something is asked that the cache does not know, and for all questions in one pass. The
 * cache keeps the answers (also "no package") for as long as the folder's times and inode stay
 * the same: dpkg renames a list into place whenever it installs or removes.
 *
 * On systems with a merged /usr, /bin/x and /usr/bin/x are the same file and dpkg may know
 * either name: both are looked for. Diversions (dpkg-divert(1)) are not followed. */
#ifndef YAGURA_COLLECT_DPKG_FILES_H
#define YAGURA_COLLECT_DPKG_FILES_H

#include "collect/collect.h"

/* owners[i] is the name of the package that paths[i] belongs to, or "" for none. False, with
 * a statement in the facts, where the lists could not be read: then all owners are "". */
bool dpkg_owners(struct collection *c, const char *const *paths, size_t count, const char **owners);

#endif
