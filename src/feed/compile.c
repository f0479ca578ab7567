#include "feed/compile.h"

#include "base/file.h"
#include "feed/db_format.h"
#include "feed/db_writer.h"
#include "feed/document.h"
#include "model/date.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>
#include <sys/mman.h>
#include <unistd.h>

/* One document that is in; its block is in the staging file or in a file that is kept. */
struct entry {
    const char *id, *namespace;
    int64_t revised;
    const void *kept; /* NULL: in the staging file at `offset` */
    uint64_t offset;
    uint32_t size;
    bool gone;
};

struct feed {
    const char *name;
    int64_t imported, newest;
    size_t skipped, documents;
};

struct compile {
    int dirfd, staging;
    uint64_t staged;
    struct arena *arena;
    VEC(struct entry) entries;
    VEC(struct feed) feeds;
    VEC(struct advisories *) kept;
    uint32_t *slots; /* number of an entry + 1, by hash of the id */
    size_t slot_count;
    size_t gone;
};

static int temporary(int dirfd, struct error *e)
{
    char name[64];
    snprintf(name, sizeof name, ".advisories-%ld.tmp", (long)getpid());
    unlinkat(dirfd, name, 0);
    int fd = openat(dirfd, name, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd < 0)
        error_set_errno(e, errno, "making a temporary file for the advisories failed");
    else
        unlinkat(dirfd, name, 0);
    return fd;
}

bool compile_new(struct compile **out, int dirfd, struct error *e)
{
    int fd = temporary(dirfd, e);
    if (fd < 0)
        return false;
    struct compile *c = mem_alloc(sizeof *c);
    c->dirfd = dirfd;
    c->staging = fd;
    c->arena = arena_new();
    *out = c;
    return true;
}

void compile_free(struct compile *c)
{
    if (!c)
        return;
    for (size_t i = 0; i < c->kept.count; i++)
        advisories_close(c->kept.items[i]);
    VEC_FREE(&c->kept);
    VEC_FREE(&c->entries);
    VEC_FREE(&c->feeds);
    free(c->slots);
    close(c->staging);
    arena_free(c->arena);
    free(c);
}

void compile_cleanup(struct compile **c)
{
    compile_free(*c);
}

size_t compile_count(const struct compile *c)
{
    return c->entries.count - c->gone;
}

/* --- which documents are in --- */

static size_t slot_of(const struct compile *c, const char *id, const char *namespace)
{
    size_t at = db_hash_id(id) & (c->slot_count - 1);
    for (; c->slots[at]; at = (at + 1) & (c->slot_count - 1)) {
        const struct entry *entry = &c->entries.items[c->slots[at] - 1];
        if (str_equal_nocase(entry->id, id) && str_equal_nocase(entry->namespace, namespace))
            break;
    }
    return at;
}

static void grow(struct compile *c)
{
    free(c->slots);
    c->slot_count = c->slot_count ? c->slot_count * 2 : 256;
    c->slots = mem_alloc(c->slot_count * sizeof *c->slots);
    for (size_t i = 0; i < c->entries.count; i++)
        c->slots[slot_of(c, c->entries.items[i].id, c->entries.items[i].namespace)] =
            (uint32_t)i + 1;
}

static bool stage(struct compile *c, struct entry *entry, const void *bytes, struct error *e)
{
    const char *p = bytes;
    size_t left = entry->size;
    entry->offset = c->staged;
    while (left) {
        ssize_t n = pwrite(c->staging, p, left, (off_t)c->staged);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0) {
            error_set_errno(e, errno, "writing a temporary file for the advisories failed");
            return false;
        }
        p += n;
        left -= (size_t)n;
        c->staged += (uint64_t)n;
    }
    return true;
}

static bool same_bytes(const struct compile *c, const struct entry *entry, const void *bytes,
                       size_t size)
{
    if (entry->size != size)
        return false;
    if (entry->kept)
        return memcmp(entry->kept, bytes, size) == 0;
    CLEANUP_FREE char *old = mem_alloc(size);
    return pread(c->staging, old, size, (off_t)entry->offset) == (ssize_t)size &&
           memcmp(old, bytes, size) == 0;
}

/* A withdrawal names only an id, so all publishers' documents of that id go. */
static void withdraw(struct compile *c, const char *id)
{
    for (size_t at = db_hash_id(id) & (c->slot_count - 1); c->slot_count && c->slots[at];
         at = (at + 1) & (c->slot_count - 1)) {
        struct entry *entry = &c->entries.items[c->slots[at] - 1];
        if (str_equal_nocase(entry->id, id) && !entry->gone) {
            entry->gone = true;
            c->gone++;
        }
    }
}

static bool add(struct compile *c, const struct advisory *head, const void *bytes, size_t size,
                bool kept, enum compile_outcome *outcome, struct error *e)
{
    if (c->entries.count * 2 >= c->slot_count)
        grow(c);
    struct entry fresh = {
        .revised = head->revised, .size = (uint32_t)size, .kept = kept ? bytes : NULL};
    size_t at = slot_of(c, head->id, head->publisher_namespace);
    struct entry *old = c->slots[at] ? &c->entries.items[c->slots[at] - 1] : NULL;
    *outcome = old && !old->gone ? COMPILE_REPLACED : COMPILE_ADDED;
    if (old && !old->gone && old->revised > head->revised) {
        *outcome = COMPILE_OLDER;
        return true;
    }
    if (old && !old->gone && same_bytes(c, old, bytes, size)) {
        *outcome = COMPILE_UNCHANGED;
        return true;
    }
    if (c->entries.count >= UINT32_MAX / 2) {
        error_set(e, ERR_LIMIT, "there are too many documents");
        return false;
    }
    if (!kept && !stage(c, &fresh, bytes, e))
        return false;
    if (old) {
        c->gone -= old->gone;
        fresh.id = old->id;
        fresh.namespace = old->namespace;
        *old = fresh;
        return true;
    }
    fresh.id = arena_strdup(c->arena, head->id);
    fresh.namespace = arena_strdup(c->arena, head->publisher_namespace);
    VEC_PUSH(&c->entries, fresh);
    c->slots[at] = (uint32_t)c->entries.count;
    return true;
}

bool compile_add(struct compile *c, const void *block, size_t size, enum compile_outcome *outcome,
                 struct error *e)
{
    struct document_view view;
    struct advisory head;
    bool deleted;
    if (!document_view(&view, block, size) || !document_check(&view) ||
        !document_head(&view, &head, &deleted)) {
        error_set(e, ERR_CORRUPT, "a packed document does not hold together");
        return false;
    }
    if (deleted) {
        withdraw(c, head.id);
        *outcome = COMPILE_WITHDRAWN;
        return true;
    }
    return add(c, &head, block, size, false, outcome, e);
}

static struct feed *feed_of(struct compile *c, const char *name)
{
    for (size_t i = 0; i < c->feeds.count; i++)
        if (str_equal(c->feeds.items[i].name, name))
            return &c->feeds.items[i];
    struct feed fresh = {
        .name = arena_strdup(c->arena, name), .imported = DATE_NONE, .newest = DATE_NONE};
    VEC_PUSH(&c->feeds, fresh);
    return &c->feeds.items[c->feeds.count - 1];
}

void compile_feed(struct compile *c, const char *name, int64_t imported, size_t skipped)
{
    struct feed *feed = feed_of(c, name);
    feed->imported = imported;
    feed->skipped = skipped;
}

bool compile_keep(struct compile *c, const char *path, const char *without, size_t *left,
                  struct error *e)
{
    size_t left_behind = 0;
    struct advisories *set;
    const char *const paths[] = {path};
    if (!advisories_open(&set, paths, 1, NULL, e))
        return false;
    VEC_PUSH(&c->kept, set);
    const struct advisory_feed *feeds;
    size_t feed_count = advisories_feeds(set, &feeds);
    for (size_t i = 0; i < feed_count; i++)
        if (!without || !str_equal(feeds[i].name, without))
            compile_feed(c, feeds[i].name, feeds[i].imported, feeds[i].skipped);
    for (size_t i = 0; i < advisories_count(set); i++) {
        const struct advisory *a = advisories_at(set, i);
        const void *bytes;
        size_t size;
        enum compile_outcome outcome;
        if (a && without && str_equal(a->feed, without)) {
            left_behind++;
            continue;
        }
        if (a && advisories_block(set, a, &bytes, &size) &&
            !add(c, a, bytes, size, true, &outcome, e))
            return false;
    }
    if (left)
        *left = left_behind;
    return !advisories_damage(set, e);
}

/* --- writing --- */

static int by_id(const void *a, const void *b)
{
    const struct entry *const *x = a, *const *y = b;
    int order = strcasecmp((*x)->id, (*y)->id);
    return order ? order : strcasecmp((*x)->namespace, (*y)->namespace);
}

struct indexes {
    VEC(struct db_key) ids, cases, patches;
    VEC(const char *) wants; /* malloc blocks */
};

static void indexes_free(struct indexes *in)
{
    VEC_FREE(&in->ids);
    VEC_FREE(&in->cases);
    VEC_FREE(&in->patches);
    for (size_t i = 0; i < in->wants.count; i++)
        free((char *)in->wants.items[i]);
    VEC_FREE(&in->wants);
}

static void add_want(struct indexes *in, const struct advisory_file *files, size_t count,
                     const char **last)
{
    for (size_t i = 0; i < count; i++) {
        if (*last && str_equal_nocase(*last, files[i].path))
            continue; /* the same file again and again: sorted out for good later */
        CLEANUP_STR struct str want = {0};
        str_printf(&want, "file-version:%s", files[i].path);
        VEC_PUSH(&in->wants, mem_strdup(str_text(&want)));
        *last = files[i].path;
    }
}

static bool index_block(struct compile *c, struct indexes *in, const void *block, size_t size,
                        uint64_t place, uint32_t number)
{
    struct document_view view;
    struct advisory head;
    if (!document_view(&view, block, size) || !document_head(&view, &head, NULL))
        return false;
    CLEANUP_ARENA struct arena *arena = arena_new();
    const char *last = NULL;
    struct db_key key = {db_hash_id(head.id), place, number, 0};
    VEC_PUSH(&in->ids, key);
    for (uint32_t i = 0; i < view.cases; i++) {
        struct advisory_case one;
        if (!document_case(&view, arena, i, &one))
            return false;
        key = (struct db_key){db_hash_case(one.kind, one.product, one.name), place, number, i};
        VEC_PUSH(&in->cases, key);
        if (one.kind == CASE_PRODUCT)
            add_want(in, one.files, one.file_count, &last);
    }
    for (uint32_t i = 0; i < view.patches; i++) {
        struct advisory_patch one;
        if (!document_patch(&view, arena, i, &one))
            return false;
        key = (struct db_key){db_hash_patch(one.product), place, number, i};
        VEC_PUSH(&in->patches, key);
        add_want(in, one.files, one.file_count, &last);
    }
    struct feed *feed = feed_of(c, head.feed);
    feed->documents++;
    if (head.revised > feed->newest)
        feed->newest = head.revised;
    return true;
}

static int by_key(const void *a, const void *b)
{
    const struct db_key *x = a, *y = b;
    if (x->hash != y->hash)
        return x->hash < y->hash ? -1 : 1;
    if (x->document != y->document)
        return x->document < y->document ? -1 : 1;
    return (x->item > y->item) - (x->item < y->item);
}

static int by_text(const void *a, const void *b)
{
    return strcasecmp(*(const char *const *)a, *(const char *const *)b);
}

static void write_keys(struct db_writer *w, enum db_section section, struct db_key *keys,
                       size_t count)
{
    if (count)
        qsort(keys, count, sizeof *keys, by_key);
    db_writer_begin(w, section);
    for (size_t i = 0; i < count; i++)
        db_writer_key(w, &keys[i]);
}

static void write_wants(struct db_writer *w, const char **wants, size_t count)
{
    size_t unique = 0;
    if (count)
        qsort(wants, count, sizeof *wants, by_text);
    CLEANUP_STR struct str offsets = {0}, texts = {0};
    for (size_t i = 0; i < count; i++) {
        if (i && strcasecmp(wants[i], wants[i - 1]) == 0)
            continue;
        bytes_put_u32le(&offsets, (uint32_t)texts.length);
        str_add_bytes(&texts, wants[i], strlen(wants[i]) + 1);
        unique++;
    }
    bytes_put_u32le(&offsets, (uint32_t)texts.length);
    CLEANUP_STR struct str section = {0};
    bytes_put_u32le(&section, (uint32_t)unique);
    struct bytes relative = bytes_of(offsets.data, offsets.length);
    for (size_t i = 0; i <= unique; i++)
        bytes_put_u32le(&section, bytes_u32le(&relative) + 4 + (uint32_t)offsets.length);
    str_add_bytes(&section, str_text(&texts), texts.length);
    db_writer_begin(w, DB_WANTS);
    db_writer_add(w, section.data, section.length);
}

static void write_feeds(const struct compile *c, struct db_writer *w)
{
    CLEANUP_STR struct str section = {0}, records = {0};
    uint32_t count = 0;
    for (size_t i = 0; i < c->feeds.count; i++) {
        const struct feed *f = &c->feeds.items[i];
        if (!f->documents)
            continue;
        bytes_put_string(&records, f->name);
        bytes_put_u64le(&records, (uint64_t)(f->imported == DATE_NONE ? f->newest : f->imported));
        bytes_put_u64le(&records, (uint64_t)f->newest);
        bytes_put_u32le(&records, (uint32_t)f->documents);
        bytes_put_u32le(&records, (uint32_t)f->skipped);
        count++;
    }
    bytes_put_u32le(&section, count);
    str_add_bytes(&section, str_text(&records), records.length);
    db_writer_begin(w, DB_FEEDS);
    db_writer_add(w, section.data, section.length);
}

static bool write_all(struct compile *c, struct db_writer *w, struct entry **sorted, size_t count,
                      const char *staged, struct error *e)
{
    CLEANUP(indexes_free) struct indexes in = {0};
    CLEANUP_STR struct str documents = {0};
    db_writer_begin(w, DB_BLOCKS);
    for (size_t i = 0; i < count; i++) {
        const void *block = sorted[i]->kept ? sorted[i]->kept : staged + sorted[i]->offset;
        uint64_t place = db_writer_position(w);
        bytes_put_u64le(&documents, place);
        bytes_put_u32le(&documents, sorted[i]->size);
        bytes_put_u32le(&documents, 0);
        if (!index_block(c, &in, block, sorted[i]->size, place, (uint32_t)i)) {
            error_set(e, ERR_CORRUPT, "the packed document %s does not hold together",
                      sorted[i]->id);
            return false;
        }
        db_writer_add(w, block, sorted[i]->size);
    }
    db_writer_begin(w, DB_DOCUMENTS);
    db_writer_add(w, str_text(&documents), documents.length);
    write_keys(w, DB_IDS, in.ids.items, in.ids.count);
    write_keys(w, DB_CASES, in.cases.items, in.cases.count);
    write_keys(w, DB_PATCHES, in.patches.items, in.patches.count);
    write_wants(w, in.wants.items, in.wants.count);
    write_feeds(c, w);
    return db_writer_finish(w, (uint32_t)count, e);
}

bool compile_write(struct compile *c, const char *name, struct error *e)
{
    size_t count = 0;
    CLEANUP_FREE struct entry **sorted = mem_alloc((c->entries.count + 1) * sizeof *sorted);
    for (size_t i = 0; i < c->entries.count; i++)
        if (!c->entries.items[i].gone)
            sorted[count++] = &c->entries.items[i];
    qsort(sorted, count, sizeof *sorted, by_id);
    for (size_t i = 0; i < c->feeds.count; i++) {
        c->feeds.items[i].documents = 0;
        c->feeds.items[i].newest = DATE_NONE;
    }
    CLEANUP_CLOSE int fd = temporary(c->dirfd, e);
    if (fd < 0)
        return false;
    void *staged = c->staged ? mmap(NULL, c->staged, PROT_READ, MAP_SHARED, c->staging, 0) : NULL;
    if (staged == MAP_FAILED) {
        error_set_errno(e, errno, "mapping a temporary file failed");
        return false;
    }
    struct db_writer *w = db_writer_new(fd);
    bool good = write_all(c, w, sorted, count, staged, e);
    uint64_t size = db_writer_position(w);
    db_writer_free(w);
    if (staged)
        munmap(staged, c->staged);
    if (!good)
        return false;
    void *all = mmap(NULL, size, PROT_READ, MAP_SHARED, fd, 0);
    if (all == MAP_FAILED) {
        error_set_errno(e, errno, "mapping a temporary file failed");
        return false;
    }
    good = file_replace(c->dirfd, name, all, size, 0644, e);
    munmap(all, size);
    return good;
}
