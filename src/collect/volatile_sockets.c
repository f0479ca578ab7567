/* The sockets of this network namespace, and of every other one, with their processes.
 *
 * The text of /proc/PID/net is read and not sock_diag(7): it is there for other namespaces, too,
 * without entering them, and says who is on the other side. Its columns are those of proc(5). Which
 * Unix sockets there are the kernel is asked by number as well (of this namespace): their names may
 * have line breaks.
 *
 * The kernel walks through one hash table for all namespaces: each costs as much as the first (4 ms
 * measured). A host full of containers has no time for them before the cut, and the sockets of a
 * container outlive it. */
#include "base/str.h"
#include "collect/sock_diag.h"
#include "collect/volatile_internal.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum {
    MOST_TABLE_BYTES = 64 << 20,
    MOST_DESCRIPTORS = 100000,
    FIRST_DESCRIPTORS = 1024, /* of each process, before more of any */
    AT_ONCE = 64,             /* descriptors between two looks at the clock */
    MOST_NAMESPACES = 256,
    MOST_OWNERS = 64
};

struct owner {
    unsigned long inode;
    uint32_t pid;
    int fd;
};

struct sockets {
    struct volatile_reader *r;
    VEC(struct owner) owners;
    VEC(uint32_t) large; /* processes with more descriptors */
    int64_t least_ms;    /* that have to be left for the sockets themselves */
    size_t unowned;      /* processes that were not looked at in that time */
    struct {
        char name[32]; /* "net:[4026531840]" */
        uint32_t pid;  /* one that is in it */
    } spaces[MOST_NAMESPACES];
    size_t space_count;
    const char *space;         /* of the table that is read */
    VEC(unsigned long) inodes; /* of all its lines so far; of Unix sockets before they are told */
    VEC(unsigned long) unix_inodes; /* by sock_diag(7) */
    bool knows_unix;                /* these are all that there are */
};

static void free_sockets(struct sockets *s)
{
    VEC_FREE(&s->owners);
    VEC_FREE(&s->large);
    VEC_FREE(&s->inodes);
    VEC_FREE(&s->unix_inodes);
}

/* Somebody who has millions of descriptors open must not hide the sockets themselves. */
static bool is_late(const struct sockets *s)
{
    return volatile_left_ms(s->r) < s->least_ms;
}

/* Of a process the descriptors from `first` on; true: there are more of them. */
static bool find_owners(struct sockets *s, uint32_t pid, size_t first, size_t most)
{
    char path[32];
    snprintf(path, sizeof path, "%u/fd", pid);
    int fd = openat(s->r->proc_fd, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *dir = fd >= 0 ? fdopendir(fd) : NULL;
    if (!dir) {
        char what[40];
        snprintf(what, sizeof what, "/proc/%s", path);
        if (errno != ENOENT && errno != ESRCH)
            volatile_unread(s->r, what, strerror(errno));
        if (fd >= 0)
            close(fd);
        return false;
    }
    size_t count = 0;
    bool late = false;
    const struct dirent *d;
    while (!late && count < most && (d = readdir(dir))) {
        char to[64];
        unsigned long inode;
        if (++count % AT_ONCE == 0) {
            volatile_alive(s->r);
            late = is_late(s);
        }
        ssize_t n = count > first ? readlinkat(fd, d->d_name, to, sizeof to - 1) : -1;
        if (n < 0)
            continue;
        to[n] = '\0';
        if (sscanf(to, "socket:[%lu]", &inode) == 1)
            VEC_PUSH(&s->owners, ((struct owner){inode, pid, atoi(d->d_name)}));
    }
    closedir(dir);
    s->unowned += late;
    return count == most;
}

static void find_space(struct sockets *s, uint32_t pid)
{
    char path[32], to[32];
    snprintf(path, sizeof path, "%u/ns/net", pid);
    ssize_t n = readlinkat(s->r->proc_fd, path, to, sizeof to - 1);
    if (n < 0)
        return;
    to[n] = '\0';
    for (size_t i = 0; i < s->space_count; i++)
        if (str_equal(s->spaces[i].name, to))
            return;
    if (s->space_count == MOST_NAMESPACES)
        return;
    snprintf(s->spaces[s->space_count].name, sizeof to, "%s", to);
    s->spaces[s->space_count++].pid = pid;
}

static int by_number(const void *a, const void *b)
{
    const unsigned long *x = a, *y = b;
    return *x < *y ? -1 : *x > *y;
}

/* Where the first of this number, or of the next higher one, is in an ascending list. */
static size_t find_number(const unsigned long *list, size_t count, unsigned long number)
{
    size_t low = 0, high = count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (list[middle] < number)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static void note_unix(void *context, const struct sock_diag_unix *socket)
{
    struct sockets *s = context;
    VEC_PUSH(&s->unix_inodes, socket->inode);
}

/* Asked before and after the text is read: what lived only in between was nobody's for long. */
static void ask_for_unix(struct sockets *s)
{
    s->knows_unix =
        s->r->diag_fd >= 0 && sock_diag_dump_unix(s->r->diag_fd, ~0U, note_unix, s, NULL);
}

/* Two sockets never have one inode: at least one of the lines was made up, by a line break in the
 * path of a Unix socket; and so was one that the kernel has no socket to. */
static bool is_doubtful(const struct sockets *s, unsigned long inode)
{
    size_t at = find_number(s->inodes.items, s->inodes.count, inode);
    size_t known = find_number(s->unix_inodes.items, s->unix_inodes.count, inode);
    bool twice = at + 1 < s->inodes.count && s->inodes.items[at + 1] == inode;
    bool unknown =
        s->knows_unix && (known == s->unix_inodes.count || s->unix_inodes.items[known] != inode);
    return inode && (twice || unknown);
}

static int by_inode(const void *a, const void *b)
{
    const struct owner *x = a, *y = b;
    if (x->inode != y->inode)
        return x->inode < y->inode ? -1 : 1;
    return (x->pid > y->pid) - (x->pid < y->pid);
}

static void put_owners(struct sockets *s, json_t *o, unsigned long inode)
{
    size_t low = 0, high = s->owners.count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (s->owners.items[middle].inode < inode)
            low = middle + 1;
        else
            high = middle;
    }
    json_t *list = json_array();
    for (size_t i = low; inode && i < s->owners.count && s->owners.items[i].inode == inode &&
                         json_array_size(list) < MOST_OWNERS;
         i++) {
        json_t *owner = json_object();
        json_put_int(owner, "pid", s->owners.items[i].pid);
        json_put_int(owner, "fd", s->owners.items[i].fd);
        json_array_append_new(list, owner);
    }
    json_object_set_new(o, "processes", list);
}

/* Words of the machine's byte order. */
static bool put_address(json_t *o, const char *key, const char *hex, unsigned port)
{
    uint8_t address[16];
    char text[INET6_ADDRSTRLEN] = "", both[INET6_ADDRSTRLEN + 16];
    size_t words = strlen(hex) / 8;
    if (words != 1 && words != 4)
        return false;
    for (size_t i = 0; i < words; i++) {
        char word[9] = "";
        uint64_t value;
        memcpy(word, hex + 8 * i, 8);
        if (!str_hex_to_u64(word, &value))
            return false;
        uint32_t native = (uint32_t)value;
        memcpy(address + 4 * i, &native, 4);
    }
    inet_ntop(words == 1 ? AF_INET : AF_INET6, address, text, sizeof text);
    snprintf(both, sizeof both, words == 1 ? "%s:%u" : "[%s]:%u", text, port);
    json_put_string(o, key, both);
    return true;
}

/* include/net/tcp_states.h; sockets of UDP use two of them */
static const char *state_name(unsigned state)
{
    static const char *const names[] = {
        "?",     "ESTABLISHED", "SYN_SENT", "SYN_RECV", "FIN_WAIT1", "FIN_WAIT2",   "TIME_WAIT",
        "CLOSE", "CLOSE_WAIT",  "LAST_ACK", "LISTEN",   "CLOSING",   "NEW_SYN_RECV"};
    return names[state < ARRAY_COUNT(names) ? state : 0];
}

static bool inet_line(struct sockets *s, const char *proto, const char *line)
{
    char local[40], remote[40];
    unsigned local_port, remote_port, state, uid;
    unsigned long inode;
    if (sscanf(line, " %*u: %39[0-9A-Fa-f]:%4x %39[0-9A-Fa-f]:%4x %2x %*s %*s %*s %u %*s %lu",
               local, &local_port, remote, &remote_port, &state, &uid, &inode) != 7)
        return false;
    CLEANUP_JSON json_t *o = json_object();
    json_put_string(o, "proto", proto);
    if (!put_address(o, "local", local, local_port) ||
        !put_address(o, "remote", remote, remote_port))
        return false;
    json_put_string(o, "state", state_name(state));
    json_put_int(o, "uid", uid);
    json_put_int(o, "inode", (int64_t)inode);
    json_put_string(o, "net", s->space);
    put_owners(s, o, inode);
    volatile_line(s->r, json_incref(o));
    VEC_PUSH(&s->inodes, inode);
    return true;
}

#define UNIX_LINE "%*x: %*x %*x %lx %x %x %lu%n"

static void note_unix_inodes(struct sockets *s, const char *text, size_t size)
{
    size_t position = 0, length;
    const char *line;
    while (str_next_line(text, size, &position, &line, &length)) {
        char copy[128];
        unsigned long flags, inode;
        unsigned type, state;
        int end;
        snprintf(copy, sizeof copy, "%.*s", (int)(length < 127 ? length : 127), line);
        if (sscanf(copy, UNIX_LINE, &flags, &type, &state, &inode, &end) == 4)
            VEC_PUSH(&s->inodes, inode);
    }
    if (s->inodes.count)
        qsort(s->inodes.items, s->inodes.count, sizeof *s->inodes.items, by_number);
}

static bool unix_line(struct sockets *s, const char *proto, const char *line)
{
    unsigned long flags, inode;
    unsigned type, state;
    int end = 0;
    if (sscanf(line, UNIX_LINE, &flags, &type, &state, &inode, &end) != 4)
        return false;
    json_t *o = json_object();
    json_put_string(o, "proto", proto);
    json_put_string(o, "state",
                    flags & 0x10000 ? "LISTEN"
                    : state == 3    ? "CONNECTED"
                                    : "UNCONNECTED");
    json_put_string(o, "type", type == 1 ? "stream" : type == 2 ? "dgram" : "seqpacket");
    if (line[end] == ' ' && line[end + 1])
        json_put_string(o, "path", line + end + 1);
    if (is_doubtful(s, inode))
        json_put_bool(o, "doubtful", true);
    json_put_int(o, "inode", (int64_t)inode);
    json_put_string(o, "net", s->space);
    put_owners(s, o, inode);
    volatile_line(s->r, o);
    return true;
}

static bool packet_line(struct sockets *s, const char *proto, const char *line)
{
    unsigned type, protocol, uid;
    int interface;
    unsigned long inode;
    if (sscanf(line, "%*x %*d %u %x %d %*d %*u %u %lu", &type, &protocol, &interface, &uid,
               &inode) != 5)
        return false;
    json_t *o = json_object();
    json_put_string(o, "proto", proto);
    json_put_int(o, "ethernet_type", protocol);
    json_put_int(o, "interface", interface);
    json_put_int(o, "uid", uid);
    json_put_int(o, "inode", (int64_t)inode);
    json_put_string(o, "net", s->space);
    put_owners(s, o, inode);
    volatile_line(s->r, o);
    VEC_PUSH(&s->inodes, inode);
    return true;
}

static const struct table {
    const char *name;
    bool (*line)(struct sockets *s, const char *proto, const char *line);
} tables[] = {{"tcp", inet_line},  {"tcp6", inet_line},    {"udp", inet_line},
              {"udp6", inet_line}, {"udplite", inet_line}, {"udplite6", inet_line},
              {"raw", inet_line},  {"raw6", inet_line},    {"packet", packet_line},
              {"unix", unix_line}};

static void read_table(struct sockets *s, const struct table *t, uint32_t pid)
{
    CLEANUP_ARENA struct arena *arena = arena_new();
    char path[48], what[64];
    size_t size = 0, position = 0, length, bad = 0;
    bool cut = false, heading = true;
    const char *line;
    snprintf(path, sizeof path, "%u/net/%s", pid, t->name);
    snprintf(what, sizeof what, "/proc/%s", path);
    bool asks = t->line == unix_line && s->space == s->spaces[0].name;
    s->unix_inodes.count = 0;
    s->knows_unix = false;
    if (asks)
        ask_for_unix(s);
    const char *text = volatile_file(s->r, path, MOST_TABLE_BYTES, arena, &size, &cut);
    if (!text && errno != ENOENT)
        volatile_unread(s->r, what, strerror(errno));
    if (s->knows_unix)
        ask_for_unix(s);
    if (s->knows_unix && s->unix_inodes.count)
        qsort(s->unix_inodes.items, s->unix_inodes.count, sizeof *s->unix_inodes.items, by_number);
    if (text && t->line == unix_line)
        note_unix_inodes(s, text, size);
    while (text && str_next_line(text, size, &position, &line, &length)) {
        char copy[512];
        snprintf(copy, sizeof copy, "%.*s", (int)(length < 511 ? length : 511), line);
        bad += !heading && *copy && !t->line(s, t->name, copy);
        heading = false;
    }
    if (bad)
        volatile_unread(s->r, what, _("some lines of it make no sense"));
    if (cut)
        volatile_unread(s->r, what, _("it is longer than 64 MiB; the rest is left out"));
}

static void read_space(struct sockets *s, size_t space)
{
    s->space = s->spaces[space].name;
    s->inodes.count = 0;
    for (size_t k = 0; k < ARRAY_COUNT(tables); k++)
        read_table(s, &tables[k], s->spaces[space].pid);
    volatile_alive(s->r);
}

/* Our own namespace is the first. */
static void find_all(struct sockets *s, bool others)
{
    struct volatile_reader *r = s->r;
    s->least_ms = volatile_left_ms(r) / 3 * 2;
    find_space(s, (uint32_t)getpid());
    for (size_t i = 0; i < r->pid_count; i++) {
        volatile_alive(r);
        if (others)
            find_space(s, r->pids[i]);
        if (is_late(s))
            s->unowned++;
        else if (find_owners(s, r->pids[i], 0, FIRST_DESCRIPTORS))
            VEC_PUSH(&s->large, r->pids[i]);
    }
    for (size_t i = 0; i < s->large.count; i++)
        if (is_late(s))
            s->unowned++;
        else
            (void)find_owners(s, s->large.items[i], FIRST_DESCRIPTORS, MOST_DESCRIPTORS);
    if (s->unowned) {
        char why[160];
        snprintf(why, sizeof why,
                 _("there was no time to see which sockets are those of %zu processes"),
                 s->unowned);
        volatile_unread(r, "/proc/PID/fd", why);
    }
    if (s->owners.count)
        qsort(s->owners.items, s->owners.count, sizeof *s->owners.items, by_inode);
}

void volatile_sockets(struct volatile_reader *r)
{
    CLEANUP(free_sockets) struct sockets s = {.r = r};
    find_all(&s, false);
    if (s.space_count)
        read_space(&s, 0);
}

void volatile_other_sockets(struct volatile_reader *r)
{
    CLEANUP(free_sockets) struct sockets s = {.r = r};
    find_all(&s, true);
    if (s.space_count == MOST_NAMESPACES)
        volatile_unread(r, "/proc/PID/ns/net", _("there are more than 256 network namespaces"));
    for (size_t i = 1; i < s.space_count; i++)
        read_space(&s, i);
}
