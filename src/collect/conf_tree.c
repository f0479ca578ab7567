#include "collect/conf_tree.h"

#include "base/language.h"
#include "base/str.h"

#include <fnmatch.h>
#include <stdio.h>
#include <stdlib.h>

enum { MOST_SAID = 20, MOST_STARS = 6 };

struct conf_reading conf_reading_of(struct collection *c, const char *what)
{
    return (struct conf_reading){.c = c, .what = what};
}

void conf_reading_free(struct conf_reading *r)
{
    str_free(&r->names);
}

void conf_unread(struct conf_reading *r, const char *path, uint64_t line, const char *reason)
{
    r->unread++;
    if (r->said++ >= MOST_SAID)
        return;
    char *why =
        line ? arena_printf(r->c->arena, _("line %llu: %s"), (unsigned long long)line, reason)
             : arena_strdup(r->c->arena, reason);
    facts_unread(r->c->facts, r->what, path, why);
}

/* Why a file is not to be opened now; NULL where it is. */
static const char *refusal(const struct conf_reading *r, const char *path)
{
    if (r->depth == CONF_MOST_DEPTH || r->files == CONF_MOST_FILES || r->bytes > CONF_MOST_BYTES)
        return _("more files, bytes or levels of inclusion than are read");
    for (size_t i = 0; i < r->depth; i++)
        if (str_equal(r->open[i], path))
            return _("this file includes itself");
    return NULL;
}

char *conf_open(struct conf_reading *r, const char *path, size_t *size)
{
    const char *refused = refusal(r, path);
    if (refused) {
        conf_unread(r, path, 0, refused);
        return NULL;
    }
    CLEANUP_FREE char *data = NULL;
    struct error e = ERROR_INIT;
    r->files++;
    if (!target_read(r->c->target, path, CONF_MOST_FILE, &data, size, &e)) {
        conf_unread(r, path, 0, e.message);
        return NULL;
    }
    if (memchr(data, '\0', *size)) {
        conf_unread(r, path, 0, _("the file holds NUL bytes and was read up to the first"));
        *size = strlen(data);
    }
    r->bytes += *size;
    r->open[r->depth++] = arena_strdup(r->c->arena, path);
    str_printf(&r->names, "%s%s", r->names.length ? "\n" : "", path);
    return arena_strndup(r->c->arena, data, *size);
}

void conf_close(struct conf_reading *r)
{
    r->depth--;
}

bool conf_is_pattern(const char *path)
{
    return strpbrk(path, "*?[") != NULL;
}

bool conf_match(const char *pattern, const char *name)
{
    size_t stars = 0;
    for (const char *p = pattern; *p; p++)
        stars += *p == '*';
    return stars <= MOST_STARS && fnmatch(pattern, name, FNM_PERIOD | FNM_PATHNAME) == 0;
}

typedef VEC(const char *) paths;

/* Each entry of `folders` that matches one part of the pattern; `rest` = more parts follow. */
static void match_part(struct conf_reading *r, const paths *folders, const char *part, bool rest,
                       paths *out)
{
    struct arena *arena = r->c->arena;
    for (size_t i = 0; i < folders->count && out->count < CONF_MOST_FILES; i++) {
        const char *folder = folders->items[i];
        if (!conf_is_pattern(part)) {
            const char *path = arena_printf(arena, "%s/%s", folder, part);
            struct target_stat st;
            if (target_stat(r->c->target, path, true, &st, NULL))
                VEC_PUSH(out, path);
            continue;
        }
        struct target_entry *entries;
        size_t count;
        struct error e = ERROR_INIT;
        if (!target_list(r->c->target, *folder ? folder : "/", arena, &entries, &count, &e)) {
            if (e.code != ERR_ABSENT)
                conf_unread(r, folder, 0, e.message);
            continue;
        }
        for (size_t k = 0; k < count && out->count < CONF_MOST_FILES; k++)
            if (conf_match(part, entries[k].name) && (!rest || entries[k].type != TARGET_FILE))
                VEC_PUSH(out, arena_printf(arena, "%s/%s", folder, entries[k].name));
    }
}

void conf_paths(struct conf_reading *r, const char *pattern, const char *const **out, size_t *count)
{
    struct arena *arena = r->c->arena;
    paths now = {0};
    if (!conf_is_pattern(pattern)) {
        VEC_PUSH(&now, pattern);
    } else {
        VEC_PUSH(&now, "");
        char *copy = arena_strdup(arena, pattern), *save = NULL;
        for (char *part = strtok_r(copy, "/", &save); part;) {
            char *following = strtok_r(NULL, "/", &save);
            paths next = {0};
            match_part(r, &now, part, following != NULL, &next);
            VEC_FREE(&now);
            now = next;
            part = following;
        }
        if (now.count == CONF_MOST_FILES)
            conf_unread(r, pattern, 0, _("the pattern means more files than are read"));
    }
    *count = now.count;
    *out = arena_dup(arena, now.items, now.count * sizeof *now.items);
    VEC_FREE(&now);
}

struct conf_node *conf_add(struct conf_reading *r, struct conf_node *parent, const char *name,
                           const char *path, uint64_t line)
{
    if (r->nodes == CONF_MOST_NODES) {
        conf_unread(r, path, line, _("there are more directives than are read"));
        r->nodes++;
    }
    if (r->nodes > CONF_MOST_NODES)
        return NULL;
    r->nodes++;
    struct conf_node *node = arena_alloc(r->c->arena, sizeof *node);
    *node = (struct conf_node){.name = name, .path = path, .line = line, .parent = parent};
    if (parent && parent->last)
        parent->last->next = node;
    else if (parent)
        parent->first = node;
    if (parent)
        parent->last = node;
    return node;
}

static const struct conf_node *named(const struct conf_node *from, const char *name)
{
    while (from && !str_equal_nocase(from->name, name))
        from = from->next;
    return from;
}

const struct conf_node *conf_find(const struct conf_node *node, const char *name)
{
    return named(node->first, name);
}

const struct conf_node *conf_find_next(const struct conf_node *child)
{
    return named(child->next, child->name);
}

const struct conf_node *conf_find_last(const struct conf_node *node, const char *name)
{
    const struct conf_node *found = NULL;
    for (const struct conf_node *n = conf_find(node, name); n; n = conf_find_next(n))
        found = n;
    return found;
}

const char *conf_arg(const struct conf_node *node, size_t index)
{
    return node && index < node->arg_count ? node->args[index] : "";
}

const char *conf_beneath(struct arena *arena, const char *folder, const char *name)
{
    if (*name == '/')
        return name;
    return arena_printf(arena, "%s%s%s", folder, str_ends(folder, "/") ? "" : "/", name);
}
