#include "cmd/site.h"

#include "act/tree_source.h"
#include "content/deploy.h"
#include "show/progress.h"

struct done {
    struct cli *cli;
    const char *site;
    size_t count, failed;
};

static void on_event(void *context, const struct mend_event *event)
{
    struct done *d = context;
    d->count += event->undone;
    d->failed += event->error != NULL;
    if (event->error)
        show_mend_event(&d->cli->show, d->site, event, false);
}

/* What stood there unpublished is no part of the deployment: whoever did it shall know. */
static bool show_foreign(struct cli *cli, struct open_site *s, struct error *e)
{
    CLEANUP(differences_cleanup) struct differences *found = NULL;
    if (!site_compare_quickly(&found, s->state, &s->site, false, NULL, e))
        return false;
    if (found->wrong && !cli->json)
        printf("%s\n", _("Changed here by other hands, never published, and undone by this:"));
    for (size_t i = 0; found->wrong && i < found->count; i++)
        if (found->items[i].wrong && (cli->json || !found->items[i].beneath))
            show_difference(&cli->show, &s->site, &found->items[i], 0);
    return true;
}

static bool carry_out(struct cli *cli, struct open_site *s, struct deploy *d, struct done *done,
                      const struct tree_source *from, struct error *e)
{
    struct hold hold = {0};
    CLEANUP_JSON json_t *entry = cli_site_entry(cli, "publish");
    json_put_string(entry, "from", from->said);
    if (from->commit)
        json_put_string(entry, "commit", from->commit);
    if (!cli_hold(&hold, s, e))
        return false;
    bool good = deploy_accept(d, s->state, s->objects, &s->site, entry, e);
    struct mender m = {.rootfd = s->site.rootfd,
                       .manifest = s->site.generation.manifest,
                       .policies = s->site.policies,
                       .objects = s->objects,
                       .aside = &s->site.aside,
                       .event = on_event,
                       .context = done};
    if (good) {
        deploy_carry_out(d, &m);
        good = mend_sync(&m, e);
    }
    return cli_release(&hold, good ? e : NULL) && good;
}

static int say(struct cli *cli, const struct open_site *s, const struct deploy *d,
               const struct done *done)
{
    size_t unknown = done->failed + d->taken->left_out_count;
    if (cli->json)
        cli_site_summary(cli, &s->site, 0, unknown, d->taken->files, d->taken->bytes);
    else if (done->failed)
        printf(ngettext("%s: generation %llu is published; %zu name could not be brought in: "
                        "yagura restore %s tries again\n",
                        "%s: generation %llu is published; %zu names could not be brought in: "
                        "yagura restore %s tries again\n",
                        done->failed),
               s->site.row.name, (unsigned long long)s->site.row.generation, done->failed,
               s->site.row.name);
    else
        printf(ngettext("%s: generation %llu is published and in place (%zu name changed)\n",
                        "%s: generation %llu is published and in place (%zu names changed)\n",
                        done->count),
               s->site.row.name, (unsigned long long)s->site.row.generation, done->count);
    return unknown ? EXIT_UNKNOWN : EXIT_CLEAN;
}

/* A plan is nothing that is wrong: `found` stays 0. */
static int say_plan(struct cli *cli, const struct open_site *s, const struct deploy *d)
{
    size_t unknown = d->taken->left_out_count;
    if (cli->json) {
        json_t *o = cli_site_summary_of(&s->site, 0, unknown, d->taken->files, d->taken->bytes);
        json_put_int(o, "differences", (int64_t)d->found->wrong);
        show_json_line(&cli->show, o);
    } else
        printf("%s\n", _("nothing was changed"));
    return unknown ? EXIT_UNKNOWN : EXIT_CLEAN;
}

static int deploy(struct cli *cli, struct open_site *s, const struct tree_source *from)
{
    CLEANUP_DEPLOY struct deploy d = {0};
    struct error e = ERROR_INIT;
    struct walk_progress at = {0};
    struct done done = {.cli = cli, .site = s->site.row.name};
    struct progress *progress = progress_start(&cli->show, _("Taking"), &at, 0, 0);
    bool good = deploy_plan(&d, s->objects, &s->site, from->fd, false, &at, &e);
    progress_end(progress);
    if (!good || !show_foreign(cli, s, &e)) {
        cli_complain(&e);
        return EXIT_UNKNOWN;
    }
    show_left_out(&cli->show, d.taken);
    if (d.nothing) {
        if (cli->json)
            cli_site_summary(cli, &s->site, 0, d.taken->left_out_count, d.taken->files, 0);
        else
            printf(_("%s: nothing to publish\n"), s->site.row.name);
        return d.taken->left_out_count ? EXIT_UNKNOWN : EXIT_CLEAN;
    }
    show_deployment(&cli->show, &s->site, d.found);
    if (d.left && !cli->json)
        printf(ngettext("%zu name of it lies where policy lets others write: not deployed\n",
                        "%zu names of it lie where policy lets others write: not deployed\n",
                        d.left),
               d.left);
    if (cli->dry_run)
        return say_plan(cli, s, &d);
    if (!cli_confirm(cli, _("Deploy and publish this?")))
        return EXIT_USAGE;
    if (!carry_out(cli, s, &d, &done, from, &e)) {
        cli_complain(&e);
        return EXIT_UNKNOWN;
    }
    return say(cli, s, &d, &done);
}

int cli_deploy(struct cli *cli, struct open_site *s)
{
    CLEANUP_TREE_SOURCE struct tree_source from = TREE_SOURCE_INIT;
    struct error e = ERROR_INIT;
    if (!tree_source_open(&from, cli->from, cli->from_git, state_dirfd(s->state), s->site.rootfd,
                          &e)) {
        cli_complain(&e);
        return cli_code_of(&e);
    }
    if (*from.within && !cli->json)
        printf(_("All of the archive lies in %s: that is meant\n"), from.within);
    return deploy(cli, s, &from);
}
