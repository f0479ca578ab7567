/* manifest_format.h - the numbers of the format that manifest.h describes, for its reader and
 * its writer only. */
#ifndef YAGURA_CONTENT_MANIFEST_FORMAT_H
#define YAGURA_CONTENT_MANIFEST_FORMAT_H

#include <stdint.h>

#define MANIFEST_MAGIC "YAGURAM1"
enum { MANIFEST_VERSION = 1, MANIFEST_SITE_SIZE = 64, MANIFEST_HEADER_SIZE = 256 };

/* As they lie in the file; every machine this runs on is little-endian (checked there). */
struct manifest_header {
    char magic[8];
    uint32_t version, count;
    uint64_t generation;
    int64_t made_ns;
    uint64_t names_offset, names_size, extras_offset, extras_size;
    uint8_t previous[32];
    char site[MANIFEST_SITE_SIZE];
    uint8_t zeros[96];
};
_Static_assert(sizeof(struct manifest_header) == MANIFEST_HEADER_SIZE, "as documented");

struct manifest_record {
    uint8_t sha256[32];
    uint64_t size; /* directories: first child | count << 32 */
    int64_t mtime_ns;
    uint32_t uid, gid;
    uint32_t name;
    uint32_t parent;
    uint32_t extra; /* offset + 1; 0: none */
    uint16_t mode;
    uint16_t name_length;
};
_Static_assert(sizeof(struct manifest_record) == 72, "as documented");

#if __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "the manifest is mapped as it lies: a big-endian machine needs a conversion here"
#endif

#endif
