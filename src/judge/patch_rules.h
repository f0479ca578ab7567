/* patch_rules.h - checklist rules that ask for a patch or a service pack (`yagura: patches`).
 *
 * The advisories know more of patches than a checklist does: when they were released, what
 * supersedes them, which file proves them. So such a rule says nothing on a day when none of its
 * patches was there yet; is quiet where the files show that one of them is applied, whatever the
 * record says; and is marked as repeated where an advisory asks for the same, for a person
 * applies it once. So is a row that an advisory names as its `rule`: the hole is that setting.
 * Pure. */
#ifndef YAGURA_JUDGE_PATCH_RULES_H
#define YAGURA_JUDGE_PATCH_RULES_H

#include "judge/advisory.h"
#include "judge/patches.h"
#include "judge/rules.h"

/* The patch is one of those that the row asks for, supersedes one, or is a service pack at least
 * as high. */
bool patch_rules_asks_for(const struct finding *row, const struct patches *graph,
                          const char *patch);

/* Before rules_judge(): dismisses what the day and the files make needless. */
void patch_rules_dismiss(struct rule_results *results, const struct judge_input *in);

/* After all judging: marks what an advisory asks for too. */
void patch_rules_mark_repeated(struct findings *findings, const struct judge_input *in);

#endif
