#include "collect/windows_drives.h"

#include "collect/pe_version.h"
#include "collect/windows_system.h"

#include <stdio.h>
#include <stdlib.h>

enum { MOST_DEPTH = 4, MOST_EXPANDED = 4096 };

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool has_drive(const char *path)
{
    return is_letter(path[0]) && path[1] == ':' && (!path[2] || strchr("\\/", path[2]));
}

static int *volume_of(struct windows *w, char letter)
{
    return &w->volume_of_drive[str_lower(letter) - 'a'];
}

/* --- letters --- */

/* Where the volume begins; false where it lies on no disk. */
static bool volume_offset(const struct windows *w, size_t volume, uint64_t *out)
{
    struct target_volume v;
    if (!target_volume(w->target, volume, &v) || target_kind(w->target) != TARGET_IMAGE)
        return false;
    *out = v.start;
    return true;
}

struct mounted {
    char letter;
    uint32_t signature;
    uint64_t offset;
};

static size_t read_mounted(struct windows *w, struct mounted out[26])
{
    struct windows_key key;
    struct hive_value *values;
    size_t count = 0, damaged, found = 0;
    if (!windows_key(w, "SYSTEM\\MountedDevices", &key, NULL) ||
        !hive_values(key.file->hive, key.key, w->arena, &values, &count, &damaged, NULL))
        return 0;
    for (size_t i = 0; i < count && found < 26; i++) {
        static const char prefix[] = "\\DosDevices\\";
        const char *name = values[i].name;
        if (!str_starts_nocase(name, prefix) || values[i].size != 12 ||
            !is_letter(name[sizeof prefix - 1]) || name[sizeof prefix] != ':')
            continue;
        struct bytes b = bytes_of(values[i].data, values[i].size);
        out[found].letter = name[sizeof prefix - 1];
        out[found].signature = bytes_u32le(&b);
        out[found++].offset = bytes_u64le(&b);
    }
    return found;
}

/* Other volumes of the disk that the system is on; another disk has another signature. */
static void map_mounted(struct windows *w)
{
    struct mounted mounted[26];
    size_t count = read_mounted(w, mounted);
    const struct mounted *own = NULL;
    uint64_t offset;
    for (size_t i = 0; i < count; i++)
        if (str_lower(mounted[i].letter) == str_lower(w->drive))
            own = &mounted[i];
    if (!own || !volume_offset(w, w->volume, &offset) || own->offset != offset)
        return;
    for (size_t v = 0; v < target_volume_count(w->target); v++)
        for (size_t i = 0; i < count; i++)
            if (v != w->volume && mounted[i].signature == own->signature &&
                volume_offset(w, v, &offset) && mounted[i].offset == offset)
                *volume_of(w, mounted[i].letter) = (int)v;
}

static void map_boot_volume(struct windows *w)
{
    for (size_t v = 0; v < target_volume_count(w->target) && *volume_of(w, 'c') < 0; v++) {
        const char *found;
        target_select_volume(w->target, v);
        if (v != w->volume && target_resolve_nocase(w->target, "/ntldr", w->arena, &found, NULL))
            *volume_of(w, 'c') = (int)v;
    }
}

void windows_drives_map(struct windows *w)
{
    for (size_t i = 0; i < ARRAY_COUNT(w->volume_of_drive); i++)
        w->volume_of_drive[i] = -1;
    const char *root = windows_text_of(
        w, w->arena, "SOFTWARE\\Microsoft\\Windows NT\\CurrentVersion", "SystemRoot");
    w->drive = root && has_drive(root) ? str_upper(root[0]) : 'C';
    if (w->alone)
        return;
    *volume_of(w, w->drive) = (int)w->volume;
    if (target_volume_count(w->target) > 1) {
        map_mounted(w);
        map_boot_volume(w);
    }
}

/* --- names --- */

bool windows_is_path(const char *path)
{
    return *path == '%' || has_drive(path);
}

struct variable {
    const char *name;
    const char *key, *value; /* where the registry says it */
    bool parent;             /* the folder above that one */
    const char *usual;
};

#define CURRENT_VERSION "SOFTWARE\\Microsoft\\Windows\\CurrentVersion"
static const struct variable variables[] = {
    {"SystemRoot", NULL, NULL, false, NULL},
    {"windir", NULL, NULL, false, NULL},
    {"SystemDrive", NULL, NULL, false, NULL},
    {"ProgramFiles", CURRENT_VERSION, "ProgramFilesDir", false, "%SystemDrive%\\Program Files"},
    {"ProgramFiles(x86)", CURRENT_VERSION, "ProgramFilesDir (x86)", false,
     "%SystemDrive%\\Program Files (x86)"},
    {"CommonFiles", CURRENT_VERSION, "CommonFilesDir", false, "%ProgramFiles%\\Common Files"},
    {"CommonProgramFiles", CURRENT_VERSION, "CommonFilesDir", false,
     "%ProgramFiles%\\Common Files"},
    {"InetPub", "SOFTWARE\\Microsoft\\InetStp", "PathWWWRoot", true, "%SystemDrive%\\InetPub"},
};

static const char *expand(struct windows *w, struct arena *arena, const char *path, bool *sure,
                          int depth);

static const char *value_of(struct windows *w, struct arena *arena, const struct variable *v,
                            bool *sure, int depth)
{
    if (!v->usual) {
        const char *folder = w->folder ? w->folder : "/WINNT";
        bool only_drive = str_equal(v->name, "SystemDrive");
        char *text = arena_printf(arena, "%c:%s", w->drive, only_drive ? "" : folder);
        for (char *c = text; *c; c++)
            if (*c == '/')
                *c = '\\';
        return text;
    }
    struct windows_key key;
    struct error e = ERROR_INIT;
    const char *text;
    if (windows_key(w, v->key, &key, &e) && windows_value(w, &key, v->value, arena, &text, &e) &&
        windows_is_path(text)) {
        char *copy = arena_strdup(arena, text);
        size_t length = strlen(copy);
        while (length > 3 && copy[length - 1] == '\\')
            copy[--length] = '\0';
        char *cut = strrchr(copy, '\\');
        if (v->parent && cut)
            *cut = '\0';
        return expand(w, arena, copy, sure, depth + 1);
    }
    if (e.code && e.code != ERR_ABSENT)
        *sure = false;
    return expand(w, arena, v->usual, sure, depth + 1);
}

static const char *expand(struct windows *w, struct arena *arena, const char *path, bool *sure,
                          int depth)
{
    if (*path != '%')
        return path;
    const char *end = strchr(path + 1, '%');
    if (!end || depth > MOST_DEPTH || strlen(path) > MOST_EXPANDED)
        return NULL;
    const char *name = arena_strndup(arena, path + 1, (size_t)(end - path - 1));
    for (size_t i = 0; i < ARRAY_COUNT(variables); i++) {
        if (!str_equal_nocase(variables[i].name, name))
            continue;
        const char *value = value_of(w, arena, &variables[i], sure, depth);
        return value ? arena_printf(arena, "%s%s", value, end + 1) : NULL;
    }
    return NULL;
}

const char *windows_expand(struct windows *w, struct arena *arena, const char *path, bool *sure)
{
    *sure = true;
    return expand(w, arena, path, sure, 0);
}

/* PROGRA~1: Windows keeps a second, short name for each long one; the target gives us the long
 * ones only. */
static bool has_short_name(const char *path)
{
    for (const char *tilde = strchr(path, '~'); tilde; tilde = strchr(tilde + 1, '~'))
        if (str_is_digit(tilde[1]))
            return true;
    return false;
}

/* Whether a path below the folders of programs may be missing with all of them. */
static bool programs_are_missing(struct windows *w, struct arena *arena, const char *path)
{
    static const char *const variables_below[] = {"%ProgramFiles%\\", "%CommonFiles%\\"};
    bool sure, below = false;
    for (size_t i = 0; i < ARRAY_COUNT(variables_below); i++)
        below |= str_starts_nocase(path, variables_below[i]);
    const char *folder = below ? windows_expand(w, arena, "%ProgramFiles%", &sure) : NULL, *found;
    return folder && has_drive(folder) && *volume_of(w, folder[0]) == (int)w->volume &&
           !target_resolve_nocase(w->target, folder + 2, arena, &found, NULL);
}

bool windows_resolve(struct windows *w, struct arena *arena, const char *path,
                     struct windows_path *out, struct error *e)
{
    bool sure;
    const char *full = windows_expand(w, arena, path, &sure);
    if (!full || !has_drive(full)) {
        error_set(e, ERR_UNREADABLE, "it is no path on a drive that we can follow: %.200s", path);
        return false;
    }
    if (w->alone) {
        error_set(e, ERR_UNREADABLE, "only registry hives were given: no files can be looked at");
        return false;
    }
    int volume = *volume_of(w, full[0]);
    if (volume < 0) {
        error_set(e, ERR_UNREADABLE, "drive %c: is not part of what was given", str_upper(full[0]));
        return false;
    }
    struct error why = ERROR_INIT;
    const char *found;
    target_select_volume(w->target, (size_t)volume);
    if (!target_resolve_nocase(w->target, full + 2, arena, &found, &why)) {
        if (why.code == ERR_ABSENT && has_short_name(full))
            error_set(&why, ERR_UNREADABLE, "it is a short name (8.3), which cannot be looked up");
        else if (why.code == ERR_ABSENT && !w->whole)
            error_set(&why, ERR_UNREADABLE,
                      "it is not among the files that were given, and neither is the kernel: only "
                      "a part of this Windows is there");
        else if (why.code == ERR_ABSENT && programs_are_missing(w, arena, path))
            error_set(&why, ERR_UNREADABLE,
                      "it is not among the files that were given, and neither is the folder of "
                      "programs");
        else if (why.code == ERR_ABSENT && !sure)
            error_set(&why, ERR_UNREADABLE,
                      "it is not in its usual place, and the hive that says "
                      "where it is could not be read");
        if (e)
            *e = why;
        return false;
    }
    *out = (struct windows_path){(size_t)volume, found};
    return true;
}

bool windows_find(struct windows *w, struct arena *arena, const char *path, const char **out,
                  struct error *e)
{
    struct windows_path found;
    if (!windows_resolve(w, arena, path, &found, e))
        return false;
    target_select_volume(w->target, found.volume);
    *out = found.path;
    return true;
}

/* --- versions --- */

static bool read_part(struct windows *w, const char *path, uint64_t offset, size_t count,
                      char **out, size_t *got, struct error *e)
{
    CLEANUP_FREE char *buffer = mem_alloc(count ? count : 1);
    if (!target_read_at(w->target, path, offset, buffer, count, got, e)) {
        if (e && e->code == ERR_ABSENT) /* it was there a moment ago */
            e->code = ERR_UNREADABLE;
        return false;
    }
    *out = buffer;
    buffer = NULL;
    return true;
}

bool windows_file_version(struct windows *w, struct arena *arena, const char *path,
                          const char **version, uint64_t *size, struct error *e)
{
    const char *found;
    struct target_stat st;
    if (!windows_find(w, arena, path, &found, e) || !target_stat(w->target, found, true, &st, e))
        return false;
    if (size)
        *size = st.size;
    if (st.type != TARGET_FILE) {
        error_set(e, ERR_UNREADABLE, "it is no file");
        return false;
    }
    CLEANUP_FREE char *head = NULL;
    CLEANUP_FREE char *bytes = NULL;
    size_t got;
    struct pe_resources place;
    struct pe_version v;
    if (!read_part(w, found, 0, PE_HEAD_BYTES, &head, &got, e) ||
        !pe_version_locate(&place, head, got, e))
        return false;
    if (place.offset >= st.size || place.size > st.size - place.offset)
        place.size = place.offset >= st.size ? 0 : (uint32_t)(st.size - place.offset);
    if (place.size > PE_MOST_RESOURCES) {
        error_set(e, ERR_LIMIT, "its version could not be read: its resources are too large");
        return false;
    }
    if (!read_part(w, found, place.offset, place.size, &bytes, &got, e) ||
        !pe_version_of_resources(&v, &place, bytes, got, e))
        return false;
    char text[24];
    *version = arena_strdup(arena, pe_version_text(&v, text));
    return true;
}
