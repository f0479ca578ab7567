#include "act/firewall_plan.h"

#include "act/firewall_rules.h"
#include "act/nft.h"

#include <arpa/inet.h>
#include <errno.h>
#include <ifaddrs.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

static const char *const mode_names[] = {"web", "contain", "full", "ports"};

const char *firewall_mode_name(enum firewall_mode mode)
{
    return mode_names[mode];
}

bool firewall_mode_parse(enum firewall_mode *out, const char *name)
{
    for (size_t i = 0; i < ARRAY_COUNT(mode_names); i++)
        if (str_equal(mode_names[i], name)) {
            *out = (enum firewall_mode)i;
            return true;
        }
    return false;
}

enum firewall_scope firewall_scope_of(enum firewall_mode mode)
{
    return mode == FIREWALL_PORTS ? FIREWALL_CLOSED_PORTS : FIREWALL_ISOLATION;
}

bool firewall_network_parse(struct firewall_network *out, const char *text, struct error *e)
{
    struct firewall_network n = {0};
    char address[INET6_ADDRSTRLEN + 1] = "";
    size_t length = strcspn(text, "/");
    uint64_t bits;
    if (length < sizeof address)
        memcpy(address, text, length);
    n.address.ipv6 = strchr(address, ':') != NULL;
    unsigned whole = n.address.ipv6 ? 128 : 32;
    bool good = inet_pton(n.address.ipv6 ? AF_INET6 : AF_INET, address, n.address.bytes) == 1;
    bits = whole;
    if (good && text[length] == '/')
        good = str_to_u64(text + length + 1, &bits) && bits > 0 && bits <= whole;
    if (!good) {
        error_set(e, ERR_USAGE,
                  "\"%.60s\" is no address, and no network like 192.0.2.0/24 or 2001:db8::/48",
                  text);
        return false;
    }
    /* as a socket for both families has it; packets and connections_read() do not */
    static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};
    if (n.address.ipv6 && bits > 96 && memcmp(n.address.bytes, mapped, sizeof mapped) == 0) {
        struct address inner = {.ipv6 = false};
        memcpy(inner.bytes, n.address.bytes + sizeof mapped, 4);
        n.address = inner;
        bits -= 96;
        whole = 32;
    }
    n.bits = (uint8_t)bits;
    for (unsigned bit = n.bits; bit < whole; bit++)
        n.address.bytes[bit / 8] &= (uint8_t) ~(0x80u >> bit % 8);
    *out = n;
    return true;
}

bool firewall_network_has(const struct firewall_network *n, const struct address *a)
{
    if (n->address.ipv6 != a->ipv6)
        return false;
    for (unsigned bit = 0; bit < n->bits; bit++)
        if ((n->address.bytes[bit / 8] ^ a->bytes[bit / 8]) & 0x80u >> bit % 8)
            return false;
    return true;
}

bool firewall_ports_parse(struct firewall_ports *out, const char *text, struct error *e)
{
    unsigned first, last;
    int used = 0;
    bool good = sscanf(text, "%5u%n", &first, &used) == 1 && used;
    const char *rest = good ? text + used : "";
    last = first = good ? first : 0;
    if (rest[0] == '-') {
        good = sscanf(rest, "-%5u%n", &last, &used) == 1;
        rest += good ? used : 0;
    }
    bool udp = str_equal(rest, "/udp");
    good = good && text[0] >= '0' && text[0] <= '9' && (udp || !*rest || str_equal(rest, "/tcp")) &&
           first > 0 && first <= last && last <= UINT16_MAX;
    if (!good) {
        error_set(e, ERR_USAGE, "\"%.60s\" is no port like 25, 53/udp or 8000-8010", text);
        return false;
    }
    *out = (struct firewall_ports){(uint16_t)first, (uint16_t)last, udp};
    return true;
}

void firewall_plan_add_way(struct firewall_plan *p, const struct firewall_way *w)
{
    for (size_t i = 0; i < p->way_count; i++)
        if (address_equal(&p->ways[i].address, &w->address) && p->ways[i].port == w->port &&
            p->ways[i].out == w->out)
            return;
    if (p->way_count < FIREWALL_MOST)
        p->ways[p->way_count++] = *w;
}

void firewall_plan_ways(struct firewall_plan *p)
{
    for (size_t i = 0; i < p->operator.way_count; i++) {
        const struct operator_way *w = &p->operator.ways[i];
        const struct connection *c = &w->connection;
        firewall_plan_add_way(
            p, &(struct firewall_way){.address = c->remote,
                                      .port = w->made_here ? c->remote_port : c->local_port,
                                      .out = w->made_here});
    }
}

bool firewall_plan_name(struct firewall_plan *p, const char *list, struct error *e)
{
    while (*list) {
        char text[80];
        size_t n = strcspn(list, ",");
        snprintf(text, sizeof text, "%.*s", (int)n, list);
        if (p->named_count == FIREWALL_MOST) {
            error_set(e, ERR_LIMIT, "more than %d addresses are named", FIREWALL_MOST);
            return false;
        }
        if (!firewall_network_parse(&p->named[p->named_count], text, e))
            return false;
        p->named_count++;
        list += n + (list[n] == ',');
    }
    return true;
}

/* A network was named that does not merely hold the operator's address within his tunnel. */
static bool names_outside(const struct firewall_plan *p, const struct address *inside)
{
    for (size_t i = 0; i < p->named_count; i++)
        if (!firewall_network_has(&p->named[i], inside))
            return true;
    return false;
}

static bool is_own(const struct ifaddrs *own, const struct address *a)
{
    if (address_is_loopback(a))
        return true;
    for (const struct ifaddrs *i = own; i; i = i->ifa_next)
        if (address_is(a, i->ifa_addr))
            return true;
    return false;
}

/* Nobody comes from this host itself or from no address at all. */
static bool names_somebody(const struct firewall_plan *p)
{
    struct ifaddrs *own = NULL;
    bool found = false;
    if (getifaddrs(&own) != 0)
        own = NULL;
    for (size_t i = 0; i < p->named_count && !found; i++) {
        const struct firewall_network *n = &p->named[i];
        bool whole = n->bits == (n->address.ipv6 ? 128 : 32);
        found = !address_is_loopback(&n->address) && !address_is_any(&n->address) &&
                !(whole && is_own(own, &n->address));
    }
    if (own)
        freeifaddrs(own);
    return found;
}

bool firewall_check(const struct firewall_plan *p, struct error *e)
{
    const struct operator* op = & p->operator;
    bool named = names_somebody(p);
    if (p->trial_seconds < FIREWALL_SHORTEST || p->trial_seconds > FIREWALL_LONGEST) {
        error_set(e, ERR_USAGE, "a trial lasts %d to %d seconds", FIREWALL_SHORTEST,
                  FIREWALL_LONGEST);
        return false;
    }
    if (op->seat == OPERATOR_HIDDEN && !named) {
        error_set(e, ERR_USAGE,
                  "this would lock you out: %s. Name the address from which you come: --allow "
                  "ADDRESS",
                  op->why);
        return false;
    }
    if (op->seat == OPERATOR_NOWHERE && !named) {
        error_set(e, ERR_USAGE,
                  "this may lock you out: nobody sits at a terminal here, and no connection leads "
                  "here. Name the address from which you will come: --allow ADDRESS");
        return false;
    }
    for (size_t i = 0; i < op->way_count; i++)
        if (op->ways[i].tunnel[0] && !names_outside(p, &op->ways[i].connection.remote)) {
            error_set(e, ERR_USAGE,
                      "this would lock you out: you come through the tunnel %s. Name the address "
                      "of its other end, outside of it: --allow ADDRESS",
                      op->ways[i].tunnel);
            return false;
        }
    if (p->mode == FIREWALL_FULL && op->seat != OPERATOR_CONSOLE && !named) {
        error_set(e, ERR_USAGE,
                  "this would lock you out as soon as your connection ends: do it at the console, "
                  "or name the address from which you come: --allow ADDRESS");
        return false;
    }
    return true;
}

struct judging {
    const struct firewall_plan *plan;
    const struct connections *all;
    struct ifaddrs *own;
};

static void free_judging(struct judging *j)
{
    if (j->own)
        freeifaddrs(j->own);
}

static bool is_open(const struct firewall_plan *p, const struct connection *c)
{
    for (size_t i = 0; i < p->open_count; i++)
        if (!p->open[i].udp && c->local_port >= p->open[i].first &&
            c->local_port <= p->open[i].last)
            return true;
    return false;
}

static bool was_accepted(const struct connections *all, const struct connection *c)
{
    for (size_t i = 0; i < all->count; i++)
        if (!all->items[i].udp && all->items[i].state == CONNECTION_LISTEN &&
            all->items[i].local_port == c->local_port)
            return true;
    return false;
}

static bool is_allowed(const struct firewall_plan *p, const struct connection *c)
{
    for (size_t i = 0; i < p->operator.way_count; i++)
        if (connection_equal(&p->operator.ways[i].connection, c))
            return true;
    for (size_t i = 0; i < p->way_count && p->mode != FIREWALL_FULL; i++)
        if (!c->udp && address_equal(&p->ways[i].address, &c->remote) &&
            p->ways[i].port == (p->ways[i].out ? c->remote_port : c->local_port))
            return true;
    for (size_t i = 0; i < p->named_count; i++)
        if (firewall_network_has(&p->named[i], &c->remote))
            return true;
    return false;
}

static bool ends(const void *context, const struct connection *c)
{
    const struct judging *j = context;
    if (c->state == CONNECTION_LISTEN || address_is_any(&c->remote) || is_own(j->own, &c->remote) ||
        is_allowed(j->plan, c))
        return false;
    return j->plan->mode != FIREWALL_PORTS ||
           (!c->udp && !is_open(j->plan, c) && was_accepted(j->all, c));
}

bool firewall_preview(const struct firewall_plan *p, const struct connections *all,
                      struct str *rules, size_t *ending, struct error *e)
{
    CLEANUP_STR struct str text = {0};
    CLEANUP(free_judging) struct judging j = {.plan = p, .all = all};
    firewall_rules(&text, p, p->trial_seconds);
    if (!firewall_check(p, e) || !nft_check(str_text(&text), e))
        return false;
    if (getifaddrs(&j.own) != 0) {
        error_set_errno(e, errno, "reading the addresses of this host failed");
        return false;
    }
    *ending = 0;
    for (size_t i = 0; i < all->count; i++)
        *ending += ends(&j, &all->items[i]);
    if (rules)
        str_add(rules, str_text(&text));
    return true;
}

bool firewall_cut_standing(const struct firewall_plan *p, size_t *ended, size_t *left,
                           struct error *e)
{
    CLEANUP_CONNECTIONS struct connections all = {0};
    CLEANUP(free_judging) struct judging j = {.plan = p, .all = &all};
    if (getifaddrs(&j.own) != 0) {
        error_set_errno(e, errno, "reading the addresses of this host failed");
        return false;
    }
    return connections_read(&all, e) && connections_end(&all, ends, &j, ended, left, e);
}
