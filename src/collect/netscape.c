/* netscape.c - Netscape Enterprise and FastTrack 3.x, iPlanet Web Server 4.x and 6.0.
 *
 * A server root holds bin/ and one folder https-ID an instance. magnus.conf has a setting a
 * line ("Port 80"); obj.conf objects with lines of work ("Service fn=send-cgi"), a line that
 * begins with white space going on with the one before. Source: ../shared/facts, file
 * webservers-2001.md. From version 6.0 on listeners and virtual servers stand in server.xml. */
#include "collect/binary_strings.h"
#include "collect/collect.h"
#include "collect/conf_lines.h"
#include "collect/netscape_xml.h"
#include "collect/solaris.h"

#include "base/str.h"

#include <stdlib.h>

enum {
    MOST_CONF = 1024 * 1024,
    MOST_LINE = 8192,
    MOST_KEYS = 512,
    MOST_INSTANCES = 64,
    MOST_LOG = 256 * 1024
};

/* Folders that hold server roots, or are one. */
static const char *const places[] = {
    "/usr/netscape",
    "/usr/netscape/suitespot",
    "/usr/iplanet",
    "/usr/iplanet/servers",
    "/opt/netscape",
    "/opt/netscape/suitespot",
    "/opt/iplanet",
    "/opt/iplanet/servers",
    "/usr/ns-home",
    "/Netscape",
    "/Netscape/SuiteSpot",
    "/iPlanet",
    "/iPlanet/Servers",
    "/Program Files/Netscape",
    "/opt",
};

static const char *const version_prefixes[] = {"iPlanet-WebServer-Enterprise/",
                                               "Netscape-Enterprise/", "Netscape-FastTrack/",
                                               "Netscape-Communications/"};

struct instance {
    const char *root;   /* of the server: /usr/netscape/server4 */
    const char *folder; /* https-umi */
    const char *id;     /* umi */
    bool admin;
};

/* "iPlanet-WebServer-Enterprise/4.1SP2 BB1" and "Netscape-Enterprise/3.6 SP3" -> 4.1sp2, 3.6sp3 */
static const char *version_of(struct collection *c, const char *banner)
{
    const char *slash = strchr(banner, '/');
    CLEANUP_STR struct str version = {0};
    if (!slash)
        return "";
    const char *p = slash + 1;
    while (str_is_digit(*p) || *p == '.')
        str_add_char(&version, *p++);
    const char *pack = *p == ' ' ? p + 1 : p;
    if (str_starts_nocase(pack, "SP") && str_is_digit(pack[2])) {
        str_add(&version, "sp");
        for (pack += 2; str_is_digit(*pack); pack++)
            str_add_char(&version, *pack);
    }
    return arena_strdup(c->arena, str_text(&version));
}

/* The newest start line of the log names the version that ran last. */
static const char *version_from_log(struct collection *c, const char *path, uint64_t *line)
{
    struct target_stat st;
    struct error e = ERROR_INIT;
    size_t size = 0;
    if (!target_stat(c->target, path, true, &st, &e)) {
        if (e.code != ERR_ABSENT)
            facts_unread(c->facts, path, path, e.message);
        return NULL;
    }
    CLEANUP_FREE char *text = mem_alloc(MOST_LOG);
    /* The end of it: logs grow, and the newest start is what counts. */
    uint64_t from = st.size > MOST_LOG ? st.size - MOST_LOG : 0;
    if (!target_read_at(c->target, path, from, text, MOST_LOG, &size, &e)) {
        facts_unread(c->facts, path, path, e.message);
        return NULL;
    }
    const char *best = NULL;
    struct conf_lines lines = conf_lines_of(text, size, CONF_PLAIN, MOST_LINE);
    for (char *row; (row = conf_lines_next(&lines));) {
        for (size_t i = 0; i < ARRAY_COUNT(version_prefixes); i++) {
            const char *found = strstr(row, version_prefixes[i]);
            if (found && str_is_digit(found[strlen(version_prefixes[i])])) {
                best = arena_strdup(c->arena, found);
                *line = from ? 0 : lines.line; /* lines before the end were not counted */
            }
        }
    }
    conf_lines_free(&lines);
    return best;
}

static void add_product(struct collection *c, const struct instance *in)
{
    static const char *const binaries[] = {"bin/https/bin/ns-httpd", "bin/https/ns-httpd",
                                           "bin/https/httpd.exe", "bin/https/bin/ns-httpd.exe"};
    const char *banner = NULL, *path = NULL;
    int64_t offset = -1;
    uint64_t line = 0;
    for (size_t i = 0; !banner && i < ARRAY_COUNT(binaries); i++) {
        path = arena_printf(c->arena, "%s/%s", in->root, binaries[i]);
        banner = binary_string(c, path, version_prefixes, ARRAY_COUNT(version_prefixes), &offset);
    }
    const char *log = arena_printf(c->arena, "%s/%s/logs/errors", in->root, in->folder);
    const char *logged = version_from_log(c, log, &line);
    /* The service pack stands in the log even where the binary only says 4.1. */
    if (logged && (!banner || strlen(version_of(c, logged)) > strlen(version_of(c, banner)))) {
        banner = logged;
        path = log;
        offset = -1;
    } else {
        line = 0;
    }
    if (!banner) {
        const char *why = _("no program and no log there names a version");
        struct fact *f = facts_add(c->facts, "product", in->root, 0, -1, CONFIDENCE_HIGH);
        fact_put(c->facts, f, "name", "netscape-enterprise");
        fact_put_state(c->facts, f, "version", VALUE_UNREADABLE, why);
        fact_put(c->facts, f, "title", "Netscape Enterprise Server");
        facts_unread(c->facts, N_("product: netscape-enterprise"), in->root, why);
        return;
    }
    const char *version = version_of(c, banner);
    for (const struct fact *f = facts_first(c->facts, "product"); f;
         f = facts_next(c->facts, "product", f))
        if (str_equal(fact_text(f, "name"), "netscape-enterprise") &&
            str_equal(fact_text(f, "version"), version))
            return;
    /* From 4.0 on the banner names no service pack: without one it is the oldest it may be. */
    bool vague = !strstr(version, "sp");
    struct fact *f = facts_add(c->facts, "product", path, line, offset,
                               vague              ? CONFIDENCE_LOW
                               : banner == logged ? CONFIDENCE_MEDIUM
                                                  : CONFIDENCE_HIGH);
    fact_put(c->facts, f, "name", "netscape-enterprise");
    fact_put(c->facts, f, "version", version);
    fact_put(c->facts, f, "title", arena_printf(c->arena, "%.100s", banner));
}

/* NAME="value" NAME=value ...: one at a time, in place. */
static char *parameter(char **rest, char **value)
{
    char *p = *rest;
    while (str_is_space(*p))
        p++;
    if (!*p)
        return NULL;
    char *name = p;
    while (*p && *p != '=' && !str_is_space(*p))
        p++;
    if (*p != '=') { /* a word without a value */
        if (*p)
            *p++ = '\0';
        *value = p - 1;
        *rest = p;
        return name;
    }
    *p++ = '\0';
    if (*p == '"') {
        *value = ++p;
        while (*p && *p != '"')
            p++;
    } else {
        *value = p;
        while (*p && !str_is_space(*p))
            p++;
    }
    if (*p)
        *p++ = '\0';
    *rest = p;
    return name;
}

/* NameTrans fn=pfx2dir from="/cgi-bin" dir="..." name="cgi" */
static void add_vdir(struct collection *c, const struct instance *in, const struct fact *object)
{
    if (!str_equal_nocase(fact_text(object, "fn"), "pfx2dir"))
        return;
    struct fact *f = facts_add(c->facts, "vdir", object->path, object->line, -1, CONFIDENCE_HIGH);
    fact_put(c->facts, f, "server", "netscape-enterprise");
    fact_put(c->facts, f, "instance", in->id);
    fact_put(c->facts, f, "path", fact_text(object, "from"));
    fact_put(c->facts, f, "directory", fact_text(object, "dir"));
    fact_put(c->facts, f, "executable",
             str_find_nocase(fact_text(object, "name"), "cgi") ? "yes" : "no");
}

static void read_objects(struct collection *c, const struct instance *in, const char *path,
                         const char **document_root, size_t *objects)
{
    size_t size;
    bool lost = false;
    char *text = collect_text_of(c, N_("object: obj.conf"), path, MOST_CONF, &size, &lost);
    if (!text) {
        /* The administration server of 3.x works without one. */
        if (!lost && !in->admin)
            facts_unread(c->facts, N_("object: obj.conf"), path,
                         _("what the instance does is not known"));
        return;
    }
    const char *object = "";
    struct conf_lines lines = conf_lines_of(text, size, CONF_INDENTED, MOST_LINE);
    for (char *row; (row = conf_lines_next(&lines));) {
        char *rest = str_trim(row), *name, *value;
        if (!*rest || *rest == '#')
            continue;
        if (str_starts_nocase(rest, "<Object")) {
            char *end = strrchr(rest, '>');
            if (end)
                *end = '\0';
            rest += strlen("<Object");
            object = "";
            while ((name = parameter(&rest, &value)))
                if (str_equal_nocase(name, "name") || str_equal_nocase(name, "ppath"))
                    object = arena_strdup(c->arena, value);
            continue;
        }
        if (*rest == '<')
            continue;
        char *directive = conf_lines_word(&rest);
        struct fact *f = facts_add(c->facts, "object", path, lines.line, -1, CONFIDENCE_HIGH);
        fact_put(c->facts, f, "server", "netscape-enterprise");
        fact_put(c->facts, f, "instance", in->id);
        fact_put(c->facts, f, "object", object);
        fact_put(c->facts, f, "directive", directive);
        ++*objects;
        while ((name = parameter(&rest, &value))) {
            str_lower_all(name);
            /* Every fact has these two keys of its own. */
            const char *key = str_equal(name, "type")   ? "content_type"
                              : str_equal(name, "kind") ? "content_kind"
                                                        : name;
            if (*key && !fact_value(f, key))
                fact_put(c->facts, f, key, value);
        }
        add_vdir(c, in, f);
        if (str_equal(fact_text(f, "fn"), "document-root"))
            *document_root = fact_text(f, "root");
    }
    conf_lines_state(&lines, c->facts, N_("object"), path);
    conf_lines_free(&lines);
}

static void add_listener(struct collection *c, const struct instance *in, const char *path,
                         uint64_t line, const char *port, const char *address)
{
    struct fact *f = facts_add(c->facts, "listener", path, line, -1, CONFIDENCE_HIGH);
    bool any = !*address;
    fact_put(c->facts, f, "proto", "tcp");
    fact_put(c->facts, f, "address", any ? "*" : address);
    fact_put(c->facts, f, "port", port);
    fact_put(c->facts, f, "family", "ipv4");
    fact_put(c->facts, f, "scope",
             any                           ? "any"
             : str_starts(address, "127.") ? "loopback"
                                           : "address");
    fact_put(c->facts, f, "process", in->admin ? "admserv" : "ns-httpd");
    fact_put(c->facts, f, "service", in->folder);
    fact_put(c->facts, f, "from", "binding");
}

/* Each further virtual server is a site of its own; the user is that of the whole. */
static void add_virtual(struct collection *c, const struct instance *in, const struct fact *main,
                        const char *path, const struct netscape_virtual *v)
{
    struct fact *site = facts_add(c->facts, "site", path, v->line, -1, CONFIDENCE_HIGH);
    fact_put(c->facts, site, "server", "netscape-enterprise");
    fact_put(c->facts, site, "instance", in->id);
    fact_put(c->facts, site, "admin", in->admin ? "yes" : "no");
    fact_put(c->facts, site, "name", *v->hosts ? v->hosts : v->id);
    fact_put(c->facts, site, "virtual_host", v->id);
    fact_put(c->facts, site, "user", fact_text(main, "user"));
    if (*v->state)
        fact_put(c->facts, site, "state", v->state);
    if (*v->root)
        fact_put(c->facts, site, "root", v->root);
}

static void put_sockets(struct collection *c, const struct instance *in, struct fact *site,
                        const char *path, const struct netscape_xml *xml)
{
    CLEANUP_STR struct str bindings = {0};
    const char *address = "";
    for (size_t i = 0; i < xml->sockets.count; i++) {
        const struct netscape_socket *s = &xml->sockets.items[i];
        add_listener(c, in, path, s->line, s->port, s->ip);
        str_printf(&bindings, "%s%s:%s", i ? " " : "", *s->ip ? s->ip : "*", s->port);
        /* one that is open to all decides; else the first counts */
        address = !i ? s->ip : !*s->ip || str_starts(address, "127.") ? s->ip : address;
    }
    if (!xml->sockets.count)
        return;
    fact_put(c->facts, site, "bindings", str_text(&bindings));
    fact_put(c->facts, site, "port", xml->sockets.items[0].port);
    fact_put(c->facts, site, "security", xml->sockets.items[0].security);
    if (*address)
        fact_put(c->facts, site, "address", address);
}

static const char *in_config(struct collection *c, const struct instance *in, const char *name)
{
    return arena_printf(c->arena, "%s/%s/config/%s", in->root, in->folder, name);
}

/* The object files of the classes, each once; "" counts as obj.conf. Returns the document root
 * that the first of them names itself. */
static const char *read_objects_of(struct collection *c, const struct instance *in,
                                   const struct netscape_xml *xml, size_t *objects)
{
    const char *root = "";
    for (size_t i = 0; i < xml->servers.count; i++) {
        const char *file = xml->servers.items[i].objects, *own = "";
        bool known = strchr(file, '/');
        for (size_t k = 0; k < i; k++)
            known |= str_equal(file, xml->servers.items[k].objects);
        if (!known)
            read_objects(c, in, in_config(c, in, *file ? file : "obj.conf"), &own, objects);
        if (!i && *own != '$') /* $docroot is what server.xml says */
            root = own;
    }
    return root;
}

/* From 6.0 on: ports, document roots, virtual servers, and the names of the object files. False
 * where there is none: then magnus.conf says it. */
static bool read_server_xml(struct collection *c, const struct instance *in, struct fact *site,
                            size_t *objects, bool *read_some)
{
    const char *path = in_config(c, in, "server.xml");
    size_t size;
    bool lost = false;
    const char *text = collect_text_of(c, N_("site: server.xml"), path, MOST_CONF, &size, &lost);
    if (!text)
        return lost;
    CLEANUP(netscape_xml_free) struct netscape_xml xml;
    netscape_xml_parse(&xml, c->arena, text, size);
    if (xml.problem)
        facts_unread(c->facts, N_("site: server.xml"), path, xml.problem);
    put_sockets(c, in, site, path, &xml);
    const char *root = read_objects_of(c, in, &xml, objects);
    *read_some = xml.servers.count;
    /* the first one is the instance itself */
    if (*read_some && (*root || *xml.servers.items[0].root))
        fact_put(c->facts, site, "root", *root ? root : xml.servers.items[0].root);
    for (size_t i = 1; i < xml.servers.count; i++)
        add_virtual(c, in, site, path, &xml.servers.items[i]);
    return true;
}

static bool read_instance(struct collection *c, const struct instance *in)
{
    const char *path = arena_printf(c->arena, "%s/%s/config/magnus.conf", in->root, in->folder);
    size_t size, objects = 0;
    bool lost = false;
    char *text = collect_text_of(c, N_("site: magnus.conf"), path, MOST_CONF, &size, &lost);
    if (!text) {
        if (!lost)
            facts_unread(c->facts, N_("site: magnus.conf"), path,
                         _("the settings of the instance are not known"));
        return false;
    }
    struct fact *site = facts_add(c->facts, "site", path, 0, -1, CONFIDENCE_HIGH);
    fact_put(c->facts, site, "server", "netscape-enterprise");
    fact_put(c->facts, site, "instance", in->id);
    fact_put(c->facts, site, "admin", in->admin ? "yes" : "no");
    uint64_t port_line = 0;
    struct conf_lines lines = conf_lines_of(text, size, CONF_PLAIN, MOST_LINE);
    for (char *row; (row = conf_lines_next(&lines));) {
        char *rest = str_trim(row);
        if (!*rest || *rest == '#')
            continue;
        char *key = conf_lines_word(&rest);
        str_lower_all(key);
        if (str_equal(key, "init") || site->value_count >= MOST_KEYS || fact_value(site, key))
            continue;
        if (str_equal(key, "port"))
            port_line = lines.line;
        fact_put(c->facts, site, key, str_trim(rest));
    }
    conf_lines_state(&lines, c->facts, N_("site"), path);
    conf_lines_free(&lines);
    fact_put(c->facts, site, "name", fact_text(site, "servername"));
    bool objects_read = false;
    if (!read_server_xml(c, in, site, &objects, &objects_read)) {
        const char *port = *fact_text(site, "port") ? fact_text(site, "port") : "80";
        add_listener(c, in, path, port_line, port, fact_text(site, "address"));
    }
    const char *document_root = "";
    const char *loaded =
        *fact_text(site, "loadobjects") ? fact_text(site, "loadobjects") : "obj.conf";
    if (!objects_read && !strchr(loaded, '/'))
        read_objects(c, in, in_config(c, in, loaded), &document_root, &objects);
    if (*document_root)
        fact_put(c->facts, site, "root", document_root);
    return true;
}

/* A folder, or something that may be one and cannot be looked at: then it is said. */
static bool is_folder(struct collection *c, const char *path)
{
    struct target_stat st;
    struct error e = ERROR_INIT;
    if (target_stat(c->target, path, true, &st, &e))
        return st.type == TARGET_DIR;
    if (e.code != ERR_ABSENT)
        facts_unread(c->facts, N_("site: netscape-enterprise"), path, e.message);
    return false;
}

/* A server root has bin/https or a folder https-ID. */
static size_t read_root(struct collection *c, const char *root)
{
    struct target_entry *entries;
    size_t found = 0;
    bool product = false;
    const char *mark = arena_printf(c->arena, "%s/https-", root);
    for (const struct fact *f = facts_first(c->facts, "site"); f;
         f = facts_next(c->facts, "site", f))
        if (str_starts_nocase(f->path, mark))
            return 0; /* two of the places lead to it */
    size_t count = collect_list(c, N_("site: netscape-enterprise"), root, &entries, NULL);
    for (size_t i = 0; i < count; i++) {
        if (found == MOST_INSTANCES) {
            facts_unread(c->facts, N_("site: netscape-enterprise"), root,
                         _("more than 64 instances: the rest was not read"));
            break;
        }
        struct instance in = {.root = root, .folder = entries[i].name};
        if (!str_starts(entries[i].name, "https-"))
            continue;
        in.id = entries[i].name + strlen("https-");
        in.admin = str_equal(in.id, "admserv");
        if (!read_instance(c, &in))
            continue;
        found++;
        if (!product && !in.admin)
            add_product(c, &in);
        product |= !in.admin;
    }
    return found;
}

static void state_complete(struct collection *c, const char *kind)
{
    size_t n = 0;
    for (const struct fact *f = facts_first(c->facts, "unread"); f;
         f = facts_next(c->facts, "unread", f))
        if (str_starts(fact_text(f, "what"), kind))
            return;
    for (const struct fact *f = facts_first(c->facts, kind); f; f = facts_next(c->facts, kind, f))
        n += str_equal(fact_text(f, "server"), "netscape-enterprise");
    struct fact *f = facts_add(c->facts, "complete", "", 0, -1, CONFIDENCE_HIGH);
    fact_put(c->facts, f, "of", kind);
    fact_put_number(c->facts, f, "found", (int64_t)n);
}

void collect_netscape(struct collection *c)
{
    solaris_begin(c);
    size_t found = 0;
    for (size_t i = 0; i < ARRAY_COUNT(places); i++) {
        struct target_entry *entries;
        const char *place;
        struct error e = ERROR_INIT;
        if (!target_resolve_nocase(c->target, places[i], c->arena, &place, &e)) {
            if (e.code != ERR_ABSENT)
                facts_unread(c->facts, N_("site: netscape-enterprise"), places[i], e.message);
            continue;
        }
        if (!is_folder(c, place))
            continue;
        found += read_root(c, place);
        size_t count = collect_list(c, N_("site: netscape-enterprise"), place, &entries, NULL);
        /* server4, server6, suitespot: one level down, and only what a server would be called */
        for (size_t k = 0; k < count && k < 256; k++) {
            const char *below = arena_printf(c->arena, "%s/%s", place, entries[k].name);
            if ((str_starts_nocase(entries[k].name, "server") ||
                 str_starts_nocase(entries[k].name, "ns-") ||
                 str_starts_nocase(entries[k].name, "netscape")) &&
                is_folder(c, below))
                found += read_root(c, below);
        }
    }
    if (!found)
        return;
    state_complete(c, "site");
    state_complete(c, "vdir");
    state_complete(c, "object");
}
