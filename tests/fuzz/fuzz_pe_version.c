/* Any bytes as a program: its version, or a reason why not. */
#include "collect/pe_version.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct pe_version v = {{0}};
    struct error e = ERROR_INIT;
    if (!pe_version_read(&v, data, size, &e) && (e.code == ERR_NONE || !e.message[0]))
        abort();
    return 0;
}
