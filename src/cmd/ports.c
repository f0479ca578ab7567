#include "cmd/cmd.h"

#include "act/firewall.h"
#include "base/str.h"
#include "judge/gateway.h"
#include "judge/ports.h"
#include "show/firewall.h"

size_t cli_say_firewall(struct cli *cli, struct state *state)
{
    size_t wrong = 0;
    for (int scope = FIREWALL_ISOLATION; scope <= FIREWALL_CLOSED_PORTS; scope++) {
        struct firewall_status status;
        struct error e = ERROR_INIT;
        /* begun from another state, or by one that was killed before it wrote it down; who may not
         * ask the kernel is not told */
        bool known = firewall_is_known(state_dirfd(state), scope);
        if (!firewall_look(state_dirfd(state), scope, &status, &e)) {
            if (known)
                cli_complain(&e);
            continue;
        }
        if (!known && status.stand != FIREWALL_STRANGE)
            continue;
        show_firewall(&cli->show, scope, &status);
        wrong +=
            status.stand == FIREWALL_REMOVED || status.stand == FIREWALL_STRANGE || status.altered;
    }
    return wrong;
}

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
    size_t wrong = 0;
    if (state && request.kind == TARGET_LIVE)
        wrong = cli_say_firewall(cli, state);
    show_ports(&cli->show, a, wrong);
    if (wrong)
        return EXIT_FOUND;
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
