#include "cmd/cmd.h"

#include "base/json.h"
#include "base/str.h"
#include "feed/import.h"

#include <unistd.h>

static int list(struct cli *cli)
{
    CLEANUP(state_cleanup) struct state *state = cli_state(cli);
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
            json_put_int(o, "documents", (int64_t)feeds[i].documents);
            json_put_int(o, "skipped", (int64_t)feeds[i].skipped);
            show_json_line(&cli->show, o);
            continue;
        }
        CLEANUP_ARENA struct arena *arena = arena_new();
        show_wrap(
            &cli->show, "", 2,
            arena_printf(arena,
                         ngettext("%s: %zu document, newest of %s, imported %s, %zu left out",
                                  "%s: %zu documents, newest of %s, imported %s, %zu left out",
                                  feeds[i].documents),
                         feeds[i].name, feeds[i].documents, newest, imported, feeds[i].skipped));
    }
    if (cli->json) {
        cli_end_json(cli, damaged.code != 0, "advisories", advisories_count(set));
    } else if (!count) {
        CLEANUP_ARENA struct arena *arena = arena_new();
        show_wrap(&cli->show, "", 2,
                  arena_printf(arena, _("No advisories are loaded: %s"),
                               show_command(arena, "feed import PATH")));
    }
    return damaged.code ? EXIT_UNKNOWN : EXIT_CLEAN;
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
        return EXIT_USAGE;
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
        show_json_line(&cli->show, o);
    } else {
        printf(
            _("%zu new, %zu replaced, %zu unchanged, %zu older than what is there, %zu broken\n"),
            r.added, r.replaced, r.unchanged, r.older, r.failed);
        CLEANUP_ARENA struct arena *arena = arena_new();
        if (r.written)
            show_wrap(&cli->show, "", 2,
                      arena_printf(arena,
                                   ngettext("%zu document is loaded now. Next: %s",
                                            "%zu documents are loaded now. Next: %s", r.documents),
                                   r.documents, show_command(arena, "audit")));
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
    if (str_equal(what, "import") && cli->argument_count > 1)
        return import(cli);
    return cli_unknown_action(cli, _("feed import PATH ... or feed list?"));
}
