/* rules_parse.h - one Sigma file into one rule; of rules*.c only. */
#ifndef YAGURA_JUDGE_RULES_PARSE_H
#define YAGURA_JUDGE_RULES_PARSE_H

#include "judge/rules.h"

/* NULL if the rule is left out. All in the arena except the compiled detection: sigma_free()
 * rule->sigma. */
struct rule *rules_parse(struct arena *arena, const char *name, const char *path, const char *text,
                         size_t size, struct sigma_problems *problems);

#endif
