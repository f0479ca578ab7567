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

/* What the successors of the fixes say of a case that has no proof of its own. */
struct survey {
    const struct advisory_file *unreadable; /* one that might have proven it */
    const struct advisory_file *old;        /* that belies the patch which `denied` claims */
    const struct fact *denied, *stands;     /* claims */
    const char *denied_patch, *standing_patch;
};

/* A claim is belied only by the files of the patch that is claimed: another one's say nothing
 * of it. */
static void look_at_successor(struct patches *p, const char *key, struct assessment *a,
                              struct survey *s)
{
    const struct fact *where = NULL;
    const struct advisory_file *file = NULL;
    enum marker m = patches_marker(p, key, &where);
    if (m > a->marker) {
        a->marker = m;
        a->marker_fact = where;
        a->claimed_patch = key;
    }
    const struct advisory_patch *patch = patches_find(p, key);
    enum proof proof =
        patch ? patches_proof(p, patch->files, patch->file_count, &file) : PROOF_NONE;
    if (proof == PROOF_NEW && a->proof != PROOF_NEW) {
        a->proof = PROOF_NEW;
        a->file = file;
    } else if (proof == PROOF_UNREADABLE && !s->unreadable) {
        s->unreadable = file;
    } else if (proof == PROOF_OLD && m == MARKER_PRESENT && !s->denied) {
        s->denied = where;
        s->denied_patch = key;
        s->old = file;
    } else if (proof == PROOF_NONE && m == MARKER_PRESENT && !s->stands) {
        s->stands = where;
        s->standing_patch = key;
    }
}

/* No file of its own: what its successors' files say, and which claim is left. */
static void settle_without_proof(struct assessment *a, const struct survey *s)
{
    if (s->unreadable && !a->by_service_pack) {
        a->proof = PROOF_UNREADABLE;
        a->file = s->unreadable;
    } else if (s->unreadable) {
        a->unproven = s->unreadable;
    }
    if (s->stands) {
        a->marker_fact = s->stands;
        a->claimed_patch = s->standing_patch;
    } else if (s->denied && a->by_service_pack) {
        a->marker_fact = NULL;
    } else if (s->denied && a->proof == PROOF_NONE) {
        a->proof = PROOF_OLD;
        a->file = s->old;
        a->marker_fact = s->denied;
        a->claimed_patch = s->denied_patch;
    }
}

/* Several fixes are alternatives; the best one found counts: its marker and its proof. */
static void look_at_patches(struct judging *j, const struct advisory_case *c, struct patches *p,
                            struct assessment *a)
{
    struct survey s = {0};
    a->proof = patches_proof(p, c->files, c->file_count, &a->file);
    for (size_t i = 0; i < c->patch_count; i++) {
        const char *key = c->patches[i];
        bool is_pack = patches_is_service_pack(key);
        if (is_pack ? patches_has_service_pack(j->in->facts, key)
                    : patches_in_service_pack(p, key)) {
            a->marker = MARKER_PRESENT;
            a->by_service_pack = true;
            a->claimed_patch = key;
        }
        if (is_pack)
            continue;
        const char *const *successors;
        size_t count = patches_successors(p, key, &successors);
        for (size_t n = 0; n < count; n++)
            look_at_successor(p, successors[n], a, &s);
    }
    if (a->proof == PROOF_NONE)
        settle_without_proof(a, &s);
}

static void limit(struct assessment *a, enum confidence most)
{
    if (a->confidence > most)
        a->confidence = most;
}

static void by_table(struct assessment *a)
{
    bool claimed = a->marker == MARKER_PRESENT, denied = a->marker == MARKER_DENIED;
    switch (a->proof) {
    case PROOF_NEW:
        a->verdict = VERDICT_FIXED;
        a->not_recorded = !claimed;
        return;
    case PROOF_OLD:
        a->verdict = claimed || denied ? VERDICT_BROKEN : VERDICT_AFFECTED;
        return;
    case PROOF_UNREADABLE:
        a->verdict = VERDICT_UNKNOWN;
        return;
    case PROOF_MISSING:
        a->verdict = VERDICT_NOT_AFFECTED;
        limit(a, CONFIDENCE_MEDIUM);
        return;
    case PROOF_NONE:
        a->verdict = claimed ? VERDICT_FIXED : denied ? VERDICT_BROKEN : VERDICT_AFFECTED;
        a->by_claim = claimed && !a->by_service_pack;
        if (a->by_claim || (claimed && a->unproven))
            limit(a, CONFIDENCE_LOW);
        return;
    }
}

/* Why a patch may be there although no record of it was found: the records, or the service pack,
 * could not be read whole. NULL if they were. */
static const char *records_problem(const struct facts *facts)
{
    const struct fact *host = facts_first(facts, "host");
    const struct fact_value *pack = host ? fact_value(host, "service_pack") : NULL;
    if (pack && pack->state == VALUE_UNREADABLE)
        return pack->text;
    for (const struct fact *f = NULL; (f = facts_next(facts, "unread", f));)
        if (str_starts(fact_text(f, "what"), "hotfix") ||
            str_starts(fact_text(f, "what"), "patches"))
            return fact_text(f, "reason");
    return NULL;
}

/* What no record says may still be in those that could not be read; an old file is an answer. */
static void mind_the_gaps(const struct facts *facts, struct assessment *a)
{
    const char *problem = records_problem(facts);
    if (!problem || a->verdict != VERDICT_AFFECTED || a->proof == PROOF_OLD)
        return;
    a->verdict = VERDICT_UNKNOWN;
    a->why = message_of(N_("The records of applied patches could not all be read ({reason}), so "
                           "nobody can say whether this one was applied."));
    message_put(&a->why, "reason", problem);
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

/* A patch of packages that are not installed is not needed; but a program that is started
 * though no package brings it was put there without one, or its record is lost. */
static void mind_the_packages(const struct judging *j, const struct advisory_case *c,
                              const struct patches *p, struct assessment *a)
{
    bool touched = !c->patch_count;
    for (size_t i = 0; i < c->patch_count; i++)
        touched |= touches_installed(j, patches_find(p, c->patches[i]));
    if (touched || a->verdict != VERDICT_AFFECTED)
        return;
    const char *way = *c->exposed_by ? c->exposed_by : c->rule;
    enum truth runs = *way ? j->in->rule(j->in->rule_context, way, NULL) : TRUTH_FALSE;
    if (runs == TRUTH_FALSE) {
        a->verdict = VERDICT_NOT_AFFECTED;
        return;
    }
    if (runs == TRUTH_UNKNOWN)
        a->verdict = VERDICT_UNKNOWN;
    limit(a, CONFIDENCE_LOW);
    a->why = message_of(N_("The package that brings it is not recorded as installed, but what "
                           "exposes it is switched on or could not be looked at."));
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
        if (a.marker == MARKER_PRESENT && a.marker_fact && a.proof != PROOF_NEW)
            limit(&a, a.marker_fact->confidence);
        const struct fact *host = facts_first(j->in->facts, "host");
        bool by_host = a.by_service_pack || a.marker == MARKER_DENIED;
        if (host && by_host && a.proof != PROOF_NEW)
            limit(&a, host->confidence);
        mind_the_packages(j, c, p, &a);
        mind_the_gaps(j->in->facts, &a);
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
    f->revision = advisories_version_on(j->in->advisories, c->advisory, j->in->as_of);
    f->contact = *c->advisory->contact ? c->advisory->contact : NULL;
    advisory_say(j, c, a, f);
    if (first && *c->advisory->url) {
        struct reference r = {c->advisory->id, c->advisory->url};
        VEC_PUSH(&f->references, r);
    }
    if (finding_is_open(f) || f->verdict == VERDICT_UNKNOWN)
        advisory_say_open(j, c, version, p, f, true);
}

/* A distribution closes holes without taking the number of the one who wrote the program: by that
 * number alone nobody knows. */
static void ask_the_distribution(struct assessment *a, const char *package)
{
    if (a->verdict != VERDICT_AFFECTED)
        return;
    a->verdict = VERDICT_UNKNOWN;
    a->why = message_of(N_("It came in the package {package} of the distribution, which may hold "
                           "the fix under the old number: what the distribution says of that "
                           "package counts."));
    message_put(&a->why, "package", package);
}

/* Why nobody knows which version it is; NULL where it is known. */
static const char *version_problem(const struct fact *product)
{
    const struct fact_value *v = fact_value(product, "version");
    return v && v->state == VALUE_UNREADABLE ? v->text : NULL;
}

/* Whether an advisory about a package of this host spoke of every CVE of the case. */
static bool is_told_by_packages(const struct judging *j, const struct advisory_case *c)
{
    for (size_t n = 0; n < c->cve_count; n++) {
        bool told = false;
        for (size_t i = 0; !told && i < j->out->list.count; i++) {
            const struct finding *f = j->out->list.items[i];
            for (size_t k = 0; str_equal(f->subject_kind, "package") && k < f->cves.count; k++)
                told |= str_equal(f->cves.items[k], c->cves[n]);
        }
        if (!told)
            return false;
    }
    return c->cve_count > 0;
}

static void judge_product(struct judging *j, const struct fact *product, const char *name)
{
    const char *version = fact_text(product, "version"), *problem = version_problem(product);
    const char *package = fact_text(product, "package");
    const struct advisory_case *const *cases;
    size_t count = advisories_cases(j->in->advisories, CASE_PRODUCT, name, "", &cases);
    for (size_t i = 0; i < count; i++) {
        const struct advisory_case *c = cases[i];
        if (!advisory_known(j, c->advisory->released) ||
            !patches_on_platform(j->in->facts, c->platform) || (problem && c->not_affected) ||
            (*package && is_told_by_packages(j, c)))
            continue;
        if (!problem && *c->affected && !in_range(j, c->affected, scheme_of(name), version) &&
            !is_fixed_version(j, c, scheme_of(name), version))
            continue;
        struct patches *p = problem ? NULL : advisory_graph(j, name, version, j->in->as_of);
        struct assessment a = {.verdict = VERDICT_UNKNOWN, .confidence = CONFIDENCE_HIGH};
        if (c->not_affected) {
            a.verdict = VERDICT_NOT_AFFECTED;
        } else if (problem) {
            a.why =
                message_of(N_("It is installed, but nobody can say in which version: {reason}"));
            message_put(&a.why, "reason", problem);
        } else {
            a = assess_product(j, c, version, p);
        }
        if (*package)
            ask_the_distribution(&a, package);
        limit(&a, product->confidence);
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

/* Distribution data beats upstream ranges: a package is judged by advisories about packages, and
 * what those say of a CVE is not said again of the program by its maker (judge_product). */
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
    for (const struct fact *f = facts_first(in->facts, "package"); f;
         f = facts_next(in->facts, "package", f))
        judge_package(&j, f);
    for (const struct fact *f = facts_first(in->facts, "product"); f;
         f = facts_next(in->facts, "product", f)) {
        judge_product(&j, f, fact_text(f, "name"));
        host_named |= host && str_equal(fact_text(f, "name"), fact_text(host, "family"));
    }
    if (host && !host_named)
        judge_product(&j, host, fact_text(host, "family"));
    say_circles(&j);
}
