/* windows_system.h - a Windows on a target: where it is, its hives, its drives.
 *
 * For the sources of facts about Windows (registry.c, windows.c, iis.c ...) only. The system
 * folder is the one that holds system32\config, in the first level of any volume: WINNT,
 * WINDOWS or another name, in any case. Where none is found, a lone SOFTWARE or SYSTEM hive in
 * the root counts: then the files of that Windows cannot be looked at, and say so.
 *
 * Paths of Windows (`%SystemRoot%\x`, `D:\x`) become a volume and a path of the target. A
 * drive that the target does not have, and a folder whose place is not known because a hive
 * could not be read, are ERR_UNREADABLE: only what is surely not there is ERR_ABSENT.
 *
 * Rows of one cage share it (collection.kept), so that hives are opened once. */
#ifndef YAGURA_COLLECT_WINDOWS_SYSTEM_H
#define YAGURA_COLLECT_WINDOWS_SYSTEM_H

#include "collect/collect.h"
#include "collect/hive.h"

enum windows_hive { WINDOWS_SOFTWARE, WINDOWS_SYSTEM, WINDOWS_HIVES };

/* A hive of the system, opened, or the reason why not. */
struct windows_hive_file {
    const char *name;  /* "SOFTWARE" */
    const char *path;  /* as found, without the leading '/'; "" if it is not there */
    struct hive *hive; /* NULL: see error */
    struct error error;
    struct target *target;
    size_t volume;
};

struct windows {
    struct arena *arena;
    struct target *target;
    bool alone;         /* only hives: no files can be looked at */
    bool whole;         /* its kernel is there: what else is not, is not installed */
    size_t volume;      /* the one with the system folder */
    const char *folder; /* "/WINNT", as it is spelled there; NULL if alone */
    const char *others; /* further system folders that were found, or "" */
    struct windows_hive_file hives[WINDOWS_HIVES];
    const char *control_set; /* "ControlSet001"; NULL if not known */
    char drive;              /* of the system, 'C' */
    int volume_of_drive[26]; /* -1: not in the target */
    const char *version;     /* "5.0"; "" if not known */
};

/* The Windows of the target: found and opened by the first row that asks, kept for the rest.
 * NULL if there is none. Release it when the row is done. */
struct windows *windows_acquire(struct collection *c);
void windows_release(struct collection *c, struct windows *w);
void windows_free(struct windows *w); /* NULL is allowed */

/* Opens the hive FOLDER/f->name of the Windows (`name` is set by the caller), or says in f->error
 * why not. To be closed with hive_close(f->hive). */
void windows_hive_open(struct windows *w, struct windows_hive_file *f, const char *folder);

bool windows_at_least(const struct windows *w, const char *version);

/* --- the registry --- */

/* A path below HKLM: "SOFTWARE\Microsoft\InetStp", "SYSTEM\CurrentControlSet\Services".
 * ERR_UNREADABLE where the hive is missing or cannot be read. */
struct windows_key {
    const struct windows_hive_file *file;
    uint32_t key;
};
bool windows_key(struct windows *w, const char *path, struct windows_key *out, struct error *e);
/* A value's text, in the arena. */
bool windows_value(struct windows *w, const struct windows_key *key, const char *name,
                   struct arena *arena, const char **out, struct error *e);
/* Both in one; NULL for any reason. */
const char *windows_text_of(struct windows *w, struct arena *arena, const char *path,
                            const char *name);
/* The number of a DWORD (or of a text of digits); false if there is none. */
bool windows_number(struct windows *w, const struct windows_key *key, const char *name,
                    uint64_t *out);

/* Whether a hive may lack something: it is dirty or cut short. */
bool windows_hive_lacks(const struct windows_hive_file *file);
/* A fact whose source is that hive; its confidence is medium at most where that is so. */
struct fact *windows_fact(struct collection *c, const struct windows_hive_file *file,
                          const char *kind, enum confidence confidence);

/* --- files --- */

struct windows_path {
    size_t volume;
    const char *path; /* as it is spelled there */
};
/* Begins with '%' or a drive: the form of wanted files. */
bool windows_is_path(const char *path);
/* Puts the folders in for %SystemRoot% and the like. *sure is false where a folder is only
 * where it usually is. In the arena; NULL for a variable that we do not know. */
const char *windows_expand(struct windows *w, struct arena *arena, const char *path, bool *sure);
/* ERR_ABSENT only where the folder was really looked into: not in a Windows of which only a part
 * was given, nor below a %ProgramFiles% that is not there, which every Windows has. */
bool windows_resolve(struct windows *w, struct arena *arena, const char *path,
                     struct windows_path *out, struct error *e);
/* Resolves and selects the volume; select 0 again when done (windows_release() does). */
bool windows_find(struct windows *w, struct arena *arena, const char *path, const char **out,
                  struct error *e);
/* The version of a program: ERR_ABSENT if the file is not there. `size` may be NULL. */
bool windows_file_version(struct windows *w, struct arena *arena, const char *path,
                          const char **version, uint64_t *size, struct error *e);

#endif
