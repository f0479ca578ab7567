/* deb822.h - reads the "Field: value" files of Debian: dpkg's status, apt's Packages and
 * Release files, preferences, *.sources (deb822(5), Debian Policy 5.1).
 *
 * Nothing is copied: names and values are views of the buffer, which the caller keeps.
 * Stanzas end at an empty line; a line that begins with a space or a tab goes on with the
 * field above it; a line that begins with # is a comment; a line without a colon is counted
 * in `malformed` and left out. Field names are compared without regard to case. Lines may
 * end in CR LF. A buffer may be cut anywhere: what is there is read. */
#ifndef YAGURA_COLLECT_DEB822_H
#define YAGURA_COLLECT_DEB822_H

#include "base/mem.h"
#include "base/str.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct deb822 {
    const char *data;
    size_t size, position;
    uint64_t line;           /* of what was read last; 1-based */
    uint64_t malformed;      /* lines that were no field */
    uint64_t malformed_line; /* the first of them */
    bool in_stanza;
};

struct deb822_field {
    const char *name; /* not terminated */
    size_t name_length;
    const char *value; /* white space at both ends cut; continuation lines inside as they are */
    size_t value_length;
    uint64_t line; /* of the name */
};

enum deb822_event { DEB822_FIELD, DEB822_END_OF_STANZA, DEB822_END };

struct deb822 deb822_of(const char *data, size_t size);

/* The next field; the end of a stanza is told once, also before DEB822_END where the last
 * stanza has no empty line behind it. Empty stanzas are not told. */
enum deb822_event deb822_next(struct deb822 *r, struct deb822_field *field);

bool deb822_is(const struct deb822_field *field, const char *name);
char *deb822_value(struct arena *arena, const struct deb822_field *field); /* terminated */

/* Picks fields of one stanza by a table of names: values[i] belongs to names[i], its `name` is
 * NULL where the stanza does not have it; of two fields of one name the later counts. Names
 * begin with a letter.
 * *line is that of the stanza's first field. False at the end. */
bool deb822_stanza(struct deb822 *r, const char *const *names, struct deb822_field *values,
                   size_t count, uint64_t *line);

/* The words of a value, separated by white space: start with *position = 0. Comment lines in
 * the middle of a value (deb822(5) of apt) are passed over. */
bool deb822_word(const struct deb822_field *field, size_t *position, const char **word,
                 size_t *length);

#endif
