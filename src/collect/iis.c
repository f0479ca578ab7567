/* iis.c - IIS: the product, its sites, virtual directories, script maps, and what it binds.
 *
 * Three sources, best first: a text export of the metabase (IIS 4.0 and 5.0), the registry
 * (the truth for IIS 1 to 3; for 4.0 and 5.0 a mirror that its tools may leave behind), and
 * the strings of MetaBase.bin. Each fact says its `from`. */
#include "collect/iis_internal.h"

#include <stdlib.h>

#define INETSRV "%SystemRoot%\\system32\\inetsrv"

enum {
    MOST_EXPORT = 16 * 1024 * 1024,
    MOST_METABASE = 32 * 1024 * 1024,
};

/* --- the product --- */

#define INETSTP "SOFTWARE\\Microsoft\\InetStp"
#define W3SVC   "SYSTEM\\CurrentControlSet\\Services\\W3SVC"

/* What IIS 4.0 and later say of themselves. */
static bool version_of_setup(struct iis *s, struct error *e)
{
    struct windows_key key;
    const char *text;
    uint64_t major = 0, minor = 0;
    if (!windows_key(s->w, INETSTP, &key, e) ||
        !windows_value(s->w, &key, "MajorVersion", s->c->arena, &text, e))
        return false;
    if (!str_to_u64(text, &major) || !major || major > 99) {
        error_set(e, ERR_FORMAT, "MajorVersion is no version: %.40s", text);
        return false;
    }
    windows_number(s->w, &key, "MinorVersion", &minor);
    s->major = (unsigned)major;
    s->minor = (unsigned)(minor > 99 ? 0 : minor);
    s->from = &s->w->hives[WINDOWS_SOFTWARE];
    s->sure = CONFIDENCE_HIGH;
    return true;
}

/* inetinfo.exe of IIS 3.0, which has no InetStp, of 4.0 is 4.2.*, of 5.0 it is 5.0.*. */
static bool version_of_program(struct iis *s, struct error *e)
{
    const char *version;
    char *end;
    if (!windows_file_version(s->w, s->c->arena, INETSRV "\\inetinfo.exe", &version, NULL, e))
        return false;
    unsigned long major = strtoul(version, &end, 10);
    s->major = (unsigned)(major > 99 ? 0 : major);
    s->minor = *end == '.' && major > 4 ? (unsigned)strtoul(end + 1, NULL, 10) : 0;
    s->sure = major == 3 ? CONFIDENCE_HIGH : CONFIDENCE_MEDIUM;
    if (!s->major)
        error_set(e, ERR_FORMAT, "it names no version");
    return s->major > 0;
}

/* The IIS that comes with this Windows. Until 3.0 there was no InetStp. */
static void guess_version(struct iis *s, bool no_setup)
{
    if (windows_at_least(s->w, "5.0"))
        s->major = windows_at_least(s->w, "5.2") ? 6 : 5;
    else
        s->major = no_setup ? 3 : 4;
    s->minor = windows_at_least(s->w, "5.1") && s->major == 5;
}

/* A server of which only the version is not known has to be said: its advisories are unknown
 * then, and do not vanish. */
static void find_version(struct iis *s)
{
    struct error setup = ERROR_INIT, service = ERROR_INIT, program = ERROR_INIT;
    struct windows_key key;
    if (version_of_setup(s, &setup))
        return;
    bool no_setup = setup.code == ERR_ABSENT;
    bool served = windows_key(s->w, W3SVC, &key, &service);
    if (!served && service.code == ERR_ABSENT && no_setup)
        return; /* no web server */
    s->from = &s->w->hives[WINDOWS_SYSTEM];
    bool known = version_of_program(s, &program);
    if (!known && !served && no_setup && program.code == ERR_ABSENT)
        return; /* neither set up nor there; that SYSTEM was not read is said elsewhere */
    const char *no_key =
        no_setup
            ? _("its key InetStp is not in the registry")
            : arena_printf(s->c->arena, _("its key InetStp could not be read: %s"), setup.message);
    if (known && no_setup && s->major == 3)
        return;
    if (known) {
        facts_unread(
            s->c->facts, N_("product: iis"), INETSTP,
            arena_printf(s->c->arena, _("%s; the version is that of inetinfo.exe"), no_key));
        return;
    }
    s->problem = program.code == ERR_ABSENT
                     ? arena_printf(s->c->arena, _("%s, and inetinfo.exe is not there"), no_key)
                     : arena_printf(s->c->arena, _("%s, and inetinfo.exe could not be read: %s"),
                                    no_key, program.message);
    facts_unread(s->c->facts, N_("product: iis"), INETSTP, s->problem);
    if (!served)
        return;
    s->sure = CONFIDENCE_HIGH; /* that it is there */
    guess_version(s, no_setup);
}

static void put_product(struct iis *s)
{
    const char *version = arena_printf(s->c->arena, "%u.%u", s->major, s->minor);
    struct fact *f = windows_fact(s->c, s->from, "product", s->sure);
    iis_facts_put(s, f, "name", "iis");
    if (s->problem) {
        fact_put_state(s->c->facts, f, "version", VALUE_UNREADABLE, s->problem);
        iis_facts_put(s, f, "likely", version);
        iis_facts_put(s, f, "title", "Internet Information Services");
        return;
    }
    iis_facts_put(s, f, "version", version);
    iis_facts_put(s, f, "title",
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
        facts_unread(s->c->facts, N_("site: metabase export"), path + 1, e.message);
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
        facts_unread(s->c->facts, N_("site: metabase export"), path + 1,
                     _("it is larger than what we take: the rest was not read"));
}

static void find_export(struct iis *s)
{
    for (size_t i = 0; i < ARRAY_COUNT(export_folders) && !s->export.count; i++) {
        const char *folder;
        struct target_entry *entries;
        if (!windows_find(s->w, s->c->arena, export_folders[i], &folder, NULL))
            continue;
        size_t count = collect_list(s->c, N_("site: metabase export"), folder, &entries, NULL);
        for (size_t n = 0; n < count && !s->export.count; n++)
            if (str_glob("*meta*.txt", entries[n].name, true) ||
                str_glob("*adsutil*.txt", entries[n].name, true))
                try_export(s, arena_printf(s->c->arena, "%s/%s",
                                           str_equal(folder, "/") ? "" : folder, entries[n].name));
    }
}

/* --- from MetaBase.bin --- */

static void take_strings(struct iis *s)
{
    const char *found = "", *const * maps;
    CLEANUP_FREE char *bytes = NULL;
    size_t size, count;
    struct error e = ERROR_INIT;
    if (!windows_find(s->w, s->c->arena, INETSRV "\\MetaBase.bin", &found, &e) ||
        !target_read(s->w->target, found, MOST_METABASE, &bytes, &size, &e)) {
        const char *why =
            e.code == ERR_ABSENT
                ? _("MetaBase.bin, where this IIS keeps its settings, is not there")
                : arena_printf(s->c->arena, _("MetaBase.bin could not be read: %s"), e.message);
        facts_unread(s->c->facts, N_("site: MetaBase.bin"), found, why);
        facts_unread(s->c->facts, N_("script-map: MetaBase.bin"), found, why);
        /* its strings would not name them either; but in a part of a Windows, who knows of it */
        if (!s->vdirs || !s->w->whole)
            facts_unread(s->c->facts, N_("vdir: MetaBase.bin"), found, why);
        return;
    }
    facts_unread(s->c->facts, N_("site: MetaBase.bin"), found + 1,
                 _("its format is not public: the settings of sites were not read, virtual "
                   "directories and script maps only from the registry and its strings; export it "
                   "with \"adsutil.vbs enum_all /p > metabase.txt\" beside it and look again"));
    iis_metabase_strings(bytes, size, s->c->arena, &maps, &count);
    for (size_t i = 0; i < count; i++) {
        struct fact *f = facts_add(s->c->facts, "script-map", found + 1, 0, -1, CONFIDENCE_LOW);
        iis_facts_put(s, f, "server", "iis");
        iis_facts_put(s, f, "instance", "*");
        iis_facts_put_map(s, f, maps[i], "strings");
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

static void put_listener(struct iis *s, const char *service, const char *address, const char *port,
                         const struct metabase_property *from)
{
    struct fact *f =
        from ? facts_add(s->c->facts, "listener", s->export_path, from->line, -1,
                         s->export_confidence)
             : windows_fact(s->c, &s->w->hives[WINDOWS_SYSTEM], "listener", CONFIDENCE_MEDIUM);
    bool any = !*address, loopback = str_starts(address, "127.");
    iis_facts_put(s, f, "proto", "tcp");
    iis_facts_put(s, f, "address", any ? "*" : address);
    iis_facts_put(s, f, "port", port);
    iis_facts_put(s, f, "family", "ipv4");
    iis_facts_put(s, f, "scope", any ? "any" : loopback ? "loopback" : "address");
    iis_facts_put(s, f, "service", service);
    iis_facts_put(s, f, "from", from ? "binding" : "services");
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
    iis_facts_put(s, f, "of", kind);
    fact_put_number(s->c->facts, f, "found", (int64_t)found);
}

static void take_settings(struct iis *s)
{
    const struct windows_hive_file *system = &s->w->hives[WINDOWS_SYSTEM];
    if (s->major >= 6) {
        facts_unread(s->c->facts, N_("site: IIS 6.0 and later"), "",
                     _("MetaBase.xml and applicationHost.config are not read by this version"));
        return;
    }
    if (!s->w->alone && s->major > 3)
        find_export(s);
    if (system->hive) {
        iis_registry_collect(s);
    } else if (!s->export.count) {
        facts_unread(s->c->facts, N_("vdir: registry"), system->path,
                     _("the hive SYSTEM is not there"));
        facts_unread(s->c->facts, N_("script-map: registry"), system->path,
                     _("the hive SYSTEM is not there"));
    }
    if (s->export.count)
        iis_export_collect(s);
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
    } services[] = {{"W3SVC", "80"}, {"MSFTPSVC", "21"}, {"SMTPSVC", "25"}, {"NNTPSVC", "119"}};
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
