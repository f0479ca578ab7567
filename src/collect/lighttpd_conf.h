/* lighttpd_conf.h - the configuration of lighttpd 1.4, with its variables put in.
 *
 * What a file says is worked out in the order of the files, as lighttpd does it: `=`, `+=`
 * (which takes the value of the blocks around it first), `:=`, `+` between values. Conditions
 * are kept as blocks: only a request decides them. `include_shell` is never run; that, and
 * what the environment would say, is stated as unread or marked as not known. */
#ifndef YAGURA_COLLECT_LIGHTTPD_CONF_H
#define YAGURA_COLLECT_LIGHTTPD_CONF_H

#include "collect/conf_tree.h"

struct light_value {
    enum { LIGHT_TEXT, LIGHT_NUMBER, LIGHT_ARRAY } type;
    const char *text; /* of a number, too */
    bool not_known;   /* a variable in it is not known here; the text has its name */
    struct light_item *items;
    size_t count;
};

struct light_item {
    const char *key; /* "" where the array has none */
    struct light_value value;
};

struct light_setting {
    const char *key;
    struct light_value value;
    const char *path;
    uint64_t line;
    struct light_setting *next;
};

/* The whole configuration, or what stands in one condition. */
struct light_block {
    /* HTTP["host"], ==, example.com; "" for the whole. An else has the key of the condition
     * before it and, where it has no condition of its own, the op "else". */
    const char *key, *op, *text;
    bool is_else;
    const char *path;
    uint64_t line;
    struct light_setting *settings;
    struct light_block *parent, *first, *last, *next;
};

/* Reads a file and what it includes; never NULL. Relative names hang beneath `folder`. */
struct light_block *lighttpd_conf_read(struct conf_reading *r, const char *folder,
                                       const char *path);

/* The setting in this block or the nearest one around it; NULL where none has it. */
const struct light_setting *lighttpd_conf_find(const struct light_block *block, const char *key);

#endif
