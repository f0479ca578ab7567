#include "feed/db_writer.h"

#include "base/bytes.h"
#include "base/mem.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

struct db_writer {
    int fd, sys_errno;
    uint64_t position; /* of the next byte in the file, those in the buffer included */
    struct str buffer;
    uint64_t buffer_at;
    size_t page_from, page_used; /* where the body begins in the page, and how far it is filled */
    unsigned char page[DB_PAGE_BYTES];
    struct str pages;
    enum db_section section;
    uint64_t starts[DB_SECTIONS], ends[DB_SECTIONS];
};

struct db_writer *db_writer_new(int fd)
{
    struct db_writer *w = mem_alloc(sizeof *w);
    w->fd = fd;
    w->position = w->buffer_at = DB_HEADER_BYTES;
    w->section = DB_SECTIONS;
    w->page_from = w->page_used = DB_HEADER_BYTES;
    return w;
}

void db_writer_free(struct db_writer *w)
{
    str_free(&w->buffer);
    str_free(&w->pages);
    free(w);
}

uint64_t db_writer_position(const struct db_writer *w)
{
    return w->position;
}

static void write_at(struct db_writer *w, const char *bytes, size_t size, uint64_t at)
{
    while (size && !w->sys_errno) {
        ssize_t n = pwrite(w->fd, bytes, size, (off_t)at);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0) {
            w->sys_errno = n ? errno : EIO;
            return;
        }
        bytes += n;
        size -= (size_t)n;
        at += (uint64_t)n;
    }
}

static void flush(struct db_writer *w)
{
    write_at(w, str_text(&w->buffer), w->buffer.length, w->buffer_at);
    w->buffer_at += w->buffer.length;
    str_clear(&w->buffer);
}

static void put(struct db_writer *w, const void *bytes, size_t size)
{
    enum { BUFFER_BYTES = 1024 * 1024 };
    str_add_bytes(&w->buffer, bytes, size);
    w->position += size;
    if (w->buffer.length >= BUFFER_BYTES)
        flush(w);
}

static void end_page(struct db_writer *w)
{
    bytes_put_u64le(&w->pages, db_hash_bytes(w->page + w->page_from, w->page_used - w->page_from));
    w->page_from = w->page_used = 0;
}

void db_writer_add(struct db_writer *w, const void *bytes, size_t size)
{
    const char *p = bytes;
    while (size) {
        size_t part = DB_PAGE_BYTES - w->page_used;
        part = part < size ? part : size;
        memcpy(w->page + w->page_used, p, part);
        w->page_used += part;
        if (w->page_used == DB_PAGE_BYTES)
            end_page(w);
        put(w, p, part);
        p += part;
        size -= part;
    }
}

void db_writer_key(struct db_writer *w, const struct db_key *key)
{
    CLEANUP_STR struct str bytes = {0};
    bytes_put_u64le(&bytes, key->hash);
    bytes_put_u64le(&bytes, key->block);
    bytes_put_u32le(&bytes, key->document);
    bytes_put_u32le(&bytes, key->item);
    db_writer_add(w, bytes.data, bytes.length);
}

void db_writer_begin(struct db_writer *w, enum db_section section)
{
    if (w->section < DB_SECTIONS)
        w->ends[w->section] = w->position;
    w->section = section;
    w->starts[section] = w->position;
}

bool db_writer_finish(struct db_writer *w, uint32_t documents, struct error *e)
{
    if (w->page_used > w->page_from)
        end_page(w);
    db_writer_begin(w, DB_PAGES);
    put(w, str_text(&w->pages), w->pages.length);
    w->ends[DB_PAGES] = w->position;
    flush(w);
    CLEANUP_STR struct str header = {0};
    str_add_bytes(&header, DB_MAGIC, 8);
    bytes_put_u32le(&header, DB_VERSION);
    bytes_put_u32le(&header, DB_HEADER_BYTES);
    bytes_put_u64le(&header, w->position);
    bytes_put_u32le(&header, DB_PAGE_BYTES);
    bytes_put_u32le(&header, documents);
    for (size_t i = 0; i < DB_SECTIONS; i++) {
        bytes_put_u64le(&header, w->starts[i]);
        bytes_put_u64le(&header, w->ends[i] - w->starts[i]);
    }
    while (header.length < DB_PAGES_HASH_AT)
        bytes_put_u8(&header, 0);
    bytes_put_u64le(&header, db_hash_bytes(str_text(&w->pages), w->pages.length));
    bytes_put_u64le(&header, db_hash_bytes(header.data, header.length));
    write_at(w, header.data, header.length, 0);
    if (w->sys_errno)
        error_set_errno(e, w->sys_errno, "writing the advisories failed");
    return !w->sys_errno;
}
