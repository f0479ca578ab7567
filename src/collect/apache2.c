/* apache2.c - Apache 2.4 as Debian ships it: /etc/apache2/apache2.conf, envvars and what they
 * name.
 *
 * The main server is a site of its own; virtual hosts inherit from it. What <Directory> sections
 * say of a folder is merged as the server merges them: shortest path first. `.htaccess` files
 * are not read: `allowoverride` says what one may change. Sources:
 * httpd.apache.org/docs/2.4/sections.html, mod_alias.html, mod_log_config.html; the compiled
 * defaults are those that `apache2 -V` and `apache2ctl -S` of Debian's package print. */
#include "collect/apache_conf.h"
#include "collect/apache_folders.h"
#include "collect/web_site.h"

#include "base/language.h"
#include "base/str.h"

#include <stdlib.h>

#define ROOT          "/etc/apache2"
#define CONF          ROOT "/apache2.conf"
#define DOCUMENT_ROOT "/var/www/html"
#define COMMON        "%h %l %u %t \"%r\" %>s %b" /* mod_log_config.c: DEFAULT_LOG_FORMAT */

struct apache {
    struct conf_reading r;
    struct apache_conf conf;
    struct web_server w;
    struct arena *arena;
    struct conf_node *main;
    struct str listens;
};

struct host {
    struct apache *a;
    const struct conf_node *node; /* <VirtualHost>, or the main server */
    struct fact *site;
    struct str handlers;
};

static bool named(const struct conf_node *node, const char *name)
{
    return str_equal_nocase(node->name, name);
}

/* What the host says, else the main server. */
static const struct conf_node *setting(const struct host *h, const char *name)
{
    const struct conf_node *own = conf_find_last(h->node, name);
    return own ? own : conf_find_last(h->a->main, name);
}

static struct web_folder folder(struct apache *a, const char *text)
{
    struct web_folder f = {conf_beneath(a->arena, a->conf.root, text), ""};
    if (strstr(text, "${"))
        f = (struct web_folder){text, _("a variable in it has no value here")};
    return f;
}

static const char *without_slash(struct apache *a, const char *path)
{
    size_t length = strlen(path);
    return length > 1 && path[length - 1] == '/' ? arena_strndup(a->arena, path, length - 1) : path;
}

/* --- URL paths --- */

static void put_in_force(const struct host *h, struct fact *f, const char *key, const char *path)
{
    const char *why = _("a <DirectoryMatch> may change it");
    struct facts *facts = h->a->r.c->facts;
    struct apache_folder force =
        apache_folder_at(h->a->arena, h->a->main, h->node, without_slash(h->a, path));
    bool lists = force.indexes && apache_conf_has_module(&h->a->conf, "autoindex_module");
    if (force.not_known) {
        fact_put_state(facts, f, key, VALUE_UNREADABLE, why);
        fact_put_state(facts, f, "allowoverride", VALUE_UNREADABLE, why);
        return;
    }
    fact_put(facts, f, key, lists ? "yes" : "no");
    fact_put(facts, f, "allowoverride", force.override);
}

/* In <Location> an alias has no path of its own, comes before all others, and is the one file
 * or folder for everything there, unless AliasPreservePath has the rest of the path follow. */
static const char *alias_match(const struct host *h, const struct conf_node *n, bool regex)
{
    if (n->arg_count > 1)
        return regex ? "regex" : "prefix";
    const struct conf_node *keep = conf_find_last(n->parent, "AliasPreservePath");
    keep = keep ? keep : setting(h, "AliasPreservePath");
    return keep && str_equal_nocase(conf_arg(keep, 0), "on") ? "prefix" : "whole";
}

static void state_alias(struct host *h, const struct conf_node *n)
{
    struct facts *facts = h->a->r.c->facts;
    bool in_location = str_starts_nocase(n->parent->name, "Location"), own = n->arg_count > 1;
    bool regex =
        str_ends_nocase(n->name, "Match") || str_equal_nocase(n->parent->name, "LocationMatch");
    if (!n->arg_count || (!own && !in_location))
        return;
    struct web_folder lies = folder(h->a, conf_arg(n, own));
    if ((regex && strchr(lies.path, '$')) || strstr(lies.path, "%{"))
        lies.why = _("it depends on the request");
    struct fact *f = web_path_add(&h->a->w, h->site, n->path, n->line,
                                  own ? conf_arg(n, 0) : conf_arg(n->parent, 0),
                                  regex && !own ? "regex" : alias_match(h, n, regex));
    if (!f)
        return;
    web_put_folder(&h->a->w, f, "directory", lies);
    if (!*lies.why)
        put_in_force(h, f, "dir_browse", lies.path);
    if (str_starts_nocase(n->name, "Script"))
        fact_put(facts, f, "handler", "cgi-script");
    if (!own)
        fact_put(facts, f, "inside", "Location");
}

static bool is_alias(const struct conf_node *n)
{
    return named(n, "Alias") || named(n, "AliasMatch") || named(n, "ScriptAlias") ||
           named(n, "ScriptAliasMatch");
}

static void state_user_dir(struct host *h)
{
    struct apache *a = h->a;
    const struct conf_node *block = conf_find(h->node, "UserDir") ? h->node : a->main;
    bool all_off = false;
    const struct conf_node *found = NULL;
    for (const struct conf_node *n = conf_find(block, "UserDir"); n; n = conf_find_next(n)) {
        if (str_equal_nocase(conf_arg(n, 0), "disabled"))
            all_off |= n->arg_count == 1;
        else if (str_equal_nocase(conf_arg(n, 0), "enabled"))
            all_off = false;
        else
            found = n;
    }
    if (!found || all_off)
        return;
    struct fact *f = web_path_add(&a->w, h->site, found->path, found->line, "/~", "user");
    if (f)
        web_put_folder(
            &a->w, f, "directory",
            (struct web_folder){conf_arg(found, 0), _("each user has a folder of his own")});
}

static void state_handler(struct host *h, const struct conf_node *n, const char *url,
                          const char *match, const char *handler)
{
    if (str_equal_nocase(handler, "none") || str_equal_nocase(handler, "default-handler"))
        return;
    struct fact *f = web_path_add(&h->a->w, h->site, n->path, n->line, url, match);
    if (f)
        fact_put(h->a->r.c->facts, f, "handler", handler);
    web_list_add(&h->handlers, handler);
}

static bool runs_programs(const char *handler)
{
    return str_find_nocase(handler, "php") || str_find_nocase(handler, "cgi") ||
           str_find_nocase(handler, "server-parsed");
}

/* The paths that the section around a directive speaks of. */
static const char *section_path(const struct conf_node *n, const char **match)
{
    static const struct {
        const char *section, *match, *regex;
    } rows[] = {{"Location", "prefix", "regex"},
                {"LocationMatch", "regex", "regex"},
                {"Files", "files", "files-regex"},
                {"FilesMatch", "files-regex", "files-regex"},
                {"Directory", "folder", "folder-regex"},
                {"DirectoryMatch", "folder-regex", "folder-regex"}};
    const struct conf_node *around = n->parent;
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
        if (!named(around, rows[i].section))
            continue;
        bool tilde = str_equal(conf_arg(around, 0), "~");
        *match = tilde ? rows[i].regex : rows[i].match;
        return conf_arg(around, tilde);
    }
    *match = "prefix";
    return "/";
}

static void state_set_handler(struct host *h, const struct conf_node *n)
{
    const char *match, *path = section_path(n, &match);
    state_handler(h, n, path, match, conf_arg(n, 0));
}

static bool names_a_writing_method(const struct conf_node *limit)
{
    for (size_t i = 0; i < limit->arg_count; i++)
        if (str_find_nocase(WEB_WRITING_METHODS, limit->args[i]))
            return true;
    return false;
}

/* "yes", "no"; NULL where it is said elsewhere, or in more than these words. Several lines of
 * Require are a choice: whoever one of them lets in is in. */
static const char *is_open(const struct conf_node *section)
{
    bool granted = false, asked = false;
    for (const struct conf_node *n = section->first; n; n = n->next) {
        if (named(n, "LimitExcept") && !names_a_writing_method(n))
            return is_open(n);
        if (named(n, "Limit") && !names_a_writing_method(n))
            continue;
        if (n->block || named(n, "Order") || named(n, "Satisfy") || named(n, "AuthMerging"))
            return NULL;
        if (named(n, "Require") && str_equal_nocase(conf_arg(n, 0), "all") &&
            str_equal_nocase(conf_arg(n, 1), "granted"))
            granted = true;
        else
            asked |= named(n, "Require");
    }
    return granted ? "yes" : asked ? "no" : NULL;
}

/* .htaccess may let in fewer, and is not read. */
static void state_dav(struct host *h, const struct conf_node *n)
{
    const char *match, *path = section_path(n, &match), *open = is_open(n->parent);
    if (!str_equal_nocase(conf_arg(n, 0), "on") && !str_equal_nocase(conf_arg(n, 0), "filesystem"))
        return;
    struct fact *f = web_path_add(&h->a->w, h->site, n->path, n->line, path, match);
    if (f)
        web_put_writable(&h->a->w, f, open && str_equal(open, "yes") ? WEB_WRITING_METHODS : "",
                         open ? "" : _("its section does not say who may"));
}

static void state_proxy(struct host *h, const struct conf_node *n)
{
    bool in_location = str_starts_nocase(n->parent->name, "Location"),
         regex = named(n, "ProxyPassMatch") || named(n->parent, "LocationMatch");
    const char *url = in_location ? conf_arg(n->parent, 0) : conf_arg(n, 0);
    const char *to = conf_arg(n, !in_location);
    state_handler(h, n, url, regex ? "regex" : "prefix",
                  str_equal(to, "!") ? "none" : arena_printf(h->a->arena, "proxy:%s", to));
}

/* Everything below a block that gives paths a folder or a handler; virtual hosts apart. */
static void state_paths(struct host *h, const struct conf_node *block)
{
    for (const struct conf_node *n = block->first; n; n = n->next) {
        if (n->block) {
            if (!named(n, "VirtualHost"))
                state_paths(h, n);
        } else if (is_alias(n)) {
            state_alias(h, n);
        } else if (named(n, "SetHandler")) {
            state_set_handler(h, n);
        } else if (named(n, "Dav")) {
            state_dav(h, n);
        } else if (named(n, "ProxyPass") || named(n, "ProxyPassMatch")) {
            state_proxy(h, n);
        } else if (named(n, "AddHandler") ||
                   (named(n, "AddType") && runs_programs(conf_arg(n, 0)))) {
            for (size_t i = 1; i < n->arg_count && runs_programs(conf_arg(n, 0)); i++)
                state_handler(h, n, n->args[i], "extension", conf_arg(n, 0));
        }
    }
}

/* --- logs --- */

static struct web_folder log_path(struct apache *a, const char *text)
{
    if (*text == '|' || str_starts(text, "syslog"))
        return (struct web_folder){text, ""};
    return folder(a, text);
}

static const char *format_text(const struct host *h, const char *name)
{
    const struct conf_node *blocks[] = {h->node, h->a->main};
    for (size_t i = 0; i < ARRAY_COUNT(blocks); i++) {
        const char *found = NULL;
        for (const struct conf_node *n = conf_find(blocks[i], "LogFormat"); n;
             n = conf_find_next(n))
            if (str_equal(conf_arg(n, 1), name))
                found = conf_arg(n, 0);
        if (found)
            return found;
    }
    return str_equal(name, "CLF") || !*name ? COMMON : NULL;
}

static bool is_access_log(const struct conf_node *n)
{
    return named(n, "CustomLog") || named(n, "TransferLog");
}

static void state_access_logs(struct host *h, const struct conf_node *block)
{
    for (const struct conf_node *n = block->first; n; n = n->next) {
        if (!is_access_log(n) && !named(n, "GlobalLog"))
            continue;
        const char *format = conf_arg(n, 1);
        bool inline_text = strchr(format, '%') != NULL;
        web_log_add(&h->a->w, h->site, n->path, n->line, "access", log_path(h->a, conf_arg(n, 0)),
                    inline_text ? "" : format, inline_text ? format : format_text(h, format));
    }
}

/* The main server's access logs count where a host has none; its error log likewise. */
static void state_logs(struct host *h)
{
    bool own = false;
    for (const struct conf_node *n = h->node->first; n; n = n->next)
        own |= is_access_log(n);
    state_access_logs(h, own ? h->node : h->a->main);
    const struct conf_node *errors = setting(h, "ErrorLog");
    if (errors)
        web_log_add(&h->a->w, h->site, errors->path, errors->line, "error",
                    log_path(h->a, conf_arg(errors, 0)), NULL, NULL);
    else
        web_log_add(&h->a->w, h->site, CONF, 0, "error", folder(h->a, "logs/error_log"), NULL,
                    NULL);
}

/* --- sites --- */

/* "80", "*:80", "_default_:443", "[::]:80", "10.0.0.1": always with an address and a port. */
static const char *binding(struct apache *a, const char *text)
{
    uint64_t port;
    if (str_starts_nocase(text, "_default_"))
        text = arena_printf(a->arena, "*%s", text + strlen("_default_"));
    if (str_to_u64(text, &port))
        return arena_printf(a->arena, "*:%s", text);
    const char *colon = strrchr(text, ':'), *bracket = strrchr(text, ']');
    if (!colon || (bracket && colon < bracket))
        return arena_printf(a->arena, "%s:*", text);
    return str_starts(text, "0.0.0.0:") ? arena_printf(a->arena, "*%s", colon) : text;
}

/* Whether a virtual host takes every request that comes in by this Listen. */
static bool is_taken(struct apache *a, const char *listen)
{
    const char *port = strrchr(listen, ':');
    for (const struct conf_node *v = conf_find(a->main, "VirtualHost"); v; v = conf_find_next(v))
        for (size_t i = 0; i < v->arg_count; i++) {
            const char *own = binding(a, v->args[i]), *own_port = strrchr(own, ':');
            bool address = *own == '*' || ((size_t)(own_port - own) == (size_t)(port - listen) &&
                                           !strncmp(own, listen, (size_t)(port - listen)));
            if (address && (str_equal(own_port, ":*") || str_equal(own_port, port)))
                return true;
        }
    return false;
}

static void take_bindings(struct host *h, struct str *out)
{
    struct apache *a = h->a;
    const struct conf_node *ssl = setting(h, "SSLEngine");
    const char *flag = ssl && str_equal_nocase(conf_arg(ssl, 0), "on") ? "/ssl" : "";
    for (size_t i = 0; h->node != a->main && i < h->node->arg_count; i++)
        web_list_add(out, arena_printf(a->arena, "%s%s", binding(a, h->node->args[i]), flag));
    if (h->node != a->main)
        return;
    for (const struct conf_node *l = conf_find(a->main, "Listen"); l; l = conf_find_next(l))
        if (!is_taken(a, binding(a, conf_arg(l, 0))))
            web_list_add(out, arena_printf(a->arena, "%s%s", binding(a, conf_arg(l, 0)), flag));
}

/* ServerName may hold a scheme and a port. */
static void take_names(struct host *h, struct str *out)
{
    const struct conf_node *name = conf_find_last(h->node, "ServerName");
    const char *text = conf_arg(name, 0), *scheme = strstr(text, "://");
    text = scheme ? scheme + 3 : text;
    char *host = arena_strdup(h->a->arena, text), *colon = strrchr(host, ':');
    if (colon && (*host != '[' || colon > strchr(host, ']')))
        *colon = '\0';
    if (*host)
        web_list_add(out, host);
    for (const struct conf_node *n = conf_find(h->node, "ServerAlias"); n; n = conf_find_next(n))
        for (size_t i = 0; i < n->arg_count; i++)
            web_list_add(out, n->args[i]);
}

static struct web_folder document_root(const struct host *h)
{
    const struct conf_node *dynamic = setting(h, "VirtualDocumentRoot");
    if (!dynamic)
        dynamic = setting(h, "VirtualDocumentRootIP");
    if (dynamic && !str_equal_nocase(conf_arg(dynamic, 0), "none"))
        return (struct web_folder){conf_arg(dynamic, 0),
                                   _("it depends on the host that is asked for")};
    const struct conf_node *root = setting(h, "DocumentRoot");
    struct web_folder f = folder(h->a, root ? conf_arg(root, 0) : DOCUMENT_ROOT);
    f.path = without_slash(h->a, f.path);
    return f;
}

/* The key may lie in the certificate's file. */
static void put_certificate(struct host *h)
{
    const struct conf_node *chain = setting(h, "SSLCertificateFile"),
                           *key = setting(h, "SSLCertificateKeyFile");
    if (chain)
        web_put_certificate(&h->a->w, h->site, folder(h->a, conf_arg(chain, 0)),
                            folder(h->a, conf_arg(key ? key : chain, 0)));
}

static void fill_site(struct host *h, const struct str *bindings)
{
    struct facts *facts = h->a->r.c->facts;
    struct web_folder root = document_root(h);
    web_put_folder(&h->a->w, h->site, "root", root);
    if (!*root.why)
        put_in_force(h, h->site, "indexes", root.path);
    put_certificate(h);
    if (h->node == h->a->main)
        fact_put(facts, h->site, "reachable", bindings->length ? "yes" : "no");
    const struct conf_node *own_user = conf_find_last(h->node, "AssignUserID");
    if (own_user) { /* mpm_itk */
        fact_put(facts, h->site, "runs_as_user", conf_arg(own_user, 0));
        fact_put(facts, h->site, "runs_as_group", conf_arg(own_user, 1));
    }
    const struct conf_node *access = setting(h, "AccessFileName");
    fact_put(facts, h->site, "accessfilename", access ? conf_arg(access, 0) : ".htaccess");
    state_logs(h);
    state_paths(h, h->node);
    if (h->node != h->a->main)
        state_paths(h, h->a->main);
    state_user_dir(h);
    for (size_t i = 0; i < h->a->conf.modules.count; i++)
        if (str_starts(h->a->conf.modules.items[i], "mod_php"))
            web_list_add(&h->handlers, "mod_php");
    fact_put(facts, h->site, "handlers", str_text(&h->handlers));
}

static void state_host(struct apache *a, const struct conf_node *node)
{
    struct host h = {.a = a, .node = node};
    CLEANUP_STR struct str names = {0}, bindings = {0};
    take_names(&h, &names);
    take_bindings(&h, &bindings);
    h.site = web_site_add(&a->w, node->path, node->line, str_text(&names), str_text(&bindings));
    if (h.site)
        fill_site(&h, &bindings);
    str_free(&h.handlers);
}

static void state_all(struct apache *a)
{
    const struct conf_node *user = conf_find_last(a->main, "User"),
                           *group = conf_find_last(a->main, "Group");
    a->w.user = user ? conf_arg(user, 0) : "#-1";
    a->w.group = group ? conf_arg(group, 0) : "#-1";
    for (const struct conf_node *l = conf_find(a->main, "Listen"); l; l = conf_find_next(l)) {
        bool ssl = str_equal_nocase(conf_arg(l, 1), "https");
        web_list_add(&a->listens,
                     arena_printf(a->arena, "%s%s", binding(a, conf_arg(l, 0)), ssl ? "/ssl" : ""));
    }
    apache_folders_state(a->r.c, CONF, a->main);
    state_host(a, a->main);
    for (const struct conf_node *v = conf_find(a->main, "VirtualHost"); v; v = conf_find_next(v))
        state_host(a, v);
    CLEANUP_STR struct str modules = {0};
    for (size_t i = 0; i < a->conf.modules.count; i++)
        if (str_ends(a->conf.modules.items[i], "_module"))
            web_list_add(&modules, a->conf.modules.items[i]);
    web_server_add(&a->w, str_text(&a->listens), str_text(&modules));
}

/* "2.4.62" of "2.4.62-1~deb12u2": what <IfVersion> compares. */
static const char *package_version(struct collection *c)
{
    for (const struct fact *f = NULL; (f = facts_next(c->facts, "package", f));)
        if (str_equal(fact_text(f, "name"), "apache2-bin")) {
            const char *version = fact_text(f, "version");
            return arena_strndup(c->arena, version, strspn(version, "0123456789."));
        }
    return "";
}

void collect_apache2(struct collection *c)
{
    /* apache2 -l */
    static const char *const compiled[] = {
        "core.c",           "mod_so.c",          "so_module",   "mod_watchdog.c",
        "watchdog_module",  "http_core.c",       "http_module", "core_module",
        "mod_log_config.c", "log_config_module", "mod_logio.c", "logio_module",
        "mod_version.c",    "version_module",    "mod_unixd.c", "unixd_module"};
    struct target_stat st;
    struct error e = ERROR_INIT;
    if (!target_stat(c->target, CONF, true, &st, &e) && e.code == ERR_ABSENT)
        return;
    struct apache a = {.r = conf_reading_of(c, N_("site: apache2")), .arena = c->arena};
    a.conf = (struct apache_conf){.r = &a.r, .root = ROOT, .version = package_version(c)};
    a.w = (struct web_server){
        .r = &a.r, .server = "apache2", .instance = CONF, .program = "/usr/sbin/apache2"};
    for (size_t i = 0; i < ARRAY_COUNT(compiled); i++)
        apache_conf_module(&a.conf, compiled[i]);
    apache_conf_environment(&a.conf, ROOT "/envvars");
    a.main = conf_add(&a.r, NULL, "main", CONF, 0);
    apache_conf_read(&a.conf, a.main, CONF);
    if (a.r.names.length)
        state_all(&a);
    str_free(&a.listens);
    web_server_free(&a.w);
    apache_conf_free(&a.conf);
    conf_reading_free(&a.r);
}
