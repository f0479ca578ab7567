#include "collect/xml_tags.h"

#include "base/str.h"

struct xml_tags xml_tags_of(struct arena *arena, const char *text, size_t size)
{
    return (struct xml_tags){.arena = arena, .text = text, .size = size, .line = 1, .name = ""};
}

static bool damaged(struct xml_tags *x)
{
    x->damaged = true;
    return false;
}

static void go(struct xml_tags *x, size_t to)
{
    for (; x->at < to; x->at++)
        x->line += x->text[x->at] == '\n';
}

static bool here(const struct xml_tags *x, const char *word)
{
    size_t n = strlen(word);
    return x->size - x->at >= n && memcmp(x->text + x->at, word, n) == 0;
}

/* Behind the next `word`. */
static bool go_behind(struct xml_tags *x, const char *word)
{
    size_t n = strlen(word);
    const char *found = memmem(x->text + x->at, x->size - x->at, word, n);
    if (!found)
        return damaged(x);
    go(x, (size_t)(found - x->text) + n);
    return true;
}

/* <!DOCTYPE name SYSTEM "..." [ ... ]>: '>' within quotes and brackets does not end it. */
static bool skip_doctype(struct xml_tags *x)
{
    bool brackets = false;
    while (x->at < x->size) {
        char c = x->text[x->at];
        if (c == '"' || c == '\'') {
            go(x, x->at + 1);
            if (!go_behind(x, (char[]){c, '\0'}))
                return false;
            continue;
        }
        if (here(x, "<!--")) {
            if (!go_behind(x, "-->"))
                return false;
            continue;
        }
        x->entities |= here(x, "<!ENTITY");
        brackets = c == '[' || (brackets && c != ']');
        go(x, x->at + 1);
        if (c == '>' && !brackets)
            return true;
    }
    return damaged(x);
}

static void skip_space(struct xml_tags *x)
{
    while (x->at < x->size && str_is_space(x->text[x->at]))
        go(x, x->at + 1);
}

static const char *take_name(struct xml_tags *x)
{
    size_t start = x->at;
    while (x->at < x->size && !str_is_space(x->text[x->at]) && !strchr("<>/=\"'", x->text[x->at]))
        x->at++;
    return arena_strndup(x->arena, x->text + start, x->at - start);
}

static const char *plain(struct arena *arena, const char *value, size_t size)
{
    static const struct {
        const char *entity, *text;
    } known[] = {{"&amp;", "&"}, {"&lt;", "<"}, {"&gt;", ">"}, {"&quot;", "\""}, {"&apos;", "'"}};
    char *out = arena_alloc(arena, size + 1);
    size_t length = 0;
    for (size_t i = 0; i < size;) {
        size_t k = 0;
        while (k < ARRAY_COUNT(known) &&
               (size - i < strlen(known[k].entity) ||
                memcmp(value + i, known[k].entity, strlen(known[k].entity)) != 0))
            k++;
        out[length++] = k < ARRAY_COUNT(known) ? *known[k].text : value[i];
        i += k < ARRAY_COUNT(known) ? strlen(known[k].entity) : 1;
    }
    out[length] = '\0';
    return out;
}

static bool take_attribute(struct xml_tags *x)
{
    const char *name = take_name(x);
    skip_space(x);
    if (!*name || x->at == x->size || x->text[x->at] != '=' || x->count == XML_MOST_ATTRIBUTES)
        return damaged(x);
    x->at++;
    skip_space(x);
    char quote = x->at < x->size ? x->text[x->at] : '\0';
    if (quote != '"' && quote != '\'')
        return damaged(x);
    const char *start = x->text + x->at + 1;
    const char *end = memchr(start, quote, x->size - x->at - 1);
    if (!end)
        return damaged(x);
    x->attributes[x->count].name = name;
    x->attributes[x->count++].value = plain(x->arena, start, (size_t)(end - start));
    go(x, (size_t)(end - x->text) + 1);
    return true;
}

static bool take_tag(struct xml_tags *x)
{
    x->at++; /* '<' */
    x->closes = here(x, "/");
    x->at += x->closes;
    x->empty = false;
    x->count = 0;
    x->name = take_name(x);
    for (;;) {
        skip_space(x);
        if (here(x, "/>") || here(x, ">")) {
            x->empty = x->text[x->at] == '/';
            x->at += x->empty ? 2 : 1;
            return *x->name || damaged(x);
        }
        if (!take_attribute(x))
            return false;
    }
}

bool xml_tags_next(struct xml_tags *x)
{
    static const struct {
        const char *opens, *ends;
    } passed[] = {{"<!--", "-->"}, {"<?", "?>"}, {"<![CDATA[", "]]>"}};
    while (!x->damaged) {
        const char *open = memchr(x->text + x->at, '<', x->size - x->at);
        if (!open)
            return false;
        go(x, (size_t)(open - x->text));
        size_t i = 0;
        while (i < ARRAY_COUNT(passed) && !here(x, passed[i].opens))
            i++;
        if (i < ARRAY_COUNT(passed))
            go_behind(x, passed[i].ends);
        else if (here(x, "<!"))
            skip_doctype(x);
        else
            return take_tag(x);
    }
    return false;
}

const char *xml_tags_get(const struct xml_tags *x, const char *name)
{
    for (size_t i = 0; i < x->count; i++)
        if (str_equal(x->attributes[i].name, name))
            return x->attributes[i].value;
    return NULL;
}
