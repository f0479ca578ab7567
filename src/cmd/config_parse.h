/* config_parse.h - what the files that read the configuration share. */
#ifndef YAGURA_CMD_CONFIG_PARSE_H
#define YAGURA_CMD_CONFIG_PARSE_H

#include "base/yaml.h"
#include "cmd/config.h"

struct config_parse {
    struct config *config;
    const char *path;
    struct error *e;
};

/* All false, with the error at its place. */
bool config_wrong(struct config_parse *p, const struct yaml_node *at, const char *what);
bool config_unknown_key(struct config_parse *p, const struct yaml_node *key);
bool config_number(struct config_parse *p, const struct yaml_node *node, uint64_t least,
                   uint64_t *out);
bool config_truth(struct config_parse *p, const struct yaml_node *node, bool *out);

/* config_patch.c */
bool config_patch(struct config_parse *p, const struct yaml_node *map);
bool config_health(struct config_parse *p, const struct yaml_node *list);

/* config_respond.c */
bool config_respond(struct config_parse *p, const struct yaml_node *map);

#endif
