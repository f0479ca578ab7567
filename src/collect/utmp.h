/* utmp.h - who logged in: utmp(5), wtmp, btmp and lastlog, in the layout of this machine's libc.
 *
 * Whoever has become root can write these files: what they say is a hint, and what they do not
 * say is none. A file is a row of `struct utmp`; lastlog is an array with a `struct lastlog` a
 * user number, and mostly holes. */
#ifndef YAGURA_COLLECT_UTMP_H
#define YAGURA_COLLECT_UTMP_H

#include <stddef.h>
#include <stdint.h>

struct utmp_entry {
    const char *type; /* "login", "logout", "boot", "shutdown", "clock", "other" */
    char user[33], line[33], host[257], address[46];
    int64_t seconds; /* since 1970 */
    int pid;
};
typedef void utmp_visit(void *context, const struct utmp_entry *entry);

/* Whole records; a rest at the end is left out. Returns how many bytes were left out. */
size_t utmp_parse(const void *data, size_t size, utmp_visit *visit, void *context);

/* A piece of lastlog that begins at the record of user `first`. Users that never logged in are
 * left out; `line` and `host` are the last login's. */
typedef void utmp_last_visit(void *context, uint64_t uid, const struct utmp_entry *entry);
size_t utmp_parse_last(const void *data, size_t size, uint64_t first, utmp_last_visit *visit,
                       void *context);
/* Of a record of either. */
size_t utmp_size(void);
size_t utmp_last_size(void);

#endif
