#include "judge/advisory.h"

#include "base/str.h"
#include "judge/patches.h"
#include "model/date.h"

#include <stdio.h>

/* What was found out about one case. */
struct assessment {
    enum verdict verdict;
    enum confidence confidence;
    enum marker marker;
    enum proof proof;
    const struct fact *marker_fact;
    const struct advisory_file *file; /* the one that decided */
    bool by_service_pack;
    bool not_recorded; /* new files, no marker */
    const char *claimed_patch;
    const struct fact *rule_fact;
    struct message why;
};

struct judging {
    const struct judge_input *in;
    struct findings *out;
    struct arena *arena;
    /* One graph a server product and version, made when first needed. */
    struct {
        const char *product, *version;
        int64_t as_of;
        struct patches *graph;
    } graphs[32];
    size_t graph_count;
};

static struct patches *graph_of(struct judging *j, const char *product, const char *version,
                                int64_t as_of)
{
    for (size_t i = 0; i < j->graph_count; i++)
        if (str_equal(j->graphs[i].product, product) &&
            str_equal(j->graphs[i].version, version) && j->graphs[i].as_of == as_of)
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

static bool known_by(const struct judging *j, int64_t date)
{
    return date == DATE_NONE || j->in->as_of == DATE_NONE || date <= j->in->as_of;
}

static enum version_scheme scheme_of(const char *product)
{
    return str_equal(product, "windows") || str_equal(product, "iis") ||
                   str_equal(product, "mdac")
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

/* Several fixes are alternatives; the best one found counts: its marker and its proof. */
static void look_at_patches(struct judging *j, const struct advisory_case *c, struct patches *p,
                            struct assessment *a)
{
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
            }
        }
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

static const char *registry_problem(const struct facts *facts)
{
    for (const struct fact *f = facts_first(facts, "registry"); f;
         f = facts_next(facts, "registry", f))
        if (str_equal(fact_text(f, "state"), "unreadable"))
            return fact_text(f, "hive");
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
    if (*c->fixed_range && in_range(j, c->fixed_range, scheme_of(c->product), version)) {
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
        const char *hive = registry_problem(j->in->facts);
        if (hive && a.verdict == VERDICT_AFFECTED && a.proof != PROOF_OLD) {
            a.verdict = VERDICT_UNKNOWN;
            a.why = message_of(N_("the registry hive {hive} could not be read, so nobody can "
                                  "say whether the patch was applied"));
            message_put(&a.why, "hive", hive);
        }
    }
    if (setting == TRUTH_UNKNOWN && a.verdict == VERDICT_AFFECTED)
        a.verdict = VERDICT_UNKNOWN;
    if (c->under_investigation && a.verdict == VERDICT_AFFECTED)
        a.verdict = VERDICT_UNKNOWN;
    return a;
}

/* Is anything listening there? UNKNOWN where the listeners are not known at all. */
static enum truth listens(const struct facts *facts, const char *port)
{
    char number[8], proto[8] = "tcp";
    if (sscanf(port, "%7[0-9]/%7s", number, proto) < 1 || !facts_first(facts, "listener"))
        return TRUTH_UNKNOWN;
    for (const struct fact *f = facts_first(facts, "listener"); f;
         f = facts_next(facts, "listener", f))
        if (str_equal(fact_text(f, "port"), number) && str_equal(fact_text(f, "proto"), proto) &&
            !str_equal(fact_text(f, "scope"), "loopback"))
            return TRUTH_TRUE;
    return TRUTH_FALSE;
}

/* A web server may publish its pages through another port than the advisory's 80. */
static enum truth publishes(const struct facts *facts, const struct advisory_case *c)
{
    enum truth there = listens(facts, c->port);
    if (there != TRUTH_FALSE || !str_equal(c->port, "80/tcp"))
        return there;
    for (const struct fact *f = facts_first(facts, "listener"); f;
         f = facts_next(facts, "listener", f))
        if (str_find_nocase(fact_text(f, "service"), "W3SVC") ||
            str_find_nocase(fact_text(f, "process"), "http"))
            return TRUTH_TRUE;
    return TRUTH_FALSE;
}

static void add_note(struct finding *f, const char *id, const char *name, const char *value)
{
    struct message m = message_of(id);
    if (name)
        message_put(&m, name, value);
    VEC_PUSH(&f->notes, m);
}

static void add_reach(struct judging *j, const struct advisory_case *c, struct finding *f)
{
    f->reachable |= c->network && c->no_login;
    if (*c->port)
        f->port = c->port;
    const struct fact *why = NULL;
    if (*c->exposed_by &&
        j->in->rule(j->in->rule_context, c->exposed_by, &why) == TRUTH_FALSE) {
        f->unreachable = true;
        add_note(f, N_("Nothing leads to it at the moment: what exposes it is switched off or "
                       "commented out. The hole itself is still there, and a setup program or "
                       "a policy can bring the way to it back."),
                 NULL, NULL);
    } else if (*c->port && publishes(j->in->facts, c) == TRUTH_FALSE) {
        f->unreachable = true;
        add_note(f, N_("Nothing listens on {port} at the moment. The hole is still there."), "port",
                 c->port);
    } else if (*c->port && c->network) {
        add_note(f, N_("A firewall or filter in front does not close this: it is reached through "
                       "{port}, which the server has to publish."),
                 "port", c->port);
    }
}

static void add_evidence(struct finding *f, struct arena *arena, const struct fact *fact,
                         const char *key)
{
    if (!fact)
        return;
    const char *name = fact_text(fact, key ? key : "id");
    const struct fact_value *value = key ? fact_value(fact, key) : NULL;
    const char *text = !key            ? arena_printf(arena, "%s %s installed=%s", fact->kind, name,
                                                      fact_text(fact, "installed"))
                       : !value        ? arena_printf(arena, "%s", key)
                       : value->state == VALUE_ABSENT
                           ? arena_printf(arena, "%s: absent", key)
                       : value->state == VALUE_UNREADABLE
                           ? arena_printf(arena, "%s: unreadable (%s)", key, value->text)
                           : arena_printf(arena, "%s = %s", key, value->text);
    struct evidence e = {fact->path, fact->line, fact->offset, text};
    VEC_PUSH(&f->evidence, e);
}

/* The file's own fact has the path as it is on the target. */
static const struct fact *file_fact(const struct facts *facts, const char *path)
{
    for (const struct fact *f = facts_first(facts, "file"); f; f = facts_next(facts, "file", f))
        if (str_equal_nocase(fact_text(f, "path"), path))
            return f;
    return NULL;
}

static void add_file_evidence(struct judging *j, struct finding *f, const struct assessment *a)
{
    if (!a->file)
        return;
    char *key = arena_printf(f ? j->out->arena : j->arena, "file-version:%s", a->file->path);
    const struct fact *host = facts_first(j->in->facts, "host");
    const struct fact_value *v = host ? fact_value(host, key) : NULL;
    const struct fact *own = file_fact(j->in->facts, a->file->path);
    const char *state = !v                             ? "not looked at"
                        : v->state == VALUE_ABSENT     ? "absent"
                        : v->state == VALUE_UNREADABLE ? v->text
                                                       : v->text;
    const char *path = own && *fact_text(own, "actual") ? fact_text(own, "actual") : a->file->path;
    /* "vers:windows/>=4.2.748.1" is for programs; ">=4.2.748.1" says the same. */
    const char *scheme = str_starts(a->file->range, "vers:") ? strchr(a->file->range, '/') : NULL;
    struct evidence e = {path, 0, -1,
                         arena_printf(j->out->arena, "%s is %s; fixed: %s", a->file->path, state,
                                      scheme ? scheme + 1 : a->file->range)};
    VEC_PUSH(&f->evidence, e);
}

static void say_verdict(struct judging *j, const struct advisory_case *c,
                        const struct assessment *a, struct finding *f)
{
    static const char *const summaries[] = {
        [VERDICT_AFFECTED] = N_("{title}: open on {product}"),
        [VERDICT_BROKEN] = N_("{title}: recorded as applied on {product}, but the files are old"),
        [VERDICT_UNKNOWN] = N_("{title}: cannot judge {product}"),
        [VERDICT_FIXED] = N_("{title}: fixed on {product}"),
        [VERDICT_NOT_AFFECTED] = N_("{title}: {product} is not affected"),
        [VERDICT_ACCEPTED] = N_("{title}: accepted on {product}"),
    };
    f->summary = message_of(summaries[a->verdict]);
    message_put_translated(&f->summary, "title", c->advisory->title);
    message_put_translated(&f->summary, "product", c->title);
    if (*c->advisory->description)
        f->why = message_of(c->advisory->description);
    else if (*c->advisory->summary)
        f->why = message_of(c->advisory->summary);

    if (a->why.id)
        VEC_PUSH(&f->notes, a->why);
    if (a->verdict == VERDICT_BROKEN)
        add_note(f, N_("The record says that {patch} was applied. The file says that it is not "
                       "there (any more): a service pack or a repair may have taken it away. "
                       "Apply it again."),
                 "patch", a->claimed_patch ? a->claimed_patch : c->advisory->id);
    if (a->not_recorded)
        add_note(f, N_("The files are new enough though no record says that the patch was "
                       "applied."),
                 NULL, NULL);
    if (a->verdict == VERDICT_FIXED && a->confidence == CONFIDENCE_LOW)
        add_note(f, N_("This rests on the record alone: no file version is known that would "
                       "prove it."),
                 NULL, NULL);
    if (a->marker == MARKER_PENDING)
        add_note(f, N_("{patch} is installed and waits for a restart."), "patch",
                 a->claimed_patch ? a->claimed_patch : "");
}

static void say_superseded(struct finding *f, const char *id, const char *patch,
                           const struct patches *p, const char *newest)
{
    const struct advisory_patch *by = patches_find(p, newest);
    if (!by || str_equal_nocase(newest, patch))
        return;
    struct message m = message_of(id);
    message_put(&m, "patch", patch);
    message_put(&m, "newest", newest);
    message_put(&m, "advisory", by->advisory_id);
    VEC_PUSH(&f->notes, m);
}

/* The patch that closes it, with its newest successor at that date; then the settings. What
 * has superseded it since that date is named too: the page of that day, read today. */
static void say_remedy(struct judging *j, const struct advisory_case *c, const char *version,
                       struct patches *p, struct finding *f)
{
    struct patches *today =
        p && j->in->as_of != DATE_NONE ? graph_of(j, c->product, version, DATE_NONE) : p;
    for (size_t i = 0; i < c->patch_count; i++) {
        const char *newest = p ? patches_newest(p, c->patches[i]) : c->patches[i];
        bool listed = false;
        for (size_t k = 0; k < f->patches.count; k++)
            listed |= str_equal(f->patches.items[k], newest);
        if (!listed)
            VEC_PUSH(&f->patches, newest);
        if (!p)
            continue;
        say_superseded(f,
                       N_("{patch} has been superseded by {newest} ({advisory}): apply that one "
                          "instead."),
                       c->patches[i], p, newest);
        const char *newest_today = patches_newest(today, c->patches[i]);
        if (!str_equal_nocase(newest_today, newest))
            say_superseded(f, N_("Since that day {patch} was superseded by {newest} ({advisory})."),
                           newest, today, newest_today);
    }
    for (size_t i = 0; i < c->remedy_count; i++) {
        const struct advisory_remedy *r = &c->remedies[i];
        if (!known_by(j, r->date) || !*r->text)
            continue;
        struct message m = message_of(r->text);
        if (r->kind == REMEDY_PATCH && f->patches.count && p) {
            const struct advisory_patch *newest = patches_find(p, f->patches.items[0]);
            m = message_of(N_("{patch} ({advisory}): {text}"));
            message_put(&m, "patch", f->patches.items[0]);
            message_put(&m, "advisory", newest ? newest->advisory_id : c->advisory->id);
            message_put_translated(&m, "text", r->text);
        }
        bool said = str_equal(f->remedy.id, r->text);
        for (size_t k = 0; k < f->steps.count; k++)
            said |= str_equal(f->steps.items[k].id, r->text);
        if (said)
            continue;
        if (!f->remedy.id)
            f->remedy = m;
        else
            VEC_PUSH(&f->steps, m);
    }
}

static void add_list(struct finding *f, const struct advisory_case *c)
{
    for (size_t i = 0; i < c->cve_count; i++) {
        bool there = false;
        for (size_t k = 0; k < f->cves.count; k++)
            there |= str_equal(f->cves.items[k], c->cves[i]);
        if (!there)
            VEC_PUSH(&f->cves, c->cves[i]);
    }
}

static void add_exploits(struct judging *j, const struct advisory_case *c, struct finding *f)
{
    for (size_t i = 0; i < c->exploit_count; i++) {
        if (!known_by(j, c->exploits[i].date))
            continue;
        if (!f->exploited)
            VEC_PUSH(&f->notes, message_of(c->exploits[i].text));
        f->exploited = true;
    }
}

/* Worse verdicts of another vulnerability of the same document replace better ones. */
static int badness(enum verdict v)
{
    static const int order[] = {[VERDICT_BROKEN] = 5,   [VERDICT_AFFECTED] = 4,
                                [VERDICT_UNKNOWN] = 3,  [VERDICT_FIXED] = 2,
                                [VERDICT_ACCEPTED] = 1, [VERDICT_NOT_AFFECTED] = 0};
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
    add_list(f, c);
    if (!first && !worse)
        return;
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
    f->notes.count = 0;
    say_verdict(j, c, a, f);
    add_file_evidence(j, f, a);
    add_evidence(f, j->out->arena, a->marker_fact, NULL);
    add_evidence(f, j->out->arena, a->rule_fact, "path");
    if (first && *c->advisory->url) {
        struct reference r = {c->advisory->id, c->advisory->url};
        VEC_PUSH(&f->references, r);
    }
    if (finding_is_open(f) || f->verdict == VERDICT_UNKNOWN) {
        add_exploits(j, c, f);
        add_reach(j, c, f);
        say_remedy(j, c, version, p, f);
    }
}

static void judge_product(struct judging *j, const char *name, const char *version)
{
    const struct advisory_case *const *cases;
    size_t count = advisories_cases(j->in->advisories, CASE_PRODUCT, name, "", &cases);
    for (size_t i = 0; i < count; i++) {
        const struct advisory_case *c = cases[i];
        if (!known_by(j, c->advisory->released) ||
            !patches_on_platform(j->in->facts, c->platform))
            continue;
        if (*c->affected && !in_range(j, c->affected, scheme_of(name), version) &&
            !(*c->fixed_range && in_range(j, c->fixed_range, scheme_of(name), version)))
            continue;
        struct patches *p = graph_of(j, name, version, j->in->as_of);
        struct assessment a = assess_product(j, c, version, p);
        if (c->not_affected)
            a = (struct assessment){.verdict = VERDICT_NOT_AFFECTED,
                                    .confidence = CONFIDENCE_HIGH};
        add_finding(j, c, &a, version, p, "product", c->title);
    }
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
            if (!known_by(j, c->advisory->released))
                continue;
            const char *version = n && *fact_text(package, "source_version")
                                      ? fact_text(package, "source_version")
                                      : fact_text(package, "version");
            enum version_scheme scheme =
                str_equal(type, "rpm") ? VERSION_RPM : VERSION_DPKG;
            struct assessment a = {.verdict = VERDICT_AFFECTED, .confidence = CONFIDENCE_HIGH};
            if (c->not_affected)
                a.verdict = VERDICT_NOT_AFFECTED;
            else if (*c->fixed_range && in_range(j, c->fixed_range, scheme, version))
                a.verdict = VERDICT_FIXED;
            else if (*c->affected && !in_range(j, c->affected, scheme, version))
                a.verdict = VERDICT_NOT_AFFECTED;
            else if (c->under_investigation)
                a.verdict = VERDICT_UNKNOWN;
            char *subject = arena_printf(j->arena, "%s %s", name, version);
            add_finding(j, c, &a, version, NULL, "package", subject);
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
        f->summary = message_of(N_("These patches each claim to replace the other: {list}. Each is "
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
        judge_product(&j, fact_text(f, "name"), fact_text(f, "version"));
        host_named |= host && str_equal(fact_text(f, "name"), fact_text(host, "family"));
    }
    if (host && !host_named)
        judge_product(&j, fact_text(host, "family"), fact_text(host, "version"));
    for (const struct fact *f = facts_first(in->facts, "package"); f;
         f = facts_next(in->facts, "package", f))
        judge_package(&j, f);
    say_circles(&j);
}
