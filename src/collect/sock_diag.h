/* sock_diag.h - the kernel's tables of sockets: sock_diag(7), NETLINK_SOCK_DIAG.
 *
 * A dump is asked for by family and protocol with an inet_diag_req_v2; the answers are
 * inet_diag_msg (linux/inet_diag.h), each in a netlink message, in the byte order of the
 * machine but for port and address. INET_DIAG_SKV6ONLY tells whether a socket of IPv6 takes
 * IPv4 too. Where the kernel has no sock_diag, /proc/net/tcp, tcp6, udp and udp6 say the same
 * without that (proc(5)). */
#ifndef YAGURA_COLLECT_SOCK_DIAG_H
#define YAGURA_COLLECT_SOCK_DIAG_H

#include "base/error.h"

#include <linux/inet_diag.h>
#include <stddef.h>
#include <stdint.h>

/* The states of a socket that waits for others to come: TCP_LISTEN, and for UDP TCP_CLOSE
 * (bound, without a peer); include/net/tcp_states.h. */
enum { SOCK_DIAG_LISTEN = 10, SOCK_DIAG_CLOSE = 7 };

struct sock_diag_socket {
    bool ipv6; /* of family AF_INET6 */
    bool udp;
    uint8_t state;
    uint8_t address[16]; /* network order; IPv4 in the first four */
    uint16_t port;
    uint32_t uid, inode;
    int v6only; /* 0 or 1; -1 = not known */
    /* as the kernel names it, with its peer; zeros where /proc says it */
    uint8_t family;
    struct inet_diag_sockid id;
};

typedef void sock_diag_visit(void *context, const struct sock_diag_socket *socket);

/* What came in one recv(). *done is set at the end of the dump. ERR_SYSTEM with sys_errno where
 * the kernel says no. Messages that make no sense end the parse with ERR_FORMAT. */
bool sock_diag_parse(const void *data, size_t size, bool udp, sock_diag_visit *visit, void *context,
                     bool *done, struct error *e);

/* Asks for the sockets in these states (a bit each) and reads all answers. */
bool sock_diag_dump(int netlink_fd, bool ipv6, bool udp, uint32_t states, sock_diag_visit *visit,
                    void *context, struct error *e);

/* A Unix socket (unix_diag_req, unix_diag_msg; linux/unix_diag.h). */
struct sock_diag_unix {
    uint32_t inode;
    uint32_t file;  /* the low half of the number of the file that it was bound to; 0: none */
    char name[109]; /* as it was bound, maybe relative; "" where it has none of the file system */
};

/* Those in these states, whatever they are called, which the text of /proc/net/unix does not keep
 * apart. ERR_SYSTEM with ENOENT where the kernel has no such part. */
bool sock_diag_dump_unix(int netlink_fd, uint32_t states,
                         void (*visit)(void *context, const struct sock_diag_unix *socket),
                         void *context, struct error *e);

/* The text of /proc/net/tcp and its like; sockets of other states are left out. Returns how
 * many lines made no sense. */
uint64_t sock_diag_parse_proc(const char *text, size_t size, bool ipv6, bool udp,
                              sock_diag_visit *visit, void *context);

#endif
