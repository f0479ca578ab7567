/* Any bytes as nginx.conf, which may include itself. */
#include "tests/fuzz/fuzz_root.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    fuzz_root_write("etc/nginx/nginx.conf", data, size);
    fuzz_root_run(collect_nginx);
    return 0;
}
