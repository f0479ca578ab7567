/* Any text as `nft list ruleset`, and as what the state keeps of the firewall. */
#include "tests/fuzz/fuzz_root.h"

#include "act/firewall_record.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char differ[200];
    CLEANUP_ARENA struct arena *arena = arena_new();
    const char *text = arena_strndup(arena, (const char *)data, size);
    CLEANUP_JSON json_t *tables = firewall_tables_of(text);
    fuzz_root_write("firewall.json", data, size);
    CLEANUP_CLOSE int dir = open(fuzz_root(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    struct error e = ERROR_INIT;
    CLEANUP_JSON json_t *record = firewall_record_read(dir, FIREWALL_ISOLATION, &e);
    if (!record && !e.message[0])
        abort();
    firewall_tables_differ(differ, sizeof differ, json_get_object(record, "others"), tables);
    struct firewall_network n;
    if (firewall_network_parse(&n, text, NULL) && !firewall_network_has(&n, &n.address))
        abort();
    struct firewall_ports range;
    if (firewall_ports_parse(&range, text, NULL) && (!range.first || range.first > range.last))
        abort();
    return 0;
}
