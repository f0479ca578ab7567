#include "libexec/image/tree.h"

#include "libexec/image/node.h"
#include "target/ops.h"

#include "base/str.h"

#include <stdio.h>
#include <stdlib.h>

enum {
    BUCKETS = 1024,
    MOST_KEPT_BYTES = 64 * 1024 * 1024,
    MOST_LINKS = 40,
    MOST_DEPTH = 256,
    /* libtsk compares each name with all before it: of this size it takes seconds */
    MOST_FOLDER_BYTES = 8 * 1024 * 1024,
    NTFS_INDEX_ALLOCATION = 160,
    MOST_WALK = 16 * 1024, /* bytes of a path with its links put in */
};

struct kept_dir {
    struct kept_dir *next;
    uint64_t inode;
    struct tree_dir dir;
    bool failed;
    struct error error;
};

struct tree {
    struct arena *arena;
    struct kept_dir *buckets[BUCKETS];
};

static struct tree *tree_of(struct volume *v)
{
    if (v->tree && arena_used(v->tree->arena) > MOST_KEPT_BYTES) {
        arena_free(v->tree->arena);
        free(v->tree);
        v->tree = NULL;
    }
    if (!v->tree) {
        v->tree = mem_alloc(sizeof *v->tree);
        v->tree->arena = arena_new();
    }
    return v->tree;
}

static void dir_cleanup(TSK_FS_DIR **dir)
{
    if (*dir)
        tsk_fs_dir_close(*dir);
}

static void file_cleanup(TSK_FS_FILE **file)
{
    if (*file)
        tsk_fs_file_close(*file);
}

static int compare_entries(const void *a, const void *b)
{
    return strcmp(((const struct tree_entry *)a)->name, ((const struct tree_entry *)b)->name);
}

/* libtsk invents some names so that its user finds everything. */
static bool is_invented(const struct volume *v, const TSK_FS_NAME *name)
{
    if (name->meta_addr == v->fs->last_inum && str_equal(name->name, "$OrphanFiles"))
        return true;
    return v->family == VOLUME_FAT &&
           (name->type == TSK_FS_NAME_TYPE_VIRT || name->type == TSK_FS_NAME_TYPE_VIRT_DIR ||
            str_ends(name->name, " (Volume Label Entry)"));
}

/* Solaris' directories have no types: what libtsk finds there is a part of something else. */
static int entry_type(const struct volume *v, const TSK_FS_NAME *name)
{
    if (v->family == VOLUME_UFS)
        return -1;
    switch (name->type) {
    case TSK_FS_NAME_TYPE_UNDEF:
        return -1;
    case TSK_FS_NAME_TYPE_REG:
        return TARGET_FILE;
    case TSK_FS_NAME_TYPE_DIR:
        return TARGET_DIR;
    case TSK_FS_NAME_TYPE_LNK:
        return TARGET_LINK;
    default:
        return TARGET_OTHER;
    }
}

static bool is_listed(const struct volume *v, const TSK_FS_NAME *name)
{
    return name && name->name && *name->name && (name->flags & TSK_FS_NAME_FLAG_ALLOC) &&
           !strchr(name->name, '/') && !str_equal(name->name, ".") &&
           !str_equal(name->name, "..") && !is_invented(v, name);
}

static bool too_many(struct error *e)
{
    error_set(e, ERR_LIMIT, "more than %d entries", TARGET_MOST_ENTRIES);
    return false;
}

/* Before it is read, as reading it is what takes long. */
static bool is_too_large(struct volume *v, uint64_t inode)
{
    CLEANUP(file_cleanup) TSK_FS_FILE *file = volume_inode(v, inode);
    if (!file || !file->meta)
        return false; /* the reading will say what is wrong */
    const TSK_FS_ATTR *index =
        v->family == VOLUME_NTFS
            ? tsk_fs_file_attr_get_type(file, (TSK_FS_ATTR_TYPE_ENUM)NTFS_INDEX_ALLOCATION, 0, 0)
            : NULL;
    return (index ? index->size : file->meta->size) > MOST_FOLDER_BYTES;
}

static bool load(struct volume *v, uint64_t inode, struct tree_dir *out, struct error *e)
{
    if (is_too_large(v, inode)) {
        error_set(e, ERR_LIMIT, "a folder larger than %d MiB", MOST_FOLDER_BYTES >> 20);
        return false;
    }
    tsk_error_reset();
    CLEANUP(dir_cleanup) TSK_FS_DIR *dir = volume_folder(v, inode);
    if (!dir)
        return volume_failed(e, _("the folder could not be read"));
    size_t names = tsk_fs_dir_getsize(dir), count = 0;
    if (names > 4 * TARGET_MOST_ENTRIES) /* deleted ones are among them */
        return too_many(e);
    struct tree_entry *entries = arena_alloc(v->tree->arena, names * sizeof *entries);
    for (size_t i = 0; i < names; i++) {
        const TSK_FS_NAME *name = tsk_fs_dir_get_name(dir, i);
        if (is_listed(v, name))
            entries[count++] = (struct tree_entry){.name = arena_strdup(v->tree->arena, name->name),
                                                   .inode = name->meta_addr,
                                                   .type = entry_type(v, name)};
    }
    if (count > TARGET_MOST_ENTRIES)
        return too_many(e);
    qsort(entries, count, sizeof *entries, compare_entries);
    size_t kept = 0;
    for (size_t i = 0; i < count; i++)
        if (!kept || !str_equal(entries[kept - 1].name, entries[i].name))
            entries[kept++] = entries[i];
    *out = (struct tree_dir){.entries = entries, .count = kept};
    return true;
}

bool tree_list(struct volume *v, uint64_t inode, const struct tree_dir **out, struct error *e)
{
    struct tree *tree = tree_of(v);
    struct kept_dir **bucket = &tree->buckets[inode % BUCKETS], *kept = *bucket;
    while (kept && kept->inode != inode)
        kept = kept->next;
    if (!kept) {
        kept = arena_alloc(tree->arena, sizeof *kept);
        kept->inode = inode;
        kept->failed = !load(v, inode, &kept->dir, &kept->error);
        kept->next = *bucket;
        *bucket = kept;
    }
    if (kept->failed) {
        *e = kept->error;
        return false;
    }
    *out = &kept->dir;
    return true;
}

static bool absent(struct error *e)
{
    error_set(e, ERR_ABSENT, "is not there");
    return false;
}

static bool lookup(struct volume *v, uint64_t dir_inode, const char *name, uint64_t *out,
                   struct error *e)
{
    const struct tree_dir *dir;
    if (!tree_list(v, dir_inode, &dir, e))
        return false;
    struct tree_entry key = {.name = name};
    const struct tree_entry *found =
        bsearch(&key, dir->entries, dir->count, sizeof key, compare_entries);
    if (!found)
        return absent(e);
    *out = found->inode;
    return true;
}

/* One walk through the tree. `rest` is what is still to be walked; links are put before it. */
struct walk {
    struct volume *v;
    uint64_t stack[MOST_DEPTH]; /* the folders from the root to here */
    size_t depth;
    unsigned links;
    char rest[MOST_WALK];
};

static bool follow_link(struct walk *w, TSK_FS_FILE *file, const char *rest, struct error *e)
{
    char link[4096], together[MOST_WALK];
    if (++w->links > MOST_LINKS) {
        error_set(e, ERR_UNREADABLE, "more than %d links on the way", MOST_LINKS);
        return false;
    }
    if (!node_readlink(w->v, file, link, sizeof link, e))
        return false;
    int n = snprintf(together, sizeof together, "%s%s", link, rest); /* rest: "" or "/..." */
    if (n < 0 || (size_t)n >= sizeof together) {
        error_set(e, ERR_LIMIT, "its links lead along a path that is too long");
        return false;
    }
    if (link[0] == '/')
        w->depth = 1;
    memcpy(w->rest, together, (size_t)n + 1);
    return true;
}

static bool open_inode(struct volume *v, uint64_t inode, TSK_FS_FILE **out, struct error *e)
{
    tsk_error_reset();
    TSK_FS_FILE *file = volume_inode(v, inode);
    if (!file || !file->meta) {
        file_cleanup(&file);
        return volume_failed(e, _("its inode could not be read"));
    }
    *out = file;
    return true;
}

/* Takes the next part. *file is set once it was the last one. */
static bool step(struct walk *w, bool follow, TSK_FS_FILE **out, struct error *e)
{
    char part[1024];
    size_t skip = strspn(w->rest, "/"), length = strcspn(w->rest + skip, "/");
    const char *rest = w->rest + skip + length;
    bool last = !rest[strspn(rest, "/")];
    if (length >= sizeof part)
        return absent(e); /* longer than any name */
    memcpy(part, w->rest + skip, length);
    part[length] = '\0';
    if (!length || str_equal(part, ".") || str_equal(part, "..")) {
        if (str_equal(part, "..") && w->depth > 1)
            w->depth--;
        if (last)
            return open_inode(w->v, w->stack[w->depth - 1], out, e);
        memmove(w->rest, rest, strlen(rest) + 1);
        return true;
    }
    uint64_t inode;
    CLEANUP(file_cleanup) TSK_FS_FILE *file = NULL;
    if (!lookup(w->v, w->stack[w->depth - 1], part, &inode, e) ||
        !open_inode(w->v, inode, &file, e))
        return false;
    int type = node_type(w->v, file);
    if (type == TARGET_LINK && (follow || !last || *rest))
        return follow_link(w, file, rest, e);
    if (last && !*rest) {
        *out = file;
        file = NULL;
        return true;
    }
    if (type != TARGET_DIR)
        return absent(e);
    if (w->depth == MOST_DEPTH) {
        error_set(e, ERR_LIMIT, "more than %d folders deep", MOST_DEPTH);
        return false;
    }
    w->stack[w->depth++] = inode;
    memmove(w->rest, rest, strlen(rest) + 1);
    return true;
}

bool tree_find(struct volume *v, const char *path, bool follow, TSK_FS_FILE **out, struct error *e)
{
    struct walk w = {.v = v, .depth = 1};
    w.stack[0] = v->fs->root_inum;
    snprintf(w.rest, sizeof w.rest, "%s", path);
    TSK_FS_FILE *file = NULL;
    while (!file)
        if (!step(&w, follow, &file, e))
            return false;
    *out = file;
    return true;
}
