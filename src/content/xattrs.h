/* xattrs.h - extended attributes in the packed form of manifest.h: (u16 size of the name, u16
 * zero, u32 size of the value, name, value)*, sorted by name.
 *
 * Linux keeps capabilities (security.capability), POSIX access lists (system.posix_acl_*) and
 * labels of security modules there. Which of them a user may read differs: what cannot be
 * listed is not there. Attributes that the kernel makes up for a file (system.nfs4_acl and the
 * like of network file systems) are left out: only user., trusted., security. and
 * system.posix_acl_ are kept. */
#ifndef YAGURA_CONTENT_XATTRS_H
#define YAGURA_CONTENT_XATTRS_H

#include "base/error.h"
#include "base/mem.h"

#include <stddef.h>
#include <stdint.h>

/* *out is NULL and *size 0 if there are none, or the file system has none. In the arena. */
bool xattrs_read_fd(const uint8_t **out, size_t *size, int fd, struct arena *arena,
                    struct error *e);
/* Of a name in a directory, without following a link; never opens what it names. */
bool xattrs_read_name(const uint8_t **out, size_t *size, int dirfd, const char *name,
                      struct arena *arena, struct error *e);

/* Makes the attributes of an open file (or O_PATH descriptor) exactly these. Those that this
 * process may not set are ERR_UNREADABLE, after the others have been set. */
bool xattrs_write_fd(int fd, const uint8_t *wanted, size_t size, struct error *e);

/* One attribute of the packed form; false at the end. *position starts at 0. */
bool xattrs_next(const uint8_t *packed, size_t size, size_t *position, const char **name,
                 size_t *name_size, const uint8_t **value, size_t *value_size);

#endif
