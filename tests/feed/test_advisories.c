#include "tests/feed/feed_support.h"

#include "base/file.h"
#include "base/mem.h"
#include "base/str.h"
#include "feed/advisories_set.h"
#include "feed/compile.h"
#include "feed/db_format.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static char *dir;

static int set_up(void **state)
{
    dir = support_temp_dir();
    return 0;
}

static int tear_down(void **state)
{
    support_remove_tree(dir);
    free(dir);
    return 0;
}

#define SUPERSEDES(id)                                                                             \
    ",{\"namespace\":\"urn:yagura:supersedes\",\"uri\":\"urn:yagura:supersedes:" id "\"}"
#define CONTAINED(id)                                                                              \
    ",{\"namespace\":\"urn:yagura:contained-in\",\"uri\":\"urn:yagura:contained-in:" id "\"}"

static void a_document_is_found_whatever_the_case_of_its_id(void **state)
{
    CLEANUP_FREE char *text = feed_iis("MS01-026", "2001-06-05", "", "");
    CLEANUP_ADVISORIES struct advisories *set = feed_open_one(dir, text);
    const struct advisory *a = advisories_find(set, "ms01-026");
    assert_non_null(a);
    assert_string_equal(a->title, "Title of MS01-026");
    assert_string_equal(a->feed, "test");
    assert_null(advisories_find(set, "MS01-02"));
    const struct advisory_revision *revisions;
    assert_int_equal(advisories_revisions(set, a, &revisions), 1);
    assert_string_equal(revisions[0].summary, "First.");
}

static void cases_are_found_by_their_product(void **state)
{
    CLEANUP_FREE char *text = feed_iis("MS01-026", "2001-06-05", "", "");
    CLEANUP_ADVISORIES struct advisories *set = feed_open_one(dir, text);
    const struct advisory_case *const *cases;
    assert_int_equal(advisories_cases(set, CASE_PRODUCT, "iis", "", &cases), 2);
    assert_string_equal(cases[0]->advisory->id, "MS01-026");
    assert_int_equal(advisories_cases(set, CASE_PRODUCT, "IIS", "", &cases), 2);
    assert_int_equal(advisories_cases(set, CASE_PACKAGE, "iis", "", &cases), 0);
    assert_int_equal(advisories_cases(set, CASE_PRODUCT, "apache", "", &cases), 0);
    assert_int_equal(advisories_cases_of(set, advisories_find(set, "MS01-026"), &cases), 2);
}

static void the_wants_are_the_files_once_each(void **state)
{
    CLEANUP_FREE char *one = feed_iis("A", "2001-06-05", "", "");
    CLEANUP_FREE char *two = feed_iis("B", "2001-06-05", "", "");
    const char *const texts[] = {one, two};
    feed_compile(dir, "w.db", texts, 2);
    CLEANUP_ADVISORIES struct advisories *set = feed_open(dir, "w.db");
    const char *const *wants;
    assert_int_equal(advisories_wants(set, &wants), 1);
    assert_string_equal(wants[0], "file-version:%SystemRoot%\\w3svc.dll");
}

static void a_patch_for_two_servers_has_two_lists(void **state)
{
    CLEANUP_FREE char *text =
        feed_iis("MS01-026", "2001-06-05", SUPERSEDES("Q1"), SUPERSEDES("Q0") SUPERSEDES("Q7"));
    CLEANUP_ADVISORIES struct advisories *set = feed_open_one(dir, text);
    const struct advisory_patch *const *patches;
    assert_int_equal(advisories_patches(set, "iis", &patches), 4);
    assert_string_equal(patches[2]->key, "Q2");
    assert_string_equal(patches[2]->platform, "windows:4.0");
    assert_int_equal(patches[2]->supersedes_count, 1);
    assert_string_equal(patches[3]->platform, "windows:5.0");
    assert_int_equal(patches[3]->supersedes_count, 2);
    assert_int_equal(patches[3]->file_count, 1);
    assert_int_equal(advisories_patches(set, "", &patches), 4);
    assert_int_equal(advisories_patches(set, "solaris", &patches), 0);
}

static void what_several_documents_say_of_a_patch_adds_up(void **state)
{
    CLEANUP_FREE char *one = feed_iis("B", "2001-06-05", SUPERSEDES("Q1"), "");
    CLEANUP_FREE char *two =
        feed_iis("A", "2001-06-05", SUPERSEDES("Q5") SUPERSEDES("Q1"), CONTAINED("windows:5.0:2"));
    const char *const texts[] = {one, two};
    feed_compile(dir, "p.db", texts, 2);
    CLEANUP_ADVISORIES struct advisories *set = feed_open(dir, "p.db");
    const struct advisory_patch *const *patches;
    assert_int_equal(advisories_patches(set, "iis", &patches), 4);
    assert_int_equal(patches[2]->supersedes_count, 2);
    assert_string_equal(patches[3]->contained_in[0], "service-pack:windows:5.0:2");
}

static void circles_are_named(void **state)
{
    static const struct {
        const char *name, *four, *five;
        size_t expected;
    } cases[] = {
        {"none", SUPERSEDES("Q1"), SUPERSEDES("Q1"), 0},
        {"itself", SUPERSEDES("Q2"), "", 1},
        {"a chain into nothing", SUPERSEDES("Q9"), "", 0},
    };
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        CLEANUP_FREE char *text = feed_iis("X", "2001-06-05", cases[i].four, cases[i].five);
        CLEANUP_ADVISORIES struct advisories *set = feed_open_one(dir, text);
        const char *const *keys;
        size_t count = advisories_circles(set, "iis", &keys);
        if (count != cases[i].expected)
            fail_msg("%s: %zu in circles", cases[i].name, count);
    }
}

/* N patches, each superseding the next, the last one the first: no recursion, no loop. */
static char *ring(size_t count, bool closed)
{
    CLEANUP_STR struct str tree = {0};
    str_add(&tree, "\"full_product_names\":[{\"name\":\"S\",\"product_id\":\"s\","
                   "\"product_identification_helper\":{\"x_generic_uris\":[{\"namespace\":"
                   "\"urn:yagura:product\",\"uri\":\"urn:yagura:product:iis\"}]}}");
    for (size_t i = 0; i < count; i++) {
        str_printf(&tree,
                   ",{\"name\":\"P\",\"product_id\":\"p%zu\",\"product_identification_helper\":"
                   "{\"x_generic_uris\":[{\"namespace\":\"urn:yagura:patch\",\"uri\":"
                   "\"urn:yagura:patch:Q%06zu\"}",
                   i, i);
        if (closed || i + 1 < count)
            str_printf(&tree,
                       ",{\"namespace\":\"urn:yagura:supersedes\",\"uri\":"
                       "\"urn:yagura:supersedes:Q%06zu\"}",
                       (i + 1) % count);
        str_add(&tree, "]}}");
    }
    str_add(&tree, "],\"relationships\":[");
    for (size_t i = 0; i < count; i++)
        str_printf(&tree,
                   "%s{\"category\":\"installed_on\",\"product_reference\":\"p%zu\","
                   "\"relates_to_product_reference\":\"s\",\"full_product_name\":{\"name\":\"R\","
                   "\"product_id\":\"r%zu\"}}",
                   i ? "," : "", i, i);
    str_add(&tree, "]");
    return feed_document("RING", "2001-06-05", str_text(&tree), "");
}

static void a_circle_of_many_patches_is_found_and_ends(void **state)
{
    static const size_t sizes[] = {2, 3, 10000};
    for (size_t i = 0; i < ARRAY_COUNT(sizes); i++) {
        for (int closed = 0; closed < 2; closed++) {
            CLEANUP_FREE char *text = ring(sizes[i], closed);
            CLEANUP_ADVISORIES struct advisories *set = feed_open_one(dir, text);
            const char *const *keys;
            assert_int_equal(advisories_circles(set, "iis", &keys), closed ? sizes[i] : 0);
        }
    }
}

/* --- sets of files --- */

static struct advisories *open_two(const char *one, const char *two, struct error *damaged,
                                   struct error *e)
{
    CLEANUP_STR struct str a = {0}, b = {0};
    str_printf(&a, "%s/%s", dir, one);
    str_printf(&b, "%s/%s", dir, two);
    const char *const paths[] = {str_text(&a), str_text(&b)};
    struct advisories *set = NULL;
    return advisories_open(&set, paths, 2, damaged, e) ? set : NULL;
}

static void the_later_file_of_a_set_wins(void **state)
{
    CLEANUP_FREE char *old = feed_iis("MS01-026", "2001-06-05", "", "");
    CLEANUP_FREE char *other = feed_iis("MS00-001", "2001-06-05", "", "");
    CLEANUP_FREE char *new = ring(2, false);
    CLEANUP_FREE char *replaced = feed_document("ms01-026", "2002-01-01", "", "");
    const char *const first[] = {old, other}, *const second[] = {replaced, new};
    feed_compile(dir, "1.db", first, 2);
    feed_compile(dir, "2.db", second, 2);
    CLEANUP_ADVISORIES struct advisories *set = open_two("1.db", "2.db", NULL, NULL);
    const struct advisory_case *const *cases;
    assert_int_equal(advisories_count(set), 3);
    assert_string_equal(advisories_at(set, 0)->id, "MS00-001");
    assert_string_equal(advisories_at(set, 1)->id, "ms01-026");
    assert_string_equal(advisories_at(set, 2)->id, "RING");
    assert_null(advisories_at(set, 3));
    assert_int_equal(advisories_cases(set, CASE_PRODUCT, "iis", "", &cases), 2);
    assert_string_equal(cases[0]->advisory->id, "MS00-001");
    const struct advisory_feed *feeds;
    assert_int_equal(advisories_feeds(set, &feeds), 2);
    assert_int_equal(feeds[0].documents, 2);
}

static void an_absent_file_is_passed_over(void **state)
{
    CLEANUP_FREE char *text = feed_iis("MS01-026", "2001-06-05", "", "");
    CLEANUP_ADVISORIES struct advisories *one = feed_open_one(dir, text);
    CLEANUP_ADVISORIES struct advisories *set = open_two("nothing.db", "one.db", NULL, NULL);
    assert_int_equal(advisories_count(set), 1);
}

static void a_damaged_file_is_an_error_or_named(void **state)
{
    CLEANUP_FREE char *text = feed_iis("MS01-026", "2001-06-05", "", "");
    struct error e = ERROR_INIT, damaged = ERROR_INIT;
    const char *const texts[] = {text};
    feed_compile(dir, "good.db", texts, 1);
    support_write(dir, "bad.db", "not a database at all", 21);
    assert_null(open_two("good.db", "bad.db", NULL, &e));
    assert_int_equal(e.code, ERR_CORRUPT);
    CLEANUP_ADVISORIES struct advisories *set = open_two("good.db", "bad.db", &damaged, &e);
    assert_non_null(set);
    assert_true(str_ends(damaged.path, "bad.db"));
    assert_int_equal(advisories_count(set), 1);
}

/* --- damage --- */

static void use_everything(struct advisories *set)
{
    const struct advisory_case *const *cases;
    const struct advisory_patch *const *patches;
    const struct advisory_revision *revisions;
    const struct advisory_feed *feeds;
    const char *const *texts;
    for (size_t i = 0; i < advisories_count(set); i++) {
        const struct advisory *a = advisories_at(set, i);
        advisories_cases_of(set, a, &cases);
        advisories_revisions(set, a, &revisions);
    }
    advisories_cases(set, CASE_PRODUCT, "iis", "", &cases);
    advisories_patches(set, "", &patches);
    advisories_circles(set, "iis", &texts);
    advisories_wants(set, &texts);
    advisories_feeds(set, &feeds);
}

static char *whole_file(const char *name, size_t *size)
{
    CLEANUP_STR struct str path = {0};
    char *bytes = NULL;
    str_printf(&path, "%s/%s", dir, name);
    assert_true(file_read(&bytes, size, str_text(&path), 1 << 28, NULL));
    return bytes;
}

static void a_file_that_is_cut_short_is_refused(void **state)
{
    CLEANUP_FREE char *text = feed_iis("MS01-026", "2001-06-05", SUPERSEDES("Q1"), "");
    const char *const texts[] = {text};
    feed_compile(dir, "cut.db", texts, 1);
    size_t size;
    CLEANUP_FREE char *bytes = whole_file("cut.db", &size);
    for (size_t n = 0; n < size; n++) {
        struct error e = ERROR_INIT;
        struct advisories *set;
        CLEANUP_FREE char *copy = mem_dup(bytes, n);
        if (advisories_of_bytes(&set, copy, n, &e))
            fail_msg("%zu of %zu bytes are accepted", n, size);
        assert_int_equal(e.code, ERR_CORRUPT);
    }
}

static void every_flipped_byte_is_noticed_at_open(void **state)
{
    CLEANUP_FREE char *text = feed_iis("MS01-026", "2001-06-05", SUPERSEDES("Q1"), "");
    const char *const texts[] = {text};
    feed_compile(dir, "flip.db", texts, 1);
    size_t size;
    CLEANUP_FREE char *bytes = whole_file("flip.db", &size);
    for (size_t i = 0; i < size; i++) {
        struct error e = ERROR_INIT;
        struct advisories *set;
        bytes[i] ^= 0x41;
        if (advisories_of_bytes(&set, bytes, size, &e))
            fail_msg("a flipped byte at %zu of %zu is not noticed", i, size);
        bytes[i] ^= 0x41;
    }
}

/* Makes the checksums right again, as an attacker could. */
static void seal(char *bytes, size_t size)
{
    uint64_t pages_at, pages_size, sum;
    memcpy(&pages_at, bytes + 32 + DB_PAGES * 16, 8);
    memcpy(&pages_size, bytes + 32 + DB_PAGES * 16 + 8, 8);
    for (uint64_t i = 0; i < pages_size / 8; i++) {
        uint64_t from = i ? i * DB_PAGE_BYTES : DB_HEADER_BYTES, to = (i + 1) * DB_PAGE_BYTES;
        sum = db_hash_bytes(bytes + from, (to < pages_at ? to : pages_at) - from);
        memcpy(bytes + pages_at + i * 8, &sum, 8);
    }
    sum = db_hash_bytes(bytes + pages_at, pages_size);
    memcpy(bytes + DB_PAGES_HASH_AT, &sum, 8);
    sum = db_hash_bytes(bytes, DB_HEADER_HASH_AT);
    memcpy(bytes + DB_HEADER_HASH_AT, &sum, 8);
}

static void a_file_that_lies_under_right_checksums_does_no_harm(void **state)
{
    static const unsigned char masks[] = {0x01, 0x80, 0xff};
    CLEANUP_FREE char *text = feed_iis("MS01-026", "2001-06-05", SUPERSEDES("Q1"), "");
    const char *const texts[] = {text};
    feed_compile(dir, "lie.db", texts, 1);
    size_t size, said = 0;
    CLEANUP_FREE char *bytes = whole_file("lie.db", &size);
    uint64_t pages_at;
    memcpy(&pages_at, bytes + 32 + DB_PAGES * 16, 8);
    for (size_t m = 0; m < sizeof masks; m++) {
        for (size_t i = DB_HEADER_BYTES; i < pages_at; i++) {
            struct advisories *set;
            CLEANUP_FREE char *copy = mem_dup(bytes, size);
            copy[i] ^= (char)masks[m];
            seal(copy, size);
            if (!advisories_of_bytes(&set, copy, size, NULL))
                continue;
            use_everything(set);
            said += advisories_damage(set, NULL);
            advisories_close(set);
        }
    }
    assert_true(said > 100);
}

static void damage_in_a_big_file_is_found_on_use_and_said(void **state)
{
    enum { DOCUMENTS = ADVISORIES_CHECK_BYTES / 1000 };
    char *texts[DOCUMENTS];
    for (size_t i = 0; i < DOCUMENTS; i++) {
        char id[32];
        snprintf(id, sizeof id, "DOC-%05zu", i);
        texts[i] = feed_iis(id, "2001-06-05", "", "");
    }
    feed_compile(dir, "big.db", (const char *const *)texts, DOCUMENTS);
    for (size_t i = 0; i < DOCUMENTS; i++)
        free(texts[i]);
    size_t size;
    CLEANUP_FREE char *bytes = whole_file("big.db", &size);
    if (size <= ADVISORIES_CHECK_BYTES)
        fail_msg("the file has only %zu bytes", size);
    bytes[10 * DB_PAGE_BYTES + 77] ^= 1;
    struct error e = ERROR_INIT;
    CLEANUP_ADVISORIES struct advisories *set = NULL;
    if (!advisories_of_bytes(&set, bytes, size, &e))
        fail_msg("%s", e.message);
    assert_non_null(advisories_find(set, "DOC-00000"));
    assert_false(advisories_damage(set, &e));
    const struct advisory_case *const *cases;
    size_t found = advisories_cases(set, CASE_PRODUCT, "iis", "", &cases);
    assert_true(found > 0 && found < 2 * DOCUMENTS);
    assert_true(advisories_damage(set, &e));
    assert_int_equal(e.code, ERR_CORRUPT);
    assert_false(advisories_verify(set, &e));
}

/* --- the compiler --- */

static void the_same_documents_make_the_same_bytes(void **state)
{
    CLEANUP_FREE char *one = feed_iis("A", "2001-06-05", "", "");
    CLEANUP_FREE char *two = feed_iis("B", "2001-06-05", "", "");
    const char *const forth[] = {one, two}, *const back[] = {two, one};
    feed_compile(dir, "forth.db", forth, 2);
    feed_compile(dir, "back.db", back, 2);
    size_t a, b;
    CLEANUP_FREE char *x = whole_file("forth.db", &a);
    CLEANUP_FREE char *y = whole_file("back.db", &b);
    assert_int_equal(a, b);
    assert_memory_equal(x, y, a);
}

static void a_set_of_nothing_is_empty_and_fine(void **state)
{
    CLEANUP_ADVISORIES struct advisories *set = NULL;
    const char *const *wants;
    feed_compile(dir, "empty.db", NULL, 0);
    CLEANUP_ADVISORIES struct advisories *empty = feed_open(dir, "empty.db");
    assert_true(advisories_open(&set, NULL, 0, NULL, NULL));
    assert_int_equal(advisories_count(set), 0);
    assert_int_equal(advisories_wants(set, &wants), 0);
    assert_int_equal(advisories_count(empty), 0);
    assert_int_equal(advisories_wants(empty, &wants), 0);
    assert_true(advisories_verify(empty, NULL));
}

static void what_cannot_be_written_leaves_the_old_file(void **state)
{
    CLEANUP_FREE char *text = feed_iis("A", "2001-06-05", "", "");
    const char *const texts[] = {text};
    feed_compile(dir, "keep.db", texts, 1);
    CLEANUP_CLOSE int fd = open("/proc/self", O_RDONLY | O_DIRECTORY);
    struct compile *c;
    struct error e = ERROR_INIT;
    assert_false(compile_new(&c, fd, &e));
    CLEANUP_ADVISORIES struct advisories *set = feed_open(dir, "keep.db");
    assert_int_equal(advisories_count(set), 1);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_document_is_found_whatever_the_case_of_its_id),
        TEST(cases_are_found_by_their_product),
        TEST(the_wants_are_the_files_once_each),
        TEST(a_patch_for_two_servers_has_two_lists),
        TEST(what_several_documents_say_of_a_patch_adds_up),
        TEST(circles_are_named),
        TEST(a_circle_of_many_patches_is_found_and_ends),
        TEST(the_later_file_of_a_set_wins),
        TEST(an_absent_file_is_passed_over),
        TEST(a_damaged_file_is_an_error_or_named),
        TEST(a_file_that_is_cut_short_is_refused),
        TEST(every_flipped_byte_is_noticed_at_open),
        TEST(a_file_that_lies_under_right_checksums_does_no_harm),
        TEST(damage_in_a_big_file_is_found_on_use_and_said),
        TEST(the_same_documents_make_the_same_bytes),
        TEST(a_set_of_nothing_is_empty_and_fine),
        TEST(what_cannot_be_written_leaves_the_old_file),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
