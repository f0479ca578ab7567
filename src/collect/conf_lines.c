#include "collect/conf_lines.h"

#include <stdio.h>

struct conf_lines conf_lines_of(const char *data, size_t size, enum conf_joining joining,
                                size_t most_line)
{
    return (struct conf_lines){
        .data = data, .size = size, .joining = joining, .most_line = most_line};
}

void conf_lines_free(struct conf_lines *lines)
{
    str_free(&lines->buffer);
}

/* Whether the line that begins at the current position continues an indented one. */
static bool indented_follows(const struct conf_lines *l)
{
    return l->position < l->size && (l->data[l->position] == ' ' || l->data[l->position] == '\t');
}

/* Takes one physical line into the buffer; true if another one belongs to it. */
static bool take_line(struct conf_lines *l, bool *too_long)
{
    const char *text;
    size_t length;
    if (!str_next_line(l->data, l->size, &l->position, &text, &length))
        return false;
    l->lines++;
    const char *nul = length ? memchr(text, '\0', length) : NULL;
    if (nul) {
        length = (size_t)(nul - text);
        if (!l->with_nul++)
            l->first_with_nul = l->lines;
    }
    bool joined = l->joining == CONF_BACKSLASH && length && text[length - 1] == '\\' && !nul;
    if (joined)
        length--;
    if (length > l->most_line || l->buffer.length + length > l->most_line)
        *too_long = true;
    else
        str_add_bytes(&l->buffer, text, length);
    if (l->joining == CONF_INDENTED && indented_follows(l))
        return true;
    return joined;
}

char *conf_lines_next(struct conf_lines *l)
{
    while (l->position < l->size) {
        bool too_long = false;
        str_clear(&l->buffer);
        l->line = l->lines + 1;
        while (take_line(l, &too_long))
            ;
        if (too_long) {
            if (!l->too_long++)
                l->first_too_long = l->line;
            continue;
        }
        str_add(&l->buffer, "");
        while (l->buffer.length && str_is_space(l->buffer.data[l->buffer.length - 1]))
            l->buffer.data[--l->buffer.length] = '\0';
        return l->buffer.data;
    }
    return NULL;
}

void conf_lines_state(const struct conf_lines *l, struct facts *facts, const char *what,
                      const char *path)
{
    char reason[160];
    if (l->too_long) {
        snprintf(reason, sizeof reason,
                 ngettext("%zu line is longer than %zu bytes (line %llu) and was passed over",
                          "%zu lines are longer than %zu bytes (the first is line %llu) and were "
                          "passed over",
                          l->too_long),
                 l->too_long, l->most_line, (unsigned long long)l->first_too_long);
        facts_unread(facts, what, path, reason);
    }
    if (l->with_nul) {
        snprintf(reason, sizeof reason,
                 ngettext("%zu line holds NUL bytes (line %llu) and was read up to them",
                          "%zu lines hold NUL bytes (the first is line %llu) and were read up to "
                          "them",
                          l->with_nul),
                 l->with_nul, (unsigned long long)l->first_with_nul);
        facts_unread(facts, what, path, reason);
    }
}

char *conf_lines_word(char **rest)
{
    char *s = *rest;
    while (str_is_space(*s))
        s++;
    if (!*s)
        return NULL;
    char *word = s;
    while (*s && !str_is_space(*s))
        s++;
    if (*s)
        *s++ = '\0';
    *rest = s;
    return word;
}

char *conf_lines_quoted(char **rest)
{
    char *s = *rest;
    while (str_is_space(*s))
        s++;
    if (*s != '"') {
        *rest = s;
        return conf_lines_word(rest);
    }
    char *word = ++s, *to = word;
    for (; *s && *s != '"'; s++) {
        if (*s == '\\' && (s[1] == '"' || s[1] == '\\'))
            s++;
        *to++ = *s;
    }
    *rest = *s ? s + 1 : s;
    *to = '\0';
    return word;
}
