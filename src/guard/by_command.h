/* by_command.h - what one command changed in a site, and what other hands changed meanwhile.
 *
 * The command and all that it starts are followed by ptrace (at their forks only; their other
 * system calls run untouched), so that the processes are known before they do anything; the
 * kernel's events (watch.h) name the process of each change. A set-user-id program that the
 * command starts loses that privilege unless we are root.
 *
 * Two hands on one path: it is the others' as well, and not to be let in unasked. What lies in a
 * directory that the command made is the command's, but for names that others touched. */
#ifndef YAGURA_GUARD_BY_COMMAND_H
#define YAGURA_GUARD_BY_COMMAND_H

#include "content/site.h"

struct by_command;

/* Runs it to its end. False if it could not be run or watched; its own failure is in *status as
 * waitpid() gives it. */
bool by_command_run(struct by_command **out, const struct site *site, char *const argv[],
                    int *status, struct error *e);
void by_command_free(struct by_command *b);

/* The kernel lost events: nothing can be said of who changed what. */
bool by_command_lost(const struct by_command *b);
bool by_command_changed(const struct by_command *b, const char *path);
bool by_others_changed(const struct by_command *b, const char *path);

#endif
