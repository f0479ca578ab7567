/* inetd.h - inetd.conf, services and rpc of Solaris 2.5 ... 9, read from bytes.
 *
 * inetd.conf(4): service, socket type, protocol, wait or nowait, user, server, arguments. An
 * RPC service is NAME or NUMBER with its versions (100232/10, rstatd/2-4), of protocol
 * rpc/udp, rpc/tcp, rpc/datagram_v,circuit_v or "rpc/" and a star; its port is assigned by rpcbind
 * when it starts. A line that begins with # and is a service for the rest was turned off by
 * somebody: that is worth knowing.
 * services(4): NAME PORT/PROTOCOL ALIASES. rpc(4): NAME NUMBER ALIASES. */
#ifndef YAGURA_COLLECT_INETD_H
#define YAGURA_COLLECT_INETD_H

#include "base/mem.h"
#include "base/str.h"

struct inetd_entry {
    bool commented;
    const char *service; /* as it stands: "telnet", "100232/10" */
    const char *socket, *proto, *wait, *user, *server;
    const char *args; /* the program's name and its arguments, one space between each */
    bool is_rpc;
    const char *rpc_name; /* RPC: what stands before the slash */
    const char *versions; /* RPC: what stands behind it, or "" */
};

/* Reads one line; cuts it up, and the entry points into it or into the arena. */
enum inetd_line { INETD_NOTHING, INETD_ENTRY, INETD_BAD };
enum inetd_line inetd_parse_line(struct inetd_entry *out, struct arena *arena, char *line);

/* Ports and program numbers by name, aliases too. */
struct inetd_names;
struct inetd_names *inetd_names_new(void);
void inetd_names_free(struct inetd_names *names);
void inetd_names_cleanup(struct inetd_names **names);
/* A line of /etc/services (with_proto) or /etc/rpc; the first one to give a name counts. */
void inetd_names_add_line(struct inetd_names *names, char *line, bool with_proto);
void inetd_names_sort(struct inetd_names *names); /* once, before looking up */
/* "tcp", "udp", or "" for /etc/rpc; false if it is not there. */
bool inetd_names_find(const struct inetd_names *names, const char *name, const char *proto,
                      uint64_t *out);
/* The same for what every system calls so, where the host's own file does not say. Ports: IANA's
 * registry of service names; programs: RFC 5531, appendix C, and Sun's list. */
bool inetd_names_usual(const char *name, const char *proto, uint64_t *out);

#endif
