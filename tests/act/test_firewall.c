/* Addresses, ports and rules in words; what would lock an operator out. */
#include "act/firewall_rules.h"
#include "tests/support.h"

#include <stdio.h>

static void networks_and_ports_are_read_whole(void **state)
{
    static const struct {
        const char *text, *address;
        unsigned bits;
    } good[] = {
        {"192.0.2.1", "192.0.2.1", 32},
        {"192.0.2.129/25", "192.0.2.128", 25},
        {"2001:db8::1", "2001:db8::1", 128},
        {"2001:db8:1:2:3::/48", "2001:db8:1::", 48},
        {"10.255.0.0/8", "10.0.0.0", 8},
        /* what a socket for both families calls 192.0.2.1 */
        {"::ffff:192.0.2.1", "192.0.2.1", 32},
        {"::ffff:192.0.2.129/121", "192.0.2.128", 25},
    };
    static const char *const bad[] = {"",           "192.0.2",    "192.0.2.1/33", "192.0.2.1/",
                                      "0.0.0.0/0",  "::/0",       "192.0.2.1 ",   "host",
                                      "1.2.3.4/-1", "1.2.3.4/8;}"};
    for (size_t i = 0; i < ARRAY_COUNT(good); i++) {
        struct firewall_network n;
        char text[64];
        assert_true(firewall_network_parse(&n, good[i].text, NULL));
        assert_string_equal(address_text(&n.address, text), good[i].address);
        assert_int_equal(n.bits, good[i].bits);
    }
    for (size_t i = 0; i < ARRAY_COUNT(bad); i++) {
        struct firewall_network n;
        assert_false(firewall_network_parse(&n, bad[i], NULL));
    }
    static const char *const ports[] = {"25", "53/udp", "8000-8010", "8000-8010/tcp", "65535"};
    static const char *const no_ports[] = {"",        "0",   "65536", "5-4",     "-1", "+1",
                                           "53/icmp", "25 ", "http",  "1-65536", "1-", "25/udp "};
    struct firewall_ports p;
    for (size_t i = 0; i < ARRAY_COUNT(ports); i++)
        assert_true(firewall_ports_parse(&p, ports[i], NULL));
    for (size_t i = 0; i < ARRAY_COUNT(no_ports); i++)
        assert_false(firewall_ports_parse(&p, no_ports[i], NULL));
    assert_true(firewall_ports_parse(&p, "8000-8010/udp", NULL));
    assert_int_equal(p.first, 8000);
    assert_int_equal(p.last, 8010);
    assert_true(p.udp);
}

static struct address address_of(const char *text)
{
    struct firewall_network n = {0};
    assert_true(firewall_network_parse(&n, text, NULL));
    return n.address;
}

static void a_network_has_what_is_in_it(void **state)
{
    struct firewall_network n;
    struct address in = address_of("192.0.2.200"), out = address_of("192.0.2.100"),
                   six = address_of("2001:db8::c000:2c8");
    assert_true(firewall_network_parse(&n, "192.0.2.128/25", NULL));
    assert_true(firewall_network_has(&n, &in));
    assert_false(firewall_network_has(&n, &out));
    assert_false(firewall_network_has(&n, &six));
}

/* seat, tunnel, named, mode: whether it is let through */
static void who_would_be_locked_out_is_refused(void **state)
{
    static const struct {
        enum operator_seat seat;
        const char *tunnel, *named;
        enum firewall_mode mode;
        bool good;
    } table[] = {
        {OPERATOR_NETWORK, "", "", FIREWALL_CONTAIN, true},
        {OPERATOR_NETWORK, "", "", FIREWALL_FULL, false},
        {OPERATOR_NETWORK, "", "192.0.2.9", FIREWALL_FULL, true},
        {OPERATOR_NETWORK, "wg0", "", FIREWALL_WEB, false},
        {OPERATOR_NETWORK, "wg0", "198.51.100.1", FIREWALL_WEB, false},
        {OPERATOR_NETWORK, "wg0", "203.0.113.5", FIREWALL_WEB, true},
        {OPERATOR_NETWORK, "wg0", "", FIREWALL_PORTS, false},
        {OPERATOR_HIDDEN, "", "", FIREWALL_CONTAIN, false},
        {OPERATOR_HIDDEN, "", "192.0.2.9", FIREWALL_CONTAIN, true},
        {OPERATOR_HIDDEN, "", "127.0.0.1", FIREWALL_CONTAIN, false},
        {OPERATOR_HIDDEN, "", "::1", FIREWALL_CONTAIN, false},
        {OPERATOR_NOWHERE, "", "127.0.0.1", FIREWALL_CONTAIN, false},
        {OPERATOR_NOWHERE, "", "", FIREWALL_PORTS, false},
        {OPERATOR_NOWHERE, "", "192.0.2.9", FIREWALL_PORTS, true},
        {OPERATOR_CONSOLE, "", "", FIREWALL_FULL, true},
    };
    for (size_t i = 0; i < ARRAY_COUNT(table); i++) {
        struct firewall_plan p = {.mode = table[i].mode, .trial_seconds = 60};
        p.operator.seat = table[i].seat;
        if (table[i].seat == OPERATOR_NETWORK) {
            p.operator.way_count = 1;
            p.operator.ways[0].connection =(struct connection){.remote = address_of("198.51.100.1"),
                                                               .local = address_of("198.51.100.2"),
                                                               .remote_port = 40000,
                                                               .local_port = 22};
            snprintf(p.operator.ways[0].tunnel, sizeof p.operator.ways[0].tunnel, "%s",
                     table[i].tunnel);
        }
        assert_true(firewall_plan_name(&p, table[i].named, NULL));
        struct error e = ERROR_INIT;
        if (firewall_check(&p, &e) != table[i].good)
            fail_msg("row %zu: %s", i, e.message);
    }
}

static bool has(const struct firewall_plan *p, unsigned seconds, const char *text)
{
    CLEANUP_STR struct str rules = {0};
    firewall_rules(&rules, p, seconds);
    return strstr(str_text(&rules), text) != NULL;
}

static void the_rules_say_who_stays(void **state)
{
    struct firewall_plan p = {.mode = FIREWALL_CONTAIN, .trial_seconds = 600};
    p.operator.seat = OPERATOR_NETWORK;
    p.operator.way_count = 2;
    p.operator.ways[0].connection =(struct connection){.remote = address_of("2001:db8::7"),
                                                       .local = address_of("2001:db8::1"),
                                                       .remote_port = 40000,
                                                       .local_port = 22};
    p.operator.ways[1].connection =(struct connection){.remote = address_of("192.0.2.7"),
                                                       .local = address_of("192.0.2.1"),
                                                       .remote_port = 443,
                                                       .local_port = 50000};
    p.operator.ways[1].made_here = true;
    firewall_plan_ways(&p);
    firewall_plan_ways(&p); /* once each */
    assert_int_equal(p.way_count, 2);
    assert_true(has(&p, 600, "ipv4 timeout 600s, ipv6 timeout 600s"));
    assert_true(has(&p, 0, "elements = { ipv4, ipv6 }"));
    assert_true(has(&p, 600, "elements = { 2001:db8::7 . 40000 . 2001:db8::1 . 22 }"));
    assert_true(has(&p, 600, "elements = { 2001:db8::7 . 22 }"));
    assert_true(has(&p, 600, "elements = { 192.0.2.7 . 443 }")); /* to there, by a tunnel */
    p.mode = FIREWALL_FULL;
    assert_true(has(&p, 600, "elements = { 2001:db8::7 . 40000 . 2001:db8::1 . 22 }"));
    assert_false(has(&p, 600, "elements = { 2001:db8::7 . 22 }"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(networks_and_ports_are_read_whole),
        cmocka_unit_test(a_network_has_what_is_in_it),
        cmocka_unit_test(who_would_be_locked_out_is_refused),
        cmocka_unit_test(the_rules_say_who_stays),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
