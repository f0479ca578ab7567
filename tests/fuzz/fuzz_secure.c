/* NTFS' stream of security descriptors. */
#include "libexec/image/secure.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct bytes sds = bytes_of(data, size);
    for (uint32_t id = 0x100; id < 0x108; id++) {
        const uint8_t *found;
        size_t length;
        if (!secure_find(&sds, id, &found, &length))
            continue;
        if (found < data || length > size - (size_t)(found - data) ||
            !secure_is_descriptor(found, length))
            abort();
    }
    secure_is_descriptor(data, size);
    return 0;
}
