/* nocase.c - finds a path as it is spelled there, folder by folder.
 *
 * Listings are kept, so that a hundred look-ups in system32 list it once; not for the live
 * host, which changes under us. A folder that cannot be listed is kept as its error. */
#include "target/ops.h"

#include "base/str.h"

#include <stdlib.h>

enum {
    MOST_KEPT_BYTES = 32 * 1024 * 1024,
    MOST_PATH = 4096,
    BUCKETS = 256,
};

struct listing {
    struct listing *next;
    const char *path;
    size_t volume;
    struct target_entry *entries; /* sorted by compare_nocase() */
    size_t count;
    bool failed;
    struct error error;
};

struct nocase {
    struct arena *arena;
    struct listing *buckets[BUCKETS];
};

void nocase_free(struct nocase *n)
{
    if (!n)
        return;
    arena_free(n->arena);
    free(n);
}

static int order_nocase(const char *a, const char *b)
{
    for (;; a++, b++) {
        unsigned char ca = (unsigned char)str_lower(*a), cb = (unsigned char)str_lower(*b);
        if (ca != cb)
            return ca < cb ? -1 : 1;
        if (!ca)
            return 0;
    }
}

/* Names that differ in case only keep a fixed order, so that the same one is always found. */
static int compare_nocase(const void *a, const void *b)
{
    const char *na = ((const struct target_entry *)a)->name;
    const char *nb = ((const struct target_entry *)b)->name;
    int order = order_nocase(na, nb);
    return order ? order : strcmp(na, nb);
}

static unsigned bucket_of(const char *path, size_t volume)
{
    unsigned hash = (unsigned)volume * 31 + 5381;
    for (; *path; path++)
        hash = hash * 33 + (unsigned char)*path;
    return hash % BUCKETS;
}

static struct nocase *fresh(struct target *t)
{
    struct nocase *n = t->nocase;
    bool stale = n && (t->ops->kind == TARGET_LIVE || arena_used(n->arena) > MOST_KEPT_BYTES);
    if (stale) {
        nocase_free(n);
        n = NULL;
    }
    if (!n) {
        n = mem_alloc(sizeof *n);
        n->arena = arena_new();
        t->nocase = n;
    }
    return n;
}

static const struct listing *listing_of(struct target *t, const char *path)
{
    struct nocase *n = t->nocase;
    struct listing **bucket = &n->buckets[bucket_of(path, t->volume)];
    for (struct listing *l = *bucket; l; l = l->next)
        if (l->volume == t->volume && str_equal(l->path, path))
            return l;
    struct listing *l = arena_alloc(n->arena, sizeof *l);
    l->path = arena_strdup(n->arena, path);
    l->volume = t->volume;
    l->failed = !t->ops->list(t, path, n->arena, &l->entries, &l->count, &l->error);
    if (l->failed) /* a file among the folders of a path: then there is nothing beneath it */
        absent_explain(t, path, false, &l->error);
    else
        qsort(l->entries, l->count, sizeof *l->entries, compare_nocase);
    l->next = *bucket;
    *bucket = l;
    return l;
}

/* The name as it is spelled there: the wanted spelling itself if it is among them. */
static const char *find(const struct listing *l, const char *name)
{
    size_t low = 0, high = l->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (order_nocase(l->entries[middle].name, name) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    const char *first = NULL;
    for (size_t i = low; i < l->count && order_nocase(l->entries[i].name, name) == 0; i++) {
        if (str_equal(l->entries[i].name, name))
            return l->entries[i].name;
        if (!first)
            first = l->entries[i].name;
    }
    return first;
}

bool nocase_resolve(struct target *t, const char *path, struct arena *arena, const char **out,
                    struct error *e)
{
    if (strlen(path) >= MOST_PATH) {
        error_set(e, ERR_LIMIT, "a path longer than %d bytes", MOST_PATH);
        return false;
    }
    char parts[MOST_PATH];
    strcpy(parts, path);
    fresh(t);
    CLEANUP_STR struct str found = {0};
    for (char *part = parts, *end; *part; part = end) {
        size_t length = strcspn(part, "/\\");
        end = part + length + (part[length] != '\0');
        part[length] = '\0';
        if (!length || str_equal(part, "."))
            continue;
        if (str_equal(part, "..")) {
            error_set(e, ERR_USAGE, "a path with \"..\" in it");
            return false;
        }
        const struct listing *l = listing_of(t, found.length ? str_text(&found) : "/");
        if (l->failed) {
            if (e)
                *e = l->error;
            return false;
        }
        const char *name = find(l, part);
        if (!name) {
            error_set(e, ERR_ABSENT, "is not there");
            return false;
        }
        str_add_char(&found, '/');
        str_add(&found, name);
    }
    *out = arena_strdup(arena, found.length ? str_text(&found) : "/");
    return true;
}
