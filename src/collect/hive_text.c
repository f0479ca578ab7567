/* hive_text.c - values of a hive as text; see hive.h. */
#include "collect/hive.h"

enum { MOST_TEXT = 64 * 1024 };

static size_t until_nul(const uint8_t *data, size_t size)
{
    size_t at = 0;
    while (at + 1 < size && (data[at] || data[at + 1]))
        at += 2;
    return at;
}

static void add_multi(struct str *out, const uint8_t *data, size_t size)
{
    for (size_t at = 0; at + 1 < size;) {
        size_t length = until_nul(data + at, size - at);
        if (!length)
            break; /* an empty string ends the list */
        if (at)
            str_add_char(out, '\n');
        str_add_utf16le(out, data + at, length);
        at += length + 2;
    }
}

bool hive_value_text(const struct hive_value *value, struct arena *arena, const char **out,
                     struct error *e)
{
    CLEANUP_STR struct str text = {0};
    struct bytes b = bytes_of(value->data, value->size);
    size_t size = value->size > (size_t)2 * MOST_TEXT ? (size_t)2 * MOST_TEXT + 2 : value->size;
    switch (value->type) {
    case HIVE_DWORD:
        str_printf(&text, "%u", (unsigned)bytes_u32le(&b));
        break;
    case HIVE_DWORD_BIG_ENDIAN:
        str_printf(&text, "%u", (unsigned)bytes_u32be(&b));
        break;
    case HIVE_QWORD:
        str_printf(&text, "%llu", (unsigned long long)bytes_u64le(&b));
        break;
    case HIVE_SZ:
    case HIVE_EXPAND_SZ:
    case HIVE_LINK:
        str_add_utf16le(&text, value->data, until_nul(value->data, size));
        break;
    case HIVE_MULTI_SZ:
        add_multi(&text, value->data, size);
        break;
    default:
        for (size_t i = 0; i < size && text.length <= MOST_TEXT; i++)
            str_printf(&text, "%02x", bytes_u8(&b));
    }
    if (b.failed) {
        error_set(e, ERR_FORMAT, "the value's type says a number, and it has %zu bytes",
                  value->size);
        return false;
    }
    if (text.length > MOST_TEXT) {
        error_set(e, ERR_LIMIT, "the value is longer than %d bytes of text", MOST_TEXT);
        return false;
    }
    *out = arena_strndup(arena, str_text(&text), text.length);
    return true;
}
