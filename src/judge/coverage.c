#include "judge/coverage.h"

#include "base/str.h"
#include "judge/patches.h"
#include "model/date.h"

/* A feed whose newest document is older than this is said at every audit. */
enum { FEED_OLD_DAYS = 365 };

struct coverage {
    const struct judge_input *in;
    struct findings *out;
    struct arena *arena;
};

static struct finding *finding_for(struct coverage *c, const char *rule, const char *subject)
{
    char id[17];
    finding_make_id(id, c->in->identity, rule, subject);
    for (size_t i = c->out->list.count; i > 0; i--)
        if (str_equal(c->out->list.items[i - 1]->id, id))
            return c->out->list.items[i - 1];
    struct finding *f = findings_add(c->out);
    f->id = arena_strdup(c->out->arena, id);
    return f;
}

static bool in_range(struct coverage *c, const char *range, enum version_scheme scheme,
                     const char *version)
{
    struct version_range parsed;
    return version_range_parse(&parsed, c->arena, range, scheme, NULL) &&
           version_range_has(&parsed, version);
}

static struct finding *unknown(struct coverage *c, const char *rule, const char *title,
                               const char *subject)
{
    struct finding *f = finding_for(c, rule, subject);
    f->rule_id = rule;
    f->rule_title = title;
    f->rule_kind = RULE_TARGET;
    f->severity = SEVERITY_INFO;
    f->subject_kind = "target";
    f->subject_name = arena_strdup(c->out->arena, subject);
    f->verdict = VERDICT_UNKNOWN;
    return f;
}

/* Releases of Solaris whose security patches are listed (data/advisories/solaris-patches.yaml).
 * 5.5.1 is not among them: the list has no patch for it that is known to close a CVE. */
static const char *const listed_solaris[] = {"5.6", "5.7", "5.8"};

/* Of other releases only sadmind is known. */
static void judge_solaris(struct coverage *c, const struct fact *host)
{
    for (size_t i = 0; i < ARRAY_COUNT(listed_solaris); i++)
        if (str_equal(fact_text(host, "version"), listed_solaris[i]))
            return;
    struct finding *f = unknown(c, "solaris-other-patches",
                                N_("Solaris patches that are not listed"), fact_text(host, "os"));
    f->summary = message_of(N_("Cannot judge the patches of {os} other than those for sadmind"));
    message_put(&f->summary, "os", fact_text(host, "os"));
    f->why = message_of(N_("No list of the security patches of this release is at hand. No finding "
                           "here does not mean that the host is safe."));
    f->remedy = message_of(N_("Compare the output of showrev -p with the vendor's list of security "
                              "patches for this release"));
}

/* There are advisories for it, all of a later day. */
static void say_too_early(struct coverage *c, const struct fact *host)
{
    char day[16];
    date_format_day(c->in->as_of, day);
    struct finding *f =
        unknown(c, "no-advisories-yet", N_("No advisories for this system on that day"),
                fact_text(host, "os"));
    f->summary = message_of(N_("Cannot judge {os} as of {day}: no advisory for it that is loaded "
                               "had been published by then"));
    message_put(&f->summary, "os", fact_text(host, "os"));
    message_put(&f->summary, "day", arena_strdup(c->arena, day));
    f->why = message_of(N_("No finding here does not mean that the host was safe on that day."));
    f->remedy = message_of(N_("Choose a later day with --as-of, or leave it out."));
}

/* A Windows or Solaris release that no advisory in the set names. */
static void judge_system(struct coverage *c)
{
    const struct fact *host = facts_first(c->in->facts, "host");
    if (!host || str_equal(fact_text(host, "family"), "unknown")) {
        struct finding *f =
            unknown(c, "system-not-recognised", N_("The system was not recognised"), "host");
        f->summary = message_of(N_("No operating system was recognised here, so nothing can be "
                                   "judged"));
        f->remedy =
            message_of(N_("Check that the path or image is the root of the system's volume"));
        return;
    }
    const char *family = fact_text(host, "family"), *version = fact_text(host, "version");
    if (!str_equal(family, "windows") && !str_equal(family, "solaris"))
        return;
    const struct advisory_case *const *cases;
    size_t count = advisories_cases(c->in->advisories, CASE_PRODUCT, family, "", &cases),
           fitting = 0, published = 0;
    for (size_t i = 0; i < count; i++) {
        if (!patches_on_platform(c->in->facts, cases[i]->platform) ||
            (*cases[i]->affected && !in_range(c, cases[i]->affected, VERSION_GENERIC, version)))
            continue;
        fitting++;
        published += c->in->as_of == DATE_NONE || cases[i]->advisory->released <= c->in->as_of;
    }
    if (fitting && !published)
        say_too_early(c, host);
    if (fitting && str_equal(family, "solaris"))
        judge_solaris(c, host);
    if (fitting)
        return;
    struct finding *f =
        unknown(c, "no-advisories", N_("No advisories for this system"), fact_text(host, "os"));
    f->summary = message_of(N_("Cannot judge {os}: no advisories for it are loaded"));
    message_put(&f->summary, "os", fact_text(host, "os"));
    f->why = message_of(N_("What is installed was listed, but there is nothing to compare it with. "
                           "No finding here does not mean that the host is safe."));
    f->remedy = message_of(N_("Import the vendor's advisories: yagura feed import PATH"));
}

static bool is_of(const struct advisory_case *const *cases, size_t count, const char *feed)
{
    for (size_t i = 0; i < count; i++)
        if (str_equal(cases[i]->advisory->feed, feed))
            return true;
    return false;
}

static bool is_of_package(struct coverage *c, const char *type, const char *name, const char *feed)
{
    const struct advisory_case *const *cases;
    size_t count = advisories_cases(c->in->advisories, CASE_PACKAGE, type, name, &cases);
    return is_of(cases, count, feed);
}

/* Does the feed speak of anything that this target has? Another system's feed may grow old. */
static bool feed_fits(struct coverage *c, const char *feed)
{
    const struct facts *facts = c->in->facts;
    const struct advisory_case *const *cases;
    for (const struct fact *f = facts_first(facts, "product"); f;
         f = facts_next(facts, "product", f)) {
        size_t count =
            advisories_cases(c->in->advisories, CASE_PRODUCT, fact_text(f, "name"), "", &cases);
        for (size_t i = 0; i < count; i++)
            if (patches_on_platform(facts, cases[i]->platform) && is_of(&cases[i], 1, feed))
                return true;
    }
    for (const struct fact *f = facts_first(facts, "package"); f;
         f = facts_next(facts, "package", f)) {
        const char *names[] = {fact_text(f, "name"), fact_text(f, "source_package")};
        const char *type = str_equal(fact_text(f, "manager"), "dpkg") ? "deb" : "";
        for (size_t i = 0; *type && i < ARRAY_COUNT(names); i++)
            if (*names[i] && is_of_package(c, type, names[i], feed))
                return true;
    }
    return false;
}

/* An imported feed that has grown old. What is shipped speaks of closed years: it cannot. */
static void judge_feeds(struct coverage *c)
{
    const struct advisory_feed *feeds;
    size_t count = advisories_feeds(c->in->advisories, &feeds);
    for (size_t i = 0; i < count; i++) {
        if (feeds[i].shipped || feeds[i].newest == DATE_NONE || c->in->as_of == DATE_NONE ||
            c->in->as_of - feeds[i].newest < FEED_OLD_DAYS * INT64_C(86400) ||
            !feed_fits(c, feeds[i].name))
            continue;
        char day[16];
        date_format_day(feeds[i].newest, day);
        struct finding *f =
            unknown(c, "feed-old", N_("A feed of advisories is old"), feeds[i].name);
        f->summary = message_of(N_("The feed {feed} is old: its newest document is of {day}"));
        message_put(&f->summary, "feed", feeds[i].name);
        message_put(&f->summary, "day", arena_strdup(c->arena, day));
        f->why =
            message_of(N_("Holes that became known since then are not in it, so they cannot be "
                          "found."));
        f->remedy = message_of(N_("Import a newer copy of {feed}: yagura feed import PATH. If "
                                  "nobody keeps it up any more: yagura feed remove {feed}"));
        message_put(&f->remedy, "feed", feeds[i].name);
    }
}

void judge_unread(struct findings *out, const struct fact *f, const char *identity)
{
    struct judge_input in = {.identity = identity};
    struct coverage c = {.in = &in, .out = out, .arena = out->arena};
    char *subject = arena_printf(c.arena, "%s %s", fact_text(f, "what"), f->path);
    struct finding *item =
        unknown(&c, "could-not-look", N_("Something could not be looked at"), subject);
    item->summary = message_of(N_("Could not look at {what}: {reason}"));
    message_put_translated(&item->summary, "what", fact_text(f, "what"));
    message_put(&item->summary, "reason", fact_text(f, "reason"));
    struct evidence e = {f->path, f->line, f->offset, fact_text(f, "reason")};
    item->evidence.count = 0;
    VEC_PUSH(&item->evidence, e);
}

void judge_coverage(struct findings *out, const struct judge_input *in)
{
    struct coverage c = {.in = in, .out = out, .arena = out->arena};
    judge_system(&c);
    judge_feeds(&c);
    for (const struct fact *f = facts_first(in->facts, "unread"); f;
         f = facts_next(in->facts, "unread", f))
        judge_unread(out, f, in->identity);
    for (const struct fact *f = facts_first(in->facts, "registry"); f;
         f = facts_next(in->facts, "registry", f)) {
        if (!str_equal(fact_text(f, "state"), "dirty"))
            continue;
        struct finding *item =
            unknown(&c, "registry-stale", N_("A registry hive is stale"), fact_text(f, "hive"));
        item->summary =
            message_of(N_("The registry hive {hive} is stale: it was not closed cleanly, "
                          "and what was written last may be missing from it"));
        message_put(&item->summary, "hive", fact_text(f, "hive"));
        item->remedy =
            message_of(N_("Shut the system down cleanly and read it again, or judge with "
                          "that in mind"));
        struct evidence e = {f->path, 0, f->offset, _("sequence numbers differ")};
        item->evidence.count = 0;
        VEC_PUSH(&item->evidence, e);
    }
}
