#include "libexec/image/source.h"

#include "libexec/image/extent.h"

#include "base/bytes.h"
#include "base/file.h"
#include "base/mem.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum {
    MOST_DESCRIPTOR = 64 * 1024,
    MOST_EXTENTS = 64, /* a 2 GiB-split disk of 128 GiB */
};

struct part {
    struct extent *extent;
    uint64_t start;
    int fd; /* to close, or -1 */
};

struct source {
    const char *format;
    uint64_t size;
    struct part parts[MOST_EXTENTS];
    size_t count;
};

static const char descriptor_magic[] = "# Disk DescriptorFile";

/* Formats we know by sight and do not read. */
static const struct foreign {
    size_t offset;
    const char *magic;
    size_t length;
    const char *name, *remedy;
} foreigns[] = {
    {0, "QFI\xfb", 4, N_("a qcow2 image"), "qemu-img convert -O raw IMAGE disk.raw"},
    {64, "\x7f\x10\xda\xbe", 4, N_("a VDI image"), "qemu-img convert -O raw IMAGE disk.raw"},
    {0, "conectix", 8, N_("a dynamic VHD image"), "qemu-img convert -f vpc -O raw IMAGE disk.raw"},
    {0, "vhdxfile", 8, N_("a VHDX image"), "qemu-img convert -O raw IMAGE disk.raw"},
    {0, "COWD", 4, N_("an ESX sparse VMDK"), "qemu-img convert -O raw IMAGE disk.raw"},
    {0, "EVF\x09\x0d\x0a\xff", 7, N_("an EnCase (E01) image"), "ewfexport -t disk -f raw IMAGE"},
    {0, "\x1f\x8b", 2, N_("a gzip file"), "gunzip -k IMAGE"},
    {0,
     "\xfd"
     "7zXZ",
     5, N_("an xz file"), "unxz -k IMAGE"},
    {0, "\x28\xb5\x2f\xfd", 4, N_("a zstd file"), "unzstd IMAGE"},
    {0, "PK\x03\x04", 4, N_("a zip archive"), "unzip IMAGE"},
};

bool source_needs_folder(const void *first, size_t size)
{
    return size >= sizeof descriptor_magic - 1 &&
           memcmp(first, descriptor_magic, sizeof descriptor_magic - 1) == 0;
}

void source_free(struct source *s)
{
    for (size_t i = 0; s && i < s->count; i++) {
        extent_free(s->parts[i].extent);
        if (s->parts[i].fd >= 0)
            close(s->parts[i].fd);
    }
    free(s);
}

void source_cleanup(struct source **s)
{
    source_free(*s);
}

uint64_t source_size(const struct source *s)
{
    return s->size;
}

const char *source_format(const struct source *s)
{
    return s->format;
}

static bool refuse_foreign(const uint8_t *first, size_t size, struct error *e)
{
    for (size_t i = 0; i < ARRAY_COUNT(foreigns); i++) {
        const struct foreign *f = &foreigns[i];
        if (size < f->offset + f->length || memcmp(first + f->offset, f->magic, f->length) != 0)
            continue;
        error_set(e, ERR_UNSUPPORTED, "%s, which we do not read: convert it first (%s)", _(f->name),
                  f->remedy);
        return true;
    }
    return false;
}

static bool add(struct source *s, struct extent *x, int fd, struct error *e)
{
    uint64_t end;
    if (__builtin_add_overflow(s->size, extent_size(x), &end) || end > INT64_MAX) {
        extent_free(x);
        error_set(e, ERR_FORMAT, "a damaged VMDK: its extents are larger than any disk");
        return false;
    }
    s->parts[s->count++] = (struct part){.extent = x, .start = s->size, .fd = fd};
    s->size = end;
    return true;
}

/* RW 4192256 SPARSE "disk-s001.vmdk"     RW 63 FLAT "disk-f001.vmdk" 0     RW 63 ZERO */
static bool add_extent(struct source *s, int dirfd, const char *line, struct error *e)
{
    char access[10], type[10], name[256] = "";
    unsigned long long sectors = 0, offset = 0;
    int fields =
        sscanf(line, "%9s %19llu %9s \"%255[^\"]\" %19llu", access, &sectors, type, name, &offset);
    if (fields < 3 || !sectors || sectors > INT64_MAX / SOURCE_SECTOR ||
        offset > INT64_MAX / SOURCE_SECTOR) {
        error_set(e, ERR_FORMAT, "a damaged VMDK descriptor: an extent that makes no sense");
        return false;
    }
    if (str_equal(type, "ZERO"))
        return add(s, extent_zero(sectors * SOURCE_SECTOR), -1, e);
    bool flat = str_equal(type, "FLAT") || str_equal(type, "VMFS");
    if (!flat && !str_equal(type, "SPARSE")) {
        error_set(e, ERR_UNSUPPORTED,
                  "a VMDK with an extent of type %s, which we do not read: "
                  "convert it first (qemu-img convert -O raw IMAGE disk.raw)",
                  type);
        return false;
    }
    if (fields < 4 || strchr(name, '/')) {
        error_set(e, ERR_FORMAT, "a VMDK descriptor whose extent lies in another folder");
        return false;
    }
    int fd = file_open_beneath(dirfd, name, NULL, e);
    if (fd < 0) {
        error_prefix(e, "the VMDK's extent \"%s\"", name);
        return false;
    }
    struct extent *x = NULL;
    if (flat)
        x = extent_flat(fd, offset * SOURCE_SECTOR, sectors * SOURCE_SECTOR);
    else if (!extent_sparse(&x, fd, e)) {
        close(fd);
        return false;
    }
    return add(s, x, fd, e);
}

static bool take_line(struct source *s, int dirfd, char *line, struct error *e)
{
    if (str_starts_nocase(line, "RW ") || str_starts_nocase(line, "RDONLY ")) {
        if (s->count == MOST_EXTENTS) {
            error_set(e, ERR_LIMIT, "a VMDK of more than %d extents", MOST_EXTENTS);
            return false;
        }
        return add_extent(s, dirfd, line, e);
    }
    if (str_starts_nocase(line, "NOACCESS ")) {
        error_set(e, ERR_UNREADABLE, "a VMDK with an extent that may not be read");
        return false;
    }
    /* no parent: CID_NOPARENT */
    if (str_starts_nocase(line, "parentCID") && !str_find_nocase(line, "ffffffff")) {
        error_set(e, ERR_UNSUPPORTED,
                  "a VMDK that is the snapshot of another: convert the whole "
                  "chain first (qemu-img convert -O raw IMAGE disk.raw)");
        return false;
    }
    return true;
}

static bool open_descriptor(struct source *s, int fd, int dirfd, struct error *e)
{
    CLEANUP_FREE char *text = NULL;
    size_t size, position = 0, length;
    const char *line;
    if (!file_read_fd(&text, &size, fd, MOST_DESCRIPTOR, e))
        return false;
    while (str_next_line(text, size, &position, &line, &length)) {
        char copy[512];
        snprintf(copy, sizeof copy, "%.*s", (int)(length < 511 ? length : 511), line);
        if (!take_line(s, dirfd, str_trim(copy), e))
            return false;
    }
    if (!s->count) {
        error_set(e, ERR_FORMAT, "a VMDK descriptor that names no extent");
        return false;
    }
    return true;
}

/* What a descriptor inside of a sparse file says of a parent: those grains would be read as
 * zeros. */
static bool check_embedded(const uint8_t *header, int fd, struct error *e)
{
    struct bytes in = bytes_of(header, SOURCE_SECTOR);
    char text[4096 + 1] = "";
    bytes_seek(&in, 28);
    uint64_t sector = bytes_u64le(&in), sectors = bytes_u64le(&in);
    if (!sector || !sectors || sector > INT64_MAX / SOURCE_SECTOR)
        return true;
    ssize_t n = pread(fd, text, sizeof text - 1, (off_t)(sector * SOURCE_SECTOR));
    text[n > 0 ? n : 0] = '\0';
    const char *parent = strstr(text, "parentCID");
    if (!parent || str_starts_nocase(parent, "parentCID=ffffffff"))
        return true;
    error_set(e, ERR_UNSUPPORTED,
              "a VMDK that is the snapshot of another: convert the whole "
              "chain first (qemu-img convert -O raw IMAGE disk.raw)");
    return false;
}

static bool open_any(struct source *s, int fd, int dirfd, struct error *e)
{
    uint8_t first[SOURCE_SECTOR] = {0};
    struct extent *x;
    ssize_t n = pread(fd, first, sizeof first, 0);
    if (n < 0) {
        error_set_errno(e, errno, "the disk image could not be read");
        return false;
    }
    if (refuse_foreign(first, (size_t)n, e))
        return false;
    s->format = "VMDK";
    if (source_needs_folder(first, (size_t)n))
        return open_descriptor(s, fd, dirfd, e);
    if (n >= 4 && memcmp(first, "KDMV", 4) == 0)
        return check_embedded(first, fd, e) && extent_sparse(&x, fd, e) && add(s, x, -1, e);
    s->format = "raw";
    off_t size = lseek(fd, 0, SEEK_END); /* st_size of a block device is 0 */
    if (size < SOURCE_SECTOR) {
        error_set(e, ERR_FORMAT, "no disk image: smaller than one sector");
        return false;
    }
    return add(s, extent_flat(fd, 0, (uint64_t)size), -1, e);
}

bool source_open(struct source **out, int fd, int dirfd, struct error *e)
{
    CLEANUP(source_cleanup) struct source *s = mem_alloc(sizeof *s);
    if (!open_any(s, fd, dirfd, e))
        return false;
    *out = s;
    s = NULL;
    return true;
}

bool source_read(struct source *s, uint64_t offset, void *buffer, size_t count)
{
    if (offset > s->size || count > s->size - offset)
        return false;
    for (size_t i = 0; i < s->count && count; i++) {
        const struct part *p = &s->parts[i];
        uint64_t size = extent_size(p->extent);
        if (offset < p->start || offset - p->start >= size)
            continue;
        uint64_t left = size - (offset - p->start);
        size_t n = left < count ? (size_t)left : count;
        if (!extent_read(p->extent, offset - p->start, buffer, n))
            return false;
        buffer = (char *)buffer + n;
        offset += n;
        count -= n;
    }
    return count == 0;
}
