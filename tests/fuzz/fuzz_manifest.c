/* A manifest: refused, or every entry of it can be looked at and found again by its path. */
#include "base/mem.h"
#include "content/manifest.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    CLEANUP(manifest_cleanup) struct manifest *m = NULL;
    struct error e = ERROR_INIT;
    if (!manifest_of_bytes(&m, data, size, &e)) {
        if (!e.message[0])
            abort();
        return 0;
    }
    unsigned sum = 0;
    CLEANUP_STR struct str path = {0};
    for (uint32_t i = 0; i < manifest_count(m); i++) {
        struct manifest_entry entry;
        manifest_entry(m, i, &entry);
        for (size_t b = 0; b < entry.name_length; b++)
            sum += (unsigned char)entry.name[b];
        for (size_t b = 0; b < entry.target_size; b++)
            sum += (unsigned char)entry.target[b];
        for (size_t b = 0; b < entry.xattrs_size; b++)
            sum += entry.xattrs[b];
        if (i > 256) /* a path is as long as the tree is deep */
            continue;
        str_clear(&path);
        manifest_add_path(m, i, &path);
        if (manifest_find(m, str_text(&path), path.length) != i)
            abort();
    }
    return sum == 1; /* so that it is read */
}
