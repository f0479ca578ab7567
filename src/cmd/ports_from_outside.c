/* `yagura ports --from-outside HOST [PORT ...]`. */
#include "cmd/cmd.h"

#include "act/firewall.h"
#include "base/json.h"
#include "base/str.h"
#include "collect/from_outside.h"
#include "judge/ports.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_PORTS = 1024, WAIT_MS = 2500 };

struct wanted {
    VEC(struct outside_port) ports;
};

static void free_wanted(struct wanted *w)
{
    VEC_FREE(&w->ports);
}

static void want(struct wanted *w, unsigned first, unsigned last, bool udp)
{
    for (unsigned port = first; port <= last && w->ports.count < MOST_PORTS; port++)
        VEC_PUSH(&w->ports, ((struct outside_port){(uint16_t)port, udp}));
}

/* The table's; of UDP only what answers a question without being told who asks. */
static void want_usual(struct wanted *w)
{
    const struct port_range *ranges;
    size_t count = ports_without_business(&ranges);
    for (size_t i = 0; i < count; i++)
        if (ranges[i].tcp && ranges[i].last - ranges[i].first < 16)
            want(w, ranges[i].first, ranges[i].last, false);
    want(w, 137, 137, true);
}

static const char *answer_name(enum outside_answer a)
{
    static const char *const names[] = {"open", "refused", "silent", "unknown"};
    return names[a];
}

static void show_tries(struct cli *cli, const struct outside_try *tries, size_t count)
{
    static const char *const words[] = {N_("is open"), N_("refused"), N_("no answer"),
                                        N_("could not be tried")};
    CLEANUP_ARENA struct arena *arena = arena_new();
    struct show_table table = {.columns = 3};
    *show_table_line(&table, SHOW_BOLD) =
        (struct show_line){{_("port"), _("address"), _("answer")}, SHOW_BOLD, NULL};
    for (size_t i = 0; i < count; i++) {
        const struct outside_try *t = &tries[i];
        bool shut = t->answer == OUTSIDE_REFUSED || t->answer == OUTSIDE_SILENT;
        if (shut && !cli->all)
            continue;
        bool open = t->answer == OUTSIDE_OPEN;
        struct show_line *line = show_table_line(&table, open ? SHOW_RED : SHOW_PLAIN);
        line->cells[0] = arena_printf(arena, "%s %u/%s",
                                      open   ? "!"
                                      : shut ? " "
                                             : "?",
                                      t->port, t->udp ? "udp" : "tcp");
        line->cells[1] = t->address;
        line->cells[2] =
            t->answer == OUTSIDE_UNKNOWN
                ? arena_printf(arena, "%s: %s", _("could not be tried"), strerror(t->problem))
                : language_text(words[t->answer]);
    }
    if (table.lines.count > 1)
        show_table(&cli->show, &table, true);
    VEC_FREE(&table.lines);
}

static void json_tries(struct cli *cli, const struct outside_try *tries, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        json_t *o = json_object();
        json_put_string(o, "type", "outside");
        json_put_string(o, "address", tries[i].address);
        json_put_int(o, "port", tries[i].port);
        json_put_string(o, "proto", tries[i].udp ? "udp" : "tcp");
        json_put_string(o, "answer", answer_name(tries[i].answer));
        show_json_line(&cli->show, o);
    }
}

int cmd_ports_from_outside(struct cli *cli)
{
    CLEANUP(free_wanted) struct wanted w = {0};
    CLEANUP_FREE struct outside_try *tries = NULL;
    struct error e = ERROR_INIT;
    size_t count = 0, open = 0, unknown = 0;
    for (size_t i = 0; i < cli->argument_count; i++) {
        struct firewall_ports p;
        if (!firewall_ports_parse(&p, cli->arguments[i], &e)) {
            cli_complain(&e);
            return EXIT_USAGE;
        }
        want(&w, p.first, p.last, p.udp);
    }
    if (!w.ports.count)
        want_usual(&w);
    if (!from_outside(&tries, &count, cli->from_outside, w.ports.items, w.ports.count, WAIT_MS,
                      &e)) {
        cli_complain(&e);
        return cli_code_of(&e);
    }
    for (size_t i = 0; i < count; i++) {
        open += tries[i].answer == OUTSIDE_OPEN;
        unknown += tries[i].answer == OUTSIDE_UNKNOWN;
    }
    if (cli->json) {
        json_tries(cli, tries, count);
        json_t *o = json_object();
        json_put_string(o, "type", "summary");
        json_put_int(o, "found", (int64_t)open);
        json_put_int(o, "unknown", (int64_t)unknown);
        json_put_int(o, "tried", (int64_t)count);
        show_json_line(&cli->show, o);
    } else {
        CLEANUP_ARENA struct arena *arena = arena_new();
        show_tries(cli, tries, count);
        show_wrap(&cli->show, "", 2,
                  arena_printf(arena, _("%s: %zu ports tried, %zu open, %zu could not be tried."),
                               cli->from_outside, count, open, unknown));
        if (open)
            show_hint(&cli->show, _("To shut what has no business outside, on that host:"),
                      "yagura ports --close");
    }
    return open ? EXIT_FOUND : unknown || !count ? EXIT_UNKNOWN : EXIT_CLEAN;
}
