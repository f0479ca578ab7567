#include "feed/members.h"

#include "base/bytes.h"
#include "base/mem.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

enum { HEADER_BYTES = 1 + 4 + 8 };

void member_frame_free(struct member_frame *m)
{
    str_free(&m->name);
    str_free(&m->body);
}

static bool read_all(int fd, void *out, size_t size)
{
    char *p = out;
    while (size) {
        ssize_t n = read(fd, p, size);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return false;
        p += n;
        size -= (size_t)n;
    }
    return true;
}

/* In pieces, so that a length that lies costs no more memory than what comes. */
static bool read_into(int fd, struct str *out, uint64_t size)
{
    enum { PIECE_BYTES = 256 * 1024 };
    str_clear(out);
    CLEANUP_FREE char *piece = mem_resize(NULL, PIECE_BYTES);
    while (size) {
        size_t n = size < PIECE_BYTES ? (size_t)size : PIECE_BYTES;
        if (!read_all(fd, piece, n))
            return false;
        str_add_bytes(out, piece, n);
        size -= n;
    }
    return true;
}

void member_read(int fd, struct member_frame *out)
{
    unsigned char header[HEADER_BYTES];
    out->kind = MEMBER_BROKEN;
    if (!read_all(fd, header, sizeof header))
        return;
    struct bytes in = bytes_of(header, sizeof header);
    uint8_t kind = bytes_u8(&in);
    uint32_t name = bytes_u32le(&in);
    uint64_t size = bytes_u64le(&in);
    if (kind >= MEMBER_BROKEN || name > MEMBER_MOST_NAME || size > MEMBER_MOST_BYTES ||
        !read_into(fd, &out->name, name) || !read_into(fd, &out->body, size))
        return;
    if (strlen(str_text(&out->name)) != out->name.length)
        return;
    out->kind = (enum member_kind)kind;
}

static bool write_all(int fd, const char *bytes, size_t size)
{
    while (size) {
        ssize_t n = write(fd, bytes, size);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return false;
        bytes += n;
        size -= (size_t)n;
    }
    return true;
}

bool member_write(int fd, enum member_kind kind, const char *name, const void *body, size_t size)
{
    CLEANUP_STR struct str label = {0}, header = {0};
    str_add_printable(&label, name, strlen(name));
    size_t length = label.length < MEMBER_MOST_NAME ? label.length : MEMBER_MOST_NAME;
    length = str_utf8_valid_prefix(str_text(&label), length);
    bytes_put_u8(&header, (uint8_t)kind);
    bytes_put_u32le(&header, (uint32_t)length);
    bytes_put_u64le(&header, size);
    str_add_bytes(&header, str_text(&label), length);
    return write_all(fd, header.data, header.length) && write_all(fd, body, size);
}

static const char *const archive_endings[] = {
    ".zip", ".tar",     ".tar.gz",  ".tgz",      ".tar.zst", ".tar.xz",
    ".txz", ".tar.bz2", ".json.gz", ".json.zst", ".json.xz", ".json.bz2",
};

bool member_is_archive(const char *name)
{
    for (size_t i = 0; i < ARRAY_COUNT(archive_endings); i++)
        if (str_ends_nocase(name, archive_endings[i]))
            return true;
    return false;
}
