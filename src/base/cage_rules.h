/* cage_rules.h - what a cage is made of: descriptors, limits, identity, Landlock, seccomp.
 *
 * Seen only by cage.c. Everything here is applied to the calling process and is for good. */
#ifndef YAGURA_BASE_CAGE_RULES_H
#define YAGURA_BASE_CAGE_RULES_H

#include "base/cage.h"

bool cage_rules_apply(enum cage_kind kind, int rootfd, const struct cage_limits *limits,
                      struct error *e);

#endif
