#include "guard/places.h"

#include "base/mem.h"
#include "guard/handles.h"

#include <fcntl.h>
#include <linux/openat2.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

/* A directory that is watched and not published; `path` NULL is the folder aside, `key` 0 a place
 * that is free. */
struct other {
    size_t site;
    uint64_t key;
    char *path;
};
enum { FIRST_TIDY = 4096 };

/* The handle of a published directory; `bytes` 0: not known, or too long to be kept. */
struct dir_handle {
    uint8_t bytes;
    int8_t type;
    uint8_t handle[30]; /* ext4 8, XFS and tmpfs 12 to 20, Btrfs 20 */
};

/* A published directory on which another file system was mounted when it was learnt. */
struct crossing {
    size_t site;
    uint32_t index;
    uint64_t fsid; /* as it is now; the site's: nothing is mounted there any more */
};

struct places {
    const struct site *sites;
    size_t count;
    uint32_t *first; /* number of each site's entry 0 */
    uint64_t *fsid;
    struct watch *watch;
    struct alive *alive;
    struct handles *handles;
    uint32_t *dir_number; /* of each entry: its number in dirs + 1, or 0 */
    VEC(struct dir_handle) dirs;
    VEC(struct other) others;
    VEC(uint32_t) free_others;
    size_t others_used, tidy_at;
    VEC(uint64_t) marked; /* file systems */
    VEC(struct crossing) crossings;
    size_t unwatched, untold;
};

struct places *places_new(const struct site *sites, size_t count, struct watch *watch,
                          struct alive *alive)
{
    struct places *p = mem_alloc(sizeof *p);
    p->sites = sites;
    p->watch = watch;
    p->alive = alive;
    p->count = count;
    p->tidy_at = FIRST_TIDY;
    p->first = mem_alloc((count + 1) * sizeof *p->first);
    p->fsid = mem_alloc((count + 1) * sizeof *p->fsid);
    for (size_t i = 0; i < count; i++)
        p->first[i + 1] = p->first[i] + manifest_count(sites[i].generation.manifest);
    p->handles = handles_new(p->first[count]);
    p->dir_number = mem_alloc((p->first[count] + 1) * sizeof *p->dir_number);
    return p;
}

void places_free(struct places *p)
{
    if (!p)
        return;
    for (size_t i = 0; i < p->others.count; i++)
        free(p->others.items[i].path);
    VEC_FREE(&p->others);
    VEC_FREE(&p->free_others);
    VEC_FREE(&p->marked);
    VEC_FREE(&p->crossings);
    VEC_FREE(&p->dirs);
    handles_free(p->handles);
    free(p->dir_number);
    free(p->first);
    free(p->fsid);
    free(p);
}

static int open_dir(int rootfd, const char *path)
{
    struct open_how how = {.flags = O_RDONLY | O_DIRECTORY | O_CLOEXEC,
                           .resolve =
                               RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS};
    return (int)syscall(SYS_openat2, rootfd, path[0] ? path : ".", &how, sizeof how);
}

/* The number of the file system on which an open directory lies, which is marked if it is another
 * one than the site's: one that is mounted beneath the document root. */
static uint64_t fsid_of(struct places *p, size_t site, int dirfd)
{
    uint64_t fsid;
    if (!handle_fsid(&fsid, dirfd, NULL) || fsid == p->fsid[site])
        return p->fsid[site];
    for (size_t i = 0; i < p->marked.count; i++)
        if (p->marked.items[i] == fsid)
            return fsid;
    VEC_PUSH(&p->marked, fsid);
    p->untold += !watch_add(p->watch, dirfd, NULL);
    return fsid;
}

static void learn_value(struct places *p, uint64_t fsid, int dirfd, const char *name,
                        uint32_t value)
{
    uint64_t hash;
    if (handle_of(&hash, fsid, dirfd, name, NULL))
        handles_set(p->handles, hash, value);
}

static struct crossing *find_crossing(const struct places *p, size_t site, uint32_t index)
{
    for (size_t i = 0; i < p->crossings.count; i++)
        if (p->crossings.items[i].site == site && p->crossings.items[i].index == index)
            return &p->crossings.items[i];
    return NULL;
}

/* The handle by which it is found again: only on the site's own file system (a descriptor on
 * another one would keep it from being unmounted), and not where one is mounted now and then. */
static void learn_dir(struct places *p, size_t site, uint64_t fsid, int dirfd, uint32_t index)
{
    struct dir_handle dir = {0};
    size_t size;
    int type;
    uint32_t *number = &p->dir_number[p->first[site] + index];
    if (fsid == p->fsid[site] && !find_crossing(p, site, index) &&
        handle_bytes_of(dir.handle, sizeof dir.handle, &size, &type, dirfd) && type < 128) {
        dir.bytes = (uint8_t)size;
        dir.type = (int8_t)type;
    }
    if (!*number) {
        VEC_PUSH(&p->dirs, dir);
        *number = (uint32_t)p->dirs.count;
    } else
        p->dirs.items[*number - 1] = dir;
}

bool places_open_dir(const struct places *p, size_t site, uint32_t index, int *fd)
{
    uint32_t number = p->dir_number[p->first[site] + index];
    const struct dir_handle *dir = number ? &p->dirs.items[number - 1] : NULL;
    if (!dir || !dir->bytes)
        return false;
    return handle_open_dir(fd, p->sites[site].rootfd, dir->type, dir->handle, dir->bytes);
}

/* A published directory that is open, and all beneath it; `above`: the file system of the one that
 * it lies in. */
static void learn_published(struct places *p, size_t site, int dirfd, uint32_t index,
                            uint64_t above)
{
    const struct manifest *m = p->sites[site].generation.manifest;
    struct manifest_entry dir, child;
    manifest_entry(m, index, &dir);
    if (p->alive)
        alive_beat(p->alive);
    uint64_t key, fsid = fsid_of(p, site, dirfd);
    if (fsid != above && !find_crossing(p, site, index))
        VEC_PUSH(&p->crossings, ((struct crossing){site, index, fsid}));
    if (watch_learn_dir(p->watch, fsid, dirfd, &key, NULL))
        handles_set(p->handles, key, p->first[site] + index);
    else
        p->unwatched++;
    learn_dir(p, site, fsid, dirfd, index);
    for (uint32_t i = dir.first_child; i < dir.first_child + dir.child_count; i++) {
        char name[256];
        manifest_entry(m, i, &child);
        memcpy(name, child.name, child.name_length);
        name[child.name_length] = '\0';
        if (!S_ISDIR(child.mode)) {
            if (!watch_is_unprivileged(p->watch)) /* which does not name things */
                learn_value(p, fsid, dirfd, name, p->first[site] + i);
            continue;
        }
        CLEANUP_CLOSE int below =
            openat(dirfd, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
        if (below >= 0)
            learn_published(p, site, below, i, fsid);
    }
}

/* Is the directory still where it was learnt? */
static bool is_there(struct places *p, const struct other *other)
{
    CLEANUP_CLOSE int dir = open_dir(p->sites[other->site].rootfd, other->path);
    uint64_t key;
    return dir >= 0 && watch_learn_dir(p->watch, fsid_of(p, other->site, dir), dir, &key, NULL) &&
           key == other->key;
}

/* Who may write in an upload folder can make folders and take them away for ever. Those that are
 * gone are forgotten whenever twice as many are known as were there the last time. */
static void forget_gone(struct places *p)
{
    if (p->others_used < p->tidy_at)
        return;
    for (size_t i = 0; i < p->others.count; i++) {
        struct other *other = &p->others.items[i];
        if (!other->key || !other->path || is_there(p, other))
            continue;
        handles_remove(p->handles, other->key);
        free(other->path);
        *other = (struct other){0};
        VEC_PUSH(&p->free_others, (uint32_t)i);
        p->others_used--;
    }
    p->tidy_at = p->others_used * 2 > FIRST_TIDY ? p->others_used * 2 : FIRST_TIDY;
}

/* False: it was known. */
static bool learn_other(struct places *p, size_t site, int dirfd, const char *path)
{
    uint64_t hash;
    forget_gone(p);
    if (!watch_learn_dir(p->watch, fsid_of(p, site, dirfd), dirfd, &hash, NULL)) {
        p->unwatched++;
        return true;
    }
    uint32_t known = handles_find(p->handles, hash);
    if (known != HANDLE_NONE && (known & HANDLE_OTHER)) {
        struct other *old = &p->others.items[known & ~HANDLE_OTHER];
        bool same = str_equal(old->path, path);
        if (old->path) {
            free(old->path);
            old->path = mem_strdup(path);
        }
        return !same;
    }
    struct other fresh = {site, hash, path ? mem_strdup(path) : NULL};
    uint32_t number = (uint32_t)p->others.count;
    if (p->free_others.count) {
        number = p->free_others.items[--p->free_others.count];
        p->others.items[number] = fresh;
    } else
        VEC_PUSH(&p->others, fresh);
    handles_set(p->handles, hash, HANDLE_OTHER | number);
    p->others_used++;
    return true;
}

bool places_learn_site(struct places *p, size_t site, int proof, struct error *e)
{
    const struct site *s = &p->sites[site];
    if (!handle_fsid(&p->fsid[site], s->rootfd, e))
        return false;
    uint64_t key; /* once with an error: a file system without handles is said */
    CLEANUP_CLOSE int root = open_dir(s->rootfd, "");
    if (root >= 0 && !watch_learn_dir(p->watch, p->fsid[site], root, &key, e))
        return false;
    if (root >= 0)
        learn_published(p, site, root, MANIFEST_ROOT, p->fsid[site]);
    if (proof >= 0)
        learn_other(p, site, proof, NULL);
    return true;
}

bool places_learn(struct places *p, size_t site, const char *path)
{
    const struct site *s = &p->sites[site];
    CLEANUP_FREE char *folder = mem_strdup(path);
    char *slash = strrchr(folder, '/');
    const char *name = slash ? path + (slash - folder) + 1 : path;
    if (slash)
        *slash = '\0';
    else
        folder[0] = '\0';
    CLEANUP_CLOSE int parent = open_dir(s->rootfd, folder);
    if (parent < 0)
        return true;
    uint32_t index = manifest_find(s->generation.manifest, path, strlen(path));
    CLEANUP_CLOSE int dir =
        openat(parent, name[0] ? name : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
    uint64_t hash;
    if (dir >= 0 && index != MANIFEST_NONE) {
        /* fetched back and not made anew: all of it is known */
        if (watch_learn_dir(p->watch, fsid_of(p, site, dir), dir, &hash, NULL) &&
            handles_find(p->handles, hash) == p->first[site] + index)
            return false;
        learn_published(p, site, dir, index, fsid_of(p, site, parent));
    } else if (dir >= 0)
        return learn_other(p, site, dir, path);
    else if (index != MANIFEST_NONE)
        learn_value(p, fsid_of(p, site, parent), parent, name, p->first[site] + index);
    return true;
}

void places_mounts_changed(struct places *p,
                           void (*changed)(void *context, size_t site, const char *path),
                           void *context)
{
    CLEANUP_STR struct str path = {0};
    p->marked.count = 0; /* what was mounted again has no mark */
    for (size_t i = 0, count = p->crossings.count; i < count; i++) {
        struct crossing *at = &p->crossings.items[i];
        size_t site = at->site;
        str_clear(&path);
        manifest_add_path(p->sites[site].generation.manifest, at->index, &path);
        CLEANUP_CLOSE int dir = open_dir(p->sites[site].rootfd, str_text(&path));
        uint64_t fsid = dir < 0 ? at->fsid : fsid_of(p, site, dir);
        if (fsid == at->fsid)
            continue;
        at->fsid = fsid;
        learn_published(p, site, dir, at->index, fsid);
        changed(context, site, str_text(&path));
    }
}

bool places_learn_file(struct places *p, size_t site, const char *path, int dirfd, const char *name)
{
    const struct manifest *m = p->sites[site].generation.manifest;
    uint32_t index = manifest_find(m, path, strlen(path));
    struct manifest_entry entry;
    if (index == MANIFEST_NONE)
        return false;
    manifest_entry(m, index, &entry);
    if (S_ISDIR(entry.mode))
        return false;
    if (!watch_is_unprivileged(p->watch))
        learn_value(p, fsid_of(p, site, dirfd), dirfd, name, p->first[site] + index);
    return true;
}

bool places_dir_in(const struct places *p, size_t site, const char *path, const uint64_t *hashes,
                   size_t count)
{
    CLEANUP_FREE char *folder = mem_strdup(path);
    char *slash = strrchr(folder, '/');
    *(slash ? slash : folder) = '\0';
    CLEANUP_CLOSE int dir = open_dir(p->sites[site].rootfd, folder);
    uint64_t hash, fsid = p->fsid[site];
    if (dir < 0 || !handle_fsid(&fsid, dir, NULL) || !handle_of(&hash, fsid, dir, "", NULL))
        return false;
    for (size_t i = 0; i < count; i++)
        if (hashes[i] == hash)
            return true;
    return false;
}

void places_forget_evidence(struct places *p, size_t site, int dirfd, const char *name)
{
    uint64_t hash;
    if (handle_of(&hash, p->fsid[site], dirfd, name, NULL))
        handles_remove(p->handles, hash);
}

size_t places_untold(const struct places *p)
{
    return p->untold;
}

size_t places_unwatched(const struct places *p)
{
    return p->unwatched;
}

static size_t site_of(const struct places *p, uint32_t value)
{
    size_t site = 0;
    while (site + 1 < p->count && value >= p->first[site + 1])
        site++;
    return site;
}

struct place places_find(const struct places *p, uint64_t dir, const char *name, uint64_t thing,
                         struct str *path)
{
    str_clear(path);
    str_add(path, "");
    bool itself = strcmp(name, ".") == 0;
    uint32_t value = dir ? handles_find(p->handles, dir) : HANDLE_NONE;
    struct place at = {.kind = PLACE_PATH};
    if (value == HANDLE_NONE) {
        value = thing ? handles_find(p->handles, thing) : HANDLE_NONE;
        itself = true; /* of the thing, only its own published path is known */
        if (value == HANDLE_NONE || (value & HANDLE_OTHER))
            return (struct place){.kind = PLACE_NONE};
    }
    if (value & HANDLE_OTHER) {
        const struct other *other = &p->others.items[value & ~HANDLE_OTHER];
        at.site = other->site;
        if (!other->path) {
            at.kind = PLACE_ASIDE;
            str_add(path, name);
            return at;
        }
        str_add(path, other->path);
    } else {
        at.site = site_of(p, value);
        uint32_t index = value - p->first[at.site];
        manifest_add_path(p->sites[at.site].generation.manifest, index, path);
        at.is_root_itself = itself && index == MANIFEST_ROOT;
    }
    if (!itself) {
        if (path->length)
            str_add_char(path, '/');
        str_add(path, name);
    }
    return at;
}
