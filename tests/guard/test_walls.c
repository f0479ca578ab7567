/* What each process of the guard is refused, and what it still may. */
#include "base/landlock.h"
#include "base/mem.h"
#include "guard/caller.h"
#include "guard/walls.h"
#include "tests/support.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum {
    PARENT = 1 << WALLS_PARENT,
    GUARD = 1 << WALLS_GUARD,
    CALLER = 1 << WALLS_CALLER,
    HOOK = 1 << WALLS_HOOK,
    ALL = 15
};

static char *dir;
static const char everybodys[] = "/run/lock"; /* mode 1777 on Debian */
static pid_t stranger;                        /* another process, of ours */

static long in_child(long result)
{
    if (result == 0)
        _exit(0);
    if (result > 0)
        waitpid((pid_t)result, NULL, 0);
    return result;
}

static long try_exec(void)
{
    return execl("/bin/true", "true", NULL);
}
static long try_fork(void)
{
    return in_child(fork());
}
static long try_namespace(void)
{
    return in_child(syscall(SYS_clone, CLONE_NEWUSER | SIGCHLD, NULL, NULL, NULL, NULL));
}
static long try_unshare(void)
{
    return unshare(CLONE_NEWUSER);
}
static long try_internet(void)
{
    return socket(AF_INET, SOCK_STREAM, 0);
}
static long try_local_socket(void)
{
    return socket(AF_UNIX, SOCK_STREAM, 0);
}
static long try_netlink(void)
{
    return socket(AF_NETLINK, SOCK_RAW, 0);
}
static long try_ptrace(void)
{
    return ptrace(PTRACE_SEIZE, stranger, NULL, NULL);
}
static long try_memory_of_another(void)
{
    char byte;
    struct iovec here = {&byte, 1}, there = {&byte, 1};
    return process_vm_readv(stranger, &here, 1, &there, 1, 0);
}
static long try_signal(void)
{
    return kill(stranger, SIGCONT);
}
static long try_executable_memory(void)
{
    return mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED
               ? -1
               : 0;
}
static long try_mount(void)
{
    return mount("none", dir, "tmpfs", 0, NULL);
}
static long try_chroot(void)
{
    return chroot(dir);
}
static long try_bpf(void)
{
    return syscall(SYS_bpf, 0, NULL, 0);
}
static long try_ring(void)
{
    return syscall(SYS_io_uring_setup, 1, NULL);
}
static long try_module(void)
{
    return syscall(SYS_init_module, "", 0, "");
}
static long try_become_another(void)
{
    return setuid(33);
}
static long try_terminal(void)
{
    int one = 'x';
    return ioctl(0, TIOCSTI, &one);
}
static long try_device(void)
{
    char path[512];
    snprintf(path, sizeof path, "%s/device", dir);
    return mknod(path, S_IFCHR | 0600, makedev(1, 5));
}
static long write_in(const char *folder)
{
    char path[512];
    snprintf(path, sizeof path, "%s/made-%ld", folder, (long)getpid());
    int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    if (fd >= 0)
        unlink(path);
    return fd;
}
static long try_write(void)
{
    return write_in(dir);
}
static long try_write_elsewhere(void)
{
    return write_in(everybodys);
}
static long try_write_tmp(void)
{
    return write_in("/tmp");
}
static long try_read(void)
{
    return open("/etc/passwd", O_RDONLY);
}
static void *thread(void *context)
{
    return context;
}
static long try_thread(void)
{
    pthread_t t;
    errno = pthread_create(&t, NULL, thread, NULL);
    return errno ? -1 : pthread_join(t, NULL);
}
static long try_flags(void)
{
    int flags, fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    return fd < 0 || (ioctl(fd, FS_IOC_GETFLAGS, &flags) != 0 && errno == EPERM) ? -1 : 0;
}

static const struct {
    const char *name;
    long (*deed)(void);
    unsigned refused, allowed; /* in which processes */
} deeds[] = {
    {"another program", try_exec, PARENT | GUARD | CALLER, 0},
    {"another process", try_fork, GUARD | CALLER, PARENT | HOOK},
    {"a process in its own namespace", try_namespace, ALL, 0},
    {"a namespace", try_unshare, ALL, 0},
    {"the internet", try_internet, PARENT | GUARD | CALLER, HOOK},
    {"a socket of this host", try_local_socket, GUARD, PARENT | CALLER | HOOK},
    {"netlink", try_netlink, PARENT | GUARD | CALLER, 0},
    {"another's registers", try_ptrace, ALL, 0},
    {"another's memory", try_memory_of_another, ALL, 0},
    {"a signal to another", try_signal, GUARD | CALLER, PARENT},
    {"memory that is executed", try_executable_memory, PARENT | GUARD | CALLER, HOOK},
    {"a mount", try_mount, ALL, 0},
    {"another root", try_chroot, ALL, 0},
    {"bpf", try_bpf, ALL, 0},
    {"io_uring", try_ring, ALL, 0},
    {"a module of the kernel", try_module, ALL, 0},
    {"another user", try_become_another, ALL, 0},
    {"a terminal's input", try_terminal, PARENT | GUARD | CALLER, 0},
    {"a device", try_device, ALL, 0},
    {"a file of its own making", try_write, CALLER, PARENT | GUARD},
    {"a file where everybody may make one", try_write_elsewhere, HOOK, 0},
    {"a file in /tmp", try_write_tmp, CALLER, PARENT | GUARD | HOOK},
    {"reading", try_read, CALLER, PARENT | GUARD | HOOK},
    {"a thread", try_thread, CALLER, PARENT | GUARD | HOOK},
    {"flags of files", try_flags, 0, PARENT | GUARD},
};

/* 0: it was done; else the errno. */
static int outcome(enum walls role, long (*deed)(void))
{
    int status;
    pid_t pid = fork();
    if (pid == 0) {
        struct error e = ERROR_INIT;
        /* a guard has its parent's walls around its own */
        if ((role == WALLS_GUARD && !walls_enter(WALLS_PARENT, &e)) || !walls_enter(role, &e)) {
            fprintf(stderr, "%s\n", e.message);
            _exit(255);
        }
        _exit(deed() < 0 ? errno : 0);
    }
    assert_true(waitpid(pid, &status, 0) == pid);
    assert_true(WIFEXITED(status)); /* refused, not killed */
    return WEXITSTATUS(status);
}

static void each_process_is_refused_what_it_does_not_need(void **state)
{
    static const char *const names[] = {"parent", "guard", "caller", "hook"};
    bool good = true;
    for (unsigned role = 0; role < ARRAY_COUNT(names); role++)
        for (size_t i = 0; i < ARRAY_COUNT(deeds); i++) {
            unsigned bit = 1u << role;
            if (!((deeds[i].refused | deeds[i].allowed) & bit))
                continue;
            if (deeds[i].deed == try_write_elsewhere &&
                (!landlock_abi() || access(everybodys, W_OK) != 0))
                continue; /* refused by Landlock alone */
            int code = outcome(role, deeds[i].deed);
            bool refused = code == EPERM || code == EACCES || code == ENOTTY;
            if (code == 255 || refused != !!(deeds[i].refused & bit)) {
                fprintf(stderr, "%s: %s: %s\n", names[role], deeds[i].name,
                        code == 255 ? "no walls" : strerror(code));
                good = false;
            }
        }
    assert_true(good);
}

static void hook_told(const char *hook, const char *text, double *seconds)
{
    struct caller caller = CALLER_NONE;
    struct error e = ERROR_INIT;
    struct timespec from, to;
    assert_true(caller_start(&caller, hook, &e));
    clock_gettime(CLOCK_MONOTONIC, &from);
    assert_true(caller_tell(caller.fd, text, strlen(text)));
    caller_end(&caller);
    clock_gettime(CLOCK_MONOTONIC, &to);
    *seconds = (double)(to.tv_sec - from.tv_sec) + (double)(to.tv_nsec - from.tv_nsec) / 1e9;
}

static void the_hook_gets_the_text_and_is_nobody(void **state)
{
    char out[64] = "/tmp/yagura-hook-XXXXXX", hook[256], text[256] = "";
    double seconds;
    int fd = mkstemp(out);
    assert_true(fd >= 0 && fchmod(fd, 0666) == 0);
    snprintf(hook, sizeof hook, "{ cat; id -u; env | grep -c YAGURA; } >%s", out);
    hook_told(hook, "a burst\n", &seconds);
    assert_true(read(fd, text, sizeof text - 1) > 0);
    if (geteuid() == 0)
        assert_string_equal(text, "a burst\n65534\n0\n");
    else
        assert_true(strncmp(text, "a burst\n", 8) == 0);
    close(fd);
    unlink(out);
}

static void a_hook_that_hangs_is_killed_with_its_children(void **state)
{
    char mark[64], hook[256];
    double seconds;
    snprintf(mark, sizeof mark, "7%d", (int)getpid());
    snprintf(hook, sizeof hook, "sleep %s & sleep %s", mark, mark);
    hook_told(hook, "a burst\n", &seconds);
    assert_true(seconds > CALLER_SECONDS - 1 && seconds < CALLER_SECONDS * 3);
    snprintf(hook, sizeof hook, "grep -lz '^%s$' /proc/[0-9]*/cmdline >/dev/null 2>&1", mark);
    /* A kill is sent at once; a process that gets no processor dies when it gets one. */
    int found = 0;
    for (int tries = 0; tries < 200 && (found = system(hook)) == 0; tries++)
        usleep(50000);
    assert_int_not_equal(found, 0);
}

static void a_hook_that_reads_nothing_is_its_own_affair(void **state)
{
    CLEANUP_FREE char *text = mem_alloc(CALLER_MOST_BYTES);
    double seconds;
    memset(text, 'x', CALLER_MOST_BYTES - 1);
    hook_told("exit 3", text, &seconds);
    assert_true(seconds < CALLER_SECONDS);
}

static int set_up(void **state)
{
    dir = support_temp_dir();
    chmod(dir, 0777); /* so that not its mode is what refuses */
    stranger = fork();
    if (stranger == 0)
        for (;;)
            pause();
    return !dir || stranger < 0;
}

static int take_down(void **state)
{
    kill(stranger, SIGKILL);
    waitpid(stranger, NULL, 0);
    support_remove_tree(dir);
    free(dir);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_process_is_refused_what_it_does_not_need),
        cmocka_unit_test(the_hook_gets_the_text_and_is_nobody),
        cmocka_unit_test(a_hook_that_hangs_is_killed_with_its_children),
        cmocka_unit_test(a_hook_that_reads_nothing_is_its_own_affair),
    };
    signal(SIGPIPE, SIG_IGN);
    return cmocka_run_group_tests(tests, set_up, take_down);
}
