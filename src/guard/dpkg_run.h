/* dpkg_run.h - what dpkg itself changes waits until dpkg has ended and its record can be asked.
 *
 * dpkg's process is known by its lock (ADMINDIR/lock, fcntl(2)): the kernel says who holds it.
 * What that process does to a guarded name is noted, and the name is left alone meanwhile;
 * everybody else's changes are undone as ever. At the end the program accepts what the record
 * bears out (content/dpkg_owned.h), and all that was noted is looked at.
 *
 * A name waits at most DPKG_RUN_MOST_S, so that nobody is let off by holding the lock. */
#ifndef YAGURA_GUARD_DPKG_RUN_H
#define YAGURA_GUARD_DPKG_RUN_H

#include "base/str.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

enum { DPKG_RUN_MOST_S = 900 };

struct dpkg_run;

/* NULL where there is no dpkg, or its lock may not be looked at. */
struct dpkg_run *dpkg_run_open(const char *admindir, size_t sites);
void dpkg_run_close(struct dpkg_run *d);

/* Is this process dpkg at work? */
bool dpkg_run_is(struct dpkg_run *d, pid_t pid);

/* `by_dpkg`: dpkg's process was seen at it; else it only waits with the others. */
void dpkg_run_note(struct dpkg_run *d, size_t site, const char *path, bool by_dpkg);
bool dpkg_run_waits(const struct dpkg_run *d, size_t site, const char *path);
bool dpkg_run_any(const struct dpkg_run *d);

/* Something waits, and dpkg has ended (or has had its time). */
bool dpkg_run_ended(const struct dpkg_run *d);

/* The names of a site, each ended by NUL: those that dpkg's process was seen at, or all. */
void dpkg_run_names(const struct dpkg_run *d, size_t site, bool only_by_dpkg, struct str *out);
void dpkg_run_forget(struct dpkg_run *d);

#endif
