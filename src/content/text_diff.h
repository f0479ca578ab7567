/* text_diff.h - what changed between two texts, as a unified diff (POSIX diff -u).
 *
 * Bytes of an attacker: both are bounded, and nothing is assumed of them; what is no text (a NUL
 * in the first 8,000 bytes, as git decides) is said to be binary. The shortest script is looked
 * for (E. Myers, "An O(ND) Difference Algorithm", 1986) up to 1,000 differing lines; beyond that
 * the whole middle is one change. Lines are as they are: the view makes them printable. */
#ifndef YAGURA_CONTENT_TEXT_DIFF_H
#define YAGURA_CONTENT_TEXT_DIFF_H

#include "base/str.h"

#include <stdbool.h>

bool text_is_binary(const void *bytes, size_t size);

/* Adds the hunks, with `context` lines around each change; nothing if the texts are the same.
 * The two lines with the names are the caller's. */
void text_diff(struct str *out, const char *old, size_t old_size, const char *new, size_t new_size,
               unsigned context);

#endif
