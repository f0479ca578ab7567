/* tree.h - a root that a test writes, and the sources run over it. */
#ifndef YAGURA_TESTS_COLLECT_TREE_H
#define YAGURA_TESTS_COLLECT_TREE_H

#include "tests/collect/collect_harness.h"
#include "tests/support.h"

#include "base/str.h"

struct tree {
    char *dir;
    struct harness h;
};

void tree_begin(struct tree *t);
void tree_file(struct tree *t, const char *path, const char *text);
void tree_link(struct tree *t, const char *path, const char *to);
void tree_fifo(struct tree *t, const char *path);
/* What every Solaris 7 host on SPARC has. */
void tree_solaris7(struct tree *t);
/* Runs them after opening the root anew; facts of an earlier run are dropped. */
void tree_run(struct tree *t, collect_source_function *const *sources, size_t count);
void tree_end(struct tree *t);
size_t tree_count(const struct tree *t, const char *kind);
/* The first fact of a kind where `key` is `value`, which has to be there. */
const struct fact *tree_fact(const struct tree *t, const char *kind, const char *key,
                             const char *value);
/* An "unread" fact whose `what` begins so. */
bool tree_unread(const struct tree *t, const char *what);

#endif
