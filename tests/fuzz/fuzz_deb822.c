/* Any bytes as dpkg's status and as fields one by one. */
#include "collect/deb822.h"
#include "collect/dpkg.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool visit(void *context, const struct dpkg_package *p)
{
    size_t *sum = context;
    for (size_t i = 0; i < p->source_version.length; i++)
        *sum += (unsigned char)p->source_version.text[i];
    return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct deb822 r = deb822_of((const char *)data, size);
    struct deb822_field f;
    size_t sum = 0, stanzas = 0;
    for (enum deb822_event e; (e = deb822_next(&r, &f)) != DEB822_END;) {
        const char *word;
        size_t at = 0, length;
        if (e == DEB822_END_OF_STANZA) {
            stanzas++;
            continue;
        }
        while (deb822_word(&f, &at, &word, &length))
            sum += length;
    }
    /* the reader that picks fields sees the same stanzas */
    static const char *const names[] = {"Package", "Version"};
    struct deb822_field values[2];
    struct deb822 again = deb822_of((const char *)data, size);
    while (deb822_stanza(&again, names, values, 2, NULL))
        stanzas--;
    if (stanzas || again.malformed != r.malformed)
        abort();
    dpkg_parse((const char *)data, size, visit, &sum, NULL);
    return 0;
}
