#include "tests/collect/hive_builder.h"

#include "base/bytes.h"
#include "base/mem.h"

#include <stdlib.h>

enum { BASE = 4096, MOST_KEYS = 2048, MOST_VALUES = 8192 };

struct value {
    char *name;
    uint32_t type;
    struct str data;
    size_t key;
};

struct key {
    char *name;
    size_t parent;
    uint32_t cell;
};

struct build {
    struct key keys[MOST_KEYS];
    size_t key_count;
    struct value values[MOST_VALUES];
    size_t value_count;
    struct str cells; /* from the first hbin on */
};

static size_t key_of(struct build *b, const char *path)
{
    size_t at = 0;
    while (*path) {
        size_t length = strcspn(path, "\\"), found = 0;
        for (size_t i = 1; i < b->key_count; i++)
            if (b->keys[i].parent == at && strlen(b->keys[i].name) == length &&
                strncmp(b->keys[i].name, path, length) == 0)
                found = i;
        if (!found) {
            if (b->key_count == MOST_KEYS)
                abort();
            found = b->key_count++;
            b->keys[found] = (struct key){.name = mem_dup(path, length + 1), .parent = at};
            b->keys[found].name[length] = '\0';
        }
        at = found;
        path += length + (path[length] == '\\');
    }
    return at;
}

static void add_utf16(struct str *out, const char *text)
{
    for (; *text; text++)
        bytes_put_u16le(out, (unsigned char)*text);
    bytes_put_u16le(out, 0);
}

static void add_multi(struct str *out, char *text)
{
    char *save = NULL;
    for (char *part = strtok_r(text, "|", &save); part; part = strtok_r(NULL, "|", &save))
        add_utf16(out, part);
    bytes_put_u16le(out, 0);
}

static void add_value(struct build *b, size_t key, char *line)
{
    char *text = strchr(line, '=');
    if (!text || b->value_count == MOST_VALUES)
        abort();
    *text++ = '\0';
    struct value *v = &b->values[b->value_count++];
    *v = (struct value){.name = mem_strdup(line), .key = key};
    v->type = *text == '#' ? 4 : *text == '%' ? 2 : *text == '|' ? 7 : *text == '$' ? 3 : 1;
    if (*text == '#') {
        bytes_put_u32le(&v->data, (uint32_t)strtoul(text + 1, NULL, 0));
    } else if (*text == '|') {
        add_multi(&v->data, text + 1);
    } else if (*text == '$') {
        for (text++; text[0] && text[1]; text += 2) {
            char hex[3] = {text[0], text[1], '\0'};
            bytes_put_u8(&v->data, (uint8_t)strtoul(hex, NULL, 16));
        }
    } else {
        add_utf16(&v->data, text);
    }
}

static void parse(struct build *b, const char *text)
{
    CLEANUP_FREE char *copy = mem_strdup(text);
    char *save = NULL;
    size_t key = 0;
    b->keys[0].name = mem_strdup("ROOT");
    b->key_count = 1;
    for (char *line = strtok_r(copy, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
        if (*line == '[') {
            line[strlen(line) - 1] = '\0';
            key = key_of(b, line + 1);
        } else {
            add_value(b, key, line);
        }
    }
}

/* Returns the offset by which the format names the cell. */
static uint32_t put_cell(struct build *b, const struct str *body)
{
    uint32_t at = (uint32_t)b->cells.length;
    uint32_t size = (4 + (uint32_t)body->length + 7) & ~7u;
    bytes_put_u32le(&b->cells, (uint32_t) - (int32_t)size);
    str_add_bytes(&b->cells, body->data, body->length);
    while (b->cells.length < at + size)
        bytes_put_u8(&b->cells, 0);
    return at;
}

static void patch(struct str *s, size_t at, uint32_t number)
{
    for (int i = 0; i < 4; i++)
        s->data[at + (size_t)i] = (char)(number >> 8 * i);
}

static uint32_t put_values(struct build *b, size_t key, uint32_t *count)
{
    CLEANUP_STR struct str list = {0};
    for (size_t i = 0; i < b->value_count; i++) {
        struct value *v = &b->values[i];
        CLEANUP_STR struct str body = {0};
        if (v->key != key)
            continue;
        bool resident = v->data.length <= 4;
        uint32_t data = 0;
        if (resident && v->data.length) {
            unsigned char four[4] = {0};
            memcpy(four, v->data.data, v->data.length);
            data = (uint32_t)four[0] | (uint32_t)four[1] << 8 | (uint32_t)four[2] << 16 |
                   (uint32_t)four[3] << 24;
        } else if (!resident) {
            data = put_cell(b, &v->data);
        }
        str_add(&body, "vk");
        bytes_put_u16le(&body, (uint16_t)strlen(v->name));
        bytes_put_u32le(&body, (uint32_t)v->data.length | (resident ? 0x80000000u : 0));
        bytes_put_u32le(&body, data);
        bytes_put_u32le(&body, v->type);
        bytes_put_u16le(&body, 1);
        bytes_put_u16le(&body, 0);
        str_add(&body, v->name);
        bytes_put_u32le(&list, put_cell(b, &body));
        ++*count;
    }
    return *count ? put_cell(b, &list) : 0xffffffff;
}

static uint32_t put_key(struct build *b, size_t key, uint32_t parent)
{
    const char *name = b->keys[key].name;
    CLEANUP_STR struct str body = {0};
    CLEANUP_STR struct str list = {0};
    str_add(&body, "nk");
    bytes_put_u16le(&body, key ? 0x20 : 0x2c);
    while (body.length < 76)
        bytes_put_u8(&body, 0);
    str_add(&body, name);
    uint32_t at = put_cell(b, &body), values = 0, children = 0;
    size_t start = at + 4;
    uint32_t value_list = put_values(b, key, &values);
    str_add(&list, "lf");
    bytes_put_u16le(&list, 0);
    for (size_t i = 1; i < b->key_count; i++) {
        if (b->keys[i].parent != key)
            continue;
        bytes_put_u32le(&list, put_key(b, i, at));
        for (int n = 0; n < 4; n++)
            bytes_put_u8(&list, n < (int)strlen(b->keys[i].name) ? b->keys[i].name[n] : 0);
        children++;
    }
    patch(&list, 0, (uint32_t)('l' | 'f' << 8) | children << 16);
    uint32_t children_list = children ? put_cell(b, &list) : 0xffffffff;
    patch(&b->cells, start + 16, parent);
    patch(&b->cells, start + 20, children);
    patch(&b->cells, start + 28, children_list);
    patch(&b->cells, start + 32, 0xffffffff);
    patch(&b->cells, start + 36, values);
    patch(&b->cells, start + 40, value_list);
    patch(&b->cells, start + 44, 0xffffffff);
    patch(&b->cells, start + 48, 0xffffffff);
    patch(&b->cells, start + 72, (uint32_t)strlen(name));
    return at;
}

void hive_builder_seal(struct str *hive)
{
    uint32_t sum = 0;
    struct bytes b = bytes_of(hive->data, hive->length);
    for (int i = 0; i < 508; i += 4)
        sum ^= bytes_u32le(&b);
    patch(hive, 508, sum == 0 ? 1 : sum == 0xffffffff ? 0xfffffffe : sum);
}

struct str hive_builder_make(const char *text)
{
    struct build *b = mem_alloc(sizeof *b);
    parse(b, text);
    for (int i = 0; i < 32; i++)
        bytes_put_u8(&b->cells, 0); /* the head of the one hbin */
    uint32_t root = put_key(b, 0, 0xffffffff);
    CLEANUP_STR struct str rest = {0};
    size_t full = (b->cells.length + 8 + BASE - 1) / BASE * BASE;
    bytes_put_u32le(&b->cells, (uint32_t)(full - b->cells.length));
    while (b->cells.length < full)
        bytes_put_u8(&b->cells, 0);
    memcpy(b->cells.data, "hbin", 4);
    patch(&b->cells, 8, (uint32_t)full);

    struct str hive = {0};
    str_add(&hive, "regf");
    while (hive.length < BASE)
        bytes_put_u8(&hive, 0);
    patch(&hive, 4, 7);
    patch(&hive, 8, 7);
    patch(&hive, 20, 1);
    patch(&hive, 24, 3);
    patch(&hive, 32, 1);
    patch(&hive, 36, root);
    patch(&hive, 40, (uint32_t)full);
    patch(&hive, 44, 1);
    hive_builder_seal(&hive);
    str_add_bytes(&hive, b->cells.data, b->cells.length);
    for (size_t i = 0; i < b->key_count; i++)
        free(b->keys[i].name);
    for (size_t i = 0; i < b->value_count; i++) {
        free(b->values[i].name);
        str_free(&b->values[i].data);
    }
    str_free(&b->cells);
    free(b);
    return hive;
}
