#include "tests/feed/feed_support.h"

#include "base/mem.h"
#include "base/str.h"
#include "feed/import.h"

#include <archive.h>
#include <archive_entry.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static char *dir, *state_dir;

static int set_up(void **state)
{
    dir = support_temp_dir();
    state_dir = support_temp_dir();
    return 0;
}

static int tear_down(void **state)
{
    support_remove_tree(dir);
    support_remove_tree(state_dir);
    free(dir);
    free(state_dir);
    return 0;
}

static char *in_dir(const char *name)
{
    struct str path = {0};
    str_printf(&path, "%s/%s", dir, name);
    return path.data;
}

static struct import_result import(const char *name)
{
    CLEANUP_FREE char *path = in_dir(name);
    CLEANUP_CLOSE int fd = open(state_dir, O_RDONLY | O_DIRECTORY);
    const char *const paths[] = {path};
    struct import_request request = {
        .paths = paths, .count = 1, .dirfd = fd, .name = "advisories.db", .now = 1000000000};
    struct import_result r;
    struct error e = ERROR_INIT;
    if (!import_run(&r, &request, &e))
        fail_msg("%s", e.message);
    return r;
}

static void put(const char *name, const char *text)
{
    support_write(dir, name, text, strlen(text));
}

static void put_document(const char *name, const char *id, const char *date)
{
    CLEANUP_FREE char *text = feed_iis(id, date, "", "");
    put(name, text);
}

static void says(const struct import_result *r, size_t i, const char *path, const char *message)
{
    assert_true(i < r->errors.count);
    if (!str_ends(r->errors.items[i].path, path) || !strstr(r->errors.items[i].message, message))
        fail_msg("\"%s: %s\" is not about %s and \"%s\"", r->errors.items[i].path,
                 r->errors.items[i].message, path, message);
}

static void a_folder_goes_in_and_what_is_broken_is_named(void **state)
{
    put_document("in/a.json", "A", "2001-06-05");
    put_document("in/deep/er/b.json", "B", "2001-06-05");
    put("in/broken.json", "{\n  \"document\": {");
    put("in/other.json", "{\"feed\": {}}");
    put("in/readme.txt", "no document");
    CLEANUP_IMPORT struct import_result r = import("in");
    assert_int_equal(r.added, 2);
    assert_int_equal(r.failed, 2);
    assert_int_equal(r.ignored, 1);
    assert_true(r.written);
    says(&r, 0, "in/broken.json", "not JSON");
    assert_int_equal(r.errors.items[0].line, 2);
    says(&r, 1, "in/other.json", "no CSAF document");
    CLEANUP_ADVISORIES struct advisories *set = feed_open(state_dir, "advisories.db");
    assert_int_equal(advisories_count(set), 2);
    const struct advisory_feed *feeds;
    assert_int_equal(advisories_feeds(set, &feeds), 1);
    assert_true(str_ends(feeds[0].name, "/in"));
    assert_int_equal(feeds[0].skipped, 2);
    assert_int_equal(feeds[0].imported, 1000000000);
}

static void the_old_database_stays_if_nothing_goes_in(void **state)
{
    put_document("a.json", "A", "2001-06-05");
    CLEANUP_IMPORT struct import_result first = import("a.json");
    assert_int_equal(first.documents, 1);
    put("broken.json", "{");
    CLEANUP_IMPORT struct import_result r = import("broken.json");
    assert_false(r.written);
    assert_int_equal(r.failed, 1);
    CLEANUP_IMPORT struct import_result absent = import("nothing-there");
    assert_int_equal(absent.failed, 1);
    says(&absent, 0, "nothing-there", "No such file");
    CLEANUP_ADVISORIES struct advisories *set = feed_open(state_dir, "advisories.db");
    assert_int_equal(advisories_count(set), 1);
}

static void the_newer_document_of_one_id_stays(void **state)
{
    static const struct {
        const char *date;
        size_t added, replaced, unchanged, older;
    } steps[] = {
        {"2001-06-05", 1, 0, 0, 0}, {"2001-06-05", 0, 0, 1, 0}, {"2001-07-01", 0, 1, 0, 0},
        {"2001-06-01", 0, 0, 0, 1}, {"2001-07-01", 0, 0, 1, 0},
    };
    for (size_t i = 0; i < ARRAY_COUNT(steps); i++) {
        put_document("x.json", "MS01-026", steps[i].date);
        CLEANUP_IMPORT struct import_result r = import("x.json");
        if (r.added != steps[i].added || r.replaced != steps[i].replaced ||
            r.unchanged != steps[i].unchanged || r.older != steps[i].older)
            fail_msg("step %zu: %zu added, %zu replaced, %zu unchanged, %zu older", i, r.added,
                     r.replaced, r.unchanged, r.older);
        assert_int_equal(r.notes.count, steps[i].older);
        assert_int_equal(r.documents, 1);
    }
}

static void older_imports_stay_and_a_withdrawn_one_goes(void **state)
{
    put_document("a.json", "A", "2001-06-05");
    put_document("b.json", "B", "2001-06-05");
    put("c.json", "{\"document\":{\"tracking\":{\"id\":\"a\",\"status\":\"deleted\"}}}");
    CLEANUP_IMPORT struct import_result one = import("a.json");
    CLEANUP_IMPORT struct import_result two = import("b.json");
    assert_int_equal(two.documents, 2);
    CLEANUP_IMPORT struct import_result three = import("c.json");
    assert_int_equal(three.withdrawn, 1);
    assert_int_equal(three.documents, 1);
    CLEANUP_ADVISORIES struct advisories *set = feed_open(state_dir, "advisories.db");
    assert_null(advisories_find(set, "A"));
    assert_non_null(advisories_find(set, "B"));
}

static void a_damaged_old_database_is_said_and_replaced(void **state)
{
    support_write(state_dir, "advisories.db", "rubbish", 7);
    put_document("a.json", "A", "2001-06-05");
    CLEANUP_IMPORT struct import_result r = import("a.json");
    assert_int_equal(r.added, 1);
    assert_int_equal(r.notes.count, 1);
    assert_non_null(strstr(r.notes.items[0].message, "could not be kept"));
    CLEANUP_ADVISORIES struct advisories *set = feed_open(state_dir, "advisories.db");
    assert_int_equal(advisories_count(set), 1);
}

static void a_huge_string_is_refused_with_its_place(void **state)
{
    CLEANUP_STR struct str text = {0};
    str_add(&text, "{\n \"document\": {\"title\": \"");
    for (int i = 0; i < 2 * 1024 * 1024; i++)
        str_add_char(&text, 'x');
    str_add(&text, "\"}}");
    put("string.json", str_text(&text));
    CLEANUP_FREE char *path = in_dir("huge.json");
    CLEANUP_CLOSE int fd = open(path, O_WRONLY | O_CREAT, 0600);
    assert_int_equal(ftruncate(fd, 1024 * 1024 * 1024), 0); /* 1 GiB, and no disk */
    CLEANUP_IMPORT struct import_result r = import("");
    assert_int_equal(r.failed, 2);
    says(&r, 0, "huge.json", "67108864");
    says(&r, 1, "string.json", "a string");
    assert_int_equal(r.errors.items[1].line, 2);
}

static void a_fifo_and_a_linked_folder_do_no_harm(void **state)
{
    put_document("in/a.json", "A", "2001-06-05");
    CLEANUP_FREE char *fifo = in_dir("in/fifo.json");
    CLEANUP_FREE char *loop = in_dir("in/loop");
    assert_int_equal(mkfifo(fifo, 0600), 0);
    assert_int_equal(symlink(".", loop), 0);
    CLEANUP_IMPORT struct import_result r = import("in");
    assert_int_equal(r.added, 1);
    assert_int_equal(r.ignored, 2);
    CLEANUP_IMPORT struct import_result direct = import("in/fifo.json");
    assert_int_equal(direct.failed, 1);
}

/* --- archives --- */

struct packed {
    const char *name, *text;
    size_t size; /* of zeros, where there is no text */
};

static void pack(const char *name, int (*format)(struct archive *), int (*filter)(struct archive *),
                 const struct packed *members, size_t count)
{
    CLEANUP_FREE char *path = in_dir(name);
    CLEANUP_FREE char *zeros = mem_alloc(1024 * 1024);
    struct archive *a = archive_write_new();
    assert_int_equal(format(a), ARCHIVE_OK);
    if (filter)
        assert_int_equal(filter(a), ARCHIVE_OK);
    assert_int_equal(archive_write_open_filename(a, path), ARCHIVE_OK);
    for (size_t i = 0; i < count; i++) {
        struct archive_entry *entry = archive_entry_new();
        size_t size = members[i].text ? strlen(members[i].text) : members[i].size;
        archive_entry_set_pathname(entry, members[i].name);
        archive_entry_set_size(entry, (la_int64_t)size);
        archive_entry_set_filetype(entry, AE_IFREG);
        archive_entry_set_perm(entry, 0644);
        assert_int_equal(archive_write_header(a, entry), ARCHIVE_OK);
        for (size_t left = size, n; left; left -= n) {
            n = members[i].text || left < 1024 * 1024 ? left : 1024 * 1024;
            archive_write_data(a, members[i].text ? members[i].text : zeros, n);
        }
        archive_entry_free(entry);
    }
    assert_int_equal(archive_write_close(a), ARCHIVE_OK);
    archive_write_free(a);
}

static const struct {
    const char *name;
    int (*format)(struct archive *), (*filter)(struct archive *);
} kinds[] = {
    {"x.zip", archive_write_set_format_zip, NULL},
    {"x.tar", archive_write_set_format_ustar, NULL},
    {"x.tar.gz", archive_write_set_format_pax, archive_write_add_filter_gzip},
    {"x.tar.zst", archive_write_set_format_pax, archive_write_add_filter_zstd},
    {"x.tar.xz", archive_write_set_format_gnutar, archive_write_add_filter_xz},
};

static void archives_of_all_kinds_are_read(void **state)
{
    CLEANUP_FREE char *a = feed_iis("A", "2001-06-05", "", "");
    CLEANUP_FREE char *b = feed_iis("B", "2001-06-05", "", "");
    const struct packed members[] = {{"white/2001/a.json", a, 0},
                                     {"../../b.json", b, 0},
                                     {"/etc/broken.json", "{", 0},
                                     {"index.txt", "a.json", 0},
                                     {"inner.zip", "PK", 0}};
    for (size_t i = 0; i < ARRAY_COUNT(kinds); i++) {
        pack(kinds[i].name, kinds[i].format, kinds[i].filter, members, ARRAY_COUNT(members));
        CLEANUP_IMPORT struct import_result r = import(kinds[i].name);
        if (r.added + r.unchanged + r.replaced != 2 || r.failed != 2 || r.ignored != 1)
            fail_msg("%s: %zu in, %zu failed (%s), %zu ignored", kinds[i].name,
                     r.added + r.unchanged + r.replaced, r.failed,
                     r.errors.count ? r.errors.items[0].message : "", r.ignored);
        says(&r, 0, ":/etc/broken.json", "not JSON");
        says(&r, 1, ":inner.zip", "an archive in an archive");
    }
}

static void a_single_compressed_document_is_read(void **state)
{
    CLEANUP_FREE char *a = feed_iis("A", "2001-06-05", "", "");
    const struct packed member = {"a.json", a, 0};
    pack("a.json.gz", archive_write_set_format_raw, archive_write_add_filter_gzip, &member, 1);
    CLEANUP_IMPORT struct import_result r = import("a.json.gz");
    assert_int_equal(r.added, 1);
}

static void an_archive_that_unfolds_without_end_is_stopped(void **state)
{
    CLEANUP_FREE char *a = feed_iis("A", "2001-06-05", "", "");
    struct packed members[12] = {{"a.json", a, 0}};
    for (size_t i = 1; i < ARRAY_COUNT(members); i++)
        members[i] = (struct packed){"zeros.json", NULL, 50u * 1024 * 1024};
    pack("bomb.tar.zst", archive_write_set_format_pax, archive_write_add_filter_zstd, members,
         ARRAY_COUNT(members));
    CLEANUP_IMPORT struct import_result r = import("bomb.tar.zst");
    assert_int_equal(r.added, 1);
    says(&r, r.errors.count - 1, "bomb.tar.zst", "1,000 times its size");
    assert_true(r.failed < 6);
}

static void a_member_over_the_limit_is_refused_and_the_rest_goes_on(void **state)
{
    CLEANUP_FREE char *a = feed_iis("A", "2001-06-05", "", "");
    const struct packed members[] = {{"big.json", NULL, 65u * 1024 * 1024}, {"a.json", a, 0}};
    pack("big.tar", archive_write_set_format_pax, NULL, members, 2);
    CLEANUP_IMPORT struct import_result r = import("big.tar");
    assert_int_equal(r.added, 1);
    says(&r, 0, "big.tar:big.json", "64 MiB");
}

static void a_damaged_archive_gives_what_it_has_and_says_so(void **state)
{
    CLEANUP_FREE char *a = feed_iis("A", "2001-06-05", "", "");
    const struct packed members[] = {{"a.json", a, 0}, {"big.json", NULL, 1024 * 1024}};
    pack("cut.tar", archive_write_set_format_pax, NULL, members, 2);
    CLEANUP_FREE char *path = in_dir("cut.tar");
    assert_int_equal(truncate(path, 100000), 0);
    CLEANUP_IMPORT struct import_result r = import("cut.tar");
    assert_int_equal(r.added, 1);
    assert_true(r.failed >= 1);
    put("rubbish.zip", "PK\3\4 and then nothing that makes sense");
    CLEANUP_IMPORT struct import_result rubbish = import("rubbish.zip");
    assert_int_equal(rubbish.failed, 1);
}

static void without_its_helper_an_archive_is_an_error(void **state)
{
    CLEANUP_FREE char *a = feed_iis("A", "2001-06-05", "", "");
    CLEANUP_FREE char *saved = mem_strdup(getenv("YAGURA_LIBEXEC") ? getenv("YAGURA_LIBEXEC") : "");
    const struct packed member = {"a.json", a, 0};
    pack("x.tar", archive_write_set_format_pax, NULL, &member, 1);
    setenv("YAGURA_LIBEXEC", "/nonexistent", 1);
    CLEANUP_IMPORT struct import_result r = import("x.tar");
    setenv("YAGURA_LIBEXEC", saved, 1);
    says(&r, 0, "x.tar", "yagura-unpack");
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_folder_goes_in_and_what_is_broken_is_named),
        TEST(the_old_database_stays_if_nothing_goes_in),
        TEST(the_newer_document_of_one_id_stays),
        TEST(older_imports_stay_and_a_withdrawn_one_goes),
        TEST(a_damaged_old_database_is_said_and_replaced),
        TEST(a_huge_string_is_refused_with_its_place),
        TEST(a_fifo_and_a_linked_folder_do_no_harm),
        TEST(archives_of_all_kinds_are_read),
        TEST(a_single_compressed_document_is_read),
        TEST(an_archive_that_unfolds_without_end_is_stopped),
        TEST(a_member_over_the_limit_is_refused_and_the_rest_goes_on),
        TEST(a_damaged_archive_gives_what_it_has_and_says_so),
        TEST(without_its_helper_an_archive_is_an_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
