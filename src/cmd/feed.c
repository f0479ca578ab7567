#include "cmd/cmd.h"

#include "base/json.h"
#include "base/str.h"

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
        printf(_("%s: %zu documents, newest of %s, imported %s, %zu left out\n"), feeds[i].name,
               feeds[i].documents, newest, imported, feeds[i].skipped);
    }
    if (cli->json) {
        json_t *o = json_object();
        json_put_string(o, "type", "summary");
        json_put_int(o, "found", 0);
        json_put_int(o, "unknown", damaged.code ? 1 : 0);
        json_put_int(o, "advisories", (int64_t)advisories_count(set));
        show_json_line(&cli->show, o);
    } else if (!count) {
        printf("%s\n", _("No advisories are loaded: yagura feed import PATH"));
    }
    return damaged.code ? EXIT_UNKNOWN : EXIT_CLEAN;
}

int cmd_feed(struct cli *cli)
{
    const char *what = cli->argument_count ? cli->arguments[0] : "";
    if (str_equal(what, "list") && cli->argument_count == 1)
        return list(cli);
    return cli_usage(cli, _("feed import PATH ... or feed list?"));
}
