/* apt_lists.h - one list of an archive (Packages) as a compact sorted table.
 *
 * A list has 60,000 stanzas and more; it is unpacked and read once, in pieces, into a table of
 * what is needed to answer "which versions of NAME does this list offer": name, version,
 * architecture, and, for updates that are being phased in (Ubuntu), the percentage and the
 * source. The table is a flat buffer that goes into the cache as it is.
 *
 *   u32 magic, u32 where the index begins; then the records:
 *   u8 name length, u8 version length, u8 architecture, u8 phased (100 = to everyone);
 *   where phased < 100: u8 source length, u8 source version length; then the texts.
 *   The index, behind them so that the table grows in one place: u32 architectures, each: u8
 *   length, text; u32 count, count x u32 offset of a record, by name, then as in the list.
 *
 * What comes back from the cache is hostile: it is read with bytes.h only. */
#ifndef YAGURA_COLLECT_APT_LISTS_H
#define YAGURA_COLLECT_APT_LISTS_H

#include "base/bytes.h"
#include "base/cache.h"
#include "base/error.h"
#include "base/str.h"
#include "collect/unpack.h"

struct apt_text {
    const char *text; /* not terminated */
    size_t length;
};

struct apt_entry {
    struct apt_text name, version, arch;
    unsigned phased;                        /* per cent; 100 where it is not being phased */
    struct apt_text source, source_version; /* only where phased < 100 */
};

struct apt_list {
    struct bytes all;
    struct apt_text arches[16];
    uint32_t arch_count, count;
    size_t offsets; /* where the offsets begin */
};

/* Reads a whole Packages stream into a table. Stanzas that cannot be kept (no name or version,
 * a text over 255 bytes) are counted in *skipped. */
bool apt_list_build(struct str *table, uint64_t *skipped, struct unpack *in, struct error *e);

bool apt_list_open(struct apt_list *out, const void *table, size_t size);
/* The entries named so: they are *first to *first + *count - 1. False if there are none. */
bool apt_list_find(const struct apt_list *list, const char *name, uint32_t *first, uint32_t *count);
bool apt_list_at(const struct apt_list *list, uint32_t index, struct apt_entry *out);

/* The table of a file of the target, out of the cache or newly made. *owned is set to a block
 * to free() where it was made. The key names path, size, times and inode. */
bool apt_list_load(struct apt_list *out, char **owned, uint64_t *skipped, struct target *target,
                   const char *path, const struct cache *cache, struct error *e);

#endif
