#include "cmd/cmd.h"

#include "base/str.h"
#include "judge/gateway.h"
#include "judge/ports.h"

int cmd_ports(struct cli *cli)
{
    struct audit_request request;
    if (!cli_request(cli, &request))
        return EXIT_USAGE;
    if (cli->close || cli->confirm || cli->open)
        return cmd_ports_close(cli);
    if (cli->from_outside)
        return cmd_ports_from_outside(cli);
    if (cli->argument_count)
        return cli_usage(cli, _("%s is one word too many; a target is --root, --image or --text"),
                         cli->arguments[0]);
    if (cli->gateway) {
        CLEANUP_STR struct str text = {0};
        gateway_rules(&text, cli->json);
        fputs(str_text(&text), stdout);
        return EXIT_CLEAN;
    }
    CLEANUP(state_cleanup) struct state *state = cli_state(cli);
    request.state = state;
    request.with_advisories = request.with_checklist = request.with_updates = false;
    int code = EXIT_UNKNOWN;
    CLEANUP(audit_cleanup) struct audit *a = cli_audit(cli, &request, &code);
    if (!a)
        return code;
    show_ports(&cli->show, a);
    CLEANUP_ARENA struct arena *arena = arena_new();
    struct port_row *rows;
    size_t count = judge_ports(arena, a->facts, &rows);
    bool unknown = audit_unknown(a);
    for (size_t i = 0; i < count; i++) {
        if (rows[i].opinion == PORT_NO_BUSINESS)
            return EXIT_FOUND;
        unknown |= rows[i].opinion == PORT_UNKNOWN;
    }
    return unknown ? EXIT_UNKNOWN : EXIT_CLEAN;
}
