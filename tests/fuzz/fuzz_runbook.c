/* Any bytes as a runbook: refused with its reason, or every step of it can be proved and named. */
#include "tests/fuzz/fuzz_root.h"

#include "respond/runbook.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    CLEANUP_ARENA struct arena *arena = arena_new();
    CLEANUP(runbook_cleanup) struct runbook *b = NULL;
    CLEANUP_STR struct str path = {0};
    struct error e = ERROR_INIT;
    fuzz_root_write("runbook.yaml", data, size);
    str_printf(&path, "%s/runbook.yaml", fuzz_root());
    if (!runbook_load(&b, str_text(&path), arena, &e)) {
        if (b || !e.message[0])
            abort();
        return 0;
    }
    if (!b->steps.count || b->steps.count > RUNBOOK_STEPS || !*runbook_text(&b->title))
        abort();
    for (size_t i = 0; i < b->steps.count; i++) {
        const struct runbook_step *s = &b->steps.items[i];
        if (!s->verify.count || !*s->id || !*runbook_text(&s->title) || !runbook_find(b, s->id) ||
            (!s->undo.name && !*runbook_text(&s->no_undo)))
            abort();
    }
    return 0;
}
