/* Solaris hosts: release, packages, patches; the text of showrev -p. */
#include "tests/collect/tree.h"

#include "collect/solaris.h"

#include <stdio.h>
#include <stdlib.h>

static collect_source_function *const sources[] = {collect_solaris_host, collect_solaris_patches};

static void run(struct tree *t)
{
    tree_run(t, sources, ARRAY_COUNT(sources));
}

static void a_release_has_two_names(void **state)
{
    static const struct {
        const char *sold, *release;
    } rows[] = {{"7", "5.7"},   {"8", "5.8"}, {"2.6", "5.6"},     {"2.5.1", "5.5.1"},
                {"2.5", "5.5"}, {"9", "5.9"}, {"7 11/99", "5.7"}, {"6", NULL},
                {"", NULL},     {"2.", NULL}, {"7x", NULL},       {"99999999999999999999", NULL}};
    CLEANUP_ARENA struct arena *arena = arena_new();
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
        const char *got = solaris_release_from_name(arena, rows[i].sold);
        if (!str_equal(got, rows[i].release))
            fail_msg("%s: %s", rows[i].sold, got ? got : "none");
    }
    assert_string_equal(solaris_release_from_csr(arena, "11.5.1,REV=96.05.02.21.09"), "5.5.1");
    assert_string_equal(solaris_release_from_csr(arena, "11.7.0,REV=1998.09.01.04.16"), "5.7");
    assert_null(solaris_release_from_csr(arena, "1.3.12"));
}

static void a_host_is_named_by_what_it_was_installed_from(void **state)
{
    struct tree t;
    tree_begin(&t);
    tree_solaris7(&t);
    run(&t);
    const struct fact *host = facts_first(t.h.facts, "host");
    assert_non_null(host);
    static const char *const rows[][2] = {{"family", "solaris"},
                                          {"version", "5.7"},
                                          {"arch", "sparc"},
                                          {"os", "Solaris 7"},
                                          {"name", "kaede"}};
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++)
        assert_string_equal(harness_value(host, rows[i][0]), rows[i][1]);
    assert_string_equal(harness_value(tree_fact(&t, "product", "name", "solaris"), "version"),
                        "5.7");
    assert_int_equal(tree_count(&t, "unread"), 0);
    tree_end(&t);
}

static void i386_is_called_x86(void **state)
{
    struct tree t;
    tree_begin(&t);
    tree_file(&t, "var/sadm/pkg/SUNWcsr/pkginfo",
              "PKG=SUNWcsr\nARCH=i386\nVERSION=11.6.0,REV=1997.07.16.00.21\n");
    run(&t);
    const struct fact *host = facts_first(t.h.facts, "host");
    assert_string_equal(harness_value(host, "version"), "5.6");
    assert_string_equal(harness_value(host, "arch"), "x86");
    assert_string_equal(harness_value(host, "name"), "<absent>");
    tree_end(&t);
}

static void sources_that_disagree_are_named(void **state)
{
    struct tree t;
    tree_begin(&t);
    tree_solaris7(&t);
    tree_file(&t, "etc/release", "      Solaris 8 10/00 s28s_u2wos_11b SPARC\n");
    run(&t);
    assert_int_equal(facts_first(t.h.facts, "host")->confidence, CONFIDENCE_MEDIUM);
    assert_true(tree_unread(&t, "release"));
    tree_end(&t);
}

static void what_is_no_solaris_is_left_alone(void **state)
{
    struct tree t;
    tree_begin(&t);
    tree_file(&t, "etc/release", "CentOS release 5\n");
    tree_file(&t, "etc/nodename", "umi\n");
    run(&t);
    assert_int_equal(facts_count(t.h.facts), 0);
    tree_end(&t);
}

static void a_patch_is_what_a_package_lists(void **state)
{
    struct tree t;
    tree_begin(&t);
    tree_solaris7(&t);
    run(&t);
    const struct fact *f = tree_fact(&t, "hotfix", "id", "106541-08");
    assert_string_equal(harness_value(f, "installed"), "1");
    assert_string_equal(harness_value(f, "obsoletes"), "106832-03 106976-01");
    assert_string_equal(harness_value(f, "requires"), "107544-02");
    assert_string_equal(harness_value(f, "packages"), "SUNWcsr");
    assert_string_equal(harness_value(f, "date"), "2000-01-11");
    assert_string_equal(harness_value(tree_fact(&t, "package", "name", "SUNWadmfw"), "version"),
                        "11.7,REV=1998.09.10.19.57");
    tree_end(&t);
}

static void a_patch_taken_out_again_is_not_installed(void **state)
{
    struct tree t;
    tree_begin(&t);
    tree_solaris7(&t);
    tree_file(&t, "var/sadm/pkg/SUNWadmfw/pkginfo",
              "PKG=SUNWadmfw\nARCH=sparc\nPATCHLIST=\nPATCH_INFO_108662-01=backed out\n");
    tree_file(&t, "var/sadm/patch/108662-01/README.108662-01", "x");
    run(&t);
    assert_string_equal(harness_value(tree_fact(&t, "hotfix", "id", "108662-01"), "installed"),
                        "0");
    tree_fact(&t, "hotfix-leavings", "id", "108662-01");
    tree_end(&t);
}

static void a_directory_alone_is_a_claim(void **state)
{
    struct tree t;
    tree_begin(&t);
    tree_solaris7(&t);
    tree_file(&t, "var/sadm/patch/108662-01/README.108662-01", "x");
    run(&t);
    assert_int_equal(tree_fact(&t, "hotfix", "id", "108662-01")->confidence, CONFIDENCE_LOW);
    tree_end(&t);
}

static void patches_of_old_are_instances_of_packages(void **state)
{
    struct tree t;
    tree_begin(&t);
    tree_solaris7(&t);
    tree_file(&t, "var/sadm/pkg/SUNWadmfw.2/pkginfo",
              "PKG=SUNWadmfw\nARCH=sparc\nSUNW_PATCHID=108656-01\nSUNW_OBSOLETES=102345-02\n");
    run(&t);
    const struct fact *f = tree_fact(&t, "hotfix", "id", "108656-01");
    assert_string_equal(harness_value(f, "packages"), "SUNWadmfw");
    assert_string_equal(harness_value(f, "obsoletes"), "102345-02");
    tree_end(&t);
}

static void without_a_package_database_nothing_is_known(void **state)
{
    struct tree t;
    tree_begin(&t);
    tree_file(&t, "etc/release", "   Solaris 7 11/99 s998s_u4 SPARC\n");
    run(&t);
    assert_true(tree_unread(&t, "patches"));
    assert_int_equal(tree_count(&t, "hotfix"), 0);
    tree_end(&t);
}

static void a_pkginfo_that_is_a_fifo_or_a_loop_is_said(void **state)
{
    struct tree t;
    tree_begin(&t);
    tree_solaris7(&t);
    tree_file(&t, "var/sadm/pkg/SUNWa/x", "");
    tree_file(&t, "var/sadm/pkg/SUNWb/x", "");
    tree_fifo(&t, "var/sadm/pkg/SUNWa/pkginfo");
    tree_link(&t, "var/sadm/pkg/SUNWb/pkginfo", "pkginfo");
    run(&t);
    assert_string_equal(harness_value(tree_fact(&t, "package", "name", "SUNWa"), "version"),
                        "<unreadable>");
    assert_string_equal(harness_value(tree_fact(&t, "package", "name", "SUNWb"), "version"),
                        "<unreadable>");
    assert_true(tree_unread(&t, "package"));
    tree_end(&t);
}

static void ten_thousand_patches_are_read_once_each(void **state)
{
    struct tree t;
    tree_begin(&t);
    tree_solaris7(&t);
    CLEANUP_STR struct str text = {0};
    str_add(&text, "PKG=SUNWadmfw\nARCH=sparc\nPATCHLIST=");
    for (int i = 0; i < 10000; i++)
        str_printf(&text, "%d-01 ", 200000 + i);
    str_add(&text, "junk 1-2\n");
    tree_file(&t, "var/sadm/pkg/SUNWadmfw/pkginfo", str_text(&text));
    tree_file(&t, "var/sadm/pkg/SUNWzzz/pkginfo", str_text(&text));
    run(&t);
    assert_int_equal(tree_count(&t, "hotfix"), 10001);
    assert_true(tree_unread(&t, "patches"));
    tree_end(&t);
}

static void nul_bytes_and_long_lines_are_said(void **state)
{
    struct tree t;
    tree_begin(&t);
    tree_solaris7(&t);
    CLEANUP_STR struct str text = {0};
    str_add(&text, "PKG=SUNWadmfw\nVERSION=1");
    str_add_char(&text, '\0');
    str_add(&text, "2\nDESC=");
    for (int i = 0; i < 1024 * 1024 + 10; i++)
        str_add_char(&text, 'x');
    str_add(&text, "\nPATCHLIST=108662-01\n");
    support_write(t.dir, "var/sadm/pkg/SUNWadmfw/pkginfo", text.data, text.length);
    run(&t);
    tree_fact(&t, "hotfix", "id", "108662-01");
    assert_int_equal(tree_count(&t, "unread"), 2);
    tree_end(&t);
}

static struct harness of_text(const char *text)
{
    struct harness h = {0};
    char path[] = "/tmp/yagura-test-XXXXXX";
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    FILE *file = fdopen(fd, "w");
    fputs(text, file);
    fclose(file);
    assert_true(target_open_text(&h.target, path, NULL));
    remove(path);
    static collect_source_function *const only[] = {collect_solaris_text};
    harness_run(&h, NULL, only, 1);
    return h;
}

static void showrev_tells_patches_and_a_kernel_patch_the_release(void **state)
{
    struct harness h = of_text(
        "Patch: 106541-08 Obsoletes: 106832-03, 106976-01 Requires:  Incompatibles:  Packages: "
        "SUNWkvm, SUNWcsu\n"
        "Patch: 108662-01 Obsoletes:  Requires:  Incompatibles:  Packages: SUNWadmfw\n");
    const struct fact *host = facts_first(h.facts, "host");
    assert_string_equal(harness_value(host, "version"), "5.7");
    assert_string_equal(harness_value(host, "arch"), "sparc");
    assert_string_equal(harness_value(host, "identity"), "<unreadable>");
    const struct fact *f = harness_find(&h, "hotfix", "id", "106541-08");
    assert_string_equal(harness_value(f, "packages"), "SUNWcsu SUNWkvm");
    assert_string_equal(harness_value(f, "obsoletes"), "106832-03 106976-01");
    assert_int_equal(harness_find(&h, "hotfix", "id", "108662-01")->line, 2);
    /* Only packages that patches touched are named: none is stated. */
    assert_null(facts_first(h.facts, "package"));
    harness_close(&h);
}

static void uname_before_it_tells_more(void **state)
{
    struct harness h = of_text("SunOS kaede 5.6 Generic_105182-20 i86pc i386 i86pc\r\n"
                               "Patch: 111111-01 Obsoletes:  Packages: SUNWx\r\n");
    const struct fact *host = facts_first(h.facts, "host");
    assert_string_equal(harness_value(host, "name"), "kaede");
    assert_string_equal(harness_value(host, "version"), "5.6");
    assert_string_equal(harness_value(host, "arch"), "x86");
    harness_close(&h);
}

static void other_texts_are_not_ours(void **state)
{
    struct harness h = of_text("Host Name: UMI\nOS Name: Microsoft Windows 2000\n");
    assert_int_equal(facts_count(h.facts), 0);
    harness_close(&h);
}

static void a_line_without_a_patch_number_is_said(void **state)
{
    struct harness h = of_text("Patch: 108662-01 Packages: SUNWadmfw\nPatch: zzz Packages: a\n");
    assert_non_null(facts_first(h.facts, "unread"));
    assert_string_equal(harness_value(facts_first(h.facts, "host"), "version"), "5.7");
    harness_close(&h);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_release_has_two_names),
        cmocka_unit_test(a_host_is_named_by_what_it_was_installed_from),
        cmocka_unit_test(i386_is_called_x86),
        cmocka_unit_test(sources_that_disagree_are_named),
        cmocka_unit_test(what_is_no_solaris_is_left_alone),
        cmocka_unit_test(a_patch_is_what_a_package_lists),
        cmocka_unit_test(a_patch_taken_out_again_is_not_installed),
        cmocka_unit_test(a_directory_alone_is_a_claim),
        cmocka_unit_test(patches_of_old_are_instances_of_packages),
        cmocka_unit_test(without_a_package_database_nothing_is_known),
        cmocka_unit_test(a_pkginfo_that_is_a_fifo_or_a_loop_is_said),
        cmocka_unit_test(ten_thousand_patches_are_read_once_each),
        cmocka_unit_test(nul_bytes_and_long_lines_are_said),
        cmocka_unit_test(showrev_tells_patches_and_a_kernel_patch_the_release),
        cmocka_unit_test(uname_before_it_tells_more),
        cmocka_unit_test(other_texts_are_not_ours),
        cmocka_unit_test(a_line_without_a_patch_number_is_said),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
