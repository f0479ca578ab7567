/* holes.h - which holes an incident asks about: what the step that lists them and the check of it
 * share. */
#ifndef YAGURA_RESPOND_HOLES_H
#define YAGURA_RESPOND_HOLES_H

#include "respond/respond.h"

/* An audit of the incident's target; NULL with the error. */
struct audit *holes_look(struct response *r, struct error *e);
/* The argument `least`; without it high. */
enum severity holes_least(const struct runbook_call *call);
/* Open and of this incident: at least that severe and reached by an attacker, used by attackers, or
 * left behind by one. */
bool holes_count(const struct finding *f, enum severity least);
/* It may be one, and could not be judged. */
bool holes_unknown(const struct finding *f, enum severity least);

#endif
