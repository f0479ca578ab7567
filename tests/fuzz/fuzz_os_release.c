/* Any bytes as the small files by which a Linux system and its processes are recognised. */
#include "base/mem.h"
#include "collect/linux_host.h"
#include "collect/os_support.h"
#include "collect/proc.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    CLEANUP_ARENA struct arena *arena = arena_new();
    struct os_support s;
    const char *unit;
    bool container;
    char *text = arena_strndup(arena, (const char *)data, size);
    struct linux_os os;
    linux_os_parse(&os, arena, text, size);
    os_support_find(&s, arena, text, size, "bookworm", "12");
    os_support_find(&s, arena, text, size, NULL, "22.04");
    proc_parse_cgroup(text, arena, &unit, &container);
    proc_user(arena, text, 33);
    struct proc_stat stat;
    proc_parse_stat(text, &stat);
    return 0;
}
