#include "target/image_protocol.h"

#include "target/ops.h"

#include <stdlib.h>

enum { MOST_MESSAGE = 512, MOST_NAME = 1024, MOST_TEXT = 256, TYPE_UNTOLD = 255 };

bool image_protocol_put_request(struct str *out, const struct image_request *r, const char *path)
{
    if (strlen(path) >= IMAGE_MOST_PATH)
        return false;
    bytes_put_u64le(out, r->id);
    bytes_put_u8(out, (uint8_t)r->op);
    bytes_put_u8(out, r->follow);
    bytes_put_u32le(out, r->volume);
    bytes_put_u64le(out, r->offset);
    bytes_put_u64le(out, r->count);
    bytes_put_string(out, path);
    return true;
}

bool image_protocol_get_request(struct image_request *out, const void *packet, size_t size)
{
    struct bytes in = bytes_of(packet, size);
    struct image_request r = {.id = bytes_u64le(&in)};
    uint8_t op = bytes_u8(&in);
    r.follow = bytes_u8(&in) != 0;
    r.volume = bytes_u32le(&in);
    r.offset = bytes_u64le(&in);
    r.count = bytes_u64le(&in);
    size_t length = 0;
    const char *path = bytes_string(&in, sizeof r.path - 1, &length);
    if (in.failed || bytes_left(&in) || op < IMAGE_VOLUMES || op >= IMAGE_OP_END)
        return false;
    r.op = (enum image_op)op;
    memcpy(r.path, path, length);
    *out = r;
    return true;
}

static void put_head(struct str *out, uint64_t id, enum image_kind kind)
{
    bytes_put_u64le(out, id);
    bytes_put_u8(out, (uint8_t)kind);
}

void image_protocol_put_data(struct str *out, uint64_t id, const void *data, size_t size)
{
    put_head(out, id, IMAGE_DATA);
    str_add_bytes(out, data, size);
}

void image_protocol_put_end(struct str *out, uint64_t id)
{
    put_head(out, id, IMAGE_END);
}

void image_protocol_put_fail(struct str *out, uint64_t id, const struct error *e)
{
    put_head(out, id, IMAGE_FAIL);
    bytes_put_u8(out, (uint8_t)e->code);
    bytes_put_string(out, e->message);
}

bool image_protocol_get_packet(struct image_packet *out, const void *packet, size_t size)
{
    struct bytes in = bytes_of(packet, size);
    struct image_packet p = {.id = bytes_u64le(&in)};
    uint8_t kind = bytes_u8(&in);
    if (in.failed || kind < IMAGE_DATA || kind > IMAGE_FAIL)
        return false;
    p.kind = (enum image_kind)kind;
    if (p.kind == IMAGE_DATA) {
        p.size = bytes_left(&in);
        p.data = bytes_take(&in, p.size);
    } else if (p.kind == IMAGE_FAIL) {
        uint8_t code = bytes_u8(&in);
        size_t length = 0;
        const char *message = bytes_string(&in, MOST_MESSAGE, &length);
        if (in.failed || code <= ERR_NONE || code > ERR_UNSUPPORTED)
            return false;
        CLEANUP_STR struct str shown = {0};
        str_add_printable(&shown, message, length);
        error_set(&p.error, (enum error_code)code, "%s", str_text(&shown));
    }
    *out = p;
    return true;
}

void image_protocol_put_stat(struct str *out, const struct target_stat *st)
{
    bytes_put_u8(out, (uint8_t)st->type);
    bytes_put_u64le(out, st->size);
    bytes_put_u32le(out, st->mode);
    bytes_put_u32le(out, st->uid);
    bytes_put_u32le(out, st->gid);
    bytes_put_u64le(out, (uint64_t)st->mtime);
    bytes_put_u64le(out, (uint64_t)st->ctime);
    bytes_put_u64le(out, st->inode);
    bytes_put_u8(out, st->has_owner);
}

bool image_protocol_get_stat(struct target_stat *out, const void *data, size_t size)
{
    struct bytes in = bytes_of(data, size);
    uint8_t type = bytes_u8(&in);
    struct target_stat st = {.size = bytes_u64le(&in)};
    st.mode = bytes_u32le(&in) & 07777;
    st.uid = bytes_u32le(&in);
    st.gid = bytes_u32le(&in);
    st.mtime = (int64_t)bytes_u64le(&in);
    st.ctime = (int64_t)bytes_u64le(&in);
    st.inode = bytes_u64le(&in);
    st.has_owner = bytes_u8(&in) != 0;
    if (in.failed || bytes_left(&in) || type > TARGET_OTHER)
        return false;
    st.type = type;
    *out = st;
    return true;
}

void image_protocol_put_entry(struct str *out, const struct target_entry *entry)
{
    bytes_put_u8(out, entry->type < 0 ? TYPE_UNTOLD : (uint8_t)entry->type);
    bytes_put_string(out, entry->name);
}

static bool is_name(const char *name)
{
    return *name && !strchr(name, '/') && !str_equal(name, ".") && !str_equal(name, "..");
}

struct entry_list {
    struct target_entry *items;
    size_t count, capacity;
};

static void entries_cleanup(struct entry_list *list)
{
    VEC_FREE(list);
}

bool image_protocol_get_entries(struct target_entry **out, size_t *count, struct arena *arena,
                                const void *data, size_t size)
{
    CLEANUP(entries_cleanup) struct entry_list list = {0};
    struct bytes in = bytes_of(data, size);
    while (bytes_left(&in)) {
        size_t length = 0;
        uint8_t type = bytes_u8(&in);
        const char *name = bytes_string(&in, MOST_NAME, &length);
        if (in.failed || (type > TARGET_OTHER && type != TYPE_UNTOLD) ||
            list.count == TARGET_MOST_ENTRIES)
            return false;
        struct target_entry entry = {.name = arena_strndup(arena, name, length),
                                     .type = type == TYPE_UNTOLD ? -1 : type};
        if (!is_name(entry.name))
            return false;
        VEC_PUSH(&list, entry);
    }
    if (in.failed)
        return false;
    *out = arena_dup(arena, list.items, list.count * sizeof *list.items);
    *count = list.count;
    return true;
}

void image_protocol_put_volume(struct str *out, const struct target_volume *v, bool readable)
{
    bytes_put_u8(out, readable);
    bytes_put_string(out, v->description);
    bytes_put_string(out, v->fs);
    bytes_put_string(out, v->serial);
    bytes_put_u64le(out, v->start);
    bytes_put_u8(out, v->cut);
}

static const char *get_text(struct bytes *in, struct arena *arena)
{
    size_t length = 0;
    const char *text = bytes_string(in, MOST_TEXT, &length);
    CLEANUP_STR struct str shown = {0};
    str_add_printable(&shown, text ? text : "", length);
    return arena_strdup(arena, str_text(&shown));
}

bool image_protocol_get_volumes(struct target_volume **out, size_t *count, size_t *readable,
                                struct arena *arena, const void *data, size_t size)
{
    struct target_volume volumes[IMAGE_MOST_VOLUMES];
    struct bytes in = bytes_of(data, size);
    size_t n = 0, good = 0;
    for (; bytes_left(&in); n++) {
        if (n == IMAGE_MOST_VOLUMES)
            return false;
        bool is_readable = bytes_u8(&in) != 0;
        if (is_readable && good < n) /* those come first */
            return false;
        good += is_readable;
        volumes[n].description = get_text(&in, arena);
        volumes[n].fs = get_text(&in, arena);
        volumes[n].serial = get_text(&in, arena);
        volumes[n].start = bytes_u64le(&in);
        volumes[n].cut = bytes_u8(&in) != 0;
    }
    if (in.failed)
        return false;
    *out = arena_dup(arena, volumes, n * sizeof *volumes);
    *count = n;
    *readable = good;
    return true;
}
