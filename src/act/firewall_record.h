/* firewall_record.h - what the state keeps of our two tables (firewall.json, ports.json), and what
 * all tables of this host look like just now: for firewall.c only.
 *
 * A table's digest is SHA-256 of how nft lists it without counters and without what is in its sets
 * (nft -s -t): an address that fail2ban or Docker adds to a set is no change of rules. That of our
 * own has what is in its sets: an address more would be a way in more. */
#ifndef YAGURA_ACT_FIREWALL_RECORD_H
#define YAGURA_ACT_FIREWALL_RECORD_H

#include "act/firewall.h"
#include "base/json.h"

/* Names of the files and the table of a scope. */
struct firewall_names {
    const char *table;  /* "yagura" */
    const char *record; /* "firewall.json" */
    const char *rules;  /* "firewall.nft": loaded at every start */
};
const struct firewall_names *firewall_names_of(enum firewall_scope scope);

uint64_t firewall_boot_ms(void);     /* CLOCK_BOOTTIME */
void firewall_boot_id(char out[40]); /* of this run of the kernel */

/* NULL and ERR_ABSENT where there is none, ERR_CORRUPT where it makes no sense. */
json_t *firewall_record_read(int state_dirfd, enum firewall_scope scope, struct error *e);
bool firewall_record_write(int state_dirfd, enum firewall_scope scope, const json_t *record,
                           struct error *e);

/* {"ip filter": DIGEST, ...} of all tables but ours; *own is ours, or "" where it is not there. */
json_t *firewall_tables(enum firewall_scope scope, char own[65], struct error *e);
/* The same of what nft has said, but for ours. */
json_t *firewall_tables_of(const char *listed);
/* "ip filter, inet x": those that are not the same in both. */
void firewall_tables_differ(char *out, size_t size, const json_t *before, const json_t *now);

/* Whether our rules match: `live` has its elements. */
bool firewall_is_live(enum firewall_scope scope);

#endif
