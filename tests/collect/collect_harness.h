/* collect_harness.h - runs sources of facts on a target, in this process, without cages. */
#ifndef YAGURA_TESTS_COLLECT_HARNESS_H
#define YAGURA_TESTS_COLLECT_HARNESS_H

#include "collect/collect.h"

struct harness {
    struct target *target;
    struct facts *facts;
    struct windows *windows;
};

typedef void collect_source_function(struct collection *c);

/* Runs them in this order; `wants` is sorted here, may be NULL and ends with NULL. */
void harness_run(struct harness *h, const char **wants, collect_source_function *const *sources,
                 size_t count);
void harness_close(struct harness *h);
/* The first fact of a kind whose `key` is `value`; NULL if there is none. */
const struct fact *harness_find(const struct harness *h, const char *kind, const char *key,
                                const char *value);
/* The text, or "<absent>", "<unreadable>", "<none>". */
const char *harness_value(const struct fact *f, const char *key);
/* All facts as JSON Lines on standard output: for a person. */
void harness_print(const struct harness *h);

#endif
