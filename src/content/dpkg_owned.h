/* dpkg_owned.h - files of a site that Debian packages own follow their package.
 *
 * What dpkg installed is accepted by dpkg's own record: ADMINDIR/info/PACKAGE.md5sums (MD5, so as
 * good as the package database, which only root writes) and PACKAGE.list. A file is let in if its
 * content is what the record says now. A record says nothing of owners and modes: those must be
 * as they were published, or harmless of a file that is new (root's, not for others to write, no
 * set-id), unless dpkg's own process was seen to make the change (`touched`). Links and names that
 * went have no MD5: they are let in only if dpkg's process was seen at them and its lists agree.
 *
 * ADMINDIR is /var/lib/dpkg, or DIR/var/lib/dpkg for what was installed with dpkg --root=DIR. */
#ifndef YAGURA_CONTENT_DPKG_OWNED_H
#define YAGURA_CONTENT_DPKG_OWNED_H

#include "base/json.h"
#include "content/site.h"
#include "content/verify.h"

#define DPKG_ADMINDIR "/var/lib/dpkg"

struct dpkg_owned;

/* What the record says of this document root. `touched`: names beneath it that dpkg's process
 * changed, each ended by NUL; may be NULL. */
bool dpkg_owned_load(struct dpkg_owned **out, const char *admindir, const struct site *site,
                     const char *touched, size_t touched_size, struct error *e);
void dpkg_owned_free(struct dpkg_owned *d);
void dpkg_owned_cleanup(struct dpkg_owned **d);

/* Are there records of this site that are newer than its published generation? */
bool dpkg_owned_is_newer(const struct dpkg_owned *d);

/* How many names beneath the document root the record lists. */
size_t dpkg_owned_count(const struct dpkg_owned *d);

/* Is this difference (of the site) let in? `dpkg_owned`: a struct dpkg_owned, as a context. */
bool dpkg_owned_lets_in(void *dpkg_owned, const struct difference *difference);

/* Publishes what it lets in; *count: how many names. `entry` is for the ledger and gets "by",
 * "proof" and "packages". */
bool dpkg_owned_publish(struct dpkg_owned *d, struct state *s, struct objects *objects,
                        struct site *site, json_t *entry, size_t *count, struct error *e);

#endif
