/* apache_folders.h - what the <Directory> sections of Apache 2 say of a folder.
 *
 * Merged as the server merges them: shortest path first, those of the main server before those
 * of the host, wildcards by part of the path. Source: httpd.apache.org/docs/2.4/sections.html. */
#ifndef YAGURA_COLLECT_APACHE_FOLDERS_H
#define YAGURA_COLLECT_APACHE_FOLDERS_H

#include "collect/conf_tree.h"

struct apache_folder {
    bool indexes;         /* Options has it on; whether mod_autoindex is there is another thing */
    bool not_known;       /* a section with a regular expression has a word in it */
    const char *override; /* AllowOverride, lower case */
};

/* `host` is a <VirtualHost>, or the main server again; `path` does not end in a slash. */
struct apache_folder apache_folder_at(struct arena *arena, const struct conf_node *main,
                                      const struct conf_node *host, const char *path);

/* One `directory` fact a section. */
void apache_folders_state(struct collection *c, const char *instance, const struct conf_node *main);

#endif
