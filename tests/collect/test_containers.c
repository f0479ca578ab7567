/* What containers publish, and what packet filters say of it. */
#include "base/str.h"
#include "collect/containers.h"
#include "collect/saved_rules.h"
#include "tests/collect/linux_harness.h"

#include <stdio.h>

static collect_source_function *const sources[] = {collect_containers, collect_firewall, NULL};

static const char running[] =
    "{\"Name\":\"/web\",\"Config\":{\"Image\":\"nginx:1\"},\"State\":{\"Running\":true},"
    "\"NetworkSettings\":{\"Ports\":{\"80/tcp\":[{\"HostIp\":\"0.0.0.0\",\"HostPort\":\"8081\"},"
    "{\"HostIp\":\"::\",\"HostPort\":\"8081\"}],\"443/tcp\":null}}}";
static const char stopped[] = "{\"Name\":\"/old\",\"State\":{\"Running\":false}}";
static const char bindings[] =
    "{\"PortBindings\":{\"53/udp\":[{\"HostIp\":\"127.0.0.1\",\"HostPort\":\"53\"}]},"
    "\"RestartPolicy\":{\"Name\":\"always\"}}";

static void a_published_port_is_open_though_ufw_denies_it(void **state)
{
    struct linux_host host;
    linux_begin(&host, (struct linux_file[]){
                           {"var/lib/docker/containers/1/config.v2.json", running},
                           {"var/lib/docker/containers/1/hostconfig.json", "{}"},
                           {"etc/ufw/ufw.conf", "ENABLED=yes\n"},
                           {"etc/default/ufw", "IPV6=no\nDEFAULT_INPUT_POLICY=\"DROP\"\n"},
                           {"etc/ufw/user.rules",
                            "### tuple ### allow tcp 22 0.0.0.0/0 any 0.0.0.0/0 in\n"
                            "### tuple ### limit any 53 0.0.0.0/0 any 10.0.0.0/8 in\n"
                            "### tuple ### deny tcp 8081 0.0.0.0/0 any 0.0.0.0/0 in\n"
                            "### tuple ### allow tcp 25 0.0.0.0/0 any 0.0.0.0/0 out\n"},
                           {"etc/ufw/user6.rules", ""},
                           {NULL, NULL}});
    linux_run(&host, sources);
    assert_int_equal(linux_count(&host, "listener"), 2);
    const struct fact *f = harness_find(&host.h, "listener", "family", "ipv4");
    assert_string_equal(harness_value(f, "port"), "8081");
    assert_string_equal(harness_value(f, "scope"), "any");
    assert_string_equal(harness_value(f, "from"), "container");
    assert_non_null(strstr(harness_value(f, "published_by"), "web (nginx:1)"));
    f = harness_find(&host.h, "firewall", "family", "ipv4");
    assert_string_equal(harness_value(f, "state"), "enabled");
    assert_string_equal(harness_value(f, "policy"), "drop");
    assert_string_equal(harness_value(f, "allows"), "22/tcp 53,from=10.0.0.0/8");
    assert_non_null(strstr(harness_value(f, "note"), "before these rules see them"));
    f = harness_find(&host.h, "firewall", "family", "ipv6");
    assert_string_equal(harness_value(f, "state"), "disabled");
    linux_end(&host);
}

/* None of these is a host without a firewall and without containers. */
static void what_leads_nowhere_is_said(void **state)
{
    static const struct {
        const char *link, *what;
    } rows[] = {
        {"etc/ufw/ufw.conf", "firewall: ufw"},
        {"etc/firewalld", "firewall: firewalld"},
        {"etc/nftables.conf", "/etc/nftables.conf"},
        {"etc/docker/daemon.json", "/etc/docker/daemon.json"},
        {"var/lib/docker/containers", "published ports of containers"},
        {"etc/containers/systemd", "published ports of podman's containers"},
    };
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
        struct linux_host host;
        CLEANUP_STR struct str beside = {0};
        str_printf(&beside, "%s.x", rows[i].link);
        linux_begin(&host, (struct linux_file[]){{str_text(&beside), ""}, {NULL, NULL}});
        linux_link(&host, rows[i].link, "/on/another/volume");
        linux_run(&host, sources);
        if (!harness_find(&host.h, "unread", "what", rows[i].what))
            fail_msg("%s is taken for absent", rows[i].link);
        linux_end(&host);
    }
}

static void containers_of_an_image_count_where_they_start_by_themselves(void **state)
{
    struct linux_host host;
    linux_begin(&host,
                (struct linux_file[]){
                    {"etc/docker/daemon.json", "{\"data-root\":\"/srv/docker\"}"},
                    {"srv/docker/containers/1/config.v2.json", stopped},
                    {"srv/docker/containers/1/hostconfig.json", bindings},
                    {"srv/docker/containers/2/config.v2.json", stopped},
                    {"srv/docker/containers/2/hostconfig.json",
                     "{\"PortBindings\":{\"1/tcp\":[{\"HostPort\":\"1\"}]}}"},
                    {"srv/docker/containers/3/config.v2.json", "{\"Name\":"},
                    {"var/lib/containers/storage/db.sql", "x"},
                    {"etc/containers/systemd/app.container",
                     "[Container]\nImage=img\nPublishPort=127.0.0.1:9000:90\nPublishPort=[::1]:"
                     "9001:91/udp\n"
                     "PublishPort=9002:92\nPublishPort=93\nPublishPort=\nPublishPort=a:b:c\n"},
                    {NULL, NULL}});
    linux_run(&host, sources);
    static const struct {
        const char *port, *proto, *scope, *family;
    } rows[] = {{"53", "udp", "loopback", "ipv4"},
                {"9000", "tcp", "loopback", "ipv4"},
                {"9001", "udp", "loopback", "ipv6"},
                {"9002", "tcp", "any", "ipv4"}};
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
        const struct fact *f = harness_find(&host.h, "listener", "port", rows[i].port);
        assert_string_equal(harness_value(f, "proto"), rows[i].proto);
        assert_string_equal(harness_value(f, "scope"), rows[i].scope);
        assert_string_equal(harness_value(f, "family"), rows[i].family);
    }
    assert_int_equal(linux_count(&host, "listener"), 5); /* 9002 in both families */
    assert_int_equal(linux_count(&host, "unread"), 2);   /* the damaged one, podman's database */
    linux_end(&host);
}

static const char closed_nft[] =
    "#!/usr/sbin/nft -f\nflush ruleset\ntable inet filter {\n\tchain input {\n\t\ttype filter "
    "hook input priority filter; policy drop;\n\t\tct state established accept\n\t\ttcp dport { "
    "22, "
    "80 } accept # { drop\n\t}\n\tchain output { type filter hook output priority 0; policy "
    "accept; }\n}\ntable ip nat {\n\tchain pre {\n\t\ttype nat hook prerouting priority -100;\n"
    "\t\ttcp dport { 8080, 8443 } dnat to 10.0.0.2\n\t\tip daddr 192.0.2.1 udp dport 53 dnat to "
    "10.0.0.3:5353\n\t}\n}\n";

/* Case by case: what a saved set says of what comes in. */
/* One fact says it, by whatever podman is known; without podman there is nothing to say. */
static void podmans_own_state_is_said_to_be_unread(void **state)
{
    static const struct {
        const char *files[2];
        size_t unread, listeners;
    } rows[] = {
        {{"usr/bin/podman"}, 1, 0},
        {{"usr/bin/podman", "var/lib/containers/storage/db.sql"}, 1, 0},
        {{"var/lib/containers/storage/libpod/bolt_state.db"}, 1, 0},
        {{"usr/share/containers/systemd/a.container"}, 0, 1},
        {{"usr/share/containers/systemd/a.container", "etc/containers/systemd/a.container"}, 0, 1},
        {{"usr/share/containers/systemd/a.container", "etc/containers/systemd/b.container"}, 0, 2},
    };
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
        struct linux_host host;
        linux_begin(&host, (struct linux_file[]){{"etc/hostname", "x\n"}, {NULL, NULL}});
        for (size_t k = 0; k < 2 && rows[i].files[k]; k++)
            linux_write(&host, rows[i].files[k], "PublishPort=127.0.0.1:8080:80\n", 30);
        linux_run(&host, sources);
        if (linux_count(&host, "unread") != rows[i].unread ||
            linux_count(&host, "listener") != rows[i].listeners)
            fail_msg("%s: %zu unread, %zu listeners", rows[i].files[0],
                     linux_count(&host, "unread"), linux_count(&host, "listener"));
        linux_end(&host);
    }
}

static void saved_rules_are_understood(void **state)
{
    static const struct {
        void (*parse)(struct saved_rules *, struct arena *, const char *, size_t);
        const char *text, *policy;
        size_t input, bans, forwards;
        bool filters, drops, partial;
    } rows[] = {
        {saved_rules_parse_nft, closed_nft, "drop", 2, 0, 2, true, false, false},
        {saved_rules_parse_nft,
         "table inet filter { chain input { type filter hook input priority "
         "0; } }\n",
         "accept", 0, 0, 0, true, false, false},
        {saved_rules_parse_nft,
         "table inet f { chain in { type filter hook input priority 0; "
         "policy accept; tcp dport 22 accept; drop; } }",
         "accept", 2, 0, 0, true, true, false},
        {saved_rules_parse_nft,
         "table inet f2b-table { chain f2b-chain { type filter hook input "
         "priority filter - 1; policy accept; tcp dport 22 ip saddr @a "
         "reject\n } }",
         "accept", 0, 1, 0, true, false, false},
        {saved_rules_parse_nft, "include \"/etc/nft/*.nft\"\ndefine x = 1\n", "", 0, 0, 0, false,
         false, true},
        {saved_rules_parse_nft, "table x { chain y { ", "", 0, 0, 0, false, false, false},
        {saved_rules_parse_iptables,
         "*filter\n:INPUT DROP [0:0]\n:FORWARD DROP [0:0]\n-A INPUT -i lo -j ACCEPT\n-A INPUT -p "
         "tcp --dport 22 -j ACCEPT\nCOMMIT\n",
         "drop", 2, 0, 0, true, false, false},
        {saved_rules_parse_iptables,
         "*filter\n:INPUT ACCEPT [0:0]\n:f2b-sshd - [0:0]\n-A INPUT -p tcp -j f2b-sshd\n-A "
         "f2b-sshd "
         "-s 192.0.2.1/32 -j REJECT\n-A f2b-sshd -j RETURN\nCOMMIT\n",
         "accept", 0, 3, 0, true, false, false},
        {saved_rules_parse_iptables,
         "*filter\n:INPUT ACCEPT [0:0]\n-A INPUT -p tcp --dport 22 -j ACCEPT\n-A INPUT -j REJECT "
         "--reject-with icmp-port-unreachable\nCOMMIT\n",
         "accept", 2, 0, 0, true, true, false},
        {saved_rules_parse_iptables,
         "*nat\n:PREROUTING ACCEPT [0:0]\n-A DOCKER ! -i docker0 -p tcp -m tcp --dport 8080 -j "
         "DNAT "
         "--to-destination 172.17.0.2:80\nCOMMIT\n",
         "", 0, 0, 1, false, false, false},
        {saved_rules_parse_iptables, "", "", 0, 0, 0, false, false, false},
    };
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
        CLEANUP_ARENA struct arena *arena = arena_new();
        CLEANUP_SAVED_RULES struct saved_rules r = {0};
        rows[i].parse(&r, arena, rows[i].text, strlen(rows[i].text));
        if (!str_equal(r.policy, rows[i].policy) || r.input_rules != rows[i].input ||
            r.ban_rules != rows[i].bans || r.forwards.count != rows[i].forwards ||
            r.filters_input != rows[i].filters || r.drops != rows[i].drops ||
            r.partial != rows[i].partial)
            fail_msg("row %zu: policy %s, %zu rules, %zu bans, %zu forwards, %d %d %d", i, r.policy,
                     r.input_rules, r.ban_rules, r.forwards.count, r.filters_input, r.drops,
                     r.partial);
    }
}

static void forwarded_ports_are_listeners(void **state)
{
    struct linux_host host;
    linux_begin(&host, (struct linux_file[]){{"etc/nftables.conf", closed_nft}, {NULL, NULL}});
    linux_run(&host, sources);
    assert_int_equal(linux_count(&host, "listener"), 3);
    const struct fact *f = harness_find(&host.h, "listener", "port", "53");
    assert_string_equal(harness_value(f, "address"), "192.0.2.1");
    assert_string_equal(harness_value(f, "proto"), "udp");
    assert_int_equal(f->line, 15);
    assert_string_equal(linux_only(&host, "firewall", "state"), "disabled");
    linux_link(&host, "etc/systemd/system/sysinit.target.wants/nftables.service",
               "/lib/systemd/system/nftables.service");
    linux_run(&host, sources);
    assert_string_equal(linux_only(&host, "firewall", "state"), "enabled");
    assert_string_equal(linux_only(&host, "firewall", "policy"), "drop");
    linux_end(&host);
}

static void zones_of_firewalld_are_scanned(void **state)
{
    struct linux_host host;
    linux_begin(
        &host,
        (struct linux_file[]){
            {"etc/firewalld/firewalld.conf", "DefaultZone=drop\n"},
            {"usr/lib/firewalld/zones/drop.xml", "<zone target=\"DROP\"><short>x</short></zone>"},
            {"etc/firewalld/zones/public.xml",
             "<?xml version=\"1.0\"?>\n<zone>\n<!-- <service name=\"telnet\"/> -->\n<service "
             "name=\"ssh\"/>\n<port protocol=\"tcp\" port=\"8443\"/><rule family=\"ipv4\"/></zone"},
            {NULL, NULL}});
    linux_run(&host, sources);
    assert_int_equal(linux_count(&host, "firewall"), 2);
    const struct fact *f = harness_find(&host.h, "firewall", "policy", "reject");
    assert_string_equal(harness_value(f, "allows"), "ssh 8443/tcp");
    assert_non_null(strstr(harness_value(f, "note"), "rich rules"));
    f = harness_find(&host.h, "firewall", "policy", "drop");
    assert_string_equal(harness_value(f, "path"), "/usr/lib/firewalld/zones/drop.xml");
    linux_end(&host);
}

static void add(void *context, uint16_t port)
{
    str_printf(context, "%u ", port);
}

static void ports_are_spelled_out(void **state)
{
    static const struct {
        const char *text, *expected;
    } rows[] = {{"80", "80 "},       {"80, 443", "80 443 "}, {"10-12,5", "10 11 12 5 "},
                {"10:11", "10 11 "}, {"x,99999,7", "7 "},    {"", ""},
                {"9-8", ""}};
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
        CLEANUP_STR struct str got = {0};
        saved_ports_each(rows[i].text, add, &got);
        assert_string_equal(str_text(&got), rows[i].expected);
    }
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_published_port_is_open_though_ufw_denies_it),
        cmocka_unit_test(what_leads_nowhere_is_said),
        cmocka_unit_test(containers_of_an_image_count_where_they_start_by_themselves),
        cmocka_unit_test(podmans_own_state_is_said_to_be_unread),
        cmocka_unit_test(saved_rules_are_understood),
        cmocka_unit_test(forwarded_ports_are_listeners),
        cmocka_unit_test(zones_of_firewalld_are_scanned),
        cmocka_unit_test(ports_are_spelled_out),
    };
    return cmocka_run_group_tests_name("collect/containers", tests, NULL, NULL);
}
