/* sigma_internal.h - what the sigma_*.c files share; nobody else includes it. */
#ifndef YAGURA_JUDGE_SIGMA_INTERNAL_H
#define YAGURA_JUDGE_SIGMA_INTERNAL_H

#include "judge/sigma.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

enum {
    SIGMA_MOST_SELECTIONS = 256,
    SIGMA_MOST_VALUES = 10000,
    SIGMA_MOST_VALUE_BYTES = 4096,
    SIGMA_MOST_BRACKETS = 64
};

/* A string with wildcards is a row of units: bytes, and these. */
enum { UNIT_ANY = 256, UNIT_MANY, UNIT_DASH };
struct sigma_units {
    uint16_t *units;
    size_t count;
};

enum sigma_kind {
    SIGMA_EXACT, /* text */
    SIGMA_PREFIX,
    SIGMA_SUFFIX,
    SIGMA_CONTAINS,
    SIGMA_GLOB,   /* units */
    SIGMA_NUMBER, /* text: the same number, or else the same text */
    SIGMA_COMPARE,
    SIGMA_REGEX,
    SIGMA_CIDR,
    SIGMA_NULL,
    SIGMA_EXISTS,
    SIGMA_FIELDREF
};
enum sigma_order { ORDER_LT, ORDER_LTE, ORDER_GT, ORDER_GTE };

struct sigma_value {
    enum sigma_kind kind;
    bool cased;
    bool expected;          /* EXISTS */
    enum sigma_order order; /* COMPARE */
    enum sigma_kind how;    /* FIELDREF: EXACT, PREFIX, SUFFIX or CONTAINS */
    const char *text;       /* lower case unless cased; FIELDREF: the other field */
    size_t length;
    struct sigma_units glob;
    pcre2_code *regex;
    uint8_t network[16];
    uint8_t network_bytes; /* 4 or 16 */
    uint8_t network_bits;
};

/* One value of the rule may become several that are as good as each other (base64offset). */
struct sigma_alternatives {
    struct sigma_value *values;
    size_t count;
};

/* One line of a map: a field and its values. */
struct sigma_item {
    const char *field; /* NULL: keywords */
    bool all, negated;
    struct sigma_alternatives *groups;
    size_t count;
};

struct sigma_node {
    enum { NODE_AND, NODE_OR, NODE_NOT, NODE_ITEM } kind;
    size_t count;
    struct sigma_node **children;
    const struct sigma_item *item;
};

struct sigma_selection {
    const char *name;
    const struct yaml_node *at;
    struct sigma_node *node; /* NULL where it has problems */
    bool used;
};

struct sigma {
    struct sigma_node *condition;
    const char *const *fields;
    size_t field_count;
    VEC(pcre2_code *) regexes;
    pcre2_match_data *match_data; /* NULL without regexes */
    pcre2_match_context *match_context;
};

/* What is known while a rule is being compiled. */
struct sigma_build {
    struct arena *arena;
    const char *path;
    struct sigma_problems *problems;
    struct sigma *sigma;
    VEC(const char *) fields;
    size_t values; /* so far */
    bool failed;
};
void sigma_fail(struct sigma_build *b, const struct yaml_node *at, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
void sigma_add_field(struct sigma_build *b, const char *name);
struct sigma_node *sigma_node(struct sigma_build *b, int kind, struct sigma_node **children,
                              size_t count);

/* sigma_parse.c: what stands under a selection's name. */
struct sigma_node *sigma_parse_selection(struct sigma_build *b, const struct yaml_node *node);

/* sigma_modifiers.c: "field|modifier|modifier" and its values. */
struct sigma_item *sigma_modifiers_item(struct sigma_build *b, const struct yaml_node *key,
                                        const char *key_text, const struct yaml_node *value);

/* sigma_condition.c: a condition over the selections. */
struct sigma_node *sigma_condition_parse(struct sigma_build *b, const struct yaml_node *node,
                                         struct sigma_selection *selections, size_t count);

/* sigma_text.c: strings of a rule: escapes, wildcards, encodings. */
void sigma_text_units(struct arena *arena, const char *text, struct sigma_units *out);
bool sigma_text_has_wildcards(const struct sigma_units *u);
void sigma_text_windash(struct sigma_units *u);
void sigma_text_utf16(struct arena *arena, struct sigma_units *u, bool big, bool mark);
void sigma_text_base64(struct arena *arena, struct sigma_units *u);
void sigma_text_base64_offset(struct arena *arena, const struct sigma_units *u, unsigned offset,
                              struct sigma_units *out);
/* Wraps in `*`, unless there already. */
void sigma_text_open(struct arena *arena, struct sigma_units *u, bool front, bool back);
/* The cheapest form of match that says the same. */
void sigma_text_compile(struct arena *arena, const struct sigma_units *u, bool cased,
                        struct sigma_value *out);

/* sigma_match.c: one value against the text of a field. */
enum truth sigma_match_value(const struct sigma *s, const struct sigma_value *v, const char *text);
bool sigma_match_literal(enum sigma_kind how, const char *text, size_t length, const char *literal,
                         size_t literal_length, bool cased);
bool sigma_match_is_number(const char *text);
int sigma_match_order(const char *a, const char *b); /* two numbers: <0, 0, >0 */

#endif
