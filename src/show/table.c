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

static unsigned total(const unsigned *widths, size_t count)
{
    unsigned sum = 0;
    for (size_t i = 0; i < count; i++)
        sum += widths[i] + (widths[i] && sum ? GAP : 0);
    return sum;
}

/* Where not all fit: the last column gives way down to LEAST_LAST, then the widest of the others,
 * and at last whichever is the widest. */
static void fit(unsigned *widths, size_t count, unsigned room)
{
    unsigned *last = &widths[count - 1];
    for (unsigned sum; (sum = total(widths, count)) > room;) {
        unsigned over = sum - room;
        size_t widest = 0;
        for (size_t i = 0; i + 1 < count; i++)
            widest = widths[i] > widths[widest] ? i : widest;
        if (*last > LEAST_LAST)
            *last = *last > over + LEAST_LAST ? *last - over : LEAST_LAST;
        else if (widths[widest] > LEAST || (*last <= LEAST && widths[widest] > 1))
            widths[widest]--;
        else if (*last > LEAST)
            (*last)--;
        else
            return;
    }
}

static void print_line(struct show *s, const struct show_table *t, size_t number,
                       const unsigned *widths, bool whole, bool beneath)
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
    if (beneath && number && *cell(t, number, t->columns - 1))
        show_wrap(s, "    ", 4, cell(t, number, t->columns - 1));
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
    /* Beside the others there may be no room for a sentence: it goes on a line of its own. */
    unsigned room = s->table_width - t->indent, *last = &widths[t->columns - 1];
    unsigned others = total(widths, t->columns - 1) + GAP;
    bool beneath = whole && others + (*last < LEAST_LAST ? *last : LEAST_LAST) > room;
    if (beneath)
        *last = 0;
    fit(widths, t->columns, room);
    for (size_t i = 0; i < t->lines.count; i++)
        print_line(s, t, i, widths, whole, beneath);
    VEC_FREE(&t->lines);
}
