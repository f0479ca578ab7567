/* Netscape Enterprise and iPlanet Web Server. */
#include "tests/collect/tree.h"

#include "collect/binary_strings.h"

static collect_source_function *const sources[] = {collect_solaris_host, collect_netscape};

static const char magnus[] = "#ServerRoot /usr/netscape/server4\nPort 80\nUser root\n"
                             "ServerName umi.example\nSecurity off\nInit fn=flex-init a=b\n";
static const char objects[] =
    "<Object name=default>\n"
    "NameTrans fn=pfx2dir from=\"/cgi-bin\" dir=\"/export/my docs/cgi\" name=\"cgi\"\n"
    "NameTrans fn=document-root root=\"/export/home/docs\"\n"
    "Service method=(GET|HEAD)\n"
    "        type=magnus-internal/directory fn=index-common\n"
    "</Object>\n"
    "<Object name=\"cgi\">\nService fn=\"send-cgi\"\n</Object>\n";

static void write_server(struct tree *t)
{
    tree_solaris7(t);
    tree_file(t, "usr/netscape/server4/https-umi/config/magnus.conf", magnus);
    tree_file(t, "usr/netscape/server4/https-umi/config/obj.conf", objects);
}

static void run(struct tree *t)
{
    tree_run(t, sources, ARRAY_COUNT(sources));
}

static void version_is(const char *binary, const char *log, const char *version,
                       enum confidence confidence)
{
    struct tree t;
    tree_begin(&t);
    write_server(&t);
    if (binary)
        tree_file(&t, "usr/netscape/server4/bin/https/bin/ns-httpd", binary);
    if (log)
        tree_file(&t, "usr/netscape/server4/https-umi/logs/errors", log);
    run(&t);
    const struct fact *f = facts_first(t.h.facts, "product");
    f = harness_find(&t.h, "product", "name", "netscape-enterprise");
    assert_non_null(f);
    assert_string_equal(harness_value(f, "version"), version ? version : "<unreadable>");
    assert_int_equal(f->confidence, confidence);
    assert_int_equal(tree_unread(&t, "product"), !version);
    tree_end(&t);
}

static void a_version_is_taken_from_the_program_or_the_newest_start(void **state)
{
    version_is("\x7f"
               "ELF Netscape-Enterprise/3.6 SP3\x01",
               NULL, "3.6sp3", CONFIDENCE_HIGH);
    version_is("x iPlanet-WebServer-Enterprise/4.1SP7\x01", NULL, "4.1sp7", CONFIDENCE_HIGH);
    version_is("x Netscape-Enterprise/4.1\x01", NULL, "4.1", CONFIDENCE_LOW);
    version_is("x Netscape-Enterprise/4.1\x01",
               "[1/Jan/2001] info (1): iPlanet-WebServer-Enterprise/4.1SP2 BB1\n"
               "[1/Feb/2001] info (1): iPlanet-WebServer-Enterprise/4.1SP5 BB1\n",
               "4.1sp5", CONFIDENCE_MEDIUM);
    version_is(NULL, NULL, NULL, CONFIDENCE_HIGH);
    version_is("Netscape-Enterprise/%s", NULL, NULL, CONFIDENCE_HIGH);
}

static void a_long_log_is_read_from_its_end(void **state)
{
    CLEANUP_STR struct str log = {0};
    str_add(&log, "info (1): iPlanet-WebServer-Enterprise/4.1SP2 BB1\n");
    while (log.length < 600 * 1024)
        str_add(&log, "[01/Feb/2001:00:00:00] warning (99): nothing of note\n");
    str_add(&log, "info (1): iPlanet-WebServer-Enterprise/4.1SP5 BB1\n");
    version_is(NULL, str_text(&log), "4.1sp5", CONFIDENCE_MEDIUM);
}

static void settings_and_lines_of_work_are_facts(void **state)
{
    struct tree t;
    tree_begin(&t);
    write_server(&t);
    run(&t);
    const struct fact *site = tree_fact(&t, "site", "instance", "umi");
    static const char *const rows[][2] = {{"port", "80"},
                                          {"user", "root"},
                                          {"security", "off"},
                                          {"root", "/export/home/docs"},
                                          {"admin", "no"}};
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++)
        assert_string_equal(harness_value(site, rows[i][0]), rows[i][1]);
    const struct fact *f = tree_fact(&t, "object", "fn", "index-common");
    assert_string_equal(harness_value(f, "content_type"), "magnus-internal/directory");
    assert_string_equal(harness_value(f, "object"), "default");
    assert_int_equal(f->line, 4);
    f = tree_fact(&t, "vdir", "path", "/cgi-bin");
    assert_string_equal(harness_value(f, "directory"), "/export/my docs/cgi");
    assert_string_equal(harness_value(f, "executable"), "yes");
    assert_string_equal(harness_value(tree_fact(&t, "listener", "port", "80"), "from"), "binding");
    assert_string_equal(harness_value(tree_fact(&t, "complete", "of", "object"), "found"), "4");
    tree_end(&t);
}

static void what_was_not_read_is_not_complete(void **state)
{
    struct tree t;
    tree_begin(&t);
    write_server(&t);
    tree_file(&t, "usr/netscape/server4/https-b/config/magnus.conf", magnus);
    tree_fifo(&t, "usr/netscape/server4/https-b/config/obj.conf");
    tree_file(&t, "usr/netscape/server4/https-b/config/server.xml", "<SERVER/>");
    run(&t);
    assert_true(tree_unread(&t, "object"));
    assert_true(tree_unread(&t, "site: server.xml"));
    assert_null(harness_find(&t.h, "complete", "of", "object"));
    tree_end(&t);
}

static void an_administration_server_may_have_no_objects(void **state)
{
    struct tree t;
    tree_begin(&t);
    write_server(&t);
    tree_file(&t, "usr/netscape/server4/https-admserv/config/magnus.conf", "Port 8888\n");
    tree_file(&t, "usr/netscape/server4/bin/https/ns-httpd", "Netscape-Enterprise/3.6 SP3");
    run(&t);
    assert_string_equal(harness_value(tree_fact(&t, "site", "instance", "admserv"), "admin"),
                        "yes");
    assert_int_equal(tree_count(&t, "unread"), 0);
    tree_fact(&t, "complete", "of", "object");
    tree_end(&t);
}

static void hosts_without_one_have_no_facts_of_it(void **state)
{
    struct tree t;
    tree_begin(&t);
    tree_solaris7(&t);
    tree_file(&t, "usr/netscape/communicator/netscape", "Netscape-Enterprise/3.6 SP3");
    run(&t);
    assert_int_equal(tree_count(&t, "product"), 1); /* solaris */
    assert_int_equal(tree_count(&t, "site"), 0);
    assert_int_equal(tree_count(&t, "unread"), 0);
    tree_end(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_version_is_taken_from_the_program_or_the_newest_start),
        cmocka_unit_test(a_long_log_is_read_from_its_end),
        cmocka_unit_test(settings_and_lines_of_work_are_facts),
        cmocka_unit_test(what_was_not_read_is_not_complete),
        cmocka_unit_test(an_administration_server_may_have_no_objects),
        cmocka_unit_test(hosts_without_one_have_no_facts_of_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
