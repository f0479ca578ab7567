/* nginx_conf.h - the syntax of nginx's configuration.
 *
 * Words are cut as nginx 1.22 cuts them (ngx_conf_file.c): quotes count only at the beginning
 * of a word, a backslash protects the next byte, `${` is no block, `#` begins a comment only
 * where a word could begin. "include" is followed wherever it stands; a block of Lua is passed
 * over and stated as unread. */
#ifndef YAGURA_COLLECT_NGINX_CONF_H
#define YAGURA_COLLECT_NGINX_CONF_H

#include "collect/conf_tree.h"

/* Reads a file and what it includes into `parent`. Relative names hang beneath `folder`. */
void nginx_conf_read(struct conf_reading *r, struct conf_node *parent, const char *folder,
                     const char *path);

/* The block, or the nearest one around it, that has such a directive; NULL where none has. */
const struct conf_node *nginx_conf_block_with(const struct conf_node *block, const char *name);
/* The directive in this block or the nearest one around it. */
const struct conf_node *nginx_conf_in_force(const struct conf_node *block, const char *name);

#endif
