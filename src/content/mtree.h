/* mtree.h - a manifest as mtree(5) text, so that `mtree -f FILE -p ROOT` checks a site without
 * yagura.
 *
 * "#mtree", then a line an entry with its full path ("./css/a.css"), directories before what is
 * in them; type, mode, uid, gid, and for files size, time and sha256digest, for links link. Every
 * byte outside printable ASCII, and space, "#", "=" and "\", is written as \ooo. Attributes
 * beyond these (ACLs, capabilities) have no place there. Directories have no time: it changes
 * whenever a name comes or goes.
 * Source: mtree(5) of NetBSD, which Debian's mtree-netbsd is. */
#ifndef YAGURA_CONTENT_MTREE_H
#define YAGURA_CONTENT_MTREE_H

#include "content/manifest.h"
#include "content/policy.h"

#include <stdio.h>

/* What policy lets change freely (upload, free, ignore, append) is left out unless `all`. */
bool mtree_write(FILE *out, const struct manifest *m, const struct policies *policies, bool all,
                 struct error *e);

#endif
