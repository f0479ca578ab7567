#include "feed/purl.h"

#include "base/str.h"

#include <stdlib.h>
#include <string.h>

enum { MOST_TEXT = 4096 };

/* What a type says of its parts (purl-spec, types/NAME-definition.json). */
enum { LOWER_NAMESPACE = 1, LOWER_NAME = 2, NO_NAMESPACE = 4, LOWER_VERSION = 8, DASH_NAME = 16 };
static const struct {
    const char *type;
    unsigned rules;
} types[] = {
    {"alpm", LOWER_NAMESPACE | LOWER_NAME},
    {"apk", LOWER_NAMESPACE | LOWER_NAME},
    {"bitbucket", LOWER_NAMESPACE | LOWER_NAME},
    {"bitnami", NO_NAMESPACE | LOWER_NAME},
    {"brew", LOWER_NAMESPACE | LOWER_NAME},
    {"cocoapods", NO_NAMESPACE},
    {"composer", LOWER_NAMESPACE | LOWER_NAME},
    {"conda", NO_NAMESPACE},
    {"cran", NO_NAMESPACE},
    {"deb", LOWER_NAMESPACE | LOWER_NAME},
    {"gem", NO_NAMESPACE},
    {"github", LOWER_NAMESPACE | LOWER_NAME},
    {"hackage", NO_NAMESPACE},
    {"hex", LOWER_NAMESPACE | LOWER_NAME},
    {"huggingface", LOWER_VERSION},
    {"luarocks", LOWER_NAMESPACE | LOWER_NAME},
    {"nuget", NO_NAMESPACE},
    {"oci", NO_NAMESPACE | LOWER_NAME},
    {"opam", NO_NAMESPACE},
    {"otp", NO_NAMESPACE | LOWER_NAME},
    {"pub", NO_NAMESPACE | LOWER_NAME},
    {"pypi", NO_NAMESPACE | LOWER_NAME | DASH_NAME},
    {"qpkg", LOWER_NAMESPACE},
    {"rpm", LOWER_NAMESPACE},
    {"vcpkg", NO_NAMESPACE},
    {"vscode-extension", LOWER_NAMESPACE | LOWER_NAME},
    {"yocto", LOWER_NAMESPACE},
};

static unsigned rules_of(const char *type)
{
    for (size_t i = 0; i < ARRAY_COUNT(types); i++)
        if (str_equal(types[i].type, type))
            return types[i].rules;
    return 0;
}

static bool is_letter(char c)
{
    c = str_lower(c);
    return c >= 'a' && c <= 'z';
}

static int hex(char c)
{
    c = str_lower(c);
    return str_is_digit(c) ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* In place; false for a NUL or what is not UTF-8 afterwards. */
static bool decode(char *s)
{
    char *start = s, *to = s;
    while (*s) {
        if (*s == '%' && hex(s[1]) >= 0 && hex(s[2]) >= 0) {
            *to = (char)(hex(s[1]) << 4 | hex(s[2]));
            if (!*to++)
                return false;
            s += 3;
        } else {
            *to++ = *s++;
        }
    }
    *to = '\0';
    return str_utf8_valid(start);
}

/* Decoded segments joined by "/"; empty ones are dropped, and "." and ".." in a subpath. */
static bool segments(struct arena *arena, char *text, bool subpath, const char **out)
{
    CLEANUP_STR struct str joined = {0};
    char *save = NULL;
    for (char *s = strtok_r(text, "/", &save); s; s = strtok_r(NULL, "/", &save)) {
        if (!decode(s))
            return false;
        if (subpath && (str_equal(s, ".") || str_equal(s, "..")))
            continue;
        if (joined.length)
            str_add_char(&joined, '/');
        str_add(&joined, s);
    }
    *out = arena_strdup(arena, str_text(&joined));
    return true;
}

static bool is_key(const char *s)
{
    if (!*s || str_is_digit(*s))
        return false;
    for (; *s; s++)
        if (!is_letter(*s) && !str_is_digit(*s) && !strchr(".-_", *s))
            return false;
    return true;
}

static int by_key(const void *a, const void *b)
{
    const struct purl_qualifier *x = a, *y = b;
    return strcmp(x->key, y->key);
}

static const char *parse_qualifiers(struct purl *p, char *text)
{
    char *save = NULL;
    for (char *pair = strtok_r(text, "&", &save); pair; pair = strtok_r(NULL, "&", &save)) {
        char *value = strchr(pair, '=');
        if (!value)
            return _("a qualifier has no value");
        *value++ = '\0';
        str_lower_all(pair);
        if (!is_key(pair))
            return _("the name of a qualifier has characters that it must not have");
        if (!decode(value))
            return _("a qualifier is not UTF-8");
        if (*purl_qualifier(p, pair))
            return _("a qualifier stands there twice");
        if (!*value)
            continue;
        if (p->qualifier_count == ARRAY_COUNT(p->qualifiers))
            return _("there are too many qualifiers");
        p->qualifiers[p->qualifier_count++] = (struct purl_qualifier){pair, value};
    }
    qsort(p->qualifiers, p->qualifier_count, sizeof *p->qualifiers, by_key);
    return NULL;
}

static const char *parse_type(struct purl *p, char *type)
{
    str_lower_all(type);
    if (!is_letter(*type))
        return _("the type does not begin with a letter");
    for (const char *c = type; *c; c++)
        if (!is_letter(*c) && !str_is_digit(*c) && !strchr(".-", *c))
            return _("the type has a character that no type may have");
    p->type = type;
    return NULL;
}

/* The version begins at the last @ behind the last slash that is not part of it. */
static char *cut_version(char *text)
{
    char *at = strrchr(text, '@');
    if (!at || at == text || at[-1] == '/')
        return NULL; /* "@scope" of npm is a namespace */
    *at = '\0';
    return at + 1;
}

static void apply_rules(struct purl *p, char *name, char *namespace, char *version)
{
    unsigned rules = rules_of(p->type);
    if (rules & LOWER_NAMESPACE)
        str_lower_all(namespace);
    if (rules & LOWER_NAME)
        str_lower_all(name);
    if (rules & LOWER_VERSION)
        str_lower_all(version);
    for (char *c = name; *c && rules & DASH_NAME; c++)
        if (*c == '_')
            *c = '-';
    /* types/mlflow-definition.json: Databricks' registry does not mind case */
    if (str_equal(p->type, "mlflow") && strstr(purl_qualifier(p, "repository_url"), "databricks"))
        str_lower_all(name);
}

static const char *parse(struct purl *p, struct arena *arena, char *text)
{
    if (!str_starts_nocase(text, "pkg:"))
        return _("it does not begin with pkg:");
    text += 4;
    char *hash = strchr(text, '#');
    if (hash) {
        *hash = '\0';
        if (!segments(arena, hash + 1, true, &p->subpath))
            return _("the subpath is not UTF-8");
    }
    char *query = strchr(text, '?');
    const char *why = NULL;
    if (query) {
        *query = '\0';
        if ((why = parse_qualifiers(p, query + 1)))
            return why;
    }
    text += strspn(text, "/");
    char *slash = strchr(text, '/');
    if (!slash)
        return _("it has no name");
    *slash = '\0';
    if ((why = parse_type(p, text)))
        return why;
    text = slash + 1;
    char *version = cut_version(text), *end = text + strlen(text);
    if (!version)
        version = arena_strdup(arena, "");
    while (end > text && end[-1] == '/')
        *--end = '\0';
    char *name = strrchr(text, '/');
    const char *namespace = "";
    if (name) {
        *name++ = '\0';
        if (!segments(arena, text, false, &namespace))
            return _("the namespace is not UTF-8");
    } else {
        name = text;
    }
    if (!decode(name) || !decode(version))
        return _("the name or version is not UTF-8");
    if (!*name || *name == '@')
        return _("it has no name");
    if (rules_of(p->type) & NO_NAMESPACE && *namespace)
        return _("its type has no namespaces");
    char *space = arena_strdup(arena, namespace);
    apply_rules(p, name, space, version);
    p->name = name;
    p->namespace = space;
    p->version = version;
    return NULL;
}

bool purl_parse(struct purl *out, struct arena *arena, const char *text, struct error *e)
{
    struct purl p = {.namespace = "", .version = "", .subpath = "", .name = "", .type = ""};
    const char *why = strlen(text) > MOST_TEXT ? _("it is too long")
                                               : parse(&p, arena, arena_strdup(arena, text));
    if (why) {
        error_set(e, ERR_FORMAT, "\"%.200s\" is not a package URL: %s", text, why);
        return false;
    }
    *out = p;
    return true;
}

const char *purl_qualifier(const struct purl *p, const char *key)
{
    for (size_t i = 0; i < p->qualifier_count; i++)
        if (str_equal(p->qualifiers[i].key, key))
            return p->qualifiers[i].value;
    return "";
}

/* The specification leaves these as they are; ":" too, everywhere. */
static void encode(struct str *out, const char *s, const char *also)
{
    for (; *s; s++) {
        if (is_letter(*s) || str_is_digit(*s) || strchr(".-_~:", *s) || strchr(also, *s))
            str_add_char(out, *s);
        else
            str_printf(out, "%%%02X", (unsigned char)*s);
    }
}

char *purl_text(struct arena *arena, const struct purl *p)
{
    CLEANUP_STR struct str out = {0};
    str_printf(&out, "pkg:%s/", p->type);
    if (*p->namespace) {
        encode(&out, p->namespace, "/");
        str_add_char(&out, '/');
    }
    encode(&out, p->name, "");
    if (*p->version) {
        str_add_char(&out, '@');
        encode(&out, p->version, "");
    }
    for (size_t i = 0; i < p->qualifier_count; i++) {
        str_printf(&out, "%c%s=", i ? '&' : '?', p->qualifiers[i].key);
        encode(&out, p->qualifiers[i].value, "");
    }
    if (*p->subpath) {
        str_add_char(&out, '#');
        encode(&out, p->subpath, "/");
    }
    return arena_strdup(arena, str_text(&out));
}
