/* show.h - how things look to a person: language, width, colour; and as JSON Lines.
 *
 * Results go to `out`. Texts are message ids (base/language.h): _("...") for texts of this floor,
 * show_message() for those that findings carry. Columns are as wide as
 * wcwidth() says. Colour only on a terminal, never with NO_COLOR, never as the only sign. */
#ifndef YAGURA_SHOW_SHOW_H
#define YAGURA_SHOW_SHOW_H

#include "audit/audit.h"
#include "base/language.h"
#include "model/finding.h"

#include <stdio.h>

struct show {
    FILE *out;
    bool json, colour;
    unsigned width; /* columns; 80 where it is not a terminal */
    bool all;       /* --all: nothing is left out for the sake of one screen */
};

void show_init(struct show *s, FILE *out, bool json);

/* The message in the person's language, places filled in; in the arena. */
const char *show_message(struct arena *arena, const struct message *m);

/* A rule's text as it reads without a finding: {extension} becomes ‹extension›. In the arena. */
const char *show_places(struct arena *arena, const char *id);

/* Columns that a text takes. */
unsigned show_columns(const char *text);
/* Pads or cuts (with an ellipsis) to exactly `columns`. */
void show_cell(struct show *s, const char *text, unsigned columns);
/* A paragraph: `first` before the first line, `indent` columns before each other one. Breaks at
 * spaces, and between Japanese characters. */
void show_wrap(struct show *s, const char *first, unsigned indent, const char *text);
enum show_colour { SHOW_PLAIN, SHOW_BOLD, SHOW_RED, SHOW_YELLOW, SHOW_GREEN, SHOW_DIM };
void show_colour(struct show *s, enum show_colour c);

/* " --image FILE": what to add to a command so that it looks at the same target. */
const char *show_target_words(struct arena *arena, const struct audit *a);
/* And as of the same day. */
const char *show_question_words(struct arena *arena, const struct audit *a);
/* "12 checks ask about what became known only after that day ...". */
const char *show_too_early(struct arena *arena, size_t count);

/* A line of JSON. Consumes the reference. */
void show_json_line(struct show *s, json_t *object);

/* --- one function a view --- */
void show_audit(struct show *s, const struct audit *a, enum severity fail_on);
void show_explain(struct show *s, const struct audit *a, const struct finding *f);
/* What of our own could not be used: a damaged database, rules that do not load. */
void show_problems(struct show *s, const struct audit *a);
void show_facts(struct show *s, const struct audit *a);
/* Returns how many checks fit; of a target that none fits there is no score. */
size_t show_checklist(struct show *s, const struct audit *a, const char *set, enum severity least);
void show_ports(struct show *s, const struct audit *a);
void show_plan(struct show *s, const struct audit *a, const struct plan *p);

const char *show_severity(enum severity severity);
const char *show_verdict(enum verdict verdict);
const char *show_confidence(enum confidence confidence);

#endif
