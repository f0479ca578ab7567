/* quarantine.h - moving what was found out of reach, for `scan --quarantine`. */
#ifndef YAGURA_CMD_QUARANTINE_H
#define YAGURA_CMD_QUARANTINE_H

#include "cmd/cmd.h"

/* Moves each file of an open finding, and ends what is proven to run from them, after asking; what
 * was moved and ended is shown and put into the ledger. What could not be moved is said; that it
 * was found is what the exit code says. True: something may have changed. */
bool cli_quarantine_found(struct cli *cli, const struct audit *a, enum severity least);

#endif
