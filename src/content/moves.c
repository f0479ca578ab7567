#include "content/moves.h"

#include "base/str.h"

#include <stdlib.h>
#include <string.h>

struct moves {
    const struct manifest *m;
    struct difference *items;
    size_t count;
};

/* `was` is gone and `is` has come: the same. The one that is gone has no path from now on. */
static void pair(struct difference *was, struct difference *is)
{
    is->kind = DIFFERENCE_MOVED;
    is->from = was->path;
    is->index = was->index;
    is->wrong = is->wrong || was->wrong;
    was->kind = DIFFERENCE_MOVED;
}

static size_t drop_paired(struct moves *v)
{
    size_t kept = 0;
    for (size_t i = 0; i < v->count; i++)
        if (v->items[i].kind != DIFFERENCE_MOVED || v->items[i].from)
            v->items[kept++] = v->items[i];
    return kept;
}

/* ---- files ---------------------------------------------------------------------------------- */

struct content {
    const uint8_t *sha256;
    size_t item;
    bool added;
};

static const uint8_t *content_of(const struct manifest *m, const struct difference *d)
{
    if (d->kind == DIFFERENCE_ADDED)
        return d->now_hashed && d->now.st_size > 0 ? d->now_sha256 : NULL;
    if (d->kind != DIFFERENCE_REMOVED)
        return NULL;
    struct manifest_entry was;
    manifest_entry(m, d->index, &was);
    return S_ISREG(was.mode) && was.size > 0 ? was.sha256 : NULL;
}

static int by_content(const void *a, const void *b)
{
    const struct content *x = a, *y = b;
    int order = memcmp(x->sha256, y->sha256, SHA256_SIZE);
    if (order)
        return order;
    if (x->added != y->added)
        return x->added ? 1 : -1;
    return (x->item > y->item) - (x->item < y->item);
}

static void find_files(struct moves *v)
{
    VEC(struct content) contents = {0};
    for (size_t i = 0; i < v->count; i++) {
        const uint8_t *sha256 = content_of(v->m, &v->items[i]);
        if (sha256)
            VEC_PUSH(&contents,
                     ((struct content){sha256, i, v->items[i].kind == DIFFERENCE_ADDED}));
    }
    if (contents.count)
        qsort(contents.items, contents.count, sizeof *contents.items, by_content);
    for (size_t from = 0; from < contents.count;) {
        size_t end = from, gone = 0;
        while (end < contents.count &&
               memcmp(contents.items[end].sha256, contents.items[from].sha256, SHA256_SIZE) == 0)
            gone += !contents.items[end++].added;
        for (size_t i = 0; i < gone && from + gone + i < end; i++)
            pair(&v->items[contents.items[from + i].item],
                 &v->items[contents.items[from + gone + i].item]);
        from = end;
    }
    VEC_FREE(&contents);
}

/* ---- folders -------------------------------------------------------------------------------- */

/* The first one that has this path, or would stand behind it. */
static size_t at_path(const struct moves *v, const char *path)
{
    size_t low = 0, high = v->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (strcmp(v->items[middle].path, path) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static struct difference *find(const struct moves *v, const char *path, enum difference_kind kind)
{
    size_t i = at_path(v, path);
    return i < v->count && v->items[i].kind == kind && str_equal(v->items[i].path, path)
               ? &v->items[i]
               : NULL;
}

/* How many stand beneath it. */
static size_t count_beneath(const struct moves *v, const char *folder)
{
    CLEANUP_STR struct str from = {0}, to = {0};
    str_printf(&from, "%s/", folder);
    str_printf(&to, "%s0", folder); /* "0" is the byte behind "/" */
    return at_path(v, to.data) - at_path(v, from.data);
}

static bool stands_there(const struct moves *v, const struct manifest_entry *was, const char *from,
                         const char *path)
{
    const struct difference *is = find(v, path, DIFFERENCE_MOVED);
    if (is)
        return is->from && str_equal(is->from, from);
    is = find(v, path, DIFFERENCE_ADDED);
    if (!is || (is->now.st_mode & S_IFMT) != (was->mode & S_IFMT) ||
        !find(v, from, DIFFERENCE_REMOVED))
        return false;
    if (S_ISLNK(was->mode))
        return is->now_target && strlen(is->now_target) == was->target_size &&
               memcmp(is->now_target, was->target, was->target_size) == 0;
    return S_ISDIR(was->mode) || (!was->size && !is->now.st_size);
}

/* Goes through what was published beneath `index`, which was at `from`, and asks whether it stands
 * beneath `to` (act false), or pairs it (true). *count: how many there are. */
static bool go_through(struct moves *v, uint32_t index, const char *from, const char *to, bool act,
                       size_t *count)
{
    struct manifest_entry dir, was;
    manifest_entry(v->m, index, &dir);
    for (uint32_t c = dir.first_child; c < dir.first_child + dir.child_count; c++) {
        CLEANUP_STR struct str old = {0}, new = {0};
        manifest_entry(v->m, c, &was);
        str_printf(&old, "%s/%.*s", from, (int)was.name_length, was.name);
        str_printf(&new, "%s/%.*s", to, (int)was.name_length, was.name);
        ++*count;
        if (!act && !stands_there(v, &was, old.data, new.data))
            return false;
        if (S_ISDIR(was.mode) && !go_through(v, c, old.data, new.data, act, count))
            return false;
        struct difference *gone = act ? find(v, old.data, DIFFERENCE_REMOVED) : NULL;
        if (gone)
            pair(gone, find(v, new.data, DIFFERENCE_ADDED));
    }
    return true;
}

static bool go_up(struct str *path)
{
    char *slash = strrchr(path->data, '/');
    if (slash)
        path->length = (size_t)(slash - path->data);
    path->data[path->length] = '\0';
    return slash != NULL;
}

/* The folders in which a file stood and stands, as far up as they were moved with it. */
static void try_folders_of(struct moves *v, const struct difference *file, bool *tried)
{
    CLEANUP_STR struct str from = {0}, to = {0};
    str_add(&from, file->from);
    str_add(&to, file->path);
    while (go_up(&from) && go_up(&to)) {
        struct difference *gone = find(v, from.data, DIFFERENCE_REMOVED);
        struct difference *come = find(v, to.data, DIFFERENCE_ADDED);
        size_t count = 0;
        if (!gone || !come || tried[come - v->items])
            return;
        tried[come - v->items] = true;
        if (!go_through(v, gone->index, from.data, to.data, false, &count) ||
            count != count_beneath(v, to.data))
            return;
        go_through(v, gone->index, from.data, to.data, true, &count);
        pair(gone, come);
    }
}

size_t moves_find(const struct manifest *m, struct difference *items, size_t count)
{
    struct moves v = {.m = m, .items = items, .count = count};
    find_files(&v);
    CLEANUP_FREE bool *tried = mem_alloc(count + 1);
    for (size_t i = 0; i < count; i++)
        if (items[i].kind == DIFFERENCE_MOVED && items[i].from && items[i].beneath)
            try_folders_of(&v, &items[i], tried);
    return drop_paired(&v);
}
