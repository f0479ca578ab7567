#include "act/notice.h"

#include "base/file.h"
#include "base/language.h"
#include "base/mem.h"
#include "base/str.h"
#include "base/where.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { READY_MS = 5000, END_MS = 2000 };

static const char conf_name[] = "notice.conf", lock_name[] = "notice.lock";

/* Who holds the lock, by the kernel's word; 0: nobody. */
static pid_t holder(int dirfd)
{
    struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    CLEANUP_CLOSE int fd = openat(dirfd, lock_name, O_RDWR | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0 || fcntl(fd, F_GETLK, &lock) != 0 || lock.l_type == F_UNLCK)
        return 0;
    return lock.l_pid;
}

static void tell(int dirfd, int number)
{
    pid_t pid = holder(dirfd);
    if (pid > 1)
        kill(pid, number);
}

void notice_stay(int dirfd)
{
    tell(dirfd, SIGUSR1);
}

static bool end_program(int dirfd, struct error *e)
{
    struct timespec nap = {.tv_nsec = 5000000};
    tell(dirfd, SIGTERM);
    for (int i = 0; i < END_MS / 5 && holder(dirfd); i++) {
        if (i == END_MS / 10)
            tell(dirfd, SIGKILL);
        nanosleep(&nap, NULL);
    }
    if (!holder(dirfd))
        return true;
    error_set(e, ERR_TIMEOUT, "the program that shows the notice does not end");
    return false;
}

bool notice_stop(int dirfd, struct error *e)
{
    if (unlinkat(dirfd, conf_name, 0) != 0 && errno != ENOENT) {
        error_set_errno(e, errno, "removing what the notice says failed");
        error_at(e, conf_name, 0, 0);
        return false;
    }
    return end_program(dirfd, e);
}

static bool write_conf(int dirfd, const struct notice *n, const char *page, uint16_t port,
                       uint16_t tls_port, struct error *e)
{
    CLEANUP_STR struct str text = {0};
    str_printf(&text, "port %u\ntls_port %u\npage %s\n", port, tls_port, page);
    for (size_t i = 0; i < n->certificate_count; i++) {
        const struct notice_certificate *c = &n->certificates[i];
        if (strpbrk(c->chain, "\t\n") || strpbrk(c->key, "\t\n")) {
            error_set(e, ERR_USAGE, "the path of a certificate has a tab or a line feed in it");
            return false;
        }
        str_printf(&text, "certificate %s\t%s\n", c->chain, c->key);
    }
    if (!file_replace(dirfd, conf_name, text.data, text.length, 0600, e))
        return false;
    file_give_to_owner(dirfd, conf_name);
    return true;
}

/* In a session of its own, and nobody's child: it outlives whoever calls this. */
static _Noreturn void become_notice(char *const *argv, int out)
{
    pid_t pid = setsid() >= 0 ? fork() : -1;
    if (pid != 0)
        _exit(pid < 0);
    int null = open("/dev/null", O_RDWR);
    if (null < 0 || dup2(null, 0) < 0 || dup2(out, 1) < 0 || chdir("/") != 0)
        _exit(1);
    dup2(null, 2);
    close_range(3, ~0U, CLOSE_RANGE_CLOEXEC);
    execve(argv[0], argv, language_environment());
    _exit(1);
}

/* "PORT TLS-PORT" once it is ready; nothing if it ended before. */
static bool wait_until_ready(int fd, uint16_t *port, uint16_t *tls_port)
{
    char text[64];
    unsigned first, second;
    struct pollfd p = {.fd = fd, .events = POLLIN};
    ssize_t n = poll(&p, 1, READY_MS) > 0 ? read(fd, text, sizeof text - 1) : 0;
    text[n > 0 ? n : 0] = '\0';
    if (sscanf(text, "%u %u", &first, &second) != 2)
        return false;
    *port = (uint16_t)first;
    *tls_port = (uint16_t)second;
    return true;
}

bool notice_start(uint16_t *port, uint16_t *tls_port, int dirfd, const struct notice *n,
                  struct error *e)
{
    char program[4096], page[4096], state[40], seconds[16];
    int ends[2];
    if (!where_is(WHERE_LIBEXEC, "yagura-notice", program, sizeof program) ||
        (!n->page && !where_is(WHERE_DATA, "notice/index.html", page, sizeof page))) {
        error_set(e, ERR_ABSENT,
                  "the helper program yagura-notice, or its page, is not there: "
                  "install yagura anew");
        return false;
    }
    if (n->page)
        snprintf(page, sizeof page, "%s", n->page);
    if (page[0] != '/' || strchr(page, '\n') || access(page, R_OK) != 0) {
        error_set(e, ERR_USAGE,
                  "the page of the notice is to be named by its whole path, and "
                  "readable");
        error_at(e, page, 0, 0);
        return false;
    }
    if (!end_program(dirfd, e) || !write_conf(dirfd, n, page, 0, 0, e))
        return false;
    if (pipe2(ends, O_CLOEXEC) != 0) {
        error_set_errno(e, errno, "making a pipe");
        return false;
    }
    CLEANUP_CLOSE int from = ends[0];
    snprintf(state, sizeof state, "/proc/%d/fd/%d", (int)getpid(), dirfd);
    snprintf(seconds, sizeof seconds, "%u", n->seconds);
    char *argv[] = {program, state, seconds, NULL};
    pid_t pid = fork();
    if (pid == 0)
        become_notice(argv, ends[1]);
    close(ends[1]);
    if (pid > 0)
        while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
            continue;
    if (pid < 0 || !wait_until_ready(from, port, tls_port)) {
        error_set(e, ERR_SYSTEM, "the notice could not be shown; to see why: %.200s STATE",
                  program);
        return false;
    }
    /* the same ports again at the next start, as the rules name them */
    return write_conf(dirfd, n, page, *port, *tls_port, e);
}
