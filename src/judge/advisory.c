#include "judge/advisory_internal.h"

#include "base/str.h"
#include "model/date.h"

#include <stdio.h>

struct patches *advisory_graph(struct judging *j, const char *product, const char *version,
                               int64_t as_of)
{
    for (size_t i = 0; i < j->graph_count; i++)
        if (str_equal(j->graphs[i].product, product) && str_equal(j->graphs[i].version, version) &&
            j->graphs[i].as_of == as_of)
            return j->graphs[i].graph;
    struct patches *p =
        patches_of(j->arena, j->in->advisories, j->in->facts, product, version, as_of);
    if (j->graph_count < ARRAY_COUNT(j->graphs)) {
        j->graphs[j->graph_count].product = product;
        j->graphs[j->graph_count].version = version;
        j->graphs[j->graph_count].as_of = as_of;
        j->graphs[j->graph_count].graph = p;
        j->graph_count++;
    }
    return p;
}

bool advisory_known(const struct judging *j, int64_t date)
{
    return date == DATE_NONE || j->in->as_of == DATE_NONE || date <= j->in->as_of;
}

static enum version_scheme scheme_of(const char *product)
{
    return str_equal(product, "windows") || str_equal(product, "iis") || str_equal(product, "mdac")
               ? VERSION_WINDOWS
               : VERSION_GENERIC;
}

static bool in_range(struct judging *j, const char *range, enum version_scheme scheme,
                     const char *version)
{
    struct version_range parsed;
    return version_range_parse(&parsed, j->arena, range, scheme, NULL) &&
           version_range_has(&parsed, version);
}

static bool is_fixed_version(struct judging *j, const struct advisory_case *c,
                             enum version_scheme scheme, const char *version)
{
    for (size_t i = 0; i < c->fixed_count; i++)
        if (in_range(j, c->fixed_ranges[i], scheme, version))
            return true;
    return false;
}

/* Several fixes are alternatives; the best one found counts: its marker and its proof. */
static void look_at_patches(struct judging *j, const struct advisory_case *c, struct patches *p,
                            struct assessment *a)
{
    const struct advisory_file *unreadable = NULL; /* one that might have proven it */
    a->proof = patches_proof(p, c->files, c->file_count, &a->file);
    for (size_t i = 0; i < c->patch_count; i++) {
        const char *key = c->patches[i];
        if (patches_is_service_pack(key)) {
            if (patches_has_service_pack(j->in->facts, key)) {
                a->marker = MARKER_PRESENT;
                a->by_service_pack = true;
                a->claimed_patch = key;
            }
            continue;
        }
        if (patches_in_service_pack(p, key)) {
            a->marker = MARKER_PRESENT;
            a->by_service_pack = true;
        }
        const char *const *successors;
        size_t count = patches_successors(p, key, &successors);
        for (size_t s = 0; s < count; s++) {
            const struct fact *where = NULL;
            enum marker m = patches_marker(p, successors[s], &where);
            if (m != MARKER_ABSENT && a->marker != MARKER_PRESENT) {
                a->marker = m;
                a->marker_fact = where;
                a->claimed_patch = successors[s];
            }
            const struct advisory_patch *patch = patches_find(p, successors[s]);
            const struct advisory_file *file = NULL;
            if (!patch || !patch->file_count || a->proof == PROOF_NEW)
                continue;
            enum proof other = patches_proof(p, patch->files, patch->file_count, &file);
            if (other == PROOF_NEW) {
                a->proof = PROOF_NEW;
                a->file = file;
            } else if (other == PROOF_OLD && a->proof == PROOF_NONE && m == MARKER_PRESENT) {
                a->proof = PROOF_OLD; /* that patch is claimed, and its own files deny it */
                a->file = file;
            } else if (other == PROOF_UNREADABLE && !unreadable) {
                unreadable = file;
            }
        }
    }
    if (unreadable && a->proof == PROOF_NONE && a->marker == MARKER_ABSENT) {
        a->proof = PROOF_UNREADABLE;
        a->file = unreadable;
    }
}

static void by_table(struct assessment *a)
{
    bool claimed = a->marker == MARKER_PRESENT;
    switch (a->proof) {
    case PROOF_NEW:
        a->verdict = VERDICT_FIXED;
        a->not_recorded = !claimed;
        return;
    case PROOF_OLD:
        a->verdict = claimed ? VERDICT_BROKEN : VERDICT_AFFECTED;
        return;
    case PROOF_UNREADABLE:
        a->verdict = VERDICT_UNKNOWN;
        return;
    case PROOF_MISSING:
        a->verdict = VERDICT_NOT_AFFECTED;
        a->confidence = CONFIDENCE_MEDIUM;
        return;
    case PROOF_NONE:
        a->verdict = claimed ? VERDICT_FIXED : VERDICT_AFFECTED;
        if (claimed && !a->by_service_pack)
            a->confidence = CONFIDENCE_LOW;
        return;
    }
}

/* Why a patch may be there although no record of it was found: the records could not be read
 * whole. NULL if they were. */
static const char *records_problem(const struct facts *facts)
{
    for (const struct fact *f = NULL; (f = facts_next(facts, "unread", f));)
        if (str_starts(fact_text(f, "what"), "hotfix") ||
            str_starts(fact_text(f, "what"), "patches"))
            return fact_text(f, "reason");
    return NULL;
}

/* `touches` is NAME or NAME=VERSION: that version, whatever its build (",REV=…" of pkginfo). */
static bool is_touched(const struct fact *package, const char *touches)
{
    const char *equals = strchr(touches, '=');
    size_t length = equals ? (size_t)(equals - touches) : strlen(touches);
    const char *name = fact_text(package, "name"), *version = fact_text(package, "version");
    if (strlen(name) != length || memcmp(name, touches, length) != 0)
        return false;
    if (!equals || !*version)
        return true;
    size_t wanted = strlen(equals + 1);
    return strcspn(version, ",") == wanted && memcmp(version, equals + 1, wanted) == 0;
}

static bool touches_installed(const struct judging *j, const struct advisory_patch *patch)
{
    if (!patch || !patch->touches_count || !facts_first(j->in->facts, "package"))
        return true;
    for (const struct fact *f = facts_first(j->in->facts, "package"); f;
         f = facts_next(j->in->facts, "package", f))
        for (size_t i = 0; i < patch->touches_count; i++)
            if (is_touched(f, patch->touches[i]))
                return true;
    return false;
}

static struct assessment assess_product(struct judging *j, const struct advisory_case *c,
                                        const char *version, struct patches *p)
{
    struct assessment a = {.verdict = VERDICT_AFFECTED, .confidence = CONFIDENCE_HIGH};
    enum truth setting = TRUTH_TRUE;
    if (*c->rule) {
        setting = j->in->rule(j->in->rule_context, c->rule, &a.rule_fact);
        if (setting == TRUTH_FALSE) {
            a.verdict = VERDICT_NOT_AFFECTED;
            return a;
        }
    }
    if (is_fixed_version(j, c, scheme_of(c->product), version)) {
        a.verdict = VERDICT_FIXED;
        return a;
    }
    if (c->patch_count || c->file_count) {
        look_at_patches(j, c, p, &a);
        by_table(&a);
        bool touched = !c->patch_count;
        for (size_t i = 0; i < c->patch_count; i++)
            touched |= touches_installed(j, patches_find(p, c->patches[i]));
        if (!touched && a.verdict == VERDICT_AFFECTED)
            a.verdict = VERDICT_NOT_AFFECTED;
        const char *problem = records_problem(j->in->facts);
        if (problem && a.verdict == VERDICT_AFFECTED && a.proof != PROOF_OLD) {
            a.verdict = VERDICT_UNKNOWN;
            a.why = message_of(N_("the records of installed patches could not be read whole "
                                  "({reason}), so nobody can say whether this one was applied"));
            message_put(&a.why, "reason", problem);
        }
    }
    if (setting == TRUTH_UNKNOWN && a.verdict == VERDICT_AFFECTED)
        a.verdict = VERDICT_UNKNOWN;
    if ((c->under_investigation || c->unclear) && a.verdict == VERDICT_AFFECTED)
        a.verdict = VERDICT_UNKNOWN;
    return a;
}

/* Worse verdicts of another vulnerability of the same document replace better ones. */
static int badness(enum verdict v)
{
    static const int order[] = {
        [VERDICT_BROKEN] = 5, [VERDICT_AFFECTED] = 4, [VERDICT_UNKNOWN] = 3,
        [VERDICT_FIXED] = 2,  [VERDICT_ACCEPTED] = 1, [VERDICT_NOT_AFFECTED] = 0};
    return order[v];
}

static struct finding *finding_for(struct judging *j, const char *rule, const char *subject)
{
    char id[17];
    finding_make_id(id, j->in->identity, rule, subject);
    for (size_t i = j->out->list.count; i > 0; i--)
        if (str_equal(j->out->list.items[i - 1]->id, id))
            return j->out->list.items[i - 1];
    struct finding *f = findings_add(j->out);
    f->id = arena_strdup(j->out->arena, id);
    f->verdict = VERDICT_NOT_AFFECTED;
    return f;
}

static void add_finding(struct judging *j, const struct advisory_case *c, struct assessment *a,
                        const char *version, struct patches *p, const char *subject_kind,
                        const char *subject)
{
    struct finding *f = finding_for(j, c->advisory->id, subject);
    bool first = !f->rule_id, worse = badness(a->verdict) > badness(f->verdict);
    advisory_say_cves(f, c);
    if (!first && !worse) {
        if (a->verdict == f->verdict && (finding_is_open(f) || f->verdict == VERDICT_UNKNOWN))
            advisory_say_open(j, c, version, p, f, false);
        return;
    }
    f->rule_id = c->advisory->id;
    f->rule_title = c->advisory->title;
    f->rule_source = c->advisory->publisher;
    f->rule_kind = RULE_ADVISORY;
    f->severity = c->advisory->severity;
    f->subject_kind = subject_kind;
    f->subject_name = arena_strdup(j->out->arena, subject);
    f->verdict = a->verdict;
    f->confidence = a->confidence;
    f->revision = c->advisory->version;
    advisory_say(j, c, a, f);
    if (first && *c->advisory->url) {
        struct reference r = {c->advisory->id, c->advisory->url};
        VEC_PUSH(&f->references, r);
    }
    if (finding_is_open(f) || f->verdict == VERDICT_UNKNOWN)
        advisory_say_open(j, c, version, p, f, true);
}

/* A distribution closes holes without taking the number of the one who wrote the program: by that
 * number alone nobody knows. Its own advisories are about its packages: judge_package(). */
static void ask_the_distribution(struct assessment *a, const char *package)
{
    if (a->verdict != VERDICT_AFFECTED)
        return;
    a->verdict = VERDICT_UNKNOWN;
    a->why = message_of(N_("it came in the package {package} of the distribution, which may hold "
                           "the fix under the old number: what the distribution says of that "
                           "package counts"));
    message_put(&a->why, "package", package);
}

static void judge_product(struct judging *j, const char *name, const char *version,
                          const char *package)
{
    const struct advisory_case *const *cases;
    size_t count = advisories_cases(j->in->advisories, CASE_PRODUCT, name, "", &cases);
    for (size_t i = 0; i < count; i++) {
        const struct advisory_case *c = cases[i];
        if (!advisory_known(j, c->advisory->released) ||
            !patches_on_platform(j->in->facts, c->platform))
            continue;
        if (*c->affected && !in_range(j, c->affected, scheme_of(name), version) &&
            !is_fixed_version(j, c, scheme_of(name), version))
            continue;
        struct patches *p = advisory_graph(j, name, version, j->in->as_of);
        struct assessment a = assess_product(j, c, version, p);
        if (c->not_affected)
            a = (struct assessment){.verdict = VERDICT_NOT_AFFECTED, .confidence = CONFIDENCE_HIGH};
        if (*package)
            ask_the_distribution(&a, package);
        add_finding(j, c, &a, version, p, "product", c->title);
    }
}

/* A case of one distribution says nothing of another's packages: the vendor is compared with
 * the distribution's id, the release (debian-12, bookworm, 12) with its version and codename. */
static bool is_for_this(const struct judging *j, const struct advisory_case *c)
{
    const struct fact *host = facts_first(j->in->facts, "host");
    if (!host)
        return false;
    const char *id = fact_text(host, "distribution"), *version = fact_text(host, "version");
    const char *codename = fact_text(host, "series");
    if (!*id)
        id = fact_text(host, "family");
    if (*c->vendor && !str_equal_nocase(c->vendor, id))
        return false;
    if (!*c->distro || !*version)
        return true;
    const char *number = strpbrk(c->distro, "0123456789");
    return (*codename && str_find_nocase(c->distro, codename)) ||
           (number && str_starts(number, version));
}

/* Distribution data beats upstream ranges: a package is judged by advisories about packages. */
static void judge_package(struct judging *j, const struct fact *package)
{
    const char *manager = fact_text(package, "manager"), *name = fact_text(package, "name");
    const char *type = str_equal(manager, "dpkg") ? "deb" : manager;
    const char *source = fact_text(package, "source_package");
    const char *names[] = {name, *source && !str_equal(source, name) ? source : NULL};
    for (size_t n = 0; n < ARRAY_COUNT(names) && names[n]; n++) {
        const struct advisory_case *const *cases;
        size_t count = advisories_cases(j->in->advisories, CASE_PACKAGE, type, names[n], &cases);
        for (size_t i = 0; i < count; i++) {
            const struct advisory_case *c = cases[i];
            if (!advisory_known(j, c->advisory->released) || !is_for_this(j, c))
                continue;
            const char *version = n && *fact_text(package, "source_version")
                                      ? fact_text(package, "source_version")
                                      : fact_text(package, "version");
            enum version_scheme scheme = str_equal(type, "rpm") ? VERSION_RPM : VERSION_DPKG;
            struct assessment a = {.verdict = VERDICT_AFFECTED, .confidence = CONFIDENCE_HIGH};
            if (c->not_affected)
                a.verdict = VERDICT_NOT_AFFECTED;
            else if (is_fixed_version(j, c, scheme, version))
                a.verdict = VERDICT_FIXED;
            else if (*c->affected && !in_range(j, c->affected, scheme, version))
                a.verdict = VERDICT_NOT_AFFECTED;
            else if (c->under_investigation || c->unclear)
                a.verdict = VERDICT_UNKNOWN;
            add_finding(j, c, &a, version, NULL, "package", name);
        }
    }
}

static void say_circles(struct judging *j)
{
    for (size_t i = 0; i < j->graph_count; i++) {
        const char *const *keys;
        size_t count = patches_circles(j->graphs[i].graph, &keys);
        if (!count)
            continue;
        CLEANUP_STR struct str list = {0};
        for (size_t k = 0; k < count && k < 8; k++)
            str_printf(&list, "%s%s", k ? ", " : "", keys[k]);
        struct finding *f = finding_for(j, "circular-supersedence", j->graphs[i].product);
        f->rule_id = "circular-supersedence";
        f->rule_title = N_("Advisories contradict each other");
        f->rule_kind = RULE_TARGET;
        f->severity = SEVERITY_INFO;
        f->subject_kind = "product";
        f->subject_name = arena_strdup(j->out->arena, j->graphs[i].product);
        f->verdict = VERDICT_UNKNOWN;
        f->summary =
            message_of(N_("These patches supersede each other in a circle: {list}. Each is "
                          "counted for itself alone."));
        message_put(&f->summary, "list", arena_strdup(j->out->arena, str_text(&list)));
    }
}

void judge_advisories(struct findings *out, const struct judge_input *in)
{
    /* Graphs hand out keys that findings keep: they share the findings' arena. */
    struct judging j = {.in = in, .out = out, .arena = out->arena};
    const struct fact *host = facts_first(in->facts, "host");
    bool host_named = false;
    for (const struct fact *f = facts_first(in->facts, "product"); f;
         f = facts_next(in->facts, "product", f)) {
        judge_product(&j, fact_text(f, "name"), fact_text(f, "version"), fact_text(f, "package"));
        host_named |= host && str_equal(fact_text(f, "name"), fact_text(host, "family"));
    }
    if (host && !host_named)
        judge_product(&j, fact_text(host, "family"), fact_text(host, "version"), "");
    for (const struct fact *f = facts_first(in->facts, "package"); f;
         f = facts_next(in->facts, "package", f))
        judge_package(&j, f);
    say_circles(&j);
}
