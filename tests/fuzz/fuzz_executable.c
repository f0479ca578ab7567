/* The first line is a name, the rest the content: a reason or none, and one for every "<?php". */
#include "base/mem.h"
#include "content/executable.h"

#include <stdint.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const uint8_t *line = size ? memchr(data, '\n', size) : NULL;
    size_t length = line ? (size_t)(line - data) : size;
    CLEANUP_FREE char *name = mem_alloc(length + 1);
    if (length)
        memcpy(name, data, length);
    executable_name(name);
    CLEANUP_FREE uint8_t *content = mem_dup(data + length, size - length);
    const char *reason = executable_content(content, size - length, content, size - length);
    if (!reason && memmem(content, size - length, "<?php", 5))
        abort();
    return 0;
}
