/* Any text as a checkpoint of a ledger of one entry. */
#include "base/mem.h"
#include "record/ledger.h"

#include <stdint.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* It lives as long as the fuzzer; opening a database for each input would be slow. */
static struct state *ledger_of_one(void)
{
    static struct state *state;
    static char dir[] = "/dev/shm/yagura-fuzz-XXXXXX";
    if (state)
        return state;
    json_t *o = json_pack("{s:s, s:s}", "kind", "patch", "patch", "Q293826");
    if (!mkdtemp(dir) || !state_open(&state, dir, NULL) ||
        !ledger_append(state, o, 991785600, NULL))
        abort();
    json_decref(o);
    return state;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    CLEANUP_ARENA struct arena *arena = arena_new();
    struct ledger_report report;
    struct state *state = ledger_of_one();
    const char *text = arena_strndup(arena, (const char *)data, size);
    /* its key is made anew each time: no text can be a checkpoint of this ledger */
    if (ledger_verify(state, text, arena, &report, NULL) && !report.problems)
        abort();
    return 0;
}
