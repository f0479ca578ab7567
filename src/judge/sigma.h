/* sigma.h - the detection part of a Sigma rule, compiled, and its evaluation over a record.
 *
 * Source: Sigma Rules Specification 2.1.0 and its modifiers appendix 2.1.0 (SigmaHQ,
 * 2025-08-02). What the specification leaves to the back end is decided here:
 *
 *  - A record is anything that gives the value of a field by its name: a fact, a line of a
 *    log. A value is text, absent, or unreadable (model/fact.h).
 *  - Answers are three-valued (truth.h). Any comparison with an unreadable value is unknown,
 *    `exists` and null included; `not` unknown is unknown. A comparison with an absent field
 *    is false; `exists: false` and null are true. A name the record does not know is absent.
 *  - Strings are compared without regard to the case of ASCII letters unless `cased`. `?` is
 *    one character of UTF-8, `*` any text, newlines included.
 *  - Quoted or not, a value is text, but: an unquoted null (empty, ~, null) is null; an
 *    unquoted decimal number equals any text that is the same number (5 = "5.0"); other text
 *    is compared as text, so that 0644 stays four characters.
 *  - gt gte lt lte: decimal numbers of any length, compared exactly. Text that is no number
 *    compares false.
 *  - `neq` denies the whole line: different from each of its values (so true when absent).
 *  - `re` is PCRE2, searched anywhere in the value, case-sensitive unless `|i`. The sign set
 *    is wider than the specification's. A search that reaches the match limit is unknown.
 *  - `windash`: a dash or slash that begins a word is any of - / and U+2013 .. U+2015.
 *  - `base64`, `base64offset`, and before them `wide` = `utf16le`, `utf16be`, `utf16`.
 *  - Keywords are searched in every value of the record. No value has it: false; but unknown
 *    if a value was unreadable.
 *  - `1 of` and `all of` see no selection whose name begins with an underscore.
 *  - Not done, and named: expand (placeholders), minute hour day week month year, pipes in
 *    conditions (count() and its like), UTF-16 without Base64.
 *
 * Limits: 256 selections, 10,000 values, 4,096 bytes a value, 64 levels of brackets.
 * Everything lives in the caller's arena except compiled regular expressions: sigma_free()
 * before the arena. Evaluation allocates nothing, but a compiled rule serves one thread at a
 * time (its match data is its own); PCRE2 keeps at most 1 MiB there for deep searches. */
#ifndef YAGURA_JUDGE_SIGMA_H
#define YAGURA_JUDGE_SIGMA_H

#include "base/mem.h"
#include "base/yaml.h"
#include "judge/truth.h"
#include "model/fact.h"

struct sigma;

/* Something wrong in a rule's text. A rule with a problem that is no warning is left out. */
struct sigma_problem {
    const char *path;
    uint32_t line, column; /* 1-based; 0 = the file as a whole */
    bool warning;
    const char *message;
};
struct sigma_problems {
    struct arena *arena; /* where messages go; the caller's */
    VEC(struct sigma_problem) list;
};
void sigma_problems_free(struct sigma_problems *problems);
/* `at` may be NULL. */
void sigma_problem(struct sigma_problems *problems, bool warning, const char *path,
                   const struct yaml_node *at, const char *format, ...)
    __attribute__((format(printf, 5, 6)));

struct sigma_record {
    /* The value of a field; NULL counts as absent. */
    const struct fact_value *(*field)(void *context, const char *name);
    /* All values one after the other, for keywords: NULL past the last. May be NULL. */
    const struct fact_value *(*value_at)(void *context, size_t index);
    void *context;
};

/* Compiles the map under `detection:`. All problems are stated, not only the first; NULL if
 * any of them is more than a warning. */
struct sigma *sigma_compile(struct arena *arena, const struct yaml_node *detection,
                            const char *path, struct sigma_problems *problems);
void sigma_free(struct sigma *s); /* NULL is allowed */

enum truth sigma_match(const struct sigma *s, const struct sigma_record *record);

/* The names of all fields it asks for, each once, in the order of the rule. */
size_t sigma_fields(const struct sigma *s, const char *const **out);

#endif
