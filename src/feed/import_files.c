#include "feed/import_files.h"

#include "base/file.h"
#include "base/str.h"
#include "base/where.h"
#include "feed/members.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

/* --- finding --- */

static bool add(struct import_files *files, const char *path, bool archive, struct error *e)
{
    if (files->list.count >= IMPORT_MOST_FILES) {
        error_set(e, ERR_LIMIT, "there are more than %d files", IMPORT_MOST_FILES);
        error_at(e, path, 0, 0);
        return false;
    }
    struct import_file file = {mem_strdup(path), files->feeds.items[files->feeds.count - 1],
                               archive};
    VEC_PUSH(&files->list, file);
    return true;
}

static int not_hidden(const struct dirent *entry)
{
    return entry->d_name[0] != '.';
}

/* Byte order, whatever the locale. */
static int by_name(const struct dirent **a, const struct dirent **b)
{
    return strcmp((*a)->d_name, (*b)->d_name);
}

static bool search(struct import_files *files, const char *path, unsigned depth, struct error *e);

static bool take_entry(struct import_files *files, const char *path, unsigned depth,
                       struct error *e)
{
    struct stat st;
    if (lstat(path, &st) != 0)
        return true; /* gone in between */
    if (S_ISDIR(st.st_mode))
        return search(files, path, depth + 1, e);
    bool file =
        S_ISREG(st.st_mode) || (S_ISLNK(st.st_mode) && stat(path, &st) == 0 && S_ISREG(st.st_mode));
    if (file && str_ends_nocase(path, ".json"))
        return add(files, path, false, e);
    if (file && member_is_archive(path))
        return add(files, path, true, e);
    files->ignored++;
    return true;
}

static bool search(struct import_files *files, const char *path, unsigned depth, struct error *e)
{
    if (depth > IMPORT_MOST_DEPTH) {
        error_set(e, ERR_LIMIT, "folders are deeper than %d", IMPORT_MOST_DEPTH);
        error_at(e, path, 0, 0);
        return false;
    }
    struct dirent **entries;
    int count = scandir(path, &entries, not_hidden, by_name);
    if (count < 0) {
        error_set_errno(e, errno, "opening the folder failed");
        error_at(e, path, 0, 0);
        return false;
    }
    bool good = true;
    for (int i = 0; i < count; i++) {
        CLEANUP_STR struct str name = {0};
        str_printf(&name, "%s%s%s", path, str_ends(path, "/") ? "" : "/", entries[i]->d_name);
        good = good && take_entry(files, str_text(&name), depth, e);
        free(entries[i]);
    }
    free(entries);
    return good;
}

/* O_NONBLOCK: a FIFO must not make us wait for somebody to write to it. */
static int open_file(const char *path, struct stat *st, struct error *e)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    if (fd < 0 || fstat(fd, st) != 0) {
        error_set_errno(e, errno, "opening failed");
        error_at(e, path, 0, 0);
    } else if (S_ISDIR(st->st_mode) || S_ISREG(st->st_mode)) {
        return fd;
    } else {
        error_set(e, ERR_UNREADABLE, "this is neither a file nor a folder");
        error_at(e, path, 0, 0);
    }
    if (fd >= 0)
        close(fd);
    return -1;
}

/* Files that are named one by one share the feed of their folder. "dir", "dir/" and "./dir" are one
 * feed: its name is the real path. */
static void begin_feed(struct import_files *files, const char *path)
{
    CLEANUP_FREE char *real = realpath(path, NULL);
    const char *name = real ? real : path;
    if (!files->feeds.count || !str_equal(files->feeds.items[files->feeds.count - 1], name))
        VEC_PUSH(&files->feeds, mem_strdup(name));
}

bool import_files_find(struct import_files *out, const char *path, struct error *e)
{
    struct stat st;
    CLEANUP_CLOSE int fd = open_file(path, &st, e);
    if (fd < 0)
        return false;
    if (S_ISDIR(st.st_mode)) {
        begin_feed(out, path);
        return search(out, path, 0, e);
    }
    char start[64];
    ssize_t n = pread(fd, start, sizeof start, 0);
    size_t i = n >= 3 && memcmp(start, "\xef\xbb\xbf", 3) == 0 ? 3 : 0;
    while ((ssize_t)i < n && str_is_space(start[i]))
        i++;
    bool json = (ssize_t)i >= n || start[i] == '{' || str_ends_nocase(path, ".json");
    CLEANUP_FREE char *folder = mem_strdup(path);
    char *slash = strrchr(folder, '/');
    if (slash)
        slash[slash == folder] = '\0';
    begin_feed(out, !json ? path : slash ? folder : ".");
    return add(out, path, !json, e);
}

void import_files_free(struct import_files *files)
{
    for (size_t i = 0; i < files->list.count; i++)
        free(files->list.items[i].path);
    for (size_t i = 0; i < files->feeds.count; i++)
        free(files->feeds.items[i]);
    VEC_FREE(&files->list);
    VEC_FREE(&files->feeds);
}

/* --- streaming --- */

static bool write_file(int out, const char *path)
{
    struct error e = ERROR_INIT;
    struct stat st;
    CLEANUP_CLOSE int fd = open_file(path, &st, &e);
    CLEANUP_FREE char *text = NULL;
    size_t size;
    if (fd < 0 || !file_read_fd(&text, &size, fd, MEMBER_MOST_BYTES, &e))
        return member_write(out, MEMBER_REFUSED, path, e.message, strlen(e.message));
    return member_write(out, MEMBER_FILE, path, text, size);
}

/* In the child: nothing is parsed here, so it is not caged. */
static void stream_files(int out, const struct import_file *files, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (!write_file(out, files[i].path))
            return;
    member_write(out, MEMBER_END, "", "", 0);
}

/* A pipe and a child that has its writing end; *out is for the parent. */
static bool start(struct import_source *out, int *write_end, struct error *e)
{
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0) {
        error_set_errno(e, errno, "no pipe for an import");
        return false;
    }
    pid_t parent = getpid(), pid = fork();
    if (pid < 0) {
        error_set_errno(e, errno, "no process for an import");
        close(ends[0]);
        close(ends[1]);
        return false;
    }
    if (pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
        if (getppid() != parent)
            _exit(1);
        signal(SIGPIPE, SIG_IGN);
        close(ends[0]);
        *write_end = ends[1];
        out->pid = 0;
        return true;
    }
    close(ends[1]);
    out->fd = ends[0];
    out->pid = pid;
    return true;
}

bool import_source_files(struct import_source *out, const struct import_file *files, size_t count,
                         struct error *e)
{
    int fd;
    struct import_source source;
    if (!start(&source, &fd, e))
        return false;
    if (!source.pid) {
        stream_files(fd, files, count);
        _exit(0);
    }
    *out = source;
    return true;
}

bool import_source_archive(struct import_source *out, const char *path, struct error *e)
{
    char helper[4096];
    struct stat st;
    struct import_source source;
    int fd;
    if (!where_is(WHERE_LIBEXEC, "yagura-unpack", helper, sizeof helper)) {
        error_set(e, ERR_ABSENT,
                  "the helper program yagura-unpack, which reads archives, is not "
                  "there: unpack it yourself and import the folder");
        error_at(e, path, 0, 0);
        return false;
    }
    CLEANUP_CLOSE int archive = open_file(path, &st, e);
    if (archive < 0 || !start(&source, &fd, e))
        return false;
    if (!source.pid) {
        char *const arguments[] = {helper, NULL};
        if (dup2(archive, STDIN_FILENO) == STDIN_FILENO && dup2(fd, STDOUT_FILENO) == STDOUT_FILENO)
            execve(helper, arguments, language_environment());
        const char *why = _("the helper program yagura-unpack could not be started");
        member_write(fd, MEMBER_STOP, "", why, strlen(why));
        _exit(1);
    }
    *out = source;
    return true;
}

void import_source_close(struct import_source *s)
{
    close(s->fd);
    kill(s->pid, SIGKILL);
    while (waitpid(s->pid, NULL, 0) < 0 && errno == EINTR)
        ;
}
