/* who.h - who changed a page: what /proc still says of a process.
 *
 * Read when its event is read; a process that ended by then leaves its number only. Reading
 * the names of others' programs needs CAP_SYS_PTRACE. */
#ifndef YAGURA_GUARD_WHO_H
#define YAGURA_GUARD_WHO_H

#include <stdbool.h>
#include <sys/types.h>

enum { WHO_PARENTS = 4 };

struct who {
    pid_t pid; /* 0: the kernel did not say */
    bool known;
    uid_t uid;         /* of the process, real */
    uid_t login;       /* audit login uid; (uid_t)-1: none */
    char exe[256];     /* may be cut; "" if not readable */
    char command[512]; /* arguments, blank between, control characters as "?" */
    struct {
        pid_t pid;
        char name[20];
    } parents[WHO_PARENTS]; /* nearest first; pid 0 ends them */
};

/* The last processes asked for are remembered for a tenth of a second: a burst costs once. */
void who_read(struct who *out, pid_t pid);

#endif
