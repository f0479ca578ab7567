/* ranges.h - what advisories write as a version range, into what model/version.h compares.
 *
 * Read are, without regard to case:
 *   vers:SCHEME/C|C...   (package-url/vers-spec; SCHEME "all" and those we do not order
 *                        ourselves count as generic)
 *   <1.3.20  >=1.2,<1.4  >=1.2|<=1.4  >= 4.3 and < 6.4  >=3.0.1<3.0.3
 *   *  all  all versions  All versions < V13 SP2   (Siemens, CISA)
 *   prior to 2.1  before 2.1  2.1 and earlier  2.1 and prior  2.1 and later
 *   1.2.3                one version
 * Commas and "and" bind; between bars one lower and one upper bound make an interval, and a
 * further one begins another: the result is a list of ranges, any of which is enough.
 * What else there is ("All versions using Shared HIS", "2.3 and Function State <= 3") is not
 * understood, and said to be so: a text that is only half read would judge wrongly. */
#ifndef YAGURA_FEED_RANGES_H
#define YAGURA_FEED_RANGES_H

#include "base/mem.h"

struct ranges {
    size_t count;
    const char **items; /* each in a form of version.h: "" = every version */
};

/* false if the text is not understood. `scheme` is the name of one of our schemes, which is
 * then written in front ("deb" for packages), or NULL: the reader takes its own, unless the
 * text names one. */
bool ranges_parse(struct ranges *out, struct arena *arena, const char *text, const char *scheme);

#endif
