#include "cmd/site.h"

#include "base/json.h"
#include "base/str.h"
#include "content/dpkg_owned.h"
#include "content/publish.h"
#include "guard/by_command.h"

#include <stdlib.h>
#include <sys/wait.h>

/* Which differences are to be let in. */
struct choice {
    const struct by_command *by;      /* NULL: all */
    const struct differences *before; /* what differed before the command ran */
};

static bool differed_before(const struct differences *before, const char *path)
{
    for (size_t low = 0, high = before ? before->count : 0; low < high;) {
        size_t middle = low + (high - low) / 2;
        int order = strcmp(before->items[middle].path, path);
        if (!order)
            return true;
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return false;
}

static bool let_in(void *context, const struct difference *d)
{
    const struct choice *c = context;
    if (d->kind == DIFFERENCE_UNREADABLE)
        return false;
    if (!c->by)
        return true;
    bool ours = by_command_changed(c->by, d->path) && !by_others_changed(c->by, d->path);
    if (d->from)
        ours = ours && !by_others_changed(c->by, d->from);
    return ours || (!d->path[0] && !differed_before(c->before, ""));
}

static struct differences *look(struct cli *cli, struct open_site *s)
{
    struct differences *found = NULL;
    struct verify_options options = {.policies = s->site.policies};
    struct error e = ERROR_INIT;
    if (!verify(&found, s->site.rootfd, s->site.generation.manifest, &options, &e)) {
        cli_complain(&e);
        return NULL;
    }
    return found;
}

static void show_apart(struct cli *cli, struct open_site *s, const struct differences *found,
                       struct choice *choice, size_t *in, size_t *out)
{
    *in = *out = 0;
    for (size_t i = 0; i < found->count; i++)
        ++*(let_in(choice, &found->items[i]) ? in : out);
    if (!*out) {
        show_differences(&cli->show, &s->site, found);
        return;
    }
    for (int foreign = 0; foreign < 2; foreign++) {
        if (foreign && !cli->json)
            printf("%s\n", _("Changed by other hands, not published:"));
        for (size_t i = 0; i < found->count; i++)
            if (let_in(choice, &found->items[i]) == !foreign)
                show_difference(&cli->show, &s->site, &found->items[i], 0);
    }
}

static int publish(struct cli *cli, struct open_site *s, struct choice *choice, bool ask)
{
    CLEANUP(differences_cleanup) struct differences *found = look(cli, s);
    if (!found)
        return EXIT_UNKNOWN;
    size_t in, foreign, count = 0;
    struct error e = ERROR_INIT;
    show_apart(cli, s, found, choice, &in, &foreign);
    if (in && ask && cli->dry_run) {
        if (cli->json)
            cli_site_summary(cli, &s->site, in, 0, found->files, found->bytes);
        return EXIT_CLEAN;
    }
    if (in && ask && !cli_confirm(cli, _("Publish this?")))
        return EXIT_USAGE;
    CLEANUP_JSON json_t *entry = cli_site_entry(cli, "publish");
    json_put_int(entry, "differences", (int64_t)in);
    if (!publish_accept(s->state, s->objects, &s->site, found, let_in, choice, entry, &count, &e)) {
        cli_complain(&e);
        return EXIT_UNKNOWN;
    }
    if (cli->json)
        cli_site_summary(cli, &s->site, foreign, 0, found->files, found->bytes);
    else if (count)
        printf(_("%s: generation %llu is published (%zu differences let in, %zu not)\n"),
               s->site.row.name, (unsigned long long)s->site.row.generation, count, foreign);
    else
        printf(_("%s: nothing to publish\n"), s->site.row.name);
    return foreign ? EXIT_FOUND : EXIT_CLEAN;
}

static int run_and_publish(struct cli *cli, struct open_site *s)
{
    CLEANUP(differences_cleanup) struct differences *before = look(cli, s);
    if (!before)
        return EXIT_UNKNOWN;
    CLEANUP_FREE char **argv = mem_alloc((cli->behind_count + 1) * sizeof *argv);
    for (size_t i = 0; i < cli->behind_count; i++)
        argv[i] = (char *)cli->behind[i];
    struct by_command *by = NULL;
    struct error e = ERROR_INIT;
    int status, code = EXIT_UNKNOWN;
    if (!by_command_run(&by, &s->site, argv, &status, &e)) {
        cli_complain(&e);
        return EXIT_UNKNOWN;
    }
    if (!WIFEXITED(status) || WEXITSTATUS(status))
        fprintf(stderr, "yagura: %s\n",
                _("the command failed: nothing is published, what it changed will be undone"));
    else if (by_command_lost(by))
        fprintf(stderr, "yagura: %s\n",
                _("it could not be followed who changed what: look with yagura verify, then "
                  "yagura publish"));
    else
        code = publish(cli, s, &(struct choice){by, before}, false);
    by_command_free(by);
    return code;
}

static int publish_dpkg(struct cli *cli, struct open_site *s)
{
    CLEANUP(dpkg_owned_cleanup) struct dpkg_owned *d = NULL;
    struct error e = ERROR_INIT;
    size_t count;
    if (!s->config->dpkg)
        return cli_usage(cli, _("the configuration says that packages are nothing special"));
    CLEANUP_JSON json_t *entry = cli_site_entry(cli, "publish");
    if (!dpkg_owned_load(&d, s->config->dpkg, &s->site, NULL, 0, &e) ||
        !dpkg_owned_publish(d, s->state, s->objects, &s->site, entry, &count, &e)) {
        cli_complain(&e);
        return EXIT_UNKNOWN;
    }
    if (cli->json)
        cli_site_summary(cli, &s->site, 0, 0, count, 0);
    else if (count)
        printf(_("%s: generation %llu is published (%zu names, by dpkg's record)\n"),
               s->site.row.name, (unsigned long long)s->site.row.generation, count);
    else
        printf(_("%s: nothing to publish\n"), s->site.row.name);
    return EXIT_CLEAN;
}

int cmd_publish(struct cli *cli)
{
    CLEANUP_OPEN_SITE struct open_site s = OPEN_SITE_INIT;
    struct site_wants wants = {.generation = true, .aside = true};
    struct error e = ERROR_INIT;
    struct hold hold = {0};
    int code;
    if (cli->argument_count > 1)
        return cli_usage(cli, _("%s is one word too many"), cli->arguments[1]);
    bool from = cli->from || cli->from_git;
    if (from && cli->behind_count)
        return cli_usage(cli, _("a command, or --from: one of them"));
    if (!cli_site(cli, &wants, &s, &code))
        return code;
    if (from)
        return cli_deploy(cli, &s);
    if (!cli_hold(&hold, &s, &e)) {
        cli_complain(&e);
        return EXIT_UNKNOWN;
    }
    if (cli->dpkg)
        code = publish_dpkg(cli, &s);
    else if (cli->behind_count)
        code = run_and_publish(cli, &s);
    else
        code = publish(cli, &s, &(struct choice){0}, true);
    if (!cli_release(&hold, &e)) {
        cli_complain(&e);
        return EXIT_UNKNOWN;
    }
    return code;
}
