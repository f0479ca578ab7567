#include "content/text_diff.h"

#include "base/mem.h"

#include <stdlib.h>
#include <string.h>

enum { MOST_EDITS = 1000, BINARY_WINDOW = 8000 };

struct line {
    const char *bytes;
    size_t size; /* the newline included, where there is one */
};

struct text {
    VEC(struct line) lines;
};

/* A run of lines: `removed` of the old text at old_at, `added` of the new at new_at. */
struct edit {
    size_t old_at, removed, new_at, added;
};

bool text_is_binary(const void *bytes, size_t size)
{
    return size && memchr(bytes, 0, size < BINARY_WINDOW ? size : BINARY_WINDOW);
}

static void split(struct text *t, const char *bytes, size_t size)
{
    while (size) {
        const char *end = memchr(bytes, '\n', size);
        size_t length = end ? (size_t)(end - bytes) + 1 : size;
        VEC_PUSH(&t->lines, ((struct line){bytes, length}));
        bytes += length;
        size -= length;
    }
}

static bool same(const struct line *a, const struct line *b)
{
    return a->size == b->size && memcmp(a->bytes, b->bytes, a->size) == 0;
}

typedef VEC(struct edit) edits;

static void add_edit(edits *list, size_t old_at, size_t removed, size_t new_at, size_t added)
{
    struct edit *last = list->count ? &list->items[list->count - 1] : NULL;
    if (last && last->old_at + last->removed == old_at && last->new_at + last->added == new_at) {
        last->removed += removed;
        last->added += added;
        return;
    }
    VEC_PUSH(list, ((struct edit){old_at, removed, new_at, added}));
}

/* Myers' greedy search; the furthest points of every round are kept to walk back. Lines are
 * a[0..n), b[0..m). False if more than MOST_EDITS are needed. */
static bool search(edits *found, const struct line *a, size_t n, const struct line *b, size_t m,
                   size_t offset)
{
    size_t most = n + m < MOST_EDITS ? n + m : MOST_EDITS;
    size_t width = 2 * most + 3;
    CLEANUP_FREE long *v = mem_alloc(width * sizeof *v);
    VEC(long *) rounds = {0};
    long middle = (long)most + 1;
    bool done = false;
    for (long d = 0; !done && d <= (long)most; d++) {
        VEC_PUSH(&rounds, mem_dup(v, width * sizeof *v));
        for (long k = -d; !done && k <= d; k += 2) {
            bool down = k == -d || (k != d && v[middle + k - 1] < v[middle + k + 1]);
            long x = down ? v[middle + k + 1] : v[middle + k - 1] + 1;
            long y = x - k;
            while (x < (long)n && y >= 0 && y < (long)m && same(&a[x], &b[y])) {
                x++;
                y++;
            }
            v[middle + k] = x;
            done = x >= (long)n && y >= (long)m;
        }
    }
    VEC(struct edit) backwards = {0};
    long x = (long)n, y = (long)m;
    for (long d = (long)rounds.count - 1; done && d > 0; d--) {
        const long *before = rounds.items[d];
        long k = x - y;
        bool down = k == -d || (k != d && before[middle + k - 1] < before[middle + k + 1]);
        long from_k = down ? k + 1 : k - 1, from_x = before[middle + from_k];
        long from_y = from_x - from_k;
        struct edit one = {.old_at = (size_t)from_x, .new_at = (size_t)from_y};
        one.removed = !down;
        one.added = down;
        VEC_PUSH(&backwards, one);
        x = from_x;
        y = from_y;
    }
    for (size_t i = backwards.count; i-- > 0;) {
        const struct edit *e = &backwards.items[i];
        add_edit(found, e->old_at + offset, e->removed, e->new_at + offset, e->added);
    }
    VEC_FREE(&backwards);
    for (size_t i = 0; i < rounds.count; i++)
        free(rounds.items[i]);
    VEC_FREE(&rounds);
    return done;
}

static void put_line(struct str *out, char mark, const struct line *line)
{
    str_add_char(out, mark);
    str_add_bytes(out, line->bytes, line->size);
    if (!line->size || line->bytes[line->size - 1] != '\n')
        str_add(out, "\n\\ No newline at end of file\n");
}

/* Edits first..last, whose context touches, as one hunk. */
static void put_hunk(struct str *out, const struct text *old, const struct text *new,
                     const struct edit *first, const struct edit *last, unsigned context)
{
    size_t from = first->old_at > context ? first->old_at - context : 0;
    size_t lead = first->old_at - from;
    size_t end = last->old_at + last->removed;
    size_t tail = old->lines.count - end < context ? old->lines.count - end : context;
    size_t new_from = first->new_at - lead;
    size_t old_count = end + tail - from;
    size_t new_count = last->new_at + last->added + tail - new_from;
    str_printf(out, "@@ -%zu,%zu +%zu,%zu @@\n", old_count ? from + 1 : from, old_count,
               new_count ? new_from + 1 : new_from, new_count);
    size_t at = from;
    for (const struct edit *e = first; e <= last; e++) {
        while (at < e->old_at)
            put_line(out, ' ', &old->lines.items[at++]);
        for (size_t i = 0; i < e->removed; i++)
            put_line(out, '-', &old->lines.items[at++]);
        for (size_t i = 0; i < e->added; i++)
            put_line(out, '+', &new->lines.items[e->new_at + i]);
    }
    while (at < end + tail)
        put_line(out, ' ', &old->lines.items[at++]);
}

void text_diff(struct str *out, const char *old_bytes, size_t old_size, const char *new_bytes,
               size_t new_size, unsigned context)
{
    struct text old = {0}, new = {0};
    split(&old, old_bytes, old_size);
    split(&new, new_bytes, new_size);
    size_t head = 0, n = old.lines.count, m = new.lines.count;
    while (head < n && head < m && same(&old.lines.items[head], &new.lines.items[head]))
        head++;
    while (n > head && m > head && same(&old.lines.items[n - 1], &new.lines.items[m - 1])) {
        n--;
        m--;
    }
    edits found = {0};
    if ((n > head || m > head) &&
        !search(&found, old.lines.items + head, n - head, new.lines.items + head, m - head, head)) {
        found.count = 0;
        add_edit(&found, head, n - head, head, m - head);
    }
    for (size_t i = 0; i < found.count;) {
        size_t last = i;
        while (last + 1 < found.count &&
               found.items[last + 1].old_at <=
                   found.items[last].old_at + found.items[last].removed + 2 * (size_t)context)
            last++;
        put_hunk(out, &old, &new, &found.items[i], &found.items[last], context);
        i = last + 1;
    }
    VEC_FREE(&found);
    VEC_FREE(&old.lines);
    VEC_FREE(&new.lines);
}
