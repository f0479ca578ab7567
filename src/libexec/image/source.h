/* source.h - the bytes of a disk: a raw image, or a VMDK.
 *
 * The format is told by the magic number alone, never by the name. VMDK: "Virtual Disk Format
 * 5.0" of VMware (2011): hosted sparse extents ("KDMV", also the compressed ones of
 * streamOptimized), and the text descriptor with its flat, sparse and zero extents, which lie
 * beside it. What we do not read is named, with the command that converts it. */
#ifndef YAGURA_IMAGE_SOURCE_H
#define YAGURA_IMAGE_SOURCE_H

#include "base/error.h"

#include <stddef.h>
#include <stdint.h>

struct source;

enum { SOURCE_SECTOR = 512 };

/* Whether the file, whose first bytes these are, needs others beside it. */
bool source_needs_folder(const void *first, size_t size);

/* Keeps fd and dirfd (-1 if not needed). */
bool source_open(struct source **out, int fd, int dirfd, struct error *e);
void source_free(struct source *s);
void source_cleanup(struct source **s);
uint64_t source_size(const struct source *s);
const char *source_format(const struct source *s); /* "raw", "VMDK" */

/* All of `count` bytes, or false: beyond the end, or damaged. */
bool source_read(struct source *s, uint64_t offset, void *buffer, size_t count);

#endif
