#include "base/bytes.h"

#include <string.h>

struct bytes bytes_of(const void *data, size_t size)
{
    return (struct bytes){.data = data, .size = data ? size : 0};
}

size_t bytes_left(const struct bytes *b)
{
    return b->failed ? 0 : b->size - b->position;
}

const uint8_t *bytes_take(struct bytes *b, size_t count)
{
    if (b->failed || count > b->size - b->position) {
        b->failed = true;
        return NULL;
    }
    const uint8_t *p = b->data + b->position;
    b->position += count;
    return p;
}

bool bytes_seek(struct bytes *b, size_t position)
{
    if (b->failed || position > b->size) {
        b->failed = true;
        return false;
    }
    b->position = position;
    return true;
}

bool bytes_skip(struct bytes *b, size_t count)
{
    return bytes_take(b, count) || (!b->failed && !count);
}

static uint64_t take_le(struct bytes *b, size_t count)
{
    const uint8_t *p = bytes_take(b, count);
    uint64_t value = 0;
    for (size_t i = count; p && i > 0; i--)
        value = value << 8 | p[i - 1];
    return value;
}

static uint32_t take_be(struct bytes *b, size_t count)
{
    const uint8_t *p = bytes_take(b, count);
    uint32_t value = 0;
    for (size_t i = 0; p && i < count; i++)
        value = value << 8 | p[i];
    return value;
}

uint8_t bytes_u8(struct bytes *b)
{
    return (uint8_t)take_le(b, 1);
}

uint16_t bytes_u16le(struct bytes *b)
{
    return (uint16_t)take_le(b, 2);
}

uint32_t bytes_u32le(struct bytes *b)
{
    return (uint32_t)take_le(b, 4);
}

uint64_t bytes_u64le(struct bytes *b)
{
    return take_le(b, 8);
}

uint16_t bytes_u16be(struct bytes *b)
{
    return (uint16_t)take_be(b, 2);
}

uint32_t bytes_u32be(struct bytes *b)
{
    return take_be(b, 4);
}

bool bytes_copy(struct bytes *b, void *out, size_t count)
{
    const uint8_t *p = bytes_take(b, count);
    if (p && count)
        memcpy(out, p, count);
    return p != NULL;
}

struct bytes bytes_slice(const struct bytes *b, size_t offset, size_t count)
{
    if (b->failed || offset > b->size || count > b->size - offset)
        return (struct bytes){.failed = true};
    return bytes_of(b->data + offset, count);
}

const char *bytes_string(struct bytes *b, size_t most, size_t *length)
{
    uint32_t n = bytes_u32le(b);
    if (n > most) {
        b->failed = true;
        return NULL;
    }
    const uint8_t *p = bytes_take(b, n);
    if (!p || memchr(p, 0, n)) {
        b->failed = true;
        return NULL;
    }
    *length = n;
    return (const char *)p;
}

static void put_le(struct str *out, uint64_t value, size_t count)
{
    uint8_t bytes[8];
    for (size_t i = 0; i < count; i++)
        bytes[i] = (uint8_t)(value >> (8 * i));
    str_add_bytes(out, bytes, count);
}

void bytes_put_u8(struct str *out, uint8_t value)
{
    put_le(out, value, 1);
}

void bytes_put_u16le(struct str *out, uint16_t value)
{
    put_le(out, value, 2);
}

void bytes_put_u32le(struct str *out, uint32_t value)
{
    put_le(out, value, 4);
}

void bytes_put_u64le(struct str *out, uint64_t value)
{
    put_le(out, value, 8);
}

void bytes_put_string(struct str *out, const char *text)
{
    size_t length = text ? strlen(text) : 0;
    put_le(out, length, 4);
    str_add_bytes(out, text, length);
}
