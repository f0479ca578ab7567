#include "collect/from_outside.h"

#include "base/mem.h"
#include "base/monotonic.h"

#include <errno.h>
#include <netdb.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { AT_ONCE = 64, MOST_ADDRESSES = 16, REPEAT_MS = 400 };

/* RFC 1002, 4.2.1.2 and 4.2.17: a header that asks one question; the name "*", its half-bytes
 * written as letters from "A" on; type NBSTAT, class IN. */
static const uint8_t node_status[] = {0x79, 0x67, 0x00, 0x00, 0x00, 0x01, 0x00, 0x00, 0x00, 0x00,
                                      0x00, 0x00, 0x20, 'C',  'K',  'A',  'A',  'A',  'A',  'A',
                                      'A',  'A',  'A',  'A',  'A',  'A',  'A',  'A',  'A',  'A',
                                      'A',  'A',  'A',  'A',  'A',  'A',  'A',  'A',  'A',  'A',
                                      'A',  'A',  'A',  'A',  'A',  0x00, 0x00, 0x21, 0x00, 0x01};

static void ask(struct outside_try *t)
{
    const void *question = t->port == 137 ? node_status : (const uint8_t[4]){0};
    size_t size = t->port == 137 ? sizeof node_status : 4;
    /* refused: an answer to the one before, which poll() tells */
    (void)!send(t->fd, question, size, MSG_DONTWAIT | MSG_NOSIGNAL);
}

static void settle(struct outside_try *t, int problem)
{
    t->answer = problem == 0 ? OUTSIDE_OPEN
                : problem == ECONNREFUSED || problem == EHOSTUNREACH || problem == EACCES ||
                        problem == ENETUNREACH
                    ? problem == ENETUNREACH ? OUTSIDE_UNKNOWN : OUTSIDE_REFUSED
                : problem == ETIMEDOUT ? OUTSIDE_SILENT
                                       : OUTSIDE_UNKNOWN;
    t->problem = problem;
    if (t->fd >= 0)
        close(t->fd);
    t->fd = -1;
}

static void start(struct outside_try *t)
{
    t->answer = OUTSIDE_SILENT;
    t->fd = socket(t->to.ss_family,
                   (t->udp ? SOCK_DGRAM : SOCK_STREAM) | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (t->fd < 0 ||
        (connect(t->fd, (struct sockaddr *)&t->to, t->to_size) != 0 && errno != EINPROGRESS)) {
        settle(t, errno);
        return;
    }
    if (t->udp)
        ask(t);
}

static void look(struct outside_try *t)
{
    char byte;
    int problem = 0;
    socklen_t size = sizeof problem;
    if (!t->udp) {
        getsockopt(t->fd, SOL_SOCKET, SO_ERROR, &problem, &size);
        settle(t, problem);
        return;
    }
    if (recv(t->fd, &byte, 1, MSG_DONTWAIT | MSG_TRUNC) >= 0)
        settle(t, 0);
    else if (errno != EAGAIN && errno != EINTR)
        settle(t, errno);
}

/* Some at once, so that a host that swallows everything costs one wait and not a wait a port. */
static void try_some(struct outside_try *tries, size_t count, unsigned wait_ms)
{
    struct pollfd polls[AT_ONCE];
    for (size_t i = 0; i < count; i++)
        start(&tries[i]);
    int64_t deadline = monotonic_ms() + wait_ms, repeat = monotonic_ms() + REPEAT_MS;
    for (;;) {
        size_t open = 0;
        int64_t now = monotonic_ms();
        for (size_t i = 0; i < count; i++) {
            polls[i] =
                (struct pollfd){.fd = tries[i].fd, .events = tries[i].udp ? POLLIN : POLLOUT};
            open += tries[i].fd >= 0;
            if (tries[i].fd >= 0 && tries[i].udp && now >= repeat)
                ask(&tries[i]);
        }
        if (now >= repeat) /* datagrams get lost */
            repeat = now + REPEAT_MS;
        if (!open || now >= deadline)
            break;
        int64_t until = repeat < deadline ? repeat : deadline;
        if (poll(polls, count, (int)(until > now ? until - now : 1)) <= 0)
            continue;
        for (size_t i = 0; i < count; i++)
            if (polls[i].revents)
                look(&tries[i]);
    }
    for (size_t i = 0; i < count; i++) {
        if (tries[i].fd >= 0)
            close(tries[i].fd);
        tries[i].fd = -1;
    }
}

bool from_outside(struct outside_try **out, size_t *count, const char *host,
                  const struct outside_port *ports, size_t port_count, unsigned wait_ms,
                  struct error *e)
{
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM}, *list = NULL;
    int problem = getaddrinfo(host, NULL, &hints, &list);
    if (problem) {
        error_set(e, ERR_USAGE, "the name %.100s leads nowhere: %s", host, gai_strerror(problem));
        return false;
    }
    struct outside_try *tries = mem_alloc((MOST_ADDRESSES * port_count + 1) * sizeof *tries);
    size_t n = 0, addresses = 0;
    for (const struct addrinfo *a = list; a && addresses < MOST_ADDRESSES; a = a->ai_next) {
        if (a->ai_family != AF_INET && a->ai_family != AF_INET6)
            continue;
        addresses++;
        for (size_t i = 0; i < port_count; i++) {
            struct outside_try *t = &tries[n++];
            *t = (struct outside_try){.port = ports[i].port,
                                      .udp = ports[i].udp,
                                      .ipv6 = a->ai_family == AF_INET6,
                                      .to_size = a->ai_addrlen,
                                      .fd = -1};
            memcpy(&t->to, a->ai_addr, a->ai_addrlen);
            getnameinfo(a->ai_addr, a->ai_addrlen, t->address, sizeof t->address, NULL, 0,
                        NI_NUMERICHOST);
            in_port_t port = htons(t->port);
            if (t->ipv6)
                ((struct sockaddr_in6 *)&t->to)->sin6_port = port;
            else
                ((struct sockaddr_in *)&t->to)->sin_port = port;
        }
    }
    freeaddrinfo(list);
    for (size_t i = 0; i < n; i += AT_ONCE)
        try_some(tries + i, n - i < AT_ONCE ? n - i : AT_ONCE, wait_ms);
    *out = tries;
    *count = n;
    return true;
}
