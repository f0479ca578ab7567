/* upstreams.h - the addresses on this host to which its web servers hand requests.
 *
 * They stand in the key `handlers` of a `site`: "proxy:http://127.0.0.1:3000/",
 * "fastcgi:unix:/run/app.sock", Apache's "proxy:unix:/run/app.sock|http://localhost/". */
#ifndef YAGURA_COLLECT_UPSTREAMS_H
#define YAGURA_COLLECT_UPSTREAMS_H

#include "base/mem.h"

#include <stdint.h>

struct upstream {
    const char *address; /* "unix:/run/app.sock", "127.0.0.1:3000", "localhost:80", "[::1]:80" */
    const char *path;    /* of a Unix socket; else NULL */
    uint16_t port;       /* else, of loopback */
    bool ipv4, ipv6;     /* by which it is asked there */
};

/* Calls `visit` with each of those that lie on this host, in the order of the text; what lies
 * elsewhere is none, and what only the request tells (a variable, a balancer) has an address alone:
 * the handler. Strings in the arena. */
void upstreams_of(const char *handlers, struct arena *arena,
                  void (*visit)(void *context, const struct upstream *u), void *context);

#endif
