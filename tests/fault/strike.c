/* strike HOW N REPORT COMMAND ...: runs the command and strikes at the N-th system call (from 1; 0:
 * none) by which it, in any of its threads, would change a file.
 *
 *   kill       it dies (SIGKILL) before the call
 *   half       a write writes half of what it was to write, then it dies; other calls do not count
 *   ERRNO      the call fails once: ENOSPC, EIO, EDQUOT, EROFS
 *   full:ERRNO from the N-th on every call that needs space fails
 *
 * What its children do is not counted. REPORT becomes one line: the calls counted, the exit code
 * (128 + signal if it was killed), the name of the call struck or "-". Ends with 0 if the command
 * could be run, whatever became of it; the children that outlive it are waited for. x86-64. */
#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

enum { WAIT_SECONDS = 60, MOST_THREADS = 256 };

enum needs { SPACE = 1, WRITES = 2, SYNCS = 4, BY_FD = 8, OPENS = 16, IOCTL = 32 };

static const struct call {
    long number;
    const char *name;
    unsigned how;
} calls[] = {
    {SYS_open, "open", OPENS | SPACE},
    {SYS_openat, "openat", OPENS | SPACE},
    {SYS_creat, "creat", SPACE},
    {SYS_write, "write", WRITES | BY_FD | SPACE},
    {SYS_pwrite64, "pwrite64", WRITES | BY_FD | SPACE},
    {SYS_writev, "writev", BY_FD | SPACE},
    {SYS_copy_file_range, "copy_file_range", SPACE},
    {SYS_sendfile, "sendfile", BY_FD | SPACE},
    {SYS_fallocate, "fallocate", BY_FD | SPACE},
    {SYS_ftruncate, "ftruncate", BY_FD},
    {SYS_truncate, "truncate", 0},
    {SYS_mkdir, "mkdir", SPACE},
    {SYS_mkdirat, "mkdirat", SPACE},
    {SYS_rmdir, "rmdir", 0},
    {SYS_unlink, "unlink", 0},
    {SYS_unlinkat, "unlinkat", 0},
    {SYS_rename, "rename", 0},
    {SYS_renameat, "renameat", 0},
    {SYS_renameat2, "renameat2", 0},
    {SYS_link, "link", SPACE},
    {SYS_linkat, "linkat", SPACE},
    {SYS_symlink, "symlink", SPACE},
    {SYS_symlinkat, "symlinkat", SPACE},
    {SYS_fsync, "fsync", SYNCS},
    {SYS_fdatasync, "fdatasync", SYNCS},
    {SYS_syncfs, "syncfs", SYNCS},
    {SYS_chmod, "chmod", 0},
    {SYS_fchmod, "fchmod", 0},
    {SYS_fchmodat, "fchmodat", 0},
    {SYS_chown, "chown", 0},
    {SYS_fchown, "fchown", 0},
    {SYS_fchownat, "fchownat", 0},
    {SYS_utimensat, "utimensat", 0},
    {SYS_setxattr, "setxattr", SPACE},
    {SYS_lsetxattr, "lsetxattr", SPACE},
    {SYS_fsetxattr, "fsetxattr", SPACE},
    {SYS_fremovexattr, "fremovexattr", 0},
    {SYS_lremovexattr, "lremovexattr", 0},
    {SYS_ioctl, "ioctl", IOCTL},
};

static const struct {
    const char *name;
    int number;
} errors[] = {{"ENOSPC", ENOSPC}, {"EIO", EIO}, {"EDQUOT", EDQUOT}, {"EROFS", EROFS}};

struct strike {
    bool kills, halves, stays;
    int error;
    unsigned long at, seen;
    const struct call *struck;
};

/* A thread of the command whose call is to end other than it would. */
static struct changed {
    pid_t thread;
    int error; /* 0: it is to die at the end of the call */
} changed[MOST_THREADS];

static struct changed *changed_of(pid_t thread)
{
    for (size_t i = 0; i < MOST_THREADS; i++)
        if (changed[i].thread == thread)
            return &changed[i];
    return NULL;
}

static bool is_file(pid_t pid, unsigned long long fd)
{
    char link[64];
    struct stat st;
    snprintf(link, sizeof link, "/proc/%d/fd/%d", (int)pid, (int)fd);
    return stat(link, &st) == 0 && S_ISREG(st.st_mode);
}

/* Which of the calls that change a file this is, if any. */
static const struct call *call_of(pid_t pid, const struct __ptrace_syscall_info *info)
{
    const uint64_t *args = info->entry.args;
    for (size_t i = 0; i < sizeof calls / sizeof *calls; i++) {
        const struct call *c = &calls[i];
        if ((unsigned long long)c->number != info->entry.nr)
            continue;
        if (c->how & OPENS)
            return args[c->number == SYS_open ? 1 : 2] & (O_CREAT | O_TRUNC) ? c : NULL;
        if (c->how & IOCTL)
            return args[1] == FICLONE || args[1] == FS_IOC_SETFLAGS ? c : NULL;
        return !(c->how & BY_FD) || is_file(pid, args[0]) ? c : NULL;
    }
    return NULL;
}

static void refuse(struct strike *s, pid_t pid, const struct call *c)
{
    struct user_regs_struct regs;
    struct changed *slot = changed_of(0);
    if (!slot || ptrace(PTRACE_GETREGS, pid, NULL, &regs) != 0)
        return;
    regs.orig_rax = (unsigned long long)-1;
    ptrace(PTRACE_SETREGS, pid, NULL, &regs);
    *slot = (struct changed){pid, s->error};
    if (!s->struck)
        s->struck = c;
}

/* At the entry of a call; true if the command was killed. */
static bool entered(struct strike *s, pid_t pid, const struct __ptrace_syscall_info *info)
{
    const struct call *c = call_of(pid, info);
    if (!c || (s->halves && (!(c->how & WRITES) || info->entry.args[2] < 2)) ||
        (s->stays && !(c->how & SPACE)))
        return false;
    s->seen++;
    if (!s->at || (s->stays ? s->seen < s->at : s->seen != s->at))
        return false;
    if (s->kills) {
        s->struck = c;
        kill(pid, SIGKILL);
        return true;
    }
    if (!s->halves) {
        refuse(s, pid, c);
        return false;
    }
    struct user_regs_struct regs;
    struct changed *slot = changed_of(0);
    if (slot && ptrace(PTRACE_GETREGS, pid, NULL, &regs) == 0) {
        regs.rdx /= 2;
        ptrace(PTRACE_SETREGS, pid, NULL, &regs);
        *slot = (struct changed){pid, 0};
        s->struck = c;
    }
    return false;
}

static void left(pid_t pid)
{
    struct changed *slot = changed_of(pid);
    struct user_regs_struct regs;
    if (!slot)
        return;
    if (!slot->error) {
        kill(pid, SIGKILL);
    } else if (ptrace(PTRACE_GETREGS, pid, NULL, &regs) == 0) {
        regs.rax = (unsigned long long)(long long)-slot->error;
        ptrace(PTRACE_SETREGS, pid, NULL, &regs);
    }
    *slot = (struct changed){0};
}

static void stopped(struct strike *s, pid_t pid, int status)
{
    int signal = WSTOPSIG(status), event = status >> 16;
    if (signal == (SIGTRAP | 0x80)) {
        struct __ptrace_syscall_info info;
        if (ptrace(PTRACE_GET_SYSCALL_INFO, pid, sizeof info, &info) > 0) {
            if (info.op == PTRACE_SYSCALL_INFO_ENTRY && entered(s, pid, &info))
                return;
            if (info.op == PTRACE_SYSCALL_INFO_EXIT)
                left(pid);
        }
        signal = 0;
    } else if (event || signal == SIGSTOP) {
        signal = 0; /* a new thread, or the command's own start */
    }
    ptrace(PTRACE_SYSCALL, pid, NULL, (long)signal);
}

static int run(struct strike *s, char **argv)
{
    prctl(PR_SET_CHILD_SUBREAPER, 1);
    pid_t pid = fork(), one;
    if (pid == 0) {
        ptrace(PTRACE_TRACEME, 0, NULL, NULL);
        raise(SIGSTOP);
        execvp(argv[0], argv);
        perror(argv[0]);
        _exit(127);
    }
    int status, code = -1;
    if (pid < 0 || waitpid(pid, &status, 0) != pid ||
        ptrace(PTRACE_SETOPTIONS, pid, NULL,
               PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACECLONE | PTRACE_O_TRACEEXEC |
                   PTRACE_O_EXITKILL) != 0)
        return -1;
    alarm(WAIT_SECONDS); /* a command that hangs takes us with it, and EXITKILL it with us */
    ptrace(PTRACE_SYSCALL, pid, NULL, 0L);
    while ((one = waitpid(-1, &status, __WALL)) > 0)
        if (WIFSTOPPED(status))
            stopped(s, one, status);
        else if (one == pid)
            code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    return code;
}

int main(int argc, char **argv)
{
    if (argc < 5) {
        fprintf(stderr, "usage: strike kill|half|ERRNO|full:ERRNO N REPORT COMMAND ...\n");
        return 2;
    }
    const char *how = argv[1];
    struct strike s = {.at = strtoul(argv[2], NULL, 10)};
    s.stays = strncmp(how, "full:", 5) == 0;
    s.kills = strcmp(how, "kill") == 0;
    s.halves = strcmp(how, "half") == 0;
    for (size_t i = 0; i < sizeof errors / sizeof *errors; i++)
        if (strcmp(how + (s.stays ? 5 : 0), errors[i].name) == 0)
            s.error = errors[i].number;
    if (!s.kills && !s.halves && !s.error)
        return 2;
    int code = run(&s, argv + 4);
    FILE *report = fopen(argv[3], "w");
    if (code < 0 || !report)
        return 2;
    fprintf(report, "%lu %d %s\n", s.seen, code, s.struck ? s.struck->name : "-");
    return fclose(report) ? 2 : 0;
}
