#include "collect/saved_rules.h"

#include "base/str.h"

#include <stdlib.h>

enum {
    MOST_WORDS = 64,
    MOST_DEPTH = 16,
    MOST_FORWARDS = 4096,
    MOST_PORTS = 1024,
    MOST_STATEMENT = 4096
};

void saved_rules_free(struct saved_rules *rules)
{
    VEC_FREE(&rules->forwards);
}

static void start(struct saved_rules *out)
{
    *out = (struct saved_rules){.policy = ""};
}

struct words {
    const char *items[MOST_WORDS];
    size_t count;
};

static void split(struct words *w, struct arena *arena, const char *text, size_t length)
{
    char *save = NULL, *copy = arena_strndup(arena, text, length);
    w->count = 0;
    for (char *word = strtok_r(copy, " \t\r", &save); word && w->count < MOST_WORDS;
         word = strtok_r(NULL, " \t\r", &save))
        w->items[w->count++] = word;
}

static size_t find(const struct words *w, const char *word)
{
    for (size_t i = 0; i < w->count; i++)
        if (str_equal(w->items[i], word))
            return i;
    return SIZE_MAX;
}

/* What stands `steps` words behind a word, or "". */
static const char *behind(const struct words *w, const char *word, size_t steps)
{
    size_t i = find(w, word);
    return i != SIZE_MAX && i + steps < w->count ? w->items[i + steps] : "";
}

static const char *lower_copy(struct arena *arena, const char *text)
{
    char *copy = arena_strdup(arena, text);
    str_lower_all(copy);
    return copy;
}

static void add_forward(struct saved_rules *out, struct saved_forward f)
{
    if (*f.to && *f.ports && out->forwards.count < MOST_FORWARDS)
        VEC_PUSH(&out->forwards, f);
}

/* --- iptables-save --- */

static void iptables_rule(struct saved_rules *out, const struct words *w, uint64_t number,
                          bool filter)
{
    const char *chain = behind(w, "-A", 1), *target = behind(w, "-j", 1);
    if (str_equal(target, "DNAT")) {
        const char *ports = behind(w, "--dport", 1);
        if (!*ports)
            ports = behind(w, "--dports", 1);
        add_forward(out, (struct saved_forward){behind(w, "-p", 1), behind(w, "-d", 1), ports,
                                                behind(w, "--to-destination", 1), number});
    }
    if (!filter)
        return;
    if (str_starts(chain, "f2b-") || str_starts(target, "f2b-")) {
        out->ban_rules++;
    } else if (str_equal(chain, "INPUT")) {
        out->input_rules++;
        bool closes = str_equal(target, "DROP") || str_equal(target, "REJECT");
        out->drops = out->drops || (closes && find(w, "-s") == SIZE_MAX);
    }
}

void saved_rules_parse_iptables(struct saved_rules *out, struct arena *arena, const char *text,
                                size_t size)
{
    size_t position = 0, length;
    const char *line;
    bool filter = false;
    struct words w;
    start(out);
    for (uint64_t number = 1; str_next_line(text, size, &position, &line, &length); number++) {
        split(&w, arena, line, length < MOST_STATEMENT ? length : MOST_STATEMENT);
        if (!w.count || w.items[0][0] == '#')
            continue;
        if (w.items[0][0] == '*') {
            filter = str_equal(w.items[0], "*filter");
        } else if (filter && str_equal(w.items[0], ":INPUT") && w.count > 1) {
            out->filters_input = true;
            out->policy = lower_copy(arena, w.items[1]);
        } else if (str_equal(w.items[0], "-A")) {
            iptables_rule(out, &w, number, filter);
        }
    }
}

/* --- nft --- */

enum block { BLOCK_TABLE, BLOCK_CHAIN, BLOCK_OTHER };

struct nft {
    struct saved_rules *out;
    struct arena *arena;
    enum block blocks[MOST_DEPTH];
    size_t depth;
    bool input, ban, filter_rules; /* of the chain that is being read */
    uint64_t line;
};

static bool in_chain(const struct nft *n)
{
    return n->depth && n->blocks[n->depth - 1] == BLOCK_CHAIN;
}

/* "{ 80, 443 }" or "80" behind dport, as "80,443". */
static const char *nft_ports(struct arena *arena, const struct words *w)
{
    size_t at = find(w, "dport");
    CLEANUP_STR struct str out = {0};
    if (at == SIZE_MAX || at + 1 >= w->count)
        return "";
    if (!str_equal(w->items[at + 1], "{"))
        return w->items[at + 1];
    for (size_t i = at + 2; i < w->count && !str_equal(w->items[i], "}"); i++)
        str_add(&out, w->items[i]);
    return arena_strdup(arena, str_text(&out));
}

static void nft_statement(struct nft *n, const char *text, size_t length)
{
    struct words w;
    struct saved_rules *out = n->out;
    split(&w, n->arena, text, length);
    if (!w.count)
        return;
    if (str_equal(w.items[0], "include") || str_equal(w.items[0], "define") ||
        memchr(text, '$', length))
        out->partial = true;
    if (!in_chain(n))
        return;
    if (str_equal(w.items[0], "type")) { /* type filter hook input priority 0 */
        n->input =
            str_equal(behind(&w, "hook", 1), "input") && str_equal(behind(&w, "type", 1), "filter");
        if (n->input) {
            out->filters_input = true;
            if (!*out->policy)
                out->policy = "accept"; /* nft(8): the default */
        }
        return;
    }
    if (str_equal(w.items[0], "policy")) {
        if (n->input && !str_equal(out->policy, "drop"))
            out->policy = lower_copy(n->arena, behind(&w, "policy", 1));
        return;
    }
    if (find(&w, "dnat") != SIZE_MAX) {
        bool udp = find(&w, "udp") != SIZE_MAX;
        add_forward(out,
                    (struct saved_forward){udp ? "udp" : "tcp", behind(&w, "daddr", 1),
                                           nft_ports(n->arena, &w), behind(&w, "to", 1), n->line});
    }
    if (n->ban || str_starts(behind(&w, "jump", 1), "f2b-")) {
        out->ban_rules++;
    } else if (n->input) {
        out->input_rules++;
        const char *last = w.items[w.count - 1];
        bool closes = str_equal(last, "drop") || find(&w, "reject") != SIZE_MAX;
        out->drops = out->drops || (closes && find(&w, "saddr") == SIZE_MAX);
    }
}

static void nft_open(struct nft *n, const char *text, size_t length)
{
    struct words w;
    split(&w, n->arena, text, length);
    enum block kind = w.count && str_equal(w.items[0], "table")   ? BLOCK_TABLE
                      : w.count && str_equal(w.items[0], "chain") ? BLOCK_CHAIN
                                                                  : BLOCK_OTHER;
    if (kind == BLOCK_CHAIN) {
        n->input = false;
        n->ban = w.count > 1 && str_starts(w.items[1], "f2b-");
    }
    n->blocks[n->depth++] = kind;
}

void saved_rules_parse_nft(struct saved_rules *out, struct arena *arena, const char *text,
                           size_t size)
{
    struct nft n = {.out = out, .arena = arena, .line = 1};
    CLEANUP_STR struct str statement = {0};
    size_t set_depth = 0; /* inside the braces of a set within a rule */
    bool comment = false;
    start(out);
    for (size_t i = 0; i < size; i++) {
        char c = text[i];
        if (c == '#')
            comment = true;
        if (c == '\n')
            comment = false;
        if (!comment && (set_depth || (c == '{' && in_chain(&n)))) {
            set_depth += c == '{';
            set_depth -= c == '}';
            if (statement.length < MOST_STATEMENT - 3)
                str_printf(&statement, c == '{' || c == '}' ? " %c " : "%c", c == '\n' ? ' ' : c);
        } else if (!comment && c == '{') {
            if (n.depth == MOST_DEPTH)
                break;
            nft_open(&n, str_text(&statement), statement.length);
            str_clear(&statement);
        } else if (!comment && (c == '}' || c == ';' || c == '\n')) {
            nft_statement(&n, str_text(&statement), statement.length);
            str_clear(&statement);
            if (c == '}' && n.depth)
                n.depth--;
        } else if (!comment && statement.length < MOST_STATEMENT) {
            str_add_char(&statement, c ? c : ' ');
        }
        n.line += c == '\n';
    }
}

void saved_ports_each(const char *ports, void (*visit)(void *context, uint16_t port), void *context)
{
    char copy[1024], *save = NULL;
    size_t count = 0;
    if (strlen(ports) >= sizeof copy)
        return;
    memcpy(copy, ports, strlen(ports) + 1);
    for (char *part = strtok_r(copy, ",", &save); part; part = strtok_r(NULL, ",", &save)) {
        char *dash = strpbrk(part, "-:");
        uint64_t low, high;
        if (dash)
            *dash = '\0';
        if (!str_to_u64(str_trim(part), &low) || low > UINT16_MAX)
            continue;
        high = low;
        if (dash && (!str_to_u64(str_trim(dash + 1), &high) || high > UINT16_MAX))
            continue;
        for (; low <= high && count < MOST_PORTS; low++, count++)
            visit(context, (uint16_t)low);
    }
}
