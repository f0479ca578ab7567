/* generations.h - the published generations of a site: made, opened, proved, dropped.
 *
 *   DIR/manifests/SITE/N           the manifest (manifest.h)
 *   DIR/manifests/SITE/N.minisig   its signature by the key "baseline" (record/minisign.h); the
 *                                  trusted comment is "yagura manifest SITE N made TIME"
 *   DIR/manifests/SITE/N.stat      see stat_index.h
 *
 * What is published is what the site's row in the state says (record/sites.h). A generation is
 * made in this order: objects durable; manifest and signature durable; row and ledger entry in
 * one transaction. Whatever ends it early leaves the old generation as the published one.
 *
 * Opening proves: signature, site and number (an old manifest under a new name is refused), and
 * for the accepted generation the hash in the row. */
#ifndef YAGURA_CONTENT_GENERATIONS_H
#define YAGURA_CONTENT_GENERATIONS_H

#include "base/json.h"
#include "content/manifest_build.h"
#include "content/objects.h"
#include "content/stat_index.h"
#include "record/sites.h"

struct generation {
    struct manifest *manifest;
    uint8_t sha256[32]; /* of the manifest */
    uint64_t number;
};
void generation_close(struct generation *g);
#define CLEANUP_GENERATION CLEANUP(generation_close)

/* Number 0: the accepted one. ERR_ABSENT if there is none, ERR_CORRUPT if it is not proved. */
bool generation_open(struct generation *out, struct state *s, const struct site_row *site,
                     uint64_t number, struct error *e);

/* Writes what was built as the next generation of the site and accepts it; `row` then says so.
 * Refused if another one was published since the row was read.
 * `entry` goes into the ledger with "site", "generation" and "manifest" added to it. */
bool generation_commit(struct state *s, struct objects *objects, struct site_row *row,
                       struct build *b, json_t *entry, int64_t now_ns, struct error *e);

/* The numbers of all that are kept, rising, the published one being the last; in the arena. */
bool generations_list(struct state *s, const struct site_row *site, struct arena *arena,
                      uint64_t **out, size_t *count, struct error *e);

/* Removes what belongs to no kept generation: what a process that was killed has left. */
bool generations_sweep(struct state *s, const struct site_row *site, struct error *e);

/* The stat index of a generation, and where to save it. */
struct stat_index *generation_stat_index(struct state *s, const struct site_row *site,
                                         const struct generation *g);
bool generation_save_stat_index(struct state *s, const struct site_row *site,
                                const struct generation *g, const struct stat_index *index,
                                struct error *e);

/* Removes a generation; the accepted one is refused. Its objects stay until objects_sweep(). */
bool generation_drop(struct state *s, const struct site_row *site, uint64_t number,
                     struct error *e);

#endif
