/* iis.c - IIS: the product, its sites, virtual directories, script maps, and what it binds.
 *
 * Three sources, best first: a text export of the metabase (IIS 4.0 and 5.0), the registry
 * (the truth for IIS 1 to 3; for 4.0 and 5.0 a mirror that its tools may leave behind), and
 * the strings of MetaBase.bin. Each fact says its `from`. */
#include "collect/iis_metabase.h"
#include "collect/windows_system.h"

#include <stdlib.h>

#define PARAMETERS "SYSTEM\\CurrentControlSet\\Services\\W3SVC\\Parameters"
#define INETSRV "%SystemRoot%\\system32\\inetsrv"

enum {
    MOST_EXPORT = 16 * 1024 * 1024,
    MOST_METABASE = 32 * 1024 * 1024,
    MOST_VDIRS = 2048,
    /* MD_ACCESS_*, IIScnfg.h */
    ACCESS_READ = 1,
    ACCESS_WRITE = 2,
    ACCESS_EXECUTE = 4,
    ACCESS_SOURCE = 0x10,
    ACCESS_SCRIPT = 0x200,
};
#define DIR_BROWSE_ENABLED 0x80000000u /* MD_DIRBROW_ENABLED */

struct iis {
    struct collection *c;
    struct windows *w;
    unsigned major, minor;   /* 0: no IIS was found */
    struct metabase export;  /* count 0: there is none */
    const char *export_path;
    enum confidence export_confidence;
    size_t sites, vdirs, maps;
};

static void put(struct iis *s, struct fact *f, const char *key, const char *text)
{
    fact_put(s->c->facts, f, key, text);
}

static void put_yes(struct iis *s, struct fact *f, const char *key, bool yes)
{
    fact_put(s->c->facts, f, key, yes ? "yes" : "no");
}

/* --- the product --- */

static void find_version(struct iis *s)
{
    struct windows_key key;
    uint64_t major = 0, minor = 0;
    const char *version;
    if (windows_key(s->w, "SOFTWARE\\Microsoft\\InetStp", &key, NULL) &&
        windows_number(s->w, &key, "MajorVersion", &major)) {
        windows_number(s->w, &key, "MinorVersion", &minor);
    } else if (windows_file_version(s->w, s->c->arena, INETSRV "\\inetinfo.exe", &version, NULL,
                                    NULL) &&
               windows_key(s->w, "SYSTEM\\CurrentControlSet\\Services\\W3SVC", &key, NULL) &&
               str_starts(version, "3.")) {
        major = 3; /* IIS 3.0 has no InetStp */
    }
    s->major = (unsigned)(major > 99 ? 0 : major);
    s->minor = (unsigned)(minor > 99 ? 0 : minor);
}

static void put_product(struct iis *s)
{
    const char *version = arena_printf(s->c->arena, "%u.%u", s->major, s->minor);
    struct fact *f =
        windows_fact(s->c, &s->w->hives[s->major > 3 ? WINDOWS_SOFTWARE : WINDOWS_SYSTEM],
                     "product", CONFIDENCE_HIGH);
    put(s, f, "name", "iis");
    put(s, f, "version", version);
    put(s, f, "title",
        arena_printf(s->c->arena, "Internet Information %s %s",
                     s->major < 5 ? "Server" : "Services", version));
}

/* --- the text export --- */

/* Where administrators leave it: beside the metabase and its backups, with the tool that
 * prints it, or at the top of the drive. */
static const char *const export_folders[] = {INETSRV, INETSRV "\\MetaBack",
                                             "%InetPub%\\AdminScripts", "%SystemDrive%\\"};

static bool newer_metabase(struct iis *s, int64_t export_time)
{
    const char *found;
    struct target_stat st;
    return windows_find(s->w, s->c->arena, INETSRV "\\MetaBase.bin", &found, NULL) &&
           target_stat(s->w->target, found, true, &st, NULL) && st.mtime > export_time;
}

static void try_export(struct iis *s, const char *path)
{
    CLEANUP_FREE char *text = NULL;
    size_t size;
    struct target_stat st = {0};
    struct error e = ERROR_INIT;
    if (!target_read(s->w->target, path, MOST_EXPORT, &text, &size, &e)) {
        facts_unread(s->c->facts, "site: metabase export", path + 1, e.message);
        return;
    }
    CLEANUP_STR struct str converted = {0};
    const char *plain = text;
    if (size >= 2 && memcmp(text, "\xff\xfe", 2) == 0) {
        str_add_utf16le(&converted, text + 2, size - 2);
        plain = str_text(&converted);
        size = converted.length;
    }
    if (!iis_metabase_parse(&s->export, s->c->arena, plain, size, &e))
        return;
    s->export_path = path + 1;
    target_stat(s->w->target, path, true, &st, NULL);
    /* it says how things were when it was made */
    s->export_confidence = newer_metabase(s, st.mtime) ? CONFIDENCE_MEDIUM : CONFIDENCE_HIGH;
    if (s->export.cut)
        facts_unread(s->c->facts, "site: metabase export", path + 1,
                     "it is larger than what we take: the rest was not read");
}

static void find_export(struct iis *s)
{
    for (size_t i = 0; i < ARRAY_COUNT(export_folders) && !s->export.count; i++) {
        const char *folder;
        struct target_entry *entries;
        size_t count;
        if (!windows_find(s->w, s->c->arena, export_folders[i], &folder, NULL) ||
            !target_list(s->w->target, folder, s->c->arena, &entries, &count, NULL))
            continue;
        for (size_t n = 0; n < count && !s->export.count; n++)
            if (str_glob("*meta*.txt", entries[n].name, true) ||
                str_glob("*adsutil*.txt", entries[n].name, true))
                try_export(s, arena_printf(s->c->arena, "%s/%s",
                                           str_equal(folder, "/") ? "" : folder,
                                           entries[n].name));
    }
}

/* --- virtual directories --- */

static void put_place(struct iis *s, struct fact *f, const char *directory)
{
    struct error e = ERROR_INIT;
    struct windows_path found;
    bool sure;
    const char *full = windows_expand(s->w, s->c->arena, directory, &sure);
    put(s, f, "directory", directory);
    if (windows_resolve(s->w, s->c->arena, directory, &found, &e))
        put(s, f, "directory_exists", "yes");
    else if (e.code == ERR_ABSENT)
        put(s, f, "directory_exists", "no");
    else
        fact_put_state(s->c->facts, f, "directory_exists", VALUE_UNREADABLE, e.message);
    if (full && full[0] && full[1] == ':')
        put_yes(s, f, "on_system_volume", str_lower(full[0]) == str_lower(s->w->drive));
}

static void put_access(struct iis *s, struct fact *f, uint32_t flags)
{
    fact_put_number(s->c->facts, f, "access_flags", flags);
    put_yes(s, f, "readable", flags & ACCESS_READ);
    put_yes(s, f, "writable", flags & ACCESS_WRITE);
    put_yes(s, f, "executable", flags & ACCESS_EXECUTE);
    /* IIS 3 knows one right for scripts and programs */
    put_yes(s, f, "script", flags & (ACCESS_SCRIPT | (s->major == 3 ? ACCESS_EXECUTE : 0)));
    put_yes(s, f, "source_access", flags & ACCESS_SOURCE);
}

static void put_unreadable(struct iis *s, struct fact *f, const char *key)
{
    fact_put_state(s->c->facts, f, key, VALUE_UNREADABLE,
                   "it stands in MetaBase.bin, whose format is not public: export it with "
                   "\"adsutil.vbs enum_all /p > metabase.txt\" beside it");
}

static struct fact *begin(struct iis *s, const char *kind, const char *instance, size_t line,
                          bool from_export, enum confidence confidence)
{
    struct fact *f =
        from_export ? facts_add(s->c->facts, kind, s->export_path, line, -1,
                                s->export_confidence)
                    : windows_fact(s->c, &s->w->hives[WINDOWS_SYSTEM], kind, confidence);
    put(s, f, "server", "iis");
    put(s, f, "instance", instance);
    return f;
}

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
        const struct metabase_property *maps =
            iis_metabase_own(&s->export.nodes[i], "ScriptMaps");
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
    struct fact *f = begin(s, "vdir", "1", 0, false, registry_confidence(s, agreement));
    put(s, f, "path", path);
    put_place(s, f, directory);
    if (known)
        put_access(s, f, (uint32_t)flags);
    else
        fact_put_state(s->c->facts, f, "access_flags", VALUE_UNREADABLE,
                       "the registry names no rights that we can read");
    if (s->major <= 3) {
        put_yes(s, f, "dir_browse", browse & DIR_BROWSE_ENABLED);
    } else if (!s->export.count) {
        put_unreadable(s, f, "dir_browse");
        put_unreadable(s, f, "parent_paths");
    }
    put(s, f, "from", "registry");
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
        {"AnonymousUserName", "user"},     {"LogType", "logtype"},
        {"LogFileDirectory", "logfiledirectory"},
        {"Dir Browse Control", "dirbrowseflags"}, {"Default Load File", "defaultdoc"},
    };
    struct windows_key key;
    struct fact *f = begin(s, "site", "1", 0, false, registry_confidence(s, AGREES));
    put(s, f, "name", "Default Web Site");
    if (root) {
        bool sure;
        const char *full = windows_expand(s->w, s->c->arena, root, &sure);
        put(s, f, "root", root);
        if (full && full[0] && full[1] == ':')
            put_yes(s, f, "on_system_volume", str_lower(full[0]) == str_lower(s->w->drive));
    }
    if (s->major <= 3) {
        put(s, f, "bindings", ":80:");
        for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
            const char *text;
            if (windows_key(s->w, PARAMETERS, &key, NULL) &&
                windows_value(s->w, &key, rows[i].value, s->c->arena, &text, NULL))
                put(s, f, rows[i].key, text);
        }
    } else {
        static const char *const settings[] = {
            "bindings", "user", "usehostname", "logtype", "logextfileuriquery",
            "logextfileuseragent", "logextfilewin32status", "ssiexecdisable",
        };
        for (size_t i = 0; i < ARRAY_COUNT(settings); i++)
            put_unreadable(s, f, settings[i]);
    }
    put(s, f, "from", "registry");
    s->sites++;
}

static void put_map(struct iis *s, struct fact *f, const char *text, const char *from);

static void registry_maps(struct iis *s)
{
    struct windows_key key;
    struct hive_value *values;
    size_t count, damaged = 0;
    struct error e = ERROR_INIT;
    if (!windows_key(s->w, PARAMETERS "\\Script Map", &key, &e) ||
        !hive_values(key.file->hive, key.key, s->c->arena, &values, &count, &damaged, &e)) {
        if (e.code != ERR_ABSENT)
            facts_unread(s->c->facts, "script-map: registry", PARAMETERS "\\Script Map",
                         e.message);
        return;
    }
    if (damaged)
        facts_unread(s->c->facts, "script-map: registry", PARAMETERS "\\Script Map",
                     "some of its values are damaged");
    for (size_t i = 0; i < count; i++) {
        const char *text;
        if (values[i].name[0] != '.' ||
            !hive_value_text(&values[i], s->c->arena, &text, NULL))
            continue;
        enum agreement agreement = map_agreement(s, values[i].name);
        struct fact *f =
            begin(s, "script-map", "1", 0, false, registry_confidence(s, agreement));
        put(s, f, "extension", values[i].name);
        put(s, f, "handler", text);
        put(s, f, "from", "registry");
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
            facts_unread(s->c->facts, "vdir: registry", PARAMETERS "\\Virtual Roots", e.message);
        return;
    }
    if (damaged)
        facts_unread(s->c->facts, "vdir: registry", PARAMETERS "\\Virtual Roots",
                     "some of its values are damaged");
    for (size_t i = 0; i < count && i < MOST_VDIRS; i++) {
        const char *text;
        if (values[i].name[0] == '/' &&
            hive_value_text(&values[i], s->c->arena, &text, NULL))
            registry_vdir(s, values[i].name, text, browse);
    }
    if (!s->export.count)
        registry_site(s, root_of_registry(s, values, count));
}

/* --- from the export --- */

/* ".ext,C:\x.dll,flags,VERB,..." : IIS 4 names the verbs that are shut out, IIS 5 those that
 * are let in. */
static void put_map(struct iis *s, struct fact *f, const char *text, const char *from)
{
    char *copy = arena_strdup(s->c->arena, text), *cell[4] = {copy};
    for (size_t i = 1; i < ARRAY_COUNT(cell) && cell[i - 1]; i++) {
        cell[i] = strchr(cell[i - 1], ',');
        if (cell[i])
            *cell[i]++ = '\0';
    }
    put(s, f, "extension", cell[0]);
    put(s, f, "handler", cell[1] ? cell[1] : "");
    if (cell[2])
        put(s, f, "flags", cell[2]);
    put(s, f, "verbs", cell[3] ? cell[3] : "");
    put(s, f, "verbs_are", s->major < 5 ? "excluded" : "allowed");
    put(s, f, "from", from);
    s->maps++;
}

/* "W3SVC/1/ROOT/x" -> instance "1" and path "/x"; false if it is no part of a site. The
 * service as a whole is instance "*". */
static bool place_of(struct iis *s, const char *path, const char **instance, const char **below)
{
    if (!str_starts_nocase(path, "W3SVC"))
        return false;
    *instance = "*";
    *below = "";
    if (!path[5])
        return true;
    const char *number = path + 6;
    size_t digits = strspn(number, "0123456789");
    if (path[5] != '/' || !digits || (number[digits] && number[digits] != '/'))
        return false;
    *instance = arena_strndup(s->c->arena, number, digits);
    if (!number[digits])
        return true;
    if (!str_starts_nocase(number + digits, "/ROOT"))
        return false;
    const char *rest = number + digits + 5;
    *below = *rest == '/' ? rest : "/";
    return !*rest || *rest == '/';
}

static void export_maps(struct iis *s, const struct metabase_node *n)
{
    const char *instance, *below;
    const struct metabase_property *maps = iis_metabase_own(n, "ScriptMaps");
    if (!maps || !place_of(s, n->path, &instance, &below))
        return;
    for (size_t i = 0; i < maps->count; i++) {
        if (maps->items[i][0] != '.')
            continue;
        struct fact *f = begin(s, "script-map", instance, maps->line + i + 1, true,
                               CONFIDENCE_HIGH);
        if (*below)
            put(s, f, "path", below);
        put_map(s, f, maps->items[i], "text-export");
    }
}

static void export_vdir(struct iis *s, const struct metabase_node *n)
{
    static const char *const makes_one[] = {"Path", "AccessFlags", "DirBrowseFlags"};
    const char *instance, *below, *text;
    uint32_t flags;
    bool is_one = false;
    for (size_t i = 0; i < ARRAY_COUNT(makes_one); i++)
        is_one |= iis_metabase_own(n, makes_one[i]) != NULL;
    if (!is_one || s->vdirs >= MOST_VDIRS || !place_of(s, n->path, &instance, &below) || !*below)
        return;
    struct fact *f = begin(s, "vdir", instance, n->line, true, CONFIDENCE_HIGH);
    put(s, f, "path", below);
    const struct metabase_property *own = iis_metabase_own(n, "Path");
    if (own && own->count)
        put_place(s, f, own->items[0]);
    if (iis_metabase_number(iis_metabase_text(&s->export, n->path, "AccessFlags"), &flags))
        put_access(s, f, flags);
    if (iis_metabase_number(iis_metabase_text(&s->export, n->path, "EnableDirBrowsing"), &flags))
        put_yes(s, f, "dir_browse", flags);
    else if (iis_metabase_number(iis_metabase_text(&s->export, n->path, "DirBrowseFlags"),
                                 &flags))
        put_yes(s, f, "dir_browse", flags & DIR_BROWSE_ENABLED);
    text = iis_metabase_text(&s->export, n->path, "AspEnableParentPaths");
    /* IIS 4.0 and 5.0 allow them where nothing is said */
    if (!iis_metabase_number(text, &flags))
        flags = 1;
    put_yes(s, f, "parent_paths", flags);
    put(s, f, "from", "text-export");
    s->vdirs++;
}

static const char *joined(struct iis *s, const struct metabase_property *p)
{
    CLEANUP_STR struct str out = {0};
    for (size_t i = 0; p && i < p->count; i++)
        str_printf(&out, "%s%s", i ? " " : "", p->items[i]);
    return arena_strdup(s->c->arena, str_text(&out));
}

/* MD_EXTLOG_*, IIScnfg.h: what a line of the log holds, as single settings. */
static void put_log_fields(struct iis *s, struct fact *f, const char *path)
{
    static const struct {
        const char *name, *key;
        uint32_t bit;
    } rows[] = {
        {"LogExtFileUriQuery", "logextfileuriquery", 0x200},
        {"LogExtFileWin32Status", "logextfilewin32status", 0x800},
        {"LogExtFileUserAgent", "logextfileuseragent", 0x10000},
    };
    uint32_t all, one;
    bool known = iis_metabase_number(iis_metabase_text(&s->export, path, "LogExtFileFlags"), &all);
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
        if (iis_metabase_number(iis_metabase_text(&s->export, path, rows[i].name), &one))
            put_yes(s, f, rows[i].key, one);
        else if (known)
            put_yes(s, f, rows[i].key, all & rows[i].bit);
    }
}

static void export_site(struct iis *s, const struct metabase_node *n)
{
    static const struct {
        const char *name, *key;
    } rows[] = {
        {"ServerComment", "name"},
        {"AnonymousUserName", "user"},
        {"UseHostName", "usehostname"},
        {"LogType", "logtype"},
        {"LogFileDirectory", "logfiledirectory"},
        {"LogExtFileFlags", "logextfileflags"},
        {"SSIExecDisable", "ssiexecdisable"},
        {"ServerAutoStart", "serverautostart"},
        {"ServerState", "serverstate"},
        {"AuthFlags", "authflags"},
    };
    const char *instance, *below;
    if (!place_of(s, n->path, &instance, &below) || *below || str_equal(instance, "*"))
        return;
    struct fact *f = begin(s, "site", instance, n->line, true, CONFIDENCE_HIGH);
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
        const char *text = iis_metabase_text(&s->export, n->path, rows[i].name);
        if (text)
            put(s, f, rows[i].key, text);
    }
    put(s, f, "bindings", joined(s, iis_metabase_get(&s->export, n->path, "ServerBindings")));
    put(s, f, "securebindings", joined(s, iis_metabase_own(n, "SecureBindings")));
    const char *top = arena_printf(s->c->arena, "%s/ROOT", n->path);
    const char *root = iis_metabase_text(&s->export, top, "Path");
    if (root) {
        bool sure;
        const char *full = windows_expand(s->w, s->c->arena, root, &sure);
        put(s, f, "root", root);
        if (full && full[0] && full[1] == ':')
            put_yes(s, f, "on_system_volume", str_lower(full[0]) == str_lower(s->w->drive));
    }
    put_log_fields(s, f, n->path);
    fact_put_state(s->c->facts, f, "anonymous_groups", VALUE_UNREADABLE,
                   "the accounts (hive SAM) are not looked at");
    put(s, f, "from", "text-export");
    s->sites++;
}

static void take_export(struct iis *s)
{
    for (size_t i = 0; i < s->export.count; i++) {
        export_site(s, &s->export.nodes[i]);
        export_vdir(s, &s->export.nodes[i]);
        export_maps(s, &s->export.nodes[i]);
    }
}

/* --- from MetaBase.bin --- */

static void take_strings(struct iis *s)
{
    const char *found = "", *const *maps;
    CLEANUP_FREE char *bytes = NULL;
    size_t size, count;
    struct error e = ERROR_INIT;
    if (!windows_find(s->w, s->c->arena, INETSRV "\\MetaBase.bin", &found, &e) ||
        !target_read(s->w->target, found, MOST_METABASE, &bytes, &size, &e)) {
        const char *why = e.code == ERR_ABSENT ? "it is not there" : e.message;
        facts_unread(s->c->facts, "script-map: MetaBase.bin", "MetaBase.bin", why);
        facts_unread(s->c->facts, "vdir: MetaBase.bin", "MetaBase.bin", why);
        return;
    }
    facts_unread(s->c->facts, "site: MetaBase.bin", found + 1,
                 "its format is not public: the settings of sites were not read, virtual "
                 "directories and script maps only from the registry and its strings; export it "
                 "with \"adsutil.vbs enum_all /p > metabase.txt\" beside it and look again");
    iis_metabase_strings(bytes, size, s->c->arena, &maps, &count);
    for (size_t i = 0; i < count; i++) {
        struct fact *f =
            facts_add(s->c->facts, "script-map", found + 1, 0, -1, CONFIDENCE_LOW);
        put(s, f, "server", "iis");
        put(s, f, "instance", "*");
        put_map(s, f, maps[i], "strings");
    }
}

/* --- what it binds --- */

static bool starts_itself(struct iis *s, const char *service)
{
    struct windows_key key;
    uint64_t start;
    const char *path =
        arena_printf(s->c->arena, "SYSTEM\\CurrentControlSet\\Services\\%s", service);
    return windows_key(s->w, path, &key, NULL) && windows_number(s->w, &key, "Start", &start) &&
           start <= 2;
}

static void put_listener(struct iis *s, const char *service, const char *address,
                         const char *port, const struct metabase_property *from)
{
    struct fact *f =
        from ? facts_add(s->c->facts, "listener", s->export_path, from->line, -1,
                         s->export_confidence)
             : windows_fact(s->c, &s->w->hives[WINDOWS_SYSTEM], "listener", CONFIDENCE_MEDIUM);
    bool any = !*address, loopback = str_starts(address, "127.");
    put(s, f, "proto", "tcp");
    put(s, f, "address", any ? "*" : address);
    put(s, f, "port", port);
    put(s, f, "family", "ipv4");
    put(s, f, "scope", any ? "any" : loopback ? "loopback" : "address");
    put(s, f, "service", service);
    put(s, f, "from", from ? "binding" : "services");
}

/* "192.0.2.1:80:www.example": address and name may be empty. */
static void bind_all(struct iis *s, const char *service, const struct metabase_property *p)
{
    for (size_t i = 0; p && i < p->count && i < 64; i++) {
        char *address = arena_strdup(s->c->arena, p->items[i]);
        char *port = strchr(address, ':');
        uint64_t number;
        if (!port)
            continue;
        *port++ = '\0';
        port[strcspn(port, ":")] = '\0';
        if (str_to_u64(port, &number) && number && number < 65536)
            put_listener(s, service, address, port, p);
    }
}

static bool is_site_of(const char *path, const char *service)
{
    size_t length = strlen(service);
    return str_starts_nocase(path, service) && path[length] == '/' &&
           str_is_digit(path[length + 1]) && !strchr(path + length + 1, '/');
}

static void collect_listeners_of(struct iis *s, const char *service, const char *usual_port)
{
    bool any = false;
    if (!starts_itself(s, service))
        return;
    for (size_t i = 0; i < s->export.count; i++) {
        const struct metabase_node *n = &s->export.nodes[i];
        uint32_t starts = 1;
        if (!is_site_of(n->path, service))
            continue;
        any = true;
        iis_metabase_number(iis_metabase_text(&s->export, n->path, "ServerAutoStart"), &starts);
        if (!starts)
            continue;
        bind_all(s, service, iis_metabase_get(&s->export, n->path, "ServerBindings"));
        bind_all(s, service, iis_metabase_own(n, "SecureBindings"));
    }
    if (!any)
        put_listener(s, service, "", usual_port, NULL);
}

/* --- all of it --- */

static void put_complete(struct iis *s, const char *kind, size_t found)
{
    struct fact *f = facts_add(s->c->facts, "complete", "", 0, -1, CONFIDENCE_HIGH);
    put(s, f, "of", kind);
    fact_put_number(s->c->facts, f, "found", (int64_t)found);
}

static void take_settings(struct iis *s)
{
    const struct windows_hive_file *system = &s->w->hives[WINDOWS_SYSTEM];
    if (s->major >= 6) {
        facts_unread(s->c->facts, "site: IIS 6.0 and later", "",
                     "MetaBase.xml and applicationHost.config are not read by this version");
        return;
    }
    if (!s->w->alone && s->major > 3)
        find_export(s);
    if (system->hive) {
        registry_vdirs(s);
        registry_maps(s);
    } else if (!s->export.count) {
        facts_unread(s->c->facts, "vdir: registry", system->path, "the hive SYSTEM is not there");
        facts_unread(s->c->facts, "script-map: registry", system->path,
                     "the hive SYSTEM is not there");
    }
    if (s->export.count)
        take_export(s);
    else if (s->major > 3)
        take_strings(s);
    /* the mirror of a metabase may have left something out: only then is it no answer */
    if (s->export.count || (s->major == 3 && system->hive && !hive_info(system->hive)->dirty)) {
        put_complete(s, "site", s->sites);
        put_complete(s, "vdir", s->vdirs);
        put_complete(s, "script-map", s->maps);
    }
}

void collect_iis(struct collection *c)
{
    static const struct {
        const char *service, *port;
    } services[] = {
        {"W3SVC", "80"}, {"MSFTPSVC", "21"}, {"SMTPSVC", "25"}, {"NNTPSVC", "119"}};
    struct windows *w = collect_host(c) ? windows_acquire(c) : NULL;
    if (!w)
        return;
    struct iis s = {.c = c, .w = w};
    find_version(&s);
    if (s.major) {
        put_product(&s);
        take_settings(&s);
    }
    for (size_t i = 0; i < ARRAY_COUNT(services) && w->hives[WINDOWS_SYSTEM].hive; i++)
        collect_listeners_of(&s, services[i].service, services[i].port);
    windows_release(c, w);
}
