/* Any bytes as obj.conf, magnus.conf, server.xml, log and program of an iPlanet server. */
#include "tests/fuzz/fuzz_root.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const files[] = {"usr/netscape/server4/https-a/config/obj.conf",
                                        "usr/netscape/server4/https-a/config/magnus.conf",
                                        "usr/netscape/server6/https-a/config/magnus.conf",
                                        "usr/netscape/server6/https-a/config/server.xml",
                                        "usr/netscape/server4/https-a/logs/errors",
                                        "usr/netscape/server4/bin/https/ns-httpd"};
    for (size_t i = 0; i < ARRAY_COUNT(files); i++)
        fuzz_root_write(files[i], data, size);
    fuzz_root_run(collect_netscape);
    return 0;
}
