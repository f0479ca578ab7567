/* The lists that apt fetched: what is there of each configured archive, how fresh. */
#include "base/str.h"
#include "collect/apt.h"
#include "model/date.h"

#include <stdlib.h>

static const char stamp_path[] = "/var/lib/apt/periodic/update-success-stamp";
enum { MOST_RELEASE_BYTES = 16 << 20, AN_HOUR = 3600 };

/* One Release file, read once for all its lists. */
struct archive {
    const struct apt_source *source;
    const char *path;
    struct apt_release release;
    bool there, readable;
    const char *reason; /* where not readable */
};

struct folder {
    struct target_entry *entries;
    size_t count;
};

static int by_name(const void *key, const void *entry)
{
    return strcmp(key, ((const struct target_entry *)entry)->name);
}

/* The name under which a list is there, packed or not; NULL if it is not. */
static const char *find_list(struct apt_state *s, const struct folder *folder, const char *name)
{
    static const char *const extensions[] = {"", ".lz4", ".gz", ".xz", ".zst", ".bz2", ".lzma"};
    for (size_t i = 0; i < ARRAY_COUNT(extensions) && folder->count; i++) {
        const char *full = arena_printf(s->c->arena, "%s%s", name, extensions[i]);
        if (bsearch(full, folder->entries, folder->count, sizeof *folder->entries, by_name))
            return full;
    }
    return NULL;
}

/* dpkg writes these and puts them in place at once: their ctime is that of their mtime. Where it
 * is over an hour later, somebody put them there with their times kept, and then. DATE_NONE: none
 * of them says so. */
static int64_t copied_at(struct apt_state *s, const char **path)
{
    static const char *const paths[] = {"/var/lib/dpkg/status", "/var/lib/dpkg/info/dpkg.list",
                                        "/var/lib/dpkg/info/base-files.list"};
    int64_t when = DATE_NONE;
    for (size_t i = 0; i < ARRAY_COUNT(paths); i++) {
        struct target_stat st;
        if (target_stat(s->c->target, paths[i], true, &st, NULL) && st.ctime - st.mtime > AN_HOUR &&
            (when == DATE_NONE || st.ctime > when)) {
            when = st.ctime;
            *path = paths[i];
        }
    }
    return when;
}

/* By the newest ctime of a list, where it can be apt's. */
static void refreshed_by_ctime(struct apt_state *s, const struct folder *folder)
{
    const char *newest = NULL, *copied = NULL;
    int64_t when = DATE_NONE;
    for (size_t i = 0; i < folder->count; i++) {
        struct target_stat st;
        const char *path = arena_printf(s->c->arena, "%s/%s", s->lists, folder->entries[i].name);
        if (str_equal(folder->entries[i].name, "lock") || folder->entries[i].type == TARGET_DIR ||
            !target_stat(s->c->target, path, false, &st, NULL) || st.type == TARGET_DIR)
            continue;
        if (when == DATE_NONE || st.ctime > when) {
            when = st.ctime;
            newest = path;
        }
    }
    int64_t copying = copied_at(s, &copied);
    if (newest && copied && when <= copying + AN_HOUR) {
        s->not_refreshed = arena_printf(
            s->c->arena,
            _("there is no stamp of apt, and the ctime of %s does not count: %s tells by "
              "its own that this tree was copied then"),
            newest, copied);
        return;
    }
    s->refreshed = when;
    if (newest)
        s->refreshed_from = arena_printf(s->c->arena, _("ctime of %s"), newest);
}

/* When apt last fetched its lists with success; see apt.h. */
static void find_refreshed(struct apt_state *s, const struct folder *folder)
{
    struct target_stat st;
    struct error e = ERROR_INIT;
    s->refreshed = DATE_NONE;
    s->refreshed_from = s->not_refreshed = "";
    if (target_stat(s->c->target, stamp_path, true, &st, &e)) {
        s->refreshed = st.mtime;
        s->refreshed_from = stamp_path;
    } else if (e.code == ERR_ABSENT) {
        refreshed_by_ctime(s, folder);
    } else {
        s->not_refreshed = arena_printf(s->c->arena, "%s: %s", stamp_path, e.message);
    }
}

static void read_archive(struct apt_state *s, struct archive *a, const struct folder *folder)
{
    static const char *const files[] = {"InRelease", "Release"};
    for (size_t i = 0; i < ARRAY_COUNT(files) && !a->there; i++) {
        const char *name = apt_source_list_name(a->source, s->c->arena, files[i]);
        struct error e = ERROR_INIT;
        CLEANUP_FREE char *text = NULL;
        size_t size = 0;
        if (!folder->count ||
            !bsearch(name, folder->entries, folder->count, sizeof *folder->entries, by_name))
            continue;
        a->there = true;
        a->path = arena_printf(s->c->arena, "%s/%s", s->lists, name);
        a->readable = target_read(s->c->target, a->path, MOST_RELEASE_BYTES, &text, &size, &e) &&
                      apt_release_parse(&a->release, s->c->arena,
                                        arena_strndup(s->c->arena, text, size), size, &e);
        if (!a->readable)
            a->reason = arena_strdup(s->c->arena, e.message);
    }
}

static bool looks_like_security(const struct apt_source *source)
{
    return str_ends(source->suite, "-security") || str_ends(source->suite, "/updates") ||
           str_ends(source->uri, "/debian-security/");
}

struct state_reason {
    const char *state, *reason;
};

static struct state_reason freshness(const struct apt_state *s, const struct archive *a)
{
    if (a->there && !a->readable)
        return (struct state_reason){"unreadable", a->reason};
    int64_t until = a->there ? a->release.valid_until : DATE_NONE;
    if (until != DATE_NONE)
        return (struct state_reason){until < s->c->now ? "expired" : "fresh", ""};
    bool old = s->refreshed == DATE_NONE || s->c->now - s->refreshed > APT_STALE_AFTER_SECONDS;
    return (struct state_reason){old ? "stale" : "fresh", s->not_refreshed};
}

static void put_date(struct facts *facts, struct fact *f, const char *key, int64_t when)
{
    char text[32];
    if (when == DATE_NONE)
        return;
    date_format(when, text);
    fact_put(facts, f, key, text);
}

struct place {
    const char *component, *arch;
    const char *list; /* full path; NULL where it is not there */
};

static void state_source(struct apt_state *s, const struct archive *a, const struct place *p,
                         struct state_reason v)
{
    struct facts *facts = s->c->facts;
    const struct apt_source *source = a->source;
    bool configured_only = !p->list && !a->there;
    struct fact *f = facts_add(facts, "update-source",
                               configured_only ? source->path
                               : p->list       ? p->list
                                               : a->path,
                               configured_only ? source->line : 0, -1, CONFIDENCE_HIGH);
    fact_put(facts, f, "uri", source->uri);
    fact_put(facts, f, "suite", source->suite);
    fact_put(facts, f, "component", p->component);
    fact_put(facts, f, "arch", p->arch);
    bool known = a->there && a->readable;
    fact_put(facts, f, "origin", known ? a->release.origin : "");
    fact_put(facts, f, "label", known ? a->release.label : "");
    fact_put(facts, f, "archive", known ? a->release.suite : "");
    fact_put(facts, f, "codename", known ? a->release.codename : "");
    bool security = known ? apt_release_is_security(&a->release) : looks_like_security(source);
    fact_put(facts, f, "security", security ? "yes" : "no");
    fact_put(facts, f, "state", v.state);
    if (v.reason && *v.reason)
        fact_put(facts, f, "reason", v.reason);
    if (known)
        put_date(facts, f, "valid_until", a->release.valid_until);
    put_date(facts, f, "refreshed", s->refreshed);
    if (*s->refreshed_from)
        fact_put(facts, f, "refreshed_from", s->refreshed_from);
    fact_put(facts, f, "configured",
             arena_printf(s->c->arena, "%s:%llu", source->path, (unsigned long long)source->line));
}

static bool add_offer(struct apt_state *s, const struct archive *a, const struct place *p,
                      struct error *e)
{
    struct apt_offer offer = {.path = p->list};
    uint64_t skipped = 0;
    bool known = a->there && a->readable;
    if (s->offers.count >= APT_MOST_LISTS) {
        error_set(e, ERR_LIMIT, "more than %d lists are configured", APT_MOST_LISTS);
        return false;
    }
    if (!apt_list_load(&offer.list, &offer.owned, &skipped, s->c->target, p->list, s->c->cache, e))
        return false;
    if (skipped)
        facts_unread(
            s->c->facts, N_("updates"), p->list,
            arena_printf(s->c->arena,
                         ngettext("%llu entry makes no sense; the rest was read",
                                  "%llu entries make no sense; the rest was read", skipped),
                         (unsigned long long)skipped));
    struct apt_release none = {"", "", "", "", "", "", "", 0, 0, false, false, false, "", 0};
    const struct apt_release *r = known ? &a->release : &none;
    offer.security = known ? apt_release_is_security(r) : looks_like_security(a->source);
    offer.origin = (struct apt_origin){.origin = r->origin,
                                       .label = r->label,
                                       .archive = r->suite,
                                       .codename = r->codename,
                                       .version = r->version,
                                       .component = p->component,
                                       .arch = p->arch,
                                       .site = apt_source_site(a->source, s->c->arena),
                                       .not_automatic = r->not_automatic,
                                       .but_automatic_upgrades = r->but_automatic_upgrades};
    apt_policy_rate(&s->policy, &offer.origin);
    offer.shown = arena_printf(s->c->arena, "%s %s%s%s", a->source->uri, a->source->suite,
                               *p->component ? "/" : "", p->component);
    VEC_PUSH(&s->offers, offer);
    return true;
}

static bool seen(const struct apt_state *s, const char *list)
{
    for (size_t i = 0; i < s->offers.count; i++)
        if (str_equal(s->offers.items[i].path, list))
            return true;
    return false;
}

static bool has_arch(const char *list, const char *arch)
{
    size_t n = strlen(arch);
    for (const char *p = list; (p = strstr(p, arch)); p += n)
        if ((p == list || str_is_space(p[-1])) && (!p[n] || str_is_space(p[n])))
            return true;
    return false;
}

static void read_index(struct apt_state *s, const struct archive *a, const struct folder *folder,
                       const char *component, const char *arch)
{
    struct error e = ERROR_INIT;
    const char *index = apt_source_index(a->source, s->c->arena, component, arch);
    const char *name = find_list(s, folder, apt_source_list_name(a->source, s->c->arena, index));
    struct place p = {component, arch,
                      name ? arena_printf(s->c->arena, "%s/%s", s->lists, name) : NULL};
    struct state_reason v = freshness(s, a);
    bool cdrom = apt_source_is_cdrom(a->source);
    bool known = a->there && a->readable;
    if (!name) {
        bool foreign = s->arch_count && !str_equal(arch, s->arches[0]);
        if (cdrom || str_equal(arch, "all") ||
            (foreign && known && *a->release.architectures &&
             !has_arch(a->release.architectures, arch)))
            return; /* apt asks for none */
        if (!(known && apt_release_names(&a->release, index) == APT_INDEX_EMPTY))
            v = (struct state_reason){"missing", ""};
        state_source(s, a, &p, v);
        return;
    }
    if (seen(s, p.list))
        return;
    if (!add_offer(s, a, &p, &e))
        v = (struct state_reason){"unreadable", arena_strdup(s->c->arena, e.message)};
    if (!cdrom || str_equal(v.state, "unreadable"))
        state_source(s, a, &p, v);
}

void apt_read_archives(struct apt_state *s)
{
    struct folder folder = {0};
    if (s->lists)
        folder.count = collect_list(s->c, N_("updates"), s->lists, &folder.entries, NULL);
    else
        facts_unread(s->c->facts, N_("updates"), "", _("apt.conf says that no lists are kept"));
    find_refreshed(s, &folder);
    for (size_t i = 0; i < s->sources.list.count; i++) {
        struct archive a = {.source = &s->sources.list.items[i], .path = ""};
        const char *arches[APT_MOST_ARCHES + 1];
        size_t count =
            apt_source_arches(a.source, s->arches, s->arch_count, arches, APT_MOST_ARCHES);
        read_archive(s, &a, &folder);
        arches[count++] = "all";
        if (apt_source_is_flat(a.source)) {
            read_index(s, &a, &folder, "", s->arch_count ? s->arches[0] : "");
            continue;
        }
        for (size_t k = 0; k < a.source->components.count; k++)
            for (size_t j = 0; j < count; j++)
                read_index(s, &a, &folder, a.source->components.items[k], arches[j]);
    }
}
