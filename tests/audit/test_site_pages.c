/* Which pages a host can ask itself for. */
#include "audit/site_pages.h"

#include "tests/support.h"

#include <stdlib.h>

static void site(struct facts *facts, const char *names, const char *bindings,
                 const char *reachable)
{
    struct fact *f = facts_add(facts, "site", "/etc/nginx/x", 1, -1, CONFIDENCE_HIGH);
    fact_put(facts, f, "names", names);
    fact_put(facts, f, "bindings", bindings);
    fact_put(facts, f, "reachable", reachable);
}

static void each_binding_is_a_page_by_its_first_name(void **state)
{
    static const struct {
        const char *url, *address;
    } wanted[] = {
        {"http://shop.example/", NULL},         {"https://shop.example/", NULL},
        {"http://localhost:8080/", NULL},       {"http://localhost/", "192.0.2.1"},
        {"https://v6.example/", "2001:db8::1"},
    };
    CLEANUP(facts_cleanup) struct facts *facts = facts_new();
    CLEANUP_ARENA struct arena *arena = arena_new();
    site_page_list list = {0};
    site(facts, "*.shop.example shop.example", "*:80 [::]:80 *:443/ssl [::]:443/ssl", "yes");
    site(facts, "_", "127.0.0.1:8080", "yes");
    site(facts, "", "192.0.2.1:80", "yes");
    site(facts, "v6.example", "[2001:db8::1]:443/ssl unix:/run/x *:", "yes");
    site(facts, "off.example", "*:81", "no");
    site_pages_of(&list, facts, arena);
    site_pages_of(&list, facts, arena); /* nothing twice */
    assert_int_equal(list.count, ARRAY_COUNT(wanted));
    for (size_t i = 0; i < list.count; i++) {
        assert_string_equal(list.items[i].url, wanted[i].url);
        assert_true(!list.items[i].address == !wanted[i].address);
        if (wanted[i].address)
            assert_string_equal(list.items[i].address, wanted[i].address);
    }
    VEC_FREE(&list);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_binding_is_a_page_by_its_first_name),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
