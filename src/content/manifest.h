/* manifest.h - what a site was when it was published: one file a generation, read by mmap.
 *
 * For every path beneath the document root: type, mode, owner, group, size, modification
 * time, SHA-256 of the content, target of a symbolic link, extended attributes (capabilities
 * and POSIX access lists are extended attributes to Linux). Not kept: access and change
 * times, inode numbers, and which names are hard links of one another; a restored file is a
 * file of its own.
 *
 * File format, version 1, all numbers little-endian:
 *
 *   offset 0    "YAGURAM1"
 *          8    u32 version (1), u32 number of entries
 *         16    u64 generation (1, 2, ...), i64 when made (nanoseconds since 1970, UTC)
 *         32    u64 offset and u64 size of the names, u64 offset and u64 size of the extras
 *         64    32 bytes: SHA-256 of the manifest before this one, zeros for the first
 *         96    64 bytes: name of the site, padded with NULs
 *        160    96 bytes: zeros
 *        256    the entries, 72 bytes each:
 *                 32 bytes SHA-256 (regular files; else zeros), u64 size, i64 mtime (ns),
 *                 u32 uid, u32 gid, u32 name (offset in the names), u32 parent (entry number),
 *                 u32 extra (offset in the extras + 1; 0: none), u16 mode (as st_mode),
 *                 u16 length of the name
 *               of a directory, size is its first child | number of children << 32
 *          names  the bytes of the names, one after the other, unterminated
 *          extras records: u32 size of the link target, u32 size of the attributes, then both;
 *                 attributes are (u16 size of the name, u16 zero, u32 size of the value, name,
 *                 value)*, sorted by name
 *
 * Entry 0 is the document root itself, with an empty name. The children of a directory lie
 * side by side, sorted by the bytes of their names: so a path is found by one binary search a
 * component, and a directory is compared with the disk in one pass. An entry costs 72 bytes
 * and its name: 90 bytes a file on an ordinary site.
 *
 * manifest_open() checks every offset, order and name once (no name is empty, ".", "..", or
 * has a "/" or NUL in it; every parent lies before its children): what is read afterwards is
 * in bounds. Whether the file is the one that was signed is the caller's question: see
 * generations.h. */
#ifndef YAGURA_CONTENT_MANIFEST_H
#define YAGURA_CONTENT_MANIFEST_H

#include "base/error.h"
#include "base/str.h"

#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>

struct manifest;

#define MANIFEST_NONE UINT32_MAX
enum { MANIFEST_ROOT = 0 };

struct manifest_entry {
    const char *name; /* not terminated */
    size_t name_length;
    uint32_t parent;
    mode_t mode;
    uid_t uid;
    gid_t gid;
    uint64_t size;         /* regular files: bytes; links: of the target; else 0 */
    int64_t mtime_ns;      /* nanoseconds since 1970 */
    const uint8_t *sha256; /* regular files; else NULL */
    const char *target;    /* links; else NULL; not terminated */
    size_t target_size;
    const uint8_t *xattrs; /* as in the format; NULL if there are none */
    size_t xattrs_size;
    uint32_t first_child, child_count; /* directories; else 0 */
};

/* Maps the bytes of `fd` (the descriptor stays the caller's). ERR_FORMAT if they are no sound
 * manifest, ERR_UNSUPPORTED if they are of a newer version. */
bool manifest_open(struct manifest **out, int fd, struct error *e);
/* The same over bytes in memory, which stay the caller's and must outlive it. */
bool manifest_of_bytes(struct manifest **out, const void *bytes, size_t size, struct error *e);
void manifest_free(struct manifest *m);
void manifest_cleanup(struct manifest **m);

uint32_t manifest_count(const struct manifest *m); /* the root included */
uint64_t manifest_generation(const struct manifest *m);
int64_t manifest_made_ns(const struct manifest *m);
const char *manifest_site(const struct manifest *m);
void manifest_bytes(const struct manifest *m, const void **bytes, size_t *size);

void manifest_entry(const struct manifest *m, uint32_t index, struct manifest_entry *out);

/* Files, directories and links: nothing else stands in a manifest. */
bool manifest_has_type(mode_t mode);

/* The child of a directory with this name, or MANIFEST_NONE. */
uint32_t manifest_child(const struct manifest *m, uint32_t directory, const char *name,
                        size_t length);
/* "" is the root; no leading slash. MANIFEST_NONE if there is none. */
uint32_t manifest_find(const struct manifest *m, const char *path, size_t length);
/* Adds the path of an entry ("" for the root). */
void manifest_add_path(const struct manifest *m, uint32_t index, struct str *path);

#endif
