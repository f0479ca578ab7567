#include "guard/caller.h"

#include "base/mem.h"
#include "base/monotonic.h"
#include "guard/walls.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

static bool write_all(int fd, const char *text, size_t size, int64_t until_ms)
{
    for (size_t done = 0; done < size;) {
        struct pollfd ready = {.fd = fd, .events = POLLOUT};
        int64_t left = until_ms - monotonic_ms();
        if (left <= 0 || poll(&ready, 1, (int)left) <= 0)
            return false;
        ssize_t n = write(fd, text + done, size - done);
        if (n < 0 && errno != EINTR && errno != EAGAIN)
            return false;
        done += n > 0 ? (size_t)n : 0;
    }
    return true;
}

/* ---- by a unit ------------------------------------------------------------------------------ */

static void hand_to_unit(const struct sockaddr_un *unit, const char *text, size_t size)
{
    int64_t until = monotonic_ms() + (int64_t)CALLER_SECONDS * 1000;
    CLEANUP_CLOSE int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || connect(fd, (const struct sockaddr *)unit, sizeof *unit) != 0 ||
        !write_all(fd, text, size, until))
        return;
    shutdown(fd, SHUT_WR);
    /* it closes when it has ended: one at a time */
    struct pollfd end = {.fd = fd, .events = POLLIN};
    for (int64_t left; (left = until - monotonic_ms()) > 0 && poll(&end, 1, (int)left) > 0;) {
        char ignored[512];
        if (read(fd, ignored, sizeof ignored) <= 0)
            return;
    }
}

/* ---- by itself ------------------------------------------------------------------------------ */

void caller_exec(const char *hook)
{
    char *environment[] = {(char *)"PATH=/usr/local/bin:/usr/bin:/bin", NULL};
    execle("/bin/sh", "sh", "-c", hook, NULL, environment);
}

static void hook_child(const char *hook, int in)
{
    int null = open("/dev/null", O_RDWR | O_CLOEXEC);
    setpgid(0, 0);
    for (int s = 1; s < 32; s++)
        signal(s, SIG_DFL);
    dup2(in, 0);
    dup2(null, 1);
    dup2(null, 2);
    close_range(3, ~0U, 0);
    caller_exec(hook);
    _exit(127);
}

static void run_hook(const char *hook, const char *text, size_t size)
{
    int64_t until = monotonic_ms() + (int64_t)CALLER_SECONDS * 1000;
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0)
        return;
    pid_t pid = fork();
    if (pid == 0)
        hook_child(hook, ends[0]);
    close(ends[0]);
    fcntl(ends[1], F_SETFL, O_NONBLOCK);
    if (pid > 0)
        setpgid(pid, pid); /* whoever of the two comes first */
    if (pid > 0)
        write_all(ends[1], text, size, until); /* what it does not read is its own affair */
    close(ends[1]);
    while (pid > 0 && waitpid(pid, NULL, WNOHANG) == 0) {
        if (monotonic_ms() > until) {
            kill(-pid, SIGKILL);
            waitpid(pid, NULL, 0);
            return;
        }
        usleep(20000);
    }
}

/* ---- the process ---------------------------------------------------------------------------- */

static void run(int fd, const char *hook)
{
    const char *path = getenv("YAGURA_HOOK");
    struct sockaddr_un unit = {.sun_family = AF_UNIX};
    struct error e = ERROR_INIT;
    char *text = mem_alloc(CALLER_MOST_BYTES);
    bool by_unit = path && *path;
    if (by_unit)
        snprintf(unit.sun_path, sizeof unit.sun_path, "%s", path);
    /* it ends with the guard, not before: what is told last is the most important */
    signal(SIGINT, SIG_IGN);
    signal(SIGTERM, SIG_IGN);
    signal(SIGHUP, SIG_IGN);
    walls_enter(by_unit ? WALLS_CALLER : WALLS_HOOK, &e);
    if (send(fd, &e, sizeof e, MSG_NOSIGNAL) != sizeof e || e.code)
        _exit(1);
    for (;;) {
        ssize_t size = recv(fd, text, CALLER_MOST_BYTES, 0);
        if (size <= 0 && errno == EINTR && size < 0)
            continue;
        if (size <= 0)
            _exit(0);
        if (by_unit)
            hand_to_unit(&unit, text, (size_t)size);
        else
            run_hook(hook, text, (size_t)size);
    }
}

bool caller_start(struct caller *out, const char *hook, struct error *e)
{
    int ends[2]; /* packets: a guard that is killed in the middle of one leaves no half of it */
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0) {
        error_set_errno(e, errno, "making a way to on_tamper");
        return false;
    }
    pid_t pid = fork();
    if (pid == 0) {
        close(ends[1]);
        run(ends[0], hook);
    }
    close(ends[0]);
    *out = (struct caller){.pid = pid, .fd = ends[1]};
    struct error its = ERROR_INIT;
    if (pid < 0)
        error_set_errno(e, errno, "starting what runs on_tamper");
    else if (recv(ends[1], &its, sizeof its, 0) != sizeof its)
        error_set(e, ERR_SYSTEM, "what runs on_tamper does not start");
    else if (its.code && e)
        *e = its;
    else if (!its.code)
        return true;
    caller_end(out);
    return false;
}

bool caller_tell(int fd, const char *text, size_t size)
{
    ssize_t n;
    do
        n = send(fd, text, size, MSG_NOSIGNAL);
    while (n < 0 && errno == EINTR);
    return n == (ssize_t)size;
}

void caller_end(struct caller *c)
{
    if (c->fd >= 0)
        close(c->fd);
    c->fd = -1;
    while (c->pid > 0 && waitpid(c->pid, NULL, 0) < 0 && errno == EINTR)
        continue;
    c->pid = 0;
}
