#include "show/show.h"

#include "base/json.h"
#include "base/str.h"
#include "judge/ports.h"

/* What might have named further listeners; of many the first ones. */
static void say_unread(struct show *s, struct arena *arena, const struct facts *facts)
{
    enum { MOST = 5 };
    size_t said = 0;
    for (const struct fact *f = NULL; said < MOST && (f = ports_unread(facts, f)); said++) {
        struct message m = message_of(N_("Could not look at {what}: {reason}"));
        message_put_translated(&m, "what", fact_text(f, "what"));
        message_put(&m, "reason", fact_text(f, "reason"));
        show_wrap(s, "? ", 2, show_message(arena, &m));
    }
}

static const char *port_text(const struct port_row *row)
{
    return *fact_text(row->listener, "reached_through") ? "RPC"
           : row->opinion == PORT_UNKNOWN               ? "?"
                                                        : fact_text(row->listener, "port");
}

/* "nginx", "sadmind (RPC 100232)", and what inetd answers itself: "time (inetd)". */
static const char *process_of(struct arena *arena, const struct fact *f)
{
    const char *process = fact_text(f, "process"), *service = fact_text(f, "service");
    bool internal = str_equal(process, "inetd") && *service;
    const char *name = *process && !internal ? process : service;
    if (*fact_text(f, "rpc"))
        return arena_printf(arena, "%s (RPC %s)", name, fact_text(f, "rpc"));
    return internal ? arena_printf(arena, "%s (%s)", name, process) : name;
}

static const char *reason_of(struct arena *arena, const struct port_row *row)
{
    return row->reason.id ? show_message(arena, &row->reason) : "";
}

/* A program that listens over IPv4 and over IPv6 is one line, as `ports --close` shuts it by one
 * rule: the same in every cell but the address. */
static bool is_pair(struct arena *arena, const struct port_row *a, const struct port_row *b)
{
    const char *x = fact_text(a->listener, "family"), *y = fact_text(b->listener, "family");
    return a->opinion == b->opinion && str_equal(port_text(a), port_text(b)) &&
           str_equal(fact_text(a->listener, "proto"), fact_text(b->listener, "proto")) &&
           str_equal(process_of(arena, a->listener), process_of(arena, b->listener)) &&
           str_equal(fact_text(a->listener, "package"), fact_text(b->listener, "package")) &&
           str_equal(reason_of(arena, a), reason_of(arena, b)) && *x && *y && !str_equal(x, y);
}

/* "*" of both; else "127.0.0.1, ::1". */
static const char *both_addresses(struct arena *arena, const struct port_row *a,
                                  const struct port_row *b)
{
    const char *x = fact_text(a->listener, "address"), *y = fact_text(b->listener, "address");
    return str_equal(x, y) ? x : arena_printf(arena, "%s, %s", x, y);
}

void show_ports(struct show *s, const struct audit *a, size_t wrong)
{
    struct port_row *rows;
    CLEANUP_ARENA struct arena *arena = arena_new();
    size_t count = judge_ports(arena, a->facts, &rows), bad = 0, unknown = 0;
    for (size_t i = 0; i < count; i++) {
        bad += rows[i].opinion == PORT_NO_BUSINESS;
        unknown += rows[i].opinion == PORT_UNKNOWN;
    }
    if (s->json) {
        for (size_t i = 0; i < count; i++) {
            json_t *o = fact_to_json(rows[i].listener);
            json_put_string(o, "type", "port");
            json_put_string(o, "opinion", port_opinion_name(rows[i].opinion));
            json_put_string(o, "reason",
                            rows[i].reason.id ? message_text(arena, &rows[i].reason) : "");
            show_json_line(s, o);
        }
        json_t *o = json_object();
        json_put_string(o, "type", "summary");
        json_put_string(o, "target", a->identity);
        json_put_int(o, "found", (int64_t)(bad + wrong));
        json_put_int(o, "unknown", (int64_t)(audit_unknown(a) + unknown));
        show_json_line(s, o);
        return;
    }
    static const char *const words[] = {
        [PORT_NO_BUSINESS] = N_("shut it"), [PORT_UNKNOWN] = N_("cannot judge"),
        [PORT_PUBLISHED] = N_("published"), [PORT_YOURS] = N_("your decision"),
        [PORT_LOCAL] = N_("local only"),
    };
    struct show_table table = {.columns = 6};
    struct show_line *line = show_table_line(&table, SHOW_BOLD);
    *line = (struct show_line){
        {_("port"), _("address"), _("process"), _("package"), _("outside?"), _("because")},
        SHOW_BOLD,
        NULL};
    const struct port_row *above = NULL;
    size_t pairs = 0;
    for (size_t i = 0; i < count; i++) {
        const struct fact *f = rows[i].listener;
        bool bad_one = rows[i].opinion == PORT_NO_BUSINESS;
        bool pair = i + 1 < count && is_pair(arena, &rows[i], &rows[i + 1]);
        line = show_table_line(&table, bad_one ? SHOW_RED : SHOW_PLAIN);
        line->cells[0] = arena_printf(arena, "%s %s/%s",
                                      bad_one                           ? "!"
                                      : rows[i].opinion == PORT_UNKNOWN ? "?"
                                                                        : " ",
                                      port_text(&rows[i]), fact_text(f, "proto"));
        line->cells[1] =
            pair ? both_addresses(arena, &rows[i], &rows[i + 1]) : fact_text(f, "address");
        line->cells[2] = process_of(arena, f);
        line->cells[3] = fact_text(f, "package");
        line->cells[4] = language_text(words[rows[i].opinion]);
        /* once for neighbours that share it */
        const char *reason = reason_of(arena, &rows[i]);
        bool again = above && str_equal(reason, reason_of(arena, above));
        line->cells[5] = again && !s->all ? *reason ? _("the same") : "" : reason;
        above = &rows[i];
        i += pair;
        pairs += pair;
        bad -= pair && bad_one;
    }
    if (count)
        show_table(s, &table, true);
    VEC_FREE(&table.lines);
    if (!count && !ports_unread(a->facts, NULL))
        fprintf(s->out, "%s\n", _("Nothing was found to listen."));
    const struct fact *unread = facts_first(a->facts, "unread");
    fputc('\n', s->out);
    say_unread(s, arena, a->facts);
    if (unread || unknown)
        show_hint(s, _("? Not everything could be looked at:"), show_command(arena, "facts"));
    show_wrap(s, "", 2,
              arena_printf(arena,
                           _("%zu of %zu with no business outside. Rules for the router in front: "
                             "%s"),
                           bad, count - pairs, show_command_on(arena, "ports --gateway", false)));
}
