/* packages.h - Debian packages, through the host's own apt-get, apt-cache, apt-mark and dpkg-query.
 *
 * Every change is of exact versions, and beforehand apt says what it would do (packages_simulate).
 * Nothing is asked: configuration files that somebody changed stay as they are (--force-confold),
 * debconf takes its answers as they are, needrestart is told to wait. Nothing is removed, no
 * recommended package comes along. First all is fetched, which may be broken off; then dpkg works
 * with what is there, in a session of its own: it finishes even if we are killed, since half a
 * package is worse than either version. Whoever comes next waits for its lock, and configures what
 * it could not.
 *
 * Undone by packages_go_back(). */
#ifndef YAGURA_ACT_PACKAGES_H
#define YAGURA_ACT_PACKAGES_H

#include "base/error.h"
#include "base/mem.h"
#include "base/str.h"
#include "model/package_change.h"

#include <stddef.h>

/* What dpkg has of one package. */
struct package_state {
    const char *name, *arch, *version;
    bool hold;
    bool finished; /* "installed": unpacked and configured */
    bool there;    /* anything but removed */
};
struct package_states {
    VEC(struct package_state) list; /* sorted by name */
    struct arena *arena;
};
bool packages_look(struct package_states *out, struct error *e);
void packages_states_free(struct package_states *s);
#define CLEANUP_PACKAGE_STATES CLEANUP(packages_states_free)
/* By name and architecture ("all" fits any); NULL: not there. */
const struct package_state *packages_find(const struct package_states *s, const char *name,
                                          const char *arch);

/* What apt would do to bring these to their `to`: every package that changes, in the arena, with
 * `dependency` where it is none of those asked for. ERR_ABSENT: a version cannot be had; ERR_USAGE:
 * apt refuses, in its own words. */
struct package_changes {
    struct package_change *items;
    size_t count;
};
bool packages_simulate(struct package_changes *out, struct arena *arena,
                       const struct package_change *wanted, size_t count, struct error *e);

/* The hosts from which apt would fetch what is needed, each once, in the arena; what is in its
 * cache or on a medium has none. Nobody is asked over the network. */
bool packages_hosts(const char *const **out, size_t *hosts, struct arena *arena,
                    const struct package_change *wanted, size_t count, struct error *e);

/* Fetches what is needed. Nothing on the host is changed but apt's cache. */
bool packages_fetch(const struct package_change *wanted, size_t count, int log, struct error *e);
/* Installs what was fetched; what was installed automatically stays so. ERR_UNREADABLE: dpkg or a
 * script of a package failed; the log says how, and packages_look() what has become of it. */
bool packages_install(const struct package_change *wanted, size_t count, int log, struct error *e);
/* dpkg --configure -a: what an interrupted run has left. */
bool packages_configure(int log, struct error *e);

/* How to go back from `to` to `from`: a command to paste. What came newly is taken away. Where an
 * old version can be had no longer, neither from an archive nor from apt's cache, it is left out
 * and its "name=version" added to `missing`. */
bool packages_way_back(struct str *command, struct str *missing,
                       const struct package_change *changes, size_t count, struct error *e);
/* Does so; what was installed automatically stays so. ERR_ABSENT where a version cannot be had,
 * ERR_USAGE where apt refuses, or would take away more than what came newly. */
bool packages_go_back(const struct package_change *changes, size_t count, int log, struct error *e);

#endif
