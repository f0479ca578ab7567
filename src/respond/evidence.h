/* evidence.h - DIR/evidence/ID/FOLDER-N: what was found, hashed, and entered into the ledger.
 *
 * A folder is written once and never again; another run makes the next one. It holds the files,
 * index.json (who, when, by which clock, what could not be read, what a bound left out) and
 * SHA256SUMS of all of them, as `sha256sum -c` reads it. The hash of SHA256SUMS stands in an entry
 * of the ledger ("respond", what "evidence"), so that neither a file nor the list can be changed
 * without being noticed, nor a file be added or taken away.
 *
 * Space: a folder takes at most 1 GiB and leaves 512 KiB of its disk, for the ledger that has to
 * go on. No file takes more than half of what is left, nor all copies of programs (*.bin) together
 * more than half of what was left when the first began, so that they do not crowd out those behind
 * them. What does not fit is cut (JSON Lines at the end of a line) and said; a folder in which
 * nothing can be written is an error. */
#ifndef YAGURA_RESPOND_EVIDENCE_H
#define YAGURA_RESPOND_EVIDENCE_H

#include "respond/respond.h"

struct evidence_folder;

/* Opens DIR/evidence/ID/KIND-N, N being the next number. */
bool evidence_folder_make(struct evidence_folder **out, struct response *r, const char *kind,
                          struct error *e);
void evidence_folder_free(struct evidence_folder *f); /* NULL is allowed */
void evidence_folder_cleanup(struct evidence_folder **f);
#define CLEANUP_EVIDENCE CLEANUP(evidence_folder_cleanup)
const char *evidence_folder_name(const struct evidence_folder *f);
int evidence_folder_fd(const struct evidence_folder *f);

/* A new file, ending the one before. A name that is taken is an error. */
bool evidence_begin(struct evidence_folder *f, const char *name, struct error *e);
/* To the file begun last. What does not fit is left out, without an error. */
bool evidence_add(struct evidence_folder *f, const void *bytes, size_t size, struct error *e);
/* All of a file that is of no use in part: ERR_LIMIT if it does not fit. */
bool evidence_write(struct evidence_folder *f, const char *name, const void *bytes, size_t size,
                    struct error *e);
void evidence_unread(struct evidence_folder *f, const char *what, const char *why);
/* A file that was written into the folder by other means. */
void evidence_listed(struct evidence_folder *f, const char *name, uint64_t size,
                     const uint8_t sha256[32]);
/* How much more may be written. */
uint64_t evidence_room(const struct evidence_folder *f);
/* Every file so far. */
struct evidence_row {
    const char *name;
    uint64_t size;
    char sha256[65];
    bool cut;
};
const struct evidence_row *evidence_rows(struct evidence_folder *f, size_t *count);

/* index.json and SHA256SUMS; not on the disk yet, which takes time. */
bool evidence_end(struct evidence_folder *f, struct response *r, struct error *e);
/* On the disk, and in the ledger; what was written is told in result["evidence"]. */
bool evidence_enter(struct evidence_folder *f, struct response *r, json_t *result, struct error *e);

/* The volatile evidence of this host (collect/volatile.h). Sockets and processes, before the cut:
 * takes milliseconds. An error (a full disk) is to be told and is no reason not to cut; what was
 * read until then is in *out all the same, else it stays NULL. */
bool evidence_first(struct evidence_folder **out, struct response *r, struct error *e);
/* After the cut: enters `first` (may be NULL; it stays the caller's), then takes the rest. The
 * error is the first one; the rest is done all the same. */
bool evidence_rest(struct response *r, struct evidence_folder *first, json_t *result,
                   struct error *e);

/* What the ledger says of this incident's evidence, the last entry of each folder; in the arena
 * of the response. */
struct evidence_entry {
    const char *folder, *sha256, *time, *who;
    int64_t files, bytes;
};
bool evidence_entries(struct response *r, struct evidence_entry **out, size_t *count,
                      struct error *e);
/* Is it what the entry says? False with *problem, a sentence in the arena. */
bool evidence_is_whole(struct response *r, const struct evidence_entry *entry, size_t *files,
                       const char **problem);
/* The last folder of this kind ("report"), or NULL. */
const struct evidence_entry *evidence_last(const struct evidence_entry *entries, size_t count,
                                           const char *kind);
/* Opens the folder of an entry; -1 with an error. */
int evidence_open(struct response *r, const struct evidence_entry *entry, struct error *e);

#endif
