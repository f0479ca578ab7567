#include "content/deploy.h"

#include "base/file.h"
#include "base/str.h"
#include "content/executable.h"
#include "content/profile.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

void deploy_cleanup(struct deploy *d)
{
    if (d->held)
        objects_let_go(d->held);
    manifest_free(d->manifest);
    capture_free(d->taken);
    differences_free(d->found);
    generation_close(&d->before);
    VEC_FREE(&d->kept);
    VEC_FREE(&d->lost);
    arena_free(d->arena);
    *d = (struct deploy){0};
}

/* ---- what is to be published ---------------------------------------------------------------- */

struct merge {
    const struct manifest *tree, *old;
    const struct policies *policies;
    struct build *build;
    size_t left;
    struct deploy *deploy;
    const char **keeps;
    size_t keep_count;
    /* of a first publication; there `old` is what lies in the document root */
    bool first;
    struct objects *objects;
    int rootfd;
};

static bool same_type(const struct manifest_entry *a, const struct manifest_entry *b)
{
    return (a->mode & S_IFMT) == (b->mode & S_IFMT);
}

static bool same_content(const struct manifest_entry *a, const struct manifest_entry *b)
{
    if (!same_type(a, b))
        return false;
    if (S_ISREG(a->mode))
        return memcmp(a->sha256, b->sha256, SHA256_SIZE) == 0;
    return !S_ISLNK(a->mode) ||
           (a->target_size == b->target_size && memcmp(a->target, b->target, a->target_size) == 0);
}

/* Who may read may also execute, or nobody may. */
static mode_t with_execution(mode_t mode, bool execution)
{
    mode_t cleared = mode & ~(mode_t)0111;
    return execution ? cleared | (mode & 0444) >> 2 : cleared;
}

/* The tree's entry as the site has it; `was` is NULL if nothing was published there. A capability
 * was given to a content, not to a name. */
static void fit_in(struct manifest_entry *entry, const struct manifest_entry *was,
                   const struct manifest_entry *parent)
{
    static const char capability[] = "security.capability";
    bool typed = was && same_type(was, entry), same = was && same_content(was, entry);
    bool executable = S_ISREG(entry->mode) && (entry->mode & 0100);
    entry->uid = was ? was->uid : parent->uid;
    entry->gid = was ? was->gid : parent->gid;
    entry->xattrs = NULL;
    entry->xattrs_size = 0;
    if (typed && (same || !was->xattrs ||
                  !memmem(was->xattrs, was->xattrs_size, capability, strlen(capability)))) {
        entry->xattrs = was->xattrs;
        entry->xattrs_size = was->xattrs_size;
    }
    if (same)
        entry->mtime_ns = was->mtime_ns;
    mode_t mode = typed ? was->mode : parent->mode;
    if (S_ISREG(entry->mode))
        entry->mode = S_IFREG | with_execution(mode & (typed ? 07777 : 0777), executable);
    else if (S_ISDIR(entry->mode))
        entry->mode = S_IFDIR | (mode & 07777);
}

static int compare_names(const struct manifest_entry *a, const struct manifest_entry *b)
{
    size_t least = a->name_length < b->name_length ? a->name_length : b->name_length;
    int order = memcmp(a->name, b->name, least);
    return order ? order : (a->name_length > b->name_length) - (a->name_length < b->name_length);
}

/* The names of one directory, of the tree and of what was published, in one order. */
struct names {
    const struct manifest *m;
    uint32_t next, end;
    struct manifest_entry entry;
};

static struct names names_of(const struct manifest *m, uint32_t directory)
{
    struct names n = {.m = m};
    struct manifest_entry entry;
    if (directory == MANIFEST_NONE)
        return n;
    manifest_entry(m, directory, &entry);
    n.next = entry.first_child;
    n.end = n.next + entry.child_count;
    return n;
}

static bool names_look(struct names *n)
{
    if (n->next >= n->end)
        return false;
    manifest_entry(n->m, n->next, &n->entry);
    return true;
}

static bool merge_dir(struct merge *m, const char *folder, enum policy above,
                      const struct manifest_entry *parent, uint32_t tree, uint32_t old,
                      uint32_t number, uint32_t *count, struct error *e);

/* What nobody vouches for, as far as it may stay. */
static struct manifest_entry tamed(const struct manifest_entry *was)
{
    static const char capability[] = "security.capability";
    struct manifest_entry e = *was;
    e.mode &= ~(mode_t)(S_ISDIR(e.mode) ? S_ISUID | S_IWOTH : S_ISUID | S_ISGID | S_IWOTH);
    if (S_ISLNK(was->mode))
        e.mode = was->mode;
    if (e.xattrs && memmem(e.xattrs, e.xattrs_size, capability, strlen(capability))) {
        e.xattrs = NULL;
        e.xattrs_size = 0;
    }
    return e;
}

static bool is_kept(const struct merge *m, const char *path)
{
    for (size_t i = 0; i < m->keep_count; i++)
        if (str_equal(m->keeps[i], path))
            return true;
    return false;
}

/* The content is kept, so that it can be put back from now on. */
static bool keep(struct merge *m, const char *path, const struct manifest_entry *was,
                 struct error *e)
{
    struct stat st;
    CLEANUP_CLOSE int fd = file_open_beneath(m->rootfd, path, &st, e);
    if (fd < 0 || !objects_put(m->objects, fd, was->size, was->sha256, e)) {
        error_prefix(e, "%s", path);
        return false;
    }
    VEC_PUSH(&m->deploy->kept, arena_strdup(m->deploy->arena, path));
    return true;
}

/* A program where strangers may upload does not stay; what the tree has there takes its place. */
static bool is_refused(const struct merge *m, const char *path, enum policy policy,
                       const struct manifest_entry *was)
{
    const char *slash = strrchr(path, '/');
    CLEANUP_CLOSE int fd = policy == POLICY_UPLOAD && S_ISREG(was->mode)
                               ? file_open_beneath(m->rootfd, path, NULL, NULL)
                               : -1;
    return fd >= 0 && executable_file(fd, slash ? slash + 1 : path);
}

/* Of a first publication, a name that is not fixed, or that the tree does not have: what of it is
 * in the manifest? Folders above all, so that what is allowed in them can stay. */
static bool merge_own(struct merge *m, const char *path, enum policy policy,
                      const struct manifest_entry *source, const struct manifest_entry *was,
                      bool *taken, struct error *e)
{
    if (policy == POLICY_FIXED) {
        *taken = S_ISREG(was->mode) && is_kept(m, path);
        return !*taken || keep(m, path, was, e);
    }
    bool differs = source && was && !same_content(source, was) && !is_refused(m, path, policy, was);
    m->left += differs;
    *taken = source && !differs;
    return true;
}

/* One name, of either or both. *taken: `out` is to be in the new manifest. */
static bool merge_name(struct merge *m, const char *folder, enum policy above,
                       const struct manifest_entry *parent, const struct names *tree,
                       const struct names *old, struct manifest_entry *out, bool *taken,
                       struct error *e)
{
    const struct manifest_entry *source = tree ? &tree->entry : NULL;
    const struct manifest_entry *was = old ? &old->entry : NULL;
    *out = source ? *source : *was;
    CLEANUP_STR struct str path = {0};
    str_printf(&path, "%s%s%.*s", folder, folder[0] ? "/" : "", (int)out->name_length, out->name);
    enum policy policy = policy_of(m->policies, path.data, S_ISDIR(out->mode), above);
    *taken = true;
    struct manifest_entry safe;
    if (m->first && was) {
        safe = tamed(was);
        was = &safe;
        if (!source)
            *out = safe;
    }
    if (m->first && !S_ISDIR(out->mode) && (policy != POLICY_FIXED || !source)) {
        if (!merge_own(m, path.data, policy, source, was, taken, e))
            return false;
        if (source && *taken)
            fit_in(out, was, parent);
        return true;
    }
    if (policy != POLICY_FIXED && !m->first) {
        m->left += source != NULL;
        *taken = was != NULL;
        return !was || build_copy(m->build, out, m->old, old->next, e);
    }
    if (source)
        fit_in(out, was, parent);
    if (!S_ISDIR(out->mode)) {
        *taken = source || is_kept(m, path.data);
        if (!source && *taken)
            VEC_PUSH(&m->deploy->kept, arena_strdup(m->deploy->arena, path.data));
        return true;
    }
    uint32_t count, number = build_new_dir(m->build);
    bool old_dir = was && S_ISDIR(was->mode);
    out->first_child = number;
    if (!merge_dir(m, path.data, policy, out, source ? tree->next : MANIFEST_NONE,
                   old_dir ? old->next : MANIFEST_NONE, number, &count, e))
        return false;
    /* one that only holds what is the site's own stays for that */
    *taken = source || count || (m->first && policy != POLICY_FIXED);
    return true;
}

static bool merge_dir(struct merge *m, const char *folder, enum policy above,
                      const struct manifest_entry *parent, uint32_t tree, uint32_t old,
                      uint32_t number, uint32_t *count, struct error *e)
{
    struct names a = names_of(m->tree, tree), b = names_of(m->old, old);
    size_t most = (a.end - a.next) + (size_t)(b.end - b.next);
    CLEANUP_FREE struct manifest_entry *entries = mem_alloc((most + 1) * sizeof *entries);
    *count = 0;
    for (;;) {
        bool has_a = names_look(&a), has_b = names_look(&b), taken;
        if (!has_a && !has_b)
            break;
        int order = !has_b ? -1 : !has_a ? 1 : compare_names(&a.entry, &b.entry);
        if (!merge_name(m, folder, above, parent, order <= 0 ? &a : NULL, order >= 0 ? &b : NULL,
                        &entries[*count], &taken, e))
            return false;
        *count += taken;
        a.next += order <= 0;
        b.next += order >= 0;
    }
    return !*count || build_add(m->build, number, entries, *count, e);
}

/* A manifest that lies nowhere yet. */
static bool manifest_in_memory(struct manifest **out, struct build *b, const struct site *site,
                               struct error *e)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    CLEANUP_CLOSE int fd = memfd_create("manifest", MFD_CLOEXEC);
    if (fd < 0) {
        error_set_errno(e, errno, "making the manifest");
        return false;
    }
    return build_write(b, fd, site->row.name, site->row.generation + 1,
                       (int64_t)now.tv_sec * 1000000000 + now.tv_nsec, NULL, e) &&
           manifest_open(out, fd, e);
}

/* The site's policies, and what is a tool's and not the tree's. */
static bool policies_for_tree(struct policies **out, const struct policies *site, struct error *e)
{
    static const char *const tools[] = {"/.git", "/.hg", "/.svn"};
    CLEANUP(policies_cleanup) struct policies *p = policies_new();
    for (size_t i = 0; i < policies_count(site); i++) {
        enum policy policy;
        const char *pattern = policies_pattern(site, i, &policy);
        if (!policies_add(p, pattern, policy, e))
            return false;
    }
    for (size_t i = 0; i < ARRAY_COUNT(tools); i++)
        if (!policies_add(p, tools[i], POLICY_IGNORE, e))
            return false;
    *out = p;
    p = NULL;
    return true;
}

static bool same_manifest(const struct manifest *a, const struct manifest *b)
{
    if (manifest_count(a) != manifest_count(b))
        return false;
    for (uint32_t i = 0; i < manifest_count(a); i++) {
        struct manifest_entry x, y;
        manifest_entry(a, i, &x);
        manifest_entry(b, i, &y);
        if (x.name_length != y.name_length || memcmp(x.name, y.name, x.name_length) != 0 ||
            x.parent != y.parent || x.mode != y.mode || x.uid != y.uid || x.gid != y.gid ||
            x.mtime_ns != y.mtime_ns || x.size != y.size || !!x.sha256 != !!y.sha256 ||
            (x.sha256 && memcmp(x.sha256, y.sha256, SHA256_SIZE) != 0) ||
            x.target_size != y.target_size || x.xattrs_size != y.xattrs_size ||
            (x.target_size && memcmp(x.target, y.target, x.target_size) != 0) ||
            (x.xattrs_size && memcmp(x.xattrs, y.xattrs, x.xattrs_size) != 0))
            return false;
    }
    return true;
}

/* The tree's content kept, and the manifest of it. */
static bool take_tree(struct manifest **out, struct deploy *d, struct build *b,
                      const struct site *site, int treefd, struct walk_progress *progress,
                      struct error *e)
{
    CLEANUP(policies_cleanup) struct policies *policies = NULL;
    return policies_for_tree(&policies, site->policies, e) &&
           capture_tree(&d->taken, b, treefd, policies, d->held, 0, progress, e) &&
           manifest_in_memory(out, b, site, e);
}

/* `d->manifest` and what is to be done. */
static bool merge_all(struct deploy *d, struct merge *m, const struct site *site, struct error *e)
{
    struct manifest_entry root;
    uint32_t count;
    manifest_entry(m->old, MANIFEST_ROOT, &root);
    if (m->first)
        root = tamed(&root);
    build_root(m->build, &root);
    struct verify_options options = {.policies = site->policies};
    if (!merge_dir(m, "", policy_of(site->policies, "", true, POLICY_FIXED), &root, MANIFEST_ROOT,
                   MANIFEST_ROOT, 0, &count, e) ||
        !manifest_in_memory(&d->manifest, m->build, site, e) ||
        !verify(&d->found, site->rootfd, d->manifest, &options, e))
        return false;
    d->left = m->left;
    return true;
}

bool deploy_plan(struct deploy *out, struct objects *objects, const struct site *site, int treefd,
                 bool keeps, struct walk_progress *progress, struct error *e)
{
    CLEANUP_DEPLOY struct deploy d = {.held = objects, .arena = arena_new()};
    CLEANUP(build_cleanup) struct build *b = build_new();
    CLEANUP(manifest_cleanup) struct manifest *tree = NULL;
    objects_hold(objects);
    const struct manifest *old = site->generation.manifest;
    struct merge m = {.old = old, .policies = site->policies, .build = b, .deploy = &d};
    if (!take_tree(&tree, &d, b, site, treefd, progress, e) ||
        (keeps && !profile_keeps(site->row.profile, d.arena, &m.keeps, &m.keep_count, e)))
        return false;
    m.tree = tree;
    if (!merge_all(&d, &m, site, e))
        return false;
    d.nothing = !d.found->wrong && same_manifest(d.manifest, old);
    *out = d;
    d = (struct deploy){0};
    return true;
}

bool deploy_plan_first(struct deploy *out, struct objects *objects, const struct site *site,
                       int treefd, struct walk_progress *progress, struct error *e)
{
    CLEANUP_DEPLOY struct deploy d = {.held = objects, .first = true, .arena = arena_new()};
    CLEANUP(build_cleanup) struct build *b = build_new();
    CLEANUP(manifest_cleanup) struct manifest *tree = NULL, *there = NULL;
    CLEANUP(capture_cleanup) struct capture *seen = NULL;
    objects_hold(objects);
    struct merge m = {.policies = site->policies,
                      .build = b,
                      .first = true,
                      .deploy = &d,
                      .objects = objects,
                      .rootfd = site->rootfd};
    if (!take_tree(&tree, &d, b, site, treefd, progress, e) ||
        !capture_tree(&seen, b, site->rootfd, site->policies, NULL, 0, progress, e) ||
        !manifest_in_memory(&there, b, site, e) ||
        !profile_keeps(site->row.profile, d.arena, &m.keeps, &m.keep_count, e))
        return false;
    m.tree = tree;
    m.old = there;
    if (!merge_all(&d, &m, site, e))
        return false;
    for (size_t i = 0; i < m.keep_count; i++)
        if (manifest_find(d.manifest, m.keeps[i], strlen(m.keeps[i])) == MANIFEST_NONE)
            VEC_PUSH(&d.lost, m.keeps[i]);
    *out = d;
    d = (struct deploy){0};
    return true;
}

/* ---- published ------------------------------------------------------------------------------ */

bool deploy_accept(struct deploy *d, struct state *s, struct objects *objects, struct site *site,
                   json_t *entry, struct error *e)
{
    CLEANUP(build_cleanup) struct build *b = build_new();
    CLEANUP_GENERATION struct generation next = {0};
    struct manifest_entry root, copy;
    struct site_row row = site->row;
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    manifest_entry(d->manifest, MANIFEST_ROOT, &root);
    build_root(b, &root);
    CLEANUP_FREE struct manifest_entry *children =
        mem_alloc((root.child_count + 1) * sizeof *children);
    for (uint32_t i = 0; i < root.child_count; i++) {
        if (!build_copy(b, &copy, d->manifest, root.first_child + i, e))
            return false;
        children[i] = copy;
    }
    if (!build_add(b, 0, children, root.child_count, e) ||
        !generation_commit(s, objects, &row, b, entry,
                           (int64_t)now.tv_sec * 1000000000 + now.tv_nsec, e) ||
        !generation_open(&next, s, &row, 0, e))
        return false;
    d->before = site->generation;
    site->generation = next;
    site->row = row;
    next = (struct generation){0};
    return true;
}

/* ---- carried out ---------------------------------------------------------------------------- */

static void discard(const struct manifest *m, uint32_t index, int dirfd, const char *name);

static bool is_as_published(const struct manifest_entry *was, int dirfd, const char *name)
{
    struct stat st;
    uint8_t hash[SHA256_SIZE];
    uint64_t size;
    if (S_ISLNK(was->mode)) {
        CLEANUP_FREE char *target = mem_alloc(was->target_size + 1);
        return readlinkat(dirfd, name, target, was->target_size + 1) == (ssize_t)was->target_size &&
               memcmp(target, was->target, was->target_size) == 0;
    }
    CLEANUP_CLOSE int fd =
        openat(dirfd, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC | O_NOCTTY);
    return fd >= 0 && fstat(fd, &st) == 0 && S_ISREG(st.st_mode) &&
           (uint64_t)st.st_size == was->size && walk_hash_fd(hash, fd, &size, NULL) &&
           memcmp(hash, was->sha256, sizeof hash) == 0;
}

static void discard_folder(const struct manifest *m, const struct manifest_entry *was, int dirfd,
                           const char *name)
{
    CLEANUP_CLOSE int fd = openat(dirfd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    for (uint32_t i = 0; fd >= 0 && i < was->child_count; i++) {
        struct manifest_entry child;
        char child_name[256];
        manifest_entry(m, was->first_child + i, &child);
        snprintf(child_name, sizeof child_name, "%.*s", (int)child.name_length, child.name);
        discard(m, was->first_child + i, fd, child_name);
    }
    unlinkat(dirfd, name, AT_REMOVEDIR); /* what is still in it is not ours, and stays */
}

/* What was put aside goes, as far as it is what was published. */
static void discard(const struct manifest *m, uint32_t index, int dirfd, const char *name)
{
    struct manifest_entry was;
    manifest_entry(m, index, &was);
    if (S_ISDIR(was.mode))
        discard_folder(m, &was, dirfd, name);
    else if (is_as_published(&was, dirfd, name))
        unlinkat(dirfd, name, 0);
}

struct carrying {
    struct mender *m;
    const struct manifest *before;
    void (*event)(void *context, const struct mend_event *event);
    void *context;
};

static void on_event(void *context, const struct mend_event *event)
{
    const struct carrying *c = context;
    uint32_t index =
        c->before ? manifest_find(c->before, event->path, strlen(event->path)) : MANIFEST_NONE;
    if (event->evidence[0] && index != MANIFEST_NONE)
        discard(c->before, index, c->m->aside->fd, event->evidence);
    if (c->event)
        c->event(c->context, event);
}

static enum mend_result mend_those(const struct deploy *d, struct mender *m,
                                   enum difference_kind first, enum difference_kind last)
{
    enum mend_result worst = MEND_RIGHT;
    for (size_t i = 0; i < d->found->count; i++) {
        const struct difference *one = &d->found->items[i];
        /* Of what moved, the new name is new and the old one goes. */
        bool moved = one->kind == DIFFERENCE_MOVED;
        const char *path = moved && first == DIFFERENCE_REMOVED ? one->from : one->path;
        enum difference_kind kind = moved ? first : one->kind;
        if (kind < first || kind > last || (one->beneath && !moved) || !one->wrong ||
            (moved && first == DIFFERENCE_CHANGED))
            continue;
        enum mend_result r = mend_path(m, path);
        worst = r > worst ? r : worst;
    }
    return worst;
}

/* What is missing where policy lets others write: the mender would leave it so. */
static void put_in_missing(const struct deploy *d, struct mender *m)
{
    CLEANUP(policies_cleanup) struct policies *all_fixed = policies_new();
    const struct policies *policies = m->policies;
    m->policies = all_fixed;
    for (size_t i = 0; d->first && i < d->found->count; i++)
        if (d->found->items[i].kind == DIFFERENCE_REMOVED && !d->found->items[i].wrong)
            mend_path(m, d->found->items[i].path);
    mend_settle(m);
    m->policies = policies;
}

enum mend_result deploy_carry_out(struct deploy *d, struct mender *m)
{
    struct carrying c = {m, d->before.manifest, m->event, m->context};
    m->event = on_event;
    m->context = &c;
    mend_those(d, m, DIFFERENCE_REMOVED, DIFFERENCE_REMOVED);
    put_in_missing(d, m);
    mend_those(d, m, DIFFERENCE_CHANGED, DIFFERENCE_TYPE);
    mend_those(d, m, DIFFERENCE_ADDED, DIFFERENCE_ADDED);
    enum mend_result r = mend_tree(m, "", 0, false);
    m->event = c.event;
    m->context = c.context;
    return r;
}
