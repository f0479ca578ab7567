/* Any bytes as the kernel's answer about sockets, and as /proc/net/tcp. */
#include "base/mem.h"
#include "collect/sock_diag.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void visit(void *context, const struct sock_diag_socket *socket)
{
    *(size_t *)context += socket->port;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    size_t sum = 0;
    bool done = false;
    sock_diag_parse(data, size, false, visit, &sum, &done, NULL);
    sock_diag_parse_proc((const char *)data, size, false, false, visit, &sum);
    sock_diag_parse_proc((const char *)data, size, true, true, visit, &sum);
    return 0;
}
