#include "cmd/site.h"

#include "base/json.h"
#include "base/str.h"
#include "content/dpkg_owned.h"
#include "content/publish.h"
#include "guard/by_command.h"
#include "show/progress.h"

#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

/* What becomes of a difference. */
enum fate { FATE_IN, FATE_FOREIGN, FATE_CANNOT, FATES };

/* Which differences are to be let in. */
struct choice {
    const struct by_command *by;      /* NULL: all, or what dpkg's record says */
    const struct differences *before; /* what differed before the command ran */
    struct dpkg_owned *dpkg;          /* NULL: it is not asked */
};

static const struct difference *before_at(const struct differences *before, const char *path)
{
    for (size_t low = 0, high = before ? before->count : 0; low < high;) {
        size_t middle = low + (high - low) / 2;
        int order = strcmp(before->items[middle].path, path);
        if (!order)
            return &before->items[middle];
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return NULL;
}

/* It was wrong before the command ran, and the command did not put something else in its place:
 * what stands in it now is another hand's at least in part. */
static bool keeps_what_was_wrong(const struct difference *before, const struct difference *now)
{
    return before && before->wrong && now->kind != DIFFERENCE_REMOVED && before->now.st_ino &&
           before->now.st_ino == now->now.st_ino && before->now.st_dev == now->now.st_dev;
}

static bool let_in(void *context, const struct difference *d)
{
    const struct choice *c = context;
    if (c->dpkg)
        return dpkg_owned_lets_in(c->dpkg, d);
    if (!c->by)
        return true;
    const struct difference *before = before_at(c->before, d->path);
    bool ours = by_command_changed(c->by, d->path) && !by_others_changed(c->by, d->path) &&
                !keeps_what_was_wrong(before, d);
    if (d->from)
        ours = ours && !by_others_changed(c->by, d->from);
    return ours || (!d->path[0] && !before);
}

static enum fate fate_of(struct choice *choice, const struct difference *d)
{
    return !publish_can(d) ? FATE_CANNOT : let_in(choice, d) ? FATE_IN : FATE_FOREIGN;
}

static struct differences *look(struct cli *cli, struct open_site *s)
{
    struct differences *found = NULL;
    struct walk_progress at = {0};
    struct verify_options options = {.policies = s->site.policies, .progress = &at};
    struct error e = ERROR_INIT;
    struct progress *progress = progress_start(&cli->show, _("Comparing"), &at, 0, 0);
    bool good = verify(&found, s->site.rootfd, s->site.generation.manifest, &options, &e);
    progress_end(progress);
    if (good)
        return found;
    cli_complain(&e);
    return NULL;
}

/* What may hide behind its directory's line does so only if that line is of the same fate. */
static void show_those(struct cli *cli, struct open_site *s, const struct differences *found,
                       struct choice *choice, enum fate fate)
{
    CLEANUP_FREE struct difference *items = mem_alloc((found->count + 1) * sizeof *items);
    struct differences those = {.items = items};
    const struct difference *top = NULL;
    for (size_t i = 0; i < found->count; i++) {
        if (fate_of(choice, &found->items[i]) != fate)
            continue;
        struct difference *d = &items[those.count++];
        *d = found->items[i];
        size_t length = top ? strlen(top->path) : 0;
        d->beneath =
            d->beneath && top && strncmp(d->path, top->path, length) == 0 && d->path[length] == '/';
        if (!d->beneath)
            top = d;
    }
    show_differences(&cli->show, &s->site, &those);
}

/* *unknown: how many could not be looked at. */
static void show_apart(struct cli *cli, struct open_site *s, const struct differences *found,
                       struct choice *choice, size_t count[FATES], size_t *unknown)
{
    static const char *const titles[FATES] = {NULL, N_("Changed by other hands, not published:"),
                                              N_("Cannot be published:")};
    *unknown = found->of_kind[DIFFERENCE_UNREADABLE];
    for (size_t i = 0; i < found->count; i++)
        count[fate_of(choice, &found->items[i])]++;
    for (int fate = 0; fate < FATES; fate++) {
        if (count[fate] && titles[fate] && !cli->json)
            printf("%s\n", _(titles[fate]));
        show_those(cli, s, found, choice, (enum fate)fate);
    }
}

/* A plan is nothing that is wrong: `found` stays 0. */
static int say_plan(struct cli *cli, struct open_site *s, size_t differences, size_t unknown,
                    const struct differences *found)
{
    if (cli->json) {
        json_t *o = cli_site_summary_of(&s->site, 0, unknown, found->files, found->bytes);
        json_put_int(o, "differences", (int64_t)differences);
        show_json_line(&cli->show, o);
    } else
        printf(ngettext("%zu difference would be published; nothing was changed\n",
                        "%zu differences would be published; nothing was changed\n", differences),
               differences);
    return unknown ? EXIT_UNKNOWN : EXIT_CLEAN;
}

static void say_published(const struct open_site *s, size_t count, size_t left)
{
    unsigned long long generation = s->site.row.generation;
    if (!count)
        printf(_("%s: nothing to publish\n"), s->site.row.name);
    else if (left)
        printf(_("%s: generation %llu is published; differences let in: %zu, not let in: %zu\n"),
               s->site.row.name, generation, count, left);
    else
        printf(ngettext("%s: generation %llu is published, with %zu difference\n",
                        "%s: generation %llu is published, with %zu differences\n", count),
               s->site.row.name, generation, count);
}

static bool accept(struct cli *cli, struct open_site *s, const struct differences *found,
                   struct choice *choice, size_t in, size_t *count, struct error *e)
{
    CLEANUP_JSON json_t *entry = cli_site_entry(cli, "publish");
    json_put_int(entry, "differences", (int64_t)in);
    return publish_accept(s->state, s->objects, &s->site, found, let_in, choice, entry, count, e);
}

static int publish(struct cli *cli, struct open_site *s, struct choice *choice, bool ask)
{
    CLEANUP(differences_cleanup) struct differences *found = look(cli, s);
    if (!found)
        return EXIT_UNKNOWN;
    size_t apart[FATES] = {0}, unknown, count = 0;
    struct hold hold = {0};
    struct error e = ERROR_INIT;
    show_apart(cli, s, found, choice, apart, &unknown);
    if (cli->dry_run)
        return say_plan(cli, s, apart[FATE_IN], unknown, found);
    if (apart[FATE_IN] && ask && !cli_confirm(cli, _("Publish this?")))
        return EXIT_USAGE;
    /* A guard waits only now: not while somebody thinks. */
    bool good = (!ask || cli_hold(&hold, s, &e)) &&
                accept(cli, s, found, choice, apart[FATE_IN], &count, &e);
    if (!cli_release(&hold, good ? &e : NULL) || !good) {
        cli_complain(&e);
        return EXIT_UNKNOWN;
    }
    size_t left = apart[FATE_FOREIGN] + apart[FATE_CANNOT];
    if (cli->json)
        cli_site_summary(cli, &s->site, left - unknown, unknown, found->files, found->bytes);
    else
        say_published(s, count, left);
    return left > unknown ? EXIT_FOUND : unknown ? EXIT_UNKNOWN : EXIT_CLEAN;
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
        code = publish(cli, s, &(struct choice){.by = by, .before = before}, false);
    by_command_free(by);
    return code;
}

static int say_dpkg(struct cli *cli, struct open_site *s, size_t count, size_t owned)
{
    if (cli->json)
        cli_site_summary(cli, &s->site, 0, 0, count, 0);
    else if (count)
        printf(ngettext("%s: generation %llu is published (%zu name, by dpkg's record)\n",
                        "%s: generation %llu is published (%zu names, by dpkg's record)\n", count),
               s->site.row.name, (unsigned long long)s->site.row.generation, count);
    else if (!owned)
        printf(_("%s: nothing to publish: no package owns anything in %s\n"), s->site.row.name,
               s->site.row.root);
    else
        printf(_("%s: nothing to publish\n"), s->site.row.name);
    return EXIT_CLEAN;
}

/* What dpkg's record does not say is none of its business: it is neither shown nor counted. */
static int publish_dpkg(struct cli *cli, struct open_site *s)
{
    CLEANUP(dpkg_owned_cleanup) struct dpkg_owned *d = NULL;
    struct error e = ERROR_INIT;
    size_t count = 0;
    if (!s->config->dpkg)
        return cli_usage(cli, _("the configuration says that packages are nothing special"));
    CLEANUP_JSON json_t *entry = cli_site_entry(cli, "publish");
    if (!dpkg_owned_load(&d, s->config->dpkg, &s->site, NULL, 0, &e)) {
        cli_complain(&e);
        return EXIT_UNKNOWN;
    }
    CLEANUP(differences_cleanup) struct differences *found = look(cli, s);
    if (!found)
        return EXIT_UNKNOWN;
    struct choice choice = {.dpkg = d};
    for (size_t i = 0; i < found->count; i++)
        count += fate_of(&choice, &found->items[i]) == FATE_IN;
    show_those(cli, s, found, &choice, FATE_IN);
    if (cli->dry_run)
        return say_plan(cli, s, count, 0, found);
    if (!dpkg_owned_publish(d, s->state, s->objects, &s->site, entry, &count, &e)) {
        cli_complain(&e);
        return EXIT_UNKNOWN;
    }
    return say_dpkg(cli, s, count, dpkg_owned_count(d));
}

/* While a guard waits. */
static int publish_held(struct cli *cli, struct open_site *s)
{
    struct hold hold = {0};
    struct error e = ERROR_INIT;
    if (!cli_hold(&hold, s, &e)) {
        cli_complain(&e);
        return EXIT_UNKNOWN;
    }
    int code = cli->dpkg ? publish_dpkg(cli, s) : run_and_publish(cli, s);
    if (cli_release(&hold, &e))
        return code;
    cli_complain(&e);
    return EXIT_UNKNOWN;
}

int cmd_publish(struct cli *cli)
{
    CLEANUP_OPEN_SITE struct open_site s = OPEN_SITE_INIT;
    struct site_wants wants = {.generation = true, .aside = true};
    int code;
    if (cli->argument_count > 1)
        return cli_usage(cli, _("%s is one word too many"), cli->arguments[1]);
    bool from = cli->from || cli->from_git, command = cli->behind_count;
    if (from + command + cli->dpkg > 1)
        return cli_usage(cli, _("a command, --from or --dpkg: one of them"));
    if (command && cli->dry_run)
        return cli_usage(cli, _("what a command changes is known only when it has run: no "
                                "--dry-run"));
    if (command && geteuid() != 0) {
        fprintf(stderr, "yagura: %s\n",
                _("only root is told who changes what, so root must run this; yagura publish "
                  "SITE shows all that differs, and asks"));
        return EXIT_UNKNOWN;
    }
    if (!cli_site(cli, &wants, &s, &code))
        return code;
    if (from)
        return cli_deploy(cli, &s);
    if (cli->dpkg || command)
        return publish_held(cli, &s);
    return publish(cli, &s, &(struct choice){0}, true);
}
