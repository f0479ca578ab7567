/* yaml.h - the adapter to libyaml: one document as a tree of nodes with their places.
 *
 * Limits: 1 MiB of text unless told, depth 64, 100,000 nodes; aliases and duplicate keys are
 * refused; several documents in one file are an error unless asked for with `index`.
 * All scalars are text; `quoted` tells "null" from null. The tree lives in the caller's
 * arena. Lines and columns are 1-based. */
#ifndef YAGURA_BASE_YAML_H
#define YAGURA_BASE_YAML_H

#include "base/error.h"
#include "base/mem.h"

enum yaml_kind { YAML_SCALAR, YAML_SEQUENCE, YAML_MAP };

struct yaml_node {
    enum yaml_kind kind;
    bool quoted; /* scalar in single or double quotes, or a block scalar */
    uint32_t line, column;
    const char *text;         /* scalar: its text, terminated; may hold no NUL */
    size_t count;             /* sequence: items; map: pairs */
    struct yaml_node **items; /* sequence: items; map: values */
    struct yaml_node **keys;  /* map: keys (always scalars), in the order of the file */
};

/* Parses all documents of `text`; *count of them, in *documents (in the arena). The error
 * carries path, line, column, and ends with the source line and a caret below it. */
bool yaml_parse(struct yaml_node ***documents, size_t *count, struct arena *arena, const char *text,
                size_t size, const char *path, struct error *e);

struct yaml_node *yaml_get(const struct yaml_node *map, const char *key); /* NULL if none */
const char *yaml_get_text(const struct yaml_node *map, const char *key);  /* NULL if no scalar */
bool yaml_is_null(const struct yaml_node *node); /* unquoted empty, ~ or null */

/* Fills `e` with ERR_FORMAT at the node's place. */
void yaml_error(struct error *e, const struct yaml_node *at, const char *path, const char *format,
                ...) __attribute__((format(printf, 4, 5)));

#endif
