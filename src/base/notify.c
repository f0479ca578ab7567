#include "base/notify.h"

#include "base/str.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

void notify_open(struct notify *n)
{
    const char *path = getenv("NOTIFY_SOCKET"), *watchdog = getenv("WATCHDOG_USEC");
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    uint64_t watchdog_us = 0;
    *n = (struct notify){.fd = -1};
    size_t length = path ? strlen(path) : 0;
    if (length < 2 || length >= sizeof address.sun_path || (path[0] != '/' && path[0] != '@'))
        return;
    memcpy(address.sun_path, path, length);
    if (path[0] == '@') /* an abstract one */
        address.sun_path[0] = '\0';
    n->fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (n->fd >= 0 && connect(n->fd, (struct sockaddr *)&address,
                              (socklen_t)(offsetof(struct sockaddr_un, sun_path) + length)) != 0)
        notify_close(n);
    if (watchdog && str_to_u64(watchdog, &watchdog_us))
        n->watchdog_ms = (int64_t)(watchdog_us / 1000);
}

void notify_close(struct notify *n)
{
    if (n->fd >= 0)
        close(n->fd);
    n->fd = -1;
}

void notify_say(const struct notify *n, const char *text)
{
    if (n->fd >= 0)
        send(n->fd, text, strlen(text), MSG_NOSIGNAL); /* who does not listen need not be told */
}

void notify_alive(struct notify *n)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    int64_t now_ms = (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
    if (!n->watchdog_ms || now_ms < n->next_ms)
        return;
    n->next_ms = now_ms + n->watchdog_ms / 3;
    notify_say(n, "WATCHDOG=1");
}
