/* Any bytes as apache2.conf and envvars, which may include each other. */
#include "tests/fuzz/fuzz_root.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    fuzz_root_write("etc/apache2/apache2.conf", data, size);
    fuzz_root_write("etc/apache2/envvars", data, size);
    fuzz_root_run(collect_apache2);
    return 0;
}
