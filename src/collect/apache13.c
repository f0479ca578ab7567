/* apache13.c - Apache 1.3 as it was built and packaged in 2001.
 *
 * httpd.conf, before 1.3.4 with access.conf and srm.conf, Include with patterns; sections
 * <Directory>, <Location>, <VirtualHost>; what is in force is read in the order of the file.
 * Each <VirtualHost> is a site of its own, with what holds for the whole server (User,
 * ServerTokens, ServerSignature) taken from there. The version is a string in the program:
 * "Apache/1.3.12 (Unix)"; where it came in a package of a distribution, that record counts.
 * Versions from 2 on are left to a collector of today's servers. Source: ../shared/facts,
 * webservers-2001.md. */
#include "collect/binary_strings.h"
#include "collect/collect.h"
#include "collect/conf_lines.h"
#include "collect/solaris.h"

#include "base/str.h"

#include <stdlib.h>

enum {
    MOST_CONF = 4 * 1024 * 1024,
    MOST_LINE = 65536,
    MOST_KEYS = 512,
    MOST_FILES = 64,
    MOST_DEPTH = 8,
    MOST_NESTED = 8, /* sections in sections of one file */
    MOST_HOSTS = 1000
};

/* Where the program lies, the server root that goes with it, and its configuration. */
static const struct place {
    const char *binary, *root, *conf;
} places[] = {
    {"/usr/local/apache/bin/httpd", "/usr/local/apache", "/usr/local/apache/conf/httpd.conf"},
    {"/usr/apache/bin/httpd", "/usr/apache", "/etc/apache/httpd.conf"},
    {"/opt/apache/bin/httpd", "/opt/apache", "/opt/apache/conf/httpd.conf"},
    {"/usr/local/etc/httpd/httpd", "/usr/local/etc/httpd", "/usr/local/etc/httpd/conf/httpd.conf"},
    {"/usr/sbin/httpd", "/etc/httpd", "/etc/httpd/conf/httpd.conf"},
    {"/usr/sbin/apache", "/usr", "/etc/apache/httpd.conf"},
    {"/usr/sbin/apache-ssl", "/usr", "/etc/apache-ssl/httpd.conf"},
    {"/usr/sbin/apache-perl", "/usr", "/etc/apache-perl/httpd.conf"},
    {"/Program Files/Apache Group/Apache/Apache.exe", "/Program Files/Apache Group/Apache",
     "/Program Files/Apache Group/Apache/conf/httpd.conf"},
};

/* The package that brings a program, where a package manager may have a record of it. */
static const struct brought {
    const char *binary, *manager, *package;
} packages[] = {
    {"/usr/sbin/apache", "dpkg", "apache"},
    {"/usr/sbin/apache-ssl", "dpkg", "apache-ssl"},
    {"/usr/sbin/apache-perl", "dpkg", "apache-perl"},
    {"/usr/local/apache/bin/httpd", "solaris", "SMCapache"},
};

/* The main server, or one <VirtualHost>. */
struct host {
    struct fact *site;
    struct str locations;
};

struct apache {
    struct collection *c;
    const char *root;       /* ServerRoot: relative names hang there */
    VEC(struct host) hosts; /* the first is the main server */
    const char *instance;
    const char *port; /* of the directive Port; NULL: none */
    uint64_t port_line;
    struct str listens, modules, virtual_hosts;
    size_t files;
    size_t directories;
    size_t unread; /* files that were named and not read, or not all of them */
    size_t said;   /* of them stated: a folder of 100,000 names is one line too many */
};

enum { MOST_SAID = 20 };

/* Of a file that was not read, or not whole, nothing is known: no "complete" then. */
static void not_read(struct apache *a, const char *path, const char *reason)
{
    a->unread++;
    if (a->said++ >= MOST_SAID)
        return;
    facts_unread(a->c->facts, N_("site: apache"), path, reason);
    facts_unread(a->c->facts, N_("directory: apache"), path, reason);
}

/* In one section or outside of any. */
struct section {
    enum { OUTSIDE, IN_DIRECTORY, IN_LOCATION, IN_HOST, IN_OTHER } kind;
    struct fact *directory;
    const char *location;
    size_t host; /* in apache.hosts */
};

static struct fact *add_host(struct apache *a, const char *path, uint64_t line,
                             const char *instance)
{
    struct host host = {.site = facts_add(a->c->facts, "site", path, line, -1, CONFIDENCE_HIGH)};
    fact_put(a->c->facts, host.site, "server", "apache");
    fact_put(a->c->facts, host.site, "instance", instance);
    VEC_PUSH(&a->hosts, host);
    return host.site;
}

static const char *absolute(struct apache *a, const char *name)
{
    return *name == '/' ? name : arena_printf(a->c->arena, "%s/%s", a->root, name);
}

static void lower_words(struct str *out, char *rest)
{
    for (char *word; (word = conf_lines_quoted(&rest));) {
        str_lower_all(word);
        str_printf(out, "%s%s", out->length ? " " : "", word);
    }
}

static void add_listener(struct apache *a, const char *path, uint64_t line, const char *text)
{
    const char *colon = strrchr(text, ':');
    const char *port = colon ? colon + 1 : text;
    uint64_t number;
    if (!str_to_u64(port, &number) || !number || number > 65535)
        return;
    struct facts *facts = a->c->facts;
    struct fact *f = facts_add(facts, "listener", path, line, -1, CONFIDENCE_HIGH);
    char *address = colon ? arena_strndup(a->c->arena, text, (size_t)(colon - text)) : NULL;
    bool any = !address || !*address || str_equal(address, "*");
    fact_put(facts, f, "proto", "tcp");
    fact_put(facts, f, "address", any ? "*" : address);
    fact_put(facts, f, "port", port);
    fact_put(facts, f, "family", "ipv4");
    fact_put(facts, f, "scope", any ? "any" : str_starts(address, "127.") ? "loopback" : "address");
    fact_put(facts, f, "process", "httpd");
    fact_put(facts, f, "service", "apache");
    fact_put(facts, f, "from", "binding");
    str_printf(&a->listens, "%s%s", a->listens.length ? " " : "", text);
}

static struct fact *add_directory(struct apache *a, const char *path, uint64_t line,
                                  const char *folder)
{
    struct fact *f = facts_add(a->c->facts, "directory", path, line, -1, CONFIDENCE_HIGH);
    fact_put(a->c->facts, f, "server", "apache");
    fact_put(a->c->facts, f, "instance", a->root);
    fact_put(a->c->facts, f, "path", folder);
    a->directories++;
    return f;
}

static void open_section(struct apache *a, struct section *s, const char *path, uint64_t line,
                         char *text)
{
    char *end = strrchr(text, '>');
    if (end)
        *end = '\0';
    char *rest = text + 1;
    char *name = conf_lines_word(&rest);
    const char *argument = conf_lines_quoted(&rest);
    if (!name)
        return;
    str_lower_all(name);
    if (str_equal(name, "directory") || str_equal(name, "directorymatch")) {
        s->kind = IN_DIRECTORY;
        s->directory = add_directory(a, path, line, argument ? argument : "");
    } else if (str_equal(name, "location") || str_equal(name, "locationmatch")) {
        s->kind = IN_LOCATION;
        s->location = argument ? arena_strdup(a->c->arena, argument) : "";
    } else if (str_equal(name, "virtualhost")) {
        CLEANUP_STR struct str addresses = {0};
        for (; argument; argument = conf_lines_quoted(&rest))
            str_printf(&addresses, "%s%s", addresses.length ? " " : "", argument);
        argument = str_text(&addresses);
        s->kind = IN_HOST;
        str_printf(&a->virtual_hosts, "%s%s", a->virtual_hosts.length ? " " : "", argument);
        if (a->hosts.count > MOST_HOSTS) {
            s->kind = IN_OTHER;
            not_read(a, path, _("more than 1000 virtual hosts: the rest was not read"));
            return;
        }
        s->host = a->hosts.count;
        struct fact *site = add_host(a, path, line, a->instance);
        fact_put(a->c->facts, site, "virtual_host", argument);
    } else if (!str_equal(name, "ifmodule") && !str_equal(name, "ifdefine")) {
        s->kind = IN_OTHER;
    }
}

static void read_conf(struct apache *a, const char *path, unsigned depth,
                      const struct section *around);

static void include(struct apache *a, const char *pattern, unsigned depth,
                    const struct section *around)
{
    const char *full = absolute(a, pattern), *slash = strrchr(full, '/');
    if (!strpbrk(full, "*?")) {
        read_conf(a, full, depth + 1, around);
        return;
    }
    char *folder = arena_strndup(a->c->arena, full, (size_t)(slash - full));
    if (strpbrk(folder, "*?")) {
        not_read(a, full, _("a pattern in the folder of an Include is not followed"));
        return;
    }
    struct target_entry *entries;
    size_t count;
    struct error e = ERROR_INIT;
    if (!target_list(a->c->target, folder, a->c->arena, &entries, &count, &e)) {
        if (e.code != ERR_ABSENT)
            not_read(a, folder, e.message);
        return;
    }
    for (size_t i = 0; i < count && a->said <= MOST_SAID; i++)
        if (str_glob(slash + 1, entries[i].name, false))
            read_conf(a, arena_printf(a->c->arena, "%s/%s", folder, entries[i].name), depth + 1,
                      around);
}

static void put_setting(struct apache *a, struct fact *site, const char *key, char *rest)
{
    CLEANUP_STR struct str value = {0};
    bool first = true;
    for (char *word; (word = conf_lines_quoted(&rest)); first = false)
        str_printf(&value, "%s%s", first ? "" : " ", word);
    if (str_equal(key, "servertokens") || str_equal(key, "serversignature"))
        str_lower_all(value.data ? value.data : (char[]){""});
    if (str_equal(key, "documentroot"))
        key = "root";
    else if (str_equal(key, "servername"))
        key = "name";
    if (site->value_count < MOST_KEYS && !fact_value(site, key))
        fact_put(a->c->facts, site, key, str_text(&value));
}

/* User and Group of a virtual host are those of suexec: the server itself runs as the main one. */
static void in_host(struct apache *a, const struct section *s, const char *key, char *rest)
{
    const char *own = str_equal(key, "user")    ? "suexec_user"
                      : str_equal(key, "group") ? "suexec_group"
                                                : key;
    put_setting(a, a->hosts.items[s->host].site, own, rest);
}

static void outside(struct apache *a, const char *path, uint64_t line, const char *key, char *rest)
{
    if (str_equal(key, "serverroot")) {
        char *value = conf_lines_quoted(&rest);
        if (value && (*value == '/' || (*value && value[1] == ':')))
            a->root = arena_strdup(a->c->arena, value);
        return;
    }
    if (str_equal(key, "port")) { /* counts where no Listen stands anywhere */
        char *value = conf_lines_quoted(&rest);
        if (value)
            a->port = arena_strdup(a->c->arena, value);
        a->port_line = line;
        return;
    }
    if (str_equal(key, "listen")) {
        char *value = conf_lines_quoted(&rest);
        if (value)
            add_listener(a, path, line, value);
        return;
    }
    if (str_equal(key, "loadmodule") || str_equal(key, "addmodule")) {
        char *value = conf_lines_quoted(&rest);
        str_printf(&a->modules, "%s%s", a->modules.length ? " " : "", value ? value : "");
        return;
    }
    put_setting(a, a->hosts.items[0].site, key, rest);
}

static void setting(struct apache *a, const struct section *s, const char *path, uint64_t line,
                    const char *key, char *rest, unsigned depth)
{
    struct facts *facts = a->c->facts;
    if (str_equal(key, "include")) {
        char *pattern = conf_lines_quoted(&rest);
        if (pattern)
            include(a, pattern, depth, s);
    } else if (s->kind == IN_DIRECTORY &&
               (str_equal(key, "options") || str_equal(key, "allowoverride") ||
                str_equal(key, "dav"))) {
        CLEANUP_STR struct str value = {0};
        lower_words(&value, rest);
        fact_put(facts, s->directory, key, str_text(&value));
    } else if (str_equal(key, "sethandler") && s->kind == IN_LOCATION) {
        char *handler = conf_lines_quoted(&rest);
        struct str *locations = &a->hosts.items[s->host].locations;
        str_printf(locations, "%s%s=%s", locations->length ? " " : "", s->location,
                   handler ? handler : "");
    } else if (s->kind == IN_HOST) {
        in_host(a, s, key, rest);
    } else if (s->kind == OUTSIDE) {
        outside(a, path, line, key, rest);
    }
}

static void read_conf(struct apache *a, const char *path, unsigned depth,
                      const struct section *around)
{
    size_t size;
    if (depth > MOST_DEPTH || ++a->files > MOST_FILES) {
        not_read(a, path, _("more files or levels of Include than are read"));
        return;
    }
    bool lost = false;
    char *text = collect_text_of(a->c, N_("site: apache"), path, MOST_CONF, &size, &lost);
    if (!text) {
        if (lost)
            facts_unread(a->c->facts, N_("directory: apache"), path,
                         _("the file could not be read"));
        a->unread += lost;
        return;
    }
    struct section stack[MOST_NESTED] = {*around};
    unsigned level = 0, deeper = 0;
    struct conf_lines lines = conf_lines_of(text, size, CONF_BACKSLASH, MOST_LINE);
    for (char *row; (row = conf_lines_next(&lines));) {
        char *rest = str_trim(row);
        if (!*rest || *rest == '#')
            continue;
        if (str_starts(rest, "</")) {
            if (deeper)
                deeper--;
            else if (level)
                level--;
            continue;
        }
        if (*rest == '<') {
            if (level + 1 == MOST_NESTED) {
                deeper++;
                continue;
            }
            stack[level + 1] = stack[level]; /* <IfModule> is what is around it */
            level++;
            open_section(a, &stack[level], path, lines.line, rest);
            continue;
        }
        if (deeper)
            continue;
        char *key = conf_lines_word(&rest);
        str_lower_all(key);
        setting(a, &stack[level], path, lines.line, key, rest, depth);
    }
    conf_lines_state(&lines, a->c->facts, N_("site"), path);
    conf_lines_state(&lines, a->c->facts, N_("directory"), path);
    a->unread += lines.too_long + lines.with_nul;
    conf_lines_free(&lines);
}

static void complete(struct collection *c, const char *kind, size_t found)
{
    struct fact *f = facts_add(c->facts, "complete", "", 0, -1, CONFIDENCE_HIGH);
    fact_put(c->facts, f, "of", kind);
    fact_put_number(c->facts, f, "found", (int64_t)found);
}

/* "1:1.3.9-13.1" -> "1.3.9": without epoch and the revision of the distribution. */
static const char *upstream_of(struct arena *arena, const char *version)
{
    const char *colon = strchr(version, ':'), *start = colon ? colon + 1 : version;
    const char *dash = strrchr(start, '-');
    return arena_strndup(arena, start, dash ? (size_t)(dash - start) : strlen(start));
}

/* What a package manager has recorded of the program that belongs to this place; NULL: nothing. */
static const struct fact *record_of(struct collection *c, const struct place *p,
                                    const struct brought **by)
{
    for (size_t i = 0; i < ARRAY_COUNT(packages); i++) {
        if (!str_equal(packages[i].binary, p->binary))
            continue;
        *by = &packages[i];
        for (const struct fact *f = NULL; (f = facts_next(c->facts, "package", f));)
            if (str_equal(fact_text(f, "manager"), packages[i].manager) &&
                str_equal(fact_text(f, "name"), packages[i].package))
                return f;
    }
    return NULL;
}

/* A distribution patches without a new number, so what its record says is what is judged; a
 * package of somebody else says only that it was installed once. `said` is what the program says
 * of itself, or NULL; NULL if nobody can tell. */
static const char *version_of(struct collection *c, const struct place *p, struct fact *product,
                              const char *said)
{
    const struct brought *by = NULL;
    const struct fact *record = record_of(c, p, &by);
    if (!record)
        return said;
    const char *recorded = fact_text(record, "version");
    const char *upstream = upstream_of(c->arena, recorded);
    bool distribution = str_equal(by->manager, "dpkg");
    if (said && !str_equal(upstream, said))
        facts_unread(c->facts, N_("product: apache-httpd"), product->path,
                     arena_printf(c->arena,
                                  distribution ? _("the program says version %s, the record of its "
                                                   "package %s says %s: the package is judged")
                                               : _("the program says version %s, the record of its "
                                                   "package %s says %s: the program is judged"),
                                  said, by->package, recorded));
    if (!distribution)
        return said;
    fact_put(c->facts, product, "package", arena_printf(c->arena, "%s %s", by->package, recorded));
    return upstream;
}

static void put_product(struct collection *c, const struct place *p, const char *binary,
                        const char *banner, int64_t offset)
{
    CLEANUP_STR struct str said = {0};
    for (const char *v = banner ? banner + strlen("Apache/") : ""; str_is_digit(*v) || *v == '.';
         v++)
        str_add_char(&said, *v);
    struct fact *product = facts_add(c->facts, "product", binary, 0, offset, CONFIDENCE_HIGH);
    fact_put(c->facts, product, "name", "apache-httpd");
    const char *version = version_of(c, p, product, banner ? str_text(&said) : NULL);
    if (version) {
        fact_put(c->facts, product, "version", version);
    } else {
        const char *why = _("neither the program nor its core names its version");
        fact_put_state(c->facts, product, "version", VALUE_UNREADABLE, why);
        fact_put(c->facts, product, "likely", "1.3");
        facts_unread(c->facts, N_("product: apache-httpd"), binary, why);
    }
    fact_put(c->facts, product, "title", banner ? banner : "Apache");
}

static void finish_host(struct apache *a, struct host *host)
{
    static const char *const inherited[] = {"user", "servertokens", "serversignature"};
    const struct fact *main = a->hosts.items[0].site;
    struct facts *facts = a->c->facts;
    fact_put(facts, host->site, "locations", str_text(&host->locations));
    for (size_t i = 0; host->site != main && i < ARRAY_COUNT(inherited); i++)
        if (fact_value(main, inherited[i]) && !fact_value(host->site, inherited[i]))
            fact_put(facts, host->site, inherited[i], fact_text(main, inherited[i]));
    str_free(&host->locations);
}

static void read_server(struct collection *c, const struct place *p, const char *binary,
                        const char *banner, int64_t offset)
{
    static const struct section nothing = {OUTSIDE, NULL, NULL, 0};
    put_product(c, p, binary, banner, offset);
    const char *conf;
    if (!target_resolve_nocase(c->target, p->conf, c->arena, &conf, NULL)) {
        facts_unread(c->facts, N_("site: apache"), p->conf,
                     _("the configuration was not found there"));
        return;
    }
    struct apache a = {.c = c, .root = p->root, .instance = p->root};
    struct fact *site = add_host(&a, conf, 0, p->root);
    read_conf(&a, conf, 0, &nothing);
    const char *folder = arena_strndup(c->arena, conf, (size_t)(strrchr(conf, '/') - conf));
    read_conf(&a, arena_printf(c->arena, "%s/srm.conf", folder), 1, &nothing);
    read_conf(&a, arena_printf(c->arena, "%s/access.conf", folder), 1, &nothing);
    if (!a.listens.length)
        add_listener(&a, conf, a.port_line, a.port ? a.port : "80");
    fact_put(c->facts, site, "bindings", str_text(&a.listens));
    fact_put(c->facts, site, "modules", str_text(&a.modules));
    fact_put(c->facts, site, "virtual_hosts", str_text(&a.virtual_hosts));
    for (size_t i = 0; i < a.hosts.count; i++)
        finish_host(&a, &a.hosts.items[i]);
    if (!a.unread) {
        complete(c, "site", a.hosts.count);
        complete(c, "directory", a.directories);
    }
    str_free(&a.listens);
    str_free(&a.modules);
    str_free(&a.virtual_hosts);
    VEC_FREE(&a.hosts);
}

/* A server that was built with a shared core, and that for Windows, is a small program whose
 * version stands in the core. */
static const char *banner_of_core(struct collection *c, const struct place *p,
                                  const char *const *prefix, const char **binary, int64_t *offset)
{
    static const char *const cores[] = {"libexec/libhttpd.so", "libexec/apache/libhttpd.so",
                                        "ApacheCore.dll"};
    const char *found, *banner = NULL;
    for (size_t i = 0; !banner && i < ARRAY_COUNT(cores); i++)
        if (target_resolve_nocase(c->target, arena_printf(c->arena, "%s/%s", p->root, cores[i]),
                                  c->arena, &found, NULL)) {
            banner = binary_string(c, found, prefix, 1, offset);
            *binary = banner ? found : *binary;
        }
    return banner;
}

/* A later Apache, or another httpd: that one has no configuration where ours has. */
static bool is_another(struct collection *c, const struct place *p, const char *binary)
{
    static const char *const any[] = {"Apache/"};
    const char *conf, *banner = binary_string(c, binary, any, 1, NULL);
    return (banner && !str_starts(banner, "Apache/1.3.")) ||
           !target_resolve_nocase(c->target, p->conf, c->arena, &conf, NULL);
}

void collect_apache(struct collection *c)
{
    static const char *const prefixes[] = {"Apache/1.3."};
    solaris_begin(c);
    for (size_t i = 0; i < ARRAY_COUNT(places); i++) {
        const char *binary;
        int64_t offset = -1;
        if (!(collect_families(c->facts) & FAMILY_WINDOWS) &&
            !collect_there(c, N_("product: apache-httpd"), places[i].binary, NULL))
            continue;
        if (!target_resolve_nocase(c->target, places[i].binary, c->arena, &binary, NULL))
            continue;
        size_t before = facts_count(c->facts);
        const char *banner = binary_string(c, binary, prefixes, ARRAY_COUNT(prefixes), &offset);
        bool unread = facts_count(c->facts) > before;
        if (!banner)
            banner = banner_of_core(c, &places[i], prefixes, &binary, &offset);
        if (banner || unread || !is_another(c, &places[i], binary))
            read_server(c, &places[i], binary, banner, offset);
    }
}
