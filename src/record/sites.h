/* sites.h - the sites under guard, as the state remembers them.
 *
 * Table site of state.db: name, document root (absolute), profile, the accepted generation and
 * the SHA-256 of its manifest. That row is what "published" means: a manifest with a higher
 * number that no row accepts was cut short while it was made. It is written in the same
 * transaction as the ledger's entry of the same publication. */
#ifndef YAGURA_RECORD_SITES_H
#define YAGURA_RECORD_SITES_H

#include "base/json.h"
#include "base/mem.h"
#include "record/state.h"

struct site_row {
    const char *name; /* [a-z0-9][a-z0-9._-]*, at most 63 bytes */
    const char *root;
    const char *profile;
    uint64_t generation; /* 0: none yet */
    uint8_t manifest_sha256[32];
    int64_t since; /* seconds since 1970 */
};

bool site_name_valid(const char *name);

/* All, by name; in the arena. */
bool sites_list(struct state *s, struct arena *arena, struct site_row **out, size_t *count,
                struct error *e);
/* ERR_ABSENT if there is none of this name. */
bool sites_find(struct state *s, const char *name, struct arena *arena, struct site_row *out,
                struct error *e);

/* Writes the row and appends `entry` to the ledger, both or neither. */
bool sites_accept(struct state *s, const struct site_row *row, const json_t *entry, int64_t now,
                  struct error *e);

#endif
