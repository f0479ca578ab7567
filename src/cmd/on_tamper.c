#include "cmd/site.h"

#include "guard/caller.h"
#include "guard/walls.h"

#include <errno.h>
#include <string.h>

int cmd_on_tamper(struct cli *cli)
{
    struct error e = ERROR_INIT;
    struct config *config = cli_config(cli);
    if (!config)
        return EXIT_USAGE;
    if (!config->on_tamper) {
        fprintf(stderr, "yagura: %s\n", _("on_tamper: is not set in the configuration"));
        config_free(config);
        return EXIT_CLEAN;
    }
    if (walls_enter(WALLS_HOOK, &e)) {
        caller_exec(config->on_tamper);
        error_set_errno(&e, errno, "running /bin/sh");
    }
    cli_complain(&e);
    config_free(config);
    return EXIT_UNKNOWN;
}
