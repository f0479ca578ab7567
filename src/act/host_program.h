/* host_program.h - runs a program of the host (apt-get, usermod, nft), and waits within a bound.
 *
 * It runs as we are, in a session of its own, with a clean environment (LC_ALL=C.UTF-8, the
 * system's PATH) and no terminal as its input: nobody can be asked. No shell is in between. */
#ifndef YAGURA_ACT_HOST_PROGRAM_H
#define YAGURA_ACT_HOST_PROGRAM_H

#include "base/error.h"
#include "base/str.h"

struct host_program {
    const char *const *argv;      /* argv[0] is looked up in the system's PATH; NULL at the end */
    const char *const *variables; /* further "NAME=VALUE", NULL at the end; may be NULL */
    unsigned seconds;             /* how long we wait */
    bool finishes;                /* it must not be torn in the middle: it goes on when we end, or
                                     when we have waited long enough */
    int input;                    /* what it reads; 0: nothing */
    int log;                      /* both its outputs are appended there; -1: to nobody */
};

enum { HOST_PROGRAM_NOT_THERE = 127 }; /* as a code: there is no such program */

/* Its exit code (128 + N: ended by signal N) in *code. `output`, which may be NULL, gets what it
 * put out where there is no log, up to 32 MiB. ERR_TIMEOUT: it took too long. */
bool host_program_run(const struct host_program *p, int *code, struct str *output, struct error *e);

#endif
