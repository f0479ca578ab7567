/* Any bytes as the record of something in quarantine: listed or refused, and what it says of a
 * place is believed by nobody who gives back. */
#include "tests/fuzz/fuzz_root.h"

#include "act/quarantine.h"

#include <sys/stat.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    CLEANUP_ARENA struct arena *arena = arena_new();
    struct quarantine q;
    struct quarantine_item *items, item;
    size_t count;
    fuzz_root_write("quarantine/0123abcd.json", data, size);
    CLEANUP_CLOSE int root = open(fuzz_root(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (root < 0 || !quarantine_open(&q, root, false, NULL))
        abort();
    if (quarantine_list(&q, arena, &items, &count, NULL))
        for (size_t i = 0; i < count; i++)
            if (!str_equal(items[i].id, "0123abcd") || items[i].origin[0] != '/')
                abort();
    struct error e = ERROR_INIT;
    if (!quarantine_give_back(&q, "0123abcd", true, arena, &item, &e) && !e.message[0])
        abort();
    quarantine_close(&q);
    return 0;
}
