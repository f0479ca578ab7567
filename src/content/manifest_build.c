#include "content/manifest_build.h"

#include "base/mem.h"
#include "content/manifest_format.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* The content of one directory, packed: records whose `name` and `extra` are offsets into the
 * bytes behind them, `parent` the number of a directory's content. */
struct block {
    struct manifest_record *records;
    uint8_t *bytes;
    uint32_t count;
};

struct build {
    pthread_mutex_t lock;
    VEC(struct block) blocks;
    struct block root;
    uint64_t entries, names, extras;
};

static void pack(struct block *block, const struct manifest_entry *entries, size_t count,
                 uint64_t *names, uint64_t *extras)
{
    size_t size = 0;
    for (size_t i = 0; i < count; i++) {
        size += entries[i].name_length;
        *names += entries[i].name_length;
        size_t extra = entries[i].target_size + entries[i].xattrs_size;
        if (extra) {
            size += 8 + extra;
            *extras += 8 + extra;
        }
    }
    block->count = (uint32_t)count;
    block->records = count ? mem_alloc(count * sizeof *block->records) : NULL;
    block->bytes = size ? mem_alloc(size) : NULL;
    size_t at = 0;
    for (size_t i = 0; i < count; i++) {
        const struct manifest_entry *entry = &entries[i];
        struct manifest_record *r = &block->records[i];
        *r = (struct manifest_record){
            .size = S_ISREG(entry->mode) || S_ISLNK(entry->mode) ? entry->size : 0,
            .mtime_ns = entry->mtime_ns,
            .uid = entry->uid,
            .gid = entry->gid,
            .name = (uint32_t)at,
            .parent = entry->first_child,
            .mode = (uint16_t)entry->mode,
            .name_length = (uint16_t)entry->name_length,
        };
        if (entry->sha256)
            memcpy(r->sha256, entry->sha256, sizeof r->sha256);
        if (entry->name_length)
            memcpy(block->bytes + at, entry->name, entry->name_length);
        at += entry->name_length;
        if (entry->target_size + entry->xattrs_size == 0)
            continue;
        r->extra = (uint32_t)at + 1;
        uint32_t sizes[2] = {(uint32_t)entry->target_size, (uint32_t)entry->xattrs_size};
        memcpy(block->bytes + at, sizes, sizeof sizes);
        at += sizeof sizes;
        if (sizes[0])
            memcpy(block->bytes + at, entry->target, sizes[0]);
        at += sizes[0];
        if (sizes[1])
            memcpy(block->bytes + at, entry->xattrs, sizes[1]);
        at += sizes[1];
    }
}

static void block_clear(struct block *block)
{
    free(block->records);
    free(block->bytes);
    *block = (struct block){0};
}

struct build *build_new(void)
{
    struct build *b = mem_alloc(sizeof *b);
    pthread_mutex_init(&b->lock, NULL);
    build_new_dir(b);
    return b;
}

static void clear(struct build *b)
{
    for (size_t i = 0; i < b->blocks.count; i++)
        block_clear(&b->blocks.items[i]);
    VEC_FREE(&b->blocks);
    block_clear(&b->root);
    b->entries = b->names = b->extras = 0;
}

void build_free(struct build *b)
{
    if (!b)
        return;
    clear(b);
    pthread_mutex_destroy(&b->lock);
    free(b);
}

void build_cleanup(struct build **b)
{
    build_free(*b);
}

uint32_t build_new_dir(struct build *b)
{
    pthread_mutex_lock(&b->lock);
    uint32_t number = (uint32_t)b->blocks.count;
    VEC_PUSH(&b->blocks, ((struct block){0}));
    pthread_mutex_unlock(&b->lock);
    return number;
}

void build_root(struct build *b, const struct manifest_entry *root)
{
    struct manifest_entry nameless = *root;
    nameless.name_length = 0;
    nameless.first_child = 0;
    struct block block;
    uint64_t names = 0, extras = 0;
    pack(&block, &nameless, 1, &names, &extras);
    pthread_mutex_lock(&b->lock);
    block_clear(&b->root);
    b->root = block;
    b->entries += 1;
    b->extras += extras;
    pthread_mutex_unlock(&b->lock);
}

bool build_add(struct build *b, uint32_t number, const struct manifest_entry *entries, size_t count,
               struct error *e)
{
    struct block block;
    uint64_t names = 0, extras = 0;
    pack(&block, entries, count, &names, &extras);

    pthread_mutex_lock(&b->lock);
    b->entries += count;
    b->names += names;
    b->extras += extras;
    bool fits = b->entries < MANIFEST_NONE && b->names < UINT32_MAX && b->extras < UINT32_MAX;
    if (fits) {
        block_clear(&b->blocks.items[number]);
        b->blocks.items[number] = block;
    }
    pthread_mutex_unlock(&b->lock);
    if (!fits) {
        block_clear(&block);
        error_set(e, ERR_LIMIT,
                  "a manifest holds at most 4,294,967,294 entries and 4 GiB of names");
    }
    return fits;
}

void build_entry_of_walk(struct manifest_entry *out, const struct walk_entry *seen,
                         uint32_t dir_number)
{
    *out = (struct manifest_entry){
        .name = seen->name,
        .name_length = seen->name_length,
        .mode = seen->st.st_mode,
        .uid = seen->st.st_uid,
        .gid = seen->st.st_gid,
        .size = (uint64_t)seen->st.st_size,
        .mtime_ns = (int64_t)seen->st.st_mtim.tv_sec * 1000000000 + seen->st.st_mtim.tv_nsec,
        .sha256 = seen->hashed ? seen->sha256 : NULL,
        .target = seen->target,
        .target_size = seen->target ? strlen(seen->target) : 0,
        .xattrs = seen->xattr_bytes,
        .xattrs_size = seen->xattr_size,
        .first_child = dir_number,
    };
}

bool build_copy(struct build *b, struct manifest_entry *out, const struct manifest *m,
                uint32_t index, struct error *e)
{
    struct pair {
        uint32_t directory, number;
    };
    VEC(struct pair) waiting = {0};
    bool good = true;
    manifest_entry(m, index, out);
    if (S_ISDIR(out->mode)) {
        struct pair first = {index, build_new_dir(b)};
        out->first_child = first.number;
        VEC_PUSH(&waiting, first);
    }
    while (good && waiting.count) {
        struct pair at = waiting.items[--waiting.count];
        struct manifest_entry directory;
        manifest_entry(m, at.directory, &directory);
        if (!directory.child_count)
            continue;
        CLEANUP_FREE struct manifest_entry *children =
            mem_alloc(directory.child_count * sizeof *children);
        for (uint32_t c = 0; c < directory.child_count; c++) {
            manifest_entry(m, directory.first_child + c, &children[c]);
            if (!S_ISDIR(children[c].mode))
                continue;
            struct pair below = {directory.first_child + c, build_new_dir(b)};
            children[c].first_child = below.number;
            VEC_PUSH(&waiting, below);
        }
        good = build_add(b, at.number, children, directory.child_count, e);
    }
    VEC_FREE(&waiting);
    return good;
}

/* One of the three parts of the file, written through a buffer at its own offset. */
struct part {
    int fd;
    off_t offset;
    size_t used;
    uint64_t total;
    uint8_t buffer[65536];
};

static bool part_flush(struct part *p, struct error *e)
{
    for (size_t done = 0; done < p->used;) {
        ssize_t n = pwrite(p->fd, p->buffer + done, p->used - done, p->offset);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0) {
            error_set_errno(e, n < 0 ? errno : EIO, "writing the manifest");
            return false;
        }
        done += (size_t)n;
        p->offset += n;
    }
    p->used = 0;
    return true;
}

static bool part_add(struct part *p, const void *bytes, size_t size, struct error *e)
{
    const uint8_t *from = bytes;
    p->total += size;
    while (size) {
        size_t n = sizeof p->buffer - p->used < size ? sizeof p->buffer - p->used : size;
        memcpy(p->buffer + p->used, from, n);
        p->used += n;
        from += n;
        size -= n;
        if (p->used == sizeof p->buffer && !part_flush(p, e))
            return false;
    }
    return true;
}

struct output {
    struct part records, names, extras;
};

/* The directories whose content is still to be written, in the order of their entries. */
struct queue {
    VEC(uint32_t) numbers; /* of the content */
    VEC(uint32_t) entries; /* of the directory in the file */
};

static bool write_block(struct build *b, struct output *out, const struct block *block,
                        uint32_t parent, uint32_t *next_entry, uint32_t *next_child,
                        struct queue *queue, struct error *e)
{
    for (uint32_t i = 0; i < block->count; i++) {
        struct manifest_record r = block->records[i];
        const uint8_t *name = r.name_length ? block->bytes + r.name : (const uint8_t *)"";
        uint32_t number = r.parent;
        r.name = (uint32_t)out->names.total;
        r.parent = parent;
        if (!part_add(&out->names, name, r.name_length, e))
            return false;
        if (r.extra) {
            uint32_t sizes[2];
            const uint8_t *extra = block->bytes + r.extra - 1;
            memcpy(sizes, extra, sizeof sizes);
            r.extra = (uint32_t)out->extras.total + 1;
            if (!part_add(&out->extras, extra, sizeof sizes + sizes[0] + sizes[1], e))
                return false;
        }
        if (S_ISDIR(r.mode)) {
            uint32_t children = b->blocks.items[number].count;
            r.size = children ? *next_child | (uint64_t)children << 32 : 0;
            *next_child += children;
            if (children) {
                VEC_PUSH(&queue->numbers, number);
                VEC_PUSH(&queue->entries, *next_entry);
            }
        }
        if (!part_add(&out->records, &r, sizeof r, e))
            return false;
        *next_entry += 1;
    }
    return true;
}

static bool write_all(struct build *b, struct output *out, struct queue *queue, struct error *e)
{
    uint32_t next_entry = 0, next_child = 1;
    if (!write_block(b, out, &b->root, 0, &next_entry, &next_child, queue, e))
        return false;
    for (size_t i = 0; i < queue->numbers.count; i++) {
        struct block *block = &b->blocks.items[queue->numbers.items[i]];
        if (!write_block(b, out, block, queue->entries.items[i], &next_entry, &next_child, queue,
                         e))
            return false;
        block_clear(block);
    }
    if (next_entry != b->entries) { /* the caller left out a directory that it had given */
        error_set(e, ERR_CORRUPT, "the manifest would have entries that belong to no directory");
        return false;
    }
    return part_flush(&out->records, e) && part_flush(&out->names, e) &&
           part_flush(&out->extras, e);
}

bool build_write(struct build *b, int fd, const char *site, uint64_t generation, int64_t made_ns,
                 const uint8_t *previous, struct error *e)
{
    struct manifest_header h = {
        .magic = {'Y', 'A', 'G', 'U', 'R', 'A', 'M', '1'},
        .version = MANIFEST_VERSION,
        .count = (uint32_t)b->entries,
        .generation = generation,
        .made_ns = made_ns,
        .names_size = b->names,
        .extras_size = b->extras,
    };
    size_t length = strlen(site);
    if (!length || length >= sizeof h.site) {
        error_set(e, ERR_USAGE, "the name of a site has 1 to %zu bytes", sizeof h.site - 1);
        return false;
    }
    memcpy(h.site, site, length);
    if (previous)
        memcpy(h.previous, previous, sizeof h.previous);
    h.names_offset = sizeof h + b->entries * sizeof(struct manifest_record);
    h.extras_offset = h.names_offset + h.names_size;

    CLEANUP_FREE struct output *out = mem_alloc(sizeof *out);
    out->records = (struct part){.fd = fd, .offset = sizeof h};
    out->names = (struct part){.fd = fd, .offset = (off_t)h.names_offset};
    out->extras = (struct part){.fd = fd, .offset = (off_t)h.extras_offset};
    struct queue queue = {0};
    bool good = write_all(b, out, &queue, e);
    VEC_FREE(&queue.numbers);
    VEC_FREE(&queue.entries);
    clear(b);
    build_new_dir(b);
    if (!good)
        return false;
    struct part head = {.fd = fd};
    return part_add(&head, &h, sizeof h, e) && part_flush(&head, e);
}
