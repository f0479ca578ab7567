/* Any bytes as what systeminfo printed: through a file, as a text target is opened. */
#include "collect/collect.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char path[64];
    CLEANUP_CLOSE int fd = memfd_create("text", 0);
    CLEANUP(target_cleanup) struct target *target = NULL;
    if (fd < 0 || write(fd, data, size) != (ssize_t)size)
        return 0;
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    if (!target_open_text(&target, path, NULL))
        return 0;
    CLEANUP_ARENA struct arena *arena = arena_new();
    CLEANUP(facts_cleanup) struct facts *facts = facts_new();
    struct collection c = {.target = target, .facts = facts, .arena = arena, .netlink_fd = -1};
    collect_windows_text(&c);
    return 0;
}
