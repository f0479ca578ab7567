/* compile.h - makes advisories.db (db_format.h) out of packed documents.
 *
 *   compile_new, then compile_keep() for the file that is to be replaced, compile_add() for
 *   each new document as it comes, compile_feed(), and compile_write().
 *
 * Blocks are kept in an unlinked file beside the target, so memory grows by about 100 bytes a
 * document and, while writing, 16 bytes a case; the target is replaced atomically
 * (file_replace) and stays as it was if anything fails.
 *
 * A document is known by its id and its publisher's namespace. The one with the newer
 * current_release_date stays; of the same date the one that came later. A withdrawn document
 * (document.h: deleted) removes those with its id.
 *
 * Patches are not merged here: they are gathered by the reader, because the files of a set
 * may each know a part of a chain. Circles are therefore no matter of the compiler. */
#ifndef YAGURA_FEED_COMPILE_H
#define YAGURA_FEED_COMPILE_H

#include "feed/advisories.h"

struct compile;

enum compile_outcome {
    COMPILE_ADDED,
    COMPILE_REPLACED,
    COMPILE_UNCHANGED, /* byte for byte what was there */
    COMPILE_OLDER,     /* what was there is newer and stays */
    COMPILE_WITHDRAWN
};

/* The directory must stay open until compile_free(). */
bool compile_new(struct compile **out, int dirfd, struct error *e);
void compile_free(struct compile *c);
void compile_cleanup(struct compile **c);
#define CLEANUP_COMPILE CLEANUP(compile_cleanup)

/* Takes over everything of an existing file, but not the documents of the feed `without` (NULL:
 * of none); an absent file is fine. Returns how many were left behind in *left (may be NULL). */
bool compile_keep(struct compile *c, const char *path, const char *without, size_t *left,
                  struct error *e);

/* Adds one block; every record of it is checked. */
bool compile_add(struct compile *c, const void *block, size_t size, enum compile_outcome *outcome,
                 struct error *e);

/* Says when a feed was imported and how much of it was skipped; counts of documents and the
 * newest date are the compiler's own. DATE_NONE as `imported`: the newest document's date. */
void compile_feed(struct compile *c, const char *name, int64_t imported, size_t skipped);

size_t compile_count(const struct compile *c);

bool compile_write(struct compile *c, const char *name, struct error *e);

#endif
