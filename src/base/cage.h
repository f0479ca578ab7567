/* cage.h - a forked child that reads hostile bytes under seccomp, Landlock and limits.
 *
 *   CAGE_BYTES  only descriptors handed in: no open() at all.
 *   CAGE_ROOT   reads beneath one directory descriptor.
 *   CAGE_LIVE   reads anywhere, processes and the socket tables of this host included; no
 *               Landlock, because its domain forbids looking into other processes' /proc.
 *
 * What holds in all three, on every kernel since Linux 5.9 (close_range):
 *   - seccomp: a short list of system calls; any other ends the process. No exec, no fork, no
 *     thread that was not asked for (cage_limits), no new socket (those handed in work), no
 *     signal to others, no executable memory, nothing that takes a path and changes what is
 *     there.
 *   - no new privileges; every capability dropped but CAP_DAC_READ_SEARCH (not in CAGE_BYTES)
 *     and CAP_SYS_PTRACE (CAGE_LIVE only, for /proc/PID).
 *   - limits of memory, processor time and descriptors; no core files; no bytes into files
 *     (RLIMIT_FSIZE 0; in CAGE_ROOT 256 MiB, as memfd_create() falls under it and libhivex
 *     opens only by name: /proc/self/fd/N of a memfd).
 *   - only the descriptors handed in, and standard error.
 * How writing is kept out:
 *   CAGE_BYTES  open() and its kin are refused (EACCES).
 *   CAGE_LIVE   open() and openat() with any flag that writes end the process; openat2() is
 *               refused (ENOSYS), as its flags lie in memory where no filter sees them
 *               (file.c does without it then). Started as root, it runs as nobody (65534).
 *   CAGE_ROOT   openat2() is allowed, for its flags that keep a path beneath the root, and
 *               Landlock refuses all writing and all reading but beneath `rootfd` (-1:
 *               nothing at all). Root stays root there: FUSE and NFS mounts ask for it.
 *               *Without Landlock* only the identity holds: root becomes nobody, who may
 *               create empty files in world-writable folders; another user could create or
 *               truncate files of its own. cage_describe() says which it is.
 * What does not hold: names and attributes of files can be asked for anywhere (stat) outside
 * of CAGE_BYTES's descriptors too; standard error can be written to.
 *
 * The child writes frames to a pipe; the parent believes none of them: each is
 * length-prefixed and bounded.
 *
 * A cage that dies or runs out of time is ERR_CAGE or ERR_TIMEOUT: what it was to find out
 * is then `unknown`. What was received before that is the caller's to keep. One that cannot even be
 * killed, because it waits for a file system that does not answer, is left behind after a second:
 * nobody waits with it. */
#ifndef YAGURA_BASE_CAGE_H
#define YAGURA_BASE_CAGE_H

#include "base/error.h"
#include "base/str.h"

#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

enum cage_kind { CAGE_BYTES, CAGE_ROOT, CAGE_LIVE };

struct cage_limits {
    uint64_t memory_bytes; /* address space beyond what is mapped at the start; none in builds
                            with -Dwide_cages=true; 0 = 512 MiB */
    unsigned cpu_seconds;  /* 0 = 20 */
    unsigned wall_ms;      /* 0 = 30,000: between two frames; 20 times that in all */
    uint32_t frame_bytes;  /* the largest frame; 0 = 16 MiB */
    unsigned threads;      /* over 1: it may start threads, and cpu_seconds are those of each */
};

struct cage; /* the child's end */

/* What the child runs; its return value is not looked at: it speaks through frames. */
typedef void cage_child(struct cage *cage, void *context);

/* What the parent does with each frame; false ends the child (the caller has its reason). */
typedef bool cage_frame(void *context, uint32_t type, const void *bytes, size_t size,
                        struct error *e);

/* Forks, cages, runs, and hands every frame to `frame` in the parent. rootfd is the directory
 * of CAGE_ROOT (else -1). keep_fds are the descriptors that stay open in the child besides
 * rootfd and standard error. */
bool cage_run(enum cage_kind kind, int rootfd, const int *keep_fds, size_t keep_count,
              const struct cage_limits *limits, cage_child *child, void *child_context,
              cage_frame *frame, void *frame_context, struct error *e);

/* The same in two halves, for cages side by side: what a child sends waits in its pipe (`fd`), and
 * the child, once that is full, for cage_finish(), which each one started is owed. */
struct cage_started {
    int pid, fd;
};
bool cage_start(struct cage_started *out, enum cage_kind kind, int rootfd, const int *keep_fds,
                size_t keep_count, const struct cage_limits *limits, cage_child *child,
                void *child_context, struct error *e);
bool cage_finish(const struct cage_started *c, const struct cage_limits *limits, cage_frame *frame,
                 void *frame_context, struct error *e);

/* In the child. A frame that cannot be written ends the child. */
void cage_send(struct cage *cage, uint32_t type, const void *bytes, size_t size);
/* The same of several parts that are one after the other, for what is too big to be joined. */
void cage_send_parts(struct cage *cage, uint32_t type, const struct iovec *parts, size_t count);

/* For programs of their own (libexec): cages the calling process itself. */
bool cage_enter(enum cage_kind kind, int rootfd, const struct cage_limits *limits, struct error *e);

/* "seccomp, Landlock ABI 2", or that there is none: for status and for people. */
const char *cage_describe(void);

#endif
