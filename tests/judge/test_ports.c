/* What the facts say of ports: those that sites are reached by. */
#include "tests/support.h"

#include "base/mem.h"
#include "judge/ports.h"

#include <stdio.h>

static void ports_of_sites_are_those_of_their_bindings(void **state)
{
    static const struct {
        const char *bindings, *ports; /* "443s": TLS is spoken there */
    } rows[] = {
        {"", "80 443s"},
        {"*:80 [::]:80", "80 443s"},
        {"*:8080 [::]:8443/ssl", "80 443s 8080 8443s"},
        {"*:8443/ssl", "80 443s 8443s"},
        {"192.0.2.1:9000 192.0.2.2:9000/ssl", "80 443s 9000s"},
        {"127.0.0.1:8080 [::1]:8443/ssl localhost:81 unix:/run/x.sock", "80 443s"},
        {"*:* *:0 *:65536/ssl *:x/ssl", "80 443s"},
    };
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
        CLEANUP(facts_cleanup) struct facts *facts = facts_new();
        CLEANUP_STR struct str said = {0};
        struct site_port ports[16];
        struct fact *f = facts_add(facts, "site", "/etc/x.conf", 1, -1, CONFIDENCE_HIGH);
        fact_put(facts, f, "bindings", rows[i].bindings);
        size_t count = ports_of_sites(facts, ports, ARRAY_COUNT(ports));
        for (size_t k = 0; k < count; k++)
            str_printf(&said, "%s%u%s", k ? " " : "", ports[k].port, ports[k].tls ? "s" : "");
        assert_string_equal(str_text(&said), rows[i].ports);
        assert_int_equal(ports_of_sites(facts, ports, 1), 1);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ports_of_sites_are_those_of_their_bindings),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
