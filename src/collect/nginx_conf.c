#include "collect/nginx_conf.h"

#include "base/language.h"
#include "base/str.h"

struct lexer {
    struct conf_reading *r;
    const char *folder, *path;
    const char *text;
    size_t size, at;
    uint64_t line;
    struct str word;
    VEC(const char *) words;
    uint64_t begins; /* the line of the first word */
};

static char peek(const struct lexer *l)
{
    return l->at < l->size ? l->text[l->at] : '\0';
}

static char take(struct lexer *l)
{
    char c = l->text[l->at++];
    l->line += c == '\n';
    return c;
}

static bool ends_word(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n' || c == ';' || c == '{';
}

/* A backslash and the byte behind it: what they stand for. */
static void take_escaped(struct lexer *l)
{
    if (l->at == l->size)
        return;
    char c = take(l);
    switch (c) {
    case '"':
    case '\'':
    case '\\':
        break;
    case 't':
        c = '\t';
        break;
    case 'r':
        c = '\r';
        break;
    case 'n':
        c = '\n';
        break;
    default:
        str_add_char(&l->word, '\\');
    }
    str_add_char(&l->word, c);
}

static void take_word(struct lexer *l)
{
    str_clear(&l->word);
    char quote = peek(l) == '"' || peek(l) == '\'' ? take(l) : '\0';
    while (l->at < l->size) {
        char c = peek(l);
        if (quote ? c == quote : ends_word(c))
            break;
        take(l);
        if (c == '\\') {
            take_escaped(l);
            continue;
        }
        str_add_char(&l->word, c);
        if (c == '$' && peek(l) == '{')
            str_add_char(&l->word, take(l));
    }
    if (quote && l->at < l->size)
        take(l);
    if (l->words.count < CONF_MOST_ARGS)
        VEC_PUSH(&l->words, arena_strdup(l->r->c->arena, str_text(&l->word)));
}

/* Words up to the next `;`, `{` or `}`, which is given; '\0' at the end of the file. */
static char take_statement(struct lexer *l)
{
    l->words.count = 0;
    while (l->at < l->size) {
        char c = peek(l);
        if (str_is_space(c)) {
            take(l);
        } else if (c == '#') {
            while (l->at < l->size && peek(l) != '\n')
                take(l);
        } else if (c == ';' || c == '{' || c == '}') {
            if (!l->words.count)
                l->begins = l->line;
            return take(l);
        } else {
            if (!l->words.count)
                l->begins = l->line;
            take_word(l);
        }
    }
    return '\0';
}

/* Lua has quotes and comments of its own; braces in them are rare and end the file as unread. */
static void pass_over_block(struct lexer *l)
{
    for (size_t depth = 1; depth && l->at < l->size;) {
        char c = take(l);
        depth += c == '{';
        depth -= c == '}';
    }
}

static struct conf_node *add_statement(struct lexer *l, struct conf_node *parent, char end)
{
    if (!l->words.count) {
        conf_unread(l->r, l->path, l->begins, _("a directive has no name"));
        return NULL;
    }
    struct conf_node *node = conf_add(l->r, parent, l->words.items[0], l->path, l->begins);
    if (!node)
        return NULL;
    node->arg_count = l->words.count - 1;
    node->args =
        arena_dup(l->r->c->arena, l->words.items + 1, node->arg_count * sizeof *l->words.items);
    node->block = end == '{';
    return node;
}

static void follow(struct lexer *l, struct conf_node *parent, const struct conf_node *node)
{
    const char *const *names;
    size_t count;
    conf_paths(l->r, conf_beneath(l->r->c->arena, l->folder, conf_arg(node, 0)), &names, &count);
    for (size_t i = 0; i < count; i++)
        nginx_conf_read(l->r, parent, l->folder, names[i]);
}

/* One statement; false where the file cannot be read further. */
static bool read_statement(struct lexer *l, struct conf_node **at, struct conf_node *top,
                           size_t *level)
{
    char end = take_statement(l);
    if (end == '}') {
        if (*at == top || l->words.count) {
            conf_unread(l->r, l->path, l->line, _("an unexpected }"));
            return false;
        }
        *at = (*at)->parent;
        --*level;
        return true;
    }
    if (!end) {
        if (l->words.count || *at != top)
            conf_unread(l->r, l->path, l->line, _("the file ends within a block or a directive"));
        return false;
    }
    struct conf_node *node = add_statement(l, *at, end);
    if (!node)
        return false;
    if (!node->block) {
        if (str_equal(node->name, "include"))
            follow(l, *at, node);
        return true;
    }
    if (str_ends(node->name, "_by_lua_block")) {
        conf_unread(l->r, l->path, node->line, _("what a block of Lua answers is not known"));
        pass_over_block(l);
        return true;
    }
    if (++*level > CONF_MOST_NESTED) {
        conf_unread(l->r, l->path, node->line, _("blocks lie deeper in blocks than is read"));
        return false;
    }
    *at = node;
    return true;
}

void nginx_conf_read(struct conf_reading *r, struct conf_node *parent, const char *folder,
                     const char *path)
{
    size_t size, level = 0;
    char *text = conf_open(r, path, &size);
    if (!text)
        return;
    struct lexer l = {.r = r,
                      .folder = folder,
                      .text = text,
                      .size = size,
                      .line = 1,
                      .path = arena_strdup(r->c->arena, path)};
    struct conf_node *at = parent;
    while (read_statement(&l, &at, parent, &level))
        ;
    str_free(&l.word);
    VEC_FREE(&l.words);
    conf_close(r);
}

const struct conf_node *nginx_conf_block_with(const struct conf_node *block, const char *name)
{
    do {
        if (conf_find(block, name))
            return block;
        block = block->parent;
    } while (block);
    return NULL;
}

const struct conf_node *nginx_conf_in_force(const struct conf_node *block, const char *name)
{
    block = nginx_conf_block_with(block, name);
    return block ? conf_find_last(block, name) : NULL;
}
