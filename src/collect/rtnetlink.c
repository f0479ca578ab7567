#include "collect/rtnetlink.h"

#include "base/netlink.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/fib_rules.h>
#include <linux/neighbour.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

enum { MOST_ATTRIBUTES = 64 };

/* The attributes of a message by their number; those beyond are of no use here. */
struct attributes {
    struct {
        const uint8_t *bytes; /* NULL: not there */
        size_t size;
    } by[MOST_ATTRIBUTES];
};

static void read_attributes(struct bytes *in, struct attributes *out)
{
    memset(out, 0, sizeof *out);
    struct rtattr head;
    while (bytes_left(in) >= sizeof head) {
        memcpy(&head, bytes_take(in, sizeof head), sizeof head);
        if (head.rta_len < sizeof head)
            return;
        size_t size = head.rta_len - sizeof head, padding = netlink_aligned(size) - size;
        const uint8_t *value = bytes_take(in, size);
        unsigned type = head.rta_type & 0x3fff; /* NLA_TYPE_MASK */
        if (!value)
            return;
        if (type < MOST_ATTRIBUTES) {
            out->by[type].bytes = value;
            out->by[type].size = size;
        }
        bytes_skip(in, padding < bytes_left(in) ? padding : bytes_left(in));
    }
}

static bool has(const struct attributes *a, unsigned type, size_t size)
{
    return a->by[type].bytes && a->by[type].size >= size;
}

static bool number(const struct attributes *a, unsigned type, uint32_t *out)
{
    if (!has(a, type, sizeof *out))
        return false;
    memcpy(out, a->by[type].bytes, sizeof *out);
    return true;
}

static void put_number(json_t *o, const char *key, const struct attributes *a, unsigned type)
{
    uint32_t value;
    if (number(a, type, &value))
        json_put_int(o, key, value);
}

/* With the length of the prefix unless that is < 0. */
static bool put_address(json_t *o, const char *key, const struct attributes *a, unsigned type,
                        int family, int prefix)
{
    char text[INET6_ADDRSTRLEN], both[INET6_ADDRSTRLEN + 8];
    if ((family != AF_INET && family != AF_INET6) || !has(a, type, family == AF_INET ? 4 : 16))
        return false;
    inet_ntop(family, a->by[type].bytes, text, sizeof text);
    snprintf(both, sizeof both, prefix < 0 ? "%s" : "%s/%d", text, prefix);
    json_put_string(o, key, both);
    return true;
}

static void put_mac(json_t *o, const struct attributes *a, unsigned type)
{
    char text[3 * 32 + 1] = "";
    size_t size = a->by[type].size < 32 ? a->by[type].size : 32;
    for (size_t i = 0; a->by[type].bytes && i < size; i++)
        snprintf(text + 3 * i, 4, "%02x%s", a->by[type].bytes[i], i + 1 < size ? ":" : "");
    if (*text)
        json_put_string(o, "mac", text);
}

static void put_family(json_t *o, int family)
{
    json_put_string(o, "family",
                    family == AF_INET    ? "ipv4"
                    : family == AF_INET6 ? "ipv6"
                                         : "other");
}

static void read_link(json_t *o, struct bytes *in)
{
    struct ifinfomsg m;
    struct attributes a;
    char name[IFNAMSIZ + 1] = "";
    memcpy(&m, bytes_take(in, sizeof m), sizeof m);
    read_attributes(in, &a);
    json_put_int(o, "index", m.ifi_index);
    if (a.by[IFLA_IFNAME].bytes)
        snprintf(name, sizeof name, "%.*s",
                 (int)strnlen((const char *)a.by[IFLA_IFNAME].bytes, a.by[IFLA_IFNAME].size),
                 (const char *)a.by[IFLA_IFNAME].bytes);
    json_put_string(o, "name", name);
    put_mac(o, &a, IFLA_ADDRESS);
    put_number(o, "mtu", &a, IFLA_MTU);
    json_put_bool(o, "up", m.ifi_flags & IFF_UP);
    /* IFLA_PROMISCUITY counts those who listen; the flag is only root's wish */
    uint32_t listeners = 0;
    number(&a, IFLA_PROMISCUITY, &listeners);
    json_put_bool(o, "promiscuous", listeners || (m.ifi_flags & IFF_PROMISC));
}

static void read_address(json_t *o, struct bytes *in)
{
    struct ifaddrmsg m;
    struct attributes a;
    memcpy(&m, bytes_take(in, sizeof m), sizeof m);
    read_attributes(in, &a);
    json_put_int(o, "interface", m.ifa_index);
    if (!put_address(o, "address", &a, IFA_LOCAL, m.ifa_family, -1))
        put_address(o, "address", &a, IFA_ADDRESS, m.ifa_family, -1);
    json_put_int(o, "prefix", m.ifa_prefixlen);
}

static void read_route(json_t *o, struct bytes *in)
{
    static const char *const types[] = {"unspecified", "unicast",   "local",     "broadcast",
                                        "anycast",     "multicast", "blackhole", "unreachable",
                                        "prohibit",    "throw",     "nat"};
    struct rtmsg m;
    struct attributes a;
    uint32_t table;
    memcpy(&m, bytes_take(in, sizeof m), sizeof m);
    read_attributes(in, &a);
    put_family(o, m.rtm_family);
    if (!put_address(o, "to", &a, RTA_DST, m.rtm_family, m.rtm_dst_len))
        json_put_string(o, "to", "default");
    put_address(o, "via", &a, RTA_GATEWAY, m.rtm_family, -1);
    put_number(o, "interface", &a, RTA_OIF);
    put_address(o, "source", &a, RTA_PREFSRC, m.rtm_family, -1);
    json_put_int(o, "table", number(&a, RTA_TABLE, &table) ? table : m.rtm_table);
    put_number(o, "metric", &a, RTA_PRIORITY);
    json_put_int(o, "protocol", m.rtm_protocol);
    json_put_string(o, "type",
                    m.rtm_type < sizeof types / sizeof *types ? types[m.rtm_type] : "other");
}

static void read_neighbour(json_t *o, struct bytes *in)
{
    static const struct {
        unsigned bit;
        const char *name;
    } states[] = {{NUD_PERMANENT, "permanent"}, {NUD_NOARP, "noarp"},
                  {NUD_REACHABLE, "reachable"}, {NUD_STALE, "stale"},
                  {NUD_DELAY, "delay"},         {NUD_PROBE, "probe"},
                  {NUD_FAILED, "failed"},       {NUD_INCOMPLETE, "incomplete"}};
    struct ndmsg m;
    struct attributes a;
    const char *state = "none";
    memcpy(&m, bytes_take(in, sizeof m), sizeof m);
    read_attributes(in, &a);
    for (size_t i = sizeof states / sizeof *states; i-- > 0;)
        state = m.ndm_state & states[i].bit ? states[i].name : state;
    json_put_int(o, "interface", m.ndm_ifindex);
    put_address(o, "address", &a, NDA_DST, m.ndm_family, -1);
    put_mac(o, &a, NDA_LLADDR);
    json_put_string(o, "state", state);
}

static void read_rule(json_t *o, struct bytes *in)
{
    struct fib_rule_hdr m;
    struct attributes a;
    uint32_t table;
    memcpy(&m, bytes_take(in, sizeof m), sizeof m);
    read_attributes(in, &a);
    put_family(o, m.family);
    put_number(o, "priority", &a, FRA_PRIORITY);
    put_address(o, "from", &a, FRA_SRC, m.family, m.src_len);
    put_address(o, "to", &a, FRA_DST, m.family, m.dst_len);
    json_put_int(o, "table", number(&a, FRA_TABLE, &table) ? table : m.table);
}

static const struct kind {
    const char *name;
    uint16_t ask, answer;
    size_t size; /* of the structure before the attributes */
    void (*read)(json_t *o, struct bytes *in);
} kinds[] = {
    {"link", RTM_GETLINK, RTM_NEWLINK, sizeof(struct ifinfomsg), read_link},
    {"address", RTM_GETADDR, RTM_NEWADDR, sizeof(struct ifaddrmsg), read_address},
    {"route", RTM_GETROUTE, RTM_NEWROUTE, sizeof(struct rtmsg), read_route},
    {"neighbour", RTM_GETNEIGH, RTM_NEWNEIGH, sizeof(struct ndmsg), read_neighbour},
    {"rule", RTM_GETRULE, RTM_NEWRULE, sizeof(struct fib_rule_hdr), read_rule},
};

/* Who looks. */
struct looking {
    rtnetlink_visit *visit;
    void *context;
};

static bool read_message(void *context, uint16_t type, struct bytes body, struct error *e)
{
    const struct looking *look = context;
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        if (kinds[i].answer != type)
            continue;
        if (bytes_left(&body) < kinds[i].size) {
            error_set(e, ERR_FORMAT, "the kernel's answer is cut short");
            return false;
        }
        json_t *o = json_object();
        json_put_string(o, "kind", kinds[i].name);
        kinds[i].read(o, &body);
        look->visit(look->context, o);
    }
    return true;
}

bool rtnetlink_parse(const void *data, size_t size, rtnetlink_visit *visit, void *context,
                     bool *done, struct error *e)
{
    struct looking look = {visit, context};
    if (netlink_parse(data, size, read_message, &look, done, e))
        return true;
    error_prefix(e, "routes");
    return false;
}

static bool dump_one(int fd, const struct kind *kind, rtnetlink_visit *visit, void *context,
                     struct error *e)
{
    /* the structure of this kind with all zeros: of every family and interface */
    struct {
        struct nlmsghdr head;
        uint8_t body[16];
    } request = {.head = {.nlmsg_len = (uint32_t)(sizeof request.head + kind->size),
                          .nlmsg_type = kind->ask,
                          .nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP}};
    struct looking look = {visit, context};
    if (netlink_dump(fd, &request, request.head.nlmsg_len, read_message, &look, e))
        return true;
    error_prefix(e, "routes");
    return false;
}

bool rtnetlink_dump(int fd, rtnetlink_visit *visit, void *context, struct error *e)
{
    bool good = true;
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        good = dump_one(fd, &kinds[i], visit, context, e) && good;
    return good;
}
