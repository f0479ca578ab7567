#include "cmd/site.h"

#include "base/json.h"
#include "content/mend.h"
#include "content/put_back.h"
#include "record/ledger.h"

#include <search.h>
#include <stdlib.h>

struct done {
    struct cli *cli;
    const char *site;
    size_t undone, removed, failed;
    bool dry_run;
    void *told; /* tsearch(): names in a plan, which several differences may lead to */
};

static int by_text(const void *a, const void *b)
{
    return strcmp(a, b);
}

static bool told_already(struct done *d, const char *path)
{
    char *copy = mem_strdup(path);
    char **node = tsearch(copy, &d->told, by_text);
    if (!node)
        mem_gone();
    if (*node != copy)
        free(copy);
    return *node != copy;
}

static void on_event(void *context, const struct mend_event *event)
{
    struct done *d = context;
    if (d->dry_run && told_already(d, event->path))
        return;
    if (event->undone)
        ++*(event->kind == DIFFERENCE_ADDED ? &d->removed : &d->undone);
    d->failed += event->error != NULL;
    show_mend_event(&d->cli->show, d->site, event, d->dry_run);
}

/* What is put back, and from which generation. */
struct wanted {
    const struct generation *from;
    struct site_paths paths;
};

static bool was_asked_for(void *context, const char *path)
{
    const struct wanted *w = context;
    return site_paths_have(&w->paths, path);
}

/* An older generation that was put back is what is published from now on. */
static bool accept_older(struct cli *cli, struct open_site *s, struct wanted *w, struct error *e)
{
    CLEANUP_JSON json_t *entry = cli_site_entry(cli, "restore");
    return put_back_accept(s->state, s->objects, &s->site, w->from, was_asked_for, w, entry, e);
}

static void mend_all(struct cli *cli, struct open_site *s, const struct wanted *w, bool dry_run,
                     struct done *done, struct mender *m)
{
    *done = (struct done){.cli = cli, .site = s->site.row.name, .dry_run = dry_run};
    *m = (struct mender){.rootfd = s->site.rootfd,
                         .manifest = w->from->manifest,
                         .policies = s->site.policies,
                         .objects = s->objects,
                         .aside = &s->site.aside,
                         .dry_run = dry_run,
                         .event = on_event,
                         .context = done};
    for (size_t i = 0; i < w->paths.count; i++)
        mend_tree(m, w->paths.items[i], 0, false);
    tdestroy(done->told, free);
    done->told = NULL;
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

/* Shows what would be done and asks; *code where it is not to be done. */
static bool agreed(struct cli *cli, struct open_site *s, const struct wanted *w, int *code)
{
    struct done done;
    struct mender m;
    if (!cli->yes && cli_can_ask(cli)) {
        mend_all(cli, s, w, true, &done, &m);
        if (!done.undone && !done.removed && !done.failed) {
            *code = say(cli, s, &done);
            return false;
        }
    }
    *code = EXIT_USAGE;
    return cli_confirm(cli, _("Put back what was published, and move aside what was not?"));
}

static int restore(struct cli *cli, struct open_site *s, struct wanted *w)
{
    struct error e = ERROR_INIT;
    struct hold hold = {0};
    struct done done;
    struct mender m;
    if (!cli_hold(&hold, s, &e)) {
        cli_complain(&e);
        return EXIT_UNKNOWN;
    }
    if (!aside_clear_ready(&s->site.aside, &e))
        cli_complain(&e);
    mend_all(cli, s, w, false, &done, &m);
    bool good = mend_sync(&m, &e) && (done.failed || accept_older(cli, s, w, &e));
    if (!cli_release(&hold, good ? &e : NULL) || !good) {
        cli_complain(&e);
        return EXIT_UNKNOWN;
    }
    return say(cli, s, &done);
}

int cmd_restore(struct cli *cli)
{
    CLEANUP_OPEN_SITE struct open_site s = OPEN_SITE_INIT;
    CLEANUP_GENERATION struct generation g = {0};
    CLEANUP_ARENA struct arena *arena = arena_new();
    struct site_wants wants = {.generation = true, .aside = true};
    struct wanted w = {.from = &g};
    struct done done;
    struct mender m;
    int code;
    if (!cli_site(cli, &wants, &s, &code) || !cli_generation(cli, &s, &g, &code))
        return code;
    if (!cli_site_paths(cli, &s, &g, arena, &w.paths))
        return EXIT_USAGE;
    if (cli->dry_run) {
        mend_all(cli, &s, &w, true, &done, &m);
        return say(cli, &s, &done);
    }
    return agreed(cli, &s, &w, &code) ? restore(cli, &s, &w) : code;
}
