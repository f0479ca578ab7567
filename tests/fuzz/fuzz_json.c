/* JSON: what is taken can be written and read again; what is not has its place. */
#include "base/json.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct error e = ERROR_INIT;
    CLEANUP_JSON json_t *value = json_parse((const char *)data, size, "fuzz", 1 << 20, 64, &e);
    if (!value) {
        if (!e.message[0])
            abort();
        return 0;
    }
    CLEANUP_STR struct str line = {0};
    json_add_line(&line, value);
    CLEANUP_JSON json_t *again = json_parse(line.data, line.length, "again", 8 << 20, 64, &e);
    if (!again || !json_equal(value, again))
        abort();
    return 0;
}
