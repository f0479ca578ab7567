/* quarantine.h - what should not be there, moved out of the server's reach and kept as it was.
 *
 * Nothing is copied and nothing deleted: the thing itself is renamed into a folder that only root
 * (or we) may enter, so that bytes, owner, mode, times and extended attributes stay what they
 * were. That folder is STATE/quarantine; where the thing lies on another file system,
 * .yagura-quarantine in the topmost folder of that one. STATE/quarantine/ID.json says what it was,
 * where, when, who moved it and why.
 *
 * Names are given once: the parent folder is opened, what is moved is told by its inode, and after
 * the move it is looked at again; if somebody put another thing into its place meanwhile, that is
 * moved back. Giving back goes to the same path only, through no link, and over nothing that lies
 * there. It undoes a move wholly but for the times at which inode and folders were changed.
 *
 * Other names of the same file (hard links) and processes that have it open are not touched:
 * `other_names` says how many of the first there are. */
#ifndef YAGURA_ACT_QUARANTINE_H
#define YAGURA_ACT_QUARANTINE_H

#include "base/error.h"
#include "base/mem.h"

#include <stdint.h>
#include <sys/types.h>

enum { QUARANTINE_ID_SIZE = 16 };

struct quarantine {
    int fd; /* STATE/quarantine */
};

/* Makes the folder if need be; of a state that is only read: ERR_ABSENT where there is none. */
bool quarantine_open(struct quarantine *out, int state_dirfd, bool make, struct error *e);
void quarantine_close(struct quarantine *q);

/* STATE/quarantine/processes, open: what the processes were that ran from what was moved, a folder
 * each. -1: error; ERR_ABSENT where there is none and none is made. */
int quarantine_processes_folder(struct quarantine *q, bool make, struct error *e);

struct quarantine_wish {
    int rootfd; /* path lies beneath it */
    const char *path;
    ino_t inode; /* that was looked at, or 0: whatever lies there */
    dev_t device;
    const char *why, *who; /* for the record */
    int64_t now;
};

struct quarantine_item {
    char id[QUARANTINE_ID_SIZE];
    const char *origin;             /* absolute path on this host */
    const char *kept;               /* likewise: where it lies now */
    const char *why, *who, *sha256; /* "" where not known */
    const char *kind;               /* "file", "directory", "link", "other" */
    uint64_t size;
    uint32_t mode, uid, gid;
    int64_t mtime_ns, since;
    uint64_t other_names;
};

/* Moves it; what was done is in *out, strings in the arena. dry: only says what would be. */
bool quarantine_take(struct quarantine *q, const struct quarantine_wish *wish, bool dry,
                     struct arena *arena, struct quarantine_item *out, struct error *e);

/* Puts it back. ERR_ABSENT: no such id, or its folder is gone; ERR_USAGE: something lies there. */
bool quarantine_give_back(struct quarantine *q, const char *id, bool dry, struct arena *arena,
                          struct quarantine_item *out, struct error *e);

/* All that is kept, the oldest first; a record that cannot be read is an error behind the rest. */
bool quarantine_list(struct quarantine *q, struct arena *arena, struct quarantine_item **out,
                     size_t *count, struct error *e);

/* Opens the folder in which an item of that list lies, under its id; through no link. */
int quarantine_open_place(const struct quarantine_item *item, struct error *e);

#endif
