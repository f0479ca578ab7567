/* Any bytes as passwd, as hosts.equiv and as the .rhosts of root. */
#include "tests/fuzz/fuzz_root.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    fuzz_root_write("etc/passwd", data, size);
    fuzz_root_write("etc/hosts.equiv", data, size);
    fuzz_root_write("root/.rhosts", data, size);
    fuzz_root_run(collect_trust);
    return 0;
}
