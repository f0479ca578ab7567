/* volatile.h - what this host knows only while it runs, read for evidence: RFC 3227, 2.1.
 *
 * Two parts, so that a host can be cut off between them: VOLATILE_FIRST is sockets and processes,
 * in milliseconds; VOLATILE_REST is the rest in the order of how soon it is gone. Nothing of the
 * host is changed, nothing is judged, no link is followed: a link is told with where it leads.
 *
 *   first   sockets.jsonl      a line a socket of this network namespace (proc(5), /proc/PID/net),
 *                              with the processes that have it open
 *           processes.jsonl    program, command line, folder, start, user, parents
 *   rest    sockets-others.jsonl  the same of all other network namespaces (containers)
 *           routing.jsonl      links, addresses, routes of all tables, neighbours (rtnetlink.h)
 *           process-details.jsonl  users and groups, capabilities, tracer, namespaces, control
 *                              group, and of the environment, which holds secrets, only the names
 *                              in volatile_processes.c
 *           conntrack.txt      connections that the packet filter follows
 *           open-files.jsonl   a line an open descriptor
 *           deleted.jsonl      programs that run and have no name any more, and
 *           deleted-PID.bin    their bytes, through /proc/PID/exe
 *           maps.jsonl         /proc/PID/maps, a line a process
 *           mounts.txt, modules.txt, kernel.jsonl
 *           logins.jsonl       utmp, wtmp, btmp, lastlog (utmp.h)
 *
 * Everything is read in a cage (CAGE_LIVE), as a process may call itself what it likes. Reading
 * one process can hang (its memory is locked): that process is stated as not read, and a new cage
 * goes on behind it.
 *
 * Bounds, so that a host under attack cannot fill the disk with its own evidence or delay the cut:
 * time as in volatile.c, 64 MiB a program and 256 MiB of programs, 64 KiB of a command line, 16 MiB
 * of one text of the kernel; what a bound cut off is stated. */
#ifndef YAGURA_COLLECT_VOLATILE_H
#define YAGURA_COLLECT_VOLATILE_H

#include "base/error.h"

#include <stddef.h>

enum volatile_part { VOLATILE_FIRST, VOLATILE_REST };

/* Where it goes. False ends the reading, with the error. */
struct volatile_sink {
    bool (*file)(void *context, const char *name, struct error *e); /* a new one; of 63 bytes */
    /* Belongs to the file begun last. Of JSON Lines always whole lines. */
    bool (*bytes)(void *context, const void *bytes, size_t size, struct error *e);
    void (*unread)(void *context, const char *what, const char *why); /* terminated, printable */
    void *context;
};

/* What could not be read is stated to the sink, and is no error. */
bool volatile_read(enum volatile_part part, const struct volatile_sink *sink, struct error *e);

#endif
