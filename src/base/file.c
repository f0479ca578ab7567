#include "base/file.h"

#include "base/str.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/syscall.h>
#include <unistd.h>

static const char temporary_start[] = ".yagura-";

enum { FIRST_READ_BYTES = 8192, RACE_RETRIES = 8, PIPE_WAIT_MS = 10000 };

static ssize_t read_some(int fd, void *buffer, size_t count)
{
    ssize_t n;
    do
        n = read(fd, buffer, count);
    while (n < 0 && errno == EINTR);
    return n;
}

bool file_read_fd(char **out, size_t *size, int fd, size_t most, struct error *e)
{
    struct stat st;
    size_t capacity = FIRST_READ_BYTES, used = 0;
    if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_size > 0) {
        if ((uint64_t)st.st_size > most) {
            error_set(e, ERR_LIMIT, "%lld bytes, and we read at most %zu", (long long)st.st_size,
                      most);
            return false;
        }
        capacity = (size_t)st.st_size + 1;
    }
    lseek(fd, 0, SEEK_SET); /* a pipe cannot: fine */
    CLEANUP_FREE char *data = mem_resize(NULL, capacity + 1);
    for (;;) {
        ssize_t n = read_some(fd, data + used, capacity - used);
        if (n < 0) {
            error_set_errno(e, errno, "could not be read");
            return false;
        }
        if (n == 0)
            break;
        used += (size_t)n;
        if (used > most) {
            error_set(e, ERR_LIMIT, "more than %zu bytes", most);
            return false;
        }
        if (used == capacity) {
            capacity *= 2;
            data = mem_resize(data, capacity + 1);
        }
    }
    data[used] = '\0';
    *out = data;
    *size = used;
    data = NULL;
    return true;
}

bool file_read_at(int fd, uint64_t offset, void *buffer, size_t size, size_t *got, struct error *e)
{
    *got = 0;
    while (*got < size) {
        ssize_t n = pread(fd, (char *)buffer + *got, size - *got, (off_t)(offset + *got));
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0) {
            error_set_errno(e, errno, "reading");
            return false;
        }
        if (n == 0)
            break;
        *got += (size_t)n;
    }
    return true;
}

/* A pipe has to have something to say: somebody may have put a FIFO there for us to wait at. */
static bool speaks(int fd, struct error *e)
{
    struct stat st;
    struct pollfd p = {.fd = fd, .events = POLLIN};
    if (fstat(fd, &st) == 0 && S_ISFIFO(st.st_mode) && poll(&p, 1, PIPE_WAIT_MS) == 0) {
        error_set(e, ERR_TIMEOUT, "it is a pipe, and nobody writes into it");
        return false;
    }
    return fcntl(fd, F_SETFL, 0) == 0; /* blocks from here on */
}

bool file_read(char **out, size_t *size, const char *path, size_t most, struct error *e)
{
    CLEANUP_CLOSE int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    if (fd < 0) {
        error_set_errno(e, errno, "could not be opened");
        error_at(e, path, 0, 0);
        return false;
    }
    if (!speaks(fd, e) || !file_read_fd(out, size, fd, most, e)) {
        error_at(e, path, 0, 0);
        return false;
    }
    return true;
}

static bool write_all(int fd, const void *bytes, size_t size)
{
    const char *p = bytes;
    while (size) {
        ssize_t n = write(fd, p, size);
        if (n < 0 && errno != EINTR)
            return false;
        if (n > 0) {
            p += n;
            size -= (size_t)n;
        }
    }
    return true;
}

bool file_replace(int dirfd, const char *name, const void *bytes, size_t size, mode_t mode,
                  struct error *e)
{
    struct iovec part = {(void *)bytes, size};
    return file_replace_parts(dirfd, name, &part, 1, mode, e);
}

bool file_replace_parts(int dirfd, const char *name, const struct iovec *parts, size_t count,
                        mode_t mode, struct error *e)
{
    char temporary[NAME_MAX + 1];
    uint64_t random;
    if (getrandom(&random, sizeof random, 0) != sizeof random)
        random = (uint64_t)getpid();
    /* short, so that a name of full length still has room for its temporary */
    snprintf(temporary, sizeof temporary, "%s%016llx", temporary_start, (unsigned long long)random);
    CLEANUP_CLOSE int fd =
        openat(dirfd, temporary, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd < 0) {
        error_set_errno(e, errno, "no temporary file could be made to replace it");
        error_at(e, name, 0, 0);
        return false;
    }
    const char *doing = N_("writing failed");
    bool good = true;
    for (size_t i = 0; good && i < count; i++)
        good = write_all(fd, parts[i].iov_base, parts[i].iov_len);
    good = good && fchmod(fd, mode) == 0 && fsync(fd) == 0;
    if (good && renameat(dirfd, temporary, dirfd, name) != 0) {
        doing = N_("could not be replaced");
        good = false;
    }
    if (!good) {
        int saved = errno;
        unlinkat(dirfd, temporary, 0);
        error_set_errno(e, saved, "%s", _(doing));
        error_at(e, name, 0, 0);
        return false;
    }
    if (fsync(dirfd) != 0 && errno != EINVAL) { /* EINVAL: a file system without it */
        error_set_errno(e, errno, "was replaced, but its directory could not be synced");
        error_at(e, name, 0, 0);
        return false;
    }
    return true;
}

void file_clear_temporaries(int dirfd)
{
    int fd = openat(dirfd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *folder = fd < 0 ? NULL : fdopendir(fd);
    if (!folder) {
        mem_cleanup_close(&fd);
        return;
    }
    for (struct dirent *d; (d = readdir(folder));)
        if (strncmp(d->d_name, temporary_start, sizeof temporary_start - 1) == 0)
            unlinkat(dirfd, d->d_name, 0);
    closedir(folder);
}

static bool is_dir(const char *path)
{
    struct stat st;
    return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

void file_give_to_owner(int dirfd, const char *name)
{
    struct stat folder, st;
    if (geteuid() == 0 && fstat(dirfd, &folder) == 0 && folder.st_uid != 0 &&
        fstatat(dirfd, name, &st, AT_SYMLINK_NOFOLLOW) == 0 && st.st_uid == 0 &&
        (S_ISDIR(st.st_mode) || (S_ISREG(st.st_mode) && st.st_nlink == 1)))
        (void)!fchownat(dirfd, name, folder.st_uid, folder.st_gid, AT_SYMLINK_NOFOLLOW);
}

bool file_make_dirs(const char *path, mode_t mode, struct error *e)
{
    if (is_dir(path))
        return true;
    CLEANUP_FREE char *copy = mem_strdup(path);
    size_t length = strlen(copy);
    while (length > 1 && copy[length - 1] == '/')
        copy[--length] = '\0';
    for (char *p = copy + 1; length; p++) {
        if (*p && *p != '/')
            continue;
        bool last = !*p;
        *p = '\0';
        if (mkdir(copy, last ? mode : 0755) != 0 && (errno != EEXIST || !is_dir(copy))) {
            error_set_errno(e, errno == EEXIST ? ENOTDIR : errno, "could not be made");
            error_at(e, copy, 0, 0);
            return false;
        }
        if (last)
            return true;
        *p = '/';
    }
    error_set(e, ERR_USAGE, "a directory without a name");
    return false;
}

/* Whether a path leads through one of procfs' magic links (proc(5)): into another process'
 * root, working directory, descriptors or namespaces. */
static bool has_magic_link(const char *path)
{
    static const char *const magic[] = {"root", "cwd", "exe", "fd", "ns", "map_files"};
    const char *part = path + 5;
    while (*part) {
        size_t length = strcspn(part, "/");
        for (size_t i = 0; part[length] && i < sizeof magic / sizeof *magic; i++)
            if (strlen(magic[i]) == length && strncmp(part, magic[i], length) == 0) {
                const char *rest = part + length + strspn(part + length, "/");
                /* the names in fd/, ns/ and map_files/ are fine, what they lead to is not */
                if (i < 3 ? *rest : strchr(rest, '/') != NULL)
                    return true;
            }
        part += length;
        part += strspn(part, "/");
    }
    return false;
}

/* Where openat2() is refused, which is in CAGE_LIVE, and the root is "/", it is not needed:
 * there is nothing to be held beneath. Only magic links are left to be seen to. */
static int open_in_slash(int rootfd, const char *path, uint64_t flags)
{
    struct stat root, slash;
    if (fstat(rootfd, &root) != 0 || stat("/", &slash) != 0 || root.st_dev != slash.st_dev ||
        root.st_ino != slash.st_ino) {
        errno = ENOSYS;
        return -1;
    }
    path += strspn(path, "/");
    if (!*path)
        path = ".";
    bool proc = strncmp(path, "proc/", 5) == 0;
    if (proc && has_magic_link(path)) {
        errno = ELOOP;
        return -1;
    }
    /* the links right in /proc (self, net, mounts) are plain ones */
    if (!proc || !strchr(path + 5, '/') || (flags & O_NOFOLLOW))
        return openat(rootfd, path, (int)flags | O_CLOEXEC);
    struct stat st;
    int fd = openat(rootfd, path, (int)flags | O_CLOEXEC | O_NOFOLLOW);
    if (fd >= 0 && (flags & O_PATH) && fstat(fd, &st) == 0 && S_ISLNK(st.st_mode)) {
        close(fd);
        errno = ELOOP;
        return -1;
    }
    return fd;
}

static int open_in_root(int rootfd, const char *path, uint64_t flags)
{
    struct open_how how = {.flags = flags | O_CLOEXEC,
                           .resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS};
    if (!*path)
        path = ".";
    /* EAGAIN: something was renamed while the kernel held our ".." to the root */
    for (int i = 0;; i++) {
        long fd = syscall(SYS_openat2, rootfd, path, &how, sizeof how);
        if (fd < 0 && errno == ENOSYS)
            return open_in_slash(rootfd, path, flags);
        if (fd >= 0 || (errno != EAGAIN && errno != EINTR) || i == RACE_RETRIES)
            return (int)fd;
    }
}

static void cannot_open(struct error *e, const char *path)
{
    if (errno == ENOSYS)
        error_set(e, ERR_SYSTEM,
                  "this kernel has no openat2 (Linux 5.6), so no path can be "
                  "held beneath a root");
    else
        error_set_errno(e, errno, "could not be opened");
    error_at(e, path, 0, 0);
}

static const char *not_regular(mode_t mode)
{
    switch (mode & S_IFMT) {
    case S_IFDIR:
        return N_("a directory, not a regular file");
    case S_IFIFO:
        return N_("a FIFO, not a regular file");
    case S_IFSOCK:
        return N_("a socket, not a regular file");
    case S_IFLNK:
        return N_("a link, not a regular file");
    default:
        return N_("a device, not a regular file");
    }
}

DIR *file_list(int dirfd, const char *name)
{
    int fd = openat(dirfd, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
    DIR *list = fd < 0 ? NULL : fdopendir(fd);
    if (!list && fd >= 0)
        close(fd);
    return list;
}

int file_open_beneath(int rootfd, const char *path, struct stat *st, struct error *e)
{
    for (int i = 0; i < RACE_RETRIES; i++) {
        struct stat before, after;
        /* Kept open over the second open: procfs numbers its inodes anew once one is let go. */
        CLEANUP_CLOSE int look = open_in_root(rootfd, path, O_PATH);
        if (look < 0 || fstat(look, &before) != 0) {
            cannot_open(e, path);
            return -1;
        }
        if (!S_ISREG(before.st_mode)) {
            error_set(e, ERR_UNREADABLE, "%s", _(not_regular(before.st_mode)));
            error_at(e, path, 0, 0);
            return -1;
        }
        CLEANUP_CLOSE int fd = open_in_root(rootfd, path, O_RDONLY | O_NONBLOCK | O_NOCTTY);
        if (fd < 0 || fstat(fd, &after) != 0) {
            cannot_open(e, path);
            return -1;
        }
        if (before.st_dev == after.st_dev && before.st_ino == after.st_ino) {
            int result = fd;
            fd = -1;
            if (st)
                *st = after;
            return result;
        }
    }
    error_set(e, ERR_UNREADABLE, "is being replaced all the time");
    error_at(e, path, 0, 0);
    return -1;
}

int file_open_dir_beneath(int rootfd, const char *path, struct error *e)
{
    int fd = open_in_root(rootfd, path, O_RDONLY | O_DIRECTORY | O_NONBLOCK);
    if (fd < 0)
        cannot_open(e, path);
    return fd;
}

bool file_stat_beneath(int rootfd, const char *path, bool follow, struct stat *out, struct error *e)
{
    struct stat st;
    CLEANUP_CLOSE int fd = open_in_root(rootfd, path, O_PATH | (follow ? 0 : O_NOFOLLOW));
    if (fd < 0 || fstat(fd, &st) != 0) {
        cannot_open(e, path);
        return false;
    }
    *out = st;
    return true;
}

/* Its entries first; as deep as a path can be. */
static bool remove_tree(int dirfd, const char *name, unsigned depth, struct error *e)
{
    if (unlinkat(dirfd, name, 0) == 0 || errno == ENOENT)
        return true;
    if (errno != EISDIR && errno != EPERM) {
        error_set_errno(e, errno, "removing %s", name);
        return false;
    }
    int fd = depth < PATH_MAX / 2
                 ? openat(dirfd, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW)
                 : -1;
    DIR *folder = fd < 0 ? NULL : fdopendir(fd);
    if (!folder) {
        error_set_errno(e, errno, "removing %s", name);
        if (fd >= 0)
            close(fd);
        return false;
    }
    bool good = true;
    for (struct dirent *d; good && (d = readdir(folder));)
        if (strcmp(d->d_name, ".") != 0 && strcmp(d->d_name, "..") != 0)
            good = remove_tree(fd, d->d_name, depth + 1, e);
    closedir(folder);
    if (good && unlinkat(dirfd, name, AT_REMOVEDIR) != 0) {
        error_set_errno(e, errno, "removing %s", name);
        good = false;
    }
    return good;
}

bool file_remove_tree(int dirfd, const char *name, struct error *e)
{
    return remove_tree(dirfd, name, 0, e);
}

static bool is_at(int fd, int parent, const char *name)
{
    struct stat held, there;
    return fstat(fd, &held) == 0 && fstatat(parent, name, &there, AT_SYMLINK_NOFOLLOW) == 0 &&
           held.st_ino == there.st_ino && held.st_dev == there.st_dev;
}

/* The kernel does not say a path of more than PATH_MAX: then its name is looked for. */
static bool find_name(int fd, int parent, char name[256])
{
    int list = openat(parent, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *folder = list < 0 ? NULL : fdopendir(list);
    struct stat st;
    bool found = false;
    if (!folder || fstat(fd, &st) != 0) {
        if (folder)
            closedir(folder);
        else if (list >= 0)
            close(list);
        return false;
    }
    for (struct dirent *d; !found && (d = readdir(folder));)
        if (d->d_ino == st.st_ino && strcmp(d->d_name, ".") != 0 && strcmp(d->d_name, "..") != 0 &&
            is_at(fd, parent, d->d_name)) {
            snprintf(name, 256, "%s", d->d_name);
            found = true;
        }
    closedir(folder);
    return found;
}

int file_open_parent(int dirfd, char name[256])
{
    char link[64], where[PATH_MAX];
    struct stat st;
    snprintf(link, sizeof link, "/proc/self/fd/%d", dirfd);
    ssize_t n = readlink(link, where, sizeof where - 1);
    where[n > 0 ? n : 0] = '\0';
    const char *slash = strrchr(where, '/');
    if (fstat(dirfd, &st) != 0 || !st.st_nlink)
        return -1;
    int parent = openat(dirfd, "..", O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (parent < 0)
        return -1;
    snprintf(name, 256, "%s", slash ? slash + 1 : "");
    if (slash && slash[1] && is_at(dirfd, parent, name))
        return parent;
    if (find_name(dirfd, parent, name))
        return parent;
    close(parent);
    return -1;
}

const char *file_path_in(struct arena *arena, int dirfd, const char *name)
{
    char folder[PATH_MAX];
    CLEANUP_STR struct str link = {0};
    str_printf(&link, "/proc/self/fd/%d", dirfd);
    ssize_t length = readlink(str_text(&link), folder, sizeof folder - 1);
    if (length > 0)
        folder[length] = '\0';
    return arena_printf(arena, "%s/%s", length > 0 ? folder : str_text(&link), name);
}
