#include "content/verify.h"

#include "base/file.h"
#include "base/str.h"
#include "content/executable.h"
#include "content/moves.h"
#include "model/finding.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/evp.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static const char *const kind_names[DIFFERENCE_KINDS] = {"added", "removed", "changed",
                                                         "type",  "moved",   "unreadable"};
static const char *const what_names[WHAT_COUNT] = {"content", "size",  "mode",   "owner",
                                                   "group",   "mtime", "target", "xattrs"};

const char *difference_kind_name(enum difference_kind kind)
{
    return kind_names[kind];
}

const char *difference_what_name(enum difference_what one)
{
    for (unsigned i = 0; i < WHAT_COUNT; i++)
        if (one & 1u << i)
            return what_names[i];
    return "";
}

void differences_free(struct differences *d)
{
    if (!d)
        return;
    free(d->items);
    arena_free(d->arena);
    free(d);
}

void differences_cleanup(struct differences **d)
{
    differences_free(*d);
}

struct run {
    const struct manifest *m;
    const struct verify_options *options;
    const struct policies *policies;
    int64_t now_ns;
    pthread_mutex_t lock; /* of everything below */
    struct differences *found;
    VEC(struct difference) items;
};

static int64_t ns(struct timespec t)
{
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

unsigned verify_compare(const struct manifest_entry *was, const struct walk_entry *is)
{
    unsigned what = 0;
    if ((was->mode & 07777) != (is->st.st_mode & 07777) && !S_ISLNK(was->mode))
        what |= WHAT_MODE;
    if (was->uid != is->st.st_uid)
        what |= WHAT_OWNER;
    if (was->gid != is->st.st_gid)
        what |= WHAT_GROUP;
    if (is->xattrs &&
        (was->xattrs_size != is->xattr_size ||
         (was->xattrs_size && memcmp(was->xattrs, is->xattr_bytes, was->xattrs_size) != 0)))
        what |= WHAT_XATTRS;
    if (S_ISREG(was->mode)) {
        if (was->size != (uint64_t)is->st.st_size)
            what |= WHAT_SIZE | WHAT_CONTENT;
        if (was->mtime_ns != ns(is->st.st_mtim))
            what |= WHAT_MTIME;
        if (is->hashed && memcmp(was->sha256, is->sha256, SHA256_SIZE) != 0)
            what |= WHAT_CONTENT;
    } else if (S_ISLNK(was->mode)) {
        if (!is->target || strlen(is->target) != was->target_size ||
            memcmp(is->target, was->target, was->target_size) != 0)
            what |= WHAT_TARGET;
        if (was->mtime_ns != ns(is->st.st_mtim))
            what |= WHAT_MTIME;
    }
    return what;
}

/* ---- what a folder has, side by side with the manifest ----------------------------------- */

/* Goes through both sorted lists at once. */
struct pairs {
    const struct manifest *m;
    const struct walk_dir *dir;
    uint32_t next, end; /* in the manifest */
    size_t at;          /* in the folder */
};

static struct pairs pairs_of(const struct manifest *m, const struct walk_dir *dir)
{
    struct pairs p = {.m = m, .dir = dir};
    if (dir->tag != MANIFEST_NONE) {
        struct manifest_entry entry;
        manifest_entry(m, dir->tag, &entry);
        p.next = entry.first_child;
        p.end = entry.first_child + entry.child_count;
    }
    return p;
}

/* The next name: `seen` is NULL if only the manifest has it, *index MANIFEST_NONE if only the
 * disk. False at the end. */
static bool pairs_next(struct pairs *p, struct walk_entry **seen, uint32_t *index,
                       struct manifest_entry *was)
{
    bool on_disk = p->at < p->dir->count, published = p->next < p->end;
    if (!on_disk && !published)
        return false;
    int order = on_disk ? -1 : 1;
    if (published)
        manifest_entry(p->m, p->next, was);
    if (on_disk && published) {
        const struct walk_entry *is = &p->dir->entries[p->at];
        size_t length = is->name_length < was->name_length ? is->name_length : was->name_length;
        order = memcmp(is->name, was->name, length);
        if (!order)
            order = (is->name_length > was->name_length) - (is->name_length < was->name_length);
    }
    *seen = order <= 0 ? &p->dir->entries[p->at++] : NULL;
    *index = order >= 0 ? p->next++ : MANIFEST_NONE;
    return true;
}

static void path_of(struct str *out, const char *folder, const char *name, size_t length)
{
    str_clear(out);
    if (folder[0]) {
        str_add(out, folder);
        str_add_char(out, '/');
    }
    str_add_bytes(out, name, length);
}

static enum policy policy_in(const struct run *r, enum policy above, const char *path, bool is_dir)
{
    return policies_count(r->policies) ? policy_of(r->policies, path, is_dir, above) : above;
}

static void listed(void *context, struct walk_dir *dir)
{
    struct run *r = context;
    enum policy above = policy_of_path(r->policies, dir->path, true);
    CLEANUP_STR struct str path = {0};
    struct pairs pairs = pairs_of(r->m, dir);
    struct walk_entry *is;
    uint32_t index;
    struct manifest_entry was;
    while (pairs_next(&pairs, &is, &index, &was)) {
        if (!is)
            continue;
        path_of(&path, dir->path, is->name, is->name_length);
        bool is_dir = S_ISDIR(is->st.st_mode);
        if (policy_in(r, above, path.data, is_dir) == POLICY_IGNORE)
            continue;
        bool known = index != MANIFEST_NONE && (was.mode & S_IFMT) == (is->st.st_mode & S_IFMT);
        is->descend = is_dir;
        is->tag = known ? index : MANIFEST_NONE;
        bool trusted = known && r->options->quick && r->options->index &&
                       stat_index_trusts(r->options->index, index, &was, &is->st);
        is->hash = is->xattrs = !trusted;
    }
}

/* ---- differences ------------------------------------------------------------------------- */

static struct difference *add(struct run *r, enum difference_kind kind, enum policy policy,
                              const char *path, uint32_t index)
{
    struct difference new = {.kind = kind,
                             .policy = policy,
                             .wrong = policy != POLICY_FREE && policy != POLICY_UPLOAD,
                             .path = arena_strdup(r->found->arena, path),
                             .index = index};
    if (index != MANIFEST_NONE) {
        struct manifest_entry was;
        manifest_entry(r->m, index, &was);
        new.was_mode = was.mode;
    }
    VEC_PUSH(&r->items, new);
    return &r->items.items[r->items.count - 1];
}

static void set_now(struct run *r, struct difference *d, const struct walk_entry *is)
{
    struct arena *arena = r->found->arena;
    d->now = is->st;
    d->now_hashed = is->hashed;
    if (is->hashed)
        memcpy(d->now_sha256, is->sha256, SHA256_SIZE);
    if (is->target)
        d->now_target = arena_strdup(arena, is->target);
    if (is->xattr_bytes)
        d->now_xattrs = arena_dup(arena, is->xattr_bytes, is->xattr_size);
    d->now_xattrs_size = is->xattr_size;
}

/* Of a file that may only grow: is what was published still its beginning? */
static bool only_grown(int dirfd, const struct walk_entry *is, const struct manifest_entry *was)
{
    if ((uint64_t)is->st.st_size < was->size)
        return false;
    CLEANUP_CLOSE int fd = openat(dirfd, is->name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    EVP_MD_CTX *digest = EVP_MD_CTX_new();
    uint8_t buffer[32768], hash[SHA256_SIZE];
    bool good = fd >= 0 && digest && EVP_DigestInit_ex2(digest, EVP_sha256(), NULL);
    for (uint64_t at = 0; good && at < was->size; at += sizeof buffer) {
        uint64_t left = was->size - at;
        size_t most = left < sizeof buffer ? (size_t)left : sizeof buffer, got;
        good = file_read_at(fd, at, buffer, most, &got, NULL) && got == most &&
               EVP_DigestUpdate(digest, buffer, got);
    }
    good = good && EVP_DigestFinal_ex(digest, hash, NULL) &&
           memcmp(hash, was->sha256, sizeof hash) == 0;
    EVP_MD_CTX_free(digest);
    return good;
}

static const char *why_executable(int dirfd, const struct walk_entry *is)
{
    if (S_ISDIR(is->st.st_mode))
        return NULL;
    if (!S_ISREG(is->st.st_mode)) /* a link leads out, a device or FIFO hangs the server */
        return N_("it is no ordinary file");
    CLEANUP_CLOSE int fd = openat(dirfd, is->name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    return fd < 0 ? N_("it could not be read") : executable_file(fd, is->name);
}

bool verify_against_policy(int dirfd, const struct walk_entry *is, const struct manifest_entry *was,
                           enum policy policy, unsigned what, const char **reason)
{
    *reason = NULL;
    switch (policy) {
    case POLICY_UPLOAD:
        *reason = why_executable(dirfd, is);
        return *reason != NULL;
    case POLICY_APPEND:
        if (was && S_ISREG(was->mode) && (what & WHAT_CONTENT) &&
            !(what & ~(unsigned)(WHAT_CONTENT | WHAT_SIZE | WHAT_MTIME)))
            return !only_grown(dirfd, is, was);
        return true;
    default:
        return policy != POLICY_FREE && policy != POLICY_IGNORE;
    }
}

static void unreadable(struct run *r, enum policy policy, const char *path, uint32_t index,
                       const struct error *error)
{
    struct difference *d = add(r, DIFFERENCE_UNREADABLE, policy, path, index);
    d->error = arena_dup(r->found->arena, error, sizeof *error);
    d->wrong = false;
}

static void removed(struct run *r, uint32_t index, const char *path, enum policy policy,
                    bool beneath)
{
    struct difference *d = add(r, DIFFERENCE_REMOVED, policy, path, index);
    d->beneath = beneath;
}

/* All that lies beneath a published directory that is gone. */
static void removed_beneath(struct run *r, uint32_t index, enum policy above)
{
    struct pair {
        uint32_t index;
        enum policy above;
    };
    VEC(struct pair) waiting = {0};
    VEC_PUSH(&waiting, ((struct pair){index, above}));
    CLEANUP_STR struct str path = {0};
    while (waiting.count) {
        struct pair at = waiting.items[--waiting.count];
        struct manifest_entry dir, child;
        manifest_entry(r->m, at.index, &dir);
        for (uint32_t c = dir.first_child; c < dir.first_child + dir.child_count; c++) {
            manifest_entry(r->m, c, &child);
            str_clear(&path);
            manifest_add_path(r->m, c, &path);
            enum policy policy = policy_in(r, at.above, path.data, S_ISDIR(child.mode));
            if (policy == POLICY_IGNORE)
                continue;
            removed(r, c, path.data, policy, true);
            if (S_ISDIR(child.mode))
                VEC_PUSH(&waiting, ((struct pair){c, policy}));
        }
    }
    VEC_FREE(&waiting);
}

/* One name that is there, published or not. The lock is held by nobody: reading the disk comes
 * first, noting what was found last. */
static void compare_one(struct run *r, const struct walk_dir *dir, const struct walk_entry *is,
                        uint32_t index, const struct manifest_entry *was, const char *path,
                        enum policy policy)
{
    bool published = index != MANIFEST_NONE;
    bool same_type = published && (was->mode & S_IFMT) == (is->st.st_mode & S_IFMT);
    if (is->error || is->unstable) {
        struct error changing = ERROR_INIT;
        error_set(&changing, ERR_UNREADABLE, "it kept changing while it was read");
        pthread_mutex_lock(&r->lock);
        unreadable(r, policy, path, index, is->error ? is->error : &changing);
        pthread_mutex_unlock(&r->lock);
        return;
    }
    unsigned what = same_type ? verify_compare(was, is) : 0;
    if (same_type && !what) {
        if (r->options->index)
            stat_index_note(r->options->index, index, &is->st, r->now_ns);
        return;
    }
    const char *reason;
    bool wrong = verify_against_policy(dir->fd, is, same_type ? was : NULL, policy, what, &reason);

    pthread_mutex_lock(&r->lock);
    enum difference_kind kind = !published   ? DIFFERENCE_ADDED
                                : !same_type ? DIFFERENCE_TYPE
                                             : DIFFERENCE_CHANGED;
    struct difference *d = add(r, kind, policy, path, index);
    set_now(r, d, is);
    d->wrong = wrong;
    d->reason = reason;
    d->what = what;
    d->beneath = !published && dir->tag == MANIFEST_NONE;
    if (kind == DIFFERENCE_TYPE && S_ISDIR(was->mode))
        removed_beneath(r, index, policy);
    pthread_mutex_unlock(&r->lock);
}

static void compare_root(struct run *r, const struct walk_dir *dir)
{
    struct manifest_entry was;
    manifest_entry(r->m, MANIFEST_ROOT, &was);
    struct walk_entry is = {.st = dir->st,
                            .xattrs = true,
                            .xattr_bytes = dir->xattr_bytes,
                            .xattr_size = dir->xattr_size};
    unsigned what = verify_compare(&was, &is);
    if (!what)
        return;
    enum policy policy = policy_of_path(r->policies, "", true);
    pthread_mutex_lock(&r->lock);
    struct difference *d = add(r, DIFFERENCE_CHANGED, policy, "", MANIFEST_ROOT);
    set_now(r, d, &is);
    d->what = what;
    pthread_mutex_unlock(&r->lock);
}

static void done(void *context, struct walk_dir *dir)
{
    struct run *r = context;
    enum policy above = policy_of_path(r->policies, dir->path, true);
    if (!dir->path[0] && !dir->error)
        compare_root(r, dir);
    CLEANUP_STR struct str path = {0};
    struct pairs pairs = pairs_of(r->m, dir);
    struct walk_entry *is;
    uint32_t index;
    struct manifest_entry was;
    uint64_t files = 0, bytes = 0;
    while (pairs_next(&pairs, &is, &index, &was)) {
        path_of(&path, dir->path, is ? is->name : was.name, is ? is->name_length : was.name_length);
        bool is_dir = S_ISDIR(is ? is->st.st_mode : was.mode);
        enum policy policy = policy_in(r, above, path.data, is_dir);
        if (policy == POLICY_IGNORE)
            continue;
        files++;
        if (is && is->hashed)
            bytes += (uint64_t)is->st.st_size;
        if (is) {
            compare_one(r, dir, is, index, &was, path.data, policy);
            continue;
        }
        if (dir->error) /* it may be there: the list was cut short */
            continue;
        pthread_mutex_lock(&r->lock);
        removed(r, index, path.data, policy, false);
        if (is_dir)
            removed_beneath(r, index, policy);
        pthread_mutex_unlock(&r->lock);
    }
    pthread_mutex_lock(&r->lock);
    r->found->files += files;
    r->found->bytes += bytes;
    if (dir->error && dir->path[0])
        unreadable(r, above, dir->path, dir->tag, dir->error);
    pthread_mutex_unlock(&r->lock);
}

static int by_path(const void *a, const void *b)
{
    return strcmp(((const struct difference *)a)->path, ((const struct difference *)b)->path);
}

bool verify(struct differences **out, int rootfd, const struct manifest *m,
            const struct verify_options *options, struct error *e)
{
    CLEANUP(policies_cleanup) struct policies *none = policies_new();
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    CLEANUP(differences_cleanup) struct differences *found = mem_alloc(sizeof *found);
    found->arena = arena_new();
    struct run r = {.m = m,
                    .options = options,
                    .policies = options->policies ? options->policies : none,
                    .now_ns = ns(now),
                    .lock = PTHREAD_MUTEX_INITIALIZER,
                    .found = found};
    struct walk_options walking = {.threads = options->threads,
                                   .root_tag = MANIFEST_ROOT,
                                   .listed = listed,
                                   .done = done,
                                   .context = &r,
                                   .progress = options->progress,
                                   .stop = options->stop};
    if (!walk(rootfd, &walking, e)) {
        VEC_FREE(&r.items);
        return false;
    }
    if (r.items.count)
        qsort(r.items.items, r.items.count, sizeof *r.items.items, by_path);
    r.items.count = moves_find(r.m, r.items.items, r.items.count);
    found->items = r.items.items;
    found->count = r.items.count;
    for (size_t i = 0; i < found->count; i++) {
        found->of_kind[found->items[i].kind]++;
        found->wrong += found->items[i].wrong;
    }
    *out = found;
    found = NULL;
    return true;
}
