#include "act/tree_source.h"

#include "base/file.h"
#include "base/str.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

void tree_source_close(struct tree_source *s)
{
    if (s->fd >= 0 && s->fd != s->git.folder.fd)
        close(s->fd);
    git_tree_close(&s->git);
    run_folder_remove(&s->archive);
    *s = (struct tree_source)TREE_SOURCE_INIT;
}

/* Is `inner` the folder `outer`, or in it? Up to the root of the file system of this process. */
static bool lies_in(int inner, int outer)
{
    struct stat wanted, at, last = {0};
    CLEANUP_CLOSE int fd = dup(inner);
    if (fstat(outer, &wanted) != 0)
        return false;
    while (fd >= 0 && fstat(fd, &at) == 0 &&
           (at.st_ino != last.st_ino || at.st_dev != last.st_dev)) {
        if (at.st_ino == wanted.st_ino && at.st_dev == wanted.st_dev)
            return true;
        last = at;
        int above = openat(fd, "..", O_PATH | O_DIRECTORY | O_CLOEXEC);
        close(fd);
        fd = above;
    }
    return false;
}

/* The keys would be published, or the site in itself. */
static bool fit_to_deploy(int fd, int statefd, int rootfd, const char *path, struct error *e)
{
    if (lies_in(statefd, fd))
        error_set(e, ERR_USAGE, "%.200s has yagura's own state in it: that is not deployed", path);
    else if (lies_in(rootfd, fd))
        error_set(e, ERR_USAGE,
                  "%.200s is the document root, or has it in it: to publish what is there, "
                  "leave --from out",
                  path);
    else
        return true;
    return false;
}

/* The only name in a folder, if that is a folder; false: there are others. */
static bool only_folder(int fd, char name[256])
{
    struct stat st;
    size_t count = 0;
    DIR *dir = file_list(fd, ".");
    for (struct dirent *d; dir && count < 2 && (d = readdir(dir));)
        if (!str_equal(d->d_name, ".") && !str_equal(d->d_name, "..") && ++count == 1)
            snprintf(name, 256, "%s", d->d_name);
    if (dir)
        closedir(dir);
    return count == 1 && fstatat(fd, name, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISDIR(st.st_mode);
}

static bool share_a_name(int a, int b)
{
    struct stat st;
    bool shared = false;
    DIR *dir = file_list(a, ".");
    for (struct dirent *d; dir && !shared && (d = readdir(dir));)
        shared = !str_equal(d->d_name, ".") && !str_equal(d->d_name, "..") &&
                 fstatat(b, d->d_name, &st, AT_SYMLINK_NOFOLLOW) == 0;
    if (dir)
        closedir(dir);
    return shared;
}

/* Into the folder that holds everything, as long as that is not what the site has itself. A link
 * that stays in the archive may lead out of that folder, and then out of the site: false. */
static bool enter(struct tree_source *s, const struct archive_highest *highest, int rootfd,
                  struct error *e)
{
    unsigned depth = 0;
    char name[256], way[sizeof s->within] = "";
    struct stat st;
    CLEANUP_CLOSE int at = dup(s->fd);
    while (at >= 0 && only_folder(at, name) &&
           fstatat(rootfd, name, &st, AT_SYMLINK_NOFOLLOW) != 0 &&
           strlen(way) + strlen(name) + 2 < sizeof way) {
        int next = openat(at, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        close(at);
        at = next;
        strcat(strcat(way, name), "/");
        depth++;
    }
    if (at < 0 || !*way || !share_a_name(at, rootfd))
        return true;
    if (highest->name[0] && highest->depth < depth) {
        archive_tree_refuse_link(highest, e);
        return false;
    }
    close(s->fd);
    s->fd = at;
    at = -1;
    memcpy(s->within, way, sizeof way);
    return true;
}

static bool open_path(struct tree_source *s, const char *path, int statefd, int rootfd,
                      struct error *e)
{
    struct stat st;
    CLEANUP_CLOSE int fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY);
    if (fd < 0 || fstat(fd, &st) != 0) {
        error_set_errno(e, errno, "opening the folder or archive");
        error_at(e, path, 0, 0);
        return false;
    }
    if (S_ISDIR(st.st_mode)) {
        s->fd = fd;
        fd = -1;
        return fit_to_deploy(s->fd, statefd, rootfd, path, e);
    }
    if (!S_ISREG(st.st_mode)) {
        error_set(e, ERR_USAGE, "it is neither a folder nor an archive");
        error_at(e, path, 0, 0);
        return false;
    }
    CLEANUP_FREE struct archive_highest *highest = mem_alloc(sizeof *highest);
    if (archive_tree_open(&s->archive, highest, statefd, fd, e)) {
        s->fd = dup(s->archive.fd);
        if (enter(s, highest, rootfd, e))
            return true;
    }
    error_at(e, path, 0, 0);
    return false;
}

bool tree_source_open(struct tree_source *out, const char *from, const char *from_git, int statefd,
                      int rootfd, struct error *e)
{
    CLEANUP_TREE_SOURCE struct tree_source s = TREE_SOURCE_INIT;
    s.said = from_git ? from_git : from;
    if (from_git) {
        if (!git_tree_open(&s.git, statefd, from ? from : ".", from_git, e))
            return false;
        s.fd = s.git.folder.fd;
    } else if (!open_path(&s, from, statefd, rootfd, e))
        return false;
    *out = s;
    if (from_git)
        out->commit = out->git.commit;
    s = (struct tree_source)TREE_SOURCE_INIT;
    return true;
}
