/* apt_conf.h - the few settings of apt that change what it would install (apt.conf(5)).
 *
 * Read in apt's order: /etc/apt/apt.conf.d/ (names without an extension or ending in .conf,
 * sorted), then /etc/apt/apt.conf; the later one counts. Scopes ("APT { Get { ... } }"), lists,
 * the three kinds of comments, #clear and #include are understood. Environment and command line
 * of a run of apt are not known here. */
#ifndef YAGURA_COLLECT_APT_CONF_H
#define YAGURA_COLLECT_APT_CONF_H

#include "base/mem.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct apt_setting {
    const char *key; /* "APT::Default-Release"; list items end in "::" */
    const char *value;
};

struct apt_conf {
    VEC(struct apt_setting) settings; /* in the order in which they were read */
    /* Reads what #include names, in its place. NULL, and false from it: not followed. */
    bool (*include)(void *context, const char *path);
    void *context;
    const char *not_followed; /* the last one, or NULL */
};

void apt_conf_free(struct apt_conf *conf);
#define CLEANUP_APT_CONF CLEANUP(apt_conf_free)

/* Adds what one file says; texts in the arena. False where it ends inside a block or a string:
 * what came before is kept. */
bool apt_conf_parse(struct apt_conf *conf, struct arena *arena, const char *text, size_t size);

/* The last value of a key, case ignored; NULL where nobody set it. */
const char *apt_conf_get(const struct apt_conf *conf, const char *key);
bool apt_conf_true(const struct apt_conf *conf, const char *key, bool otherwise);
/* All items of a list: "APT::Architectures::"; at most `most`. A plain value with spaces or
 * commas in it is a list of its own. */
size_t apt_conf_list(const struct apt_conf *conf, const char *key, struct arena *arena,
                     const char **out, size_t most);

/* A path as apt puts it together: "Dir::State::lists" is below the value of "Dir::State", that
 * below "Dir", unless one of them is absolute; all is below "RootDir". Known are Dir::State::lists
 * and ::status, Dir::Etc::sourcelist, ::sourceparts, ::preferences and ::preferencesparts. NULL
 * where it is switched off (empty or /dev/null). Without a slash at the end. */
const char *apt_conf_path(const struct apt_conf *conf, struct arena *arena, const char *key);

/* Whether apt reads a file of a .d folder: letters, digits, "_", "-", ":" and "." in its name,
 * no leading dot, and one of the two extensions (without the dot; NULL = none; "" = a name
 * without any extension). GetListOfFilesInDir() of apt 2.6 behaves so. */
bool apt_conf_takes_file(const char *name, const char *extension, const char *other);

#endif
