/* The first line is a pattern, the second a path: an answer, soon, and the same one twice. */
#include "base/mem.h"
#include "content/policy.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    CLEANUP(policies_cleanup) struct policies *p = policies_new();
    struct error e = ERROR_INIT;
    CLEANUP_FREE char *pattern = mem_alloc(size + 2);
    if (size)
        memcpy(pattern, data, size);
    char *path = pattern + strcspn(pattern, "\n");
    if (*path)
        *path++ = '\0';
    if (!policies_add(p, pattern, POLICY_FREE, &e)) {
        if (!e.message[0] || policies_count(p))
            abort();
        return 0;
    }
    if (policy_of_path(p, path, false) != policy_of_path(p, path, false))
        abort();
    policy_of(p, path, true, POLICY_FIXED);
    return 0;
}
