/* persist_windows.c - what a Windows starts by itself: run keys, Winlogon, AppInit_DLLs, services,
 * Active Setup, debuggers of programs, of the machine; run keys, Winlogon and load= of every user
 * whose profile lies there; the Startup folders; the jobs of the scheduler.
 *
 * KB Q137367 (Run, RunOnce and their order), KB Q128602 (Winlogon), KB Q197571 (AppInit_DLLs),
 * KB Q238788 (Image File Execution Options), KB Q103865 (load, run), [MS-TSCH] 2.4 (.job).
 * Every value of a run key is a record, and every service that starts with the system. Which of
 * them came with Windows nobody records: the rules judge by the place of the program. */
#include "collect/persistence.h"

#include "base/bytes.h"
#include "base/str.h"
#include "collect/windows_system.h"

#define SOFTWARE "SOFTWARE\\Microsoft\\"
#define SERVICES "SYSTEM\\CurrentControlSet\\Services"

enum { MOST_PROFILES = 500, MOST_SUBKEYS = 5000, MOST_STARTUP = 1000, MOST_JOB = 64 << 10 };

static void add(struct collection *c, const struct windows_hive_file *file, const char *type,
                const char *path, const char *runs)
{
    struct fact *f = windows_fact(c, file, "persistence", CONFIDENCE_HIGH);
    fact_put(c->facts, f, "way", type);
    fact_put(c->facts, f, "path", path);
    fact_put(c->facts, f, "runs", runs);
}

/* A record as well: the rules about that way cannot say that there is nothing. */
static void lost(struct collection *c, const char *type, const char *path, const char *reason)
{
    struct fact *f = facts_add(c->facts, "persistence", path, 0, -1, CONFIDENCE_HIGH);
    fact_put(c->facts, f, "way", type);
    fact_put(c->facts, f, "path", path);
    fact_put_state(c->facts, f, "runs", VALUE_UNREADABLE, reason);
    facts_unread(c->facts, N_("what starts by itself"), path, reason);
}

/* --- keys: of the machine, and of a user (`root` is then his hive's) --- */

struct hive_place {
    struct windows *w;
    const struct windows_hive_file *file; /* NULL: the machine's */
    const char *prefix;                   /* of the path that is told: "HKLM", "HKCU of ada" */
};

static bool find_key(const struct hive_place *at, const char *path, struct windows_key *out,
                     struct error *e)
{
    if (!at->file)
        return windows_key(at->w, path, out, e);
    out->file = at->file;
    return hive_key(at->file->hive, hive_root(at->file->hive), path, &out->key, e);
}

static const char *told(struct collection *c, const struct hive_place *at, const char *path,
                        const char *name)
{
    return arena_printf(c->arena, "%s\\%s!%s", at->prefix, path, name);
}

static void lost_key(struct collection *c, const struct hive_place *at, const char *type,
                     const char *path, const char *name, const struct error *e)
{
    if (e->code != ERR_ABSENT)
        lost(c, type, told(c, at, path, name), e->message);
}

static void read_run_key(struct collection *c, const struct hive_place *at, const char *path)
{
    struct windows_key key;
    struct hive_value *values;
    size_t count, damaged = 0;
    struct error e = ERROR_INIT;
    if (!find_key(at, path, &key, &e) ||
        !hive_values(key.file->hive, key.key, c->arena, &values, &count, &damaged, &e)) {
        lost_key(c, at, "run-key", path, "", &e);
        return;
    }
    for (size_t i = 0; i < count; i++) {
        const char *text;
        struct error bad = ERROR_INIT;
        if (hive_value_text(&values[i], c->arena, &text, &bad))
            add(c, key.file, "run-key", told(c, at, path, values[i].name), text);
        else
            lost_key(c, at, "run-key", path, values[i].name, &bad);
    }
    if (damaged)
        lost(c, "run-key", told(c, at, path, ""),
             arena_printf(c->arena, _("%zu values are damaged"), damaged));
}

static void read_value(struct collection *c, const struct hive_place *at, const char *type,
                       const char *path, const char *name)
{
    struct windows_key key;
    const char *text;
    struct error e = ERROR_INIT;
    if (!find_key(at, path, &key, &e) || !windows_value(at->w, &key, name, c->arena, &text, &e))
        lost_key(c, at, type, path, name, &e);
    else if (*text)
        add(c, key.file, type, told(c, at, path, name), text);
}

/* A value of each subkey: StubPath of components, Debugger of programs, DLLName of notifications.
 */
static void read_subkeys(struct collection *c, const struct hive_place *at, const char *type,
                         const char *path, const char *name)
{
    struct windows_key key;
    struct hive_subkey *items;
    size_t count, damaged = 0;
    struct error e = ERROR_INIT;
    if (!find_key(at, path, &key, &e) ||
        !hive_subkeys(key.file->hive, key.key, c->arena, &items, &count, &damaged, &e)) {
        lost_key(c, at, type, path, name, &e);
        return;
    }
    for (size_t i = 0; i < count && i < MOST_SUBKEYS; i++)
        read_value(c, at, type, arena_printf(c->arena, "%s\\%s", path, items[i].name), name);
    if (damaged || count > MOST_SUBKEYS)
        lost(c, type, told(c, at, path, ""),
             damaged ? _("some of its keys are damaged")
                     : _("it has more keys than are looked at"));
}

static void read_machine(struct collection *c, struct windows *w)
{
    static const char *const run_keys[] = {
        SOFTWARE "Windows\\CurrentVersion\\Run",
        SOFTWARE "Windows\\CurrentVersion\\RunOnce",
        SOFTWARE "Windows\\CurrentVersion\\RunOnceEx",
        SOFTWARE "Windows\\CurrentVersion\\RunServices",
        SOFTWARE "Windows\\CurrentVersion\\RunServicesOnce",
        SOFTWARE "Windows\\CurrentVersion\\Policies\\Explorer\\Run",
    };
    static const char *const values[][2] = {
        {SOFTWARE "Windows NT\\CurrentVersion\\Winlogon", "Shell"},
        {SOFTWARE "Windows NT\\CurrentVersion\\Winlogon", "Userinit"},
        {SOFTWARE "Windows NT\\CurrentVersion\\Winlogon", "System"},
        {SOFTWARE "Windows NT\\CurrentVersion\\Winlogon", "Taskman"},
        {SOFTWARE "Windows NT\\CurrentVersion\\Winlogon", "GinaDLL"},
        {SOFTWARE "Windows NT\\CurrentVersion\\Windows", "AppInit_DLLs"},
        {SOFTWARE "Command Processor", "AutoRun"},
    };
    static const struct {
        const char *type, *path, *name;
    } subkeys[] = {
        {"run-key", SOFTWARE "Active Setup\\Installed Components", "StubPath"},
        {"run-key", SOFTWARE "Windows NT\\CurrentVersion\\Winlogon\\Notify", "DLLName"},
        {"debugger", SOFTWARE "Windows NT\\CurrentVersion\\Image File Execution Options",
         "Debugger"},
    };
    static const char *const ways[] = {"run-key", "winlogon", "debugger"};
    struct hive_place at = {w, NULL, "HKLM"};
    struct windows_key any;
    struct error e = ERROR_INIT;
    bool there = windows_key(w, "SOFTWARE", &any, &e); /* else it is said once, not of each key */
    for (size_t i = 0; !there && i < ARRAY_COUNT(ways); i++)
        lost(c, ways[i], "HKLM\\SOFTWARE", e.message);
    for (size_t i = 0; there && i < ARRAY_COUNT(run_keys); i++)
        read_run_key(c, &at, run_keys[i]);
    for (size_t i = 0; there && i < ARRAY_COUNT(values); i++)
        read_value(c, &at, "winlogon", values[i][0], values[i][1]);
    for (size_t i = 0; there && i < ARRAY_COUNT(subkeys); i++)
        read_subkeys(c, &at, subkeys[i].type, subkeys[i].path, subkeys[i].name);
}

static void read_services(struct collection *c, struct windows *w)
{
    struct hive_place at = {w, NULL, "HKLM"};
    for (const struct fact *f = facts_first(c->facts, "service"); f;
         f = facts_next(c->facts, "service", f)) {
        const char *start = fact_text(f, "start"), *image = fact_text(f, "image");
        bool starts =
            str_equal(start, "auto") || str_equal(start, "system") || str_equal(start, "boot");
        if (!starts || !*image)
            continue;
        add(c, &w->hives[WINDOWS_SYSTEM], "service", told(c, &at, SERVICES, fact_text(f, "name")),
            image);
        if (str_find_nocase(image, "svchost")) /* the library is what runs in it */
            read_value(c, &at, "service",
                       arena_printf(c->arena, SERVICES "\\%s\\Parameters", fact_text(f, "name")),
                       "ServiceDll");
    }
}

/* --- users --- */

static void read_user(struct collection *c, const struct hive_place *at)
{
    static const char *const run_keys[] = {
        "Software\\Microsoft\\Windows\\CurrentVersion\\Run",
        "Software\\Microsoft\\Windows\\CurrentVersion\\RunOnce",
        "Software\\Microsoft\\Windows\\CurrentVersion\\RunServices",
        "Software\\Microsoft\\Windows\\CurrentVersion\\Policies\\Explorer\\Run",
    };
    static const char *const values[][3] = {
        {"winlogon", "Software\\Microsoft\\Windows NT\\CurrentVersion\\Winlogon", "Shell"},
        {"run-key", "Software\\Microsoft\\Windows NT\\CurrentVersion\\Windows", "load"},
        {"run-key", "Software\\Microsoft\\Windows NT\\CurrentVersion\\Windows", "run"},
        {"winlogon", "Software\\Microsoft\\Command Processor", "AutoRun"},
        {"run-key", "Control Panel\\Desktop", "SCRNSAVE.EXE"},
    };
    for (size_t i = 0; i < ARRAY_COUNT(run_keys); i++)
        read_run_key(c, at, run_keys[i]);
    for (size_t i = 0; i < ARRAY_COUNT(values); i++)
        read_value(c, at, values[i][0], values[i][1], values[i][2]);
}

static void read_user_hive(struct collection *c, struct windows *w, const char *folder,
                           const char *name, const char *user)
{
    struct windows_hive_file file = {.name = name};
    windows_hive_open(w, &file, folder);
    if (file.hive) {
        struct hive_place at = {w, &file, arena_printf(c->arena, "HKCU of %s", user)};
        read_user(c, &at);
        hive_close(file.hive);
    } else if (file.error.code != ERR_ABSENT) {
        lost(c, "run-key", arena_printf(c->arena, "%s/%s", folder, name), file.error.message);
    }
}

/* What lies in a Startup folder is run at each logon, whatever it is. */
static void read_startup(struct collection *c, struct windows *w, const char *profile)
{
    static const char *const folders[] = {"Start Menu/Programs/Startup",
                                          "スタート メニュー/プログラム/スタートアップ"};
    for (size_t k = 0; k < ARRAY_COUNT(folders); k++) {
        struct target_entry *entries;
        size_t count;
        const char *found;
        struct error e = ERROR_INIT;
        const char *wanted = arena_printf(c->arena, "%s/%s", profile, folders[k]);
        target_select_volume(c->target, w->volume);
        if (!target_resolve_nocase(c->target, wanted, c->arena, &found, &e) ||
            !target_list(c->target, found, c->arena, &entries, &count, &e)) {
            if (e.code != ERR_ABSENT)
                lost(c, "startup", wanted, e.message);
            continue;
        }
        for (size_t i = 0; i < count && i < MOST_STARTUP; i++) {
            const char *path = arena_printf(c->arena, "%s/%s", found, entries[i].name);
            struct target_stat st;
            if (str_equal_nocase(entries[i].name, "desktop.ini") || entries[i].type == TARGET_DIR)
                continue;
            struct fact *f = facts_add(c->facts, "persistence", path, 0, -1, CONFIDENCE_HIGH);
            fact_put(c->facts, f, "way", "startup");
            fact_put(c->facts, f, "path", path);
            fact_put(c->facts, f, "runs", path);
            if (target_stat(c->target, path, true, &st, NULL))
                persist_put_times(c, f, &st);
        }
        if (count > MOST_STARTUP)
            lost(c, "startup", found, _("more names than are looked at: the rest was left out"));
    }
}

/* NT 4.0, 2000 to 2003, later ones. */
static void read_users(struct collection *c, struct windows *w)
{
    const char *folders[] = {arena_printf(c->arena, "%s/Profiles", w->folder),
                             "/Documents and Settings", "/Users"};
    read_user_hive(c, w, arena_printf(c->arena, "%s/system32/config", w->folder), "DEFAULT",
                   "the system");
    for (size_t k = 0; k < ARRAY_COUNT(folders); k++) {
        struct target_entry *entries;
        size_t count;
        const char *found;
        struct error e = ERROR_INIT;
        target_select_volume(c->target, w->volume);
        if (!target_resolve_nocase(c->target, folders[k], c->arena, &found, &e) ||
            !target_list(c->target, found, c->arena, &entries, &count, &e)) {
            if (e.code != ERR_ABSENT)
                lost(c, "run-key", folders[k], e.message);
            continue;
        }
        for (size_t i = 0; i < count && i < MOST_PROFILES; i++) {
            const char *profile = arena_printf(c->arena, "%s/%s", found, entries[i].name);
            if (entries[i].type == TARGET_FILE)
                continue;
            read_user_hive(c, w, profile, "NTUSER.DAT", entries[i].name);
            read_startup(c, w, profile);
        }
        if (count > MOST_PROFILES)
            lost(c, "run-key", found, _("more names than are looked at: the rest was left out"));
    }
}

/* --- the scheduler --- */

/* The program and its arguments: two counted texts behind the fixed part, whose place stands in
 * it. NULL if it is no such file. */
static const char *program_of_job(struct arena *arena, const void *data, size_t size)
{
    enum { OFFSET_AT = 20, TEXTS = 2 };
    struct bytes in = bytes_of(data, size);
    CLEANUP_STR struct str out = {0};
    if (!bytes_seek(&in, OFFSET_AT) || !bytes_seek(&in, bytes_u16le(&in)))
        return NULL;
    for (unsigned i = 0; i < TEXTS; i++) {
        size_t length = bytes_left(&in) < 2 ? 0 : (size_t)bytes_u16le(&in) * 2;
        const void *text = length && length <= bytes_left(&in) ? bytes_take(&in, length) : NULL;
        if (!text && (length || !i))
            return NULL;
        if (!text)
            break;
        if (i)
            str_add_char(&out, ' ');
        str_add_utf16le(&out, text, length >= 2 ? length - 2 : 0);
    }
    return arena_strdup(arena, str_text(&out));
}

static void read_jobs(struct collection *c, struct windows *w)
{
    struct target_entry *entries;
    size_t count, size;
    const char *found, *wanted = arena_printf(c->arena, "%s/Tasks", w->folder);
    struct error e = ERROR_INIT;
    target_select_volume(c->target, w->volume);
    if (!target_resolve_nocase(c->target, wanted, c->arena, &found, &e) ||
        !target_list(c->target, found, c->arena, &entries, &count, &e)) {
        if (e.code != ERR_ABSENT)
            lost(c, "task", wanted, e.message);
        return;
    }
    for (size_t i = 0; i < count && i < MOST_STARTUP; i++) {
        const char *path = arena_printf(c->arena, "%s/%s", found, entries[i].name);
        CLEANUP_FREE char *data = NULL;
        struct error bad = ERROR_INIT;
        size_t length = strlen(entries[i].name);
        if (length < 4 || !str_equal_nocase(entries[i].name + length - 4, ".job"))
            continue;
        const char *runs = target_read(c->target, path, MOST_JOB, &data, &size, &bad)
                               ? program_of_job(c->arena, data, size)
                               : NULL;
        if (!runs) {
            lost(c, "task", path, bad.code ? bad.message : _("it is no job that we know"));
            continue;
        }
        struct fact *f = facts_add(c->facts, "persistence", path, 0, -1, CONFIDENCE_HIGH);
        fact_put(c->facts, f, "way", "task");
        fact_put(c->facts, f, "path", path);
        fact_put(c->facts, f, "runs", runs);
    }
}

void collect_persist_windows(struct collection *c)
{
    if (target_kind(c->target) == TARGET_TEXT)
        return;
    struct windows *w = windows_acquire(c);
    if (!w)
        return;
    read_machine(c, w);
    read_services(c, w);
    if (w->folder) {
        read_users(c, w);
        read_jobs(c, w);
    }
    windows_release(c, w);
}
