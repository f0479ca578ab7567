/* The reader of "Field: value" files, and dpkg's status on top of it. */
#include "base/file.h"
#include "base/str.h"
#include "collect/deb822.h"
#include "collect/dpkg.h"
#include "tests/collect/linux_harness.h"

#include <stdlib.h>

/* Every event as text: "name=value@line", "--" at the end of a stanza. */
static char *events(const char *text, uint64_t *malformed)
{
    struct str out = {0};
    struct deb822 r = deb822_of(text, strlen(text));
    struct deb822_field f;
    for (enum deb822_event e; (e = deb822_next(&r, &f)) != DEB822_END;) {
        if (e == DEB822_END_OF_STANZA)
            str_add(&out, "--;");
        else
            str_printf(&out, "%.*s=%.*s@%u;", (int)f.name_length, f.name, (int)f.value_length,
                       f.value, (unsigned)f.line);
    }
    *malformed = r.malformed;
    return out.data ? out.data : mem_strdup("");
}

static void fields_and_stanzas_are_told(void **state)
{
    static const struct {
        const char *text, *expected;
        unsigned malformed;
    } rows[] = {
        {"", "", 0},
        {"\n\n\n", "", 0},
        {"A: 1\nB:2\n\nA: 3\n", "A=1@1;B=2@2;--;A=3@4;--;", 0},
        {"A: 1\r\n\r\nB: 2", "A=1@1;--;B=2@3;--;", 0},
        {"A: 1\n 2\n\t3\nB: 4\n", "A=1\n 2\n\t3@1;B=4@4;--;", 0},
        {"# c\nA: 1\n# c\nB: 2\n", "A=1@2;B=2@4;--;", 0},
        {"A: 1\n# c\n 2\nB: 3\n", "A=1\n# c\n 2@1;B=3@4;--;", 0},
        {"\n\nA : 1\n\n\n\nB:\n", "A=1@3;--;B=@7;--;", 0},
        {"no colon\nA: 1\n: x\n", "A=1@2;--;", 2},
        {" stray\nA: 1\n", "A=1@2;--;", 1},
    };
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
        uint64_t malformed;
        CLEANUP_FREE char *got = events(rows[i].text, &malformed);
        assert_string_equal(got, rows[i].expected);
        assert_int_equal(malformed, rows[i].malformed);
    }
}

static void picked_fields_are_the_same_as_all_fields(void **state)
{
    static const char text[] = "Package: a\nPriority: x\n y\n# c\nVersion: 1\npackage: b\n\n"
                               "Depends: z\nVERSION: 2\n\nVersion-X: 3\n";
    static const char *const names[] = {"Package", "Version"};
    struct deb822_field f[2];
    uint64_t line;
    struct deb822 r = deb822_of(text, sizeof text - 1);
    assert_true(deb822_stanza(&r, names, f, 2, &line));
    assert_int_equal(line, 1);
    assert_int_equal(f[0].line, 6); /* of two fields the later counts */
    assert_memory_equal(f[0].value, "b", 1);
    assert_int_equal(f[1].line, 5);
    assert_true(deb822_stanza(&r, names, f, 2, &line));
    assert_null(f[0].name);
    assert_memory_equal(f[1].value, "2", 1);
    assert_true(deb822_stanza(&r, names, f, 2, &line));
    assert_null(f[1].name); /* Version-X is another field */
    assert_false(deb822_stanza(&r, names, f, 2, &line));
}

static void a_name_with_a_nul_is_no_other_name(void **state)
{
    static const char text[] = "Pin\0: x\nPackage\0xyz: y\n";
    static const char *const names[] = {"Pin", "Package"};
    struct deb822_field f[2];
    struct deb822 r = deb822_of(text, sizeof text - 1);
    assert_true(deb822_stanza(&r, names, f, 2, NULL));
    assert_null(f[0].name);
    assert_null(f[1].name);
}

static void words_pass_over_comments(void **state)
{
    struct deb822_field f = {.value = " a  b\n# no\n c#d\t", .value_length = 16};
    const char *word;
    size_t at = 0, length;
    static const char *const expected[] = {"a", "b", "c#d"};
    for (size_t i = 0; i < 3; i++) {
        assert_true(deb822_word(&f, &at, &word, &length));
        assert_int_equal(length, strlen(expected[i]));
        assert_memory_equal(word, expected[i], length);
    }
    assert_false(deb822_word(&f, &at, &word, &length));
}

static const char status[] = "Package: libssl3\nStatus: install ok installed\nSource: openssl "
                             "(3.0.1-1)\nVersion: 3.0.1-1+b1\nArchitecture: amd64\n\n"
                             "Package: held\nStatus: hold ok installed\nVersion: 1\n"
                             "Architecture: all\n\n"
                             "Package: gone\nStatus: deinstall ok config-files\nVersion: 1\n\n"
                             "Package: never\nStatus: purge ok not-installed\n\n"
                             "Package: half\nStatus: install ok half-configured\nVersion: 2\n"
                             "Architecture: i386\n";

static void only_what_is_unpacked_counts(void **state)
{
    static collect_source_function *const sources[] = {collect_dpkg, NULL};
    struct linux_host host;
    linux_begin(&host, (struct linux_file[]){{"var/lib/dpkg/status", status}, {NULL, NULL}});
    linux_run(&host, sources);
    assert_int_equal(linux_count(&host, "package"), 3);
    assert_int_equal(linux_count(&host, "unread"), 0);
    const struct fact *f = harness_find(&host.h, "package", "name", "libssl3");
    assert_string_equal(harness_value(f, "source_package"), "openssl");
    assert_string_equal(harness_value(f, "source_version"), "3.0.1-1");
    assert_string_equal(harness_value(f, "version"), "3.0.1-1+b1");
    assert_string_equal(harness_value(f, "hold"), "no");
    assert_int_equal(f->line, 1);
    f = harness_find(&host.h, "package", "name", "held");
    assert_string_equal(harness_value(f, "hold"), "yes");
    assert_string_equal(harness_value(f, "source_package"), "held");
    assert_int_equal(f->line, 7);
    f = harness_find(&host.h, "package", "name", "half");
    assert_string_equal(harness_value(f, "status"), "half-configured");
    linux_end(&host);
}

static void a_missing_or_damaged_database_is_said(void **state)
{
    static collect_source_function *const sources[] = {collect_dpkg, NULL};
    static const struct {
        struct linux_file files[3];
        size_t packages, unread;
    } rows[] = {
        {{{"etc/os-release", "ID=debian\n"}, {NULL, NULL}}, 0, 1},
        {{{"var/lib/dpkg/status", ""}, {NULL, NULL}}, 0, 1},
        {{{"var/lib/dpkg/status/x", "a folder in its place"}, {NULL, NULL}}, 0, 1},
        {{{"var/lib/dpkg/status", "Package: a\nStatus: install ok installed\n\nPackage: b\n"
                                  "Status: install ok installed\nVersion: 1\n"},
          {NULL, NULL}},
         1,
         1},
        {{{"var/lib/dpkg/status",
           "Package: a;reboot\nStatus: install ok installed\nVersion: 1\n\n"
           "Package: libstdc++6\nStatus: install ok installed\nVersion: 1\n\n"
           "Package: -o\nStatus: install ok installed\nVersion: 1\n"},
          {NULL, NULL}},
         1,
         1},
        {{{"var/lib/dpkg/status.d/base", "Package: base\nVersion: 12\nArchitecture: all\n"},
          {"var/lib/dpkg/status.d/base.md5sums", "x"},
          {NULL, NULL}},
         1,
         0},
        {{{"var/lib/dpkg/status", "Package: b\nStatus: install ok installed\nVersion: 1\n"},
          {"var/lib/dpkg/updates/0001", "x"},
          {NULL, NULL}},
         1,
         1},
    };
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
        struct linux_host host;
        linux_begin(&host, rows[i].files);
        linux_run(&host, sources);
        if (linux_count(&host, "package") != rows[i].packages ||
            linux_count(&host, "unread") != rows[i].unread) {
            harness_print(&host.h);
            fail_msg("row %zu", i);
        }
        linux_end(&host);
    }
}

static bool count_packages(void *context, const struct dpkg_package *p)
{
    ++*(size_t *)context;
    return true;
}

static void real_databases_are_read(void **state)
{
    static const struct {
        const char *name;
        size_t packages;
    } rows[] = {{"data/audit/dpkg-status/texlive.status", 350},
                {"data/audit/dpkg-status/debian-only.status", 1}};
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
        CLEANUP_FREE char *path = support_shared(rows[i].name);
        CLEANUP_FREE char *text = NULL;
        size_t size, packages = 0;
        if (!path)
            skip();
        assert_true(file_read(&text, &size, path, 64 << 20, NULL));
        assert_int_equal(dpkg_parse(text, size, count_packages, &packages, NULL), 0);
        assert_true(packages >= rows[i].packages);
    }
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(fields_and_stanzas_are_told),
        cmocka_unit_test(picked_fields_are_the_same_as_all_fields),
        cmocka_unit_test(a_name_with_a_nul_is_no_other_name),
        cmocka_unit_test(words_pass_over_comments),
        cmocka_unit_test(only_what_is_unpacked_counts),
        cmocka_unit_test(a_missing_or_damaged_database_is_said),
        cmocka_unit_test(real_databases_are_read),
    };
    return cmocka_run_group_tests_name("collect/deb822", tests, NULL, NULL);
}
