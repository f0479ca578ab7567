/* Any bytes as a program that carries its version. */
#include "base/mem.h"
#include "collect/binary_strings.h"

#include <stdint.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const prefixes[] = {"Apache/", "iPlanet-WebServer-Enterprise/", "A"};
    const char *bytes = (const char *)data;
    size_t length = 0;
    const char *run = binary_string_in(bytes, size, prefixes, ARRAY_COUNT(prefixes), &length);
    if (run && (run < bytes || length > size - (size_t)(run - bytes)))
        abort();
    return 0;
}
