/* collect.h - from a target to facts, in one pass, fetching just what is wanted.
 *
 * A source of facts is one file here and one row in collect_sources[] (collect.c). A source
 * runs inside a cage: it gets the target, the wants, the facts found so far (earlier rows
 * first) and adds its own. It judges nothing. What is not there it leaves out, or states as
 * absent where it was wanted; what could not be looked at it states with facts_unread() or as
 * an unreadable value. A source that dies or hangs costs only itself: the parent states it as
 * unread and goes on with the next row.
 *
 * Sources are written to be called again and again in one process; no static state. */
#ifndef YAGURA_COLLECT_COLLECT_H
#define YAGURA_COLLECT_COLLECT_H

#include "base/cache.h"
#include "base/cage.h"
#include "model/fact.h"
#include "target/target.h"

/* Wanted keys, sorted without regard to case, no duplicates: see docs/facts.md. */
struct wants {
    const char *const *items;
    size_t count;
};

struct windows;
struct origins;

/* What the facts are for: rows of the table serve one or more of these. */
enum collect_purpose {
    COLLECT_AUDIT = 1,       /* holes, settings, updates */
    COLLECT_PERSISTENCE = 2, /* what an intruder leaves to come back, and who may be somebody */
    COLLECT_FILES = 4,       /* with the last: every file of packages, every folder; seconds */
    COLLECT_SECRETS = 8,     /* what has to be changed after an intrusion */
    COLLECT_SITES = 16       /* what is served here, and on which ports: a few milliseconds */
};

/* How long files of packages are compared (COLLECT_FILES). One that was broken off goes on where it
 * was: in the same session, for an hour, with the files that are still as they were. */
enum { COLLECT_PATIENCE_MS = 30 * 60 * 1000, COLLECT_GOES_ON_SECONDS = 3600 };
struct collect_patience {
    unsigned ms;
    const char *session;     /* NULL: nothing is remembered */
    uint64_t *files, *bytes; /* counted up (relaxed atomics) for whoever shows it; may be NULL */
};

enum { COLLECT_MOST_THREADS = 8 };

struct collection {
    struct target *target;
    struct facts *facts; /* found so far; sources add to it */
    const struct wants *wants;
    const struct cache *cache; /* NULL = none; put() in a cage reaches the parent as a frame */
    struct arena *arena;       /* lives as long as the source runs */
    struct windows **windows;  /* kept for later rows of the same cage, so that hives are opened
                                  once: see windows_system.h; NULL = nobody keeps it */
    struct origins **origins;  /* the same of what dpkg knows: see origin.h */
    unsigned purposes;         /* of enum collect_purpose */
    const struct collect_patience *patience; /* NULL: what is asked besides, and done in seconds */
    /* That so many files and bytes more were compared; may be NULL. */
    void (*compared)(void *self, uint64_t files, uint64_t bytes);
    void *compared_self;
    unsigned threads; /* that read beside each other, this one included; 0 as 1, at most
                         COLLECT_MOST_THREADS */
    int netlink_fd;   /* live: a NETLINK_SOCK_DIAG socket opened by the parent, or -1 */
    int64_t now;      /* for staleness: the collector's clock */
};

struct collect_source {
    const char *name;    /* "debian/dpkg": shown where it fails */
    enum cage_kind cage; /* of targets that are not live CAGE_LIVE rows are stated as unread */
    /* Which targets it runs on: a mask of FAMILY_*; the family is found by the first rows. */
    unsigned families;
    unsigned purposes; /* it runs if any of them is asked for */
    void (*collect)(struct collection *c);
};

enum {
    FAMILY_ANY = 0x7fffffff,
    FAMILY_WINDOWS = 1,
    FAMILY_SOLARIS = 2,
    FAMILY_DEBIAN = 4,
    FAMILY_LINUX = 8, /* any Linux, Debian included */
    FAMILY_NONE = 16  /* nothing was recognised */
};

/* Runs all rows that fit and serve these purposes, in cages, and fills `facts`. Only a failure of
 * the machinery itself is an error; whatever a source could not look at is a fact of kind "unread".
 */
bool collect_all(struct facts *facts, struct target *target, const struct wants *wants,
                 unsigned purposes, const struct collect_patience *patience,
                 const struct cache *cache, int64_t now, struct error *e);

/* --- for sources --- */

/* The one fact of kind "host" (made by the first row that recognises the target), or NULL. */
struct fact *collect_host(struct collection *c);
bool collect_is_source(const char *name);             /* of a row: "linux/persistence cron" */
unsigned collect_families(const struct facts *facts); /* from the host fact */

/* All wants of one form: "file:", "file-version:", "HKLM\" ... : *first and *count are set to
 * the run of items that begin with `prefix` (the list is sorted). */
void wants_with_prefix(const struct wants *wants, const char *prefix, size_t *first, size_t *count);

/* What nobody put there is left out; what is there and cannot be had (a link that leads nowhere,
 * a FIFO, a folder in its place, no right to it) is never taken for that. These three say the
 * second themselves, as unread, and set *lost, which may be NULL and is never cleared. `what` is
 * that of the unread fact: a kind of records, so that rules know which may be missing. */

/* A text file, in the collection's arena; NULL if it is absent or was said to be unread. */
char *collect_text_of(struct collection *c, const char *what, const char *path, size_t most,
                      size_t *size, bool *lost);
/* The same where only the file itself can be named. */
char *collect_text(struct collection *c, const char *path, size_t most, size_t *size);
/* Whether there is a file or folder, links followed. */
bool collect_there(struct collection *c, const char *what, const char *path, bool *lost);
/* The names in a folder; none where it is absent or was said to be unread. */
size_t collect_list(struct collection *c, const char *what, const char *path,
                    struct target_entry **out, bool *lost);

/* States that this text, another tool's, has no files: all kinds that live in them are unread. */
void collect_text_unread(struct collection *c, const char *what, const char *reason);

/* One function a source; the table in collect.c names them. */
void collect_registry(struct collection *c);      /* windows: hives, host, wanted values */
void collect_windows(struct collection *c);       /* windows: hotfixes, services, shares ... */
void collect_windows_files(struct collection *c); /* windows: wanted files, PE versions, ACLs */
void collect_iis(struct collection *c);           /* iis: product, sites, vdirs, script maps */
void collect_windows_text(struct collection *c);  /* text target: systeminfo */
void collect_solaris_host(struct collection *c);
void collect_solaris_patches(struct collection *c);
void collect_solaris_services(struct collection *c); /* inetd.conf, rc files */
void collect_trust(struct collection *c);            /* .rhosts, hosts.equiv */
void collect_solaris_text(struct collection *c);     /* text target: showrev -p */
void collect_netscape(struct collection *c);
void collect_apache(struct collection *c);     /* Apache 1.3 of that time */
void collect_leavings(struct collection *c);   /* what the worms leave behind */
void collect_linux_host(struct collection *c); /* os-release, identity, support */
void collect_dpkg(struct collection *c);
void collect_apt(struct collection *c);
void collect_kernel(struct collection *c);
void collect_processes(struct collection *c);      /* live */
void collect_upstreams(struct collection *c);      /* live */
void collect_listeners(struct collection *c);      /* live */
void collect_stray_programs(struct collection *c); /* live */
void collect_containers(struct collection *c);
void collect_firewall(struct collection *c);
void collect_nginx(struct collection *c);
void collect_apache2(struct collection *c);
void collect_lighttpd(struct collection *c);
void collect_php_fpm(struct collection *c);
void collect_accounts(struct collection *c);        /* accounts.h */
void collect_persist_files(struct collection *c);   /* persistence.h: scripts at a start, a login */
void collect_persist_cron(struct collection *c);    /* cron, anacron, at */
void collect_persist_units(struct collection *c);   /* systemd */
void collect_persist_keys(struct collection *c);    /* authorized_keys */
void collect_persist_logins(struct collection *c);  /* PAM, sudo, ld.so.preload */
void collect_persist_servers(struct collection *c); /* modules, .htaccess, auto_prepend_file */
void collect_persist_windows(struct collection *c); /* run keys, services, Winlogon */
void collect_privileged_files(struct collection *c); /* set-uid, set-gid, capabilities */
void collect_packaged_files(struct collection *c);   /* what dpkg knows otherwise, or not */
void collect_secrets(struct collection *c);          /* what has to be changed, never its value */
void collect_unix_files(struct collection *c);       /* wanted file:, file-mode:, file-owner: */

#endif
