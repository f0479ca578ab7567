/* What a Solaris host starts: inetd.conf with the ports and RPC programs that it opens, and
 * the start files of its run levels. */
#include "collect/conf_lines.h"
#include "collect/inetd.h"
#include "collect/solaris.h"

enum {
    MOST_CONF = 1024 * 1024,
    MOST_LINE = 4096,
    MOST_ENTRIES = 5000,
    MOST_SCRIPT = 64 * 1024,
    MOST_SCRIPTS = 1000, /* of one run level */
    MOST_RUNS = 24       /* lines of one script */
};

struct reading {
    struct collection *c;
    struct inetd_names *services, *rpc;
    bool services_read, rpc_read; /* the files are there and were read */
    size_t entries, bad;
    uint64_t first_bad;
    bool complete;
};

/* /etc/services is a link to ./inet/services on Solaris; either may be missing. */
static bool read_names(struct collection *c, struct inetd_names *names, const char *path,
                       bool with_proto)
{
    size_t size = 0;
    char *text = collect_text(c, path, MOST_CONF, &size);
    if (!text)
        return false;
    CLEANUP_CONF_LINES struct conf_lines lines = conf_lines_of(text, size, CONF_PLAIN, MOST_LINE);
    for (char *line; (line = conf_lines_next(&lines));)
        inetd_names_add_line(names, line, with_proto);
    conf_lines_state(&lines, c->facts, N_("listener"), path);
    inetd_names_sort(names);
    return true;
}

static bool program_number(const struct reading *r, const struct inetd_entry *e, uint64_t *out)
{
    return str_to_u64(e->rpc_name, out) || inetd_names_find(r->rpc, e->rpc_name, "", out);
}

static bool port_number(const struct reading *r, const struct inetd_entry *e, const char *proto,
                        uint64_t *out)
{
    return (str_to_u64(e->service, out) && *out <= 65535) ||
           inetd_names_find(r->services, e->service, proto, out);
}

/* The network protocols of an entry; ticlts and ticots stay inside the host. */
static unsigned protocols(const struct inetd_entry *e, const char *out[2])
{
    const char *name = e->is_rpc ? e->proto + strlen("rpc/") : e->proto;
    unsigned count = 0;
    if (str_starts(name, "udp") || strstr(name, "datagram") || str_equal(name, "*"))
        out[count++] = "udp";
    if (str_starts(name, "tcp") || strstr(name, "circuit") || str_equal(name, "*"))
        out[count++] = "tcp";
    return count;
}

static void put_port(struct reading *r, struct fact *f, const struct inetd_entry *e,
                     const char *proto)
{
    struct facts *facts = r->c->facts;
    uint64_t number;
    if (e->is_rpc) {
        fact_put(facts, f, "port", ""); /* assigned by rpcbind when it starts */
        if (program_number(r, e, &number) || inetd_names_usual(e->rpc_name, "", &number))
            fact_put_number(facts, f, "rpc", (int64_t)number);
        else
            fact_put_state(facts, f, "rpc", VALUE_UNREADABLE,
                           r->rpc_read ? _("/etc/rpc does not name it")
                                       : _("/etc/rpc was not read"));
        fact_put(facts, f, "rpc_versions", e->versions);
        fact_put(facts, f, "reached_through", "111");
    } else if (port_number(r, e, proto, &number)) {
        fact_put_number(facts, f, "port", (int64_t)number);
    } else if (inetd_names_usual(e->service, proto, &number)) {
        fact_put_number(facts, f, "port", (int64_t)number);
        f->confidence = CONFIDENCE_MEDIUM; /* the host's own file does not say so */
    } else {
        fact_put_state(facts, f, "port", VALUE_UNREADABLE,
                       r->services_read ? _("/etc/services does not name it")
                                        : _("/etc/services was not read"));
    }
}

static void put_listener(struct reading *r, const struct inetd_entry *e, const char *proto,
                         const char *path, uint64_t line)
{
    struct facts *facts = r->c->facts;
    const char *slash = strrchr(e->server, '/');
    struct fact *f = facts_add(facts, "listener", path, line, -1, CONFIDENCE_HIGH);
    fact_put(facts, f, "proto", proto);
    fact_put(facts, f, "address", "*");
    put_port(r, f, e, proto);
    fact_put(facts, f, "family", str_ends(e->proto, "6") ? "ipv6" : "ipv4");
    fact_put(facts, f, "scope", "any");
    fact_put(facts, f, "process", slash ? slash + 1 : "inetd");
    fact_put(facts, f, "executable", slash ? e->server : "/usr/sbin/inetd");
    fact_put(facts, f, "user", e->user);
    fact_put(facts, f, "service", e->service);
    fact_put(facts, f, "from", "inetd.conf");
}

static void put_entry(struct reading *r, const struct inetd_entry *e, const char *path,
                      uint64_t line)
{
    struct facts *facts = r->c->facts;
    struct fact *f = facts_add(facts, "inetd", path, line, -1, CONFIDENCE_HIGH);
    fact_put(facts, f, "service", e->service);
    fact_put(facts, f, "state", e->commented ? "commented" : "active");
    fact_put(facts, f, "socket", e->socket);
    fact_put(facts, f, "proto", e->proto);
    fact_put(facts, f, "wait", e->wait);
    fact_put(facts, f, "user", e->user);
    fact_put(facts, f, "server", e->server);
    fact_put(facts, f, "args", e->args);
    fact_put_number(facts, f, "line", (int64_t)line);
    const char *found[2];
    unsigned count = protocols(e, found);
    uint64_t number;
    if (e->is_rpc && program_number(r, e, &number))
        fact_put_number(facts, f, "rpc", (int64_t)number);
    if (!e->is_rpc && count && port_number(r, e, found[0], &number))
        fact_put_number(facts, f, "port", (int64_t)number);
    for (unsigned i = 0; i < count && !e->commented; i++)
        put_listener(r, e, found[i], path, line);
}

static void read_inetd(struct reading *r, const char *path)
{
    struct collection *c = r->c;
    size_t size = 0;
    bool lost = false;
    char *text = collect_text_of(c, N_("inetd"), path, MOST_CONF, &size, &lost);
    r->complete &= !lost;
    if (!text)
        return;
    CLEANUP_CONF_LINES struct conf_lines lines = conf_lines_of(text, size, CONF_PLAIN, MOST_LINE);
    for (char *line; (line = conf_lines_next(&lines));) {
        struct inetd_entry entry;
        enum inetd_line kind = inetd_parse_line(&entry, c->arena, line);
        if (kind == INETD_ENTRY && r->entries < MOST_ENTRIES) {
            r->entries++;
            put_entry(r, &entry, path, lines.line);
        } else if (kind != INETD_NOTHING && !r->bad++) {
            r->first_bad = lines.line;
        }
    }
    conf_lines_state(&lines, c->facts, N_("inetd"), path);
    r->complete &= !lines.too_long && !lines.with_nul && !r->bad;
    if (r->bad)
        facts_unread(
            c->facts, N_("inetd"), path,
            arena_printf(c->arena,
                         ngettext("%zu line is no service (line %llu)",
                                  "%zu lines are no services (the first is line %llu)", r->bad),
                         r->bad, (unsigned long long)r->first_bad));
    r->bad = 0;
}

/* /etc/inetd.conf is a link to ./inet/inetd.conf; where both are files of their own, both
 * count, for either may be the one that inetd was started with. */
static bool same_file(struct collection *c, const char *a, const char *b)
{
    struct target_stat x, y;
    return target_stat(c->target, a, true, &x, NULL) && target_stat(c->target, b, true, &y, NULL) &&
           x.inode == y.inode && x.size == y.size && x.mtime == y.mtime;
}

static void put_complete(struct collection *c, const char *of, size_t found, const char *path)
{
    struct fact *f = facts_add(c->facts, "complete", path, 0, -1, CONFIDENCE_HIGH);
    fact_put(c->facts, f, "of", of);
    fact_put_number(c->facts, f, "found", (int64_t)found);
}

static void read_all_inetd(struct reading *r)
{
    static const char first[] = "/etc/inetd.conf", second[] = "/etc/inet/inetd.conf";
    read_inetd(r, first);
    if (!same_file(r->c, first, second))
        read_inetd(r, second);
    if (r->complete)
        put_complete(r->c, "inetd", r->entries, first);
}

/* Whether a line of a shell script names an absolute path outside a comment. */
static bool names_path(const char *line)
{
    if (*line == '#' || !*line)
        return false;
    for (const char *at = line; (at = strchr(at, '/')); at++)
        if ((at == line || strchr(" \t\"'`(;|&=<>", at[-1])) &&
            (str_is_digit(at[1]) || (str_lower(at[1]) >= 'a' && str_lower(at[1]) <= 'z') ||
             at[1] == '.'))
            return true;
    return false;
}

static void put_rpcbind(struct collection *c, const char *path, uint64_t line)
{
    static const char *const protos[] = {"tcp", "udp"};
    for (size_t i = 0; i < ARRAY_COUNT(protos); i++) {
        struct fact *f = facts_add(c->facts, "listener", path, line, -1, CONFIDENCE_MEDIUM);
        fact_put(c->facts, f, "proto", protos[i]);
        fact_put(c->facts, f, "address", "*");
        fact_put(c->facts, f, "port", "111");
        fact_put(c->facts, f, "family", "ipv4");
        fact_put(c->facts, f, "scope", "any");
        fact_put(c->facts, f, "process", "rpcbind");
        fact_put(c->facts, f, "executable", "/usr/sbin/rpcbind");
        fact_put(c->facts, f, "user", "root");
        fact_put(c->facts, f, "service", "sunrpc");
        fact_put(c->facts, f, "from", "rc");
    }
}

/* Returns false if the script could not be read; its fact says so. */
static bool read_script(struct collection *c, const char *level, const char *path, const char *name)
{
    struct fact *f = facts_add(c->facts, "rc", path, 0, -1, CONFIDENCE_HIGH);
    fact_put(c->facts, f, "path", path);
    fact_put(c->facts, f, "level", level);
    fact_put(c->facts, f, "name", name);
    CLEANUP_FREE char *data = NULL;
    size_t size = 0;
    struct error e = ERROR_INIT;
    if (!target_read(c->target, path, MOST_SCRIPT, &data, &size, &e)) {
        fact_put_state(c->facts, f, "runs", VALUE_UNREADABLE, e.message);
        facts_unread(c->facts, N_("rc"), path, e.message);
        return false;
    }
    CLEANUP_CONF_LINES struct conf_lines lines =
        conf_lines_of(data, size, CONF_BACKSLASH, MOST_LINE);
    CLEANUP_STR struct str runs = {0};
    uint64_t rpcbind = 0;
    size_t count = 0;
    for (char *line; (line = conf_lines_next(&lines));) {
        line = str_trim(line);
        if (!names_path(line))
            continue;
        if (!rpcbind && strstr(line, "/usr/sbin/rpcbind"))
            rpcbind = lines.line;
        /* What lies under /dev and /tmp is never passed over for being far down. */
        if (count++ < MOST_RUNS || strstr(line, "/dev/cu") || strstr(line, "/tmp/"))
            str_printf(&runs, "%s%.400s", runs.length ? "\n" : "", line);
    }
    fact_put(c->facts, f, "runs", str_text(&runs));
    conf_lines_state(&lines, c->facts, N_("rc"), path);
    if (rpcbind)
        put_rpcbind(c, path, rpcbind);
    return !lines.too_long && !lines.with_nul;
}

static bool read_level(struct collection *c, const char *level, size_t *found)
{
    const char *dir = arena_printf(c->arena, "/etc/rc%s.d", level);
    struct target_entry *entries;
    bool lost = false;
    size_t count = collect_list(c, N_("rc"), dir, &entries, &lost);
    bool complete = !lost;
    size_t scripts = 0;
    for (size_t i = 0; i < count; i++) {
        const char *name = entries[i].name;
        if (name[0] != 'S' || entries[i].type == TARGET_DIR)
            continue;
        if (scripts++ == MOST_SCRIPTS) {
            facts_unread(c->facts, N_("rc"), dir,
                         _("more than 1000 start files: the rest was not read"));
            return false;
        }
        complete &= read_script(c, level, arena_printf(c->arena, "%s/%s", dir, name), name);
    }
    *found += scripts;
    return complete;
}

/* An RPC service of inetd is reached through rpcbind. Where no start file starts it (the worm
 * puts its own S71rpc in the place of that one), the active line says that it runs. */
static void put_missing_rpcbind(struct collection *c)
{
    for (const struct fact *f = facts_first(c->facts, "listener"); f;
         f = facts_next(c->facts, "listener", f))
        if (str_equal(fact_text(f, "port"), "111"))
            return;
    for (const struct fact *f = facts_first(c->facts, "inetd"); f;
         f = facts_next(c->facts, "inetd", f)) {
        if (str_equal(fact_text(f, "state"), "active") && fact_value(f, "rpc")) {
            put_rpcbind(c, f->path, f->line);
            return;
        }
    }
}

void collect_solaris_services(struct collection *c)
{
    static const char *const levels[] = {"S", "1", "2", "3"};
    if (!solaris_begin(c))
        return;
    CLEANUP(inetd_names_cleanup) struct inetd_names *services = inetd_names_new();
    CLEANUP(inetd_names_cleanup) struct inetd_names *rpc = inetd_names_new();
    struct reading r = {.c = c, .services = services, .rpc = rpc, .complete = true};
    r.services_read = read_names(c, services, "/etc/services", true) ||
                      read_names(c, services, "/etc/inet/services", true);
    r.rpc_read = read_names(c, rpc, "/etc/rpc", false);
    read_all_inetd(&r);
    bool complete = true;
    size_t found = 0;
    for (size_t i = 0; i < ARRAY_COUNT(levels); i++)
        complete &= read_level(c, levels[i], &found);
    put_missing_rpcbind(c);
    if (complete)
        put_complete(c, "rc", found, "/etc");
}
