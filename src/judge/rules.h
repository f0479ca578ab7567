/* rules.h - rules over facts: loading, wants, evaluation, findings, lint, examples.
 *
 * A rule is a Sigma file (docs/rules.md). Its name is the file name without ".yml"; of two of
 * one name the one in the later directory counts. `logsource.category` is the kind of fact it
 * runs over (docs/facts.md); each fact of that kind is one record.
 *
 * A rule with a problem is left out and named; the others load. Rules of other origin, without
 * the map `yagura:`, load as they are.
 *
 * Which rules speak of a target (else OUTCOME_NOT_APPLICABLE):
 *   - `logsource.product`: windows, solaris, linux, debian: the host's family (linux also on
 *     Debian); iis, apache, netscape and any other name: a `product` fact of that name;
 *   - `yagura.set`: one of the sets fits the target (table in rules_applies.c);
 *   - `yagura.applies`: any of its lines "NAME: VERSION" fits: the family with that version, or
 *     a product fact of that name with that version. A version fits where it is equal, or
 *     begins with what is asked and goes on behind a dot: 1.3 fits 1.3.20. "" is every one.
 *
 * What a rule as a whole says, from what it says of each record:
 *   fires     some record is true
 *   unknown   else, if some record is unknown; if an `unread` fact says that records of the
 *             kind could not be read (its key `what` is the kind, with an s or not, or begins
 *             with it and ":" or " "; rules_kinds.c has the other words of the collectors);
 *             or its key `kinds` lists the kind; or if there is no record of a kind for which
 *             that is no answer: of site, vdir,
 *             script-map, directory, object, service, inetd, rc, package and host, unless a
 *             fact `complete` says that the kind was read. Of the others there may be none.
 *   quiet     else
 * `yagura.also` names further rules: all must fire (three-valued and; one that is not
 * applicable counts as quiet).
 *
 * In a `host` record a wanted key that was not stated is unreadable, not absent: nobody looked.
 *
 * Cost: each kind of fact is walked once, all its rules side by side; the host's keys are
 * hashed once. Evaluation allocates only the lists of facts that fired. */
#ifndef YAGURA_JUDGE_RULES_H
#define YAGURA_JUDGE_RULES_H

#include "judge/sigma.h"
#include "judge/truth.h"
#include "model/fact.h"
#include "model/finding.h"

enum { RULE_MOST_SETS = 6 };

struct rule_version { /* a line of `applies` */
    const char *name, *version;
};

/* What is said of it from a day on (`later`). */
struct rule_later {
    int64_t date;
    const char *text, *source, *reference; /* "" where not given */
    bool graded;
    enum severity before; /* if graded: its severity until then */
};

struct rule {
    const char *name, *path;
    const char *title, *id, *status, *description;
    const char *category, *product, *service;
    enum severity severity;
    size_t reference_count;
    const char *const *references;
    size_t falsepositive_count;
    const char *const *falsepositives;
    size_t tag_count;
    const char *const *tags;
    /* of the map `yagura:`; "" and 0 where not given */
    size_t set_count;
    const char *const *sets;
    const char *checklist_id, *why, *fix, *source, *subject;
    const char *gathers; /* the key whose values make one finding of a subject's records */
    size_t step_count;
    const char *const *steps;
    size_t applies_count;
    const struct rule_version *applies;
    size_t also_count;
    const char *const *also; /* names */
    size_t patch_count;
    const char *const *patches; /* any of them is what it asks for (patch_rules.h) */
    int64_t since;              /* what it asks about was not known before; DATE_NONE: always */
    size_t later_count;
    const struct rule_later *later;
    double weight; /* for the score; 1 */
    bool helper;   /* serves advisories; no row of a checklist */
    bool ours;     /* has a map `yagura:` */
    size_t field_count;
    const char *const *fields; /* that the detection asks for */

    struct sigma *sigma; /* inside: of rules*.c */
    const struct rule *const *also_rules;
    const struct yaml_node *examples; /* NULL if there are none, or they were passed over */
    bool examples_passed_over;
    size_t index; /* its place in the set */
};

struct rules;

/* Loads every *.yml of each directory (not below it). A directory that is not there is
 * skipped; that none is there is an error. Problems of single files go to `problems` (may be
 * NULL), which uses the arena given in it.
 *
 * A third of a rule's text are its examples. They are passed over here; rules_lint() and
 * rules_test() read the files again for them. Give the directories that speak of the target
 * (data/rules/iis ...) rather than all: about 25 microseconds a rule. */
bool rules_load(struct rules **out, const char *const *dirs, size_t count,
                struct sigma_problems *problems, struct error *e);
/* From text instead (tests, fuzzing): one rule under that name, with its examples. */
bool rules_load_text(struct rules **out, const char *name, const char *text, size_t size,
                     struct sigma_problems *problems, struct error *e);
void rules_free(struct rules *rules);
void rules_cleanup(struct rules **rules);

size_t rules_count(const struct rules *rules);
const struct rule *rules_at(const struct rules *rules, size_t index);       /* by name */
const struct rule *rules_find(const struct rules *rules, const char *name); /* NULL if none */

/* The wanted keys of all rules, sorted without regard to case, each once. */
size_t rules_wants(const struct rules *rules, const char *const **out);
/* Whether a field name is a wanted key (docs/facts.md): HKLM\..., file:..., file-mode:... */
bool rules_is_want(const char *field);

/* --- evaluation --- */

enum rule_outcome { OUTCOME_QUIET, OUTCOME_FIRES, OUTCOME_UNKNOWN, OUTCOME_NOT_APPLICABLE };
const char *rule_outcome_name(enum rule_outcome outcome); /* "quiet" ... "not-applicable" */

struct rule_result {
    const struct rule *rule;
    enum rule_outcome outcome;
    size_t fired_count;
    const struct fact **fired;
    size_t unknown_count;
    const struct fact **unknown; /* records that could not be judged */
    const char **reasons;        /* why, of each of them */
    const char *reason;          /* why unknown: the first value that could not be read; else "" */
    bool too_early;              /* nobody asked it yet on the day of the judgement */
    int64_t as_of;               /* that day; DATE_NONE: today */
    enum severity severity;      /* the rule's on that day */
};

struct rule_results;
/* Needs the facts and the rules for as long as it lives. */
struct rule_results *rules_evaluate(const struct rules *rules, const struct facts *facts);
/* Judges as of a day: rules about what came later (`since`, or a set whose server was not there
 * yet) are too early, which keeps their truth for advisories and makes no finding; severities are
 * those of that day (`later`). */
void rule_results_as_of(struct rule_results *results, const struct facts *facts, int64_t day);
void rule_results_set_too_early(struct rule_results *results, size_t index);
/* Rows of checklists that are too early and would have said something. */
size_t rule_results_too_early(const struct rule_results *results);
/* For what only another stage knows of a rule: as if it did not speak of the target, or was quiet.
 */
void rule_results_dismiss(struct rule_results *results, size_t index, enum rule_outcome outcome);
void rule_results_free(struct rule_results *results);
void rule_results_cleanup(struct rule_results **results);
size_t rule_results_count(const struct rule_results *results);
const struct rule_result *rule_results_at(const struct rule_results *results, size_t index);
/* By rule name; NULL if no such rule is loaded. */
const struct rule_result *rule_results_find(const struct rule_results *results, const char *name);
/* The outcome as a truth, for advisories: a name that is not loaded is unknown, what is not
 * applicable is false. `why` may be NULL; it gets a fact that decided, or NULL. The context is
 * a struct rule_results (judge/advisory.h). */
enum truth rule_results_truth(void *context, const char *name, const struct fact **why);

/* Which of the rule's sets fits this target; "" if it has none. */
const char *rules_set_of(const struct rule *rule, const struct facts *facts);
/* The first day on which the rule could be asked of this target; DATE_NONE: always. */
int64_t rules_since(const struct rule *rule, const struct facts *facts);
bool rules_applies(const struct rule *rule, const struct facts *facts);

/* Findings of all rows of checklists: one for each subject that fired (affected), one for
 * each that could not be judged (unknown; more than three are one about the host). `set`
 * NULL = of every set. Rules of other origin count as rows of no set. Texts point into the
 * rules. */
void rules_judge(struct findings *out, const struct rule_results *results,
                 const struct facts *facts, const char *set, const char *identity);

/* --- looking after rules --- */

/* What is not good in rules that load: fields the kind of fact does not have, no example that
 * fires or is quiet, missing why or fix ... Rules of other origin: unknown category only. */
void rules_lint(const struct rules *rules, struct sigma_problems *problems);

/* Runs the examples written in the rules; each that is not as expected is a problem. Returns
 * how many were run. */
size_t rules_test(const struct rules *rules, struct sigma_problems *problems);

#endif
