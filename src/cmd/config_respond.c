/* respond: of the configuration. */
#include "base/str.h"
#include "cmd/config_parse.h"

enum { MOST_WORDS = 64, MOST_HOURS = 24 * 365 };

static bool read_command(struct config_parse *p, const struct yaml_node *list)
{
    struct config *c = p->config;
    if (list->kind != YAML_SEQUENCE || !list->count || list->count > MOST_WORDS)
        return config_wrong(p, list,
                            _("this wants a program and its arguments, like "
                              "[/usr/local/bin/check, --quick]"));
    c->respond_health = arena_alloc(c->arena, (list->count + 1) * sizeof(char *));
    for (size_t i = 0; i < list->count; i++) {
        const struct yaml_node *item = list->items[i];
        if (item->kind != YAML_SCALAR || (!i && item->text[0] != '/'))
            return config_wrong(p, item,
                                _("this wants a program and its arguments, like "
                                  "[/usr/local/bin/check, --quick]"));
        c->respond_health[i] = item->text;
    }
    return true;
}

static bool read_mode(struct config_parse *p, const struct yaml_node *node)
{
    enum firewall_mode mode;
    const char *text = node->kind == YAML_SCALAR ? node->text : "";
    bool no = str_equal(text, "no");
    p->config->isolate_again = no ? NULL : text;
    return no || (firewall_mode_parse(&mode, text) && mode != FIREWALL_PORTS) ||
           config_wrong(p, node, _("this is no, web, contain or full"));
}

bool config_respond(struct config_parse *p, const struct yaml_node *map)
{
    struct config *c = p->config;
    if (map->kind != YAML_MAP)
        return config_wrong(p, map, _("this wants keys below it"));
    for (size_t i = 0; i < map->count; i++) {
        const struct yaml_node *key = map->keys[i], *value = map->items[i];
        bool good;
        if (str_equal(key->text, "health"))
            good = read_command(p, value);
        else if (str_equal(key->text, "watch_hours"))
            good = config_number(p, value, 0, &c->watch_hours) &&
                   (c->watch_hours <= MOST_HOURS ||
                    config_wrong(p, value, _("this wants a whole number")));
        else if (str_equal(key->text, "isolate_again"))
            good = read_mode(p, value);
        else
            good = config_unknown_key(p, key);
        if (!good)
            return false;
    }
    return true;
}
