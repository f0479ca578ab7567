/* inject PID NUMBER [ARGUMENT ...] - has a running process make a system call, as one that was
 * taken over would, and prints what it got: the result, or the name of the error.
 *
 * The process is stopped in a system call of its own (poll, wait: what the guard's processes do
 * most of the time), made to call this one instead, and goes on as if nothing had happened. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

#ifndef __x86_64__
#error "inject.c knows the registers of x86-64 only"
#endif

static void need(int good, const char *what)
{
    if (good)
        return;
    fprintf(stderr, "inject: %s: %s\n", what, strerror(errno));
    exit(2);
}

int main(int argc, char **argv)
{
    if (argc < 3 || argc > 9) {
        fprintf(stderr, "usage: inject PID NUMBER [ARGUMENT ...]\n");
        return 2;
    }
    pid_t pid = (pid_t)atol(argv[1]);
    struct user_regs_struct before, now;
    unsigned long long arguments[6] = {0};
    int status;
    for (int i = 3; i < argc; i++)
        arguments[i - 3] = strtoull(argv[i], NULL, 0);
    need(ptrace(PTRACE_SEIZE, pid, NULL, NULL) == 0, "looking into the process");
    /* It waits most of the time; where it is caught at work, a little later. */
    long word = 0;
    for (int try = 0; try < 200 && (word & 0xffff) != 0x050f; try++) {
        if (try) {
            need(ptrace(PTRACE_CONT, pid, NULL, NULL) == 0, "letting it go on");
            usleep(10000);
        }
        need(ptrace(PTRACE_INTERRUPT, pid, NULL, NULL) == 0 && waitpid(pid, &status, __WALL) == pid,
             "stopping it");
        need(ptrace(PTRACE_GETREGS, pid, NULL, &before) == 0, "reading its registers");
        word = ptrace(PTRACE_PEEKTEXT, pid, (void *)(before.rip - 2), NULL);
    }
    errno = 0;
    need((word & 0xffff) == 0x050f, "it is not in a system call");
    now = before;
    now.rip -= 2;
    now.orig_rax = (unsigned long long)-1; /* its own call is not begun again meanwhile */
    now.rax = strtoull(argv[2], NULL, 0);
    now.rdi = arguments[0];
    now.rsi = arguments[1];
    now.rdx = arguments[2];
    now.r10 = arguments[3];
    now.r8 = arguments[4];
    now.r9 = arguments[5];
    need(ptrace(PTRACE_SETREGS, pid, NULL, &now) == 0 &&
             ptrace(PTRACE_SINGLESTEP, pid, NULL, NULL) == 0 &&
             waitpid(pid, &status, __WALL) == pid,
         "having it call");
    if (!WIFSTOPPED(status)) {
        printf("ended\n");
        return 0;
    }
    need(ptrace(PTRACE_GETREGS, pid, NULL, &now) == 0, "reading the result");
    long result = (long)now.rax;
    printf("%s\n", result < 0 && result > -4096 ? strerrorname_np((int)-result) : "done");
    ptrace(PTRACE_SETREGS, pid, NULL, &before);
    ptrace(PTRACE_DETACH, pid, NULL, NULL);
    return 0;
}
