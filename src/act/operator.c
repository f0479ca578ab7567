#include "act/operator.h"

#include "base/file.h"
#include "base/mem.h"
#include "base/str.h"
#include "collect/proc.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <fcntl.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <net/if_arp.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

enum {
    MOST_PARENTS = 64,
    MOST_HOPS = 4,
    MOST_STAT_BYTES = 4096,
    /* Documentation/admin-guide/devices.txt */
    MAJOR_TTY = 4,
    MAJOR_CONSOLE = 5,
    MAJOR_PTS_FIRST = 136,
    MAJOR_PTS_LAST = 143,
    MAJOR_SERIAL_FIRST = 204,
    MAJOR_SERIAL_LAST = 208,
    MAJOR_HVC = 229
};

struct process {
    uint32_t pid, parent;
    dev_t terminal; /* 0: none */
    uint64_t since_ms;
    char name[32];
};

struct search {
    int proc_fd;
    const struct connections *all;
    struct operator* op;
};

static bool read_process(int proc_fd, uint32_t pid, struct process *out)
{
    CLEANUP_FREE char *text = NULL;
    size_t size;
    struct proc_stat s;
    if (!proc_read_file(proc_fd, pid, "stat", MOST_STAT_BYTES, &text, &size, NULL) ||
        !proc_parse_stat(text, &s))
        return false;
    *out = (struct process){
        .pid = pid,
        .parent = (uint32_t)s.parent,
        .terminal = s.terminal ? makedev(s.terminal >> 8 & 0xfff,
                                         (s.terminal & 0xff) | (s.terminal >> 12 & 0xfff00))
                               : 0,
        .since_ms = s.start_ticks * 1000 / (unsigned long)sysconf(_SC_CLK_TCK)};
    snprintf(out->name, sizeof out->name, "%.31s", s.name);
    return true;
}

static bool is_listened_on(const struct connections *all, const struct connection *c)
{
    for (size_t i = 0; i < all->count; i++) {
        const struct connection *l = &all->items[i];
        if (!l->udp && l->state == CONNECTION_LISTEN && l->local_port == c->local_port &&
            (address_is_any(&l->local) || address_equal(&l->local, &c->local)))
            return true;
    }
    return false;
}

static const struct connection *other_end(const struct connections *all, const struct connection *c)
{
    for (size_t i = 0; i < all->count; i++)
        if (all->items[i].state != CONNECTION_LISTEN && connection_is_other_end(&all->items[i], c))
            return &all->items[i];
    return NULL;
}

/* Of the sockets that one process holds: the established ones that fit. */
struct holding {
    const struct search *search;
    bool accepted; /* only those that were accepted here; else only those with the outside */
    const struct connection *found[OPERATOR_MOST_WAYS];
    size_t count;
};

static void hold(void *context, uint32_t inode)
{
    struct holding *h = context;
    const struct connections *all = h->search->all;
    for (size_t i = 0; i < all->count; i++) {
        const struct connection *c = &all->items[i];
        if (c->inode != inode || c->udp || c->state != CONNECTION_ESTABLISHED)
            continue;
        if (h->accepted ? !is_listened_on(all, c) : other_end(all, c) != NULL)
            continue;
        for (size_t k = 0; k < h->count; k++)
            if (h->found[k] == c)
                return; /* the same socket under a second number */
        if (h->count < ARRAY_COUNT(h->found))
            h->found[h->count++] = c;
    }
}

static struct holding held_by(const struct search *s, uint32_t pid, bool accepted)
{
    struct holding h = {.search = s, .accepted = accepted};
    proc_each_socket(s->proc_fd, pid, hold, &h, NULL);
    return h;
}

static void hidden(struct search *s, const char *why, const char *what, size_t count)
{
    s->op->seat = OPERATOR_HIDDEN;
    snprintf(s->op->why, sizeof s->op->why, why, what, count);
}

/* Calls `visit` with every process; it returns false to end that. */
static void each_process(const struct search *s, bool (*visit)(void *context, uint32_t pid),
                         void *context)
{
    DIR *dir = file_list(s->proc_fd, ".");
    const struct dirent *d;
    uint64_t pid;
    size_t count = 0;
    while (dir && count++ < PROC_MOST && (d = readdir(dir)))
        if (str_to_u64(d->d_name, &pid) && pid > 0 && pid < UINT32_MAX &&
            !visit(context, (uint32_t)pid))
            break;
    if (dir)
        closedir(dir);
}

struct holder_search {
    const struct search *search;
    uint32_t inode, pid;
    bool here;
};

static void is_it(void *context, uint32_t inode)
{
    struct holder_search *h = context;
    h->here |= inode == h->inode;
}

static bool look_for_holder(void *context, uint32_t pid)
{
    struct holder_search *h = context;
    proc_each_socket(h->search->proc_fd, pid, is_it, h, NULL);
    if (h->here)
        h->pid = pid;
    return !h->here;
}

/* Of a tunnel, the packets that carry it have other addresses than those that are in it. */
static void find_tunnel(struct operator_way *w)
{
    struct ifaddrs *list = NULL;
    char name[sizeof w->tunnel] = "";
    if (getifaddrs(&list) != 0)
        return;
    for (const struct ifaddrs *i = list; i; i = i->ifa_next)
        if (address_is(&w->connection.local, i->ifa_addr))
            snprintf(name, sizeof name, "%s", i->ifa_name);
    freeifaddrs(list);
    struct ifreq request = {0};
    CLEANUP_CLOSE int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    snprintf(request.ifr_name, sizeof request.ifr_name, "%s", name);
    if (!name[0] || fd < 0 || ioctl(fd, SIOCGIFHWADDR, &request) != 0)
        return;
    switch (request.ifr_hwaddr.sa_family) {
    case ARPHRD_NONE: /* tun, WireGuard */
    case ARPHRD_PPP:
    case ARPHRD_TUNNEL:
    case ARPHRD_TUNNEL6:
    case ARPHRD_SIT:
    case ARPHRD_IPGRE:
    case 823: /* ARPHRD_IP6GRE, linux/if_arp.h */
        memcpy(w->tunnel, name, sizeof w->tunnel);
        break;
    default:
        break;
    }
}

static void add_way(struct search *s, const struct connection *c, uint64_t since_ms, bool made_here)
{
    struct operator* op = s->op;
    for (size_t i = 0; i < op->way_count; i++)
        if (connection_equal(&op->ways[i].connection, c))
            return;
    if (op->way_count == OPERATOR_MOST_WAYS)
        return;
    struct operator_way *w = &op->ways[op->way_count++];
    *w = (struct operator_way){.connection = *c, .since_ms = since_ms, .made_here = made_here};
    find_tunnel(w);
    op->seat = OPERATOR_NETWORK;
}

/* From the connection of a session to that which comes from outside; a proxy may stand behind
 * another one. */
static void follow_outside(struct search *s, const struct connection *c, uint64_t since_ms)
{
    bool made_here = false;
    for (size_t hop = 0; hop < MOST_HOPS; hop++) {
        const struct connection *end = other_end(s->all, c);
        if (!end) {
            if (address_is_loopback(&c->remote))
                hidden(s,
                       _("your connection comes from this host itself, and its other end is "
                         "not to be found"),
                       "", 0);
            else
                add_way(s, c, since_ms, made_here);
            return;
        }
        struct holder_search holder = {.search = s, .inode = end->inode};
        struct process p;
        if (end->inode)
            each_process(s, look_for_holder, &holder);
        if (!holder.pid || !read_process(s->proc_fd, holder.pid, &p)) {
            hidden(s,
                   _("your connection comes from this host itself, and the process at its "
                     "other end cannot be seen"),
                   "", 0);
            return;
        }
        snprintf(s->op->through, sizeof s->op->through, "%s", p.name);
        /* a chain of proxies on this host: what one holds towards the next is no outside */
        struct holding out = held_by(s, holder.pid, false);
        struct holding in = held_by(s, holder.pid, true);
        if (out.count == 1) {
            c = out.found[0];
            made_here = !is_listened_on(s->all, c);
        } else if (out.count == 0 && in.count == 1 && in.found[0] != end) {
            c = in.found[0];
        } else {
            hidden(s,
                   _("you came through %s, which has %zu connections: which is yours cannot be "
                     "told"),
                   p.name, out.count ? out.count : in.count);
            return;
        }
    }
    hidden(s, _("you came through too many proxies on this host"), "", 0);
}

/* When the session over this connection began: sshd forks for each, and again once somebody has
 * logged in; the first of those who hold it counts. */
static uint64_t session_since(const struct search *s, const struct process *holder,
                              const struct connection *c)
{
    struct process p = *holder;
    uint64_t since_ms = p.since_ms;
    for (size_t i = 0; i < MOST_PARENTS && read_process(s->proc_fd, p.parent, &p); i++) {
        struct holding h = held_by(s, p.pid, true);
        if (h.count != 1 || h.found[0] != c)
            break;
        since_ms = p.since_ms;
    }
    return since_ms;
}

/* The nearest of this process and those above it that holds a connection which was accepted
 * here. */
static bool follow_parents(struct search *s, uint32_t pid)
{
    struct process p;
    for (size_t i = 0; i < MOST_PARENTS && pid > 1 && read_process(s->proc_fd, pid, &p); i++) {
        struct holding h = held_by(s, pid, true);
        if (h.count > 1) {
            hidden(s,
                   _("you came through %s, which has %zu connections: which is yours cannot be "
                     "told"),
                   p.name, h.count);
            return true;
        }
        if (h.count == 1) {
            follow_outside(s, h.found[0], session_since(s, &p, h.found[0]));
            return true;
        }
        pid = p.parent;
    }
    return false;
}

static bool is_pts(dev_t d)
{
    return major(d) >= MAJOR_PTS_FIRST && major(d) <= MAJOR_PTS_LAST;
}

struct lookers {
    struct search *search;
    dev_t own;
    dev_t terminals[32];
    size_t count;
    char name[32]; /* of the process that has them */
};

static bool add_terminals(struct lookers *l, uint32_t pid)
{
    char path[48];
    size_t before = l->count;
    snprintf(path, sizeof path, "%u/fd", pid);
    DIR *dir = file_list(l->search->proc_fd, path);
    const struct dirent *d;
    while (dir && (d = readdir(dir)) && l->count < ARRAY_COUNT(l->terminals)) {
        struct stat st;
        if (fstatat(dirfd(dir), d->d_name, &st, 0) == 0 && S_ISCHR(st.st_mode) &&
            is_pts(st.st_rdev) && st.st_rdev != l->own)
            l->terminals[l->count++] = st.st_rdev;
    }
    if (dir)
        closedir(dir);
    return l->count > before;
}

/* The terminals that a multiplexer has open are those of the people who look at it; so does sudo,
 * with the one it was called on, and that leads on to the multiplexer. */
static void find_terminals(struct lookers *l, uint32_t pid)
{
    struct process p;
    for (size_t i = 0; i < MOST_PARENTS && pid > 1 && read_process(l->search->proc_fd, pid, &p);
         i++) {
        if (add_terminals(l, pid) || !l->name[0])
            snprintf(l->name, sizeof l->name, "%s", p.name);
        pid = p.parent;
    }
}

static bool follow_looker(void *context, uint32_t pid)
{
    const struct lookers *l = context;
    struct process p;
    if (!read_process(l->search->proc_fd, pid, &p) || !p.terminal)
        return true;
    for (size_t i = 0; i < l->count; i++)
        if (l->terminals[i] == p.terminal) {
            follow_parents(l->search, pid);
            break;
        }
    return l->search->op->seat != OPERATOR_HIDDEN;
}

/* "CLIENT PORT SERVER PORT", sshd(8). */
static void try_environment(struct search *s)
{
    const char *text = getenv("SSH_CONNECTION");
    char remote[INET6_ADDRSTRLEN], local[INET6_ADDRSTRLEN];
    unsigned remote_port, local_port;
    if (!text || sscanf(text, "%45s %u %45s %u", remote, &remote_port, local, &local_port) != 4)
        return;
    for (size_t i = 0; i < s->all->count; i++) {
        const struct connection *c = &s->all->items[i];
        char here[INET6_ADDRSTRLEN], there[INET6_ADDRSTRLEN];
        if (!c->udp && c->state == CONNECTION_ESTABLISHED && c->local_port == local_port &&
            c->remote_port == remote_port && str_equal(address_text(&c->local, here), local) &&
            str_equal(address_text(&c->remote, there), remote)) {
            follow_outside(s, c, 0);
            return;
        }
    }
}

static void name_terminal(struct operator* op, dev_t d)
{
    unsigned m = major(d), n = minor(d);
    if (is_pts(d))
        snprintf(op->terminal, sizeof op->terminal, "pts/%u", n + (m - MAJOR_PTS_FIRST) * 256);
    else if (m == MAJOR_TTY && n < 64)
        snprintf(op->terminal, sizeof op->terminal, "tty%u", n);
    else if (m == MAJOR_TTY)
        snprintf(op->terminal, sizeof op->terminal, "ttyS%u", n - 64);
    else if (m == MAJOR_HVC)
        snprintf(op->terminal, sizeof op->terminal, "hvc%u", n);
    else
        snprintf(op->terminal, sizeof op->terminal, "%s", m == MAJOR_CONSOLE ? "console" : "tty");
}

static bool is_console(dev_t d)
{
    unsigned m = major(d);
    return m == MAJOR_TTY || m == MAJOR_CONSOLE || m == MAJOR_HVC ||
           (m >= MAJOR_SERIAL_FIRST && m <= MAJOR_SERIAL_LAST);
}

static void find_user(struct operator* op)
{
    uint64_t number;
    const char *sudo = getenv("SUDO_UID");
    char text[24] = "";
    FILE *f = fopen("/proc/self/loginuid", "re");
    if (f) {
        if (!fgets(text, sizeof text, f))
            text[0] = '\0';
        fclose(f);
    }
    op->uid = getuid();
    /* the kernel's own mark of who logged in; 4294967295 is nobody */
    if (str_to_u64(text, &number) && number < UINT32_MAX)
        op->uid = (uid_t)number;
    else if (op->uid == 0 && sudo && str_to_u64(sudo, &number) && number < UINT32_MAX)
        op->uid = (uid_t)number;
    const struct passwd *p = NULL;
    f = fopen("/etc/passwd", "re");
    while (f && (p = fgetpwent(f)) && p->pw_uid != op->uid)
        continue;
    op->local = p != NULL;
    if (p)
        snprintf(op->user, sizeof op->user, "%s", p->pw_name);
    else if ((p = getpwuid(op->uid)))
        snprintf(op->user, sizeof op->user, "%s", p->pw_name);
    if (f)
        fclose(f);
}

bool operator_find(struct operator* out, const struct connections *all, struct error *e)
{
    struct operator op = {0};
    struct process self;
    CLEANUP_CLOSE int proc_fd = open("/proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    struct search s = {.proc_fd = proc_fd, .all = all, .op = &op};
    if (proc_fd < 0 || !read_process(proc_fd, (uint32_t)getpid(), &self)) {
        error_set(e, ERR_UNREADABLE, "/proc cannot be read: who you are cannot be told");
        return false;
    }
    find_user(&op);
    if (self.terminal)
        name_terminal(&op, self.terminal);
    if (!follow_parents(&s, self.pid)) {
        struct lookers l = {.search = &s, .own = self.terminal};
        /* `su USER -c` and setsid take it away, and those above still have it */
        if (!self.terminal || is_pts(self.terminal)) {
            find_terminals(&l, self.pid);
            if (l.count)
                each_process(&s, follow_looker, &l);
            if (op.seat == OPERATOR_NETWORK && !op.through[0])
                memcpy(op.through, l.name, sizeof op.through);
        }
        if (op.seat == OPERATOR_NOWHERE)
            try_environment(&s);
        if (op.seat == OPERATOR_NOWHERE && is_console(self.terminal))
            op.seat = OPERATOR_CONSOLE;
        else if (op.seat == OPERATOR_NOWHERE && (self.terminal || l.count))
            hidden(&s, _("your terminal was made by %s, and who looks at it cannot be told"),
                   l.name, 0);
    }
    *out = op;
    return true;
}
