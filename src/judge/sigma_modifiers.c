/* A line of a selection: "field|modifier|modifier: value or list of values". */
#include "base/str.h"
#include "judge/sigma_internal.h"

#include <arpa/inet.h>
#include <stdlib.h>

enum modifier {
    MOD_ALL,
    MOD_NEQ,
    MOD_CASED,
    MOD_CONTAINS,
    MOD_STARTSWITH,
    MOD_ENDSWITH,
    MOD_WINDASH,
    MOD_BASE64,
    MOD_BASE64OFFSET,
    MOD_UTF16LE,
    MOD_UTF16BE,
    MOD_UTF16,
    MOD_RE,
    MOD_RE_I,
    MOD_RE_M,
    MOD_RE_S,
    MOD_CIDR,
    MOD_EXISTS,
    MOD_FIELDREF,
    MOD_LT,
    MOD_LTE,
    MOD_GT,
    MOD_GTE,
    MOD_UNSUPPORTED
};

#define BIT(modifier) (1u << (modifier))
enum {
    WITH_ANY = BIT(MOD_ALL) | BIT(MOD_NEQ),
    WITH_TEXT = WITH_ANY | BIT(MOD_CASED) | BIT(MOD_CONTAINS) | BIT(MOD_STARTSWITH) |
                BIT(MOD_ENDSWITH) | BIT(MOD_WINDASH) | BIT(MOD_BASE64) | BIT(MOD_BASE64OFFSET) |
                BIT(MOD_UTF16LE) | BIT(MOD_UTF16BE) | BIT(MOD_UTF16),
    WITH_RE = WITH_ANY | BIT(MOD_RE) | BIT(MOD_RE_I) | BIT(MOD_RE_M) | BIT(MOD_RE_S),
    WITH_REF = WITH_ANY | BIT(MOD_CASED) | BIT(MOD_CONTAINS) | BIT(MOD_STARTSWITH) |
               BIT(MOD_ENDSWITH) | BIT(MOD_FIELDREF)
};

static const struct {
    const char *name;
    enum modifier modifier;
    unsigned with; /* the modifiers it can stand beside */
} table[] = {
    {"all", MOD_ALL, ~0u},
    {"neq", MOD_NEQ, ~0u},
    {"cased", MOD_CASED, WITH_TEXT | WITH_REF},
    {"contains", MOD_CONTAINS, WITH_TEXT | WITH_REF},
    {"startswith", MOD_STARTSWITH, WITH_TEXT | WITH_REF},
    {"endswith", MOD_ENDSWITH, WITH_TEXT | WITH_REF},
    {"windash", MOD_WINDASH, WITH_TEXT},
    {"base64", MOD_BASE64, WITH_TEXT},
    {"base64offset", MOD_BASE64OFFSET, WITH_TEXT},
    {"utf16le", MOD_UTF16LE, WITH_TEXT},
    {"wide", MOD_UTF16LE, WITH_TEXT},
    {"utf16be", MOD_UTF16BE, WITH_TEXT},
    {"utf16", MOD_UTF16, WITH_TEXT},
    {"re", MOD_RE, WITH_RE},
    {"i", MOD_RE_I, WITH_RE},
    {"m", MOD_RE_M, WITH_RE},
    {"s", MOD_RE_S, WITH_RE},
    {"cidr", MOD_CIDR, WITH_ANY | BIT(MOD_CIDR)},
    {"exists", MOD_EXISTS, BIT(MOD_NEQ) | BIT(MOD_EXISTS)},
    {"fieldref", MOD_FIELDREF, WITH_REF},
    {"lt", MOD_LT, WITH_ANY | BIT(MOD_LT)},
    {"lte", MOD_LTE, WITH_ANY | BIT(MOD_LTE)},
    {"gt", MOD_GT, WITH_ANY | BIT(MOD_GT)},
    {"gte", MOD_GTE, WITH_ANY | BIT(MOD_GTE)},
    {"expand", MOD_UNSUPPORTED, 0},
    {"minute", MOD_UNSUPPORTED, 0},
    {"hour", MOD_UNSUPPORTED, 0},
    {"day", MOD_UNSUPPORTED, 0},
    {"week", MOD_UNSUPPORTED, 0},
    {"month", MOD_UNSUPPORTED, 0},
    {"year", MOD_UNSUPPORTED, 0},
};

enum { MOST_MODIFIERS = 12 };
struct line {
    const char *field; /* NULL: keywords */
    size_t rows[MOST_MODIFIERS];
    size_t count;
    unsigned set;
};

static bool has(const struct line *l, enum modifier m)
{
    return l->set & BIT(m);
}

static const char *nearest(const char *name)
{
    const char *best = NULL;
    unsigned least = 3;
    for (size_t i = 0; i < ARRAY_COUNT(table); i++) {
        unsigned distance = str_distance(name, table[i].name);
        if (distance < least) {
            least = distance;
            best = table[i].name;
        }
    }
    return best;
}

static bool add_modifier(struct sigma_build *b, struct line *l, const struct yaml_node *key,
                         const char *name)
{
    size_t i = 0;
    while (i < ARRAY_COUNT(table) && !str_equal(table[i].name, name))
        i++;
    if (i == ARRAY_COUNT(table)) {
        const char *meant = nearest(name);
        if (meant)
            sigma_fail(b, key, _("unknown modifier \"%s\": did you mean \"%s\"?"), name, meant);
        else
            sigma_fail(b, key, _("unknown modifier \"%s\""), name);
        return false;
    }
    if (table[i].modifier == MOD_UNSUPPORTED) {
        sigma_fail(b, key, _("the modifier \"%s\" is not supported"), name);
        return false;
    }
    if (l->count == MOST_MODIFIERS || has(l, table[i].modifier)) {
        sigma_fail(b, key, _("the modifier \"%s\" stands there twice"), name);
        return false;
    }
    for (size_t k = 0; k < l->count; k++)
        if (!(table[i].with & BIT(table[l->rows[k]].modifier)) ||
            !(table[l->rows[k]].with & BIT(table[i].modifier))) {
            sigma_fail(b, key, _("the modifier \"%s\" cannot be combined with \"%s\""), name,
                       table[l->rows[k]].name);
            return false;
        }
    if ((table[i].modifier == MOD_RE_I || table[i].modifier == MOD_RE_M ||
         table[i].modifier == MOD_RE_S) &&
        !has(l, MOD_RE)) {
        sigma_fail(b, key, _("the modifier \"%s\" stands behind \"re\" only"), name);
        return false;
    }
    l->rows[l->count++] = i;
    l->set |= BIT(table[i].modifier);
    return true;
}

static bool parse_key(struct sigma_build *b, struct line *l, const struct yaml_node *key,
                      const char *text)
{
    *l = (struct line){0};
    char *copy = arena_strdup(b->arena, text), *bar = strchr(copy, '|');
    if (bar)
        *bar = '\0';
    l->field = *copy ? copy : NULL;
    while (bar) {
        char *name = bar + 1;
        bar = strchr(name, '|');
        if (bar)
            *bar = '\0';
        if (!add_modifier(b, l, key, name))
            return false;
    }
    if (!l->field && (has(l, MOD_EXISTS) || has(l, MOD_FIELDREF) || has(l, MOD_CIDR))) {
        sigma_fail(b, key, _("this modifier needs a field before it"));
        return false;
    }
    return true;
}

/* --- one value --- */

static bool fill_compare(struct sigma_build *b, const struct yaml_node *at, enum sigma_order order,
                         struct sigma_value *v)
{
    if (!sigma_match_is_number(at->text)) {
        sigma_fail(b, at, _("\"%s\" is no number to compare with"), at->text);
        return false;
    }
    v->kind = SIGMA_COMPARE;
    v->order = order;
    v->text = arena_strdup(b->arena, at->text);
    return true;
}

static bool fill_exists(struct sigma_build *b, const struct yaml_node *at, struct sigma_value *v)
{
    bool yes = str_equal_nocase(at->text, "true");
    if (!yes && !str_equal_nocase(at->text, "false")) {
        sigma_fail(b, at, _("\"exists\" is true or false, not \"%s\""), at->text);
        return false;
    }
    v->kind = SIGMA_EXISTS;
    v->expected = yes;
    return true;
}

static bool fill_cidr(struct sigma_build *b, const struct yaml_node *at, struct sigma_value *v)
{
    char *address = arena_strdup(b->arena, at->text), *slash = strchr(address, '/');
    int family = strchr(address, ':') ? AF_INET6 : AF_INET;
    uint64_t bits = family == AF_INET ? 32 : 128, most = bits;
    v->kind = SIGMA_CIDR;
    v->network_bytes = family == AF_INET ? 4 : 16;
    if (slash)
        *slash = '\0';
    if ((slash && !str_to_u64(slash + 1, &bits)) || bits > most ||
        inet_pton(family, address, v->network) != 1) {
        sigma_fail(b, at, _("\"%s\" is no network: write 10.0.0.0/8 or 2001:db8::/32"), at->text);
        return false;
    }
    v->network_bits = (uint8_t)bits;
    for (size_t bit = bits; bit < most; bit++)
        if (v->network[bit / 8] & (0x80 >> bit % 8)) {
            sigma_fail(b, at, _("\"%s\" has bits set behind its %u bits of network"), at->text,
                       (unsigned)bits);
            return false;
        }
    return true;
}

/* Limits keep a search by a hostile value from lasting: PCRE2 counts its own steps. */
enum { MATCH_LIMIT = 100000, DEPTH_LIMIT = 10000, HEAP_LIMIT_KIB = 1024 };

static bool fill_regex(struct sigma_build *b, const struct line *l, const struct yaml_node *at,
                       struct sigma_value *v)
{
    uint32_t options = PCRE2_UTF | PCRE2_MATCH_INVALID_UTF | PCRE2_NEVER_BACKSLASH_C |
                       (has(l, MOD_RE_I) ? PCRE2_CASELESS : 0) |
                       (has(l, MOD_RE_M) ? PCRE2_MULTILINE : 0) |
                       (has(l, MOD_RE_S) ? PCRE2_DOTALL : 0);
    int code;
    PCRE2_SIZE offset;
    v->kind = SIGMA_REGEX;
    v->regex =
        pcre2_compile((PCRE2_SPTR)at->text, PCRE2_ZERO_TERMINATED, options, &code, &offset, NULL);
    if (!v->regex) {
        PCRE2_UCHAR why[120] = "";
        pcre2_get_error_message(code, why, sizeof why);
        sigma_fail(b, at, _("the regular expression does not compile, at its character %zu: %s"),
                   (size_t)offset + 1, (const char *)why);
        return false;
    }
    struct sigma *s = b->sigma;
    VEC_PUSH(&s->regexes, v->regex);
    if (!s->match_data) {
        s->match_data = pcre2_match_data_create(1, NULL);
        s->match_context = pcre2_match_context_create(NULL);
        if (!s->match_data || !s->match_context)
            mem_gone();
        pcre2_set_match_limit(s->match_context, MATCH_LIMIT);
        pcre2_set_depth_limit(s->match_context, DEPTH_LIMIT);
        pcre2_set_heap_limit(s->match_context, HEAP_LIMIT_KIB);
    }
    return true;
}

static bool fill_reference(struct sigma_build *b, const struct line *l, const struct yaml_node *at,
                           struct sigma_value *v)
{
    struct sigma_units units;
    sigma_text_units(b->arena, at->text, &units);
    if (sigma_text_has_wildcards(&units) || !*at->text) {
        sigma_fail(b, at, _("\"fieldref\" names one field, without wildcards"));
        return false;
    }
    char *name = arena_alloc(b->arena, units.count + 1);
    for (size_t i = 0; i < units.count; i++)
        name[i] = (char)units.units[i];
    bool front = has(l, MOD_CONTAINS) || has(l, MOD_ENDSWITH);
    bool back = has(l, MOD_CONTAINS) || has(l, MOD_STARTSWITH);
    v->kind = SIGMA_FIELDREF;
    v->how = front && back ? SIGMA_CONTAINS
             : front       ? SIGMA_SUFFIX
             : back        ? SIGMA_PREFIX
                           : SIGMA_EXACT;
    v->cased = has(l, MOD_CASED);
    v->text = name;
    sigma_add_field(b, name);
    return true;
}

/* Text: the transformations one after the other, in the order of the rule. */
static bool fill_text(struct sigma_build *b, const struct line *l, const struct yaml_node *at,
                      struct sigma_alternatives *group)
{
    struct sigma_units units[3];
    size_t count = 1;
    bool utf16 = false;
    sigma_text_units(b->arena, at->text, &units[0]);
    for (size_t k = 0; k < l->count; k++) {
        enum modifier m = table[l->rows[k]].modifier;
        bool bytes = m == MOD_BASE64 || m == MOD_BASE64OFFSET || m == MOD_UTF16LE ||
                     m == MOD_UTF16BE || m == MOD_UTF16;
        if (bytes && (sigma_text_has_wildcards(&units[0]) || count > 1)) {
            sigma_fail(b, at, _("\"%s\" cannot be applied to a value with wildcards"),
                       table[l->rows[k]].name);
            return false;
        }
        utf16 = (utf16 || m == MOD_UTF16LE || m == MOD_UTF16BE || m == MOD_UTF16) &&
                m != MOD_BASE64 && m != MOD_BASE64OFFSET;
        if (m == MOD_BASE64OFFSET) {
            struct sigma_units plain = units[0];
            for (count = 0; count < 3; count++)
                sigma_text_base64_offset(b->arena, &plain, (unsigned)count, &units[count]);
        } else if (m == MOD_BASE64) {
            sigma_text_base64(b->arena, &units[0]);
        } else if (bytes) {
            sigma_text_utf16(b->arena, &units[0], m == MOD_UTF16BE, m == MOD_UTF16);
        }
        for (size_t i = 0; i < count; i++) {
            if (m == MOD_CONTAINS || m == MOD_STARTSWITH || m == MOD_ENDSWITH)
                sigma_text_open(b->arena, &units[i], m != MOD_STARTSWITH, m != MOD_ENDSWITH);
            else if (m == MOD_WINDASH)
                sigma_text_windash(&units[i]);
        }
    }
    if (utf16) {
        sigma_fail(b, at, _("UTF-16 is supported before \"base64\" and \"base64offset\" only"));
        return false;
    }
    bool number = !at->quoted && sigma_match_is_number(at->text) && l->field &&
                  !(l->set & ~(unsigned)(WITH_ANY | BIT(MOD_CASED))) &&
                  (at->text[0] != '0' || !str_is_digit(at->text[1])) && at->text[0] != '+';
    *group =
        (struct sigma_alternatives){arena_alloc(b->arena, count * sizeof *group->values), count};
    for (size_t i = 0; i < count; i++) {
        if (!l->field) /* a keyword may stand anywhere in a value */
            sigma_text_open(b->arena, &units[i], true, true);
        sigma_text_compile(b->arena, &units[i], has(l, MOD_CASED), &group->values[i]);
    }
    if (number)
        group->values[0].kind = SIGMA_NUMBER;
    return true;
}

static bool fill(struct sigma_build *b, const struct line *l, const struct yaml_node *at,
                 struct sigma_alternatives *group)
{
    if (at->kind != YAML_SCALAR) {
        sigma_fail(b, at,
                   at->kind == YAML_MAP
                       ? _("a value is text, a number or null, not a map")
                       : _("a value is text, a number or null, not a list in a list"));
        return false;
    }
    if (++b->values > SIGMA_MOST_VALUES || strlen(at->text) > SIGMA_MOST_VALUE_BYTES) {
        sigma_fail(b, at, _("more than %d values, or one of more than %d bytes"), SIGMA_MOST_VALUES,
                   SIGMA_MOST_VALUE_BYTES);
        return false;
    }
    struct sigma_value *v = arena_alloc(b->arena, sizeof *v);
    *group = (struct sigma_alternatives){v, 1};
    if (yaml_is_null(at)) {
        if (!l->field || (l->set & ~(unsigned)WITH_ANY)) {
            sigma_fail(b, at, _("null stands for an absent field: it takes no modifier"));
            return false;
        }
        v->kind = SIGMA_NULL;
        return true;
    }
    if (has(l, MOD_EXISTS))
        return fill_exists(b, at, v);
    if (has(l, MOD_CIDR))
        return fill_cidr(b, at, v);
    if (has(l, MOD_RE))
        return fill_regex(b, l, at, v);
    if (has(l, MOD_FIELDREF))
        return fill_reference(b, l, at, v);
    for (int m = MOD_LT; m <= MOD_GTE; m++)
        if (has(l, (enum modifier)m))
            return fill_compare(b, at, (enum sigma_order)(m - MOD_LT), v);
    return fill_text(b, l, at, group);
}

struct sigma_item *sigma_modifiers_item(struct sigma_build *b, const struct yaml_node *key,
                                        const char *key_text, const struct yaml_node *value)
{
    struct line l;
    if (!parse_key(b, &l, key, key_text))
        return NULL;
    if (value->kind == YAML_MAP || (value->kind == YAML_SEQUENCE && !value->count)) {
        sigma_fail(b, value, _("a field needs a value or a list of values"));
        return NULL;
    }
    if (l.field)
        sigma_add_field(b, l.field);
    struct sigma_item *item = arena_alloc(b->arena, sizeof *item);
    item->field = l.field;
    item->all = has(&l, MOD_ALL);
    item->negated = has(&l, MOD_NEQ);
    item->count = value->kind == YAML_SEQUENCE ? value->count : 1;
    item->groups = arena_alloc(b->arena, item->count * sizeof *item->groups);
    if (item->all && item->count == 1)
        sigma_problem(b->problems, true, b->path, key,
                      _("the modifier \"all\" does nothing with a single value"));
    bool good = true;
    for (size_t i = 0; i < item->count; i++) {
        const struct yaml_node *one = value->kind == YAML_SEQUENCE ? value->items[i] : value;
        good = fill(b, &l, one, &item->groups[i]) && good;
    }
    return good ? item : NULL;
}
