#include "libexec/image/extent.h"

#include "base/bytes.h"
#include "base/mem.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

/* "Virtual Disk Format 5.0", SparseExtentHeader: offsets in the header's 512 bytes. */
enum {
    MAGIC = 0x564d444b,
    SECTOR = 512,
    FLAG_COMPRESSED = 1 << 16,
    FLAG_ZEROED_GRAINS = 1 << 2,
    COMPRESS_DEFLATE = 1,
    HEADER_COMPRESSION = 77,
    ENTRIES_PER_TABLE = 512,
    MOST_GRAIN_BYTES = 1024 * 1024,
    MOST_DIRECTORY = 1024 * 1024, /* entries: 32 TiB of the usual grains */
    KEPT_TABLES = 64,
    KEPT_GRAINS = 8, /* inflated ones */
};

#define DIRECTORY_AT_END UINT64_MAX

struct kept {
    uint64_t key; /* sector, never 0 */
    uint8_t *data;
};

struct extent {
    int fd;
    uint64_t offset, size; /* flat */
    bool zero, sparse;
    /* sparse */
    uint64_t grain_bytes, file_size;
    uint32_t flags;
    uint32_t *directory;
    size_t directory_count;
    struct kept tables[KEPT_TABLES], grains[KEPT_GRAINS];
};

static bool read_all(int fd, uint64_t offset, void *buffer, size_t count)
{
    char *p = buffer;
    if (offset > INT64_MAX - count)
        return false;
    while (count) {
        ssize_t n = pread(fd, p, count, (off_t)offset);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return false;
        p += n;
        offset += (uint64_t)n;
        count -= (size_t)n;
    }
    return true;
}

struct extent *extent_flat(int fd, uint64_t offset, uint64_t size)
{
    struct extent *x = mem_alloc(sizeof *x);
    x->fd = fd;
    x->offset = offset;
    x->size = size;
    return x;
}

struct extent *extent_zero(uint64_t size)
{
    struct extent *x = extent_flat(-1, 0, size);
    x->zero = true;
    return x;
}

void extent_free(struct extent *x)
{
    if (!x)
        return;
    for (size_t i = 0; i < KEPT_TABLES; i++)
        free(x->tables[i].data);
    for (size_t i = 0; i < KEPT_GRAINS; i++)
        free(x->grains[i].data);
    free(x->directory);
    free(x);
}

uint64_t extent_size(const struct extent *x)
{
    return x->size;
}

static void extent_cleanup(struct extent **x)
{
    extent_free(*x);
}

static bool broken(struct error *e, const char *what)
{
    error_set(e, ERR_FORMAT, "a damaged VMDK: %s", what);
    return false;
}

/* streamOptimized: the header at the front knows no directory, its copy before the last
 * sector does. */
static bool read_header(int fd, uint64_t file_size, uint8_t *header, struct error *e)
{
    if (!read_all(fd, 0, header, SECTOR))
        return broken(e, _("cut short within its header"));
    struct bytes in = bytes_of(header, SECTOR);
    bytes_seek(&in, 56);
    if (bytes_u64le(&in) != DIRECTORY_AT_END)
        return true;
    if (file_size < 3 * SECTOR || !read_all(fd, file_size - 2 * SECTOR, header, SECTOR))
        return broken(e, _("cut short, the copy of its header at the end is missing"));
    in = bytes_of(header, SECTOR);
    if (bytes_u32le(&in) != MAGIC)
        return broken(e, _("cut short, the copy of its header at the end is missing"));
    return true;
}

static bool read_directory(struct extent *x, uint64_t sector, struct error *e)
{
    size_t size = x->directory_count * 4;
    CLEANUP_FREE uint8_t *raw = mem_resize(NULL, size);
    if (sector > x->file_size / SECTOR || !read_all(x->fd, sector * SECTOR, raw, size))
        return broken(e, _("its grain directory lies beyond the end"));
    x->directory = mem_resize(NULL, size);
    struct bytes in = bytes_of(raw, size);
    for (size_t i = 0; i < x->directory_count; i++)
        x->directory[i] = bytes_u32le(&in);
    return true;
}

bool extent_sparse(struct extent **out, int fd, struct error *e)
{
    struct stat st;
    uint8_t header[SECTOR];
    if (fstat(fd, &st) != 0) {
        error_set_errno(e, errno, "a file of the VMDK could not be looked at");
        return false;
    }
    if (!read_header(fd, (uint64_t)st.st_size, header, e))
        return false;
    struct bytes in = bytes_of(header, sizeof header);
    if (bytes_u32le(&in) != MAGIC)
        return broken(e, _("a sparse extent without its magic number"));
    uint32_t version = bytes_u32le(&in), flags = bytes_u32le(&in);
    uint64_t capacity = bytes_u64le(&in), grain = bytes_u64le(&in);
    bytes_skip(&in, 16); /* the embedded descriptor */
    uint32_t per_table = bytes_u32le(&in);
    bytes_skip(&in, 8); /* the redundant directory */
    uint64_t directory = bytes_u64le(&in);
    bytes_seek(&in, HEADER_COMPRESSION);
    uint16_t compression = bytes_u16le(&in);
    if (version < 1 || version > 3)
        return broken(e, _("an unknown version of the format"));
    if (grain < 1 || grain > MOST_GRAIN_BYTES / SECTOR || (grain & (grain - 1)) ||
        per_table != ENTRIES_PER_TABLE || !capacity || capacity > INT64_MAX / SECTOR)
        return broken(e, _("impossible sizes in its header"));
    if ((flags & FLAG_COMPRESSED) && compression != COMPRESS_DEFLATE)
        return broken(e, _("an unknown compression"));
    uint64_t tables = (capacity + grain * ENTRIES_PER_TABLE - 1) / (grain * ENTRIES_PER_TABLE);
    if (tables > MOST_DIRECTORY) {
        error_set(e, ERR_LIMIT, "a VMDK of more than %d grain tables", MOST_DIRECTORY);
        return false;
    }
    CLEANUP(extent_cleanup) struct extent *x = extent_flat(fd, 0, capacity * SECTOR);
    x->sparse = true;
    x->grain_bytes = grain * SECTOR;
    x->flags = flags;
    x->file_size = (uint64_t)st.st_size;
    x->directory_count = (size_t)tables;
    if (!read_directory(x, directory, e))
        return false;
    *out = x;
    x = NULL;
    return true;
}

static const uint8_t *table_at(struct extent *x, uint32_t sector)
{
    struct kept *slot = &x->tables[sector / 4 % KEPT_TABLES]; /* a table is four sectors */
    if (slot->key == sector)
        return slot->data;
    if (!slot->data)
        slot->data = mem_resize(NULL, ENTRIES_PER_TABLE * 4);
    slot->key = 0;
    if (!read_all(x->fd, (uint64_t)sector * SECTOR, slot->data, ENTRIES_PER_TABLE * 4))
        return NULL;
    slot->key = sector;
    return slot->data;
}

/* The grain's first sector in the file: 0 for one that is not there. */
static bool find_grain(struct extent *x, uint64_t number, uint32_t *sector)
{
    uint64_t table = number / ENTRIES_PER_TABLE;
    *sector = 0;
    if (table >= x->directory_count)
        return false;
    if (!x->directory[table])
        return true;
    const uint8_t *entries = table_at(x, x->directory[table]);
    if (!entries)
        return false;
    struct bytes in = bytes_of(entries, ENTRIES_PER_TABLE * 4);
    bytes_seek(&in, number % ENTRIES_PER_TABLE * 4);
    *sector = bytes_u32le(&in);
    if (*sector == 1 && (x->flags & FLAG_ZEROED_GRAINS))
        *sector = 0;
    return true;
}

/* A marker of u64 sector and u32 size, then that much of a zlib stream. */
static const uint8_t *inflated_grain(struct extent *x, uint32_t sector)
{
    struct kept *slot = &x->grains[sector % KEPT_GRAINS];
    uint8_t marker[12];
    if (slot->key == sector)
        return slot->data;
    if (!read_all(x->fd, (uint64_t)sector * SECTOR, marker, sizeof marker))
        return NULL;
    struct bytes in = bytes_of(marker, sizeof marker);
    bytes_skip(&in, 8);
    uint32_t size = bytes_u32le(&in);
    if (!size || size > 2 * MOST_GRAIN_BYTES)
        return NULL;
    CLEANUP_FREE uint8_t *packed = mem_resize(NULL, size);
    if (!read_all(x->fd, (uint64_t)sector * SECTOR + sizeof marker, packed, size))
        return NULL;
    if (!slot->data)
        slot->data = mem_resize(NULL, x->grain_bytes);
    slot->key = 0;
    uLongf length = x->grain_bytes;
    if (uncompress(slot->data, &length, packed, size) != Z_OK || length != x->grain_bytes)
        return NULL;
    slot->key = sector;
    return slot->data;
}

static bool read_in_grain(struct extent *x, uint64_t number, size_t within, void *buffer,
                          size_t count)
{
    uint32_t sector;
    if (!find_grain(x, number, &sector))
        return false;
    if (!sector) {
        memset(buffer, 0, count);
        return true;
    }
    if (!(x->flags & FLAG_COMPRESSED))
        return read_all(x->fd, (uint64_t)sector * SECTOR + within, buffer, count);
    const uint8_t *grain = inflated_grain(x, sector);
    if (!grain)
        return false;
    memcpy(buffer, grain + within, count);
    return true;
}

bool extent_read(struct extent *x, uint64_t offset, void *buffer, size_t count)
{
    if (offset > x->size || count > x->size - offset)
        return false;
    if (x->zero) {
        memset(buffer, 0, count);
        return true;
    }
    if (!x->sparse)
        return read_all(x->fd, x->offset + offset, buffer, count);
    for (size_t done = 0; done < count;) {
        uint64_t at = offset + done;
        size_t within = at % x->grain_bytes;
        size_t part =
            x->grain_bytes - within < count - done ? x->grain_bytes - within : count - done;
        if (!read_in_grain(x, at / x->grain_bytes, within, (char *)buffer + done, part))
            return false;
        done += part;
    }
    return true;
}
