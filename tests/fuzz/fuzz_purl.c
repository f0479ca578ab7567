/* A package URL; what is read and written again is read the same. */
#include "base/mem.h"
#include "base/str.h"
#include "feed/purl.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    CLEANUP_ARENA struct arena *arena = arena_new();
    struct purl p, again;
    struct error e = ERROR_INIT;
    const char *text = arena_strndup(arena, (const char *)data, size);
    if (!purl_parse(&p, arena, text, &e))
        return 0;
    const char *written = purl_text(arena, &p);
    if (strlen(written) <= 4096 &&
        (!purl_parse(&again, arena, written, &e) || !str_equal(again.name, p.name) ||
         !str_equal(again.version, p.version) || !str_equal(purl_text(arena, &again), written)))
        abort();
    return 0;
}
