#include "collect/apt_lists.h"

#include "base/mem.h"
#include "collect/deb822.h"
#include "collect/dpkg.h"

#include <stdio.h>
#include <stdlib.h>

enum {
    MAGIC = 0x324c4159, /* "YAL2": changes with the layout above, so that old tables are not read */
    MOST_ENTRIES = 2000000,
    MOST_TABLE_BYTES = 256 << 20,
    PIECE_BYTES = 256 << 10,
    MOST_STANZA_BYTES = 4 << 20
};
static const uint64_t most_list_bytes = 2ull << 30;

struct builder {
    struct str table;
    VEC(uint32_t) offsets;
    char arches[16][32];
    uint32_t arch_count;
    bool sorted;
    uint64_t skipped;
};

static void free_builder(struct builder *b)
{
    str_free(&b->table);
    VEC_FREE(&b->offsets);
}

static struct apt_text record_name(const struct builder *b, uint32_t offset)
{
    const uint8_t *r = (const uint8_t *)b->table.data + offset;
    size_t head = r[3] < 100 ? 6 : 4;
    return (struct apt_text){(const char *)r + head, r[0]};
}

static int compare_text(struct apt_text a, struct apt_text b)
{
    size_t n = a.length < b.length ? a.length : b.length;
    int order = n ? memcmp(a.text, b.text, n) : 0;
    return order ? order : (a.length > b.length) - (a.length < b.length);
}

static int by_name(const void *x, const void *y, void *context)
{
    const struct builder *b = context;
    uint32_t left = *(const uint32_t *)x, right = *(const uint32_t *)y;
    int order = compare_text(record_name(b, left), record_name(b, right));
    return order ? order : (left > right) - (left < right);
}

static bool arch_index(struct builder *b, struct apt_text arch, uint8_t *out)
{
    for (uint32_t i = 0; i < b->arch_count; i++)
        if (strlen(b->arches[i]) == arch.length &&
            (!arch.length || memcmp(b->arches[i], arch.text, arch.length) == 0)) {
            *out = (uint8_t)i;
            return true;
        }
    if (b->arch_count == ARRAY_COUNT(b->arches) || arch.length >= sizeof b->arches[0])
        return false;
    if (arch.length)
        memcpy(b->arches[b->arch_count], arch.text, arch.length);
    *out = (uint8_t)b->arch_count++;
    return true;
}

static void add_entry(struct builder *b, const struct apt_entry *e)
{
    uint8_t arch;
    if (!e->name.length || !e->version.length || e->name.length > 255 || e->version.length > 255 ||
        e->source.length > 255 || e->source_version.length > 255 ||
        b->offsets.count >= MOST_ENTRIES || b->table.length >= MOST_TABLE_BYTES ||
        !arch_index(b, e->arch, &arch)) {
        b->skipped++;
        return;
    }
    uint32_t offset = (uint32_t)b->table.length;
    bool phased = e->phased < 100;
    uint8_t head[6] = {
        (uint8_t)e->name.length, (uint8_t)e->version.length, arch,
        (uint8_t)e->phased,      (uint8_t)e->source.length,  (uint8_t)e->source_version.length};
    str_add_bytes(&b->table, head, phased ? 6 : 4);
    str_add_bytes(&b->table, e->name.text, e->name.length);
    str_add_bytes(&b->table, e->version.text, e->version.length);
    if (phased) {
        str_add_bytes(&b->table, e->source.text, e->source.length);
        str_add_bytes(&b->table, e->source_version.text, e->source_version.length);
    }
    if (b->offsets.count && b->sorted)
        b->sorted = compare_text(record_name(b, b->offsets.items[b->offsets.count - 1]),
                                 record_name(b, offset)) <= 0;
    VEC_PUSH(&b->offsets, offset);
}

/* The fields that are wanted, by their whole line beginnings: as apt writes them, and as the
 * archives do. The rest of a stanza is passed over line by line without a look inside. */
enum { PACKAGE, VERSION, ARCHITECTURE, SOURCE, PHASED, FIELDS };
static const struct {
    const char *name;
    size_t length;
} wanted[FIELDS] = {{"package:", 8},
                    {"version:", 8},
                    {"architecture:", 13},
                    {"source:", 7},
                    {"phased-update-percentage:", 25}};

static int which_field(const char *line, size_t length)
{
    switch (line[0] | 0x20) {
    case 'p':
    case 'v':
    case 'a':
    case 's':
        for (int i = 0; i < FIELDS; i++)
            if (length >= wanted[i].length &&
                strncasecmp(line, wanted[i].name, wanted[i].length) == 0)
                return i;
    }
    return -1;
}

static struct apt_text trimmed(const char *text, size_t length)
{
    while (length && str_is_space(*text))
        text++, length--;
    while (length && str_is_space(text[length - 1]))
        length--;
    return (struct apt_text){text, length};
}

static void finish_stanza(struct builder *b, struct apt_text values[FIELDS])
{
    struct apt_entry entry = {.name = values[PACKAGE],
                              .version = values[VERSION],
                              .arch = values[ARCHITECTURE],
                              .phased = 100};
    char number[8] = "";
    uint64_t percent;
    if (values[PHASED].length && values[PHASED].length < sizeof number) {
        memcpy(number, values[PHASED].text, values[PHASED].length);
        if (str_to_u64(number, &percent) && percent < 100)
            entry.phased = (unsigned)percent;
    }
    if (entry.phased < 100) {
        entry.source = entry.name;
        entry.source_version = entry.version;
        if (values[SOURCE].length) {
            struct dpkg_text name, version;
            dpkg_split_source(values[SOURCE].text, values[SOURCE].length, &name, &version);
            entry.source = (struct apt_text){name.text, name.length};
            if (version.length)
                entry.source_version = (struct apt_text){version.text, version.length};
        }
    }
    add_entry(b, &entry);
    memset(values, 0, FIELDS * sizeof *values);
}

/* Whole stanzas only, the last one ended or at the end of the list. */
static void read_stanzas(struct builder *b, const char *data, size_t size)
{
    struct apt_text values[FIELDS] = {0};
    bool any = false;
    for (size_t at = 0; at < size;) {
        const char *line = data + at;
        const char *end = memchr(line, '\n', size - at);
        size_t length = end ? (size_t)(end - line) : size - at;
        at += length + 1;
        if (!length || (length == 1 && *line == '\r')) {
            if (any)
                finish_stanza(b, values);
            any = false;
            continue;
        }
        any = true;
        int field = which_field(line, length);
        if (field >= 0)
            values[field] = trimmed(line + wanted[field].length, length - wanted[field].length);
    }
    if (any)
        finish_stanza(b, values);
}

/* Just behind the last empty line, or 0. */
static size_t last_stanza_end(const char *data, size_t size)
{
    for (size_t at = size; at > 1;) {
        const char *newline = memrchr(data, '\n', at);
        if (!newline || newline == data)
            return 0;
        size_t i = (size_t)(newline - data);
        if (data[i - 1] == '\n' || (i > 1 && data[i - 1] == '\r' && data[i - 2] == '\n'))
            return i + 1;
        at = i;
    }
    return 0;
}

static void put_head(struct str *out, size_t index)
{
    bytes_put_u32le(out, MAGIC);
    bytes_put_u32le(out, (uint32_t)index);
}

static void add_index(struct builder *b)
{
    CLEANUP_STR struct str head = {0};
    struct str *table = &b->table;
    put_head(&head, table->length);
    memcpy(table->data, head.data, head.length);
    bytes_put_u32le(table, b->arch_count);
    for (uint32_t i = 0; i < b->arch_count; i++) {
        bytes_put_u8(table, (uint8_t)strlen(b->arches[i]));
        str_add(table, b->arches[i]);
    }
    bytes_put_u32le(table, (uint32_t)b->offsets.count);
    for (size_t i = 0; i < b->offsets.count; i++)
        bytes_put_u32le(table, b->offsets.items[i]);
}

bool apt_list_build(struct str *table, uint64_t *skipped, struct unpack *in, struct error *e)
{
    CLEANUP(free_builder) struct builder b = {.sorted = true};
    put_head(&b.table, 0);
    size_t capacity = PIECE_BYTES, used = 0;
    CLEANUP_FREE char *buffer = mem_alloc(capacity);
    for (bool more = true; more;) {
        size_t got = 0;
        if (used == capacity) {
            if (capacity >= MOST_STANZA_BYTES) {
                error_set(e, ERR_LIMIT, "one entry is over 4 MiB long");
                return false;
            }
            capacity *= 2;
            buffer = mem_resize(buffer, capacity);
        }
        if (!unpack_read(in, buffer + used, capacity - used, &got, e))
            return false;
        more = used + got == capacity;
        used += got;
        size_t whole = more ? last_stanza_end(buffer, used) : used;
        read_stanzas(&b, buffer, whole);
        memmove(buffer, buffer + whole, used - whole);
        used -= whole;
    }
    if (!b.sorted)
        qsort_r(b.offsets.items, b.offsets.count, sizeof *b.offsets.items, by_name, &b);
    add_index(&b);
    *table = b.table;
    b.table = (struct str){0};
    *skipped = b.skipped;
    return true;
}

bool apt_list_open(struct apt_list *out, const void *table, size_t size)
{
    struct bytes b = bytes_of(table, size);
    struct apt_list list = {.all = b};
    if (bytes_u32le(&b) != MAGIC)
        return false;
    bytes_seek(&b, bytes_u32le(&b));
    list.arch_count = bytes_u32le(&b);
    if (b.failed || list.arch_count > ARRAY_COUNT(list.arches))
        return false;
    for (uint32_t i = 0; i < list.arch_count; i++) {
        list.arches[i].length = bytes_u8(&b);
        list.arches[i].text = (const char *)bytes_take(&b, list.arches[i].length);
    }
    list.count = bytes_u32le(&b);
    list.offsets = b.position;
    if (b.failed || list.count > MOST_ENTRIES || bytes_left(&b) < 4 * (size_t)list.count)
        return false;
    *out = list;
    return true;
}

bool apt_list_at(const struct apt_list *list, uint32_t index, struct apt_entry *out)
{
    struct bytes b = list->all;
    bytes_seek(&b, list->offsets + 4 * (size_t)index);
    bytes_seek(&b, bytes_u32le(&b));
    struct apt_entry e = {0};
    e.name.length = bytes_u8(&b);
    e.version.length = bytes_u8(&b);
    uint8_t arch = bytes_u8(&b);
    e.phased = bytes_u8(&b);
    if (e.phased < 100) {
        e.source.length = bytes_u8(&b);
        e.source_version.length = bytes_u8(&b);
    }
    e.name.text = (const char *)bytes_take(&b, e.name.length);
    e.version.text = (const char *)bytes_take(&b, e.version.length);
    e.source.text = (const char *)bytes_take(&b, e.source.length);
    e.source_version.text = (const char *)bytes_take(&b, e.source_version.length);
    if (b.failed || arch >= list->arch_count)
        return false;
    e.arch = list->arches[arch];
    *out = e;
    return true;
}

/* Only the name: what a search looks at. Empty where the table is damaged. */
static struct apt_text name_at(const struct apt_list *list, uint32_t index)
{
    struct bytes b = list->all;
    bytes_seek(&b, list->offsets + 4 * (size_t)index);
    bytes_seek(&b, bytes_u32le(&b));
    const uint8_t *head = bytes_take(&b, 4);
    if (!head)
        return (struct apt_text){"", 0};
    size_t length = head[0];
    if (head[3] < 100)
        bytes_skip(&b, 2);
    const uint8_t *name = bytes_take(&b, length);
    return name ? (struct apt_text){(const char *)name, length} : (struct apt_text){"", 0};
}

bool apt_list_find(const struct apt_list *list, const char *name, uint32_t *first, uint32_t *count)
{
    struct apt_text wanted_name = {name, strlen(name)};
    uint32_t low = 0, high = list->count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (compare_text(name_at(list, middle), wanted_name) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    uint32_t end = low;
    while (end < list->count && compare_text(name_at(list, end), wanted_name) == 0)
        end++;
    *first = low;
    *count = end - low;
    return end > low;
}

bool apt_list_load(struct apt_list *out, char **owned, uint64_t *skipped, struct target *target,
                   const char *path, const struct cache *cache, struct error *e)
{
    struct target_stat st;
    if (!target_stat(target, path, true, &st, e))
        return false;
    CLEANUP_STR struct str key = {0}, slot = {0};
    str_printf(&slot, "apt-list %s %s", target_name(target), path);
    str_printf(&key, "%s size=%llu mtime=%lld ctime=%lld inode=%llu table=%x", str_text(&slot),
               (unsigned long long)st.size, (long long)st.mtime, (long long)st.ctime,
               (unsigned long long)st.inode, (unsigned)MAGIC);
    const void *data = NULL;
    size_t size = 0;
    *owned = NULL;
    *skipped = 0;
    if (cache && cache->get(cache->self, str_text(&key), &data, &size) &&
        apt_list_open(out, data, size))
        return true;
    struct unpack_file file = {target, path};
    struct unpack_source source = unpack_from_target(&file);
    CLEANUP_UNPACK struct unpack *in = NULL;
    struct str table = {0};
    if (!unpack_open(&in, &source, most_list_bytes, e) || !apt_list_build(&table, skipped, in, e)) {
        error_at(e, path, 0, 0);
        return false;
    }
    if (cache && !*skipped)
        cache->put(cache->self, str_text(&slot), str_text(&key), table.data, table.length);
    *owned = table.data;
    return apt_list_open(out, table.data, table.length);
}
