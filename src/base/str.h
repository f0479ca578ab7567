/* str.h - strings: a growable buffer and the few helpers that C lacks.
 *
 * Case folding here is that of ASCII only: names in registries, file systems and
 * configuration files of the servers we read are compared so. */
#ifndef YAGURA_BASE_STR_H
#define YAGURA_BASE_STR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A growable string, always terminated once something was added. */
struct str {
    char *data; /* NULL while empty; malloc block */
    size_t length, capacity;
};

void str_free(struct str *s);
#define CLEANUP_STR CLEANUP(str_free)
void str_add(struct str *s, const char *text);
void str_add_bytes(struct str *s, const void *bytes, size_t length);
void str_add_char(struct str *s, char c);
void str_printf(struct str *s, const char *format, ...)
    __attribute__((format(printf, 2, 3), nonnull(2)));
void str_clear(struct str *s);             /* keeps the memory */
const char *str_text(const struct str *s); /* "" while empty */

bool str_equal(const char *a, const char *b); /* NULL is equal to NULL only */
bool str_equal_nocase(const char *a, const char *b);
bool str_starts(const char *s, const char *prefix);
bool str_starts_nocase(const char *s, const char *prefix);
bool str_ends(const char *s, const char *suffix);
bool str_ends_nocase(const char *s, const char *suffix);
const char *str_find_nocase(const char *haystack, const char *needle);
char str_lower(char c);
char str_upper(char c);
void str_lower_all(char *s);
bool str_is_digit(char c);
bool str_is_space(char c); /* space, tab, CR, LF, VT, FF */

/* Cuts white space at both ends, in place, and returns the new start. */
char *str_trim(char *s);

/* Whole-string numbers; false on anything else, overflow included. */
bool str_to_u64(const char *s, uint64_t *out);     /* decimal */
bool str_hex_to_u64(const char *s, uint64_t *out); /* with or without 0x */

/* Walks through the lines of a buffer: *line and *length are set to each in turn, without
 * its "\n" or "\r\n". Start with *position = 0; false at the end. */
bool str_next_line(const char *data, size_t size, size_t *position, const char **line,
                   size_t *length);

/* The length of the longest prefix of well-formed UTF-8 (RFC 3629). */
size_t str_utf8_valid_prefix(const void *bytes, size_t length);
bool str_utf8_valid(const char *s);

/* Bytes of the character at `text`, of well-formed UTF-8, if it steers a terminal instead of being
 * seen, else 0: controls but newline and tab, those of U+0080 to U+009F too (ECMA-48, 5.3), and
 * what breaks lines or turns the direction of writing (UAX #9, 2), behind which a line can show
 * something else than it says. */
size_t str_steering(const char *text, size_t length);

/* Adds `bytes` as text for a person: well-formed UTF-8 stays, every other byte and what steers a
 * terminal becomes "\xNN". */
void str_add_printable(struct str *s, const void *bytes, size_t length);
/* Adds a file's name, for people and so that no other name is written the same: text stays as it
 * is, unless it has what reads as an escape; else it is printable, and the backslash of such a
 * place "\x5c". */
void str_add_name(struct str *s, const char *name);

/* Adds a word as a shell takes it: in single quotes unless it is plain. */
void str_add_shell_word(struct str *s, const char *word);

/* UTF-16 (lone surrogates become U+FFFD) and Windows-1252-ish single bytes to UTF-8. */
void str_add_utf16le(struct str *s, const void *bytes, size_t length_bytes);
void str_add_codepoint(struct str *s, uint32_t codepoint);

/* Levenshtein distance, for "did you mean". Strings over 63 bytes count as far apart. */
unsigned str_distance(const char *a, const char *b);

/* Like fnmatch with `*` and `?` only, ASCII case ignored if asked. Linear in practice and
 * never exponential. */
bool str_glob(const char *pattern, const char *s, bool nocase);

#endif
