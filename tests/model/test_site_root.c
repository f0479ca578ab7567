/* Document roots, read off the facts. */
#include "model/site_root.h"
#include "tests/support.h"

#include "base/str.h"

struct world {
    struct facts *facts;
    struct arena *arena;
    struct site_roots roots;
};

static void begin(struct world *w)
{
    *w = (struct world){.facts = facts_new(), .arena = arena_new()};
}

static void end(struct world *w)
{
    facts_free(w->facts);
    arena_free(w->arena);
}

/* key=value pairs up to NULL; "key!reason" is unreadable. */
static void add(struct world *w, const char *kind, const char *const *pairs)
{
    struct fact *f =
        facts_add(w->facts, kind, "/etc/x.conf", facts_count(w->facts) + 1, -1, CONFIDENCE_HIGH);
    for (; *pairs; pairs++) {
        size_t length = strcspn(*pairs, "=!");
        const char *key = arena_strndup(w->arena, *pairs, length);
        if ((*pairs)[length] == '!')
            fact_put_state(w->facts, f, key, VALUE_UNREADABLE, *pairs + length + 1);
        else
            fact_put(w->facts, f, key, *pairs + length + 1);
    }
}
#define ADD(w, kind, ...) add(w, kind, (const char *const[]){__VA_ARGS__, NULL})

static void expect(struct world *w, const char *const *roots)
{
    w->roots = site_roots_of(w->facts, w->arena);
    CLEANUP_STR struct str got = {0}, wanted = {0};
    for (size_t i = 0; i < w->roots.count; i++) {
        const struct site_root *r = &w->roots.items[i];
        str_printf(&got, "%s %s %s%s %s %s:%s %s\n", r->server, r->name, r->root, r->pattern,
                   r->url_prefix, r->user, r->group, r->source);
    }
    for (; *roots; roots++)
        str_printf(&wanted, "%s\n", *roots);
    assert_string_equal(str_text(&got), str_text(&wanted));
}
#define EXPECT(w, ...) expect(w, (const char *const[]){__VA_ARGS__, NULL})

static void a_root_and_an_alias_are_two_folders(void **state)
{
    struct world w;
    begin(&w);
    ADD(&w, "site", "server=nginx", "instance=c", "name=a:80", "root=/srv/a/", "user=www-data",
        "group=www");
    ADD(&w, "vdir", "server=nginx", "instance=c", "site=a:80", "path=/img/",
        "directory=/data/img/");
    ADD(&w, "vdir", "server=nginx", "instance=other", "site=a:80", "path=/x/", "directory=/x/");
    EXPECT(&w, "nginx a:80 /srv/a / www-data:www /etc/x.conf:1",
           "nginx a:80 /data/img /img/ www-data:www /etc/x.conf:2");
    end(&w);
}

static void what_lies_where_the_root_has_it_is_no_folder_of_its_own(void **state)
{
    struct world w;
    begin(&w);
    ADD(&w, "site", "server=nginx", "name=a:80", "root=/srv/a");
    ADD(&w, "vdir", "server=nginx", "site=a:80", "path=/", "directory=/srv/a/");
    ADD(&w, "vdir", "server=nginx", "site=a:80", "path=/img/", "directory=/srv/a/img/");
    ADD(&w, "vdir", "server=nginx", "site=a:80", "path=/img/", "directory=/srv/a/other/");
    ADD(&w, "vdir", "server=nginx", "site=a:80", "path=\\.php$", "directory=/srv/a",
        "handler=fastcgi:unix:/run/php.sock");
    EXPECT(&w, "nginx a:80 /srv/a / : /etc/x.conf:1",
           "nginx a:80 /srv/a/other /img/ : /etc/x.conf:4");
    end(&w);
}

static void a_folder_of_two_sites_stands_once_unless_the_user_differs(void **state)
{
    struct world w;
    begin(&w);
    ADD(&w, "site", "server=apache2", "name=a:80", "root=/srv/a", "user=www");
    ADD(&w, "site", "server=apache2", "name=a:443", "root=/srv/a", "user=www");
    ADD(&w, "site", "server=apache2", "name=b:80", "root=/srv/a", "user=www", "runs_as_user=b");
    ADD(&w, "site", "server=lighttpd", "name=a:80", "root=/srv/a", "user=www");
    EXPECT(&w, "apache2 a:80 /srv/a / www: /etc/x.conf:1", "apache2 b:80 /srv/a / b: /etc/x.conf:3",
           "lighttpd a:80 /srv/a / www: /etc/x.conf:4");
    end(&w);
}

static void what_no_visitor_reaches_is_left_out(void **state)
{
    struct world w;
    begin(&w);
    ADD(&w, "site", "server=apache2", "name=main", "root=/var/www/html", "reachable=no");
    ADD(&w, "site", "server=nginx", "name=move:80", "root=/srv/m", "handler=return:301");
    ADD(&w, "site", "server=iis", "name=old", "root=/inetpub");
    ADD(&w, "site", "server=nginx", "name=a:80", "root=/srv/a");
    ADD(&w, "vdir", "server=nginx", "site=a:80", "path=/api/", "directory=/x/api/",
        "handler=proxy:http://127.0.0.1:3000");
    ADD(&w, "vdir", "server=nginx", "site=a:80", "path=/gone", "handler=return:410");
    EXPECT(&w, "nginx a:80 /srv/a / : /etc/x.conf:4");
    end(&w);
}

static void a_folder_that_depends_on_the_request_has_no_root(void **state)
{
    struct world w;
    begin(&w);
    ADD(&w, "site", "server=nginx", "name=a:80", "root!it depends on the request",
        "root_pattern=/srv/$host");
    ADD(&w, "site", "server=lighttpd", "name=b:80", "root!no server.document-root is set");
    ADD(&w, "site", "server=lighttpd", "name=c:80", "root=relative");
    w.roots = site_roots_of(w.facts, w.arena);
    assert_int_equal(w.roots.count, 3);
    static const char *const patterns[] = {"/srv/$host", "", "relative"};
    for (size_t i = 0; i < w.roots.count; i++) {
        assert_string_equal(w.roots.items[i].root, "");
        assert_string_equal(w.roots.items[i].pattern, patterns[i]);
    }
    end(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_root_and_an_alias_are_two_folders),
        cmocka_unit_test(what_lies_where_the_root_has_it_is_no_folder_of_its_own),
        cmocka_unit_test(a_folder_of_two_sites_stands_once_unless_the_user_differs),
        cmocka_unit_test(what_no_visitor_reaches_is_left_out),
        cmocka_unit_test(a_folder_that_depends_on_the_request_has_no_root),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
