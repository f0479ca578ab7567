/* bytes.h - the safe byte reader: the only way in which outside bytes are read.
 *
 * A reader is a view of a buffer that somebody else owns. Every read is bounds-checked; the
 * first one that fails sets `failed`, and from then on every read gives 0 or NULL, so a
 * parser may read a whole structure and look at `failed` once.
 *
 * Writing the same way is `struct str` (str.h) with bytes_put_*(). */
#ifndef YAGURA_BASE_BYTES_H
#define YAGURA_BASE_BYTES_H

#include "base/str.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct bytes {
    const uint8_t *data;
    size_t size;
    size_t position;
    bool failed;
};

struct bytes bytes_of(const void *data, size_t size);
size_t bytes_left(const struct bytes *b);
bool bytes_seek(struct bytes *b, size_t position); /* absolute; false (and failed) if beyond */
bool bytes_skip(struct bytes *b, size_t count);
uint8_t bytes_u8(struct bytes *b);
uint16_t bytes_u16le(struct bytes *b);
uint32_t bytes_u32le(struct bytes *b);
uint64_t bytes_u64le(struct bytes *b);
uint16_t bytes_u16be(struct bytes *b);
uint32_t bytes_u32be(struct bytes *b);
const uint8_t *bytes_take(struct bytes *b, size_t count); /* a view of `count` bytes, or NULL */
/* Copies `count` bytes out, or leaves `out` as it is; false (and failed) if they are not there. */
bool bytes_copy(struct bytes *b, void *out, size_t count);
/* A reader of `count` bytes from the absolute `offset`; failed if that is not all inside. */
struct bytes bytes_slice(const struct bytes *b, size_t offset, size_t count);
/* A string of u32le length and that many bytes, as bytes_put_string() wrote it; NULL if it
 * is cut short, too long for `most`, or has a NUL in it. Not terminated: length in *length. */
const char *bytes_string(struct bytes *b, size_t most, size_t *length);

void bytes_put_u8(struct str *out, uint8_t value);
void bytes_put_u16le(struct str *out, uint16_t value);
void bytes_put_u32le(struct str *out, uint32_t value);
void bytes_put_u64le(struct str *out, uint64_t value);
void bytes_put_string(struct str *out, const char *text); /* NULL is written as "" */

#endif
