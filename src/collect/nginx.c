/* nginx.c - nginx as Debian ships it: /etc/nginx/nginx.conf and what it includes.
 *
 * A value of an inner block replaces that of the outer ones, wherever in its block it stands:
 * all files are read first, then the tree is walked. The compiled defaults are those that
 * `nginx -V` of Debian's package prints. Sources: nginx.org/en/docs/http/ngx_http_core_module
 * and ngx_http_log_module. */
#include "collect/nginx_conf.h"
#include "collect/nginx_write.h"
#include "collect/web_site.h"

#include "base/language.h"
#include "base/str.h"

#define CONF       "/etc/nginx/nginx.conf"
#define FOLDER     "/etc/nginx"
#define PREFIX     "/usr/share/nginx"
#define ACCESS_LOG "/var/log/nginx/access.log"
#define COMBINED                                                                                   \
    "$remote_addr - $remote_user [$time_local] \"$request\" $status $body_bytes_sent "             \
    "\"$http_referer\" \"$http_user_agent\""

struct nginx {
    struct conf_reading r;
    struct web_server w;
    struct arena *arena;
    struct conf_node *http;
    struct str listens, defaults; /* every binding; those that a server claimed by default_server */
    struct str seen;              /* bindings that an earlier server had */
};

struct host {
    struct nginx *n;
    const struct conf_node *server;
    struct fact *site;
    const char *name; /* the first server_name: what $server_name is */
    struct str bindings, names, handlers;
};

static bool named(const struct conf_node *node, const char *name)
{
    return str_equal(node->name, name);
}

/* --- variables --- */

/* The value that `set` gives a variable, where it is the only one of the server and does not
 * stand in a condition. */
static const char *constant(const struct host *h, const char *name, size_t length)
{
    const char *value = NULL;
    for (const struct conf_node *at = h->server->first, *up; at; at = up) {
        if (named(at, "set") && conf_arg(at, 0)[0] == '$' &&
            !strncmp(conf_arg(at, 0) + 1, name, length) && !conf_arg(at, 0)[1 + length]) {
            if (value || at->parent != h->server || strchr(conf_arg(at, 1), '$'))
                return NULL;
            value = conf_arg(at, 1);
        }
        up = at->first ? at->first : at->next; /* depth first, through all of the server */
        for (const struct conf_node *p = at; !up && p->parent != h->server; p = p->parent)
            up = p->parent->next;
    }
    if (!value && length == strlen("server_name") && !strncmp(name, "server_name", length) &&
        h->name[0] != '~' && !strchr(h->name, '$'))
        return h->name;
    return value;
}

/* Puts constants in the place of their variables; `why` says which one is left. */
static struct web_folder expand(const struct host *h, const char *text)
{
    CLEANUP_STR struct str out = {0};
    const char *why = "";
    for (const char *p = text; *p;) {
        size_t plain = strcspn(p, "$");
        str_add_bytes(&out, p, plain);
        p += plain;
        if (!*p)
            break;
        bool braced = p[1] == '{';
        const char *name = p + 1 + braced;
        size_t length =
            strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_0123456789");
        const char *end = name + length + (braced && name[length] == '}');
        const char *value = length ? constant(h, name, length) : NULL;
        if (value) {
            str_add(&out, value);
        } else {
            str_add_bytes(&out, p, (size_t)(end - p));
            why = arena_printf(h->n->arena, _("it depends on the request: %s"), text);
        }
        p = end;
    }
    return (struct web_folder){arena_strdup(h->n->arena, str_text(&out)), why};
}

static struct web_folder folder(const struct host *h, const char *text)
{
    struct web_folder f = expand(h, text);
    if (*f.path != '$')
        f.path = conf_beneath(h->n->arena, PREFIX, f.path);
    return f;
}

/* --- where a URL path lies --- */

static bool is_location(const struct conf_node *node)
{
    return named(node, "location") && node->block;
}

/* What a location compares and how; nginx lets the modifier stand glued to the path. */
static const char *location_path(const struct conf_node *l, const char **match)
{
    static const struct {
        const char *modifier, *match;
    } rows[] = {{"=", "exact"},
                {"^~", "prefix-final"},
                {"~*", "regex-nocase"},
                {"~", "regex"},
                {"@", "named"}};
    const char *first = conf_arg(l, 0);
    *match = "prefix";
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
        if (!str_starts(first, rows[i].modifier))
            continue;
        *match = rows[i].match;
        if (*first == '@')
            return first;
        const char *glued = first + strlen(rows[i].modifier);
        return *glued ? glued : conf_arg(l, 1);
    }
    return first;
}

static bool is_regex(const char *match)
{
    return str_starts(match, "regex");
}

/* root appends the whole URL path, an alias takes the place of its location's path; whichever
 * is nearer counts. So that both are one: a path that begins as the location's does lies at the
 * folder given here and what follows. With a pattern, the whole path follows. */
static struct web_folder folder_of(const struct host *h, const struct conf_node *block,
                                   const char *path, const char *match)
{
    struct arena *arena = h->n->arena;
    const struct conf_node *from = block, *root, *alias;
    do {
        root = conf_find_last(from, "root");
        alias = is_location(from) ? conf_find_last(from, "alias") : NULL;
    } while (!root && !alias && from->parent && (from = from->parent));
    struct web_folder f = folder(h, alias ? conf_arg(alias, 0) : root ? conf_arg(root, 0) : "html");
    bool open = is_regex(match) || str_equal(match, "named");
    if (alias) {
        const char *outer_match, *outer = location_path(from, &outer_match);
        if (is_regex(outer_match) || open) {
            if (!*f.why)
                f.why = _("an alias in a location of a pattern depends on the request");
            return f;
        }
        f.path = arena_printf(arena, "%s%s", f.path,
                              str_starts(path, outer) ? path + strlen(outer) : path);
        return f;
    }
    size_t length = strlen(f.path);
    if (length > 1 && f.path[length - 1] == '/')
        f.path = arena_strndup(arena, f.path, length - 1);
    if (!open)
        f.path = arena_printf(arena, "%s%s", f.path, path);
    return f;
}

/* --- handlers --- */

/* The servers of an upstream, or what was asked for where it is none: "http://group/path". */
static const char *upstream(const struct host *h, const char *to)
{
    const char *behind = strstr(to, "://"), *host = behind ? behind + strlen("://") : to;
    const char *name = arena_strndup(h->n->arena, host, strcspn(host, "/"));
    for (const struct conf_node *u = conf_find(h->n->http, "upstream"); u; u = conf_find_next(u)) {
        if (!str_equal(conf_arg(u, 0), name))
            continue;
        CLEANUP_STR struct str out = {0};
        for (const struct conf_node *s = conf_find(u, "server"); s; s = conf_find_next(s))
            str_printf(&out, "%s%s", out.length ? "," : "", conf_arg(s, 0));
        return arena_printf(h->n->arena, "%.*s%s", (int)(host - to), to, str_text(&out));
    }
    return to;
}

static const char *handler_of(const struct host *h, const struct conf_node *block)
{
    static const struct {
        const char *directive, *name;
    } rows[] = {{"fastcgi_pass", "fastcgi"}, {"proxy_pass", "proxy"},
                {"uwsgi_pass", "uwsgi"},     {"scgi_pass", "scgi"},
                {"grpc_pass", "grpc"},       {"memcached_pass", "memcached"}};
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
        const struct conf_node *pass = conf_find_last(block, rows[i].directive);
        if (pass)
            return arena_printf(h->n->arena, "%s:%s", rows[i].name, upstream(h, conf_arg(pass, 0)));
    }
    if (conf_find(block, "stub_status"))
        return "status";
    const struct conf_node *answer = conf_find(block, "return");
    if (answer)
        return arena_printf(h->n->arena, "return:%s", conf_arg(answer, 0));
    return "";
}

static bool is_on(const struct conf_node *directive)
{
    return directive && str_equal(conf_arg(directive, 0), "on");
}

/* --- logs --- */

static const char *format_text(const struct host *h, const char *name)
{
    CLEANUP_STR struct str out = {0};
    for (const struct conf_node *f = conf_find(h->n->http, "log_format"); f;
         f = conf_find_next(f)) {
        if (!str_equal(conf_arg(f, 0), name))
            continue;
        for (size_t i = 1; i < f->arg_count; i++)
            if (i > 1 || !str_starts(f->args[i], "escape="))
                str_add(&out, f->args[i]);
        return arena_strdup(h->n->arena, str_text(&out));
    }
    return str_equal(name, "combined") ? COMBINED : NULL;
}

static struct web_folder log_path(const struct host *h, const char *text)
{
    struct web_folder f = expand(h, text);
    if (*f.path != '$' && !str_starts(f.path, "syslog:") && !str_starts(f.path, "memory:") &&
        !str_equal(f.path, "stderr"))
        f.path = conf_beneath(h->n->arena, PREFIX, f.path);
    return f;
}

/* The logs of one block; those of outer blocks count where it has none of its own. */
static void state_access_logs(struct host *h, const struct conf_node *block)
{
    for (const struct conf_node *l = conf_find(block, "access_log"); l; l = conf_find_next(l)) {
        const char *format = conf_arg(l, 1);
        if (str_equal(conf_arg(l, 0), "off"))
            continue;
        if (!*format || strchr(format, '='))
            format = "combined";
        web_log_add(&h->n->w, h->site, l->path, l->line, "access", log_path(h, conf_arg(l, 0)),
                    format, format_text(h, format));
    }
}

static void state_logs(struct host *h, const struct conf_node *server)
{
    const struct conf_node *access = nginx_conf_block_with(server, "access_log"),
                           *errors = nginx_conf_block_with(server, "error_log");
    if (access)
        state_access_logs(h, access);
    else
        web_log_add(&h->n->w, h->site, server->path, server->line, "access",
                    (struct web_folder){ACCESS_LOG, ""}, "combined", COMBINED);
    if (!errors)
        web_log_add(&h->n->w, h->site, server->path, server->line, "error",
                    (struct web_folder){"stderr", ""}, NULL, NULL);
    for (const struct conf_node *l = errors ? conf_find(errors, "error_log") : NULL; l;
         l = conf_find_next(l))
        web_log_add(&h->n->w, h->site, l->path, l->line, "error", log_path(h, conf_arg(l, 0)), NULL,
                    NULL);
}

/* --- locations --- */

/* Where the address itself is not to be reached from outside, nobody there may write. */
static bool is_inside_only(const struct host *h)
{
    CLEANUP_STR struct str copy = {0};
    str_add(&copy, str_text(&h->bindings));
    char *save = NULL;
    for (char *b = strtok_r(copy.data, " ", &save); b; b = strtok_r(NULL, " ", &save))
        if (!str_starts(b, "127.") && !str_starts(b, "[::1]") && !str_starts(b, "localhost:") &&
            !str_starts(b, "unix:"))
            return false;
    return true;
}

/* What answers by itself never comes to WebDAV. */
static void put_writing(struct host *h, struct fact *f, const struct conf_node *block,
                        const char *handler)
{
    struct nginx_writing w = nginx_writing_of(h->n->arena, block);
    if (!w.any || *handler || conf_find(h->server, "return"))
        return;
    if (conf_find(block, "internal") || is_inside_only(h))
        web_put_writable(&h->n->w, f, "", "");
    else
        web_put_writable(&h->n->w, f, w.open, w.why);
}

static void state_block(struct host *h, const struct conf_node *block, const char *path,
                        const char *match, const char *inside)
{
    struct facts *facts = h->n->r.c->facts;
    struct web_server *w = &h->n->w;
    struct fact *f = web_path_add(w, h->site, block->path, block->line, path, match);
    if (!f)
        return;
    struct web_folder lies = folder_of(h, block, path, match);
    if (conf_find(block, "root") || conf_find(block, "alias") || *lies.why)
        web_put_folder(w, f, "directory", lies);
    else
        fact_put(facts, f, "directory", lies.path);
    const char *handler = handler_of(h, block);
    if (*handler)
        fact_put(facts, f, "handler", handler);
    if (*handler && !str_starts(handler, "return:"))
        web_list_add(&h->handlers, handler);
    fact_put(facts, f, "dir_browse", is_on(nginx_conf_in_force(block, "autoindex")) ? "yes" : "no");
    if (conf_find(block, "internal"))
        fact_put(facts, f, "internal", "yes");
    put_writing(h, f, block, handler);
    if (*inside)
        fact_put(facts, f, "inside", inside);
    state_access_logs(h, block);
}

/* Depth first; the depth is that of the tree, which is bounded. */
static void state_locations(struct host *h, const struct conf_node *block, const char *path,
                            const char *match, const char *inside)
{
    for (const struct conf_node *n = block->first; n; n = n->next) {
        if (is_location(n)) {
            const char *inner_match, *inner = location_path(n, &inner_match);
            state_block(h, n, inner, inner_match, path);
            state_locations(h, n, inner, inner_match, path);
        } else if (named(n, "if") && n->block && is_location(block) &&
                   (conf_find(n, "root") || *handler_of(h, n))) {
            state_block(h, n, path, "if", inside);
        }
    }
}

/* What no location takes is as the server says; a path of its own only where it can be written. */
static void state_rest(struct host *h)
{
    if (!nginx_writing_of(h->n->arena, h->server).any || *handler_of(h, h->server))
        return;
    for (const struct conf_node *l = conf_find(h->server, "location"); l; l = conf_find_next(l)) {
        const char *match, *path = location_path(l, &match);
        if (str_equal(path, "/") && str_starts(match, "prefix"))
            return;
    }
    state_block(h, h->server, "/", "prefix", "");
}

/* --- servers --- */

static const char *binding(struct nginx *n, const struct conf_node *listen)
{
    const char *text = conf_arg(listen, 0);
    if (str_starts(text, "unix:"))
        return text;
    uint64_t port;
    if (str_to_u64(text, &port))
        return arena_printf(n->arena, "*:%s", text);
    const char *colon = strrchr(text, ':'), *bracket = strrchr(text, ']');
    if (colon && (!bracket || colon > bracket))
        return str_starts(text, "0.0.0.0:") ? arena_printf(n->arena, "*%s", colon) : text;
    return arena_printf(n->arena, "%s:80", str_equal(text, "0.0.0.0") ? "*" : text);
}

static bool has_flag(const struct conf_node *listen, const char *flag)
{
    for (size_t i = 1; i < listen->arg_count; i++)
        if (str_equal(listen->args[i], flag))
            return true;
    return false;
}

static bool list_has(const struct str *list, const char *word)
{
    CLEANUP_STR struct str copy = {0};
    str_add(&copy, str_text(list));
    size_t before = copy.length;
    web_list_add(&copy, word);
    return copy.length == before && before;
}

/* The bindings that a server takes by saying so; the others belong to the first that has them. */
static void note_defaults(struct nginx *n, const struct conf_node *server)
{
    for (const struct conf_node *l = conf_find(server, "listen"); l; l = conf_find_next(l))
        if (has_flag(l, "default_server") || has_flag(l, "default"))
            web_list_add(&n->defaults, binding(n, l));
}

static void take_bindings(struct host *h, struct str *defaults)
{
    struct nginx *n = h->n;
    bool all_ssl = is_on(nginx_conf_in_force(h->server, "ssl"));
    const struct conf_node nothing = {.name = "listen"};
    const struct conf_node *l = conf_find(h->server, "listen");
    for (l = l ? l : &nothing; l; l = conf_find_next(l)) {
        const char *address = l == &nothing ? "*:80" : binding(n, l);
        bool ssl = all_ssl || has_flag(l, "ssl");
        const char *shown = ssl ? arena_printf(n->arena, "%s/ssl", address) : address;
        web_list_add(&h->bindings, shown);
        web_list_add(&n->listens, shown);
        bool claimed = list_has(&n->defaults, address);
        if (has_flag(l, "default_server") || has_flag(l, "default") ||
            (!claimed && !list_has(&n->seen, address)))
            web_list_add(defaults, shown);
        web_list_add(&n->seen, address);
    }
}

static void take_names(struct host *h)
{
    for (const struct conf_node *d = conf_find(h->server, "server_name"); d; d = conf_find_next(d))
        for (size_t i = 0; i < d->arg_count; i++)
            if (*d->args[i])
                web_list_add(&h->names, d->args[i]);
    const char *names = str_text(&h->names);
    h->name = arena_strndup(h->n->arena, names, strcspn(names, " "));
}

/* Of several, for clients of several kinds, the last. Their names begin where nginx.conf lies. */
static struct web_folder pem(const struct host *h, const char *directive)
{
    const struct conf_node *said = nginx_conf_in_force(h->server, directive);
    struct web_folder f = expand(h, said ? conf_arg(said, 0) : "");
    if (*f.path && *f.path != '$')
        f.path = conf_beneath(h->n->arena, FOLDER, f.path);
    return f;
}

static void state_server(struct nginx *n, const struct conf_node *server)
{
    struct host h = {.n = n, .server = server};
    CLEANUP_STR struct str defaults = {0};
    struct facts *facts = n->r.c->facts;
    take_bindings(&h, &defaults);
    take_names(&h);
    h.site =
        web_site_add(&n->w, server->path, server->line, str_text(&h.names), str_text(&h.bindings));
    if (h.site) {
        web_put_folder(&n->w, h.site, "root", folder_of(&h, server, "", "prefix"));
        web_put_certificate(&n->w, h.site, pem(&h, "ssl_certificate"),
                            pem(&h, "ssl_certificate_key"));
        fact_put(facts, h.site, "default", str_text(&defaults));
        fact_put(facts, h.site, "indexes",
                 is_on(nginx_conf_in_force(server, "autoindex")) ? "yes" : "no");
        state_logs(&h, server);
        state_locations(&h, server, "", "prefix", "");
        state_rest(&h);
        const char *handler = handler_of(&h, server);
        if (*handler)
            fact_put(facts, h.site, "handler", handler);
        fact_put(facts, h.site, "handlers", str_text(&h.handlers));
    }
    str_free(&h.bindings);
    str_free(&h.names);
    str_free(&h.handlers);
}

static void state_all(struct nginx *n, const struct conf_node *main)
{
    const struct conf_node *user = conf_find_last(main, "user");
    /* `nginx -V` names none; what configure takes then (auto/options, auto/unix) */
    n->w.user = user ? conf_arg(user, 0) : "nobody";
    n->w.group = user ? conf_arg(user, user->arg_count > 1) : "nogroup";
    CLEANUP_STR struct str modules = {0};
    for (const struct conf_node *m = conf_find(main, "load_module"); m; m = conf_find_next(m))
        web_list_add(&modules, conf_arg(m, 0));
    n->http = (struct conf_node *)conf_find(main, "http");
    if (n->http) {
        for (const struct conf_node *s = conf_find(n->http, "server"); s; s = conf_find_next(s))
            note_defaults(n, s);
        for (const struct conf_node *s = conf_find(n->http, "server"); s; s = conf_find_next(s))
            state_server(n, s);
    }
    web_server_add(&n->w, str_text(&n->listens), str_text(&modules));
}

void collect_nginx(struct collection *c)
{
    struct target_stat st;
    struct error e = ERROR_INIT;
    if (!target_stat(c->target, CONF, true, &st, &e) && e.code == ERR_ABSENT)
        return;
    struct nginx n = {.r = conf_reading_of(c, N_("site: nginx")), .arena = c->arena};
    n.w = (struct web_server){
        .r = &n.r, .server = "nginx", .instance = CONF, .program = "/usr/sbin/nginx"};
    struct conf_node *main = conf_add(&n.r, NULL, "main", CONF, 0);
    nginx_conf_read(&n.r, main, FOLDER, CONF);
    if (n.r.names.length)
        state_all(&n, main);
    str_free(&n.listens);
    str_free(&n.defaults);
    str_free(&n.seen);
    web_server_free(&n.w);
    conf_reading_free(&n.r);
}
