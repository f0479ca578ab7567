#include "act/archive_tree.h"

#include "act/room.h"
#include "base/helper.h"
#include "base/mem.h"
#include "base/str.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { WAIT_MS = 120000, MOST_DEPTH = 200 };

struct unfolding {
    int tree;           /* the folder */
    int in;             /* frames */
    int file;           /* the last one that began; -1 */
    int64_t file_mtime; /* set once its bytes are there */
    struct room room;
    struct archive_highest *highest;
    struct tree_frame head;
    char name[TREE_MOST_NAME + 1], body[TREE_MOST_BODY + 1];
};

static bool refuse_name(const char *name, struct error *e, const char *why)
{
    error_set(e, ERR_FORMAT, "\"%.160s\" in the archive: %s", name, why);
    return false;
}

static bool refuse(const struct unfolding *u, struct error *e, const char *why)
{
    return refuse_name(u->name, e, why);
}

void archive_tree_refuse_link(const struct archive_highest *highest, struct error *e)
{
    refuse_name(highest->name, e, _("this link may lead out of the archive"));
}

/* ---- frames --------------------------------------------------------------------------------- */

static bool read_all(int fd, void *bytes, size_t size)
{
    for (char *at = bytes; size;) {
        struct pollfd p = {.fd = fd, .events = POLLIN};
        int ready = poll(&p, 1, WAIT_MS);
        ssize_t n = ready > 0 ? read(fd, at, size) : ready;
        if (n == 0 || (n < 0 && errno != EINTR))
            return false;
        at += n > 0 ? n : 0;
        size -= n > 0 ? (size_t)n : 0;
    }
    return true;
}

static bool read_frame(struct unfolding *u, struct error *e)
{
    bool good = read_all(u->in, &u->head, sizeof u->head) && u->head.name_size <= TREE_MOST_NAME &&
                u->head.body_size <= TREE_MOST_BODY &&
                read_all(u->in, u->name, u->head.name_size) &&
                read_all(u->in, u->body, u->head.body_size);
    if (!good) {
        error_set(e, ERR_CAGE, "reading the archive ended early");
        return false;
    }
    u->name[u->head.name_size] = u->body[u->head.body_size] = '\0';
    return true;
}

/* ---- names ---------------------------------------------------------------------------------- */

/* The folder of a name, made where it is missing, and in `last` the name in it ("" is the tree
 * itself). -1: said already. */
static int open_folder_of(const struct unfolding *u, const char *path, char last[NAME_MAX + 1],
                          struct error *e)
{
    int at = dup(u->tree);
    unsigned depth = 0;
    last[0] = '\0';
    for (const char *part = path; at >= 0 && *part;) {
        size_t length = strcspn(part, "/");
        bool skipped = !length || (length == 1 && part[0] == '.');
        const char *why = part == path && !length ? _("it begins with \"/\"")
                          : length == 2 && part[0] == '.' && part[1] == '.'
                              ? _("it leads out of the archive (\"..\")")
                          : length > NAME_MAX || depth > MOST_DEPTH ? _("its name is too long")
                                                                    : NULL;
        if (!why && !skipped && last[0]) {
            int next = mkdirat(at, last, 0700) == 0 || errno == EEXIST
                           ? openat(at, last, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
                           : -1;
            why = next >= 0 ? NULL : _("it would lie in something that is no folder");
            close(at);
            at = next;
            depth++;
        }
        if (why) {
            refuse(u, e, why);
            if (at >= 0)
                close(at);
            return -1;
        }
        if (!skipped)
            snprintf(last, NAME_MAX + 1, "%.*s", (int)length, part);
        part += length + (part[length] == '/');
    }
    return at;
}

static unsigned depth_of(const char *path)
{
    unsigned depth = 0;
    for (const char *part = path; *part;) {
        size_t length = strcspn(part, "/");
        depth += length && !(length == 1 && part[0] == '.');
        part += length + (part[length] == '/');
    }
    return depth;
}

/* It goes up first, not higher than the tree, and then down. Whoever goes up behind a name may
 * come out anywhere, where that name is a link. */
bool archive_link_stays_inside(const char *name, const char *target, unsigned *top)
{
    unsigned depth = depth_of(name), up = 0;
    bool down = false;
    if (!*target || *target == '/')
        return false;
    for (const char *part = target; *part;) {
        size_t length = strcspn(part, "/");
        bool above = length == 2 && part[0] == '.' && part[1] == '.';
        if (above && (down || ++up >= depth))
            return false;
        down |= !above && length && !(length == 1 && part[0] == '.');
        part += length + (part[length] == '/');
    }
    *top = depth - 1 - up;
    return true;
}

/* ---- members -------------------------------------------------------------------------------- */

static bool end_file(struct unfolding *u, struct error *e)
{
    if (u->file < 0)
        return true;
    struct timespec times[2] = {{.tv_nsec = UTIME_NOW}, {.tv_sec = u->file_mtime}};
    bool good = futimens(u->file, times) == 0 || errno == EINVAL;
    good = close(u->file) == 0 && good;
    u->file = -1;
    if (!good)
        error_set_errno(e, errno, "unfolding the archive");
    return good;
}

static bool take_piece(struct unfolding *u, struct error *e)
{
    if (u->file < 0)
        return refuse(u, e, _("bytes without a file"));
    uint32_t size = u->head.body_size;
    for (const char *at = u->body; u->head.body_size;) {
        ssize_t n = write(u->file, at, u->head.body_size);
        if (n < 0 && errno != EINTR) {
            error_set_errno(e, errno, "unfolding the archive");
            return false;
        }
        at += n > 0 ? n : 0;
        u->head.body_size -= n > 0 ? (uint32_t)n : 0;
    }
    return room_take(&u->room, size, 0, e);
}

static bool made(const struct unfolding *u, bool good, struct error *e)
{
    if (good)
        return true;
    if (errno == EEXIST)
        return refuse(u, e, _("its name comes twice"));
    error_set_errno(e, errno, "unfolding the archive");
    return false;
}

static bool take_same(struct unfolding *u, int folder, const char *last, struct error *e)
{
    char other[NAME_MAX + 1];
    struct stat st;
    CLEANUP_CLOSE int from = open_folder_of(u, u->body, other, e);
    if (from < 0)
        return false;
    if (fstatat(from, other, &st, AT_SYMLINK_NOFOLLOW) != 0 || !S_ISREG(st.st_mode))
        return refuse(u, e, _("it is another name of something that does not come before it"));
    return made(u, linkat(from, other, folder, last, 0) == 0, e);
}

static bool take_link(struct unfolding *u, int folder, const char *last, struct error *e)
{
    unsigned top;
    struct archive_highest *h = u->highest;
    if (!archive_link_stays_inside(u->name, u->body, &top))
        return refuse(u, e, _("this link may lead out of the archive"));
    if (!h->name[0] || top < h->depth) {
        h->depth = top;
        snprintf(h->name, sizeof h->name, "%s", u->name);
    }
    return made(u, symlinkat(u->body, folder, last) == 0, e);
}

static bool take_member(struct unfolding *u, struct error *e)
{
    char last[NAME_MAX + 1];
    CLEANUP_CLOSE int folder = open_folder_of(u, u->name, last, e);
    if (folder < 0)
        return false;
    if (!last[0])
        return u->head.kind == TREE_FOLDER || refuse(u, e, _("it has no name"));
    if (u->head.kind == TREE_FOLDER) {
        struct stat st;
        if (mkdirat(folder, last, 0700) == 0)
            return true;
        bool there = errno == EEXIST && fstatat(folder, last, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
                     S_ISDIR(st.st_mode);
        return there || made(u, false, e);
    }
    if (u->head.kind == TREE_SAME)
        return take_same(u, folder, last, e);
    if (u->head.kind == TREE_LINK)
        return take_link(u, folder, last, e);
    u->file = openat(folder, last, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC,
                     u->head.program ? 0700 : 0600);
    u->file_mtime = u->head.mtime;
    return made(u, u->file >= 0, e);
}

static bool take_all(struct unfolding *u, struct error *e)
{
    if (!room_is_left(&u->room, e))
        return false;
    for (;;) {
        if (!read_frame(u, e))
            return false;
        if (u->head.kind == TREE_PIECE) {
            if (!take_piece(u, e))
                return false;
            continue;
        }
        if (!end_file(u, e))
            return false;
        if (u->head.kind == TREE_END)
            return room_is_left(&u->room, e);
        if (u->head.kind > TREE_END || u->head.kind == TREE_STOP) {
            error_set(e, ERR_FORMAT, "the archive cannot be taken: %.400s", u->body);
            return false;
        }
        if (!take_member(u, e) || !room_take(&u->room, 0, 1, e))
            return false;
    }
}

static bool unfold(int tree, struct archive_highest *highest, int archive, struct error *e)
{
    int ends[2];
    pid_t pid;
    if (pipe2(ends, O_CLOEXEC) != 0) {
        error_set_errno(e, errno, "making a pipe");
        return false;
    }
    int fds[2] = {helper_fd(dup(archive)), helper_fd(ends[1])};
    CLEANUP_FREE struct unfolding *u = mem_alloc(sizeof *u);
    *u = (struct unfolding){
        .tree = tree, .in = ends[0], .file = -1, .room = {.folder = tree}, .highest = highest};
    bool started = fds[0] >= 0 && fds[1] >= 0 && helper_start(&pid, "yagura-tree", fds, 2, e);
    for (size_t i = 0; i < ARRAY_COUNT(fds); i++)
        if (fds[i] >= 0)
            close(fds[i]);
    bool good = started && take_all(u, e);
    if (u->file >= 0)
        close(u->file);
    close(ends[0]);
    if (started) {
        kill(pid, SIGKILL); /* where it is refused, it has more to say */
        while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
            continue;
    }
    return good;
}

bool archive_tree_open(struct run_folder *out, struct archive_highest *highest, int parent,
                       int archive, struct error *e)
{
    struct run_folder f;
    *highest = (struct archive_highest){0};
    if (!run_folder_make(&f, parent, "archive-", e))
        return false;
    if (!unfold(f.fd, highest, archive, e)) {
        run_folder_remove(&f);
        return false;
    }
    *out = f;
    return true;
}
