#include "guard/control.h"

#include "base/mem.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

enum { CONNECTIONS = 16, LINE = 256, ANSWER_MS = 30000 };
static const char socket_name[] = "guard.sock";

struct connection {
    int fd; /* -1: free */
    size_t length;
    char line[LINE];
};

struct control {
    int epoll, listener, state_dirfd;
    control_answer *answer;
    void (*closed)(void *context, unsigned connection);
    void *context;
    struct connection connections[CONNECTIONS];
};

/* A socket has no openat(): the folder is named by its descriptor, which also keeps the path
 * short. */
static void address_of(struct sockaddr_un *out, int state_dirfd)
{
    *out = (struct sockaddr_un){.sun_family = AF_UNIX};
    snprintf(out->sun_path, sizeof out->sun_path, "/proc/self/fd/%d/%s", state_dirfd, socket_name);
}

static bool listen_on(struct control *c, struct error *e)
{
    struct sockaddr_un address;
    address_of(&address, c->state_dirfd);
    c->listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    struct control_client other;
    if (control_connect(&other, c->state_dirfd, NULL)) {
        control_disconnect(&other);
        error_set(e, ERR_USAGE, "a guard is running on this state already");
        return false;
    }
    unlinkat(c->state_dirfd, socket_name, 0); /* of one that died */
    mode_t mask = umask(0177);
    bool good = c->listener >= 0 &&
                bind(c->listener, (struct sockaddr *)&address, sizeof address) == 0 &&
                listen(c->listener, CONNECTIONS) == 0;
    umask(mask);
    struct epoll_event event = {.events = EPOLLIN, .data.u32 = CONNECTIONS};
    c->epoll = epoll_create1(EPOLL_CLOEXEC);
    good = good && c->epoll >= 0 && epoll_ctl(c->epoll, EPOLL_CTL_ADD, c->listener, &event) == 0;
    if (!good)
        error_set_errno(e, errno, "opening the guard's socket");
    return good;
}

bool control_open(struct control **out, int state_dirfd, control_answer *answer,
                  void (*closed)(void *context, unsigned connection), void *context,
                  struct error *e)
{
    struct control *c = mem_alloc(sizeof *c);
    *c = (struct control){.epoll = -1,
                          .listener = -1,
                          .state_dirfd = state_dirfd,
                          .answer = answer,
                          .closed = closed,
                          .context = context};
    for (size_t i = 0; i < CONNECTIONS; i++)
        c->connections[i].fd = -1;
    if (!listen_on(c, e)) {
        if (c->listener >= 0)
            close(c->listener);
        if (c->epoll >= 0)
            close(c->epoll);
        free(c);
        return false;
    }
    *out = c;
    return true;
}

static void drop(struct control *c, unsigned i)
{
    close(c->connections[i].fd);
    c->connections[i].fd = -1;
    c->connections[i].length = 0;
    c->closed(c->context, i);
}

void control_close(struct control *c)
{
    if (!c)
        return;
    for (unsigned i = 0; i < CONNECTIONS; i++)
        if (c->connections[i].fd >= 0)
            drop(c, i);
    unlinkat(c->state_dirfd, socket_name, 0);
    close(c->listener);
    close(c->epoll);
    free(c);
}

int control_fd(const struct control *c)
{
    return c->epoll;
}

static void take_connection(struct control *c)
{
    int fd = accept4(c->listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
    for (unsigned i = 0; fd >= 0 && i < CONNECTIONS; i++) {
        struct epoll_event event = {.events = EPOLLIN, .data.u32 = i};
        if (c->connections[i].fd >= 0 || epoll_ctl(c->epoll, EPOLL_CTL_ADD, fd, &event) != 0)
            continue;
        c->connections[i].fd = fd;
        c->connections[i].length = 0;
        return;
    }
    if (fd >= 0)
        close(fd);
}

/* Who does not take its answer loses the connection: the guard waits for nobody. */
static void answer_line(struct control *c, unsigned i, const char *line)
{
    CLEANUP_STR struct str answer = {0};
    c->answer(c->context, i, line, &answer);
    str_add_char(&answer, '\n');
    if (c->connections[i].fd >= 0 && send(c->connections[i].fd, answer.data, answer.length,
                                          MSG_NOSIGNAL) != (ssize_t)answer.length)
        drop(c, i);
}

static void read_connection(struct control *c, unsigned i)
{
    struct connection *at = &c->connections[i];
    ssize_t n = recv(at->fd, at->line + at->length, sizeof at->line - at->length, 0);
    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (n <= 0) {
        drop(c, i);
        return;
    }
    at->length += (size_t)n;
    char *end;
    while (at->fd >= 0 && (end = memchr(at->line, '\n', at->length))) {
        char line[LINE];
        size_t length = (size_t)(end - at->line);
        memcpy(line, at->line, length);
        line[length] = '\0';
        at->length -= length + 1;
        memmove(at->line, end + 1, at->length);
        answer_line(c, i, line);
    }
    if (at->fd >= 0 && at->length == sizeof at->line)
        drop(c, i);
}

void control_step(struct control *c)
{
    struct epoll_event events[CONNECTIONS + 1];
    int count = epoll_wait(c->epoll, events, CONNECTIONS + 1, 0);
    for (int i = 0; i < count; i++) {
        unsigned which = events[i].data.u32;
        if (which == CONNECTIONS)
            take_connection(c);
        else if (c->connections[which].fd >= 0)
            read_connection(c, which);
    }
}

bool control_connect(struct control_client *out, int state_dirfd, struct error *e)
{
    struct sockaddr_un address;
    address_of(&address, state_dirfd);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd >= 0 && connect(fd, (struct sockaddr *)&address, sizeof address) == 0) {
        out->fd = fd;
        return true;
    }
    int code = errno;
    if (fd >= 0)
        close(fd);
    if (code == ENOENT || code == ECONNREFUSED)
        error_set(e, ERR_ABSENT, "no guard is running on this state");
    else
        error_set_errno(e, code, "speaking with the guard");
    return false;
}

void control_disconnect(struct control_client *c)
{
    close(c->fd);
    c->fd = -1;
}

bool control_ask(struct control_client *c, const char *line, struct str *answer, struct error *e)
{
    CLEANUP_STR struct str request = {0};
    str_printf(&request, "%s\n", line);
    bool good = send(c->fd, request.data, request.length, MSG_NOSIGNAL) == (ssize_t)request.length;
    str_clear(answer);
    str_add(answer, "");
    while (good && !strchr(answer->data, '\n')) {
        char buffer[4096];
        struct pollfd wait = {.fd = c->fd, .events = POLLIN};
        ssize_t n = poll(&wait, 1, ANSWER_MS) == 1 ? recv(c->fd, buffer, sizeof buffer, 0) : 0;
        good = n > 0 && answer->length < (1 << 20);
        if (good)
            str_add_bytes(answer, buffer, (size_t)n);
    }
    if (!good) {
        error_set(e, ERR_TIMEOUT, "the guard does not answer");
        return false;
    }
    answer->data[strcspn(answer->data, "\n")] = '\0';
    answer->length = strlen(answer->data);
    return true;
}
