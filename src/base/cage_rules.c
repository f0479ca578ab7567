#include "base/cage_rules.h"

#include "base/capabilities.h"
#include "base/landlock.h"
#include "base/mem.h"
#include "base/seccomp.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/seccomp.h>
#include <malloc.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

/* --- limits --- */

enum {
    DEFAULT_MEMORY_MB = 512,
    DEFAULT_CPU_SECONDS = 20,
    /* memfd_create() files are files to RLIMIT_FSIZE: libhivex opens hives through one */
    MEMFD_BYTES = 256 * 1024 * 1024,
    MOST_DESCRIPTORS = 128,
};

static bool limit(int resource, uint64_t soft, uint64_t hard, const char *name, struct error *e)
{
    struct rlimit now;
    if (getrlimit(resource, &now) == 0 && now.rlim_max != RLIM_INFINITY && now.rlim_max < hard)
        hard = now.rlim_max;
    struct rlimit wanted = {.rlim_cur = soft < hard ? soft : hard, .rlim_max = hard};
    if (setrlimit(resource, &wanted) == 0)
        return true;
    error_set_errno(e, errno, "the cage's limit %s could not be set", name);
    return false;
}

#ifndef YAGURA_WIDE_CAGES
/* What is mapped already (proc(5), /proc/pid/statm: pages), or 0 where /proc is not there. */
static uint64_t mapped_bytes(void)
{
    char text[64] = "";
    CLEANUP_CLOSE int fd = open("/proc/self/statm", O_RDONLY | O_CLOEXEC);
    if (fd < 0 || read(fd, text, sizeof text - 1) <= 0)
        return 0;
    return strtoull(text, NULL, 10) * (uint64_t)sysconf(_SC_PAGESIZE);
}
#endif

static bool has_threads(const struct cage_limits *limits)
{
    return limits && limits->threads > 1;
}

static bool apply_limits(enum cage_kind kind, const struct cage_limits *limits, struct error *e)
{
    uint64_t cpu = limits && limits->cpu_seconds ? limits->cpu_seconds : DEFAULT_CPU_SECONDS;
    cpu *= has_threads(limits) ? limits->threads : 1;
    uint64_t files = kind == CAGE_ROOT ? MEMFD_BYTES : 0;
#ifndef YAGURA_WIDE_CAGES
    uint64_t memory =
        limits && limits->memory_bytes ? limits->memory_bytes : (uint64_t)DEFAULT_MEMORY_MB << 20;
    memory += mapped_bytes();
    if (!limit(RLIMIT_AS, memory, memory, "RLIMIT_AS", e))
        return false;
#endif
    signal(SIGXFSZ, SIG_IGN); /* standard error may be a file: then it is silent, not deadly */
    /* at the soft limit comes SIGXCPU, which tells a hang from every other death */
    return limit(RLIMIT_CPU, cpu, cpu + 1, "RLIMIT_CPU", e) &&
           limit(RLIMIT_FSIZE, files, files, "RLIMIT_FSIZE", e) &&
           limit(RLIMIT_NOFILE, MOST_DESCRIPTORS, MOST_DESCRIPTORS, "RLIMIT_NOFILE", e) &&
           limit(RLIMIT_CORE, 0, 0, "RLIMIT_CORE", e);
}

/* --- identity --- */

enum { NOBODY = 65534 };

static const uint64_t kept_capabilities[] = {
    [CAGE_BYTES] = 0,
    [CAGE_ROOT] = CAPABILITY(CAP_DAC_READ_SEARCH),
    [CAGE_LIVE] = CAPABILITY(CAP_DAC_READ_SEARCH) | CAPABILITY(CAP_SYS_PTRACE),
};

/* Root owns most files of a host: without Landlock, only being somebody else keeps it from
 * writing them. With Landlock root stays root, because FUSE and NFS mounts are often readable
 * to the one who mounted them only. Where no other user is mapped (a user namespace), the
 * user stays as well. */
static void become_nobody(void)
{
    if (geteuid() != 0 || prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0) != 0)
        return;
    /* the bare calls: this process has one thread */
    if (syscall(SYS_setgroups, 0, NULL) == 0 && syscall(SYS_setresgid, NOBODY, NOBODY, NOBODY) == 0)
        (void)!syscall(SYS_setresuid, NOBODY, NOBODY, NOBODY);
}

/* --- seccomp --- */

enum {
    BYTES = 1 << CAGE_BYTES,
    ROOT = 1 << CAGE_ROOT,
    LIVE = 1 << CAGE_LIVE,
    ALL = BYTES | ROOT | LIVE,
    THREADS = LIVE << 1 /* of any kind, where they were asked for */
};

/* Whatever is not here ends the process. Often used ones first. */
static const struct seccomp_rule syscall_rules[] = {
    {SYS_read, ALL, SECCOMP_ALLOW},
    {SYS_pread64, ALL, SECCOMP_ALLOW},
    {SYS_write, ALL, SECCOMP_ALLOW},
    {SYS_close, ALL, SECCOMP_ALLOW},
    {SYS_fstat, ALL, SECCOMP_ALLOW},
    {SYS_lseek, ALL, SECCOMP_ALLOW},
    {SYS_openat, ROOT | LIVE, SECCOMP_READ_ONLY_2},
    {SYS_openat, BYTES, SECCOMP_REFUSE},
    /* its flags lie in memory, where no filter can see them: see cage.h */
    {SYS_openat2, ROOT, SECCOMP_ALLOW},
    {SYS_openat2, LIVE, SECCOMP_REFUSE_UNKNOWN},
    {SYS_openat2, BYTES, SECCOMP_REFUSE},
#ifdef SYS_open
    {SYS_open, ROOT | LIVE, SECCOMP_READ_ONLY_1},
    {SYS_open, BYTES, SECCOMP_REFUSE},
    {SYS_stat, ROOT | LIVE, SECCOMP_ALLOW},
    {SYS_lstat, ROOT | LIVE, SECCOMP_ALLOW},
    {SYS_access, ROOT | LIVE, SECCOMP_ALLOW},
    {SYS_access, BYTES, SECCOMP_REFUSE},
    {SYS_readlink, ROOT | LIVE, SECCOMP_ALLOW},
    {SYS_readlink, BYTES, SECCOMP_REFUSE},
    {SYS_poll, ALL, SECCOMP_ALLOW},
    {SYS_time, ALL, SECCOMP_ALLOW},
#endif
#ifdef SYS_newfstatat
    /* fstat() of glibc; with a path it tells, but opens nothing */
    {SYS_newfstatat, ALL, SECCOMP_ALLOW},
#endif
    {SYS_statx, ROOT | LIVE, SECCOMP_ALLOW},
    {SYS_statx, BYTES, SECCOMP_REFUSE},
    {SYS_statfs, ROOT | LIVE, SECCOMP_ALLOW},
    {SYS_fstatfs, ALL, SECCOMP_ALLOW},
    {SYS_getdents64, ROOT | LIVE, SECCOMP_ALLOW},
    {SYS_readlinkat, ROOT | LIVE, SECCOMP_ALLOW},
    {SYS_readlinkat, BYTES, SECCOMP_REFUSE},
    {SYS_fgetxattr, ROOT, SECCOMP_ALLOW},
    {SYS_faccessat, ROOT | LIVE, SECCOMP_ALLOW},
    {SYS_faccessat2, ROOT | LIVE, SECCOMP_ALLOW},
    {SYS_fadvise64, ALL, SECCOMP_ALLOW},
    {SYS_readv, ALL, SECCOMP_ALLOW},
    {SYS_preadv, ALL, SECCOMP_ALLOW},
    {SYS_writev, ALL, SECCOMP_ALLOW},
    {SYS_brk, ALL, SECCOMP_ALLOW},
    {SYS_mmap, ALL, SECCOMP_NO_EXEC},
    {SYS_munmap, ALL, SECCOMP_ALLOW},
    {SYS_mremap, ALL, SECCOMP_ALLOW},
    {SYS_madvise, ALL, SECCOMP_ALLOW},
    {SYS_mprotect, ALL, SECCOMP_NO_EXEC},
    {SYS_futex, ALL, SECCOMP_ALLOW},
    {SYS_fcntl, ALL, SECCOMP_ALLOW},
    {SYS_dup, ALL, SECCOMP_ALLOW},
    {SYS_memfd_create, ROOT, SECCOMP_ALLOW},
    {SYS_ftruncate, ROOT, SECCOMP_ALLOW}, /* of a memfd: nothing else is open for writing */
    {SYS_sendmsg, ALL, SECCOMP_ALLOW},    /* on the sockets handed in: none can be made */
    {SYS_recvmsg, ALL, SECCOMP_ALLOW},
    {SYS_sendto, ALL, SECCOMP_ALLOW},
    {SYS_recvfrom, ALL, SECCOMP_ALLOW},
    {SYS_shutdown, ALL, SECCOMP_ALLOW},
    {SYS_ppoll, ALL, SECCOMP_ALLOW},
    {SYS_getrandom, ALL, SECCOMP_ALLOW},
    {SYS_clock_gettime, ALL, SECCOMP_ALLOW},
    {SYS_gettimeofday, ALL, SECCOMP_ALLOW},
    {SYS_clock_nanosleep, ALL, SECCOMP_ALLOW},
    {SYS_rt_sigaction, ALL, SECCOMP_ALLOW},
    {SYS_rt_sigprocmask, ALL, SECCOMP_ALLOW},
    {SYS_rt_sigreturn, ALL, SECCOMP_ALLOW},
    {SYS_sigaltstack, ALL, SECCOMP_ALLOW},
    {SYS_restart_syscall, ALL, SECCOMP_ALLOW},
    {SYS_exit, ALL, SECCOMP_ALLOW},
    {SYS_exit_group, ALL, SECCOMP_ALLOW},
    {SYS_tgkill, ALL, SECCOMP_OWN_PROCESS}, /* abort() */
    {SYS_getpid, ALL, SECCOMP_ALLOW},
    {SYS_gettid, ALL, SECCOMP_ALLOW},
    {SYS_getppid, ALL, SECCOMP_ALLOW},
    {SYS_getuid, ALL, SECCOMP_ALLOW},
    {SYS_geteuid, ALL, SECCOMP_ALLOW},
    {SYS_getgid, ALL, SECCOMP_ALLOW},
    {SYS_getegid, ALL, SECCOMP_ALLOW},
    {SYS_uname, ALL, SECCOMP_ALLOW},
    {SYS_sysinfo, ALL, SECCOMP_ALLOW}, /* qsort() asks how much memory there is */
    {SYS_sched_yield, ALL, SECCOMP_ALLOW},
    {SYS_sched_getaffinity, ALL, SECCOMP_ALLOW},
    {SYS_getrusage, ALL, SECCOMP_ALLOW},
    {SYS_ioctl, ALL, SECCOMP_REFUSE_TTY}, /* stdio asks whether it talks to a terminal */
    {SYS_prlimit64, ALL, SECCOMP_REFUSE},
    {SYS_clone, THREADS, SECCOMP_THREAD},
    {SYS_clone3, THREADS, SECCOMP_REFUSE_UNKNOWN}, /* its flags lie in memory: clone() then */
    {SYS_rseq, THREADS, SECCOMP_ALLOW},
    {SYS_set_robust_list, THREADS, SECCOMP_ALLOW},
    {SYS_nanosleep, THREADS, SECCOMP_ALLOW}, /* the thread of TSan, which comes with the first */
};

bool cage_rules_apply(enum cage_kind kind, int rootfd, const struct cage_limits *limits,
                      struct error *e)
{
    int abi = landlock_abi(), death = 0;
    if (kind != CAGE_ROOT || !abi) {
        prctl(PR_GET_PDEATHSIG, &death, 0, 0, 0);
        become_nobody();
        prctl(PR_SET_PDEATHSIG, death, 0, 0, 0); /* is lost with the old identity */
    }
    if (!apply_limits(kind, limits, e) || !capabilities_keep(kept_capabilities[kind], e))
        return false;
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) {
        error_set_errno(e, errno, "the cage could not give up new privileges");
        return false;
    }
    struct landlock_place beneath = {rootfd, LANDLOCK_READS};
    if (kind != CAGE_LIVE && abi &&
        !landlock_apply(&beneath, kind == CAGE_ROOT && rootfd >= 0 ? 1 : 0, e))
        return false;
    unsigned kinds = 1u << kind;
    if (has_threads(limits)) {
        kinds |= THREADS;
        mallopt(M_ARENA_MAX, 1); /* each heap more would reserve 64 MiB of the address space */
    }
    return seccomp_apply(syscall_rules, ARRAY_COUNT(syscall_rules), kinds, SECCOMP_RET_KILL_PROCESS,
                         e);
}
