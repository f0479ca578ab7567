#include "libexec/scan/pieces.h"

#include "base/mem.h"
#include "base/str.h"

#include <stdlib.h>

static bool begins_rule(const char *line, size_t length)
{
    static const char *const words[] = {"private", "global", "rule"};
    for (size_t at = 0;;) {
        while (at < length && str_is_space(line[at]))
            at++;
        size_t end = at, word = 0;
        while (end < length && !str_is_space(line[end]))
            end++;
        while (word < ARRAY_COUNT(words) &&
               (strlen(words[word]) != end - at || memcmp(line + at, words[word], end - at) != 0))
            word++;
        if (word == ARRAY_COUNT(words))
            return false;
        if (str_equal(words[word], "rule"))
            return end < length;
        at = end;
    }
}

void rule_pieces_cut(struct rule_pieces *out, const char *text, size_t size)
{
    VEC(size_t) starts = {0};
    size_t position = 0, length;
    const char *line;
    VEC_PUSH(&starts, (size_t)0);
    while (str_next_line(text, size, &position, &line, &length))
        if (line > text && begins_rule(line, length))
            VEC_PUSH(&starts, (size_t)(line - text));
    out->count = starts.count;
    out->kept = mem_alloc(starts.count * sizeof *out->kept);
    VEC_PUSH(&starts, size);
    out->starts = starts.items;
}

char *rule_pieces_text(const struct rule_pieces *p, const char *text)
{
    char *out = mem_strdup(text);
    for (size_t i = 0; i < p->count; i++)
        for (size_t k = p->starts[i]; !p->kept[i] && k < p->starts[i + 1]; k++)
            if (out[k] != '\n')
                out[k] = ' ';
    return out;
}

void rule_pieces_free(struct rule_pieces *p)
{
    free(p->starts);
    free(p->kept);
    *p = (struct rule_pieces){0};
}

int rule_pieces_without_magic(char *text)
{
    static const char word[] = "import", module[] = "\"magic\"";
    int first = 0, line = 1;
    const char *counted = text;
    for (char *p = text; (p = strstr(p, word));) {
        char *start = p, *quote = p += sizeof word - 1;
        while (str_is_space(*quote))
            quote++;
        if (!str_starts(quote, module))
            continue;
        for (; counted < start; counted++)
            line += *counted == '\n';
        if (!first)
            first = line;
        for (p = quote + sizeof module - 1; start < p; start++)
            if (*start != '\n')
                *start = ' ';
    }
    return first;
}
