#include "collect/apt_conf.h"

#include "base/str.h"

#include <stdlib.h>

enum { MOST_DEPTH = 32, MOST_SETTINGS = 20000, MOST_WORD = 4096 };

void apt_conf_free(struct apt_conf *conf)
{
    VEC_FREE(&conf->settings);
}

struct scanner {
    const char *data;
    size_t size, at;
};

enum token {
    TOKEN_WORD,
    TOKEN_STRING,
    TOKEN_OPEN,
    TOKEN_CLOSE,
    TOKEN_SEMICOLON,
    TOKEN_END,
    TOKEN_CUT
};

static bool looking_at(const struct scanner *s, const char *text)
{
    size_t n = strlen(text);
    return s->size - s->at >= n && memcmp(s->data + s->at, text, n) == 0;
}

static void skip_line(struct scanner *s)
{
    while (s->at < s->size && s->data[s->at] != '\n')
        s->at++;
}

/* "#clear" and "#include" are words, every other # begins a comment. */
static bool skip_blank(struct scanner *s)
{
    while (s->at < s->size) {
        if (str_is_space(s->data[s->at])) {
            s->at++;
        } else if (looking_at(s, "/*")) {
            const char *end = memmem(s->data + s->at + 2, s->size - s->at - 2, "*/", 2);
            if (!end)
                return false;
            s->at = (size_t)(end - s->data) + 2;
        } else if (looking_at(s, "//") ||
                   (looking_at(s, "#") && !looking_at(s, "#clear") && !looking_at(s, "#include"))) {
            skip_line(s);
        } else {
            break;
        }
    }
    return true;
}

static bool ends_word(char c)
{
    return c == '{' || c == '}' || c == ';' || c == '"';
}

static enum token next_token(struct scanner *s, struct str *text)
{
    static const char single[] = "{};";
    static const enum token kinds[] = {TOKEN_OPEN, TOKEN_CLOSE, TOKEN_SEMICOLON};
    str_clear(text);
    if (!skip_blank(s))
        return TOKEN_CUT;
    if (s->at >= s->size)
        return TOKEN_END;
    char c = s->data[s->at];
    const char *place = c ? strchr(single, c) : NULL;
    if (place) {
        s->at++;
        return kinds[place - single];
    }
    if (c == '"') {
        const char *start = s->data + s->at + 1;
        const char *end = memchr(start, '"', s->size - s->at - 1);
        if (!end)
            return TOKEN_CUT;
        str_add_bytes(text, start,
                      (size_t)(end - start) < MOST_WORD ? (size_t)(end - start) : MOST_WORD);
        s->at = (size_t)(end - s->data) + 1;
        return TOKEN_STRING;
    }
    while (s->at < s->size && !str_is_space(s->data[s->at]) && !ends_word(s->data[s->at])) {
        if (text->length < MOST_WORD)
            str_add_char(text, s->data[s->at]);
        s->at++;
    }
    return TOKEN_WORD;
}

static void set(struct apt_conf *conf, struct arena *arena, const char *scope, const char *name,
                const char *value)
{
    if (conf->settings.count >= MOST_SETTINGS)
        return;
    const char *key = *scope && *name ? arena_printf(arena, "%s::%s", scope, name)
                                      : arena_strdup(arena, *scope ? scope : name);
    VEC_PUSH(&conf->settings,
             ((struct apt_setting){key, value ? arena_strdup(arena, value) : NULL}));
}

/* #clear KEY: everything at and below it is gone (apt.conf(5)). */
static void clear(struct apt_conf *conf, const char *key)
{
    size_t n = strlen(key);
    while (n >= 2 && key[n - 1] == ':')
        n--;
    for (size_t i = 0; i < conf->settings.count; i++) {
        struct apt_setting *one = &conf->settings.items[i];
        if (strlen(one->key) >= n && strncasecmp(one->key, key, n) == 0 &&
            (!one->key[n] || one->key[n] == ':'))
            one->key = "";
    }
}

static void include(struct apt_conf *conf, const char *path)
{
    if (!conf->include || !path || !conf->include(conf->context, path))
        conf->not_followed = path ? path : "";
}

bool apt_conf_parse(struct apt_conf *conf, struct arena *arena, const char *text, size_t size)
{
    struct scanner s = {text, size, 0};
    const char *scopes[MOST_DEPTH + 1] = {""};
    size_t depth = 0;
    CLEANUP_STR struct str token = {0};
    const char *name = NULL, *value = NULL;
    for (;;) {
        enum token kind = next_token(&s, &token);
        const char *scope = scopes[depth];
        switch (kind) {
        case TOKEN_WORD:
        case TOKEN_STRING:
            if (kind == TOKEN_STRING && !name)
                name = "", value = arena_strdup(arena, str_text(&token)); /* an item of a list */
            else if (!name)
                name = arena_strdup(arena, str_text(&token));
            else
                value = arena_strdup(arena, str_text(&token));
            break;
        case TOKEN_SEMICOLON:
            if (name && str_equal_nocase(name, "#clear") && value)
                clear(conf, value);
            else if (name && str_equal_nocase(name, "#include"))
                include(conf, value);
            else if (name && value)
                set(conf, arena, *name || !*scope ? scope : arena_printf(arena, "%s::", scope),
                    name, value);
            name = value = NULL;
            break;
        case TOKEN_OPEN:
            if (depth == MOST_DEPTH)
                return false;
            if (name && value)
                set(conf, arena, scope, name, value);
            scopes[depth + 1] = !name || !*name ? scope
                                : *scope        ? arena_printf(arena, "%s::%s", scope, name)
                                                : name;
            depth++;
            name = value = NULL;
            break;
        case TOKEN_CLOSE:
            if (name && value)
                set(conf, arena, scope, name, value);
            name = value = NULL;
            if (depth)
                depth--;
            break;
        case TOKEN_END:
            return depth == 0 && !name;
        case TOKEN_CUT:
            return false;
        }
    }
}

const char *apt_conf_get(const struct apt_conf *conf, const char *key)
{
    for (size_t i = conf->settings.count; i > 0; i--)
        if (str_equal_nocase(conf->settings.items[i - 1].key, key))
            return conf->settings.items[i - 1].value;
    return NULL;
}

/* What apt has where nobody sets it (apt-pkg/init.cc of apt 2.6). */
static const char *default_path(const char *key)
{
    static const char *const paths[][2] = {
        {"Dir", "/"},
        {"Dir::State", "var/lib/apt"},
        {"Dir::State::lists", "lists"},
        {"Dir::State::status", "/var/lib/dpkg/status"},
        {"Dir::Etc", "etc/apt"},
        {"Dir::Etc::sourcelist", "sources.list"},
        {"Dir::Etc::sourceparts", "sources.list.d"},
        {"Dir::Etc::preferences", "preferences"},
        {"Dir::Etc::preferencesparts", "preferences.d"},
    };
    for (size_t i = 0; i < ARRAY_COUNT(paths); i++)
        if (str_equal(key, paths[i][0]))
            return paths[i][1];
    return "";
}

const char *apt_conf_path(const struct apt_conf *conf, struct arena *arena, const char *key)
{
    char *part = arena_strdup(arena, key), *end = part;
    const char *path = "", *value = apt_conf_get(conf, key);
    if (value && (!*value || str_equal(value, "/dev/null")))
        return NULL;
    for (; end; end = strrchr(part, ':')) {
        if (end != part)
            end[-1] = '\0'; /* the first of the two colons */
        value = apt_conf_get(conf, part);
        if (!value)
            value = default_path(part);
        path = *path ? arena_printf(arena, "%s/%s", value, path) : value;
        if (*value == '/')
            break;
    }
    const char *root = apt_conf_get(conf, "RootDir");
    char *clean = arena_printf(arena, "%s/%s", root ? root : "", path), *to = clean;
    for (const char *from = clean; *from; from++) /* no "//", and no slash at the end */
        if (*from != '/' || (from[1] && from[1] != '/'))
            *to++ = *from;
    *to = '\0';
    return clean;
}

bool apt_conf_true(const struct apt_conf *conf, const char *key, bool otherwise)
{
    /* StringToBool() of apt: these words, or a number. */
    static const char *const yes[] = {"yes", "true", "with", "on", "enable", "1"};
    static const char *const no[] = {"no", "false", "without", "off", "disable", "0"};
    const char *value = apt_conf_get(conf, key);
    for (size_t i = 0; value && i < ARRAY_COUNT(yes); i++) {
        if (str_equal_nocase(value, yes[i]))
            return true;
        if (str_equal_nocase(value, no[i]))
            return false;
    }
    return otherwise;
}

size_t apt_conf_list(const struct apt_conf *conf, const char *key, struct arena *arena,
                     const char **out, size_t most)
{
    size_t count = 0, n = strlen(key);
    const char *plain = apt_conf_get(conf, key);
    for (size_t i = 0; i < conf->settings.count && count < most; i++)
        if (strncasecmp(conf->settings.items[i].key, key, n) == 0 &&
            str_equal(conf->settings.items[i].key + n, "::"))
            out[count++] = conf->settings.items[i].value;
    if (!count && plain) {
        char *save = NULL, *copy = arena_strdup(arena, plain);
        for (char *word = strtok_r(copy, " ,\t\n", &save); word && count < most;
             word = strtok_r(NULL, " ,\t\n", &save))
            out[count++] = word;
    }
    return count;
}

bool apt_conf_takes_file(const char *name, const char *extension, const char *other)
{
    if (*name == '.' || !*name)
        return false;
    for (const char *p = name; *p; p++)
        if (!str_is_digit(*p) && !(str_lower(*p) >= 'a' && str_lower(*p) <= 'z') &&
            !strchr("_-:.", *p))
            return false;
    const char *dot = strrchr(name, '.');
    const char *has = dot ? dot + 1 : "";
    return (extension && str_equal(has, extension)) || (other && str_equal(has, other));
}
