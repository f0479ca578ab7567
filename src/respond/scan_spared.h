/* scan_spared.h - who has just scanned need not read every file again: which scan of an incident
 * may stand for those that nothing else looks at. What is looked at all the same, and why this is
 * enough, is in docs/respond.md. */
#ifndef YAGURA_RESPOND_SCAN_SPARED_H
#define YAGURA_RESPOND_SCAN_SPARED_H

#include "respond/incident.h"

/* The most findings that a result lists. Of a scan that had as many, some may be unknown. */
enum { SCAN_MOST_LISTED = 200 };

/* The result of the scan after which nothing was left to settle; *minutes is how long ago it ended.
 * NULL: there is none, or it ended in the future, or `lets_in` (visitors are let in on the word of
 * it) and it ended more than an hour ago. */
const json_t *scan_spared(const struct incident *is, const struct runbook *book, int64_t now,
                          bool lets_in, int64_t *minutes);

#endif
