#include "content/stat_index.h"

#include "base/file.h"
#include "base/mem.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define MAGIC "YAGURAS1"
static const int64_t settle_ns = 2000000000;

struct header {
    char magic[8];
    uint32_t count, zero;
    uint8_t manifest[32];
};

struct record {
    uint64_t ino, dev;
    int64_t ctime_ns;
};

struct stat_index {
    struct header header;
    struct record *records;
};

static int64_t ns(struct timespec t)
{
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

struct stat_index *stat_index_new(const struct manifest *m, const uint8_t manifest_sha256[32])
{
    struct stat_index *s = mem_alloc(sizeof *s);
    memcpy(s->header.magic, MAGIC, sizeof s->header.magic);
    s->header.count = manifest_count(m);
    memcpy(s->header.manifest, manifest_sha256, sizeof s->header.manifest);
    s->records = mem_alloc(s->header.count * sizeof *s->records);
    return s;
}

struct stat_index *stat_index_load(const struct manifest *m, const uint8_t manifest_sha256[32],
                                   int dirfd, const char *name)
{
    struct stat_index *s = stat_index_new(m, manifest_sha256);
    CLEANUP_CLOSE int fd = openat(dirfd, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    CLEANUP_FREE char *bytes = NULL;
    size_t size, records = s->header.count * sizeof *s->records;
    if (fd >= 0 && file_read_fd(&bytes, &size, fd, sizeof s->header + records, NULL) &&
        size == sizeof s->header + records && memcmp(bytes, &s->header, sizeof s->header) == 0)
        memcpy(s->records, bytes + sizeof s->header, records);
    return s;
}

void stat_index_free(struct stat_index *s)
{
    if (!s)
        return;
    free(s->records);
    free(s);
}

void stat_index_cleanup(struct stat_index **s)
{
    stat_index_free(*s);
}

bool stat_index_save(const struct stat_index *s, int dirfd, const char *name, struct error *e)
{
    size_t records = s->header.count * sizeof *s->records;
    CLEANUP_FREE uint8_t *bytes = mem_alloc(sizeof s->header + records);
    memcpy(bytes, &s->header, sizeof s->header);
    memcpy(bytes + sizeof s->header, s->records, records);
    return file_replace(dirfd, name, bytes, sizeof s->header + records, 0600, e);
}

void stat_index_note(struct stat_index *s, uint32_t index, const struct stat *st, int64_t now_ns)
{
    struct record r = {st->st_ino, st->st_dev, ns(st->st_ctim)};
    if (now_ns - r.ctime_ns < settle_ns)
        r = (struct record){0};
    s->records[index] = r;
}

bool stat_index_trusts(const struct stat_index *s, uint32_t index,
                       const struct manifest_entry *entry, const struct stat *st)
{
    const struct record *r = &s->records[index];
    return r->ino && r->ino == st->st_ino && r->dev == st->st_dev &&
           r->ctime_ns == ns(st->st_ctim) && entry->mode == st->st_mode &&
           entry->size == (uint64_t)st->st_size && entry->mtime_ns == ns(st->st_mtim);
}
