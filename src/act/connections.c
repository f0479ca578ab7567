#include "act/connections.h"

#include "base/mem.h"
#include "collect/sock_diag.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

enum { MOST_CONNECTIONS = 1 << 20, TIME_WAIT = 6, CLOSED = 7 };

static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};

bool address_equal(const struct address *a, const struct address *b)
{
    return a->ipv6 == b->ipv6 && memcmp(a->bytes, b->bytes, a->ipv6 ? 16 : 4) == 0;
}

bool address_is(const struct address *a, const struct sockaddr *s)
{
    if (!s || s->sa_family != (a->ipv6 ? AF_INET6 : AF_INET))
        return false;
    const void *bytes =
        a->ipv6 ? (const void *)&((const struct sockaddr_in6 *)(const void *)s)->sin6_addr
                : (const void *)&((const struct sockaddr_in *)(const void *)s)->sin_addr;
    return memcmp(bytes, a->bytes, a->ipv6 ? 16 : 4) == 0;
}

bool address_is_loopback(const struct address *a)
{
    static const uint8_t one[16] = {[15] = 1};
    return a->ipv6 ? memcmp(a->bytes, one, 16) == 0 : a->bytes[0] == 127;
}

bool address_is_any(const struct address *a)
{
    static const uint8_t zero[16];
    return memcmp(a->bytes, zero, a->ipv6 ? 16 : 4) == 0;
}

const char *address_text(const struct address *a, char *out)
{
    out[0] = '\0';
    inet_ntop(a->ipv6 ? AF_INET6 : AF_INET, a->bytes, out, INET6_ADDRSTRLEN);
    return out;
}

bool connection_equal(const struct connection *a, const struct connection *b)
{
    return a->udp == b->udp && a->local_port == b->local_port && a->remote_port == b->remote_port &&
           address_equal(&a->local, &b->local) && address_equal(&a->remote, &b->remote);
}

bool connection_is_other_end(const struct connection *a, const struct connection *b)
{
    return a->udp == b->udp && a->local_port == b->remote_port && a->remote_port == b->local_port &&
           address_equal(&a->local, &b->remote) && address_equal(&a->remote, &b->local);
}

static const char *end_text(const struct address *a, uint16_t port, char *out, size_t size)
{
    char text[INET6_ADDRSTRLEN];
    address_text(a, text);
    snprintf(out, size, a->ipv6 ? "[%s]:%u" : "%s:%u", text, port);
    return out;
}

const char *connection_text(const struct connection *c, char *out, size_t size)
{
    char from[INET6_ADDRSTRLEN + 10], to[INET6_ADDRSTRLEN + 10];
    snprintf(out, size, "%s -> %s", end_text(&c->remote, c->remote_port, from, sizeof from),
             end_text(&c->local, c->local_port, to, sizeof to));
    return out;
}

static struct address address_of(uint8_t family, const void *bytes)
{
    struct address a = {.ipv6 = family == AF_INET6};
    if (a.ipv6 && memcmp(bytes, mapped, sizeof mapped) == 0) {
        a.ipv6 = false;
        memcpy(a.bytes, (const uint8_t *)bytes + sizeof mapped, 4);
    } else {
        memcpy(a.bytes, bytes, a.ipv6 ? 16 : 4);
    }
    return a;
}

struct reading {
    VEC(struct connection) list;
    bool too_many;
};

static void free_reading(struct reading *r)
{
    VEC_FREE(&r->list);
}

static void keep(void *context, const struct sock_diag_socket *s)
{
    struct reading *r = context;
    r->too_many |= r->list.count >= MOST_CONNECTIONS;
    if (r->too_many)
        return;
    struct connection c = {.udp = s->udp,
                           .state = s->state,
                           .local = address_of(s->family, s->id.idiag_src),
                           .remote = address_of(s->family, s->id.idiag_dst),
                           .local_port = ntohs(s->id.idiag_sport),
                           .remote_port = ntohs(s->id.idiag_dport),
                           .uid = s->uid,
                           .inode = s->inode,
                           .family = s->family,
                           .id = s->id};
    VEC_PUSH(&r->list, c);
}

static bool dump(int fd, struct reading *r, bool ipv6, bool udp, struct error *e)
{
    uint32_t states = ~(1u << TIME_WAIT | 1u << SOCK_DIAG_CLOSE);
    if (!sock_diag_dump(fd, ipv6, udp, states, keep, r, e))
        return false;
    if (r->too_many)
        error_set(e, ERR_LIMIT, "there are more than a million connections");
    return !r->too_many;
}

static int open_diag(struct error *e)
{
    struct timeval patience = {.tv_sec = 5};
    int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_SOCK_DIAG);
    if (fd < 0)
        error_set_errno(e, errno, "asking the kernel failed");
    else
        setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    return fd;
}

bool connections_read(struct connections *out, struct error *e)
{
    CLEANUP(free_reading) struct reading r = {0};
    CLEANUP_CLOSE int fd = open_diag(e);
    if (fd < 0)
        return false;
    for (int i = 0; i < 4; i++) {
        struct error problem = ERROR_INIT;
        /* a kernel without IPv6, or without diagnosis of UDP, has none of these */
        if (!dump(fd, &r, i & 1, i & 2, &problem) && (i == 0 || problem.sys_errno != ENOENT)) {
            if (e)
                *e = problem;
            return false;
        }
    }
    out->items = r.list.items;
    out->count = r.list.count;
    r.list.items = NULL;
    return true;
}

void connections_free(struct connections *c)
{
    free(c->items);
    *c = (struct connections){0};
}

/* 0, or what the kernel said. */
static int end_one(int fd, const struct connection *c)
{
    struct {
        struct nlmsghdr head;
        struct inet_diag_req_v2 body;
    } request = {.head = {.nlmsg_len = sizeof request,
                          .nlmsg_type = SOCK_DESTROY,
                          .nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK},
                 .body = {.sdiag_family = c->family,
                          .sdiag_protocol = c->udp ? IPPROTO_UDP : IPPROTO_TCP,
                          .id = c->id}};
    struct {
        struct nlmsghdr head;
        struct nlmsgerr body;
    } answer;
    ssize_t got;
    if (send(fd, &request, sizeof request, 0) != (ssize_t)sizeof request)
        return errno;
    do
        got = recv(fd, &answer, sizeof answer, 0);
    while (got < 0 && errno == EINTR);
    if (got < (ssize_t)sizeof answer)
        return got < 0 ? errno : EIO;
    return answer.head.nlmsg_type == NLMSG_ERROR ? -answer.body.error : 0;
}

bool connections_end(const struct connections *c,
                     bool (*doomed)(const void *context, const struct connection *c),
                     const void *context, size_t *ended, size_t *left, struct error *e)
{
    CLEANUP_CLOSE int fd = open_diag(e);
    if (fd < 0)
        return false;
    *ended = *left = 0;
    for (size_t i = 0; i < c->count; i++) {
        if (!doomed(context, &c->items[i]))
            continue;
        int problem = end_one(fd, &c->items[i]);
        if (!problem || problem == ENOENT) {
            ++*ended;
            continue;
        }
        ++*left;
        if (problem == EOPNOTSUPP || problem == EINVAL)
            error_set(e, ERR_UNSUPPORTED,
                      "this kernel ends no connections of others (CONFIG_INET_DIAG_DESTROY)");
        else
            error_set_errno(e, problem, "a standing connection could not be ended");
    }
    return true;
}
