/* policy.h - what may change in a site, path by path.
 *
 * Patterns are those of gitignore(5): "/x" and "a/b" are anchored at the document root, "x" is
 * found at any depth, "x/" is directories only, "*" and "?" stop at "/", "**" does not, "[a-z]"
 * and "[!a]" are sets ("[[:digit:]]" too), "\" takes the next character as it is, blanks at the end
 * do not count; the last pattern that fits wins.
 * A "!" in front is not needed (a later pattern with another policy says the same) and is
 * refused. A directory's policy holds for all beneath it until a pattern fits something there.
 *
 *   fixed   what was published stays as it was published: changes are undone (the default)
 *   append  the file may only grow: what was published stays its beginning
 *   upload  new files are allowed and may change, but none that the server would execute
 *   free    reported, never undone
 *   ignore  not looked at, not kept */
#ifndef YAGURA_CONTENT_POLICY_H
#define YAGURA_CONTENT_POLICY_H

#include "base/error.h"

#include <stdbool.h>
#include <stddef.h>

enum policy { POLICY_FIXED, POLICY_APPEND, POLICY_UPLOAD, POLICY_FREE, POLICY_IGNORE };
enum { POLICY_COUNT = POLICY_IGNORE + 1 };

const char *policy_name(enum policy p);
bool policy_from_name(const char *name, enum policy *out);

struct policies;

struct policies *policies_new(void);
void policies_free(struct policies *p);
void policies_cleanup(struct policies **p);

/* Adds a pattern behind those there are. ERR_FORMAT with what is wrong with it. */
bool policies_add(struct policies *p, const char *pattern, enum policy policy, struct error *e);

size_t policies_count(const struct policies *p);
const char *policies_pattern(const struct policies *p, size_t i, enum policy *policy);

/* Of an entry, given that of its directory (`above`; the root's is POLICY_FIXED or what "/"
 * says). `path` is beneath the document root, without a slash in front. */
enum policy policy_of(const struct policies *p, const char *path, bool is_dir, enum policy above);

/* The same from the path alone, looking at each directory above it. */
enum policy policy_of_path(const struct policies *p, const char *path, bool is_dir);

#endif
