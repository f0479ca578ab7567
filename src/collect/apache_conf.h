/* apache_conf.h - the syntax of Apache 2.4's configuration.
 *
 * Conditions that the server decides while it reads are decided here, in the order of the
 * files, and their contents take the place of the section: <IfModule> by what was loaded up to
 * there, <IfDefine> and ${NAME} by Define and the variables of the environment, <IfVersion>
 * by the installed package, <IfFile> by the target. Include follows patterns and folders. What
 * is decided by a macro or anything else is stated as unread. Words are cut as
 * ap_getword_conf() of 2.4 (server/util.c) cuts them. */
#ifndef YAGURA_COLLECT_APACHE_CONF_H
#define YAGURA_COLLECT_APACHE_CONF_H

#include "collect/conf_tree.h"

struct apache_name {
    const char *name, *value;
};

struct apache_names {
    struct apache_name *items;
    size_t count, capacity;
};

struct apache_conf {
    struct conf_reading *r;
    const char *root;    /* ServerRoot: relative names hang there */
    const char *version; /* "2.4.62"; "" = not known */
    struct apache_names environment, defines;
    VEC(const char *) modules; /* "alias_module" and "mod_alias.c" of each that is there */
};

void apache_conf_free(struct apache_conf *a);

/* The assignments of a shell file such as envvars, read as text; nothing is run. What a
 * condition of the shell decides, or a command, is left out. False, stated, if unreadable. */
void apache_conf_environment(struct apache_conf *a, const char *path);

void apache_conf_module(struct apache_conf *a, const char *name); /* is compiled in */
bool apache_conf_has_module(const struct apache_conf *a, const char *name);

/* Reads a file and what it includes into `parent`. A section is a node with its arguments. */
void apache_conf_read(struct apache_conf *a, struct conf_node *parent, const char *path);

#endif
