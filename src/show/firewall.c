#include "show/firewall.h"

#include "base/json.h"

const char *firewall_stand_name(enum firewall_stand stand)
{
    static const char *const names[] = {"none",   "trial",   "confirmed",
                                        "lapsed", "removed", "strange"};
    return names[stand];
}

static void show_line(struct show *s, enum firewall_scope scope, const struct firewall_status *st)
{
    json_t *o = json_object();
    json_put_string(o, "type", "firewall");
    json_put_string(o, "scope", scope == FIREWALL_ISOLATION ? "isolation" : "ports");
    json_put_string(o, "mode", firewall_mode_name(st->mode));
    json_put_string(o, "stand", firewall_stand_name(st->stand));
    json_put_int(o, "since", st->since);
    json_put_int(o, "seconds_left", st->seconds_left);
    json_put_bool(o, "altered", st->altered);
    json_put_string(o, "changed", st->changed);
    show_json_line(s, o);
}

/* In the arena. */
static const char *sentence(struct arena *arena, enum firewall_scope scope,
                            const struct firewall_status *st)
{
    bool ports = scope == FIREWALL_CLOSED_PORTS;
    const char *mode = firewall_mode_name(st->mode);
    switch (st->stand) {
    case FIREWALL_TRIAL:
        return ports ? arena_printf(arena, _("Ports are shut on trial: %u seconds are left."),
                                    st->seconds_left)
                     : arena_printf(arena,
                                    _("This host is isolated (%s) on trial: %u seconds are left."),
                                    mode, st->seconds_left);
    case FIREWALL_CONFIRMED:
        return ports ? _("Ports are shut, and stay so after a restart.")
                     : arena_printf(arena,
                                    _("This host is isolated (%s), and stays so after a restart."),
                                    mode);
    case FIREWALL_LAPSED:
        return ports ? _("Nobody confirmed the trial: the ports are open again.")
                     : _("Nobody confirmed the trial: this host is no longer isolated.");
    case FIREWALL_REMOVED:
        return ports ? _("Ports should be shut, and are open: somebody else took our rules away.")
                     : _("This host should be isolated, and is open: somebody else took our rules "
                         "away.");
    case FIREWALL_STRANGE:
        return ports
                   ? _("There is a table inet yagura_ports of which the state here knows nothing.")
                   : _("There is a table inet yagura of which the state here knows nothing.");
    case FIREWALL_NONE:
        break;
    }
    return "";
}

void show_firewall(struct show *s, enum firewall_scope scope, const struct firewall_status *st)
{
    CLEANUP_ARENA struct arena *arena = arena_new();
    if (s->json) {
        show_line(s, scope, st);
        return;
    }
    if (st->stand == FIREWALL_NONE)
        return;
    show_wrap(s, "", 2, sentence(arena, scope, st));
    if (st->stand == FIREWALL_TRIAL)
        show_hint(
            s, _("To keep it so, log in anew, and say there:"),
            show_command_on(
                arena, scope == FIREWALL_ISOLATION ? "respond confirm" : "ports --confirm", false));
    if (st->altered)
        show_wrap(s, "  ", 2, _("Somebody else changed rules in our table since."));
    if (st->changed[0])
        show_wrap(s, "  ", 2,
                  arena_printf(arena, _("Others changed these tables since: %s"), st->changed));
}
