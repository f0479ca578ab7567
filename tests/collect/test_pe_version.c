/* The reader of versions: programs made here byte by byte, whole and damaged. */
#include "base/bytes.h"
#include "base/mem.h"
#include "collect/pe_version.h"
#include "tests/support.h"

#include <stdio.h>
#include <stdlib.h>

enum { RSRC_RVA = 0x3000, RSRC_AT = 0x400, PE_AT = 0x80 };

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

static struct str program(bool plus, const uint16_t v[4])
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

static void the_four_numbers_are_read(void **state)
{
    static const struct {
        bool plus;
        uint16_t v[4];
        const char *text;
    } rows[] = {
        {false, {5, 0, 2195, 3407}, "5.0.2195.3407"},
        {true, {10, 0, 17763, 1}, "10.0.17763.1"},
        {false, {0, 9, 3940, 20}, "0.9.3940.20"},
        {false, {65535, 65535, 65535, 65535}, "65535.65535.65535.65535"},
    };
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
        CLEANUP_STR struct str s = program(rows[i].plus, rows[i].v);
        struct pe_version v;
        struct error e = ERROR_INIT;
        char text[24];
        if (!pe_version_read(&v, s.data, s.length, &e))
            fail_msg("%s: %s", rows[i].text, e.message);
        assert_string_equal(pe_version_text(&v, text), rows[i].text);
    }
}

static void put(struct str *s, size_t at, const char *bytes, size_t count)
{
    memcpy(s->data + at, bytes, count);
}

static void what_has_no_version_says_why(void **state)
{
    static const struct {
        size_t at;
        const char *bytes;
        size_t count;
        const char *why;
    } rows[] = {
        {0, "XX", 2, "no MZ"},
        {PE_AT, "NE", 2, "16-bit program (NE)"},
        {PE_AT, "LE", 2, "no PE file"},
        {0x3c, "\xff\xff\xff\x7f", 4, "cut short"},
        {PE_AT + 24, "\0\0", 2, "neither PE32 nor PE32+"},
        {PE_AT + 24 + 96 + 16, "\0\0\0\0", 4, "no resources"},
        {PE_AT + 24 + 92, "\1\0\0\0", 4, "no resources"},
        {PE_AT + 6, "\xff\xff", 2, "more sections"},
        {PE_AT + 24 + 96 + 16, "\0\0\0\1", 4, "in no section"},
        {RSRC_AT + 16, "\3", 1, "carries no version"},
        {RSRC_AT + 14, "\xff\xff", 2, "damaged"},
        {RSRC_AT + 72, "\xff\xff\xff\x7f", 4, "outside"},
        {RSRC_AT + 76, "\xff\xff\xff\x7f", 4, "outside"},
        {RSRC_AT + 88 + 40, "\0\0\0\0", 4, "damaged"},
        {RSRC_AT + 88 + 6, "X", 1, "damaged"},
        {RSRC_AT + 20, "\x18\0\0\0", 4, "damaged"},     /* the type's entry is no directory */
        {RSRC_AT + 44, "\0\0\0\x80", 4, NULL},          /* a circle: name -> type */
    };
    static const uint16_t version[4] = {5, 0, 2195, 3407};
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
        CLEANUP_STR struct str s = program(false, version);
        struct pe_version v;
        struct error e = ERROR_INIT;
        put(&s, rows[i].at, rows[i].bytes, rows[i].count);
        assert_false(pe_version_read(&v, s.data, s.length, &e));
        if (rows[i].why && !strstr(e.message, rows[i].why))
            fail_msg("row %zu: \"%s\" and not \"%s\"", i, e.message, rows[i].why);
    }
}

static void damage_anywhere_does_no_harm(void **state)
{
    static const uint16_t version[4] = {5, 0, 2195, 3407};
    CLEANUP_STR struct str s = program(false, version);
    for (size_t i = 0; i < s.length; i++) {
        struct pe_version v;
        CLEANUP_FREE char *copy = mem_dup(s.data, s.length);
        copy[i] ^= 0xff;
        pe_version_read(&v, copy, s.length, NULL);
        CLEANUP_FREE char *cut = mem_dup(s.data, i);
        if (i < RSRC_AT + 88 + 56)
            assert_false(pe_version_read(&v, cut, i, NULL));
    }
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_four_numbers_are_read),
        cmocka_unit_test(what_has_no_version_says_why),
        cmocka_unit_test(damage_anywhere_does_no_harm),
    };
    return cmocka_run_group_tests_name("collect/pe_version", tests, NULL, NULL);
}
