/* Any bytes as inetd.conf, services and rpc. */
#include "collect/conf_lines.h"
#include "collect/inetd.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    CLEANUP_ARENA struct arena *arena = arena_new();
    CLEANUP(inetd_names_cleanup) struct inetd_names *names = inetd_names_new();
    for (int with_proto = 0; with_proto < 2; with_proto++) {
        CLEANUP_CONF_LINES struct conf_lines lines =
            conf_lines_of((const char *)data, size, CONF_BACKSLASH, 4096);
        for (char *line; (line = conf_lines_next(&lines));)
            inetd_names_add_line(names, line, with_proto);
    }
    inetd_names_sort(names);
    CLEANUP_CONF_LINES struct conf_lines lines =
        conf_lines_of((const char *)data, size, CONF_PLAIN, 4096);
    for (char *line; (line = conf_lines_next(&lines));) {
        struct inetd_entry e;
        uint64_t number;
        if (inetd_parse_line(&e, arena, line) == INETD_ENTRY)
            inetd_names_find(names, e.service, e.proto, &number);
    }
    return 0;
}
