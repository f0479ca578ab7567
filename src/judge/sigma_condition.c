/* The condition: not before and before or, brackets, "1 of x*", "all of them". */
#include "base/str.h"
#include "judge/sigma_internal.h"

#include <ctype.h>

struct reader {
    struct sigma_build *b;
    const struct yaml_node *at;
    const char *next;
    char word[128]; /* the token in hand; "" at the end */
    unsigned depth;
    struct sigma_selection *selections;
    size_t count;
    bool failed;
};

static void fail(struct reader *r, const char *what, const char *word)
{
    if (!r->failed)
        sigma_fail(r->b, r->at, "condition: %s%s%s%s", what, *word ? " \"" : "", word,
                   *word ? "\"" : "");
    r->failed = true;
    r->word[0] = '\0';
}

static bool is_name(char c)
{
    return isalnum((unsigned char)c) || c == '_' || c == '-' || c == '*' || c == '?' || c == '.';
}

static void advance(struct reader *r)
{
    size_t length = 0;
    while (str_is_space(*r->next))
        r->next++;
    if (*r->next == '(' || *r->next == ')') {
        r->word[length++] = *r->next++;
    } else {
        while (is_name(*r->next) && length < sizeof r->word - 1)
            r->word[length++] = *r->next++;
        if (*r->next && !length) {
            char sign[2] = {*r->next, '\0'};
            if (*sign == '|')
                fail(r, _("pipes (count() and its like) are not supported"), "");
            else
                fail(r, _("nothing begins with"), isprint((unsigned char)*sign) ? sign : "");
            return;
        }
        if (is_name(*r->next)) {
            fail(r, _("a name of more than 127 signs"), "");
            return;
        }
    }
    r->word[length] = '\0';
}

static bool is(const struct reader *r, const char *word)
{
    return str_equal_nocase(r->word, word);
}

static struct sigma_node *parse_or(struct reader *r);

static struct sigma_node *of(struct reader *r, int kind)
{
    advance(r);
    if (!is(r, "of")) {
        fail(r, _("\"of\" is missing before"), r->word);
        return NULL;
    }
    advance(r);
    char pattern[sizeof r->word];
    strcpy(pattern, is(r, "them") ? "*" : r->word);
    if (!*pattern || strchr("()", *pattern)) {
        fail(r, _("a name or \"them\" is missing behind \"of\""), "");
        return NULL;
    }
    struct sigma_node **children = arena_alloc(r->b->arena, (r->count + 1) * sizeof *children);
    size_t count = 0;
    bool good = true, any = false;
    for (size_t i = 0; i < r->count; i++) {
        struct sigma_selection *s = &r->selections[i];
        if (*s->name == '_' || !str_glob(pattern, s->name, false))
            continue;
        s->used = any = true;
        good = good && s->node;
        children[count++] = s->node;
    }
    if (!any) {
        fail(r, _("no selection is called"), r->word);
        return NULL;
    }
    advance(r);
    return good ? sigma_node(r->b, kind, children, count) : NULL;
}

static struct sigma_node *named(struct reader *r)
{
    for (size_t i = 0; i < r->count; i++)
        if (str_equal(r->selections[i].name, r->word)) {
            r->selections[i].used = true;
            advance(r);
            return r->selections[i].node;
        }
    const char *best = "";
    unsigned least = 3;
    for (size_t i = 0; i < r->count; i++) {
        unsigned distance = str_distance(r->word, r->selections[i].name);
        if (distance < least) {
            least = distance;
            best = r->selections[i].name;
        }
    }
    if (*best)
        sigma_fail(r->b, r->at, _("condition: no selection is called \"%s\": did you mean \"%s\"?"),
                   r->word, best);
    else
        sigma_fail(r->b, r->at, _("condition: no selection is called \"%s\""), r->word);
    r->failed = true;
    r->word[0] = '\0';
    return NULL;
}

static bool is_selection(const struct reader *r)
{
    for (size_t i = 0; i < r->count; i++)
        if (str_equal(r->selections[i].name, r->word))
            return true;
    return false;
}

static struct sigma_node *parse_not(struct reader *r)
{
    if (is(r, "not") && !is_selection(r)) {
        if (++r->depth > SIGMA_MOST_BRACKETS) {
            fail(r, _("too deep"), "");
            return NULL;
        }
        advance(r);
        struct sigma_node *inner = parse_not(r);
        r->depth--;
        return inner ? sigma_node(r->b, NODE_NOT, &inner, 1) : NULL;
    }
    if (is(r, "(")) {
        if (++r->depth > SIGMA_MOST_BRACKETS) {
            fail(r, _("too deep"), "");
            return NULL;
        }
        advance(r);
        struct sigma_node *inner = parse_or(r);
        r->depth--;
        if (!is(r, ")")) {
            fail(r, _("a bracket is not closed"), "");
            return NULL;
        }
        advance(r);
        return inner;
    }
    if (!*r->word || is(r, ")")) {
        fail(r, _("a selection is missing"), "");
        return NULL;
    }
    if (!is_selection(r)) {
        if (is(r, "1") || is(r, "any"))
            return of(r, NODE_OR);
        if (is(r, "all"))
            return of(r, NODE_AND);
    }
    return named(r);
}

static struct sigma_node *chain(struct reader *r, const char *word, int kind,
                                struct sigma_node *(*operand)(struct reader *))
{
    VEC(struct sigma_node *) parts = {0};
    bool good = true;
    for (;;) {
        struct sigma_node *part = operand(r);
        good = good && part;
        VEC_PUSH(&parts, part);
        if (r->failed || !is(r, word))
            break;
        advance(r);
    }
    struct sigma_node *node = NULL;
    if (good && parts.count)
        node = parts.count == 1 ? parts.items[0] : sigma_node(r->b, kind, parts.items, parts.count);
    VEC_FREE(&parts);
    return node;
}

static struct sigma_node *parse_and(struct reader *r)
{
    return chain(r, "and", NODE_AND, parse_not);
}

static struct sigma_node *parse_or(struct reader *r)
{
    return chain(r, "or", NODE_OR, parse_and);
}

static struct sigma_node *parse_one(struct sigma_build *b, const struct yaml_node *node,
                                    struct sigma_selection *selections, size_t count)
{
    struct reader r = {.b = b, .at = node, .selections = selections, .count = count};
    if (node->kind != YAML_SCALAR || !*node->text) {
        sigma_fail(b, node, _("condition: a line of text, or a list of them"));
        return NULL;
    }
    r.next = node->text;
    advance(&r);
    struct sigma_node *out = parse_or(&r);
    if (!r.failed && *r.word)
        fail(&r, _("\"and\" or \"or\" is missing before"), r.word);
    return r.failed ? NULL : out;
}

struct sigma_node *sigma_condition_parse(struct sigma_build *b, const struct yaml_node *node,
                                         struct sigma_selection *selections, size_t count)
{
    if (node->kind != YAML_SEQUENCE)
        return parse_one(b, node, selections, count);
    struct sigma_node **children = arena_alloc(b->arena, (node->count + 1) * sizeof *children);
    bool good = node->count > 0;
    if (!good)
        sigma_fail(b, node, _("condition: the list is empty"));
    for (size_t i = 0; i < node->count; i++) {
        children[i] = parse_one(b, node->items[i], selections, count);
        good = good && children[i];
    }
    return good ? sigma_node(b, NODE_OR, children, node->count) : NULL;
}
