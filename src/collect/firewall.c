/* The packet filters that are set up on this host, as they are saved on disk.
 *
 *   ufw        /etc/ufw/ufw.conf (ENABLED), /etc/default/ufw (DEFAULT_INPUT_POLICY, IPV6), and
 *              the "### tuple ###" lines of user.rules and user6.rules: ACTION PROTO DPORT DST
 *              SPORT SRC [DAPP SAPP] DIRECTION (ufw(8), as ufw 0.36 writes them)
 *   nftables   /etc/nftables.conf
 *   iptables   /etc/iptables/rules.v4, rules.v6 (netfilter-persistent)
 *   firewalld  /etc/firewalld/firewalld.conf (DefaultZone), /etc/firewalld/zones, else
 *              /usr/lib/firewalld/zones (firewalld.zone(5))
 *
 * Whether a set is loaded at boot is told by the links that `systemctl enable` makes. The rules
 * that are loaded at this moment are not read. IPv4 and IPv6 are stated each for itself: a host
 * that filters one may be open on the other. */
#include "base/str.h"
#include "collect/collect.h"
#include "collect/saved_rules.h"

#include <stdlib.h>

enum { MOST_RULES_BYTES = 16 << 20, MOST_SETTINGS_BYTES = 1 << 20, MOST_ALLOWS_BYTES = 8192 };

struct filter {
    const char *tool, *path, *family;
    bool enabled;
    const char *policy;
    struct str allows, note;
};

static void free_filter(struct filter *f)
{
    str_free(&f->allows);
    str_free(&f->note);
}

static void add_part(struct str *list, const char *separator, const char *text)
{
    if (!*text || list->length + strlen(text) > MOST_ALLOWS_BYTES)
        return;
    if (list->length)
        str_add(list, separator);
    str_add(list, text);
}

static void state_filter(struct collection *c, const struct filter *f)
{
    struct facts *facts = c->facts;
    struct fact *fact = facts_add(facts, "firewall", f->path, 0, -1, CONFIDENCE_MEDIUM);
    fact_put(facts, fact, "tool", f->tool);
    fact_put(facts, fact, "path", f->path);
    fact_put(facts, fact, "family", f->family);
    fact_put(facts, fact, "state", f->enabled ? "enabled" : "disabled");
    fact_put(facts, fact, "policy", f->policy);
    fact_put(facts, fact, "allows", str_text(&f->allows));
    fact_put(facts, fact, "note", str_text(&f->note));
}

/* Whether systemd starts a unit: `systemctl enable` makes a link in a .wants folder. */
static bool starts_at_boot(struct collection *c, const char *unit)
{
    static const char *const folders[] = {"sysinit.target.wants", "multi-user.target.wants",
                                          "network-pre.target.wants", "basic.target.wants"};
    for (size_t i = 0; i < ARRAY_COUNT(folders); i++) {
        struct target_stat st;
        struct error e = ERROR_INIT;
        const char *path = arena_printf(c->arena, "/etc/systemd/system/%s/%s", folders[i], unit);
        if (target_stat(c->target, path, false, &st, &e))
            return true;
        if (e.code != ERR_ABSENT)
            facts_unread(c->facts, N_("firewall: what starts at boot"), path, e.message);
    }
    return false;
}

/* KEY=VALUE or KEY="VALUE" of a settings file; "" where it is not set. */
static const char *setting(struct collection *c, const char *path, const char *key)
{
    size_t size = 0, position = 0, length, n = strlen(key);
    const char *line, *value = "";
    char *text = collect_text(c, path, MOST_SETTINGS_BYTES, &size);
    while (text && str_next_line(text, size, &position, &line, &length)) {
        char *one = str_trim(arena_strndup(c->arena, line, length));
        if (strncasecmp(one, key, n) != 0 || one[n] != '=')
            continue;
        one += n + 1;
        if (*one == '"' || *one == '\'')
            one[1 + strcspn(one + 1, "\"'")] = '\0', one++;
        value = one;
    }
    return value;
}

static bool containers_publish(struct collection *c)
{
    for (const struct fact *f = facts_first(c->facts, "listener"); f;
         f = facts_next(c->facts, "listener", f))
        if (str_equal(fact_text(f, "from"), "container") &&
            !str_equal(fact_text(f, "scope"), "loopback"))
            return true;
    return false;
}

static void note_containers(struct collection *c, struct filter *f)
{
    if (containers_publish(c))
        add_part(&f->note, "; ",
                 _("ports that containers publish are passed on before these rules see them"));
}

/* --- ufw --- */

static void ufw_tuple(struct filter *f, struct arena *arena, const char *line)
{
    char *save = NULL, *words[6], *copy = arena_strdup(arena, line);
    size_t count = 0;
    for (char *w = strtok_r(copy, " ", &save); w && count < ARRAY_COUNT(words);
         w = strtok_r(NULL, " ", &save))
        words[count++] = w;
    bool in = !strstr(line, " out") && !strstr(line, " fwd");
    if (count < 6 || !in || !(str_starts(words[0], "allow") || str_starts(words[0], "limit")))
        return;
    const char *from = words[5];
    bool anyone = str_equal(from, "0.0.0.0/0") || str_equal(from, "::/0") || str_equal(from, "any");
    const char *proto = str_equal(words[1], "any") ? "" : words[1];
    add_part(&f->allows, " ",
             arena_printf(arena, "%s%s%s%s%s", words[2], *proto ? "/" : "", proto,
                          anyone ? "" : ",from=", anyone ? "" : from));
}

static void read_ufw(struct collection *c)
{
    static const char mark[] = "### tuple ### ";
    static const struct {
        const char *family, *path;
    } files[] = {{"ipv4", "/etc/ufw/user.rules"}, {"ipv6", "/etc/ufw/user6.rules"}};
    if (!collect_there(c, N_("firewall: ufw"), "/etc/ufw/ufw.conf", NULL))
        return;
    bool enabled = str_equal_nocase(setting(c, "/etc/ufw/ufw.conf", "ENABLED"), "yes");
    char *policy = arena_strdup(c->arena, setting(c, "/etc/default/ufw", "DEFAULT_INPUT_POLICY"));
    bool ipv6 = !str_equal_nocase(setting(c, "/etc/default/ufw", "IPV6"), "no");
    str_lower_all(policy);
    for (size_t i = 0; i < ARRAY_COUNT(files); i++) {
        CLEANUP(free_filter)
        struct filter f = {.tool = "ufw",
                           .path = files[i].path,
                           .family = files[i].family,
                           .enabled = enabled,
                           .policy = policy};
        size_t size = 0, position = 0, length;
        const char *line;
        char *text = collect_text(c, files[i].path, MOST_RULES_BYTES, &size);
        while (text && str_next_line(text, size, &position, &line, &length))
            if (length > sizeof mark - 1 && memcmp(line, mark, sizeof mark - 1) == 0)
                ufw_tuple(
                    &f, c->arena,
                    arena_strndup(c->arena, line + sizeof mark - 1, length - (sizeof mark - 1)));
        if (i == 1 && !ipv6) {
            f.enabled = false;
            add_part(&f.note, "; ", _("IPV6=no in /etc/default/ufw: IPv6 is not filtered by ufw"));
        }
        note_containers(c, &f);
        state_filter(c, &f);
    }
}

/* --- iptables and nftables --- */

static void describe_rules(struct collection *c, struct filter *f, const struct saved_rules *rules)
{
    f->policy = rules->filters_input ? rules->policy : "";
    if (!rules->filters_input && rules->ban_rules)
        add_part(&f->note, "; ", _("only the bans of fail2ban; nothing else is filtered"));
    else if (!rules->filters_input)
        add_part(&f->note, "; ", _("no rule looks at what comes in"));
    else if (str_equal(rules->policy, "accept") && !rules->drops)
        add_part(&f->note, "; ",
                 rules->ban_rules && !rules->input_rules
                     ? _("only the bans of fail2ban, and everything else is accepted")
                 : rules->input_rules
                     ? _("there are rules, and what none of them takes is accepted")
                     : _("no rules, and everything is accepted"));
    else if (str_equal(rules->policy, "accept"))
        add_part(&f->note, "; ", _("everything is accepted but what a rule drops"));
    if (rules->partial)
        add_part(&f->note, "; ", _("includes or variables in it were not followed"));
    add_part(&f->note, "; ",
             rules->input_rules
                 ? arena_printf(c->arena, ngettext("%zu rule", "%zu rules", rules->input_rules),
                                rules->input_rules)
                 : "");
    note_containers(c, f);
}

static void read_saved(struct collection *c)
{
    static const struct {
        const char *tool, *path, *family, *unit;
        void (*parse)(struct saved_rules *, struct arena *, const char *, size_t);
    } files[] = {
        {"nftables", "/etc/nftables.conf", "both", "nftables.service", saved_rules_parse_nft},
        {"iptables", "/etc/iptables/rules.v4", "ipv4", "netfilter-persistent.service",
         saved_rules_parse_iptables},
        {"iptables", "/etc/iptables/rules.v6", "ipv6", "netfilter-persistent.service",
         saved_rules_parse_iptables},
    };
    for (size_t i = 0; i < ARRAY_COUNT(files); i++) {
        CLEANUP_SAVED_RULES struct saved_rules rules = {0};
        CLEANUP(free_filter)
        struct filter f = {
            .tool = files[i].tool, .path = files[i].path, .family = files[i].family, .policy = ""};
        size_t size = 0;
        char *text = collect_text(c, files[i].path, MOST_RULES_BYTES, &size);
        if (!text)
            continue;
        files[i].parse(&rules, c->arena, text, size);
        f.enabled = starts_at_boot(c, files[i].unit);
        if (!f.enabled)
            add_part(&f.note, "; ",
                     arena_printf(c->arena, _("%s is not enabled: nothing loads it at boot"),
                                  files[i].unit));
        describe_rules(c, &f, &rules);
        state_filter(c, &f);
    }
}

/* --- firewalld --- */

/* The value of NAME="..." in the tag that begins at `tag`; "" if it has none. */
static const char *attribute(struct arena *arena, const char *tag, const char *name)
{
    size_t length = strcspn(tag, ">");
    const char *wanted = arena_printf(arena, " %s=", name);
    const char *found = memmem(tag, length, wanted, strlen(wanted));
    if (!found)
        return "";
    found += strlen(wanted);
    char quote = *found;
    if (quote != '"' && quote != '\'')
        return "";
    const char *end = memchr(found + 1, quote, length - (size_t)(found + 1 - tag));
    return end ? arena_strndup(arena, found + 1, (size_t)(end - found - 1)) : "";
}

static void scan_zone(struct filter *f, struct arena *arena, char *text)
{
    /* Comments are blanked first, so that nothing in them counts. */
    for (char *open = text; (open = strstr(open, "<!--"));) {
        char *close = strstr(open, "-->");
        size_t length = close ? (size_t)(close - open) + 3 : strlen(open);
        memset(open, ' ', length);
    }
    bool rich = false;
    f->policy = "reject"; /* firewalld.zone(5): the default target */
    for (const char *tag = strchr(text, '<'); tag; tag = strchr(tag + 1, '<')) {
        if (str_starts(tag, "<zone")) {
            const char *target = attribute(arena, tag, "target");
            if (str_equal(target, "ACCEPT") || str_equal(target, "DROP"))
                f->policy = str_equal(target, "DROP") ? "drop" : "accept";
        } else if (str_starts(tag, "<service ")) {
            add_part(&f->allows, " ", attribute(arena, tag, "name"));
        } else if (str_starts(tag, "<port ")) {
            const char *port = attribute(arena, tag, "port");
            const char *proto = attribute(arena, tag, "protocol");
            add_part(&f->allows, " ", *port ? arena_printf(arena, "%s/%s", port, proto) : "");
        } else if (str_starts(tag, "<rule")) {
            rich = true;
        }
    }
    if (rich)
        add_part(&f->note, "; ", _("its rich rules were not read"));
}

static void read_zone(struct collection *c, const char *path, const char *zone, bool is_default)
{
    CLEANUP(free_filter)
    struct filter f = {.tool = "firewalld",
                       .path = path,
                       .family = "both",
                       .enabled = starts_at_boot(c, "firewalld.service"),
                       .policy = ""};
    size_t size = 0;
    char *text = collect_text(c, path, MOST_SETTINGS_BYTES, &size);
    if (!text)
        return;
    add_part(
        &f.note, "; ",
        arena_printf(c->arena, is_default ? _("zone %s, the default zone") : _("zone %s"), zone));
    scan_zone(&f, c->arena, text);
    note_containers(c, &f);
    state_filter(c, &f);
}

static void read_firewalld(struct collection *c)
{
    static const char folder[] = "/etc/firewalld/zones";
    struct target_entry *entries;
    bool seen_default = false;
    if (!collect_there(c, N_("firewall: firewalld"), "/etc/firewalld", NULL))
        return;
    const char *zone = setting(c, "/etc/firewalld/firewalld.conf", "DefaultZone");
    if (!*zone || strchr(zone, '/'))
        zone = "public";
    size_t count = collect_list(c, N_("firewall: firewalld"), folder, &entries, NULL);
    for (size_t i = 0; i < count; i++) {
        if (!str_ends(entries[i].name, ".xml"))
            continue;
        const char *name = arena_strndup(c->arena, entries[i].name, strlen(entries[i].name) - 4);
        bool is_default = str_equal(name, zone);
        seen_default = seen_default || is_default;
        read_zone(c, arena_printf(c->arena, "%s/%s", folder, entries[i].name), name, is_default);
    }
    if (!seen_default)
        read_zone(c, arena_printf(c->arena, "/usr/lib/firewalld/zones/%s.xml", zone), zone, true);
}

void collect_firewall(struct collection *c)
{
    read_ufw(c);
    read_saved(c);
    read_firewalld(c);
}
