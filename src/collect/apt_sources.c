#include "collect/apt_sources.h"

#include "collect/deb822.h"

#include <stdlib.h>

enum { MOST_SOURCES = 2000, MOST_WORD = 4096 };

void apt_sources_free(struct apt_sources *sources)
{
    VEC_FREE(&sources->list);
}

static void add_word(struct apt_words *words, const char *word)
{
    if (*word && words->count < APT_SOURCE_MOST_WORDS)
        words->items[words->count++] = word;
}

static void add_list(struct apt_words *words, struct arena *arena, const char *list,
                     const char *separators)
{
    char *save = NULL, *copy = arena_strdup(arena, list);
    for (char *w = strtok_r(copy, separators, &save); w; w = strtok_r(NULL, separators, &save))
        add_word(words, w);
}

static const char *with_arch(struct arena *arena, const char *text, const char *native)
{
    static const char place[] = "$(ARCH)";
    CLEANUP_STR struct str out = {0};
    const char *next;
    if (!strstr(text, place))
        return text;
    while ((next = strstr(text, place))) {
        str_add_bytes(&out, text, (size_t)(next - text));
        str_add(&out, native ? native : "");
        text = next + sizeof place - 1;
    }
    str_add(&out, text);
    return arena_strdup(arena, str_text(&out));
}

static void add_source(struct apt_sources *out, struct arena *arena, struct apt_source s,
                       const char *native)
{
    bool flat = *s.suite && str_ends(s.suite, "/");
    if (!*s.uri || !strchr(s.uri, ':') || !*s.suite || (flat && s.components.count) ||
        (!flat && !s.components.count) || out->list.count >= MOST_SOURCES) {
        out->malformed++;
        return;
    }
    s.uri = with_arch(arena, s.uri, native);
    if (!str_ends(s.uri, "/"))
        s.uri = arena_printf(arena, "%s/", s.uri);
    if (flat)
        s.suite = with_arch(arena, s.suite, native);
    VEC_PUSH(&out->list, s);
}

/* --- one line a source --- */

/* A word as apt takes it apart: "..." and [...] keep their white space. */
static const char *next_word(struct arena *arena, const char *line, size_t length, size_t *at)
{
    size_t i = *at;
    CLEANUP_STR struct str word = {0};
    while (i < length && str_is_space(line[i]))
        i++;
    if (i >= length)
        return NULL;
    char closing = 0;
    for (; i < length && (closing || !str_is_space(line[i])); i++) {
        char c = line[i];
        if (closing && c == closing)
            closing = 0;
        else if (!closing && (c == '"' || c == '['))
            closing = c == '"' ? '"' : ']';
        if (word.length < MOST_WORD)
            str_add_char(&word, c);
    }
    *at = i;
    return arena_strdup(arena, str_text(&word));
}

static size_t without_comment(const char *line, size_t length)
{
    char closing = 0;
    for (size_t i = 0; i < length; i++) {
        if (closing && line[i] == closing)
            closing = 0;
        else if (!closing && (line[i] == '"' || line[i] == '['))
            closing = line[i] == '"' ? '"' : ']';
        else if (!closing && line[i] == '#')
            return i;
    }
    return length;
}

static void take_option(struct apt_source *s, struct arena *arena, char *option)
{
    static const char *const names[] = {"arch=", "arch+=", "arch-="};
    struct apt_words *const lists[] = {&s->arches, &s->arches_added, &s->arches_removed};
    for (size_t i = 0; i < ARRAY_COUNT(names); i++)
        if (str_starts_nocase(option, names[i]))
            add_list(lists[i], arena, option + strlen(names[i]), ",");
}

static void parse_line(struct apt_sources *out, struct arena *arena, struct apt_source s,
                       const char *native, const char *line, size_t length)
{
    size_t at = 0;
    length = without_comment(line, length);
    const char *type = next_word(arena, line, length, &at);
    if (!type || str_equal(type, "deb-src"))
        return;
    const char *word = next_word(arena, line, length, &at);
    if (!str_equal(type, "deb") || !word) {
        out->malformed++;
        return;
    }
    if (*word == '[') {
        char *save = NULL, *options = arena_strdup(arena, word + 1);
        char *end = strrchr(options, ']');
        if (end)
            *end = '\0';
        for (char *o = strtok_r(options, " \t", &save); o; o = strtok_r(NULL, " \t", &save))
            take_option(&s, arena, o);
        word = next_word(arena, line, length, &at);
    }
    const char *suite = next_word(arena, line, length, &at);
    s.uri = word ? word : "";
    s.suite = suite ? suite : "";
    while ((word = next_word(arena, line, length, &at)))
        add_word(&s.components, word);
    add_source(out, arena, s, native);
}

void apt_sources_parse_lines(struct apt_sources *out, struct arena *arena, const char *path,
                             const char *native, const char *text, size_t size)
{
    size_t position = 0, length;
    const char *line;
    struct apt_source s = {.path = path};
    while (str_next_line(text, size, &position, &line, &length)) {
        s.line++;
        parse_line(out, arena, s, native, line, length);
    }
}

/* --- deb822 --- */

static void take_words(struct apt_words *words, struct arena *arena,
                       const struct deb822_field *field)
{
    size_t position = 0, length;
    const char *word;
    while (field->value && deb822_word(field, &position, &word, &length))
        add_word(words, arena_strndup(arena, word, length));
}

void apt_sources_parse_deb822(struct apt_sources *out, struct arena *arena, const char *path,
                              const char *native, const char *text, size_t size)
{
    enum { TYPES, URIS, SUITES, COMPONENTS, ARCHES, ARCHES_ADD, ARCHES_REMOVE, ENABLED, FIELDS };
    static const char *const names[FIELDS] = {"Types",
                                              "URIs",
                                              "Suites",
                                              "Components",
                                              "Architectures",
                                              "Architectures-Add",
                                              "Architectures-Remove",
                                              "Enabled"};
    struct deb822_field f[FIELDS];
    struct deb822 reader = deb822_of(text, size);
    struct apt_source s = {.path = path};
    while (deb822_stanza(&reader, names, f, FIELDS, &s.line)) {
        struct apt_words types = {0}, uris = {0}, suites = {0};
        struct apt_words none = {0};
        bool binary = false;
        s.components = s.arches = s.arches_added = s.arches_removed = none;
        if (f[ENABLED].value_length) {
            /* StringToBool() of apt knows these words for "no". */
            static const char *const no[] = {"no", "false", "without", "off", "disable", "0"};
            const char *enabled = deb822_value(arena, &f[ENABLED]);
            bool off = false;
            for (size_t i = 0; i < ARRAY_COUNT(no); i++)
                off = off || str_equal_nocase(enabled, no[i]);
            if (off)
                continue;
        }
        take_words(&types, arena, &f[TYPES]);
        take_words(&uris, arena, &f[URIS]);
        take_words(&suites, arena, &f[SUITES]);
        take_words(&s.components, arena, &f[COMPONENTS]);
        take_words(&s.arches, arena, &f[ARCHES]);
        take_words(&s.arches_added, arena, &f[ARCHES_ADD]);
        take_words(&s.arches_removed, arena, &f[ARCHES_REMOVE]);
        for (size_t i = 0; i < types.count; i++)
            binary = binary || str_equal(types.items[i], "deb");
        if (!types.count || !uris.count || !suites.count)
            out->malformed++;
        for (size_t u = 0; binary && u < uris.count; u++)
            for (size_t i = 0; i < suites.count; i++) {
                s.uri = uris.items[u];
                s.suite = suites.items[i];
                add_source(out, arena, s, native);
            }
    }
    out->malformed += reader.malformed;
}

/* --- what follows from a source --- */

static bool has(const struct apt_words *words, const char *word)
{
    for (size_t i = 0; i < words->count; i++)
        if (str_equal(words->items[i], word))
            return true;
    return false;
}

size_t apt_source_arches(const struct apt_source *s, const char *const *configured, size_t count,
                         const char **out, size_t most)
{
    const char *const *base = s->arches.count ? s->arches.items : configured;
    size_t base_count = s->arches.count ? s->arches.count : count, n = 0;
    for (size_t i = 0; i < base_count && n < most; i++)
        if (!has(&s->arches_removed, base[i]))
            out[n++] = base[i];
    for (size_t i = 0; i < s->arches_added.count && n < most; i++)
        out[n++] = s->arches_added.items[i];
    return n;
}

bool apt_source_is_flat(const struct apt_source *s)
{
    return str_ends(s->suite, "/");
}

bool apt_source_is_cdrom(const struct apt_source *s)
{
    return str_starts_nocase(s->uri, "cdrom:");
}

/* What follows "scheme:" and, if it is there, "//" and "user:password@". */
static const char *without_scheme(const char *uri, bool *has_host)
{
    const char *p = strchr(uri, ':') + 1;
    *has_host = str_starts(p, "//");
    if (!*has_host)
        return p;
    p += 2;
    size_t authority = strcspn(p, "/");
    const char *at = memrchr(p, '@', authority);
    return at ? at + 1 : p;
}

const char *apt_source_site(const struct apt_source *s, struct arena *arena)
{
    bool has_host;
    const char *p = without_scheme(s->uri, &has_host);
    return has_host ? arena_strndup(arena, p, strcspn(p, "/:")) : "";
}

const char *apt_source_index(const struct apt_source *s, struct arena *arena, const char *component,
                             const char *arch)
{
    return apt_source_is_flat(s) ? "Packages"
                                 : arena_printf(arena, "%s/binary-%s/Packages", component, arch);
}

/* Already quoted bytes ("%20") are those bytes: apt takes a URI apart before it quotes it. */
static void add_quoted(struct str *out, const char *text)
{
    for (const char *p = text; *p; p++) {
        unsigned char c = (unsigned char)*p;
        uint64_t code;
        char hex[3] = {p[1], p[1] ? p[2] : '\0', '\0'};
        if (c == '%' && hex[0] && hex[1] && str_hex_to_u64(hex, &code)) {
            c = (unsigned char)code;
            p += 2;
        }
        if (c == '/')
            str_add_char(out, '_');
        else if (c < 0x21 || c > 0x7e || strchr("\\|{}[]<>\"^~_=!@#$%&*", c))
            str_printf(out, "%%%02x", c);
        else
            str_add_char(out, (char)c);
    }
}

const char *apt_source_list_name(const struct apt_source *s, struct arena *arena, const char *file)
{
    bool has_host;
    CLEANUP_STR struct str out = {0};
    if (apt_source_is_cdrom(s)) { /* cdrom:[NAME]/: apt keeps it as the host NAME */
        const char *open = strchr(s->uri, '['), *close = open ? strrchr(open, ']') : NULL;
        if (close) {
            add_quoted(&out, arena_strndup(arena, open + 1, (size_t)(close - open - 1)));
            add_quoted(&out, close + 1);
        }
    } else {
        add_quoted(&out, without_scheme(s->uri, &has_host));
    }
    if (!apt_source_is_flat(s)) {
        add_quoted(&out, "dists/");
        add_quoted(&out, s->suite);
        str_add_char(&out, '_');
    } else if (!str_equal(s->suite, "/")) {
        add_quoted(&out, s->suite);
    }
    add_quoted(&out, file);
    return arena_strdup(arena, str_text(&out));
}
