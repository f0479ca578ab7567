#include "collect/pe_version.h"

#include "base/bytes.h"

#include <stdio.h>
#include <string.h>

enum {
    LFANEW_AT = 0x3c,
    MAGIC_PE32 = 0x10b,
    MAGIC_PE32_PLUS = 0x20b,
    RESOURCE_DIRECTORY = 2, /* its number among the data directories */
    RT_VERSION = 16,
    MOST_SECTIONS = 96,  /* the Windows loader's own limit */
    MOST_ENTRIES = 4096, /* of one resource directory */
    FIXED_INFO_BYTES = 52,
};
#define FIXED_INFO_SIGNATURE 0xfeef04bdu
#define IS_DIRECTORY         0x80000000u

static bool refuse(struct error *e, const char *what)
{
    error_set(e, ERR_FORMAT, "its version could not be read: %s", what);
    return false;
}

/* Optional header: PE32 and PE32+ differ in where the data directories begin. */
static bool resource_rva(struct bytes *b, size_t optional, uint32_t *rva, struct error *e)
{
    bytes_seek(b, optional);
    uint16_t magic = bytes_u16le(b);
    if (magic != MAGIC_PE32 && magic != MAGIC_PE32_PLUS)
        return refuse(e, _("neither PE32 nor PE32+"));
    size_t directories = optional + (magic == MAGIC_PE32 ? 96 : 112);
    bytes_seek(b, directories - 4);
    uint32_t count = bytes_u32le(b);
    bytes_seek(b, directories + (size_t)RESOURCE_DIRECTORY * 8);
    *rva = bytes_u32le(b);
    if (b->failed)
        return refuse(e, _("its header is cut short"));
    if (count <= RESOURCE_DIRECTORY || !*rva)
        return refuse(e, _("it has no resources"));
    return true;
}

bool pe_version_locate(struct pe_resources *out, const void *head, size_t size, struct error *e)
{
    struct bytes b = bytes_of(head, size);
    const uint8_t *mark = bytes_take(&b, 2);
    if (!mark || memcmp(mark, "MZ", 2) != 0)
        return refuse(e, _("it is no program (no MZ)"));
    bytes_seek(&b, LFANEW_AT);
    uint32_t pe = bytes_u32le(&b);
    bytes_seek(&b, pe);
    mark = bytes_take(&b, 4);
    if (mark && memcmp(mark, "NE", 2) == 0)
        return refuse(e, _("a 16-bit program (NE)"));
    if (!mark || memcmp(mark, "PE\0\0", 4) != 0)
        return refuse(e, _("it is no PE file, or is cut short"));
    bytes_skip(&b, 2);
    uint16_t sections = bytes_u16le(&b);
    bytes_skip(&b, 12);
    uint16_t optional_size = bytes_u16le(&b);
    size_t optional = (size_t)pe + 24;
    uint32_t rva;
    if (!resource_rva(&b, optional, &rva, e))
        return false;
    if (sections > MOST_SECTIONS)
        return refuse(e, _("more sections than Windows loads"));
    bytes_seek(&b, optional + optional_size);
    for (uint16_t i = 0; i < sections && !b.failed; i++) {
        bytes_skip(&b, 8);
        uint32_t virtual_size = bytes_u32le(&b), address = bytes_u32le(&b);
        uint32_t raw_size = bytes_u32le(&b), raw = bytes_u32le(&b);
        bytes_skip(&b, 16);
        uint32_t extent = virtual_size > raw_size ? virtual_size : raw_size;
        if (b.failed || rva < address || rva - address >= extent)
            continue;
        uint32_t into = rva - address;
        if (into >= raw_size)
            return refuse(e, _("its resources are not in the file"));
        *out = (struct pe_resources){(uint64_t)raw + into, raw_size - into, rva};
        return true;
    }
    return refuse(e,
                  b.failed ? _("its header is cut short") : _("its resources lie in no section"));
}

/* One level of the tree. Takes the entry of the number `wanted`, or the first one (-1). */
static bool descend(struct bytes *b, uint32_t at, int64_t wanted, uint32_t *to, struct error *e)
{
    bytes_seek(b, (size_t)at + 12);
    size_t named = bytes_u16le(b), numbered = bytes_u16le(b);
    if (b->failed || named + numbered > MOST_ENTRIES)
        return refuse(e, _("its resources are damaged"));
    for (size_t i = 0; i < named + numbered; i++) {
        uint32_t name = bytes_u32le(b), offset = bytes_u32le(b);
        if (b->failed)
            return refuse(e, _("its resources are cut short"));
        if (wanted >= 0 && (i < named || name != wanted))
            continue;
        *to = offset;
        return true;
    }
    return refuse(e, _("it carries no version"));
}

/* VS_VERSIONINFO: three words, the key in UTF-16, padding to 4, then the fixed part. */
static bool fixed_info(struct pe_version *out, struct bytes b, struct error *e)
{
    static const uint8_t key[] = "V\0S\0_\0V\0E\0R\0S\0I\0O\0N\0_\0I\0N\0F\0O\0\0";
    bytes_skip(&b, 2);
    uint16_t value_size = bytes_u16le(&b);
    bytes_skip(&b, 2);
    const uint8_t *found = bytes_take(&b, sizeof key - 1);
    if (!found || memcmp(found, key, sizeof key - 1) != 0)
        return refuse(e, _("its version resource is damaged"));
    bytes_seek(&b, (b.position + 3) & ~(size_t)3);
    uint32_t signature = bytes_u32le(&b);
    bytes_skip(&b, 4);
    uint32_t high = bytes_u32le(&b), low = bytes_u32le(&b);
    if (b.failed || value_size < FIXED_INFO_BYTES || signature != FIXED_INFO_SIGNATURE)
        return refuse(e, _("its version resource is damaged"));
    *out = (struct pe_version){
        {(uint16_t)(high >> 16), (uint16_t)high, (uint16_t)(low >> 16), (uint16_t)low}};
    return true;
}

bool pe_version_of_resources(struct pe_version *out, const struct pe_resources *place,
                             const void *bytes, size_t size, struct error *e)
{
    struct bytes b = bytes_of(bytes, size);
    uint32_t names, languages, leaf;
    if (!descend(&b, 0, RT_VERSION, &names, e))
        return false;
    if (!(names & IS_DIRECTORY) || !descend(&b, names & ~IS_DIRECTORY, -1, &languages, e))
        return refuse(e, _("its resources are damaged"));
    /* the language level is left out by some old linkers */
    leaf = languages;
    if ((languages & IS_DIRECTORY) && !descend(&b, languages & ~IS_DIRECTORY, -1, &leaf, e))
        return refuse(e, _("its resources are damaged"));
    if (leaf & IS_DIRECTORY || !bytes_seek(&b, leaf))
        return refuse(e, _("its resources are damaged"));
    uint32_t rva = bytes_u32le(&b), length = bytes_u32le(&b);
    if (b.failed || rva < place->rva)
        return refuse(e, _("its version lies outside its resources"));
    struct bytes info = bytes_slice(&b, rva - place->rva, length);
    if (info.failed)
        return refuse(e, _("its version lies outside its resources"));
    return fixed_info(out, info, e);
}

bool pe_version_read(struct pe_version *out, const void *bytes, size_t size, struct error *e)
{
    struct pe_resources place;
    if (!pe_version_locate(&place, bytes, size < PE_HEAD_BYTES ? size : PE_HEAD_BYTES, e))
        return false;
    struct bytes all = bytes_of(bytes, size);
    if (!bytes_seek(&all, (size_t)place.offset))
        return refuse(e, _("it is cut short"));
    size_t left = bytes_left(&all);
    if (left > place.size)
        left = place.size;
    return pe_version_of_resources(out, &place, all.data + all.position, left, e);
}

const char *pe_version_text(const struct pe_version *v, char text[24])
{
    snprintf(text, 24, "%u.%u.%u.%u", v->part[0], v->part[1], v->part[2], v->part[3]);
    return text;
}
