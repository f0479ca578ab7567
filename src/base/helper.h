/* helper.h - starts a program of ours that stands beside us (libexec) and cages itself:
 * yagura-image, yagura-scan, yagura-tree.
 *
 * It gets the descriptors that it is given, from HELPER_FIRST_FD on, and standard input to error;
 * no others, no arguments, the language and nothing else in its environment, no signal blocked. */
#ifndef YAGURA_BASE_HELPER_H
#define YAGURA_BASE_HELPER_H

#include "base/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

enum { HELPER_FIRST_FD = 3 };

/* fds[i] becomes HELPER_FIRST_FD + i there; each has gone through helper_fd(). */
bool helper_start(pid_t *pid, const char *name, const int *fds, size_t count, struct error *e);
/* Takes a descriptor and gives one out of the way of those numbers; -1 with errno. */
int helper_fd(int fd);

#endif
