/* windows.c - Windows: hotfixes, services, shares, what listens by their settings, products.
 *
 * An image has no sockets. What would listen is told from the services that start by
 * themselves; the ports of IIS come from iis.c. */
#include "collect/windows_system.h"

#include "collect/windows_hotfixes.h"

#include <stdio.h>

#define SERVICES "SYSTEM\\CurrentControlSet\\Services"
#define CONTROL  "SYSTEM\\CurrentControlSet\\Control"

/* --- services --- */

enum {
    TYPE_OWN_PROCESS = 0x10, /* SERVICE_WIN32_*, winnt.h */
    TYPE_SHARE_PROCESS = 0x20,
};

static const char *const starts[] = {"boot", "system", "auto", "manual", "disabled"};

static void put_service_text(struct collection *c, struct windows *w, const struct windows_key *key,
                             struct fact *f, const char *name, const char *value)
{
    const char *text;
    struct error e = ERROR_INIT;
    if (windows_value(w, key, value, c->arena, &text, &e))
        fact_put(c->facts, f, name, text);
    else if (e.code != ERR_ABSENT)
        fact_put_state(c->facts, f, name, VALUE_UNREADABLE, e.message);
}

/* That a source stated every record of a kind, which no hive says that may lack some. */
static void put_complete(struct collection *c, const struct windows_hive_file *f, const char *kind,
                         size_t found)
{
    if (!f->hive || windows_hive_lacks(f))
        return;
    struct fact *fact = windows_fact(c, f, "complete", CONFIDENCE_HIGH);
    fact_put(c->facts, fact, "of", kind);
    fact_put_number(c->facts, fact, "found", (int64_t)found);
}

static size_t count_of(const struct facts *facts, const char *kind)
{
    size_t count = 0;
    for (const struct fact *f = NULL; (f = facts_next(facts, kind, f));)
        count++;
    return count;
}

static void collect_services(struct collection *c, struct windows *w)
{
    struct windows_key key;
    struct hive_subkey *items;
    size_t count, damaged = 0;
    struct error e = ERROR_INIT;
    if (!windows_key(w, SERVICES, &key, &e) ||
        !hive_subkeys(key.file->hive, key.key, c->arena, &items, &count, &damaged, &e)) {
        facts_unread(c->facts, N_("services"), SERVICES, e.message);
        return;
    }
    if (damaged)
        facts_unread(c->facts, N_("services"), SERVICES, _("some of its keys are damaged"));
    for (size_t i = 0; i < count; i++) {
        uint64_t type, start;
        key.key = items[i].key;
        if (!windows_number(w, &key, "Type", &type) ||
            !(type & (TYPE_OWN_PROCESS | TYPE_SHARE_PROCESS)))
            continue;
        struct fact *f = windows_fact(c, key.file, "service", CONFIDENCE_HIGH);
        fact_put(c->facts, f, "name", items[i].name);
        put_service_text(c, w, &key, f, "display", "DisplayName");
        if (windows_number(w, &key, "Start", &start) && start < ARRAY_COUNT(starts))
            fact_put(c->facts, f, "start", starts[start]);
        else
            fact_put_state(c->facts, f, "start", VALUE_UNREADABLE, _("no start type that we know"));
        put_service_text(c, w, &key, f, "image", "ImagePath");
        put_service_text(c, w, &key, f, "account", "ObjectName");
    }
    if (!damaged)
        put_complete(c, key.file, "service", count_of(c->facts, "service"));
}

/* --- shares --- */

static void collect_shares(struct collection *c, struct windows *w)
{
    static const char path[] = SERVICES "\\LanmanServer\\Shares";
    struct windows_key key;
    struct hive_value *values;
    size_t count, damaged = 0;
    struct error e = ERROR_INIT;
    if (!windows_key(w, path, &key, &e) ||
        !hive_values(key.file->hive, key.key, c->arena, &values, &count, &damaged, &e)) {
        if (e.code != ERR_ABSENT)
            facts_unread(c->facts, N_("shares"), path, e.message);
        return;
    }
    if (damaged)
        facts_unread(c->facts, N_("shares"), path, _("some of its values are damaged"));
    for (size_t i = 0; i < count; i++) {
        const char *text, *at;
        if (values[i].type != HIVE_MULTI_SZ ||
            !hive_value_text(&values[i], c->arena, &text, NULL) ||
            !(at = str_find_nocase(text, "Path=")) || (at != text && at[-1] != '\n'))
            continue;
        at += strlen("Path=");
        struct fact *f = windows_fact(c, key.file, "share", CONFIDENCE_HIGH);
        fact_put(c->facts, f, "name", values[i].name);
        fact_put(c->facts, f, "path", arena_strndup(c->arena, at, strcspn(at, "\n")));
    }
}

/* --- listeners --- */

/* Whether a service or driver starts by itself. */
static bool starts_itself(struct windows *w, struct arena *arena, const char *name)
{
    struct windows_key key;
    uint64_t start;
    return windows_key(w, arena_printf(arena, SERVICES "\\%s", name), &key, NULL) &&
           windows_number(w, &key, "Start", &start) && start <= 2;
}

/* NetBIOS over TCP/IP is off where every interface has NetbiosOptions 2 (Windows 2000 and
 * later), and on NT 4.0 where nothing is bound to it any more. */
static bool netbios_is_off(struct windows *w, struct arena *arena)
{
    static const char path[] = SERVICES "\\NetBT\\Parameters\\Interfaces";
    struct windows_key key;
    struct hive_subkey *items;
    size_t count, damaged, off = 0;
    if (!windows_at_least(w, "5.0")) {
        const char *bound = windows_text_of(w, arena, SERVICES "\\NetBT\\Linkage", "Bind");
        const char *loosed =
            windows_text_of(w, arena, SERVICES "\\NetBT\\Linkage\\Disabled", "Bind");
        return bound ? !*bound : loosed && *loosed;
    }
    if (!windows_key(w, path, &key, NULL) ||
        !hive_subkeys(key.file->hive, key.key, arena, &items, &count, &damaged, NULL))
        return false;
    for (size_t i = 0; i < count; i++) {
        uint64_t options;
        key.key = items[i].key;
        off += windows_number(w, &key, "NetbiosOptions", &options) && options == 2;
    }
    return count && off == count && !damaged;
}

/* SMB without NetBIOS: off where NetBT has SMBDeviceEnabled 0. */
static bool smb_is_off(struct windows *w)
{
    struct windows_key key;
    uint64_t enabled;
    return windows_key(w, SERVICES "\\NetBT\\Parameters", &key, NULL) &&
           windows_number(w, &key, "SMBDeviceEnabled", &enabled) && enabled == 0;
}

enum condition { ALWAYS, NETBIOS, SMB };

static const struct {
    const char *service;
    const char *driver; /* that must start too */
    const char *proto;
    const char *since; /* the first version that does */
    unsigned port;
    enum condition condition;
} listening[] = {
    {"RpcSs", NULL, "tcp", "", 135, ALWAYS},
    {"RpcSs", NULL, "udp", "", 135, ALWAYS},
    {"LanmanServer", "NetBT", "udp", "", 137, NETBIOS},
    {"LanmanServer", "NetBT", "udp", "", 138, NETBIOS},
    {"LanmanServer", "NetBT", "tcp", "", 139, NETBIOS},
    {"LanmanServer", "NetBT", "tcp", "5.0", 445, SMB},
    {"LanmanServer", "NetBT", "udp", "5.0", 445, SMB},
    {"TlntSvr", NULL, "tcp", "", 23, ALWAYS},
    {"SNMP", NULL, "udp", "", 161, ALWAYS},
    {"SimpTcp", NULL, "tcp", "", 7, ALWAYS},
    {"SimpTcp", NULL, "tcp", "", 19, ALWAYS},
    {"DNS", NULL, "tcp", "", 53, ALWAYS},
    {"DNS", NULL, "udp", "", 53, ALWAYS},
    {"LPDSVC", NULL, "tcp", "", 515, ALWAYS},
    {"TermService", NULL, "tcp", "", 3389, ALWAYS},
    {"MSSQLSERVER", NULL, "tcp", "", 1433, ALWAYS},
};

static void collect_listening(struct collection *c, struct windows *w)
{
    if (!w->hives[WINDOWS_SYSTEM].hive || !w->control_set) {
        facts_unread(c->facts, N_("listeners"), "SYSTEM",
                     _("the hive SYSTEM could not be read: nobody can tell what listens"));
        return;
    }
    bool off[] = {[ALWAYS] = false, [NETBIOS] = netbios_is_off(w, c->arena), [SMB] = smb_is_off(w)};
    for (size_t i = 0; i < ARRAY_COUNT(listening); i++) {
        if (off[listening[i].condition] || !starts_itself(w, c->arena, listening[i].service) ||
            (listening[i].driver && !starts_itself(w, c->arena, listening[i].driver)) ||
            (*listening[i].since && !windows_at_least(w, listening[i].since)))
            continue;
        struct fact *f = windows_fact(c, &w->hives[WINDOWS_SYSTEM], "listener", CONFIDENCE_MEDIUM);
        fact_put(c->facts, f, "proto", listening[i].proto);
        fact_put(c->facts, f, "address", "*");
        fact_put_number(c->facts, f, "port", listening[i].port);
        fact_put(c->facts, f, "family", "ipv4");
        fact_put(c->facts, f, "scope", "any");
        fact_put(c->facts, f, "service", listening[i].service);
        fact_put(c->facts, f, "from", "services");
    }
}

/* The allowed ports of each card, "0" (all) for one without a list: below
 * Tcpip\Parameters\Interfaces from Windows 2000 on, below the card's own service before. */
static void add_allowed_ports(struct collection *c, struct windows *w, const char *path,
                              const char *below, struct str *ports)
{
    struct windows_key key, card;
    struct hive_subkey *items;
    size_t count, damaged;
    if (!windows_key(w, path, &key, NULL) ||
        !hive_subkeys(key.file->hive, key.key, c->arena, &items, &count, &damaged, NULL))
        return;
    for (size_t i = 0; i < count && ports->length < 4096; i++) {
        const char *list;
        card.file = key.file;
        if (!hive_key(key.file->hive, items[i].key, below, &card.key, NULL))
            continue;
        if (!windows_value(w, &card, "TCPAllowedPorts", c->arena, &list, NULL) || !*list)
            list = "0";
        str_printf(ports, "%s%s", ports->length ? "; " : "", list);
    }
    for (char *p = ports->data; p && *p; p++)
        if (*p == '\n')
            *p = ' ';
}

/* TCP/IP filtering (KB Q179442): a list of allowed ports for each interface; "0" is all. Switched
 * on without a list it lets everything in. */
static void collect_filter(struct collection *c, struct windows *w, struct fact *host)
{
    static const char path[] = SERVICES "\\Tcpip\\Parameters";
    struct windows_key key;
    uint64_t enabled;
    struct error e = ERROR_INIT;
    if (!windows_key(w, path, &key, &e) ||
        !windows_number(w, &key, "EnableSecurityFilters", &enabled)) {
        if (e.code && e.code != ERR_ABSENT)
            fact_put_state(c->facts, host, "tcp_let_in", VALUE_UNREADABLE, e.message);
        else
            fact_put(c->facts, host, "tcp_let_in", "0");
        return;
    }
    struct fact *f = windows_fact(c, key.file, "firewall", CONFIDENCE_HIGH);
    fact_put(c->facts, f, "tool", "tcpip-filter");
    fact_put(c->facts, f, "path", path);
    fact_put(c->facts, f, "state", enabled ? "enabled" : "disabled");
    CLEANUP_STR struct str ports = {0};
    add_allowed_ports(c, w, SERVICES "\\Tcpip\\Parameters\\Interfaces", "", &ports);
    add_allowed_ports(c, w, SERVICES, "Parameters\\Tcpip", &ports);
    fact_put(c->facts, f, "note",
             ports.length ? arena_printf(c->arena, "tcp %s", str_text(&ports)) : "");
    fact_put(c->facts, host, "tcp_let_in",
             enabled && ports.length ? arena_strdup(c->arena, str_text(&ports)) : "0");
}

/* --- waiting for a restart --- */

static void put_reboot_pending(struct collection *c, struct windows *w, struct fact *host)
{
    static const char *const keys[] = {
        "SOFTWARE\\Microsoft\\Windows\\CurrentVersion\\Component Based Servicing\\RebootPending",
        "SOFTWARE\\Microsoft\\Windows\\CurrentVersion\\WindowsUpdate\\Auto Update\\RebootRequired",
    };
    struct windows_key key;
    const char *files =
        windows_text_of(w, c->arena, CONTROL "\\Session Manager", "PendingFileRenameOperations");
    bool pending = files && *files;
    for (size_t i = 0; i < ARRAY_COUNT(keys); i++)
        pending |= windows_key(w, keys[i], &key, NULL);
    fact_put(c->facts, host, "reboot_pending", pending ? "1" : "0");
}

/* --- products that the registry or a file names --- */

static void put_product(struct collection *c, const struct windows_hive_file *f, const char *path,
                        const char *name, const char *version, const char *title)
{
    struct fact *p = f ? windows_fact(c, f, "product", CONFIDENCE_HIGH)
                       : facts_add(c->facts, "product", path, 0, -1, CONFIDENCE_HIGH);
    fact_put(c->facts, p, "name", name);
    fact_put(c->facts, p, "version", version);
    fact_put(c->facts, p, "title", title);
}

/* That a product cannot be ruled out: what it would be found by could not be looked at. */
static void note_unseen(struct collection *c, const char *product, const char *path,
                        const struct error *e)
{
    if (e->code && e->code != ERR_ABSENT)
        facts_unread(c->facts, product, path, e->message);
}

static void find_mdac(struct collection *c, struct windows *w)
{
    static const char path[] = "SOFTWARE\\Microsoft\\DataAccess";
    struct windows_key key;
    struct error e = ERROR_INIT;
    const char *version = windows_text_of(w, c->arena, path, "FullInstallVer");
    if (!version || !*version)
        version = windows_text_of(w, c->arena, path, "Version");
    if (version && *version)
        put_product(c, &w->hives[WINDOWS_SOFTWARE], NULL, "mdac", version,
                    arena_printf(c->arena, "Microsoft Data Access Components %s", version));
    else if (!windows_key(w, path, &key, &e) ||
             !windows_value(w, &key, "FullInstallVer", c->arena, &version, &e))
        note_unseen(c, N_("product: mdac"), path, &e);
}

/* Index Server 2.0 of the Option Pack, Indexing Service 3.0 of Windows 2000: the version goes
 * with the system, the file says that it is there. */
static void find_index_server(struct collection *c, struct windows *w)
{
    static const char *const files[] = {"%SystemRoot%\\system32\\idq.dll",
                                        "%SystemRoot%\\system32\\query.dll"};
    const char *found;
    struct error e = ERROR_INIT;
    for (size_t i = 0; i < ARRAY_COUNT(files); i++) {
        if (!windows_find(w, c->arena, files[i], &found, &e))
            continue;
        bool later = windows_at_least(w, "5.0");
        put_product(c, NULL, found + 1, "index-server", later ? "3.0" : "2.0",
                    later ? "Indexing Service 3.0" : "Index Server 2.0");
        return;
    }
    note_unseen(c, N_("product: index-server"), files[0], &e);
}

static void find_frontpage(struct collection *c, struct windows *w)
{
    static const char ports[] =
        "SOFTWARE\\Microsoft\\Shared Tools\\Web Server Extensions\\All Ports";
    static const char *const files[] = {
        "%CommonFiles%\\Microsoft Shared\\web server extensions\\50\\bin\\fp5autl.dll",
        "%CommonFiles%\\Microsoft Shared\\web server extensions\\40\\bin\\fp4autl.dll",
        "%CommonFiles%\\Microsoft Shared\\web server extensions\\40\\isapi\\_vti_aut\\dvwssr.dll",
        "%ProgramFiles%\\Microsoft FrontPage\\version3.0\\bin\\fp30reg.dll",
        "%ProgramFiles%\\Microsoft FrontPage\\version3.0\\isapi\\_vti_aut\\dvwssr.dll",
    };
    const char *version = windows_text_of(w, c->arena, ports, "version"), *found;
    if (version && *version) {
        put_product(c, &w->hives[WINDOWS_SOFTWARE], NULL, "frontpage-extensions", version,
                    arena_printf(c->arena, "FrontPage Server Extensions %s", version));
        return;
    }
    struct error e = ERROR_INIT;
    for (size_t i = 0; i < ARRAY_COUNT(files); i++) {
        if (!windows_find(w, c->arena, files[i], &found, &e))
            continue;
        const char *path = found + 1;
        if (!windows_file_version(w, c->arena, files[i], &version, NULL, NULL))
            version = "";
        put_product(c, NULL, path, "frontpage-extensions", version,
                    arena_printf(c->arena, "FrontPage Server Extensions %s", version));
        return;
    }
    note_unseen(c, N_("product: frontpage-extensions"), files[0], &e);
}

/* Servers whose installer names each version as a key below its own. */
static void find_by_key(struct collection *c, struct windows *w, const char *path, const char *name,
                        const char *title)
{
    struct windows_key key;
    struct hive_subkey *items;
    size_t count, damaged;
    if (!windows_key(w, path, &key, NULL) ||
        !hive_subkeys(key.file->hive, key.key, c->arena, &items, &count, &damaged, NULL))
        return;
    for (size_t i = 0; i < count && i < 16; i++)
        if (str_is_digit(items[i].name[0]))
            put_product(c, key.file, NULL, name, items[i].name,
                        arena_printf(c->arena, "%s %s", title, items[i].name));
}

void collect_windows(struct collection *c)
{
    struct fact *host = collect_host(c);
    struct windows *w = host ? windows_acquire(c) : NULL;
    if (!w)
        return;
    if (windows_hotfixes_collect(c, w))
        put_complete(c, &w->hives[WINDOWS_SOFTWARE], "hotfix", count_of(c->facts, "hotfix"));
    collect_services(c, w);
    collect_shares(c, w);
    collect_listening(c, w);
    collect_filter(c, w, host);
    put_reboot_pending(c, w, host);
    find_mdac(c, w);
    find_index_server(c, w);
    find_frontpage(c, w);
    find_by_key(c, w, "SOFTWARE\\Apache Group\\Apache", "apache-httpd", "Apache");
    find_by_key(c, w, "SOFTWARE\\Netscape\\Enterprise", "netscape-enterprise",
                "Netscape Enterprise Server");
    windows_release(c, w);
}
