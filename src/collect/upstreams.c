/* The programs behind the web servers of this host: as whom they run who answer what a server hands
 * on (proxy_pass and its like, ProxyPass, fastcgi.server).
 *
 * A socket is found in the kernel's tables (sock_diag.h) by its port, or by the file that it was
 * bound to, so that neither links on the way nor a relative name matter; whose it is, by the links
 * in /proc/PID/fd as in listeners.c. A master that is root holds the socket as its workers do
 * (nginx, Apache, php-fpm, gunicorn), or hands on what it accepts to children of the same program
 * that hold none (cluster of node): whom they run as is said beside. */
#include "collect/upstreams.h"

#include "base/str.h"
#include "collect/collect.h"
#include "collect/proc.h"
#include "collect/sock_diag.h"
#include "collect/web_site.h"

#include <stdio.h>
#include <stdlib.h>

enum { MOST_UPSTREAMS = 1000, MOST_FOUND = 20000, MOST_PASSWD_BYTES = 4 << 20 };

static const char programs[] = N_("upstream: programs behind the web servers");

/* --- the texts --- */

static bool take_port(struct upstream *u, const char *text, uint64_t otherwise)
{
    uint64_t port = otherwise;
    if (*text == ':' && !str_to_u64(text + 1, &port))
        return false;
    u->port = (uint16_t)port;
    return port > 0 && port <= UINT16_MAX && (*text == ':' || !*text);
}

/* "127.0.0.1:3000": false where it is not loopback. */
static bool take_host(struct upstream *u, const char *text, uint64_t otherwise)
{
    static const char v6[] = "[::1]", name[] = "localhost";
    if (str_starts(text, v6)) {
        u->ipv6 = true;
        return take_port(u, text + strlen(v6), otherwise);
    }
    u->ipv4 = true;
    if (str_starts(text, "127."))
        return take_port(u, text + strcspn(text, ":"), otherwise);
    u->ipv6 = true;
    return str_starts_nocase(text, name) && take_port(u, text + strlen(name), otherwise);
}

/* One of a group: "http://127.0.0.1:3000/path", "unix:/run/app.sock:/path". */
static bool take_one(struct upstream *u, char *text, const char *scheme, struct arena *arena)
{
    *u = (struct upstream){0};
    if (str_starts(text, "unix:")) {
        char *path = text + strlen("unix:");
        path[strcspn(path, "|:")] = '\0';
        u->path = arena_strdup(arena, path);
        u->address = arena_printf(arena, "unix:%s", path);
        return *path == '/';
    }
    text[strcspn(text, "/")] = '\0';
    uint64_t otherwise = str_equal_nocase(scheme, "http")    ? 80
                         : str_equal_nocase(scheme, "https") ? 443
                         : str_equal_nocase(scheme, "ajp")   ? 8009
                                                             : 0;
    if (!take_host(u, text, otherwise))
        return false;
    u->address = arena_printf(arena, "%.*s:%u",
                              *text == '[' ? (int)strlen("[::1]") : (int)strcspn(text, ":"), text,
                              (unsigned)u->port);
    return true;
}

/* Behind "proxy:" and its like. */
static void take_handler(const char *handler, const char *rest, struct arena *arena,
                         void (*visit)(void *context, const struct upstream *u), void *context)
{
    char *copy = arena_strdup(arena, rest), *save = NULL;
    const char *scheme = "";
    if (strchr(rest, '$') || str_starts_nocase(rest, "balancer:")) {
        visit(context, &(struct upstream){.address = handler});
        return;
    }
    char *behind = strstr(copy, "://");
    if (behind && strcspn(copy, "|,/:") == (size_t)(behind - copy)) {
        *behind = '\0';
        scheme = copy;
        copy = behind + strlen("://");
    }
    for (char *one = strtok_r(copy, ",", &save); one; one = strtok_r(NULL, ",", &save)) {
        struct upstream u;
        if (take_one(&u, one, scheme, arena))
            visit(context, &u);
    }
}

void upstreams_of(const char *handlers, struct arena *arena,
                  void (*visit)(void *context, const struct upstream *u), void *context)
{
    static const char *const kinds[] = {"proxy:", "fastcgi:", "uwsgi:", "scgi:", "grpc:"};
    char *save = NULL;
    for (char *word = strtok_r(arena_strdup(arena, handlers), " ", &save); word;
         word = strtok_r(NULL, " ", &save))
        for (size_t i = 0; i < ARRAY_COUNT(kinds); i++)
            if (str_starts(word, kinds[i]))
                take_handler(word, word + strlen(kinds[i]), arena, visit, context);
}

/* --- their sockets, and whose these are --- */

struct asked {
    struct upstream u;
    const char *server;
    uint32_t file;         /* number of the socket's file; 0: none */
    VEC(uint32_t) holders; /* processes, ascending */
};

struct found {
    uint32_t inode;
    size_t asked; /* index */
};

struct search {
    struct collection *c;
    const char *server;
    VEC(struct asked) list;
    VEC(struct found) sockets;
    bool too_many;
    uint32_t pid; /* that is looked at */
};

static void free_search(struct search *s)
{
    for (size_t i = 0; i < s->list.count; i++)
        VEC_FREE(&s->list.items[i].holders);
    VEC_FREE(&s->list);
    VEC_FREE(&s->sockets);
}

static void ask(void *context, const struct upstream *u)
{
    struct search *s = context;
    struct target_stat st;
    struct asked one = {.u = *u, .server = s->server};
    for (size_t i = 0; i < s->list.count; i++)
        if (str_equal(s->list.items[i].u.address, u->address))
            return;
    if (s->list.count == MOST_UPSTREAMS) {
        s->too_many = true;
        return;
    }
    if (!u->path && !u->port)
        facts_unread(s->c->facts, programs, u->address,
                     _("where it leads is told by more than this line"));
    if (u->path && target_stat(s->c->target, u->path, true, &st, NULL))
        one.file = (uint32_t)st.inode; /* as the kernel's tables have it */
    VEC_PUSH(&s->list, one);
}

static void note(struct search *s, size_t asked, uint32_t inode)
{
    if (s->sockets.count == MOST_FOUND)
        s->too_many = true;
    else if (inode)
        VEC_PUSH(&s->sockets, ((struct found){inode, asked}));
}

static const char *last_part(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

/* Files of two file systems may have one number: the name has to be the same. */
static void see_unix(void *context, const struct sock_diag_unix *socket)
{
    struct search *s = context;
    for (size_t i = 0; i < s->list.count; i++) {
        const struct asked *a = &s->list.items[i];
        if (a->file && a->file == socket->file &&
            str_equal(last_part(a->u.path), last_part(socket->name)))
            note(s, i, socket->inode);
    }
}

static void see_tcp(void *context, const struct sock_diag_socket *socket)
{
    static const uint8_t zero[16], mapped[12] = {[10] = 0xff, [11] = 0xff},
                                   loopback6[16] = {[15] = 1};
    struct search *s = context;
    const uint8_t *a = socket->address, *a4 = socket->ipv6 ? a + 12 : a;
    bool v4 = !socket->ipv6 || memcmp(a, mapped, sizeof mapped) == 0;
    bool any = memcmp(v4 ? a4 : a, zero, v4 ? 4 : 16) == 0;
    bool by_ipv4 = v4 ? any || a4[0] == 127 : any && socket->v6only != 1;
    bool by_ipv6 = !v4 && (any || memcmp(a, loopback6, sizeof loopback6) == 0);
    for (size_t i = 0; i < s->list.count; i++) {
        const struct upstream *u = &s->list.items[i].u;
        if (u->port == socket->port && ((u->ipv4 && by_ipv4) || (u->ipv6 && by_ipv6)))
            note(s, i, socket->inode);
    }
}

static bool find_sockets(struct search *s, struct error *e)
{
    int fd = s->c->netlink_fd;
    return sock_diag_dump_unix(fd, 1u << SOCK_DIAG_LISTEN, see_unix, s, e) &&
           sock_diag_dump(fd, false, false, 1u << SOCK_DIAG_LISTEN, see_tcp, s, e) &&
           sock_diag_dump(fd, true, false, 1u << SOCK_DIAG_LISTEN, see_tcp, s, e);
}

static void note_holder(void *context, uint32_t inode)
{
    struct search *s = context;
    for (size_t i = 0; i < s->sockets.count; i++) {
        struct asked *a = &s->list.items[s->sockets.items[i].asked];
        if (s->sockets.items[i].inode == inode &&
            (!a->holders.count || a->holders.items[a->holders.count - 1] != s->pid))
            VEC_PUSH(&a->holders, s->pid);
    }
}

/* --- what is said --- */

struct seen {
    struct proc_family family;
    const char *passwd;
};

/* It opens sockets for others, who take them over. */
static bool is_init(const struct proc *p)
{
    return str_equal(last_part(p->executable), "systemd");
}

/* Others than the process' own: of whoever holds its socket, and of its children. */
static void add_workers(struct str *users, const struct search *s, struct seen *seen,
                        const struct asked *a, const struct proc *p)
{
    struct proc other;
    for (size_t i = 0; i < a->holders.count; i++)
        if (proc_read(s->c, seen->family.proc_fd, a->holders.items[i], &other) &&
            other.uid != p->uid && !is_init(&other))
            web_list_add(users, proc_user(s->c->arena, seen->passwd, other.uid));
    proc_workers(users, s->c, &seen->family, seen->passwd, p);
}

/* Of a container nothing is said: who is root in there may be nobody out here. */
static void state(struct search *s, struct seen *seen, const struct asked *a)
{
    struct facts *facts = s->c->facts;
    struct proc p, first = {.pid = 0};
    CLEANUP_STR struct str workers = {0};
    for (size_t i = 0; i < a->holders.count && (!first.pid || is_init(&first)); i++)
        if (proc_read(s->c, seen->family.proc_fd, a->holders.items[i], &p) && !p.container)
            first = p;
    if (!first.pid)
        return;
    add_workers(&workers, s, seen, a, &first);
    struct fact *f =
        facts_add(facts, "upstream", arena_printf(s->c->arena, "/proc/%u/fd", first.pid), 0, -1,
                  CONFIDENCE_HIGH);
    fact_put(facts, f, "server", a->server);
    fact_put(facts, f, "address", a->u.address);
    fact_put(facts, f, "process", first.name);
    fact_put_number(facts, f, "pid", first.pid);
    fact_put(facts, f, "executable", first.executable);
    fact_put(facts, f, "user", proc_user(s->c->arena, seen->passwd, first.uid));
    if (workers.length)
        fact_put(facts, f, "workers", str_text(&workers));
    fact_put(facts, f, "service", first.unit);
}

void collect_upstreams(struct collection *c)
{
    CLEANUP(free_search) struct search s = {.c = c};
    struct error e = ERROR_INIT;
    uint32_t *pids = NULL;
    size_t count = 0, size = 0;
    for (const struct fact *f = facts_first(c->facts, "site"); f;
         f = facts_next(c->facts, "site", f)) {
        s.server = fact_text(f, "server");
        upstreams_of(fact_text(f, "handlers"), c->arena, ask, &s);
    }
    if (!s.list.count)
        return;
    if (!find_sockets(&s, &e))
        facts_unread(c->facts, programs, "/proc/net", e.message);
    if (s.too_many)
        facts_unread(c->facts, programs, "/proc/net", _("there are too many"));
    CLEANUP_CLOSE int proc_fd = -1;
    if (!s.sockets.count || !proc_begin(c, &proc_fd, &pids, &count))
        return;
    for (size_t i = 0; i < count; i++) {
        s.pid = pids[i];
        (void)!proc_each_socket(proc_fd, s.pid, note_holder, &s, &e);
    }
    struct seen seen = {{.proc_fd = proc_fd, .pids = pids, .count = count},
                        collect_text(c, "/etc/passwd", MOST_PASSWD_BYTES, &size)};
    for (size_t i = 0; i < s.list.count; i++)
        state(&s, &seen, &s.list.items[i]);
}
