/* aside.h - the folder beside a document root where good pages are made ready, and to which bad
 * ones are moved: on the same file system, so that an exchange is one rename, and outside of
 * what the server shows.
 *
 *   ROOT/../.yagura-SITE/     0700, root's (or ours, without root)
 *     ready-N                 what is being made, never seen by a visitor
 *     spare/N-HASH            copies kept ready: guard/spares.h
 *     proof/                  where the guard writes to prove that it sees
 *     bad-TIME-N              what was found in a published page's place, as it was found
 *
 * Where the document root is a mount point of its own, nothing beside it is on its file system:
 * the folder then lies within, ROOT/.yagura-SITE/, and belongs to no manifest. */
#ifndef YAGURA_CONTENT_ASIDE_H
#define YAGURA_CONTENT_ASIDE_H

#include "base/error.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

enum { ASIDE_NAME_SIZE = 48 };
#define ASIDE_PROOF "proof"
#define ASIDE_SPARE "spare"

struct aside {
    int fd;
    bool within;                /* it lies in the document root */
    char name[80];              /* ".yagura-SITE" */
    char path[4096];            /* for people */
    atomic_uint_least64_t next; /* number of the next ready or bad one */
};

/* Makes it if need be. Refused (ERR_UNREADABLE) if something there is neither ours nor root's: a
 * link, another's folder, a folder that others may enter. `root` is the document root's path. */
bool aside_open(struct aside *out, int rootfd, const char *root, const char *site, struct error *e);
/* Opens it where it is, and makes nothing; -1: there is none that is sound. */
int aside_look(int rootfd, const char *site);
void aside_close(struct aside *a);

void aside_ready_name(struct aside *a, char out[ASIDE_NAME_SIZE]);
void aside_bad_name(struct aside *a, char out[ASIDE_NAME_SIZE]);
/* The same with a number that was taken before; `when` in seconds of 1970. */
void aside_bad_name_of(uint64_t number, int64_t when, char out[ASIDE_NAME_SIZE]);

/* Opens the folder for copies, making it if need be; -1 with an error. */
int aside_open_spare(struct aside *a, struct error *e);

/* Removes what was left half-made ("ready-*") by a process that is no more; nothing while another
 * one has the folder open. */
bool aside_clear_ready(struct aside *a, struct error *e);

#endif
