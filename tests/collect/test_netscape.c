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
    tree_fifo(&t, "usr/netscape/server4/https-b/config/server.xml");
    run(&t);
    assert_true(tree_unread(&t, "object"));
    assert_true(tree_unread(&t, "site: server.xml"));
    assert_null(harness_find(&t.h, "complete", "of", "object"));
    tree_end(&t);
}

static const char xml6[] =
    "<?xml version=\"1.0\"?>\n<!DOCTYPE SERVER SYSTEM \"server.dtd\" [\n<!-- > ]> -->\n]>\n"
    "<!-- <LS id=\"old\" ip=\"0.0.0.0\" port=\"1\"/> -->\n"
    "<SERVER legacyls=\"ls1\">\n"
    "<LS id=\"ls1\" ip=\"0.0.0.0\" port=\"8080\" security=\"off\">\n"
    "<CONNECTIONGROUP id=\"g\" matchingip='default' defaultvs=\"https-x\"/></LS>\n"
    "<LS id=\"ls2\" ip=\"10.0.0.1\" port=\"443\" security=\"on\"/>\n"
    "<LS id=\"ls3\" ip=\"any\" port=\"444\" security=\"on\"/>\n"
    "<VSCLASS id=\"defaultclass\" objectfile=\"obj.conf\">\n<VARS docroot=\"/export/class\"/>\n"
    "<VS id=\"https-x\" urlhosts=\"x.example\" state=\"on\"/>\n"
    "<VS id=\"y\" urlhosts=\"y.example\"><PROPERTY name=\"docroot\" value=\"/export/a&amp;b\"/>\n"
    "</VS>\n</VSCLASS>\n"
    "<VSCLASS id=\"b\" objectfile=\"b.obj.conf\"><VS id=\"z\" state=\"off\"/></VSCLASS>\n"
    "</SERVER>\n";

/* From 6.0 on nothing of this stands in magnus.conf. */
static void listeners_and_roots_of_version_6_stand_in_server_xml(void **state)
{
    struct tree t;
    tree_begin(&t);
    tree_solaris7(&t);
    tree_file(&t, "usr/iplanet/servers/https-x/config/magnus.conf", "User nobody\n");
    tree_file(&t, "usr/iplanet/servers/https-x/config/server.xml", xml6);
    tree_file(&t, "usr/iplanet/servers/https-x/config/obj.conf",
              "<Object name=default>\nNameTrans fn=document-root root=\"$docroot\"\n</Object>\n");
    tree_file(&t, "usr/iplanet/servers/https-x/config/b.obj.conf",
              "<Object name=default>\nService fn=index-common\n</Object>\n");
    tree_file(&t, "usr/iplanet/servers/bin/https/bin/ns-httpd",
              "x Netscape-Enterprise/6.0 SP1\x01");
    run(&t);
    assert_int_equal(tree_count(&t, "listener"), 3);
    assert_string_equal(harness_value(tree_fact(&t, "listener", "port", "8080"), "scope"), "any");
    assert_int_equal(tree_fact(&t, "listener", "port", "8080")->line, 7);
    assert_string_equal(harness_value(tree_fact(&t, "listener", "port", "443"), "address"),
                        "10.0.0.1");
    assert_int_equal(tree_count(&t, "site"), 3);
    static const char *const rows[][3] = {
        {"/export/class", "bindings", "*:8080 10.0.0.1:443 *:444"},
        {"/export/class", "port", "8080"},
        {"/export/class", "address", "<none>"},
        {"/export/class", "user", "nobody"},
        {"/export/a&b", "name", "y.example"},
        {"/export/a&b", "user", "nobody"},
        {"/export/a&b", "virtual_host", "y"},
    };
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
        const char *value = harness_value(tree_fact(&t, "site", "root", rows[i][0]), rows[i][1]);
        if (!str_equal(value, rows[i][2]))
            fail_msg("%s of %s: %s", rows[i][1], rows[i][0], value);
    }
    assert_string_equal(harness_value(tree_fact(&t, "site", "name", "z"), "state"), "off");
    tree_fact(&t, "object", "fn", "index-common");
    tree_fact(&t, "complete", "of", "site");
    assert_int_equal(tree_count(&t, "unread"), 0);
    tree_end(&t);
}

static void a_server_xml_that_is_damaged_or_hides_something_is_said(void **state)
{
    static const struct {
        const char *text, *says;
        size_t listeners;
    } rows[] = {
        {"<SERVER><LS port=\"81\"/>\n<LS port=\"82\n", "no XML from line 2", 1},
        {"<SERVER><LS port=\"81\"/><LS port=82/></SERVER>", "no XML", 1},
        {"<SERVER><!-- <LS port=\"81\"/>", "no XML", 0},
        {"<!DOCTYPE S [<!ENTITY a SYSTEM \"/etc/passwd\">]><SERVER>&a;<LS port=\"81\"/></SERVER>",
         "entities", 1},
    };
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
        struct tree t;
        tree_begin(&t);
        write_server(&t);
        tree_file(&t, "usr/netscape/server4/https-umi/config/server.xml", rows[i].text);
        run(&t);
        assert_int_equal(tree_count(&t, "listener"), rows[i].listeners);
        const struct fact *f = tree_fact(&t, "unread", "what", "site: server.xml");
        if (!strstr(fact_text(f, "reason"), rows[i].says))
            fail_msg("%s: %s", rows[i].text, fact_text(f, "reason"));
        assert_null(harness_find(&t.h, "complete", "of", "site"));
        tree_end(&t);
    }
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
        cmocka_unit_test(listeners_and_roots_of_version_6_stand_in_server_xml),
        cmocka_unit_test(a_server_xml_that_is_damaged_or_hides_something_is_said),
        cmocka_unit_test(an_administration_server_may_have_no_objects),
        cmocka_unit_test(hosts_without_one_have_no_facts_of_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
