/* quarantine_processes.h - ends what runs from files that are moved into quarantine.
 *
 * Only what is proven to run the bytes (scan_running.h: /proc/PID/exe is the file, or it is the
 * script): whatever else has a file open or mapped is left. Proven twice: found, held by a
 * descriptor (pidfd) and stopped, then looked at again, and let go on if it runs something else
 * meanwhile. Never process 1, ourselves, nor who started us.
 *
 * The order: all are stopped (SIGSTOP), and it is looked again until nobody new is found, so that
 * none starts another anew; the files are moved (the caller); what they are is kept as evidence;
 * they are killed; and it is looked whether they are gone. Who is held and not ended goes on when
 * the hold is freed. There is no undo of the ending. */
#ifndef YAGURA_ACT_QUARANTINE_PROCESSES_H
#define YAGURA_ACT_QUARANTINE_PROCESSES_H

#include "base/error.h"
#include "base/mem.h"
#include "collect/scan_running.h"
#include "model/fact.h"

struct held_process {
    const struct fact *fact; /* of kind "running" */
    pid_t pid;
    uint64_t device, inode; /* of the file that it runs */
    int pidfd;              /* -1: only named (dry) */
    bool wanted, ended;
    const char *evidence; /* the folder, or NULL: nothing was kept, or could be */
    bool cut;             /* not all of it was kept */
};

struct process_hold {
    struct facts *facts;
    struct running_file *files;
    size_t file_count;
    bool dry, above_us; /* above_us: one is who started us, and is left */
    VEC(struct held_process) list;
};

/* Finds and stops them; dry: finds them. `files` live as long as the hold. */
bool process_hold(struct process_hold *out, struct running_file *files, size_t count, bool dry,
                  struct error *e);
/* Another look, for those who came since: after the files were moved. */
bool process_hold_more(struct process_hold *h, struct error *e);
/* Ends those whose file `wanted` (may be NULL: all) says to, after their maps, the names in their
 * environment, their command line, and the program itself where it has no name any more, were
 * written beneath `evidence_fd`, a folder a process. Within bounds, so that somebody who starts
 * thousands neither fills the disk nor puts off his end: 4 MiB of maps, 64 MiB of a program; of all
 * of them together 256 MiB and half of what is free on the disk, 500 processes and 60 seconds. Whom
 * nothing was kept of is ended all the same. ERR_TIMEOUT: some run on. */
bool process_hold_end(struct process_hold *h,
                      bool (*wanted)(void *context, const struct held_process *p), void *context,
                      int evidence_fd, struct arena *arena, struct error *e);
void process_hold_free(struct process_hold *h);

#endif
