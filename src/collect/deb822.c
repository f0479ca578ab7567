#include "collect/deb822.h"

#include <string.h>

struct deb822 deb822_of(const char *data, size_t size)
{
    return (struct deb822){.data = data, .size = data ? size : 0};
}

/* str_is_space() and str_lower(), here so that the compiler can see into them: whole lists of
 * packages go through this file. */
static inline bool is_space(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

static inline char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c + 32) : c;
}

static void trim(const char **text, size_t *length)
{
    const char *start = *text, *end = start + *length;
    while (start < end && is_space(*start))
        start++;
    while (start < end && is_space(end[-1]))
        end--;
    *text = start;
    *length = (size_t)(end - start);
}

/* The end of the line at `position`, without CR, and where the next one begins. */
static size_t line_end(const struct deb822 *r, size_t position, size_t *next)
{
    const char *end = memchr(r->data + position, '\n', r->size - position);
    size_t stop = end ? (size_t)(end - r->data) : r->size;
    *next = end ? stop + 1 : r->size;
    return stop > position && r->data[stop - 1] == '\r' ? stop - 1 : stop;
}

/* Takes the continuation lines at `next`; comments count only with one behind them. */
static size_t continuation(struct deb822 *r, size_t stop, size_t *next)
{
    size_t at = *next;
    uint64_t lines = 0;
    while (at < r->size && (r->data[at] == ' ' || r->data[at] == '\t' || r->data[at] == '#')) {
        bool comment = r->data[at] == '#';
        size_t end = line_end(r, at, &at);
        lines++;
        if (!comment) {
            stop = end;
            *next = at;
            r->line += lines;
            lines = 0;
        }
    }
    return stop;
}

enum deb822_event deb822_next(struct deb822 *r, struct deb822_field *field)
{
    while (r->position < r->size) {
        size_t start = r->position, next, stop = line_end(r, start, &next);
        r->position = next;
        r->line++;
        if (stop == start) {
            if (!r->in_stanza)
                continue;
            r->in_stanza = false;
            return DEB822_END_OF_STANZA;
        }
        char first = r->data[start];
        if (first == '#')
            continue;
        const char *colon =
            first == ' ' || first == '\t' ? NULL : memchr(r->data + start, ':', stop - start);
        if (!colon || colon == r->data + start) {
            if (!r->malformed++)
                r->malformed_line = r->line;
            continue;
        }
        *field = (struct deb822_field){.name = r->data + start,
                                       .name_length = (size_t)(colon - r->data) - start,
                                       .value = colon + 1,
                                       .line = r->line};
        if (next < r->size &&
            (r->data[next] == ' ' || r->data[next] == '\t' || r->data[next] == '#'))
            stop = continuation(r, stop, &next);
        r->position = next;
        field->value_length = (size_t)(r->data + stop - field->value);
        trim(&field->value, &field->value_length);
        trim(&field->name, &field->name_length);
        r->in_stanza = true;
        return DEB822_FIELD;
    }
    if (r->in_stanza) {
        r->in_stanza = false;
        return DEB822_END_OF_STANZA;
    }
    return DEB822_END;
}

bool deb822_is(const struct deb822_field *field, const char *name)
{
    for (size_t i = 0; i < field->name_length; i++)
        if (!name[i] || lower(field->name[i]) != lower(name[i])) /* the field may hold a NUL */
            return false;
    return !name[field->name_length];
}

char *deb822_value(struct arena *arena, const struct deb822_field *field)
{
    return arena_strndup(arena, field->value ? field->value : "", field->value_length);
}

/* Passes over a field whose first letter is not among the wanted ones, without a look inside.
 * True where there was one. */
static bool skip_field(struct deb822 *r, uint32_t letters)
{
    if (!r->in_stanza || r->position >= r->size)
        return false;
    char first = lower(r->data[r->position]);
    if (first < 'a' || first > 'z' || (letters & 1u << (first - 'a')))
        return false;
    size_t next, stop = line_end(r, r->position, &next);
    if (!memchr(r->data + r->position, ':', stop - r->position))
        return false; /* no field: deb822_next() counts it */
    r->line++;
    if (next < r->size && (is_space(r->data[next]) || r->data[next] == '#') &&
        r->data[next] != '\n' && r->data[next] != '\r')
        continuation(r, stop, &next);
    r->position = next;
    return true;
}

bool deb822_stanza(struct deb822 *r, const char *const *names, struct deb822_field *values,
                   size_t count, uint64_t *line)
{
    struct deb822_field field;
    memset(values, 0, count * sizeof *values);
    uint64_t first = 0;
    uint32_t letters = 0;
    for (size_t i = 0; i < count; i++)
        letters |= 1u << (lower(names[i][0]) - 'a');
    for (;;) {
        if (skip_field(r, letters))
            continue;
        enum deb822_event event = deb822_next(r, &field);
        if (event == DEB822_END)
            return false;
        if (event == DEB822_END_OF_STANZA) {
            if (line)
                *line = first;
            return true;
        }
        if (!first)
            first = field.line;
        for (size_t i = 0; i < count; i++)
            if (lower(field.name[0]) == lower(names[i][0]) && deb822_is(&field, names[i]))
                values[i] = field;
    }
}

bool deb822_word(const struct deb822_field *field, size_t *position, const char **word,
                 size_t *length)
{
    const char *value = field->value;
    size_t size = field->value_length, i = *position;
    for (;;) {
        while (i < size && is_space(value[i]))
            i++;
        if (i >= size || value[i] != '#' || i == 0 || value[i - 1] != '\n')
            break;
        while (i < size && value[i] != '\n')
            i++;
    }
    size_t start = i;
    while (i < size && !is_space(value[i]))
        i++;
    *position = i;
    *word = value + start;
    *length = i - start;
    return i > start;
}
