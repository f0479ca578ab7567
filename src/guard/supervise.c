#include "guard/supervise.h"

#include "base/mem.h"
#include "base/monotonic.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { LOOK_MS = 100, QUICK_STARTS = 5, QUICK_MS = 10000, PAUSE_MS = 1000 };

static pid_t start(const struct supervised *what, struct alive *alive, const sigset_t *old)
{
    pid_t parent = getpid(), pid = fork();
    if (pid)
        return pid;
    prctl(PR_SET_PDEATHSIG, SIGTERM);
    sigprocmask(SIG_SETMASK, old, NULL);
    if (getppid() != parent)
        _exit(SUPERVISE_AGAIN);
    mem_exit_code = SUPERVISE_AGAIN;
    _exit(what->run(what->context, alive));
}

/* How long a process was ready to run and waited for a core until now: on a host where everybody
 * pushes, that is no silence of its own. Second number of /proc/PID/schedstat, in ns; 0 where the
 * kernel does not count it. */
static int64_t waited_ms(pid_t pid)
{
    char path[64], text[128];
    snprintf(path, sizeof path, "/proc/%d/schedstat", (int)pid);
    CLEANUP_CLOSE int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t n = fd < 0 ? 0 : read(fd, text, sizeof text - 1);
    text[n > 0 ? n : 0] = '\0';
    const char *second = strchr(text, ' ');
    return second ? strtoll(second, NULL, 10) / 1000000 : 0;
}

/* Waits until the guard has ended; *hung: it had to be killed. The signals that ask us to end
 * are handed on. */
static int watch_over(const struct supervised *what, pid_t pid, struct alive *alive,
                      const sigset_t *signals, bool *hung, bool *asked)
{
    uint64_t last = alive_sum(alive);
    int64_t silent_ms = 0, looked_ms = monotonic_ms(), waited = waited_ms(pid);
    for (;;) {
        int status;
        if (waitpid(pid, &status, WNOHANG) == pid)
            return status;
        struct timespec wait = {.tv_nsec = LOOK_MS * 1000000L};
        int got = sigtimedwait(signals, NULL, &wait);
        if (got == SIGTERM || got == SIGINT || got == SIGHUP) {
            *asked = *asked || got != SIGHUP;
            kill(pid, got);
        }
        if (what->look)
            what->look(what->context, alive);
        uint64_t now = alive_sum(alive);
        int64_t then_ms = looked_ms;
        looked_ms = monotonic_ms();
        /* while this process itself stood still, the guard's silence says little */
        silent_ms += looked_ms - then_ms < 3L * LOOK_MS ? looked_ms - then_ms : 3L * LOOK_MS;
        int64_t before = waited;
        waited = waited_ms(pid);
        silent_ms -= waited - before < silent_ms ? waited - before : silent_ms;
        if (now != last) {
            last = now;
            silent_ms = 0;
        } else if (silent_ms >
                   (atomic_load(&alive->ready) ? SUPERVISE_HUNG_MS : SUPERVISE_START_MS)) {
            *hung = true;
            kill(pid, SIGKILL);
            waitpid(pid, &status, 0);
            return status;
        }
    }
}

int supervise(const struct supervised *what, struct error *e)
{
    struct alive *alive = alive_new(e);
    if (!alive)
        return -1;
    sigset_t signals, old;
    sigemptyset(&signals);
    sigaddset(&signals, SIGTERM);
    sigaddset(&signals, SIGINT);
    sigaddset(&signals, SIGHUP);
    sigaddset(&signals, SIGCHLD);
    sigprocmask(SIG_BLOCK, &signals, &old);
    int64_t starts[QUICK_STARTS] = {0};
    bool asked = false;
    for (unsigned restarts = 0;; restarts++) {
        int64_t *first = &starts[restarts % QUICK_STARTS], now = monotonic_ms();
        if (*first && now - *first < QUICK_MS)
            usleep(PAUSE_MS * 1000);
        *first = now;
        atomic_store(&alive->restarts, restarts);
        atomic_store(&alive->ready, false);
        pid_t pid = start(what, alive, &old);
        if (pid < 0) {
            error_set_errno(e, errno, "starting the guard");
            return -1;
        }
        bool hung = false;
        int status = watch_over(what, pid, alive, &signals, &hung, &asked);
        bool ended = WIFEXITED(status) && WEXITSTATUS(status) != SUPERVISE_AGAIN;
        if (ended || asked) {
            sigprocmask(SIG_SETMASK, &old, NULL);
            return WIFEXITED(status) ? WEXITSTATUS(status) : 0;
        }
        if (what->died)
            what->died(what->context, hung, status, restarts + 1);
    }
}
