/* scale.h - the small ordered scales: severity, confidence, verdict. */
#ifndef YAGURA_MODEL_SCALE_H
#define YAGURA_MODEL_SCALE_H

#include <stdbool.h>

enum severity { SEVERITY_INFO, SEVERITY_LOW, SEVERITY_MEDIUM, SEVERITY_HIGH, SEVERITY_CRITICAL };
enum confidence { CONFIDENCE_LOW, CONFIDENCE_MEDIUM, CONFIDENCE_HIGH };
enum verdict {
    VERDICT_AFFECTED,
    VERDICT_BROKEN, /* claimed fixed, and the files say otherwise */
    VERDICT_UNKNOWN,
    VERDICT_FIXED,
    VERDICT_NOT_AFFECTED,
    VERDICT_ACCEPTED
};

const char *severity_name(enum severity s); /* "critical" ... "info": as in JSON */
bool severity_from_name(const char *name, enum severity *out);
const char *confidence_name(enum confidence c);
bool confidence_from_name(const char *name, enum confidence *out);
const char *verdict_name(enum verdict v);
bool verdict_from_name(const char *name, enum verdict *out);

/* CVSS 3.1, 5: 9.0 and more is critical, 7.0 high, 4.0 medium, 0.1 low; v2 likewise. */
enum severity severity_from_cvss(double base_score);

#endif
