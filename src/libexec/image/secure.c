#include "libexec/image/secure.h"

enum {
    HEADER = 20,
    SELF_RELATIVE = 0x8000,
    SMALLEST_SID = 8,
    SMALLEST_ACL = 8,
};

bool secure_is_descriptor(const void *data, size_t size)
{
    struct bytes in = bytes_of(data, size);
    uint8_t revision = bytes_u8(&in);
    bytes_skip(&in, 1);
    uint16_t control = bytes_u16le(&in);
    if (in.failed || revision != 1 || !(control & SELF_RELATIVE))
        return false;
    for (int i = 0; i < 4; i++) { /* owner, group, SACL, DACL: 0 where it is missing */
        uint32_t offset = bytes_u32le(&in);
        size_t smallest = i < 2 ? SMALLEST_SID : SMALLEST_ACL;
        if (in.failed || (offset && (offset < HEADER || offset > size || size - offset < smallest)))
            return false;
    }
    return true;
}

/* The entry at `offset`: its id and length, or false where there is none. */
static bool entry_at(const struct bytes *sds, size_t offset, uint32_t *id, uint32_t *length)
{
    struct bytes in = *sds;
    bytes_seek(&in, offset);
    bytes_skip(&in, 4);
    *id = bytes_u32le(&in);
    uint64_t self = bytes_u64le(&in);
    *length = bytes_u32le(&in);
    return !in.failed && self == offset && *length > HEADER && *length <= SECURE_BLOCK &&
           *length <= sds->size - offset;
}

bool secure_find(const struct bytes *sds, uint32_t id, const uint8_t **out, size_t *size)
{
    for (size_t at = 0; at < sds->size;) {
        uint32_t found, length;
        if (!entry_at(sds, at, &found, &length)) {
            at = (at / SECURE_BLOCK + 2) *
                 SECURE_BLOCK; /* past the rest of the block, and its copy */
            continue;
        }
        if (found == id) {
            *out = sds->data + at + HEADER;
            *size = length - HEADER;
            return secure_is_descriptor(*out, *size);
        }
        at += (length + 15) & ~15u;
        if (at % SECURE_BLOCK == 0)
            at += SECURE_BLOCK;
    }
    return false;
}
