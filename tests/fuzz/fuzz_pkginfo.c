/* Any bytes as a pkginfo file. */
#include "collect/solaris.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    CLEANUP_ARENA struct arena *arena = arena_new();
    CLEANUP(facts_cleanup) struct facts *facts = facts_new();
    CLEANUP_PATCH_SET struct patch_set *patches = patch_set_new();
    struct pkginfo info;
    pkginfo_parse(&info, patches, arena, facts, (const char *)data, size, "pkginfo", "SUNWx.2");
    if (!info.name)
        __builtin_trap();
    patch_set_facts(patches, facts);
    return 0;
}
