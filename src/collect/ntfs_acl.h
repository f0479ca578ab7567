/* ntfs_acl.h - who may do what to a file, as lines of text.
 *
 * Format: self-relative SECURITY_DESCRIPTOR, ACL, ACE, SID of MS-DTYP 2.4.
 *
 * One line for each account, in the order in which the list first names it:
 *     NAME:RIGHTS     what is allowed: R read, W write or append, X execute; F alone is all
 *     NAME:-RIGHTS    what is denied
 * Rights that an earlier entry denies to the same account or to Everyone are taken off, as
 * Windows does (the first entry that speaks of a right decides). Entries that are only there
 * to be inherited are left out. A descriptor without a list lets everyone do everything:
 * `Everyone:F`; an empty list lets nobody: no line. */
#ifndef YAGURA_COLLECT_NTFS_ACL_H
#define YAGURA_COLLECT_NTFS_ACL_H

#include "base/error.h"
#include "base/mem.h"

#include <stddef.h>

/* Lines are joined by \n, without one at the end; in the arena. */
bool ntfs_acl_text(const char **out, struct arena *arena, const void *descriptor, size_t size,
                   struct error *e);

#endif
