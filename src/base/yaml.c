#include "base/yaml.h"

#include "base/str.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <yaml.h>

enum {
    MOST_BYTES = 1024 * 1024,
    MOST_DEPTH = 64,
    MOST_NODES = 100 * 1000,
    MOST_SHOWN = 72, /* characters of the source line in a message */
};

struct loader {
    yaml_parser_t parser;
    struct arena *arena;
    const char *text, *path;
    size_t size, nodes;
    struct error *e;
};

struct node_list {
    struct yaml_node **items;
    size_t count, capacity;
};

static void list_cleanup(struct node_list *list)
{
    VEC_FREE(list);
}
#define CLEANUP_LIST CLEANUP(list_cleanup)

/* The source line, cut around the column where it is long, and a caret below. */
static void add_caret(struct str *out, const struct loader *l, uint64_t line, uint64_t column)
{
    const char *text = NULL;
    size_t length = 0, position = 0;
    for (uint64_t i = 0; i < line; i++)
        if (!str_next_line(l->text, l->size, &position, &text, &length))
            return;
    size_t start = 0, characters = 0, caret = column ? column - 1 : 0;
    size_t skip = caret > MOST_SHOWN - 12 ? caret - (MOST_SHOWN - 12) : 0;
    while (start < length && characters < skip) {
        start++;
        while (start < length && (text[start] & 0xc0) == 0x80)
            start++;
        characters++;
    }
    size_t end = start;
    for (size_t shown = 0; end < length && shown < MOST_SHOWN; shown++) {
        end++;
        while (end < length && (text[end] & 0xc0) == 0x80)
            end++;
    }
    CLEANUP_STR struct str shown = {0};
    str_add_printable(&shown, text ? text + start : "", end - start);
    for (size_t i = 0; i < shown.length; i++)
        if (shown.data[i] == '\t') /* one column for libyaml, so one here */
            shown.data[i] = ' ';
    str_printf(out, "\n  %s\n  %*s^", str_text(&shown), (int)(caret - skip), "");
}

static void fail(struct loader *l, enum error_code code, const yaml_mark_t *mark,
                 const char *format, ...)
{
    CLEANUP_STR struct str message = {0};
    char said[160];
    va_list args;
    va_start(args, format);
    vsnprintf(said, sizeof said, format, args);
    va_end(args);
    /* cut before an unfinished character: it may quote a key of the file */
    str_add_printable(&message, said, strlen(said));
    add_caret(&message, l, mark->line + 1, mark->column + 1);
    error_set(l->e, code, "%s", str_text(&message));
    error_at(l->e, l->path, mark->line + 1, mark->column + 1);
}

static bool next(struct loader *l, yaml_event_t *event)
{
    if (yaml_parser_parse(&l->parser, event))
        return true;
    const yaml_parser_t *p = &l->parser;
    const char *problem = p->problem ? p->problem : _("could not be parsed");
    if (p->error == YAML_READER_ERROR) {
        yaml_mark_t mark = {.index = p->problem_offset};
        for (size_t i = 0; i < p->problem_offset && i < l->size; i++, mark.column++)
            if (l->text[i] == '\n') {
                mark.line++;
                mark.column = (size_t)-1;
            }
        fail(l, ERR_FORMAT, &mark, _("not YAML: %s"), problem);
    } else if (p->context) {
        fail(l, ERR_FORMAT, &p->problem_mark, _("not YAML: %s (%s that begins at line %zu)"),
             problem, p->context, p->context_mark.line + 1);
    } else {
        fail(l, ERR_FORMAT, &p->problem_mark, _("not YAML: %s"), problem);
    }
    return false;
}

static struct yaml_node *node_new(struct loader *l, enum yaml_kind kind, const yaml_mark_t *at)
{
    if (++l->nodes > MOST_NODES) {
        fail(l, ERR_LIMIT, at, _("more than %d values"), MOST_NODES);
        return NULL;
    }
    struct yaml_node *node = arena_alloc(l->arena, sizeof *node);
    node->kind = kind;
    node->line = (uint32_t)at->line + 1;
    node->column = (uint32_t)at->column + 1;
    return node;
}

static struct yaml_node *scalar(struct loader *l, const yaml_event_t *event)
{
    const char *value = (const char *)event->data.scalar.value;
    size_t length = event->data.scalar.length;
    if (memchr(value, 0, length)) {
        fail(l, ERR_FORMAT, &event->start_mark, _("a NUL character in a value"));
        return NULL;
    }
    struct yaml_node *node = node_new(l, YAML_SCALAR, &event->start_mark);
    if (!node)
        return NULL;
    node->text = arena_strndup(l->arena, value, length);
    node->quoted = event->data.scalar.style != YAML_PLAIN_SCALAR_STYLE;
    return node;
}

static int compare_keys(const void *a, const void *b)
{
    const struct yaml_node *ka = *(struct yaml_node *const *)a;
    const struct yaml_node *kb = *(struct yaml_node *const *)b;
    int order = strcmp(ka->text, kb->text);
    return order ? order : ka->line < kb->line ? -1 : ka->line > kb->line;
}

static bool check_keys(struct loader *l, const struct node_list *keys)
{
    CLEANUP_FREE struct yaml_node **sorted = mem_dup(keys->items, keys->count * sizeof *sorted);
    qsort(sorted, keys->count, sizeof *sorted, compare_keys);
    for (size_t i = 1; i < keys->count; i++)
        if (str_equal(sorted[i - 1]->text, sorted[i]->text)) {
            yaml_mark_t mark = {.line = sorted[i]->line - 1, .column = sorted[i]->column - 1};
            fail(l, ERR_FORMAT, &mark, _("the key \"%.40s\" is there twice, first at line %u"),
                 sorted[i]->text, sorted[i - 1]->line);
            return false;
        }
    return true;
}

static struct yaml_node *node(struct loader *l, const yaml_event_t *first, unsigned depth);

/* The items of a sequence, or the keys and values of a map, up to its end. */
static bool fill(struct loader *l, struct yaml_node *parent, unsigned depth)
{
    CLEANUP_LIST struct node_list keys = {0};
    CLEANUP_LIST struct node_list items = {0};
    bool map = parent->kind == YAML_MAP;
    for (bool key = map;; key = map && !key) {
        CLEANUP(yaml_event_delete) yaml_event_t event = {0};
        if (!next(l, &event))
            return false;
        if (event.type == YAML_SEQUENCE_END_EVENT || event.type == YAML_MAPPING_END_EVENT)
            break;
        struct yaml_node *child = node(l, &event, depth + 1);
        if (!child)
            return false;
        if (key && child->kind != YAML_SCALAR) {
            fail(l, ERR_FORMAT, &event.start_mark, _("a key that is no plain text"));
            return false;
        }
        if (key)
            VEC_PUSH(&keys, child);
        else
            VEC_PUSH(&items, child);
    }
    parent->count = items.count;
    parent->items = arena_dup(l->arena, items.items, items.count * sizeof *items.items);
    if (!map)
        return true;
    parent->keys = arena_dup(l->arena, keys.items, keys.count * sizeof *keys.items);
    return keys.count < 2 || check_keys(l, &keys);
}

static struct yaml_node *node(struct loader *l, const yaml_event_t *first, unsigned depth)
{
    if (depth > MOST_DEPTH) {
        fail(l, ERR_LIMIT, &first->start_mark, _("nested deeper than %d levels"), MOST_DEPTH);
        return NULL;
    }
    if (first->type == YAML_SCALAR_EVENT)
        return scalar(l, first);
    if (first->type == YAML_ALIAS_EVENT) {
        fail(l, ERR_FORMAT, &first->start_mark,
             _("an alias (*name), which is not taken: write the value out"));
        return NULL;
    }
    bool map = first->type == YAML_MAPPING_START_EVENT;
    struct yaml_node *parent = node_new(l, map ? YAML_MAP : YAML_SEQUENCE, &first->start_mark);
    return parent && fill(l, parent, depth) ? parent : NULL;
}

static bool load(struct loader *l, struct node_list *documents)
{
    for (;;) {
        CLEANUP(yaml_event_delete) yaml_event_t event = {0};
        if (!next(l, &event))
            return false;
        if (event.type == YAML_STREAM_END_EVENT)
            return true;
        if (event.type == YAML_STREAM_START_EVENT || event.type == YAML_DOCUMENT_START_EVENT ||
            event.type == YAML_DOCUMENT_END_EVENT)
            continue;
        struct yaml_node *root = node(l, &event, 1);
        if (!root)
            return false;
        VEC_PUSH(documents, root);
    }
}

bool yaml_parse(struct yaml_node ***documents, size_t *count, struct arena *arena, const char *text,
                size_t size, const char *path, struct error *e)
{
    if (size > MOST_BYTES) {
        error_set(e, ERR_LIMIT, "%zu bytes of YAML, and we take at most %d", size, MOST_BYTES);
        error_at(e, path, 0, 0);
        return false;
    }
    if (size >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0) {
        text += 3;
        size -= 3;
    }
    struct loader l = {.arena = arena, .text = text, .size = size, .path = path, .e = e};
    if (!yaml_parser_initialize(&l.parser)) {
        error_set(e, ERR_SYSTEM, "no memory for the YAML parser");
        return false;
    }
    /* UTF-8 only: our messages quote the text as it stands */
    yaml_parser_set_encoding(&l.parser, YAML_UTF8_ENCODING);
    yaml_parser_set_input_string(&l.parser, (const unsigned char *)(size ? text : ""), size);
    CLEANUP_LIST struct node_list list = {0};
    bool good = load(&l, &list);
    yaml_parser_delete(&l.parser);
    if (!good)
        return false;
    *documents = arena_dup(arena, list.items, list.count * sizeof *list.items);
    *count = list.count;
    return true;
}

struct yaml_node *yaml_get(const struct yaml_node *map, const char *key)
{
    if (!map || map->kind != YAML_MAP)
        return NULL;
    for (size_t i = 0; i < map->count; i++)
        if (str_equal(map->keys[i]->text, key))
            return map->items[i];
    return NULL;
}

const char *yaml_get_text(const struct yaml_node *map, const char *key)
{
    const struct yaml_node *value = yaml_get(map, key);
    return value && value->kind == YAML_SCALAR ? value->text : NULL;
}

bool yaml_is_null(const struct yaml_node *node)
{
    return node->kind == YAML_SCALAR && !node->quoted &&
           (!*node->text || str_equal(node->text, "~") || str_equal_nocase(node->text, "null"));
}

void yaml_error(struct error *e, const struct yaml_node *at, const char *path, const char *format,
                ...)
{
    char message[sizeof e->message];
    va_list args;
    va_start(args, format);
    vsnprintf(message, sizeof message, format, args);
    va_end(args);
    error_set(e, ERR_FORMAT, "%s", message);
    error_at(e, path, at ? at->line : 0, at ? at->column : 0);
}
