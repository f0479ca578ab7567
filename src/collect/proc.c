#include "collect/proc.h"

#include "base/file.h"
#include "base/str.h"
#include "collect/web_site.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum { MOST_SMALL_BYTES = 64 << 10 };

static int by_number(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return (x > y) - (x < y);
}

bool proc_list(struct collection *c, uint32_t **pids, size_t *count)
{
    struct target_entry *entries = NULL;
    size_t found = 0, kept = 0;
    struct error e = ERROR_INIT;
    if (!target_list(c->target, "/proc", c->arena, &entries, &found, &e)) {
        facts_unread(c->facts, N_("running processes"), "/proc", e.message);
        return false;
    }
    uint32_t *list = arena_alloc(c->arena, (found + 1) * sizeof *list);
    for (size_t i = 0; i < found && kept < PROC_MOST; i++) {
        uint64_t number;
        if (str_to_u64(entries[i].name, &number) && number > 0 && number < UINT32_MAX)
            list[kept++] = (uint32_t)number;
    }
    if (!kept) {
        facts_unread(c->facts, N_("running processes"), "/proc", _("no process can be seen here"));
        return false;
    }
    qsort(list, kept, sizeof *list, by_number);
    /* every host and container has a first one */
    if (target_kind(c->target) == TARGET_LIVE && list[0] != 1)
        facts_unread(c->facts, N_("running processes"), "/proc",
                     _("those of other users are hidden (hidepid)"));
    *pids = list;
    *count = kept;
    return true;
}

bool proc_parse_stat(const char *text, struct proc_stat *out)
{
    const char *open = strchr(text, '('), *close = strrchr(text, ')');
    struct proc_stat s;
    unsigned long long ticks;
    if (!open || !close || close < open ||
        sscanf(close + 1,
               " %c %d %d %d %u %*d %*u %*u %*u %*u %*u %*u %*u %*d %*d %*d %*d %ld %*d %llu",
               &s.state, &s.parent, &s.group, &s.session, &s.terminal, &s.threads, &ticks) != 7)
        return false;
    snprintf(s.name, sizeof s.name, "%.*s", (int)(close - open - 1), open + 1);
    s.start_ticks = ticks;
    *out = s;
    return true;
}

bool proc_read_stat(uint32_t pid, struct proc_stat *out)
{
    char path[40], text[1024];
    snprintf(path, sizeof path, "/proc/%u/stat", pid);
    CLEANUP_CLOSE int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof text - 1);
    text[n > 0 ? n : 0] = '\0';
    return proc_parse_stat(text, out);
}

bool proc_is_over(const struct proc_stat *s)
{
    return s->state == 'Z' || s->state == 'X';
}

bool proc_cut_deleted(char *path)
{
    static const char mark[] = " (deleted)";
    if (!str_ends(path, mark))
        return false;
    path[strlen(path) - (sizeof mark - 1)] = '\0';
    return true;
}

/* systemd.unit(5). Whoever may make control groups may name one as he likes, and the name ends in
 * a line to be pasted into root's shell. */
static bool is_unit(const char *name)
{
    return str_ends(name, ".service") && strlen(name) < 256 &&
           name[strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
                             ":_.\\-@")] == '\0';
}

void proc_parse_cgroup(const char *text, struct arena *arena, const char **unit, bool *container)
{
    /* Parts of the cgroup paths that container managers make. */
    static const char *const managers[] = {"docker", "libpod", "kubepods",     "containerd",
                                           "cri-o",  "lxc",    "crio",         "buildkit",
                                           "garden", "nspawn", "machine.slice"};
    size_t position = 0, length, size = strlen(text);
    const char *line;
    *unit = "";
    *container = false;
    while (str_next_line(text, size, &position, &line, &length)) {
        char *path = arena_strndup(arena, line, length), *save = NULL;
        char *colon = strchr(path, ':');
        colon = colon ? strchr(colon + 1, ':') : NULL;
        if (!colon)
            continue;
        for (char *part = strtok_r(colon + 1, "/", &save); part;
             part = strtok_r(NULL, "/", &save)) {
            bool service = is_unit(part);
            if (service)
                *unit = part; /* the innermost one */
            for (size_t i = 0; !service && i < ARRAY_COUNT(managers); i++)
                *container = *container || str_starts(part, managers[i]);
        }
    }
}

int proc_open(struct collection *c, struct error *e)
{
    int root = target_rootfd(c->target);
    int fd = root < 0 ? -1 : openat(root, "proc", O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0) {
        error_set_errno(e, root < 0 ? ENOENT : errno, "opening failed");
        error_at(e, "/proc", 0, 0);
    }
    return fd;
}

bool proc_begin(struct collection *c, int *proc_fd, uint32_t **pids, size_t *count)
{
    struct error e = ERROR_INIT;
    *proc_fd = proc_open(c, &e);
    if (*proc_fd < 0)
        facts_unread(c->facts, N_("running processes"), "/proc", e.message);
    return *proc_fd >= 0 && proc_list(c, pids, count);
}

void proc_state_denied(struct collection *c, size_t denied)
{
    if (denied)
        facts_unread(c->facts, N_("running processes"), "/proc",
                     arena_printf(c->arena,
                                  _("%zu of them could not be looked at; only root may look at "
                                    "those of others"),
                                  denied));
}

static int open_below(int proc_fd, uint32_t pid, const char *name, int flags, struct error *e)
{
    char path[64];
    snprintf(path, sizeof path, "%u/%s", pid, name);
    int fd = openat(proc_fd, path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC | flags);
    if (fd < 0)
        error_set_errno(e, errno, "opening /proc/%s failed", path);
    return fd;
}

bool proc_read_file(int proc_fd, uint32_t pid, const char *name, size_t most, char **out,
                    size_t *size, struct error *e)
{
    CLEANUP_CLOSE int fd = open_below(proc_fd, pid, name, 0, e);
    return fd >= 0 && file_read_fd(out, size, fd, most, e);
}

bool proc_each_socket(int proc_fd, uint32_t pid, void (*visit)(void *context, uint32_t inode),
                      void *context, struct error *e)
{
    enum { MOST_DESCRIPTORS = 100000 };
    int fd = open_below(proc_fd, pid, "fd", O_DIRECTORY, e);
    DIR *dir = fd >= 0 ? fdopendir(fd) : NULL;
    if (!dir) {
        if (fd >= 0) {
            error_set_errno(e, errno, "reading /proc/%u/fd failed", pid);
            close(fd);
        }
        return false;
    }
    size_t count = 0;
    for (const struct dirent *d; count < MOST_DESCRIPTORS && (d = readdir(dir)); count++) {
        char link[64];
        uint64_t inode;
        ssize_t n = readlinkat(fd, d->d_name, link, sizeof link - 1);
        if (n < 10)
            continue;
        link[n] = '\0';
        if (!str_starts(link, "socket:["))
            continue;
        link[strcspn(link, "]")] = '\0';
        if (str_to_u64(link + 8, &inode) && inode <= UINT32_MAX)
            visit(context, (uint32_t)inode);
    }
    closedir(dir);
    return true;
}

static const char *small_file(struct collection *c, int proc_fd, uint32_t pid, const char *name)
{
    CLEANUP_FREE char *text = NULL;
    size_t size = 0;
    if (!proc_read_file(proc_fd, pid, name, MOST_SMALL_BYTES, &text, &size, NULL))
        return NULL;
    return arena_strndup(c->arena, text, size);
}

bool proc_read(struct collection *c, int proc_fd, uint32_t pid, struct proc *out)
{
    char path[64], link[4096];
    struct stat st;
    struct proc p = {.pid = pid, .executable = "", .unit = "", .name = ""};
    snprintf(path, sizeof path, "%u/exe", pid);
    ssize_t n = readlinkat(proc_fd, path, link, sizeof link - 1);
    if (n > 0) {
        link[n] = '\0';
        p.deleted = proc_cut_deleted(link);
        p.executable = arena_strdup(c->arena, link);
    } else if (errno == ENOENT || errno == ESRCH) {
        return false; /* a thread of the kernel, or gone */
    } else {
        p.denied = true;
    }
    const char *name = small_file(c, proc_fd, pid, "comm");
    if (!name)
        return false;
    p.name = arena_strndup(c->arena, name, strcspn(name, "\n"));
    const char *cgroup = small_file(c, proc_fd, pid, "cgroup");
    if (cgroup)
        proc_parse_cgroup(cgroup, c->arena, &p.unit, &p.container);
    snprintf(path, sizeof path, "%u", pid);
    if (fstatat(proc_fd, path, &st, AT_SYMLINK_NOFOLLOW) == 0)
        p.uid = st.st_uid;
    *out = p;
    return true;
}

const char *proc_user(struct arena *arena, const char *passwd, uint32_t uid)
{
    char wanted[24];
    size_t position = 0, length, size = passwd ? strlen(passwd) : 0;
    const char *line;
    snprintf(wanted, sizeof wanted, ":%u:", uid);
    while (str_next_line(passwd, size, &position, &line, &length)) { /* passwd(5) */
        const char *first = memchr(line, ':', length);
        const char *second =
            first ? memchr(first + 1, ':', length - (size_t)(first + 1 - line)) : NULL;
        if (second && length - (size_t)(second - line) > strlen(wanted) &&
            memcmp(second, wanted, strlen(wanted)) == 0)
            return arena_strndup(arena, line, (size_t)(first - line));
    }
    return arena_printf(arena, "%u", uid);
}

static uint32_t parent_of(int proc_fd, uint32_t pid)
{
    CLEANUP_FREE char *text = NULL;
    size_t size;
    struct proc_stat stat;
    return proc_read_file(proc_fd, pid, "stat", MOST_SMALL_BYTES, &text, &size, NULL) &&
                   proc_parse_stat(text, &stat)
               ? (uint32_t)stat.parent
               : 0;
}

static void find_parents(struct collection *c, struct proc_family *family)
{
    family->parents = arena_alloc(c->arena, (family->count + 1) * sizeof *family->parents);
    for (size_t i = 0; i < family->count; i++)
        family->parents[i] = parent_of(family->proc_fd, family->pids[i]);
}

void proc_workers(struct str *users, struct collection *c, struct proc_family *family,
                  const char *passwd, const struct proc *master)
{
    struct proc p;
    if (!family->parents)
        find_parents(c, family);
    for (size_t i = 0; i < family->count; i++)
        if (family->parents[i] == master->pid &&
            proc_read(c, family->proc_fd, family->pids[i], &p) && p.uid != master->uid &&
            str_equal(p.executable, master->executable))
            web_list_add(users, proc_user(c->arena, passwd, p.uid));
}

/* "START-END PERMS OFFSET DEVICE INODE   PATH"; the path may hold spaces. */
void proc_parse_maps(const char *text, size_t size,
                     void (*visit)(void *context, const char *path, size_t length, bool deleted),
                     void *context)
{
    static const char mark[] = " (deleted)";
    size_t position = 0, length;
    const char *line;
    while (str_next_line(text, size, &position, &line, &length)) {
        const char *permissions = memchr(line, ' ', length);
        size_t left = permissions ? length - (size_t)(permissions - line) : 0;
        const char *path =
            left < 6 || permissions[3] != 'x' ? NULL : memchr(permissions, '/', left);
        if (!path)
            continue;
        size_t n = length - (size_t)(path - line);
        bool deleted =
            n > sizeof mark - 1 && memcmp(path + n - (sizeof mark - 1), mark, sizeof mark - 1) == 0;
        visit(context, path, deleted ? n - (sizeof mark - 1) : n, deleted);
    }
}
