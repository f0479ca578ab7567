#include "model/version.h"

#include "base/mem.h"
#include "base/str.h"

#include <string.h>

/* --- dpkg: Debian Policy 5.6.12 and deb-version(7) --- */

struct part {
    const char *s;
    size_t length;
};

/* ~ before the end, the end before letters, letters before everything else. */
static int dpkg_weight(const struct part *p, size_t i)
{
    if (i >= p->length || str_is_digit(p->s[i]))
        return 0;
    unsigned char c = (unsigned char)p->s[i];
    if (c == '~')
        return -1;
    bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
    return letter ? c : c + 256;
}

/* Numbers of any length: leading zeros skipped, then by length, then by digits. */
static int compare_digits(const struct part *a, size_t *i, const struct part *b, size_t *j)
{
    while (*i < a->length && a->s[*i] == '0')
        (*i)++;
    while (*j < b->length && b->s[*j] == '0')
        (*j)++;
    size_t ai = *i, bj = *j;
    while (*i < a->length && str_is_digit(a->s[*i]))
        (*i)++;
    while (*j < b->length && str_is_digit(b->s[*j]))
        (*j)++;
    size_t la = *i - ai, lb = *j - bj;
    if (la != lb)
        return la < lb ? -1 : 1;
    return la ? memcmp(a->s + ai, b->s + bj, la) : 0;
}

static int dpkg_part(struct part a, struct part b)
{
    size_t i = 0, j = 0;
    while (i < a.length || j < b.length) {
        while ((i < a.length && !str_is_digit(a.s[i])) || (j < b.length && !str_is_digit(b.s[j]))) {
            int wa = dpkg_weight(&a, i), wb = dpkg_weight(&b, j);
            if (wa != wb)
                return wa < wb ? -1 : 1;
            i++;
            j++;
        }
        int order = compare_digits(&a, &i, &b, &j);
        if (order)
            return order;
    }
    return 0;
}

struct split {
    struct part epoch, upstream, revision;
};

/* epoch ':' upstream '-' revision; the revision begins at the last hyphen. */
static struct split split_version(const char *v, bool first_hyphen)
{
    struct split out = {{"", 0}, {v, strlen(v)}, {"", 0}};
    const char *colon = strchr(v, ':');
    if (colon) {
        out.epoch = (struct part){v, (size_t)(colon - v)};
        out.upstream = (struct part){colon + 1, strlen(colon + 1)};
    }
    const char *hyphen = first_hyphen ? strchr(out.upstream.s, '-') : strrchr(out.upstream.s, '-');
    if (hyphen) {
        out.revision = (struct part){hyphen + 1, strlen(hyphen + 1)};
        out.upstream.length = (size_t)(hyphen - out.upstream.s);
    }
    return out;
}

static int dpkg_compare(const char *a, const char *b)
{
    struct split x = split_version(a, false), y = split_version(b, false);
    int order = dpkg_part(x.epoch, y.epoch);
    if (!order)
        order = dpkg_part(x.upstream, y.upstream);
    return order ? order : dpkg_part(x.revision, y.revision);
}

static int generic_compare(const char *a, const char *b)
{
    if (*a == 'v' || *a == 'V')
        a++;
    if (*b == 'v' || *b == 'V')
        b++;
    CLEANUP_FREE char *la = mem_strdup(a);
    CLEANUP_FREE char *lb = mem_strdup(b);
    str_lower_all(la);
    str_lower_all(lb);
    return dpkg_part((struct part){la, strlen(la)}, (struct part){lb, strlen(lb)});
}

/* --- rpm: rpmvercmp of rpm 4.18 (docs/manual/dependencies of rpm) --- */

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool is_separator(char c)
{
    return !str_is_digit(c) && !is_letter(c) && c != '~' && c != '^';
}

static size_t run_of(struct part p, size_t i, bool digits_wanted)
{
    size_t n = i;
    while (n < p.length && (digits_wanted ? str_is_digit(p.s[n]) : is_letter(p.s[n])))
        n++;
    return n - i;
}

static int rpm_part(struct part a, struct part b)
{
    size_t i = 0, j = 0;
    while (i < a.length || j < b.length) {
        while (i < a.length && is_separator(a.s[i]))
            i++;
        while (j < b.length && is_separator(b.s[j]))
            j++;
        char ca = i < a.length ? a.s[i] : '\0', cb = j < b.length ? b.s[j] : '\0';
        if (ca == '~' || cb == '~') {
            if (ca != '~')
                return 1;
            if (cb != '~')
                return -1;
            i++, j++;
            continue;
        }
        if (ca == '^' || cb == '^') { /* newer than the end, older than anything else */
            if (!ca)
                return -1;
            if (!cb)
                return 1;
            if (ca != '^')
                return 1;
            if (cb != '^')
                return -1;
            i++, j++;
            continue;
        }
        if (!ca || !cb)
            break;
        bool digits_here = str_is_digit(ca);
        size_t la = run_of(a, i, digits_here), lb = run_of(b, j, digits_here);
        if (!lb)
            return digits_here ? 1 : -1;
        int order;
        if (digits_here) {
            struct part da = {a.s, i + la}, db = {b.s, j + lb};
            size_t x = i, y = j;
            order = compare_digits(&da, &x, &db, &y);
        } else {
            order = memcmp(a.s + i, b.s + j, la < lb ? la : lb);
            if (!order)
                order = la < lb ? -1 : la > lb;
        }
        if (order)
            return order;
        i += la;
        j += lb;
    }
    bool left_a = i < a.length, left_b = j < b.length;
    return left_a == left_b ? 0 : left_a ? 1 : -1;
}

static int rpm_compare(const char *a, const char *b)
{
    struct split x = split_version(a, false), y = split_version(b, false);
    int order = rpm_part(x.epoch.length ? x.epoch : (struct part){"0", 1},
                         y.epoch.length ? y.epoch : (struct part){"0", 1});
    if (!order)
        order = rpm_part(x.upstream, y.upstream);
    if (!order && x.revision.length && y.revision.length)
        order = rpm_part(x.revision, y.revision);
    return order;
}

/* --- Windows and Solaris: numbers --- */

static int numbers_compare(const char *a, const char *b)
{
    struct part x = {a, strlen(a)}, y = {b, strlen(b)};
    size_t i = 0, j = 0;
    while (i < x.length || j < y.length) {
        int order = compare_digits(&x, &i, &y, &j);
        if (order)
            return order;
        /* What is neither digit nor end is a separator, whatever it is. */
        while (i < x.length && !str_is_digit(x.s[i]))
            i++;
        while (j < y.length && !str_is_digit(y.s[j]))
            j++;
    }
    return 0;
}

/* --- the table --- */

static bool check_dpkg(const char *v, const char **why)
{
    struct split s = split_version(v, false);
    for (size_t i = 0; i < s.epoch.length; i++)
        if (!str_is_digit(s.epoch.s[i]))
            *why = _("the epoch is not a number");
    if (strchr(v, ':') && !s.epoch.length)
        *why = _("the epoch is empty");
    else if (!s.upstream.length)
        *why = _("the upstream version is empty");
    else if (!str_is_digit(s.upstream.s[0]))
        *why = _("the upstream version does not begin with a digit");
    else if (s.upstream.s[s.upstream.length] == '-' && !s.revision.length)
        *why = _("the revision after the hyphen is empty");
    for (const char *p = v; *p; p++)
        if (!is_letter(*p) && !str_is_digit(*p) && !strchr(".+-:~", *p))
            *why = _("it has a character that no version may have");
    return !*why;
}

static bool check_rpm(const char *v, const char **why)
{
    if (!*v)
        *why = _("it is empty");
    for (const char *p = v; *p; p++)
        if ((unsigned char)*p <= ' ' || (unsigned char)*p > '~')
            *why = _("it has a character that no version may have");
    return !*why;
}

static bool check_windows(const char *v, const char **why)
{
    int parts = 1, digits = 0;
    for (const char *p = v; *p; p++) {
        if (str_is_digit(*p)) {
            digits++;
        } else if (*p == '.' && digits) {
            parts++;
            digits = 0;
        } else {
            *why = _("it is not numbers with dots between them");
        }
    }
    if (!digits || parts > 4)
        *why = _("it is not up to four numbers with dots between them");
    return !*why;
}

static bool check_solaris(const char *v, const char **why)
{
    size_t dash = strspn(v, "0123456789");
    if (dash != 6 || v[dash] != '-' || strspn(v + dash + 1, "0123456789") != 2 || v[dash + 3])
        *why = _("it is not of the form nnnnnn-rr");
    return !*why;
}

static const struct scheme {
    const char *name, *other_name;
    int (*compare)(const char *a, const char *b);
    bool (*check)(const char *version, const char **why);
} schemes[VERSION_SCHEMES] = {
    [VERSION_DPKG] = {"dpkg", "deb", dpkg_compare, check_dpkg},
    [VERSION_RPM] = {"rpm", "rpm", rpm_compare, check_rpm},
    [VERSION_WINDOWS] = {"windows", "intdot", numbers_compare, check_windows},
    [VERSION_SOLARIS] = {"solaris", "solaris", numbers_compare, check_solaris},
    [VERSION_GENERIC] = {"generic", "semver", generic_compare, check_rpm},
};

const char *version_scheme_name(enum version_scheme scheme)
{
    return schemes[scheme].name;
}

bool version_scheme_from_name(const char *name, enum version_scheme *out)
{
    for (size_t i = 0; i < VERSION_SCHEMES; i++) {
        if (str_equal_nocase(name, schemes[i].name) ||
            str_equal_nocase(name, schemes[i].other_name)) {
            *out = (enum version_scheme)i;
            return true;
        }
    }
    return false;
}

int version_compare(enum version_scheme scheme, const char *a, const char *b)
{
    return schemes[scheme].compare(a, b);
}

bool version_check(enum version_scheme scheme, const char *version, struct error *e)
{
    const char *why = NULL;
    if (schemes[scheme].check(version, &why))
        return true;
    error_set(e, ERR_FORMAT, "\"%s\" is not a %s version: %s", version, schemes[scheme].name, why);
    return false;
}

/* --- ranges --- */

static bool parse_constraint(struct version_constraint *out, char *text, struct error *e)
{
    static const char *const operators[] = {"<=", ">=", "!=", "<", ">", "=", "*"};
    text = str_trim(text);
    strcpy(out->op, "=");
    for (size_t i = 0; i < ARRAY_COUNT(operators); i++) {
        if (str_starts(text, operators[i])) {
            strcpy(out->op, operators[i]);
            text += strlen(operators[i]);
            break;
        }
    }
    out->version = str_trim(text);
    if (!*out->version && out->op[0] != '*') {
        error_set(e, ERR_FORMAT, "a version range has an operator without a version");
        return false;
    }
    return true;
}

bool version_range_parse(struct version_range *out, struct arena *arena, const char *text,
                         enum version_scheme fallback, struct error *e)
{
    struct version_range range = {.scheme = fallback};
    const char *separators = ",";
    if (str_starts(text, "vers:")) {
        const char *slash = strchr(text, '/');
        char name[32] = "";
        if (slash && slash - text - 5 < (long)sizeof name)
            memcpy(name, text + 5, (size_t)(slash - text - 5));
        if (!slash || !version_scheme_from_name(name, &range.scheme)) {
            error_set(e, ERR_FORMAT, "\"%s\" is a version range of a kind we do not know", text);
            return false;
        }
        text = slash + 1;
        separators = "|";
    }
    char *rest = arena_strdup(arena, text), *save = NULL;
    for (char *piece = strtok_r(rest, separators, &save); piece;
         piece = strtok_r(NULL, separators, &save)) {
        if (range.count == ARRAY_COUNT(range.constraints)) {
            error_set(e, ERR_LIMIT, "a version range has more than %zu constraints", range.count);
            return false;
        }
        if (!parse_constraint(&range.constraints[range.count], piece, e))
            return false;
        range.count++;
    }
    if (!range.count) {
        error_set(e, ERR_FORMAT, "a version range is empty");
        return false;
    }
    *out = range;
    return true;
}

static bool holds(enum version_scheme scheme, const struct version_constraint *c,
                  const char *version)
{
    if (c->op[0] == '*')
        return true;
    int order = version_compare(scheme, version, c->version);
    switch (c->op[0]) {
    case '<':
        return c->op[1] ? order <= 0 : order < 0;
    case '>':
        return c->op[1] ? order >= 0 : order > 0;
    case '!':
        return order != 0;
    default:
        return order == 0;
    }
}

bool version_range_has(const struct version_range *range, const char *version)
{
    for (size_t i = 0; i < range->count; i++)
        if (!holds(range->scheme, &range->constraints[i], version))
            return false;
    return true;
}
