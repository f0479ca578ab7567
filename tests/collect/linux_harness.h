/* linux_harness.h - a small Linux system in a temporary folder, and sources of facts run on it
 * in this process, without cages. Includes the helpers of collect_harness.h. */
#ifndef YAGURA_TESTS_COLLECT_LINUX_HARNESS_H
#define YAGURA_TESTS_COLLECT_LINUX_HARNESS_H

#include "tests/collect/collect_harness.h"
#include "tests/support.h"

struct linux_file {
    const char *path, *text;
};

struct linux_host {
    struct harness h; /* target and facts: for harness_find() */
    char *dir;
    int64_t now;
    const char **wants;        /* ends with NULL; may be NULL */
    const struct cache *cache; /* NULL = none */
};

/* The files end with a row whose path is NULL. */
void linux_begin(struct linux_host *host, const struct linux_file *files);
void linux_write(struct linux_host *host, const char *path, const void *bytes, size_t size);
void linux_link(struct linux_host *host, const char *path, const char *to);
/* Forgets the facts of before and runs these sources, NULL at the end. */
void linux_run(struct linux_host *host, collect_source_function *const *sources);
void linux_end(struct linux_host *host);

size_t linux_count(const struct linux_host *host, const char *kind);
/* The value of a key of the only fact of that kind; fails where there is another number. */
const char *linux_only(const struct linux_host *host, const char *kind, const char *key);

/* A cache in memory that counts. */
struct memory_cache {
    struct cache cache;
    struct {
        char *slot, *key;
        void *data;
        size_t size;
    } items[16];
    size_t count, hits, puts;
};
void memory_cache_begin(struct memory_cache *m);
void memory_cache_end(struct memory_cache *m);

#endif
