/* iis_registry.c - IIS as the registry has it: all of it for IIS 1 to 3, a mirror later. */
#include "collect/iis_internal.h"

#define PARAMETERS "SYSTEM\\CurrentControlSet\\Services\\W3SVC\\Parameters"

/* What the registry says is sure for IIS 3. Beside an export it is a second voice: as sure as
 * that where both agree, and doubtful where it stands alone. */
enum agreement { STANDS_ALONE, SAYS_MORE, AGREES };

static enum confidence registry_confidence(const struct iis *s, enum agreement agreement)
{
    if (s->major <= 3)
        return CONFIDENCE_HIGH;
    if (!s->export.count)
        return CONFIDENCE_MEDIUM;
    return agreement == AGREES      ? s->export_confidence
           : agreement == SAYS_MORE ? CONFIDENCE_MEDIUM
                                    : CONFIDENCE_LOW;
}

static enum agreement vdir_agreement(struct iis *s, const char *path, uint64_t flags)
{
    const char *node = arena_printf(s->c->arena, "W3SVC/1/ROOT%s", path[1] ? path : "");
    uint32_t exported;
    if (!iis_metabase_node(&s->export, node))
        return STANDS_ALONE;
    return iis_metabase_number(iis_metabase_text(&s->export, node, "AccessFlags"), &exported) &&
                   exported == flags
               ? AGREES
               : SAYS_MORE;
}

static enum agreement map_agreement(const struct iis *s, const char *extension)
{
    size_t length = strlen(extension);
    for (size_t i = 0; i < s->export.count; i++) {
        const struct metabase_property *maps = iis_metabase_own(&s->export.nodes[i], "ScriptMaps");
        for (size_t n = 0; maps && n < maps->count; n++)
            if (str_starts_nocase(maps->items[n], extension) && maps->items[n][length] == ',')
                return AGREES;
    }
    return STANDS_ALONE;
}

/* "/Scripts" or, before IIS 4, "/Scripts,192.0.2.1" = "C:\InetPub\scripts,account,204": the
 * rights are hexadecimal. */
static void registry_vdir(struct iis *s, const char *name, const char *text, uint64_t browse)
{
    char *directory = arena_strdup(s->c->arena, text);
    char *rights = strrchr(directory, ',');
    uint64_t flags = 0;
    bool known = false;
    if (rights) {
        *rights++ = '\0';
        known = str_hex_to_u64(str_trim(rights), &flags) && flags <= UINT32_MAX;
        char *account = strrchr(directory, ',');
        if (account)
            *account = '\0';
    }
    const char *path = arena_strndup(s->c->arena, name, strcspn(name, ","));
    enum agreement agreement = vdir_agreement(s, path, flags);
    struct fact *f = iis_facts_begin(s, "vdir", "1", 0, false, registry_confidence(s, agreement));
    iis_facts_put(s, f, "path", path);
    iis_facts_put_place(s, f, directory);
    if (known)
        iis_facts_put_access(s, f, (uint32_t)flags);
    else
        fact_put_state(s->c->facts, f, "access_flags", VALUE_UNREADABLE,
                       _("the registry names no rights that we can read"));
    if (s->major <= 3) {
        iis_facts_put_yes(s, f, "dir_browse", browse & IIS_DIR_BROWSE_ENABLED);
    } else if (!s->export.count) {
        iis_facts_put_unreadable(s, f, "dir_browse");
        iis_facts_put_unreadable(s, f, "parent_paths");
    }
    iis_facts_put(s, f, "from", "registry");
    s->vdirs++;
}

static const char *root_of_registry(struct iis *s, const struct hive_value *values, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const char *text;
        if ((str_equal(values[i].name, "/") || str_starts(values[i].name, "/,")) &&
            hive_value_text(&values[i], s->c->arena, &text, NULL))
            return arena_strndup(s->c->arena, text, strcspn(text, ","));
    }
    return NULL;
}

/* The one site that the registry knows. */
static void registry_site(struct iis *s, const char *root)
{
    static const struct {
        const char *value, *key;
    } rows[] = {
        {"AnonymousUserName", "user"},
        {"LogType", "logtype"},
        {"LogFileDirectory", "logfiledirectory"},
        {"Dir Browse Control", "dirbrowseflags"},
        {"Default Load File", "defaultdoc"},
    };
    struct windows_key key;
    struct fact *f = iis_facts_begin(s, "site", "1", 0, false, registry_confidence(s, AGREES));
    iis_facts_put(s, f, "name", "Default Web Site");
    if (root) {
        iis_facts_put(s, f, "root", root);
        iis_facts_put_volume(s, f, root);
    }
    if (s->major <= 3) {
        iis_facts_put(s, f, "bindings", ":80:");
        for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
            const char *text;
            if (windows_key(s->w, PARAMETERS, &key, NULL) &&
                windows_value(s->w, &key, rows[i].value, s->c->arena, &text, NULL))
                iis_facts_put(s, f, rows[i].key, text);
        }
    } else {
        static const char *const settings[] = {
            "bindings",
            "user",
            "usehostname",
            "logtype",
            "logfiledirectory",
            "logextfileuriquery",
            "logextfileuseragent",
            "logextfilewin32status",
            "ssiexecdisable",
        };
        for (size_t i = 0; i < ARRAY_COUNT(settings); i++)
            iis_facts_put_unreadable(s, f, settings[i]);
    }
    iis_facts_put_groups(s, f);
    iis_facts_put(s, f, "from", "registry");
    s->sites++;
}

static void registry_maps(struct iis *s)
{
    struct windows_key key;
    struct hive_value *values;
    size_t count, damaged = 0;
    struct error e = ERROR_INIT;
    if (!windows_key(s->w, PARAMETERS "\\Script Map", &key, &e) ||
        !hive_values(key.file->hive, key.key, s->c->arena, &values, &count, &damaged, &e)) {
        if (e.code != ERR_ABSENT)
            facts_unread(s->c->facts, N_("script-map: registry"), PARAMETERS "\\Script Map",
                         e.message);
        return;
    }
    if (damaged)
        facts_unread(s->c->facts, N_("script-map: registry"), PARAMETERS "\\Script Map",
                     _("some of its values are damaged"));
    for (size_t i = 0; i < count; i++) {
        const char *text;
        if (values[i].name[0] != '.' || !hive_value_text(&values[i], s->c->arena, &text, NULL))
            continue;
        enum agreement agreement = map_agreement(s, values[i].name);
        struct fact *f =
            iis_facts_begin(s, "script-map", "1", 0, false, registry_confidence(s, agreement));
        iis_facts_put(s, f, "extension", values[i].name);
        iis_facts_put(s, f, "handler", text);
        iis_facts_put(s, f, "from", "registry");
        s->maps++;
    }
}

static void registry_vdirs(struct iis *s)
{
    struct windows_key key;
    struct hive_value *values;
    size_t count, damaged = 0;
    uint64_t browse = 0;
    struct error e = ERROR_INIT;
    if (windows_key(s->w, PARAMETERS, &key, NULL))
        windows_number(s->w, &key, "Dir Browse Control", &browse);
    if (!windows_key(s->w, PARAMETERS "\\Virtual Roots", &key, &e) ||
        !hive_values(key.file->hive, key.key, s->c->arena, &values, &count, &damaged, &e)) {
        if (e.code != ERR_ABSENT)
            facts_unread(s->c->facts, N_("vdir: registry"), PARAMETERS "\\Virtual Roots",
                         e.message);
        return;
    }
    if (damaged)
        facts_unread(s->c->facts, N_("vdir: registry"), PARAMETERS "\\Virtual Roots",
                     _("some of its values are damaged"));
    for (size_t i = 0; i < count && i < IIS_MOST_VDIRS; i++) {
        const char *text;
        if (values[i].name[0] == '/' && hive_value_text(&values[i], s->c->arena, &text, NULL))
            registry_vdir(s, values[i].name, text, browse);
    }
    if (!s->export.count)
        registry_site(s, root_of_registry(s, values, count));
}

void iis_registry_collect(struct iis *s)
{
    registry_vdirs(s);
    registry_maps(s);
}
