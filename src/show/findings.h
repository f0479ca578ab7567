/* findings.h - how one finding looks, for the views of this folder. */
#ifndef YAGURA_SHOW_FINDINGS_H
#define YAGURA_SHOW_FINDINGS_H

#include "show/show.h"

/* "! [high] What is wrong." */
void show_heading(struct show *s, struct arena *arena, const struct finding *f);
/* "    why       Because ...": nothing where the text is empty. */
void show_labelled(struct show *s, const char *label, const char *text);
/* Where it was seen, a line each. */
void show_evidence(struct show *s, const struct finding *f);
/* Which rule, and how sure. */
void show_source(struct show *s, const struct finding *f);
/* A text with a command that a person can paste. */
const char *show_step(struct arena *arena, const struct message *m);

#endif
