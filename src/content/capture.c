#include "content/capture.h"

#include "base/str.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

struct run {
    struct build *build;
    const struct policies *policies;
    struct objects *objects;
    pthread_mutex_t lock; /* of everything below */
    struct capture *taken;
    VEC(struct left_out) left_out;
    struct error fatal;
    atomic_bool stop;
};

void capture_free(struct capture *c)
{
    if (!c)
        return;
    arena_free(c->arena);
    free(c);
}

void capture_cleanup(struct capture **c)
{
    capture_free(*c);
}

static void path_of(struct str *out, const char *folder, const char *name)
{
    str_clear(out);
    str_printf(out, "%s%s%s", folder, folder[0] ? "/" : "", name);
}

static void leave_out(struct run *r, const char *path, const struct error *error)
{
    pthread_mutex_lock(&r->lock);
    VEC_PUSH(&r->left_out, ((struct left_out){arena_strdup(r->taken->arena, path), *error}));
    pthread_mutex_unlock(&r->lock);
}

static void fail(struct run *r, const struct error *error)
{
    pthread_mutex_lock(&r->lock);
    if (!r->stop)
        r->fatal = *error;
    r->stop = true;
    pthread_mutex_unlock(&r->lock);
}

/* Tag of an entry that is not to be taken: directories have a number, others 1. */
static void listed(void *context, struct walk_dir *dir)
{
    struct run *r = context;
    enum policy above = policy_of_path(r->policies, dir->path, true);
    CLEANUP_STR struct str path = {0};
    for (size_t i = 0; i < dir->count; i++) {
        struct walk_entry *entry = &dir->entries[i];
        bool is_dir = S_ISDIR(entry->st.st_mode);
        path_of(&path, dir->path, entry->name);
        entry->tag = 0;
        if (policy_of(r->policies, path.data, is_dir, above) == POLICY_IGNORE ||
            !manifest_has_type(entry->st.st_mode))
            continue;
        entry->hash = entry->xattrs = true;
        entry->descend = is_dir;
        entry->tag = is_dir ? build_new_dir(r->build) : 1;
    }
}

static bool keep(void *context, const struct walk_entry *entry, int fd, struct error *e)
{
    struct run *r = context;
    if (!r->objects)
        return true;
    struct error problem = ERROR_INIT;
    if (objects_put(r->objects, fd, (uint64_t)entry->st.st_size, entry->sha256, &problem))
        return true;
    *e = problem;
    if (problem.code != ERR_CORRUPT) /* not the page's fault: the store cannot be written */
        fail(r, &problem);
    return false;
}

static void say_left_out(struct run *r, const struct walk_dir *dir, const struct walk_entry *entry)
{
    struct error error = ERROR_INIT;
    CLEANUP_STR struct str path = {0};
    path_of(&path, dir->path, entry->name);
    if (entry->error)
        error = *entry->error;
    else if (entry->unstable)
        error_set(&error, ERR_UNREADABLE, "it kept changing while it was read");
    else
        error_set(&error, ERR_UNREADABLE, "it is no file, folder or link: such is not published");
    leave_out(r, path.data, &error);
}

static void done(void *context, struct walk_dir *dir)
{
    struct run *r = context;
    struct error e = ERROR_INIT;
    if (dir->error && dir->path[0])
        leave_out(r, dir->path, dir->error);
    CLEANUP_FREE struct manifest_entry *entries = mem_alloc((dir->count + 1) * sizeof *entries);
    size_t count = 0;
    uint64_t files = 0, bytes = 0;
    for (size_t i = 0; i < dir->count; i++) {
        const struct walk_entry *entry = &dir->entries[i];
        bool regular = S_ISREG(entry->st.st_mode);
        bool bad = entry->error || entry->unstable || (entry->tag && regular && !entry->hashed);
        if (bad || !manifest_has_type(entry->st.st_mode))
            say_left_out(r, dir, entry);
        /* A directory whose attributes could not be read still has its content taken. */
        if (!entry->tag || (bad && !S_ISDIR(entry->st.st_mode)))
            continue;
        build_entry_of_walk(&entries[count++], entry, entry->tag);
        if (regular) {
            files++;
            bytes += (uint64_t)entry->st.st_size;
        }
    }
    if (!build_add(r->build, dir->tag, entries, count, &e))
        fail(r, &e);
    if (!dir->path[0]) {
        struct walk_entry root = {.name = "",
                                  .st = dir->st,
                                  .xattr_bytes = dir->xattr_bytes,
                                  .xattr_size = dir->xattr_size};
        struct manifest_entry entry;
        build_entry_of_walk(&entry, &root, 0);
        build_root(r->build, &entry);
    }
    pthread_mutex_lock(&r->lock);
    r->taken->entries += count;
    r->taken->files += files;
    r->taken->bytes += bytes;
    pthread_mutex_unlock(&r->lock);
}

static int by_path(const void *a, const void *b)
{
    return strcmp(((const struct left_out *)a)->path, ((const struct left_out *)b)->path);
}

bool capture_tree(struct capture **out, struct build *b, int rootfd,
                  const struct policies *policies, struct objects *objects, unsigned threads,
                  struct walk_progress *progress, struct error *e)
{
    CLEANUP(capture_cleanup) struct capture *taken = mem_alloc(sizeof *taken);
    taken->arena = arena_new();
    CLEANUP(policies_cleanup) struct policies *none = policies_new();
    struct run r = {.build = b,
                    .policies = policies ? policies : none,
                    .objects = objects,
                    .lock = PTHREAD_MUTEX_INITIALIZER,
                    .taken = taken};
    struct walk_options o = {.threads = threads,
                             .listed = listed,
                             .done = done,
                             .hashed = keep,
                             .context = &r,
                             .progress = progress,
                             .stop = &r.stop};
    bool good = walk(rootfd, &o, e);
    if (good && r.stop) {
        if (e)
            *e = r.fatal;
        good = false;
    }
    if (r.left_out.count) {
        qsort(r.left_out.items, r.left_out.count, sizeof *r.left_out.items, by_path);
        taken->left_out =
            arena_dup(taken->arena, r.left_out.items, r.left_out.count * sizeof *r.left_out.items);
        taken->left_out_count = r.left_out.count;
    }
    VEC_FREE(&r.left_out);
    if (!good)
        return false;
    *out = taken;
    taken = NULL;
    return true;
}
