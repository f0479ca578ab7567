#include "guard/live.h"

#include "base/str.h"

#include <dirent.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Whoever may write in an upload folder makes such folders at no cost of his own: what is more
 * than that is left to the sweeper, so that the guard has time for everybody. */
enum { MOST_FOLDERS = 10000, MOST_NAMES = 10000, NAMES_A_STEP = 500 };

void beneath_later(struct live_site *live, const char *path)
{
    if (live->beneath.count < MOST_FOLDERS)
        VEC_PUSH(&live->beneath, mem_strdup(path));
}

static DIR *open_folder(const struct site *site, const char *path)
{
    struct open_how how = {.flags = O_RDONLY | O_DIRECTORY | O_CLOEXEC,
                           .resolve =
                               RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS};
    int fd = (int)syscall(SYS_openat2, site->rootfd, path, &how, sizeof how);
    DIR *folder = fd < 0 ? NULL : fdopendir(fd);
    if (fd >= 0 && !folder)
        close(fd);
    return folder;
}

static unsigned look_in(struct guard *g, struct live_site *live, const char *path)
{
    CLEANUP_STR struct str name = {0};
    DIR *folder = open_folder(live->site, path);
    unsigned count = 0;
    if (!folder)
        return 1;
    for (struct dirent *d; count < MOST_NAMES && (d = readdir(folder)); count++) {
        if (str_equal(d->d_name, ".") || str_equal(d->d_name, ".."))
            continue;
        str_clear(&name);
        str_printf(&name, "%s/%s", path, d->d_name);
        live_look_at(g, live, name.data);
        if (g->options.alive)
            alive_beat(g->options.alive);
    }
    closedir(folder);
    return count + 1;
}

bool beneath_has_more(const struct guard *g)
{
    for (size_t i = 0; i < g->count; i++)
        if (g->live[i].beneath.count)
            return true;
    return false;
}

void beneath_step(struct guard *g)
{
    unsigned count = 0;
    for (size_t i = 0; i < g->count; i++) {
        struct live_site *live = &g->live[i];
        while (live->beneath.count && count < NAMES_A_STEP) {
            CLEANUP_FREE char *path = live->beneath.items[--live->beneath.count];
            count += look_in(g, live, path);
        }
    }
}

void beneath_free(struct live_site *live)
{
    for (size_t i = 0; i < live->beneath.count; i++)
        free(live->beneath.items[i]);
    VEC_FREE(&live->beneath);
}
