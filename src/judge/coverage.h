/* coverage.h - what nobody can judge: stated, so that it is never taken for clean. Pure.
 *
 * Unknown findings for: what a collector could not look at, a stale registry hive, a system
 * that was not recognised, a Windows or Solaris release that no loaded advisory speaks of, a
 * Solaris release of which only the patches for sadmind are known, and an imported feed whose
 * newest document is over a year old. */
#ifndef YAGURA_JUDGE_COVERAGE_H
#define YAGURA_JUDGE_COVERAGE_H

#include "judge/advisory.h"

void judge_coverage(struct findings *out, const struct judge_input *in);

/* Only that one thing could not be looked at (a fact of kind "unread"). */
void judge_unread(struct findings *out, const struct fact *unread, const char *identity);

#endif
