/* nginx, Apache 2 and lighttpd: what no running server can show. That the facts are those of
 * the servers themselves is tests/system/servers.bats. */
#include "base/str.h"
#include "collect/upstreams.h"
#include "tests/collect/tree.h"

static collect_source_function *const sources[] = {collect_linux_host, collect_dpkg,
                                                   collect_nginx,      collect_apache2,
                                                   collect_lighttpd,   collect_php_fpm};

#define NGINX    "etc/nginx/nginx.conf"
#define APACHE   "etc/apache2/apache2.conf"
#define LIGHTTPD "etc/lighttpd/lighttpd.conf"

static void begin(struct tree *t)
{
    tree_begin(t);
    tree_file(t, "etc/os-release", "ID=debian\nVERSION_ID=\"12\"\nVERSION_CODENAME=bookworm\n");
}

static void run(struct tree *t)
{
    tree_run(t, sources, ARRAY_COUNT(sources));
}

static size_t unread(const struct tree *t, const char *what)
{
    size_t count = 0;
    for (const struct fact *f = NULL; (f = facts_next(t->h.facts, "unread", f));)
        count += str_equal(fact_text(f, "what"), what);
    return count;
}

static void without_a_configuration_nothing_is_said(void **state)
{
    struct tree t;
    begin(&t);
    run(&t);
    assert_int_equal(tree_count(&t, "site"), 0);
    assert_int_equal(tree_count(&t, "web-server"), 0);
    assert_false(tree_unread(&t, "site"));
    tree_end(&t);
}

static void a_configuration_whose_program_is_gone_is_said_to_be_so(void **state)
{
    struct tree t;
    begin(&t);
    tree_file(&t, NGINX, "http { server { } }");
    run(&t);
    const struct fact *f = tree_fact(&t, "web-server", "server", "nginx");
    assert_string_equal(harness_value(f, "program"), "<absent>");
    tree_file(&t, "usr/sbin/nginx", "");
    run(&t);
    f = tree_fact(&t, "web-server", "server", "nginx");
    assert_string_equal(harness_value(f, "program"), "/usr/sbin/nginx");
    tree_end(&t);
}

/* Each breaks one thing; the site behind or around it is still there, and one thing is said. */
static void what_is_broken_is_said_and_costs_only_itself(void **state)
{
    static const struct {
        const char *file, *text, *server, *root;
    } rows[] = {
        {NGINX, "http { server { root /srv/a; } include none.conf; }", "nginx", "/srv/a"},
        {NGINX, "http { include nginx.conf; server { root /srv/a; } }", "nginx", "/srv/a"},
        {NGINX, "http { server { root /srv/a; } } } trailing;", "nginx", "/srv/a"},
        {NGINX, "http { server { root /srv/a; } server { root \"/srv/b", "nginx", "/srv/a"},
        {NGINX, "http { server { root /srv/a; location / { content_by_lua_block { a = {} } } } }",
         "nginx", "/srv/a"},
        {APACHE, "DocumentRoot /srv/a\nInclude none.conf\n", "apache2", "/srv/a"},
        {APACHE, "Include apache2.conf\nDocumentRoot /srv/a\n", "apache2", "/srv/a"},
        {APACHE, "DocumentRoot /srv/a\n</IfModule>\n", "apache2", "/srv/a"},
        {APACHE, "DocumentRoot /srv/a\n<VirtualHost *:80>\n", "apache2", "/srv/a"},
        {APACHE, "<IfVersion >= 2.4>\nDocumentRoot /srv/b\n</IfVersion>\nDocumentRoot /srv/a\n",
         "apache2", "/srv/a"},
        {APACHE, "<Macro X>\nDocumentRoot /srv/b\n</Macro>\nDocumentRoot /srv/a\n", "apache2",
         "/srv/a"},
        {LIGHTTPD, "server.document-root = \"/srv/a\"\ninclude \"none.conf\"\n", "lighttpd",
         "/srv/a"},
        {LIGHTTPD, "server.document-root = \"/srv/a\"\ninclude \"lighttpd.conf\"\n", "lighttpd",
         "/srv/a"},
        {LIGHTTPD, "server.document-root = \"/srv/a\"\n}\n", "lighttpd", "/srv/a"},
        {LIGHTTPD, "server.document-root = \"/srv/a\"\n$HTTP[\"host\"] == \"x\" {\n", "lighttpd",
         "/srv/a"},
        {LIGHTTPD, "server.document-root = \"/srv/a\"\nserver.tag = \"\n", "lighttpd", "/srv/a"},
        {LIGHTTPD, "server.document-root = \"/srv/a\"\nvar.a = (1, 2) + 3\n", "lighttpd", "/srv/a"},
    };
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
        struct tree t;
        begin(&t);
        tree_file(&t, rows[i].file, rows[i].text);
        run(&t);
        const struct fact *f = harness_find(&t.h, "site", "server", rows[i].server);
        char what[64];
        snprintf(what, sizeof what, "site: %s", rows[i].server);
        if (!str_equal(harness_value(f, "root"), rows[i].root) || unread(&t, what) != 1)
            fail_msg("row %zu: root %s, %zu unread", i, harness_value(f, "root"), unread(&t, what));
        tree_end(&t);
    }
}

static void files_that_name_each_other_end(void **state)
{
    struct tree t;
    begin(&t);
    tree_file(&t, NGINX, "http { include conf.d/*; }");
    tree_file(&t, APACHE, "Include conf.d\n");
    tree_file(&t, LIGHTTPD, "include \"conf.d/*\"\n");
    for (int i = 0; i < 30; i++) {
        char path[64];
        snprintf(path, sizeof path, "etc/nginx/conf.d/%d", i);
        tree_file(&t, path, "include conf.d/*;");
        snprintf(path, sizeof path, "etc/apache2/conf.d/%d", i);
        tree_file(&t, path, "Include conf.d\n");
        snprintf(path, sizeof path, "etc/lighttpd/conf.d/%d", i);
        tree_file(&t, path, "include \"conf.d/*\"\n");
    }
    run(&t);
    static const char *const names[] = {"site: nginx", "site: apache2", "site: lighttpd"};
    for (size_t i = 0; i < ARRAY_COUNT(names); i++) {
        assert_true(unread(&t, names[i]) > 0);
        assert_true(unread(&t, names[i]) <= 20);
    }
    tree_end(&t);
}

static void pipes_and_bytes_that_are_no_text_are_said(void **state)
{
    static const char text[] = "http { server { root /srv/a; } }\n\0 more";
    struct tree t;
    begin(&t);
    support_write(t.dir, NGINX, text, sizeof text - 1);
    tree_file(&t, APACHE, "Include pipe\n");
    tree_fifo(&t, "etc/apache2/pipe");
    tree_fifo(&t, "etc/apache2/envvars");
    tree_link(&t, "etc/lighttpd", "/etc/lighttpd");
    run(&t);
    assert_int_equal(unread(&t, "site: nginx"), 1);
    assert_int_equal(unread(&t, "site: apache2"), 2);
    assert_true(tree_unread(&t, "site: lighttpd"));
    tree_end(&t);
}

static void the_environment_of_apache_is_read_as_text(void **state)
{
    struct tree t;
    begin(&t);
    tree_file(
        &t, "etc/apache2/envvars",
        "if [ x ]; then\n SUFFIX=\"-wrong\"\nelse\n SUFFIX=\nfi\n"
        "export APACHE_RUN_USER=web # a comment\nGROUP='the group'\nexport BASE=\"/srv/$GROUP\"\n"
        "export RAN=$(touch /tmp/ran)\nexport LOGS=/var/log${SUFFIX}/apache\n");
    tree_file(
        &t, APACHE,
        "User ${APACHE_RUN_USER}\nGroup \"${GROUP}\"\nDocumentRoot \"${BASE}\"\nAlias /x ${RAN}/x\n"
        "ErrorLog ${LOGS}/e\n");
    run(&t);
    const struct fact *f = facts_first(t.h.facts, "site");
    assert_string_equal(harness_value(f, "user"), "web");
    assert_string_equal(harness_value(f, "group"), "the group");
    assert_string_equal(harness_value(f, "root"), "/srv/the group");
    assert_string_equal(harness_value(tree_fact(&t, "log", "role", "error"), "path"),
                        "/var/log/apache/e");
    f = tree_fact(&t, "vdir", "path", "/x");
    assert_string_equal(harness_value(f, "directory"), "<unreadable>");
    assert_string_equal(harness_value(f, "directory_pattern"), "${RAN}/x");
    assert_int_equal(unread(&t, "site: apache2"), 1);
    tree_end(&t);
}

static void ifversion_asks_the_package(void **state)
{
    static const struct {
        const char *test;
        bool holds;
    } rows[] = {{">= 2.4", true},     {"< 2.4", false},   {"= 2.4.62", true}, {"2.4.62", true},
                {"!= 2.4.62", false}, {"> 2.4.61", true}, {"!< 2.6", false},  {"<= 2.4.62", true}};
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
        struct tree t;
        char conf[256];
        begin(&t);
        tree_file(&t, "var/lib/dpkg/status",
                  "Package: apache2-bin\nStatus: install ok installed\nArchitecture: amd64\n"
                  "Version: 2.4.62-1~deb12u2\n\n");
        snprintf(conf, sizeof conf,
                 "DocumentRoot /srv/no\n<IfVersion %s>\nDocumentRoot /srv/yes\n</IfVersion>\n",
                 rows[i].test);
        tree_file(&t, APACHE, conf);
        run(&t);
        assert_string_equal(harness_value(facts_first(t.h.facts, "site"), "root"),
                            rows[i].holds ? "/srv/yes" : "/srv/no");
        tree_end(&t);
    }
}

static void folders_that_depend_on_the_request_are_unreadable(void **state)
{
    static const struct {
        const char *file, *text, *pattern;
    } rows[] = {
        {NGINX, "http { server { root /srv/$host/www; } }", "/srv/$host/www"},
        {NGINX, "http { server { set $a /x; set $a /y; root $a/www; } }", "$a/www"},
        {APACHE, "VirtualDocumentRoot /srv/%0/www\n", "/srv/%0/www"},
        {APACHE, "DocumentRoot ${NOBODY}/www\n", "${NOBODY}/www"},
        {LIGHTTPD, "server.modules = ( \"mod_evhost\" )\nevhost.path-pattern = \"/srv/%0/\"\n",
         "/srv/%0/"},
        {LIGHTTPD, "server.document-root = \"/srv/\" + env.NAME\n", "/srv/${env.NAME}"},
    };
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
        struct tree t;
        begin(&t);
        tree_file(&t, rows[i].file, rows[i].text);
        run(&t);
        const struct fact *f = facts_first(t.h.facts, "site");
        assert_string_equal(harness_value(f, "root"), "<unreadable>");
        assert_string_equal(harness_value(f, "root_pattern"), rows[i].pattern);
        tree_end(&t);
    }
}

/* That the methods are those that nginx takes: tests/data/servers/nginx/writing. */
static void who_may_write_by_nginx_is_said(void **state)
{
    static const struct {
        const char *server, *open;
    } rows[] = {
        {"location /w/ { dav_methods PUT MKCOL; }", "PUT MKCOL"},
        {"location /w/ { dav_methods PUT; fastcgi_pass unix:/run/x; }", "<none>"},
        {"return 301 https://x; location /w/ { dav_methods PUT; }", "<none>"},
        {"location /w/ { dav_methods off; }", "<none>"},
        {"listen 127.0.0.1:81; listen [::1]:81; location /w/ { dav_methods PUT; }", ""},
        {"listen 127.0.0.1:81; listen 82; location /w/ { dav_methods PUT; }", "PUT"},
        {"ssl_verify_client on; location /w/ { dav_methods PUT; }", ""},
        {"auth_pam who; location /w/ { dav_methods PUT; }", "<unreadable>"},
        {"auth_pam who; location /w/ { dav_methods PUT; deny all; }", ""},
        {"if ($remote_user = '') { return 401; } location /w/ { dav_methods PUT; }",
         "<unreadable>"},
        {"if ($host = x) { return 301 https://x; } location /w/ { dav_methods PUT; }", "PUT"},
    };
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
        struct tree t;
        char text[512];
        begin(&t);
        snprintf(text, sizeof text, "http { server { %s } }", rows[i].server);
        tree_file(&t, NGINX, text);
        run(&t);
        const char *open = harness_value(tree_fact(&t, "vdir", "path", "/w/"), "open_methods");
        if (!str_equal(open, rows[i].open))
            fail_msg("row %zu: %s", i, open);
        tree_end(&t);
    }
}

static void who_may_write_by_apache_and_lighttpd_is_said(void **state)
{
    static const struct {
        const char *file, *text, *path, *open;
    } rows[] = {
        {APACHE, "<Location /w>\nDav On\nRequire all granted\n</Location>\n", "/w",
         "PUT DELETE MKCOL COPY MOVE"},
        {APACHE, "<Directory /srv/w>\nDav On\nRequire all granted\n</Directory>\n", "/srv/w",
         "PUT DELETE MKCOL COPY MOVE"},
        {APACHE, "<Location /w>\nDav On\nRequire valid-user\n</Location>\n", "/w", ""},
        {APACHE,
         "<Location /w>\nDav On\n<LimitExcept GET>\nRequire user a\n</LimitExcept>\n"
         "</Location>\n",
         "/w", ""},
        {APACHE,
         "<Location /w>\nDav On\nRequire all granted\n<Limit PUT>\nRequire user a\n</Limit>\n"
         "</Location>\n",
         "/w", "<unreadable>"},
        {APACHE, "<Location /w>\nDav On\n</Location>\n", "/w", "<unreadable>"},
        {APACHE, "<Location /w>\nSetHandler x\nDav Off\nRequire all granted\n</Location>\n", "/w",
         "<none>"},
        {LIGHTTPD,
         "server.modules = (\"mod_webdav\")\nserver.document-root = \"/srv\"\n"
         "webdav.activate = \"enable\"\n",
         "/", "PUT DELETE MKCOL COPY MOVE"},
        {LIGHTTPD,
         "server.modules = (\"mod_webdav\")\nserver.document-root = \"/srv\"\n"
         "webdav.is-readonly = \"enable\"\n"
         "$HTTP[\"url\"] =^ \"/w\" {\nwebdav.activate = \"enable\"\n}\n",
         "/w", "<none>"},
        {LIGHTTPD,
         "server.modules = (\"mod_webdav\", \"mod_auth\")\nserver.document-root = \"/srv\"\n"
         "$HTTP[\"url\"] =^ \"/w\" {\nwebdav.activate = \"enable\"\n}\n",
         "/w", "<unreadable>"},
        {LIGHTTPD,
         "server.modules = (\"mod_webdav\")\nserver.document-root = \"/srv\"\n"
         "webdav.activate = \"enable\"\n$HTTP[\"remoteip\"] != \"10.0.0.0/8\" {\n"
         "url.access-deny = (\"\")\n}\n",
         "/", "<unreadable>"},
    };
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
        struct tree t;
        begin(&t);
        tree_file(&t, rows[i].file, rows[i].text);
        run(&t);
        const char *open =
            harness_value(tree_fact(&t, "vdir", "path", rows[i].path), "open_methods");
        if (!str_equal(open, rows[i].open))
            fail_msg("row %zu: %s", i, open);
        tree_end(&t);
    }
}

static void the_pools_of_php_are_read_with_their_users(void **state)
{
    struct tree t;
    begin(&t);
    tree_file(&t, "etc/php/8.2/fpm/php-fpm.conf",
              "[global]\nuser = nobody\ninclude=/etc/php/8.2/fpm/pool.d/*.conf\n");
    tree_file(&t, "etc/php/8.2/fpm/pool.d/www.conf",
              "; a remark = none\n[www]\n;user = no\nuser = root ; for now\ngroup = 'web'\n"
              "listen = /run/php/fpm.sock\n[shop]\nuser = ${WHO}\n");
    tree_file(&t, "etc/php/8.2/fpm/pool.d/zz.conf", "[www]\nuser = \"app\"\n");
    tree_file(&t, "etc/php/8.2/fpm/pool.d/www.conf.orig", "[old]\nuser = root\n");
    tree_file(&t, "etc/php-fpm.d/www.conf", "[www]\r\nuser=0\r\n");
    run(&t);
    assert_int_equal(tree_count(&t, "php-pool"), 3);
    const struct fact *f = tree_fact(&t, "php-pool", "path", "/etc/php/8.2/fpm/pool.d/www.conf");
    assert_string_equal(harness_value(f, "name"), "www");
    assert_string_equal(harness_value(f, "user"), "app"); /* said again, in a file behind it */
    assert_string_equal(harness_value(f, "group"), "web");
    assert_string_equal(harness_value(f, "listen"), "/run/php/fpm.sock");
    f = tree_fact(&t, "php-pool", "name", "shop");
    assert_string_equal(harness_value(f, "user"), "<unreadable>");
    f = tree_fact(&t, "php-pool", "path", "/etc/php-fpm.d/www.conf");
    assert_string_equal(harness_value(f, "user"), "0");
    tree_end(&t);
}

static void add_upstream(void *context, const struct upstream *u)
{
    struct str *out = context;
    str_printf(out, "%s%s%s%s%s", out->length ? " " : "", u->address, u->path || u->port ? "" : "?",
               u->ipv4 ? "/4" : "", u->ipv6 ? "/6" : "");
}

/* That these are who answers: tests/system/upstreams.bats. */
static void where_requests_go_on_this_host_is_told(void **state)
{
    static const struct {
        const char *file, *text, *upstreams;
    } rows[] = {
        {NGINX, "http { server { location / { proxy_pass http://127.0.0.1:3000/x/; } } }",
         "127.0.0.1:3000/4"},
        {NGINX, "http { server { location / { proxy_pass https://localhost; } } }",
         "localhost:443/4/6"},
        {NGINX, "http { server { location / { proxy_pass http://[::1]/; } } }", "[::1]:80/6"},
        {NGINX, "http { server { location / { proxy_pass http://unix:/run/a.sock:/x; } } }",
         "unix:/run/a.sock"},
        {NGINX, "http { server { location / { fastcgi_pass unix:/run/a.sock; } } }",
         "unix:/run/a.sock"},
        {NGINX, "http { server { location / { uwsgi_pass 127.0.0.1:3031; } } }",
         "127.0.0.1:3031/4"},
        {NGINX,
         "http { upstream g { server unix:/run/a.sock; server 10.0.0.1:80; server 127.0.0.1:81 "
         "weight=2; } server { location /a { proxy_pass http://g/x; } location /b { scgi_pass g; } "
         "} }",
         "unix:/run/a.sock 127.0.0.1:81/4 unix:/run/a.sock 127.0.0.1:81/4"},
        {NGINX, "http { server { location / { proxy_pass http://$there; } } }",
         "proxy:http://$there?"},
        {NGINX,
         "http { server { location / { proxy_pass http://10.0.0.1:80; } location /b { proxy_pass "
         "http://localhost.example/; } location /c { return 200; } } }",
         ""},
        {NGINX, "http { server { location / { proxy_pass http://127.0.0.1:0; } } }", ""},
        {NGINX, "http { server { location / { proxy_pass http://127.0.0.1:65536; } } }", ""},
        {NGINX, "http { server { location / { fastcgi_pass unix:x; } } }", ""},
        {APACHE, "<VirtualHost *:80>\nProxyPass / http://localhost:3000/\n</VirtualHost>\n",
         "localhost:3000/4/6"},
        {APACHE,
         "<VirtualHost *:80>\nProxyPass /x !\nProxyPass / unix:/run/a.sock|http://localhost/\n"
         "<FilesMatch \\.php$>\nSetHandler proxy:unix:/run/b.sock|fcgi://localhost\n</FilesMatch>\n"
         "</VirtualHost>\n",
         "unix:/run/a.sock unix:/run/b.sock"},
        {APACHE,
         "<VirtualHost *:80>\nProxyPass /a ajp://127.0.0.1\nProxyPass /b balancer://g/\n"
         "</VirtualHost>\n",
         "127.0.0.1:8009/4 proxy:balancer://g/?"},
        {LIGHTTPD,
         "server.modules = (\"mod_proxy\", \"mod_fastcgi\")\nserver.document-root = \"/srv\"\n"
         "proxy.server = (\"/a\" => ((\"host\" => \"127.0.0.1\", \"port\" => 3000)))\n"
         "fastcgi.server = (\"/b\" => ((\"socket\" => \"/run/a.sock\")))\n",
         "unix:/run/a.sock 127.0.0.1:3000/4"},
    };
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
        struct tree t;
        CLEANUP_STR struct str all = {0};
        begin(&t);
        tree_file(&t, rows[i].file, rows[i].text);
        run(&t);
        for (const struct fact *f = NULL; (f = facts_next(t.h.facts, "site", f));)
            upstreams_of(fact_text(f, "handlers"), facts_arena(t.h.facts), add_upstream, &all);
        if (!str_equal(str_text(&all), rows[i].upstreams))
            fail_msg("row %zu: %s", i, str_text(&all));
        tree_end(&t);
    }
}

/* With what a site speaks TLS; only what is there, as a program of root's will open it. */
static void certificates_are_stated_where_both_files_are_there(void **state)
{
    static const struct {
        const char *file, *text, *certificate, *key;
    } rows[] = {
        {NGINX, "http { server { ssl_certificate /srv/a.pem; ssl_certificate_key /srv/a.key; } }",
         "/srv/a.pem", "/srv/a.key"},
        {NGINX, "http { ssl_certificate a.pem; ssl_certificate_key a.key; server { } }",
         "/etc/nginx/a.pem", "/etc/nginx/a.key"},
        {NGINX,
         "http { server { ssl_certificate no.pem; ssl_certificate /srv/a.pem;"
         " ssl_certificate_key no.key; ssl_certificate_key /srv/a.key; } }",
         "/srv/a.pem", "/srv/a.key"},
        {NGINX, "http { server { ssl_certificate /srv/a.pem; } }", "", ""},
        {NGINX, "http { server { ssl_certificate /srv/a.pem; ssl_certificate_key /srv; } }", "",
         ""},
        {NGINX, "http { server { ssl_certificate /srv/a.pem; ssl_certificate_key /srv/fifo; } }",
         "", ""},
        {NGINX,
         "http { server { ssl_certificate /srv/$host.pem; ssl_certificate_key /srv/a.key; } }", "",
         ""},
        {NGINX, "http { server { ssl_certificate data:x; ssl_certificate_key data:y; } }", "", ""},
        {APACHE,
         "<VirtualHost *:443>\nSSLEngine on\nSSLCertificateFile /srv/a.pem\n"
         "SSLCertificateKeyFile /srv/a.key\n</VirtualHost>\n",
         "/srv/a.pem", "/srv/a.key"},
        {APACHE, "SSLCertificateFile a.pem\n<VirtualHost *:443>\n</VirtualHost>\n",
         "/etc/apache2/a.pem", "/etc/apache2/a.pem"},
        {APACHE, "<VirtualHost *:443>\nSSLCertificateFile /srv/none.pem\n</VirtualHost>\n", "", ""},
        {LIGHTTPD, "ssl.pemfile = \"/srv/a.pem\"\nssl.privkey = \"/srv/a.key\"\n", "/srv/a.pem",
         "/srv/a.key"},
        {LIGHTTPD, "ssl.pemfile = \"/srv/a.pem\"\n", "/srv/a.pem", "/srv/a.pem"},
        {LIGHTTPD, "ssl.pemfile = \"a.pem\"\n", "", ""},
    };
    static const char *const files[] = {"srv/a.pem",         "srv/a.key",
                                        "etc/nginx/a.pem",   "etc/nginx/a.key",
                                        "etc/apache2/a.pem", "etc/lighttpd/a.pem"};
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
        struct tree t;
        begin(&t);
        tree_file(&t, rows[i].file, rows[i].text);
        for (size_t k = 0; k < ARRAY_COUNT(files); k++)
            tree_file(&t, files[k], "");
        tree_fifo(&t, "srv/fifo");
        run(&t);
        const char *certificate = "", *key = "";
        for (const struct fact *f = NULL; (f = facts_next(t.h.facts, "site", f));)
            if (*fact_text(f, "certificate")) {
                certificate = fact_text(f, "certificate");
                key = fact_text(f, "certificate_key");
            }
        if (!str_equal(certificate, rows[i].certificate) || !str_equal(key, rows[i].key))
            fail_msg("row %zu: \"%s\", \"%s\"", i, certificate, key);
        tree_end(&t);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(who_may_write_by_nginx_is_said),
        cmocka_unit_test(who_may_write_by_apache_and_lighttpd_is_said),
        cmocka_unit_test(the_pools_of_php_are_read_with_their_users),
        cmocka_unit_test(where_requests_go_on_this_host_is_told),
        cmocka_unit_test(without_a_configuration_nothing_is_said),
        cmocka_unit_test(a_configuration_whose_program_is_gone_is_said_to_be_so),
        cmocka_unit_test(what_is_broken_is_said_and_costs_only_itself),
        cmocka_unit_test(files_that_name_each_other_end),
        cmocka_unit_test(pipes_and_bytes_that_are_no_text_are_said),
        cmocka_unit_test(the_environment_of_apache_is_read_as_text),
        cmocka_unit_test(ifversion_asks_the_package),
        cmocka_unit_test(folders_that_depend_on_the_request_are_unreadable),
        cmocka_unit_test(certificates_are_stated_where_both_files_are_there),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
