#include "collect/hive.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>

enum {
    BASE_BLOCK = 4096,
    CHECKSUM_AT = 508,
    PIECE = 64 * 1024,
    NO_CELL = -1,
    MOST_ITEMS = 65536,             /* subkeys or values of one key */
    MOST_LISTS = 1024,              /* lists in one ri */
    MOST_DATA = 1024 * 1024,        /* bytes of one value, and the maximum Windows advises */
    MOST_LISTED = 16 * 1024 * 1024, /* bytes of names and data in one listing */
    MOST_KEY_NAME = 1024,           /* bytes; Windows allows 255 characters */
    MOST_PARTS = 64,                /* of a path; Windows allows 512 */
    BIG_DATA = 16344,               /* bytes of data in one segment of a db */
    NAME_IS_BYTES = 0x20,           /* nk flags: the name is in Latin-1 */
    VALUE_NAME_IS_BYTES = 1,        /* vk flags */
};
#define RESIDENT 0x80000000u

struct hive {
    const uint8_t *data;
    uint64_t size;
    uint8_t *owned;  /* pages that cost nothing until they are filled; NULL: all is there */
    uint8_t *filled; /* one byte a piece: 1 filled, 2 could not be read */
    hive_fetch *fetch;
    void *self;
    struct hive_info info;
    uint32_t root;
};

/* --- bytes --- */

static bool fill(struct hive *h, uint64_t offset, size_t count, struct error *e)
{
    if (!h->owned)
        return true;
    for (uint64_t piece = offset / PIECE; piece * PIECE < offset + count; piece++) {
        uint64_t start = piece * PIECE;
        size_t want = h->size - start < PIECE ? (size_t)(h->size - start) : PIECE, got = 0;
        if (h->filled[piece] == 1)
            continue;
        if (h->filled[piece] == 2) {
            error_set(e, ERR_UNREADABLE, "a part of the hive could not be read");
            return false;
        }
        h->filled[piece] = 2;
        if (!h->fetch(h->self, start, h->owned + start, want, &got, e))
            return false;
        if (got != want) {
            error_set(e, ERR_UNREADABLE, "the hive ends before its size says");
            return false;
        }
        h->filled[piece] = 1;
    }
    return true;
}

static bool damaged(struct error *e, const char *what, uint32_t cell)
{
    error_set(e, ERR_FORMAT, "the hive is damaged: %s at offset 0x%x", what,
              (unsigned)cell + BASE_BLOCK);
    return false;
}

/* The content of a cell, without its length. Cells in use have a negative length. */
static bool cell_at(struct hive *h, uint32_t cell, struct bytes *out, struct error *e)
{
    uint64_t at = (uint64_t)cell + BASE_BLOCK;
    if (at + 4 > h->size)
        return damaged(e, _("a cell beyond its end"), cell);
    if (!fill(h, at, 4, e))
        return false;
    struct bytes file = bytes_of(h->data, (size_t)h->size);
    bytes_seek(&file, (size_t)at);
    int64_t length = -(int64_t)(int32_t)bytes_u32le(&file);
    if (length < 8 || at + (uint64_t)length > h->size)
        return damaged(e, _("a cell of an impossible length"), cell);
    if (!fill(h, at, (size_t)length, e))
        return false;
    *out = bytes_slice(&file, (size_t)at + 4, (size_t)length - 4);
    return !out->failed || damaged(e, _("a cell"), cell);
}

/* --- opening --- */

static bool read_base(struct hive *h, struct error *e)
{
    if (h->size < BASE_BLOCK + 32) {
        error_set(e, ERR_FORMAT, "is too short for a registry hive");
        return false;
    }
    if (!fill(h, 0, BASE_BLOCK, e))
        return false;
    struct bytes b = bytes_of(h->data, BASE_BLOCK);
    if (memcmp(bytes_take(&b, 4), "regf", 4) != 0) {
        error_set(e, ERR_FORMAT, "is no registry hive: it does not begin with \"regf\"");
        return false;
    }
    h->info.sequence[0] = bytes_u32le(&b);
    h->info.sequence[1] = bytes_u32le(&b);
    /* 100 nanoseconds since 1601 */
    h->info.written = (int64_t)(bytes_u64le(&b) / 10000000) - INT64_C(11644473600);
    h->info.major = bytes_u32le(&b);
    h->info.minor = bytes_u32le(&b);
    bytes_seek(&b, 36);
    h->root = bytes_u32le(&b);
    h->info.declared = BASE_BLOCK + (uint64_t)bytes_u32le(&b); /* the size of its bins */
    h->info.cut = h->info.declared > h->size;
    bytes_seek(&b, 0);
    uint32_t sum = 0;
    for (int i = 0; i < CHECKSUM_AT; i += 4)
        sum ^= bytes_u32le(&b);
    /* 0 and -1 are never stored */
    sum = sum == 0 ? 1 : sum == 0xffffffff ? 0xfffffffe : sum;
    h->info.checksum_good = sum == bytes_u32le(&b);
    h->info.dirty = !h->info.checksum_good || h->info.sequence[0] != h->info.sequence[1];
    h->info.size = h->size;
    if (h->info.major != 1 || h->info.minor < 1 || h->info.minor > 6) {
        error_set(e, ERR_FORMAT, "is a registry hive of format %u.%u, which we do not know",
                  (unsigned)h->info.major, (unsigned)h->info.minor);
        return false;
    }
    struct bytes root;
    const uint8_t *mark;
    if (!cell_at(h, h->root, &root, e))
        return false;
    mark = bytes_take(&root, 2);
    return (mark && memcmp(mark, "nk", 2) == 0) || damaged(e, _("its root is no key"), h->root);
}

void hive_close(struct hive *h)
{
    if (!h)
        return;
    if (h->owned)
        munmap(h->owned, (size_t)h->size);
    free(h->filled);
    free(h);
}

void hive_cleanup(struct hive **h)
{
    hive_close(*h);
}

static bool opened(struct hive **out, struct hive *h, struct error *e)
{
    if (!read_base(h, e)) {
        hive_close(h);
        return false;
    }
    *out = h;
    return true;
}

bool hive_open(struct hive **out, uint64_t size, hive_fetch *fetch, void *self, struct error *e)
{
    if (size > HIVE_MOST_BYTES || size == 0) {
        error_set(e, size ? ERR_LIMIT : ERR_FORMAT, "%s",
                  size ? _("is larger than what we read of a registry hive")
                       : _("is too short for a registry hive"));
        return false;
    }
    void *pages = mmap(NULL, (size_t)size, PROT_READ | PROT_WRITE,
                       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (pages == MAP_FAILED) {
        error_set(e, ERR_LIMIT, "is larger than the memory we may use");
        return false;
    }
    struct hive *h = mem_alloc(sizeof *h);
    *h = (struct hive){.data = pages, .owned = pages, .size = size, .fetch = fetch, .self = self};
    h->filled = mem_alloc((size_t)(size / PIECE) + 1);
    return opened(out, h, e);
}

bool hive_open_bytes(struct hive **out, const void *bytes, size_t size, struct error *e)
{
    struct hive *h = mem_alloc(sizeof *h);
    *h = (struct hive){.data = bytes, .size = size};
    return opened(out, h, e);
}

const struct hive_info *hive_info(const struct hive *h)
{
    return &h->info;
}

uint32_t hive_root(const struct hive *h)
{
    return h->root;
}

/* --- names --- */

static void add_name(struct str *out, const uint8_t *name, size_t length, bool latin1)
{
    for (size_t i = 0; latin1 && i < length; i++)
        str_add_codepoint(out, name[i] ? name[i] : 0xfffd);
    for (size_t i = 0; !latin1 && i + 1 < length; i += 2) {
        /* whole runs at once, so that surrogate pairs stay together */
        size_t run = i;
        while (run + 1 < length && (name[run] || name[run + 1]))
            run += 2;
        str_add_utf16le(out, name + i, run - i);
        if (run + 1 < length)
            str_add_codepoint(out, 0xfffd);
        i = run;
    }
}

static const char *name_of(struct arena *arena, const uint8_t *name, size_t length, bool latin1)
{
    CLEANUP_STR struct str out = {0};
    add_name(&out, name, length, latin1);
    return arena_strndup(arena, str_text(&out), out.length);
}

/* Most names are ASCII in single bytes: those are compared in place. */
static bool name_is(const uint8_t *name, size_t length, bool latin1, const char *wanted,
                    size_t wanted_length)
{
    bool ascii = latin1;
    for (size_t i = 0; ascii && i < length; i++)
        ascii = name[i] < 0x80 && name[i];
    if (ascii) {
        if (length != wanted_length)
            return false;
        for (size_t i = 0; i < length; i++)
            if (str_lower((char)name[i]) != str_lower(wanted[i]))
                return false;
        return true;
    }
    CLEANUP_STR struct str text = {0};
    add_name(&text, name, length, latin1);
    if (text.length != wanted_length)
        return false;
    for (size_t i = 0; i < wanted_length; i++)
        if (str_lower(text.data[i]) != str_lower(wanted[i]))
            return false;
    return true;
}

/* --- keys --- */

struct node {
    uint32_t subkey_count, subkey_list, value_count, value_list;
    const uint8_t *name;
    size_t name_length;
    bool latin1;
};

static bool node_at(struct hive *h, uint32_t key, struct node *out, struct error *e)
{
    struct bytes b;
    if (!cell_at(h, key, &b, e))
        return false;
    const uint8_t *mark = bytes_take(&b, 2);
    if (!mark || memcmp(mark, "nk", 2) != 0)
        return damaged(e, _("a key that is none"), key);
    out->latin1 = bytes_u16le(&b) & NAME_IS_BYTES;
    bytes_seek(&b, 20);
    out->subkey_count = bytes_u32le(&b);
    bytes_skip(&b, 4);
    out->subkey_list = bytes_u32le(&b);
    bytes_skip(&b, 4);
    out->value_count = bytes_u32le(&b);
    out->value_list = bytes_u32le(&b);
    bytes_seek(&b, 72);
    out->name_length = bytes_u16le(&b);
    bytes_seek(&b, 76);
    out->name = bytes_take(&b, out->name_length);
    b.failed |= out->name_length > MOST_KEY_NAME;
    return !b.failed || damaged(e, _("a key cut short"), key);
}

/* Called for each subkey; returns false to stop. */
typedef bool each_subkey(void *context, uint32_t key);

struct walk {
    each_subkey *each;
    void *context;
    uint32_t left; /* subkeys still to be seen, by what the key says */
    bool stopped;
};

static bool walk_list(struct hive *h, uint32_t list, struct walk *w, bool top, struct error *e)
{
    struct bytes b;
    if (!cell_at(h, list, &b, e))
        return false;
    const uint8_t *mark = bytes_take(&b, 2);
    uint16_t count = bytes_u16le(&b);
    if (b.failed)
        return damaged(e, _("a list of keys cut short"), list);
    bool leaf_hash = memcmp(mark, "lf", 2) == 0 || memcmp(mark, "lh", 2) == 0;
    bool leaf = leaf_hash || memcmp(mark, "li", 2) == 0;
    /* A root of lists may hold leaves only: one within another is a circle or damage. */
    if (!leaf && (!top || memcmp(mark, "ri", 2) != 0 || count > MOST_LISTS))
        return damaged(e, _("a list of keys that is none"), list);
    for (uint16_t i = 0; i < count && w->left && !w->stopped; i++) {
        uint32_t item = bytes_u32le(&b);
        if (leaf_hash)
            bytes_skip(&b, 4);
        if (b.failed)
            return damaged(e, _("a list of keys cut short"), list);
        if (!leaf) {
            if (!walk_list(h, item, w, false, e))
                return false;
            continue;
        }
        w->left--;
        w->stopped = !w->each(w->context, item);
    }
    return true;
}

static bool walk_subkeys(struct hive *h, const struct node *n, uint32_t key, each_subkey *each,
                         void *context, struct error *e)
{
    struct walk w = {.each = each, .context = context, .left = n->subkey_count};
    if (!n->subkey_count)
        return true;
    if (n->subkey_count > MOST_ITEMS) {
        error_set(e, ERR_LIMIT, "a key with more than %d subkeys", MOST_ITEMS);
        return false;
    }
    if (n->subkey_list == (uint32_t)NO_CELL)
        return damaged(e, _("a key without its list of subkeys"), key);
    return walk_list(h, n->subkey_list, &w, true, e);
}

struct search {
    struct hive *h;
    const char *name;
    size_t length;
    uint32_t found;
    struct error bad; /* a subkey that could not be looked at: it might have been the one */
};

static bool look(void *context, uint32_t key)
{
    struct search *s = context;
    struct node n;
    if (!node_at(s->h, key, &n, s->bad.code ? NULL : &s->bad))
        return true;
    if (!name_is(n.name, n.name_length, n.latin1, s->name, s->length))
        return true;
    s->found = key;
    return false;
}

bool hive_key(struct hive *h, uint32_t from, const char *path, uint32_t *out, struct error *e)
{
    size_t parts = 0;
    for (const char *part = path; *part;) {
        size_t length = strcspn(part, "\\");
        struct search s = {.h = h, .name = part, .length = length, .found = (uint32_t)NO_CELL};
        part += length + (part[length] == '\\');
        if (!length)
            continue;
        if (++parts > MOST_PARTS) {
            error_set(e, ERR_LIMIT, "a registry path of more than %d parts", MOST_PARTS);
            return false;
        }
        struct node n;
        if (!node_at(h, from, &n, e) || !walk_subkeys(h, &n, from, look, &s, e))
            return false;
        if (s.found == (uint32_t)NO_CELL) {
            if (s.bad.code && e)
                *e = s.bad;
            else if (!s.bad.code)
                error_set(e, ERR_ABSENT, "the key is not there");
            return false;
        }
        from = s.found;
    }
    *out = from;
    return true;
}

struct gather {
    struct hive *h;
    struct arena *arena;
    struct hive_subkey *items;
    size_t count, damaged;
};

static bool take(void *context, uint32_t key)
{
    struct gather *g = context;
    struct node n;
    if (!node_at(g->h, key, &n, NULL)) {
        g->damaged++;
        return true;
    }
    g->items[g->count].name = name_of(g->arena, n.name, n.name_length, n.latin1);
    g->items[g->count++].key = key;
    return true;
}

bool hive_subkeys(struct hive *h, uint32_t key, struct arena *arena, struct hive_subkey **out,
                  size_t *count, size_t *bad, struct error *e)
{
    struct node n;
    if (!node_at(h, key, &n, e))
        return false;
    struct gather g = {.h = h, .arena = arena};
    if (n.subkey_count <= MOST_ITEMS)
        g.items = arena_alloc(arena, (n.subkey_count + 1) * sizeof *g.items);
    if (!walk_subkeys(h, &n, key, take, &g, e))
        return false;
    *out = g.items;
    *count = g.count;
    *bad = g.damaged;
    return true;
}

/* --- values --- */

struct slot {
    const uint8_t *name;
    size_t name_length;
    bool latin1;
    uint32_t type, size, data;
    const uint8_t *resident; /* the four bytes of `data` as they lie there */
};

static bool slot_at(struct hive *h, uint32_t cell, struct slot *out, struct error *e)
{
    struct bytes b;
    if (!cell_at(h, cell, &b, e))
        return false;
    const uint8_t *mark = bytes_take(&b, 2);
    if (!mark || memcmp(mark, "vk", 2) != 0)
        return damaged(e, _("a value that is none"), cell);
    out->name_length = bytes_u16le(&b);
    out->size = bytes_u32le(&b);
    out->resident = bytes_take(&b, 4);
    bytes_seek(&b, 8);
    out->data = bytes_u32le(&b);
    out->type = bytes_u32le(&b);
    out->latin1 = bytes_u16le(&b) & VALUE_NAME_IS_BYTES;
    bytes_skip(&b, 2);
    out->name = bytes_take(&b, out->name_length);
    return !b.failed || damaged(e, _("a value cut short"), cell);
}

/* Data of more than 16,344 bytes, from format 1.4 on: a db with a list of segments. */
static bool big_data(struct hive *h, const struct slot *v, struct bytes *b, struct arena *arena,
                     const uint8_t **out, struct error *e)
{
    bytes_skip(b, 2);
    uint16_t count = bytes_u16le(b);
    uint32_t list = bytes_u32le(b);
    struct bytes offsets;
    if (b->failed || (size_t)count * BIG_DATA < v->size || !cell_at(h, list, &offsets, e))
        return damaged(e, _("a large value"), v->data);
    uint8_t *joined = arena_alloc(arena, v->size ? v->size : 1);
    for (size_t done = 0; done < v->size;) {
        size_t piece = v->size - done < BIG_DATA ? v->size - done : BIG_DATA;
        uint32_t cell = bytes_u32le(&offsets);
        struct bytes segment;
        const uint8_t *from;
        if (offsets.failed || !cell_at(h, cell, &segment, e) ||
            !(from = bytes_take(&segment, piece)))
            return damaged(e, _("a large value"), v->data);
        memcpy(joined + done, from, piece);
        done += piece;
    }
    *out = joined;
    return true;
}

static bool data_of(struct hive *h, const struct slot *v, struct arena *arena,
                    struct hive_value *out, struct error *e)
{
    if (v->size & RESIDENT) {
        size_t size = v->size & ~RESIDENT;
        if (size > 4)
            return damaged(e, _("a value of an impossible length"), v->data);
        out->data = arena_dup(arena, v->resident, size);
        out->size = size;
        return true;
    }
    out->data = (const uint8_t *)"";
    out->size = v->size;
    if (!v->size)
        return true;
    if (v->size > MOST_DATA) {
        error_set(e, ERR_LIMIT, "a registry value of more than %d bytes", MOST_DATA);
        return false;
    }
    struct bytes b;
    if (!cell_at(h, v->data, &b, e))
        return false;
    if (v->size > BIG_DATA && h->info.minor >= 4 && bytes_left(&b) >= 8 &&
        memcmp(b.data, "db", 2) == 0)
        return big_data(h, v, &b, arena, &out->data, e);
    const uint8_t *from = bytes_take(&b, v->size);
    if (!from)
        return damaged(e, _("a value longer than its cell"), v->data);
    out->data = arena_dup(arena, from, v->size);
    return true;
}

static bool value_list(struct hive *h, uint32_t key, struct node *n, struct bytes *out,
                       struct error *e)
{
    if (!node_at(h, key, n, e))
        return false;
    *out = bytes_of("", 0);
    if (!n->value_count)
        return true;
    if (n->value_count > MOST_ITEMS) {
        error_set(e, ERR_LIMIT, "a key with more than %d values", MOST_ITEMS);
        return false;
    }
    if (!cell_at(h, n->value_list, out, e))
        return false;
    return bytes_left(out) / 4 >= n->value_count ||
           damaged(e, _("a list of values"), n->value_list);
}

bool hive_value(struct hive *h, uint32_t key, const char *name, struct arena *arena,
                struct hive_value *out, struct error *e)
{
    struct node n;
    struct bytes list;
    struct error bad = ERROR_INIT;
    if (!value_list(h, key, &n, &list, e))
        return false;
    for (uint32_t i = 0; i < n.value_count; i++) {
        struct slot v;
        if (!slot_at(h, bytes_u32le(&list), &v, bad.code ? NULL : &bad) ||
            !name_is(v.name, v.name_length, v.latin1, name, strlen(name)))
            continue;
        struct hive_value found = {.type = v.type};
        if (!data_of(h, &v, arena, &found, e))
            return false;
        found.name = name_of(arena, v.name, v.name_length, v.latin1);
        *out = found;
        return true;
    }
    if (bad.code && e)
        *e = bad;
    else if (!bad.code)
        error_set(e, ERR_ABSENT, "the value is not there");
    return false;
}

bool hive_values(struct hive *h, uint32_t key, struct arena *arena, struct hive_value **out,
                 size_t *count, size_t *bad, struct error *e)
{
    struct node n;
    struct bytes list;
    if (!value_list(h, key, &n, &list, e))
        return false;
    struct hive_value *items = arena_alloc(arena, (n.value_count + 1) * sizeof *items);
    size_t good = 0, before = arena_used(arena);
    for (uint32_t i = 0; i < n.value_count; i++) {
        struct slot v;
        /* many values may share one cell: what is handed out is bounded, not what is there */
        if (arena_used(arena) - before > MOST_LISTED) {
            error_set(e, ERR_LIMIT, "a key with more than %d bytes of values", MOST_LISTED);
            return false;
        }
        if (!slot_at(h, bytes_u32le(&list), &v, NULL) || !data_of(h, &v, arena, &items[good], NULL))
            continue;
        items[good].type = v.type;
        items[good++].name = name_of(arena, v.name, v.name_length, v.latin1);
    }
    *out = items;
    *count = good;
    *bad = n.value_count - good;
    return true;
}
