#include "judge/gateway.h"

#include "base/json.h"
#include "judge/ports.h"

#include <stdio.h>

static void range_text(char out[16], const struct port_range *r)
{
    if (r->first == r->last)
        snprintf(out, 16, "%u", r->first);
    else
        snprintf(out, 16, "%u-%u", r->first, r->last);
}

static void add_set(struct str *out, const char *name, bool udp)
{
    const struct port_range *ranges;
    size_t count = ports_without_business(&ranges);
    str_printf(out, "\tset %s {\n\t\ttype inet_service\n\t\tflags interval\n\t\telements = {",
               name);
    bool first = true;
    for (size_t i = 0; i < count; i++) {
        char text[16];
        if (udp ? !ranges[i].udp : !ranges[i].tcp)
            continue;
        range_text(text, &ranges[i]);
        str_printf(out, "%s %s", first ? "" : ",", text);
        first = false;
    }
    str_add(out, " }\n\t}\n");
}

static void add_chain(struct str *out, const char *hook)
{
    /* Answers to a client's own port (Windows 2000 gives 1024-5000) are not services: only the
     * direction in which a connection was opened counts. Standing ones end as well, since
     * nothing here accepts by state.
     *
     * But connection tracking may begin with these very rules, and takes the first packet that it
     * sees for the opening one. If that is the server's, the client is the one who "answers" from
     * then on. So what a shut port sends as if it opened a connection goes nowhere:
     *   - below 1024 never: no client has such a port of its own;
     *   - TCP from 1024 on where it does not open one (no lone SYN);
     *   - UDP, which does not say who began: a client that draws one of these few ports has to
     *     ask again from another. */
    str_printf(out,
               "\tchain on_%s {\n"
               "\t\ttype filter hook %s priority -150; policy accept;\n"
               "\t\tiifname \"lo\" accept\n"
               "\t\tct direction original tcp sport < 1024 tcp sport @shut_tcp counter drop\n"
               "\t\tct state new tcp sport @shut_tcp tcp flags & (syn | ack) != syn counter drop\n"
               "\t\tct direction original udp sport @shut_udp counter drop\n"
               "\t\tct direction reply accept\n"
               "\t\ttcp dport @shut_tcp counter drop\n"
               "\t\tudp dport @shut_udp counter drop\n"
               "\t}\n",
               hook, hook);
}

static void add_json(struct str *out)
{
    const struct port_range *ranges;
    size_t count = ports_without_business(&ranges);
    for (size_t i = 0; i < count; i++) {
        CLEANUP_JSON json_t *o = json_object();
        json_put_string(o, "type", "gateway");
        json_put_int(o, "first", ranges[i].first);
        json_put_int(o, "last", ranges[i].last);
        json_put_bool(o, "tcp", ranges[i].tcp);
        json_put_bool(o, "udp", ranges[i].udp);
        json_put_string(o, "name", ranges[i].name);
        json_add_line(out, o);
        str_add_char(out, '\n');
    }
    str_printf(out, "{\"type\":\"summary\",\"found\":0,\"unknown\":0,\"ranges\":%zu}\n", count);
}

void gateway_rules(struct str *out, bool json)
{
    const struct port_range *ranges;
    size_t count = ports_without_business(&ranges);
    if (json) {
        add_json(out);
        return;
    }
    str_printf(out,
               "#!/usr/sbin/nft -f\n# %s\n#   nft -c -f FILE    %s\n#   nft -f FILE       %s\n",
               _("Ports that have no business outside. For a border router with nftables:"),
               _("check"), _("load (may be repeated)"));
    str_printf(out, "# %s\n# %s\n#\n#   port        tcp  udp  service\n",
               _("For another make, deny these inbound, over IPv4 and IPv6, forwarded and to the"),
               _("router itself:"));
    for (size_t i = 0; i < count; i++) {
        char text[16];
        range_text(text, &ranges[i]);
        str_printf(out, "#   %-10s  %-3s  %-3s  %s\n", text, ranges[i].tcp ? "x" : "-",
                   ranges[i].udp ? "x" : "-", ranges[i].name);
    }
    str_add(out, "\ntable inet yagura_gateway\ndelete table inet yagura_gateway\n"
                 "table inet yagura_gateway {\n");
    add_set(out, "shut_tcp", false);
    add_set(out, "shut_udp", true);
    add_chain(out, "forward");
    add_chain(out, "input");
    str_add(out, "}\n");
}
