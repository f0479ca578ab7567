#include "base/json.h"

#include <stdlib.h>

static void *allocate(size_t size)
{
    return mem_resize(NULL, size);
}

void json_begin(void)
{
    json_set_alloc_funcs(allocate, free);
}

void json_cleanup(json_t **value)
{
    json_decref(*value);
}

/* How many bytes of UTF-8 the escape after a backslash stands for; a surrogate counts 2, so
 * that a pair comes to 4. *length is how much of the text it takes. */
static size_t escape_bytes(const char *text, size_t left, size_t *length)
{
    unsigned value = 0;
    *length = 1;
    if (!left || text[0] != 'u')
        return 1;
    for (size_t i = 1; i <= 4 && i < left; i++, ++*length) {
        char c = str_lower(text[i]);
        value = value * 16 + (unsigned)(str_is_digit(c) ? c - '0' : (c - 'a' + 10) & 15);
    }
    if (value >= 0xd800 && value <= 0xdfff)
        return 2;
    return value < 0x80 ? 1 : value < 0x800 ? 2 : 3;
}

/* Looks for a string that is too long before anything is allocated for it, which also tells
 * its place. What is no JSON at all is left to the parser. */
static bool check_strings(const char *text, size_t size, const char *path, size_t most,
                          struct error *e)
{
    size_t line = 1, line_start = 0;
    for (size_t i = 0; i < size; i++) {
        if (text[i] == '\n') {
            line++;
            line_start = i + 1;
        }
        if (text[i] != '"')
            continue;
        size_t start = i, length = 0, taken;
        for (i++; i < size && text[i] != '"' && text[i] != '\n'; i++, length++)
            if (text[i] == '\\') {
                length += escape_bytes(text + i + 1, size - i - 1, &taken) - 1;
                i += taken;
            }
        if (length > most) {
            error_set(e, ERR_LIMIT, "a string of %zu bytes, and we take at most %zu", length, most);
            error_at(e, path, line, start - line_start + 1);
            return false;
        }
        if (i < size && text[i] == '\n')
            i--;
    }
    return true;
}

json_t *json_parse(const char *text, size_t size, const char *path, size_t most_bytes,
                   size_t most_string, struct error *e)
{
    if (size > most_bytes) {
        error_set(e, ERR_LIMIT, "%zu bytes of JSON, and we take at most %zu", size, most_bytes);
        error_at(e, path, 0, 0);
        return NULL;
    }
    if (size >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0) {
        text += 3;
        size -= 3;
    }
    if (size > most_string && !check_strings(text, size, path, most_string, e))
        return NULL;
    json_error_t error;
    json_t *value = json_loadb(size ? text : "", size, JSON_REJECT_DUPLICATES, &error);
    if (!value) {
        CLEANUP_STR struct str said = {0};
        str_add_printable(&said, error.text, strlen(error.text));
        error_set(e, ERR_FORMAT, "not JSON as we take it: %s", str_text(&said));
        error_at(e, path, error.line > 0 ? (uint64_t)error.line : 0,
                 error.column > 0 ? (uint64_t)error.column : 0);
    }
    return value;
}

const char *json_get_string(const json_t *object, const char *key)
{
    return json_string_value(json_object_get(object, key));
}

json_t *json_get_array(const json_t *object, const char *key)
{
    json_t *value = json_object_get(object, key);
    return json_is_array(value) ? value : NULL;
}

json_t *json_get_object(const json_t *object, const char *key)
{
    json_t *value = json_object_get(object, key);
    return json_is_object(value) ? value : NULL;
}

json_t *json_from_text(const char *text)
{
    if (!text)
        return json_null();
    if (str_utf8_valid(text))
        return json_string_nocheck(text);
    CLEANUP_STR struct str safe = {0};
    str_add_printable(&safe, text, strlen(text));
    return json_string_nocheck(str_text(&safe));
}

void json_put_string(json_t *object, const char *key, const char *text)
{
    json_object_set_new_nocheck(object, key, json_from_text(text));
}

void json_put_int(json_t *object, const char *key, int64_t value)
{
    json_object_set_new_nocheck(object, key, json_integer(value));
}

void json_put_bool(json_t *object, const char *key, bool value)
{
    json_object_set_new_nocheck(object, key, json_boolean(value));
}

static int add_piece(const char *piece, size_t size, void *out)
{
    str_add_bytes(out, piece, size);
    return 0;
}

void json_add_line(struct str *out, const json_t *value)
{
    json_dump_callback(value, add_piece, out, JSON_LINE | JSON_ENCODE_ANY);
}
