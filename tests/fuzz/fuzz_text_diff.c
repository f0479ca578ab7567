/* The old text up to the first NUL, the new one behind it: nothing said only if they are the same;
 * all of the new text's changed lines are said. */
#include "base/mem.h"
#include "content/text_diff.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const uint8_t *cut = size ? memchr(data, 0, size) : NULL;
    if (!cut)
        return 0;
    size_t old_size = (size_t)(cut - data), new_size = size - old_size - 1;
    CLEANUP_FREE char *old = mem_dup(data, old_size), *new = mem_dup(cut + 1, new_size);
    CLEANUP_STR struct str out = {0};
    text_diff(&out, old, old_size, new, new_size, 3);
    bool same = old_size == new_size && memcmp(old, new, old_size) == 0;
    if (same != (out.length == 0))
        abort();
    text_is_binary(data, size);
    return 0;
}
