/* scan.h - has somebody been in? What attackers leave behind, found and judged.
 *
 * A scan is an audit of other facts: what stands in the bytes of files (collect/scan.h), and, where
 * a whole target is looked at, what its collectors state of other traces. Rules judge both; only
 * those over a kind in scan_kinds[] (scan.c) speak, and only what they want is fetched. A further
 * source of such facts is a row of collect.c, its rules a file in data/rules/scan/ and its kind a
 * word in that table: nothing else has to be changed.
 *
 * Nothing is remembered but, where it is asked for, whose an id is (audit_remember_ids()): what is
 * found is acted upon, or looked for again. */
#ifndef YAGURA_AUDIT_SCAN_H
#define YAGURA_AUDIT_SCAN_H

#include "audit/audit.h"
#include "collect/scan.h"

/* `target` says which target, name and state; of `bytes` the paths, and rules of the user's own
 * besides the shipped ones. Without paths a whole target: of this host what its web servers and
 * guards know as document roots, and where everybody may write. The audit's `advisories` is NULL.
 */
bool audit_scan(struct audit **out, struct scan_result *result, const struct audit_request *target,
                const struct scan_request *bytes, struct error *e);

/* The same of this host, for who has scanned it a while ago: all that its collectors state (what
 * starts by itself, files of packages), what runs, and the sites, but of files only the bytes of
 * these paths; those that are not there are left out. */
bool audit_scan_again(struct audit **out, struct scan_result *result,
                      const struct audit_request *target, const struct scan_request *bytes,
                      struct error *e);

#endif
