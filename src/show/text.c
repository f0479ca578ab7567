#include "show/characters.h"

#include "base/json.h"
#include "base/str.h"

#include <stdlib.h>
#include <sys/ioctl.h>
#include <unistd.h>
#include <wchar.h>

void show_init(struct show *s, FILE *out, bool json)
{
    const char *no_colour = getenv("NO_COLOR"), *columns = getenv("COLUMNS"),
               *term = getenv("TERM");
    struct winsize size;
    bool terminal = isatty(fileno(out));
    *s = (struct show){.out = out, .json = json, .width = 80};
    s->colour = terminal && !(no_colour && *no_colour) && term && !str_equal(term, "dumb");
    uint64_t wish;
    if (columns && str_to_u64(columns, &wish) && wish >= 40 && wish <= 400)
        s->width = (unsigned)wish;
    else if (terminal && ioctl(fileno(out), TIOCGWINSZ, &size) == 0 && size.ws_col >= 40)
        s->width = size.ws_col;
    s->table_width = s->width;
    if (s->width > 120)
        s->width = 120; /* longer lines are hard to read; rows of a table are not */
}

const char *show_plain_message(struct arena *arena, const struct message *m)
{
    struct message translated = *m;
    translated.id = language_text(m->id);
    for (size_t i = 0; i < m->argument_count; i++)
        if (m->arguments[i].translate)
            translated.arguments[i].value = language_text(m->arguments[i].value);
    return message_text(arena, &translated);
}

const char *show_message(struct arena *arena, const struct message *m)
{
    return show_with_commands(arena, show_plain_message(arena, m));
}

/* What stands for the value of a finding's record. Other words in braces are the text's own. */
static const char *const places[] = {
    N_("address"), N_("allowoverride"), N_("anonymous_groups"),
    N_("args"),    N_("extension"),     N_("flags"),
    N_("handler"), N_("instance"),      N_("name"),
    N_("path"),    N_("pid"),           N_("port"),
    N_("process"), N_("root"),          N_("server"),
    N_("service"), N_("service_pack"),  N_("state"),
    N_("subject"), N_("tool"),          N_("user"),
    N_("version"), N_("what"),
};

const char *show_places(struct arena *arena, const char *id)
{
    struct message m = message_of(NULL);
    const char *text = language_text(id);
    for (size_t i = 0; i < ARRAY_COUNT(places); i++) {
        m.id = text;
        m.argument_count = 0;
        message_put(&m, places[i], arena_printf(arena, "‹%s›", _(places[i])));
        text = message_text(arena, &m);
    }
    return text;
}

size_t show_character(const char *text, unsigned *columns)
{
    wchar_t wide;
    mbstate_t state = {0};
    size_t n = str_steering(text, strnlen(text, 4));
    *columns = 1;
    if (n)
        return n;
    n = mbrtowc(&wide, text, 4, &state);
    if (n == (size_t)-1 || n == (size_t)-2 || !n)
        return 1;
    int width = wcwidth(wide);
    *columns = width < 0 ? 1 : (unsigned)width;
    return n;
}

unsigned show_columns(const char *text)
{
    unsigned total = 0, columns;
    while (*text) {
        text += show_character(text, &columns);
        total += columns;
    }
    return total;
}

void show_put(struct show *s, const char *text, size_t length)
{
    for (size_t i = 0; i < length;) {
        size_t steering = str_steering(text + i, length - i);
        unsigned char c = (unsigned char)text[i];
        fputc(steering || c < 0x20 ? ' ' : c, s->out);
        i += steering ? steering : 1;
    }
}

void show_cell(struct show *s, const char *text, unsigned columns)
{
    unsigned total = show_columns(text), used = 0;
    unsigned room = total > columns && columns ? columns - 1 : columns;
    while (*text) {
        unsigned width;
        size_t n = show_character(text, &width);
        if (used + width > room)
            break;
        show_put(s, text, n);
        text += n;
        used += width;
    }
    if (*text && columns) {
        fputs("…", s->out);
        used++;
    }
    for (; used < columns; used++)
        fputc(' ', s->out);
}

const char *show_patch(const struct advisories *set, const char *key)
{
    const struct advisory_patch *const *patches;
    size_t count = strchr(key, ':') ? advisories_patches(set, "", &patches) : 0;
    for (size_t i = 0; i < count; i++)
        if (str_equal_nocase(patches[i]->key, key))
            return language_text(patches[i]->title);
    return key;
}

void show_hint(struct show *s, const char *what, const char *command)
{
    CLEANUP_STR struct str line = {0};
    str_printf(&line, "%s %s", what, command);
    show_wrap(s, "", 2, str_text(&line));
}

void show_colour(struct show *s, enum show_colour c)
{
    static const char *const codes[] = {"\033[0m",  "\033[1m",  "\033[1;31m",
                                        "\033[33m", "\033[32m", "\033[2m"};
    if (s->colour)
        fputs(codes[c], s->out);
}

/* JSON leaves U+007F and above as they are; on a terminal some of them steer. All such characters
 * are below U+10000, and stand in strings. */
void show_json_line(struct show *s, json_t *object)
{
    CLEANUP_FREE char *text = json_dumps(object, JSON_LINE);
    for (const char *p = text ? text : ""; *p;) {
        wchar_t wide;
        mbstate_t state = {0};
        size_t steering = str_steering(p, strnlen(p, 4));
        if (steering && mbrtowc(&wide, p, steering, &state) == steering)
            fprintf(s->out, "\\u%04X", (unsigned)wide);
        else
            fputc(*p, s->out);
        p += steering ? steering : 1;
    }
    fputc('\n', s->out);
    json_decref(object);
}

const char *show_severity(enum severity severity)
{
    static const char *const names[] = {N_("info"), N_("low"), N_("medium"), N_("high"),
                                        N_("critical")};
    return gettext(names[severity]);
}

const char *show_verdict(enum verdict verdict)
{
    static const char *const names[] = {
        [VERDICT_AFFECTED] = N_("open"),
        [VERDICT_BROKEN] = N_("broken: apply again"),
        [VERDICT_UNKNOWN] = N_("cannot judge"),
        [VERDICT_FIXED] = N_("fixed"),
        [VERDICT_NOT_AFFECTED] = N_("not affected"),
        [VERDICT_ACCEPTED] = N_("accepted"),
    };
    return gettext(names[verdict]);
}

const char *show_confidence(enum confidence confidence)
{
    static const char *const names[] = {N_("low"), N_("medium"), N_("high")};
    return gettext(names[confidence]);
}
