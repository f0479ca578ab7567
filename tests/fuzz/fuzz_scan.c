/* What yagura-scan and its client say to each other, and what clamd answers: nobody trusts. */
#include "base/mem.h"
#include "collect/clamd_reply.h"
#include "collect/scan_protocol.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    CLEANUP_FREE struct scan_packet *packet = mem_alloc(sizeof *packet);
    CLEANUP_FREE struct scan_reply *reply = mem_alloc(sizeof *reply);
    struct clamd_reply clamd;
    if (scan_get_packet(packet, data, size)) {
        CLEANUP_STR struct str again = {0};
        scan_put_packet(&again, packet);
        if (packet->count > SCAN_BATCH || !scan_get_packet(packet, again.data, again.length))
            abort();
    }
    if (scan_get_reply(reply, data, size)) {
        CLEANUP_STR struct str again = {0};
        scan_put_reply(&again, reply);
        if (!scan_get_reply(reply, again.data, again.length))
            abort();
    }
    if (clamd_reply_parse(&clamd, data, size) &&
        (!clamd.number || !str_utf8_valid(clamd.name) || strpbrk(clamd.name, "\n\033")))
        abort();
    return 0;
}
