/* health.h - does this host serve as it should? Asked by the host itself, while visitors still get
 * the notice, and once more when they are let in.
 *
 * The pages of yagura.yaml's `health`, else one of each site and binding that the servers'
 * configurations name (audit/site_pages.h): a server that does not run is no page. Good is what a
 * visitor would call so: 200 to 399, and 401 (it asks for a password). What is not is asked again
 * for a while, as a server that was just started takes its time. Then the operator's own command
 * (`respond.health`), which ends with 0 where all is well. At most HEALTH_SECONDS each. */
#ifndef YAGURA_RESPOND_HEALTH_H
#define YAGURA_RESPOND_HEALTH_H

#include "respond/respond.h"

enum { HEALTH_SECONDS = 60 };

/* What was asked and what came goes into `result`. */
void health_look(struct response *r, bool with_command, json_t *result, struct check_result *out);

#endif
