/* lighttpd.c - lighttpd 1.4 as Debian ships it: /etc/lighttpd/lighttpd.conf and what it includes.
 *
 * The whole configuration is one site; each condition on the host is one, and each socket that
 * has pages of its own. A setting counts only where its module is loaded: lighttpd passes over
 * the others. Source: redmine.lighttpd.net, wiki pages of the modules, and `lighttpd -p`. */
#include "collect/lighttpd_conf.h"
#include "collect/web_site.h"

#include "base/language.h"
#include "base/str.h"

#define FOLDER     "/etc/lighttpd"
#define CONF       FOLDER "/lighttpd.conf"
#define LOG_FORMAT /* mod_accesslog.c */                                                           \
    "%h %V %u %t \"%r\" %>s %b \"%{Referer}i\" \"%{User-Agent}i\""

struct lighttpd {
    struct conf_reading r;
    struct web_server w;
    struct arena *arena;
    const struct light_block *all;
    struct str listens; /* every binding */
    struct str shared;  /* those that no site has for itself */
};

struct host {
    struct lighttpd *l;
    const struct light_block *block;
    struct fact *site;
    struct str handlers;
};

static const char *text_of(const struct light_block *block, const char *key)
{
    const struct light_setting *s = lighttpd_conf_find(block, key);
    return s && s->value.type != LIGHT_ARRAY ? s->value.text : "";
}

static bool is_on(const struct light_block *block, const char *key)
{
    return str_equal_nocase(text_of(block, key), "enable");
}

static bool has_module(const struct lighttpd *l, const char *name)
{
    const struct light_setting *s = lighttpd_conf_find(l->all, "server.modules");
    for (size_t i = 0; s && i < s->value.count; i++)
        if (str_equal(s->value.items[i].value.text, name))
            return true;
    return false;
}

static bool has_own(const struct light_block *block, const char *key)
{
    for (const struct light_setting *s = block->settings; s; s = s->next)
        if (str_equal(s->key, key))
            return true;
    return false;
}

static bool is_about(const struct light_block *block, const char *what)
{
    return str_equal(block->key, what);
}

#define HOST   "HTTP[\"host\"]"
#define SOCKET "SERVER[\"socket\"]"
#define URL    "HTTP[\"url\"]"

static struct web_folder folder(const struct light_value *v)
{
    return (struct web_folder){
        v->text, v->not_known        ? _("a variable in it is not known here")
                 : v->text[0] != '/' ? _("it hangs beneath the folder lighttpd is started in")
                                     : ""};
}

/* --- blocks --- */

/* Whether a block gives pages, programs or listings of its own. */
static bool has_pages(const struct light_block *block)
{
    static const char *const keys[] = {
        "server.document-root", "alias.url",      "simple-vhost.server-root",
        "evhost.path-pattern",  "userdir.path",   "dir-listing.activate",
        "server.dir-listing",   "fastcgi.server", "scgi.server",
        "proxy.server",         "cgi.assign",     "accesslog.filename",
        "webdav.activate",
    };
    for (size_t i = 0; i < ARRAY_COUNT(keys); i++)
        if (has_own(block, keys[i]))
            return true;
    return false;
}

static bool is_site(const struct light_block *block)
{
    return !block->parent || is_about(block, HOST) || (is_about(block, SOCKET) && has_pages(block));
}

/* The whole tree, depth first; NULL at the end. */
static const struct light_block *following(const struct light_block *block)
{
    if (block->first)
        return block->first;
    while (block && !block->next)
        block = block->parent;
    return block ? block->next : NULL;
}

static const char *condition_of(struct lighttpd *l, const struct light_block *block)
{
    CLEANUP_STR struct str out = {0};
    for (; block->parent; block = block->parent) {
        CLEANUP_STR struct str one = {0};
        str_add(&one, block->is_else ? "else" : "");
        if (!str_equal(block->op, "else"))
            str_printf(&one, "%s$%s %s \"%s\"", block->is_else ? " " : "", block->key, block->op,
                       block->text);
        str_printf(&one, "%s%s", out.length ? " and " : "", str_text(&out));
        str_clear(&out);
        str_add(&out, str_text(&one));
    }
    return arena_strdup(l->arena, str_text(&out));
}

/* What a host's condition compares: written as server_name of nginx writes it. */
static const char *name_of(struct lighttpd *l, const struct light_block *block)
{
    while (block->parent && !is_about(block, HOST))
        block = block->parent;
    if (str_equal(block->op, "=="))
        return block->text;
    if (str_equal(block->op, "=~"))
        return arena_printf(l->arena, "~%s", block->text);
    if (str_equal(block->op, "=^"))
        return arena_printf(l->arena, "%s*", block->text);
    if (str_equal(block->op, "=$"))
        return arena_printf(l->arena, "*%s", block->text);
    return "";
}

/* --- bindings --- */

static const char *binding(struct lighttpd *l, const char *text, bool ssl)
{
    uint64_t port;
    const char *flag = ssl ? "/ssl" : "";
    if (*text == '/')
        return arena_printf(l->arena, "unix:%s", text);
    if (*text == ':')
        return arena_printf(l->arena, "*%s%s", text, flag);
    if (str_to_u64(text, &port))
        return arena_printf(l->arena, "*:%s%s", text, flag);
    if (str_starts(text, "0.0.0.0:"))
        text = arena_printf(l->arena, "*%s", strchr(text, ':'));
    const char *colon = strrchr(text, ':'), *bracket = strrchr(text, ']');
    if (colon && (!bracket || colon > bracket))
        return arena_printf(l->arena, "%s%s", text, flag);
    return arena_printf(l->arena, "%s:%s%s", text, ssl ? "443" : "80", flag);
}

static const char *main_binding(struct lighttpd *l)
{
    const char *bind = text_of(l->all, "server.bind"), *port = text_of(l->all, "server.port");
    bool ssl = is_on(l->all, "ssl.engine");
    if (*bind == '/')
        return binding(l, bind, ssl);
    if (!*port)
        port = ssl ? "443" : "80";
    return binding(l, arena_printf(l->arena, "%s:%s", bind, port), ssl);
}

static const char *socket_binding(struct lighttpd *l, const struct light_block *block)
{
    return binding(l, block->text, has_own(block, "ssl.engine") && is_on(block, "ssl.engine"));
}

static void take_bindings(struct lighttpd *l)
{
    web_list_add(&l->listens, main_binding(l));
    web_list_add(&l->shared, main_binding(l));
    for (const struct light_block *b = l->all; b; b = following(b)) {
        if (!is_about(b, SOCKET) || !str_equal(b->op, "=="))
            continue;
        web_list_add(&l->listens, socket_binding(l, b));
        if (!is_site(b))
            web_list_add(&l->shared, socket_binding(l, b));
    }
}

/* A host takes its requests from every binding, unless it stands in the condition of one. */
static const char *bindings_of(struct lighttpd *l, const struct light_block *block)
{
    if (!block->parent)
        return str_text(&l->shared);
    for (; block->parent; block = block->parent)
        if (is_about(block, SOCKET) && str_equal(block->op, "=="))
            return socket_binding(l, block);
    return str_text(&l->listens);
}

/* --- what a block says of paths --- */

static void state_aliases(struct host *h, const struct light_block *block)
{
    const struct light_setting *s = lighttpd_conf_find(block, "alias.url");
    for (size_t i = 0; s && has_module(h->l, "mod_alias") && i < s->value.count; i++) {
        const struct light_item *item = &s->value.items[i];
        struct fact *f = web_path_add(&h->l->w, h->site, s->path, s->line, item->key, "prefix");
        if (f)
            web_put_folder(&h->l->w, f, "directory", folder(&item->value));
    }
    s = lighttpd_conf_find(block, "userdir.path");
    if (s && *s->value.text && has_module(h->l, "mod_userdir")) {
        struct fact *f = web_path_add(&h->l->w, h->site, s->path, s->line, "/~", "user");
        if (f)
            web_put_folder(
                &h->l->w, f, "directory",
                (struct web_folder){s->value.text, _("each user has a folder of his own")});
    }
}

static const struct light_value *member(const struct light_value *v, const char *key)
{
    for (size_t i = 0; i < v->count; i++)
        if (str_equal(v->items[i].key, key))
            return &v->items[i].value;
    return NULL;
}

/* "unix:/run/php.sock", "127.0.0.1:9000" or the program of the first server of a list. */
static const char *backend(struct lighttpd *l, const struct light_value *v)
{
    if (v->type != LIGHT_ARRAY)
        return v->text;
    const struct light_value *one =
        v->count && v->items[0].value.type == LIGHT_ARRAY ? &v->items[0].value : v;
    const struct light_value *socket = member(one, "socket"), *host = member(one, "host"),
                             *port = member(one, "port"), *program = member(one, "bin-path");
    if (socket)
        return arena_printf(l->arena, "unix:%s", socket->text);
    if (host)
        return arena_printf(l->arena, "%s:%s", host->text, port ? port->text : "");
    return program ? program->text : "";
}

static void state_handlers(struct host *h, const struct light_block *block)
{
    static const struct {
        const char *key, *module, *name;
    } rows[] = {{"fastcgi.server", "mod_fastcgi", "fastcgi"},
                {"scgi.server", "mod_scgi", "scgi"},
                {"proxy.server", "mod_proxy", "proxy"},
                {"cgi.assign", "mod_cgi", "cgi"}};
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
        const struct light_setting *s = lighttpd_conf_find(block, rows[i].key);
        for (size_t k = 0; s && has_module(h->l, rows[i].module) && k < s->value.count; k++) {
            const struct light_item *item = &s->value.items[k];
            const char *handler =
                arena_printf(h->l->arena, "%s:%s", rows[i].name, backend(h->l, &item->value));
            struct fact *f = web_path_add(&h->l->w, h->site, s->path, s->line, item->key,
                                          *item->key == '/' ? "prefix" : "extension");
            if (f)
                fact_put(h->l->r.c->facts, f, "handler", handler);
            web_list_add(&h->handlers, handler);
        }
    }
}

static bool lists_folders(struct lighttpd *l, const struct light_block *block)
{
    /* 1.4.69 loads mod_dirlisting by itself unless told otherwise */
    bool loaded = has_module(l, "mod_dirlisting") ||
                  !str_equal_nocase(text_of(l->all, "server.compat-module-load"), "disable");
    return loaded && (is_on(block, "dir-listing.activate") || is_on(block, "server.dir-listing"));
}

static struct web_folder root_of(struct lighttpd *l, const struct light_block *block)
{
    const struct light_setting *pattern = lighttpd_conf_find(block, "evhost.path-pattern"),
                               *simple = lighttpd_conf_find(block, "simple-vhost.server-root"),
                               *root = lighttpd_conf_find(block, "server.document-root");
    const char *why = _("it depends on the host that is asked for");
    if (pattern && has_module(l, "mod_evhost"))
        return (struct web_folder){pattern->value.text, why};
    if (simple && has_module(l, "mod_simple_vhost"))
        return (struct web_folder){arena_printf(l->arena, "%s/*/%s", simple->value.text,
                                                text_of(block, "simple-vhost.document-root")),
                                   why};
    if (!root)
        return (struct web_folder){"", _("no server.document-root is set")};
    struct web_folder f = folder(&root->value);
    size_t length = strlen(f.path);
    if (length > 1 && f.path[length - 1] == '/')
        f.path = arena_strndup(l->arena, f.path, length - 1);
    return f;
}

static bool is_writable(const struct lighttpd *l, const struct light_block *block)
{
    return is_on(block, "webdav.activate") && has_module(l, "mod_webdav") &&
           !is_on(block, "webdav.is-readonly");
}

/* A condition on the address or the method may refuse all paths, wherever it stands. */
static bool refuses_all(const struct light_block *block)
{
    for (const struct light_setting *s = block->settings; s; s = s->next)
        for (size_t i = 0; str_equal(s->key, "url.access-deny") && i < s->value.count; i++)
            if (!*s->value.items[i].value.text)
                return true;
    return false;
}

static void put_writing(struct lighttpd *l, struct fact *f, const struct light_block *block)
{
    const char *why = has_module(l, "mod_auth") ? _("mod_auth may ask who it is") : "";
    if (!is_writable(l, block))
        return;
    for (const struct light_block *b = l->all; b; b = following(b))
        if (refuses_all(b))
            why = _("url.access-deny may refuse it");
    web_put_writable(&l->w, f, *why ? "" : WEB_WRITING_METHODS, why);
}

/* A condition on the URL, within this site or around it. */
static void state_url(struct host *h, const struct light_block *block)
{
    static const char *const rows[][2] = {
        {"==", "exact"}, {"=~", "regex"}, {"=^", "prefix"}, {"=$", "suffix"}};
    const char *match = "unless";
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++)
        if (str_equal(block->op, rows[i][0]))
            match = rows[i][1];
    if (!has_pages(block))
        return;
    struct fact *f = web_path_add(&h->l->w, h->site, block->path, block->line, block->text, match);
    if (!f)
        return;
    /* The whole path follows the root: only of a prefix can the folder be given. */
    struct web_folder root = root_of(h->l, block);
    if (!*root.why && (str_equal(match, "prefix") || str_equal(match, "exact")))
        root.path = arena_printf(h->l->arena, "%s%s", root.path, block->text);
    web_put_folder(&h->l->w, f, "directory", root);
    fact_put(h->l->r.c->facts, f, "dir_browse", lists_folders(h->l, block) ? "yes" : "no");
    put_writing(h->l, f, block);
    if (has_own(block, "alias.url"))
        state_aliases(h, block);
    state_handlers(h, block);
}

/* Whether a block stands in this site or in what is around it, and in no other site. */
static bool belongs(const struct light_block *block, const struct light_block *site)
{
    do
        block = block->parent;
    while (block && !is_site(block));
    for (; site; site = site->parent)
        if (site == block)
            return true;
    return false;
}

/* --- sites --- */

static void state_logs(struct host *h)
{
    const struct light_setting *access = lighttpd_conf_find(h->block, "accesslog.filename"),
                               *errors = lighttpd_conf_find(h->block, "server.errorlog");
    const char *format = text_of(h->block, "accesslog.format");
    if (access && has_module(h->l, "mod_accesslog"))
        web_log_add(&h->l->w, h->site, access->path, access->line, "access",
                    *access->value.text == '|' ? (struct web_folder){access->value.text, ""}
                                               : folder(&access->value),
                    "", *format ? format : LOG_FORMAT);
    if (errors)
        web_log_add(&h->l->w, h->site, errors->path, errors->line, "error", folder(&errors->value),
                    NULL, NULL);
}

/* The key may lie in the certificate's file. */
static void put_certificate(struct host *h)
{
    const struct light_setting *chain = lighttpd_conf_find(h->block, "ssl.pemfile"),
                               *key = lighttpd_conf_find(h->block, "ssl.privkey");
    if (chain)
        web_put_certificate(&h->l->w, h->site, folder(&chain->value),
                            folder(key ? &key->value : &chain->value));
}

static void state_site(struct lighttpd *l, const struct light_block *block)
{
    struct host h = {.l = l, .block = block};
    struct facts *facts = l->r.c->facts;
    h.site =
        web_site_add(&l->w, block->path, block->line, name_of(l, block), bindings_of(l, block));
    if (!h.site)
        return;
    web_put_folder(&l->w, h.site, "root", root_of(l, block));
    put_certificate(&h);
    fact_put(facts, h.site, "condition", condition_of(l, block));
    fact_put(facts, h.site, "indexes", lists_folders(l, block) ? "yes" : "no");
    if (is_writable(l, block)) {
        struct fact *f = web_path_add(&l->w, h.site, block->path, block->line, "/", "prefix");
        fact_put(facts, h.site, "writable", "yes");
        if (f)
            put_writing(l, f, block);
    }
    state_logs(&h);
    state_aliases(&h, block);
    state_handlers(&h, block);
    for (const struct light_block *b = l->all; b; b = following(b))
        if (is_about(b, URL) && belongs(b, block))
            state_url(&h, b);
    fact_put(facts, h.site, "handlers", str_text(&h.handlers));
    str_free(&h.handlers);
}

static void state_all(struct lighttpd *l)
{
    CLEANUP_STR struct str modules = {0};
    const struct light_setting *s = lighttpd_conf_find(l->all, "server.modules");
    for (size_t i = 0; s && i < s->value.count; i++)
        web_list_add(&modules, s->value.items[i].value.text);
    l->w.user = text_of(l->all, "server.username");
    l->w.group = text_of(l->all, "server.groupname");
    if (!*l->w.user) /* it stays who started it */
        l->w.user = "root";
    if (!*l->w.group)
        l->w.group = "root";
    take_bindings(l);
    for (const struct light_block *b = l->all; b; b = following(b))
        if (is_site(b))
            state_site(l, b);
    web_server_add(&l->w, str_text(&l->listens), str_text(&modules));
}

void collect_lighttpd(struct collection *c)
{
    struct target_stat st;
    struct error e = ERROR_INIT;
    if (!target_stat(c->target, CONF, true, &st, &e) && e.code == ERR_ABSENT)
        return;
    struct lighttpd l = {.r = conf_reading_of(c, N_("site: lighttpd")), .arena = c->arena};
    l.w = (struct web_server){
        .r = &l.r, .server = "lighttpd", .instance = CONF, .program = "/usr/sbin/lighttpd"};
    l.all = lighttpd_conf_read(&l.r, FOLDER, CONF);
    if (l.r.names.length)
        state_all(&l);
    str_free(&l.listens);
    str_free(&l.shared);
    web_server_free(&l.w);
    conf_reading_free(&l.r);
}
