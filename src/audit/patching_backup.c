/* What a policy asks about outside of yagura: see patching.h. */
#include "audit/patching.h"

#include "act/host_program.h"
#include "base/file.h"
#include "base/str.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { COMMAND_SECONDS = 600, HOUR_SECONDS = 3600, MOST_NAMES = 100000 };

/* Of a folder the newest file that lies in it. */
static bool newest(const char *path, int64_t *out)
{
    struct stat st;
    if (stat(path, &st) != 0)
        return false;
    if (!S_ISDIR(st.st_mode)) {
        *out = st.st_mtime;
        return true;
    }
    bool found = false;
    DIR *dir = opendir(path);
    struct dirent *d;
    for (size_t n = 0; dir && n < MOST_NAMES && (d = readdir(dir)); n++)
        if (fstatat(dirfd(dir), d->d_name, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISREG(st.st_mode) &&
            (!found || st.st_mtime > *out)) {
            *out = st.st_mtime;
            found = true;
        }
    if (dir)
        closedir(dir);
    return found;
}

enum patch_backup patching_backup(const struct patch_policy *policy, int64_t now)
{
    int64_t made = 0;
    if (policy->backup_command) {
        const char *const argv[] = {"sh", "-c", policy->backup_command, NULL};
        struct host_program p = {.argv = argv, .seconds = COMMAND_SECONDS, .log = -1};
        int code;
        if (!host_program_run(&p, &code, NULL, NULL) || code != 0)
            return PATCH_BACKUP_MISSING;
    }
    if (!policy->backup_path)
        return PATCH_BACKUP_GOOD;
    if (!newest(policy->backup_path, &made))
        return PATCH_BACKUP_MISSING;
    return now - made > (int64_t)policy->backup_hours * HOUR_SECONDS ? PATCH_BACKUP_OLD
                                                                     : PATCH_BACKUP_GOOD;
}

bool patching_local_time(int64_t when, const char *zone, unsigned *weekday, unsigned *minute)
{
    CLEANUP_STR struct str path = {0};
    struct stat st;
    struct tm local;
    time_t t = (time_t)when;
    str_printf(&path, "/usr/share/zoneinfo/%s", zone);
    /* An unknown zone would silently be UTC. */
    if (!*zone || strstr(zone, "..") || *zone == '/' ||
        (!str_equal(zone, "UTC") && (stat(str_text(&path), &st) != 0 || !S_ISREG(st.st_mode))))
        return false;
    const char *given = getenv("TZ");
    CLEANUP_FREE char *before = given ? mem_strdup(given) : NULL;
    setenv("TZ", zone, 1);
    tzset();
    bool good = localtime_r(&t, &local) != NULL;
    if (before)
        setenv("TZ", before, 1);
    else
        unsetenv("TZ");
    tzset();
    if (good) {
        *weekday = (unsigned)local.tm_wday;
        *minute = (unsigned)(local.tm_hour * 60 + local.tm_min);
    }
    return good;
}
