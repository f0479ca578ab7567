/* ops.h - what each kind of target brings to target.h; seen only within this folder.
 *
 * Every kind embeds `struct target` as its first member and sets `ops` and `name`. An
 * operation that is NULL is ERR_UNSUPPORTED. Paths arrive as the collector gave them, may
 * lack the leading '/', and are never NULL. Errors need no path: target.c puts it in. */
#ifndef YAGURA_TARGET_OPS_H
#define YAGURA_TARGET_OPS_H

#include "target/target.h"

struct target_ops {
    enum target_kind kind;
    void (*close)(struct target *t);
    bool (*stat)(struct target *t, const char *path, bool follow, struct target_stat *out,
                 struct error *e);
    bool (*read)(struct target *t, const char *path, size_t most, char **out, size_t *size,
                 struct error *e);
    bool (*read_at)(struct target *t, const char *path, uint64_t offset, void *buffer, size_t count,
                    size_t *got, struct error *e);
    bool (*readlink)(struct target *t, const char *path, char *out, size_t size, struct error *e);
    /* unsorted; target.c sorts */
    bool (*list)(struct target *t, const char *path, struct arena *arena, struct target_entry **out,
                 size_t *count, struct error *e);
    /* NULL: each name is asked for by itself */
    bool (*list_stat)(struct target *t, const char *path, struct arena *arena,
                      struct target_entry **out, struct target_stat **stats, size_t *count,
                      struct error *e);
    bool (*xattr)(struct target *t, const char *path, const char *name, void *out, size_t most,
                  size_t *size, struct error *e);
    bool (*security)(struct target *t, const char *path, char **out, size_t *size, struct error *e);
};

struct nocase;

struct target {
    const struct target_ops *ops;
    char *name;
    int rootfd, socket; /* -1 where there is none */
    const struct target_volume *volumes;
    size_t volume_count, volume;
    struct nocase *nocase; /* listings that were fetched for target_resolve_nocase() */
};

/* A walk has no use for the names of a folder that is not listed to its end: more for it. */
enum { TARGET_MOST_ENTRIES = 100 * 1000, TARGET_MOST_STATS = 1000 * 1000 };

bool root_open(struct target **out, const char *dir, enum target_kind kind, struct error *e);
bool image_open(struct target **out, const char *file, struct error *e);
bool text_open(struct target **out, const char *file, struct error *e);
const char *text_of(const struct target *t, size_t *size);

/* absent.c: makes ERR_ABSENT ERR_UNREADABLE where the name is there and leads nowhere (or is
 * no folder where `folder` is wanted). Every other error stays; `e` may be NULL. */
void absent_explain(struct target *t, const char *path, bool folder, struct error *e);

/* nocase.c: names found without regard to ASCII case. */
bool nocase_resolve(struct target *t, const char *path, struct arena *arena, const char **out,
                    struct error *e);
void nocase_free(struct nocase *n);

#endif
