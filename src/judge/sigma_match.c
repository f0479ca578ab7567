/* One value of a rule against the text of a field. Nothing is allocated here. */
#include "base/str.h"
#include "judge/sigma_internal.h"

#include <arpa/inet.h>

static bool same(const char *text, const char *literal, size_t length, bool cased)
{
    if (cased)
        return memcmp(text, literal, length) == 0;
    for (size_t i = 0; i < length; i++)
        if (str_lower(text[i]) != literal[i])
            return false;
    return true;
}

static bool contains(const char *text, size_t length, const char *literal, size_t wanted,
                     bool cased)
{
    if (!wanted)
        return true;
    if (cased)
        return memmem(text, length, literal, wanted) != NULL;
    for (size_t i = 0; i + wanted <= length; i++)
        if (str_lower(text[i]) == literal[0] && same(text + i + 1, literal + 1, wanted - 1, false))
            return true;
    return false;
}

bool sigma_match_literal(enum sigma_kind how, const char *text, size_t length, const char *literal,
                         size_t wanted, bool cased)
{
    if (how == SIGMA_CONTAINS)
        return contains(text, length, literal, wanted, cased);
    if (length < wanted || (how == SIGMA_EXACT && length != wanted))
        return false;
    return same(how == SIGMA_SUFFIX ? text + length - wanted : text, literal, wanted, cased);
}

static size_t character(const char *text, size_t left)
{
    unsigned char c = (unsigned char)*text;
    size_t most = c < 0xc2 ? 1 : c < 0xe0 ? 2 : c < 0xf0 ? 3 : 4;
    if (most == 1)
        return 1;
    size_t valid = str_utf8_valid_prefix(text, left < most ? left : most);
    return valid ? valid : 1;
}

/* How many bytes of text the unit takes; 0 if it does not match. */
static size_t take(uint16_t unit, const char *text, size_t left, bool cased)
{
    if (!left)
        return 0;
    if (unit < 256)
        return (uint8_t)(cased ? *text : str_lower(*text)) == unit;
    if (unit == UNIT_ANY)
        return character(text, left);
    if (*text == '-' || *text == '/')
        return 1;
    return left >= 3 && memcmp(text, "\xe2\x80", 2) == 0 && (uint8_t)text[2] >= 0x93 &&
                   (uint8_t)text[2] <= 0x95
               ? 3
               : 0;
}

static bool glob(const struct sigma_units *g, const char *text, size_t length, bool cased)
{
    size_t i = 0, at = 0, resume_unit = SIZE_MAX, resume_at = 0;
    for (;;) {
        if (i < g->count && g->units[i] == UNIT_MANY) {
            resume_unit = ++i;
            resume_at = at;
            if (i == g->count)
                return true;
            continue;
        }
        size_t step = i < g->count ? take(g->units[i], text + at, length - at, cased) : 0;
        if (step) {
            i++;
            at += step;
        } else if (i == g->count && at == length) {
            return true;
        } else if (resume_unit != SIZE_MAX && at < length) { /* at the end: even less fits later */
            resume_at += character(text + resume_at, length - resume_at);
            i = resume_unit;
            at = resume_at;
        } else {
            return false;
        }
    }
}

/* --- numbers: [+-]digits[.digits], of any length --- */

struct number {
    bool negative;
    const char *whole, *fraction;
    size_t whole_length, fraction_length;
};

static bool number_of(const char *text, struct number *out)
{
    *out = (struct number){.negative = *text == '-', .fraction = ""};
    if (*text == '-' || *text == '+')
        text++;
    const char *whole = text;
    while (str_is_digit(*text))
        text++;
    if (text == whole)
        return false;
    const char *end = text;
    if (*text == '.') {
        const char *fraction = ++text;
        while (str_is_digit(*text))
            text++;
        if (text == fraction)
            return false;
        out->fraction = fraction;
        out->fraction_length = (size_t)(text - fraction);
        while (out->fraction_length && fraction[out->fraction_length - 1] == '0')
            out->fraction_length--;
    }
    if (*text)
        return false;
    while (whole < end && *whole == '0')
        whole++;
    out->whole = whole;
    out->whole_length = (size_t)(end - whole);
    if (!out->whole_length && !out->fraction_length)
        out->negative = false;
    return true;
}

bool sigma_match_is_number(const char *text)
{
    struct number n;
    return number_of(text, &n);
}

static int magnitude(const struct number *a, const struct number *b)
{
    if (a->whole_length != b->whole_length)
        return a->whole_length < b->whole_length ? -1 : 1;
    int order = memcmp(a->whole, b->whole, a->whole_length);
    if (order)
        return order;
    size_t shorter =
        a->fraction_length < b->fraction_length ? a->fraction_length : b->fraction_length;
    order = memcmp(a->fraction, b->fraction, shorter);
    if (order)
        return order;
    return a->fraction_length == b->fraction_length  ? 0
           : a->fraction_length < b->fraction_length ? -1
                                                     : 1;
}

int sigma_match_order(const char *a, const char *b)
{
    struct number x, y;
    if (!number_of(a, &x) || !number_of(b, &y))
        return strcmp(a, b);
    if (x.negative != y.negative)
        return x.negative ? -1 : 1;
    return x.negative ? magnitude(&y, &x) : magnitude(&x, &y);
}

static bool compare(const struct sigma_value *v, const char *text)
{
    if (!sigma_match_is_number(text))
        return false;
    int order = sigma_match_order(text, v->text);
    switch (v->order) {
    case ORDER_LT:
        return order < 0;
    case ORDER_LTE:
        return order <= 0;
    case ORDER_GT:
        return order > 0;
    case ORDER_GTE:
        return order >= 0;
    }
    return false;
}

static bool in_network(const struct sigma_value *v, const char *text)
{
    uint8_t address[16];
    if (inet_pton(v->network_bytes == 4 ? AF_INET : AF_INET6, text, address) != 1)
        return false;
    size_t whole = v->network_bits / 8;
    unsigned rest = v->network_bits % 8;
    if (memcmp(address, v->network, whole) != 0)
        return false;
    return !rest || (address[whole] ^ v->network[whole]) >> (8 - rest) == 0;
}

static enum truth search(const struct sigma *s, const struct sigma_value *v, const char *text)
{
    int found = pcre2_match(v->regex, (PCRE2_SPTR)text, strlen(text), 0, 0, s->match_data,
                            s->match_context);
    if (found >= 0)
        return TRUTH_TRUE;
    return found == PCRE2_ERROR_NOMATCH ? TRUTH_FALSE : TRUTH_UNKNOWN; /* a limit was reached */
}

enum truth sigma_match_value(const struct sigma *s, const struct sigma_value *v, const char *text)
{
    bool answer = false;
    switch (v->kind) {
    case SIGMA_EXACT:
    case SIGMA_PREFIX:
    case SIGMA_SUFFIX:
    case SIGMA_CONTAINS:
        answer = sigma_match_literal(v->kind, text, strlen(text), v->text, v->length, v->cased);
        break;
    case SIGMA_GLOB:
        answer = glob(&v->glob, text, strlen(text), v->cased);
        break;
    case SIGMA_NUMBER:
        answer = sigma_match_is_number(text) ? sigma_match_order(text, v->text) == 0
                                             : sigma_match_literal(SIGMA_EXACT, text, strlen(text),
                                                                   v->text, v->length, v->cased);
        break;
    case SIGMA_COMPARE:
        answer = compare(v, text);
        break;
    case SIGMA_REGEX:
        return search(s, v, text);
    case SIGMA_CIDR:
        answer = in_network(v, text);
        break;
    case SIGMA_NULL:
    case SIGMA_EXISTS:
    case SIGMA_FIELDREF: /* these look at more than the text: sigma.c */
        break;
    }
    return answer ? TRUTH_TRUE : TRUTH_FALSE;
}
