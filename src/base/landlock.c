#include "base/landlock.h"

#include "base/mem.h"

#include <errno.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Debian 12's header ends at ABI 2. */
struct ruleset {
    uint64_t handled_access_fs, handled_access_net, scoped;
};

struct beneath {
    uint64_t allowed_access;
    int32_t parent_fd;
} __attribute__((packed));

enum {
    VERSION_FLAG = 1,
    PATH_BENEATH = 1,
    EXECUTE = 1 << 0,
    READ_FILE = 1 << 2,
    READ_DIR = 1 << 3,
};

/* What each ABI can forbid: a higher one is treated as the highest we know. */
static const struct {
    size_t size;
    struct ruleset all;
} abis[] = {
    {0, {0}},
    {8, {(1 << 13) - 1, 0, 0}},  /* 1: execute, write, read, make and remove */
    {8, {(1 << 14) - 1, 0, 0}},  /* 2: link and rename across directories */
    {8, {(1 << 15) - 1, 0, 0}},  /* 3: truncate */
    {16, {(1 << 15) - 1, 3, 0}}, /* 4: TCP bind and connect */
    {16, {(1 << 16) - 1, 3, 0}}, /* 5: ioctl on devices */
    {24, {(1 << 16) - 1, 3, 3}}, /* 6: abstract sockets, signals */
};

int landlock_abi(void)
{
    long abi = syscall(SYS_landlock_create_ruleset, NULL, (size_t)0, VERSION_FLAG);
    return abi > 0 ? (int)abi : 0;
}

bool landlock_apply(const struct landlock_place *places, size_t count, struct error *e)
{
    size_t abi = (size_t)landlock_abi();
    if (abi >= ARRAY_COUNT(abis))
        abi = ARRAY_COUNT(abis) - 1;
    struct ruleset rules = abis[abi].all;
    uint64_t reads = READ_FILE | READ_DIR, writes = rules.handled_access_fs & ~(reads | EXECUTE);
    for (size_t i = 0; i < count; i++)
        if (places[i].rights & LANDLOCK_NETWORK)
            rules.handled_access_net = rules.scoped = 0;
    CLEANUP_CLOSE int fd = (int)syscall(SYS_landlock_create_ruleset, &rules, abis[abi].size, 0);
    bool good = fd >= 0;
    for (size_t i = 0; i < count && good; i++) {
        unsigned rights = places[i].rights;
        struct beneath beneath = {.allowed_access = (rights & LANDLOCK_READS ? reads : 0) |
                                                    (rights & LANDLOCK_RUNS ? EXECUTE : 0) |
                                                    (rights & LANDLOCK_WRITES ? writes : 0),
                                  .parent_fd = places[i].fd};
        good = syscall(SYS_landlock_add_rule, fd, PATH_BENEATH, &beneath, 0) == 0;
    }
    if (good && syscall(SYS_landlock_restrict_self, fd, 0) == 0)
        return true;
    error_set_errno(e, errno, "the Landlock rules could not be set");
    return false;
}
