/* A document from anybody: read, packed, and the block checked and unpacked again. */
#include "base/mem.h"
#include "feed/csaf.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    CLEANUP_ARENA struct arena *arena = arena_new();
    CLEANUP_STR struct str block = {0};
    struct csaf_source source = {"fuzz.json", "fuzz"};
    struct document d;
    struct document_view view;
    struct error e = ERROR_INIT;
    if (!csaf_read(&d, arena, (const char *)data, size, &source, &e) ||
        !document_pack(&block, &d, &e))
        return 0;
    if (!document_view(&view, block.data, block.length) || !document_check(&view) ||
        view.cases != d.case_count || view.patches != d.patch_count)
        abort(); /* what we pack ourselves holds together */
    return 0;
}
