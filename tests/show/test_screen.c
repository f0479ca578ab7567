/* How text is laid out: where Japanese lines break, how commands are broken and quoted. */
#include "base/str.h"
#include "show/show.h"
#include "tests/support.h"

#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static char *wrapped(unsigned width, const char *first, unsigned indent, const char *text)
{
    char *out = NULL;
    size_t size;
    FILE *f = open_memstream(&out, &size);
    struct show s = {.out = f, .width = width, .table_width = width};
    show_wrap(&s, first, indent, text);
    fclose(f);
    return out;
}

static void lines_break_where_they_may(void **state)
{
    static const struct {
        unsigned width;
        const char *first;
        unsigned indent;
        const char *text, *wanted;
    } cases[] = {
        {20, "", 0, "one two three four five", "one two three four\nfive\n"},
        {12, "why ", 4, "one two three", "why one two\n    three\n"},
        {12, "empty  ", 4, "", "empty\n"},
        {12, "", 0, "one two     three   ", "one two\nthree\n"},
        /* no line begins with 、。」） */
        {10, "", 0, "ああああああ。", "あああああ\nあ。\n"},
        {10, "", 0, "あああああ、い", "ああああ\nあ、い\n"},
        {10, "", 0, "あああああ」い", "ああああ\nあ」い\n"},
        {10, "", 0, "あああああ）い", "ああああ\nあ）い\n"},
        /* nor ends with an opening bracket */
        {10, "", 0, "ああああ「いい」", "ああああ\n「いい」\n"},
        {10, "", 0, "ああああ（いい）", "ああああ\n（いい）\n"},
        {11, "", 0, "ああああ [いいい]", "ああああ\n[いいい]\n"},
        /* what fits nowhere is cut, an address is not */
        {10, "", 2, "abcdefghijklmnop", "abcdefghij\n  klmnop\n"},
        {10, "", 0, "https://mirror.example/", "https://mirror.example/\n"},
        /* no escape sequence gets through */
        {20, "", 0, "a\033[31mb", "a [31mb\n"},
    };
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        char *got = wrapped(cases[i].width, cases[i].first, cases[i].indent, cases[i].text);
        assert_string_equal(got, cases[i].wanted);
        free(got);
    }
}

static bool takes_all(const char *command, const char *option)
{
    return strcmp(command, "ports") != 0 || strcmp(option, "--as-of") != 0;
}

static bool takes_audit(const char *command, const char *option)
{
    return strcmp(command, "audit") == 0;
}

static void commands_repeat_the_run_and_can_be_pasted(void **state)
{
    struct arena *arena = arena_new();
    struct show_call call = {
        .program = "./my build/yagura",
        .given = {{"--image", "a disk's.img", true}, {"--as-of", "2001-06-06", false}},
        .count = 2,
        .takes = takes_all};
    show_called(&call);
    static const struct {
        const char *command;
        bool with_target;
        const char *wanted;
    } cases[] = {
        {"audit --all", true,
         "'./my build/yagura' audit --image 'a disk'\\''s.img' --as-of 2001-06-06 --all\n"},
        {"audit", false, "'./my build/yagura' audit --as-of 2001-06-06\n"},
        {"ports", true, "'./my build/yagura' ports --image 'a disk'\\''s.img'\n"},
    };
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        const char *command = show_command_on(arena, cases[i].command, cases[i].with_target);
        char *got = wrapped(200, "", 2, command);
        assert_string_equal(got, cases[i].wanted);
        free(got);
        /* and with its lines joined it is the same, however narrow the screen is */
        for (unsigned width = 40; width < 90; width++) {
            char *narrow = wrapped(width, "", 2, arena_printf(arena, "%s %s", "Next:", command));
            CLEANUP_STR struct str joined = {0};
            for (const char *p = narrow; *p; p++) {
                if (str_starts(p, " \\\n"))
                    for (p += 3; p[1] == ' '; p++)
                        continue;
                str_add_char(&joined, *p == '\n' ? ' ' : *p);
            }
            CLEANUP_FREE char *wanted = strndup(cases[i].wanted, strlen(cases[i].wanted) - 1);
            assert_non_null(strstr(str_text(&joined), wanted));
            free(narrow);
        }
    }
    call = (struct show_call){.program = "a\nb", .takes = takes_all};
    show_called(&call);
    assert_string_equal(show_program(arena), "$'a\\x0ab'");
    assert_string_equal(show_as_called(arena, "see yagura audit and /x/yagura audit"),
                        "see $'a\\x0ab' audit and /x/yagura audit");
    call = (struct show_call){
        .program = "./yagura",
        .given = {{"--state", "/s", false}, {"--lang", "ja", false}, {"--image", "i", true}},
        .count = 3,
        .takes = takes_audit};
    show_called(&call);
    assert_string_equal(show_as_called(arena, "(yagura audit): no yagura here, yagura audit --all"),
                        "(./yagura --state /s audit): no ./yagura here, ./yagura --state /s audit "
                        "--all");
    /* a line that begins with the name is a command, and no word of one is broken: neither between
     * Japanese characters nor at a blank in quotes */
    static const struct {
        const char *text, *wanted;
    } lines[] = {
        {"Name them:\nyagura audit --allow aaaaaaaaaa\nand go on",
         "Name them:\n  ./yagura --state /s audit \\\n    --allow aaaaaaaaaa\n  and go on\n"},
        {"x:\nyagura audit --because \"a b ... c\"",
         "x:\n  ./yagura --state /s audit \\\n    --because \"a b ... c\"\n"},
        {"x:\nyagura audit --name 'a \" b c d e f'",
         "x:\n  ./yagura --state /s audit \\\n    --name 'a \" b c d e f'\n"},
        {"書く:\nyagura audit --because \"時計は ... 秒進んでいる\"",
         "書く:\n  ./yagura --state /s audit \\\n    --because \\\n    \"時計は ... "
         "秒進んでいる\"\n"},
        {"yagura audit is not at the beginning of a line alone",
         "./yagura --state /s audit is\n  not at the beginning of a\n  line alone\n"},
    };
    for (size_t i = 0; i < ARRAY_COUNT(lines); i++) {
        char *got = wrapped(30, "", 2, show_with_commands(arena, lines[i].text));
        assert_string_equal(got, lines[i].wanted);
        free(got);
    }
    char *image =
        wrapped(20, "", 2, show_command(arena, "audit --image '証拠の保管場所/二〇二六年.img'"));
    assert_non_null(strstr(image, "'証拠の保管場所/二〇二六年.img'"));
    free(image);
    arena_free(arena);
}

static void sudo_is_named_where_it_is_needed(void **state)
{
    struct arena *arena = arena_new();
    setenv("PATH", "/nonexistent", 1);
    char *got = wrapped(200, "", 0,
                        show_paste(arena, "sudo apt-get update && sudo apt-get install sudo vim"));
    assert_string_equal(got, "apt-get update && apt-get install sudo vim\n");
    free(got);
    got = wrapped(30, "", 0,
                  show_paste(arena, "sudo apt-get update && sudo apt-get install sudo vim"));
    assert_string_equal(got, "apt-get update && apt-get \\\n  install sudo vim\n");
    free(got);
    got = wrapped(200, "", 0, show_paste(arena, "pseudo code"));
    assert_string_equal(got, "pseudo code\n");
    free(got);
    arena_free(arena);
}

static void tables_use_the_width_there_is(void **state)
{
    static const struct {
        unsigned width;
        bool whole;
        const char *wanted;
    } cases[] = {
        {80, false, "id              what\nlong-name-of-x  a b c d e f g h i j k l m n o p q\nx\n"},
        {46, false, "id              what\nlong-name-of-x  a b c d e f g h i j k l m n o…\nx\n"},
        {46, true,
         "id              what\nlong-name-of-x  a b c d e f g h i j k l m n o\n"
         "                p q\nx\n"},
        {38, true, "id\nlong-name-of-x\n    a b c d e f g h i j k l m n o p q\nx\n"},
    };
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        char *out = NULL;
        size_t size;
        FILE *f = open_memstream(&out, &size);
        struct show s = {.out = f, .width = cases[i].width, .table_width = cases[i].width};
        struct show_table t = {.columns = 3};
        *show_table_line(&t, SHOW_PLAIN) = (struct show_line){{"id", "empty", "what"}, 0, NULL};
        *show_table_line(&t, SHOW_PLAIN) = (struct show_line){
            {"long-name-of-x", "", "a b c d e f g h i j k l m n o p q"}, 0, NULL};
        *show_table_line(&t, SHOW_PLAIN) = (struct show_line){{"x"}, 0, NULL};
        show_table(&s, &t, cases[i].whole);
        fclose(f);
        assert_string_equal(out, cases[i].wanted);
        free(out);
    }
}

static void a_dumb_terminal_gets_no_colour(void **state)
{
    struct show s;
    setenv("TERM", "dumb", 1);
    show_init(&s, stdout, false);
    assert_false(s.colour);
}

static void reals_are_short(void **state)
{
    char *out = NULL;
    size_t size;
    FILE *f = open_memstream(&out, &size);
    struct show s = {.out = f};
    show_json_line(&s, json_pack("{s:f}", "exposure", 0.8));
    fclose(f);
    assert_string_equal(out, "{\"exposure\":0.8}\n");
    free(out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lines_break_where_they_may),
        cmocka_unit_test(commands_repeat_the_run_and_can_be_pasted),
        cmocka_unit_test(sudo_is_named_where_it_is_needed),
        cmocka_unit_test(tables_use_the_width_there_is),
        cmocka_unit_test(a_dumb_terminal_gets_no_colour),
        cmocka_unit_test(reals_are_short),
    };
    setlocale(LC_ALL, "C.UTF-8");
    return cmocka_run_group_tests(tests, NULL, NULL);
}
