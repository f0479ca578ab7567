/* Any bytes as httpd.conf, which may include itself. */
#include "tests/fuzz/fuzz_root.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char banner[] = "Apache/1.3.20 (Unix)";
    fuzz_root_write("usr/local/apache/bin/httpd", banner, sizeof banner);
    fuzz_root_write("usr/local/apache/conf/httpd.conf", data, size);
    fuzz_root_run(collect_apache);
    return 0;
}
