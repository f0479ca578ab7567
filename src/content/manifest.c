#include "content/manifest.h"

#include "base/mem.h"
#include "content/manifest_format.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

struct manifest {
    const uint8_t *bytes;
    size_t size;
    bool mapped;
    const struct manifest_header *header;
    const struct manifest_record *records;
    const uint8_t *names, *extras;
};

static bool name_sound(const uint8_t *name, size_t length)
{
    if (length == 0 || length > 255 || memchr(name, '/', length) || memchr(name, 0, length))
        return false;
    return !(name[0] == '.' && (length == 1 || (length == 2 && name[1] == '.')));
}

static int name_order(const uint8_t *a, size_t a_length, const uint8_t *b, size_t b_length)
{
    int order = memcmp(a, b, a_length < b_length ? a_length : b_length);
    if (order)
        return order;
    return (a_length > b_length) - (a_length < b_length);
}

/* Link target and attributes of a record; false if they do not lie in the extras. */
static bool extra_of(const struct manifest *m, const struct manifest_record *r,
                     const uint8_t **target, uint32_t *target_size, const uint8_t **xattrs,
                     uint32_t *xattrs_size)
{
    *target = *xattrs = NULL;
    *target_size = *xattrs_size = 0;
    if (!r->extra)
        return true;
    uint64_t at = (uint64_t)r->extra - 1, size = m->header->extras_size;
    uint32_t sizes[2];
    if (at > size || size - at < sizeof sizes)
        return false;
    memcpy(sizes, m->extras + at, sizeof sizes);
    uint64_t left = size - at - sizeof sizes;
    if ((uint64_t)sizes[0] + sizes[1] > left)
        return false;
    if (sizes[0])
        *target = m->extras + at + sizeof sizes;
    *target_size = sizes[0];
    if (sizes[1])
        *xattrs = m->extras + at + sizeof sizes + sizes[0];
    *xattrs_size = sizes[1];
    return true;
}

static bool xattrs_sound(const uint8_t *bytes, size_t size)
{
    size_t at = 0;
    while (at < size) {
        uint16_t name_size;
        uint32_t value_size;
        if (size - at < 8)
            return false;
        memcpy(&name_size, bytes + at, 2);
        memcpy(&value_size, bytes + at + 4, 4);
        at += 8;
        if (!name_size || name_size > size - at || value_size > size - at - name_size ||
            memchr(bytes + at, 0, name_size))
            return false;
        at += name_size + (size_t)value_size;
    }
    return true;
}

static bool record_sound(const struct manifest *m, uint32_t i, uint32_t *next_child)
{
    const struct manifest_record *r = &m->records[i];
    uint64_t names = m->header->names_size;
    if (r->name > names || r->name_length > names - r->name)
        return false;
    if (i >= *next_child) /* no directory before it has it: nothing would lead up from it */
        return false;
    if (i == MANIFEST_ROOT) {
        if (r->name_length || r->parent || !S_ISDIR(r->mode))
            return false;
    } else if (!name_sound(m->names + r->name, r->name_length))
        return false;

    const uint8_t *target, *xattrs;
    uint32_t target_size, xattrs_size;
    if (!extra_of(m, r, &target, &target_size, &xattrs, &xattrs_size) ||
        !xattrs_sound(xattrs, xattrs_size) || (S_ISLNK(r->mode) ? !target : target != NULL) ||
        (target && memchr(target, 0, target_size)))
        return false;

    if (!S_ISDIR(r->mode))
        return true;
    uint32_t first = (uint32_t)r->size, children = (uint32_t)(r->size >> 32);
    if (!children)
        return true;
    /* The children of all directories, taken in order, are the entries 1, 2, 3 ... */
    if (first != *next_child || children > m->header->count - first)
        return false;
    *next_child = first + children;
    for (uint32_t c = first; c < first + children; c++) {
        const struct manifest_record *child = &m->records[c];
        if (child->parent != i || child->name > names || child->name_length > names - child->name)
            return false;
        const struct manifest_record *before = child - 1;
        if (c > first && name_order(m->names + before->name, before->name_length,
                                    m->names + child->name, child->name_length) >= 0)
            return false;
    }
    return true;
}

static bool check(struct manifest *m, struct error *e)
{
    const struct manifest_header *h = (const struct manifest_header *)(const void *)m->bytes;
    if (m->size < sizeof *h || memcmp(h->magic, MANIFEST_MAGIC, sizeof h->magic) != 0) {
        error_set(e, ERR_FORMAT, "this is no manifest: it does not begin as one");
        return false;
    }
    if (h->version != MANIFEST_VERSION) {
        error_set(e, ERR_UNSUPPORTED,
                  "the manifest has version %u, this program reads version %d; a newer yagura "
                  "wrote it",
                  h->version, MANIFEST_VERSION);
        return false;
    }
    uint64_t records_end = sizeof *h + (uint64_t)h->count * sizeof(struct manifest_record);
    if (h->count == 0 || h->count == MANIFEST_NONE || records_end > m->size ||
        h->names_offset != records_end || h->names_size > m->size - records_end ||
        h->extras_offset != records_end + h->names_size ||
        h->extras_size != m->size - h->extras_offset || !memchr(h->site, 0, sizeof h->site) ||
        !h->site[0]) {
        error_set(e, ERR_FORMAT, "the manifest is cut short or damaged: its parts do not add up");
        return false;
    }
    m->header = h;
    m->records = (const struct manifest_record *)(const void *)(m->bytes + sizeof *h);
    m->names = m->bytes + h->names_offset;
    m->extras = m->bytes + h->extras_offset;

    uint32_t next_child = 1;
    for (uint32_t i = 0; i < h->count; i++)
        if (!record_sound(m, i, &next_child)) {
            error_set(e, ERR_FORMAT, "the manifest is damaged at entry %u", i);
            return false;
        }
    return true;
}

bool manifest_of_bytes(struct manifest **out, const void *bytes, size_t size, struct error *e)
{
    struct manifest *m = mem_alloc(sizeof *m);
    m->bytes = bytes;
    m->size = size;
    if (!check(m, e)) {
        free(m);
        return false;
    }
    *out = m;
    return true;
}

bool manifest_open(struct manifest **out, int fd, struct error *e)
{
    struct stat st;
    if (fstat(fd, &st) != 0) {
        error_set_errno(e, errno, "looking at the manifest");
        return false;
    }
    if (!S_ISREG(st.st_mode) || st.st_size == 0) {
        error_set(e, ERR_FORMAT, "this is no manifest: it is empty or no file");
        return false;
    }
    size_t size = (size_t)st.st_size;
    void *bytes = mmap(NULL, size, PROT_READ, MAP_PRIVATE, fd, 0);
    if (bytes == MAP_FAILED) {
        error_set_errno(e, errno, "mapping the manifest");
        return false;
    }
    if (!manifest_of_bytes(out, bytes, size, e)) {
        munmap(bytes, size);
        return false;
    }
    (*out)->mapped = true;
    return true;
}

void manifest_free(struct manifest *m)
{
    if (!m)
        return;
    if (m->mapped)
        munmap((void *)m->bytes, m->size);
    free(m);
}

void manifest_cleanup(struct manifest **m)
{
    manifest_free(*m);
}

uint32_t manifest_count(const struct manifest *m)
{
    return m->header->count;
}

uint64_t manifest_generation(const struct manifest *m)
{
    return m->header->generation;
}

int64_t manifest_made_ns(const struct manifest *m)
{
    return m->header->made_ns;
}

const char *manifest_site(const struct manifest *m)
{
    return m->header->site;
}

void manifest_bytes(const struct manifest *m, const void **bytes, size_t *size)
{
    *bytes = m->bytes;
    *size = m->size;
}

bool manifest_has_type(mode_t mode)
{
    return S_ISREG(mode) || S_ISDIR(mode) || S_ISLNK(mode);
}

void manifest_entry(const struct manifest *m, uint32_t index, struct manifest_entry *out)
{
    const struct manifest_record *r = &m->records[index];
    const uint8_t *target;
    uint32_t target_size, xattrs_size;
    *out = (struct manifest_entry){
        .name = (const char *)m->names + r->name,
        .name_length = r->name_length,
        .parent = r->parent,
        .mode = r->mode,
        .uid = r->uid,
        .gid = r->gid,
        .mtime_ns = r->mtime_ns,
    };
    extra_of(m, r, &target, &target_size, &out->xattrs, &xattrs_size);
    out->target = (const char *)target;
    out->target_size = target_size;
    out->xattrs_size = xattrs_size;
    if (S_ISDIR(r->mode)) {
        out->first_child = (uint32_t)r->size;
        out->child_count = (uint32_t)(r->size >> 32);
    } else
        out->size = r->size;
    if (S_ISREG(r->mode))
        out->sha256 = r->sha256;
}

uint32_t manifest_child(const struct manifest *m, uint32_t directory, const char *name,
                        size_t length)
{
    const struct manifest_record *d = &m->records[directory];
    if (!S_ISDIR(d->mode))
        return MANIFEST_NONE;
    uint32_t low = (uint32_t)d->size, high = low + (uint32_t)(d->size >> 32);
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        const struct manifest_record *r = &m->records[middle];
        int order = name_order(m->names + r->name, r->name_length, (const uint8_t *)name, length);
        if (order == 0)
            return middle;
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return MANIFEST_NONE;
}

uint32_t manifest_find(const struct manifest *m, const char *path, size_t length)
{
    uint32_t at = MANIFEST_ROOT;
    for (size_t i = 0; i < length && at != MANIFEST_NONE;) {
        const char *slash = memchr(path + i, '/', length - i);
        size_t part = slash ? (size_t)(slash - (path + i)) : length - i;
        at = manifest_child(m, at, path + i, part);
        i += part + (slash != NULL);
    }
    return at;
}

void manifest_add_path(const struct manifest *m, uint32_t index, struct str *path)
{
    /* PATH_MAX holds at most 2,048 components; a longer chain was never on a disk. */
    uint32_t chain[2048];
    size_t depth = 0;
    for (uint32_t i = index; i != MANIFEST_ROOT && depth < ARRAY_COUNT(chain);
         i = m->records[i].parent)
        chain[depth++] = i;
    for (size_t i = depth; i-- > 0;) {
        const struct manifest_record *r = &m->records[chain[i]];
        str_add_bytes(path, m->names + r->name, r->name_length);
        if (i)
            str_add_char(path, '/');
    }
}
