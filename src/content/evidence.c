#include "content/evidence.h"

#include "base/file.h"
#include "base/str.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct piece {
    const char *name;
    uint64_t bytes;
    const struct tamper_path *known; /* NULL: no burst lists it */
    size_t age;                      /* 0 is the oldest */
    bool newest, repeated;
};

/* What it takes on the disk, with all that lies in it. */
static uint64_t size_of(int parent, const char *name, unsigned depth)
{
    struct stat st;
    if (fstatat(parent, name, &st, AT_SYMLINK_NOFOLLOW) != 0)
        return 0;
    uint64_t bytes = (uint64_t)st.st_blocks * 512;
    DIR *folder = S_ISDIR(st.st_mode) && depth < PATH_MAX / 2 ? file_list(parent, name) : NULL;
    if (!folder)
        return bytes;
    for (struct dirent *d; (d = readdir(folder));)
        if (!str_equal(d->d_name, ".") && !str_equal(d->d_name, ".."))
            bytes += size_of(dirfd(folder), d->d_name, depth + 1);
    closedir(folder);
    return bytes;
}

static int by_name(const void *a, const void *b)
{
    return strcmp(((const struct tamper_path *)a)->evidence,
                  ((const struct tamper_path *)b)->evidence);
}

/* Their names begin with the time and end with a rising number. */
static int by_age(const void *a, const void *b)
{
    return strverscmp(((const struct piece *)a)->name, ((const struct piece *)b)->name);
}

/* Of one path together, the newest first; what is not known of any path last. */
static int by_path(const void *a, const void *b)
{
    const struct piece *x = *(struct piece *const *)a, *y = *(struct piece *const *)b;
    int order =
        !x->known || !y->known ? !x->known - !y->known : strcmp(x->known->path, y->known->path);
    return order ? order : (x->age < y->age) - (x->age > y->age);
}

static int by_worth(const void *a, const void *b)
{
    const struct piece *x = *(struct piece *const *)a, *y = *(struct piece *const *)b;
    int order = x->newest - y->newest;
    if (!order)
        order = y->repeated - x->repeated;
    return order ? order : (x->age > y->age) - (x->age < y->age);
}

struct pieces {
    VEC(struct piece) list;
    uint64_t bytes;
};

static bool list_pieces(struct pieces *out, int asidefd, struct arena *arena, struct error *e)
{
    DIR *folder = file_list(asidefd, ".");
    if (!folder) {
        error_set_errno(e, errno, "listing what was put aside");
        return false;
    }
    for (struct dirent *d; (d = readdir(folder));) {
        if (!str_starts(d->d_name, "bad-"))
            continue;
        struct piece piece = {.name = arena_strdup(arena, d->d_name),
                              .bytes = size_of(asidefd, d->d_name, 0)};
        out->bytes += piece.bytes;
        VEC_PUSH(&out->list, piece);
    }
    closedir(folder);
    if (out->list.count)
        qsort(out->list.items, out->list.count, sizeof *out->list.items, by_age);
    for (size_t i = 0; i < out->list.count; i++)
        out->list.items[i].age = i;
    return true;
}

/* Says of each which path it was found at, and whether something newer was found there. */
static bool judge(struct pieces *pieces, struct piece **order, struct state *s, const char *site,
                  struct arena *arena, struct error *e)
{
    struct tamper_path *known;
    size_t known_count;
    if (!tampers_evidence(s, site, arena, &known, &known_count, e))
        return false;
    if (known_count)
        qsort(known, known_count, sizeof *known, by_name);
    for (size_t i = 0; i < pieces->list.count; i++) {
        struct piece *p = order[i] = &pieces->list.items[i];
        struct tamper_path key = {.evidence = p->name};
        p->known = known_count ? bsearch(&key, known, known_count, sizeof *known, by_name) : NULL;
    }
    qsort(order, pieces->list.count, sizeof *order, by_path);
    for (size_t i = 0; i < pieces->list.count && order[i]->known; i++) {
        const struct tamper_path *is = order[i]->known, *newer = i ? order[i - 1]->known : NULL;
        order[i]->newest = !newer || strcmp(newer->path, is->path) != 0;
        order[i]->repeated = !order[i]->newest && newer->has_sha256 && is->has_sha256 &&
                             memcmp(newer->sha256, is->sha256, sizeof is->sha256) == 0;
    }
    qsort(order, pieces->list.count, sizeof *order, by_worth);
    return true;
}

bool evidence_prune(int asidefd, struct state *s, const char *site, uint64_t most_bytes,
                    bool dry_run, uint64_t *removed, uint64_t *freed_bytes, struct error *e)
{
    CLEANUP_ARENA struct arena *arena = arena_new();
    struct pieces pieces = {0};
    *removed = *freed_bytes = 0;
    bool good = list_pieces(&pieces, asidefd, arena, e);
    if (good && pieces.bytes > most_bytes) {
        CLEANUP_FREE struct piece **order = mem_alloc(pieces.list.count * sizeof *order);
        good = judge(&pieces, order, s, site, arena, e);
        for (size_t i = 0; good && i < pieces.list.count && pieces.bytes > most_bytes; i++) {
            if (order[i]->newest)
                break;
            good = dry_run || file_remove_tree(asidefd, order[i]->name, e);
            pieces.bytes -= order[i]->bytes;
            *freed_bytes += order[i]->bytes;
            ++*removed;
        }
    }
    VEC_FREE(&pieces.list);
    return good;
}
