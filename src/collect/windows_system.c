#include "collect/windows_system.h"

#include "collect/windows_drives.h"
#include "model/version.h"

#include <stdio.h>
#include <stdlib.h>

enum {
    MOST_TOP_FOLDERS = 512, /* looked into, of one volume's first level */
    MOST_OTHERS = 16,
};

static const char *const hive_names[WINDOWS_HIVES] = {"SOFTWARE", "SYSTEM"};

/* --- finding it --- */

/* On a volume that has an /etc, the folders of Unix are not searched: no Windows is called
 * so, and listing them costs time on every Linux host. */
static const char *const unix_folders[] = {
    "bin",   "boot",  "cdrom", "dev", "devices", "etc", "export",   "home",       "kernel", "lib",
    "lib32", "lib64", "media", "mnt", "net",     "opt", "proc",     "root",       "run",    "sbin",
    "srv",   "sys",   "tmp",   "usr", "var",     "vol", "platform", "lost+found",
};

static bool is_unix_folder(const char *name)
{
    for (size_t i = 0; i < ARRAY_COUNT(unix_folders); i++)
        if (str_equal(name, unix_folders[i]))
            return true;
    return false;
}

struct candidate {
    size_t volume;
    const char *folder;
    unsigned rank; /* 0 is none */
};

static bool is_there(struct target *t, struct arena *arena, const char *folder, const char *name)
{
    const char *found;
    return target_resolve_nocase(t, arena_printf(arena, "%s/%s", folder, name), arena, &found,
                                 NULL);
}

/* Two hives are better than one, one is better than a kernel; a usual name decides. */
static unsigned rank_of(struct target *t, struct arena *arena, const char *folder)
{
    if (!is_there(t, arena, folder, "system32"))
        return 0;
    unsigned hives = 0;
    for (size_t i = 0; i < WINDOWS_HIVES; i++)
        hives +=
            is_there(t, arena, folder, arena_printf(arena, "system32/config/%s", hive_names[i]));
    if (!hives && !is_there(t, arena, folder, "system32/ntoskrnl.exe"))
        return 0;
    bool usual = str_equal_nocase(folder, "/WINNT") || str_equal_nocase(folder, "/WINDOWS");
    return 1 + 2 * hives + usual;
}

static void search_volume(struct windows *w, size_t volume, struct candidate *best,
                          struct str *others)
{
    struct target_entry *entries;
    size_t count, looked = 0, noted = 0;
    target_select_volume(w->target, volume);
    if (!target_list(w->target, "/", w->arena, &entries, &count, NULL))
        return;
    bool is_unix = false;
    for (size_t i = 0; i < count; i++)
        is_unix |= str_equal(entries[i].name, "etc");
    for (size_t i = 0; i < count && looked < MOST_TOP_FOLDERS; i++) {
        if (entries[i].type == TARGET_FILE || entries[i].type == TARGET_OTHER ||
            (is_unix && is_unix_folder(entries[i].name)))
            continue;
        looked++;
        struct candidate c = {volume, arena_printf(w->arena, "/%s", entries[i].name), 0};
        c.rank = rank_of(w->target, w->arena, c.folder);
        if (!c.rank)
            continue;
        const struct candidate *worse = c.rank > best->rank ? best : &c;
        if (worse->rank && noted++ < MOST_OTHERS)
            str_printf(others, "%s%s", others->length ? ", " : "", worse->folder + 1);
        if (c.rank > best->rank)
            *best = c;
    }
}

/* --- opening its hives --- */

static bool fetch(void *self, uint64_t offset, void *buffer, size_t count, size_t *got,
                  struct error *e)
{
    const struct windows_hive_file *f = self;
    target_select_volume(f->target, f->volume);
    return target_read_at(f->target, f->path, offset, buffer, count, got, e);
}

void windows_hive_open(struct windows *w, struct windows_hive_file *f, const char *folder)
{
    const char *wanted = arena_printf(w->arena, "%s/%s", folder, f->name), *found;
    struct target_stat st;
    f->target = w->target;
    f->volume = w->volume;
    f->path = "";
    target_select_volume(w->target, w->volume);
    if (!target_resolve_nocase(w->target, wanted, w->arena, &found, &f->error))
        return;
    f->path = found + 1;
    if (!target_stat(w->target, found, true, &st, &f->error))
        return;
    if (st.type != TARGET_FILE) {
        error_set(&f->error, ERR_UNREADABLE, "it is no file");
        return;
    }
    hive_open(&f->hive, st.size, fetch, f, &f->error);
}

/* Hives that somebody copied out of their Windows. A file called "system" is nothing unusual:
 * here only real hives count. */
static bool find_alone(struct windows *w)
{
    static const char *const folders[] = {"", "/config", "/system32/config"};
    for (size_t v = 0; v < target_volume_count(w->target); v++)
        for (size_t i = 0; i < ARRAY_COUNT(folders); i++) {
            w->volume = v;
            bool any = false;
            for (size_t n = 0; n < WINDOWS_HIVES; n++) {
                w->hives[n] = (struct windows_hive_file){.name = hive_names[n]};
                windows_hive_open(w, &w->hives[n], folders[i]);
                any |= w->hives[n].hive != NULL;
            }
            if (any) {
                w->alone = true;
                return true;
            }
        }
    return false;
}

static void find_control_set(struct windows *w)
{
    struct hive *h = w->hives[WINDOWS_SYSTEM].hive;
    struct windows_key select = {&w->hives[WINDOWS_SYSTEM], 0};
    uint64_t number;
    if (!h || !hive_key(h, hive_root(h), "Select", &select.key, NULL) ||
        !windows_number(w, &select, "Current", &number) || number > 999)
        return;
    w->control_set = arena_printf(w->arena, "ControlSet%03u", (unsigned)number);
}

static void find_version(struct windows *w)
{
    static const char path[] = "SOFTWARE\\Microsoft\\Windows NT\\CurrentVersion";
    struct windows_key key;
    uint64_t major, minor;
    w->version = "";
    if (!windows_key(w, path, &key, NULL))
        return;
    /* from 6.3 on CurrentVersion stands still, and the numbers tell */
    if (windows_number(w, &key, "CurrentMajorVersionNumber", &major) &&
        windows_number(w, &key, "CurrentMinorVersionNumber", &minor))
        w->version = arena_printf(w->arena, "%u.%u", (unsigned)major, (unsigned)minor);
    else
        windows_value(w, &key, "CurrentVersion", w->arena, &w->version, NULL);
}

static struct windows *open_windows(struct target *target)
{
    if (target_kind(target) != TARGET_ROOT && target_kind(target) != TARGET_IMAGE)
        return NULL; /* this host is no Windows, and a text has no files */
    struct windows *w = mem_alloc(sizeof *w);
    w->arena = arena_new();
    w->target = target;
    w->others = "";
    struct candidate best = {0};
    CLEANUP_STR struct str others = {0};
    for (size_t v = 0; v < target_volume_count(target); v++)
        search_volume(w, v, &best, &others);
    if (best.rank) {
        w->volume = best.volume;
        w->folder = best.folder;
        w->others = arena_strdup(w->arena, str_text(&others));
        target_select_volume(target, w->volume);
        w->whole = is_there(target, w->arena, w->folder, "system32/ntoskrnl.exe") ||
                   is_there(target, w->arena, w->folder, "system32/kernel32.dll");
        for (size_t n = 0; n < WINDOWS_HIVES; n++) {
            w->hives[n].name = hive_names[n];
            windows_hive_open(w, &w->hives[n], arena_printf(w->arena, "%s/system32/config", w->folder));
        }
    } else if (!find_alone(w)) {
        windows_free(w);
        return NULL;
    }
    find_control_set(w);
    find_version(w);
    windows_drives_map(w);
    return w;
}

struct windows *windows_acquire(struct collection *c)
{
    if (c->windows && *c->windows)
        return *c->windows;
    struct windows *w = open_windows(c->target);
    target_select_volume(c->target, 0);
    if (c->windows)
        *c->windows = w;
    return w;
}

void windows_release(struct collection *c, struct windows *w)
{
    target_select_volume(c->target, 0);
    if (!c->windows)
        windows_free(w);
}

void windows_free(struct windows *w)
{
    if (!w)
        return;
    for (size_t n = 0; n < WINDOWS_HIVES; n++)
        hive_close(w->hives[n].hive);
    arena_free(w->arena);
    free(w);
}

bool windows_at_least(const struct windows *w, const char *version)
{
    return *w->version && version_compare(VERSION_WINDOWS, w->version, version) >= 0;
}

/* --- the registry --- */

static bool cut_prefix(const char **path, const char *prefix)
{
    size_t length = strlen(prefix);
    if (!str_starts_nocase(*path, prefix) || ((*path)[length] != '\\' && (*path)[length]))
        return false;
    *path += length + ((*path)[length] == '\\');
    return true;
}

bool windows_key(struct windows *w, const char *path, struct windows_key *out, struct error *e)
{
    size_t n = 0;
    while (n < WINDOWS_HIVES && !cut_prefix(&path, hive_names[n]))
        n++;
    if (n == WINDOWS_HIVES) {
        error_set(e, ERR_UNREADABLE, "only the hives SOFTWARE and SYSTEM are looked at");
        return false;
    }
    const struct windows_hive_file *f = &w->hives[n];
    if (!f->hive) {
        if (f->error.code == ERR_ABSENT)
            error_set(e, ERR_UNREADABLE, "the hive %s is not there", f->name);
        else
            error_set(e, ERR_UNREADABLE, "the hive %s could not be read: %s", f->name,
                      f->error.message);
        return false;
    }
    uint32_t from = hive_root(f->hive);
    if (n == WINDOWS_SYSTEM && cut_prefix(&path, "CurrentControlSet")) {
        if (!w->control_set) {
            error_set(e, ERR_UNREADABLE,
                      "the hive SYSTEM does not say which control set is "
                      "current (Select\\Current)");
            return false;
        }
        if (!hive_key(f->hive, from, w->control_set, &from, e))
            return false;
    }
    struct windows_key found = {.file = f};
    if (!hive_key(f->hive, from, path, &found.key, e))
        return false;
    *out = found;
    return true;
}

bool windows_value(struct windows *w, const struct windows_key *key, const char *name,
                   struct arena *arena, const char **out, struct error *e)
{
    struct hive_value value;
    return hive_value(key->file->hive, key->key, name, arena, &value, e) &&
           hive_value_text(&value, arena, out, e);
}

const char *windows_text_of(struct windows *w, struct arena *arena, const char *path,
                            const char *name)
{
    struct windows_key key;
    const char *text = NULL;
    if (windows_key(w, path, &key, NULL))
        windows_value(w, &key, name, arena, &text, NULL);
    return text;
}

bool windows_number(struct windows *w, const struct windows_key *key, const char *name,
                    uint64_t *out)
{
    const char *text;
    return windows_value(w, key, name, w->arena, &text, NULL) && str_to_u64(text, out);
}

bool windows_hive_lacks(const struct windows_hive_file *file)
{
    return file->hive && (hive_info(file->hive)->dirty || hive_info(file->hive)->cut);
}

struct fact *windows_fact(struct collection *c, const struct windows_hive_file *file,
                          const char *kind, enum confidence confidence)
{
    if (windows_hive_lacks(file) && confidence > CONFIDENCE_MEDIUM)
        confidence = CONFIDENCE_MEDIUM;
    return facts_add(c->facts, kind, file->path, 0, -1, confidence);
}
