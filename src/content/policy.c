#include "content/policy.h"

#include "base/mem.h"
#include "base/str.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

struct pattern {
    char *given;
    char *glob; /* without slashes at either end */
    bool anchored, dirs_only;
    enum policy policy;
};

struct policies {
    VEC(struct pattern) patterns;
};

static const char *const names[POLICY_COUNT] = {"fixed", "append", "upload", "free", "ignore"};

const char *policy_name(enum policy p)
{
    return names[p];
}

bool policy_from_name(const char *name, enum policy *out)
{
    for (size_t i = 0; i < POLICY_COUNT; i++)
        if (str_equal(name, names[i])) {
            *out = (enum policy)i;
            return true;
        }
    return false;
}

struct policies *policies_new(void)
{
    return mem_alloc(sizeof(struct policies));
}

void policies_free(struct policies *p)
{
    if (!p)
        return;
    for (size_t i = 0; i < p->patterns.count; i++) {
        free(p->patterns.items[i].given);
        free(p->patterns.items[i].glob);
    }
    VEC_FREE(&p->patterns);
    free(p);
}

void policies_cleanup(struct policies **p)
{
    policies_free(*p);
}

size_t policies_count(const struct policies *p)
{
    return p->patterns.count;
}

const char *policies_pattern(const struct policies *p, size_t i, enum policy *policy)
{
    *policy = p->patterns.items[i].policy;
    return p->patterns.items[i].given;
}

/* Classes within a set: "[[:alpha:]_]". */
static const struct {
    const char *name; /* as it stands in the pattern */
    int (*has)(int c);
} classes[] = {
    {"[:alnum:]", isalnum}, {"[:alpha:]", isalpha}, {"[:blank:]", isblank},
    {"[:cntrl:]", iscntrl}, {"[:digit:]", isdigit}, {"[:graph:]", isgraph},
    {"[:lower:]", islower}, {"[:print:]", isprint}, {"[:punct:]", ispunct},
    {"[:space:]", isspace}, {"[:upper:]", isupper}, {"[:xdigit:]", isxdigit},
};

/* The class that starts at `p`, or -1. */
static int class_at(const char *p)
{
    for (size_t i = 0; i < ARRAY_COUNT(classes); i++)
        if (str_starts(p, classes[i].name))
            return (int)i;
    return -1;
}

/* The end of a set "[...]" that starts at `p`, or NULL if it has none. */
static const char *set_end(const char *p)
{
    p++;
    if (*p == '!' || *p == '^')
        p++;
    if (*p == ']')
        p++;
    for (int class; *p && *p != ']'; p++)
        if (*p == '\\' && p[1])
            p++;
        else if ((class = class_at(p)) >= 0)
            p += strlen(classes[class].name) - 1;
    return *p ? p : NULL;
}

static const char *whats_wrong(const char *glob)
{
    if (!*glob)
        return N_("it is empty");
    if (*glob == '!')
        return N_("\"!\" is not needed here: add the exception behind, with the policy it "
                  "shall have");
    for (const char *p = glob; *p; p++) {
        if (*p == '\\' && !*++p)
            return N_("it ends with \"\\\"");
        if (*p == '[' && !(p = set_end(p)))
            return N_("\"[\" without \"]\"");
    }
    return NULL;
}

bool policies_add(struct policies *p, const char *pattern, enum policy policy, struct error *e)
{
    struct pattern new = {.policy = policy};
    const char *from = pattern;
    size_t length = strlen(pattern);
    while (length && from[length - 1] == ' ' && (length < 2 || from[length - 2] != '\\'))
        length--;
    if (length > 1 && from[length - 1] == '/' && from[length - 2] != '\\') {
        new.dirs_only = true;
        length--;
    }
    if (*from == '/') {
        new.anchored = true;
        from++;
        length--;
    }
    CLEANUP_FREE char *glob = mem_dup(from, length + 1);
    glob[length] = '\0';
    bool everything = new.anchored && !length; /* "/": the root */
    const char *wrong = everything ? NULL : whats_wrong(glob);
    if (wrong || length > 4096) {
        error_set(e, ERR_FORMAT, "the pattern \"%.200s\" makes no sense: %s", pattern,
                  _(wrong ? wrong : N_("it is longer than any path")));
        return false;
    }
    new.anchored = new.anchored || strchr(glob, '/');
    new.glob = glob;
    glob = NULL;
    new.given = mem_strdup(pattern);
    VEC_PUSH(&p->patterns, new);
    return true;
}

/* One character of the path against the set at `p`; *end is behind the set. */
static bool in_set(const char *p, unsigned char c, const char **end)
{
    const char *last = set_end(p);
    *end = last + 1;
    p++;
    bool inverted = *p == '!' || *p == '^', found = false;
    if (inverted)
        p++;
    for (const char *first = p; p < last || p == first; p++) {
        int class = class_at(p);
        if (class >= 0) {
            found = found || classes[class].has(c);
            p += strlen(classes[class].name) - 1;
            continue;
        }
        unsigned char low = (unsigned char)*p, high;
        if (low == '\\')
            low = (unsigned char)*++p;
        high = low;
        if (p[1] == '-' && p + 2 < last) {
            p += 2;
            high = (unsigned char)(*p == '\\' ? *++p : *p);
        }
        if (low <= c && c <= high)
            found = true;
    }
    return found != inverted && c != '/';
}

/* Steps one unit of the pattern over one character; false if they do not fit. */
static bool step(const char **p, char c)
{
    switch (**p) {
    case '?':
        (*p)++;
        return c != '/';
    case '[':
        return in_set(*p, (unsigned char)c, p);
    case '\\':
        (*p)++;
        break;
    default:
        break;
    }
    return *(*p)++ == c;
}

/* Two stars or more with nothing but a slash or an end beside them: how many, else 0. */
static size_t double_star(const char *start, const char *p)
{
    size_t stars = strspn(p, "*");
    return stars >= 2 && (p == start || p[-1] == '/') && (!p[stars] || p[stars] == '/') ? stars : 0;
}

/* Back-tracks to the last "*" and to the last "**": at most length of pattern x path x path. */
static bool glob_fits(const char *pattern, const char *path)
{
    const char *p = pattern, *s = path;
    const char *star = NULL, *star_at = NULL, *deep = NULL, *deep_at = NULL;
    for (;;) {
        size_t stars = double_star(pattern, p);
        if (stars) {
            if (!p[stars])
                return *s != '\0';
            p += stars + 1; /* any number of directories, or none */
            deep = p;
            deep_at = s;
            star = NULL;
            continue;
        }
        if (*p == '*') {
            while (*p == '*' && !double_star(pattern, p))
                p++;
            star = p;
            star_at = s;
            continue;
        }
        const char *next = p;
        if (*p && *s && step(&next, *s)) {
            p = next;
            s++;
            continue;
        }
        if (!*p && !*s)
            return true;
        if (star && *star_at && *star_at != '/') {
            p = star;
            s = ++star_at;
            continue;
        }
        const char *slash = deep ? strchr(deep_at, '/') : NULL;
        if (!slash)
            return false;
        p = deep;
        s = deep_at = slash + 1;
        star = NULL;
    }
}

static bool fits(const struct pattern *p, const char *path, bool is_dir)
{
    if (!path[0] || !p->glob[0]) /* the root is what "/" says, and no other pattern */
        return !path[0] && !p->glob[0];
    if (p->dirs_only && !is_dir)
        return false;
    if (p->anchored)
        return glob_fits(p->glob, path);
    const char *slash = strrchr(path, '/');
    return glob_fits(p->glob, slash ? slash + 1 : path);
}

enum policy policy_of(const struct policies *p, const char *path, bool is_dir, enum policy above)
{
    for (size_t i = p->patterns.count; i-- > 0;)
        if (fits(&p->patterns.items[i], path, is_dir))
            return p->patterns.items[i].policy;
    return above;
}

enum policy policy_of_path(const struct policies *p, const char *path, bool is_dir)
{
    enum policy at = policy_of(p, "", true, POLICY_FIXED);
    CLEANUP_FREE char *part = mem_strdup(path);
    for (char *slash = part; *part && (slash = strchr(slash, '/')); slash++) {
        *slash = '\0';
        at = policy_of(p, part, true, at);
        *slash = '/';
    }
    return *part ? policy_of(p, part, is_dir, at) : at;
}
