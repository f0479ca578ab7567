/* Any text as YARA rules: the pieces are the text, and blank pieces keep the lines. */
#include "base/mem.h"
#include "libexec/scan/pieces.h"

#include <stdint.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static size_t lines(const char *text)
{
    size_t count = 0;
    for (; *text; text++)
        count += *text == '\n';
    return count;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (memchr(data, 0, size))
        return 0;
    CLEANUP_FREE char *text = mem_alloc(size + 1);
    memcpy(text, data, size);
    struct rule_pieces p;
    rule_pieces_cut(&p, text, size);
    CLEANUP_FREE char *none = rule_pieces_text(&p, text);
    for (size_t i = 0; i < p.count; i++)
        p.kept[i] = true;
    CLEANUP_FREE char *all = rule_pieces_text(&p, text);
    if (strcmp(all, text) != 0 || strlen(none) != size || lines(none) != lines(text) ||
        none[strspn(none, " \n")])
        abort();
    rule_pieces_free(&p);
    rule_pieces_without_magic(all);
    if (strlen(all) != size || lines(all) != lines(text))
        abort();
    return 0;
}
