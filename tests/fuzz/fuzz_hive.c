/* Any bytes as a hive: opened, and every key and value within reach asked for. */
#include "base/mem.h"
#include "collect/hive.h"

#include <stdint.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { MOST_KEYS = 200, MOST_DEPTH = 12 };

static void visit(struct hive *h, uint32_t key, size_t *seen, int depth)
{
    CLEANUP_ARENA struct arena *arena = arena_new();
    struct hive_value *values, value;
    struct hive_subkey *keys;
    size_t count, damaged;
    const char *text;
    if (++*seen > MOST_KEYS || depth > MOST_DEPTH)
        return;
    hive_value(h, key, "Installed", arena, &value, NULL);
    if (hive_values(h, key, arena, &values, &count, &damaged, NULL))
        for (size_t i = 0; i < count && i < 64; i++)
            hive_value_text(&values[i], arena, &text, NULL);
    if (hive_subkeys(h, key, arena, &keys, &count, &damaged, NULL))
        for (size_t i = 0; i < count && i < 32; i++)
            visit(h, keys[i].key, seen, depth + 1);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    CLEANUP(hive_cleanup) struct hive *h = NULL;
    uint32_t key;
    size_t seen = 0;
    if (!hive_open_bytes(&h, data, size, NULL))
        return 0;
    hive_key(h, hive_root(h), "Microsoft\\Windows NT\\CurrentVersion\\Hotfix", &key, NULL);
    visit(h, hive_root(h), &seen, 0);
    return 0;
}
