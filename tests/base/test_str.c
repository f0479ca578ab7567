/* Text of others on its way to a terminal, or into a line that a person pastes into a shell. */
#include "base/error.h"
#include "base/mem.h"
#include "base/str.h"
#include "tests/support.h"

static void what_steers_a_terminal_is_told_from_what_is_seen(void **state)
{
    static const struct {
        const char *text;
        size_t bytes;
    } rows[] = {
        {"a", 0},
        {"", 0},
        {"\n", 0},
        {"\t", 0},
        {"\r", 1},
        {"\x1b[31m", 1},
        {"\x7f", 1},
        {"\xc2\x9b", 2},
        {"\xc2\xa0", 0},
        {"\xd8\x9c", 2},
        {"\xd8\xa7", 0},
        {"\xe2\x80\xae", 3},
        {"\xe2\x80\x94", 0},
        {"\xe2\x80\xa8", 3},
        {"\xe2\x80\xaf", 0},
        {"\xe2\x81\xa6", 3},
        {"\xe2\x81\xa5", 0},
        {"\xe2\x80\x8f", 3},
        {"\xe6\xab\x93", 0},
    };
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++)
        assert_int_equal(str_steering(rows[i].text, strlen(rows[i].text)), rows[i].bytes);
    assert_int_equal(str_steering("\xc2", 1), 0); /* cut */
}

static void printable_text_holds_nothing_that_steers(void **state)
{
    static const char in[] = "櫓 \x1b[2J\n\xc2\x9b\xff\xe2\x80\xae.";
    CLEANUP_STR struct str out = {0};
    str_add_printable(&out, in, strlen(in));
    assert_string_equal(str_text(&out), "櫓 \\x1b[2J\n\\xc2\\x9b\\xff\\xe2\\x80\\xae.");
}

static void no_two_names_are_written_the_same(void **state)
{
    static const char *const rows[][2] = {{"a.php", "a.php"},
                                          {"\xff.php", "\\xff.php"},
                                          {"\\xff.php", "\\x5cxff.php"},
                                          {"\\x5cxff.php", "\\x5cx5cxff.php"},
                                          {"\\\xff.php", "\\\\xff.php"},
                                          {"\\\\xff.php", "\\\\x5cxff.php"},
                                          {"C:\\xampp\\x", "C:\\xampp\\x"},
                                          {"櫓\n\x1b", "櫓\n\x1b"}};
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
        CLEANUP_STR struct str out = {0};
        str_add_name(&out, rows[i][0]);
        assert_string_equal(str_text(&out), rows[i][1]);
    }
}

static void an_error_is_one_line_of_ours_whatever_the_file_is_called(void **state)
{
    struct error e = ERROR_INIT;
    char text[256];
    error_set(&e, ERR_FORMAT, "not JSON: \x1b[2J");
    error_at(&e, "a\x1b]0;x\x07\nyagura: all is well", 3, 7);
    assert_string_equal(error_text(&e, text, sizeof text),
                        "a\\x1b]0;x\\x07\\x0ayagura: all is well:3:7: not JSON: \\x1b[2J");
    error_at(&e, "f", 3, 0);
    assert_string_equal(error_text(&e, text, sizeof text), "f:3: not JSON: \\x1b[2J");
    assert_string_equal(error_text(&e, text, 6), "f:3: "); /* cut to what there is room for */
}

static void a_word_for_a_shell_is_one_word(void **state)
{
    static const struct {
        const char *word, *quoted;
    } rows[] = {
        {"/srv/image-1.img", "/srv/image-1.img"},
        {"", "''"},
        {"a b", "'a b'"},
        {"x;reboot", "'x;reboot'"},
        {"a'b", "'a'\\''b'"},
        {"$(id)", "'$(id)'"},
    };
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
        CLEANUP_STR struct str out = {0};
        str_add_shell_word(&out, rows[i].word);
        assert_string_equal(str_text(&out), rows[i].quoted);
    }
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_steers_a_terminal_is_told_from_what_is_seen),
        cmocka_unit_test(printable_text_holds_nothing_that_steers),
        cmocka_unit_test(no_two_names_are_written_the_same),
        cmocka_unit_test(an_error_is_one_line_of_ours_whatever_the_file_is_called),
        cmocka_unit_test(a_word_for_a_shell_is_one_word),
    };
    return cmocka_run_group_tests_name("base/str", tests, NULL, NULL);
}
