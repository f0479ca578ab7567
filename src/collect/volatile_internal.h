/* volatile_internal.h - between volatile.c and its kinds of evidence; in the cage only. */
#ifndef YAGURA_COLLECT_VOLATILE_INTERNAL_H
#define YAGURA_COLLECT_VOLATILE_INTERNAL_H

#include "base/cage.h"
#include "base/json.h"
#include "base/mem.h"
#include "collect/volatile.h"

#include <stdint.h>

struct volatile_reader {
    struct cage *cage;
    int proc_fd, route_fd, diag_fd; /* netlink's; -1: could not be made */
    uint32_t kind, behind;          /* processes up to this one were read before; 0: none was */
    bool careful;                   /* one process may hang: say each */
    size_t unsaid;
    uint64_t memory_device; /* of memfd_create(2): in no list of mounts */
    int64_t deadline_ms;    /* of CLOCK_MONOTONIC */
    struct str pending;     /* whole lines that were not sent yet */
    uint32_t *pids;         /* ascending */
    size_t pid_count;
};

/* A line; the reference is taken. */
void volatile_line(struct volatile_reader *r, json_t *o);
void volatile_bytes(struct volatile_reader *r, const void *bytes, size_t size);
void volatile_unread(struct volatile_reader *r, const char *what, const char *why);
/* The bytes from here on belong to the copy of this process's program. */
void volatile_copy_of(struct volatile_reader *r, uint32_t pid);
/* The next process to look at (*next from 0 on), after telling the parent so; false: no more, or
 * no more time, which is stated. */
bool volatile_next(struct volatile_reader *r, size_t *next, uint32_t *pid);

/* For what goes through all processes and cannot go on in the middle. */
void volatile_alive(struct volatile_reader *r);
/* How long until all of it has to be done; below 0: it is over. */
int64_t volatile_left_ms(const struct volatile_reader *r);

/* What is there of a file of /proc ("1/stat"), at most `most` bytes; terminated. NULL with errno.
 * In the arena. *cut (may be NULL): there was more. */
char *volatile_file(struct volatile_reader *r, const char *path, size_t most, struct arena *arena,
                    size_t *size, bool *cut);
/* Where a link of /proc leads, or NULL with errno. */
char *volatile_link(struct volatile_reader *r, const char *path, struct arena *arena);
/* A whole text of the kernel, as it is. */
void volatile_text(struct volatile_reader *r, const char *path);

/* What is known of a file that a link of /proc leads to ("1/exe"), without asking the file system
 * it lies on: one of the attacker's own (FUSE) need not answer, and nobody can be killed while he
 * waits for it. False with errno. */
struct volatile_file {
    uint64_t device, inode, size;
    uint32_t uid, mode;
    int64_t changed, modified;
};
bool volatile_stat(struct volatile_reader *r, int dirfd, const char *path,
                   struct volatile_file *out);
/* Whether its file system is one of the kernel's own, which does answer: by the list of mounts of
 * the process `pid`. */
bool volatile_may_open(struct volatile_reader *r, uint32_t pid, const struct volatile_file *file);

void volatile_sockets(struct volatile_reader *r);
void volatile_other_sockets(struct volatile_reader *r);
void volatile_processes(struct volatile_reader *r);
void volatile_routing(struct volatile_reader *r);
void volatile_details(struct volatile_reader *r);
void volatile_open_files(struct volatile_reader *r);
void volatile_deleted(struct volatile_reader *r);
void volatile_copies(struct volatile_reader *r);
void volatile_maps(struct volatile_reader *r);
void volatile_logins(struct volatile_reader *r);

#endif
