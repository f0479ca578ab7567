/* scan_running.h - processes that run what a scan found: facts of kind "running" (docs/facts.md).
 *
 * Told by device and inode, whatever the file is called by now, and not by what a process says of
 * itself. How it runs it (`how`), the surest first:
 *
 *   program   /proc/PID/exe is the file
 *   script    a shell reads it (standard input, or the descriptor from 10 on that shells keep their
 *             script in), or it is the script on an interpreter's command line
 *   mapped    it is mapped to be executed, as a library is
 *   open      an interpreter has it open: it may run it, or only read it
 *
 * The first two are proof that the process runs these bytes (`proof` is yes): it may be ended.
 * An interpreter that has closed its script and changed its command line is not found.
 *
 * All of it is read in a cage (CAGE_LIVE). A process whose memory or file system does not answer is
 * stated as unread, and the next one is looked at. */
#ifndef YAGURA_COLLECT_SCAN_RUNNING_H
#define YAGURA_COLLECT_SCAN_RUNNING_H

#include "model/fact.h"

#include <stdint.h>
#include <sys/stat.h>
#include <sys/types.h>

struct running_file {
    uint64_t device, inode;
    const char *path, *by; /* put into the fact: what it is, and who says so */
};

/* `files` are sorted by the function. */
bool running_find(struct facts *facts, struct running_file *files, size_t count, struct error *e);

/* The bytes of every program that runs and has no name any more, each once: the descriptor is the
 * callback's. The path is /proc/PID/exe. */
void running_each_deleted(void (*file)(void *context, int fd, const char *path,
                                       const struct stat *st),
                          void *context);
/* Whether a path is one of those. */
bool running_is_deleted_program(const char *path);

#endif
