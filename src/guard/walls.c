#include "guard/walls.h"

#include "base/capabilities.h"
#include "base/landlock.h"
#include "base/mem.h"
#include "base/seccomp.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <stdint.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { NOBODY = 65534, HOOK_CPU_SECONDS = 10 };

/* docs/privileges.md says what each is for. */
static const uint64_t guards_capabilities =
    CAPABILITY(CAP_SYS_ADMIN) | CAPABILITY(CAP_SYS_PTRACE) | CAPABILITY(CAP_DAC_READ_SEARCH) |
    CAPABILITY(CAP_DAC_OVERRIDE) | CAPABILITY(CAP_CHOWN) | CAPABILITY(CAP_FOWNER) |
    CAPABILITY(CAP_FSETID) | CAPABILITY(CAP_SETFCAP) | CAPABILITY(CAP_LINUX_IMMUTABLE) |
    CAPABILITY(CAP_SYS_RESOURCE);

/* --- what may be called: whatever is not here is refused, but to the hook --- */

enum {
    PARENT = 1 << WALLS_PARENT,
    GUARD = 1 << WALLS_GUARD,
    CALLER = 1 << WALLS_CALLER,
    HOOK = 1 << WALLS_HOOK,
    WATCH = PARENT | GUARD
};

static const struct seccomp_rule allowed[] = {
    /* often used ones first */
    {SYS_read, WATCH, SECCOMP_ALLOW},
    {SYS_pread64, WATCH, SECCOMP_ALLOW},
    {SYS_readv, WATCH, SECCOMP_ALLOW},
    {SYS_preadv, WATCH, SECCOMP_ALLOW},
    {SYS_preadv2, WATCH, SECCOMP_ALLOW},
    {SYS_write, WATCH, SECCOMP_ALLOW},
    {SYS_pwrite64, WATCH, SECCOMP_ALLOW},
    {SYS_writev, WATCH, SECCOMP_ALLOW},
    {SYS_pwritev, WATCH, SECCOMP_ALLOW},
    {SYS_pwritev2, WATCH, SECCOMP_ALLOW},
    {SYS_close, WATCH, SECCOMP_ALLOW},
    {SYS_lseek, WATCH, SECCOMP_ALLOW},
    {SYS_fstat, WATCH, SECCOMP_ALLOW},
    {SYS_newfstatat, WATCH, SECCOMP_ALLOW},
    {SYS_statx, WATCH, SECCOMP_ALLOW},
    {SYS_statfs, WATCH, SECCOMP_ALLOW},
    {SYS_fstatfs, WATCH, SECCOMP_ALLOW},
    {SYS_openat, WATCH, SECCOMP_ALLOW},
    {SYS_openat2, WATCH, SECCOMP_ALLOW},
    {SYS_getdents64, WATCH, SECCOMP_ALLOW},
    {SYS_readlinkat, WATCH, SECCOMP_ALLOW},
    {SYS_faccessat, WATCH, SECCOMP_ALLOW},
    {SYS_faccessat2, WATCH, SECCOMP_ALLOW},
    {SYS_renameat, WATCH, SECCOMP_ALLOW},
    {SYS_renameat2, WATCH, SECCOMP_ALLOW},
    {SYS_linkat, WATCH, SECCOMP_ALLOW},
    {SYS_symlinkat, WATCH, SECCOMP_ALLOW},
    {SYS_unlinkat, WATCH, SECCOMP_ALLOW},
    {SYS_mkdirat, WATCH, SECCOMP_ALLOW},
    {SYS_fchmod, WATCH, SECCOMP_ALLOW},
    {SYS_fchmodat, WATCH, SECCOMP_ALLOW},
    {SYS_fchown, WATCH, SECCOMP_ALLOW},
    {SYS_fchownat, WATCH, SECCOMP_ALLOW},
    {SYS_utimensat, WATCH, SECCOMP_ALLOW},
    {SYS_ftruncate, WATCH, SECCOMP_ALLOW},
    {SYS_fallocate, WATCH, SECCOMP_ALLOW},
    {SYS_fsync, WATCH, SECCOMP_ALLOW},
    {SYS_fdatasync, WATCH, SECCOMP_ALLOW},
    {SYS_syncfs, WATCH, SECCOMP_ALLOW},
    {SYS_sync_file_range, WATCH, SECCOMP_ALLOW},
    {SYS_copy_file_range, WATCH, SECCOMP_ALLOW},
    {SYS_sendfile, WATCH, SECCOMP_ALLOW},
    {SYS_fadvise64, WATCH, SECCOMP_ALLOW},
    {SYS_readahead, WATCH, SECCOMP_ALLOW},
    {SYS_getxattr, WATCH, SECCOMP_ALLOW},
    {SYS_lgetxattr, WATCH, SECCOMP_ALLOW},
    {SYS_fgetxattr, WATCH, SECCOMP_ALLOW},
    {SYS_listxattr, WATCH, SECCOMP_ALLOW},
    {SYS_llistxattr, WATCH, SECCOMP_ALLOW},
    {SYS_flistxattr, WATCH, SECCOMP_ALLOW},
    {SYS_setxattr, WATCH, SECCOMP_ALLOW},
    {SYS_lsetxattr, WATCH, SECCOMP_ALLOW},
    {SYS_fsetxattr, WATCH, SECCOMP_ALLOW},
    {SYS_removexattr, WATCH, SECCOMP_ALLOW},
    {SYS_lremovexattr, WATCH, SECCOMP_ALLOW},
    {SYS_fremovexattr, WATCH, SECCOMP_ALLOW},
    {SYS_flock, WATCH, SECCOMP_ALLOW},
    {SYS_fcntl, WATCH, SECCOMP_ALLOW},
    {SYS_dup, WATCH, SECCOMP_ALLOW},
    {SYS_dup3, WATCH, SECCOMP_ALLOW},
    {SYS_pipe2, WATCH, SECCOMP_ALLOW},
    {SYS_umask, WATCH, SECCOMP_ALLOW},
    {SYS_getcwd, WATCH, SECCOMP_ALLOW},
    {SYS_name_to_handle_at, WATCH, SECCOMP_ALLOW},
    {SYS_open_by_handle_at, WATCH, SECCOMP_ALLOW},
    {SYS_umount2, WATCH, SECCOMP_ALLOW}, /* of what was mounted over a page or the root */
    {SYS_fanotify_init, WATCH, SECCOMP_ALLOW},
    {SYS_fanotify_mark, WATCH, SECCOMP_ALLOW},
    {SYS_inotify_init1, WATCH, SECCOMP_ALLOW},
    {SYS_inotify_add_watch, WATCH, SECCOMP_ALLOW},
    {SYS_inotify_rm_watch, WATCH, SECCOMP_ALLOW},
    {SYS_epoll_create1, WATCH, SECCOMP_ALLOW},
    {SYS_epoll_ctl, WATCH, SECCOMP_ALLOW},
    {SYS_epoll_pwait, WATCH, SECCOMP_ALLOW},
    {SYS_ppoll, WATCH, SECCOMP_ALLOW},
    {SYS_pselect6, WATCH, SECCOMP_ALLOW},
    {SYS_accept4, WATCH, SECCOMP_ALLOW},
    {SYS_recvfrom, WATCH, SECCOMP_ALLOW},
    {SYS_recvmsg, WATCH, SECCOMP_ALLOW},
    {SYS_sendto, WATCH, SECCOMP_ALLOW},
    {SYS_sendmsg, WATCH, SECCOMP_ALLOW},
    {SYS_getsockopt, WATCH, SECCOMP_ALLOW},
    {SYS_shutdown, WATCH, SECCOMP_ALLOW},
    {SYS_munmap, WATCH, SECCOMP_ALLOW},
    {SYS_mremap, WATCH, SECCOMP_ALLOW},
    {SYS_madvise, WATCH, SECCOMP_ALLOW},
    {SYS_msync, WATCH, SECCOMP_ALLOW},
    {SYS_brk, WATCH, SECCOMP_ALLOW},
    {SYS_futex, WATCH, SECCOMP_ALLOW},
    {SYS_set_robust_list, WATCH, SECCOMP_ALLOW},
    {SYS_rseq, WATCH, SECCOMP_ALLOW},
    {SYS_membarrier, WATCH, SECCOMP_ALLOW},
    {SYS_rt_sigaction, WATCH, SECCOMP_ALLOW},
    {SYS_rt_sigprocmask, WATCH, SECCOMP_ALLOW},
    {SYS_rt_sigreturn, WATCH, SECCOMP_ALLOW},
    {SYS_rt_sigtimedwait, WATCH, SECCOMP_ALLOW},
    {SYS_sigaltstack, WATCH, SECCOMP_ALLOW},
    {SYS_nanosleep, WATCH, SECCOMP_ALLOW},
    {SYS_clock_nanosleep, WATCH, SECCOMP_ALLOW},
    {SYS_clock_gettime, WATCH, SECCOMP_ALLOW},
    {SYS_clock_getres, WATCH, SECCOMP_ALLOW},
    {SYS_gettimeofday, WATCH, SECCOMP_ALLOW},
    {SYS_restart_syscall, WATCH, SECCOMP_ALLOW},
    {SYS_exit, WATCH, SECCOMP_ALLOW},
    {SYS_exit_group, WATCH, SECCOMP_ALLOW},
    {SYS_getpid, WATCH, SECCOMP_ALLOW},
    {SYS_gettid, WATCH, SECCOMP_ALLOW},
    {SYS_getppid, WATCH, SECCOMP_ALLOW},
    {SYS_getuid, WATCH, SECCOMP_ALLOW},
    {SYS_geteuid, WATCH, SECCOMP_ALLOW},
    {SYS_getgid, WATCH, SECCOMP_ALLOW},
    {SYS_getegid, WATCH, SECCOMP_ALLOW},
    {SYS_getrandom, WATCH, SECCOMP_ALLOW},
    {SYS_uname, WATCH, SECCOMP_ALLOW},
    {SYS_sysinfo, WATCH, SECCOMP_ALLOW},
    {SYS_sched_yield, WATCH, SECCOMP_ALLOW},
    {SYS_sched_getaffinity, WATCH, SECCOMP_ALLOW},
    {SYS_getrusage, WATCH, SECCOMP_ALLOW},
    {SYS_setpriority, WATCH, SECCOMP_ALLOW},
    {SYS_getpriority, WATCH, SECCOMP_ALLOW},
    {SYS_prlimit64, WATCH, SECCOMP_ALLOW},
    {SYS_prctl, WATCH, SECCOMP_ALLOW},
    {SYS_capget, WATCH, SECCOMP_ALLOW},
    {SYS_capset, WATCH, SECCOMP_ALLOW},
    {SYS_seccomp, WATCH, SECCOMP_ALLOW},
#ifdef SYS_open /* the older ones of x86-64, which the C library still uses */
    {SYS_open, WATCH, SECCOMP_ALLOW},
    {SYS_stat, WATCH, SECCOMP_ALLOW},
    {SYS_lstat, WATCH, SECCOMP_ALLOW},
    {SYS_access, WATCH, SECCOMP_ALLOW},
    {SYS_readlink, WATCH, SECCOMP_ALLOW},
    {SYS_rename, WATCH, SECCOMP_ALLOW},
    {SYS_link, WATCH, SECCOMP_ALLOW},
    {SYS_symlink, WATCH, SECCOMP_ALLOW},
    {SYS_unlink, WATCH, SECCOMP_ALLOW},
    {SYS_rmdir, WATCH, SECCOMP_ALLOW},
    {SYS_mkdir, WATCH, SECCOMP_ALLOW},
    {SYS_chmod, WATCH, SECCOMP_ALLOW},
    {SYS_chown, WATCH, SECCOMP_ALLOW},
    {SYS_lchown, WATCH, SECCOMP_ALLOW},
    {SYS_poll, WATCH, SECCOMP_ALLOW},
    {SYS_select, WATCH, SECCOMP_ALLOW},
    {SYS_epoll_create, WATCH, SECCOMP_ALLOW},
    {SYS_epoll_wait, WATCH, SECCOMP_ALLOW},
    {SYS_dup2, WATCH, SECCOMP_ALLOW},
    {SYS_pipe, WATCH, SECCOMP_ALLOW},
    {SYS_time, WATCH, SECCOMP_ALLOW},
    {SYS_getrlimit, WATCH, SECCOMP_ALLOW},
    {SYS_setrlimit, WATCH, SECCOMP_ALLOW},
    {SYS_getpgrp, WATCH, SECCOMP_ALLOW},
    {SYS_utimes, WATCH, SECCOMP_ALLOW},
    {SYS_creat, WATCH, SECCOMP_ALLOW},
    {SYS_truncate, WATCH, SECCOMP_ALLOW},
    {SYS_poll, CALLER, SECCOMP_ALLOW},
#endif
    {SYS_mmap, WATCH | CALLER, SECCOMP_NO_EXEC},
    {SYS_mprotect, WATCH | CALLER, SECCOMP_NO_EXEC},
    {SYS_ioctl, WATCH | CALLER, SECCOMP_FILE_ATTRIBUTE},
    {SYS_tgkill, GUARD | CALLER, SECCOMP_OWN_PROCESS}, /* abort() */
    {SYS_clone, GUARD, SECCOMP_THREAD},
    {SYS_clone3, WATCH, SECCOMP_REFUSE_UNKNOWN}, /* its flags lie in memory: clone() then */
    /* the parent alone */
    {SYS_clone, PARENT, SECCOMP_NO_NAMESPACE},
    {SYS_tgkill, PARENT, SECCOMP_ALLOW}, /* the child's abort() as well */
    {SYS_wait4, PARENT, SECCOMP_ALLOW},
    {SYS_kill, PARENT, SECCOMP_ALLOW}, /* CAP_KILL is gone: only what runs as the same user */
    {SYS_socket, PARENT | CALLER, SECCOMP_UNIX_SOCKET},
    {SYS_connect, PARENT | CALLER, SECCOMP_ALLOW},
    {SYS_bind, PARENT, SECCOMP_ALLOW},
    {SYS_listen, PARENT, SECCOMP_ALLOW},
    /* the caller alone */
    {SYS_read, CALLER, SECCOMP_ALLOW},
    {SYS_write, CALLER, SECCOMP_ALLOW},
    {SYS_close, CALLER, SECCOMP_ALLOW},
    {SYS_recvfrom, CALLER, SECCOMP_ALLOW},
    {SYS_sendto, CALLER, SECCOMP_ALLOW},
    {SYS_shutdown, CALLER, SECCOMP_ALLOW},
    {SYS_ppoll, CALLER, SECCOMP_ALLOW},
    {SYS_munmap, CALLER, SECCOMP_ALLOW},
    {SYS_mremap, CALLER, SECCOMP_ALLOW},
    {SYS_brk, CALLER, SECCOMP_ALLOW},
    {SYS_clock_gettime, CALLER, SECCOMP_ALLOW},
    {SYS_getpid, CALLER, SECCOMP_ALLOW},
    {SYS_gettid, CALLER, SECCOMP_ALLOW},
    {SYS_rt_sigprocmask, CALLER, SECCOMP_ALLOW},
    {SYS_rt_sigreturn, CALLER, SECCOMP_ALLOW},
    {SYS_restart_syscall, CALLER, SECCOMP_ALLOW},
    {SYS_exit_group, CALLER, SECCOMP_ALLOW},
};

/* The hook runs what the administrator wrote: everything but what no script needs. */
static const struct seccomp_rule forbidden[] = {
    {SYS_ptrace, HOOK, SECCOMP_FORBID},
    {SYS_process_vm_readv, HOOK, SECCOMP_FORBID},
    {SYS_process_vm_writev, HOOK, SECCOMP_FORBID},
    {SYS_pidfd_getfd, HOOK, SECCOMP_FORBID},
    {SYS_kcmp, HOOK, SECCOMP_FORBID},
    {SYS_mount, HOOK, SECCOMP_FORBID},
    {SYS_umount2, HOOK, SECCOMP_FORBID},
    {SYS_move_mount, HOOK, SECCOMP_FORBID},
    {SYS_open_tree, HOOK, SECCOMP_FORBID},
    {SYS_fsopen, HOOK, SECCOMP_FORBID},
    {SYS_fsmount, HOOK, SECCOMP_FORBID},
    {SYS_fsconfig, HOOK, SECCOMP_FORBID},
    {SYS_fspick, HOOK, SECCOMP_FORBID},
    {SYS_mount_setattr, HOOK, SECCOMP_FORBID},
    {SYS_pivot_root, HOOK, SECCOMP_FORBID},
    {SYS_chroot, HOOK, SECCOMP_FORBID},
    {SYS_unshare, HOOK, SECCOMP_FORBID},
    {SYS_setns, HOOK, SECCOMP_FORBID},
    {SYS_bpf, HOOK, SECCOMP_FORBID},
    {SYS_perf_event_open, HOOK, SECCOMP_FORBID},
    {SYS_userfaultfd, HOOK, SECCOMP_FORBID},
    {SYS_io_uring_setup, HOOK, SECCOMP_FORBID},
    {SYS_io_uring_enter, HOOK, SECCOMP_FORBID},
    {SYS_io_uring_register, HOOK, SECCOMP_FORBID},
    {SYS_keyctl, HOOK, SECCOMP_FORBID},
    {SYS_add_key, HOOK, SECCOMP_FORBID},
    {SYS_request_key, HOOK, SECCOMP_FORBID},
    {SYS_init_module, HOOK, SECCOMP_FORBID},
    {SYS_finit_module, HOOK, SECCOMP_FORBID},
    {SYS_delete_module, HOOK, SECCOMP_FORBID},
    {SYS_kexec_load, HOOK, SECCOMP_FORBID},
    {SYS_reboot, HOOK, SECCOMP_FORBID},
    {SYS_swapon, HOOK, SECCOMP_FORBID},
    {SYS_swapoff, HOOK, SECCOMP_FORBID},
    {SYS_settimeofday, HOOK, SECCOMP_FORBID},
    {SYS_clock_settime, HOOK, SECCOMP_FORBID},
    {SYS_adjtimex, HOOK, SECCOMP_FORBID},
    {SYS_fanotify_init, HOOK, SECCOMP_FORBID},
    {SYS_open_by_handle_at, HOOK, SECCOMP_FORBID},
    {SYS_quotactl, HOOK, SECCOMP_FORBID},
    {SYS_personality, HOOK, SECCOMP_FORBID},
    {SYS_setdomainname, HOOK, SECCOMP_FORBID},
    {SYS_sethostname, HOOK, SECCOMP_FORBID},
    {SYS_syslog, HOOK, SECCOMP_FORBID},
    {SYS_acct, HOOK, SECCOMP_FORBID},
    {SYS_clone, HOOK, SECCOMP_NO_NAMESPACE},
    {SYS_clone3, HOOK, SECCOMP_REFUSE_UNKNOWN},
};

/* --- the hook --- */

static bool limit(int resource, rlim_t most)
{
    struct rlimit now;
    if (getrlimit(resource, &now) != 0)
        return false;
    if (now.rlim_max == RLIM_INFINITY || now.rlim_max > most)
        now.rlim_max = most;
    now.rlim_cur = now.rlim_max;
    return setrlimit(resource, &now) == 0;
}

static bool become_nobody(struct error *e)
{
    if (geteuid() != 0 || (setgroups(0, NULL) == 0 && setresgid(NOBODY, NOBODY, NOBODY) == 0 &&
                           setresuid(NOBODY, NOBODY, NOBODY) == 0))
        return true;
    error_set_errno(e, errno, "becoming nobody");
    return false;
}

/* Scripts keep their notes in the folders for that; what else nobody may write is refused. */
static bool only_own_files(struct error *e)
{
    static const struct {
        const char *path;
        unsigned rights;
    } rows[] = {
        {"/", LANDLOCK_READS | LANDLOCK_RUNS | LANDLOCK_NETWORK},
        {"/tmp", LANDLOCK_WRITES},
        {"/var/tmp", LANDLOCK_WRITES},
        {"/dev", LANDLOCK_WRITES},
    };
    struct landlock_place places[ARRAY_COUNT(rows)];
    size_t count = 0;
    if (!landlock_abi())
        return true;
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
        int fd = open(rows[i].path, O_PATH | O_DIRECTORY | O_CLOEXEC);
        if (fd >= 0)
            places[count++] = (struct landlock_place){fd, rows[i].rights};
    }
    bool good = landlock_apply(places, count, e);
    for (size_t i = 0; i < count; i++)
        close(places[i].fd);
    return good;
}

static bool nothing_of_the_file_system(struct error *e)
{
    return !landlock_abi() || landlock_apply(NULL, 0, e);
}

/* --- */

static bool allow_only(enum walls role, struct error *e)
{
#ifdef YAGURA_WIDE_CAGES
    return true; /* a sanitizer's own calls are not in the lists */
#else
    if (role == WALLS_HOOK)
        return seccomp_apply(forbidden, ARRAY_COUNT(forbidden), HOOK, SECCOMP_RET_ALLOW, e);
    return seccomp_apply(allowed, ARRAY_COUNT(allowed), 1u << role, SECCOMP_RET_ERRNO | EPERM, e);
#endif
}

bool walls_enter(enum walls role, struct error *e)
{
    bool watches = role == WALLS_PARENT || role == WALLS_GUARD;
    if (role == WALLS_HOOK &&
        (!become_nobody(e) || !limit(RLIMIT_CORE, 0) || !limit(RLIMIT_CPU, HOOK_CPU_SECONDS)))
        return false;
    if (!capabilities_keep(watches ? guards_capabilities : 0, e))
        return false;
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) {
        error_set_errno(e, errno, "giving up new privileges");
        return false;
    }
    if ((role == WALLS_HOOK && !only_own_files(e)) ||
        (role == WALLS_CALLER && !nothing_of_the_file_system(e)))
        return false;
    return allow_only(role, e);
}
