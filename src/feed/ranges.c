#include "feed/ranges.h"

#include "base/str.h"
#include "model/version.h"

#include <stdlib.h>
#include <string.h>

enum { MOST_CONSTRAINTS = 256, MOST_TEXT = 4096 };

struct constraint {
    const char *op; /* one of operators[] */
    char *version;
    bool bound; /* tied to the one before it by a comma or "and" */
};

struct parsing {
    struct arena *arena;
    struct constraint list[MOST_CONSTRAINTS];
    size_t count;
    bool failed;
};

static const char *const operators[] = {"<=", ">=", "!=", "==", "<", ">", "="};

static const char *operator_at(const char *p)
{
    for (size_t i = 0; i < ARRAY_COUNT(operators); i++)
        if (str_starts(p, operators[i]))
            return operators[i];
    return NULL;
}

static bool is_letter(char c)
{
    c = str_lower(c);
    return c >= 'a' && c <= 'z';
}

/* "V14 SP1 Update 14", "1.12.0.25", "R520.2", "2:1.0~rc1-3+b1": a first word with a digit and
 * at most four letters before it, then only words that versions are known to have. */
static bool is_version(const char *text)
{
    static const char *const words[] = {"sp",   "service", "pack",  "update", "upd",     "patch",
                                        "hf",   "hotfix",  "build", "rev",    "fp",      "release",
                                        "beta", "alpha",   "rc",    "cu",     "hotpatch"};
    size_t letters = 0;
    while (is_letter(text[letters]))
        letters++;
    if (letters > 4 || !str_is_digit(text[letters]))
        return false;
    bool first = true;
    for (const char *p = text; *p;) {
        size_t length = strcspn(p, " ");
        for (size_t i = 0; i < length; i++)
            if (!is_letter(p[i]) && !str_is_digit(p[i]) && !strchr(".+-:~_^", p[i]))
                return false;
        bool known = first || str_is_digit(*p) || length == 1;
        for (size_t i = 0; !known && i < ARRAY_COUNT(words); i++) {
            size_t n = strlen(words[i]);
            known = str_starts_nocase(p, words[i]) && (n == length || str_is_digit(p[n]));
        }
        if (!known)
            return false;
        first = false;
        p += length;
        while (*p == ' ')
            p++;
    }
    return true;
}

static void add(struct parsing *in, const char *op, char *version, bool bound)
{
    version = str_trim(version);
    if (in->count == MOST_CONSTRAINTS || !is_version(version)) {
        in->failed = true;
        return;
    }
    in->list[in->count++] = (struct constraint){str_equal(op, "==") ? "=" : op, version, bound};
}

static bool cut_suffix(char *text, const char *suffix)
{
    if (!str_ends_nocase(text, suffix))
        return false;
    text[strlen(text) - strlen(suffix)] = '\0';
    return true;
}

static const struct {
    const char *words, *op;
} before_version[] = {{"versions prior to ", "<"},
                      {"prior to ", "<"},
                      {"versions before ", "<"},
                      {"before ", "<"},
                      {"up to ", "<="},
                      {"version ", NULL},
                      {"versions ", NULL}},
  after_version[] = {{" and earlier", "<="}, {" and prior", "<="}, {" and below", "<="},
                     {" or earlier", "<="},  {" or prior", "<="},  {" and later", ">="},
                     {" and newer", ">="},   {" and above", ">="}, {" or later", ">="}};

/* One piece without bars, commas or "and". It may still be glued: ">=V3.0.1<V3.0.3". */
static void parse_piece(struct parsing *in, char *piece, bool bound)
{
    piece = str_trim(piece);
    const char *op = NULL;
    for (size_t i = 0; i < ARRAY_COUNT(before_version) && !op; i++) {
        if (str_starts_nocase(piece, before_version[i].words)) {
            piece = str_trim(piece + strlen(before_version[i].words));
            op = before_version[i].op;
        }
    }
    for (size_t i = 0; i < ARRAY_COUNT(after_version) && !op; i++)
        if (cut_suffix(piece, after_version[i].words))
            op = after_version[i].op;
    if (op || !strpbrk(piece, "<>=!")) {
        add(in, op ? op : "=", piece, bound);
        return;
    }
    if (!operator_at(piece)) {
        in->failed = true;
        return;
    }
    while (*piece && !in->failed) {
        op = operator_at(piece);
        if (!op) {
            in->failed = true;
            return;
        }
        piece += strlen(op);
        size_t length = strcspn(piece, "<>=!");
        add(in, op, arena_strndup(in->arena, piece, length), bound);
        bound = true;
        piece += length;
    }
}

/* " and " binds, unless it is of the "and earlier" kind, which parse_piece() reads. */
static char *find_and(char *text)
{
    static const char *const kinds[] = {"earlier", "prior", "below", "later", "newer", "above"};
    for (char *p = text; (p = (char *)str_find_nocase(p, " and ")); p += 4) {
        bool other = false;
        for (size_t i = 0; i < ARRAY_COUNT(kinds); i++)
            other |= str_starts_nocase(p + 5, kinds[i]);
        if (!other)
            return p;
    }
    return NULL;
}

static void parse_bound(struct parsing *in, char *text)
{
    bool bound = false;
    while (text && !in->failed) {
        char *comma = strchr(text, ','), *word = find_and(text), *next = NULL;
        if (comma && (!word || comma < word)) {
            *comma = '\0';
            next = comma + 1;
        } else if (word) {
            *word = '\0';
            next = word + 5;
        }
        parse_piece(in, text, bound);
        bound = true;
        text = next;
    }
}

static int hex(char c)
{
    c = str_lower(c);
    return str_is_digit(c) ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static void percent_decode(char *s)
{
    char *to = s;
    for (; *s; s++) {
        if (*s == '%' && hex(s[1]) >= 0 && hex(s[2]) >= 0) {
            *to++ = (char)(hex(s[1]) << 4 | hex(s[2]));
            s += 2;
        } else {
            *to++ = *s;
        }
    }
    *to = '\0';
}

static bool is_all(const char *text)
{
    static const char *const words[] = {"", "*", "all", "all versions", "any", "-", "vers:all/*"};
    for (size_t i = 0; i < ARRAY_COUNT(words); i++)
        if (str_equal_nocase(text, words[i]))
            return true;
    return false;
}

struct writing {
    struct str text;
    size_t count; /* constraints in it */
    bool lower, upper;
    VEC(const char *) done;
};

static void flush(struct writing *w, struct arena *arena)
{
    if (w->count)
        VEC_PUSH(&w->done, arena_strdup(arena, str_text(&w->text)));
    str_clear(&w->text);
    w->count = 0;
    w->lower = w->upper = false;
}

static void put(struct writing *w, const char *scheme, const struct constraint *c)
{
    if (!w->count && scheme)
        str_printf(&w->text, "vers:%s/", scheme);
    else if (w->count)
        str_add(&w->text, scheme ? "|" : ",");
    if (c->op[0] != '=')
        str_add(&w->text, c->op);
    str_add(&w->text, c->version);
    w->count++;
}

static bool is_lower_bound(const struct constraint *c)
{
    return c->op[0] == '>';
}

static bool is_upper_bound(const struct constraint *c)
{
    return c->op[0] == '<';
}

/* "<2|>=1" is an interval that was not sorted; "<1|>=2" are two half lines. */
static bool is_turned_interval(const struct parsing *in, enum version_scheme order)
{
    if (in->count != 2 || !is_upper_bound(&in->list[0]) || !is_lower_bound(&in->list[1]))
        return false;
    return version_compare(order, in->list[1].version, in->list[0].version) <= 0;
}

static void write_ranges(struct writing *w, struct parsing *in, const char *scheme)
{
    enum version_scheme order = VERSION_GENERIC;
    if (scheme)
        version_scheme_from_name(scheme, &order);
    bool turned = is_turned_interval(in, order);
    size_t exceptions = 0, others;
    for (size_t i = 0; i < in->count; i++)
        exceptions += in->list[i].op[0] == '!';
    others = in->count - exceptions;
    for (size_t i = 0; i < in->count; i++) {
        const struct constraint *c = &in->list[i];
        if (c->op[0] == '!')
            continue;
        bool joins = c->bound || turned || (w->lower && !w->upper && is_upper_bound(c));
        if (!joins)
            flush(w, in->arena);
        put(w, scheme, c);
        w->lower |= is_lower_bound(c);
        w->upper |= is_upper_bound(c);
        bool last = i + 1 == in->count || !in->list[i + 1].bound;
        for (size_t x = 0; x < in->count && last && exceptions; x++)
            if (in->list[x].op[0] == '!' && (w->upper || !w->lower || others == 1))
                put(w, scheme, &in->list[x]);
    }
    for (size_t x = 0; x < in->count && !others; x++)
        put(w, scheme, &in->list[x]);
    flush(w, in->arena);
}

bool ranges_parse(struct ranges *out, struct arena *arena, const char *text, const char *scheme)
{
    static const char *const every[] = {""};
    if (strlen(text) > MOST_TEXT)
        return false;
    char *rest = str_trim(arena_strdup(arena, text));
    bool vers = str_starts_nocase(rest, "vers:");
    if (vers && !is_all(rest)) {
        char *slash = strchr(rest, '/');
        if (!slash)
            return false;
        *slash = '\0';
        enum version_scheme named;
        if (version_scheme_from_name(rest + 5, &named))
            scheme = version_scheme_name(named);
        else if (!scheme && !str_equal_nocase(rest + 5, "all"))
            scheme = "generic";
        rest = str_trim(slash + 1);
    }
    if (!is_all(rest) && str_starts_nocase(rest, "all versions "))
        rest = str_trim(rest + strlen("all versions "));
    if (is_all(rest)) {
        *out = (struct ranges){1, arena_dup(arena, every, sizeof every)};
        return true;
    }
    struct parsing *in = arena_alloc(arena, sizeof *in);
    in->arena = arena;
    for (char *bar; rest && !in->failed; rest = bar ? bar + 1 : NULL) {
        bar = strchr(rest, '|');
        if (bar)
            *bar = '\0';
        if (vers)
            percent_decode(rest);
        if (*str_trim(rest))
            parse_bound(in, rest);
    }
    if (in->failed || !in->count)
        return false;
    struct writing w = {0};
    write_ranges(&w, in, scheme);
    bool good = true;
    for (size_t i = 0; i < w.done.count; i++) { /* also the limit of the model is held to */
        struct version_range parsed;
        good &= version_range_parse(&parsed, arena, w.done.items[i], VERSION_GENERIC, NULL);
    }
    if (good)
        *out = (struct ranges){w.done.count,
                               arena_dup(arena, w.done.items, w.done.count * sizeof *w.done.items)};
    str_free(&w.text);
    VEC_FREE(&w.done);
    return good;
}
