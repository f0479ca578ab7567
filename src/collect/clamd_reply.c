#include "collect/clamd_reply.h"

#include "base/mem.h"
#include "base/str.h"

#include <stdio.h>

bool clamd_reply_parse(struct clamd_reply *out, const void *bytes, size_t size)
{
    static const struct {
        const char *word;
        int verdict;
    } ends[] = {{" FOUND", CLAMD_FOUND}, {" ERROR", CLAMD_ERROR}, {": OK", CLAMD_OK}};
    CLEANUP_ARENA struct arena *arena = arena_new();
    while (size && memchr("\n", ((const char *)bytes)[size - 1], 2)) /* '\n' or NUL */
        size--;
    if (memchr(bytes, '\0', size) || memchr(bytes, '\n', size) || size > 4096)
        return false;
    char *text = arena_strndup(arena, bytes, size), *colon = strchr(text, ':');
    uint64_t number;
    if (!colon)
        return false;
    *colon = '\0';
    if (!str_to_u64(text, &number) || !number || number > UINT32_MAX)
        return false;
    for (size_t i = 0; i < ARRAY_COUNT(ends); i++) {
        char *rest = colon + 1;
        if (!str_ends(rest, ends[i].word))
            continue;
        rest[strlen(rest) - strlen(ends[i].word)] = '\0';
        char *name = strstr(rest, ": ");
        if (!name && ends[i].verdict == CLAMD_ERROR && str_starts(rest, " "))
            name = colon; /* of the question, not of a file */
        if (ends[i].verdict != CLAMD_OK && !name)
            return false;
        CLEANUP_STR struct str shown = {0};
        if (ends[i].verdict != CLAMD_OK)
            str_add_printable(&shown, name + 2, strlen(name + 2));
        size_t length = shown.length < sizeof out->name ? shown.length : sizeof out->name - 1;
        length = str_utf8_valid_prefix(str_text(&shown), length);
        snprintf(out->name, sizeof out->name, "%.*s", (int)length, str_text(&shown));
        out->number = (uint32_t)number;
        out->verdict = ends[i].verdict;
        return true;
    }
    return false;
}
