/* respond.h - an incident, its steps, what checks say: on the screen, on paper, as JSON. */
#ifndef YAGURA_SHOW_RESPOND_H
#define YAGURA_SHOW_RESPOND_H

#include "respond/respond.h"
#include "respond/watch.h"
#include "show/show.h"

/* Where it stands: a line a step. */
void show_incident(struct show *s, struct response *r);
/* Parts of it: that it is open; its closer watch, if there ever was one. */
void show_incident_line(struct show *s, const struct incident *i);
void show_watch(struct show *s, struct response *r);
/* The step that is next, or that none is left. */
void show_what_is_next(struct show *s, struct response *r);
/* One step at length: what, why, what only a person can do, the command to type. */
void show_respond_step(struct show *s, struct response *r, const struct runbook_step *step);
/* Something to know, behind "! " or "- ", for people; as JSON a note. */
void show_respond_note(struct show *s, const char *sign, const char *text);
/* What doing it came to. */
void show_respond_report(struct show *s, struct response *r, const struct runbook_step *step,
                         const struct respond_report *report);
/* What a look of the watch found: what is new, and of the rest how much. */
void show_watch_report(struct show *s, struct response *r, const struct watch_report *report);
/* The whole runbook, to be kept on paper: needs no incident. */
void show_runbook(struct show *s, const struct runbook *book);

#endif
