#include "base/yaml.h"

#include "base/str.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <yaml.h>

enum { MOST_BYTES = 1024 * 1024, MOST_DEPTH = 64, MOST_NODES = 100000 };

struct parse {
    struct arena *arena;
    yaml_parser_t parser;
    const char *text, *path;
    size_t size;
    size_t nodes;
    struct error *e;
};

/* The source line and a caret: people see at once what is meant. */
static void add_excerpt(const struct parse *p, uint32_t line, uint32_t column)
{
    if (!p->e)
        return;
    size_t position = 0, length = 0;
    const char *start = "";
    for (uint32_t i = 0; i < line; i++)
        if (!str_next_line(p->text, p->size, &position, &start, &length))
            return;
    if (length > 120 || !length)
        return;
    size_t used = strlen(p->e->message);
    snprintf(p->e->message + used, sizeof p->e->message - used, "\n    %.*s\n    %*s", (int)length,
             start, (int)(column ? column : 1), "^");
}

static bool fail_at(struct parse *p, enum error_code code, const yaml_mark_t *mark,
                    const char *format, ...)
{
    char message[400];
    va_list args;
    va_start(args, format);
    vsnprintf(message, sizeof message, format, args);
    va_end(args);
    error_set(p->e, code, "%s", message);
    error_at(p->e, p->path, mark->line + 1, mark->column + 1);
    add_excerpt(p, (uint32_t)mark->line + 1, (uint32_t)mark->column + 1);
    return false;
}

static bool next(struct parse *p, yaml_event_t *event)
{
    if (yaml_parser_parse(&p->parser, event))
        return true;
    const char *context = p->parser.context, *problem = p->parser.problem;
    return fail_at(p, ERR_FORMAT, &p->parser.problem_mark, "not valid YAML: %s%s%s",
                   context ? context : "", context ? ": " : "", problem ? problem : "bad bytes");
}

static struct yaml_node *new_node(struct parse *p, enum yaml_kind kind, const yaml_mark_t *mark)
{
    struct yaml_node *n = arena_alloc(p->arena, sizeof *n);
    n->kind = kind;
    n->line = (uint32_t)mark->line + 1;
    n->column = (uint32_t)mark->column + 1;
    return n;
}

static bool build(struct parse *p, const yaml_event_t *event, unsigned depth,
                  struct yaml_node **out);

static bool build_children(struct parse *p, struct yaml_node *n, yaml_event_type_t end,
                           unsigned depth)
{
    VEC(struct yaml_node *) keys = {0}, items = {0};
    bool good = true, done = false;
    while (good && !done) {
        yaml_event_t event;
        if (!next(p, &event)) {
            good = false;
            break;
        }
        struct yaml_node *child = NULL;
        if (event.type == end) {
            done = true;
        } else if (!build(p, &event, depth + 1, &child)) {
            good = false;
        } else if (n->kind == YAML_MAP && keys.count == items.count) {
            if (child->kind != YAML_SCALAR)
                good = fail_at(p, ERR_FORMAT, &event.start_mark, "a key is not plain text");
            for (size_t i = 0; good && i < keys.count; i++)
                if (str_equal(keys.items[i]->text, child->text))
                    good = fail_at(p, ERR_FORMAT, &event.start_mark,
                                   "the key \"%s\" stands here twice", child->text);
            VEC_PUSH(&keys, child);
        } else {
            VEC_PUSH(&items, child);
        }
        yaml_event_delete(&event);
    }
    n->count = items.count;
    n->items = arena_dup(p->arena, items.items, items.count * sizeof *items.items);
    n->keys = arena_dup(p->arena, keys.items, keys.count * sizeof *keys.items);
    VEC_FREE(&keys);
    VEC_FREE(&items);
    return good;
}

static bool build(struct parse *p, const yaml_event_t *event, unsigned depth,
                  struct yaml_node **out)
{
    if (depth > MOST_DEPTH)
        return fail_at(p, ERR_LIMIT, &event->start_mark, "nested deeper than %d levels", MOST_DEPTH);
    if (++p->nodes > MOST_NODES)
        return fail_at(p, ERR_LIMIT, &event->start_mark, "more than %d values in one file",
                       MOST_NODES);
    struct yaml_node *n;
    switch (event->type) {
    case YAML_SCALAR_EVENT:
        n = new_node(p, YAML_SCALAR, &event->start_mark);
        n->quoted = event->data.scalar.style != YAML_PLAIN_SCALAR_STYLE;
        if (memchr(event->data.scalar.value, 0, event->data.scalar.length))
            return fail_at(p, ERR_FORMAT, &event->start_mark, "a text holds a NUL byte");
        n->text = arena_strndup(p->arena, (const char *)event->data.scalar.value,
                                event->data.scalar.length);
        *out = n;
        return true;
    case YAML_SEQUENCE_START_EVENT:
        *out = n = new_node(p, YAML_SEQUENCE, &event->start_mark);
        return build_children(p, n, YAML_SEQUENCE_END_EVENT, depth);
    case YAML_MAPPING_START_EVENT:
        *out = n = new_node(p, YAML_MAP, &event->start_mark);
        return build_children(p, n, YAML_MAPPING_END_EVENT, depth);
    case YAML_ALIAS_EVENT:
        return fail_at(p, ERR_FORMAT, &event->start_mark,
                       "aliases (*name) are not taken: write the value out");
    default:
        return fail_at(p, ERR_FORMAT, &event->start_mark, "something unexpected stands here");
    }
}

static bool parse_stream(struct parse *p, struct yaml_node ***documents, size_t *count)
{
    VEC(struct yaml_node *) list = {0};
    bool good = true;
    for (bool done = false; good && !done;) {
        yaml_event_t event;
        if (!next(p, &event)) {
            good = false;
            break;
        }
        struct yaml_node *root = NULL;
        if (event.type == YAML_STREAM_END_EVENT)
            done = true;
        else if (event.type != YAML_STREAM_START_EVENT && event.type != YAML_DOCUMENT_START_EVENT &&
                 event.type != YAML_DOCUMENT_END_EVENT)
            good = build(p, &event, 0, &root);
        if (root)
            VEC_PUSH(&list, root);
        yaml_event_delete(&event);
    }
    if (good) {
        *documents = arena_dup(p->arena, list.items, list.count * sizeof *list.items);
        *count = list.count;
    }
    VEC_FREE(&list);
    return good;
}

bool yaml_parse(struct yaml_node ***documents, size_t *count, struct arena *arena,
                const char *text, size_t size, const char *path, struct error *e)
{
    struct parse p = {.arena = arena, .text = text, .size = size, .path = path, .e = e};
    if (size > MOST_BYTES) {
        error_set(e, ERR_LIMIT, "the YAML text has %zu bytes; at most %d are read", size,
                  MOST_BYTES);
        error_at(e, path, 0, 0);
        return false;
    }
    if (!yaml_parser_initialize(&p.parser)) {
        error_set(e, ERR_SYSTEM, "the YAML reader could not be started");
        return false;
    }
    yaml_parser_set_encoding(&p.parser, YAML_UTF8_ENCODING);
    yaml_parser_set_input_string(&p.parser, (const unsigned char *)text, size);
    bool good = parse_stream(&p, documents, count);
    yaml_parser_delete(&p.parser);
    return good;
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
    const struct yaml_node *n = yaml_get(map, key);
    return n && n->kind == YAML_SCALAR && !yaml_is_null(n) ? n->text : NULL;
}

bool yaml_is_null(const struct yaml_node *node)
{
    return node->kind == YAML_SCALAR && !node->quoted &&
           (!*node->text || str_equal(node->text, "~") || str_equal_nocase(node->text, "null"));
}

void yaml_error(struct error *e, const struct yaml_node *at, const char *path, const char *format,
                ...)
{
    char message[400];
    va_list args;
    va_start(args, format);
    vsnprintf(message, sizeof message, format, args);
    va_end(args);
    error_set(e, ERR_FORMAT, "%s", message);
    error_at(e, path, at->line, at->column);
}
