/* seccomp.h - which system calls a process may still make: a table, turned into the kernel's
 * filter (seccomp(2), BPF) by hand, as libseccomp takes longer to make one than a whole fork.
 *
 * One table serves several kinds of process: a rule holds for those whose bit is in `kinds`. A
 * number may stand there once a kind. */
#ifndef YAGURA_BASE_SECCOMP_H
#define YAGURA_BASE_SECCOMP_H

#include "base/error.h"

#include <linux/seccomp.h>
#include <stddef.h>
#include <stdint.h>

enum seccomp_check {
    SECCOMP_ALLOW,
    SECCOMP_REFUSE,         /* EACCES: libraries try it and do without */
    SECCOMP_REFUSE_UNKNOWN, /* ENOSYS: the caller knows another way */
    SECCOMP_REFUSE_TTY,     /* ENOTTY */
    SECCOMP_FORBID,         /* EPERM */
    /* what is allowed under a condition, and else treated as a number that is not listed,
     * or where those are allowed, refused (EPERM): */
    SECCOMP_READ_ONLY_1, /* argument 1 (2) has the flags of open(): reading only */
    SECCOMP_READ_ONLY_2,
    SECCOMP_NO_EXEC,       /* argument 2 is a memory protection without PROT_EXEC */
    SECCOMP_OWN_PROCESS,   /* argument 0 is this process */
    SECCOMP_THREAD,        /* argument 0 has the flags of clone(): a thread */
    SECCOMP_NO_NAMESPACE,  /* likewise: no new namespace */
    SECCOMP_UNIX_SOCKET,   /* argument 0 is AF_UNIX */
    SECCOMP_FILE_ATTRIBUTE /* argument 1 is an ioctl() of files: their flags, a clone; else ENOTTY
                            */
};

struct seccomp_rule {
    uint16_t number;
    uint8_t kinds;
    uint8_t check;
};

/* Takes effect at once and for good, in this thread and those it starts. `otherwise`
 * (SECCOMP_RET_...) is what happens with numbers that are not listed. Needs no_new_privs. */
bool seccomp_apply(const struct seccomp_rule *rules, size_t count, unsigned kinds,
                   uint32_t otherwise, struct error *e);

#endif
