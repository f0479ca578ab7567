/* The safe reader: whatever is asked of it, it stays within its bytes. */
#include "base/bytes.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    /* the first half says what to do, the second is what is read */
    struct bytes deeds = bytes_of(data, size / 2), in = bytes_of(data + size / 2, size - size / 2);
    while (bytes_left(&deeds) && !in.failed) {
        size_t number = bytes_u16le(&deeds), length = 0;
        switch (bytes_u8(&deeds) % 10) {
        case 0:
            bytes_seek(&in, number);
            break;
        case 1:
            bytes_skip(&in, number);
            break;
        case 2:
            bytes_u8(&in);
            break;
        case 3:
            bytes_u16le(&in);
            break;
        case 4:
            bytes_u32be(&in);
            break;
        case 5:
            bytes_u64le(&in);
            break;
        case 6: {
            const uint8_t *p = bytes_take(&in, number);
            if (p && number && p + number > data + size)
                abort();
            break;
        }
        case 7: {
            struct bytes part = bytes_slice(&in, number, number / 2);
            if (!part.failed && part.size && part.data + part.size > data + size)
                abort();
            break;
        }
        case 8: {
            const char *s = bytes_string(&in, number, &length);
            if (s && length > number)
                abort();
            break;
        }
        default:
            bytes_u16be(&in);
        }
        if (in.position > in.size)
            abort();
    }
    if (in.failed && (bytes_u32le(&in) || bytes_take(&in, 1) || bytes_left(&in)))
        abort();
    return 0;
}
