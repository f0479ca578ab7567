/* apt.h - which updates apt would offer, without running it.
 *
 * From what lies under /etc/apt and /var/lib/apt/lists, and from the "package" facts found
 * before, these facts are made:
 *
 *   update-source  one for each configured archive, component and architecture. States:
 *     missing      configured, and no list of it is there;
 *     unreadable   the list, or the Release file it belongs to, could not be read;
 *     expired      Valid-Until of its Release file has passed;
 *     stale        it has no Valid-Until, and the last successful update is over 30 days old:
 *                  by apt's own stamp, /var/lib/apt/periodic/update-success-stamp (its mtime),
 *                  else by the newest ctime of a file in lists/ (never by Date: or mtime, which
 *                  are the archive's, nor by the folder partial/, which failed updates touch);
 *                  `refreshed` says when, `refreshed_from` by which of the two. A ctime tells
 *                  nothing where the tree was copied with its times kept (an unpacked backup, the
 *                  layer of a container): there every ctime is that of the copying. Files that
 *                  dpkg wrote tell it, being older by their mtime; up to an hour behind the
 *                  newest of them no ctime is believed: stale, `reason` says so;
 *     fresh        otherwise.
 *     Lists that belong to no configured archive are left out; so are CD-ROMs as sources of
 *     freshness.
 *   update         a package for which a newer version would be installed (what `apt list
 *     --upgradable` prints), or whose security update is kept away by a pin. `security` is yes
 *     where the candidate comes from a security archive, and where a version from one lies
 *     between the installed one and the candidate; `security_version` is the newest of those.
 *     `held`: "hold" (dpkg), "pin" (a security version is there that the policy does not
 *     choose), "phased" (not this machine's turn yet).
 *
 * Two builds of the same version are taken for the same, where apt compares hashes. */
#ifndef YAGURA_COLLECT_APT_H
#define YAGURA_COLLECT_APT_H

#include "collect/apt_conf.h"
#include "collect/apt_lists.h"
#include "collect/apt_policy.h"
#include "collect/apt_release.h"
#include "collect/apt_sources.h"
#include "collect/collect.h"

enum { APT_STALE_AFTER_SECONDS = 30 * 24 * 3600, APT_MOST_LISTS = 256, APT_MOST_ARCHES = 16 };

/* A list that is there and could be read. */
struct apt_offer {
    struct apt_list list;
    char *owned; /* free() it; NULL where the table is the cache's */
    struct apt_origin origin;
    bool security;
    const char *path;  /* of the list */
    const char *shown; /* "http://mirror.example/debian bookworm/main" */
};

/* Everything that is known of apt on one target; lives in the collection's arena. */
struct apt_state {
    struct collection *c;
    struct apt_conf conf;
    struct apt_sources sources;
    struct apt_policy policy;
    const char *arches[APT_MOST_ARCHES];
    size_t arch_count;
    VEC(struct apt_offer) offers;
    const char *lists; /* the folder; "/var/lib/apt/lists" unless apt.conf says another */
    int64_t refreshed; /* DATE_NONE: not known */
    const char *refreshed_from, *not_refreshed; /* by which stamp; why it is not known */
    size_t includes, depth;                     /* of #include in apt.conf */
};

/* apt_config.c: reads /etc/apt. */
void apt_read_config(struct apt_state *s);
/* apt_archives.c: reads the lists, and states the update-source facts. */
void apt_read_archives(struct apt_state *s);

#endif
