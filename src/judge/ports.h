/* ports.h - what listens, and whether it should be reachable from outside. Pure.
 *
 * The page of 2001 names 137-139 and, from Windows 2000 on, 445; 111 is the way to sadmind.
 * The table is data: a row a service that has no business outside, with the reason. Web ports
 * are published; what is bound to loopback only is local; an RPC service, whose port rpcbind
 * assigns, has no business outside whatever its number; for everything else the person decides. */
#ifndef YAGURA_JUDGE_PORTS_H
#define YAGURA_JUDGE_PORTS_H

#include "model/fact.h"
#include "model/finding.h"

enum port_opinion {
    PORT_NO_BUSINESS,
    PORT_UNKNOWN, /* it listens, and where could not be told */
    PORT_PUBLISHED,
    PORT_YOURS,
    PORT_LOCAL
};
const char *port_opinion_name(enum port_opinion o);
/* Of one fact of kind `listener`. */
enum port_opinion port_opinion_of(const struct fact *listener);

struct port_row {
    const struct fact *listener;
    enum port_opinion opinion;
    struct message reason;
};

/* All listeners, those without business outside first, then by port; in the arena. */
size_t judge_ports(struct arena *arena, const struct facts *facts, struct port_row **out);

/* The TCP ports that the web servers' configurations say sites are reached by from outside, with 80
 * and 443; ascending. Returns how many, of at most `most`. */
struct site_port {
    uint16_t port;
    bool tls; /* one of the sites speaks it there; on 443 also where none says so */
};
size_t ports_of_sites(const struct facts *facts, struct site_port *out, size_t most);
/* A fact of kind `listener` by which an administrator comes in: sshd. */
bool port_is_way_in(const struct fact *listener);

/* The `unread` facts for which listeners may be missing, one after the other: start with NULL. */
const struct fact *ports_unread(const struct facts *facts, const struct fact *after);

/* The ports that a border router shuts: first and last of a range, tcp and udp. */
struct port_range {
    unsigned first, last;
    bool tcp, udp;
    const char *name;   /* "NetBIOS" */
    const char *reason; /* message id */
};
size_t ports_without_business(const struct port_range **out);

#endif
