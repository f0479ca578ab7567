#include "collect/containers.h"

#include "base/json.h"
#include "base/str.h"
#include "collect/collect.h"
#include "collect/saved_rules.h"

#include <stdio.h>
#include <stdlib.h>

enum {
    MOST_JSON_BYTES = 8 << 20,
    MOST_STRING_BYTES = 1 << 20,
    MOST_CONTAINERS = 2000,
    MOST_PORTS = 4096,
    MOST_RULES_BYTES = 16 << 20
};

void container_free(struct container *container)
{
    VEC_FREE(&container->ports);
}

static void add_port(struct container *out, struct arena *arena, const char *inside,
                     const char *address, const char *port_text)
{
    const char *slash = strchr(inside, '/');
    uint64_t port;
    if (!port_text || !str_to_u64(port_text, &port) || !port || port > UINT16_MAX ||
        out->ports.count >= MOST_PORTS)
        return;
    struct container_port p = {slash && slash[1] ? arena_strdup(arena, slash + 1) : "tcp",
                               arena_strdup(arena, address ? address : ""), (unsigned)port,
                               arena_strdup(arena, inside)};
    VEC_PUSH(&out->ports, p);
}

/* {"80/tcp": [{"HostIp": "0.0.0.0", "HostPort": "8080"}], "443/tcp": null} */
static void add_bindings(struct container *out, struct arena *arena, json_t *ports)
{
    const char *inside;
    json_t *bindings, *one;
    size_t i;
    json_object_foreach(ports, inside, bindings)
    {
        json_array_foreach(bindings, i, one) add_port(
            out, arena, inside, json_get_string(one, "HostIp"), json_get_string(one, "HostPort"));
    }
}

static const char *text_or(struct arena *arena, const char *text, const char *otherwise)
{
    return text ? arena_strdup(arena, text) : otherwise;
}

bool container_parse_docker(struct container *out, struct arena *arena, const char *path,
                            const char *config, size_t config_size, const char *hostconfig,
                            size_t hostconfig_size, struct error *e)
{
    CLEANUP_JSON json_t *main =
        json_parse(config, config_size, path, MOST_JSON_BYTES, MOST_STRING_BYTES, e);
    CLEANUP_JSON json_t *host =
        hostconfig && main
            ? json_parse(hostconfig, hostconfig_size, path, MOST_JSON_BYTES, MOST_STRING_BYTES, e)
            : NULL;
    if (!main || (hostconfig && !host))
        return false;
    struct container c = {0};
    json_t *settings = json_get_object(main, "Config");
    json_t *state = json_get_object(main, "State");
    json_t *network = json_get_object(main, "NetworkSettings");
    json_t *restart = host ? json_get_object(host, "RestartPolicy") : NULL;
    const char *name = json_get_string(main, "Name");
    const char *policy = restart ? json_get_string(restart, "Name") : NULL;
    c.name = text_or(arena, name && *name == '/' ? name + 1 : name, "");
    c.image = text_or(arena, settings ? json_get_string(settings, "Image") : NULL, "");
    c.running = state && json_is_true(json_object_get(state, "Running"));
    c.starts_by_itself = str_equal(policy, "always") ||
                         (str_equal(policy, "unless-stopped") &&
                          !json_is_true(json_object_get(main, "HasBeenManuallyStopped")));
    json_t *ports = network ? json_get_object(network, "Ports") : NULL;
    if (ports && c.running)
        add_bindings(&c, arena, ports);
    ports = host ? json_get_object(host, "PortBindings") : NULL;
    if (ports && !c.ports.count)
        add_bindings(&c, arena, ports);
    *out = c;
    return true;
}

/* [[ADDRESS:]HOST:]CONTAINER[/PROTO]; an IPv6 address stands in brackets. */
static void add_published(struct container *out, struct arena *arena, const char *value)
{
    char *text = arena_strdup(arena, value);
    char *slash = strrchr(text, '/');
    const char *proto = slash ? slash + 1 : "tcp";
    if (slash)
        *slash = '\0';
    char *last = strrchr(text, ':');
    if (!last)
        return; /* a port that podman picks: nothing fixed is published */
    *last = '\0';
    const char *inside = arena_printf(arena, "%s/%s", last + 1, proto);
    char *middle = strrchr(text, ':');
    const char *port = middle && !strchr(middle, ']') ? middle + 1 : text;
    const char *address = "";
    if (port != text) {
        *middle = '\0';
        address = text;
        if (*text == '[') {
            address = text + 1;
            text[strcspn(text, "]")] = '\0';
        }
    }
    add_port(out, arena, inside, address, port);
}

void container_parse_quadlet(struct container *out, struct arena *arena, const char *text,
                             size_t size)
{
    static const char key[] = "PublishPort=", image[] = "Image=", name[] = "ContainerName=";
    size_t position = 0, length;
    const char *line;
    *out = (struct container){.name = "", .image = "", .running = true, .starts_by_itself = true};
    while (str_next_line(text, size, &position, &line, &length)) {
        const char *one = str_trim(arena_strndup(arena, line, length));
        if (str_starts(one, key))
            add_published(out, arena, one + sizeof key - 1);
        else if (str_starts(one, image))
            out->image = one + sizeof image - 1;
        else if (str_starts(one, name))
            out->name = one + sizeof name - 1;
    }
}

/* --- facts --- */

struct published {
    struct collection *c;
    const char *path;
    uint64_t line;
    const char *proto, *address, *by;
};

static void state_one(const struct published *p, const char *family, const char *address,
                      unsigned port)
{
    struct facts *facts = p->c->facts;
    bool any = !*address || str_equal(address, "0.0.0.0") || str_equal(address, "::");
    bool loopback = str_starts(address, "127.") || str_equal(address, "::1");
    /* A saved rule may not be the one that is loaded. */
    struct fact *f = facts_add(facts, "listener", p->path, p->line, -1,
                               p->line ? CONFIDENCE_MEDIUM : CONFIDENCE_HIGH);
    fact_put(facts, f, "proto", p->proto);
    fact_put(facts, f, "address", any ? "*" : address);
    fact_put_number(facts, f, "port", port);
    fact_put(facts, f, "family", family);
    fact_put(facts, f, "scope", any ? "any" : loopback ? "loopback" : "address");
    fact_put(facts, f, "from", "container");
    fact_put(facts, f, "published_by", p->by);
}

static void state_port(const struct published *p, unsigned port)
{
    bool ipv6 = strchr(p->address, ':') != NULL;
    state_one(p, ipv6 ? "ipv6" : "ipv4", p->address, port);
    if (!*p->address) /* without an address both families are published */
        state_one(p, "ipv6", "", port);
}

static void state_container(struct collection *c, const struct container *one, const char *path,
                            const char *what)
{
    bool live = target_kind(c->target) == TARGET_LIVE;
    if (!one->running && (live || !one->starts_by_itself))
        return;
    for (size_t i = 0; i < one->ports.count; i++) {
        const struct container_port *port = &one->ports.items[i];
        struct published p = {c,
                              path,
                              0,
                              port->proto,
                              port->address,
                              arena_printf(c->arena, _("%s container %s (%s), port %s inside"),
                                           what, one->name, one->image, port->inside)};
        state_port(&p, port->port);
    }
}

static void read_docker_container(struct collection *c, const char *folder)
{
    size_t size = 0, host_size = 0;
    struct error e = ERROR_INIT;
    const char *path = arena_printf(c->arena, "%s/config.v2.json", folder);
    const char *host_path = arena_printf(c->arena, "%s/hostconfig.json", folder);
    char *text = collect_text(c, path, MOST_JSON_BYTES, &size);
    char *host = text ? collect_text(c, host_path, MOST_JSON_BYTES, &host_size) : NULL;
    CLEANUP_CONTAINER struct container one = {0};
    if (!text)
        return;
    if (container_parse_docker(&one, c->arena, path, text, size, host, host_size, &e))
        state_container(c, &one, path, "docker");
    else
        facts_unread(c->facts, N_("published ports of a container"), path, e.message);
}

static void read_docker(struct collection *c)
{
    static const char setting[] = "/etc/docker/daemon.json";
    size_t size = 0;
    struct error e = ERROR_INIT;
    struct target_entry *entries;
    const char *data = "/var/lib/docker";
    char *text = collect_text(c, setting, MOST_JSON_BYTES, &size);
    CLEANUP_JSON json_t *daemon =
        text && size ? json_parse(text, size, setting, MOST_JSON_BYTES, MOST_STRING_BYTES, &e)
                     : NULL;
    if (text && size && !daemon)
        facts_unread(c->facts, N_("where docker keeps its containers"), setting, e.message);
    if (daemon && json_get_string(daemon, "data-root"))
        data = json_get_string(daemon, "data-root");
    const char *folder = arena_printf(c->arena, "%s/containers", data);
    size_t count = collect_list(c, N_("published ports of containers"), folder, &entries, NULL);
    if (count > MOST_CONTAINERS)
        facts_unread(c->facts, N_("published ports of containers"), folder,
                     _("there are more than 2,000 containers; the first ones were read"));
    for (size_t i = 0; i < count && i < MOST_CONTAINERS; i++)
        if (entries[i].name[0] != '.')
            read_docker_container(c, arena_printf(c->arena, "%s/%s", folder, entries[i].name));
}

static const char of_podman[] = N_("published ports of podman's containers");

static void read_quadlet(struct collection *c, const char *folder, const char *name)
{
    CLEANUP_CONTAINER struct container one = {0};
    size_t size = 0;
    const char *path = arena_printf(c->arena, "%s/%s", folder, name);
    char *text = collect_text_of(c, of_podman, path, MOST_JSON_BYTES, &size, NULL);
    if (!text)
        return;
    container_parse_quadlet(&one, c->arena, text, size);
    if (!*one.name)
        one.name = arena_strndup(c->arena, name, strcspn(name, "."));
    state_container(c, &one, path, "podman");
}

/* A file of the administrator's stands before one of the same name that a package brought. */
static void read_quadlets(struct collection *c)
{
    static const char own[] = "/etc/containers/systemd",
                      brought[] = "/usr/share/containers/systemd";
    struct target_entry *entries, *others;
    size_t count = collect_list(c, of_podman, own, &entries, NULL);
    size_t other_count = collect_list(c, of_podman, brought, &others, NULL), read = 0;
    for (size_t i = 0; i < count + other_count; i++) {
        const char *name = i < count ? entries[i].name : others[i - count].name;
        bool hidden = false;
        for (size_t k = 0; i >= count && k < count; k++)
            hidden |= str_equal(entries[k].name, name);
        if (hidden || !str_ends(name, ".container"))
            continue;
        if (read++ == MOST_CONTAINERS) {
            facts_unread(c->facts, of_podman, own,
                         _("there are more than 2,000 quadlets; the first ones were read"));
            return;
        }
        read_quadlet(c, i < count ? own : brought, name);
    }
}

/* What `podman run` made stands in podman's own database, of root and of each user. On a live
 * host podman keeps its published ports open itself: they are seen there. */
static void say_podman(struct collection *c)
{
    static const char *const signs[] = {"/var/lib/containers/storage/db.sql",
                                        "/var/lib/containers/storage/libpod/bolt_state.db",
                                        "/usr/bin/podman"};
    bool lost = false;
    if (target_kind(c->target) == TARGET_LIVE)
        return;
    for (size_t i = 0; i < ARRAY_COUNT(signs) && !lost; i++)
        if (collect_there(c, of_podman, signs[i], &lost)) {
            facts_unread(c->facts, of_podman, signs[i],
                         _("podman is here, and its database is not read: only the containers that "
                           "quadlets name are known"));
            return;
        }
}

static void read_podman(struct collection *c)
{
    read_quadlets(c);
    say_podman(c);
}

static void state_forward(void *context, uint16_t port)
{
    state_port(context, port);
}

static void read_rules(struct collection *c)
{
    static const struct {
        const char *path, *family;
        void (*parse)(struct saved_rules *, struct arena *, const char *, size_t);
    } files[] = {
        {"/etc/iptables/rules.v4", "ipv4", saved_rules_parse_iptables},
        {"/etc/iptables/rules.v6", "ipv6", saved_rules_parse_iptables},
        {"/etc/nftables.conf", "ipv4", saved_rules_parse_nft},
    };
    for (size_t i = 0; i < ARRAY_COUNT(files); i++) {
        CLEANUP_SAVED_RULES struct saved_rules rules = {0};
        struct target_stat st;
        CLEANUP_FREE char *text = NULL;
        size_t size = 0;
        struct error e = ERROR_INIT;
        if (!target_stat(c->target, files[i].path, true, &st, NULL) ||
            !target_read(c->target, files[i].path, MOST_RULES_BYTES, &text, &size, &e))
            continue; /* the firewall source says what it could not read */
        files[i].parse(&rules, c->arena, text, size);
        for (size_t k = 0; k < rules.forwards.count; k++) {
            const struct saved_forward *f = &rules.forwards.items[k];
            const char *address = *f->address                          ? f->address
                                  : str_equal(files[i].family, "ipv6") ? "::"
                                                                       : "0.0.0.0";
            struct published p = {
                c,
                files[i].path,
                f->line,
                *f->proto ? f->proto : "tcp",
                arena_strndup(c->arena, address, strcspn(address, "/")),
                arena_printf(c->arena, _("a saved rule that passes it on to %s"), f->to)};
            saved_ports_each(f->ports, state_forward, &p);
        }
    }
}

void collect_containers(struct collection *c)
{
    read_docker(c);
    read_podman(c);
    read_rules(c);
}
