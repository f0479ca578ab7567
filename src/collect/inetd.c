#include "collect/inetd.h"

#include "collect/conf_lines.h"

#include <stdlib.h>

enum { MOST_NAMES = 50000 };

static bool one_of(const char *word, const char *const *list, size_t count, bool as_prefix)
{
    for (size_t i = 0; i < count; i++)
        if (as_prefix ? str_starts(word, list[i]) : str_equal(word, list[i]))
            return true;
    return false;
}

/* The words that can stand in the second, third and fourth place: they tell a service that was
 * commented out from a sentence. */
static bool is_entry(const struct inetd_entry *e)
{
    static const char *const sockets[] = {"stream",    "dgram", "raw", "rdm",
                                          "seqpacket", "tli",   "xti"};
    static const char *const protos[] = {"tcp", "udp", "rpc/", "ticlts", "ticots", "sctp"};
    static const char *const waits[] = {"wait", "nowait"};
    return one_of(e->socket, sockets, ARRAY_COUNT(sockets), false) &&
           one_of(e->proto, protos, ARRAY_COUNT(protos), true) &&
           one_of(e->wait, waits, ARRAY_COUNT(waits), true);
}

static void read_rpc(struct inetd_entry *e, struct arena *arena)
{
    e->is_rpc = str_starts(e->proto, "rpc/");
    e->rpc_name = e->versions = "";
    if (!e->is_rpc)
        return;
    size_t length = strcspn(e->service, "/");
    e->rpc_name = arena_strndup(arena, e->service, length);
    e->versions = e->service[length] ? e->service + length + 1 : "";
}

enum inetd_line inetd_parse_line(struct inetd_entry *out, struct arena *arena, char *line)
{
    struct inetd_entry e = {0};
    while (str_is_space(*line))
        line++;
    if (!*line)
        return INETD_NOTHING;
    if (*line == '#') {
        e.commented = true;
        line += strspn(line, "# \t");
    }
    const char **fields[] = {&e.service, &e.socket, &e.proto, &e.wait, &e.user, &e.server};
    for (size_t i = 0; i < ARRAY_COUNT(fields); i++)
        if (!(*fields[i] = conf_lines_word(&line)))
            return e.commented ? INETD_NOTHING : INETD_BAD;
    if (!is_entry(&e))
        return e.commented ? INETD_NOTHING : INETD_BAD;
    CLEANUP_STR struct str args = {0};
    for (char *word; (word = conf_lines_word(&line));)
        str_printf(&args, "%s%s", args.length ? " " : "", word);
    e.args = arena_strdup(arena, str_text(&args));
    read_rpc(&e, arena);
    *out = e;
    return INETD_ENTRY;
}

struct name {
    const char *name;
    char proto[8];
    uint64_t number;
    size_t order;
};

struct inetd_names {
    struct arena *arena;
    VEC(struct name) list;
};

struct inetd_names *inetd_names_new(void)
{
    struct inetd_names *names = mem_alloc(sizeof *names);
    names->arena = arena_new();
    return names;
}

void inetd_names_free(struct inetd_names *names)
{
    if (!names)
        return;
    VEC_FREE(&names->list);
    arena_free(names->arena);
    free(names);
}

void inetd_names_cleanup(struct inetd_names **names)
{
    inetd_names_free(*names);
}

static void add(struct inetd_names *names, const char *name, const char *proto, uint64_t number)
{
    if (names->list.count >= MOST_NAMES || strlen(name) > 255)
        return;
    struct name n = {
        .name = arena_strdup(names->arena, name), .number = number, .order = names->list.count};
    memcpy(n.proto, proto, strlen(proto));
    VEC_PUSH(&names->list, n);
}

void inetd_names_add_line(struct inetd_names *names, char *line, bool with_proto)
{
    line[strcspn(line, "#")] = '\0';
    char *name = conf_lines_word(&line), *number = name ? conf_lines_word(&line) : NULL;
    if (!number)
        return;
    char *proto = number + strlen(number);
    if (with_proto) {
        proto = strchr(number, '/');
        if (!proto || strlen(proto + 1) > 7)
            return;
        *proto++ = '\0';
    }
    uint64_t value;
    if (!str_to_u64(number, &value) || value > (with_proto ? 65535 : UINT32_MAX))
        return;
    add(names, name, proto, value);
    for (char *alias; (alias = conf_lines_word(&line));)
        add(names, alias, proto, value);
}

static int by_name(const void *a, const void *b)
{
    const struct name *x = a, *y = b;
    int c = strcmp(x->name, y->name);
    if (!c)
        c = strcmp(x->proto, y->proto);
    return c ? c : (x->order > y->order) - (x->order < y->order);
}

void inetd_names_sort(struct inetd_names *names)
{
    if (names->list.count)
        qsort(names->list.items, names->list.count, sizeof *names->list.items, by_name);
}

bool inetd_names_find(const struct inetd_names *names, const char *name, const char *proto,
                      uint64_t *out)
{
    size_t low = 0, high = names->list.count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        const struct name *n = &names->list.items[middle];
        int c = strcmp(n->name, name);
        if (!c)
            c = strcmp(n->proto, proto);
        if (c < 0)
            low = middle + 1;
        else
            high = middle;
    }
    if (low == names->list.count || !str_equal(names->list.items[low].name, name) ||
        !str_equal(names->list.items[low].proto, proto))
        return false;
    *out = names->list.items[low].number;
    return true;
}

/* What Solaris 2.5 to 9 has in inetd.conf, and the shells that attackers put there. */
bool inetd_names_usual(const char *name, const char *proto, uint64_t *out)
{
    static const struct {
        const char *name, *proto; /* both: tcp and udp */
        uint64_t number;
    } usual[] = {
        {"echo", "both", 7},      {"discard", "both", 9},      {"systat", "tcp", 11},
        {"daytime", "both", 13},  {"netstat", "tcp", 15},      {"chargen", "both", 19},
        {"ftp", "tcp", 21},       {"telnet", "tcp", 23},       {"smtp", "tcp", 25},
        {"time", "both", 37},     {"name", "udp", 42},         {"tftp", "udp", 69},
        {"finger", "tcp", 79},    {"http", "tcp", 80},         {"pop3", "tcp", 110},
        {"imap", "tcp", 143},     {"exec", "tcp", 512},        {"biff", "udp", 512},
        {"comsat", "udp", 512},   {"login", "tcp", 513},       {"who", "udp", 513},
        {"shell", "tcp", 514},    {"syslog", "udp", 514},      {"printer", "tcp", 515},
        {"talk", "udp", 517},     {"ntalk", "udp", 518},       {"uucp", "tcp", 540},
        {"pcserver", "tcp", 600}, {"ingreslock", "tcp", 1524}, {"dtspc", "tcp", 6112},
        {"fs", "tcp", 7100},      {"rstatd", "", 100001},      {"rusersd", "", 100002},
        {"nfs", "", 100003},      {"mountd", "", 100005},      {"walld", "", 100008},
        {"rquotad", "", 100011},  {"sprayd", "", 100012},      {"rexd", "", 100017},
        {"nlockmgr", "", 100021}, {"status", "", 100024},      {"ypupdated", "", 100028},
        {"cmsd", "", 100068},     {"ttdbserverd", "", 100083}, {"sadmind", "", 100232},
    };
    for (size_t i = 0; i < ARRAY_COUNT(usual); i++) {
        bool fits = str_equal(usual[i].proto, "both") ? *proto : str_equal(usual[i].proto, proto);
        if (fits && str_equal(usual[i].name, name)) {
            *out = usual[i].number;
            return true;
        }
    }
    return false;
}
