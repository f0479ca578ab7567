/* persist_windows.c - what a Windows starts by itself: run keys, Winlogon, AppInit_DLLs, services.
 *
 * KB Q137367 (Run, RunOnce and their order), KB Q128602 (Winlogon), KB Q197571 (AppInit_DLLs).
 * Every value of a run key is a record, and every service that starts with the system. Which of
 * them came with Windows nobody records: the rules judge by the place of the program. Keys of
 * single users (their hives are in the profiles) are not read. */
#include "collect/persistence.h"

#include "base/str.h"
#include "collect/windows_system.h"

#define SOFTWARE "SOFTWARE\\Microsoft\\"
#define SERVICES "SYSTEM\\CurrentControlSet\\Services"

static void add(struct collection *c, const struct windows_hive_file *file, const char *type,
                const char *path, const char *name, const char *runs)
{
    struct fact *f = windows_fact(c, file, "persistence", CONFIDENCE_HIGH);
    fact_put(c->facts, f, "way", type);
    fact_put(c->facts, f, "path", arena_printf(c->arena, "HKLM\\%s!%s", path, name));
    fact_put(c->facts, f, "runs", runs);
}

static void lost(struct collection *c, const char *path, const struct error *e)
{
    if (e->code != ERR_ABSENT)
        facts_unread(c->facts, N_("persistence"), path, e->message);
}

static void read_run_key(struct collection *c, struct windows *w, const char *path)
{
    struct windows_key key;
    struct hive_value *values;
    size_t count, damaged = 0;
    struct error e = ERROR_INIT;
    if (!windows_key(w, path, &key, &e) ||
        !hive_values(key.file->hive, key.key, c->arena, &values, &count, &damaged, &e)) {
        lost(c, path, &e);
        return;
    }
    for (size_t i = 0; i < count; i++) {
        const char *text;
        struct error bad = ERROR_INIT;
        if (hive_value_text(&values[i], c->arena, &text, &bad))
            add(c, key.file, "run-key", path, values[i].name, text);
        else
            lost(c, path, &bad);
    }
    if (damaged)
        facts_unread(c->facts, N_("persistence"), path,
                     arena_printf(c->arena, _("%zu values are damaged"), damaged));
}

static void read_value(struct collection *c, struct windows *w, const char *path, const char *name)
{
    struct windows_key key;
    const char *text;
    struct error e = ERROR_INIT;
    if (windows_key(w, path, &key, &e) && windows_value(w, &key, name, c->arena, &text, &e)) {
        if (*text)
            add(c, key.file, "winlogon", path, name, text);
    } else {
        lost(c, path, &e);
    }
}

static void read_services(struct collection *c, struct windows *w)
{
    for (const struct fact *f = facts_first(c->facts, "service"); f;
         f = facts_next(c->facts, "service", f)) {
        const char *start = fact_text(f, "start"), *image = fact_text(f, "image");
        bool starts =
            str_equal(start, "auto") || str_equal(start, "system") || str_equal(start, "boot");
        if (starts && *image)
            add(c, &w->hives[WINDOWS_SYSTEM], "service", SERVICES, fact_text(f, "name"), image);
    }
}

void collect_persist_windows(struct collection *c)
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
        {SOFTWARE "Windows NT\\CurrentVersion\\Windows", "AppInit_DLLs"},
    };
    if (target_kind(c->target) == TARGET_TEXT)
        return;
    struct windows *w = windows_acquire(c);
    if (!w)
        return;
    for (size_t i = 0; i < ARRAY_COUNT(run_keys); i++)
        read_run_key(c, w, run_keys[i]);
    for (size_t i = 0; i < ARRAY_COUNT(values); i++)
        read_value(c, w, values[i][0], values[i][1]);
    read_services(c, w);
    windows_release(c, w);
}
