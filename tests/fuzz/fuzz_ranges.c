/* A version range in any style; what comes out, the model reads. */
#include "base/mem.h"
#include "feed/ranges.h"
#include "model/version.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const schemes[] = {NULL, "deb", "rpm", "windows"};
    CLEANUP_ARENA struct arena *arena = arena_new();
    struct ranges ranges;
    const char *text = arena_strndup(arena, (const char *)data, size);
    for (size_t s = 0; s < ARRAY_COUNT(schemes); s++) {
        if (!ranges_parse(&ranges, arena, text, schemes[s]))
            continue;
        for (size_t i = 0; i < ranges.count; i++) {
            struct version_range range;
            if (!*ranges.items[i])
                continue;
            if (!version_range_parse(&range, arena, ranges.items[i], VERSION_GENERIC, NULL))
                abort();
            version_range_has(&range, "5.0.2195.3407");
            version_range_has(&range, "");
        }
    }
    return 0;
}
