/* The sockets on which this host waits for others, and whose they are.
 *
 * The kernel's own tables (sock_diag.h) name sockets by inode; which process has one open is
 * found by the links /proc/PID/fd/N -> "socket:[INODE]" (proc(5)). Several processes that share
 * a socket (a master and its workers) are told by the lowest id. A socket whose process cannot
 * be seen (it belongs to the kernel, or to another user) is stated without one. */
#include "base/str.h"
#include "collect/collect.h"
#include "collect/dpkg_files.h"
#include "collect/proc.h"
#include "collect/sock_diag.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

enum {
    MOST_SOCKETS = 20000,
    MOST_PROC_NET_BYTES = 16 << 20,
    MOST_MAPS_BYTES = 16 << 20,
    MOST_PASSWD_BYTES = 4 << 20
};

struct entry {
    struct sock_diag_socket socket;
    uint32_t pid; /* 0 = not found */
};

struct sockets {
    VEC(struct entry) list;
    bool too_many;
};

static void free_sockets(struct sockets *s)
{
    VEC_FREE(&s->list);
}

static void keep_socket(void *context, const struct sock_diag_socket *socket)
{
    struct sockets *s = context;
    if (socket->udp && socket->port == 0)
        return;
    if (s->list.count >= MOST_SOCKETS) {
        s->too_many = true;
        return;
    }
    VEC_PUSH(&s->list, ((struct entry){.socket = *socket}));
}

/* False where it could not be read: that is stated. */
static bool read_table(struct collection *c, struct sockets *s, bool ipv6, bool udp)
{
    struct error e = ERROR_INIT;
    size_t before = s->list.count, size = 0;
    if (c->netlink_fd >= 0 &&
        sock_diag_dump(c->netlink_fd, ipv6, udp, 1u << (udp ? SOCK_DIAG_CLOSE : SOCK_DIAG_LISTEN),
                       keep_socket, s, &e))
        return true;
    s->list.count = before;
    const char *path =
        arena_printf(c->arena, "/proc/net/%s%s", udp ? "udp" : "tcp", ipv6 ? "6" : "");
    CLEANUP_FREE char *text = NULL;
    struct error second = ERROR_INIT;
    if (target_read(c->target, path, MOST_PROC_NET_BYTES, &text, &size, &second)) {
        uint64_t bad = sock_diag_parse_proc(text, size, ipv6, udp, keep_socket, s);
        if (bad)
            facts_unread(c->facts, N_("listening sockets"), path,
                         _("some lines of it make no sense"));
        return !bad;
    }
    if (ipv6 && second.code == ERR_ABSENT)
        return true; /* a kernel without IPv6 has no tcp6 */
    facts_unread(c->facts, N_("listening sockets"), path,
                 c->netlink_fd >= 0 ? e.message : second.message);
    return false;
}

static int by_inode(const void *a, const void *b)
{
    uint32_t x = ((const struct entry *)a)->socket.inode;
    uint32_t y = ((const struct entry *)b)->socket.inode;
    return (x > y) - (x < y);
}

static struct entry *find_inode(struct sockets *s, uint32_t inode)
{
    struct entry wanted = {.socket = {.inode = inode}};
    return bsearch(&wanted, s->list.items, s->list.count, sizeof wanted, by_inode);
}

struct matching {
    struct sockets *sockets;
    uint32_t pid;
    size_t open; /* sockets without a process so far */
};

static void match_socket(void *context, uint32_t inode)
{
    struct matching *m = context;
    struct entry *entry = find_inode(m->sockets, inode);
    if (!entry || entry->pid)
        return;
    entry->pid = m->pid;
    m->open--;
}

static void match_processes(struct collection *c, int proc_fd, struct sockets *s)
{
    uint32_t *pids = NULL;
    size_t count = 0;
    bool denied = false;
    struct matching m = {.sockets = s};
    qsort(s->list.items, s->list.count, sizeof *s->list.items, by_inode);
    for (size_t i = 0; i < s->list.count; i++)
        m.open += s->list.items[i].socket.inode != 0;
    if (!m.open || !proc_list(c, &pids, &count))
        return;
    for (size_t i = 0; i < count && m.open; i++) {
        struct error e = ERROR_INIT;
        m.pid = pids[i];
        if (!proc_each_socket(proc_fd, pids[i], match_socket, &m, &e))
            denied = denied || (e.code != ERR_ABSENT && e.sys_errno != ESRCH);
    }
    if (m.open && denied)
        facts_unread(
            c->facts, N_("which process listens"), "/proc",
            arena_printf(c->arena,
                         ngettext("the process of %zu socket cannot be seen; only root may "
                                  "look at those of others",
                                  "the processes of %zu sockets cannot be seen; only root "
                                  "may look at those of others",
                                  m.open),
                         m.open));
}

struct shown {
    const char *address, *family, *scope;
};

static struct shown show_address(struct arena *arena, const struct sock_diag_socket *s)
{
    static const uint8_t zero[16], mapped[12] = {[10] = 0xff, [11] = 0xff};
    static const uint8_t loopback6[16] = {[15] = 1};
    const uint8_t *a = s->address;
    bool v4 = !s->ipv6 || memcmp(a, mapped, 12) == 0; /* ::ffff:1.2.3.4 is IPv4 */
    const uint8_t *a4 = s->ipv6 ? a + 12 : a;
    char text[INET6_ADDRSTRLEN] = "";
    inet_ntop(v4 ? AF_INET : AF_INET6, v4 ? a4 : a, text, sizeof text);
    bool any = memcmp(v4 ? a4 : a, zero, v4 ? 4 : 16) == 0;
    bool loopback = v4 ? a4[0] == 127 : memcmp(a, loopback6, 16) == 0;
    return (struct shown){any ? "*" : arena_strdup(arena, text), v4 ? "ipv4" : "ipv6",
                          any        ? "any"
                          : loopback ? "loopback"
                                     : "address"};
}

static bool same_place(const struct entry *a, const struct entry *b)
{
    const struct sock_diag_socket *x = &a->socket, *y = &b->socket;
    return x->ipv6 == y->ipv6 && x->udp == y->udp && x->port == y->port && a->pid == b->pid &&
           memcmp(x->address, y->address, sizeof x->address) == 0;
}

static int by_place(const void *a, const void *b)
{
    const struct entry *x = a, *y = b;
    int order = (int)x->socket.port - (int)y->socket.port;
    if (!order)
        order = (int)x->socket.udp - (int)y->socket.udp;
    if (!order)
        order = (int)x->socket.ipv6 - (int)y->socket.ipv6;
    if (!order)
        order = memcmp(x->socket.address, y->socket.address, sizeof x->socket.address);
    return order ? order : (x->pid > y->pid) - (x->pid < y->pid);
}

static void state_listener(struct collection *c, const struct entry *entry, const struct proc *p,
                           const char *package, const char *passwd)
{
    struct facts *facts = c->facts;
    const struct sock_diag_socket *s = &entry->socket;
    struct shown shown = show_address(c->arena, s);
    struct fact *f = facts_add(
        facts, "listener",
        arena_printf(c->arena, "/proc/net/%s%s", s->udp ? "udp" : "tcp", s->ipv6 ? "6" : ""), 0, -1,
        CONFIDENCE_HIGH);
    fact_put(facts, f, "proto", s->udp ? "udp" : "tcp");
    fact_put(facts, f, "address", shown.address);
    fact_put_number(facts, f, "port", s->port);
    fact_put(facts, f, "family", shown.family);
    fact_put(facts, f, "scope", shown.scope);
    if (s->v6only >= 0 && str_equal(shown.family, "ipv6"))
        fact_put(facts, f, "v6only", s->v6only ? "yes" : "no");
    if (!p) {
        fact_put_state(facts, f, "process", VALUE_UNREADABLE,
                       _("no process that can be seen has this socket open"));
    } else {
        fact_put(facts, f, "process", p->name);
        fact_put_number(facts, f, "pid", p->pid);
        fact_put(facts, f, "executable", p->executable);
        fact_put(facts, f, "package", package);
        fact_put(facts, f, "service", p->unit);
        if (p->container)
            fact_put(facts, f, "inside", "container");
    }
    fact_put(facts, f, "user", proc_user(c->arena, passwd, p ? p->uid : s->uid));
    fact_put(facts, f, "from", "live");
}

struct questions {
    struct arena *arena;
    VEC(const char *) paths;
};

static void free_questions(struct questions *q)
{
    VEC_FREE(&q->paths);
}

static void add_question(void *context, const char *path, size_t length, bool deleted)
{
    struct questions *q = context;
    (void)deleted;
    VEC_PUSH(&q->paths, (const char *)arena_strndup(q->arena, path, length));
}

/* The owners of the programs, in the order of the sockets. What collect_processes() will ask
 * about the same processes is asked with it, so that dpkg's lists are searched once for both. */
static const char **find_owners(struct collection *c, int proc_fd, const struct proc *procs,
                                size_t count)
{
    CLEANUP(free_questions) struct questions q = {.arena = c->arena};
    for (size_t i = 0; i < count; i++)
        VEC_PUSH(&q.paths, procs[i].pid && !procs[i].container ? procs[i].executable : "");
    for (size_t i = 0; c->cache && i < count; i++) {
        CLEANUP_FREE char *text = NULL;
        size_t size = 0;
        if (*q.paths.items[i] && (!i || procs[i].pid != procs[i - 1].pid) &&
            proc_read_file(proc_fd, procs[i].pid, "maps", MOST_MAPS_BYTES, &text, &size, NULL))
            proc_parse_maps(text, size, add_question, &q);
    }
    const char **owners = arena_alloc(c->arena, (q.paths.count + 1) * sizeof *owners);
    dpkg_owners(c, q.paths.items, q.paths.count, owners);
    return owners;
}

void collect_listeners(struct collection *c)
{
    CLEANUP(free_sockets) struct sockets s = {0};
    size_t size = 0;
    bool whole = true;
    for (int i = 0; i < 4; i++)
        whole &= read_table(c, &s, i & 1, i & 2);
    if (s.too_many)
        facts_unread(c->facts, N_("listening sockets"), "/proc/net",
                     _("there are more than 20,000"));
    if (whole && !s.too_many) {
        struct fact *f = facts_add(c->facts, "complete", "/proc/net", 0, -1, CONFIDENCE_HIGH);
        fact_put(c->facts, f, "of", "listener");
        fact_put_number(c->facts, f, "found", (int64_t)s.list.count);
    }
    if (!s.list.count)
        return;
    struct error e = ERROR_INIT;
    CLEANUP_CLOSE int proc_fd = proc_open(c, &e);
    if (proc_fd < 0)
        facts_unread(c->facts, N_("which process listens"), "/proc", e.message);
    else
        match_processes(c, proc_fd, &s);
    qsort(s.list.items, s.list.count, sizeof *s.list.items, by_place);
    const char *passwd = collect_text(c, "/etc/passwd", MOST_PASSWD_BYTES, &size);
    size_t count = s.list.count;
    struct proc *procs = arena_alloc(c->arena, count * sizeof *procs);
    for (size_t i = 0; i < count; i++) {
        uint32_t pid = s.list.items[i].pid;
        if (i && pid && procs[i - 1].pid == pid)
            procs[i] = procs[i - 1];
        else if (pid && !proc_read(c, proc_fd, pid, &procs[i]))
            s.list.items[i].pid = procs[i].pid = 0;
    }
    const char **owners = find_owners(c, proc_fd, procs, count);
    for (size_t i = 0; i < count; i++)
        if (!i || !same_place(&s.list.items[i - 1], &s.list.items[i]))
            state_listener(c, &s.list.items[i], procs[i].pid ? &procs[i] : NULL, owners[i], passwd);
}
