/* cage.h - a forked child that reads hostile bytes under seccomp, Landlock and limits.
 *
 *   CAGE_BYTES  only descriptors handed in: no open() at all.
 *   CAGE_ROOT   reads beneath one directory descriptor: Landlock (where the kernel has it)
 *               allows reading there and nothing else.
 *   CAGE_LIVE   reads anywhere, processes and the socket tables of this host included; no
 *               Landlock, because its domain forbids looking into other processes' /proc.
 *
 * All three: no new privileges, every capability dropped but those for reading, no write
 * access to any file, no exec, no network but the sockets handed in (CAGE_LIVE: AF_NETLINK),
 * RLIMIT_AS, RLIMIT_CPU, RLIMIT_FSIZE 0, no core files. The child writes frames to a pipe;
 * the parent believes none of them: each is length-prefixed and bounded.
 *
 * A cage that dies or runs out of time is ERR_CAGE or ERR_TIMEOUT: what it was to find out
 * is then `unknown`. What was received before that is the caller's to keep. */
#ifndef YAGURA_BASE_CAGE_H
#define YAGURA_BASE_CAGE_H

#include "base/error.h"
#include "base/str.h"

#include <stddef.h>
#include <stdint.h>

enum cage_kind { CAGE_BYTES, CAGE_ROOT, CAGE_LIVE };

struct cage_limits {
    uint64_t memory_bytes;   /* address space; widened by -Dsanitizer builds; 0 = 512 MiB */
    unsigned cpu_seconds;    /* 0 = 20 */
    unsigned wall_ms;        /* 0 = 30,000: between two frames */
    uint32_t frame_bytes;    /* the largest frame; 0 = 16 MiB */
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

/* In the child. A frame that cannot be written ends the child. */
void cage_send(struct cage *cage, uint32_t type, const void *bytes, size_t size);

/* For programs of their own (libexec): cages the calling process itself. */
bool cage_enter(enum cage_kind kind, int rootfd, const struct cage_limits *limits,
                struct error *e);

/* "seccomp, Landlock ABI 2", for status and for people. */
const char *cage_describe(void);

#endif
