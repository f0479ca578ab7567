/* The orders of versions, against tables made with the real dpkg and rpm. */
#include "base/file.h"
#include "base/mem.h"
#include "base/str.h"
#include "model/version.h"
#include "tests/support.h"

#include <stdio.h>
#include <stdlib.h>

static int sign(int n)
{
    return n < 0 ? -1 : n > 0;
}

/* Each row: A <tab> B <tab> -1, 0, 1 (or the signs < = >). */
static void agrees_with_table(enum version_scheme scheme, const char *name)
{
    CLEANUP_FREE char *path = support_shared(name);
    CLEANUP_FREE char *text = NULL;
    size_t size = 0, position = 0, length, rows = 0;
    struct error e = ERROR_INIT;
    if (!path)
        skip();
    if (!file_read(&text, &size, path, 16 << 20, &e))
        fail_msg("%s", e.message);
    const char *line;
    while (str_next_line(text, size, &position, &line, &length)) {
        char row[1024], *save = NULL;
        if (!length || *line == '#' || length >= sizeof row)
            continue;
        memcpy(row, line, length);
        row[length] = '\0';
        char *a = strtok_r(row, "\t", &save), *b = strtok_r(NULL, "\t", &save);
        char *expected = strtok_r(NULL, "\t", &save);
        if (!expected || (!str_is_digit(expected[0]) && !strchr("-<=>", expected[0])))
            continue; /* a heading */
        int want = *expected == '<'   ? -1
                   : *expected == '>' ? 1
                   : *expected == '=' ? 0
                                      : atoi(expected);
        if (sign(version_compare(scheme, a, b)) != want)
            fail_msg("%s against %s: expected %d", a, b, want);
        if (sign(version_compare(scheme, b, a)) != -want)
            fail_msg("%s against %s: expected %d", b, a, -want);
        rows++;
    }
    assert_true(rows > 300);
}

static void dpkg_agrees_with_the_oracle(void **state)
{
    agrees_with_table(VERSION_DPKG, "data/audit/version-tests/dpkg_oracle.tsv");
}

static void rpm_agrees_with_the_oracle(void **state)
{
    agrees_with_table(VERSION_RPM, "data/audit/version-tests/rpm_oracle.tsv");
}

static void each_scheme_orders_its_own(void **state)
{
    static const struct {
        enum version_scheme scheme;
        const char *a, *b;
        int order;
    } rows[] = {
        {VERSION_WINDOWS, "5.00.2195.2100", "5.0.2195.2100", 0},
        {VERSION_WINDOWS, "0.9.3940.20", "5.0.2195.1600", -1},
        {VERSION_WINDOWS, "4.2.753.1", "4.2.1000.1", -1},
        {VERSION_WINDOWS, "4.2", "4.2.0.0", 0},
        {VERSION_SOLARIS, "108662-01", "108662-02", -1},
        {VERSION_SOLARIS, "108662-10", "108662-9", 1},
        {VERSION_GENERIC, "1.3.9", "1.3.20", -1},
        {VERSION_GENERIC, "4.1", "4.1sp7", -1},
        {VERSION_GENERIC, "4.1SP7", "4.1sp8", -1},
        {VERSION_GENERIC, "3.6sp3", "4.0", -1},
        {VERSION_DPKG, "1:0~~-", "1:0", -1},
        {VERSION_RPM, "1.0^git1", "1.0", 1},
        {VERSION_RPM, "1.0~rc1", "1.0", -1},
    };
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++)
        if (sign(version_compare(rows[i].scheme, rows[i].a, rows[i].b)) != rows[i].order)
            fail_msg("%s against %s", rows[i].a, rows[i].b);
}

static void a_version_that_cannot_be_is_named(void **state)
{
    static const struct {
        enum version_scheme scheme;
        const char *version;
        bool good;
    } rows[] = {
        {VERSION_DPKG, "1:0~~-", false},      {VERSION_DPKG, "1:2.3-4", true},
        {VERSION_DPKG, ":1", false},          {VERSION_DPKG, "x1", false},
        {VERSION_DPKG, "1_2", false},         {VERSION_WINDOWS, "5.0.2195.2100", true},
        {VERSION_WINDOWS, "5..1", false},     {VERSION_WINDOWS, "1.2.3.4.5", false},
        {VERSION_SOLARIS, "108662-01", true}, {VERSION_SOLARIS, "108662-1", false},
        {VERSION_SOLARIS, "8662-01", false},  {VERSION_RPM, "1 2", false},
    };
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
        struct error e = ERROR_INIT;
        if (version_check(rows[i].scheme, rows[i].version, &e) != rows[i].good)
            fail_msg("%s", rows[i].version);
        assert_int_equal(e.code != ERR_NONE, !rows[i].good);
    }
}

static void ranges_hold_together(void **state)
{
    static const struct {
        const char *range, *version;
        bool inside;
    } rows[] = {
        {"vers:windows/>=5.0.2195.2103", "5.00.2195.2103", true},
        {"vers:windows/>=5.0.2195.2103", "5.0.2195.2102", false},
        {"vers:generic/>=1.3.12|<1.3.20", "1.3.19", true},
        {"vers:generic/>=1.3.12|<1.3.20", "1.3.20", false},
        {"<1.3.20", "1.3.9", true},
        {">=1.2,<1.4", "1.4", false},
        {"1.3.20", "1.3.20", true},
        {"vers:deb/<1:2.0-1", "1:1.9-9", true},
        {"*", "anything", true},
        {"vers:windows/!=5.0", "5.0", false},
    };
    CLEANUP_ARENA struct arena *arena = arena_new();
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
        struct version_range range;
        struct error e = ERROR_INIT;
        if (!version_range_parse(&range, arena, rows[i].range, VERSION_GENERIC, &e))
            fail_msg("%s: %s", rows[i].range, e.message);
        if (version_range_has(&range, rows[i].version) != rows[i].inside)
            fail_msg("%s in %s", rows[i].version, rows[i].range);
    }
    static const char *const bad[] = {"vers:perl6/1", "vers:windows", ">=", "",
                                      "1,2,3,4,5,6,7,8,9"};
    for (size_t i = 0; i < ARRAY_COUNT(bad); i++) {
        struct version_range range;
        assert_false(version_range_parse(&range, arena, bad[i], VERSION_GENERIC, NULL));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(dpkg_agrees_with_the_oracle),
        cmocka_unit_test(rpm_agrees_with_the_oracle),
        cmocka_unit_test(each_scheme_orders_its_own),
        cmocka_unit_test(a_version_that_cannot_be_is_named),
        cmocka_unit_test(ranges_hold_together),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
