/* What stands under a selection's name: a map (and), a list of maps (or), keywords. */
#include "judge/sigma_internal.h"

static struct sigma_node *leaf(struct sigma_build *b, const struct sigma_item *item)
{
    if (!item)
        return NULL;
    struct sigma_node *node = sigma_node(b, NODE_ITEM, NULL, 0);
    node->item = item;
    return node;
}

static struct sigma_node *parse_map(struct sigma_build *b, const struct yaml_node *map)
{
    if (!map->count) {
        sigma_fail(b, map, _("an empty map selects nothing"));
        return NULL;
    }
    struct sigma_node **children = arena_alloc(b->arena, map->count * sizeof(struct sigma_node *));
    bool good = true;
    for (size_t i = 0; i < map->count; i++) {
        children[i] =
            leaf(b, sigma_modifiers_item(b, map->keys[i], map->keys[i]->text, map->items[i]));
        good = good && children[i];
    }
    return good ? sigma_node(b, NODE_AND, children, map->count) : NULL;
}

/* A list: maps are alternatives, and so are the keywords between them. */
static struct sigma_node *parse_list(struct sigma_build *b, const struct yaml_node *list)
{
    if (!list->count) {
        sigma_fail(b, list, _("an empty list selects nothing"));
        return NULL;
    }
    struct sigma_node **children = arena_alloc(b->arena, list->count * sizeof(struct sigma_node *));
    bool good = true;
    for (size_t i = 0; i < list->count; i++) {
        const struct yaml_node *item = list->items[i];
        if (item->kind == YAML_MAP) {
            children[i] = parse_map(b, item);
        } else if (item->kind == YAML_SCALAR) {
            children[i] = leaf(b, sigma_modifiers_item(b, item, "", item));
        } else {
            sigma_fail(b, item, _("a list in a list has no meaning here"));
            children[i] = NULL;
        }
        good = good && children[i];
    }
    return good ? sigma_node(b, NODE_OR, children, list->count) : NULL;
}

struct sigma_node *sigma_parse_selection(struct sigma_build *b, const struct yaml_node *node)
{
    switch (node->kind) {
    case YAML_MAP:
        return parse_map(b, node);
    case YAML_SEQUENCE:
        return parse_list(b, node);
    case YAML_SCALAR:
        if (!yaml_is_null(node))
            return leaf(b, sigma_modifiers_item(b, node, "", node));
        break;
    }
    sigma_fail(b, node, _("a selection is a map or a list"));
    return NULL;
}
