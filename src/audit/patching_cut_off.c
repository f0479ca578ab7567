/* A host that is cut off reaches nobody but those who were named: what has to be named is said
 * before anything is tried, since apt only says after a while that it knows no such name. */
#include "act/firewall.h"
#include "audit/patching_internal.h"
#include "base/file.h"
#include "base/str.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_RESOLV_CONF = 64 << 10 };

struct cut {
    struct firewall_network named[FIREWALL_MOST];
    size_t named_count;
    struct str servers, allow; /* "192.0.2.53, mirror.example"; "192.0.2.53,ADDRESS" */
};

static void cut_cleanup(struct cut *c)
{
    str_free(&c->servers);
    str_free(&c->allow);
}

static bool is_named(const struct cut *c, const char *address)
{
    struct firewall_network one;
    if (!firewall_network_parse(&one, address, NULL))
        return false;
    for (size_t i = 0; i < c->named_count; i++)
        if (firewall_network_has(&c->named[i], &one.address))
            return true;
    return address_is_loopback(&one.address);
}

static void want(struct cut *c, const char *server, const char *address)
{
    str_printf(&c->servers, "%s%s", c->servers.length ? ", " : "", server);
    str_printf(&c->allow, "%s%s", c->allow.length ? "," : "", address);
}

/* --- who tells the addresses --- */

/* Those of resolv.conf(5) that are not this host itself; false: there is none. One that was named
 * is enough. */
static bool want_name_servers(struct cut *c, struct arena *arena, const char *path)
{
    CLEANUP_FREE char *text = NULL;
    VEC(const char *) found = {0};
    size_t size, position = 0, length;
    const char *line;
    bool known = false;
    if (!file_read(&text, &size, path, MOST_RESOLV_CONF, NULL))
        return false;
    while (str_next_line(text, size, &position, &line, &length)) {
        struct firewall_network n;
        const char *address = arena_strndup(arena, line, length);
        if (!str_starts(address, "nameserver"))
            continue;
        address += strlen("nameserver");
        address += strspn(address, " \t");
        address = arena_strndup(arena, address, strcspn(address, " \t%"));
        if (!firewall_network_parse(&n, address, NULL) || address_is_loopback(&n.address))
            continue;
        known |= is_named(c, address);
        VEC_PUSH(&found, address);
    }
    for (size_t i = 0; i < found.count && !known; i++)
        want(c, found.items[i], found.items[i]);
    bool any = found.count > 0;
    VEC_FREE(&found);
    return any;
}

/* --- who has the packages --- */

static const char *text_of(struct arena *arena, const struct sockaddr *s)
{
    char text[INET6_ADDRSTRLEN] = "";
    const void *address = s->sa_family == AF_INET6
                              ? (const void *)&((const struct sockaddr_in6 *)s)->sin6_addr
                              : (const void *)&((const struct sockaddr_in *)s)->sin_addr;
    inet_ntop(s->sa_family, address, text, sizeof text);
    return arena_strdup(arena, text);
}

/* False: its name leads nowhere from here. */
static bool want_host(struct cut *c, struct arena *arena, const char *host)
{
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM}, *list = NULL;
    if (!c->named_count)
        hints.ai_flags = AI_NUMERICHOST;
    if (getaddrinfo(host, NULL, &hints, &list) != 0) {
        want(c, host, arena_printf(arena, "ADDRESS-OF-%s", host));
        return false;
    }
    const char *address = text_of(arena, list->ai_addr);
    bool reached = false;
    for (const struct addrinfo *i = list; i && !reached; i = i->ai_next)
        reached = is_named(c, text_of(arena, i->ai_addr));
    freeaddrinfo(list);
    if (!reached)
        want(c, host, address);
    return true;
}

void patching_look_at_cut(struct patching *p, const struct patching_request *r)
{
    CLEANUP(cut_cleanup) struct cut c = {0};
    const char *const *hosts;
    size_t count = 0;
    bool all_known = true;
    VEC(struct package_change) wanted = {0};
    if (p->there == p->packages.count ||
        !firewall_named(state_dirfd(r->audit->state), c.named, &c.named_count))
        return;
    for (size_t i = 0; i < p->packages.count; i++)
        VEC_PUSH(&wanted, *p->packages.items[i].wanted);
    if (!packages_hosts(&hosts, &count, p->arena, wanted.items, wanted.count, NULL))
        count = 0; /* apt says so itself when it is tried */
    VEC_FREE(&wanted);
    for (size_t i = 0; i < count; i++)
        all_known &= want_host(&c, p->arena, hosts[i]);
    /* systemd-resolved stands for others, whom it names there */
    if (!all_known && !want_name_servers(&c, p->arena, "/etc/resolv.conf"))
        (void)!want_name_servers(&c, p->arena, "/run/systemd/resolve/resolv.conf");
    if (!c.servers.length)
        return;
    p->cut_off = true;
    struct message m =
        message_of(N_("this host is cut off, and does not reach {servers}: apt will fetch nothing. "
                      "Name them first:\nyagura respond do isolate --allow {addresses}"));
    message_put(&m, "servers", arena_strdup(p->arena, str_text(&c.servers)));
    message_put(&m, "addresses", arena_strdup(p->arena, str_text(&c.allow)));
    VEC_PUSH(&p->notes, m);
}
