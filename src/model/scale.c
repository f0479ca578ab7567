#include "model/scale.h"

#include "base/mem.h"
#include "base/str.h"

static const char *const severities[] = {"info", "low", "medium", "high", "critical"};
static const char *const confidences[] = {"low", "medium", "high"};
static const char *const verdicts[] = {"affected", "broken",       "unknown",
                                       "fixed",    "not_affected", "accepted"};

static bool find(const char *const *names, size_t count, const char *name, int *out)
{
    for (size_t i = 0; i < count; i++) {
        if (name && str_equal_nocase(names[i], name)) {
            *out = (int)i;
            return true;
        }
    }
    return false;
}

const char *severity_name(enum severity s)
{
    return severities[s];
}

const char *confidence_name(enum confidence c)
{
    return confidences[c];
}

const char *verdict_name(enum verdict v)
{
    return verdicts[v];
}

bool severity_from_name(const char *name, enum severity *out)
{
    int i;
    if (!find(severities, ARRAY_COUNT(severities), name, &i))
        return false;
    *out = (enum severity)i;
    return true;
}

bool confidence_from_name(const char *name, enum confidence *out)
{
    int i;
    if (!find(confidences, ARRAY_COUNT(confidences), name, &i))
        return false;
    *out = (enum confidence)i;
    return true;
}

bool verdict_from_name(const char *name, enum verdict *out)
{
    int i;
    if (!find(verdicts, ARRAY_COUNT(verdicts), name, &i))
        return false;
    *out = (enum verdict)i;
    return true;
}

enum severity severity_from_cvss(double base_score)
{
    if (base_score >= 9.0)
        return SEVERITY_CRITICAL;
    if (base_score >= 7.0)
        return SEVERITY_HIGH;
    if (base_score >= 4.0)
        return SEVERITY_MEDIUM;
    return base_score > 0.0 ? SEVERITY_LOW : SEVERITY_INFO;
}
