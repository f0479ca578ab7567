#include "feed/document.h"

#include "model/date.h"

#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

enum { HEADER_BYTES = 11 * 4 };

/* --- packing: strings are kept once --- */

struct packer {
    struct str records, pool;
    uint32_t *slots; /* number of a string + 1; open addressing */
    size_t slot_count;
    VEC(uint32_t) offsets; /* of each string in the pool */
};

static void packer_free(struct packer *p)
{
    str_free(&p->records);
    str_free(&p->pool);
    free(p->slots);
    VEC_FREE(&p->offsets);
}

static void packer_grow(struct packer *p)
{
    size_t wanted = p->slot_count ? p->slot_count * 2 : 256;
    free(p->slots);
    p->slots = mem_alloc(wanted * sizeof *p->slots);
    p->slot_count = wanted;
    for (size_t i = 0; i < p->offsets.count; i++) {
        const char *text = p->pool.data + p->offsets.items[i];
        size_t at = XXH3_64bits(text, strlen(text)) & (wanted - 1);
        while (p->slots[at])
            at = (at + 1) & (wanted - 1);
        p->slots[at] = (uint32_t)i + 1;
    }
}

static uint32_t number_of(struct packer *p, const char *text)
{
    if (!text)
        text = "";
    if (p->offsets.count * 2 >= p->slot_count)
        packer_grow(p);
    size_t length = strlen(text);
    size_t at = XXH3_64bits(text, length) & (p->slot_count - 1);
    for (; p->slots[at]; at = (at + 1) & (p->slot_count - 1))
        if (strcmp(str_text(&p->pool) + p->offsets.items[p->slots[at] - 1], text) == 0)
            return p->slots[at] - 1;
    VEC_PUSH(&p->offsets, (uint32_t)p->pool.length);
    str_add_bytes(&p->pool, text, length + 1);
    p->slots[at] = (uint32_t)p->offsets.count;
    return p->slots[at] - 1;
}

static void put_text(struct packer *p, const char *text)
{
    bytes_put_u32le(&p->records, number_of(p, text));
}

static void put_date(struct packer *p, int64_t date)
{
    bytes_put_u64le(&p->records, (uint64_t)date);
}

static void put_list(struct packer *p, const char *const *list, size_t count)
{
    bytes_put_u32le(&p->records, (uint32_t)count);
    for (size_t i = 0; i < count; i++)
        put_text(p, list[i]);
}

static void put_files(struct packer *p, const struct advisory_file *files, size_t count)
{
    bytes_put_u32le(&p->records, (uint32_t)count);
    for (size_t i = 0; i < count; i++) {
        put_text(p, files[i].path);
        put_text(p, files[i].range);
        bytes_put_u32le(&p->records, files[i].core);
    }
}

/* The plain strings of each record, in their order in the record. */
static const size_t head_texts[] = {
    offsetof(struct advisory, id),        offsetof(struct advisory, title),
    offsetof(struct advisory, publisher), offsetof(struct advisory, publisher_namespace),
    offsetof(struct advisory, summary),   offsetof(struct advisory, description),
    offsetof(struct advisory, version),   offsetof(struct advisory, url),
    offsetof(struct advisory, contact),   offsetof(struct advisory, source_file),
    offsetof(struct advisory, feed),
};
static const size_t case_texts[] = {
    offsetof(struct advisory_case, product), offsetof(struct advisory_case, name),
    offsetof(struct advisory_case, vendor),  offsetof(struct advisory_case, distro),
    offsetof(struct advisory_case, arch),    offsetof(struct advisory_case, platform),
    offsetof(struct advisory_case, title),   offsetof(struct advisory_case, affected),
    offsetof(struct advisory_case, rule),    offsetof(struct advisory_case, exposed_by),
    offsetof(struct advisory_case, port),
};
static const size_t patch_texts[] = {
    offsetof(struct advisory_patch, key),      offsetof(struct advisory_patch, product),
    offsetof(struct advisory_patch, platform), offsetof(struct advisory_patch, version),
    offsetof(struct advisory_patch, title),
};

static void put_texts(struct packer *p, const void *record, const size_t *fields, size_t count)
{
    for (size_t i = 0; i < count; i++)
        put_text(p, *(const char *const *)((const char *)record + fields[i]));
}

enum {
    CASE_NOT_AFFECTED = 1,
    CASE_INVESTIGATED = 2,
    CASE_NETWORK = 4,
    CASE_NO_LOGIN = 8,
    CASE_UNCLEAR = 16
};
enum { HEAD_DISTRIBUTION = 1, HEAD_DELETED = 2 };

static void put_head(struct packer *p, const struct document *d)
{
    put_texts(p, &d->head, head_texts, ARRAY_COUNT(head_texts));
    put_date(p, d->head.released);
    put_date(p, d->head.revised);
    bytes_put_u8(&p->records, (uint8_t)d->head.severity);
    bytes_put_u8(&p->records, (uint8_t)((d->head.distribution ? HEAD_DISTRIBUTION : 0) |
                                        (d->deleted ? HEAD_DELETED : 0)));
}

static void put_case(struct packer *p, const struct advisory_case *c)
{
    bytes_put_u8(&p->records, (uint8_t)c->kind);
    bytes_put_u8(&p->records,
                 (uint8_t)((c->not_affected ? CASE_NOT_AFFECTED : 0) |
                           (c->under_investigation ? CASE_INVESTIGATED : 0) |
                           (c->network ? CASE_NETWORK : 0) | (c->no_login ? CASE_NO_LOGIN : 0) |
                           (c->unclear ? CASE_UNCLEAR : 0)));
    bytes_put_u16le(&p->records, (uint16_t)(c->cvss * 10 + 0.5));
    put_texts(p, c, case_texts, ARRAY_COUNT(case_texts));
    put_list(p, c->fixed_ranges, c->fixed_count);
    put_list(p, c->cves, c->cve_count);
    put_list(p, c->patches, c->patch_count);
    put_files(p, c->files, c->file_count);
    bytes_put_u32le(&p->records, (uint32_t)c->remedy_count);
    for (size_t i = 0; i < c->remedy_count; i++) {
        bytes_put_u8(&p->records, (uint8_t)c->remedies[i].kind);
        put_text(p, c->remedies[i].text);
        put_text(p, c->remedies[i].url);
        put_date(p, c->remedies[i].date);
    }
    bytes_put_u32le(&p->records, (uint32_t)c->exploit_count);
    for (size_t i = 0; i < c->exploit_count; i++) {
        put_text(p, c->exploits[i].text);
        put_date(p, c->exploits[i].date);
    }
}

static void put_patch(struct packer *p, const struct advisory_patch *patch)
{
    put_texts(p, patch, patch_texts, ARRAY_COUNT(patch_texts));
    bytes_put_u8(&p->records, patch->is_service_pack);
    bytes_put_u8(&p->records, (uint8_t)(patch->reboot + 1));
    put_date(p, patch->released);
    put_list(p, patch->supersedes, patch->supersedes_count);
    put_list(p, patch->contained_in, patch->contained_count);
    put_list(p, patch->requires, patch->requires_count);
    put_list(p, patch->touches, patch->touches_count);
    put_files(p, patch->files, patch->file_count);
}

bool document_pack(struct str *out, const struct document *d, struct error *e)
{
    CLEANUP(packer_free) struct packer p = {0};
    VEC(uint32_t) places = {0};
    put_head(&p, d);
    size_t revisions_at = p.records.length;
    for (size_t i = 0; i < d->revision_count; i++) {
        put_date(&p, d->revisions[i].date);
        put_text(&p, d->revisions[i].number);
        put_text(&p, d->revisions[i].summary);
    }
    for (size_t i = 0; i < d->case_count && p.records.length < DOCUMENT_MOST_BYTES; i++) {
        VEC_PUSH(&places, (uint32_t)p.records.length);
        put_case(&p, &d->cases[i]);
    }
    for (size_t i = 0; i < d->patch_count && p.records.length < DOCUMENT_MOST_BYTES; i++) {
        VEC_PUSH(&places, (uint32_t)p.records.length);
        put_patch(&p, &d->patches[i]);
    }
    size_t strings = p.offsets.count;
    size_t tables = (strings + 1 + d->case_count + d->patch_count) * 4;
    size_t total = HEADER_BYTES + tables + p.records.length + p.pool.length;
    if (total > DOCUMENT_MOST_BYTES) {
        VEC_FREE(&places);
        error_set(e, ERR_LIMIT, "the document unfolds to more than %d MiB",
                  DOCUMENT_MOST_BYTES / 1024 / 1024);
        return false;
    }
    uint32_t strings_at = HEADER_BYTES, cases_at = strings_at + (uint32_t)(strings + 1) * 4;
    uint32_t patches_at = cases_at + (uint32_t)d->case_count * 4;
    uint32_t records_at = patches_at + (uint32_t)d->patch_count * 4;
    uint32_t pool_at = records_at + (uint32_t)p.records.length;
    const uint32_t header[] = {DOCUMENT_MAGIC,
                               (uint32_t)total,
                               (uint32_t)strings,
                               strings_at,
                               records_at,
                               (uint32_t)d->revision_count,
                               records_at + (uint32_t)revisions_at,
                               (uint32_t)d->case_count,
                               cases_at,
                               (uint32_t)d->patch_count,
                               patches_at};
    _Static_assert(sizeof header == HEADER_BYTES, "the header is as long as it says");
    for (size_t i = 0; i < ARRAY_COUNT(header); i++)
        bytes_put_u32le(out, header[i]);
    for (size_t i = 0; i < strings; i++)
        bytes_put_u32le(out, pool_at + p.offsets.items[i]);
    bytes_put_u32le(out, (uint32_t)total);
    for (size_t i = 0; i < places.count; i++)
        bytes_put_u32le(out, records_at + places.items[i]);
    str_add_bytes(out, str_text(&p.records), p.records.length);
    str_add_bytes(out, str_text(&p.pool), p.pool.length);
    VEC_FREE(&places);
    return true;
}

/* --- unpacking --- */

bool document_view(struct document_view *out, const void *bytes, size_t size)
{
    struct document_view v = {.all = bytes_of(bytes, size)};
    struct bytes in = v.all;
    uint32_t magic = bytes_u32le(&in), total = bytes_u32le(&in);
    v.strings = bytes_u32le(&in);
    v.strings_at = bytes_u32le(&in);
    v.head_at = bytes_u32le(&in);
    v.revisions = bytes_u32le(&in);
    v.revisions_at = bytes_u32le(&in);
    v.cases = bytes_u32le(&in);
    v.cases_at = bytes_u32le(&in);
    v.patches = bytes_u32le(&in);
    v.patches_at = bytes_u32le(&in);
    if (in.failed || magic != DOCUMENT_MAGIC || total != size || size > DOCUMENT_MOST_BYTES)
        return false;
    *out = v;
    return true;
}

static const char *text_at(const struct document_view *v, struct bytes *in, uint32_t number)
{
    if (number >= v->strings) {
        in->failed = true;
        return "";
    }
    struct bytes table = bytes_slice(&v->all, v->strings_at + (size_t)number * 4, 8);
    uint32_t from = bytes_u32le(&table), to = bytes_u32le(&table);
    struct bytes text = bytes_slice(&v->all, from, to > from ? to - from : SIZE_MAX);
    const uint8_t *bytes = table.failed || text.failed ? NULL : bytes_take(&text, to - from);
    if (!bytes || bytes[to - from - 1] != '\0') {
        in->failed = true;
        return "";
    }
    return (const char *)bytes;
}

static const char *take_text(const struct document_view *v, struct bytes *in)
{
    return text_at(v, in, bytes_u32le(in));
}

static int64_t take_date(struct bytes *in)
{
    return (int64_t)bytes_u64le(in);
}

/* A count that the rest of the block can hold, with `each` bytes an item. */
static size_t take_count(struct bytes *in, size_t each)
{
    uint32_t count = bytes_u32le(in);
    if (count > bytes_left(in) / each)
        in->failed = true;
    return in->failed ? 0 : count;
}

static const char *const *take_list(const struct document_view *v, struct bytes *in,
                                    struct arena *arena, size_t *count)
{
    *count = take_count(in, 4);
    if (!*count)
        return NULL;
    const char **list = arena_alloc(arena, *count * sizeof *list);
    for (size_t i = 0; i < *count; i++)
        list[i] = take_text(v, in);
    return list;
}

static const struct advisory_file *take_files(const struct document_view *v, struct bytes *in,
                                              struct arena *arena, size_t *count)
{
    *count = take_count(in, 12);
    if (!*count)
        return NULL;
    struct advisory_file *files = arena_alloc(arena, *count * sizeof *files);
    for (size_t i = 0; i < *count; i++) {
        files[i].path = take_text(v, in);
        files[i].range = take_text(v, in);
        files[i].core = bytes_u32le(in) != 0;
    }
    return files;
}

static void take_texts(const struct document_view *v, struct bytes *in, void *record,
                       const size_t *fields, size_t count)
{
    for (size_t i = 0; i < count; i++)
        *(const char **)((char *)record + fields[i]) = take_text(v, in);
}

static struct bytes record_at(const struct document_view *v, size_t offset)
{
    struct bytes in = v->all;
    bytes_seek(&in, offset);
    return in;
}

bool document_head(const struct document_view *v, struct advisory *out, bool *deleted)
{
    struct bytes in = record_at(v, v->head_at);
    struct advisory a = {0};
    take_texts(v, &in, &a, head_texts, ARRAY_COUNT(head_texts));
    a.released = take_date(&in);
    a.revised = take_date(&in);
    uint8_t severity = bytes_u8(&in), flags = bytes_u8(&in);
    if (in.failed || severity > SEVERITY_CRITICAL || !*a.id)
        return false;
    a.severity = (enum severity)severity;
    a.distribution = flags & HEAD_DISTRIBUTION;
    *out = a;
    if (deleted)
        *deleted = flags & HEAD_DELETED;
    return true;
}

/* The record whose offset is item i of a table. */
static struct bytes table_record(const struct document_view *v, uint32_t table, uint32_t count,
                                 size_t i)
{
    struct bytes in = record_at(v, i < count ? table + i * 4 : SIZE_MAX);
    uint32_t at = bytes_u32le(&in);
    if (!in.failed)
        bytes_seek(&in, at);
    return in;
}

static bool take_case(const struct document_view *v, struct arena *arena, struct bytes *record,
                      struct advisory_case *out)
{
    struct bytes in = *record;
    struct advisory_case c = {0};
    uint8_t kind = bytes_u8(&in), flags = bytes_u8(&in);
    c.cvss = bytes_u16le(&in) / 10.0;
    take_texts(v, &in, &c, case_texts, ARRAY_COUNT(case_texts));
    c.fixed_ranges = take_list(v, &in, arena, &c.fixed_count);
    c.cves = take_list(v, &in, arena, &c.cve_count);
    c.patches = take_list(v, &in, arena, &c.patch_count);
    c.files = take_files(v, &in, arena, &c.file_count);
    c.remedy_count = take_count(&in, 1 + 4 + 4 + 8);
    struct advisory_remedy *remedies =
        c.remedy_count ? arena_alloc(arena, c.remedy_count * sizeof *remedies) : NULL;
    for (size_t r = 0; r < c.remedy_count; r++) {
        uint8_t remedy = bytes_u8(&in);
        remedies[r].kind = (enum remedy_kind)(remedy <= REMEDY_NONE_YET ? remedy : 0);
        remedies[r].text = take_text(v, &in);
        remedies[r].url = take_text(v, &in);
        remedies[r].date = take_date(&in);
        in.failed |= remedy > REMEDY_NONE_YET;
    }
    c.exploit_count = take_count(&in, 4 + 8);
    struct advisory_exploit *exploits =
        c.exploit_count ? arena_alloc(arena, c.exploit_count * sizeof *exploits) : NULL;
    for (size_t x = 0; x < c.exploit_count; x++) {
        exploits[x].text = take_text(v, &in);
        exploits[x].date = take_date(&in);
    }
    if (in.failed || kind > CASE_PACKAGE || !*c.product)
        return false;
    c.kind = (enum case_kind)kind;
    c.remedies = remedies;
    c.exploits = exploits;
    c.fixed_range = c.fixed_count ? c.fixed_ranges[0] : "";
    c.not_affected = flags & CASE_NOT_AFFECTED;
    c.under_investigation = flags & CASE_INVESTIGATED;
    c.network = flags & CASE_NETWORK;
    c.no_login = flags & CASE_NO_LOGIN;
    c.unclear = flags & CASE_UNCLEAR;
    *out = c;
    *record = in;
    return true;
}

bool document_case(const struct document_view *v, struct arena *arena, size_t i,
                   struct advisory_case *out)
{
    struct bytes in = table_record(v, v->cases_at, v->cases, i);
    return take_case(v, arena, &in, out);
}

static bool take_patch(const struct document_view *v, struct arena *arena, struct bytes *record,
                       struct advisory_patch *out)
{
    struct bytes in = *record;
    struct advisory_patch p = {0};
    take_texts(v, &in, &p, patch_texts, ARRAY_COUNT(patch_texts));
    p.is_service_pack = bytes_u8(&in) != 0;
    p.reboot = bytes_u8(&in) - 1;
    p.released = take_date(&in);
    p.supersedes = take_list(v, &in, arena, &p.supersedes_count);
    p.contained_in = take_list(v, &in, arena, &p.contained_count);
    p.requires = take_list(v, &in, arena, &p.requires_count);
    p.touches = take_list(v, &in, arena, &p.touches_count);
    p.files = take_files(v, &in, arena, &p.file_count);
    p.advisory_id = "";
    if (in.failed || p.reboot > 1 || !*p.key || !*p.product)
        return false;
    *out = p;
    *record = in;
    return true;
}

bool document_patch(const struct document_view *v, struct arena *arena, size_t i,
                    struct advisory_patch *out)
{
    struct bytes in = table_record(v, v->patches_at, v->patches, i);
    return take_patch(v, arena, &in, out);
}

bool document_revisions(const struct document_view *v, struct arena *arena,
                        struct advisory_revision **out)
{
    struct bytes in = record_at(v, v->revisions_at);
    if (in.failed || v->revisions > bytes_left(&in) / 16)
        return false;
    struct advisory_revision *list = arena_alloc(arena, (v->revisions + 1) * sizeof *list);
    for (size_t i = 0; i < v->revisions; i++) {
        list[i].date = take_date(&in);
        list[i].number = take_text(v, &in);
        list[i].summary = take_text(v, &in);
    }
    if (in.failed)
        return false;
    *out = list;
    return true;
}

/* Records must stand one after the other: a table whose entries all point at one long record
 * would unfold to more than the memory there is. */
bool document_check(const struct document_view *v)
{
    struct advisory head;
    CLEANUP_ARENA struct arena *arena = arena_new();
    struct advisory_revision *revisions;
    size_t end = 0;
    if (!document_head(v, &head, NULL) || !document_revisions(v, arena, &revisions))
        return false;
    struct advisory_case c;
    for (size_t i = 0; i < v->cases; i++) {
        struct bytes in = table_record(v, v->cases_at, v->cases, i);
        if (in.position < end || !take_case(v, arena, &in, &c))
            return false;
        end = in.position;
    }
    struct advisory_patch p;
    for (size_t i = 0; i < v->patches; i++) {
        struct bytes in = table_record(v, v->patches_at, v->patches, i);
        if (in.position < end || !take_patch(v, arena, &in, &p))
            return false;
        end = in.position;
    }
    return true;
}
