/* room.h - what is unfolded beside the state leaves the disk usable: a disk that is full, or has no
 * inode left, stops the whole host.
 *
 * At most 16 GiB in all, and nothing that leaves the disk less than 256 MiB or 4,096 inodes. Asked
 * while it is written, and at the end; whoever else fills the disk counts as well. */
#ifndef YAGURA_ACT_ROOM_H
#define YAGURA_ACT_ROOM_H

#include "base/error.h"

#include <stdint.h>

#define ROOM_MOST_BYTES (16ull << 30)

struct room {
    int folder;            /* on that disk */
    uint64_t all;          /* bytes so far */
    uint64_t bytes, files; /* since the disk was asked */
};

/* So many more were written. ERR_LIMIT where that is too much. */
bool room_take(struct room *r, uint64_t bytes, uint64_t files, struct error *e);
/* Asks the disk. */
bool room_is_left(struct room *r, struct error *e);

#endif
