/* stat_index.h - what the kernel said of each file when it was last known to be as published:
 * a cache beside a manifest, one record an entry, by which a file need not be read again.
 *
 * File: "YAGURAS1", u32 entries, u32 zero, 32 bytes SHA-256 of the manifest, then for each
 * entry u64 inode number, u64 device, i64 ctime (ns). Inode 0: nothing is known. It is signed
 * by nobody: it lies in the state folder, that only its owner may read, and who can write there
 * can replace the program as well.
 *
 * A file is trusted if inode, device and ctime are as here, and size and mtime as in the
 * manifest. Nobody sets a ctime back without setting the clock of the host; and a ctime that
 * is less than two seconds older than the look at it is not kept at all, as a change in the
 * same tick of the clock would not show. */
#ifndef YAGURA_CONTENT_STAT_INDEX_H
#define YAGURA_CONTENT_STAT_INDEX_H

#include "base/error.h"
#include "content/manifest.h"

#include <stdint.h>
#include <sys/stat.h>

struct stat_index;

/* An empty one for this manifest; that of the file `name`, where it fits this manifest, with
 * what it knows. A file that does not fit is as good as none. */
struct stat_index *stat_index_new(const struct manifest *m, const uint8_t manifest_sha256[32]);
struct stat_index *stat_index_load(const struct manifest *m, const uint8_t manifest_sha256[32],
                                   int dirfd, const char *name);
void stat_index_free(struct stat_index *s);
void stat_index_cleanup(struct stat_index **s);
bool stat_index_save(const struct stat_index *s, int dirfd, const char *name, struct error *e);

/* Notes that entry `index` was found as published with this stat, looked at `now_ns`. Different
 * entries may be noted by different threads. */
void stat_index_note(struct stat_index *s, uint32_t index, const struct stat *st, int64_t now_ns);
bool stat_index_trusts(const struct stat_index *s, uint32_t index,
                       const struct manifest_entry *entry, const struct stat *st);

#endif
