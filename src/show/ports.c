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

/* "nginx (nginx-core)", "sadmind (RPC 100232)", and what inetd answers itself: "time (inetd)". */
static void add_process(struct str *out, const struct fact *f)
{
    const char *process = fact_text(f, "process"), *service = fact_text(f, "service");
    const char *more = fact_text(f, "package");
    bool internal = str_equal(process, "inetd") && *service;
    const char *name = *process && !internal ? process : service;
    str_add(out, name);
    if (*fact_text(f, "rpc"))
        str_printf(out, " (RPC %s)", fact_text(f, "rpc"));
    else if (internal)
        str_printf(out, " (%s)", process);
    else if (*more && !str_equal(more, name))
        str_printf(out, " (%s)", more);
}

static const char *reason_of(struct arena *arena, const struct port_row *row)
{
    return row->reason.id ? show_message(arena, &row->reason) : "";
}

void show_ports(struct show *s, const struct audit *a)
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
        json_put_int(o, "found", (int64_t)bad);
        json_put_int(o, "unknown", (int64_t)(audit_unknown(a) + unknown));
        show_json_line(s, o);
        return;
    }
    unsigned process_width = s->width > 60 ? (s->width - 44) * 3 / 5 : 8;
    unsigned reason_width = s->width > 60 ? s->width - 44 - process_width : 8;
    show_colour(s, SHOW_BOLD);
    fputs("  ", s->out);
    show_cell(s, _("port"), 10);
    show_cell(s, _("address"), 17);
    show_cell(s, _("process"), process_width);
    fputc(' ', s->out);
    show_cell(s, _("outside?"), 14);
    show_cell(s, _("because"), reason_width);
    fputc('\n', s->out);
    show_colour(s, SHOW_PLAIN);
    static const char *const words[] = {
        [PORT_NO_BUSINESS] = N_("shut it"), [PORT_UNKNOWN] = N_("cannot judge"),
        [PORT_PUBLISHED] = N_("published"), [PORT_YOURS] = N_("your decision"),
        [PORT_LOCAL] = N_("local only"),
    };
    for (size_t i = 0; i < count; i++) {
        const struct fact *f = rows[i].listener;
        CLEANUP_STR struct str port = {0}, process = {0};
        str_printf(&port, "%s/%s", port_text(&rows[i]), fact_text(f, "proto"));
        add_process(&process, f);
        show_colour(s, rows[i].opinion == PORT_NO_BUSINESS ? SHOW_RED : SHOW_PLAIN);
        fputs(rows[i].opinion == PORT_NO_BUSINESS ? "! "
              : rows[i].opinion == PORT_UNKNOWN   ? "? "
                                                  : "  ",
              s->out);
        show_cell(s, str_text(&port), 10);
        show_cell(s, fact_text(f, "address"), 17);
        show_cell(s, str_text(&process), process_width);
        fputc(' ', s->out);
        show_cell(s, language_text(words[rows[i].opinion]), 14);
        const char *reason = reason_of(arena, &rows[i]);
        bool fits = show_columns(reason) <= reason_width;
        show_cell(s, fits ? reason : "", reason_width);
        show_colour(s, SHOW_PLAIN);
        fputc('\n', s->out);
        if (!fits && (i + 1 == count || !str_equal(reason, reason_of(arena, &rows[i + 1]))))
            show_wrap(s, "    ", 4, reason); /* once for neighbours that share it */
    }
    if (!count && !ports_unread(a->facts, NULL))
        fprintf(s->out, "%s\n", _("Nothing was found to listen."));
    const struct fact *unread = facts_first(a->facts, "unread");
    fputc('\n', s->out);
    say_unread(s, arena, a->facts);
    if (unread || unknown)
        show_wrap(s, "? ", 2, _("Not everything could be looked at: yagura facts"));
    show_wrap(s, "", 0,
              arena_printf(arena,
                           _("%zu of %zu with no business outside. Rules for the router in front: "
                             "yagura ports --gateway"),
                           bad, count));
}
