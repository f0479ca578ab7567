/* Any bytes as yagura.yaml: refused with the reason, or within bounds. */
#include "tests/fuzz/fuzz_root.h"

#include "cmd/config.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    CLEANUP(config_cleanup) struct config *c = NULL;
    CLEANUP_STR struct str path = {0};
    struct error e = ERROR_INIT;
    fuzz_root_write("yagura.yaml", data, size);
    str_printf(&path, "%s/yagura.yaml", fuzz_root());
    if (!config_load(&c, str_text(&path), &e)) {
        if (c || !e.message[0])
            abort();
        return 0;
    }
    if (!c->keep || !c->evidence_mb || c->allow_count > FIREWALL_MOST / 2)
        abort();
    for (size_t i = 0; i < c->allow_count; i++)
        if (!c->allow[i].first || c->allow[i].first > c->allow[i].last)
            abort();
    return 0;
}
