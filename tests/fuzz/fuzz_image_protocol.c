/* What the reader of disk images and its client say to each other: neither trusts the other. */
#include "target/image_protocol.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    CLEANUP_ARENA struct arena *arena = arena_new();
    struct image_request request;
    struct image_packet packet;
    struct target_stat st;
    struct target_entry *entries;
    struct target_volume *volumes;
    size_t count, readable;
    if (image_protocol_get_request(&request, data, size)) {
        CLEANUP_STR struct str again = {0};
        if (strlen(request.path) >= sizeof request.path ||
            !image_protocol_put_request(&again, &request, request.path))
            abort();
    }
    if (image_protocol_get_packet(&packet, data, size) && packet.kind == IMAGE_FAIL &&
        packet.error.code == ERR_NONE)
        abort();
    if (image_protocol_get_stat(&st, data, size) && st.type > TARGET_OTHER)
        abort();
    if (image_protocol_get_entries(&entries, &count, arena, data, size))
        for (size_t i = 0; i < count; i++)
            if (strchr(entries[i].name, '/') || !*entries[i].name)
                abort();
    if (image_protocol_get_volumes(&volumes, &count, &readable, arena, data, size) &&
        (readable > count || count > IMAGE_MOST_VOLUMES))
        abort();
    return 0;
}
