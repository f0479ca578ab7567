/* services.h - restarts services, through systemd where it runs.
 *
 * What is wanted is a unit's name as the facts have it ("nginx.service"). A unit that others hang
 * on (the bus, logins, systemd itself) is left: it needs a restart of the host. A restart is not
 * undone; whether the unit runs afterwards is asked and said. */
#ifndef YAGURA_ACT_SERVICES_H
#define YAGURA_ACT_SERVICES_H

#include "base/error.h"

enum service_outcome {
    SERVICE_RESTARTED, /* and runs */
    SERVICE_FAILED,    /* it does not run now, or could not be restarted */
    SERVICE_LEFT,      /* only with the host */
    SERVICE_BY_HAND    /* systemd does not run here, or it is no unit of it */
};

/* Whether systemd is the one that starts services here (sd_booted(3)). */
bool services_have_systemd(void);
/* What services_restart() would do, as far as that is known beforehand. */
enum service_outcome services_would(const char *unit);
enum service_outcome services_restart(const char *unit, struct error *e);
const char *services_outcome_name(enum service_outcome outcome);

#endif
