/* Any bytes as the kernel's answer about links, addresses, routes, neighbours, rules. */
#include "collect/rtnetlink.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void visit(void *context, json_t *object)
{
    *(size_t *)context += json_object_size(object);
    json_decref(object);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    size_t sum = 0;
    bool done = false;
    rtnetlink_parse(data, size, visit, &sum, &done, NULL);
    return 0;
}
