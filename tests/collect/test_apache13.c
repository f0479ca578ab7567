/* Apache 1.3 of 2001. */
#include "tests/collect/tree.h"

static collect_source_function *const sources[] = {collect_solaris_host, collect_apache};

static void write_server(struct tree *t, const char *banner, const char *conf)
{
    tree_solaris7(t);
    tree_file(t, "usr/local/apache/bin/httpd", banner);
    if (conf)
        tree_file(t, "usr/local/apache/conf/httpd.conf", conf);
}

static void run(struct tree *t)
{
    tree_run(t, sources, ARRAY_COUNT(sources));
}

static void only_version_1_3_is_ours(void **state)
{
    static const struct {
        const char *banner, *version;
    } rows[] = {{"x Apache/1.3.12 (Unix)\x01", "1.3.12"},
                {"x Apache/1.3.20 (Unix) mod_ssl/2.8.4\x01", "1.3.20"},
                {"x Apache/2.0.40 (Unix)\x01", NULL},
                {"x Apache/1.3.%d\x01", "<unreadable>"},
                {"", "<unreadable>"}};
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
        struct tree t;
        tree_begin(&t);
        write_server(&t, rows[i].banner, "Port 80\n");
        run(&t);
        const struct fact *f = harness_find(&t.h, "product", "name", "apache-httpd");
        assert_string_equal(f ? harness_value(f, "version") : "",
                            rows[i].version ? rows[i].version : "");
        assert_int_equal(tree_count(&t, "site"), rows[i].version ? 1 : 0);
        tree_end(&t);
    }
}

/* Built with a shared core, httpd is a stub that names no version. */
static void a_program_without_a_version_is_still_a_server(void **state)
{
    static const struct {
        const char *core, *conf, *version;
        bool said;
    } rows[] = {{"x Apache/1.3.9 (Unix)\x01", "Port 8080\n", "1.3.9", false},
                {"nothing", "Port 8080\n", "<unreadable>", true},
                {NULL, "Port 8080\n", "<unreadable>", true},
                {NULL, NULL, "<none>", false}};
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
        struct tree t;
        tree_begin(&t);
        write_server(&t, "a stub", rows[i].conf);
        if (rows[i].core)
            tree_file(&t, "usr/local/apache/libexec/libhttpd.so", rows[i].core);
        run(&t);
        const struct fact *f = harness_find(&t.h, "product", "name", "apache-httpd");
        assert_string_equal(f ? harness_value(f, "version") : "<none>", rows[i].version);
        assert_int_equal(tree_unread(&t, "product: apache-httpd"), rows[i].said);
        if (rows[i].conf)
            assert_non_null(harness_find(&t.h, "listener", "port", "8080"));
        tree_end(&t);
    }
    struct tree t;
    tree_begin(&t);
    tree_solaris7(&t);
    tree_file(&t, "usr/local/apache/bin/ab", "");
    tree_fifo(&t, "usr/local/apache/bin/httpd");
    run(&t);
    assert_string_equal(
        harness_value(harness_find(&t.h, "product", "name", "apache-httpd"), "version"),
        "<unreadable>");
    tree_end(&t);
}

static void settings_come_from_all_three_files_and_what_they_include(void **state)
{
    struct tree t;
    tree_begin(&t);
    write_server(&t, "Apache/1.3.3 (Unix)",
                 "ServerType standalone\nPort 8080\nUser nobody\nServerTokens Full\n"
                 "Include conf/extra/*.conf\nListen 127.0.0.1:81\n"
                 "<Location /server-status>\nSetHandler server-status\n</Location>\n");
    tree_file(&t, "usr/local/apache/conf/srm.conf", "DocumentRoot \"/export/my docs\"\n");
    tree_file(&t, "usr/local/apache/conf/access.conf",
              "<Directory /export/docs>\nOptions Indexes \\\n  ExecCGI\nAllowOverride None\n"
              "</Directory>\n");
    tree_file(&t, "usr/local/apache/conf/extra/a.conf", "ScriptAlias /cgi-bin/ /export/cgi\n");
    tree_file(&t, "usr/local/apache/conf/extra/b.txt", "User mallory\n");
    run(&t);
    const struct fact *site = facts_first(t.h.facts, "site");
    static const char *const rows[][2] = {{"root", "/export/my docs"},
                                          {"user", "nobody"},
                                          {"scriptalias", "/cgi-bin/ /export/cgi"},
                                          {"bindings", "127.0.0.1:81"}};
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++)
        assert_string_equal(harness_value(site, rows[i][0]), rows[i][1]);
    const struct fact *f = tree_fact(&t, "directory", "path", "/export/docs");
    assert_string_equal(harness_value(f, "options"), "indexes execcgi");
    assert_string_equal(harness_value(f, "allowoverride"), "none");
    assert_string_equal(harness_value(tree_fact(&t, "listener", "port", "81"), "scope"),
                        "loopback");
    assert_string_equal(harness_value(tree_fact(&t, "complete", "of", "directory"), "found"), "1");
    tree_end(&t);
}

static void sections_within_sections_are_closed_one_by_one(void **state)
{
    struct tree t;
    tree_begin(&t);
    write_server(&t, "Apache/1.3.20 (Unix)",
                 "DocumentRoot /export/main\n<VirtualHost *>\nDocumentRoot /export/a\n"
                 "<Directory /export/a>\nOptions None\n</Directory>\nUser mallory\n"
                 "</VirtualHost>\n<IfModule mod_a.c>\nUser www\n</IfModule>\n");
    run(&t);
    const struct fact *site = facts_first(t.h.facts, "site");
    assert_string_equal(harness_value(site, "root"), "/export/main");
    assert_string_equal(harness_value(site, "user"), "www");
    tree_end(&t);
}

static void each_virtual_host_is_a_site_of_its_own(void **state)
{
    struct tree t;
    tree_begin(&t);
    write_server(&t, "Apache/1.3.20 (Unix)",
                 "User www\nServerTokens Prod\nDocumentRoot /export/main\nNameVirtualHost *\n"
                 "<VirtualHost 10.0.0.1:8080 10.0.0.2>\nServerName a.example\nPort 8080\n"
                 "DocumentRoot /export/a\nUser alice\nInclude conf/a.conf\n"
                 "<IfModule mod_x.c>\n<Location /status>\nSetHandler server-status\n</Location>\n"
                 "</IfModule>\n</VirtualHost>\n"
                 "<VirtualHost *>\nServerName b.example\n</VirtualHost>\n"
                 "ServerName main.example\n");
    tree_file(&t, "usr/local/apache/conf/a.conf", "ServerAdmin a@a.example\n");
    run(&t);
    static const char *const rows[][3] = {
        {"main.example", "root", "/export/main"},
        {"main.example", "locations", ""},
        {"main.example", "serveradmin", "<none>"},
        {"main.example", "virtual_host", "<none>"},
        {"a.example", "root", "/export/a"},
        {"a.example", "virtual_host", "10.0.0.1:8080 10.0.0.2"},
        {"a.example", "port", "8080"},
        {"a.example", "serveradmin", "a@a.example"},
        {"a.example", "locations", "/status=server-status"},
        {"a.example", "user", "www"}, /* the server's: the other is for suexec */
        {"a.example", "suexec_user", "alice"},
        {"a.example", "servertokens", "prod"},
        {"b.example", "root", "<none>"},
        {"b.example", "user", "www"},
    };
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
        const char *value = harness_value(tree_fact(&t, "site", "name", rows[i][0]), rows[i][1]);
        if (!str_equal(value, rows[i][2]))
            fail_msg("%s of %s: %s", rows[i][1], rows[i][0], value);
    }
    assert_string_equal(harness_value(tree_fact(&t, "complete", "of", "site"), "found"), "3");
    assert_int_equal(tree_count(&t, "listener"), 1);
    tree_end(&t);
}

static void the_record_of_a_distribution_beats_the_program(void **state)
{
    static const struct {
        const char *program, *package, *recorded, *version, *from;
        bool said;
    } rows[] = {
        {"Apache/1.3.9 (Unix) Debian/GNU", "apache", "1.3.9-13.1", "1.3.9", "apache 1.3.9-13.1",
         false},
        {"Apache/1.3.9 (Unix) Debian/GNU", "apache", "1:1.3.26-0woody3", "1.3.26",
         "apache 1:1.3.26-0woody3", true},
        {"a stub", "apache", "1:1.3.26-0woody3", "1.3.26", "apache 1:1.3.26-0woody3", false},
        {"Apache/1.3.9 (Unix) Debian/GNU", "apache-doc", "1.3.26-1", "1.3.9", "<none>", false},
    };
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
        struct tree t;
        CLEANUP_STR struct str status = {0};
        static collect_source_function *const linux_sources[] = {collect_linux_host, collect_dpkg,
                                                                 collect_apache};
        tree_begin(&t);
        str_printf(&status,
                   "Package: %s\nStatus: install ok installed\nArchitecture: i386\nVersion: %s\n",
                   rows[i].package, rows[i].recorded);
        tree_file(&t, "etc/os-release", "ID=debian\nVERSION_ID=\"3\"\n");
        tree_file(&t, "var/lib/dpkg/status", str_text(&status));
        tree_file(&t, "usr/sbin/apache", rows[i].program);
        tree_file(&t, "etc/apache/httpd.conf", "Port 80\n");
        tree_run(&t, linux_sources, ARRAY_COUNT(linux_sources));
        const struct fact *f = tree_fact(&t, "product", "name", "apache-httpd");
        assert_string_equal(harness_value(f, "version"), rows[i].version);
        assert_string_equal(harness_value(f, "package"), rows[i].from);
        assert_int_equal(tree_unread(&t, "product: apache-httpd"), rows[i].said);
        tree_end(&t);
    }
}

/* Somebody built another one over it: the record is only of what was there once. */
static void the_record_of_a_foreign_package_is_named_and_not_believed(void **state)
{
    static collect_source_function *const all[] = {collect_solaris_host, collect_solaris_patches,
                                                   collect_apache};
    struct tree t;
    tree_begin(&t);
    write_server(&t, "Apache/1.3.20 (Unix)", "Port 80\n");
    tree_file(&t, "var/sadm/pkg/SMCapache/pkginfo", "PKG=SMCapache\nARCH=sparc\nVERSION=1.3.12\n");
    tree_run(&t, all, ARRAY_COUNT(all));
    const struct fact *f = tree_fact(&t, "product", "name", "apache-httpd");
    assert_string_equal(harness_value(f, "version"), "1.3.20");
    assert_string_equal(harness_value(f, "package"), "<none>");
    assert_true(tree_unread(&t, "product: apache-httpd"));
    tree_end(&t);
}

static void includes_that_run_in_a_circle_end(void **state)
{
    struct tree t;
    tree_begin(&t);
    write_server(&t, "Apache/1.3.20 (Unix)", "Include conf/httpd.conf\nInclude conf/*.conf\n");
    tree_file(&t, "usr/local/apache/conf/z.conf", "Include conf/*.conf\nUser www\n");
    run(&t);
    assert_true(tree_unread(&t, "site"));
    assert_true(tree_unread(&t, "directory"));
    assert_null(harness_find(&t.h, "complete", "of", "directory"));
    assert_true(tree_count(&t, "unread") < 100);
    tree_end(&t);
}

static void a_configuration_that_cannot_be_read_is_said(void **state)
{
    struct tree t;
    tree_begin(&t);
    write_server(&t, "Apache/1.3.20 (Unix)", "Include conf/pipe\n");
    tree_fifo(&t, "usr/local/apache/conf/pipe");
    run(&t);
    assert_true(tree_unread(&t, "directory"));
    assert_null(harness_find(&t.h, "complete", "of", "directory"));
    tree_end(&t);

    tree_begin(&t);
    write_server(&t, "Apache/1.3.20 (Unix)", NULL);
    run(&t);
    assert_true(tree_unread(&t, "site"));
    tree_end(&t);
}

static void lines_with_nul_bytes_are_said(void **state)
{
    struct tree t;
    static const char conf[] = "User w\0ww\nPort 80\n";
    tree_begin(&t);
    write_server(&t, "Apache/1.3.20 (Unix)", NULL);
    support_write(t.dir, "usr/local/apache/conf/httpd.conf", conf, sizeof conf - 1);
    run(&t);
    assert_true(tree_unread(&t, "site"));
    assert_null(harness_find(&t.h, "complete", "of", "directory"));
    tree_end(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_version_1_3_is_ours),
        cmocka_unit_test(a_program_without_a_version_is_still_a_server),
        cmocka_unit_test(settings_come_from_all_three_files_and_what_they_include),
        cmocka_unit_test(sections_within_sections_are_closed_one_by_one),
        cmocka_unit_test(each_virtual_host_is_a_site_of_its_own),
        cmocka_unit_test(the_record_of_a_distribution_beats_the_program),
        cmocka_unit_test(the_record_of_a_foreign_package_is_named_and_not_believed),
        cmocka_unit_test(includes_that_run_in_a_circle_end),
        cmocka_unit_test(a_configuration_that_cannot_be_read_is_said),
        cmocka_unit_test(lines_with_nul_bytes_are_said),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
