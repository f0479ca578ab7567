/* runbook.h - what to do in which order, as data: data/runbooks/NAME.yaml, or a file of one's own.
 *
 *   id: defacement
 *   title: {en: ..., ja: ...}
 *   steps:
 *     - id: isolate
 *       title: {en: ..., ja: ...}
 *       text: {en: ..., ja: ...}         what is done
 *       why: {en: ..., ja: ...}
 *       person: [{en: ..., ja: ...}]     what only a person can do
 *       before: [operator-known]         checks that must be true before it may be done
 *       action: {action: isolate, mode: web}   or only its name; none: a person does all of it
 *       verify: [isolated]               checks that must be true before it counts as done
 *       undo: {action: open-network}     or a text that says why it cannot be undone
 *       evidence: [{en: ..., ja: ...}]   what is kept of it
 *       told: {en: ..., ja: ...}         what visitors read of it once it is done; none: nothing
 *       offline: yes                     it can be done on an image: it changes nothing
 *
 * A check is its name, or {check: NAME, ARGUMENT: value}. Names are those of checks.h and
 * actions.h, and so is what may stand beside them. Every step has title, text, why, undo, and at
 * least one check in `verify`: a step that nobody can prove is refused when the runbook is read,
 * with its line, and so is a slip of the pen that would show in an emergency. A text is a map of
 * both languages; where one is missing the other is shown, and texts of our own have both. Unknown
 * keys are errors. A runbook has at most RUNBOOK_STEPS steps. */
#ifndef YAGURA_RESPOND_RUNBOOK_H
#define YAGURA_RESPOND_RUNBOOK_H

#include "base/error.h"
#include "base/mem.h"
#include "base/yaml.h"

enum { RUNBOOK_STEPS = 64, RUNBOOK_BYTES = 256 * 1024 };

struct runbook_text {
    const char *en, *ja; /* one of them may be NULL, not both */
};
/* In the language of the process. */
const char *runbook_text(const struct runbook_text *text);

/* What may stand beside the name of a check or an action. A table of them ends with name NULL. */
struct runbook_takes {
    const char *name;
    const char *words; /* one of these, with blanks between them; NULL: any text */
    bool earlier_step; /* the id of a step before it, and never left out */
};

/* A check or an action with its arguments. */
struct runbook_call {
    const char *name;
    const struct yaml_node *arguments; /* a map that holds the name as well; or NULL */
};
/* The text of an argument, or `otherwise`. */
const char *runbook_argument(const struct runbook_call *call, const char *key,
                             const char *otherwise);

struct runbook_step {
    const char *id;
    struct runbook_text title, text, why, told;
    VEC(struct runbook_text) person, evidence;
    VEC(struct runbook_call) before, verify;
    struct runbook_call action; /* name NULL: none */
    struct runbook_call undo;   /* name NULL: cannot be undone */
    struct runbook_text no_undo;
    bool offline;
};

struct runbook {
    const char *id, *path;
    const char *text; /* the file, in the arena */
    size_t size;
    uint8_t sha256[32]; /* of it */
    struct runbook_text title;
    VEC(struct runbook_step) steps;
};

/* `name` is that of a shipped one, or has a slash and is a file. ERR_ABSENT, ERR_FORMAT with line
 * and column. */
bool runbook_load(struct runbook **out, const char *name, struct arena *arena, struct error *e);
/* The same of its bytes; `path` is what errors call them. */
bool runbook_read(struct runbook **out, const char *text, size_t size, const char *path,
                  struct arena *arena, struct error *e);
/* The hash alone, of what need not be a runbook any more. */
bool runbook_hash(uint8_t sha256[32], const char *name, struct error *e);
void runbook_free(struct runbook *b);
void runbook_cleanup(struct runbook **b);

/* The step with this id or number (0, 1 ...), or NULL. */
const struct runbook_step *runbook_find(const struct runbook *b, const char *step);

#endif
