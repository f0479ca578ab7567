#include "base/str.h"

#include "base/mem.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void str_free(struct str *s)
{
    free(s->data);
    *s = (struct str){0};
}

static void reserve(struct str *s, size_t more)
{
    if (s->capacity - s->length > more)
        return;
    size_t wanted = s->capacity ? s->capacity * 2 : 64;
    while (wanted - s->length <= more)
        wanted *= 2;
    s->data = mem_resize(s->data, wanted);
    s->capacity = wanted;
}

void str_add_bytes(struct str *s, const void *bytes, size_t length)
{
    reserve(s, length);
    if (length)
        memcpy(s->data + s->length, bytes, length);
    s->length += length;
    s->data[s->length] = '\0';
}

void str_add(struct str *s, const char *text)
{
    str_add_bytes(s, text, strlen(text));
}

void str_add_char(struct str *s, char c)
{
    str_add_bytes(s, &c, 1);
}

void str_printf(struct str *s, const char *format, ...)
{
    va_list args, again;
    va_start(args, format);
    va_copy(again, args);
    int length = vsnprintf(NULL, 0, format, args);
    va_end(args);
    if (length > 0) {
        reserve(s, (size_t)length);
        vsnprintf(s->data + s->length, (size_t)length + 1, format, again);
        s->length += (size_t)length;
    }
    va_end(again);
}

void str_clear(struct str *s)
{
    s->length = 0;
    if (s->data)
        s->data[0] = '\0';
}

const char *str_text(const struct str *s)
{
    return s->data ? s->data : "";
}

bool str_equal(const char *a, const char *b)
{
    return a && b ? strcmp(a, b) == 0 : a == b;
}

char str_lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c + 32) : c;
}

char str_upper(char c)
{
    return c >= 'a' && c <= 'z' ? (char)(c - 32) : c;
}

void str_lower_all(char *s)
{
    for (; *s; s++)
        *s = str_lower(*s);
}

bool str_is_digit(char c)
{
    return c >= '0' && c <= '9';
}

bool str_is_space(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

bool str_equal_nocase(const char *a, const char *b)
{
    if (!a || !b)
        return a == b;
    while (*a && str_lower(*a) == str_lower(*b))
        a++, b++;
    return str_lower(*a) == str_lower(*b);
}

bool str_starts(const char *s, const char *prefix)
{
    return strncmp(s, prefix, strlen(prefix)) == 0;
}

bool str_starts_nocase(const char *s, const char *prefix)
{
    while (*prefix && str_lower(*s) == str_lower(*prefix))
        s++, prefix++;
    return !*prefix;
}

bool str_ends(const char *s, const char *suffix)
{
    size_t ls = strlen(s), lx = strlen(suffix);
    return ls >= lx && memcmp(s + ls - lx, suffix, lx) == 0;
}

bool str_ends_nocase(const char *s, const char *suffix)
{
    size_t ls = strlen(s), lx = strlen(suffix);
    return ls >= lx && str_equal_nocase(s + ls - lx, suffix);
}

const char *str_find_nocase(const char *haystack, const char *needle)
{
    for (; *haystack; haystack++)
        if (str_starts_nocase(haystack, needle))
            return haystack;
    return *needle ? NULL : haystack;
}

char *str_trim(char *s)
{
    while (str_is_space(*s))
        s++;
    size_t length = strlen(s);
    while (length && str_is_space(s[length - 1]))
        s[--length] = '\0';
    return s;
}

static bool number(const char *s, unsigned base, uint64_t *out)
{
    uint64_t value = 0;
    if (!*s)
        return false;
    for (; *s; s++) {
        unsigned digit;
        char c = str_lower(*s);
        if (str_is_digit(c))
            digit = (unsigned)(c - '0');
        else if (base == 16 && c >= 'a' && c <= 'f')
            digit = (unsigned)(c - 'a') + 10;
        else
            return false;
        if (__builtin_mul_overflow(value, (uint64_t)base, &value) ||
            __builtin_add_overflow(value, (uint64_t)digit, &value))
            return false;
    }
    *out = value;
    return true;
}

bool str_to_u64(const char *s, uint64_t *out)
{
    return number(s, 10, out);
}

bool str_hex_to_u64(const char *s, uint64_t *out)
{
    return number(str_starts_nocase(s, "0x") ? s + 2 : s, 16, out);
}

bool str_next_line(const char *data, size_t size, size_t *position, const char **line,
                   size_t *length)
{
    if (*position >= size)
        return false;
    const char *start = data + *position;
    const char *end = memchr(start, '\n', size - *position);
    size_t n = end ? (size_t)(end - start) : size - *position;
    *position += n + 1;
    if (n && start[n - 1] == '\r')
        n--;
    *line = start;
    *length = n;
    return true;
}

/* The length of the well-formed sequence at p, or 0 (RFC 3629, 4). */
static size_t utf8_sequence(const unsigned char *p, size_t left)
{
    if (p[0] < 0x80)
        return 1;
    size_t n = p[0] >= 0xf0 ? 4 : p[0] >= 0xe0 ? 3 : 2;
    if (p[0] < 0xc2 || p[0] > 0xf4 || left < n)
        return 0;
    for (size_t i = 1; i < n; i++)
        if ((p[i] & 0xc0) != 0x80)
            return 0;
    if ((p[0] == 0xe0 && p[1] < 0xa0) || (p[0] == 0xed && p[1] > 0x9f) ||
        (p[0] == 0xf0 && p[1] < 0x90) || (p[0] == 0xf4 && p[1] > 0x8f))
        return 0;
    return n;
}

size_t str_utf8_valid_prefix(const void *bytes, size_t length)
{
    const unsigned char *p = bytes;
    size_t i = 0;
    while (i < length) {
        size_t n = utf8_sequence(p + i, length - i);
        if (!n)
            break;
        i += n;
    }
    return i;
}

bool str_utf8_valid(const char *s)
{
    size_t length = strlen(s);
    return str_utf8_valid_prefix(s, length) == length;
}

size_t str_steering(const char *text, size_t length)
{
    const unsigned char *p = (const unsigned char *)text;
    if (length && (p[0] < 0x20 || p[0] == 0x7f))
        return p[0] != '\n' && p[0] != '\t';
    if (length >= 2 && ((p[0] == 0xc2 && p[1] < 0xa0) || (p[0] == 0xd8 && p[1] == 0x9c)))
        return 2; /* U+0080 to U+009F, U+061C */
    if (length < 3 || p[0] != 0xe2)
        return 0;
    bool turns = p[1] == 0x80 && (p[2] == 0x8e || p[2] == 0x8f || (p[2] >= 0xa8 && p[2] <= 0xae));
    bool isolates = p[1] == 0x81 && p[2] >= 0xa6 && p[2] <= 0xa9;
    return turns || isolates ? 3 : 0; /* U+200E, U+200F, U+2028 to U+202E; U+2066 to U+2069 */
}

void str_add_printable(struct str *s, const void *bytes, size_t length)
{
    const char *p = bytes, *end = p + length;
    while (p < end) {
        size_t left = (size_t)(end - p);
        size_t n = utf8_sequence((const unsigned char *)p, left);
        size_t escaped = n ? str_steering(p, left) : 1;
        for (size_t i = 0; i < escaped; i++)
            str_printf(s, "\\x%02x", (unsigned char)p[i]);
        if (!escaped)
            str_add_bytes(s, p, n);
        p += n ? n : 1;
    }
}

static bool is_hex(char c)
{
    return str_is_digit(c) || (str_lower(c) >= 'a' && str_lower(c) <= 'f');
}

/* The first place that reads as "\xNN". */
static const char *find_escape(const char *text)
{
    while ((text = strstr(text, "\\x")) && !(is_hex(text[2]) && is_hex(text[3])))
        text++;
    return text;
}

void str_add_name(struct str *s, const char *name)
{
    const char *escape = find_escape(name);
    size_t length = strlen(name);
    if (!escape && str_utf8_valid_prefix(name, length) == length) {
        str_add_bytes(s, name, length);
        return;
    }
    for (; escape; name = escape + 1, escape = find_escape(name)) {
        str_add_printable(s, name, (size_t)(escape - name));
        str_add(s, "\\x5c");
    }
    str_add_printable(s, name, strlen(name));
}

void str_add_shell_word(struct str *s, const char *word)
{
    size_t plain = strspn(word, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
                                "_./:@%+=,-");
    if (*word && !word[plain]) {
        str_add(s, word);
        return;
    }
    str_add_char(s, '\'');
    for (; *word; word++) {
        if (*word == '\'')
            str_add(s, "'\\'");
        str_add_char(s, *word);
    }
    str_add_char(s, '\'');
}

void str_add_codepoint(struct str *s, uint32_t c)
{
    if (c > 0x10ffff || (c >= 0xd800 && c <= 0xdfff))
        c = 0xfffd;
    if (c < 0x80) {
        str_add_char(s, (char)c);
    } else if (c < 0x800) {
        str_add_char(s, (char)(0xc0 | c >> 6));
        str_add_char(s, (char)(0x80 | (c & 0x3f)));
    } else if (c < 0x10000) {
        str_add_char(s, (char)(0xe0 | c >> 12));
        str_add_char(s, (char)(0x80 | (c >> 6 & 0x3f)));
        str_add_char(s, (char)(0x80 | (c & 0x3f)));
    } else {
        str_add_char(s, (char)(0xf0 | c >> 18));
        str_add_char(s, (char)(0x80 | (c >> 12 & 0x3f)));
        str_add_char(s, (char)(0x80 | (c >> 6 & 0x3f)));
        str_add_char(s, (char)(0x80 | (c & 0x3f)));
    }
}

void str_add_utf16le(struct str *s, const void *bytes, size_t length_bytes)
{
    const unsigned char *p = bytes;
    for (size_t i = 0; i + 1 < length_bytes; i += 2) {
        uint32_t c = (uint32_t)p[i] | (uint32_t)p[i + 1] << 8;
        if (c >= 0xd800 && c <= 0xdbff && i + 3 < length_bytes) {
            uint32_t low = (uint32_t)p[i + 2] | (uint32_t)p[i + 3] << 8;
            if (low >= 0xdc00 && low <= 0xdfff) {
                c = 0x10000 + ((c - 0xd800) << 10) + (low - 0xdc00);
                i += 2;
            }
        }
        str_add_codepoint(s, c);
    }
}

unsigned str_distance(const char *a, const char *b)
{
    enum { MOST = 64 };
    size_t la = strlen(a), lb = strlen(b);
    if (la >= MOST || lb >= MOST)
        return MOST;
    unsigned row[MOST + 1];
    for (size_t j = 0; j <= lb; j++)
        row[j] = (unsigned)j;
    for (size_t i = 1; i <= la; i++) {
        unsigned diagonal = row[0];
        row[0] = (unsigned)i;
        for (size_t j = 1; j <= lb; j++) {
            unsigned change = diagonal + (a[i - 1] != b[j - 1]);
            diagonal = row[j];
            unsigned best = row[j] + 1 < row[j - 1] + 1 ? row[j] + 1 : row[j - 1] + 1;
            row[j] = change < best ? change : best;
        }
    }
    return row[lb];
}

bool str_glob(const char *pattern, const char *s, bool nocase)
{
    const char *star = NULL, *resume = NULL;
    while (*s) {
        char p = nocase ? str_lower(*pattern) : *pattern;
        char c = nocase ? str_lower(*s) : *s;
        if (*pattern == '*') {
            star = pattern++;
            resume = s;
        } else if (*pattern && (*pattern == '?' || p == c)) {
            pattern++;
            s++;
        } else if (star) {
            pattern = star + 1;
            s = ++resume;
        } else {
            return false;
        }
    }
    while (*pattern == '*')
        pattern++;
    return !*pattern;
}
