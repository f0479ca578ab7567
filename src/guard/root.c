#include "guard/root.h"

#include "base/mem.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

bool root_in_place(const struct site *site)
{
    struct stat by_path, by_fd;
    return lstat(site->row.root, &by_path) == 0 && fstat(site->rootfd, &by_fd) == 0 &&
           by_path.st_ino == by_fd.st_ino && by_path.st_dev == by_fd.st_dev;
}

/* Something is mounted over it: the mount goes, and what lies below shows again. */
bool root_uncover(const struct site *site)
{
    for (int i = 0; i < 64 && !root_in_place(site); i++)
        if (umount2(site->row.root, MNT_DETACH | UMOUNT_NOFOLLOW) != 0)
            break;
    return root_in_place(site);
}

/* The directory above the document root, and its name there. */
int root_open_above(const struct site *site, const char **name)
{
    CLEANUP_FREE char *above = mem_strdup(site->row.root);
    char *slash = strrchr(above, '/');
    *name = site->row.root + (slash - above) + 1;
    *(slash == above ? slash + 1 : slash) = '\0';
    return open(above, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

/* Our directory is somewhere else on its file system: back to its name; what stands there goes
 * aside. */
bool root_fetch(const struct site *site)
{
    const char *name;
    char link[64], where[4096], bad[ASIDE_NAME_SIZE];
    snprintf(link, sizeof link, "/proc/self/fd/%d", site->rootfd);
    ssize_t n = readlink(link, where, sizeof where - 1);
    where[n > 0 ? n : 0] = '\0';
    struct stat st;
    CLEANUP_CLOSE int to = root_open_above(site, &name);
    CLEANUP_CLOSE int from = openat(site->rootfd, "..", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    const char *slash = strrchr(where, '/');
    if (to < 0 || from < 0 || !slash || fstat(site->rootfd, &st) != 0 || !st.st_nlink)
        return false;
    struct stat moved;
    if (fstatat(from, slash + 1, &moved, AT_SYMLINK_NOFOLLOW) != 0 || moved.st_ino != st.st_ino ||
        moved.st_dev != st.st_dev)
        return false;
    aside_bad_name((struct aside *)&site->aside, bad);
    renameat2(to, name, site->aside.fd, bad, RENAME_NOREPLACE);
    return renameat2(from, slash + 1, to, name, RENAME_NOREPLACE) == 0 && root_in_place(site);
}

/* Field 5 of a line of mountinfo (proc(5)), where space, tab, newline and backslash are \ooo. */
bool root_mount_point(const char *line, size_t length, struct str *out)
{
    size_t at = 0;
    str_clear(out);
    for (int field = 1; field < 5 && at < length; at++)
        field += line[at] == ' ';
    for (; at < length && line[at] != ' '; at++) {
        if (line[at] != '\\' || length - at < 4) {
            str_add_char(out, line[at]);
            continue;
        }
        str_add_char(out, (char)((line[at + 1] - '0') << 6 | (line[at + 2] - '0') << 3 |
                                 (line[at + 3] - '0')));
        at += 3;
    }
    return out->length > 0;
}
