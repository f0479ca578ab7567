/* Whether the lists of the archives can be trusted to say what is pending: see updates.h. */
#include "base/str.h"
#include "judge/updates.h"
#include "model/date.h"

/* What is wrong with a list, and what to do, by its state. */
static const struct {
    const char *state, *summary, *why;
} states[] = {
    {"missing", N_("Cannot judge updates from {archive}: apt has never fetched its list"),
     N_("It is configured, and nothing of it is here. Its updates, security updates too, would "
        "not be seen.")},
    {"expired", N_("Cannot judge updates from {archive}: its list expired on {date}"),
     N_("The archive itself says that its list must not be trusted after that day. What was "
        "published since is not known here.")},
    {"stale", N_("Cannot judge updates from {archive}: its list was last fetched on {date}"),
     N_("That is over 30 days ago. What was published since is not known here.")},
    {"unreadable", N_("Cannot judge updates from {archive}: its list cannot be read: {reason}"),
     N_("Its updates, security updates too, would not be seen.")},
};

static const char *day_of(const struct updates_input *in, const char *date)
{
    int64_t when;
    char day[16];
    if (!date_parse(date, &when))
        return NULL;
    date_format_day(when, day);
    return arena_strdup(in->out->arena, day);
}

static void judge_source(const struct updates_input *in, const struct fact *s, size_t state)
{
    struct arena *arena = in->out->arena;
    const char *component = fact_text(s, "component");
    const char *archive =
        arena_printf(arena, "%s %s%s%s (%s)", fact_text(s, "uri"), fact_text(s, "suite"),
                     *component ? "/" : "", component, fact_text(s, "arch"));
    struct finding *f =
        updates_finding(in, "updates-unknown", N_("It is not known which updates are pending"),
                        "update-source", archive);
    f->rule_kind = RULE_UPDATE;
    f->verdict = VERDICT_UNKNOWN;
    f->severity = str_equal(fact_text(s, "security"), "yes") ? SEVERITY_HIGH : SEVERITY_MEDIUM;
    const char *date = day_of(
        in, fact_text(s, str_equal(states[state].state, "expired") ? "valid_until" : "refreshed"));
    const char *summary =
        date || !strstr(states[state].summary, "{date}")
            ? states[state].summary
            : N_("Cannot judge updates from {archive}: when its list was fetched is not known");
    f->summary = updates_message(in, summary, "archive", archive);
    updates_argument(in, &f->summary, "date", date ? date : "");
    updates_argument(in, &f->summary, "reason", fact_text(s, "reason"));
    f->why = message_of(summary == states[state].summary
                            ? states[state].why
                            : N_("What was published since then is not known here."));
    const char *stamp = fact_text(s, date ? "refreshed_from" : "reason");
    if (str_equal(states[state].state, "stale") && *stamp)
        VEC_PUSH(&f->notes, updates_message(in, N_("Told by: {stamp}"), "stamp", stamp));
    f->remedy = message_of(N_("Fetch the lists anew, then look again."));
    VEC_PUSH(&f->steps, message_of(N_("sudo apt-get update")));
    VEC_PUSH(&f->notes,
             updates_message(in,
                             N_("If it stays so after that, the archive no longer serves it: see "
                                "{place}."),
                             "place", fact_text(s, "configured")));
    updates_evidence(in, f, s,
                     arena_printf(arena, "update-source %s state=%s", fact_text(s, "suite"),
                                  fact_text(s, "state")));
}

static bool is_debian(const struct updates_input *in)
{
    const struct fact *host = facts_first(in->facts, "host");
    return host && str_equal(fact_text(host, "family"), "debian");
}

static void judge_nothing(const struct updates_input *in)
{
    const struct fact *host = facts_first(in->facts, "host");
    struct finding *f = updates_finding(
        in, "updates-unknown", N_("It is not known which updates are pending"), "host", "updates");
    f->rule_kind = RULE_UPDATE;
    f->verdict = VERDICT_UNKNOWN;
    f->severity = SEVERITY_HIGH;
    f->summary = message_of(N_("Cannot judge updates: no list of any archive is here"));
    f->why =
        message_of(N_("Nothing on this system says which newer versions exist. No finding here "
                      "does not mean that it is up to date."));
    f->remedy = message_of(N_("Configure the archives of the distribution and fetch their lists."));
    VEC_PUSH(&f->steps, message_of(N_("sudo apt-get update")));
    updates_evidence(in, f, host, "host family=debian");
}

static void judge_security_archive(const struct updates_input *in, const struct fact *any)
{
    const struct fact *support = facts_first(in->facts, "os-support");
    const char *distribution = support ? fact_text(support, "distribution") : "";
    bool known = str_equal(distribution, "debian") || str_equal(distribution, "ubuntu");
    if (!known || !str_equal(fact_text(support, "released"), "yes"))
        return;
    struct finding *f =
        updates_finding(in, "security-archive-missing", N_("No security archive is configured"),
                        "host", "security archive");
    f->rule_kind = RULE_UPDATE;
    f->verdict = VERDICT_UNKNOWN;
    f->severity = SEVERITY_HIGH;
    f->summary =
        updates_message(in,
                        N_("Cannot judge security updates: none of the configured archives "
                           "is the security archive of {series}"),
                        "series", fact_text(support, "series"));
    f->why = message_of(N_("Security updates are published there first, and most of them only "
                           "there. apt says that all is up to date although it is not."));
    f->remedy = message_of(N_("Add the security archive to /etc/apt/sources.list, then fetch its "
                              "list."));
    VEC_PUSH(&f->steps, message_of(N_("sudo apt edit-sources")));
    VEC_PUSH(&f->steps, message_of(N_("sudo apt-get update")));
    struct reference r = {N_("The line to add"),
                          str_equal(distribution, "debian")
                              ? "https://www.debian.org/security/"
                              : "https://help.ubuntu.com/community/Repositories/CommandLine"};
    VEC_PUSH(&f->references, r);
    updates_evidence(
        in, f, any,
        arena_printf(in->out->arena, "update-source %s security=no", fact_text(any, "suite")));
}

void updates_judge_sources(const struct updates_input *in)
{
    bool security = false;
    const struct fact *first = facts_first(in->facts, "update-source");
    for (const struct fact *s = first; s; s = facts_next(in->facts, "update-source", s)) {
        security = security || str_equal(fact_text(s, "security"), "yes");
        for (size_t i = 0; i < ARRAY_COUNT(states); i++)
            if (str_equal(states[i].state, fact_text(s, "state")))
                judge_source(in, s, i);
    }
    if (!first && is_debian(in))
        judge_nothing(in);
    if (first && !security)
        judge_security_archive(in, first);
}
