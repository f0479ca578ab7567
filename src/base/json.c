#include "base/json.h"

void json_cleanup(json_t **value)
{
    json_decref(*value);
}

/* jansson counts columns in characters and gives the byte position as well. */
static bool longest_string_fits(const char *text, size_t size, size_t most, size_t *where)
{
    bool inside = false;
    size_t start = 0;
    for (size_t i = 0; i < size; i++) {
        if (inside && text[i] == '\\') {
            i++;
        } else if (text[i] == '"') {
            inside = !inside;
            start = i;
        }
        if (inside && i - start > most) {
            *where = start;
            return false;
        }
    }
    return true;
}

static void place_of(const char *text, size_t offset, uint64_t *line, uint64_t *column)
{
    *line = 1;
    *column = 1;
    for (size_t i = 0; i < offset; i++) {
        if (text[i] == '\n') {
            ++*line;
            *column = 1;
        } else {
            ++*column;
        }
    }
}

json_t *json_parse(const char *text, size_t size, const char *path, size_t most_bytes,
                   size_t most_string, struct error *e)
{
    if (size > most_bytes) {
        error_set(e, ERR_LIMIT, "the JSON text has %zu bytes; at most %zu are read", size,
                  most_bytes);
        error_at(e, path, 0, 0);
        return NULL;
    }
    if (size >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0) {
        text += 3;
        size -= 3;
    }
    size_t where;
    if (!longest_string_fits(text, size, most_string, &where)) {
        uint64_t line, column;
        place_of(text, where, &line, &column);
        error_set(e, ERR_LIMIT, "a string is longer than the %zu bytes that are read at most",
                  most_string);
        error_at(e, path, line, column);
        return NULL;
    }
    json_error_t problem;
    json_t *value = json_loadb(text, size, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, &problem);
    if (!value) {
        error_set(e, ERR_FORMAT, "not valid JSON: %s", problem.text);
        error_at(e, path, problem.line > 0 ? (uint64_t)problem.line : 1,
                 problem.column > 0 ? (uint64_t)problem.column : 0);
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
    json_t *value = json_string(text);
    if (value)
        return value;
    CLEANUP_STR struct str clean = {0};
    str_add_printable(&clean, text, strlen(text));
    return json_string(str_text(&clean));
}

void json_put_string(json_t *object, const char *key, const char *text)
{
    json_object_set_new(object, key, json_from_text(text));
}

void json_put_int(json_t *object, const char *key, int64_t value)
{
    json_object_set_new(object, key, json_integer(value));
}

void json_put_bool(json_t *object, const char *key, bool value)
{
    json_object_set_new(object, key, json_boolean(value));
}

static int add_piece(const char *piece, size_t size, void *out)
{
    str_add_bytes(out, piece, size);
    return 0;
}

void json_add_line(struct str *out, const json_t *value)
{
    json_dump_callback(value, add_piece, out, JSON_COMPACT | JSON_ENCODE_ANY);
}
