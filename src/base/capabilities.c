#include "base/capabilities.h"

#include <errno.h>
#include <sys/syscall.h>
#include <unistd.h>

static bool get(struct __user_cap_data_struct data[2])
{
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
    return syscall(SYS_capget, &header, data) == 0;
}

bool capabilities_have(uint64_t wanted)
{
    struct __user_cap_data_struct data[2] = {0};
    return get(data) &&
           ((data[0].effective | (uint64_t)data[1].effective << 32) & wanted) == wanted;
}

bool capabilities_keep(uint64_t keep, struct error *e)
{
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct data[2] = {0};
    if (get(data)) {
        bool more = false;
        for (int i = 0; i < 2; i++) {
            uint32_t kept = data[i].permitted & (uint32_t)(keep >> (32 * i));
            more = more || kept != data[i].permitted || data[i].inheritable;
            data[i].permitted = kept;
            data[i].effective = data[i].permitted;
            data[i].inheritable = 0; /* and with it the ambient ones */
        }
        /* who has none need not be allowed to change them */
        if (!more || syscall(SYS_capset, &header, data) == 0)
            return true;
    }
    error_set_errno(e, errno, "capabilities could not be given up");
    return false;
}
