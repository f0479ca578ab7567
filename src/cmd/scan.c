#include "cmd/cmd.h"

#include "base/str.h"
#include "cmd/quarantine.h"
#include "cmd/site.h"
#include "show/progress.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

/* Of this host a path is meant from where the person stands; of another target from its root. */
static const char *absolute(struct arena *arena, const char *path, bool here)
{
    CLEANUP_FREE char *folder = here && path[0] != '/' ? getcwd(NULL, 0) : NULL;
    while (folder && str_starts(path, "./"))
        path += 2;
    if (!folder)
        return path;
    return str_equal(path, ".") ? arena_strdup(arena, folder)
                                : arena_printf(arena, "%s/%s", folder, path);
}

static const struct policies *own_policies(void *context, const char *site)
{
    return config_policies(context, site);
}

struct audit *cli_scan(struct cli *cli, const struct audit_request *asked,
                       const struct scan_request *wanted, struct scan_result *result, int *code)
{
    struct audit_request target = *asked;
    struct scan_request bytes = *wanted;
    struct walk_progress at = {0};
    struct audit *a = NULL;
    struct error e = ERROR_INIT;
    CLEANUP(config_cleanup) struct config *config = cli_config(cli);
    if (!config) {
        *code = EXIT_USAGE;
        return NULL;
    }
    target.own_policies = own_policies;
    target.policies_context = config;
    bytes.files = &at.files;
    bytes.bytes = &at.bytes;
    struct progress *progress = progress_start(&cli->show, _("looking into files"), &at, 0, 0);
    bool good = audit_scan(&a, result, &target, &bytes, &e);
    progress_end(progress);
    if (good)
        return a;
    cli_complain(&e);
    *code = cli_code_of(&e);
    return NULL;
}

int cmd_scan(struct cli *cli)
{
    CLEANUP_ARENA struct arena *arena = arena_new();
    struct audit_request target;
    enum severity least;
    if (!cli_request(cli, &target) || !cli_fail_on(cli, &least))
        return EXIT_USAGE;
    if (cli->quarantine && target.kind == TARGET_IMAGE)
        return cli_usage(cli, _("nothing is moved on an image: it is evidence"));
    VEC(const char *) paths = {0};
    for (size_t i = 0; i < cli->argument_count; i++)
        VEC_PUSH(&paths, absolute(arena, cli->arguments[i], target.kind == TARGET_LIVE));
    struct scan_request bytes = {.paths = paths.items,
                                 .path_count = paths.count,
                                 .theirs = &cli->rules,
                                 .their_count = cli->rules ? 1 : 0,
                                 .clamd = cli->clamd ? cli->clamd : scan_find_clamd()};
    if (cli->clamd && str_equal(cli->clamd, "off"))
        bytes.clamd = NULL;
    struct error e = ERROR_INIT;
    CLEANUP(state_cleanup)
    struct state *state =
        cli_state_to_read(cli, &e); /* for the sites it knows, and the quarantine */
    target.state = state;
    struct scan_result result;
    int code = EXIT_UNKNOWN;
    CLEANUP(audit_cleanup) struct audit *a = cli_scan(cli, &target, &bytes, &result, &code);
    VEC_FREE(&paths);
    if (!a)
        return code;
    show_scan(&cli->show, a);
    fflush(stdout);
    if (cli->quarantine)
        cli_quarantine_found(cli, a, least);
    show_scan_end(&cli->show, a, &result, least);
    code = cli_exit_code(cli, a);
    return code == EXIT_UNKNOWN && result.absent ? EXIT_USAGE : code;
}
