/* Any bytes as an InRelease file. */
#include "collect/apt_release.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    CLEANUP_ARENA struct arena *arena = arena_new();
    struct apt_release r;
    if (!apt_release_parse(&r, arena, (const char *)data, size, NULL))
        return 0;
    apt_release_names(&r, "main/binary-amd64/Packages");
    apt_release_is_security(&r);
    return 0;
}
