/* yagura-notice STATE [SECONDS] - the page that visitors get while a server is isolated.
 *
 * What to say, and with which certificates, stands in STATE/notice.conf, which act/notice.c
 * writes. The sockets are transparent (IP_TRANSPARENT): the rules of the firewall hand connections
 * to port 80 and 443 over without changing them (TPROXY). Says "PORT TLS-PORT" on standard output
 * when it is ready; 0: without certificates there is no TLS. Ends after SECONDS unless it gets
 * SIGUSR1 meanwhile: the trial was confirmed.
 *
 * It holds STATE/notice.lock with a record lock, by which it is found. Then it reads nothing more,
 * is nobody, has no capability, no files (Landlock), and few system calls (seccomp): what comes
 * from outside is read only there. */
#include "base/capabilities.h"
#include "base/error.h"
#include "base/file.h"
#include "base/landlock.h"
#include "base/language.h"
#include "base/mem.h"
#include "base/seccomp.h"
#include "base/str.h"
#include "libexec/notice/visitors.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <netinet/in.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

enum { NOBODY = 65534, MOST_CERTIFICATES = 64, MOST_PAGE_BYTES = 1 << 20, MOST_CONF_BYTES = 65536 };

struct setup {
    struct arena *arena;
    uint16_t port, tls_port;
    const char *page;
    SSL_CTX *tls[MOST_CERTIFICATES];
    size_t tls_count;
};

static volatile sig_atomic_t stays, ends;

static void on_signal(int number)
{
    if (number == SIGUSR1)
        stays = 1;
    else
        ends = 1;
}

static int fail(const struct error *e)
{
    char text[1024];
    fprintf(stderr, "yagura-notice: %s\n", error_text(e, text, sizeof text));
    return 1;
}

static bool add_certificate(struct setup *s, const char *chain, const char *key, struct error *e)
{
    SSL_CTX *tls = SSL_CTX_new(TLS_server_method());
    if (tls && s->tls_count < MOST_CERTIFICATES &&
        SSL_CTX_set_min_proto_version(tls, TLS1_2_VERSION) == 1 &&
        SSL_CTX_use_certificate_chain_file(tls, chain) == 1 &&
        SSL_CTX_use_PrivateKey_file(tls, key, SSL_FILETYPE_PEM) == 1) {
        SSL_CTX_set_mode(tls, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
        s->tls[s->tls_count++] = tls;
        return true;
    }
    SSL_CTX_free(tls);
    error_set(e, ERR_FORMAT, "the certificate and its key cannot be used: %.200s",
              ERR_reason_error_string(ERR_peek_last_error()));
    error_at(e, chain, 0, 0);
    return false;
}

/* "port N", "tls_port N", "page PATH", "certificate CHAIN\tKEY"; written by us. */
static bool read_conf(struct setup *s, int state, struct error *e)
{
    CLEANUP_FREE char *text = NULL;
    size_t size, position = 0, length;
    const char *line;
    CLEANUP_CLOSE int fd = openat(state, "notice.conf", O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0) {
        error_set_errno(e, errno, "opening failed");
        error_at(e, "notice.conf", 0, 0);
        return false;
    }
    if (!file_read_fd(&text, &size, fd, MOST_CONF_BYTES, e))
        return false;
    while (str_next_line(text, size, &position, &line, &length)) {
        char *word = arena_strndup(s->arena, line, length), *value = strchr(word, ' ');
        uint64_t number = 0;
        if (!value)
            continue;
        *value++ = '\0';
        if (str_equal(word, "port") && str_to_u64(value, &number))
            s->port = (uint16_t)number;
        else if (str_equal(word, "tls_port") && str_to_u64(value, &number))
            s->tls_port = (uint16_t)number;
        else if (str_equal(word, "page"))
            s->page = value;
        else if (str_equal(word, "certificate") && strchr(value, '\t')) {
            char *key = strchr(value, '\t');
            *key++ = '\0';
            struct error problem = ERROR_INIT;
            if (!add_certificate(s, value, key, &problem))
                fail(&problem); /* the other sites' still work */
        }
    }
    return true;
}

/* Of several certificates the one for the name that is asked for (RFC 6066, 3). */
static int choose(SSL *tls, int *alert, void *context)
{
    const struct setup *s = context;
    const char *name = SSL_get_servername(tls, TLSEXT_NAMETYPE_host_name);
    (void)alert;
    for (size_t i = 0; name && i < s->tls_count; i++)
        if (X509_check_host(SSL_CTX_get0_certificate(s->tls[i]), name, 0, 0, NULL) == 1) {
            SSL_set_SSL_CTX(tls, s->tls[i]);
            break;
        }
    return SSL_TLSEXT_ERR_OK;
}

static int bind_to(int family, uint16_t port)
{
    int fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0), on = 1, off = 0;
    struct sockaddr_in6 six = {.sin6_family = AF_INET6, .sin6_port = htons(port)};
    struct sockaddr_in four = {.sin_family = AF_INET, .sin_port = htons(port)};
    bool v6 = family == AF_INET6;
    const struct sockaddr *to = v6 ? (struct sockaddr *)&six : (struct sockaddr *)&four;
    if (fd >= 0 && setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) == 0 &&
        setsockopt(fd, v6 ? IPPROTO_IPV6 : IPPROTO_IP, v6 ? IPV6_TRANSPARENT : IP_TRANSPARENT, &on,
                   sizeof on) == 0 &&
        (!v6 || setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof off) == 0) &&
        bind(fd, to, v6 ? sizeof six : sizeof four) == 0 && listen(fd, 128) == 0)
        return fd;
    int problem = errno;
    if (fd >= 0)
        close(fd);
    errno = problem;
    return -1;
}

/* Both families in one; a kernel without IPv6 has only the other. *port is what it got. */
static int bind_port(uint16_t *port, struct error *e)
{
    struct sockaddr_in6 own = {0};
    socklen_t size = sizeof own;
    int fd = bind_to(AF_INET6, *port);
    if (fd < 0 && errno == EAFNOSUPPORT)
        fd = bind_to(AF_INET, *port);
    if (fd < 0 || getsockname(fd, (struct sockaddr *)&own, &size) != 0) {
        error_set_errno(e, errno, "the notice cannot listen");
        return -1;
    }
    /* the port lies at the same place in both families */
    *port = ntohs(own.sin6_port);
    return fd;
}

static bool seal(struct error *e)
{
    static const struct seccomp_rule allowed[] = {{SYS_read, 1, SECCOMP_ALLOW},
                                                  {SYS_write, 1, SECCOMP_ALLOW},
                                                  {SYS_recvfrom, 1, SECCOMP_ALLOW},
                                                  {SYS_sendto, 1, SECCOMP_ALLOW},
                                                  {SYS_accept4, 1, SECCOMP_ALLOW},
                                                  {SYS_poll, 1, SECCOMP_ALLOW},
                                                  {SYS_close, 1, SECCOMP_ALLOW},
                                                  {SYS_shutdown, 1, SECCOMP_ALLOW},
                                                  {SYS_brk, 1, SECCOMP_ALLOW},
                                                  {SYS_munmap, 1, SECCOMP_ALLOW},
                                                  {SYS_mmap, 1, SECCOMP_NO_EXEC},
                                                  {SYS_mprotect, 1, SECCOMP_NO_EXEC},
                                                  {SYS_mremap, 1, SECCOMP_ALLOW},
                                                  {SYS_madvise, 1, SECCOMP_ALLOW},
                                                  {SYS_futex, 1, SECCOMP_ALLOW},
                                                  {SYS_getrandom, 1, SECCOMP_ALLOW},
                                                  {SYS_clock_gettime, 1, SECCOMP_ALLOW},
                                                  {SYS_gettimeofday, 1, SECCOMP_ALLOW},
                                                  {SYS_getpid, 1, SECCOMP_ALLOW},
                                                  {SYS_rt_sigreturn, 1, SECCOMP_ALLOW},
                                                  {SYS_restart_syscall, 1, SECCOMP_ALLOW},
                                                  {SYS_exit_group, 1, SECCOMP_ALLOW},
                                                  {SYS_ppoll, 1, SECCOMP_ALLOW}};
    struct rlimit none = {0, 0}, memory = {256u << 20, 256u << 20}, files = {300, 300};
#ifdef YAGURA_WIDE_CAGES /* a sanitizer takes terabytes of addresses */
    memory = (struct rlimit){RLIM_INFINITY, RLIM_INFINITY};
#endif
    /* its unit starts it as a user already */
    if ((geteuid() == 0 && (setgroups(0, NULL) != 0 || setresgid(NOBODY, NOBODY, NOBODY) != 0 ||
                            setresuid(NOBODY, NOBODY, NOBODY) != 0)) ||
        prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 || prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0 ||
        setrlimit(RLIMIT_CORE, &none) != 0 || setrlimit(RLIMIT_NPROC, &none) != 0 ||
        setrlimit(RLIMIT_AS, &memory) != 0 || setrlimit(RLIMIT_NOFILE, &files) != 0) {
        error_set_errno(e, errno, "giving up what the notice does not need failed");
        return false;
    }
    return capabilities_keep(0, e) && (landlock_abi() == 0 || landlock_apply(NULL, 0, e)) &&
           seccomp_apply(allowed, ARRAY_COUNT(allowed), 1, SECCOMP_RET_ERRNO | EPERM, e);
}

static bool lock_own(int state, struct error *e)
{
    struct flock whole = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    int fd = openat(state, "notice.lock", O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd >= 0 && fcntl(fd, F_SETLK, &whole) == 0) {
        file_give_to_owner(state, "notice.lock");
        return true; /* and stays open */
    }
    error_set_errno(e, errno, "another notice is shown already");
    return false;
}

static int64_t now_s(void)
{
    struct timespec t;
    clock_gettime(CLOCK_BOOTTIME, &t);
    return t.tv_sec;
}

int main(int argc, char **argv)
{
    struct error e = ERROR_INIT;
    uint64_t seconds = 0;
    CLEANUP_ARENA struct arena *arena = arena_new();
    struct setup s = {.arena = arena};
    CLEANUP_FREE char *page = NULL;
    size_t page_size;
    language_set(NULL);
    if (argc < 2 || (argc > 2 && !str_to_u64(argv[2], &seconds))) {
        fputs("usage: yagura-notice STATE [SECONDS]\n", stderr);
        return 2;
    }
    struct sigaction act = {.sa_handler = on_signal};
    sigaction(SIGUSR1, &act, NULL);
    sigaction(SIGTERM, &act, NULL);
    signal(SIGPIPE, SIG_IGN);
    CLEANUP_CLOSE int state = open(argv[1], O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (state < 0) {
        error_set_errno(&e, errno, "opening failed");
        error_at(&e, argv[1], 0, 0);
        return fail(&e);
    }
    if (!lock_own(state, &e) || !read_conf(&s, state, &e) ||
        !file_read(&page, &page_size, s.page ? s.page : "", MOST_PAGE_BYTES, &e))
        return fail(&e);
    int plain = bind_port(&s.port, &e), tls = -1;
    if (plain < 0 || (s.tls_count && (tls = bind_port(&s.tls_port, &e)) < 0))
        return fail(&e);
    if (s.tls_count) {
        SSL_CTX_set_tlsext_servername_callback(s.tls[0], choose);
        SSL_CTX_set_tlsext_servername_arg(s.tls[0], &s);
    }
    struct visitors *v = visitors_new(plain, tls, s.tls[0], page, page_size);
    printf("%u %u\n", s.port, s.tls_count ? s.tls_port : 0);
    fflush(stdout);
    close(STDOUT_FILENO);
    if (!seal(&e))
        return fail(&e);
    for (int64_t end = now_s() + (int64_t)seconds; !ends && (!seconds || stays || now_s() < end);)
        visitors_serve(v, 1000);
    return 0;
}
