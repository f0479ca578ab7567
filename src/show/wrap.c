/* wrap.c - paragraphs: where a line may break, and how a command is broken that is too long. */
#include "show/show.h"

#include "base/str.h"
#include "show/characters.h"

/* The first character of `text` is among the marks. */
static bool is_one_of(const char *marks, const char *text)
{
    unsigned columns;
    char one[5] = "";
    memcpy(one, text, *text ? show_character(text, &columns) : 0);
    return *one && strstr(marks, one);
}

/* What a line of Japanese does not begin with, and what it does not end with (JIS X 4051). */
static bool may_not_begin(const char *text)
{
    return is_one_of(
        "、。，．・：；！？」』）］｝〕〉》】ーぁぃぅぇぉっゃゅょァィゥェォッャュョ々…:)],.;!?%\"",
        text);
}

static bool may_not_end(const char *text)
{
    return is_one_of("「『（［｛〔〈《【([", text);
}

static bool is_wide(const char *text)
{
    unsigned columns;
    show_character(text, &columns);
    return columns == 2;
}

static bool is_break(char c)
{
    return !c || c == ' ' || c == '\n' || c == SHOW_COMMAND_BLANK;
}

/* What must stay together from here on: a word, or a wide character with the marks that belong
 * to it. Of a command whole words alone: the shell would take a break within one as part of it. */
static size_t piece(const char *text, bool whole_words, unsigned *columns)
{
    size_t n = 0;
    *columns = 0;
    while (!is_break(text[n])) {
        unsigned width;
        const char *here = text + n;
        n += show_character(here, &width);
        *columns += width;
        if (!whole_words && (is_wide(here) || is_wide(text + n)) && !is_break(text[n]) &&
            !may_not_begin(text + n) && !may_not_end(here))
            break;
    }
    return n;
}

/* As much of the N bytes as fits into so many columns, but at least one character. */
static size_t cut(const char *text, size_t n, unsigned room, unsigned *columns)
{
    size_t fits = 0;
    *columns = 0;
    while (fits < n) {
        unsigned width;
        size_t more = show_character(text + fits, &width);
        if (fits && *columns + width > room)
            break;
        fits += more;
        *columns += width;
    }
    return fits;
}

/* Columns of a command that begins here; 0 if none does. */
static unsigned command_columns(const char *text)
{
    unsigned total = 0;
    bool command = false;
    while (*text && *text != ' ' && *text != '\n') {
        unsigned width;
        command |= *text == SHOW_COMMAND_BLANK;
        text += show_character(text, &width);
        total += width;
    }
    return command ? total : 0;
}

/* Blanks are written when something follows them: no line ends with one. */
static void wrap(struct show *s, unsigned used, unsigned blanks, unsigned indent, const char *text)
{
    bool at_start = true, in_command = false;
    while (*text) {
        if (*text == ' ' || *text == '\n' || *text == SHOW_COMMAND_BLANK) {
            if (*text == '\n') {
                fputc('\n', s->out);
                used = blanks = indent;
                at_start = true;
            } else if (*text == ' ' || !at_start) {
                used++;
                blanks++;
            }
            in_command = *text++ == SHOW_COMMAND_BLANK;
            continue;
        }
        /* A command that fits into a line of its own is not broken; and one that is broken
         * needs two columns for " \" wherever it goes on. */
        unsigned columns, whole = in_command ? 0 : command_columns(text);
        size_t n = piece(text, in_command || whole, &columns);
        /* What fits into no line at all is cut where the line ends; an address is not, it is to be
         * opened. */
        bool endless = !in_command && !whole && columns > s->width - indent && !strstr(text, "://");
        if (endless)
            n = cut(text, n, at_start ? s->width - used : s->width - indent, &columns);
        unsigned room = s->width - (text[n] == SHOW_COMMAND_BLANK && s->width > 2 ? 2 : 0);
        bool too_wide = whole ? used + whole > s->width : used + columns > room;
        if (too_wide && !at_start) {
            fputs(in_command ? " \\\n" : "\n", s->out);
            used = blanks = indent + (in_command ? 2 : 0);
        }
        fprintf(s->out, "%*s", (int)blanks, "");
        blanks = 0;
        show_put(s, text, n);
        text += n;
        used += columns;
        at_start = false;
    }
    fputc('\n', s->out);
}

void show_wrap(struct show *s, const char *first, unsigned indent, const char *text)
{
    size_t length = strlen(first);
    while (length && first[length - 1] == ' ')
        length--;
    show_put(s, first, length);
    wrap(s, show_columns(first), (unsigned)(strlen(first) - length), indent, text);
}

void show_wrap_here(struct show *s, unsigned column, const char *text)
{
    wrap(s, column, 0, column, text);
}
