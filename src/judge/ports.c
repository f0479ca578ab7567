#include "judge/ports.h"

#include "base/str.h"

#include <stdio.h>
#include <stdlib.h>

static const struct port_range no_business[] = {
    {7, 7, true, true, "echo", N_("echo answers anyone and amplifies floods")},
    {9, 9, true, true, "discard", N_("a small service of old that nobody needs")},
    {11, 11, true, false, "systat", N_("it tells strangers what runs here")},
    {13, 13, true, true, "daytime", N_("a small service of old that nobody needs")},
    {15, 15, true, false, "netstat", N_("it tells strangers what runs here")},
    {19, 19, true, true, "chargen", N_("chargen answers anyone and amplifies floods")},
    {23, 23, true, false, "telnet", N_("passwords cross the network in the clear")},
    {37, 37, true, true, "time", N_("a small service of old that nobody needs")},
    {69, 69, false, true, "tftp", N_("worms fetch their tools with it")},
    {79, 79, true, false, "finger", N_("it tells strangers who has an account")},
    {111, 111, true, true, "rpcbind",
     N_("it leads attackers to sadmind and the other RPC services")},
    {135, 135, true, true, "msrpc", N_("Windows RPC: for the inside only")},
    {137, 139, true, true, "NetBIOS",
     N_("Windows file sharing and names: the 2001 warning says shut it")},
    {161, 162, false, true, "snmp",
     N_("it tells and changes settings, often with the word public")},
    {177, 177, false, true, "xdmcp", N_("remote X logins in the clear")},
    {445, 445, true, true, "SMB", N_("Windows file sharing: the 2001 warning says shut it")},
    {512, 514, true, true, "r-services", N_("rexec, rlogin, rsh: trust by address, in the clear")},
    {515, 515, true, false, "lpd", N_("printing: for the inside only")},
    {600, 600, true, false, "pcserver", N_("the root shell that the sadmind/IIS worm leaves")},
    {631, 631, true, true, "ipp", N_("printing: for the inside only")},
    {873, 873, true, false, "rsync", N_("file copies without encryption")},
    {1433, 1434, true, true, "mssql", N_("a database: for the inside only")},
    {2049, 2049, true, true, "nfs", N_("file sharing: for the inside only")},
    {2375, 2375, true, false, "docker", N_("whoever reaches it is root here")},
    {3306, 3306, true, false, "mysql", N_("a database: for the inside only")},
    {3389, 3389, true, true, "rdp", N_("remote desktop: through a VPN only")},
    {5353, 5353, false, true, "mdns", N_("name service of the local network only")},
    {5432, 5432, true, false, "postgresql", N_("a database: for the inside only")},
    {5900, 5903, true, false, "vnc", N_("remote screens, weakly protected")},
    {6000, 6009, true, false, "x11", N_("X11: whoever reaches it reads the keyboard")},
    {6379, 6379, true, false, "redis", N_("a store without a password by default")},
    {8888, 8888, true, false, "admserv", N_("the web server's own administration")},
    {9200, 9300, true, false, "elasticsearch", N_("a store without a password by default")},
    {11211, 11211, true, true, "memcached", N_("a store without a password; amplifies floods")},
    {27017, 27017, true, false, "mongodb", N_("a database: for the inside only")},
};

static const char *const opinion_names[] = {"no-business", "unknown", "published", "yours",
                                            "local"};

const char *port_opinion_name(enum port_opinion o)
{
    return opinion_names[o];
}

size_t ports_without_business(const struct port_range **out)
{
    *out = no_business;
    return ARRAY_COUNT(no_business);
}

static bool is_web(uint64_t port)
{
    return port == 80 || port == 443;
}

static struct port_row judge_one(const struct fact *f)
{
    struct port_row row = {.listener = f, .opinion = PORT_YOURS};
    uint64_t port = 0;
    bool udp = str_equal(fact_text(f, "proto"), "udp");
    (void)!str_to_u64(fact_text(f, "port"), &port);
    if (str_equal(fact_text(f, "scope"), "loopback")) {
        row.opinion = PORT_LOCAL;
        return row;
    }
    if (*fact_text(f, "reached_through")) {
        row.opinion = PORT_NO_BUSINESS;
        row.reason = message_of(N_("an RPC service: for the inside only"));
        return row;
    }
    const struct fact_value *stated = fact_value(f, "port");
    if (stated && stated->state == VALUE_UNREADABLE) {
        row.opinion = PORT_UNKNOWN;
        row.reason = message_of(N_("could not look: {reason}"));
        message_put(&row.reason, "reason", stated->text);
        return row;
    }
    for (size_t i = 0; i < ARRAY_COUNT(no_business); i++) {
        const struct port_range *r = &no_business[i];
        if (port >= r->first && port <= r->last && (udp ? r->udp : r->tcp)) {
            row.opinion = PORT_NO_BUSINESS;
            row.reason = message_of(r->reason);
            return row;
        }
    }
    if (is_web(port))
        row.opinion = PORT_PUBLISHED;
    if (*fact_text(f, "published_by")) {
        row.reason = message_of(N_("published by {by}, whatever the host's firewall says"));
        message_put(&row.reason, "by", fact_text(f, "published_by"));
    }
    return row;
}

static size_t add_port(struct site_port *out, size_t count, size_t most, uint64_t port, bool tls)
{
    size_t at = 0;
    while (at < count && out[at].port < port)
        at++;
    if (at < count && out[at].port == port) {
        out[at].tls |= tls;
        return count;
    }
    if (!port || port > UINT16_MAX || count == most)
        return count;
    memmove(out + at + 1, out + at, (count - at) * sizeof *out);
    out[at] = (struct site_port){(uint16_t)port, tls};
    return count + 1;
}

size_t ports_of_sites(const struct facts *facts, struct site_port *out, size_t most)
{
    size_t count = add_port(out, add_port(out, 0, most, 80, false), most, 443, true);
    for (const struct fact *f = facts_first(facts, "site"); f; f = facts_next(facts, "site", f)) {
        const char *p = fact_text(f, "bindings"); /* "*:80 [::]:443/ssl 127.0.0.1:8080" */
        while (*p) {
            char binding[80];
            uint64_t port;
            size_t n = strcspn(p, " ");
            snprintf(binding, sizeof binding, "%.*s", (int)n, p);
            bool tls = str_ends(binding, "/ssl");
            if (tls)
                binding[strlen(binding) - strlen("/ssl")] = '\0';
            const char *colon = strrchr(binding, ':');
            if (colon && str_to_u64(colon + 1, &port) && !str_starts(binding, "127.") &&
                !str_starts(binding, "[::1]") && !str_starts(binding, "localhost:"))
                count = add_port(out, count, most, port, tls);
            p += n + (p[n] == ' ');
        }
    }
    return count;
}

bool port_is_way_in(const struct fact *f)
{
    static const char *const programs[] = {"/usr/sbin/sshd", "/usr/sbin/dropbear",
                                           "/usr/lib/systemd/systemd"};
    for (size_t i = 0; i < ARRAY_COUNT(programs); i++)
        if (str_equal(fact_text(f, "executable"), programs[i]))
            /* systemd listens for services of all kinds */
            return i < 2 || str_equal(fact_text(f, "port"), "22");
    return false;
}

const struct fact *ports_unread(const struct facts *facts, const struct fact *after)
{
    /* What the sources of listeners call what they could not read. */
    static const char *const names[] = {"listen", "published ports", "inetd", "rc", "site"};
    const struct fact *f = after;
    while ((f = facts_next(facts, "unread", f)))
        for (size_t i = 0; i < ARRAY_COUNT(names); i++)
            if (str_starts(fact_text(f, "what"), names[i]))
                return f;
    return NULL;
}

enum port_opinion port_opinion_of(const struct fact *listener)
{
    return judge_one(listener).opinion;
}

static int compare(const void *x, const void *y)
{
    const struct port_row *a = x, *b = y;
    uint64_t pa = 0, pb = 0;
    if (a->opinion != b->opinion)
        return (int)a->opinion - (int)b->opinion;
    (void)!str_to_u64(fact_text(a->listener, "port"), &pa);
    (void)!str_to_u64(fact_text(b->listener, "port"), &pb);
    if (pa != pb)
        return pa < pb ? -1 : 1;
    int order = strcmp(fact_text(a->listener, "proto"), fact_text(b->listener, "proto"));
    return order ? order
                 : strcmp(fact_text(a->listener, "address"), fact_text(b->listener, "address"));
}

size_t judge_ports(struct arena *arena, const struct facts *facts, struct port_row **out)
{
    VEC(struct port_row) rows = {0};
    for (const struct fact *f = facts_first(facts, "listener"); f;
         f = facts_next(facts, "listener", f)) {
        struct port_row row = judge_one(f);
        VEC_PUSH(&rows, row);
    }
    if (rows.count)
        qsort(rows.items, rows.count, sizeof *rows.items, compare);
    *out = arena_dup(arena, rows.items, rows.count * sizeof *rows.items);
    size_t count = rows.count;
    VEC_FREE(&rows);
    return count;
}
