/* landlock.h - the process gives up files, for good (Documentation/userspace-api/landlock.rst).
 *
 * Everything that this kernel's Landlock can forbid is forbidden, but for what `places` allow:
 * opening (and making, and removing) beneath those directories. TCP, abstract sockets and
 * signals to others outside are forbidden too, where the kernel can (ABI 4, 6), unless
 * LANDLOCK_NETWORK is among the rights of a place. Needs no_new_privs or CAP_SYS_ADMIN. What is
 * open already stays usable. */
#ifndef YAGURA_BASE_LANDLOCK_H
#define YAGURA_BASE_LANDLOCK_H

#include "base/error.h"

#include <stddef.h>

enum landlock_rights {
    LANDLOCK_READS = 1,
    LANDLOCK_RUNS = 2,
    LANDLOCK_WRITES = 4,
    LANDLOCK_NETWORK = 8 /* of the whole process, whichever place has it */
};

struct landlock_place {
    int fd; /* a directory */
    unsigned rights;
};

/* The ABI of the kernel's Landlock, 0 where it has none (or it is switched off). */
int landlock_abi(void);

bool landlock_apply(const struct landlock_place *places, size_t count, struct error *e);

#endif
