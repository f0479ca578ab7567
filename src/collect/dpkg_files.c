#include "collect/dpkg_files.h"

#include "base/str.h"

#include <stdlib.h>

static const char folder[] = "/var/lib/dpkg/info";
enum {
    MAGIC = 0x31465944, /* "DYF1" */
    MOST_LIST_BYTES = 64 << 20,
    PIECE_BYTES = 64 << 10, /* of a list, at a time: some are megabytes long */
    MOST_PATH = 4096,
    MOST_REMEMBERED = 20000
};

/* A question; `other` is the path under its other name where /usr is merged, or NULL. */
struct question {
    const char *path, *other;
    size_t length, other_length;
    const char *owner; /* NULL = not answered yet */
};

struct search {
    struct question *items;
    size_t count, open;
    bool lengths[MOST_PATH]; /* lengths that occur among what is still asked */
};

static const char *other_name(struct arena *arena, const char *path)
{
    static const char *const merged[] = {"/bin/",   "/sbin/",  "/lib/",
                                         "/lib32/", "/lib64/", "/libx32/"};
    for (size_t i = 0; i < ARRAY_COUNT(merged); i++) {
        if (str_starts(path, merged[i]))
            return arena_printf(arena, "/usr%s", path);
        if (str_starts(path, "/usr") && str_starts(path + 4, merged[i]))
            return arena_strdup(arena, path + 4);
    }
    return NULL;
}

/* --- what the cache remembers: magic, count, then path and owner in turn --- */

static const char *cache_key(struct collection *c)
{
    struct target_stat st;
    if (!target_stat(c->target, folder, true, &st, NULL))
        return NULL;
    return arena_printf(c->arena, "dpkg-files %s mtime=%lld ctime=%lld inode=%llu table=%x",
                        target_name(c->target), (long long)st.mtime, (long long)st.ctime,
                        (unsigned long long)st.inode, (unsigned)MAGIC);
}

typedef VEC(struct question) questions;

static void recall(struct collection *c, const char *key, questions *known)
{
    const void *data = NULL;
    size_t size = 0;
    if (!c->cache || !key || !c->cache->get(c->cache->self, key, &data, &size))
        return;
    struct bytes b = bytes_of(data, size);
    if (bytes_u32le(&b) != MAGIC)
        return;
    uint32_t count = bytes_u32le(&b);
    for (uint32_t i = 0; i < count && i < MOST_REMEMBERED; i++) {
        size_t path_length, owner_length;
        const char *path = bytes_string(&b, MOST_PATH, &path_length);
        const char *owner = bytes_string(&b, 256, &owner_length);
        if (b.failed)
            return;
        struct question q = {.path = arena_strndup(c->arena, path, path_length),
                             .owner = arena_strndup(c->arena, owner, owner_length)};
        VEC_PUSH(known, q);
    }
}

static void remember(struct collection *c, const char *key, const questions *known,
                     const struct search *s)
{
    CLEANUP_STR struct str out = {0};
    if (!c->cache || !key || known->count + s->count > MOST_REMEMBERED)
        return;
    bytes_put_u32le(&out, MAGIC);
    bytes_put_u32le(&out, (uint32_t)(known->count + s->count));
    for (size_t i = 0; i < known->count + s->count; i++) {
        const struct question *q =
            i < known->count ? &known->items[i] : &s->items[i - known->count];
        bytes_put_string(&out, q->path);
        bytes_put_string(&out, q->owner);
    }
    c->cache->put(c->cache->self, arena_printf(c->arena, "dpkg-files %s", target_name(c->target)),
                  key, out.data, out.length);
}

/* --- the search --- */

static bool is_line(const char *line, size_t length, const char *path, size_t path_length)
{
    return path && length == path_length && memcmp(line, path, length) == 0;
}

static void search_line(struct search *s, struct arena *arena, const char *name, const char *line,
                        size_t length)
{
    if (length >= MOST_PATH || !s->lengths[length])
        return;
    for (size_t i = 0; i < s->count; i++) {
        struct question *q = &s->items[i];
        if (q->owner || (!is_line(line, length, q->path, q->length) &&
                         !is_line(line, length, q->other, q->other_length)))
            continue;
        q->owner = arena_strndup(arena, name, strcspn(name, ":"));
        s->open--;
    }
}

/* Returns how much was searched: up to the last end of a line, or all where it is the end. */
static size_t search_piece(struct search *s, struct arena *arena, const char *name,
                           const char *text, size_t size, bool is_end)
{
    size_t at = 0;
    while (at < size && s->open) {
        const char *end = memchr(text + at, '\n', size - at);
        if (!end && !is_end)
            break;
        size_t length = end ? (size_t)(end - text) - at : size - at;
        search_line(s, arena, name, text + at, length);
        at += length + (end ? 1 : 0);
    }
    return at;
}

static bool search_list(struct search *s, struct collection *c, const char *path, const char *name,
                        char piece[PIECE_BYTES])
{
    struct error e = ERROR_INIT;
    size_t kept = 0;
    uint64_t at = 0;
    for (bool more = true; more && s->open;) {
        size_t got = 0;
        if (at > MOST_LIST_BYTES ||
            !target_read_at(c->target, path, at, piece + kept, PIECE_BYTES - kept, &got, &e))
            return false;
        size_t size = kept + got;
        at += got;
        more = size == PIECE_BYTES;
        size_t done = search_piece(s, c->arena, name, piece, size, !more);
        kept = size - done;
        if (kept == PIECE_BYTES) /* a line longer than any path */
            kept = 0;
        memmove(piece, piece + done, kept);
    }
    return true;
}

static bool search_all(struct collection *c, struct search *s)
{
    CLEANUP_ARENA struct arena *scratch = arena_new();
    struct target_entry *entries = NULL;
    size_t count = 0, failed = 0;
    struct error e = ERROR_INIT;
    char *piece = arena_alloc(scratch, PIECE_BYTES);
    if (!target_list(c->target, folder, scratch, &entries, &count, &e)) {
        facts_unread(c->facts, N_("which package a file belongs to"), folder, e.message);
        return false;
    }
    for (size_t i = 0; i < count && s->open; i++) {
        size_t length = strlen(entries[i].name);
        if (!str_ends(entries[i].name, ".list"))
            continue;
        const char *path = arena_printf(scratch, "%s/%s", folder, entries[i].name);
        const char *name = arena_strndup(scratch, entries[i].name, length - 5);
        failed += !search_list(s, c, path, name, piece);
    }
    if (failed && s->open)
        facts_unread(
            c->facts, N_("which package a file belongs to"), folder,
            arena_printf(c->arena, _("%zu of dpkg's lists of files could not be read"), failed));
    return true;
}

static const struct question *find(const questions *known, const char *path)
{
    for (size_t i = 0; i < known->count; i++)
        if (str_equal(known->items[i].path, path))
            return &known->items[i];
    return NULL;
}

static const struct question *find_asked(const struct search *s, const char *path)
{
    for (size_t i = 0; i < s->count; i++)
        if (str_equal(s->items[i].path, path))
            return &s->items[i];
    return NULL;
}

static void free_questions(questions *known)
{
    VEC_FREE(known);
}

bool dpkg_owners(struct collection *c, const char *const *paths, size_t count, const char **owners)
{
    CLEANUP(free_questions) questions known = {0};
    const char *key = count ? cache_key(c) : NULL;
    struct search *s = arena_alloc(c->arena, sizeof *s);
    recall(c, key, &known);
    s->items = arena_alloc(c->arena, (count + 1) * sizeof *s->items);
    for (size_t i = 0; i < count; i++) {
        struct question q = {.path = paths[i], .length = strlen(paths[i])};
        if (!q.length || q.length >= MOST_PATH || find(&known, q.path) || find_asked(s, q.path))
            continue;
        q.other = other_name(c->arena, q.path);
        q.other_length = q.other ? strlen(q.other) : 0;
        s->lengths[q.length] = true;
        if (q.other_length < MOST_PATH)
            s->lengths[q.other_length] = q.other != NULL || s->lengths[q.other_length];
        s->items[s->count++] = q;
    }
    s->open = s->count;
    bool good = !s->open || search_all(c, s);
    for (size_t i = 0; i < s->count; i++)
        if (!s->items[i].owner)
            s->items[i].owner = "";
    if (good && s->count)
        remember(c, key, &known, s);
    for (size_t i = 0; i < count; i++) {
        const struct question *q = *paths[i] ? find(&known, paths[i]) : NULL;
        if (!q && *paths[i])
            q = find_asked(s, paths[i]);
        owners[i] = q ? q->owner : "";
    }
    return good;
}
