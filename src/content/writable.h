/* writable.h - may a user change what was published? The precondition of a defacement: whoever
 * breaks into a web server, or into what it runs, writes as that user.
 *
 * Judged by owner, group, mode and POSIX access list as the manifest has them (POSIX.1e draft 17,
 * 23.1.5; the value of system.posix_acl_access is u32 2, then (u16 tag, u16 permissions, u32 id)*,
 * see linux/posix_acl_xattr.h), never by trying. An owner counts as a writer: he may change the
 * mode. Looked at are the paths whose policy is "fixed" or "append": elsewhere writing is meant. */
#ifndef YAGURA_CONTENT_WRITABLE_H
#define YAGURA_CONTENT_WRITABLE_H

#include "base/mem.h"
#include "content/manifest.h"
#include "content/policy.h"

struct writer {
    uid_t uid;
    gid_t *groups; /* all of them */
    int group_count;
};

struct writable {
    size_t directories, files;
    const char *first; /* the path of the first one; in the arena */
    bool by_list;      /* an access list allows it somewhere */
};

bool writable_entry(const struct manifest_entry *entry, const struct writer *w, bool *by_list);
struct writable writable_in(const struct manifest *m, const struct policies *policies,
                            const struct writer *w, struct arena *arena);

#endif
