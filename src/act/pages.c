#include "act/pages.h"

#include "base/cage.h"
#include "base/mem.h"
#include "base/str.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { CONNECT_MS = 3000, ANSWER_MS = 10000, MOST_URL = 2000, STATUS_LINE = 64 };

/* --- the URL --- */

/* Printable ASCII without blanks: nothing that would end a line of the request. */
static bool plain(const char *text)
{
    for (; *text; text++)
        if (*text <= ' ' || *text > '~')
            return false;
    return true;
}

bool pages_parse(struct page_url *out, const char *url, struct error *e)
{
    struct page_url u = {.tls = str_starts_nocase(url, "https://")};
    const char *host = strstr(url, "://");
    bool good =
        (u.tls || str_starts_nocase(url, "http://")) && strlen(url) <= MOST_URL && plain(url);
    if (good) {
        host += 3;
        size_t length = *host == '[' ? strcspn(host, "]/") + 1 : strcspn(host, ":/?#");
        uint64_t port = u.tls ? 443 : 80;
        good = length && length < sizeof u.host && length <= strlen(host);
        if (good) {
            memcpy(u.host, host, length);
            host += length;
            size_t digits = *host == ':' ? strspn(host + 1, "0123456789") : 0;
            if (digits) {
                char number[8] = "";
                good = digits < sizeof number;
                memcpy(number, host + 1, good ? digits : 0);
                good = good && str_to_u64(number, &port) && port >= 1 && port <= UINT16_MAX;
                host += digits + 1;
            }
            u.port = (uint16_t)port;
            u.path = *host ? host : "/";
            good = good && (*u.path == '/');
        }
    }
    if (!good) {
        error_set(e, ERR_USAGE, "this is no URL of a page: %.200s", url);
        return false;
    }
    *out = u;
    return true;
}

/* --- the connection --- */

static bool finished_connecting(int fd)
{
    struct pollfd p = {.fd = fd, .events = POLLOUT};
    int problem = 0;
    socklen_t size = sizeof problem;
    if (poll(&p, 1, CONNECT_MS) != 1) {
        errno = ETIMEDOUT;
        return false;
    }
    if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &problem, &size) == 0 && !problem)
        return true;
    errno = problem;
    return false;
}

/* -1 with errno. */
static int connect_to(const struct sockaddr *address, socklen_t size)
{
    int fd = socket(address->sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return -1;
    if ((connect(fd, address, size) == 0 || errno == EINPROGRESS) && finished_connecting(fd) &&
        fcntl(fd, F_SETFL, 0) == 0)
        return fd;
    int problem = errno;
    close(fd);
    errno = problem;
    return -1;
}

static int connect_to_loopback(uint16_t port)
{
    struct sockaddr_in v4 = {
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    struct sockaddr_in6 v6 = {
        .sin6_family = AF_INET6, .sin6_port = htons(port), .sin6_addr = IN6ADDR_LOOPBACK_INIT};
    int fd = connect_to((const struct sockaddr *)&v4, sizeof v4);
    if (fd >= 0)
        return fd;
    int problem = errno;
    fd = connect_to((const struct sockaddr *)&v6, sizeof v6);
    if (fd < 0)
        errno = problem;
    return fd;
}

/* --- the conversation, in a cage --- */

enum frame { FRAME_LINE = 1, FRAME_NO_TLS };

struct asking {
    int fd;
    SSL *tls; /* NULL: none */
    const char *request;
    char line[STATUS_LINE];
    bool no_tls;
};

static void ask_in_cage(struct cage *cage, void *context)
{
    struct asking *a = context;
    char line[STATUS_LINE];
    size_t got = 0, length = strlen(a->request);
    if (a->tls && SSL_connect(a->tls) != 1) {
        cage_send(cage, FRAME_NO_TLS, "", 0);
        return;
    }
    if ((a->tls ? SSL_write(a->tls, a->request, (int)length)
                : (int)write(a->fd, a->request, length)) != (int)length)
        return;
    while (got < sizeof line && !memchr(line, '\n', got)) {
        int room = (int)(sizeof line - got), n = a->tls
                                                     ? SSL_read(a->tls, line + got, room)
                                                     : (int)read(a->fd, line + got, (size_t)room);
        if (n <= 0)
            break;
        got += (size_t)n;
    }
    cage_send(cage, FRAME_LINE, line, got);
}

static bool take_frame(void *context, uint32_t type, const void *bytes, size_t size,
                       struct error *e)
{
    struct asking *a = context;
    a->no_tls = type == FRAME_NO_TLS;
    if (type == FRAME_LINE)
        memcpy(a->line, bytes, size < sizeof a->line ? size : sizeof a->line - 1);
    return true;
}

/* RFC 9112, 4: "HTTP/1.1 200 OK". */
static bool status_of(const char *line, int *out)
{
    if (!str_starts(line, "HTTP/1.") || !str_is_digit(line[7]) || line[8] != ' ')
        return false;
    int status = 0;
    for (size_t i = 9; i < 12; i++) {
        if (!str_is_digit(line[i]))
            return false;
        status = status * 10 + (line[i] - '0');
    }
    if (status < 100 || status >= 600)
        return false;
    *out = status;
    return true;
}

static void free_context(SSL_CTX **c)
{
    SSL_CTX_free(*c);
}

static void free_tls(SSL **s)
{
    SSL_free(*s);
}

static SSL *new_tls(SSL_CTX *context, int fd, const char *host)
{
    SSL *s = SSL_new(context);
    struct in6_addr any;
    /* RFC 6066, 3: an address is no name */
    bool address = host[0] == '[' || inet_pton(AF_INET, host, &any) == 1;
    if (s && SSL_set_fd(s, fd) == 1 && (address || SSL_set_tlsext_host_name(s, host) == 1))
        return s;
    SSL_free(s);
    return NULL;
}

bool pages_ask(int *status, const char *url, struct error *e)
{
    struct page_url u;
    if (!pages_parse(&u, url, e))
        return false;
    CLEANUP_CLOSE int fd = connect_to_loopback(u.port);
    if (fd < 0) {
        error_set_errno(e, errno, "nothing answers on port %u of loopback", u.port);
        e->code = ERR_UNREADABLE;
        return false;
    }
    CLEANUP(free_context) SSL_CTX *context = NULL;
    CLEANUP(free_tls) SSL *tls = NULL;
    if (u.tls) {
        context = SSL_CTX_new(TLS_client_method());
        tls = context ? new_tls(context, fd, u.host) : NULL;
        if (!tls) {
            error_set(e, ERR_SYSTEM, "TLS could not be started");
            return false;
        }
    }
    CLEANUP_STR struct str request = {0};
    str_printf(&request, "GET %s HTTP/1.1\r\nHost: %s", u.path, u.host);
    if (u.port != (u.tls ? 443 : 80))
        str_printf(&request, ":%u", u.port);
    str_add(&request, "\r\nUser-Agent: yagura\r\nAccept: */*\r\nConnection: close\r\n\r\n");
    struct asking a = {.fd = fd, .tls = tls, .request = str_text(&request)};
    struct cage_limits limits = {.wall_ms = ANSWER_MS, .cpu_seconds = 5};
    struct error problem = ERROR_INIT;
    if (!cage_run(CAGE_BYTES, -1, &fd, 1, &limits, ask_in_cage, &a, take_frame, &a, &problem)) {
        error_set(e, ERR_UNREADABLE,
                  problem.code == ERR_TIMEOUT ? N_("no answer within %d seconds")
                                              : N_("the answer could not be read (%d)"),
                  problem.code == ERR_TIMEOUT ? ANSWER_MS / 1000 : (int)problem.code);
        return false;
    }
    if (a.no_tls || !status_of(a.line, status)) {
        error_set(e, ERR_UNREADABLE,
                  a.no_tls ? N_("it does not speak TLS with us") : N_("it does not speak HTTP"));
        return false;
    }
    return true;
}
