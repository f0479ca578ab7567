#include "base/tar_writer.h"

#include "base/mem.h"
#include "base/str.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/sysmacros.h>

enum { BLOCK = 512, MOST_NAME = 100 };
static const uint64_t most_octal7 = 07777777, most_octal11 = 077777777777;

/* pax(1), "ustar Interchange Format" */
struct header {
    char name[100], mode[8], uid[8], gid[8], size[12], mtime[12], checksum[8], type, link[100];
    char magic[6], version[2], owner[32], group[32], major[8], minor[8], prefix[155], rest[12];
};
_Static_assert(sizeof(struct header) == BLOCK, "a header is one block");

static void octal(char *out, size_t size, uint64_t value)
{
    char text[24];
    snprintf(text, sizeof text, "%0*" PRIo64, (int)size - 1, value);
    memcpy(out, text, size); /* the last one is the NUL */
}

static uint64_t fits(uint64_t value, uint64_t most)
{
    return value <= most ? value : most;
}

static bool put_header(struct tar_writer *t, struct header *h, struct error *e)
{
    const unsigned char *bytes = (const unsigned char *)h;
    unsigned sum = 0;
    memcpy(h->magic, "ustar", 6);
    memcpy(h->version, "00", 2);
    memset(h->checksum, ' ', sizeof h->checksum);
    for (size_t i = 0; i < sizeof *h; i++)
        sum += bytes[i];
    octal(h->checksum, 7, sum); /* six digits, NUL, space */
    return t->write(t->context, h, sizeof *h, e);
}

static bool put_padding(struct tar_writer *t, uint64_t size, struct error *e)
{
    static const char zeros[BLOCK];
    size_t rest = (size_t)(size % BLOCK);
    return !rest || t->write(t->context, zeros, BLOCK - rest, e);
}

/* "LENGTH KEY=VALUE\n", the length counting its own digits. */
static void add_record(struct str *out, const char *key, const char *value)
{
    size_t body = strlen(key) + strlen(value) + 3, digits = 1, length = body + 1;
    while (snprintf(NULL, 0, "%zu", length) != (int)digits) {
        digits++;
        length = body + digits;
    }
    str_printf(out, "%zu %s=%s\n", length, key, value);
}

static void add_number(struct str *out, const char *key, uint64_t value)
{
    char text[24];
    snprintf(text, sizeof text, "%" PRIu64, value);
    add_record(out, key, text);
}

static bool is_plain(const char *name)
{
    for (const char *c = name; *c; c++)
        if ((unsigned char)*c > 126 || (unsigned char)*c < 32)
            return false;
    return strlen(name) < MOST_NAME;
}

static bool put_extended(struct tar_writer *t, const char *name, const struct stat *st,
                         uint64_t size, const char *link, struct error *e)
{
    CLEANUP_STR struct str records = {0};
    char time[48];
    if (!str_utf8_valid(name) || !str_utf8_valid(link))
        add_record(&records, "hdrcharset", "BINARY");
    if (!is_plain(name))
        add_record(&records, "path", name);
    if (!is_plain(link))
        add_record(&records, "linkpath", link);
    if (size > most_octal11)
        add_number(&records, "size", size);
    if (st->st_uid > most_octal7)
        add_number(&records, "uid", st->st_uid);
    if (st->st_gid > most_octal7)
        add_number(&records, "gid", st->st_gid);
    snprintf(time, sizeof time, "%lld.%09ld", (long long)st->st_mtim.tv_sec, st->st_mtim.tv_nsec);
    add_record(&records, "mtime", time);
    struct header h = {.type = 'x'};
    snprintf(h.name, sizeof h.name, "PaxHeaders/%.80s", is_plain(name) ? name : "name");
    octal(h.mode, sizeof h.mode, 0600);
    octal(h.uid, sizeof h.uid, 0);
    octal(h.gid, sizeof h.gid, 0);
    octal(h.size, sizeof h.size, records.length);
    octal(h.mtime, sizeof h.mtime, 0);
    return put_header(t, &h, e) && t->write(t->context, records.data, records.length, e) &&
           put_padding(t, records.length, e);
}

static char type_of(mode_t mode)
{
    return S_ISREG(mode)    ? '0'
           : S_ISLNK(mode)  ? '2'
           : S_ISCHR(mode)  ? '3'
           : S_ISBLK(mode)  ? '4'
           : S_ISDIR(mode)  ? '5'
           : S_ISFIFO(mode) ? '6'
                            : '\0';
}

bool tar_begin(struct tar_writer *t, const char *name, const struct stat *st, const char *link,
               struct error *e)
{
    struct header h = {.type = type_of(st->st_mode)};
    uint64_t size = S_ISREG(st->st_mode) ? (uint64_t)st->st_size : 0;
    const char *to = S_ISLNK(st->st_mode) && link ? link : "";
    if (!h.type) {
        error_set(e, ERR_UNSUPPORTED, "an archive cannot hold it (a socket): %.200s", name);
        return false;
    }
    if (!put_extended(t, name, st, size, to, e))
        return false;
    memcpy(h.name, name, strnlen(name, sizeof h.name));
    memcpy(h.link, to, strnlen(to, sizeof h.link));
    octal(h.mode, sizeof h.mode, st->st_mode & 07777);
    octal(h.uid, sizeof h.uid, fits(st->st_uid, most_octal7));
    octal(h.gid, sizeof h.gid, fits(st->st_gid, most_octal7));
    octal(h.size, sizeof h.size, fits(size, most_octal11));
    octal(h.mtime, sizeof h.mtime, st->st_mtim.tv_sec > 0 ? (uint64_t)st->st_mtim.tv_sec : 0);
    if (h.type == '3' || h.type == '4') {
        octal(h.major, sizeof h.major, fits(major(st->st_rdev), most_octal7));
        octal(h.minor, sizeof h.minor, fits(minor(st->st_rdev), most_octal7));
    }
    t->left = size;
    t->padding = (unsigned)(size % BLOCK);
    return put_header(t, &h, e);
}

bool tar_add(struct tar_writer *t, const void *bytes, size_t size, struct error *e)
{
    size_t taken = size < t->left ? size : (size_t)t->left;
    t->left -= taken;
    return !taken || t->write(t->context, bytes, taken, e);
}

bool tar_end_member(struct tar_writer *t, uint64_t *missing, struct error *e)
{
    static const char zeros[BLOCK];
    *missing = t->left;
    while (t->left)
        if (!tar_add(t, zeros, sizeof zeros, e))
            return false;
    return put_padding(t, t->padding, e);
}

bool tar_end(struct tar_writer *t, struct error *e)
{
    static const char zeros[2 * BLOCK];
    return t->write(t->context, zeros, sizeof zeros, e);
}
