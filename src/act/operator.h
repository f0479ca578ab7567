/* operator.h - who sits at this program, and over which way he came: what must not be cut off.
 *
 * The way is found from the kernel's side and not believed from the environment: of this process
 * and those that started it, the nearest one that holds a connection which was accepted here (its
 * local port is one that is listened on) holds the operator's: sshd, or whatever else lets
 * people in. Where there is none:
 *
 *   - his terminal is one of the console: there is no connection that could be cut;
 *   - his terminal is made by a multiplexer (tmux, screen): it has the terminals of those who
 *     look at it open, and the processes on those are followed instead, all of them;
 *   - else SSH_CONNECTION, if that connection stands.
 *
 * A connection whose other end lies on this host came through something here (sslh, a proxy, a
 * tunnel): that process's own connection with the outside is the operator's. Where it has
 * several, nobody can tell which, and the seat is OPERATOR_HIDDEN: never take 127.0.0.1 for his
 * address. */
#ifndef YAGURA_ACT_OPERATOR_H
#define YAGURA_ACT_OPERATOR_H

#include "act/connections.h"

#include <sys/types.h>

enum operator_seat {
    OPERATOR_NOWHERE, /* no terminal and no connection: a timer, a service */
    OPERATOR_CONSOLE,
    OPERATOR_NETWORK,
    OPERATOR_HIDDEN /* over the network, and `why` says what hides him */
};

struct operator_way {
    struct connection connection; /* as it is seen from outside */
    bool made_here;               /* this host opened it: a tunnel to elsewhere */
    uint64_t since_ms;            /* when his session began, in CLOCK_BOOTTIME */
    char tunnel[16];              /* the interface, where it is one of a tunnel, or "" */
};

enum { OPERATOR_MOST_WAYS = 8 };

struct operator
{
    uid_t uid;         /* who logged in, also behind sudo and su */
    char user[64];     /* "" where no directory knows a name */
    bool local;        /* /etc/passwd has him: not LDAP, SSSD or AD */
    char terminal[32]; /* "pts/3", "tty1", or "" */
    enum operator_seat seat;
    struct operator_way ways[OPERATOR_MOST_WAYS];
    size_t way_count;
    char through[32]; /* the process between him and his shell: "tmux: server", "sslh"; or "" */
    char why[200];    /* OPERATOR_HIDDEN: in the person's language */
};

/* `all` as connections_read() gave it. */
bool operator_find(struct operator* out, const struct connections *all, struct error *e);

#endif
