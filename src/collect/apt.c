#include "collect/apt.h"

#include "base/str.h"
#include "collect/dpkg.h"
#include "model/version.h"

#include <stdlib.h>

enum { MOST_VERSIONS = 64 };

/* What the lists offer of one installed package. */
struct offered {
    struct apt_version versions[MOST_VERSIONS];
    unsigned phased[MOST_VERSIONS];
    const char *source[MOST_VERSIONS], *source_version[MOST_VERSIONS]; /* where phased */
    bool security[MOST_VERSIONS];
    const struct apt_offer *from[MOST_VERSIONS]; /* a security one first */
    size_t count;
};

struct installed {
    const struct fact *fact;
    const char *name, *version, *arch, *source;
};

static void free_state(struct apt_state *s)
{
    apt_conf_free(&s->conf);
    apt_sources_free(&s->sources);
    apt_policy_free(&s->policy);
    for (size_t i = 0; i < s->offers.count; i++)
        free(s->offers.items[i].owned);
    VEC_FREE(&s->offers);
}

static bool text_is(struct apt_text t, const char *s)
{
    return strlen(s) == t.length && memcmp(t.text, s, t.length) == 0;
}

static size_t version_slot(struct offered *o, struct arena *arena, struct apt_text version)
{
    for (size_t i = 0; i < o->count; i++)
        if (text_is(version, o->versions[i].version))
            return i;
    if (o->count == MOST_VERSIONS)
        return SIZE_MAX;
    size_t i = o->count++;
    memset(&o->versions[i], 0, sizeof o->versions[i]);
    o->versions[i].version = arena_strndup(arena, version.text, version.length);
    o->phased[i] = 100;
    o->security[i] = false;
    o->from[i] = NULL;
    return i;
}

static void add_origin(struct apt_version *v, const struct apt_origin *origin)
{
    if (v->origin_count < ARRAY_COUNT(v->origins))
        v->origins[v->origin_count++] = origin;
}

static void look_into(struct offered *o, struct arena *arena, const struct apt_offer *offer,
                      const struct installed *p, bool native)
{
    uint32_t first, count;
    struct apt_entry e;
    if (!apt_list_find(&offer->list, p->name, &first, &count))
        return;
    for (uint32_t k = first; k < first + count; k++) {
        if (!apt_list_at(&offer->list, k, &e) ||
            !(text_is(e.arch, p->arch) || (native && text_is(e.arch, "all"))))
            continue;
        size_t i = version_slot(o, arena, e.version);
        if (i == SIZE_MAX)
            continue;
        add_origin(&o->versions[i], &offer->origin);
        if (e.phased < o->phased[i]) {
            o->phased[i] = e.phased;
            o->source[i] = arena_strndup(arena, e.source.text, e.source.length);
            o->source_version[i] =
                arena_strndup(arena, e.source_version.text, e.source_version.length);
        }
        if (!o->from[i] || (offer->security && !o->security[i]))
            o->from[i] = offer;
        o->security[i] = o->security[i] || offer->security;
    }
}

/* Newest first; there are two or three of them. */
static void sort_versions(struct offered *o)
{
#define SWAP(array, i)                                                                             \
    do {                                                                                           \
        typeof((array)[0]) kept = (array)[i];                                                      \
        (array)[i] = (array)[(i)-1];                                                               \
        (array)[(i)-1] = kept;                                                                     \
    } while (0)
    for (size_t i = 1; i < o->count; i++)
        for (size_t k = i; k > 0 && version_compare(VERSION_DPKG, o->versions[k].version,
                                                    o->versions[k - 1].version) > 0;
             k--) {
            SWAP(o->versions, k);
            SWAP(o->phased, k);
            SWAP(o->source, k);
            SWAP(o->source_version, k);
            SWAP(o->security, k);
            SWAP(o->from, k);
        }
#undef SWAP
}

/* apt leaves a phased update for later only where neither it nor a version between is from a
 * "-security" archive (PhasedUpgrader of apt 2.6), and unless told otherwise. */
static bool is_phased_out(const struct apt_state *s, const struct offered *o, size_t candidate,
                          size_t installed, const char *machine_id)
{
    if (o->phased[candidate] == 100)
        return false;
    for (size_t i = candidate + 1; i < installed; i++)
        for (size_t k = 0; k < o->versions[i].origin_count; k++)
            if (str_ends(o->versions[i].origins[k]->archive, "-security"))
                return false;
    if (apt_conf_true(
            &s->conf, "APT::Get::Always-Include-Phased-Updates",
            apt_conf_true(&s->conf, "Update-Manager::Always-Include-Phased-Updates", false)))
        return false;
    if (apt_conf_true(
            &s->conf, "APT::Get::Never-Include-Phased-Updates",
            apt_conf_true(&s->conf, "Update-Manager::Never-Include-Phased-Updates", false)))
        return true;
    return *machine_id && apt_phased_out(o->source[candidate], o->source_version[candidate],
                                         machine_id, o->phased[candidate]);
}

static void state_update(struct apt_state *s, const struct installed *p, const struct offered *o,
                         size_t candidate, size_t installed, const char *machine_id)
{
    size_t security = SIZE_MAX, newest_security = SIZE_MAX;
    for (size_t i = installed; i-- > 0;)
        if (o->security[i]) {
            newest_security = i;
            if (candidate != SIZE_MAX && i >= candidate)
                security = i;
        }
    bool upgradable = candidate < installed;
    bool kept_by_pin = newest_security != SIZE_MAX &&
                       (security == SIZE_MAX || newest_security < security) &&
                       (!upgradable || newest_security < candidate);
    if (!upgradable && !kept_by_pin)
        return;
    size_t shown = upgradable ? candidate : newest_security;
    size_t source = security != SIZE_MAX ? security : shown;
    const char *held = str_equal(fact_text(p->fact, "hold"), "yes")        ? "hold"
                       : kept_by_pin                                       ? "pin"
                       : is_phased_out(s, o, shown, installed, machine_id) ? "phased"
                                                                           : "";
    struct facts *facts = s->c->facts;
    struct fact *f = facts_add(facts, "update", o->from[source] ? o->from[source]->path : "", 0, -1,
                               CONFIDENCE_HIGH);
    fact_put(facts, f, "name", p->name);
    fact_put(facts, f, "arch", fact_text(p->fact, "arch"));
    fact_put(facts, f, "installed", p->version);
    fact_put(facts, f, "candidate", o->versions[shown].version);
    fact_put(facts, f, "security", newest_security != SIZE_MAX ? "yes" : "no");
    if (newest_security != SIZE_MAX)
        fact_put(facts, f, "security_version", o->versions[newest_security].version);
    fact_put(facts, f, "source_list", o->from[source] ? o->from[source]->shown : "");
    fact_put(facts, f, "held", held);
    fact_put(facts, f, "upgradable", upgradable ? "yes" : "no");
    if (o->phased[shown] < 100)
        fact_put_number(facts, f, "phased", o->phased[shown]);
}

static void judge_package(struct apt_state *s, const struct fact *fact,
                          const struct apt_origin *status, const char *machine_id)
{
    struct installed p = {.fact = fact,
                          .name = fact_text(fact, "name"),
                          .version = fact_text(fact, "version"),
                          .arch = fact_text(fact, "arch"),
                          .source = fact_text(fact, "source_package")};
    const char *native_arch = s->arch_count ? s->arches[0] : "";
    if (str_equal(p.arch, "all")) /* apt files it under the native architecture */
        p.arch = native_arch;
    bool native = str_equal(p.arch, native_arch);
    struct offered o;
    o.count = 0;
    struct apt_text version = {p.version, strlen(p.version)};
    add_origin(&o.versions[version_slot(&o, s->c->arena, version)], status);
    for (size_t i = 0; i < s->offers.count; i++)
        look_into(&o, s->c->arena, &s->offers.items[i], &p, native);
    if (o.count == 1)
        return;
    sort_versions(&o);
    size_t installed = 0;
    while (!str_equal(o.versions[installed].version, p.version))
        installed++;
    if (installed == 0)
        return;
    size_t candidate =
        apt_policy_choose(&s->policy, p.name, p.arch, p.source, o.versions, o.count, installed);
    if (candidate != SIZE_MAX && candidate > installed)
        candidate = SIZE_MAX; /* a pin over 1000: apt would go back */
    state_update(s, &p, &o, candidate, installed, machine_id);
}

static const char *machine_id(struct apt_state *s)
{
    static const char *const paths[] = {"/etc/machine-id", "/var/lib/dbus/machine-id"};
    const char *set = apt_conf_get(&s->conf, "APT::Machine-ID");
    for (size_t i = 0; !set && i < ARRAY_COUNT(paths); i++) {
        CLEANUP_FREE char *text = NULL;
        size_t size;
        if (target_read(s->c->target, paths[i], 4096, &text, &size, NULL))
            set = arena_strdup(s->c->arena, str_trim(text));
    }
    return set ? set : "";
}

void collect_apt(struct collection *c)
{
    CLEANUP(free_state) struct apt_state s = {.c = c};
    bool lost = false;
    if (!collect_there(c, N_("updates"), "/etc/apt", &lost) && !lost &&
        !collect_there(c, N_("updates"), "/var/lib/apt/lists", &lost) && !lost) {
        facts_unread(c->facts, N_("updates"), "/etc/apt",
                     _("this system has no apt, so that nothing here says which updates exist"));
        return;
    }
    apt_read_config(&s);
    if (!s.arch_count)
        facts_unread(c->facts, N_("updates"), "/var/lib/dpkg/arch",
                     _("nothing tells the architecture of this system"));
    if (!s.sources.list.count) {
        facts_unread(c->facts, N_("updates"), "/etc/apt/sources.list",
                     _("no archive is configured to fetch updates from"));
        return;
    }
    apt_read_archives(&s);
    struct apt_origin status = {.origin = "",
                                .label = "",
                                .archive = "now",
                                .codename = "",
                                .version = "",
                                .component = "",
                                .arch = "",
                                .site = "",
                                .is_status = true};
    apt_policy_rate(&s.policy, &status);
    const char *id = machine_id(&s);
    for (const struct fact *f = facts_first(c->facts, "package"); f;
         f = facts_next(c->facts, "package", f))
        if (str_equal(fact_text(f, "manager"), "dpkg"))
            judge_package(&s, f, &status, id);
}
