/* walls.h - what each process of the guard gives up before it begins, for good.
 *
 *   WALLS_PARENT  the supervisor: the guard is its child and inherits its walls, so they are the
 *                 guard's, and besides what starting one takes (fork, wait, kill, a socket of
 *                 this host to listen on).
 *   WALLS_GUARD   files, the kernel's events, the sockets that are open already. No other
 *                 program, no process, no socket, no other's memory, no signal to others, no
 *                 executable memory, no mount (but unmounting what covers a page), no namespace.
 *   WALLS_CALLER  hands on_tamper's text to the socket of its unit: a socket of this host, and
 *                 nothing of the file system.
 *   WALLS_HOOK    runs on_tamper itself: nobody, no capability, writes only to /tmp, /var/tmp
 *                 and devices; may fork, run programs and speak with the network, as its work is
 *                 to tell somebody.
 *
 * A call that is not allowed fails (EPERM) and does not end the process: a guard that a new C
 * library has killed guards nothing.
 *
 * Landlock has no place in the guard and its parent: its domain forbids to look into the /proc of
 * others, and who changed a page would remain unknown. docs/privileges.md has the whole picture. */
#ifndef YAGURA_GUARD_WALLS_H
#define YAGURA_GUARD_WALLS_H

#include "base/error.h"

enum walls { WALLS_PARENT, WALLS_GUARD, WALLS_CALLER, WALLS_HOOK };

/* Before any thread is started. In builds with -Dwide_cages=true (sanitizers) without seccomp. */
bool walls_enter(enum walls role, struct error *e);

#endif
