/* from_outside.h - which ports of another host can be reached from here: a connection over TCP,
 * a question over UDP; over every address of its name, IPv4 and IPv6. Nothing but that is sent:
 * a TCP connection is closed as soon as it stands, and port 137 gets the one question that every
 * NetBIOS name service answers (RFC 1002, 4.2.17, NODE STATUS REQUEST for "*"). Answers are
 * counted and not read.
 *
 * For hosts of one's own: trying the ports of others is an attack in many countries. */
#ifndef YAGURA_COLLECT_FROM_OUTSIDE_H
#define YAGURA_COLLECT_FROM_OUTSIDE_H

#include "base/error.h"

#include <netinet/in.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

enum outside_answer {
    OUTSIDE_OPEN,    /* it answered */
    OUTSIDE_REFUSED, /* the host, or one before it, says no */
    OUTSIDE_SILENT,  /* nothing came: shut (of UDP: or nobody understood) */
    OUTSIDE_UNKNOWN  /* it could not be tried; `problem` says why */
};

struct outside_try {
    char address[INET6_ADDRSTRLEN + 20]; /* with its zone */
    uint16_t port;
    bool udp, ipv6;
    enum outside_answer answer;
    int problem; /* errno */
    /* for from_outside.c */
    struct sockaddr_storage to;
    socklen_t to_size;
    int fd;
};

struct outside_port {
    uint16_t port;
    bool udp;
};

/* *out is a malloc block, one a port and address, in that order. At most `wait_ms` for all that
 * is silent. ERR_USAGE where nobody knows the name. */
bool from_outside(struct outside_try **out, size_t *count, const char *host,
                  const struct outside_port *ports, size_t port_count, unsigned wait_ms,
                  struct error *e);

#endif
