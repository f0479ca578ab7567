#include "act/git_tree.h"

#include "act/room.h"

#include "base/mem.h"
#include "base/str.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

/* Whoever owns a repository can make git wait for ever: a FIFO in it is enough. */
enum { NOBODY = 65534, ANSWER_SECONDS = 20, UNPACK_SECONDS = 3600 };

/* Who a program is to be: as we are, unless we are root. */
static bool become(uid_t uid, gid_t gid)
{
    return geteuid() != 0 || uid == 0 ||
           (setgroups(0, NULL) == 0 && setgid(gid) == 0 && setuid(uid) == 0);
}

/* What we have started ends with us, also when we are killed. Behind setuid(), which forgets it. */
static bool ends_with_us(pid_t parent)
{
    return prctl(PR_SET_PDEATHSIG, SIGKILL) == 0 && getppid() == parent;
}

static int run_git(pid_t parent, const char *repository, const struct stat *owner,
                   char *const argv[], int out, unsigned seconds)
{
    int null = open("/dev/null", O_RDWR | O_CLOEXEC);
    if (chdir(repository) != 0 || dup2(null, 0) < 0 || dup2(out, 1) < 0 ||
        !become(owner->st_uid, owner->st_gid) || !ends_with_us(parent))
        return 126;
    close_range(3, ~0U, CLOSE_RANGE_CLOEXEC);
    signal(SIGALRM, SIG_DFL);
    alarm(seconds); /* lives on in git, and ends it */
    /* Nobody's configuration but the repository's own. */
    char *environment[] = {(char *)"PATH=/usr/local/bin:/usr/bin:/bin",
                           (char *)"LC_ALL=C.UTF-8",
                           (char *)"HOME=/nonexistent",
                           (char *)"GIT_CONFIG_NOSYSTEM=1",
                           (char *)"GIT_TERMINAL_PROMPT=0",
                           NULL};
    execvpe("git", argv, environment);
    return 127;
}

static int run_tar(pid_t parent, int folder, int in, char *strip)
{
    if (fchdir(folder) != 0 || dup2(in, 0) < 0 || !become(NOBODY, NOBODY) || !ends_with_us(parent))
        return 126;
    close_range(3, ~0U, CLOSE_RANGE_CLOEXEC);
    char *environment[] = {(char *)"PATH=/usr/bin:/bin", (char *)"LC_ALL=C.UTF-8", NULL};
    char *argv[] = {(char *)"tar", (char *)"-x", (char *)"--no-same-owner", strip, (char *)"-f",
                    (char *)"-",   NULL};
    execvpe("tar", argv, environment);
    return 127;
}

/* False with an error only where it was not in time. */
static bool ended_well(pid_t pid, struct error *e)
{
    int status = -1;
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
        continue;
    if (WIFSIGNALED(status) && WTERMSIG(status) == SIGALRM)
        error_set(e, ERR_TIMEOUT,
                  "git reads on and on: look for what in the repository never ends (a FIFO, a file "
                  "that cannot be read), or name a clone of it");
    return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

/* What git says to this, without the end of its line. */
static bool ask_git(char *out, size_t size, const char *repository, const struct stat *owner,
                    char *const argv[], struct error *e)
{
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0) {
        error_set_errno(e, errno, "making a pipe");
        return false;
    }
    pid_t self = getpid(), pid = fork();
    if (pid == 0)
        _exit(run_git(self, repository, owner, argv, ends[1], ANSWER_SECONDS));
    close(ends[1]);
    size_t length = 0;
    ssize_t n;
    while (length < size - 1 && (n = read(ends[0], out + length, size - 1 - length)) > 0)
        length += (size_t)n;
    close(ends[0]);
    if (length && out[length - 1] == '\n')
        length--;
    out[length] = '\0';
    return pid > 0 && ended_well(pid, e);
}

static bool find_commit(struct git_tree *t, const char *repository, const struct stat *owner,
                        const char *revision, struct error *e)
{
    char wanted[300];
    snprintf(wanted, sizeof wanted, "%.250s^{commit}", revision);
    char *argv[] = {(char *)"git",
                    (char *)"rev-parse",
                    (char *)"--verify",
                    (char *)"--quiet",
                    (char *)"--end-of-options",
                    wanted,
                    NULL};
    struct error late = ERROR_INIT;
    bool good = ask_git(t->commit, sizeof t->commit, repository, owner, argv, &late);
    t->commit[strspn(t->commit, "0123456789abcdef")] = '\0';
    if (good && t->commit[0])
        return true;
    if (late.code && e)
        *e = late;
    else
        error_set(e, ERR_USAGE, "git finds no revision \"%.80s\" in %.200s", revision, repository);
    return false;
}

/* Where in its repository a folder lies: "public/", or "". */
static bool find_prefix(char *out, size_t size, const char *repository, const struct stat *owner,
                        struct error *e)
{
    char *argv[] = {(char *)"git", (char *)"rev-parse", (char *)"--show-prefix", NULL};
    struct error late = ERROR_INIT;
    if (ask_git(out, size, repository, owner, argv, &late) && strlen(out) < size - 1)
        return true;
    if (late.code && e)
        *e = late;
    else
        error_set(e, ERR_USAGE, "git does not say where in its repository %.200s lies", repository);
    return false;
}

static bool write_all(int fd, const char *bytes, size_t size)
{
    while (size) {
        ssize_t n = write(fd, bytes, size);
        if (n < 0 && errno != EINTR)
            return false;
        bytes += n > 0 ? n : 0;
        size -= n > 0 ? (size_t)n : 0;
    }
    return true;
}

/* What git puts out, to tar, and what comes of it looked at: a member takes a block and its name.
 * Where tar ends early its exit code tells. False: there is no room. */
static bool hand_over(int from, int to, int folder, struct error *e)
{
    enum { PIECE = 128 << 10, BLOCK = 512 };
    CLEANUP_FREE char *piece = mem_resize(NULL, PIECE);
    struct room room = {.folder = folder};
    ssize_t n;
    if (!room_is_left(&room, e))
        return false;
    while ((n = read(from, piece, PIECE)) != 0) {
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0 || !write_all(to, piece, (size_t)n))
            return true;
        if (!room_take(&room, (uint64_t)n, (uint64_t)n / BLOCK, e))
            return false;
    }
    return true;
}

/* Ended now, where they have more to say than there is room for. */
static void stop(pid_t pid)
{
    if (pid > 0)
        kill(pid, SIGKILL);
}

static bool unpack(const struct git_tree *t, const char *repository, const struct stat *owner,
                   struct error *e)
{
    int ends[2], to_tar[2];
    char prefix[PATH_MAX], strip[40];
    CLEANUP_STR struct str top = {0}, only = {0};
    if (!find_prefix(prefix, sizeof prefix, repository, owner, e))
        return false;
    /* From the top, for its .gitattributes to hold in a folder within as well. */
    int depth = 0;
    str_add(&top, repository);
    for (const char *p = prefix; (p = strchr(p, '/')); p++, depth++)
        str_add(&top, "/..");
    str_printf(&only, ":(literal)%s", prefix);
    snprintf(strip, sizeof strip, "--strip-components=%d", depth);
    char *argv[] = {(char *)"git",
                    (char *)"archive",
                    (char *)"--format=tar",
                    (char *)t->commit,
                    (char *)"--",
                    only.data,
                    NULL};
    if (!depth)
        argv[4] = NULL;
    if (pipe2(ends, O_CLOEXEC) != 0) {
        error_set_errno(e, errno, "making a pipe");
        return false;
    }
    if (pipe2(to_tar, O_CLOEXEC) != 0) {
        error_set_errno(e, errno, "making a pipe");
        close(ends[0]);
        close(ends[1]);
        return false;
    }
    pid_t self = getpid(), git = fork();
    if (git == 0)
        _exit(run_git(self, top.data, owner, argv, ends[1], UNPACK_SECONDS));
    pid_t tar = git < 0 ? -1 : fork();
    if (tar == 0)
        _exit(run_tar(self, t->folder.fd, to_tar[0], strip));
    close(ends[1]);
    close(to_tar[0]);
    struct error late = ERROR_INIT;
    bool fits = git > 0 && tar > 0 && hand_over(ends[0], to_tar[1], t->folder.fd, &late);
    close(ends[0]);
    close(to_tar[1]);
    if (!fits) {
        stop(git);
        stop(tar);
    }
    bool good = git > 0 && ended_well(git, &late);
    good = tar > 0 && ended_well(tar, NULL) && good;
    good = good && fits && room_is_left(&(struct room){.folder = t->folder.fd}, &late);
    if (late.code && e)
        *e = late;
    else if (!good)
        error_set(e, ERR_SYSTEM, "unpacking revision %s failed", t->commit);
    return good;
}

bool git_tree_open(struct git_tree *out, int parent, const char *repository, const char *revision,
                   struct error *e)
{
    struct git_tree t = {.folder = {.fd = -1}};
    struct stat owner;
    if (stat(repository, &owner) != 0) {
        error_set_errno(e, errno, "opening the repository");
        error_at(e, repository, 0, 0);
        return false;
    }
    if (!find_commit(&t, repository, &owner, revision, e))
        return false;
    if (!run_folder_make(&t.folder, parent, "git-", e))
        return false;
    bool good = geteuid() != 0 || fchown(t.folder.fd, NOBODY, NOBODY) == 0;
    if (!good)
        error_set_errno(e, errno, "making a folder for the revision");
    good = good && unpack(&t, repository, &owner, e);
    if (!good)
        git_tree_close(&t);
    else
        *out = t;
    return good;
}

void git_tree_close(struct git_tree *t)
{
    run_folder_remove(&t->folder);
}
