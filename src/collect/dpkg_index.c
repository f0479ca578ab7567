#include "collect/dpkg_index.h"

#include "base/str.h"
#include "collect/deb822.h"

#include <stdio.h>
#include <stdlib.h>

static const char folder[] = "/var/lib/dpkg/info", status[] = "/var/lib/dpkg/status",
                  diversions[] = "/var/lib/dpkg/diversions";
enum {
    MAGIC = 0x32495844, /* "DXI2" */
    MOST_STATUS_BYTES = 256 << 20,
    MOST_LIST_BYTES = 64 << 20,
    MOST_PATH = 4096,
    MOST_ENTRIES = 2000000,
    HAS_MD5 = 1,
    CONFFILE = 2,
    HEAD_BYTES = 20
};

/* The block: magic, entries, packages, unread, merged; where each package and each entry begins
 * (u32 each, from the start of the block); the packages; the entries: u32 package, u8 flags, MD5,
 * path. */
struct dpkg_index {
    struct bytes block;
    uint32_t entries, packages, unread;
    bool merged;
};

struct row {
    const char *path; /* absolute and canonical */
    uint32_t package;
    uint8_t flags;
    uint8_t md5[MD5_BYTES];
};

struct diversion {
    const char *from, *to, *by;
};

struct build {
    struct collection *c;
    struct arena *arena; /* of the building alone */
    VEC(struct row) rows;
    VEC(const char *) packages;
    VEC(struct diversion) diversions;
    VEC(const char *) with_sums; /* names of lists, without ".list" */
    uint32_t unread;
    bool merged;
};

/* --- names --- */

/* "/bin/x" is "/usr/bin/x" where the first is a link into the second. */
static bool is_merged_folder(const char *path)
{
    static const char *const folders[] = {"/bin/",   "/sbin/",  "/lib/",
                                          "/lib32/", "/lib64/", "/libx32/"};
    for (size_t i = 0; i < ARRAY_COUNT(folders); i++)
        if (str_starts(path, folders[i]))
            return true;
    return false;
}

static const char *canonical(struct arena *arena, bool merged, const char *path)
{
    return merged && is_merged_folder(path) ? arena_printf(arena, "/usr%s", path) : path;
}

static bool is_kept(const char *path)
{
    static const char *const left_out[] = {"/usr/share/", "/usr/include/", "/usr/src/"};
    /* originals of files that are copied, and what starts programs */
    static const char *const kept[] = {"/usr/share/base-files/", "/usr/share/libc-bin/",
                                       "/usr/share/dbus-1/",     "/usr/share/polkit-1/",
                                       "/usr/share/systemd/",    "/usr/share/initramfs-tools/"};
    if (strstr(path, "/."))
        return true;
    for (size_t i = 0; i < ARRAY_COUNT(kept); i++)
        if (str_starts(path, kept[i]))
            return true;
    for (size_t i = 0; i < ARRAY_COUNT(left_out); i++)
        if (str_starts(path, left_out[i]))
            return false;
    return true;
}

static const char *diverted(const struct build *b, const char *path, const char *package)
{
    for (size_t i = 0; i < b->diversions.count; i++) {
        const struct diversion *d = &b->diversions.items[i];
        if (str_equal(d->from, path) && !str_equal(d->by, package))
            return d->to;
    }
    return path;
}

static void add(struct build *b, const char *path, size_t length, uint32_t package, uint8_t flags,
                const uint8_t *md5)
{
    if (!length || length >= MOST_PATH || b->rows.count >= MOST_ENTRIES)
        return;
    struct row row = {.package = package, .flags = flags};
    if (length > 2 && path[0] == '.' && path[1] == '/')
        path++, length--;
    bool rooted = path[0] == '/';
    char text[MOST_PATH + 2];
    snprintf(text, sizeof text, "%s%.*s", rooted ? "" : "/", (int)length, path);
    const char *name = canonical(b->arena, b->merged, text);
    if (b->diversions.count)
        name = diverted(b, name, b->packages.items[package]);
    if (!is_kept(name))
        return;
    row.path = arena_strdup(b->arena, name);
    if (md5)
        memcpy(row.md5, md5, MD5_BYTES);
    VEC_PUSH(&b->rows, row);
}

/* --- reading --- */

static int digit(char c)
{
    return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static bool read_md5(const char *text, uint8_t out[MD5_BYTES])
{
    for (size_t i = 0; i < MD5_BYTES; i++) {
        int high = digit(text[2 * i]), low = high < 0 ? -1 : digit(text[2 * i + 1]);
        if (low < 0)
            return false;
        out[i] = (uint8_t)(high << 4 | low);
    }
    return true;
}

static void take_sums(struct build *b, const char *text, size_t size, uint32_t package)
{
    size_t position = 0, length;
    const char *line;
    while (str_next_line(text, size, &position, &line, &length)) {
        enum { START = MD5_DIGITS + 2 };
        uint8_t md5[MD5_BYTES];
        if (length > START && line[START - 1] == ' ' && line[START - 2] == ' ' &&
            read_md5(line, md5))
            add(b, line + START, length - START, package, HAS_MD5, md5);
    }
}

static void take_list(struct build *b, const char *text, size_t size, uint32_t package)
{
    size_t position = 0, length;
    const char *line;
    while (str_next_line(text, size, &position, &line, &length))
        if (length > 1 && line[0] == '/' && line[1] != '.')
            add(b, line, length, package, 0, NULL);
}

/* " /etc/x 0123...ef [obsolete]", one a line. */
static void take_conffiles(struct build *b, const struct deb822_field *field, uint32_t package)
{
    size_t position = 0, length;
    const char *line;
    while (str_next_line(field->value, field->value_length, &position, &line, &length)) {
        while (length && str_is_space(*line))
            line++, length--;
        const char *space = memchr(line, ' ', length);
        uint8_t md5[MD5_BYTES];
        size_t path = space ? (size_t)(space - line) : 0;
        if (path && length - path > MD5_DIGITS && read_md5(space + 1, md5))
            add(b, line, path, package, HAS_MD5 | CONFFILE, md5);
    }
}

static uint32_t add_package(struct build *b, const char *name, size_t length)
{
    VEC_PUSH(&b->packages, (const char *)arena_strndup(b->arena, name, length));
    return (uint32_t)b->packages.count - 1;
}

static bool read_status(struct build *b, struct error *e)
{
    static const char *const names[] = {"Package", "Conffiles"};
    struct deb822_field f[ARRAY_COUNT(names)];
    CLEANUP_FREE char *text = NULL;
    size_t size;
    uint64_t line;
    if (!target_read(b->c->target, status, MOST_STATUS_BYTES, &text, &size, e))
        return false;
    struct deb822 reader = deb822_of(text, size);
    while (deb822_stanza(&reader, names, f, ARRAY_COUNT(names), &line))
        if (f[0].name && f[1].name)
            take_conffiles(b, &f[1], add_package(b, f[0].value, f[0].value_length));
    return true;
}

/* Three lines each: the name, where it went, and who asked for it (":" is the administrator). */
static void read_diversions(struct build *b)
{
    CLEANUP_FREE char *text = NULL;
    size_t size = 0, position = 0, length;
    struct error e = ERROR_INIT;
    const char *line;
    if (!target_read(b->c->target, diversions, MOST_LIST_BYTES, &text, &size, &e)) {
        b->unread += e.code != ERR_ABSENT;
        return;
    }
    const char *part[3];
    for (size_t i = 0; str_next_line(text, size, &position, &line, &length); i++) {
        part[i % 3] = arena_strndup(b->arena, line, length);
        if (i % 3 == 2)
            VEC_PUSH(&b->diversions,
                     ((struct diversion){canonical(b->arena, b->merged, part[0]),
                                         canonical(b->arena, b->merged, part[1]), part[2]}));
    }
}

static bool had_sums(const struct build *b, const char *name, size_t length)
{
    size_t low = 0, high = b->with_sums.count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = strncmp(b->with_sums.items[middle], name, length);
        if (!order && b->with_sums.items[middle][length])
            order = 1;
        if (!order)
            return true;
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return false;
}

static int by_text(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* `suffix` is ".md5sums" first, then ".list" of those that had none. */
static void read_lists(struct build *b, const struct target_entry *entries, size_t count,
                       const char *suffix)
{
    bool sums = str_equal(suffix, ".md5sums");
    for (size_t i = 0; i < count; i++) {
        if (!str_ends(entries[i].name, suffix))
            continue;
        size_t length = strlen(entries[i].name) - strlen(suffix), size;
        char path[sizeof folder + 300];
        CLEANUP_FREE char *text = NULL;
        if (!sums && had_sums(b, entries[i].name, length))
            continue;
        snprintf(path, sizeof path, "%s/%s", folder, entries[i].name);
        if (!target_read(b->c->target, path, MOST_LIST_BYTES, &text, &size, NULL)) {
            b->unread++;
            continue;
        }
        size_t name = strcspn(entries[i].name, ":");
        uint32_t package = add_package(b, entries[i].name, name < length ? name : length);
        if (sums) {
            take_sums(b, text, size, package);
            VEC_PUSH(&b->with_sums, (const char *)arena_strndup(b->arena, entries[i].name, length));
        } else {
            take_list(b, text, size, package);
        }
    }
    if (sums && b->with_sums.count)
        qsort(b->with_sums.items, b->with_sums.count, sizeof *b->with_sums.items, by_text);
}

/* --- the block --- */

/* Those with a checksum first, so that they are found. */
static int by_path(const void *a, const void *b)
{
    const struct row *x = a, *y = b;
    int order = strcmp(x->path, y->path);
    return order ? order : (y->flags & HAS_MD5) - (x->flags & HAS_MD5);
}

static void write_block(struct build *b, struct str *out)
{
    CLEANUP_STR struct str names = {0};
    uint32_t at = HEAD_BYTES + 4 * (uint32_t)(b->packages.count + b->rows.count);
    bytes_put_u32le(out, MAGIC);
    bytes_put_u32le(out, (uint32_t)b->rows.count);
    bytes_put_u32le(out, (uint32_t)b->packages.count);
    bytes_put_u32le(out, b->unread);
    bytes_put_u32le(out, b->merged);
    for (size_t i = 0; i < b->packages.count; i++) {
        bytes_put_u32le(out, at + (uint32_t)names.length);
        bytes_put_string(&names, b->packages.items[i]);
    }
    for (size_t i = 0; i < b->rows.count; i++) {
        const struct row *row = &b->rows.items[i];
        bytes_put_u32le(out, at + (uint32_t)names.length);
        bytes_put_u32le(&names, row->package);
        bytes_put_u8(&names, row->flags);
        str_add_bytes(&names, row->md5, MD5_BYTES);
        bytes_put_string(&names, row->path);
    }
    str_add_bytes(out, str_text(&names), names.length);
}

static bool read_head(struct dpkg_index *ix, struct bytes block)
{
    ix->block = block;
    bool known = bytes_u32le(&block) == MAGIC;
    ix->entries = bytes_u32le(&block);
    ix->packages = bytes_u32le(&block);
    ix->unread = bytes_u32le(&block);
    ix->merged = bytes_u32le(&block) != 0;
    return known && !block.failed && ix->entries <= MOST_ENTRIES && ix->packages <= MOST_ENTRIES &&
           HEAD_BYTES + 4 * ((size_t)ix->entries + ix->packages) <= block.size;
}

static const char *cache_key(struct collection *c, struct arena *arena)
{
    static const char *const of[] = {folder, status, diversions};
    CLEANUP_STR struct str key = {0};
    str_printf(&key, "dpkg-index %s table=%x", target_name(c->target), (unsigned)MAGIC);
    for (size_t i = 0; i < ARRAY_COUNT(of); i++) {
        struct target_stat st = {0};
        if (!target_stat(c->target, of[i], true, &st, NULL) && i < 2)
            return NULL;
        str_printf(&key, " %llu/%lld/%lld/%llu", (unsigned long long)st.inode, (long long)st.mtime,
                   (long long)st.ctime, (unsigned long long)st.size);
    }
    return arena_strdup(arena, str_text(&key));
}

static bool build_block(struct collection *c, struct str *out, struct error *e)
{
    CLEANUP_ARENA struct arena *arena = arena_new();
    struct build b = {.c = c, .arena = arena};
    struct target_entry *entries = NULL;
    struct target_stat st;
    size_t count = 0;
    b.merged = target_stat(c->target, "/bin", false, &st, NULL) && st.type == TARGET_LINK;
    if (!target_list(c->target, folder, arena, &entries, &count, e))
        return false;
    read_diversions(&b);
    bool good = read_status(&b, e);
    if (good) {
        read_lists(&b, entries, count, ".md5sums");
        read_lists(&b, entries, count, ".list");
        if (b.rows.count)
            qsort(b.rows.items, b.rows.count, sizeof *b.rows.items, by_path);
        write_block(&b, out);
    }
    VEC_FREE(&b.rows);
    VEC_FREE(&b.packages);
    VEC_FREE(&b.diversions);
    VEC_FREE(&b.with_sums);
    return good;
}

bool dpkg_index_open(struct dpkg_index **out, struct collection *c, struct arena *arena,
                     struct error *e)
{
    const char *key = c->cache ? cache_key(c, arena) : NULL;
    struct dpkg_index *ix = arena_alloc(arena, sizeof *ix);
    const void *data = NULL;
    size_t size = 0;
    CLEANUP_STR struct str block = {0};
    bool have = key && c->cache->get(c->cache->self, key, &data, &size) &&
                read_head(ix, bytes_of(data, size));
    if (!have) {
        if (!build_block(c, &block, e))
            return false;
        if (key)
            c->cache->put(c->cache->self,
                          arena_printf(arena, "dpkg-index %s", target_name(c->target)), key,
                          block.data, block.length);
        (void)!read_head(ix, bytes_of(arena_dup(arena, block.data, block.length), block.length));
    }
    *out = ix;
    return true;
}

/* --- asking --- */

size_t dpkg_index_count(const struct dpkg_index *ix)
{
    return ix->entries;
}

size_t dpkg_index_unread(const struct dpkg_index *ix)
{
    return ix->unread;
}

static struct bytes record_at(const struct dpkg_index *ix, size_t number)
{
    struct bytes b = ix->block;
    bytes_seek(&b, HEAD_BYTES + 4 * number);
    uint32_t at = bytes_u32le(&b);
    bytes_seek(&b, at);
    return b;
}

bool dpkg_index_at(const struct dpkg_index *ix, size_t index, struct arena *arena,
                   struct dpkg_entry *out)
{
    size_t path_length, name_length;
    struct bytes b = record_at(ix, ix->packages + index);
    uint32_t package = bytes_u32le(&b);
    uint8_t flags = bytes_u8(&b);
    const uint8_t *md5 = bytes_take(&b, MD5_BYTES);
    const char *path = bytes_string(&b, MOST_PATH, &path_length);
    if (!path || !md5 || index >= ix->entries || package >= ix->packages)
        return false;
    struct bytes of = record_at(ix, package);
    const char *name = bytes_string(&of, MOST_PATH, &name_length);
    if (!name)
        return false;
    *out = (struct dpkg_entry){.path = arena_strndup(arena, path, path_length),
                               .package = arena_strndup(arena, name, name_length),
                               .has_md5 = flags & HAS_MD5,
                               .conffile = flags & CONFFILE};
    memcpy(out->md5, md5, MD5_BYTES);
    return true;
}

static int compare_at(const struct dpkg_index *ix, size_t index, const char *path, size_t length)
{
    size_t found_length;
    struct bytes b = record_at(ix, ix->packages + index);
    bytes_skip(&b, 4 + 1 + MD5_BYTES);
    const char *found = bytes_string(&b, MOST_PATH, &found_length);
    if (!found)
        return 1;
    int order = memcmp(found, path, found_length < length ? found_length : length);
    return order ? order : found_length < length ? -1 : found_length > length;
}

bool dpkg_index_find(const struct dpkg_index *ix, const char *path, const uint8_t *md5,
                     struct arena *arena, struct dpkg_entry *out)
{
    size_t low = 0, high = ix->entries;
    const char *name = canonical(arena, ix->merged, path);
    size_t length = strlen(name);
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (compare_at(ix, middle, name, length) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    if (low >= ix->entries || compare_at(ix, low, name, length) != 0 ||
        !dpkg_index_at(ix, low, arena, out))
        return false;
    struct dpkg_entry other;
    for (size_t i = low; md5 && i < ix->entries && compare_at(ix, i, name, length) == 0; i++)
        if (dpkg_index_at(ix, i, arena, &other) && other.has_md5 &&
            memcmp(other.md5, md5, MD5_BYTES) == 0) {
            *out = other;
            break;
        }
    return true;
}
