/* Any bytes as a text export of the metabase, and as MetaBase.bin. */
#include "collect/iis_metabase.h"

#include <stdint.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    CLEANUP_ARENA struct arena *arena = arena_new();
    const char *const *maps;
    struct metabase m;
    size_t count;
    uint32_t n;
    iis_metabase_strings(data, size, arena, &maps, &count);
    if (!iis_metabase_parse(&m, arena, (const char *)data, size, NULL))
        return 0;
    for (size_t i = 0; i < m.count && i < 64; i++)
        iis_metabase_number(iis_metabase_text(&m, m.nodes[i].path, "AccessFlags"), &n);
    return 0;
}
