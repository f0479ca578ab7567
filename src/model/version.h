/* version.h - the orders of versions, as a table.
 *
 * dpkg     Debian Policy 5.6.12: epoch, upstream, revision; ~ sorts before everything.
 * rpm      rpmvercmp of rpm 4.18 on [epoch:]version[-release]; ~ and ^ as there.
 * windows  up to four numbers, leading zeros mean nothing: 5.00.2195.2100 = 5.0.2195.2100.
 * solaris  patch numbers nnnnnn-rr: compared as (base, revision).
 * generic  what upstream projects print: 1.3.20, 4.1SP7: ordered like dpkg's upstream part. */
#ifndef YAGURA_MODEL_VERSION_H
#define YAGURA_MODEL_VERSION_H

#include "base/error.h"

#include <stddef.h>

enum version_scheme {
    VERSION_DPKG,
    VERSION_RPM,
    VERSION_WINDOWS,
    VERSION_SOLARIS,
    VERSION_GENERIC,
    VERSION_SCHEMES
};

const char *version_scheme_name(enum version_scheme scheme);
bool version_scheme_from_name(const char *name, enum version_scheme *out); /* also deb */

/* <0, 0 or >0. Total on any two strings: what is not valid is still ordered. */
int version_compare(enum version_scheme scheme, const char *a, const char *b);

/* Says what is wrong with a version, e.g. "1:0~~-". */
bool version_check(enum version_scheme scheme, const char *version, struct error *e);

/* A range: vers:SCHEME/C|C, or <1.3.20, or >=1.2,<1.4, or one plain version (equality). All
 * constraints hold together. `fallback` is the scheme where the text names none. */
struct version_constraint {
    char op[3]; /* "<" "<=" ">" ">=" "=" "!=" "*" */
    const char *version;
};
struct version_range {
    enum version_scheme scheme;
    size_t count;
    struct version_constraint constraints[8];
};
struct arena;
bool version_range_parse(struct version_range *out, struct arena *arena, const char *text,
                         enum version_scheme fallback, struct error *e);
bool version_range_has(const struct version_range *range, const char *version);

#endif
