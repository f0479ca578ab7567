/* binary_strings.h - a version that a program carries as text: "Apache/1.3.12 (Unix)".
 *
 * Programs of the time print their version from a string in the binary. The first printable
 * run that begins with one of the prefixes is taken, as strings(1) would show it. Bounded:
 * at most 32 MiB are read, and at most 120 bytes of the run are kept. */
#ifndef YAGURA_COLLECT_BINARY_STRINGS_H
#define YAGURA_COLLECT_BINARY_STRINGS_H

#include "collect/collect.h"

/* NULL if the file is absent or has no such run; what cannot be read is stated as unread. The
 * run is in the collection's arena, *offset where it stands in the file. */
const char *binary_string(struct collection *c, const char *path, const char *const *prefixes,
                          size_t count, int64_t *offset);

/* The same over bytes, for tests and fuzzing. Not terminated; *length of it. */
const char *binary_string_in(const char *data, size_t size, const char *const *prefixes,
                             size_t count, size_t *length);

#endif
