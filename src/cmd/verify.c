#include "cmd/site.h"

#include "content/verify.h"
#include "model/date.h"
#include "show/progress.h"

static void totals(const struct manifest *m, uint64_t *files, uint64_t *bytes)
{
    *files = *bytes = 0;
    for (uint32_t i = 0; i < manifest_count(m); i++) {
        struct manifest_entry entry;
        manifest_entry(m, i, &entry);
        if (S_ISREG(entry.mode)) {
            *files += 1;
            *bytes += entry.size;
        }
    }
}

static void say(struct cli *cli, const struct site *site, const struct differences *found)
{
    char when[16];
    date_format_day(manifest_made_ns(site->generation.manifest) / 1000000000, when);
    size_t unreadable = found->of_kind[DIFFERENCE_UNREADABLE];
    size_t allowed = found->count - found->wrong - unreadable;
    if (!found->wrong && !unreadable)
        printf(_("%s is as it was published (generation %llu of %s): %llu names, %.1f MB read\n"),
               site->row.name, (unsigned long long)site->row.generation, when,
               (unsigned long long)found->files, (double)found->bytes / 1e6);
    else
        printf(_("%s: %zu differ from generation %llu of %s, %zu could not be looked at\n"),
               site->row.name, found->wrong, (unsigned long long)site->row.generation, when,
               unreadable);
    if (allowed)
        printf(ngettext("%zu more differs as its policy allows\n",
                        "%zu more differ as their policy allows\n", allowed),
               allowed);
    if (found->wrong) {
        CLEANUP_ARENA struct arena *arena = arena_new();
        const char *name = site->row.name;
        show_wrap(&cli->show, _("Next: "), 2,
                  arena_printf(arena,
                               _("yagura diff %s (what changed), yagura restore %s (puts it back), "
                                 "yagura publish %s (it is right as it is)"),
                               name, name, name));
    }
}

int cmd_verify(struct cli *cli)
{
    CLEANUP_OPEN_SITE struct open_site s;
    struct site_wants wants = {.generation = true};
    int code;
    if (!cli_site(cli, &wants, &s, &code))
        return code;
    if (cli->argument_count > 1)
        return cli_usage(cli, _("%s is one word too many"), cli->arguments[1]);
    struct error e = ERROR_INIT;
    const struct manifest *m = s.site.generation.manifest;
    CLEANUP(stat_index_cleanup) struct stat_index *index =
        generation_stat_index(s.state, &s.site.row, &s.site.generation);
    CLEANUP(differences_cleanup) struct differences *found = NULL;
    struct walk_progress at = {0};
    struct verify_options options = {
        .policies = s.site.policies, .index = index, .quick = cli->quick, .progress = &at};
    uint64_t files, bytes;
    totals(m, &files, &bytes);
    struct progress *progress = progress_start(&cli->show, _("Comparing"), &at, files, bytes);
    bool good = verify(&found, s.site.rootfd, m, &options, &e);
    progress_end(progress);
    if (!good) {
        cli_complain(&e);
        return EXIT_UNKNOWN;
    }
    if (!generation_save_stat_index(s.state, &s.site.row, &s.site.generation, index, &e))
        cli_complain(&e);
    size_t unreadable = found->of_kind[DIFFERENCE_UNREADABLE];
    show_differences(&cli->show, &s.site, found);
    if (cli->json)
        cli_site_summary(cli, &s.site, found->wrong, unreadable, found->files, found->bytes);
    else
        say(cli, &s.site, found);
    return found->wrong ? EXIT_FOUND : unreadable ? EXIT_UNKNOWN : EXIT_CLEAN;
}
