/* scan_clamd.h - connecting to clamd, and in which way it takes files.
 *
 * An open file is handed to it as a descriptor (FILDES): that costs no copy, and clamd may run as
 * whoever it likes. Where descriptors do not arrive (it is reached through a relay or from a
 * container, or a security module takes them away) the bytes are sent instead (INSTREAM). Which of
 * the two goes is tried with a clean file of our own, which also shows whether it is clamd that
 * listens there, and whether it answers. */
#ifndef YAGURA_COLLECT_SCAN_CLAMD_H
#define YAGURA_COLLECT_SCAN_CLAMD_H

#include "base/error.h"

#include <stdbool.h>

/* A connected socket, or -1 with an error; never waits longer than some seconds. */
int scan_clamd_connect(const char *path, bool *by_stream, struct error *e);

#endif
