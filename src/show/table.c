/* table.c - rows whose columns are as wide as what stands in them. */
#include "show/characters.h"

enum { GAP = 2, LEAST = 10, LEAST_LAST = 24 };

struct show_line *show_table_line(struct show_table *t, enum show_colour colour)
{
    struct show_line line = {.colour = colour};
    VEC_PUSH(&t->lines, line);
    return &t->lines.items[t->lines.count - 1];
}

static const char *cell(const struct show_table *t, size_t line, size_t column)
{
    const char *text = t->lines.items[line].cells[column];
    return text ? text : "";
}

/* Where not all fit: the last column gives way down to LEAST_LAST, then the widest of the others.
 */
static void fit(unsigned *widths, size_t count, unsigned room)
{
    for (unsigned total;;) {
        total = 0;
        size_t widest = 0;
        for (size_t i = 0; i < count; i++) {
            total += widths[i] + (widths[i] && total ? GAP : 0);
            if (i + 1 < count && widths[i] > widths[widest])
                widest = i;
        }
        if (total <= room)
            return;
        unsigned over = total - room;
        unsigned *last = &widths[count - 1];
        if (*last > LEAST_LAST)
            *last = *last > over + LEAST_LAST ? *last - over : LEAST_LAST;
        else if (widths[widest] > LEAST)
            widths[widest]--;
        else
            return;
    }
}

static void print_line(struct show *s, const struct show_table *t, size_t number,
                       const unsigned *widths, bool whole)
{
    const struct show_line *line = &t->lines.items[number];
    size_t last = 0;
    for (size_t i = 0; i < t->columns; i++)
        if (widths[i] && *cell(t, number, i))
            last = i;
    unsigned used = t->indent;
    show_colour(s, line->colour);
    fprintf(s->out, "%*s", (int)t->indent, "");
    for (size_t i = 0; i < last; i++) {
        if (!widths[i])
            continue;
        show_cell(s, cell(t, number, i), widths[i]);
        fprintf(s->out, "%*s", GAP, "");
        used += widths[i] + GAP;
    }
    const char *text = cell(t, number, last);
    unsigned columns = show_columns(text);
    if (whole && last + 1 == t->columns) {
        struct show narrow = *s;
        narrow.width = used + widths[last];
        show_wrap_here(&narrow, used, text);
    } else {
        show_cell(s, text, columns < widths[last] ? columns : widths[last]);
        fputc('\n', s->out);
    }
    show_colour(s, SHOW_PLAIN);
    if (line->below)
        show_wrap(s, "    ", 4, line->below);
}

void show_table(struct show *s, struct show_table *t, bool whole)
{
    unsigned widths[SHOW_MOST_COLUMNS] = {0};
    for (size_t i = 0; i < t->columns; i++) {
        for (size_t k = 1; k < t->lines.count; k++) {
            unsigned columns = show_columns(cell(t, k, i));
            widths[i] = columns > widths[i] ? columns : widths[i];
        }
        unsigned heading = t->lines.count ? show_columns(cell(t, 0, i)) : 0;
        if (widths[i] && heading > widths[i])
            widths[i] = heading;
    }
    fit(widths, t->columns, s->table_width - t->indent);
    for (size_t i = 0; i < t->lines.count; i++)
        print_line(s, t, i, widths, whole);
    VEC_FREE(&t->lines);
}
