/* firewall.h - how our firewall stands, in sentences; or as a line of JSON of type "firewall". */
#ifndef YAGURA_SHOW_FIREWALL_H
#define YAGURA_SHOW_FIREWALL_H

#include "act/firewall.h"
#include "show/show.h"

/* Nothing for FIREWALL_NONE. */
void show_firewall(struct show *s, enum firewall_scope scope, const struct firewall_status *status);
const char *firewall_stand_name(enum firewall_stand stand); /* "trial", for JSON */

#endif
