/* Access lists: descriptors made here, as lines of text. */
#include "base/bytes.h"
#include "base/mem.h"
#include "collect/ntfs_acl.h"
#include "tests/support.h"

#include <stdio.h>
#include <stdlib.h>

struct ace {
    uint8_t type, flags;
    uint32_t mask;
    const char *sid; /* "1-1-0": revision is left out */
};

static void put_sid(struct str *s, const char *sid)
{
    char copy[128], *save = NULL;
    uint32_t sub[16];
    uint8_t count = 0;
    snprintf(copy, sizeof copy, "%s", sid);
    strtok_r(copy, "-", &save);
    unsigned authority = (unsigned)strtoul(strtok_r(NULL, "-", &save), NULL, 10);
    for (char *p; (p = strtok_r(NULL, "-", &save));)
        sub[count++] = (uint32_t)strtoul(p, NULL, 10);
    bytes_put_u8(s, 1);
    bytes_put_u8(s, count);
    for (int i = 0; i < 5; i++)
        bytes_put_u8(s, 0);
    bytes_put_u8(s, (uint8_t)authority);
    for (uint8_t i = 0; i < count; i++)
        bytes_put_u32le(s, sub[i]);
}

static struct str descriptor(const struct ace *aces, size_t count)
{
    struct str s = {0};
    CLEANUP_STR struct str all = {0};
    for (size_t i = 0; i < count; i++) {
        CLEANUP_STR struct str sid = {0};
        put_sid(&sid, aces[i].sid);
        bytes_put_u8(&all, aces[i].type);
        bytes_put_u8(&all, aces[i].flags);
        bytes_put_u16le(&all, (uint16_t)(8 + sid.length));
        bytes_put_u32le(&all, aces[i].mask);
        str_add_bytes(&all, sid.data, sid.length);
    }
    bytes_put_u8(&s, 1);
    bytes_put_u8(&s, 0);
    bytes_put_u16le(&s, 0x8004);
    for (int i = 0; i < 12; i++)
        bytes_put_u8(&s, 0);
    bytes_put_u32le(&s, 20);
    bytes_put_u8(&s, 2);
    bytes_put_u8(&s, 0);
    bytes_put_u16le(&s, (uint16_t)(8 + all.length));
    bytes_put_u16le(&s, (uint16_t)count);
    bytes_put_u16le(&s, 0);
    str_add_bytes(&s, all.data, all.length);
    return s;
}

enum { ALLOW, DENY, AUDIT };

static void a_list_becomes_lines(void **state)
{
    static const struct {
        struct ace aces[4];
        size_t count;
        const char *text;
    } rows[] = {
        {{{ALLOW, 0, 0x1f01ff, "1-1-0"}}, 1, "Everyone:F"},
        {{{ALLOW, 0, 0x10000000, "1-5-18"}, {ALLOW, 0, 0x1f01ff, "1-5-32-544"}},
         2,
         "SYSTEM:F\nAdministrators:F"},
        {{{ALLOW, 0, 0x1200a9, "1-5-32-545"}}, 1, "Users:RX"},
        {{{ALLOW, 0, 0x120089, "1-1-0"}, {ALLOW, 0, 0x120116, "1-1-0"}}, 2, "Everyone:RW"},
        {{{ALLOW, 0, 0xa0000000, "1-5-11"}}, 1, "Authenticated Users:RX"},
        {{{ALLOW, 0, 0x1301bf, "1-5-32-547"}}, 1, "Power Users:RWX"},
        {{{ALLOW, 0, 0x1f01ff, "1-5-21-1-2-3-1001"}}, 1, "S-1-5-21-1-2-3-1001:F"},
        {{{ALLOW, 0x08, 0x1f01ff, "1-1-0"}}, 1, ""},
        {{{ALLOW, 0x0b, 0x1f01ff, "1-1-0"}, {ALLOW, 0x03, 0x1200a9, "1-1-0"}}, 2, "Everyone:RX"},
        {{{AUDIT, 0, 0x1f01ff, "1-1-0"}}, 1, ""},
        {{{DENY, 0, 0x2, "1-1-0"}, {ALLOW, 0, 0x3, "1-5-32-545"}}, 2, "Everyone:-W\nUsers:R"},
        {{{ALLOW, 0, 0x3, "1-5-32-545"}, {DENY, 0, 0x2, "1-5-32-545"}}, 2, "Users:RW"},
        {{{ALLOW, 0, 0x100000, "1-1-0"}}, 1, ""},
        {{{0}}, 0, ""},
    };
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
        CLEANUP_ARENA struct arena *arena = arena_new();
        CLEANUP_STR struct str s = descriptor(rows[i].aces, rows[i].count);
        const char *text;
        struct error e = ERROR_INIT;
        if (!ntfs_acl_text(&text, arena, s.data, s.length, &e))
            fail_msg("row %zu: %s", i, e.message);
        if (strcmp(text, rows[i].text) != 0)
            fail_msg("row %zu: \"%s\" and not \"%s\"", i, text, rows[i].text);
    }
}

static void no_list_at_all_lets_everyone_in(void **state)
{
    static const struct ace one = {ALLOW, 0, 1, "1-5-18"};
    CLEANUP_ARENA struct arena *arena = arena_new();
    CLEANUP_STR struct str s = descriptor(&one, 1);
    const char *text;
    s.data[2] = 0;
    assert_true(ntfs_acl_text(&text, arena, s.data, s.length, NULL));
    assert_string_equal(text, "Everyone:F");
    s.data[2] = 4;
    s.data[16] = 0;
    assert_true(ntfs_acl_text(&text, arena, s.data, s.length, NULL));
    assert_string_equal(text, "Everyone:F");
}

static void a_cut_or_turned_descriptor_is_an_error_or_an_answer(void **state)
{
    static const struct ace aces[] = {{ALLOW, 0, 0x1f01ff, "1-1-0"},
                                      {DENY, 0, 0x2, "1-5-21-1-2-3-1001"}};
    CLEANUP_STR struct str s = descriptor(aces, 2);
    for (size_t i = 0; i < s.length; i++) {
        CLEANUP_ARENA struct arena *arena = arena_new();
        const char *text;
        CLEANUP_FREE char *cut = mem_dup(s.data, i);
        assert_false(ntfs_acl_text(&text, arena, cut, i, NULL));
        CLEANUP_FREE char *copy = mem_dup(s.data, s.length);
        copy[i] ^= 0xff;
        ntfs_acl_text(&text, arena, copy, s.length, NULL);
    }
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_list_becomes_lines),
        cmocka_unit_test(no_list_at_all_lets_everyone_in),
        cmocka_unit_test(a_cut_or_turned_descriptor_is_an_error_or_an_answer),
    };
    return cmocka_run_group_tests_name("collect/ntfs_acl", tests, NULL, NULL);
}
