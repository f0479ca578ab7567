#include "act/host_program.h"

#include "base/file.h"
#include "base/mem.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { MOST_OUTPUT = 32 << 20, MOST_VARIABLES = 32 };

static _Noreturn void become(const struct host_program *p, pid_t parent, int out)
{
    char *environment[MOST_VARIABLES + 4] = {
        (char *)"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
        (char *)"LC_ALL=C.UTF-8", (char *)"HOME=/root"};
    size_t n = 3;
    for (size_t i = 0; p->variables && p->variables[i] && i < MOST_VARIABLES; i++)
        environment[n++] = (char *)p->variables[i];
    int null = open("/dev/null", O_RDWR);
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    signal(SIGPIPE, SIG_DFL);
    setsid();
    if (dup2(p->input > 0 ? p->input : null, 0) < 0 || dup2(out >= 0 ? out : null, 1) < 0 ||
        dup2(out >= 0 ? out : null, 2) < 0 ||
        (!p->finishes && (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0 || getppid() != parent)))
        _exit(126);
    close_range(3, ~0U, 0);
    execvpe(p->argv[0], (char *const *)p->argv, environment);
    _exit(errno == ENOENT ? HOST_PROGRAM_NOT_THERE : 126);
}

/* False: not within that time. */
static bool wait_for(pid_t pid, unsigned seconds, int *status)
{
    CLEANUP_CLOSE int fd = (int)syscall(SYS_pidfd_open, pid, 0);
    struct timespec now, end;
    clock_gettime(CLOCK_MONOTONIC, &end);
    end.tv_sec += seconds;
    for (;;) {
        pid_t got = waitpid(pid, status, WNOHANG);
        if (got == pid || (got < 0 && errno != EINTR))
            return got == pid;
        clock_gettime(CLOCK_MONOTONIC, &now);
        if (now.tv_sec >= end.tv_sec)
            return false;
        struct pollfd ended = {.fd = fd, .events = POLLIN};
        poll(&ended, 1, fd >= 0 ? (int)(end.tv_sec - now.tv_sec) * 1000 : 100);
    }
}

bool host_program_run(const struct host_program *p, int *code, struct str *output, struct error *e)
{
    CLEANUP_CLOSE int kept = -1;
    if (p->log < 0 && output && (kept = memfd_create("output", MFD_CLOEXEC)) < 0) {
        error_set_errno(e, errno, "running %s", p->argv[0]);
        return false;
    }
    pid_t self = getpid(), pid = fork();
    if (pid == 0)
        become(p, self, p->log >= 0 ? p->log : kept);
    if (pid < 0) {
        error_set_errno(e, errno, "running %s", p->argv[0]);
        return false;
    }
    int status = 0;
    if (!wait_for(pid, p->seconds, &status)) {
        if (!p->finishes) {
            kill(-pid, SIGKILL);
            kill(pid, SIGKILL);
            waitpid(pid, &status, 0);
        }
        error_set(e, ERR_TIMEOUT,
                  p->finishes ? N_("%s did not end within %u seconds; it goes on by itself")
                              : N_("%s did not end within %u seconds and was ended"),
                  p->argv[0], p->seconds);
        return false;
    }
    *code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    if (kept >= 0) {
        CLEANUP_FREE char *text = NULL;
        size_t size;
        if (!file_read_fd(&text, &size, kept, MOST_OUTPUT, e)) {
            error_prefix(e, "what %s put out", p->argv[0]);
            return false;
        }
        str_add_bytes(output, text, size);
    }
    return true;
}
