#include "libexec/notice/visitors.h"

#include "base/mem.h"
#include "base/monotonic.h"
#include "base/str.h"

#include <errno.h>
#include <openssl/err.h>
#include <poll.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { MOST_VISITORS = 200, MOST_REQUEST_BYTES = 8192, PATIENCE_MS = 10000 };

struct visitor {
    int fd; /* -1: free */
    SSL *tls;
    int64_t until_ms;
    char request[MOST_REQUEST_BYTES];
    size_t request_size;
    const struct str *answer; /* NULL: still asking */
    size_t sent;
    short wants; /* POLLIN or POLLOUT */
};

struct visitors {
    int listeners[2];
    SSL_CTX *tls;
    struct str get, head;
    struct visitor all[MOST_VISITORS];
};

struct visitors *visitors_new(int plain_fd, int tls_fd, SSL_CTX *tls, const char *page, size_t size)
{
    struct visitors *v = mem_alloc(sizeof *v);
    memset(v, 0, sizeof *v);
    v->listeners[0] = plain_fd;
    v->listeners[1] = tls_fd;
    v->tls = tls;
    for (size_t i = 0; i < MOST_VISITORS; i++)
        v->all[i].fd = -1;
    str_printf(&v->head,
               "HTTP/1.1 503 Service Unavailable\r\nContent-Type: text/html; charset=utf-8\r\n"
               "Content-Length: %zu\r\nRetry-After: 3600\r\nCache-Control: no-store\r\n"
               "X-Content-Type-Options: nosniff\r\nConnection: close\r\n\r\n",
               size);
    str_add_bytes(&v->get, v->head.data, v->head.length);
    str_add_bytes(&v->get, page, size);
    return v;
}

static void see_off(struct visitor *w)
{
    if (w->tls)
        SSL_free(w->tls);
    shutdown(w->fd, SHUT_WR);
    close(w->fd);
    *w = (struct visitor){.fd = -1};
}

/* What came or went: > 0; 0 at the end; -1 with `wants` set: later. */
static ssize_t tls_result(struct visitor *w, int n)
{
    if (n > 0)
        return n;
    int why = SSL_get_error(w->tls, n);
    ERR_clear_error();
    if (why != SSL_ERROR_WANT_READ && why != SSL_ERROR_WANT_WRITE)
        return 0;
    w->wants = why == SSL_ERROR_WANT_READ ? POLLIN : POLLOUT;
    return -1;
}

static ssize_t take(struct visitor *w, void *out, size_t size)
{
    if (w->tls)
        return tls_result(w, SSL_read(w->tls, out, (int)size));
    ssize_t n = recv(w->fd, out, size, MSG_DONTWAIT);
    w->wants = POLLIN;
    return n >= 0 ? n : errno == EAGAIN || errno == EINTR ? -1 : 0;
}

static ssize_t give(struct visitor *w, const void *bytes, size_t size)
{
    if (w->tls)
        return tls_result(w, SSL_write(w->tls, bytes, (int)size));
    ssize_t n = send(w->fd, bytes, size, MSG_DONTWAIT | MSG_NOSIGNAL);
    w->wants = POLLOUT;
    return n >= 0 ? n : errno == EAGAIN || errno == EINTR ? -1 : 0;
}

/* False when it is over. */
static bool hear(const struct visitors *v, struct visitor *w)
{
    while (!w->answer) {
        ssize_t n = take(w, w->request + w->request_size, sizeof w->request - w->request_size);
        if (n < 0)
            return true;
        if (n == 0)
            return false;
        w->request_size += (size_t)n;
        bool whole = memmem(w->request, w->request_size, "\r\n\r\n", 4) ||
                     memmem(w->request, w->request_size, "\n\n", 2) ||
                     w->request_size == sizeof w->request;
        bool head = w->request_size >= 5 && memcmp(w->request, "HEAD ", 5) == 0;
        if (whole)
            w->answer = head ? &v->head : &v->get;
    }
    while (w->sent < w->answer->length) {
        ssize_t n = give(w, w->answer->data + w->sent, w->answer->length - w->sent);
        if (n < 0)
            return true;
        if (n == 0)
            return false;
        w->sent += (size_t)n;
    }
    if (w->tls)
        SSL_shutdown(w->tls);
    return false;
}

static struct visitor *room(struct visitors *v)
{
    struct visitor *oldest = &v->all[0];
    for (size_t i = 0; i < MOST_VISITORS; i++) {
        if (v->all[i].fd < 0)
            return &v->all[i];
        if (v->all[i].until_ms < oldest->until_ms)
            oldest = &v->all[i];
    }
    see_off(oldest);
    return oldest;
}

static void let_in(struct visitors *v, int listener, bool tls)
{
    int fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd < 0)
        return;
    struct visitor *w = room(v);
    *w = (struct visitor){.fd = fd, .until_ms = monotonic_ms() + PATIENCE_MS, .wants = POLLIN};
    if (!tls)
        return;
    w->tls = SSL_new(v->tls);
    if (!w->tls || SSL_set_fd(w->tls, fd) != 1)
        see_off(w);
    else
        SSL_set_accept_state(w->tls);
}

void visitors_serve(struct visitors *v, int wait_ms)
{
    struct pollfd polls[MOST_VISITORS + 2];
    for (size_t i = 0; i < 2; i++)
        polls[i] = (struct pollfd){.fd = v->listeners[i], .events = POLLIN};
    for (size_t i = 0; i < MOST_VISITORS; i++)
        polls[i + 2] = (struct pollfd){.fd = v->all[i].fd, .events = v->all[i].wants};
    if (poll(polls, MOST_VISITORS + 2, wait_ms) < 0)
        return;
    int64_t now = monotonic_ms();
    for (size_t i = 0; i < MOST_VISITORS; i++) {
        struct visitor *w = &v->all[i];
        if (w->fd >= 0 && ((polls[i + 2].revents && !hear(v, w)) || now > w->until_ms))
            see_off(w);
    }
    for (size_t i = 0; i < 2; i++)
        if (polls[i].revents)
            let_in(v, v->listeners[i], i == 1);
}
