/* fact.h - one thing observed on a target, and the set of all of them.
 *
 * A fact is a kind, flat keys and values, where it came from, and how sure it is. The kinds
 * and keys are listed in docs/facts.md. All strings are UTF-8 (bytes that are not are escaped
 * when the fact is made) and live in the fact set's arena. */
#ifndef YAGURA_MODEL_FACT_H
#define YAGURA_MODEL_FACT_H

#include "base/bytes.h"
#include "base/error.h"
#include "base/mem.h"
#include "model/scale.h"

#include <jansson.h>

enum value_state {
    VALUE_TEXT,      /* text is the value */
    VALUE_ABSENT,    /* looked for and not there; text is "" */
    VALUE_UNREADABLE /* could not be looked at; text is the reason */
};

struct fact_value {
    const char *key;
    enum value_state state;
    const char *text;
};

struct fact {
    const char *kind;
    struct fact_value *values; /* in the order in which they were added */
    size_t value_count, value_capacity;
    const char *path; /* where it came from: a path within the target; may be "" */
    uint64_t line;    /* 1-based; 0 = none */
    int64_t offset;   /* in bytes; -1 = none */
    enum confidence confidence;
};

struct facts; /* the set; owns everything in it */

struct facts *facts_new(void);
void facts_free(struct facts *set);
void facts_cleanup(struct facts **set);
struct arena *facts_arena(struct facts *set);
size_t facts_count(const struct facts *set);
const struct fact *facts_at(const struct facts *set, size_t index); /* in order of arrival */

/* Begins a fact and returns it for fact_put(); it is in the set at once. */
struct fact *facts_add(struct facts *set, const char *kind, const char *path, uint64_t line,
                       int64_t offset, enum confidence confidence);
void fact_put(struct facts *set, struct fact *f, const char *key, const char *text);
void fact_put_number(struct facts *set, struct fact *f, const char *key, int64_t number);
void fact_put_state(struct facts *set, struct fact *f, const char *key, enum value_state state,
                    const char *reason);
/* A fact of kind "unread": something asked for could not be looked at. `what` is a key, English
 * in every language as rules and ids go by it (N_("...") where it is written; show/ translates
 * it); `reason` is a sentence in the language of the process (_("...") or an error's). So are the
 * reasons of VALUE_UNREADABLE. The result takes more keys. */
struct fact *facts_unread(struct facts *set, const char *what, const char *path,
                          const char *reason);

/* NULL where the fact has no such key; keys are compared without regard to case (registry
 * paths and file names are keys). */
const struct fact_value *fact_value(const struct fact *f, const char *key);
/* The text, or "" where there is none or it is absent or unreadable. */
const char *fact_text(const struct fact *f, const char *key);

/* Walks through all facts of a kind: start with NULL. O(1) each. */
const struct fact *facts_next(const struct facts *set, const char *kind, const struct fact *after);
const struct fact *facts_first(const struct facts *set, const char *kind);

/* Text form: one JSON object, see docs/facts.md; new reference. */
json_t *fact_to_json(const struct fact *f);
bool facts_add_json(struct facts *set, const json_t *object, struct error *e);

/* Wire form between a cage and its parent. */
void fact_encode(struct str *out, const struct fact *f);
bool facts_add_encoded(struct facts *set, struct bytes *in, struct error *e);

#endif
