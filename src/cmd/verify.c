#include "cmd/site.h"

#include "base/json.h"
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
        printf(ngettext("%s: %zu differs from generation %llu of %s, %zu could not be looked at\n",
                        "%s: %zu differ from generation %llu of %s, %zu could not be looked at\n",
                        found->wrong),
               site->row.name, found->wrong, (unsigned long long)site->row.generation, when,
               unreadable);
    if (allowed)
        printf(ngettext("%zu more differs as its policy allows\n",
                        "%zu more differ as their policy allows\n", allowed),
               allowed);
    if (found->wrong) {
        CLEANUP_ARENA struct arena *arena = arena_new();
        const char *name = site->row.name;
        show_hint(&cli->show,
                  _("If you did not change it yourself, somebody was in. Before anything is put "
                    "back:"),
                  show_command(arena, "respond start"));
        show_hint(&cli->show, _("What changed:"),
                  show_command(arena, arena_printf(arena, "diff %s", name)));
        show_hint(&cli->show, _("Put it back:"),
                  show_command(arena, arena_printf(arena, "restore %s", name)));
        show_hint(&cli->show, _("It is right as it is:"),
                  show_command(arena, arena_printf(arena, "publish %s", name)));
    }
}

/* Of all sites that were looked at. */
struct total {
    bool several;
    size_t found, unknown;
    uint64_t files, bytes;
};

static void json_verified(struct cli *cli, const struct site *site, const struct differences *d,
                          size_t unreadable)
{
    json_t *o = json_object();
    json_put_string(o, "type", "verified");
    json_put_string(o, "site", site->row.name);
    json_put_int(o, "generation", (int64_t)site->row.generation);
    json_put_int(o, "found", (int64_t)d->wrong);
    json_put_int(o, "unknown", (int64_t)unreadable);
    json_put_int(o, "files", (int64_t)d->files);
    json_put_int(o, "bytes", (int64_t)d->bytes);
    show_json_line(&cli->show, o);
}

static void report(struct cli *cli, const struct site *site, const struct differences *found,
                   struct total *total)
{
    size_t unreadable = found->of_kind[DIFFERENCE_UNREADABLE];
    total->found += found->wrong;
    total->unknown += unreadable;
    total->files += found->files;
    total->bytes += found->bytes;
    show_differences(&cli->show, site, found);
    if (!cli->json)
        say(cli, site, found);
    else if (total->several)
        json_verified(cli, site, found, unreadable);
    else
        cli_site_summary(cli, site, found->wrong, unreadable, found->files, found->bytes);
}

/* The site that the first argument names. */
static int verify_one(struct cli *cli, struct total *total)
{
    CLEANUP_OPEN_SITE struct open_site s = OPEN_SITE_INIT;
    struct site_wants wants = {.generation = true};
    int code;
    if (!cli_site(cli, &wants, &s, &code)) {
        total->unknown++;
        return code;
    }
    struct error e = ERROR_INIT;
    const struct manifest *m = s.site.generation.manifest;
    CLEANUP(stat_index_cleanup)
    struct stat_index *index = generation_stat_index(s.state, &s.site.row, &s.site.generation);
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
        error_prefix(&e, "%s", s.site.row.name);
        cli_complain(&e);
        total->unknown++;
        return EXIT_UNKNOWN;
    }
    if (!generation_save_stat_index(s.state, &s.site.row, &s.site.generation, index, &e))
        cli_complain(&e);
    report(cli, &s.site, found, total);
    return EXIT_CLEAN;
}

static void json_total(struct cli *cli, const struct total *total, size_t sites)
{
    json_t *o = json_object();
    json_put_string(o, "type", "summary");
    json_put_int(o, "sites", (int64_t)sites);
    json_put_int(o, "found", (int64_t)total->found);
    json_put_int(o, "unknown", (int64_t)total->unknown);
    json_put_int(o, "files", (int64_t)total->files);
    json_put_int(o, "bytes", (int64_t)total->bytes);
    show_json_line(&cli->show, o);
}

/* No site is named and there are several: each, one after the other; *several false: not so. */
static int verify_each(struct cli *cli, struct total *total, bool *several)
{
    CLEANUP_ARENA struct arena *arena = arena_new();
    CLEANUP(state_cleanup) struct state *state = cli_state_or_fail(cli);
    struct site_row *rows = NULL;
    size_t count = 0;
    struct error e = ERROR_INIT;
    *several = true;
    if (!state)
        return EXIT_UNKNOWN;
    if (!sites_list(state, arena, &rows, &count, &e)) {
        cli_complain(&e);
        return EXIT_UNKNOWN;
    }
    *several = total->several = count > 1;
    for (size_t i = 0; *several && i < count; i++) {
        struct cli one = *cli;
        one.arguments = &rows[i].name;
        one.argument_count = 1;
        verify_one(&one, total);
    }
    if (*several && cli->json)
        json_total(cli, total, count);
    return EXIT_CLEAN;
}

int cmd_verify(struct cli *cli)
{
    struct total total = {0};
    bool several = false;
    int code = EXIT_CLEAN;
    if (cli->argument_count > 1)
        return cli_usage(cli, _("%s is one word too many"), cli->arguments[1]);
    if (!cli->argument_count)
        code = verify_each(cli, &total, &several);
    if (!several)
        code = verify_one(cli, &total);
    if (code != EXIT_CLEAN)
        return code;
    return total.found ? EXIT_FOUND : total.unknown ? EXIT_UNKNOWN : EXIT_CLEAN;
}
