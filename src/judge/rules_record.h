/* rules_record.h - a fact as a record of a rule; of rules*.c only. */
#ifndef YAGURA_JUDGE_RULES_RECORD_H
#define YAGURA_JUDGE_RULES_RECORD_H

#include "judge/rules.h"

struct rules_record {
    const struct fact *fact;
    bool host;          /* a wanted key that is not stated was not looked at */
    const char *reason; /* of the first unreadable value that was asked for, else NULL */
    const struct fact_value **slots; /* host: its keys, hashed; NULL = walk them */
    size_t mask;
    struct fact_value not_stated;
};

/* Hashes the keys of a fact that has many. */
void rules_record_open(struct rules_record *r, const struct fact *fact, bool host);
void rules_record_close(struct rules_record *r);
/* Forgets the reason; then matches. */
enum truth rules_record_match(struct rules_record *r, const struct rule *rule);
/* NULL where it has no such key, and is not bound to have it. */
const struct fact_value *rules_record_value(struct rules_record *r, const char *key);

#endif
