#include "tests/collect/collect_harness.h"

#include "base/str.h"
#include "collect/windows_system.h"

#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

static int by_name(const void *a, const void *b)
{
    return strcasecmp(*(const char *const *)a, *(const char *const *)b);
}

void harness_run(struct harness *h, const char **wants, collect_source_function *const *sources,
                 size_t count)
{
    size_t want_count = 0;
    while (wants && wants[want_count])
        want_count++;
    if (wants)
        qsort(wants, want_count, sizeof *wants, by_name);
    struct wants w = {.items = wants, .count = want_count};
    h->facts = facts_new();
    for (size_t i = 0; i < count; i++) {
        CLEANUP_ARENA struct arena *arena = arena_new();
        struct collection c = {.target = h->target,
                               .facts = h->facts,
                               .wants = &w,
                               .arena = arena,
                               .windows = &h->windows,
                               .netlink_fd = -1};
        sources[i](&c);
    }
}

void harness_close(struct harness *h)
{
    windows_free(h->windows);
    facts_free(h->facts);
    target_close(h->target);
    *h = (struct harness){0};
}

const struct fact *harness_find(const struct harness *h, const char *kind, const char *key,
                                const char *value)
{
    for (const struct fact *f = NULL; (f = facts_next(h->facts, kind, f));)
        if (str_equal_nocase(fact_text(f, key), value))
            return f;
    return NULL;
}

const char *harness_value(const struct fact *f, const char *key)
{
    const struct fact_value *v = f ? fact_value(f, key) : NULL;
    return !v                         ? "<none>"
           : v->state == VALUE_TEXT   ? v->text
           : v->state == VALUE_ABSENT ? "<absent>"
                                      : "<unreadable>";
}

void harness_print(const struct harness *h)
{
    for (size_t i = 0; i < facts_count(h->facts); i++) {
        json_t *object = fact_to_json(facts_at(h->facts, i));
        char *text = json_dumps(object, JSON_COMPACT | JSON_ENSURE_ASCII);
        puts(text);
        free(text);
        json_decref(object);
    }
}
