/* Any bytes as a list, packed or not, and as a table out of the cache. */
#include "base/mem.h"
#include "collect/apt_lists.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct input {
    const uint8_t *data;
    size_t size;
};

static bool read_input(void *context, uint64_t offset, void *buffer, size_t count, size_t *got,
                       struct error *e)
{
    const struct input *in = context;
    size_t left = offset < in->size ? in->size - (size_t)offset : 0;
    *got = count < left ? count : left;
    if (*got)
        memcpy(buffer, in->data + offset, *got);
    return true;
}

static void walk(const void *table, size_t size)
{
    struct apt_list list;
    struct apt_entry e;
    uint32_t first, count;
    if (!apt_list_open(&list, table, size))
        return;
    for (uint32_t i = 0; i < list.count && i < 1000; i++)
        if (apt_list_at(&list, i, &e)) {
            CLEANUP_FREE char *name = mem_alloc(e.name.length + 1);
            memcpy(name, e.name.text, e.name.length);
            apt_list_find(&list, name, &first, &count);
        }
    apt_list_find(&list, "openssl", &first, &count);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct input in = {data, size};
    struct unpack_source source = {read_input, &in};
    CLEANUP_UNPACK struct unpack *u = NULL;
    CLEANUP_STR struct str table = {0};
    uint64_t skipped;
    walk(data, size);
    if (unpack_open(&u, &source, 16 << 20, NULL) && apt_list_build(&table, &skipped, u, NULL))
        walk(table.data, table.length);
    return 0;
}
