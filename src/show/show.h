/* show.h - how things look to a person: language, width, colour; and as JSON Lines.
 *
 * Results go to `out`. Texts are message ids (base/language.h): _("...") for texts of this floor,
 * show_message() for those that findings carry. Columns are as wide as
 * wcwidth() says. Colour only on a terminal that knows it, never with NO_COLOR, never as the only
 * sign. No line ends with a blank. */
#ifndef YAGURA_SHOW_SHOW_H
#define YAGURA_SHOW_SHOW_H

#include "audit/audit.h"
#include "audit/scan.h"
#include "base/language.h"
#include "model/finding.h"

#include <stdio.h>

struct show {
    FILE *out;
    bool json, colour;
    unsigned width;       /* columns for sentences; 80 where it is not a terminal */
    unsigned table_width; /* columns for tables: all that there are */
    bool all;             /* --all: nothing is left out for the sake of one screen */
};

void show_init(struct show *s, FILE *out, bool json);

/* The message in the person's language, places filled in; in the arena. */
const char *show_message(struct arena *arena, const struct message *m);
/* And where it names this program, "yagura" still. */
const char *show_plain_message(struct arena *arena, const struct message *m);

/* A patch by its number, a service pack by its title. */
const char *show_patch(const struct advisories *set, const char *key);

/* A rule's text as it reads without a finding: {extension} becomes ‹extension›. In the arena. */
const char *show_places(struct arena *arena, const char *id);

/* Columns that a text takes. */
unsigned show_columns(const char *text);
/* Pads or cuts (with an ellipsis) to exactly `columns`. */
void show_cell(struct show *s, const char *text, unsigned columns);
/* A paragraph: `first` before the first line, `indent` columns before each other one. Breaks at
 * blanks, and between Japanese characters where a Japanese line may break. A command is broken
 * only where it does not fit into a line, and then with a backslash. */
void show_wrap(struct show *s, const char *first, unsigned indent, const char *text);
enum show_colour { SHOW_PLAIN, SHOW_BOLD, SHOW_RED, SHOW_YELLOW, SHOW_GREEN, SHOW_DIM };
void show_colour(struct show *s, enum show_colour c);

/* A table: columns as wide as what stands in them, without those where nothing stands. Where the
 * screen is too narrow the last one is cut first, or wrapped where `whole` is wished. */
enum { SHOW_MOST_COLUMNS = 8 };
struct show_line {
    const char *cells[SHOW_MOST_COLUMNS];
    enum show_colour colour;
    const char *below; /* a sentence under the line, or NULL */
};
struct show_table {
    size_t columns;
    unsigned indent;
    VEC(struct show_line) lines; /* the first one is the heading */
};
/* The next line, to be filled in with texts that outlive the table. */
struct show_line *show_table_line(struct show_table *t, enum show_colour colour);
/* Prints it and frees its lines. */
void show_table(struct show *s, struct show_table *t, bool whole);

/* --- commands that a person can paste --- */

/* Between the words of a command: printed as a blank, and show_wrap() knows where it may break.
 * A blank inside a quoted word is the second one. */
enum { SHOW_COMMAND_BLANK = 0x1f, SHOW_FIXED_BLANK = 0x1e };

/* How this run was called: said once by main, repeated by every command that is named. */
struct show_given {
    const char *option, *value; /* "--image", "disk.img" */
    bool of_target;
};
struct show_call {
    const char *program;
    struct show_given given[10];
    size_t count;
    bool (*takes)(const char *command, const char *option);
};
void show_called(const struct show_call *how);
const char *show_program(struct arena *arena); /* only that, for a shell */
/* "audit --all" becomes the whole line: the program as it was called, and those options of this
 * run that the command takes. */
const char *show_command(struct arena *arena, const char *command);
/* Without the target: for what is remembered. */
const char *show_command_on(struct arena *arena, const char *command, bool with_target);
/* "What listens: yagura ports": the command in a line of its own where it does not fit. */
void show_hint(struct show *s, const char *what, const char *command);
/* A text of a lower floor that names "yagura COMMAND ...": the program as it was called, with
 * --state and --config of this run. */
const char *show_as_called(struct arena *arena, const char *text);
/* The same for show_wrap: a line of it (not the first) that begins with the name is a command, and
 * is broken as one. */
const char *show_with_commands(struct arena *arena, const char *text);
/* A text that holds a command with sudo: a command to paste; without sudo where that is not
 * needed or not there. */
const char *show_paste(struct arena *arena, const char *text);

/* "12 checks ask about what became known only after that day ...". */
const char *show_too_early(struct arena *arena, size_t count);

/* A line of JSON. Consumes the reference. */
void show_json_line(struct show *s, json_t *object);

/* --- one function a view --- */
void show_audit(struct show *s, const struct audit *a, enum severity fail_on);
/* All findings in full: there is no `explain` of what is not remembered. */
void show_scan(struct show *s, const struct audit *a);
/* Their number, and of what a clean result does not speak; of --json the last line. */
void show_scan_end(struct show *s, const struct audit *a, const struct scan_result *r,
                   enum severity least);
void show_explain(struct show *s, const struct audit *a, const struct finding *f);
/* What of our own could not be used: a damaged database, rules that do not load. */
void show_problems(struct show *s, const struct audit *a);
void show_facts(struct show *s, const struct audit *a);
/* Returns how many checks fit; of a target that none fits there is no score. */
size_t show_checklist(struct show *s, const struct audit *a, const char *set, enum severity least);
/* `wrong`: what else was found, for the summary. */
void show_ports(struct show *s, const struct audit *a, size_t wrong);
void show_plan(struct show *s, const struct audit *a, const struct plan *p);
/* Only its first steps, without the sum: of an incident (plan_put_first()). */
void show_plan_first(struct show *s, const struct audit *a, const struct plan *p, size_t count);

const char *show_severity(enum severity severity);
const char *show_verdict(enum verdict verdict);
const char *show_confidence(enum confidence confidence);

#endif
