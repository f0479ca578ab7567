#include "act/firewall_rules.h"

#include <netinet/in.h>
#include <stdio.h>

/* An element of a set, with what separates it from the one before. */
static void add_element(struct str *out, bool *first, const char *text)
{
    str_printf(out, "%s%s", *first ? "\t\telements = { " : ", ", text);
    *first = false;
}

static void end_set(struct str *out, bool first)
{
    str_add(out, first ? "\t}\n" : " }\n\t}\n");
}

static void add_live(struct str *out, unsigned seconds)
{
    str_add(out, "\tset live {\n\t\ttypeof meta nfproto\n\t\tflags timeout\n");
    if (seconds)
        str_printf(out, "\t\telements = { ipv4 timeout %us, ipv6 timeout %us }\n\t}\n", seconds,
                   seconds);
    else
        str_add(out, "\t\telements = { ipv4, ipv6 }\n\t}\n");
}

static const char *ip_of(bool ipv6)
{
    return ipv6 ? "ip6" : "ip";
}

static int digit_of(bool ipv6)
{
    return ipv6 ? 6 : 4;
}

/* What the operator has open now: the other side's address and port, ours. */
static void add_standing(struct str *out, const struct firewall_plan *p, bool ipv6)
{
    const char *ip = ip_of(ipv6);
    bool first = true;
    str_printf(out, "\tset standing%d {\n\t\ttypeof %s saddr . tcp sport . %s daddr . tcp dport\n",
               digit_of(ipv6), ip, ip);
    for (size_t i = 0; i < p->operator.way_count; i++) {
        const struct connection *c = &p->operator.ways[i].connection;
        char there[INET6_ADDRSTRLEN], here[INET6_ADDRSTRLEN];
        CLEANUP_STR struct str text = {0};
        if (c->remote.ipv6 != ipv6)
            continue;
        str_printf(&text, "%s . %u . %s . %u", address_text(&c->remote, there), c->remote_port,
                   address_text(&c->local, here), c->local_port);
        add_element(out, &first, text.data);
    }
    end_set(out, first);
}

static void add_ways(struct str *out, const struct firewall_plan *p, bool ipv6, bool outward)
{
    bool first = true;
    str_printf(out, "\tset way_%s%d {\n\t\ttypeof %s %s . tcp dport\n", outward ? "out" : "in",
               digit_of(ipv6), ip_of(ipv6), outward ? "daddr" : "saddr");
    for (size_t i = 0; i < p->way_count && p->mode != FIREWALL_FULL; i++) {
        const struct firewall_way *w = &p->ways[i];
        char there[INET6_ADDRSTRLEN];
        CLEANUP_STR struct str text = {0};
        if (w->address.ipv6 != ipv6 || w->out != outward)
            continue;
        str_printf(&text, "%s . %u", address_text(&w->address, there), w->port);
        add_element(out, &first, text.data);
    }
    end_set(out, first);
}

static void add_named(struct str *out, const struct firewall_plan *p, bool ipv6)
{
    bool first = true;
    str_printf(out, "\tset named%d {\n\t\ttypeof %s saddr\n\t\tflags interval\n\t\tauto-merge\n",
               digit_of(ipv6), ip_of(ipv6));
    for (size_t i = 0; i < p->named_count; i++) {
        char text[INET6_ADDRSTRLEN];
        CLEANUP_STR struct str element = {0};
        if (p->named[i].address.ipv6 != ipv6)
            continue;
        str_printf(&element, "%s/%u", address_text(&p->named[i].address, text), p->named[i].bits);
        add_element(out, &first, element.data);
    }
    end_set(out, first);
}

static void add_ports_set(struct str *out, const char *name, const uint16_t *ports, size_t count)
{
    bool first = true;
    str_printf(out, "\tset %s {\n\t\ttype inet_service\n", name);
    for (size_t i = 0; i < count; i++) {
        char text[8];
        snprintf(text, sizeof text, "%u", ports[i]);
        add_element(out, &first, text);
    }
    end_set(out, first);
}

static void add_open(struct str *out, const struct firewall_plan *p, bool udp)
{
    bool first = true;
    str_printf(out, "\tset open_%s {\n\t\ttype inet_service\n\t\tflags interval\n\t\tauto-merge\n",
               udp ? "udp" : "tcp");
    for (size_t i = 0; i < p->open_count; i++) {
        const struct firewall_ports *r = &p->open[i];
        char text[16];
        if (r->udp != udp)
            continue;
        snprintf(text, sizeof text, r->first == r->last ? "%u" : "%u-%u", r->first, r->last);
        add_element(out, &first, text);
    }
    end_set(out, first);
}

/* What keeps the network itself alive for those who may stay: neighbours and routers of IPv6
 * (which never come from further than one hop, RFC 4861, 6.1), who listens to which group, leases
 * of addresses (RFC 2131, 4.1; RFC 8415, 7.2), and what reports that a packet was too big. */
static const char network_in[] =
    "\t\ticmpv6 type { nd-router-solicit, nd-router-advert, nd-neighbor-solicit, "
    "nd-neighbor-advert } ip6 hoplimit 255 accept\n"
    "\t\ticmpv6 type { mld-listener-query, mld-listener-report, mld2-listener-report } accept\n"
    "\t\tmeta nfproto ipv4 udp sport 67 udp dport 68 accept\n"
    "\t\tmeta nfproto ipv6 udp sport 547 udp dport 546 accept\n"
    "\t\ticmp type { destination-unreachable, time-exceeded, parameter-problem } ct state related "
    "accept\n"
    "\t\ticmpv6 type { destination-unreachable, packet-too-big, time-exceeded, parameter-problem } "
    "ct state related accept\n";
static const char network_out[] =
    "\t\ticmpv6 type { nd-router-solicit, nd-neighbor-solicit, nd-neighbor-advert } ip6 hoplimit "
    "255 accept\n"
    "\t\ticmpv6 type { mld-listener-report, mld2-listener-report } accept\n"
    "\t\tmeta nfproto ipv4 udp sport 68 udp dport 67 accept\n"
    "\t\tmeta nfproto ipv6 udp sport 546 udp dport 547 accept\n";

/* Answers only: who holds the port of a way in (or stands at the other end of a way out) opens
 * nothing from there. Not by the state of the connection: tracking may begin with these rules. */
static const char only_answers[] = " tcp flags & (syn | ack) != syn";

/* What stays, seen from the packet: what is the sender's on the way in is the receiver's on the way
 * out. */
static void add_allowed(struct str *out, bool outward)
{
    const char *far = outward ? "daddr" : "saddr", *near = outward ? "saddr" : "daddr";
    const char *far_port = outward ? "dport" : "sport", *near_port = outward ? "sport" : "dport";
    str_printf(out, "\t\t%s \"lo\" accept\n", outward ? "oif" : "iif");
    for (int v = 4; v <= 6; v += 2) {
        const char *ip = ip_of(v == 6);
        str_printf(out,
                   "\t\t%s %s . tcp %s . %s %s . tcp %s @standing%d accept\n"
                   "\t\t%s %s . tcp %s @way_in%d%s accept\n"
                   "\t\t%s %s . tcp %s @way_out%d%s accept\n"
                   "\t\t%s %s @named%d accept\n",
                   ip, far, far_port, ip, near, near_port, v, ip, far, near_port, v,
                   outward ? only_answers : "", ip, far, far_port, v, outward ? "" : only_answers,
                   ip, far, v);
    }
}

static void add_base(struct str *out, const char *hook, const char *to)
{
    str_printf(out,
               "\tchain on_%s {\n\t\ttype filter hook %s priority filter - 10; policy accept;\n"
               "\t\tmeta nfproto @live jump %s\n\t}\n",
               hook, hook, to);
}

static bool has_network(const struct firewall_plan *p)
{
    return p->mode != FIREWALL_FULL || p->named_count || p->operator.way_count;
}

/* Visitors' connections end at the notice. It is not reached by another port, which the rules of
 * others would refuse, but by TPROXY, which leaves the packet as it is. The redirection to
 * the very address and port it came for is there so that nobody behind it, as Docker, sends it
 * elsewhere: the first one that translates a connection is the only one. */
static void add_notice(struct str *out, const struct firewall_plan *p)
{
    str_add(out,
            "\tchain before_docker {\n"
            "\t\ttype nat hook prerouting priority dstnat - 10; policy accept;\n"
            "\t\tmeta nfproto @live tcp dport @web jump stay_here\n"
            "\t\tmeta nfproto @live tcp dport @web_tls jump stay_here\n\t}\n"
            "\tchain to_notice {\n"
            "\t\ttype filter hook prerouting priority dstnat + 10; policy accept;\n"
            "\t\tmeta nfproto @live jump give_notice\n\t}\n"
            "\tchain stay_here {\n\t\tiif \"lo\" accept\n\t\tfib daddr type != local accept\n"
            "\t\tip saddr . tcp dport @way_in4 accept\n"
            "\t\tip6 saddr . tcp dport @way_in6 accept\n"
            "\t\tip saddr @named4 accept\n\t\tip6 saddr @named6 accept\n"
            "\t\tredirect\n\t}\n"
            "\tchain give_notice {\n\t\tiif \"lo\" accept\n\t\tfib daddr type != local accept\n");
    for (int v = 4; v <= 6; v += 2)
        str_printf(out,
                   "\t\t%s saddr . tcp sport . %s daddr . tcp dport @standing%d accept\n"
                   "\t\t%s saddr . tcp dport @way_in%d accept\n"
                   "\t\t%s saddr @named%d accept\n",
                   ip_of(v == 6), ip_of(v == 6), v, ip_of(v == 6), v, ip_of(v == 6), v);
    str_printf(out, "\t\ttcp dport @web tproxy to :%u accept\n", p->notice_port);
    if (p->notice_tls_port)
        str_printf(out, "\t\ttcp dport @web_tls tproxy to :%u accept\n", p->notice_tls_port);
    str_add(out, "\t}\n");
}

static void add_isolation(struct str *out, const struct firewall_plan *p)
{
    bool notice = p->mode == FIREWALL_WEB && p->notice_port;
    if (p->mode == FIREWALL_WEB) {
        add_ports_set(out, "web", p->web, p->web_count);
        add_ports_set(out, "web_tls", p->web_tls, p->web_tls_count);
    }
    str_add(out, "\tchain incoming {\n");
    add_allowed(out, false);
    if (has_network(p))
        str_add(out, network_in);
    /* only the notice's socket takes what is meant for others; a connection that was open before
     * is told that it has ended, so that a browser asks again */
    if (notice)
        str_add(out, "\t\ttcp dport @web socket transparent 1 accept\n"
                     "\t\ttcp dport @web_tls socket transparent 1 accept\n");
    if (p->once_cut)
        str_add(out, "\t\ttcp flags & (syn | ack) == syn drop\n");
    if (p->mode == FIREWALL_WEB)
        str_add(out, "\t\ttcp dport @web reject with tcp reset\n"
                     "\t\ttcp dport @web_tls reject with tcp reset\n");
    str_add(out, "\t\tdrop\n\t}\n\tchain outgoing {\n");
    add_allowed(out, true);
    if (has_network(p))
        str_add(out, network_out);
    if (notice)
        str_printf(out,
                   "\t\ttcp sport @web%s socket transparent 1 accept\n"
                   "\t\ttcp sport @web_tls%s socket transparent 1 accept\n",
                   only_answers, only_answers);
    if (p->mode == FIREWALL_WEB)
        str_add(out, "\t\ttcp sport @web tcp flags & rst == rst accept\n"
                     "\t\ttcp sport @web_tls tcp flags & rst == rst accept\n");
    /* programs here are told at once instead of waiting for an answer; nothing leaves the host */
    str_add(out, "\t\treject with icmpx type admin-prohibited\n\t}\n"
                 "\tchain passing {\n"
                 "\t\tip saddr @named4 ip daddr @named4 accept\n"
                 "\t\tip6 saddr @named6 ip6 daddr @named6 accept\n"
                 "\t\tdrop\n\t}\n");
    add_base(out, "input", "incoming");
    add_base(out, "output", "outgoing");
    add_base(out, "forward", "passing");
    if (notice)
        add_notice(out, p);
}

/* TCP is judged by the packet that opens a connection, and standing ones were ended by their
 * sockets: tracking of connections may begin with these rules, and would take for an opening
 * packet what is an answer. UDP has nothing else: an answer on its way in that moment is asked for
 * again.
 *
 * Protocols stand as numbers (IANA): nft looks names up in /etc/protocols, which a small Debian
 * does not have. 1, 58, 2: ICMP, ICMPv6, IGMP; 6 TCP; 17, 136: UDP, UDP-Lite; 33, 132: DCCP, SCTP.
 *
 * What is translated to a container was meant for the port before the translation; and a site
 * whose port is translated to another one here stays open by either. */
static void add_closing(struct str *out, const struct firewall_plan *p)
{
    add_open(out, p, false);
    add_open(out, p, true);
    str_add(out, "\tchain incoming {\n");
    add_allowed(out, false);
    str_add(out,
            "\t\tmeta l4proto { 1, 2, 58 } accept\n"
            "\t\tmeta nfproto ipv4 udp sport 67 udp dport 68 accept\n"
            "\t\tmeta nfproto ipv6 udp sport 547 udp dport 546 accept\n"
            "\t\tmeta l4proto 6 jump over_tcp\n"
            "\t\tmeta l4proto { 17, 136 } jump over_udp\n"
            "\t\tmeta l4proto { 33, 132 } drop\n\t}\n"
            "\tchain over_tcp {\n"
            "\t\ttcp dport @open_tcp accept\n"
            "\t\tmeta l4proto 6 ct status dnat ct original proto-dst @open_tcp accept\n"
            "\t\ttcp flags & (syn | ack) == syn drop\n\t}\n"
            "\tchain over_udp {\n"
            "\t\tudp dport @open_udp accept\n"
            "\t\tct direction reply accept\n"
            "\t\tmeta l4proto 17 ct status dnat ct original proto-dst @open_udp accept\n"
            "\t\tdrop\n\t}\n"
            "\tchain passing {\n"
            "\t\tip saddr @named4 accept\n\t\tip daddr @named4 accept\n"
            "\t\tip6 saddr @named6 accept\n\t\tip6 daddr @named6 accept\n"
            "\t\tct status dnat meta l4proto 6 ct original proto-dst != @open_tcp drop\n"
            "\t\tct status dnat meta l4proto 17 ct original proto-dst != @open_udp drop\n\t}\n");
    add_base(out, "input", "incoming");
    add_base(out, "forward", "passing");
}

void firewall_rules(struct str *out, const struct firewall_plan *p, unsigned seconds)
{
    const char *table = p->mode == FIREWALL_PORTS ? "yagura_ports" : "yagura";
    str_printf(out, "table inet %s\ndelete table inet %s\ntable inet %s {\n", table, table, table);
    add_live(out, seconds);
    for (int v = 4; v <= 6; v += 2) {
        add_standing(out, p, v == 6);
        add_ways(out, p, v == 6, false);
        add_ways(out, p, v == 6, true);
        add_named(out, p, v == 6);
    }
    if (p->mode == FIREWALL_PORTS)
        add_closing(out, p);
    else
        add_isolation(out, p);
    str_add(out, "}\n");
}
