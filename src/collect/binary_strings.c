#include "collect/binary_strings.h"

#include "base/str.h"

#include <stdlib.h>

enum { MOST_BINARY = 32 * 1024 * 1024, MOST_RUN = 120 };

static bool is_printable(char c)
{
    return c >= 0x20 && c < 0x7f;
}

const char *binary_string_in(const char *data, size_t size, const char *const *prefixes,
                             size_t count, size_t *length)
{
    const char *best = NULL;
    for (size_t i = 0; i < count; i++) {
        size_t wanted = strlen(prefixes[i]);
        const char *found = memmem(data, size, prefixes[i], wanted);
        /* A name in the middle of a longer run is a message about it, not the version: after
         * the prefix a digit has to follow. */
        while (found && (size_t)(found - data) + wanted < size && !str_is_digit(found[wanted]))
            found = memmem(found + 1, size - (size_t)(found + 1 - data), prefixes[i], wanted);
        if (found && (size_t)(found - data) + wanted < size && (!best || found < best))
            best = found;
    }
    if (!best)
        return NULL;
    size_t n = 0, left = size - (size_t)(best - data);
    while (n < left && n < MOST_RUN && is_printable(best[n]))
        n++;
    *length = n;
    return best;
}

const char *binary_string(struct collection *c, const char *path, const char *const *prefixes,
                          size_t count, int64_t *offset)
{
    CLEANUP_FREE char *data = NULL;
    size_t size, length;
    struct error e = ERROR_INIT;
    if (!target_read(c->target, path, MOST_BINARY, &data, &size, &e)) {
        if (e.code != ERR_ABSENT)
            facts_unread(c->facts, path, path, e.message);
        return NULL;
    }
    const char *run = binary_string_in(data, size, prefixes, count, &length);
    if (!run)
        return NULL;
    if (offset)
        *offset = run - data;
    return arena_strndup(c->arena, run, length);
}
