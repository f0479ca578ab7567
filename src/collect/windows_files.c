/* windows_files.c - Windows: the files that are wanted, their versions and access lists. */
#include "collect/ntfs_acl.h"
#include "collect/windows_system.h"

#include <stdlib.h>

static void put_result(struct collection *c, struct fact *host, const char *want, bool good,
                       const char *text, const struct error *e)
{
    if (good)
        fact_put(c->facts, host, want, text);
    else if (e->code == ERR_ABSENT)
        fact_put_state(c->facts, host, want, VALUE_ABSENT, "");
    else
        fact_put_state(c->facts, host, want, VALUE_UNREADABLE, e->message);
}

static void put_exists(struct collection *c, struct windows *w, struct fact *host, const char *want,
                       const char *path)
{
    struct error e = ERROR_INIT;
    const char *found;
    bool good = windows_find(w, c->arena, path, &found, &e);
    put_result(c, host, want, good, "present", &e);
}

/* Besides the value in the host fact, a fact of its own: what was found, and how large. */
static void put_version(struct collection *c, struct windows *w, struct fact *host,
                        const char *want, const char *path)
{
    struct error e = ERROR_INIT;
    struct windows_path found = {.path = ""};
    struct target_stat st;
    const char *version = "";
    uint64_t size = 0;
    bool there = windows_resolve(w, c->arena, path, &found, &e) &&
                 target_stat(w->target, found.path, true, &st, &e);
    bool good = there && windows_file_version(w, c->arena, path, &version, &size, &e);
    put_result(c, host, want, good, version, &e);

    struct fact *f =
        facts_add(c->facts, "file", there ? found.path + 1 : "", 0, -1, CONFIDENCE_HIGH);
    fact_put(c->facts, f, "path", path);
    if (there) {
        fact_put(c->facts, f, "actual", found.path);
        fact_put(c->facts, f, "exists", "yes");
        fact_put_number(c->facts, f, "size", (int64_t)st.size);
    } else if (e.code == ERR_ABSENT) {
        fact_put(c->facts, f, "exists", "no");
    } else {
        fact_put_state(c->facts, f, "exists", VALUE_UNREADABLE, e.message);
    }
    put_result(c, f, "version", good, version, &e);
}

/* FAT keeps no access lists: NT lets everybody do everything there. */
static bool has_no_lists(const struct windows *w, size_t volume)
{
    struct target_volume v;
    return target_volume(w->target, volume, &v) && str_equal(v.fs, "fat");
}

static void put_acl(struct collection *c, struct windows *w, struct fact *host, const char *want,
                    const char *path)
{
    struct error e = ERROR_INIT;
    struct windows_path found;
    const char *text = "";
    CLEANUP_FREE char *descriptor = NULL;
    size_t size = 0;
    bool good = windows_resolve(w, c->arena, path, &found, &e);
    if (good && has_no_lists(w, found.volume)) {
        put_result(c, host, want, true, "Everyone:F", &e);
        return;
    }
    if (good)
        target_select_volume(w->target, found.volume);
    if (good && !target_security_descriptor(w->target, found.path, &descriptor, &size, &e)) {
        good = false;
        if (e.code == ERR_ABSENT) /* the file is there: only its list could not be had */
            e.code = ERR_UNREADABLE;
    }
    good = good && ntfs_acl_text(&text, c->arena, descriptor, size, &e);
    put_result(c, host, want, good, text, &e);
}

static const struct {
    const char *form;
    void (*put)(struct collection *c, struct windows *w, struct fact *host, const char *want,
                const char *path);
} forms[] = {
    {"file:", put_exists},
    {"file-version:", put_version},
    {"file-acl:", put_acl},
};

/* --- folders that IIS names --- */

/* Wants may begin with them; the facts of the sites, stated before, say where they are. */
static const struct of_sites {
    const char *variable;
    const char *key;   /* of a site */
    const char *usual; /* where the site does not say; NULL: nobody knows */
} of_sites[] = {
    {"%SiteRoot%", "root", NULL},
    {"%LogFolder%", "logfiledirectory", "%SystemRoot%\\system32\\LogFiles"},
};

static const struct of_sites *find_of_sites(const char *path)
{
    for (size_t i = 0; i < ARRAY_COUNT(of_sites); i++)
        if (str_starts_nocase(path, of_sites[i].variable))
            return &of_sites[i];
    return NULL;
}

/* One answer for all sites: what is there in one of them is there, and what could not be looked
 * at in one is not known. Access lists are joined, so that each of them counts. */
static void put_joined(struct collection *c, struct fact *host, const char *want,
                       const struct fact *answers)
{
    CLEANUP_STR struct str text = {0};
    const char *reason = NULL;
    bool lists = str_starts(want, "file-acl:"), there = false;
    for (size_t i = 0; i < answers->value_count; i++) {
        const struct fact_value *v = &answers->values[i];
        if (v->state == VALUE_UNREADABLE)
            reason = v->text;
        if (v->state != VALUE_TEXT || (there && !lists))
            continue;
        str_printf(&text, "%s%s", text.length ? "\n" : "", v->text);
        there = true;
    }
    if (reason && (lists || !there))
        fact_put_state(c->facts, host, want, VALUE_UNREADABLE, reason);
    else if (there)
        fact_put(c->facts, host, want, str_text(&text));
    else
        fact_put_state(c->facts, host, want, VALUE_ABSENT, "");
}

/* Folders are written with and without a '\\' at their end. */
static const char *below(struct arena *arena, const char *folder, const char *rest)
{
    size_t length = strlen(folder);
    while (length && (folder[length - 1] == '\\' || folder[length - 1] == '/'))
        length--;
    return arena_printf(arena, "%.*s%s", (int)length, folder, rest);
}

static void put_in_sites(struct collection *c, struct windows *w, struct fact *host, size_t form,
                         const char *want, const struct of_sites *what)
{
    const char *rest = want + strlen(forms[form].form) + strlen(what->variable);
    CLEANUP(facts_cleanup) struct facts *scratch = facts_new();
    struct collection apart = *c;
    const char *nowhere = _("no site says where its folders are");
    struct fact *answers = facts_add(scratch, "host", "", 0, -1, CONFIDENCE_HIGH);
    apart.facts = scratch;
    for (const struct fact *f = NULL; (f = facts_next(c->facts, "site", f));) {
        const struct fact_value *v = fact_value(f, what->key);
        const char *folder = v && v->state == VALUE_TEXT && *v->text ? v->text : what->usual;
        const char *name = arena_printf(c->arena, "%zu", answers->value_count);
        if (!str_equal(fact_text(f, "server"), "iis"))
            continue;
        if (v && v->state == VALUE_UNREADABLE)
            fact_put_state(scratch, answers, name, VALUE_UNREADABLE, v->text);
        else if (!folder)
            fact_put_state(scratch, answers, name, VALUE_UNREADABLE, nowhere);
        else
            forms[form].put(&apart, w, answers, name, below(c->arena, folder, rest));
    }
    if (!answers->value_count)
        fact_put_state(scratch, answers, "none", VALUE_UNREADABLE, nowhere);
    put_joined(c, host, want, answers);
}

void collect_windows_files(struct collection *c)
{
    struct fact *host = collect_host(c);
    struct windows *w = host ? windows_acquire(c) : NULL;
    if (!w)
        return;
    for (size_t k = 0; k < ARRAY_COUNT(forms); k++) {
        size_t first, count;
        wants_with_prefix(c->wants, forms[k].form, &first, &count);
        for (size_t i = first; i < first + count; i++) {
            const char *path = c->wants->items[i] + strlen(forms[k].form);
            const struct of_sites *sites = find_of_sites(path);
            if (sites)
                put_in_sites(c, w, host, k, c->wants->items[i], sites);
            else if (windows_is_path(path)) /* others are for other systems */
                forms[k].put(c, w, host, c->wants->items[i], path);
        }
    }
    windows_release(c, w);
}
