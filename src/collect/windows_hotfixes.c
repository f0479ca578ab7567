#include "collect/windows_hotfixes.h"

#include <stdlib.h>

enum {
    FEWEST_DIGITS = 5,
    MOST_DIGITS = 8,
    /* CurrentState of a component package (Windows SDK, CbsApi.h) */
    CBS_UNINSTALL_PENDING = 0x20,
    CBS_SUPERSEDED = 0x50,
    CBS_INSTALL_PENDING = 0x60,
    CBS_PARTIAL = 0x65,
    CBS_INSTALLED = 0x70,
};

#define HOTFIX   "SOFTWARE\\Microsoft\\Windows NT\\CurrentVersion\\Hotfix"
#define UPDATES  "SOFTWARE\\Microsoft\\Updates"
#define PACKAGES "SOFTWARE\\Microsoft\\Windows\\CurrentVersion\\Component Based Servicing\\Packages"

/* The digits of an id, or 0: "Q293826", "KB834707-IE6SP1", "291845", "KB893803v2". */
static size_t id_digits(const char *name, const char **digits)
{
    *digits = name + (str_starts_nocase(name, "KB") ? 2 : str_starts_nocase(name, "Q") ? 1 : 0);
    size_t length = strspn(*digits, "0123456789");
    const char after = (*digits)[length];
    if (length < FEWEST_DIGITS || length > MOST_DIGITS || (after && !strchr("-vV_ ", after)))
        return 0;
    return length;
}

const char *windows_hotfixes_id(struct arena *arena, const char *name, bool before_xp)
{
    const char *digits;
    size_t length = id_digits(name, &digits);
    if (!length)
        return arena_strdup(arena, name);
    return arena_printf(arena, "%s%.*s", before_xp ? "Q" : "KB", (int)length, digits);
}

struct scan {
    struct collection *c;
    struct windows *w;
    bool before_xp;
    bool gaps; /* a place could not be read whole */
};

static struct fact *put(struct scan *s, const struct windows_hive_file *f, const char *name,
                        const char *place, const char *installed)
{
    struct fact *fact = windows_fact(s->c, f, "hotfix", CONFIDENCE_HIGH);
    fact_put(s->c->facts, fact, "id", windows_hotfixes_id(s->c->arena, name, s->before_xp));
    fact_put(s->c->facts, fact, "installed", installed);
    fact_put(s->c->facts, fact, "place", place);
    return fact;
}

/* The subkeys of a path; what is damaged there is said. false if there is nothing. */
static bool subkeys(struct scan *s, const char *path, struct windows_key *key,
                    struct hive_subkey **items, size_t *count)
{
    struct error e = ERROR_INIT;
    size_t damaged = 0;
    if (!windows_key(s->w, path, key, &e) ||
        !hive_subkeys(key->file->hive, key->key, s->c->arena, items, count, &damaged, &e)) {
        if (e.code != ERR_ABSENT) {
            facts_unread(s->c->facts, N_("hotfixes"), path, e.message);
            s->gaps = true;
        }
        return false;
    }
    if (damaged) {
        facts_unread(s->c->facts, N_("hotfixes"), path, _("some of its keys are damaged"));
        s->gaps = true;
    }
    return true;
}

static void scan_hotfix(struct scan *s)
{
    struct windows_key key;
    struct hive_subkey *items;
    size_t count;
    if (!subkeys(s, HOTFIX, &key, &items, &count))
        return;
    for (size_t i = 0; i < count; i++) {
        const char *path = arena_printf(s->c->arena, HOTFIX "\\%s", items[i].name);
        const char *text;
        uint64_t installed = 0;
        struct error e = ERROR_INIT;
        key.key = items[i].key;
        if (windows_value(s->w, &key, "Installed", s->c->arena, &text, &e)) {
            str_to_u64(text, &installed);
        } else if (e.code != ERR_ABSENT) {
            facts_unread(s->c->facts, N_("hotfixes"), path, e.message);
            continue;
        }
        put(s, key.file, items[i].name, path, installed ? "1" : "0");
    }
}

static void put_update(struct scan *s, const struct windows_key *key, const char *name,
                       const char *path, const char *pack)
{
    const char *date;
    struct fact *fact = put(s, key->file, name, path, "1");
    if (pack)
        fact_put(s->c->facts, fact, "service_pack_key", pack);
    if (windows_value(s->w, key, "InstalledDate", s->c->arena, &date, NULL) ||
        windows_value(s->w, key, "InstalledOn", s->c->arena, &date, NULL))
        fact_put(s->c->facts, fact, "date", date);
}

/* Updates\PRODUCT\SPn\ID, and ID right below the product where there is no SPn. */
static void scan_product(struct scan *s, const char *path)
{
    struct windows_key key;
    struct hive_subkey *items, *below;
    size_t count, below_count;
    if (!subkeys(s, path, &key, &items, &count))
        return;
    for (size_t i = 0; i < count; i++) {
        const char *name = items[i].name, *digits;
        const char *deeper = arena_printf(s->c->arena, "%s\\%s", path, name);
        bool is_pack = str_starts_nocase(name, "SP") && str_is_digit(name[2]);
        if (!is_pack && id_digits(name, &digits)) {
            key.key = items[i].key;
            put_update(s, &key, name, deeper, NULL);
        }
        if (!is_pack || !subkeys(s, deeper, &key, &below, &below_count))
            continue;
        for (size_t j = 0; j < below_count; j++) {
            key.key = below[j].key;
            put_update(s, &key, below[j].name,
                       arena_printf(s->c->arena, "%s\\%s", deeper, below[j].name), name);
        }
    }
}

static void scan_updates(struct scan *s)
{
    struct windows_key key;
    struct hive_subkey *items;
    size_t count;
    if (!subkeys(s, UPDATES, &key, &items, &count))
        return;
    for (size_t i = 0; i < count; i++)
        scan_product(s, arena_printf(s->c->arena, UPDATES "\\%s", items[i].name));
}

static const struct {
    unsigned state;
    const char *installed;
} states[] = {
    {CBS_INSTALLED, "1"}, {CBS_INSTALL_PENDING, "pending"}, {CBS_SUPERSEDED, "superseded"},
    {CBS_PARTIAL, "0"},   {CBS_UNINSTALL_PENDING, "0"},
};

/* Package_for_KB2999226~31bf3856ad364e35~amd64~~6.1.1.7; the parts of one, Package_1_for_...,
 * are not counted. A roll-up without a number keeps its whole name. */
static void scan_packages(struct scan *s)
{
    static const char prefix[] = "Package_for_";
    struct windows_key key;
    struct hive_subkey *items;
    size_t count;
    if (!subkeys(s, PACKAGES, &key, &items, &count))
        return;
    for (size_t i = 0; i < count; i++) {
        const char *name = items[i].name;
        uint64_t state;
        if (!str_starts_nocase(name, prefix))
            continue;
        key.key = items[i].key;
        if (!windows_number(s->w, &key, "CurrentState", &state))
            continue;
        const char *shown = name;
        if (str_starts_nocase(name + sizeof prefix - 1, "KB"))
            shown = arena_strndup(s->c->arena, name + sizeof prefix - 1,
                                  strcspn(name + sizeof prefix - 1, "~"));
        for (size_t k = 0; k < ARRAY_COUNT(states); k++)
            if (states[k].state == state)
                put(s, key.file, shown, arena_printf(s->c->arena, PACKAGES "\\%s", name),
                    states[k].installed);
    }
}

/* What an uninstaller would need: the folder says that the hotfix was there once. */
static void scan_folders(struct scan *s)
{
    static const char prefix[] = "$NtUninstall";
    struct target_entry *entries;
    size_t count;
    struct error e = ERROR_INIT;
    if (s->w->alone)
        return; /* said by the first row */
    target_select_volume(s->w->target, s->w->volume);
    if (!target_list(s->w->target, s->w->folder, s->c->arena, &entries, &count, &e)) {
        facts_unread(s->c->facts, N_("uninstall folders"), s->w->folder + 1, e.message);
        return;
    }
    for (size_t i = 0; i < count; i++) {
        const char *digits, *name = entries[i].name;
        if (!str_starts_nocase(name, prefix))
            continue;
        char *id = arena_strdup(s->c->arena, name + sizeof prefix - 1);
        id[strcspn(id, "$")] = '\0';
        if (!id_digits(id, &digits))
            continue;
        struct fact *f = facts_add(s->c->facts, "hotfix-leavings",
                                   arena_printf(s->c->arena, "%s/%s", s->w->folder + 1, name), 0,
                                   -1, CONFIDENCE_MEDIUM);
        fact_put(s->c->facts, f, "id", windows_hotfixes_id(s->c->arena, id, s->before_xp));
        bool sure;
        const char *root = windows_expand(s->w, s->c->arena, "%SystemRoot%", &sure);
        fact_put(s->c->facts, f, "path", arena_printf(s->c->arena, "%s\\%s", root, name));
    }
}

bool windows_hotfixes_collect(struct collection *c, struct windows *w)
{
    struct scan s = {.c = c, .w = w, .before_xp = !windows_at_least(w, "5.1")};
    if (w->hives[WINDOWS_SOFTWARE].hive) {
        scan_hotfix(&s);
        scan_updates(&s);
        scan_packages(&s);
    } else {
        facts_unread(c->facts, N_("hotfixes"), "SOFTWARE",
                     _("the hive SOFTWARE could not be read"));
        s.gaps = true;
    }
    scan_folders(&s);
    return !s.gaps;
}
