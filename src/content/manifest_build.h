/* manifest_build.h - a manifest put together, directory by directory, from any number of
 * threads, and written in one pass.
 *
 * Every directory has a number, given by build_new_dir(); 0 is the root. An entry that is a
 * directory names the number of its content. A directory whose content is never given is
 * written as empty. What is given is copied in a compact form: about 60 bytes and the name for
 * each entry, freed while the file is written. */
#ifndef YAGURA_CONTENT_MANIFEST_BUILD_H
#define YAGURA_CONTENT_MANIFEST_BUILD_H

#include "content/manifest.h"
#include "content/walk.h"

struct build;

struct build *build_new(void);
void build_free(struct build *b);
void build_cleanup(struct build **b);

/* Safe from any thread, as is build_add(). */
uint32_t build_new_dir(struct build *b);

/* The root's own attributes, from any thread; `first_child` and `child_count` are not looked at. */
void build_root(struct build *b, const struct manifest_entry *root);

/* The content of directory `number`, once, sorted by the bytes of the names. Of each entry
 * `first_child` is, for a directory, its number. ERR_LIMIT at 4,294,967,294 entries, or 4 GiB
 * of names or attributes. */
bool build_add(struct build *b, uint32_t number, const struct manifest_entry *entries, size_t count,
               struct error *e);

/* An entry as a walk saw it; `dir_number` for a directory. Borrows from it. */
void build_entry_of_walk(struct manifest_entry *out, const struct walk_entry *seen,
                         uint32_t dir_number);

/* An entry of another manifest with all that lies beneath it: adds the content of each
 * directory; what comes back in `out` is to be given to build_add() for its parent. */
bool build_copy(struct build *b, struct manifest_entry *out, const struct manifest *m,
                uint32_t index, struct error *e);

/* Writes to `fd` from offset 0. The build is empty afterwards. `previous`: 32 bytes or NULL. */
bool build_write(struct build *b, int fd, const char *site, uint64_t generation, int64_t made_ns,
                 const uint8_t *previous, struct error *e);

#endif
