#include "target/ops.h"

#include "base/str.h"

#include <stdlib.h>

bool target_open_live(struct target **out, struct error *e)
{
    return root_open(out, "/", TARGET_LIVE, e);
}

bool target_open_root(struct target **out, const char *dir, struct error *e)
{
    return root_open(out, dir, TARGET_ROOT, e);
}

bool target_open_image(struct target **out, const char *file, struct error *e)
{
    return image_open(out, file, e);
}

bool target_open_text(struct target **out, const char *file, struct error *e)
{
    return text_open(out, file, e);
}

void target_close(struct target *t)
{
    if (!t)
        return;
    nocase_free(t->nocase);
    free(t->name);
    t->ops->close(t);
}

void target_cleanup(struct target **t)
{
    target_close(*t);
}

enum target_kind target_kind(const struct target *t)
{
    return t->ops->kind;
}

const char *target_name(const struct target *t)
{
    return t->name;
}

int target_rootfd(const struct target *t)
{
    return t->rootfd;
}

int target_socket(const struct target *t)
{
    return t->socket;
}

size_t target_volume_count(const struct target *t)
{
    return t->volume_count;
}

bool target_volume(const struct target *t, size_t index, struct target_volume *out)
{
    if (index >= t->volume_count)
        return false;
    *out = t->volumes[index];
    return true;
}

void target_select_volume(struct target *t, size_t index)
{
    t->volume = index;
}

/* Every failure leaves here with the path it was about. */
static bool told(bool good, const char *path, struct error *e)
{
    if (!good && e && !e->path[0])
        error_at(e, path, 0, 0);
    return good;
}

/* And no link that leads nowhere leaves here as absent. */
static bool explained(struct target *t, bool good, const char *path, struct error *e)
{
    if (!good)
        absent_explain(t, path, false, e);
    return told(good, path, e);
}

static bool unsupported(const char *why, const char *path, struct error *e)
{
    error_set(e, ERR_UNSUPPORTED, "%s", why);
    return told(false, path, e);
}

bool target_stat(struct target *t, const char *path, bool follow, struct target_stat *out,
                 struct error *e)
{
    if (!t->ops->stat)
        return unsupported(_("this kind of target has no files"), path, e);
    return explained(t, t->ops->stat(t, path, follow, out, e), path, e);
}

bool target_read(struct target *t, const char *path, size_t most, char **out, size_t *size,
                 struct error *e)
{
    if (!t->ops->read)
        return unsupported(_("this kind of target has no files"), path, e);
    return explained(t, t->ops->read(t, path, most, out, size, e), path, e);
}

bool target_read_at(struct target *t, const char *path, uint64_t offset, void *buffer, size_t count,
                    size_t *got, struct error *e)
{
    if (!t->ops->read_at)
        return unsupported(_("this kind of target has no files"), path, e);
    return explained(t, t->ops->read_at(t, path, offset, buffer, count, got, e), path, e);
}

bool target_readlink(struct target *t, const char *path, char *out, size_t size, struct error *e)
{
    if (!t->ops->readlink)
        return unsupported(_("this kind of target has no links"), path, e);
    return explained(t, t->ops->readlink(t, path, out, size, e), path, e);
}

static int compare_names(const void *a, const void *b)
{
    return strcmp(((const struct target_entry *)a)->name, ((const struct target_entry *)b)->name);
}

bool target_list(struct target *t, const char *path, struct arena *arena, struct target_entry **out,
                 size_t *count, struct error *e)
{
    if (!t->ops->list)
        return unsupported(_("this kind of target has no folders"), path, e);
    if (!t->ops->list(t, path, arena, out, count, e)) {
        absent_explain(t, path, true, e);
        return told(false, path, e);
    }
    qsort(*out, *count, sizeof **out, compare_names);
    return true;
}

/* Sorted names, and what each is: read together, so that they are sorted together. */
struct pair {
    struct target_entry entry;
    struct target_stat stat;
};

static int compare_pairs(const void *a, const void *b)
{
    return strcmp(((const struct pair *)a)->entry.name, ((const struct pair *)b)->entry.name);
}

static void sort_pairs(struct target_entry *entries, struct target_stat *stats, size_t count)
{
    CLEANUP_FREE struct pair *pairs = mem_alloc((count + 1) * sizeof *pairs);
    for (size_t i = 0; i < count; i++)
        pairs[i] = (struct pair){entries[i], stats[i]};
    qsort(pairs, count, sizeof *pairs, compare_pairs);
    for (size_t i = 0; i < count; i++) {
        entries[i] = pairs[i].entry;
        stats[i] = pairs[i].stat;
    }
}

bool target_list_stat(struct target *t, const char *path, struct arena *arena,
                      struct target_entry **out, struct target_stat **stats, size_t *count,
                      struct error *e)
{
    if (t->ops->list_stat) {
        if (!t->ops->list_stat(t, path, arena, out, stats, count, e)) {
            absent_explain(t, path, true, e);
            return told(false, path, e);
        }
        sort_pairs(*out, *stats, *count);
        return true;
    }
    if (!target_list(t, path, arena, out, count, e))
        return false;
    *stats = arena_alloc(arena, (*count + 1) * sizeof **stats);
    for (size_t i = 0; i < *count; i++) {
        const char *name =
            arena_printf(arena, "%s/%s", path[1] || *path != '/' ? path : "", (*out)[i].name);
        (*out)[i].type =
            target_stat(t, name, false, &(*stats)[i], NULL) ? (int)(*stats)[i].type : -1;
    }
    return true;
}

bool target_xattr(struct target *t, const char *path, const char *name, void *out, size_t most,
                  size_t *size, struct error *e)
{
    if (!t->ops->xattr)
        return unsupported(_("this kind of target has no extended attributes"), path, e);
    return explained(t, t->ops->xattr(t, path, name, out, most, size, e), path, e);
}

bool target_resolve_nocase(struct target *t, const char *path, struct arena *arena,
                           const char **out, struct error *e)
{
    if (!t->ops->list)
        return unsupported(_("this kind of target has no folders"), path, e);
    return told(nocase_resolve(t, path, arena, out, e), path, e);
}

bool target_security_descriptor(struct target *t, const char *path, char **out, size_t *size,
                                struct error *e)
{
    if (!t->ops->security)
        return unsupported(_("this kind of target has no security descriptors"), path, e);
    return explained(t, t->ops->security(t, path, out, size, e), path, e);
}

const char *target_text(const struct target *t, size_t *size)
{
    return text_of(t, size);
}
