/* secure.h - $Secure:$SDS of NTFS 3.x: all security descriptors of a volume in one stream.
 *
 * Entries of {u32 hash, u32 id, u64 offset of the entry, u32 length with this header} and the
 * descriptor, each at a multiple of 16; a block of 256 KiB is followed by its copy. (NTFS
 * documentation of the Linux-NTFS project, $Secure; the layout is also in ntfs-3g's layout.h.)
 *
 * Descriptors themselves: [MS-DTYP] 2.4.6, self-relative form. */
#ifndef YAGURA_IMAGE_SECURE_H
#define YAGURA_IMAGE_SECURE_H

#include "base/bytes.h"

enum { SECURE_BLOCK = 256 * 1024, SECURE_MOST_BYTES = 16 * 1024 * 1024 };

/* The descriptor with this id in the bytes of $SDS, a view; false if there is none. */
bool secure_find(const struct bytes *sds, uint32_t id, const uint8_t **out, size_t *size);

/* Whether it is a self-relative descriptor with all its parts inside. */
bool secure_is_descriptor(const void *data, size_t size);

#endif
