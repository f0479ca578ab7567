/* date.h - points in time: seconds since 1970-01-01T00:00:00Z, proleptic Gregorian, UTC. */
#ifndef YAGURA_MODEL_DATE_H
#define YAGURA_MODEL_DATE_H

#include "base/error.h"

#include <stdint.h>

#define DATE_NONE INT64_MIN

/* RFC 3339 with any offset, or YYYY-MM-DD (midnight UTC), or YYYY-MM (the first). */
bool date_parse(const char *text, int64_t *out);
/* RFC 5322 dates as in InRelease files: "Sat, 22 Nov 2025 10:12:26 UTC". */
bool date_parse_rfc5322(const char *text, int64_t *out);
/* The end of that day for --as-of: 2001-06-06 means 2001-06-06T23:59:59Z. */
bool date_parse_day_end(const char *text, int64_t *out);
void date_format(int64_t when, char out[32]);     /* 2001-06-06T00:00:00Z */
void date_format_day(int64_t when, char out[16]); /* 2001-06-06 */
int64_t date_now(void);                           /* the only clock of the program */

#endif
