/* Any bytes as both hives of a Windows, in a root with its system folder: what reads keys and
 * values by name - drives and variables, hotfixes, services, IIS, leavings. */
#include "collect/windows_system.h"
#include "tests/fuzz/fuzz_root.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static void (*const sources[])(struct collection *) = {
        collect_registry, collect_windows, collect_iis, collect_windows_files, collect_leavings};
    static const char *const wants[] = {"file-version:%InetPub%\\wwwroot\\x.dll",
                                        "file:%CommonFiles%\\x", "file:%SystemRoot%\\x",
                                        "HKLM\\SYSTEM\\Select!Current"};
    struct wants wanted = {wants, ARRAY_COUNT(wants)};
    fuzz_root_write("WINNT/system32/config/software", data, size);
    fuzz_root_write("WINNT/system32/config/system", data, size);
    fuzz_root_write("WINNT/system32/ntoskrnl.exe", "MZ", 2);
    CLEANUP(target_cleanup) struct target *target = NULL;
    CLEANUP(facts_cleanup) struct facts *facts = facts_new();
    struct windows *windows = NULL;
    if (!target_open_root(&target, fuzz_root(), NULL))
        abort();
    for (size_t i = 0; i < ARRAY_COUNT(sources); i++) {
        CLEANUP_ARENA struct arena *arena = arena_new();
        struct collection c = {.target = target,
                               .facts = facts,
                               .wants = &wanted,
                               .arena = arena,
                               .windows = &windows,
                               .netlink_fd = -1};
        sources[i](&c);
    }
    windows_free(windows);
    return 0;
}
