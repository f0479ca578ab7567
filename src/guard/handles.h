/* handles.h - which inode is which published entry: by the kernel's file handles, as fanotify
 * names them.
 *
 * A handle stays with an inode whatever name leads to it: so a write through a hard link that
 * somebody made outside the document root is known for what it is, and a directory is known
 * wherever it was moved. A table of 64-bit hashes (XXH3) of file system, type and bytes of the
 * handle: 16 bytes an entry. Two handles with one hash would have one be looked at for the
 * other's sake: harmless, as what is looked at is compared with what was published.
 *
 * Values: the number of a manifest entry, or HANDLE_OTHER | n for directories that are not
 * published but watched (in upload folders, and the folder aside). Not for two threads. */
#ifndef YAGURA_GUARD_HANDLES_H
#define YAGURA_GUARD_HANDLES_H

#include "base/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { HANDLE_BYTES = 128 }; /* MAX_HANDLE_SZ of the kernel */
#define HANDLE_NONE  UINT32_MAX
#define HANDLE_OTHER 0x80000000u

struct handles;

struct handles *handles_new(size_t expected);
void handles_free(struct handles *h);
void handles_cleanup(struct handles **h);

uint64_t handle_hash(uint64_t fsid, int type, const void *bytes, size_t size);

void handles_set(struct handles *h, uint64_t hash, uint32_t value);
void handles_remove(struct handles *h, uint64_t hash);
uint32_t handles_find(const struct handles *h, uint64_t hash); /* HANDLE_NONE if unknown */

/* The hash of what this name, or with "" this descriptor, is; links are not followed. `fsid` is
 * as handle_fsid() says. */
bool handle_of(uint64_t *hash, uint64_t fsid, int dirfd, const char *name, struct error *e);

/* The handle itself of an open directory; false if it is longer than `most`. */
bool handle_bytes_of(uint8_t *out, size_t most, size_t *size, int *type, int fd);

/* The directory that a handle is, open for reading; *fd -1: there is no such directory any
 * more. False if that cannot be told (no CAP_DAC_READ_SEARCH). `mount` is any descriptor on
 * the file system. */
bool handle_open_dir(int *fd, int mount, int type, const uint8_t *bytes, size_t size);

/* The file system's number, as fanotify reports it. */
bool handle_fsid(uint64_t *out, int fd, struct error *e);

#endif
