/* dpkg_index.h - what dpkg installed where, with the checksums that came with it.
 *
 * Sources: /var/lib/dpkg/info/PACKAGE[:ARCH].md5sums (deb-md5sums(5)), `Conffiles:` of
 * /var/lib/dpkg/status (the MD5 of a configuration file as the package brought it), the .list of
 * packages that came without checksums, and /var/lib/dpkg/diversions: who was diverted lies under
 * the other name. It is as good as that record, which root can write: an intruder who was root can
 * have changed both, which is why a scan from clean media compares with the packages themselves.
 *
 * Kept is what can be run or read by what runs: not /usr/share (but the originals of base-files,
 * the services of D-Bus, rules of polkit, hooks of initramfs-tools and names that begin with a
 * dot), /usr/include, /usr/src. Where /bin leads into /usr, both names
 * of a file are one.
 *
 * Parsed, it is one block of bytes, kept in the cache for as long as status, the folder of lists
 * and the diversions keep their times. */
#ifndef YAGURA_COLLECT_DPKG_INDEX_H
#define YAGURA_COLLECT_DPKG_INDEX_H

#include "collect/collect.h"

enum { MD5_BYTES = 16, MD5_DIGITS = 32 };

struct dpkg_index;

struct dpkg_entry {
    const char *path; /* absolute, as the index knows it; in the arena given */
    const char *package;
    bool has_md5;
    bool conffile;
    uint8_t md5[MD5_BYTES];
};

/* In the arena. ERR_ABSENT where there is no dpkg here. */
bool dpkg_index_open(struct dpkg_index **out, struct collection *c, struct arena *arena,
                     struct error *e);
size_t dpkg_index_count(const struct dpkg_index *ix);
bool dpkg_index_at(const struct dpkg_index *ix, size_t index, struct arena *arena,
                   struct dpkg_entry *out);
/* What dpkg has under that absolute path. Two packages may have brought it, one instead of the
 * other: the one whose file has `md5` (may be NULL) counts, if any has. */
bool dpkg_index_find(const struct dpkg_index *ix, const char *path, const uint8_t *md5,
                     struct arena *arena, struct dpkg_entry *out);
/* How many lists could not be read: what is not in the index may then belong to one of them. */
size_t dpkg_index_unread(const struct dpkg_index *ix);

#endif
