#include "base/seccomp.h"

#include "base/mem.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/fs.h>
#include <sched.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#if defined(__x86_64__)
enum { AUDIT_ARCH_HERE = (int)AUDIT_ARCH_X86_64 };
#elif defined(__aarch64__)
enum { AUDIT_ARCH_HERE = (int)AUDIT_ARCH_AARCH64 };
#else
#error "seccomp.c: which AUDIT_ARCH_ is this machine?"
#endif

enum {
    OPEN_FLAGS_REFUSED = O_ACCMODE | O_CREAT | O_TRUNC | (O_TMPFILE & ~O_DIRECTORY),
    NAMESPACE_FLAGS = CLONE_NEWNS | CLONE_NEWCGROUP | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWUSER |
                      CLONE_NEWPID | CLONE_NEWNET,
    MOST_RULE_STEPS = 8,
    /* of the low half: both architectures above are little-endian */
    ARGUMENT_0 = offsetof(struct seccomp_data, args),
};

struct program {
    struct sock_filter *steps;
    unsigned short count;
    uint32_t unmet; /* what becomes of a call whose condition does not hold */
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
    give(p, p->unmet);
    give(p, SECCOMP_RET_ALLOW);
}

static void give_if_equal(struct program *p, unsigned argument, uint32_t value)
{
    load(p, ARGUMENT_0 + argument * 8);
    step(p, BPF_JMP | BPF_JEQ | BPF_K, value, 1, 0);
    give(p, p->unmet);
    give(p, SECCOMP_RET_ALLOW);
}

static void give_file_attribute(struct program *p)
{
    load(p, ARGUMENT_0 + 8);
    step(p, BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)FS_IOC_GETFLAGS, 3, 0);
    step(p, BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)FS_IOC_SETFLAGS, 2, 0);
    step(p, BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)FICLONE, 1, 0);
    give(p, SECCOMP_RET_ERRNO | ENOTTY);
    give(p, SECCOMP_RET_ALLOW);
}

static void add_check(struct program *p, enum seccomp_check check)
{
    switch (check) {
    case SECCOMP_ALLOW:
        give(p, SECCOMP_RET_ALLOW);
        break;
    case SECCOMP_REFUSE:
        give(p, SECCOMP_RET_ERRNO | EACCES);
        break;
    case SECCOMP_REFUSE_UNKNOWN:
        give(p, SECCOMP_RET_ERRNO | ENOSYS);
        break;
    case SECCOMP_REFUSE_TTY:
        give(p, SECCOMP_RET_ERRNO | ENOTTY);
        break;
    case SECCOMP_FORBID:
        give(p, SECCOMP_RET_ERRNO | EPERM);
        break;
    case SECCOMP_READ_ONLY_1:
        give_if_clear(p, 1, OPEN_FLAGS_REFUSED);
        break;
    case SECCOMP_READ_ONLY_2:
        give_if_clear(p, 2, OPEN_FLAGS_REFUSED);
        break;
    case SECCOMP_NO_EXEC:
        give_if_clear(p, 2, PROT_EXEC);
        break;
    case SECCOMP_OWN_PROCESS:
        give_if_equal(p, 0, (uint32_t)getpid());
        break;
    case SECCOMP_THREAD:
        load(p, ARGUMENT_0);
        step(p, BPF_JMP | BPF_JSET | BPF_K, CLONE_THREAD, 1, 0);
        give(p, p->unmet);
        give(p, SECCOMP_RET_ALLOW);
        break;
    case SECCOMP_NO_NAMESPACE:
        give_if_clear(p, 0, NAMESPACE_FLAGS);
        break;
    case SECCOMP_UNIX_SOCKET:
        give_if_equal(p, 0, AF_UNIX);
        break;
    case SECCOMP_FILE_ATTRIBUTE:
        give_file_attribute(p);
        break;
    }
}

bool seccomp_apply(const struct seccomp_rule *rules, size_t count, unsigned kinds,
                   uint32_t otherwise, struct error *e)
{
    CLEANUP_FREE struct sock_filter *steps =
        mem_alloc((count * MOST_RULE_STEPS + 8) * sizeof *steps);
    struct program p = {.steps = steps,
                        .unmet =
                            otherwise == SECCOMP_RET_ALLOW ? SECCOMP_RET_ERRNO | EPERM : otherwise};
    load(&p, offsetof(struct seccomp_data, arch));
    step(&p, BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)AUDIT_ARCH_HERE, 1, 0);
    give(&p, SECCOMP_RET_KILL_PROCESS);
    load(&p, offsetof(struct seccomp_data, nr));
#ifdef __x86_64__
    /* numbers of x32, with bit 30 set, equal none of ours: where what is not listed is allowed
     * they would be a way around */
    step(&p, BPF_JMP | BPF_JSET | BPF_K, 0x40000000, 0, 1);
    give(&p, SECCOMP_RET_KILL_PROCESS);
#endif
    for (size_t i = 0; i < count; i++) {
        if (!(rules[i].kinds & kinds))
            continue;
        unsigned short jump = p.count;
        step(&p, BPF_JMP | BPF_JEQ | BPF_K, rules[i].number, 0, 0);
        add_check(&p, rules[i].check);
        p.steps[jump].jf = (uint8_t)(p.count - jump - 1);
    }
    give(&p, otherwise);

    struct sock_fprog program = {.len = p.count, .filter = p.steps};
    if (syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program) == 0)
        return true;
    error_set_errno(e, errno, "the seccomp filter could not be set");
    return false;
}
