#include "act/pages.h"

#include "base/cage.h"
#include "base/mem.h"
#include "base/str.h"

#include <arpa/inet.h>
#include <dlfcn.h>
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

/* -1 with errno; EINVAL: that is no address. */
static int connect_to_own(const char *address, uint16_t port)
{
    struct sockaddr_in v4 = {.sin_family = AF_INET, .sin_port = htons(port)};
    struct sockaddr_in6 v6 = {.sin6_family = AF_INET6, .sin6_port = htons(port)};
    if (inet_pton(AF_INET, address, &v4.sin_addr) == 1)
        return connect_to((const struct sockaddr *)&v4, sizeof v4);
    if (inet_pton(AF_INET6, address, &v6.sin6_addr) == 1)
        return connect_to((const struct sockaddr *)&v6, sizeof v6);
    errno = EINVAL;
    return -1;
}

/* --- TLS --- */

/* libssl is loaded where a page is asked over TLS, and not with the program: it costs every start
 * of every command 0.8 ms. It is in the same package as libcrypto, which is linked. */
struct tls_library {
    const SSL_METHOD *(*method)(void);
    SSL_CTX *(*new_context)(const SSL_METHOD *);
    void (*free_context)(SSL_CTX *);
    SSL *(*new_one)(SSL_CTX *);
    void (*free_one)(SSL *);
    int (*set_fd)(SSL *, int);
    long (*control)(SSL *, int, long, void *);
    int (*connect)(SSL *);
    int (*write)(SSL *, const void *, int);
    int (*read)(SSL *, void *, int);
};

static bool load_tls(struct tls_library *out)
{
    const struct {
        const char *name;
        void *place;
    } rows[] = {{"TLS_client_method", &out->method},  {"SSL_CTX_new", &out->new_context},
                {"SSL_CTX_free", &out->free_context}, {"SSL_new", &out->new_one},
                {"SSL_free", &out->free_one},         {"SSL_set_fd", &out->set_fd},
                {"SSL_ctrl", &out->control},          {"SSL_connect", &out->connect},
                {"SSL_write", &out->write},           {"SSL_read", &out->read}};
    void *library = dlopen("libssl.so.3", RTLD_NOW | RTLD_LOCAL);
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
        void *found = library ? dlsym(library, rows[i].name) : NULL;
        if (!found)
            return false;
        memcpy(rows[i].place, &found, sizeof found);
    }
    return true;
}

struct tls {
    struct tls_library library;
    SSL_CTX *context;
    SSL *session;
};

static void tls_end(struct tls *t)
{
    if (t->session)
        t->library.free_one(t->session);
    if (t->context)
        t->library.free_context(t->context);
}

static bool tls_begin(struct tls *t, int fd, const char *host, struct error *e)
{
    struct in_addr any;
    /* RFC 6066, 3: an address is no name */
    bool address = host[0] == '[' || inet_pton(AF_INET, host, &any) == 1;
    if (load_tls(&t->library) &&
        (t->context = t->library.new_context(t->library.method())) != NULL &&
        (t->session = t->library.new_one(t->context)) != NULL &&
        t->library.set_fd(t->session, fd) == 1 &&
        (address || t->library.control(t->session, SSL_CTRL_SET_TLSEXT_HOSTNAME,
                                       TLSEXT_NAMETYPE_host_name, (void *)host) == 1))
        return true;
    error_set(e, ERR_SYSTEM, "TLS could not be started");
    return false;
}

/* --- the conversation, in a cage --- */

enum frame { FRAME_LINE = 1, FRAME_NO_TLS };

struct asking {
    int fd;
    const struct tls *tls; /* NULL: none */
    const char *request;
    char line[STATUS_LINE];
    bool no_tls;
};

static void ask_in_cage(struct cage *cage, void *context)
{
    struct asking *a = context;
    char line[STATUS_LINE];
    size_t got = 0, length = strlen(a->request);
    if (a->tls && a->tls->library.connect(a->tls->session) != 1) {
        cage_send(cage, FRAME_NO_TLS, "", 0);
        return;
    }
    if ((a->tls ? a->tls->library.write(a->tls->session, a->request, (int)length)
                : (int)write(a->fd, a->request, length)) != (int)length)
        return;
    while (got < sizeof line && !memchr(line, '\n', got)) {
        int room = (int)(sizeof line - got),
            n = a->tls ? a->tls->library.read(a->tls->session, line + got, room)
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

bool pages_ask(int *status, const char *url, struct error *e)
{
    return pages_ask_at(status, url, NULL, e);
}

bool pages_ask_at(int *status, const char *url, const char *address, struct error *e)
{
    struct page_url u;
    if (!pages_parse(&u, url, e))
        return false;
    CLEANUP_CLOSE int fd = address ? connect_to_own(address, u.port) : connect_to_loopback(u.port);
    if (fd < 0) {
        if (address)
            error_set_errno(e, errno, "nothing answers on port %u of %.45s", u.port, address);
        else
            error_set_errno(e, errno, "nothing answers on port %u of loopback", u.port);
        e->code = ERR_UNREADABLE;
        return false;
    }
    CLEANUP(tls_end) struct tls tls = {0};
    if (u.tls && !tls_begin(&tls, fd, u.host, e))
        return false;
    CLEANUP_STR struct str request = {0};
    str_printf(&request, "GET %s HTTP/1.1\r\nHost: %s", u.path, u.host);
    if (u.port != (u.tls ? 443 : 80))
        str_printf(&request, ":%u", u.port);
    str_add(&request, "\r\nUser-Agent: yagura\r\nAccept: */*\r\nConnection: close\r\n\r\n");
    struct asking a = {.fd = fd, .tls = u.tls ? &tls : NULL, .request = str_text(&request)};
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
