/* conf_tree.h - the configuration of a web server of today as a tree of directives.
 *
 * What the readers of nginx's and Apache's syntax have in common: nodes, files that include
 * others by pattern, and bounds. A reading never fails as a whole: what is not followed (a file
 * that is not there, a circle, one level or file too many) is stated as "unread" of "site:
 * SERVER", and the rest goes on. */
#ifndef YAGURA_COLLECT_CONF_TREE_H
#define YAGURA_COLLECT_CONF_TREE_H

#include "collect/collect.h"

enum {
    CONF_MOST_FILE = 4 * 1024 * 1024,
    CONF_MOST_BYTES = 64 * 1024 * 1024, /* of all files */
    CONF_MOST_FILES = 4096,
    CONF_MOST_DEPTH = 16,  /* files in files */
    CONF_MOST_NESTED = 32, /* blocks in blocks */
    CONF_MOST_NODES = 200000,
    CONF_MOST_ARGS = 4096 /* of one directive: server_name has many */
};

struct conf_node {
    const char *name;
    const char *const *args;
    size_t arg_count;
    bool block;
    const char *path; /* of the file it stands in */
    uint64_t line;
    struct conf_node *parent, *first, *last, *next;
};

struct conf_reading {
    struct collection *c;
    const char *what;                  /* as facts_unread() wants it: N_("site: nginx") */
    const char *open[CONF_MOST_DEPTH]; /* the files that are being read, outermost first */
    size_t depth;
    size_t files, bytes, nodes;
    size_t unread, said; /* what was not read, and how much of it was stated */
    struct str names;    /* of the files read, one a line */
};

struct conf_reading conf_reading_of(struct collection *c, const char *what);
void conf_reading_free(struct conf_reading *r);

/* States that something was not read; after twenty of them only counts. Line 0 = none. */
void conf_unread(struct conf_reading *r, const char *path, uint64_t line, const char *reason);

/* Opens a file: its text, terminated, in the collection's arena, with conf_close() due; or NULL,
 * which is stated. A file that holds NUL bytes is read up to the first, which is stated. */
char *conf_open(struct conf_reading *r, const char *path, size_t *size);
void conf_close(struct conf_reading *r);

/* The paths that a pattern means, sorted bytewise as the servers do; a name that begins with a
 * dot only where the pattern says so. A name without `*?[` is given back as it is. */
void conf_paths(struct conf_reading *r, const char *pattern, const char *const **out,
                size_t *count);
bool conf_is_pattern(const char *path);
/* fnmatch() by path, for patterns of bounded cost; false for the others. */
bool conf_match(const char *pattern, const char *name);

/* A new last child; NULL, which is stated once, where there are too many. The strings stay the
 * caller's. */
struct conf_node *conf_add(struct conf_reading *r, struct conf_node *parent, const char *name,
                           const char *path, uint64_t line);

/* The first and the next child of a name (case does not matter); the last one, or NULL. */
const struct conf_node *conf_find(const struct conf_node *node, const char *name);
const struct conf_node *conf_find_next(const struct conf_node *child);
const struct conf_node *conf_find_last(const struct conf_node *node, const char *name);
/* An argument, or "" where there is none. */
const char *conf_arg(const struct conf_node *node, size_t index);

/* FOLDER/NAME, or NAME where it is absolute; "." and ".." are left alone. */
const char *conf_beneath(struct arena *arena, const char *folder, const char *name);

#endif
