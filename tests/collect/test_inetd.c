/* inetd.conf, services, rpc, start files, and lines of trust. */
#include "tests/collect/tree.h"

#include "collect/inetd.h"

static collect_source_function *const sources[] = {collect_solaris_host, collect_solaris_services};

static void run(struct tree *t)
{
    tree_run(t, sources, ARRAY_COUNT(sources));
}

static void a_line_is_a_service_a_commented_one_or_none(void **state)
{
    static const struct {
        const char *line;
        enum inetd_line kind;
        bool commented;
        const char *service, *args;
    } rows[] = {
        {"telnet stream tcp nowait root /usr/sbin/in.telnetd in.telnetd", INETD_ENTRY, false,
         "telnet", "in.telnetd"},
        {"#telnet stream tcp nowait root /usr/sbin/in.telnetd in.telnetd", INETD_ENTRY, true,
         "telnet", "in.telnetd"},
        {"#  100232/10\ttli rpc/udp wait root /usr/sbin/sadmind sadmind  -S 2", INETD_ENTRY, true,
         "100232/10", "sadmind -S 2"},
        {"time stream tcp6 nowait root internal", INETD_ENTRY, false, "time", ""},
        {"# The telnet service is served by a daemon of root", INETD_NOTHING, false, "", ""},
        {"   ", INETD_NOTHING, false, "", ""},
        {"telnet stream", INETD_BAD, false, "", ""},
        {"a b c d e f g", INETD_BAD, false, "", ""},
    };
    CLEANUP_ARENA struct arena *arena = arena_new();
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
        struct inetd_entry e;
        char *line = arena_strdup(arena, rows[i].line);
        if (inetd_parse_line(&e, arena, line) != rows[i].kind)
            fail_msg("%s", rows[i].line);
        if (rows[i].kind != INETD_ENTRY)
            continue;
        assert_int_equal(e.commented, rows[i].commented);
        assert_string_equal(e.service, rows[i].service);
        assert_string_equal(e.args, rows[i].args);
    }
}

static void services_become_listeners_with_their_ports(void **state)
{
    struct tree t;
    tree_begin(&t);
    tree_solaris7(&t);
    tree_file(
        &t, "etc/inet/inetd.conf",
        "# comment\n"
        "telnet stream tcp nowait root /usr/sbin/in.telnetd in.telnetd\n"
        "#ftp stream tcp nowait root /usr/sbin/in.ftpd in.ftpd\n"
        "100232/10 tli rpc/udp wait root /usr/sbin/sadmind sadmind\n"
        "rstatd/2-4 tli rpc/datagram_v wait root /usr/lib/netsvc/rstat/rpc.rstatd rpc.rstatd\n"
        "nobody_knows stream tcp nowait root /bin/x x\n");
    tree_file(&t, "etc/inet/services", "telnet 23/tcp\nftp 21/tcp # files\n");
    tree_file(&t, "etc/rpc", "rstatd 100001 rstat rup perfmeter\n");
    tree_link(&t, "etc/inetd.conf", "./inet/inetd.conf");
    tree_link(&t, "etc/services", "./inet/services");
    run(&t);
    assert_int_equal(tree_count(&t, "inetd"), 5); /* the link is not read a second time */
    const struct fact *f = tree_fact(&t, "inetd", "service", "100232/10");
    assert_string_equal(harness_value(f, "state"), "active");
    assert_string_equal(harness_value(f, "args"), "sadmind");
    assert_string_equal(harness_value(f, "rpc"), "100232");
    assert_int_equal(f->line, 4);
    assert_string_equal(harness_value(tree_fact(&t, "inetd", "service", "ftp"), "state"),
                        "commented");
    assert_string_equal(harness_value(tree_fact(&t, "listener", "service", "telnet"), "port"),
                        "23");
    assert_string_equal(harness_value(tree_fact(&t, "listener", "rpc", "100001"), "proto"), "udp");
    assert_string_equal(harness_value(tree_fact(&t, "listener", "service", "nobody_knows"), "port"),
                        "<unreadable>");
    assert_null(harness_find(&t.h, "listener", "service", "ftp"));
    tree_fact(&t, "listener", "port", "111");
    assert_string_equal(harness_value(tree_fact(&t, "complete", "of", "inetd"), "found"), "5");
    tree_end(&t);
}

static void what_cannot_be_read_is_not_complete(void **state)
{
    struct tree t;
    tree_begin(&t);
    tree_solaris7(&t);
    tree_fifo(&t, "etc/inetd.conf");
    run(&t);
    assert_true(tree_unread(&t, "inetd"));
    assert_null(harness_find(&t.h, "complete", "of", "inetd"));
    tree_end(&t);
}

/* Nobody has such a file, or somebody has and it cannot be had: only the first is an answer. */
static void a_file_that_is_there_and_cannot_be_had_is_not_absent(void **state)
{
    static const struct {
        const char *file, *link, *to; /* a link there, or the file is a folder */
        bool complete;
    } rows[] = {
        {"etc/nothing", "etc/elsewhere", "nothing", true},
        {"etc/x", "etc/inetd.conf", "./inet/inetd.conf", false},
        {"etc/x", "etc/inetd.conf", "/export/inetd.conf", false},
        {"etc/x", "etc/inetd.conf", "../../../../etc/hostname-of-nobody", false},
        {"etc/x", "etc/inet", "/export/inet", false},
        {"etc/inetd.conf/x", "etc/y", "x", false},
    };
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
        struct tree t;
        tree_begin(&t);
        tree_solaris7(&t);
        tree_file(&t, rows[i].file, "");
        tree_link(&t, rows[i].link, rows[i].to);
        run(&t);
        size_t said = 0;
        for (const struct fact *f = NULL; (f = facts_next(t.h.facts, "unread", f));)
            said += str_equal(fact_text(f, "what"), "inetd");
        bool complete = harness_find(&t.h, "complete", "of", "inetd") != NULL;
        if (complete != rows[i].complete || said != !complete)
            fail_msg("%s -> %s: %s, said %zu times", rows[i].link, rows[i].to,
                     complete ? "complete" : "not complete", said);
        tree_end(&t);
    }
}

static void a_run_level_that_leads_nowhere_is_said(void **state)
{
    struct tree t;
    tree_begin(&t);
    tree_solaris7(&t);
    tree_link(&t, "etc/rc2.d", "/export/rc2.d");
    run(&t);
    assert_true(tree_unread(&t, "rc"));
    assert_null(harness_find(&t.h, "complete", "of", "rc"));
    tree_end(&t);
}

static void a_link_to_itself_or_out_of_the_root_is_not_followed(void **state)
{
    struct tree t;
    tree_begin(&t);
    tree_solaris7(&t);
    tree_link(&t, "etc/inetd.conf", "inetd.conf");
    tree_link(&t, "etc/services", "../../../../../../etc/services");
    run(&t);
    assert_true(tree_unread(&t, "inetd"));
    assert_int_equal(tree_count(&t, "listener"), 0);
    tree_end(&t);
}

static void lines_of_a_megabyte_are_passed_over_and_said(void **state)
{
    struct tree t;
    tree_begin(&t);
    tree_solaris7(&t);
    CLEANUP_STR struct str text = {0};
    for (int i = 0; i < 900000; i++)
        str_add_char(&text, 'x');
    str_add(&text, "\ntelnet stream tcp nowait root /usr/sbin/in.telnetd in.telnetd\n");
    tree_file(&t, "etc/inetd.conf", str_text(&text));
    run(&t);
    assert_int_equal(tree_fact(&t, "inetd", "service", "telnet")->line, 2);
    assert_true(tree_unread(&t, "inetd"));
    assert_null(harness_find(&t.h, "complete", "of", "inetd"));
    tree_end(&t);
}

static void start_files_say_what_they_run(void **state)
{
    struct tree t;
    tree_begin(&t);
    tree_solaris7(&t);
    tree_file(&t, "etc/rc2.d/S71rpc",
              "#!/sbin/sh\n# /dev/null\n/usr/sbin/rpcbind\necho hello\n"
              "/bin/nohup /dev/cuc/start.sh &\n");
    tree_file(&t, "etc/rc2.d/K20x", "/usr/bin/x\n");
    tree_fifo(&t, "etc/rc2.d/S99fifo");
    run(&t);
    assert_int_equal(tree_count(&t, "rc"), 2);
    const struct fact *f = tree_fact(&t, "rc", "name", "S71rpc");
    assert_string_equal(harness_value(f, "level"), "2");
    assert_string_equal(harness_value(f, "runs"),
                        "/usr/sbin/rpcbind\n/bin/nohup /dev/cuc/start.sh &");
    assert_string_equal(harness_value(tree_fact(&t, "rc", "name", "S99fifo"), "runs"),
                        "<unreadable>");
    assert_null(harness_find(&t.h, "complete", "of", "rc"));
    tree_end(&t);
}

static void what_the_host_does_not_name_has_its_usual_number(void **state)
{
    uint64_t n = 0;
    assert_true(inetd_names_usual("finger", "tcp", &n));
    assert_int_equal(n, 79);
    assert_false(inetd_names_usual("finger", "udp", &n));
    assert_true(inetd_names_usual("echo", "udp", &n));
    assert_int_equal(n, 7);
    assert_true(inetd_names_usual("rstatd", "", &n));
    assert_int_equal(n, 100001);
    assert_false(inetd_names_usual("echo", "", &n)); /* a port is no RPC program */
    assert_false(inetd_names_usual("gopherd", "tcp", &n));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_line_is_a_service_a_commented_one_or_none),
        cmocka_unit_test(services_become_listeners_with_their_ports),
        cmocka_unit_test(what_cannot_be_read_is_not_complete),
        cmocka_unit_test(a_file_that_is_there_and_cannot_be_had_is_not_absent),
        cmocka_unit_test(a_run_level_that_leads_nowhere_is_said),
        cmocka_unit_test(a_link_to_itself_or_out_of_the_root_is_not_followed),
        cmocka_unit_test(lines_of_a_megabyte_are_passed_over_and_said),
        cmocka_unit_test(what_the_host_does_not_name_has_its_usual_number),
        cmocka_unit_test(start_files_say_what_they_run),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
