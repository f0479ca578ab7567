/* What the worms of 2001 leave behind. */
#include "tests/collect/tree.h"

static collect_source_function *const solaris[] = {collect_solaris_host, collect_solaris_services,
                                                   collect_trust, collect_leavings};

static void run(struct tree *t)
{
    tree_run(t, solaris, ARRAY_COUNT(solaris));
}

static void a_clean_host_is_said_to_be_clean(void **state)
{
    struct tree t;
    tree_begin(&t);
    tree_solaris7(&t);
    tree_file(&t, "etc/passwd", "root:x:0:1:Super-User:/:/sbin/sh\n");
    tree_file(&t, "dev/.devlink_db", "x");
    tree_link(&t, "dev/null", "../devices/pseudo/mm@0:null");
    run(&t);
    assert_int_equal(tree_count(&t, "leaving"), 0);
    assert_string_equal(harness_value(tree_fact(&t, "complete", "of", "leaving"), "found"), "0");
    tree_end(&t);
}

static void the_sadmind_worm_is_found_by_each_of_its_traces(void **state)
{
    struct tree t;
    tree_begin(&t);
    tree_solaris7(&t);
    tree_file(&t, "etc/passwd", "root:x:0:1:Super-User:/:/sbin/sh\n");
    tree_file(&t, ".rhosts", "+ +\n");
    tree_file(&t, "dev/cuc/start.sh", "x");
    tree_file(&t, "dev/cub/result.txt", "x");
    tree_file(&t, "dev/ttyq", "x");
    tree_file(&t, "dev/hidden/tool", "x");
    tree_file(&t, "tmp/.f", "x");
    tree_file(&t, "etc/rc2.d/S71rpc", "/bin/nohup /dev/cuc/start.sh &\n");
    tree_file(&t, "etc/inetd.conf", "pcserver stream tcp nowait root /bin/sh sh -i\n");
    run(&t);
    static const char *const paths[] = {"/dev/cuc",  "/dev/cub",          "/tmp/.f",
                                        "/.rhosts",  "/etc/rc2.d/S71rpc", "/etc/inetd.conf",
                                        "/dev/ttyq", "/dev/hidden"};
    for (size_t i = 0; i < ARRAY_COUNT(paths); i++)
        tree_fact(&t, "leaving", "path", paths[i]);
    assert_int_equal(tree_count(&t, "leaving"), ARRAY_COUNT(paths));
    tree_end(&t);
}

static void a_line_that_is_turned_off_is_no_trace(void **state)
{
    struct tree t;
    tree_begin(&t);
    tree_solaris7(&t);
    tree_file(&t, "etc/inetd.conf", "#pcserver stream tcp nowait root /bin/sh sh -i\n");
    run(&t);
    assert_int_equal(tree_count(&t, "leaving"), 0);
    tree_end(&t);
}

static void add_windows(struct collection *c)
{
    struct fact *f = facts_add(c->facts, "host", "", 0, -1, CONFIDENCE_HIGH);
    fact_put(c->facts, f, "family", "windows");
    fact_put(c->facts, f, "system_root", "C:\\WINNT");
    f = facts_add(c->facts, "site", "", 0, -1, CONFIDENCE_HIGH);
    fact_put(c->facts, f, "root", "C:\\Web");
    f = facts_add(c->facts, "vdir", "", 0, -1, CONFIDENCE_HIGH);
    fact_put(c->facts, f, "path", "/c");
    fact_put(c->facts, f, "directory", "C:\\");
}

static collect_source_function *const windows[] = {add_windows, collect_leavings};

static void copies_of_cmd_and_defaced_pages_are_found(void **state)
{
    struct tree t;
    tree_begin(&t);
    tree_file(&t, "WINNT/System32/ntoskrnl.exe", "MZ");
    tree_file(&t, "WINNT/System32/cmd.exe", "MZ the shell");
    tree_file(&t, "InetPub/Scripts/root.exe", "MZ the shell");
    tree_file(&t, "Program Files/Common Files/System/msadc/root.exe", "MZ another");
    tree_file(&t, "EXPLORER.EXE", "MZ");
    tree_file(&t, "Web/index.htm", "<body bgcolor=black>fuck PoizonBOx");
    CLEANUP_STR struct str page = {0};
    str_add(&page, "Hacked By Chinese!");
    while (page.length < 200 * 1024)
        str_add(&page, "<p>text</p>\n");
    tree_file(&t, "InetPub/wwwroot/Default.asp", str_text(&page));
    tree_run(&t, windows, ARRAY_COUNT(windows));
    assert_string_equal(
        harness_value(tree_fact(&t, "leaving", "path", "/InetPub/Scripts/root.exe"), "claim"),
        "high");
    assert_string_equal(
        harness_value(
            tree_fact(&t, "leaving", "path", "/Program Files/Common Files/System/msadc/root.exe"),
            "claim"),
        "medium");
    assert_string_equal(harness_value(tree_fact(&t, "leaving", "path", "/Web/index.htm"), "of"),
                        "sadmind-iis");
    assert_string_equal(
        harness_value(tree_fact(&t, "leaving", "path", "/InetPub/wwwroot/Default.asp"), "of"),
        "code-red");
    tree_fact(&t, "leaving", "path", "/EXPLORER.EXE");
    assert_int_equal(tree_count(&t, "unread"), 0);
    tree_end(&t);
}

static void a_long_page_without_a_mark_is_no_reason_to_know_nothing(void **state)
{
    struct tree t;
    tree_begin(&t);
    CLEANUP_STR struct str page = {0};
    while (page.length < 200 * 1024)
        str_add(&page, "<p>text</p>\n");
    tree_file(&t, "WINNT/System32/ntoskrnl.exe", "MZ");
    tree_file(&t, "Web/index.html", str_text(&page));
    tree_file(&t, "WINNT/System32/cmd.exe", "the shell");
    tree_run(&t, windows, ARRAY_COUNT(windows));
    assert_int_equal(tree_count(&t, "unread"), 0);
    tree_fact(&t, "complete", "of", "leaving");
    tree_end(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_clean_host_is_said_to_be_clean),
        cmocka_unit_test(the_sadmind_worm_is_found_by_each_of_its_traces),
        cmocka_unit_test(a_line_that_is_turned_off_is_no_trace),
        cmocka_unit_test(copies_of_cmd_and_defaced_pages_are_found),
        cmocka_unit_test(a_long_page_without_a_mark_is_no_reason_to_know_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
