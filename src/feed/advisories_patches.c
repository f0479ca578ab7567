#include "feed/advisories.h"

#include "base/str.h"
#include "feed/advisories_set.h"
#include "model/date.h"

#include <stdlib.h>
#include <strings.h>

/* One patch as one document has it. */
struct piece {
    struct advisory_patch patch;
    size_t order; /* of arrival: files in their order, documents by id */
};

static int same_server(const struct advisory_patch *a, const struct advisory_patch *b)
{
    int order = strcasecmp(a->product, b->product);
    if (!order)
        order = strcasecmp(a->platform, b->platform);
    return order ? order : strcasecmp(a->version, b->version);
}

/* By key and server; the document that was released first, first. */
static int by_key(const void *a, const void *b)
{
    const struct piece *x = a, *y = b;
    int order = strcasecmp(x->patch.key, y->patch.key);
    if (!order)
        order = same_server(&x->patch, &y->patch);
    if (!order && x->patch.released != y->patch.released)
        order = x->patch.released < y->patch.released ? -1 : 1;
    return order ? order : (x->order > y->order) - (x->order < y->order);
}

static void append(struct arena *arena, size_t *count, const char *const **list, size_t more,
                   const char *const *items)
{
    if (!more)
        return;
    const char **all = arena_alloc(arena, (*count + more) * sizeof *all);
    size_t n = *count;
    if (n)
        memcpy(all, *list, n * sizeof *all);
    for (size_t i = 0; i < more; i++) {
        bool known = false;
        for (size_t k = 0; k < n && !known; k++)
            known = str_equal_nocase(all[k], items[i]);
        if (!known)
            all[n++] = items[i];
    }
    *list = all;
    *count = n;
}

/* Edges of all documents add up; files are those of the last document that has any: a patch
 * that was rebuilt under one name is described by the later document. */
static void join(struct arena *arena, struct advisory_patch *into, const struct advisory_patch *p)
{
    append(arena, &into->supersedes_count, &into->supersedes, p->supersedes_count, p->supersedes);
    append(arena, &into->contained_count, &into->contained_in, p->contained_count, p->contained_in);
    append(arena, &into->requires_count, &into->requires, p->requires_count, p->requires);
    append(arena, &into->touches_count, &into->touches, p->touches_count, p->touches);
    if (p->file_count) {
        into->file_count = p->file_count;
        into->files = p->files;
    }
    if (into->reboot < 0)
        into->reboot = p->reboot;
    into->is_service_pack |= p->is_service_pack;
}

struct pieces {
    VEC(struct piece) list;
};

static void collect(struct advisories *set, size_t m, const struct db_entry *entry,
                    const char *product, struct pieces *pieces)
{
    const struct head *head = set_head(set, m, entry->block, entry->document);
    struct piece piece = {.order = pieces->list.count};
    if (!head || !set_is_current(set, head))
        return;
    if (!document_patch(&head->view, set->arena, entry->item, &piece.patch)) {
        db_file_note(&set->members[m].file, _("a patch does not hold together"));
        return;
    }
    if (*product && !str_equal_nocase(piece.patch.product, product))
        return;
    piece.patch.advisory_id = head->advisory.id;
    if (piece.patch.released == DATE_NONE)
        piece.patch.released = head->advisory.released;
    VEC_PUSH(&pieces->list, piece);
}

size_t advisories_patches(const struct advisories *const_set, const char *product,
                          const struct advisory_patch *const **out)
{
    struct advisories *set = (struct advisories *)const_set;
    struct pieces pieces = {0};
    if (!product)
        product = "";
    for (size_t m = 0; m < set->count; m++) {
        struct db_file *f = &set->members[m].file;
        uint64_t hash = db_hash_patch(product);
        struct db_entry entry;
        for (size_t i = *product ? db_file_find(f, DB_PATCHES, hash) : 0;
             db_file_key(f, DB_PATCHES, i, &entry) && (!*product || entry.hash == hash); i++)
            collect(set, m, &entry, product, &pieces);
    }
    if (pieces.list.count)
        qsort(pieces.list.items, pieces.list.count, sizeof *pieces.list.items, by_key);
    const struct advisory_patch **list =
        arena_alloc(set->arena, (pieces.list.count + 1) * sizeof *list);
    struct advisory_patch *last = NULL;
    size_t count = 0;
    for (size_t i = 0; i < pieces.list.count; i++) {
        const struct advisory_patch *p = &pieces.list.items[i].patch;
        if (last && str_equal_nocase(last->key, p->key) && same_server(last, p) == 0) {
            join(set->arena, last, p);
            continue;
        }
        last = arena_dup(set->arena, p, sizeof *p);
        list[count++] = last;
    }
    VEC_FREE(&pieces.list);
    *out = list;
    return count;
}

/* --- circles: Tarjan's strongly connected components, without recursion --- */

struct walk {
    const struct advisory_patch *const *patches;
    size_t count;
    size_t *index, *low; /* 0 = not seen */
    bool *on_stack, *in_circle;
    size_t *stack, stack_count;
    size_t *path, *edge, path_count; /* the walk itself: node and its next edge */
    size_t next;
};

/* The patch of this key for the same server; `count` if there is none. Patches are sorted by
 * key, so those of one key stand together. */
static size_t target_of(const struct walk *w, size_t from, const char *key)
{
    size_t low = 0, high = w->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (strcasecmp(w->patches[middle]->key, key) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    for (; low < w->count && strcasecmp(w->patches[low]->key, key) == 0; low++)
        if (same_server(w->patches[low], w->patches[from]) == 0)
            return low;
    return w->count;
}

static void enter(struct walk *w, size_t node)
{
    w->index[node] = w->low[node] = ++w->next;
    w->stack[w->stack_count++] = node;
    w->on_stack[node] = true;
    w->path[w->path_count] = node;
    w->edge[w->path_count++] = 0;
}

static void leave(struct walk *w, size_t node)
{
    w->path_count--;
    if (w->path_count) {
        size_t parent = w->path[w->path_count - 1];
        if (w->low[node] < w->low[parent])
            w->low[parent] = w->low[node];
    }
    if (w->low[node] != w->index[node])
        return;
    bool alone = w->stack[w->stack_count - 1] == node;
    size_t member;
    do {
        member = w->stack[--w->stack_count];
        w->on_stack[member] = false;
        w->in_circle[member] |= !alone;
    } while (member != node);
}

static void walk_from(struct walk *w, size_t start)
{
    enter(w, start);
    while (w->path_count) {
        size_t node = w->path[w->path_count - 1], edge = w->edge[w->path_count - 1]++;
        if (edge >= w->patches[node]->supersedes_count) {
            leave(w, node);
            continue;
        }
        size_t to = target_of(w, node, w->patches[node]->supersedes[edge]);
        if (to == w->count)
            continue;
        if (to == node)
            w->in_circle[node] = true;
        if (!w->index[to])
            enter(w, to);
        else if (w->on_stack[to] && w->index[to] < w->low[node])
            w->low[node] = w->index[to];
    }
}

size_t advisories_circles(const struct advisories *set, const char *product,
                          const char *const **out)
{
    struct walk w = {0};
    w.count = advisories_patches(set, product, &w.patches);
    CLEANUP_ARENA struct arena *arena = arena_new();
    size_t bytes = (w.count + 1) * sizeof(size_t);
    w.index = arena_alloc(arena, bytes);
    w.low = arena_alloc(arena, bytes);
    w.stack = arena_alloc(arena, bytes);
    w.path = arena_alloc(arena, bytes);
    w.edge = arena_alloc(arena, bytes);
    w.on_stack = arena_alloc(arena, w.count + 1);
    w.in_circle = arena_alloc(arena, w.count + 1);
    for (size_t i = 0; i < w.count; i++)
        if (!w.index[i])
            walk_from(&w, i);
    const char **keys = arena_alloc(set->arena, bytes);
    size_t count = 0;
    for (size_t i = 0; i < w.count; i++)
        if (w.in_circle[i] && (!count || !str_equal_nocase(keys[count - 1], w.patches[i]->key)))
            keys[count++] = w.patches[i]->key;
    *out = keys;
    return count;
}
