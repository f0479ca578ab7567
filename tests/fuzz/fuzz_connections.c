/* Any bytes as the kernel's answer about connections. */
#include "act/connections.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void visit(void *context, const struct connection *c)
{
    char text[120];
    *(size_t *)context += connection_text(c, text, sizeof text)[0];
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    size_t sum = 0;
    bool done = false;
    connections_parse(data, size, false, visit, &sum, &done, NULL);
    return 0;
}
