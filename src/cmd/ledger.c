#include "cmd/cmd.h"

#include "base/file.h"
#include "base/json.h"
#include "base/str.h"
#include "record/ledger.h"

#include <stdlib.h>

/* The keys of an entry that a person looks for, in this order; other kinds bring their own. */
static void show_entry(struct cli *cli, const struct ledger_entry *entry)
{
    static const char *const keys[] = {"time",    "who",  "host",   "kind", "patch",
                                       "applied", "feed", "origin", "text"};
    CLEANUP_JSON json_t *o =
        json_parse(entry->body, strlen(entry->body), "ledger", 1 << 20, 1 << 20, NULL);
    CLEANUP_STR struct str first = {0}, line = {0};
    str_printf(&first, "%4lld  ", (long long)entry->seq);
    for (size_t i = 0; i < ARRAY_COUNT(keys); i++) {
        const char *value = json_get_string(o, keys[i]);
        if (value)
            str_printf(&line, "%s%s", line.length ? "  " : "", value);
    }
    show_wrap(&cli->show, str_text(&first), 6, line.length ? str_text(&line) : entry->body);
}

static int show_entries(struct cli *cli, struct state *state)
{
    CLEANUP_ARENA struct arena *arena = arena_new();
    struct ledger_entry *entries;
    size_t count;
    struct error e = ERROR_INIT;
    if (!ledger_read(state, NULL, arena, &entries, &count, &e)) {
        cli_complain(&e);
        return EXIT_UNKNOWN;
    }
    for (size_t i = 0; i < count; i++) {
        if (cli->json) {
            CLEANUP_JSON json_t *o = json_parse(entries[i].body, strlen(entries[i].body), "ledger",
                                                1 << 20, 1 << 20, NULL);
            if (!o)
                continue;
            json_put_string(o, "type", "entry");
            json_put_string(o, "hash", entries[i].hash);
            show_json_line(&cli->show, json_incref(o));
            continue;
        }
        show_entry(cli, &entries[i]);
    }
    if (cli->json) {
        cli_end_json(cli, 0, "entries", count);
    } else if (!count) {
        show_hint(&cli->show, _("The ledger is empty. The first entry:"),
                  show_command(arena, "patch record PATCH"));
    }
    return EXIT_CLEAN;
}

static int verify(struct cli *cli, struct state *state)
{
    CLEANUP_ARENA struct arena *arena = arena_new();
    CLEANUP_FREE char *checkpoint = NULL;
    size_t size;
    struct error e = ERROR_INIT;
    struct ledger_report r;
    if (cli->against && !file_read(&checkpoint, &size, cli->against, 65536, &e)) {
        cli_complain(&e);
        return EXIT_USAGE;
    }
    if (!ledger_verify(state, checkpoint, arena, &r, &e)) {
        cli_complain(&e);
        return e.code == ERR_FORMAT ? EXIT_USAGE : EXIT_UNKNOWN;
    }
    size_t listed = r.problems < ARRAY_COUNT(r.problem) ? r.problems : ARRAY_COUNT(r.problem);
    for (size_t i = 0; i < listed; i++) {
        if (cli->json) {
            json_t *o = json_object();
            json_put_string(o, "type", "problem");
            json_put_int(o, "seq", r.problem_seq[i]);
            json_put_string(o, "text", message_text(arena, &r.problem[i]));
            show_json_line(&cli->show, o);
        } else {
            show_wrap(&cli->show, "! ", 2, show_message(arena, &r.problem[i]));
        }
    }
    if (cli->json) {
        json_t *o = json_object();
        json_put_string(o, "type", "summary");
        json_put_int(o, "entries", (int64_t)r.entries);
        json_put_int(o, "found", (int64_t)r.problems);
        json_put_int(o, "unknown", 0);
        show_json_line(&cli->show, o);
    } else if (!r.entries && !r.problems) {
        printf("%s\n", _("The ledger is empty: there is nothing to verify."));
    } else if (r.problems) {
        CLEANUP_STR struct str line = {0};
        str_printf(&line, ngettext("%zu entry, ", "%zu entries, ", r.entries), r.entries);
        str_printf(&line,
                   ngettext("%zu problem: this ledger cannot be trusted as it stands.",
                            "%zu problems: this ledger cannot be trusted as it stands.",
                            r.problems),
                   r.problems);
        show_wrap(&cli->show, "", 0, str_text(&line));
    } else {
        show_wrap(&cli->show, "", 0,
                  arena_printf(
                      arena,
                      cli->against
                          ? ngettext("%zu entry: chain and signatures hold, and the checkpoint is "
                                     "in it.",
                                     "%zu entries: chain and signatures hold, and the checkpoint "
                                     "is in it.",
                                     r.entries)
                          : ngettext("%zu entry: chain and signatures hold.",
                                     "%zu entries: chain and signatures hold.", r.entries),
                      r.entries));
        if (!cli->against)
            show_wrap(&cli->show, "", 2,
                      arena_printf(
                          arena, _("Only a checkpoint kept elsewhere shows a cut tail: %s > FILE"),
                          show_command(arena, "ledger checkpoint")));
    }
    return r.problems ? EXIT_FOUND : EXIT_CLEAN;
}

static int checkpoint(struct cli *cli, struct state *state)
{
    CLEANUP_STR struct str text = {0};
    struct error e = ERROR_INIT;
    if (!ledger_checkpoint(state, &text, date_now(), &e)) {
        cli_complain(&e);
        return EXIT_UNKNOWN;
    }
    if (cli->json) {
        json_t *o = json_object();
        json_put_string(o, "type", "checkpoint");
        json_put_string(o, "text", str_text(&text));
        show_json_line(&cli->show, o);
        cli_end_json(cli, 0, NULL, 0);
        return EXIT_CLEAN;
    }
    fputs(str_text(&text), stdout);
    fprintf(stderr, "%s\n", _("Keep this on another machine or on paper."));
    return EXIT_CLEAN;
}

int cmd_ledger(struct cli *cli)
{
    static const struct {
        const char *name;
        int (*run)(struct cli *, struct state *);
    } actions[] = {{"show", show_entries}, {"verify", verify}, {"checkpoint", checkpoint}};
    const char *what = cli->argument_count ? cli->arguments[0] : "";
    for (size_t i = 0; i < ARRAY_COUNT(actions); i++) {
        if (!str_equal(what, actions[i].name))
            continue;
        if (cli->argument_count > 1)
            return cli_unknown_action(cli, "");
        struct error e = ERROR_INIT;
        CLEANUP(state_cleanup) struct state *state = cli_state_to_read(cli, &e);
        if (state)
            return actions[i].run(cli, state);
        if (e.code == ERR_ABSENT)
            error_prefix(&e, "there is no ledger here");
        cli_complain(&e);
        return EXIT_UNKNOWN;
    }
    return cli_unknown_action(cli, _("ledger show, ledger verify or ledger checkpoint?"));
}
