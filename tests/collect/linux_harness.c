#include "tests/collect/linux_harness.h"

#include "base/str.h"

#include <stdlib.h>
#include <unistd.h>

void linux_begin(struct linux_host *host, const struct linux_file *files)
{
    struct error e = ERROR_INIT;
    *host = (struct linux_host){.dir = support_temp_dir(), .now = 1800000000};
    for (; files->path; files++)
        support_write(host->dir, files->path, files->text, strlen(files->text));
    if (!target_open_root(&host->h.target, host->dir, &e))
        fail_msg("%s", e.message);
}

void linux_write(struct linux_host *host, const char *path, const void *bytes, size_t size)
{
    support_write(host->dir, path, bytes, size);
}

void linux_link(struct linux_host *host, const char *path, const char *to)
{
    CLEANUP_STR struct str full = {0};
    str_printf(&full, "%s/%s", host->dir, path);
    support_write(host->dir, path, "", 0); /* makes the folders on the way */
    assert_int_equal(unlink(str_text(&full)), 0);
    assert_int_equal(symlink(to, str_text(&full)), 0);
}

void linux_run(struct linux_host *host, collect_source_function *const *sources)
{
    size_t count = 0;
    while (host->wants && host->wants[count])
        count++;
    struct wants wants = {host->wants, count};
    facts_free(host->h.facts);
    host->h.facts = facts_new();
    for (; *sources; sources++) {
        CLEANUP_ARENA struct arena *arena = arena_new();
        struct collection c = {.target = host->h.target,
                               .facts = host->h.facts,
                               .wants = &wants,
                               .cache = host->cache,
                               .arena = arena,
                               .netlink_fd = -1,
                               .now = host->now};
        (*sources)(&c);
    }
}

void linux_end(struct linux_host *host)
{
    harness_close(&host->h);
    support_remove_tree(host->dir);
    free(host->dir);
}

size_t linux_count(const struct linux_host *host, const char *kind)
{
    size_t count = 0;
    for (const struct fact *f = facts_first(host->h.facts, kind); f;
         f = facts_next(host->h.facts, kind, f))
        count++;
    return count;
}

const char *linux_only(const struct linux_host *host, const char *kind, const char *key)
{
    if (linux_count(host, kind) != 1) {
        harness_print(&host->h);
        fail_msg("%zu facts of kind %s", linux_count(host, kind), kind);
    }
    return harness_value(facts_first(host->h.facts, kind), key);
}

static bool get(void *self, const char *key, const void **data, size_t *size)
{
    struct memory_cache *m = self;
    for (size_t i = 0; i < m->count; i++)
        if (str_equal(m->items[i].key, key)) {
            m->hits++;
            *data = m->items[i].data;
            *size = m->items[i].size;
            return true;
        }
    return false;
}

static void put(void *self, const char *slot, const char *key, const void *data, size_t size)
{
    struct memory_cache *m = self;
    size_t i = 0;
    while (i < m->count && !str_equal(m->items[i].slot, slot))
        i++;
    assert_true(i < ARRAY_COUNT(m->items));
    if (i == m->count) {
        m->items[m->count++].slot = mem_strdup(slot);
    } else {
        free(m->items[i].key);
        free(m->items[i].data);
    }
    m->items[i].key = mem_strdup(key);
    m->items[i].data = mem_dup(data, size);
    m->items[i].size = size;
    m->puts++;
}

void memory_cache_begin(struct memory_cache *m)
{
    *m = (struct memory_cache){.cache = {get, put, m}};
}

void memory_cache_end(struct memory_cache *m)
{
    for (size_t i = 0; i < m->count; i++) {
        free(m->items[i].slot);
        free(m->items[i].key);
        free(m->items[i].data);
    }
}
