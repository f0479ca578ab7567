/* rtnetlink.h - the kernel's links, addresses, routes and neighbours: rtnetlink(7), NETLINK_ROUTE.
 *
 * A dump is asked for by type; the answers are netlink messages with a structure of that type and
 * attributes behind it. Each becomes one JSON object:
 *
 *   {"kind": "link", "index", "name", "mac", "mtu", "up", "promiscuous"}
 *   {"kind": "address", "interface" (index), "address", "prefix"}
 *   {"kind": "route", "family", "to" ("default"), "via", "interface", "source", "table", "metric",
 *    "protocol", "type"}
 *   {"kind": "neighbour", "interface", "address", "mac", "state"}
 *   {"kind": "rule", "family", "priority", "from", "to", "table"}
 *
 * Names and numbers of types and attributes: linux/rtnetlink.h, linux/if_link.h, linux/if_addr.h,
 * linux/neighbour.h, linux/fib_rules.h. */
#ifndef YAGURA_COLLECT_RTNETLINK_H
#define YAGURA_COLLECT_RTNETLINK_H

#include "base/error.h"
#include "base/json.h"

typedef void rtnetlink_visit(void *context, json_t *object); /* takes the reference */

/* What came in one recv(). *done is set at the end of a dump. */
bool rtnetlink_parse(const void *data, size_t size, rtnetlink_visit *visit, void *context,
                     bool *done, struct error *e);

/* All five, of IPv4 and IPv6; what the kernel does not tell is an error, after all others. */
bool rtnetlink_dump(int netlink_fd, rtnetlink_visit *visit, void *context, struct error *e);

#endif
