/* gateway.h - rules for a border router, from the table of ports.h.
 *
 * An nftables file (one table `inet yagura_gateway`, atomic and repeatable: it deletes itself
 * first), with a plain table of the same ports in its comments for routers of other makes. It
 * shuts the ports for what is forwarded and for the router itself, over IPv4 and IPv6, new and
 * standing connections alike. With `json` one JSON object a range instead. Pure. */
#ifndef YAGURA_JUDGE_GATEWAY_H
#define YAGURA_JUDGE_GATEWAY_H

#include "base/str.h"

#include <stdbool.h>

void gateway_rules(struct str *out, bool json);

#endif
