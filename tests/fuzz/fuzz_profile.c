/* The policies of a profile or of the configuration: every one that is taken can be asked. */
#include "content/profile.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    CLEANUP_ARENA struct arena *arena = arena_new();
    CLEANUP(policies_cleanup) struct policies *p = policies_new();
    struct yaml_node **documents;
    size_t count;
    struct error e = ERROR_INIT;
    if (size > 1 << 16 ||
        !yaml_parse(&documents, &count, arena, (const char *)data, size, "fuzz", &e) || !count ||
        documents[0]->kind != YAML_MAP)
        return 0;
    if (!profile_read_policies(p, yaml_get(documents[0], "policies"), "fuzz", &e) && !e.message[0])
        abort();
    for (size_t i = 0; i < policies_count(p); i++) {
        enum policy policy;
        if (!policies_pattern(p, i, &policy) || (int)policy >= (int)POLICY_COUNT)
            abort();
    }
    policy_of_path(p, "a/b/c.html", false);
    return 0;
}
