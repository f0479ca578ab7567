/* nft.h - nft(8) of the nftables project, run as a program: it is under the GPL, and not linked.
 *
 * It is looked for in the system's own folders only, and runs as host_program.h says. */
#ifndef YAGURA_ACT_NFT_H
#define YAGURA_ACT_NFT_H

#include "base/error.h"
#include "base/str.h"

/* Whether the kernel would take these rules; nothing is changed: they are given to it as one
 * transaction that is not committed. */
bool nft_check(const char *rules, struct error *e);
/* One transaction: all of it or nothing. */
bool nft_load(const char *rules, struct error *e);
/* What it prints for these words, behind a "-s": counters are left out. ERR_SYSTEM with its first
 * line if it fails; ERR_ABSENT if there is no nft. */
bool nft_ask(struct str *out, const char *const *words, size_t count, struct error *e);

#endif
