#include "cmd/site.h"

#include "base/json.h"
#include "content/mend.h"
#include "content/put_back.h"
#include "record/ledger.h"

struct done {
    struct cli *cli;
    const char *site;
    size_t undone, removed, failed;
};

static void on_event(void *context, const struct mend_event *event)
{
    struct done *d = context;
    if (event->undone)
        ++*(event->kind == DIFFERENCE_ADDED ? &d->removed : &d->undone);
    d->failed += event->error != NULL;
    show_mend_event(&d->cli->show, d->site, event, d->cli->dry_run);
}

static bool accept_older(struct cli *cli, struct open_site *s, const struct generation *g,
                         struct error *e)
{
    CLEANUP_JSON json_t *entry = cli_site_entry(cli, "restore");
    return put_back_accept(s->state, s->objects, &s->site, g, entry, e);
}

static enum mend_result mend_all(struct cli *cli, struct mender *m)
{
    if (cli->argument_count < 2)
        return mend_tree(m, "", 0, false);
    enum mend_result worst = MEND_RIGHT;
    for (size_t i = 1; i < cli->argument_count; i++) {
        const char *path = cli->arguments[i];
        while (*path == '/')
            path++;
        enum mend_result r = mend_tree(m, path, 0, false);
        worst = r > worst ? r : worst;
    }
    return worst;
}

static int say(struct cli *cli, const struct open_site *s, const struct done *done)
{
    CLEANUP_ARENA struct arena *arena = arena_new();
    size_t all = done->undone + done->removed;
    if (cli->json)
        cli_site_summary(cli, &s->site, cli->dry_run ? all : 0, done->failed, 0, 0);
    else if (cli->dry_run)
        printf(_("%zu would be put back, %zu removed; nothing was changed\n"), done->undone,
               done->removed);
    else if (all || done->failed)
        show_wrap(&cli->show, "", 0,
                  arena_printf(arena,
                               _("%zu put back, %zu removed, %zu failed; what was there lies in "
                                 "%s"),
                               done->undone, done->removed, done->failed, s->site.aside.path));
    else
        printf("%s\n", _("nothing differs from what was published"));
    if (done->failed)
        return EXIT_UNKNOWN;
    return cli->dry_run && all ? EXIT_FOUND : EXIT_CLEAN;
}

int cmd_restore(struct cli *cli)
{
    CLEANUP_OPEN_SITE struct open_site s = OPEN_SITE_INIT;
    CLEANUP_GENERATION struct generation g = {0};
    struct site_wants wants = {.generation = true, .aside = true};
    struct error e = ERROR_INIT;
    struct hold hold = {0};
    int code;
    if (!cli_site(cli, &wants, &s, &code) || !cli_generation(cli, &s, &g, &code))
        return code;
    if (!cli->dry_run &&
        !cli_confirm(cli, _("Put back what was published, and move aside what was not?")))
        return EXIT_USAGE;
    struct done done = {.cli = cli, .site = s.site.row.name};
    struct mender m = {.rootfd = s.site.rootfd,
                       .manifest = g.manifest,
                       .policies = s.site.policies,
                       .objects = s.objects,
                       .aside = &s.site.aside,
                       .dry_run = cli->dry_run,
                       .event = on_event,
                       .context = &done};
    if (!cli->dry_run && !cli_hold(&hold, &s, &e)) {
        cli_complain(&e);
        return EXIT_UNKNOWN;
    }
    if (!cli->dry_run && !aside_clear_ready(&s.site.aside, &e))
        cli_complain(&e);
    mend_all(cli, &m);
    bool good =
        cli->dry_run || (mend_sync(&m, &e) && (done.failed || accept_older(cli, &s, &g, &e)));
    if (!cli_release(&hold, &e) || !good) {
        cli_complain(&e);
        return EXIT_UNKNOWN;
    }
    return say(cli, &s, &done);
}
