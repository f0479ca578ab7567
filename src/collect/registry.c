/* registry.c - Windows: its hives, the host fact, and the registry values that are wanted.
 *
 * Where each thing stands: Microsoft's knowledge base and the registry reference of the
 * resource kits; SP6 and SP6a of NT 4.0 print the same CSDVersion, and the marker of Q246009
 * tells them apart (KB Q246009). */
#include "collect/windows_system.h"
#include "model/date.h"

#include <stdio.h>

#define NT_VERSION "SOFTWARE\\Microsoft\\Windows NT\\CurrentVersion"
#define CONTROL    "SYSTEM\\CurrentControlSet\\Control"

/* --- the hives --- */

static void state_hive(struct collection *c, const struct windows_hive_file *f)
{
    const char *what =
        str_equal(f->name, "SYSTEM") ? N_("registry hive SYSTEM") : N_("registry hive SOFTWARE");
    if (!f->hive) {
        facts_unread(c->facts, what, f->path,
                     f->error.code == ERR_ABSENT ? _("the hive is not there") : f->error.message);
        return;
    }
    const struct hive_info *info = hive_info(f->hive);
    struct fact *fact = facts_add(c->facts, "registry", f->path, 0, -1, CONFIDENCE_HIGH);
    fact_put(c->facts, fact, "hive", f->name);
    fact_put(c->facts, fact, "state", info->cut ? "truncated" : info->dirty ? "dirty" : "clean");
    fact_put(c->facts, fact, "format",
             arena_printf(c->arena, "%u.%u", (unsigned)info->major, (unsigned)info->minor));
    if (info->cut)
        facts_unread(
            c->facts, what, f->path,
            arena_printf(c->arena,
                         info->dirty
                             ? _("the hive is cut short and stale: its first block says %llu "
                                 "bytes, and %llu are there; what stood in the rest, and what was "
                                 "written last, is not known")
                             : _("the hive is cut short: its first block says %llu bytes, and "
                                 "%llu are there; what stood in the rest is not known"),
                         (unsigned long long)info->declared, (unsigned long long)info->size));
    if (!info->dirty || info->cut)
        return;
    const char *why = info->checksum_good
                          ? arena_printf(c->arena, _("its sequence numbers are %u and %u"),
                                         (unsigned)info->sequence[0], (unsigned)info->sequence[1])
                          : _("the checksum of its first block is wrong");
    facts_unread(c->facts, what, f->path,
                 arena_printf(c->arena,
                              _("the hive is dirty (%s): the last changes are in its log, which is "
                                "not replayed, so what is said of it may be stale"),
                              why));
}

/* --- the host --- */

static const struct {
    const char *version, *server, *workstation;
} names[] = {
    {"3.51", "Windows NT 3.51 Server", "Windows NT 3.51 Workstation"},
    {"4.0", "Windows NT 4.0 Server", "Windows NT 4.0 Workstation"},
    {"5.0", "Windows 2000 Server", "Windows 2000 Professional"},
    {"5.1", "Windows XP", "Windows XP"},
    {"5.2", "Windows Server 2003", "Windows XP"},
};

static const char *os_name(struct windows *w, struct arena *arena, const char *type)
{
    bool workstation = str_equal_nocase(type, "WinNT");
    for (size_t i = 0; i < ARRAY_COUNT(names); i++)
        if (str_equal(w->version, names[i].version)) {
            const char *suite =
                windows_text_of(w, arena, CONTROL "\\ProductOptions", "ProductSuite");
            /* an Enterprise suite is what Windows 2000 sold as Advanced Server */
            if (str_equal(w->version, "5.0") && !workstation && suite &&
                str_find_nocase(suite, "DataCenter"))
                return "Windows 2000 Datacenter Server";
            if (str_equal(w->version, "5.0") && !workstation && suite &&
                str_find_nocase(suite, "Enterprise"))
                return "Windows 2000 Advanced Server";
            if (!*type && i < 3) /* SYSTEM is not there: server or not, nobody knows */
                return arena_strndup(arena, names[i].server, strlen(names[i].server) - 7);
            return workstation ? names[i].workstation : names[i].server;
        }
    const char *text = windows_text_of(w, arena, NT_VERSION, "ProductName");
    if (!text || !*text)
        return *w->version ? arena_printf(arena, "Windows %s", w->version) : "Windows";
    return str_starts_nocase(text, "Microsoft ") ? text + 10 : text;
}

/* "Service Pack 6" -> "6"; "" where it names none. */
static const char *pack_digits(struct arena *arena, const char *text)
{
    const char *at = text ? str_find_nocase(text, "Service Pack ") : NULL;
    if (!at)
        return "";
    at += strlen("Service Pack ");
    return arena_strndup(arena, at, strspn(at, "0123456789"));
}

static void put_service_pack(struct collection *c, struct windows *w, struct fact *host)
{
    struct windows_key key;
    struct error e = ERROR_INIT;
    const char *text = NULL, *pack = "";
    uint64_t number;
    bool known = windows_key(w, NT_VERSION, &key, &e);
    if (known && windows_value(w, &key, "CSDVersion", c->arena, &text, &e))
        pack = pack_digits(c->arena, text);
    else if (known && e.code != ERR_ABSENT)
        known = false;
    /* the second source: 0x600 is SP6 */
    if (!*pack && windows_key(w, CONTROL "\\Windows", &key, NULL) &&
        windows_number(w, &key, "CSDVersion", &number)) {
        known = true;
        if (number >> 8)
            pack = arena_printf(c->arena, "%u", (unsigned)(number >> 8));
    }
    if (!known) {
        fact_put_state(c->facts, host, "service_pack", VALUE_UNREADABLE, e.message);
        return;
    }
    if (str_equal(w->version, "4.0") && str_equal(pack, "6") &&
        windows_key(w, NT_VERSION "\\Hotfix\\Q246009", &key, NULL) &&
        windows_number(w, &key, "Installed", &number) && number == 1)
        pack = "6a";
    fact_put(c->facts, host, "service_pack", pack);
}

static void put_text(struct collection *c, struct windows *w, struct fact *host, const char *name,
                     const char *path, const char *value, const char *second)
{
    struct windows_key key;
    struct error e = ERROR_INIT;
    const char *text;
    if (windows_key(w, path, &key, &e) &&
        (windows_value(w, &key, value, c->arena, &text, &e) ||
         (second && windows_value(w, &key, second, c->arena, &text, &e))))
        fact_put(c->facts, host, name, text);
    else if (e.code != ERR_ABSENT)
        fact_put_state(c->facts, host, name, VALUE_UNREADABLE, e.message);
}

static void put_identity(struct collection *c, struct windows *w, struct fact *host,
                         const char *name)
{
    const char *date = windows_text_of(w, c->arena, NT_VERSION, "InstallDate");
    struct target_volume volume = {.serial = ""};
    if (!w->alone)
        target_volume(w->target, w->volume, &volume);
    if (!date && !name && !*volume.serial)
        return;
    fact_put(c->facts, host, "identity",
             arena_printf(c->arena, "%s|%s|%s", date ? date : "", name ? name : "", volume.serial));
    const struct {
        const char *value, *name;
    } parts[] = {
        {date, _("install date")}, {name, _("computer name")}, {volume.serial, _("volume serial")}};
    CLEANUP_STR struct str source = {0};
    for (size_t i = 0; i < ARRAY_COUNT(parts); i++)
        if (parts[i].value && *parts[i].value)
            str_printf(&source, "%s%s", source.length ? ", " : "", parts[i].name);
    fact_put(c->facts, host, "identity_source", str_text(&source));
}

/* Each run writes its hives: what was done to this Windows later cannot be in them. */
static void put_last_written(struct collection *c, struct windows *w, struct fact *host)
{
    int64_t newest = DATE_NONE;
    char text[32];
    for (size_t i = 0; i < WINDOWS_HIVES; i++)
        if (w->hives[i].hive && hive_info(w->hives[i].hive)->written > newest)
            newest = hive_info(w->hives[i].hive)->written;
    if (newest <= 0)
        return;
    date_format(newest, text);
    fact_put(c->facts, host, "last_written", text);
}

static struct fact *put_host(struct collection *c, struct windows *w)
{
    const struct windows_hive_file *source = &w->hives[WINDOWS_SOFTWARE];
    if (!source->hive)
        source = &w->hives[WINDOWS_SYSTEM];
    struct fact *host = windows_fact(c, source, "host", CONFIDENCE_HIGH);
    fact_put(c->facts, host, "family", "windows");
    const char *name =
        windows_text_of(w, c->arena, CONTROL "\\ComputerName\\ComputerName", "ComputerName");
    fact_put(c->facts, host, "name", name ? name : "");
    const char *type = windows_text_of(w, c->arena, CONTROL "\\ProductOptions", "ProductType");
    put_service_pack(c, w, host);
    const char *pack = fact_text(host, "service_pack");
    const char *line = os_name(w, c->arena, type ? type : "");
    if (*pack)
        line = arena_printf(c->arena, "%s, Service Pack %s", line, pack);
    fact_put(c->facts, host, "os", line);
    if (*w->version)
        fact_put(c->facts, host, "version", w->version);
    else
        fact_put_state(c->facts, host, "version", VALUE_UNREADABLE,
                       source->hive && source == &w->hives[WINDOWS_SOFTWARE]
                           ? _("the hive SOFTWARE does not say which Windows it is")
                           : _("the hive SOFTWARE could not be read"));
    put_text(c, w, host, "arch", CONTROL "\\Session Manager\\Environment", "PROCESSOR_ARCHITECTURE",
             NULL);
    put_text(c, w, host, "build", NT_VERSION, "CurrentBuildNumber", "CurrentBuild");
    put_text(c, w, host, "ubr", NT_VERSION, "UBR", NULL);
    put_text(c, w, host, "product_type", CONTROL "\\ProductOptions", "ProductType", NULL);
    bool sure;
    const char *root = w->alone ? windows_text_of(w, c->arena, NT_VERSION, "SystemRoot")
                                : windows_expand(w, c->arena, "%SystemRoot%", &sure);
    if (root)
        fact_put(c->facts, host, "system_root", root);
    put_identity(c, w, host, name);
    put_last_written(c, w, host);

    if (*w->version) {
        struct fact *product = windows_fact(c, source, "product", CONFIDENCE_HIGH);
        fact_put(c->facts, product, "name", "windows");
        fact_put(c->facts, product, "version", w->version);
        fact_put(c->facts, product, "title", line);
    }
    return host;
}

/* --- wanted values --- */

static const char *below_hklm(const char *want)
{
    static const char *const roots[] = {"HKLM\\", "HKEY_LOCAL_MACHINE\\"};
    for (size_t i = 0; i < ARRAY_COUNT(roots); i++)
        if (str_starts_nocase(want, roots[i]))
            return want + strlen(roots[i]);
    return NULL;
}

/* Wants are sorted: the values of one key follow each other, and its way is gone once. */
struct last_key {
    char *path;
    bool found;
    struct windows_key key;
    struct error e;
};

static bool key_of(struct collection *c, struct windows *w, struct last_key *last, const char *path)
{
    if (!last->path || !str_equal_nocase(last->path, path)) {
        last->path = arena_strdup(c->arena, path);
        last->e = ERROR_INIT;
        last->found = windows_key(w, path, &last->key, &last->e);
    }
    return last->found;
}

static void put_want(struct collection *c, struct windows *w, struct fact *host,
                     struct last_key *last, const char *want)
{
    const char *below = below_hklm(want);
    if (!below) {
        fact_put_state(c->facts, host, want, VALUE_UNREADABLE,
                       _("only the hives SOFTWARE and SYSTEM are looked at"));
        return;
    }
    const char *mark = strrchr(below, '!'), *text = "present";
    size_t length = strlen(below);
    struct error e = ERROR_INIT;
    bool is_key = length && below[length - 1] == '\\';
    if (is_key)
        mark = below + length - 1;
    else if (!mark)
        mark = below + length; /* a key that was written without its '\' */
    bool good = key_of(c, w, last, arena_strndup(c->arena, below, (size_t)(mark - below)));
    if (!good)
        e = last->e;
    else if (*mark == '!')
        good = windows_value(w, &last->key, mark + 1, c->arena, &text, &e);
    if (good)
        fact_put(c->facts, host, want, text);
    else if (e.code == ERR_ABSENT)
        fact_put_state(c->facts, host, want, VALUE_ABSENT, "");
    else
        fact_put_state(c->facts, host, want, VALUE_UNREADABLE, e.message);
}

void collect_registry(struct collection *c)
{
    if (collect_host(c))
        return;
    struct windows *w = windows_acquire(c);
    if (!w)
        return;
    struct fact *host = put_host(c, w);
    for (size_t i = 0; i < WINDOWS_HIVES; i++)
        state_hive(c, &w->hives[i]);
    if (*w->others)
        facts_unread(c->facts, N_("another Windows"), w->others,
                     _("there is more than one Windows here; only one was looked at"));
    struct last_key last = {0};
    size_t first, count;
    wants_with_prefix(c->wants, "HK", &first, &count);
    for (size_t i = first; i < first + count; i++)
        put_want(c, w, host, &last, c->wants->items[i]);
    windows_release(c, w);
}
