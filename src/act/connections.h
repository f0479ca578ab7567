/* connections.h - the TCP connections of this host (and connected UDP sockets), as the kernel has
 * them, and how one is ended: sock_diag(7), SOCK_DIAG_BY_FAMILY and SOCK_DESTROY
 * (linux/inet_diag.h; CONFIG_INET_DIAG_DESTROY).
 *
 * Only those of the network namespace that this process is in: containers have their own. */
#ifndef YAGURA_ACT_CONNECTIONS_H
#define YAGURA_ACT_CONNECTIONS_H

#include "base/error.h"

#include <linux/inet_diag.h>
#include <stddef.h>
#include <stdint.h>

/* include/net/tcp_states.h */
enum { CONNECTION_ESTABLISHED = 1, CONNECTION_LISTEN = 10 };

struct address {
    bool ipv6;
    uint8_t bytes[16]; /* network order; IPv4 in the first four, also where it came in as
                          ::ffff:192.0.2.1 */
};

bool address_equal(const struct address *a, const struct address *b);
/* An address as getifaddrs() gives it; false of any other family. */
struct sockaddr;
bool address_is(const struct address *a, const struct sockaddr *s);
bool address_is_loopback(const struct address *a); /* 127.0.0.0/8, ::1 */
bool address_is_any(const struct address *a);      /* 0.0.0.0, :: */
/* "192.0.2.1"; the buffer of at least 46 bytes is returned. */
const char *address_text(const struct address *a, char *out);

struct connection {
    bool udp;
    uint8_t state;
    struct address local, remote;
    uint16_t local_port, remote_port;
    uint32_t uid, inode; /* inode 0: no process holds it any more, or not yet */
    /* as the kernel named it, to name it back */
    uint8_t family;
    struct inet_diag_sockid id;
};

/* The same four: addresses and ports (and protocol). */
bool connection_equal(const struct connection *a, const struct connection *b);
/* One is the other's other end: both lie on this host. */
bool connection_is_other_end(const struct connection *a, const struct connection *b);
/* "192.0.2.1:40000 -> 198.51.100.2:22", from the side that is not here. 120 bytes are enough. */
const char *connection_text(const struct connection *c, char *out, size_t size);

struct connections {
    struct connection *items; /* malloc block */
    size_t count;
};

/* Listeners and connections; those that only wait for their time to pass are left out. */
bool connections_read(struct connections *out, struct error *e);
void connections_free(struct connections *c);
#define CLEANUP_CONNECTIONS CLEANUP(connections_free)

/* Ends those of the list that `doomed` says; *ended counts them, *left what the kernel did not end
 * (it is named in *e, which is no failure of the whole: ERR_UNSUPPORTED where this kernel ends
 * none). One that ended by itself meanwhile counts as ended. */
bool connections_end(const struct connections *c,
                     bool (*doomed)(const void *context, const struct connection *c),
                     const void *context, size_t *ended, size_t *left, struct error *e);

#endif
