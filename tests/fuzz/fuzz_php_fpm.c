/* Any bytes as the pools of php-fpm. */
#include "tests/fuzz/fuzz_root.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    fuzz_root_write("etc/php-fpm.d/www.conf", data, size);
    fuzz_root_run(collect_php_fpm);
    return 0;
}
