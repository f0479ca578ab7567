#include "cmd/site.h"

#include "base/json.h"
#include "base/str.h"
#include "content/profile.h"
#include "content/publish.h"
#include "show/progress.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <unistd.h>

static bool is_known(struct cli *cli, struct state *state, const char *name, const char *root,
                     int *code)
{
    CLEANUP_ARENA struct arena *arena = arena_new();
    struct site_row *rows;
    size_t count;
    struct error e = ERROR_INIT;
    if (!sites_list(state, arena, &rows, &count, &e)) {
        cli_complain(&e);
        *code = EXIT_UNKNOWN;
        return true;
    }
    for (size_t i = 0; i < count; i++) {
        if (str_equal(rows[i].root, root)) {
            *code = cli_usage(cli, _("%s is under guard already, as %s: yagura publish %s"), root,
                              rows[i].name, rows[i].name);
            return true;
        }
        if (str_equal(rows[i].name, name)) {
            *code = cli_usage(cli, _("there is a site %s already (%s): --name NAME"), name,
                              rows[i].root);
            return true;
        }
    }
    return false;
}

/* Which policies hold, and why these. */
static void say_profile(struct cli *cli, const char *profile)
{
    CLEANUP_ARENA struct arena *arena = arena_new();
    const char *title, *fits, *text;
    if (!profile_describe(profile, arena, &title, &fits, NULL))
        return;
    if (cli->profile)
        text =
            arena_printf(arena, _("Profile %s, as you said: %s."), profile, language_text(title));
    else if (fits[0])
        text = arena_printf(arena, _("Profile %s, as %s are there: %s. Another: --profile NAME."),
                            profile, fits, language_text(title));
    else
        text = arena_printf(arena, _("Profile %s, as nothing of a known application is there: %s."),
                            profile, language_text(title));
    show_wrap(&cli->show, "", 0, text);
}

static int report(struct cli *cli, const struct site *site, const struct capture *taken)
{
    show_left_out(&cli->show, taken);
    if (cli->json) {
        cli_site_summary(cli, site, 0, taken->left_out_count, taken->files, taken->bytes);
    } else {
        printf(_("%s: generation %llu of %s is published: %llu files, %.1f MB\n"), site->row.name,
               (unsigned long long)site->row.generation, site->row.root,
               (unsigned long long)taken->files, (double)taken->bytes / 1e6);
        say_profile(cli, site->row.profile);
        if (taken->left_out_count)
            printf(ngettext("%zu name could not be taken: it is not guarded\n",
                            "%zu names could not be taken: they are not guarded\n",
                            taken->left_out_count),
                   taken->left_out_count);
    }
    return taken->left_out_count ? EXIT_UNKNOWN : EXIT_CLEAN;
}

bool cli_first_publication(struct cli *cli, const struct config *config, struct state *state,
                           struct objects *objects, const struct facts *facts, const char *name,
                           const char *root, int *code)
{
    CLEANUP_ARENA struct arena *arena = arena_new();
    CLEANUP_SITE struct site site = {.rootfd = -1, .aside = {.fd = -1}};
    struct error e = ERROR_INIT;
    int rootfd = site_open_root(root, &e);
    const char *profile = rootfd < 0     ? NULL
                          : cli->profile ? cli->profile
                                         : profile_propose(rootfd, -1, arena, &e);
    if (rootfd >= 0)
        close(rootfd);
    struct site_wants wants = {.aside = true, .own = config_policies(config, name)};
    if (!profile || !site_open_new(&site, name, root, profile, &wants, &e)) {
        cli_complain(&e);
        *code = e.code == ERR_USAGE || e.code == ERR_ABSENT ? EXIT_USAGE : EXIT_UNKNOWN;
        return false;
    }
    CLEANUP_JSON json_t *entry = cli_site_entry(cli, "init");
    json_put_string(entry, "root", root);
    CLEANUP(capture_cleanup) struct capture *taken = NULL;
    struct walk_progress at = {0};
    struct progress *progress = progress_start(&cli->show, _("Taking"), &at, 0, 0);
    bool good = publish_first(state, objects, &site, entry, &at, &taken, &e);
    progress_end(progress);
    if (!good) {
        cli_complain(&e);
        *code = EXIT_UNKNOWN;
        return false;
    }
    if (cli->json) /* the summary is the last line */
        cli_warn_writable(cli, &site, facts);
    *code = report(cli, &site, taken);
    if (!cli->json)
        cli_warn_writable(cli, &site, facts);
    return true;
}

/* What the web servers here are configured to be; NULL where that cannot be said. */
static struct audit *collect_facts(void)
{
    struct audit *a = NULL;
    struct audit_request request = {.kind = TARGET_LIVE, .as_of = DATE_NONE};
    struct error e = ERROR_INIT;
    if (!audit_collect(&a, &request, &e))
        cli_complain(&e);
    return a;
}

int cmd_init(struct cli *cli)
{
    CLEANUP_ARENA struct arena *arena = arena_new();
    CLEANUP(objects_cleanup) struct objects *objects = NULL;
    struct error e = ERROR_INIT;
    char root[PATH_MAX];
    int code = EXIT_UNKNOWN;
    if (cli->argument_count != 1)
        return cli_usage(cli, _("which document root?"));
    if (!realpath(cli->arguments[0], root)) {
        error_set_errno(&e, errno, "opening the document root");
        error_at(&e, cli->arguments[0], 0, 0);
        cli_complain(&e);
        return EXIT_USAGE;
    }
    const char *name = cli->name ? cli->name : site_name_of(arena, root);
    CLEANUP(config_cleanup) struct config *config = cli_config(cli);
    if (!config)
        return EXIT_USAGE;
    CLEANUP(state_cleanup) struct state *state = cli_state_or_fail(cli);
    if (!state || is_known(cli, state, name, root, &code))
        return code;
    if (!objects_open(&objects, state_dirfd(state), &e)) {
        cli_complain(&e);
        return EXIT_UNKNOWN;
    }
    CLEANUP(audit_cleanup) struct audit *facts = collect_facts();
    if (cli_first_publication(cli, config, state, objects, facts ? facts->facts : NULL, name, root,
                              &code) &&
        !cli->json) {
        show_hint(&cli->show, _("Guard it:"), show_command(arena, "guard"));
        show_hint(&cli->show, _("Is it as it was published:"), show_command(arena, "verify"));
    }
    return code;
}
