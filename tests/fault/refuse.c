/* refuse PID FOLDER ERRNO CALL [N]: from now on each CALL by which the process, in any of its
 * threads, does something in or beneath FOLDER fails with ERRNO (from the N-th on, counted from 1),
 * as it would where a disk has a fault or an owner no quota left. CALL is one of calls[]; of openat
 * only what makes a file counts.
 *
 * Prints "ready" when it begins. SIGTERM ends it: the process goes on as if nothing had happened,
 * and how many calls were refused is printed. Ends by itself after MOST_SECONDS. x86-64. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { MOST_SECONDS = 60, MOST_THREADS = 64 };

/* By which arguments, each a descriptor, a call reaches the folder. */
static const struct call {
    const char *name;
    long number;
    int fds[2]; /* -1: no second one */
} calls[] = {
    {"write", SYS_write, {0, -1}},         {"pread64", SYS_pread64, {0, -1}},
    {"openat", SYS_openat, {0, -1}},       {"mkdirat", SYS_mkdirat, {0, -1}},
    {"symlinkat", SYS_symlinkat, {1, -1}}, {"renameat2", SYS_renameat2, {0, 2}},
    {"fchmod", SYS_fchmod, {0, -1}},       {"fchown", SYS_fchown, {0, -1}},
    {"utimensat", SYS_utimensat, {0, -1}},
};

static const struct {
    const char *name;
    int number;
} errors[] = {{"ENOSPC", ENOSPC}, {"EIO", EIO}, {"EDQUOT", EDQUOT}, {"EROFS", EROFS}};

static pid_t process;
static const char *folder;
static const struct call *call;
static int error;
static unsigned long from = 1, seen, refused;
static pid_t pending[MOST_THREADS]; /* in a call that was refused and has not returned */
static volatile sig_atomic_t asked_to_end;

static void on_signal(int number)
{
    if (number == SIGTERM)
        asked_to_end = 1;
}

static bool lies_in_folder(unsigned long long fd)
{
    char link[64], path[PATH_MAX];
    size_t length = strlen(folder);
    snprintf(link, sizeof link, "/proc/%d/fd/%d", (int)process, (int)fd);
    ssize_t n = readlink(link, path, sizeof path - 1);
    path[n > 0 ? n : 0] = '\0';
    return strncmp(path, folder, length) == 0 && (!path[length] || path[length] == '/');
}

static bool is_meant(const struct __ptrace_syscall_info *info)
{
    if ((long)info->entry.nr != call->number ||
        (call->number == SYS_openat && !(info->entry.args[2] & O_CREAT)))
        return false;
    for (int i = 0; i < 2; i++)
        if (call->fds[i] >= 0 && lies_in_folder(info->entry.args[call->fds[i]]))
            return true;
    return false;
}

static pid_t *pending_of(pid_t thread)
{
    for (size_t i = 0; i < MOST_THREADS; i++)
        if (pending[i] == thread)
            return &pending[i];
    return NULL;
}

static void entered(pid_t thread, const struct __ptrace_syscall_info *info)
{
    struct user_regs_struct regs;
    pid_t *slot = pending_of(0);
    if (!slot || !is_meant(info) || ++seen < from || ptrace(PTRACE_GETREGS, thread, 0, &regs) != 0)
        return;
    regs.orig_rax = SYS_getpid; /* what is no call at all would be the guard's end: its walls */
    ptrace(PTRACE_SETREGS, thread, 0, &regs);
    *slot = thread;
}

static void left(pid_t thread)
{
    struct user_regs_struct regs;
    pid_t *slot = pending_of(thread);
    if (!slot || ptrace(PTRACE_GETREGS, thread, 0, &regs) != 0)
        return;
    regs.rax = (unsigned long long)(long long)-error;
    ptrace(PTRACE_SETREGS, thread, 0, &regs);
    *slot = 0;
    refused++;
}

static void stopped(pid_t thread, int status)
{
    int number = WSTOPSIG(status);
    struct __ptrace_syscall_info info;
    if (number == (SIGTRAP | 0x80)) {
        if (ptrace(PTRACE_GET_SYSCALL_INFO, thread, sizeof info, &info) > 0) {
            if (info.op == PTRACE_SYSCALL_INFO_ENTRY)
                entered(thread, &info);
            else if (info.op == PTRACE_SYSCALL_INFO_EXIT)
                left(thread);
        }
        number = 0;
    } else if (status >> 16) {
        number = 0; /* a new thread, or our own interruption */
    }
    ptrace(PTRACE_SYSCALL, thread, 0, (long)number);
}

static bool seize_all(void)
{
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/task", (int)process);
    DIR *tasks = opendir(path);
    bool good = tasks != NULL;
    for (struct dirent *d; good && (d = readdir(tasks));) {
        pid_t thread = (pid_t)atol(d->d_name);
        if (thread > 0)
            good =
                ptrace(PTRACE_SEIZE, thread, 0, PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACECLONE) == 0 &&
                ptrace(PTRACE_INTERRUPT, thread, 0, 0) == 0;
    }
    if (tasks)
        closedir(tasks);
    return good;
}

static bool nothing_pending(void)
{
    for (size_t i = 0; i < MOST_THREADS; i++)
        if (pending[i])
            return false;
    return true;
}

/* As we end the kernel lets the threads go; none may be on its way out of a refused call then. */
static void follow(void)
{
    int status;
    time_t end = time(NULL) + MOST_SECONDS;
    while (!((asked_to_end || time(NULL) > end) && nothing_pending())) {
        pid_t thread = waitpid(-1, &status, __WALL);
        if (thread < 0 && errno != EINTR)
            return;
        if (thread > 0 && WIFSTOPPED(status))
            stopped(thread, status);
    }
}

int main(int argc, char **argv)
{
    if (argc < 5 || argc > 6) {
        fprintf(stderr, "usage: refuse PID FOLDER ERRNO CALL [N]\n");
        return 2;
    }
    process = (pid_t)atol(argv[1]);
    folder = argv[2];
    for (size_t i = 0; i < sizeof errors / sizeof *errors; i++)
        if (strcmp(argv[3], errors[i].name) == 0)
            error = errors[i].number;
    for (size_t i = 0; i < sizeof calls / sizeof *calls; i++)
        if (strcmp(argv[4], calls[i].name) == 0)
            call = &calls[i];
    if (argc == 6)
        from = strtoul(argv[5], NULL, 10);
    if (!error || !call)
        return 2;
    /* Without SA_RESTART, and again and again: the wait ends, whenever the signal came. */
    struct sigaction action = {.sa_handler = on_signal};
    struct itimerval beat = {{0, 100000}, {0, 100000}};
    sigaction(SIGTERM, &action, NULL);
    sigaction(SIGALRM, &action, NULL);
    setitimer(ITIMER_REAL, &beat, NULL);
    if (!seize_all()) {
        perror("refuse");
        return 2;
    }
    printf("ready\n");
    fflush(stdout);
    follow();
    printf("%lu\n", refused);
    return 0;
}
