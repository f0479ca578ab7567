/* firewall_rules.h - what a plan of firewall.h is in nftables' words (nft(8)). Pure.
 *
 * The text replaces our table in one transaction ("table; delete table; table {}") and names no
 * other. Every base chain begins with
 *
 *     meta nfproto @live jump ...
 *
 * and the set `live` holds ipv4 and ipv6: with a timeout on trial, without one once confirmed.
 * When the kernel has dropped the elements, no rule of ours matches a packet any more, whatever
 * became of us.
 *
 * A packet is dropped for good by whoever drops it; one that is accepted here still meets the
 * chains of others: nothing of theirs is loosened, whatever their priority. What the operator
 * needs is matched by addresses and ports alone, as the socket here sees them (the chains of
 * input and output lie behind the translation of addresses), never by the state of a connection:
 * tracking may begin with these very rules. */
#ifndef YAGURA_ACT_FIREWALL_RULES_H
#define YAGURA_ACT_FIREWALL_RULES_H

#include "act/firewall.h"
#include "base/str.h"

/* seconds = 0: for good. */
void firewall_rules(struct str *out, const struct firewall_plan *p, unsigned seconds);

#endif
