#include "base/cage_rules.h"

#include "base/mem.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
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

static bool apply_limits(enum cage_kind kind, const struct cage_limits *limits, struct error *e)
{
    uint64_t cpu = limits && limits->cpu_seconds ? limits->cpu_seconds : DEFAULT_CPU_SECONDS;
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
    [CAGE_ROOT] = 1ull << CAP_DAC_READ_SEARCH,
    [CAGE_LIVE] = 1ull << CAP_DAC_READ_SEARCH | 1ull << CAP_SYS_PTRACE,
};

static bool drop_capabilities(uint64_t keep, struct error *e)
{
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct data[2] = {0};
    if (syscall(SYS_capget, &header, data) == 0) {
        for (int i = 0; i < 2; i++) {
            data[i].permitted &= (uint32_t)(keep >> (32 * i));
            data[i].effective = data[i].permitted;
            data[i].inheritable = 0;
        }
        if (syscall(SYS_capset, &header, data) == 0)
            return true;
    }
    error_set_errno(e, errno, "the cage's capabilities could not be dropped");
    return false;
}

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

/* --- Landlock (Documentation/userspace-api/landlock.rst; Debian 12's header ends at ABI 2) --- */

struct landlock_ruleset {
    uint64_t handled_access_fs, handled_access_net, scoped;
};

struct landlock_beneath {
    uint64_t allowed_access;
    int32_t parent_fd;
} __attribute__((packed));

enum {
    LANDLOCK_VERSION_FLAG = 1,
    LANDLOCK_BENEATH = 1,
    LANDLOCK_READ_FILE = 1 << 2,
    LANDLOCK_READ_DIR = 1 << 3,
};

/* What each ABI can forbid: a higher one is treated as the highest we know. */
static const struct {
    size_t size;
    struct landlock_ruleset all;
} landlock_abis[] = {
    {0, {0}},
    {8, {(1 << 13) - 1, 0, 0}},  /* 1: execute, write, read, make and remove */
    {8, {(1 << 14) - 1, 0, 0}},  /* 2: link and rename across directories */
    {8, {(1 << 15) - 1, 0, 0}},  /* 3: truncate */
    {16, {(1 << 15) - 1, 3, 0}}, /* 4: TCP bind and connect */
    {16, {(1 << 16) - 1, 3, 0}}, /* 5: ioctl on devices */
    {24, {(1 << 16) - 1, 3, 3}}, /* 6: abstract sockets, signals */
};

int cage_rules_landlock_abi(void)
{
    long abi = syscall(SYS_landlock_create_ruleset, NULL, (size_t)0, LANDLOCK_VERSION_FLAG);
    return abi > 0 ? (int)abi : 0;
}

static bool apply_landlock(int rootfd, int abi, struct error *e)
{
    size_t row =
        (size_t)abi < ARRAY_COUNT(landlock_abis) ? (size_t)abi : ARRAY_COUNT(landlock_abis) - 1;
    CLEANUP_CLOSE int fd = (int)syscall(SYS_landlock_create_ruleset, &landlock_abis[row].all,
                                        landlock_abis[row].size, 0);
    struct landlock_beneath beneath = {.allowed_access = LANDLOCK_READ_FILE | LANDLOCK_READ_DIR,
                                       .parent_fd = rootfd};
    if (fd >= 0 &&
        (rootfd < 0 || syscall(SYS_landlock_add_rule, fd, LANDLOCK_BENEATH, &beneath, 0) == 0) &&
        syscall(SYS_landlock_restrict_self, fd, 0) == 0)
        return true;
    error_set_errno(e, errno, "the cage's Landlock rules could not be set");
    return false;
}

/* --- seccomp: the filter is written by hand, as libseccomp takes longer to make one than
 * the whole fork --- */

enum check {
    ALLOW,
    REFUSE,         /* EACCES: libraries try it and do without */
    REFUSE_UNKNOWN, /* ENOSYS: the caller knows another way */
    REFUSE_TTY,     /* ENOTTY */
    READ_ONLY_1,    /* argument 1 (2) has the flags of open(): reading only */
    READ_ONLY_2,
    NO_EXEC,     /* argument 2 is a memory protection without PROT_EXEC */
    OWN_PROCESS, /* argument 0 is this process */
};

enum { BYTES = 1 << CAGE_BYTES, ROOT = 1 << CAGE_ROOT, LIVE = 1 << CAGE_LIVE, ALL = 7 };

struct syscall_rule {
    uint16_t number;
    uint8_t kinds;
    uint8_t check;
};

/* Whatever is not here ends the process. Often used ones first. */
static const struct syscall_rule syscall_rules[] = {
    {SYS_read, ALL, ALLOW},
    {SYS_pread64, ALL, ALLOW},
    {SYS_write, ALL, ALLOW},
    {SYS_close, ALL, ALLOW},
    {SYS_fstat, ALL, ALLOW},
    {SYS_lseek, ALL, ALLOW},
    {SYS_openat, ROOT | LIVE, READ_ONLY_2},
    {SYS_openat, BYTES, REFUSE},
    /* its flags lie in memory, where no filter can see them: see cage.h */
    {SYS_openat2, ROOT, ALLOW},
    {SYS_openat2, LIVE, REFUSE_UNKNOWN},
    {SYS_openat2, BYTES, REFUSE},
#ifdef SYS_open
    {SYS_open, ROOT | LIVE, READ_ONLY_1},
    {SYS_open, BYTES, REFUSE},
    {SYS_stat, ROOT | LIVE, ALLOW},
    {SYS_lstat, ROOT | LIVE, ALLOW},
    {SYS_access, ROOT | LIVE, ALLOW},
    {SYS_access, BYTES, REFUSE},
    {SYS_readlink, ROOT | LIVE, ALLOW},
    {SYS_readlink, BYTES, REFUSE},
    {SYS_poll, ALL, ALLOW},
    {SYS_time, ALL, ALLOW},
#endif
#ifdef SYS_newfstatat
    {SYS_newfstatat, ALL, ALLOW}, /* fstat() of glibc; with a path it tells, but opens nothing */
#endif
    {SYS_statx, ROOT | LIVE, ALLOW},
    {SYS_statx, BYTES, REFUSE},
    {SYS_statfs, ROOT | LIVE, ALLOW},
    {SYS_fstatfs, ALL, ALLOW},
    {SYS_getdents64, ROOT | LIVE, ALLOW},
    {SYS_readlinkat, ROOT | LIVE, ALLOW},
    {SYS_readlinkat, BYTES, REFUSE},
    {SYS_faccessat, ROOT | LIVE, ALLOW},
    {SYS_faccessat2, ROOT | LIVE, ALLOW},
    {SYS_fadvise64, ALL, ALLOW},
    {SYS_readv, ALL, ALLOW},
    {SYS_preadv, ALL, ALLOW},
    {SYS_writev, ALL, ALLOW},
    {SYS_brk, ALL, ALLOW},
    {SYS_mmap, ALL, NO_EXEC},
    {SYS_munmap, ALL, ALLOW},
    {SYS_mremap, ALL, ALLOW},
    {SYS_madvise, ALL, ALLOW},
    {SYS_mprotect, ALL, NO_EXEC},
    {SYS_futex, ALL, ALLOW},
    {SYS_fcntl, ALL, ALLOW},
    {SYS_dup, ALL, ALLOW},
    {SYS_memfd_create, ROOT, ALLOW},
    {SYS_ftruncate, ROOT, ALLOW}, /* of a memfd: nothing else is open for writing */
    {SYS_sendmsg, ALL, ALLOW},    /* on the sockets handed in: none can be made */
    {SYS_recvmsg, ALL, ALLOW},
    {SYS_sendto, ALL, ALLOW},
    {SYS_recvfrom, ALL, ALLOW},
    {SYS_shutdown, ALL, ALLOW},
    {SYS_ppoll, ALL, ALLOW},
    {SYS_getrandom, ALL, ALLOW},
    {SYS_clock_gettime, ALL, ALLOW},
    {SYS_gettimeofday, ALL, ALLOW},
    {SYS_clock_nanosleep, ALL, ALLOW},
    {SYS_rt_sigaction, ALL, ALLOW},
    {SYS_rt_sigprocmask, ALL, ALLOW},
    {SYS_rt_sigreturn, ALL, ALLOW},
    {SYS_sigaltstack, ALL, ALLOW},
    {SYS_restart_syscall, ALL, ALLOW},
    {SYS_exit, ALL, ALLOW},
    {SYS_exit_group, ALL, ALLOW},
    {SYS_tgkill, ALL, OWN_PROCESS}, /* abort() */
    {SYS_getpid, ALL, ALLOW},
    {SYS_gettid, ALL, ALLOW},
    {SYS_getppid, ALL, ALLOW},
    {SYS_getuid, ALL, ALLOW},
    {SYS_geteuid, ALL, ALLOW},
    {SYS_getgid, ALL, ALLOW},
    {SYS_getegid, ALL, ALLOW},
    {SYS_uname, ALL, ALLOW},
    {SYS_sysinfo, ALL, ALLOW}, /* qsort() asks how much memory there is */
    {SYS_sched_yield, ALL, ALLOW},
    {SYS_sched_getaffinity, ALL, ALLOW},
    {SYS_getrusage, ALL, ALLOW},
    {SYS_ioctl, ALL, REFUSE_TTY}, /* stdio asks whether it talks to a terminal */
    {SYS_prlimit64, ALL, REFUSE},
};

#if defined(__x86_64__)
enum { AUDIT_ARCH_HERE = (int)AUDIT_ARCH_X86_64 };
#elif defined(__aarch64__)
enum { AUDIT_ARCH_HERE = (int)AUDIT_ARCH_AARCH64 };
#else
#error "cage_rules.c: which AUDIT_ARCH_ is this machine?"
#endif

enum {
    OPEN_FLAGS_REFUSED = O_ACCMODE | O_CREAT | O_TRUNC | (O_TMPFILE & ~O_DIRECTORY),
    MOST_RULE_STEPS = 5,
    /* of the low half: both architectures above are little-endian */
    ARGUMENT_0 = offsetof(struct seccomp_data, args),
};

struct program {
    struct sock_filter steps[ARRAY_COUNT(syscall_rules) * MOST_RULE_STEPS + 8];
    unsigned short count;
};

static void step(struct program *p, uint16_t code, uint32_t k, uint8_t jump_true,
                 uint8_t jump_false)
{
    p->steps[p->count++] = (struct sock_filter){code, jump_true, jump_false, k};
}

static void load(struct program *p, uint32_t offset)
{
    step(p, BPF_LD | BPF_W | BPF_ABS, offset, 0, 0);
}

static void give(struct program *p, uint32_t action)
{
    step(p, BPF_RET | BPF_K, action, 0, 0);
}

/* Allowed where the argument has none of these bits. */
static void give_if_clear(struct program *p, unsigned argument, uint32_t bits)
{
    load(p, ARGUMENT_0 + argument * 8);
    step(p, BPF_JMP | BPF_JSET | BPF_K, bits, 0, 1);
    give(p, SECCOMP_RET_KILL_PROCESS);
    give(p, SECCOMP_RET_ALLOW);
}

static void add_check(struct program *p, enum check check)
{
    switch (check) {
    case ALLOW:
        give(p, SECCOMP_RET_ALLOW);
        break;
    case REFUSE:
        give(p, SECCOMP_RET_ERRNO | EACCES);
        break;
    case REFUSE_UNKNOWN:
        give(p, SECCOMP_RET_ERRNO | ENOSYS);
        break;
    case REFUSE_TTY:
        give(p, SECCOMP_RET_ERRNO | ENOTTY);
        break;
    case READ_ONLY_1:
        give_if_clear(p, 1, OPEN_FLAGS_REFUSED);
        break;
    case READ_ONLY_2:
        give_if_clear(p, 2, OPEN_FLAGS_REFUSED);
        break;
    case NO_EXEC:
        give_if_clear(p, 2, PROT_EXEC);
        break;
    case OWN_PROCESS:
        load(p, ARGUMENT_0);
        step(p, BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)getpid(), 1, 0);
        give(p, SECCOMP_RET_KILL_PROCESS);
        give(p, SECCOMP_RET_ALLOW);
        break;
    }
}

static bool apply_seccomp(enum cage_kind kind, struct error *e)
{
    struct program p = {.count = 0};
    load(&p, offsetof(struct seccomp_data, arch));
    step(&p, BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)AUDIT_ARCH_HERE, 1, 0);
    give(&p, SECCOMP_RET_KILL_PROCESS);
    load(&p, offsetof(struct seccomp_data, nr));
    for (size_t i = 0; i < ARRAY_COUNT(syscall_rules); i++) {
        const struct syscall_rule *rule = &syscall_rules[i];
        if (!(rule->kinds & 1 << kind))
            continue;
        unsigned short jump = p.count;
        step(&p, BPF_JMP | BPF_JEQ | BPF_K, rule->number, 0, 0);
        add_check(&p, rule->check);
        p.steps[jump].jf = (uint8_t)(p.count - jump - 1);
    }
    give(&p, SECCOMP_RET_KILL_PROCESS); /* numbers of x32, with bit 30 set, equal none of ours */

    struct sock_fprog program = {.len = p.count, .filter = p.steps};
    if (syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program) == 0)
        return true;
    error_set_errno(e, errno, "the cage's seccomp filter could not be set");
    return false;
}

bool cage_rules_apply(enum cage_kind kind, int rootfd, const struct cage_limits *limits,
                      struct error *e)
{
    int abi = cage_rules_landlock_abi(), death = 0;
    if (kind != CAGE_ROOT || !abi) {
        prctl(PR_GET_PDEATHSIG, &death, 0, 0, 0);
        become_nobody();
        prctl(PR_SET_PDEATHSIG, death, 0, 0, 0); /* is lost with the old identity */
    }
    if (!apply_limits(kind, limits, e) || !drop_capabilities(kept_capabilities[kind], e))
        return false;
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) {
        error_set_errno(e, errno, "the cage could not give up new privileges");
        return false;
    }
    if (kind != CAGE_LIVE && abi && !apply_landlock(kind == CAGE_ROOT ? rootfd : -1, abi, e))
        return false;
    return apply_seccomp(kind, e);
}
