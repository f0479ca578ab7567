/* import.h - brings advisories of others into advisories.db.
 *
 * A path is a document, a folder (searched for *.json and archives) or an archive (.zip, .tar,
 * .tar.gz, .tar.zst, .json.gz ...; opened by the helper yagura-unpack). Documents are parsed
 * in a cage, one after the other; the cage may die of one, which is then named, and the rest
 * goes on in a new one. What is broken is named with file and place; the rest goes in. The
 * old database stays as it was if nothing did.
 *
 * Documents of older imports stay; the same document (id and publisher's namespace) is
 * replaced if current_release_date is not older, else skipped, and that is said. */
#ifndef YAGURA_FEED_IMPORT_H
#define YAGURA_FEED_IMPORT_H

#include "base/error.h"
#include "base/mem.h"

#include <stddef.h>
#include <stdint.h>

enum { IMPORT_MOST_SAID = 1000 };

struct import_result {
    size_t added, replaced, unchanged; /* documents that are in now */
    size_t older;                      /* skipped: what was there is newer */
    size_t withdrawn;                  /* their publishers took them back */
    size_t failed;                     /* broken, each in `errors` */
    size_t ignored;                    /* files that are no documents by their names */
    size_t documents;                  /* in the database afterwards */
    bool written;
    VEC(struct error) errors; /* the first IMPORT_MOST_SAID of them */
    VEC(struct error) notes;  /* what was skipped, and what was lost of the old database */
};

struct import_request {
    const char *const *paths;
    size_t count;
    int dirfd;        /* the folder of the database */
    const char *name; /* "advisories.db" */
    int64_t now;      /* the time of the import */
    /* Called after each document with how many there were; may be NULL. */
    void (*progress)(void *context, size_t done);
    void *context;
};

/* false if nothing could be done at all; then *out is empty. */
bool import_run(struct import_result *out, const struct import_request *request, struct error *e);

/* Takes the documents of one imported feed out again; *documents says how many: 0 if there is no
 * such feed, and then nothing is written. */
bool import_remove(size_t *documents, int dirfd, const char *name, const char *feed,
                   struct error *e);
void import_result_free(struct import_result *r);
#define CLEANUP_IMPORT CLEANUP(import_result_free)

#endif
