#include "tests/collect/pe_builder.h"

#include "base/bytes.h"
#include "base/mem.h"

enum { RSRC_RVA = 0x3000, RSRC_AT = PE_BUILDER_RESOURCES, PE_AT = PE_BUILDER_HEADER };

static void pad(struct str *s, size_t to)
{
    while (s->length < to)
        bytes_put_u8(s, 0);
}

static void put_directory(struct str *s, unsigned id, uint32_t to)
{
    pad(s, (s->length + 3) & ~(size_t)3);
    for (int i = 0; i < 12; i++)
        bytes_put_u8(s, 0);
    bytes_put_u16le(s, 0);
    bytes_put_u16le(s, 1);
    bytes_put_u32le(s, id);
    bytes_put_u32le(s, to);
}

/* type -> name -> language -> data -> VS_VERSIONINFO */
static struct str resources(const uint16_t v[4])
{
    struct str s = {0};
    put_directory(&s, 16, 0x80000000u | 24);
    put_directory(&s, 1, 0x80000000u | 48);
    put_directory(&s, 0x409, 72);
    bytes_put_u32le(&s, RSRC_RVA + 88);
    bytes_put_u32le(&s, 92);
    pad(&s, 88);
    bytes_put_u16le(&s, 92);
    bytes_put_u16le(&s, 52);
    bytes_put_u16le(&s, 0);
    for (const char *c = "VS_VERSION_INFO"; *c; c++)
        bytes_put_u16le(&s, (uint8_t)*c);
    bytes_put_u16le(&s, 0);
    pad(&s, 88 + 40);
    bytes_put_u32le(&s, 0xfeef04bd);
    bytes_put_u32le(&s, 0x10000);
    bytes_put_u32le(&s, (uint32_t)v[0] << 16 | v[1]);
    bytes_put_u32le(&s, (uint32_t)v[2] << 16 | v[3]);
    pad(&s, 88 + 92);
    return s;
}

struct str pe_builder_make(bool plus, const uint16_t v[4])
{
    struct str s = {0};
    CLEANUP_STR struct str rsrc = resources(v);
    str_add(&s, "MZ");
    pad(&s, 0x3c);
    bytes_put_u32le(&s, PE_AT);
    pad(&s, PE_AT);
    str_add_bytes(&s, "PE\0\0", 4);
    bytes_put_u16le(&s, plus ? 0x8664 : 0x14c);
    bytes_put_u16le(&s, 1);
    pad(&s, PE_AT + 20);
    bytes_put_u16le(&s, plus ? 240 : 224);
    pad(&s, PE_AT + 24);
    bytes_put_u16le(&s, plus ? 0x20b : 0x10b);
    size_t directories = PE_AT + 24 + (plus ? 112 : 96);
    pad(&s, directories - 4);
    bytes_put_u32le(&s, 16);
    pad(&s, directories + 16);
    bytes_put_u32le(&s, RSRC_RVA);
    bytes_put_u32le(&s, (uint32_t)rsrc.length);
    pad(&s, PE_AT + 24 + (plus ? 240 : 224));
    str_add_bytes(&s, ".rsrc\0\0\0", 8);
    bytes_put_u32le(&s, (uint32_t)rsrc.length);
    bytes_put_u32le(&s, RSRC_RVA);
    bytes_put_u32le(&s, (uint32_t)rsrc.length);
    bytes_put_u32le(&s, RSRC_AT);
    pad(&s, RSRC_AT);
    str_add_bytes(&s, rsrc.data, rsrc.length);
    return s;
}
