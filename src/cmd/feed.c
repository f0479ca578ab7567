#include "cmd/cmd.h"

#include "base/json.h"
#include "base/str.h"
#include "feed/import.h"
#include "record/ledger.h"

#include <stdlib.h>
#include <unistd.h>

static int list(struct cli *cli)
{
    CLEANUP(state_cleanup) struct state *state = cli_state_if_any(cli);
    CLEANUP(advisories_cleanup) struct advisories *set = NULL;
    struct error e = ERROR_INIT, damaged = ERROR_INIT;
    if (!audit_open_advisories(&set, state, &damaged, &e)) {
        cli_complain(&e);
        return EXIT_UNKNOWN;
    }
    if (damaged.code)
        cli_complain(&damaged);
    const struct advisory_feed *feeds;
    size_t count = advisories_feeds(set, &feeds);
    for (size_t i = 0; i < count; i++) {
        char imported[16] = "-", newest[16] = "-";
        if (feeds[i].imported != DATE_NONE)
            date_format_day(feeds[i].imported, imported);
        if (feeds[i].newest != DATE_NONE)
            date_format_day(feeds[i].newest, newest);
        if (cli->json) {
            json_t *o = json_object();
            json_put_string(o, "type", "feed");
            json_put_string(o, "name", feeds[i].name);
            json_put_string(o, "imported", imported);
            json_put_string(o, "newest", newest);
            json_put_bool(o, "shipped", feeds[i].shipped);
            json_put_int(o, "documents", (int64_t)feeds[i].documents);
            json_put_int(o, "skipped", (int64_t)feeds[i].skipped);
            show_json_line(&cli->show, o);
            continue;
        }
        CLEANUP_ARENA struct arena *arena = arena_new();
        if (feeds[i].shipped)
            show_wrap(&cli->show, "", 2,
                      arena_printf(arena,
                                   ngettext("%s: %zu document, newest of %s, shipped",
                                            "%s: %zu documents, newest of %s, shipped",
                                            feeds[i].documents),
                                   feeds[i].name, feeds[i].documents, newest));
        else
            show_wrap(&cli->show, "", 2,
                      arena_printf(
                          arena,
                          ngettext("%s: %zu document, newest of %s, imported %s, %zu left out",
                                   "%s: %zu documents, newest of %s, imported %s, %zu left out",
                                   feeds[i].documents),
                          feeds[i].name, feeds[i].documents, newest, imported, feeds[i].skipped));
    }
    if (cli->json) {
        cli_end_json(cli, damaged.code != 0, "advisories", advisories_count(set));
    } else if (!count) {
        CLEANUP_ARENA struct arena *arena = arena_new();
        show_hint(&cli->show, _("No advisories are loaded:"),
                  show_command(arena, "feed import PATH"));
    } else {
        CLEANUP_ARENA struct arena *arena = arena_new();
        show_wrap(&cli->show, "", 2,
                  arena_printf(arena,
                               _("%zu documents are loaded (one that is in two feeds counts once)"),
                               advisories_count(set)));
    }
    return damaged.code ? EXIT_UNKNOWN : EXIT_CLEAN;
}

/* What `list` says, too. */
static size_t loaded(struct state *state)
{
    CLEANUP(advisories_cleanup) struct advisories *set = NULL;
    struct error damaged = ERROR_INIT, e = ERROR_INIT;
    return audit_open_advisories(&set, state, &damaged, &e) ? advisories_count(set) : 0;
}

/* The feed that a name of the command line means: as `list` shows it, or a way to its path. */
static const struct advisory_feed *find_feed(const struct advisories *set, const char *name)
{
    CLEANUP_FREE char *real = realpath(name, NULL);
    const struct advisory_feed *feeds;
    size_t count = advisories_feeds(set, &feeds);
    for (size_t k = 0; k < 2; k++)
        for (size_t i = count; i > 0; i--) /* imported ones stand last, and are meant first */
            if (str_equal(feeds[i - 1].name, k ? real ? real : "" : name))
                return &feeds[i - 1];
    return NULL;
}

static bool note_removal(struct cli *cli, struct state *state, const char *name, size_t documents)
{
    struct error e = ERROR_INIT;
    CLEANUP_JSON json_t *o = json_object();
    json_put_string(o, "kind", "feed-removed");
    json_put_string(o, "who", cli_who());
    json_put_string(o, "feed", name);
    json_put_int(o, "documents", (int64_t)documents);
    if (cli->because)
        json_put_string(o, "text", cli->because);
    if (ledger_append(state, o, date_now(), &e))
        return true;
    cli_complain(&e);
    return false;
}

static int remove_feed(struct cli *cli, const char *word)
{
    CLEANUP(state_cleanup) struct state *state = cli_state_or_fail(cli);
    CLEANUP(advisories_cleanup) struct advisories *set = NULL;
    struct error e = ERROR_INIT, damaged = ERROR_INIT;
    if (!state)
        return EXIT_UNKNOWN;
    if (!audit_open_advisories(&set, state, &damaged, &e)) {
        cli_complain(&e);
        return EXIT_UNKNOWN;
    }
    const struct advisory_feed *feed = find_feed(set, word);
    if (!feed)
        return cli_usage(cli, _("there is no feed %s; yagura feed list names them"), word);
    if (feed->shipped)
        return cli_usage(cli, _("%s is shipped with the program and stays"), feed->name);
    size_t documents = 0;
    if (!import_remove(&documents, state_dirfd(state), "advisories.db", feed->name, &e)) {
        cli_complain(&e);
        return EXIT_UNKNOWN;
    }
    bool noted = note_removal(cli, state, feed->name, documents);
    if (cli->json) {
        cli_end_json(cli, noted ? 0 : 1, "removed", documents);
    } else {
        size_t now = loaded(state);
        CLEANUP_ARENA struct arena *arena = arena_new();
        CLEANUP_STR struct str line = {0};
        str_printf(&line,
                   ngettext("%s: %zu document was taken out. ",
                            "%s: %zu documents were taken out. ", documents),
                   feed->name, documents);
        show_wrap(&cli->show, "", 2, str_text(&line));
        str_clear(&line);
        str_printf(&line,
                   ngettext("%zu document is loaded now. Next: %s",
                            "%zu documents are loaded now. Next: %s", now),
                   now, show_command(arena, "audit"));
        show_wrap(&cli->show, "", 2, str_text(&line));
    }
    return noted ? EXIT_CLEAN : EXIT_UNKNOWN;
}

/* On a terminal only, and only when it takes long enough to wonder. */
static void progress(void *context, size_t done)
{
    if (done % 200 == 0)
        fprintf(stderr, "\r%zu", done);
}

static void say_error(struct cli *cli, const struct error *e, bool is_note)
{
    char text[1024];
    if (!cli->json) {
        fprintf(stderr, "%s%s\n", is_note ? _("note: ") : "", error_text(e, text, sizeof text));
        return;
    }
    json_t *o = json_object();
    json_put_string(o, "type", is_note ? "note" : "problem");
    json_put_string(o, "path", e->path);
    json_put_int(o, "line", (int64_t)e->line);
    json_put_int(o, "column", (int64_t)e->column);
    json_put_string(o, "text", e->message);
    show_json_line(&cli->show, o);
}

static int import(struct cli *cli)
{
    CLEANUP(state_cleanup) struct state *state = cli_state_or_fail(cli);
    if (!state)
        return EXIT_UNKNOWN;
    CLEANUP_IMPORT struct import_result r = {0};
    struct error e = ERROR_INIT;
    struct import_request request = {.paths = cli->arguments + 1,
                                     .count = cli->argument_count - 1,
                                     .dirfd = state_dirfd(state),
                                     .name = "advisories.db",
                                     .now = date_now()};
    if (isatty(STDERR_FILENO))
        request.progress = progress;
    if (!import_run(&r, &request, &e)) {
        cli_complain(&e);
        return e.code == ERR_SYSTEM ? EXIT_UNKNOWN : EXIT_USAGE;
    }
    if (request.progress)
        fputc('\r', stderr);
    for (size_t i = 0; i < r.errors.count; i++)
        say_error(cli, &r.errors.items[i], false);
    for (size_t i = 0; i < r.notes.count; i++)
        say_error(cli, &r.notes.items[i], true);
    size_t in = r.added + r.replaced + r.unchanged;
    if (cli->json) {
        json_t *o = json_object();
        json_put_string(o, "type", "summary");
        json_put_int(o, "found", 0);
        json_put_int(o, "unknown", (int64_t)r.failed);
        json_put_int(o, "added", (int64_t)r.added);
        json_put_int(o, "replaced", (int64_t)r.replaced);
        json_put_int(o, "unchanged", (int64_t)r.unchanged);
        json_put_int(o, "older", (int64_t)r.older);
        json_put_int(o, "withdrawn", (int64_t)r.withdrawn);
        json_put_int(o, "documents", (int64_t)r.documents);
        json_put_int(o, "advisories", (int64_t)loaded(state));
        show_json_line(&cli->show, o);
    } else {
        printf(
            _("%zu new, %zu replaced, %zu unchanged, %zu older than what is there, %zu broken\n"),
            r.added, r.replaced, r.unchanged, r.older, r.failed);
        CLEANUP_ARENA struct arena *arena = arena_new();
        size_t now = loaded(state);
        if (r.written)
            show_wrap(&cli->show, "", 2,
                      arena_printf(arena,
                                   ngettext("%zu document is loaded now. Next: %s",
                                            "%zu documents are loaded now. Next: %s", now),
                                   now, show_command(arena, "audit")));
        else
            printf("%s\n", _("Nothing was changed: what was loaded before stays."));
    }
    if (!in && !r.older && !r.withdrawn)
        return EXIT_USAGE;
    return r.failed ? EXIT_UNKNOWN : EXIT_CLEAN;
}

int cmd_feed(struct cli *cli)
{
    const char *what = cli->argument_count ? cli->arguments[0] : "";
    if (str_equal(what, "list") && cli->argument_count == 1)
        return list(cli);
    if (str_equal(what, "remove") && cli->argument_count == 2)
        return remove_feed(cli, cli->arguments[1]);
    if (str_equal(what, "import") && cli->argument_count > 1)
        return import(cli);
    return cli_unknown_action(cli, _("feed import PATH ..., feed list or feed remove NAME?"));
}
