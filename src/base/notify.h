/* notify.h - tells systemd how a service fares (sd_notify(3)): a datagram to NOTIFY_SOCKET.
 *
 * Opened before the process gives up sockets; without NOTIFY_SOCKET everything does nothing. */
#ifndef YAGURA_BASE_NOTIFY_H
#define YAGURA_BASE_NOTIFY_H

#include <stdint.h>

struct notify {
    int fd; /* -1: nobody wants to know */
    int64_t watchdog_ms, next_ms;
};

void notify_open(struct notify *n);
void notify_close(struct notify *n);
void notify_say(const struct notify *n, const char *text); /* "READY=1" */

/* To be called often: says that all is well, three times as often as WATCHDOG_USEC asks. */
void notify_alive(struct notify *n);

#endif
