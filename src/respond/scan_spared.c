#include "respond/scan_spared.h"

#include "model/date.h"

enum { MOST_AGE_SECONDS = 3600, MINUTE = 60 };

static const json_t *last_scan(const struct incident *is, const struct runbook *book,
                               int64_t *ended)
{
    for (size_t i = 0; i < book->steps.count; i++) {
        const struct incident_step *step = &is->steps[i];
        const char *when = step->result ? json_get_string(step->result, "scan_ended") : NULL;
        if (step->state == STEP_DONE && when && date_parse(when, ended) &&
            json_array_size(json_object_get(step->result, "findings")) < SCAN_MOST_LISTED)
            return step->result;
    }
    return NULL;
}

const json_t *scan_spared(const struct incident *is, const struct runbook *book, int64_t now,
                          bool lets_in, int64_t *minutes)
{
    int64_t ended = 0;
    const json_t *last = last_scan(is, book, &ended);
    int64_t age = now - ended;
    *minutes = age / MINUTE;
    return last && age >= 0 && (age <= MOST_AGE_SECONDS || !lets_in) ? last : NULL;
}
