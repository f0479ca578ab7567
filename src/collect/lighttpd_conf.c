#include "collect/lighttpd_conf.h"

#include "base/language.h"
#include "base/str.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

enum {
    MOST_TEXT = 65536,
    MOST_ITEMS = 200000, /* of all arrays, copies included */
    MOST_IN_ARRAY = 4096,
    MOST_ARRAYS = 16 /* arrays in arrays */
};

/* What lies between the files: how much was made so far. */
struct reading {
    struct conf_reading *r;
    const char *folder;
    size_t items, blocks;
};

enum token { END, NEWLINE, TEXT, NUMBER, NAME, CONDITION, SIGN, WRONG };

struct parser {
    struct reading *reading;
    const char *path, *text;
    size_t size, at;
    uint64_t line;
    enum token token;
    struct str word; /* of the token */
    unsigned inside; /* parentheses: newlines mean nothing there */
    bool failed;
};

static struct arena *arena_of(const struct parser *p)
{
    return p->reading->r->c->arena;
}

static void fail(struct parser *p, const char *reason)
{
    if (!p->failed)
        conf_unread(p->reading->r, p->path, p->line, reason);
    p->failed = true;
    p->token = END;
}

/* --- tokens --- */

static char peek(const struct parser *p)
{
    return p->at < p->size ? p->text[p->at] : '\0';
}

static bool is_name_byte(char c)
{
    return str_is_digit(c) || (str_lower(c) >= 'a' && str_lower(c) <= 'z') || c == '_' ||
           c == '-' || c == '.';
}

/* Only \" is an escape; every other backslash stays (configfile.c). */
static void take_text(struct parser *p)
{
    p->token = TEXT;
    for (p->at++; p->at < p->size && peek(p) != '"'; p->at++) {
        if (peek(p) == '\\' && p->at + 1 < p->size && p->text[p->at + 1] == '"')
            p->at++;
        p->line += peek(p) == '\n';
        str_add_char(&p->word, peek(p));
    }
    if (p->at == p->size)
        fail(p, _("a string does not end"));
    else
        p->at++;
}

/* $HTTP["host"]: the word becomes HTTP["host"]. */
static void take_condition(struct parser *p)
{
    p->token = CONDITION;
    for (p->at++; p->at < p->size && peek(p) != ']' && peek(p) != '\n'; p->at++)
        if (!str_is_space(peek(p)))
            str_add_char(&p->word, peek(p));
    if (peek(p) != ']')
        fail(p, _("a condition does not end"));
    else
        str_add_char(&p->word, p->text[p->at++]);
}

static void take_sign(struct parser *p)
{
    static const char *const signs[] = {
        "=>", "==", "=~", "=^", "=$", "!=", "!~", "+=", ":=", "=", "+", ",", "(", ")", "{", "}"};
    p->token = SIGN;
    for (size_t i = 0; i < ARRAY_COUNT(signs); i++) {
        size_t length = strlen(signs[i]);
        if (p->size - p->at >= length && !memcmp(p->text + p->at, signs[i], length)) {
            str_add(&p->word, signs[i]);
            p->at += length;
            return;
        }
    }
    fail(p, _("a byte that means nothing here"));
}

static void skip_blank(struct parser *p)
{
    while (p->at < p->size) {
        if (peek(p) == '#')
            while (p->at < p->size && peek(p) != '\n')
                p->at++;
        else if (str_is_space(peek(p)) && (peek(p) != '\n' || p->inside))
            p->line += p->text[p->at++] == '\n';
        else
            return;
    }
}

static void next(struct parser *p)
{
    str_clear(&p->word);
    skip_blank(p);
    if (p->failed || p->at == p->size) {
        p->token = END;
    } else if (peek(p) == '\n') {
        p->token = NEWLINE;
        p->at++;
        p->line++;
    } else if (peek(p) == '"') {
        take_text(p);
    } else if (peek(p) == '$') {
        take_condition(p);
    } else if (is_name_byte(peek(p))) {
        p->token = str_is_digit(peek(p)) ? NUMBER : NAME;
        while (p->at < p->size && is_name_byte(peek(p)))
            str_add_char(&p->word, p->text[p->at++]);
    } else {
        take_sign(p);
    }
}

static bool is_sign(const struct parser *p, const char *sign)
{
    return p->token == SIGN && str_equal(str_text(&p->word), sign);
}

static bool is_name(const struct parser *p, const char *name)
{
    return p->token == NAME && str_equal(str_text(&p->word), name);
}

static char *word(const struct parser *p)
{
    return arena_strdup(arena_of(p), str_text(&p->word));
}

static void expect(struct parser *p, const char *sign)
{
    if (!is_sign(p, sign))
        fail(p, arena_printf(arena_of(p), _("a %s is missing"), sign));
    else
        next(p);
}

static void skip_lines(struct parser *p)
{
    while (p->token == NEWLINE)
        next(p);
}

/* --- values --- */

/* A variable without a dot is one of var. */
static const char *full_key(const struct parser *p, const char *name)
{
    return strchr(name, '.') ? name : arena_printf(arena_of(p), "var.%s", name);
}

static struct light_value variable(struct parser *p, const struct light_block *block)
{
    const char *key = full_key(p, str_text(&p->word));
    const struct light_setting *s = lighttpd_conf_find(block, key);
    if (s)
        return s->value;
    return (struct light_value){
        .type = LIGHT_TEXT, .not_known = true, .text = arena_printf(arena_of(p), "${%s}", key)};
}

static bool may_hold(struct parser *p, size_t count)
{
    p->reading->items += count;
    if (p->reading->items > MOST_ITEMS)
        fail(p, _("there are more values than are read"));
    return !p->failed;
}

static struct light_value value(struct parser *p, const struct light_block *block, unsigned depth);

static struct light_value sum(struct parser *p, struct light_value a, struct light_value b)
{
    struct arena *arena = arena_of(p);
    uint64_t x, y;
    if (a.type == LIGHT_ARRAY && b.type == LIGHT_ARRAY) {
        if (a.count + b.count > MOST_IN_ARRAY)
            fail(p, _("an array has more values than are read"));
        if (!may_hold(p, a.count + b.count))
            return a;
        struct light_item *items = arena_alloc(arena, (a.count + b.count + 1) * sizeof *items);
        size_t count = a.count;
        if (count)
            memcpy(items, a.items, count * sizeof *items);
        for (size_t i = 0; i < b.count; i++)
            items[count++] = b.items[i];
        return (struct light_value){
            .type = LIGHT_ARRAY, .items = items, .count = count, .text = ""};
    }
    if (a.type == LIGHT_ARRAY || b.type == LIGHT_ARRAY ||
        strlen(a.text) + strlen(b.text) > MOST_TEXT) {
        fail(p, _("these values cannot be added"));
        return a;
    }
    if (a.type == LIGHT_NUMBER && b.type == LIGHT_NUMBER && str_to_u64(a.text, &x) &&
        str_to_u64(b.text, &y)) {
        a.text = arena_printf(arena, "%" PRIu64, x + y);
        return a;
    }
    return (struct light_value){.type = LIGHT_TEXT,
                                .not_known = a.not_known || b.not_known,
                                .text = arena_printf(arena, "%s%s", a.text, b.text)};
}

static struct light_value expression(struct parser *p, const struct light_block *block,
                                     unsigned depth)
{
    struct light_value v = value(p, block, depth);
    while (!p->failed && is_sign(p, "+")) {
        next(p);
        v = sum(p, v, value(p, block, depth));
    }
    return v;
}

static struct light_value array(struct parser *p, const struct light_block *block, unsigned depth)
{
    VEC(struct light_item) items = {0};
    p->inside++;
    next(p);
    while (!p->failed && !is_sign(p, ")") && may_hold(p, 1)) {
        struct light_item item = {.key = "", .value = expression(p, block, depth + 1)};
        if (is_sign(p, "=>")) {
            next(p);
            item.key = item.value.text;
            item.value = expression(p, block, depth + 1);
        }
        VEC_PUSH(&items, item);
        if (!is_sign(p, ","))
            break;
        next(p);
    }
    p->inside--;
    expect(p, ")");
    struct light_value v = {.type = LIGHT_ARRAY, .count = items.count, .text = ""};
    v.items = arena_dup(arena_of(p), items.items, items.count * sizeof *items.items);
    VEC_FREE(&items);
    return v;
}

static struct light_value value(struct parser *p, const struct light_block *block, unsigned depth)
{
    struct light_value v = {.type = LIGHT_TEXT, .text = ""};
    if (depth > MOST_ARRAYS)
        fail(p, _("arrays lie deeper in arrays than is read"));
    else if (is_sign(p, "("))
        return array(p, block, depth);
    else if (p->token == NAME)
        v = variable(p, block);
    else if (p->token == TEXT || p->token == NUMBER)
        v = (struct light_value){.type = p->token == TEXT ? LIGHT_TEXT : LIGHT_NUMBER,
                                 .text = word(p)};
    else
        fail(p, _("a value is missing"));
    next(p);
    return v;
}

/* --- statements --- */

const struct light_setting *lighttpd_conf_find(const struct light_block *block, const char *key)
{
    for (; block; block = block->parent)
        for (const struct light_setting *s = block->settings; s; s = s->next)
            if (str_equal(s->key, key))
                return s;
    return NULL;
}

static void assign(struct parser *p, struct light_block *block)
{
    const char *key = full_key(p, word(p));
    uint64_t line = p->line;
    next(p);
    bool adds = is_sign(p, "+=");
    if (!adds && !is_sign(p, "=") && !is_sign(p, ":=")) {
        fail(p, _("an = is missing"));
        return;
    }
    next(p);
    struct light_value v = expression(p, block, 0);
    const struct light_setting *before = adds ? lighttpd_conf_find(block, key) : NULL;
    if (before && !p->failed)
        v = sum(p, before->value, v);
    if (p->failed || !may_hold(p, 1))
        return;
    struct light_setting *s = block->settings;
    while (s && !str_equal(s->key, key))
        s = s->next;
    if (!s) {
        s = arena_alloc(arena_of(p), sizeof *s);
        s->key = key;
        s->next = block->settings;
        block->settings = s;
    }
    s->value = v;
    s->path = p->path;
    s->line = line;
}

static void read_file(struct reading *reading, struct light_block *block, const char *path);

static void include(struct parser *p, struct light_block *block)
{
    next(p);
    uint64_t line = p->line;
    struct light_value v = expression(p, block, 0);
    const char *const *paths;
    size_t count;
    if (p->failed)
        return;
    if (v.not_known || v.type == LIGHT_ARRAY || strchr(v.text, '{')) {
        conf_unread(p->reading->r, p->path, line, _("what is included here is not known"));
        return;
    }
    conf_paths(p->reading->r, conf_beneath(arena_of(p), p->reading->folder, v.text), &paths,
               &count);
    for (size_t i = 0; i < count; i++)
        read_file(p->reading, block, paths[i]);
}

static void include_shell(struct parser *p, struct light_block *block)
{
    next(p);
    uint64_t line = p->line;
    struct light_value v = expression(p, block, 0);
    if (!p->failed)
        conf_unread(p->reading->r, p->path, line,
                    arena_printf(arena_of(p), _("include_shell is not run: %.200s"), v.text));
}

static void statements(struct parser *p, struct light_block *block, unsigned depth);

static struct light_block *open_block(struct parser *p, struct light_block *parent)
{
    if (++p->reading->blocks > CONF_MOST_NODES) {
        fail(p, _("there are more conditions than are read"));
        return parent;
    }
    struct light_block *b = arena_alloc(arena_of(p), sizeof *b);
    *b = (struct light_block){
        .key = "", .op = "", .text = "", .parent = parent, .path = p->path, .line = p->line};
    if (parent->last)
        parent->last->next = b;
    else
        parent->first = b;
    parent->last = b;
    return b;
}

static void braces(struct parser *p, struct light_block *block, unsigned depth)
{
    skip_lines(p);
    expect(p, "{");
    if (depth == CONF_MOST_NESTED)
        fail(p, _("blocks lie deeper in blocks than is read"));
    statements(p, block, depth + 1);
    expect(p, "}");
}

static void condition(struct parser *p, struct light_block *parent, bool is_else, unsigned depth)
{
    const struct light_block *before = parent->last;
    struct light_block *b = open_block(p, parent);
    b->is_else = is_else;
    if (p->token == CONDITION) {
        b->key = word(p);
        next(p);
        b->op = word(p);
        if (p->token != SIGN || strlen(b->op) != 2)
            fail(p, _("a comparison is missing"));
        next(p);
        b->text = expression(p, parent, 0).text;
    } else { /* about what the condition before it is about */
        b->key = before ? before->key : "";
        b->op = "else";
    }
    braces(p, b, depth);
}

static void statement(struct parser *p, struct light_block *block, unsigned depth)
{
    if (p->token == CONDITION) {
        condition(p, block, false, depth);
    } else if (is_name(p, "else") || is_name(p, "elseif") || is_name(p, "elsif")) {
        next(p);
        if (is_name(p, "if"))
            next(p);
        condition(p, block, true, depth);
    } else if (is_name(p, "include")) {
        include(p, block);
    } else if (is_name(p, "include_shell")) {
        include_shell(p, block);
    } else if (is_name(p, "global")) {
        while (block->parent)
            block = block->parent;
        next(p);
        braces(p, block, depth);
    } else if (p->token == NAME) {
        assign(p, block);
    } else {
        fail(p, _("a setting or a condition is missing"));
    }
}

static void statements(struct parser *p, struct light_block *block, unsigned depth)
{
    for (;;) {
        skip_lines(p);
        if (p->failed || p->token == END || is_sign(p, "}"))
            return;
        statement(p, block, depth);
    }
}

static void read_file(struct reading *reading, struct light_block *block, const char *path)
{
    size_t size;
    char *text = conf_open(reading->r, path, &size);
    if (!text)
        return;
    struct parser p = {.reading = reading,
                       .text = text,
                       .size = size,
                       .line = 1,
                       .path = arena_strdup(reading->r->c->arena, path)};
    next(&p);
    statements(&p, block, 0);
    if (!p.failed && p.token != END)
        fail(&p, _("an unexpected }"));
    str_free(&p.word);
    conf_close(reading->r);
}

struct light_block *lighttpd_conf_read(struct conf_reading *r, const char *folder, const char *path)
{
    struct light_block *all = arena_alloc(r->c->arena, sizeof *all);
    *all = (struct light_block){.key = "", .op = "", .text = "", .path = path};
    struct reading reading = {.r = r, .folder = folder};
    read_file(&reading, all, path);
    return all;
}
