/* os_support.h - until when a release of Debian or Ubuntu gets security updates.
 *
 * The dates are those of distro-info-data (/usr/share/distro-info/debian.csv and ubuntu.csv,
 * columns by their names in the first line: version, series, eol, eol-lts, eol-elts, eol-esm).
 * They are read as they lie on the target. Where the target has none, or its table does not
 * say (it was written before the date was set), a table of our own answers: the same data as
 * of distro-info-data 0.58+deb12u6; the fact then says so, and the analyst's own host is never
 * asked. */
#ifndef YAGURA_COLLECT_OS_SUPPORT_H
#define YAGURA_COLLECT_OS_SUPPORT_H

#include "base/mem.h"

#include <stddef.h>
#include <stdint.h>

struct os_support {
    const char *series;   /* "bookworm" */
    const char *eol;      /* YYYY-MM-DD, "" where unknown */
    const char *eol_lts;  /* Debian: the LTS project goes on until then */
    const char *eol_paid; /* Debian: Extended LTS; Ubuntu: Pro (ESM) */
    uint64_t line;        /* in the file it was read from; 0 = our own table */
};

/* Finds a release in the text of a CSV table by series ("bookworm") or, where that is NULL or
 * not found, by version ("12", "22.04"). Strings in the arena. */
bool os_support_find(struct os_support *out, struct arena *arena, const char *text, size_t size,
                     const char *series, const char *version);

/* The same out of our own table; `distribution` is "debian" or "ubuntu". */
bool os_support_builtin(struct os_support *out, const char *distribution, const char *series,
                        const char *version);
/* "distro-info-data 0.58+deb12u6, as shipped with yagura" */
const char *os_support_builtin_source(void);

#endif
