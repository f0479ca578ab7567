/* Step 0: what is known when the incident is opened, before anything is changed. */
#include "base/language.h"
#include "base/str.h"
#include "model/date.h"
#include "record/sites.h"
#include "record/tampers.h"
#include "respond/actions.h"
#include "respond/checks.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/timex.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

enum { MOST_BURSTS = 100 };

static void put_time(json_t *o, const char *key, int64_t seconds)
{
    char when[32];
    date_format(seconds, when);
    json_put_string(o, key, when);
}

/* The kernel's own view of its clock: whether something keeps it right, and how wrong it may be
 * (adjtimex(2): maxerror in microseconds). */
static void tell_clock(json_t *result)
{
    struct timex clock = {0};
    json_t *o = json_object();
    int state = adjtimex(&clock);
    put_time(o, "now", date_now());
    json_put_bool(o, "synchronised", state >= 0 && state != TIME_ERROR);
    if (state >= 0 && state != TIME_ERROR)
        json_put_int(o, "most_wrong_us", clock.maxerror);
    struct timespec up;
    clock_gettime(CLOCK_BOOTTIME, &up);
    put_time(o, "booted", date_now() - (int64_t)up.tv_sec);
    tzset();
    json_put_string(o, "zone", tzname[0]);
    json_object_set_new(result, "clock", o);
}

static bool tell_guard(struct response *r, json_t *result, struct error *e)
{
    struct tamper *bursts;
    size_t count;
    if (!tampers_list(r->state, NULL, MOST_BURSTS, r->arena, &bursts, &count, e))
        return false;
    uint64_t names = 0, failed = 0;
    for (size_t i = 0; i < count; i++) {
        names += bursts[i].restored;
        failed += bursts[i].failed;
    }
    json_t *o = json_object();
    json_put_int(o, "bursts", (int64_t)count);
    json_put_int(o, "undone", (int64_t)names);
    json_put_int(o, "failed", (int64_t)failed);
    if (count) {
        put_time(o, "first", bursts[count - 1].first_ns / 1000000000);
        put_time(o, "last", bursts[0].last_ns / 1000000000);
    }
    json_object_set_new(result, "guard", o);
    return true;
}

static bool tell_audit(struct response *r, json_t *result, struct error *e)
{
    struct state_summary summary;
    if (!state_summarise(r->state, &summary, e))
        return false;
    json_t *o = json_object();
    json_put_int(o, "open_findings", (int64_t)summary.open_findings);
    if (summary.last_audit != DATE_NONE)
        put_time(o, "last", summary.last_audit);
    json_object_set_new(result, "audit", o);
    return true;
}

bool action_open(struct response *r, const struct runbook_call *call, json_t *result,
                 const char **waits, struct error *e)
{
    struct utsname host;
    if (uname(&host) == 0) {
        json_put_string(result, "host", host.nodename);
        json_put_string(result, "kernel", host.release);
    }
    tell_clock(result);
    /* the guard's memory is of this host */
    if ((respond_is_live(r) && !tell_guard(r, result, e)) || !tell_audit(r, result, e))
        return false;
    CLEANUP_CLOSE int evidence = respond_evidence(r, e);
    return evidence >= 0;
}

void check_opened(struct response *r, const struct runbook_call *call, struct check_result *out)
{
    struct error e = ERROR_INIT;
    CLEANUP_CLOSE int evidence = respond_evidence(r, &e);
    out->verdict = evidence >= 0 ? CHECK_TRUE : CHECK_FALSE;
    out->text = evidence >= 0 ? arena_printf(r->arena, _("incident %s is open"), r->incident.id)
                              : arena_strdup(r->arena, e.message);
}
