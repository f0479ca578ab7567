#include "act/run_folder.h"

#include "base/file.h"
#include "base/str.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static void clear_left_behind(int parent, const char *prefix)
{
    DIR *dir = file_list(parent, ".");
    for (struct dirent *d; dir && (d = readdir(dir));) {
        uint64_t pid;
        if (str_starts(d->d_name, prefix) && str_to_u64(d->d_name + strlen(prefix), &pid) && pid &&
            pid <= INT_MAX && kill((pid_t)pid, 0) != 0 && errno == ESRCH)
            file_remove_tree(parent, d->d_name, NULL);
    }
    if (dir)
        closedir(dir);
}

bool run_folder_make(struct run_folder *out, int parent, const char *prefix, struct error *e)
{
    struct run_folder f = {.fd = -1, .parent = parent};
    clear_left_behind(parent, prefix);
    snprintf(f.name, sizeof f.name, "%s%d", prefix, (int)getpid());
    if (mkdirat(parent, f.name, 0700) == 0)
        f.fd = openat(parent, f.name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
    if (f.fd < 0) {
        error_set_errno(e, errno, "making a folder for what is unfolded");
        return false;
    }
    *out = f;
    return true;
}

void run_folder_remove(struct run_folder *f)
{
    if (f->fd >= 0) {
        close(f->fd);
        file_remove_tree(f->parent, f->name, NULL);
    }
    f->fd = -1;
}
