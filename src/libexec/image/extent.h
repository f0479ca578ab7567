/* extent.h - one file of a disk: flat, or a hosted sparse extent of VMware. */
#ifndef YAGURA_IMAGE_EXTENT_H
#define YAGURA_IMAGE_EXTENT_H

#include "base/error.h"

#include <stddef.h>
#include <stdint.h>

struct extent;

/* `size` bytes from `offset` of the file, and zeros beyond its end are not made up. */
struct extent *extent_flat(int fd, uint64_t offset, uint64_t size);
struct extent *extent_zero(uint64_t size);
bool extent_sparse(struct extent **out, int fd, struct error *e);
void extent_free(struct extent *x); /* does not close the descriptor */
uint64_t extent_size(const struct extent *x);
bool extent_read(struct extent *x, uint64_t offset, void *buffer, size_t count);

#endif
