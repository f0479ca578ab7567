/* The strings of a rule: escapes and wildcards (Sigma Rules Specification 2.1.0, "Escaping")
 * and the modifiers that change them. */
#include "base/str.h"
#include "judge/sigma_internal.h"

#include <ctype.h>
#include <stdlib.h>

/* A backslash makes a following wildcard or backslash plain; before anything else, and at the
 * end, it is itself. */
void sigma_text_units(struct arena *arena, const char *text, struct sigma_units *out)
{
    size_t length = strlen(text);
    uint16_t *units = arena_alloc(arena, (length + 1) * sizeof *units);
    size_t count = 0;
    for (size_t i = 0; i < length; i++) {
        unsigned char c = (unsigned char)text[i];
        if (c == '\\' && (text[i + 1] == '*' || text[i + 1] == '?' || text[i + 1] == '\\'))
            units[count++] = (unsigned char)text[++i];
        else if (c == '*')
            units[count++] = UNIT_MANY;
        else if (c == '?')
            units[count++] = UNIT_ANY;
        else
            units[count++] = c;
    }
    *out = (struct sigma_units){units, count};
}

bool sigma_text_has_wildcards(const struct sigma_units *u)
{
    for (size_t i = 0; i < u->count; i++)
        if (u->units[i] >= 256)
            return true;
    return false;
}

static bool is_word(const struct sigma_units *u, size_t i)
{
    uint16_t c = u->units[i];
    return c < 256 && (c >= 128 || isalnum((unsigned char)c) || c == '_');
}

/* The length of the dash at i, 0 if there is none: - / and the three of U+2013 .. U+2015. */
static size_t dash_length(const struct sigma_units *u, size_t i)
{
    if (u->units[i] == '-' || u->units[i] == '/')
        return 1;
    if (i + 2 < u->count && u->units[i] == 0xe2 && u->units[i + 1] == 0x80 &&
        u->units[i + 2] >= 0x93 && u->units[i + 2] <= 0x95)
        return 3;
    return 0;
}

void sigma_text_windash(struct sigma_units *u)
{
    size_t count = 0;
    bool word_before = false;
    for (size_t i = 0; i < u->count;) {
        size_t dash = dash_length(u, i);
        if (dash && !word_before && i + dash < u->count && is_word(u, i + dash) &&
            !dash_length(u, i + dash)) {
            u->units[count++] = UNIT_DASH;
            i += dash;
            word_before = false;
            continue;
        }
        word_before = !dash && is_word(u, i);
        for (size_t n = dash ? dash : 1; n; n--)
            u->units[count++] = u->units[i++];
    }
    u->count = count;
}

static uint32_t codepoint(const struct sigma_units *u, size_t *i)
{
    uint32_t c = u->units[(*i)++];
    unsigned more = c >= 0xf0 ? 3 : c >= 0xe0 ? 2 : c >= 0xc0 ? 1 : 0;
    if (more)
        c &= 0x3fu >> more;
    for (; more && *i < u->count; more--)
        c = c << 6 | (u->units[(*i)++] & 0x3fu);
    return c;
}

static void put16(struct sigma_units *out, uint32_t c, bool big)
{
    out->units[out->count++] = (uint16_t)(big ? c >> 8 : c & 0xff);
    out->units[out->count++] = (uint16_t)(big ? c & 0xff : c >> 8);
}

void sigma_text_utf16(struct arena *arena, struct sigma_units *u, bool big, bool mark)
{
    struct sigma_units out = {arena_alloc(arena, (u->count * 2 + 4) * sizeof *out.units), 0};
    if (mark)
        put16(&out, 0xfeff, big);
    for (size_t i = 0; i < u->count;) {
        uint32_t c = codepoint(u, &i);
        if (c >= 0x10000) {
            put16(&out, 0xd800 + ((c - 0x10000) >> 10), big);
            put16(&out, 0xdc00 + ((c - 0x10000) & 0x3ff), big);
        } else {
            put16(&out, c, big);
        }
    }
    *u = out;
}

static void encode(struct arena *arena, const struct sigma_units *u, unsigned shift,
                   struct sigma_units *out)
{
    static const char alphabet[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    size_t total = u->count + shift;
    *out = (struct sigma_units){arena_alloc(arena, (total / 3 + 1) * 4 * sizeof *out->units), 0};
    for (size_t i = 0; i < total; i += 3) {
        uint32_t three = 0;
        for (size_t k = i; k < i + 3; k++)
            three = three << 8 | (k < shift ? ' ' : k < total ? u->units[k - shift] : 0u);
        for (size_t k = 0; k < 4; k++)
            out->units[out->count++] =
                i + k > total ? '=' : (uint16_t)(uint8_t)alphabet[three >> (18 - 6 * k) & 63];
    }
}

void sigma_text_base64(struct arena *arena, struct sigma_units *u)
{
    struct sigma_units out;
    encode(arena, u, 0, &out);
    *u = out;
}

/* Cut off are the signs that also depend on the bytes before and behind (RFC 4648, 4: each
 * sign holds six bits). */
void sigma_text_base64_offset(struct arena *arena, const struct sigma_units *u, unsigned offset,
                              struct sigma_units *out)
{
    static const size_t front[] = {0, 2, 3}, back[] = {0, 3, 2};
    struct sigma_units all;
    encode(arena, u, offset, &all);
    size_t end = all.count - back[(u->count + offset) % 3];
    out->units = all.units + front[offset];
    out->count = end > front[offset] ? end - front[offset] : 0;
}

void sigma_text_open(struct arena *arena, struct sigma_units *u, bool front, bool back)
{
    front = front && !(u->count && u->units[0] == UNIT_MANY);
    back = back && !(u->count && u->units[u->count - 1] == UNIT_MANY);
    uint16_t *units = arena_alloc(arena, (u->count + 2) * sizeof *units);
    size_t count = 0;
    if (front)
        units[count++] = UNIT_MANY;
    if (u->count)
        memcpy(units + count, u->units, u->count * sizeof *units);
    count += u->count;
    if (back)
        units[count++] = UNIT_MANY;
    *u = (struct sigma_units){units, count};
}

void sigma_text_compile(struct arena *arena, const struct sigma_units *u, bool cased,
                        struct sigma_value *out)
{
    size_t first = 0, end = u->count;
    bool front = false, back = false;
    while (first < end && u->units[first] == UNIT_MANY) {
        first++;
        front = true;
    }
    while (end > first && u->units[end - 1] == UNIT_MANY) {
        end--;
        back = true;
    }
    out->cased = cased;
    bool plain = true;
    uint16_t *units = arena_alloc(arena, (end - first + 3) * sizeof *units);
    char *text = arena_alloc(arena, end - first + 1);
    size_t count = 0;
    if (front)
        units[count++] = UNIT_MANY;
    for (size_t i = first; i < end; i++) {
        uint16_t c = u->units[i];
        plain = plain && c < 256;
        if (c < 256 && !cased)
            c = (uint16_t)(uint8_t)str_lower((char)c);
        text[i - first] = (char)c;
        units[count++] = c;
    }
    if (back)
        units[count++] = UNIT_MANY;
    if (plain) {
        out->text = text;
        out->length = end - first;
        out->kind = front && (back || first == end) ? SIGMA_CONTAINS
                    : front                         ? SIGMA_SUFFIX
                    : back                          ? SIGMA_PREFIX
                                                    : SIGMA_EXACT;
    } else {
        out->kind = SIGMA_GLOB;
        out->glob = (struct sigma_units){units, count};
    }
}
