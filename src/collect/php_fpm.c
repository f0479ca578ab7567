/* The pools of php-fpm: as whom the programs of sites run.
 *
 * Said by the files and not by the processes: the master is root on every host, and a pool that
 * starts its workers on demand has none. php.net/install.fpm.configuration; a section that comes
 * again goes on, and the last value counts. */
#include "collect/conf_tree.h"

#include "base/language.h"
#include "base/str.h"

static const char *const keys[] = {"user", "group", "listen"};

struct pool {
    const char *folder, *name; /* the pools of one master lie in one folder */
    const char *path;          /* of the file that it begins in */
    uint64_t line;
    const char *values[ARRAY_COUNT(keys)]; /* of the keys; NULL: not said */
};

struct pools {
    struct conf_reading r;
    VEC(struct pool) list;
};

static void free_pools(struct pools *p)
{
    VEC_FREE(&p->list);
    conf_reading_free(&p->r);
}

static char *trimmed(char *text)
{
    text += strspn(text, " \t");
    size_t length = strlen(text);
    while (length && strchr(" \t\r", text[length - 1]))
        text[--length] = '\0';
    return text;
}

/* The value without its quotes, or without the remark behind it. */
static char *value_of(char *text)
{
    text = trimmed(text);
    if (*text == '"' || *text == '\'') {
        char *end = strchr(text + 1, *text);
        if (end)
            *end = '\0';
        return text + 1;
    }
    text[strcspn(text, ";")] = '\0';
    return trimmed(text);
}

static struct pool *pool_of(struct pools *p, const char *path, uint64_t line, const char *name)
{
    struct arena *arena = p->r.c->arena;
    const char *folder = arena_strndup(arena, path, (size_t)(strrchr(path, '/') - path));
    for (size_t i = 0; i < p->list.count; i++)
        if (str_equal(p->list.items[i].folder, folder) && str_equal(p->list.items[i].name, name))
            return &p->list.items[i];
    if (p->list.count == CONF_MOST_FILES)
        return NULL;
    VEC_PUSH(&p->list, ((struct pool){.folder = folder,
                                      .name = arena_strdup(arena, name),
                                      .path = arena_strdup(arena, path),
                                      .line = line}));
    return &p->list.items[p->list.count - 1];
}

static void take_setting(struct pools *p, struct pool *pool, const char *key, const char *value)
{
    for (size_t i = 0; i < ARRAY_COUNT(keys); i++)
        if (str_equal(keys[i], key))
            pool->values[i] = arena_strdup(p->r.c->arena, value);
}

static void read_pools(struct pools *p, const char *path)
{
    size_t size, position = 0, length;
    const char *line;
    uint64_t number = 0;
    struct pool *pool = NULL;
    char *text = conf_open(&p->r, path, &size);
    while (text && str_next_line(text, size, &position, &line, &length)) {
        char *copy = trimmed(arena_strndup(p->r.c->arena, line, length));
        char *end = strchr(copy, *copy == '[' ? ']' : '=');
        number++;
        if (!end || *copy == ';' || *copy == '#')
            continue;
        *end = '\0';
        if (*copy == '[')
            pool = str_equal_nocase(copy + 1, "global") ? NULL : pool_of(p, path, number, copy + 1);
        else if (pool)
            take_setting(p, pool, trimmed(copy), value_of(end + 1));
    }
    if (text)
        conf_close(&p->r);
}

static void state_pool(struct facts *facts, const struct pool *pool)
{
    struct fact *f = facts_add(facts, "php-pool", pool->path, pool->line, -1, CONFIDENCE_HIGH);
    fact_put(facts, f, "name", pool->name);
    fact_put(facts, f, "path", pool->path);
    for (size_t i = 0; i < ARRAY_COUNT(keys); i++) {
        if (pool->values[i] && strstr(pool->values[i], "${"))
            fact_put_state(facts, f, keys[i], VALUE_UNREADABLE,
                           _("a variable in it has no value here"));
        else if (pool->values[i])
            fact_put(facts, f, keys[i], pool->values[i]);
    }
}

void collect_php_fpm(struct collection *c)
{
    /* of Debian, of Fedora and of Alpine */
    static const char *const patterns[] = {"/etc/php/*/fpm/php-fpm.conf",
                                           "/etc/php/*/fpm/pool.d/*.conf", "/etc/php*fpm.conf",
                                           "/etc/php-fpm.d/*.conf", "/etc/php*/php-fpm.d/*.conf"};
    CLEANUP(free_pools)
    struct pools p = {.r = conf_reading_of(c, N_("php-pool: php-fpm"))};
    for (size_t i = 0; i < ARRAY_COUNT(patterns); i++) {
        const char *const *paths;
        size_t count;
        conf_paths(&p.r, patterns[i], &paths, &count);
        for (size_t k = 0; k < count; k++)
            read_pools(&p, paths[k]);
    }
    for (size_t i = 0; i < p.list.count; i++)
        state_pool(c->facts, &p.list.items[i]);
}
