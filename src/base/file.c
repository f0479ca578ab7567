#include "base/file.h"

#include "base/mem.h"
#include "base/str.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

bool file_read_fd(char **out, size_t *size, int fd, size_t most, struct error *e)
{
    struct stat st;
    if (fstat(fd, &st) != 0) {
        error_set_errno(e, errno, "looking at a file failed");
        return false;
    }
    if (S_ISREG(st.st_mode) && (uint64_t)st.st_size > most) {
        error_set(e, ERR_LIMIT, "the file has %llu bytes; at most %zu are read",
                  (unsigned long long)st.st_size, most);
        return false;
    }
    size_t capacity = S_ISREG(st.st_mode) && st.st_size ? (size_t)st.st_size + 1 : 65536, used = 0;
    CLEANUP_FREE char *data = mem_resize(NULL, capacity);
    bool seekable = lseek(fd, 0, SEEK_CUR) >= 0;
    for (;;) {
        if (used + 1 >= capacity)
            data = mem_resize(data, capacity *= 2);
        ssize_t n = seekable ? pread(fd, data + used, capacity - 1 - used, (off_t)used)
                             : read(fd, data + used, capacity - 1 - used);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0) {
            error_set_errno(e, errno, "reading failed");
            return false;
        }
        if (!n)
            break;
        used += (size_t)n;
        if (used > most) {
            error_set(e, ERR_LIMIT, "there are more than the %zu bytes that are read at most", most);
            return false;
        }
    }
    data[used] = '\0';
    *out = data;
    *size = used;
    data = NULL;
    return true;
}

bool file_read(char **out, size_t *size, const char *path, size_t most, struct error *e)
{
    CLEANUP_CLOSE int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    if (fd < 0) {
        error_set_errno(e, errno, "opening failed");
        error_at(e, path, 0, 0);
        return false;
    }
    if (!file_read_fd(out, size, fd, most, e)) {
        error_at(e, path, 0, 0);
        return false;
    }
    return true;
}

static bool write_all(int fd, const char *bytes, size_t size)
{
    while (size) {
        ssize_t n = write(fd, bytes, size);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return false;
        bytes += n;
        size -= (size_t)n;
    }
    return true;
}

bool file_replace(int dirfd, const char *name, const void *bytes, size_t size, mode_t mode,
                  struct error *e)
{
    CLEANUP_STR struct str temporary = {0};
    str_printf(&temporary, ".%s.%ld.new", name, (long)getpid());
    unlinkat(dirfd, str_text(&temporary), 0);
    int fd = openat(dirfd, str_text(&temporary),
                    O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode);
    bool good = fd >= 0 && write_all(fd, bytes, size) && fsync(fd) == 0;
    if (fd >= 0 && close(fd) != 0)
        good = false;
    good = good && renameat(dirfd, str_text(&temporary), dirfd, name) == 0;
    if (good) /* the name itself is durable only when its directory is */
        good = fsync(dirfd) == 0 || errno == EINVAL;
    if (!good) {
        int saved = errno;
        unlinkat(dirfd, str_text(&temporary), 0);
        error_set_errno(e, saved, "writing failed; what was there before is unchanged");
        error_at(e, name, 0, 0);
    }
    return good;
}

bool file_make_dirs(const char *path, mode_t mode, struct error *e)
{
    CLEANUP_FREE char *copy = mem_strdup(path);
    for (char *p = copy + (*copy == '/'); *p; p++) {
        if (*p != '/')
            continue;
        *p = '\0';
        if (mkdir(copy, 0755) != 0 && errno != EEXIST) {
            error_set_errno(e, errno, "making the folder failed");
            error_at(e, copy, 0, 0);
            return false;
        }
        *p = '/';
    }
    if (mkdir(copy, mode) == 0 || errno == EEXIST)
        return true;
    error_set_errno(e, errno, "making the folder failed");
    error_at(e, path, 0, 0);
    return false;
}

/* openat2(2): the kernel resolves the whole path as if rootfd were the root directory. */
static int open_in_root(int rootfd, const char *path, uint64_t flags)
{
    struct open_how how = {.flags = flags | O_CLOEXEC,
                           .resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS};
    long fd;
    do /* EAGAIN: something was renamed during the walk */
        fd = syscall(SYS_openat2, rootfd, *path ? path : ".", &how, sizeof how);
    while (fd < 0 && (errno == EINTR || errno == EAGAIN));
    return (int)fd;
}

int file_open_beneath(int rootfd, const char *path, struct stat *out, struct error *e)
{
    struct stat before, after;
    CLEANUP_CLOSE int handle = open_in_root(rootfd, path, O_PATH);
    if (handle < 0 || fstat(handle, &before) != 0) {
        error_set_errno(e, errno, "opening failed");
        error_at(e, path, 0, 0);
        return -1;
    }
    if (!S_ISREG(before.st_mode)) {
        error_set(e, ERR_UNREADABLE, "this is not a regular file");
        error_at(e, path, 0, 0);
        return -1;
    }
    int fd = open_in_root(rootfd, path, O_RDONLY | O_NONBLOCK | O_NOCTTY);
    if (fd < 0) {
        error_set_errno(e, errno, "opening failed");
        error_at(e, path, 0, 0);
        return -1;
    }
    if (fstat(fd, &after) != 0 || after.st_dev != before.st_dev || after.st_ino != before.st_ino) {
        close(fd);
        error_set(e, ERR_UNREADABLE, "the file was exchanged while it was being opened");
        error_at(e, path, 0, 0);
        return -1;
    }
    if (out)
        *out = after;
    return fd;
}

int file_open_dir_beneath(int rootfd, const char *path, struct error *e)
{
    int fd = open_in_root(rootfd, path, O_RDONLY | O_DIRECTORY);
    if (fd < 0) {
        error_set_errno(e, errno, "opening the folder failed");
        error_at(e, path, 0, 0);
    }
    return fd;
}

bool file_stat_beneath(int rootfd, const char *path, bool follow, struct stat *out,
                       struct error *e)
{
    CLEANUP_CLOSE int fd = open_in_root(rootfd, path, O_PATH | (follow ? 0 : O_NOFOLLOW));
    if (fd < 0 || fstat(fd, out) != 0) {
        error_set_errno(e, errno, "looking failed");
        error_at(e, path, 0, 0);
        return false;
    }
    return true;
}
