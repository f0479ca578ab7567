#include "feed/db_file.h"

#include "base/mem.h"
#include "feed/advisories.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

static bool refuse(struct error *e, const char *path, const char *what)
{
    error_set(e, ERR_CORRUPT,
              "the compiled advisories are damaged (%s); import the feed again, or "
              "install the package again if it is the shipped file",
              what);
    error_at(e, path, 0, 0);
    return false;
}

static bool read_header(struct db_file *f, const char *path, struct error *e)
{
    struct bytes in = bytes_of(f->map, f->size < DB_HEADER_BYTES ? f->size : DB_HEADER_BYTES);
    const uint8_t *magic = bytes_take(&in, 8);
    if (!magic || memcmp(magic, DB_MAGIC, 8) != 0)
        return refuse(e, path, _("it does not begin as such a file does"));
    uint32_t version = bytes_u32le(&in), header = bytes_u32le(&in);
    if (!in.failed && version != DB_VERSION) {
        error_set(e, ERR_UNSUPPORTED,
                  "the compiled advisories are of version %u; this program "
                  "reads version %d: import the feed again",
                  version, DB_VERSION);
        error_at(e, path, 0, 0);
        return false;
    }
    uint64_t size = bytes_u64le(&in);
    uint32_t page = bytes_u32le(&in);
    f->documents = bytes_u32le(&in);
    uint64_t expected = DB_HEADER_BYTES;
    bool contiguous = true;
    for (size_t i = 0; i < DB_SECTIONS; i++) {
        f->sections[i].offset = bytes_u64le(&in);
        f->sections[i].size = bytes_u64le(&in);
        contiguous = contiguous && f->sections[i].offset == expected &&
                     f->sections[i].size <= f->size - expected;
        expected += contiguous ? f->sections[i].size : 0;
    }
    bytes_seek(&in, DB_PAGES_HASH_AT);
    uint64_t pages_hash = bytes_u64le(&in), header_hash = bytes_u64le(&in);
    if (in.failed || header != DB_HEADER_BYTES)
        return refuse(e, path, _("its header is cut short"));
    if (header_hash != db_hash_bytes(f->map, DB_HEADER_HASH_AT))
        return refuse(e, path, _("the checksum of its header is wrong"));
    if (size != f->size)
        return refuse(e, path,
                      f->size < size ? _("it is cut short") : _("something was appended to it"));
    uint64_t end = f->sections[DB_PAGES].offset;
    if (page != DB_PAGE_BYTES || !contiguous || expected != f->size ||
        f->sections[DB_PAGES].size != (end + DB_PAGE_BYTES - 1) / DB_PAGE_BYTES * 8 ||
        f->sections[DB_DOCUMENTS].size != (uint64_t)f->documents * DB_DOCUMENT_BYTES)
        return refuse(e, path, _("its sections do not fit together"));
    const uint8_t *pages = f->map + f->sections[DB_PAGES].offset;
    if (pages_hash != db_hash_bytes(pages, f->sections[DB_PAGES].size))
        return refuse(e, path, _("the table of checksums is wrong"));
    f->checked = mem_alloc(f->sections[DB_PAGES].size / 64 + 1);
    return true;
}

bool db_file_of(struct db_file *out, const void *bytes, size_t size, const char *path,
                struct error *e)
{
    struct db_file f = {.map = bytes, .size = size};
    if (!read_header(&f, path, e))
        return false;
    if (size <= ADVISORIES_CHECK_BYTES && !db_file_check_all(&f, e)) {
        error_at(e, path, 0, 0);
        free(f.checked);
        return false;
    }
    f.path = mem_strdup(path);
    *out = f;
    return true;
}

bool db_file_open(struct db_file *out, const char *path, struct error *e)
{
    CLEANUP_CLOSE int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    struct stat st;
    if (fd < 0 || fstat(fd, &st) != 0) {
        error_set_errno(e, errno, "opening the compiled advisories failed");
        error_at(e, path, 0, 0);
        return false;
    }
    if (!S_ISREG(st.st_mode) || st.st_size < DB_HEADER_BYTES)
        return refuse(e, path, S_ISREG(st.st_mode) ? _("it is cut short") : _("it is no file"));
    void *map = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
    if (map == MAP_FAILED) {
        error_set_errno(e, errno, "mapping the compiled advisories failed");
        error_at(e, path, 0, 0);
        return false;
    }
    if (!db_file_of(out, map, (size_t)st.st_size, path, e)) {
        munmap(map, (size_t)st.st_size);
        return false;
    }
    return true;
}

void db_file_close(struct db_file *f)
{
    free(f->path);
    free(f->checked);
    *f = (struct db_file){0};
}

void db_file_note(struct db_file *f, const char *what)
{
    if (f->damaged)
        return;
    f->damaged = true;
    refuse(&f->damage, f->path ? f->path : "", what);
}

static bool check_page(struct db_file *f, uint64_t page)
{
    if (f->checked[page / 8] & 1 << page % 8)
        return true;
    uint64_t from = page ? page * DB_PAGE_BYTES : DB_HEADER_BYTES;
    uint64_t to = (page + 1) * DB_PAGE_BYTES, end = f->sections[DB_PAGES].offset;
    struct bytes sums = bytes_of(f->map + f->sections[DB_PAGES].offset, f->sections[DB_PAGES].size);
    bytes_seek(&sums, page * 8);
    uint64_t sum = bytes_u64le(&sums);
    if (sums.failed || sum != db_hash_bytes(f->map + from, (to < end ? to : end) - from))
        return false;
    f->checked[page / 8] |= (uint8_t)(1 << page % 8);
    return true;
}

const uint8_t *db_file_bytes(struct db_file *f, uint64_t offset, uint64_t size)
{
    uint64_t end = f->sections[DB_PAGES].offset;
    if (offset < DB_HEADER_BYTES || offset > end || size > end - offset) {
        db_file_note(f, _("a record lies outside of it"));
        return NULL;
    }
    if (!size)
        return f->map + offset;
    uint64_t last = (offset + size - 1) / DB_PAGE_BYTES;
    for (uint64_t page = offset / DB_PAGE_BYTES; page <= last; page++) {
        if (!check_page(f, page)) {
            db_file_note(f, _("a checksum is wrong"));
            return NULL;
        }
    }
    return f->map + offset;
}

struct bytes db_file_section(struct db_file *f, enum db_section section)
{
    uint64_t size = f->sections[section].size;
    const uint8_t *bytes = db_file_bytes(f, f->sections[section].offset, size);
    struct bytes in = bytes_of(bytes, bytes ? size : 0);
    in.failed = !bytes;
    return in;
}

bool db_file_check_all(struct db_file *f, struct error *e)
{
    db_file_bytes(f, DB_HEADER_BYTES, f->sections[DB_PAGES].offset - DB_HEADER_BYTES);
    if (f->damaged && e)
        *e = f->damage;
    return !f->damaged;
}

size_t db_file_keys(const struct db_file *f, enum db_section section)
{
    return f->sections[section].size / DB_KEY_BYTES;
}

bool db_file_key(struct db_file *f, enum db_section section, size_t i, struct db_entry *out)
{
    if (i >= db_file_keys(f, section))
        return false;
    const uint8_t *bytes =
        db_file_bytes(f, f->sections[section].offset + i * DB_KEY_BYTES, DB_KEY_BYTES);
    struct bytes in = bytes_of(bytes, bytes ? DB_KEY_BYTES : 0);
    *out = (struct db_entry){.hash = bytes_u64le(&in)};
    out->block = bytes_u64le(&in);
    out->document = bytes_u32le(&in);
    out->item = bytes_u32le(&in);
    return bytes;
}

/* Is the entry before place i below the hash? Damage counts as "no": the search ends. */
static bool below(struct db_file *f, enum db_section section, size_t i, uint64_t hash)
{
    struct db_entry entry;
    return db_file_key(f, section, i, &entry) && entry.hash < hash;
}

/* Hashes are spread evenly, so the place is guessed first and found within a few hundred
 * entries of it: a page or two are looked at, however many there are. */
size_t db_file_find(struct db_file *f, enum db_section section, uint64_t hash)
{
    size_t count = db_file_keys(f, section), step = 64, low, high;
    size_t guess = count > UINT32_MAX ? count / 2 : (size_t)((hash >> 32) * count >> 32);
    if (guess < count && below(f, section, guess, hash)) {
        for (low = high = guess + 1; high < count && below(f, section, high, hash); step *= 2) {
            low = high + 1;
            high = count - high > step ? high + step : count;
        }
    } else {
        for (low = high = guess; low && !below(f, section, low - 1, hash); step *= 2) {
            high = low - 1;
            low = low > step ? low - step : 0;
        }
    }
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (below(f, section, middle, hash))
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

uint64_t db_file_place(struct db_file *f, uint32_t document)
{
    if (document >= f->documents) {
        db_file_note(f, _("it names a document that it does not have"));
        return 0;
    }
    const uint8_t *row =
        db_file_bytes(f, f->sections[DB_DOCUMENTS].offset + (uint64_t)document * DB_DOCUMENT_BYTES,
                      DB_DOCUMENT_BYTES);
    struct bytes in = bytes_of(row, row ? DB_DOCUMENT_BYTES : 0);
    return bytes_u64le(&in);
}

const uint8_t *db_file_block(struct db_file *f, uint64_t place, uint32_t *size)
{
    const uint8_t *start = db_file_bytes(f, place, 8);
    struct bytes in = bytes_of(start, start ? 8 : 0);
    bytes_skip(&in, 4); /* the magic, which document_view() looks at */
    *size = bytes_u32le(&in);
    return start ? db_file_bytes(f, place, *size) : NULL;
}
