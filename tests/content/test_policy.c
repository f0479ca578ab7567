/* Patterns mean what they mean to git: compared with `git check-ignore` over all pairs. */
#include "base/mem.h"
#include "base/str.h"
#include "content/policy.h"
#include "tests/support.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static const char *const patterns[] = {
    "/index.html",
    "index.html",
    "*.log",
    "logs/",
    "/wp-content/uploads/",
    "a/b",
    "a/**/b",
    "**/b",
    "a/**",
    "*",
    "x*y*z",
    "[a-c].txt",
    "[!a-c].txt",
    "\\*.html",
    "a*/b",
    "?.txt",
    "**/uploads/*.jpg",
    "foo**bar",
    "/**/x",
    "[]a].txt",
    "d/**/e/**/f",
    "[a\\-z].txt",
    "**",
    "*/",
    "***/x",
    "a/****/b",
    "[[:digit:]].txt",
    "[^[:alpha:]_].txt",
    "x.log  ",
    "sp\\ ",
};
static const char *const paths[] = {
    "index.html",
    "sub/index.html",
    "x.log",
    "logs/today",
    "deep/logs/today",
    "a/b",
    "a/x/b",
    "a/x/y/b",
    "b",
    "c/b",
    "a/c/d",
    "wp-content/uploads/2024/p.jpg",
    "wp-content/uploads2/p.jpg",
    "xyz",
    "xaybz",
    "xab/yz",
    "a.txt",
    "d.txt",
    "*.html",
    "z.html",
    "aa/b",
    "uploads/1.jpg",
    "q/uploads/1.jpg",
    "uploads/deep/1.jpg",
    "foobar",
    "foo/bar",
    "x",
    "q/x",
    "].txt",
    "d/e/f",
    "d/1/e/2/f",
    "d/e/1/g",
    "-.txt",
    "m.txt",
    "7.txt",
    "sp ",
    " ",
};

static bool fits_here(const char *pattern, const char *path)
{
    struct error e = ERROR_INIT;
    CLEANUP(policies_cleanup) struct policies *p = policies_new();
    if (!policies_add(p, pattern, POLICY_IGNORE, &e))
        fail_msg("%s", e.message);
    return policy_of_path(p, path, false) == POLICY_IGNORE;
}

/* What git ignores: the paths it prints for one pattern in .gitignore. */
static void ask_git(const char *folder, const char *pattern, struct str *out)
{
    support_write(folder, ".gitignore", pattern, strlen(pattern));
    CLEANUP_STR struct str line = {0}, list = {0};
    for (size_t i = 0; i < ARRAY_COUNT(paths); i++)
        str_printf(&list, "%s\n", paths[i]);
    support_write(folder, ".paths", list.data, list.length);
    str_printf(&line,
               "cd '%s' && git -c core.quotePath=false check-ignore --no-index --stdin <.paths",
               folder);
    FILE *f = popen(line.data, "r");
    assert_non_null(f);
    str_add_char(out, '\n');
    for (int c; (c = fgetc(f)) != EOF;)
        str_add_char(out, (char)c);
    pclose(f);
}

static void as_git_does(void **state)
{
    CLEANUP_FREE char *folder = support_temp_dir();
    CLEANUP_STR struct str line = {0};
    str_printf(&line, "git init -q '%s' 2>/dev/null", folder);
    assert_int_equal(system(line.data), 0);
    size_t yes = 0;
    for (size_t i = 0; i < ARRAY_COUNT(patterns); i++) {
        CLEANUP_STR struct str said = {0};
        ask_git(folder, patterns[i], &said);
        for (size_t k = 0; k < ARRAY_COUNT(paths); k++) {
            CLEANUP_STR struct str want = {0};
            str_printf(&want, "\n%s\n", paths[k]);
            bool git = strstr(said.data, want.data) != NULL;
            yes += git;
            if (fits_here(patterns[i], paths[k]) != git)
                fail_msg("%s and %s: git says %s", patterns[i], paths[k], git ? "yes" : "no");
        }
    }
    assert_true(yes > 100);
    support_remove_tree(folder);
}

static void the_last_that_fits_wins(void **state)
{
    struct error e = ERROR_INIT;
    CLEANUP(policies_cleanup) struct policies *p = policies_new();
    assert_true(policies_add(p, "/wp-content/uploads/", POLICY_UPLOAD, &e));
    assert_true(policies_add(p, "*.log", POLICY_APPEND, &e));
    assert_true(policies_add(p, "/cache/", POLICY_IGNORE, &e));
    assert_true(policies_add(p, "/cache/index.html", POLICY_FIXED, &e));
    assert_int_equal(policy_of_path(p, "index.php", false), POLICY_FIXED);
    assert_int_equal(policy_of_path(p, "wp-content/uploads", true), POLICY_UPLOAD);
    assert_int_equal(policy_of_path(p, "wp-content/uploads/a/b.jpg", false), POLICY_UPLOAD);
    assert_int_equal(policy_of_path(p, "wp-content/uploads/x.log", false), POLICY_APPEND);
    assert_int_equal(policy_of_path(p, "cache/1", false), POLICY_IGNORE);
    assert_int_equal(policy_of_path(p, "cache/index.html", false), POLICY_FIXED);
}

static void nonsense_is_refused(void **state)
{
    static const char *const bad[] = {"", "!x", "a[b", "x\\"};
    CLEANUP(policies_cleanup) struct policies *p = policies_new();
    for (size_t i = 0; i < ARRAY_COUNT(bad); i++) {
        struct error e = ERROR_INIT;
        assert_false(policies_add(p, bad[i], POLICY_FREE, &e));
        assert_int_equal(e.code, ERR_FORMAT);
    }
}

static void many_stars_do_not_hang(void **state)
{
    char path[4001];
    memset(path, 'a', 4000);
    path[4000] = '\0';
    assert_false(fits_here("*a*a*a*a*a*a*a*a*a*a*a*a*b", path));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(as_git_does),
        cmocka_unit_test(the_last_that_fits_wins),
        cmocka_unit_test(nonsense_is_refused),
        cmocka_unit_test(many_stars_do_not_hang),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
