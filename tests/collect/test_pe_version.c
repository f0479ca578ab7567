/* The reader of versions: programs made here byte by byte, whole and damaged. */
#include "base/bytes.h"
#include "base/mem.h"
#include "collect/pe_version.h"
#include "tests/collect/pe_builder.h"
#include "tests/support.h"

#include <stdio.h>
#include <stdlib.h>

enum { RSRC_AT = PE_BUILDER_RESOURCES, PE_AT = PE_BUILDER_HEADER };

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
        CLEANUP_STR struct str s = pe_builder_make(rows[i].plus, rows[i].v);
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
        {RSRC_AT + 20, "\x18\0\0\0", 4, "damaged"}, /* the type's entry is no directory */
        {RSRC_AT + 44, "\0\0\0\x80", 4, NULL},      /* a circle: name -> type */
    };
    static const uint16_t version[4] = {5, 0, 2195, 3407};
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
        CLEANUP_STR struct str s = pe_builder_make(false, version);
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
    CLEANUP_STR struct str s = pe_builder_make(false, version);
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
