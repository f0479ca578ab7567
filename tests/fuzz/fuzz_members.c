/* Any bytes as what yagura-unpack writes into its pipe. */
#include "base/mem.h"
#include "feed/members.h"

#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    CLEANUP_CLOSE int fd = memfd_create("members", MFD_CLOEXEC);
    struct member_frame frame = {0};
    if (fd < 0 || write(fd, data, size) != (ssize_t)size || lseek(fd, 0, SEEK_SET) != 0)
        return 0;
    do {
        member_read(fd, &frame);
        if (frame.kind < MEMBER_BROKEN && frame.name.length > MEMBER_MOST_NAME)
            abort();
    } while (frame.kind < MEMBER_STOP);
    member_frame_free(&frame);
    return 0;
}
