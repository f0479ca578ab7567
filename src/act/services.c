#include "act/services.h"

#include "act/host_program.h"
#include "base/mem.h"
#include "base/str.h"

#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { RESTART_SECONDS = 120, ASK_SECONDS = 20, SETTLE_SECONDS = 1 };

/* Restarting one of these ends sessions, or takes others along. */
static const char *const with_the_host[] = {"dbus.service",
                                            "dbus-broker.service",
                                            "systemd-logind.service",
                                            "user@*",
                                            "getty@*",
                                            "serial-getty@*",
                                            "init.scope",
                                            "session-*",
                                            "console-getty.*",
                                            "display-manager.*",
                                            "gdm*",
                                            "lightdm*"};

bool services_have_systemd(void)
{
    struct stat st;
    return lstat("/run/systemd/system", &st) == 0 && S_ISDIR(st.st_mode);
}

/* A name that is a word of a command line. */
static bool is_unit(const char *unit)
{
    if (!str_ends(unit, ".service") || unit[0] == '-')
        return false;
    for (const char *p = unit; *p; p++)
        if (!str_is_digit(*p) && !(str_lower(*p) >= 'a' && str_lower(*p) <= 'z') &&
            !strchr("@._:-\\", *p))
            return false;
    return true;
}

enum service_outcome services_would(const char *unit)
{
    for (size_t i = 0; i < ARRAY_COUNT(with_the_host); i++)
        if (str_glob(with_the_host[i], unit, false))
            return SERVICE_LEFT;
    return is_unit(unit) && services_have_systemd() ? SERVICE_RESTARTED : SERVICE_BY_HAND;
}

static bool systemctl(const char *verb, const char *unit, unsigned seconds, int *code,
                      struct error *e)
{
    const char *const argv[] = {"systemctl", "--no-ask-password", "--quiet", verb, "--", unit,
                                NULL};
    struct host_program p = {.argv = argv, .seconds = seconds, .log = -1};
    return host_program_run(&p, code, NULL, e);
}

enum service_outcome services_restart(const char *unit, struct error *e)
{
    enum service_outcome outcome = services_would(unit);
    int code;
    if (outcome != SERVICE_RESTARTED)
        return outcome;
    if (!systemctl("restart", unit, RESTART_SECONDS, &code, e))
        return SERVICE_FAILED;
    if (code != 0) {
        error_set(e, ERR_UNREADABLE, "systemctl restart %s ended with %d", unit, code);
        return SERVICE_FAILED;
    }
    /* A program that ends at once has been started, too. */
    sleep(SETTLE_SECONDS);
    if (!systemctl("is-active", unit, ASK_SECONDS, &code, e))
        return SERVICE_FAILED;
    if (code != 0) {
        error_set(e, ERR_UNREADABLE, "%s was restarted and does not run", unit);
        return SERVICE_FAILED;
    }
    return SERVICE_RESTARTED;
}

const char *services_outcome_name(enum service_outcome outcome)
{
    static const char *const names[] = {[SERVICE_RESTARTED] = "restarted",
                                        [SERVICE_FAILED] = "failed",
                                        [SERVICE_LEFT] = "with-the-host",
                                        [SERVICE_BY_HAND] = "by-hand"};
    return names[outcome];
}
