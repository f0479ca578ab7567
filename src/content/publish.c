#include "content/publish.h"

#include "base/file.h"
#include "base/str.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static int64_t wall_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

/* An accepted difference at one path: what is there now, or (gone) that it is no more. */
struct change {
    const struct difference *d;
    const char *path;
    size_t folder; /* length of the part before the last "/" */
    bool gone;
};

struct merge {
    const struct manifest *old;
    struct build *build;
    const struct site *site;
    struct objects *objects;
    struct change *changes; /* by folder, then by name */
    size_t count;
};

static size_t folder_length(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? (size_t)(slash - path) : 0;
}

static const char *name_in(const struct change *c)
{
    return c->path + c->folder + (c->folder != 0);
}

static int compare_folder(const char *a, size_t a_length, const char *b, size_t b_length)
{
    int order = memcmp(a, b, a_length < b_length ? a_length : b_length);
    return order ? order : (a_length > b_length) - (a_length < b_length);
}

static int by_folder_and_name(const void *a, const void *b)
{
    const struct change *x = a, *y = b;
    int order = compare_folder(x->path, x->folder, y->path, y->folder);
    return order ? order : strcmp(name_in(x), name_in(y));
}

/* The changes directly in this folder: from..to. */
static void changes_in(const struct merge *m, const char *folder, size_t *from, size_t *to)
{
    size_t low = 0, high = m->count, length = strlen(folder);
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        const struct change *c = &m->changes[middle];
        if (compare_folder(c->path, c->folder, folder, length) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    *from = low;
    while (low < m->count &&
           compare_folder(m->changes[low].path, m->changes[low].folder, folder, length) == 0)
        low++;
    *to = low;
}

static bool keep_content(struct merge *m, const struct difference *d, struct error *e)
{
    if (!S_ISREG(d->now.st_mode))
        return true;
    if (!d->now_hashed) {
        error_set(e, ERR_CORRUPT, "its content was not read");
        return false;
    }
    struct stat st;
    CLEANUP_CLOSE int fd = file_open_beneath(m->site->rootfd, d->path, &st, e);
    return fd >= 0 && objects_put(m->objects, fd, (uint64_t)d->now.st_size, d->now_sha256, e);
}

static bool entry_of(struct merge *m, struct manifest_entry *out, const struct change *c,
                     uint32_t number, struct error *e)
{
    const struct difference *d = c->d;
    if (!keep_content(m, d, e)) {
        error_prefix(e, "%s", d->path);
        return false;
    }
    struct walk_entry seen = {.name = name_in(c),
                              .name_length = strlen(name_in(c)),
                              .st = d->now,
                              .target = d->now_target,
                              .hashed = d->now_hashed,
                              .xattr_bytes = d->now_xattrs,
                              .xattr_size = d->now_xattrs_size};
    build_entry_of_walk(out, &seen, number);
    /* points into the difference, which outlives it */
    out->sha256 = d->now_hashed && S_ISREG(d->now.st_mode) ? d->now_sha256 : NULL;
    return true;
}

static bool merge_folder(struct merge *m, const char *folder, uint32_t index, uint32_t number,
                         struct error *e);

/* A folder in the new manifest: its content comes from the old one (index) and the changes. One
 * in which names came and went has the time that this gave it. */
static bool merge_below(struct merge *m, const char *folder, struct manifest_entry *entry,
                        uint32_t index, struct error *e)
{
    CLEANUP_STR struct str path = {0};
    str_printf(&path, "%s%s%.*s", folder, folder[0] ? "/" : "", (int)entry->name_length,
               entry->name);
    size_t from, to;
    struct stat st;
    changes_in(m, path.data, &from, &to);
    if (from < to && file_stat_beneath(m->site->rootfd, path.data, false, &st, NULL))
        entry->mtime_ns = (int64_t)st.st_mtim.tv_sec * 1000000000 + st.st_mtim.tv_nsec;
    return merge_folder(m, path.data, index, entry->first_child, e);
}

static bool merge_folder(struct merge *m, const char *folder, uint32_t index, uint32_t number,
                         struct error *e)
{
    struct manifest_entry dir = {0};
    if (index != MANIFEST_NONE)
        manifest_entry(m->old, index, &dir);
    size_t change, last;
    changes_in(m, folder, &change, &last);
    size_t most = dir.child_count + (last - change), count = 0;
    CLEANUP_FREE struct manifest_entry *entries = mem_alloc((most + 1) * sizeof *entries);
    uint32_t next = dir.first_child, end = dir.first_child + dir.child_count;
    while (next < end || change < last) {
        struct manifest_entry was;
        const struct change *c = change < last ? &m->changes[change] : NULL;
        int order = next < end ? -1 : 1;
        if (next < end) {
            manifest_entry(m->old, next, &was);
            if (c)
                order = compare_folder(was.name, was.name_length, name_in(c), strlen(name_in(c)));
        }
        uint32_t old = order <= 0 ? next++ : MANIFEST_NONE;
        if (order < 0)
            c = NULL;
        else
            change++;
        if (c && c->gone)
            continue;
        struct manifest_entry *entry = &entries[count++];
        bool is_dir = S_ISDIR(c ? c->d->now.st_mode : was.mode);
        uint32_t below = is_dir ? build_new_dir(m->build) : 0;
        if (c) {
            if (!entry_of(m, entry, c, below, e))
                return false;
        } else {
            *entry = was;
            entry->first_child = below;
        }
        uint32_t old_dir = old != MANIFEST_NONE && S_ISDIR(was.mode) ? old : MANIFEST_NONE;
        if (is_dir && !merge_below(m, folder, entry, old_dir, e))
            return false;
    }
    return build_add(m->build, number, entries, count, e);
}

bool publish_can(const struct difference *d)
{
    return d->kind != DIFFERENCE_UNREADABLE &&
           (d->kind == DIFFERENCE_REMOVED || manifest_has_type(d->now.st_mode));
}

/* A name in an added directory needs that directory; so added ones are taken in the order of
 * their paths, where a directory comes before what is in it. */
static bool parent_taken(const struct differences *found, const bool *taken, size_t i)
{
    const char *path = found->items[i].path;
    size_t length = folder_length(path), low = 0, high = i;
    if (!found->items[i].beneath)
        return true;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        const char *other = found->items[middle].path;
        int order = strncmp(other, path, length);
        if (!order && !other[length])
            return taken[middle];
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return false;
}

static void add_change(struct merge *m, const struct difference *d, const char *path, bool gone)
{
    m->changes[m->count++] =
        (struct change){.d = d, .path = path, .folder = folder_length(path), .gone = gone};
}

static size_t gather(struct merge *m, const struct differences *found,
                     bool (*accept)(void *context, const struct difference *d), void *context,
                     const struct difference **root)
{
    CLEANUP_FREE bool *taken = mem_alloc(found->count + 1);
    size_t count = 0;
    *root = NULL;
    for (size_t i = 0; i < found->count; i++) {
        const struct difference *d = &found->items[i];
        taken[i] = publish_can(d) && accept(context, d) &&
                   (d->kind == DIFFERENCE_REMOVED || parent_taken(found, taken, i));
        if (!taken[i])
            continue;
        count++;
        if (!d->path[0])
            *root = d;
        else
            add_change(m, d, d->path, d->kind == DIFFERENCE_REMOVED);
        if (d->kind == DIFFERENCE_MOVED)
            add_change(m, d, d->from, true);
    }
    qsort(m->changes, m->count, sizeof *m->changes, by_folder_and_name);
    return count;
}

static bool merge_root(struct merge *m, const struct difference *root, struct error *e)
{
    struct manifest_entry entry;
    manifest_entry(m->old, MANIFEST_ROOT, &entry);
    if (root) {
        struct walk_entry seen = {.name = "",
                                  .st = root->now,
                                  .xattr_bytes = root->now_xattrs,
                                  .xattr_size = root->now_xattrs_size};
        build_entry_of_walk(&entry, &seen, 0);
    }
    struct stat st;
    if (fstat(m->site->rootfd, &st) == 0) /* names came and went: so did its time */
        entry.mtime_ns = (int64_t)st.st_mtim.tv_sec * 1000000000 + st.st_mtim.tv_nsec;
    build_root(m->build, &entry);
    return merge_folder(m, "", MANIFEST_ROOT, 0, e);
}

static bool commit(struct state *s, struct objects *objects, struct site *site, struct build *b,
                   json_t *entry, struct error *e)
{
    struct site_row row = site->row;
    if (!generation_commit(s, objects, &row, b, entry, wall_ns(), e))
        return false;
    generation_close(&site->generation);
    site->row = row;
    return generation_open(&site->generation, s, &site->row, 0, e);
}

bool publish_accept(struct state *s, struct objects *objects, struct site *site,
                    const struct differences *found,
                    bool (*accept)(void *context, const struct difference *d), void *context,
                    json_t *entry, size_t *count, struct error *e)
{
    CLEANUP(build_cleanup) struct build *b = build_new();
    CLEANUP_FREE struct change *changes = mem_alloc((found->count * 2 + 1) * sizeof *changes);
    struct merge m = {.old = site->generation.manifest,
                      .build = b,
                      .site = site,
                      .objects = objects,
                      .changes = changes};
    const struct difference *root;
    *count = gather(&m, found, accept, context, &root);
    if (!*count)
        return true;
    objects_hold(objects);
    bool good = merge_root(&m, root, e) && commit(s, objects, site, b, entry, e);
    objects_let_go(objects);
    return good;
}

bool publish_first(struct state *s, struct objects *objects, struct site *site, json_t *entry,
                   struct walk_progress *progress, struct capture **taken, struct error *e)
{
    CLEANUP(build_cleanup) struct build *b = build_new();
    CLEANUP(capture_cleanup) struct capture *c = NULL;
    objects_hold(objects);
    bool good = capture_tree(&c, b, site->rootfd, site->policies, objects, 0, progress, e) &&
                commit(s, objects, site, b, entry, e);
    objects_let_go(objects);
    if (!good)
        return false;
    *taken = c;
    c = NULL;
    return true;
}
