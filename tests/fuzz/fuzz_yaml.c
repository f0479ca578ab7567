/* YAML: a tree within its limits, or an error that says where. */
#include "base/yaml.h"

#include <stdlib.h>

static void walk(const struct yaml_node *n, unsigned depth)
{
    if (depth > 64 || !n->line)
        abort();
    if (n->kind == YAML_SCALAR && !n->text)
        abort();
    for (size_t i = 0; i < n->count; i++) {
        walk(n->items[i], depth + 1);
        if (n->kind == YAML_MAP && yaml_get(n, n->keys[i]->text) != n->items[i])
            abort(); /* keys are there once */
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    CLEANUP_ARENA struct arena *arena = arena_new();
    struct yaml_node **documents;
    size_t count;
    struct error e = ERROR_INIT;
    if (size > 1 << 16) /* yaml_get() above is slow in large maps, the parser is not */
        return 0;
    if (!yaml_parse(&documents, &count, arena, (const char *)data, size, "fuzz", &e)) {
        if (!e.message[0])
            abort();
        return 0;
    }
    for (size_t i = 0; i < count; i++)
        walk(documents[i], 1);
    return 0;
}
