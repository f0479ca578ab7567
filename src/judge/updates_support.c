/* Until when the release is supported: see updates.h. */
#include "base/str.h"
#include "judge/updates.h"
#include "model/date.h"

/* The end of the named day; DATE_NONE where there is none. */
static int64_t end_of(const struct fact *s, const char *key)
{
    int64_t when;
    return *fact_text(s, key) && date_parse_day_end(fact_text(s, key), &when) ? when : DATE_NONE;
}

static struct message about(const struct updates_input *in, const struct fact *s, const char *id)
{
    const struct fact *host = facts_first(in->facts, "host");
    struct message m =
        updates_message(in, id, "os", host ? fact_text(host, "os") : fact_text(s, "series"));
    updates_argument(in, &m, "eol", fact_text(s, "eol"));
    updates_argument(in, &m, "lts", fact_text(s, "eol_lts"));
    updates_argument(in, &m, "paid", fact_text(s, "eol_paid"));
    return m;
}

static void evidence(const struct updates_input *in, struct finding *f, const struct fact *s)
{
    updates_evidence(in, f, s,
                     arena_printf(in->out->arena, "os-support %s eol=%s eol_lts=%s (%s)",
                                  fact_text(s, "series"), fact_text(s, "eol"),
                                  fact_text(s, "eol_lts"), fact_text(s, "from")));
}

static void say_unknown(const struct updates_input *in, const struct fact *s, const char *summary,
                        const char *why)
{
    struct finding *f =
        updates_finding(in, "os-support-unknown", N_("Security of this release cannot be judged"),
                        "host", "support");
    f->rule_kind = RULE_SUPPORT;
    f->verdict = VERDICT_UNKNOWN;
    f->severity = SEVERITY_MEDIUM;
    f->summary = about(in, s, summary);
    f->why = message_of(why);
    f->remedy = message_of(N_("Find out who supplies security updates for it, and until when."));
    evidence(in, f, s);
}

static struct finding *ended(const struct updates_input *in, const struct fact *s,
                             enum severity severity, const char *summary, const char *why)
{
    struct finding *f = updates_finding(in, "os-support-ended",
                                        N_("Support of this release has ended"), "host", "support");
    f->rule_kind = RULE_SUPPORT;
    f->severity = severity;
    f->summary = about(in, s, summary);
    f->why = message_of(why);
    f->remedy = message_of(N_("Plan the upgrade to the next release; make a backup first."));
    evidence(in, f, s);
    struct reference r = {N_("How to upgrade"),
                          str_equal(fact_text(s, "distribution"), "ubuntu")
                              ? "https://ubuntu.com/server/docs/how-to-upgrade-your-release"
                              : "https://www.debian.org/releases/stable/releasenotes"};
    VEC_PUSH(&f->references, r);
    return f;
}

/* Whether lists of the paid archives are here: then they serve this host. */
static bool has_paid_archive(const struct updates_input *in)
{
    for (const struct fact *f = facts_first(in->facts, "update-source"); f;
         f = facts_next(in->facts, "update-source", f))
        if (str_starts(fact_text(f, "origin"), "UbuntuESM") ||
            str_starts(fact_text(f, "origin"), "Freexian"))
            return true;
    return false;
}

void updates_judge_support(const struct updates_input *in)
{
    const struct fact *s = facts_first(in->facts, "os-support");
    if (!s)
        return;
    bool debian = str_equal(fact_text(s, "distribution"), "debian");
    int64_t eol = end_of(s, "eol"), lts = end_of(s, "eol_lts"), paid = end_of(s, "eol_paid");
    if (eol == DATE_NONE) {
        bool released = str_equal(fact_text(s, "released"), "yes");
        say_unknown(in, s,
                    released ? N_("Cannot judge how long {os} gets security updates")
                             : N_("Cannot judge {os}: it is not a published release"),
                    released ? N_("No date for the end of its support is known here.")
                             : N_("Releases in the making get security updates late or not at "
                                  "all."));
        return;
    }
    if (in->now <= eol)
        return;
    if (lts != DATE_NONE && in->now <= lts) {
        struct finding *f =
            ended(in, s, SEVERITY_LOW,
                  N_("{os}: regular security support ended on {eol}; the LTS project goes on until "
                     "{lts}"),
                  N_("Security updates still come, for most packages and architectures, from "
                     "volunteers; some packages are left out."));
        VEC_PUSH(&f->steps, message_of(N_("sudo apt-get install debian-security-support && "
                                          "check-support-status")));
        return;
    }
    bool paid_goes_on = paid != DATE_NONE && in->now <= paid;
    if (paid_goes_on && has_paid_archive(in)) {
        ended(
            in, s, SEVERITY_LOW,
            N_("{os}: public security support ended on {eol}; the archive that is paid for goes on "
               "until {paid}"),
            N_("Security updates still come as long as the contract lasts."));
        return;
    }
    struct finding *f = ended(
        in, s, SEVERITY_HIGH,
        lts != DATE_NONE
            ? N_("{os}: security support ended on {eol}, and that of the LTS project on {lts}")
            : N_("{os}: security support ended on {eol}"),
        N_("Holes that are found from then on are not closed any more, and everyone can read "
           "where they are."));
    if (paid_goes_on)
        VEC_PUSH(&f->notes,
                 about(in, s,
                       debian
                           ? N_("Extended LTS, which is paid for, goes on until {paid}.")
                           : N_("Ubuntu Pro, which needs a subscription, goes on until {paid}.")));
    say_unknown(in, s,
                N_("Cannot judge the holes of {os}: no security updates are published for it any "
                   "more"),
                N_("That no update is pending does not mean that nothing is open."));
}
