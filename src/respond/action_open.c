/* Step 0: what is known when the incident is opened, before anything is changed. */
#include "base/language.h"
#include "model/date.h"
#include "record/tampers.h"
#include "respond/actions.h"
#include "respond/checks.h"
#include "respond/clock.h"
#include "respond/first_sign.h"
#include "respond/timeline.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

enum { MOST_BURSTS = 100000, US_IN_SECOND = 1000000, NS_IN_SECOND = 1000000000 };

static void tell_clock(struct response *r, json_t *result)
{
    struct clock_state clock = clock_look();
    struct timespec up;
    json_t *o = json_object();
    const char *when = timeline_screen(r->arena, date_now());
    tzset();
    clock_gettime(CLOCK_BOOTTIME, &up);
    clock_put_time(o, "now", date_now());
    clock_put(o, "", &clock);
    clock_put_time(o, "booted", date_now() - (int64_t)up.tv_sec);
    json_put_string(o, "zone", tzname[0]);
    json_object_set_new(result, "clock", o);
    if (clock.kept_right)
        respond_tell(r, arena_printf(r->arena,
                                     _("By this clock it is %s. Something keeps it right: wrong by "
                                       "at most %.3f s, %+.6f s of it being corrected."),
                                     when, (double)clock.most_wrong_us / US_IN_SECOND,
                                     (double)clock.offset_us / US_IN_SECOND));
    else
        respond_say(r, arena_printf(r->arena,
                                    _("By this clock it is %s. NOTHING KEEPS IT RIGHT: compare it "
                                      "with a clock that is right, and note the difference:\n"
                                      "yagura respond do %s --because \"this clock is ... s "
                                      "fast\""),
                                    when, r->step->id));
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
    json_object_set_new(result, "guard", o);
    if (!count) {
        respond_tell(r, _("The guard never had to undo anything."));
        return true;
    }
    const char *first = timeline_screen(r->arena, bursts[count - 1].first_ns / NS_IN_SECOND),
               *last = timeline_screen(r->arena, bursts[0].last_ns / NS_IN_SECOND);
    clock_put_time(o, "first", bursts[count - 1].first_ns / NS_IN_SECOND);
    clock_put_time(o, "last", bursts[0].last_ns / NS_IN_SECOND);
    respond_say(r,
                arena_printf(r->arena,
                             ngettext("The guard undid %llu change and could not undo %llu, from "
                                      "%s to %s: yagura status",
                                      "The guard undid %llu changes and could not undo %llu, from "
                                      "%s to %s: yagura status",
                                      names),
                             (unsigned long long)names, (unsigned long long)failed, first, last));
    return true;
}

static bool tell_audit(struct response *r, json_t *result, struct error *e)
{
    struct state_summary summary;
    if (!state_summarise(r->state, &summary, e))
        return false;
    json_t *o = json_object();
    json_put_int(o, "open_findings", (int64_t)summary.open_findings);
    json_object_set_new(result, "audit", o);
    if (summary.last_audit == DATE_NONE) {
        respond_say(r, _("Nothing was ever audited: what was weak here is not known yet."));
        return true;
    }
    clock_put_time(o, "last", summary.last_audit);
    respond_say(r,
                arena_printf(r->arena,
                             ngettext("The audits (the last one %s) know of %zu open finding.",
                                      "The audits (the last one %s) know of %zu open findings.",
                                      summary.open_findings),
                             timeline_screen(r->arena, summary.last_audit), summary.open_findings));
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
    tell_clock(r, result);
    /* the guard's memory is of this host, and so are the sites */
    if ((respond_is_live(r) && !tell_guard(r, result, e)) || !tell_audit(r, result, e) ||
        (respond_is_live(r) && !first_sign_propose(r, result, e)))
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
