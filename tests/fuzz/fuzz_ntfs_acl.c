/* Any bytes as a security descriptor. */
#include "base/str.h"
#include "collect/ntfs_acl.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    CLEANUP_ARENA struct arena *arena = arena_new();
    const char *text;
    if (ntfs_acl_text(&text, arena, data, size, NULL) && !str_utf8_valid(text))
        abort();
    return 0;
}
