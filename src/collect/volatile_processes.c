/* Processes, what they have open and mapped, and the bytes of programs without a name: proc(5). */
#include "base/str.h"
#include "collect/proc.h"
#include "collect/volatile_internal.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum {
    MOST_SMALL_BYTES = 16 << 10,
    MOST_COMMAND_BYTES = 64 << 10,
    MOST_MAPS_BYTES = 4 << 20,
    MOST_DESCRIPTORS = 100000, /* of one process */
    MOST_PARENTS = 64,
    MOST_COPIES = 256,
    PIECE_BYTES = 256 << 10
};
static const uint64_t most_copy_bytes = 64 << 20, most_copies_bytes = 256 << 20;

static char *file_of(struct volatile_reader *r, uint32_t pid, const char *name, size_t most,
                     struct arena *arena, size_t *size, bool *cut)
{
    char path[64];
    snprintf(path, sizeof path, "%u/%s", pid, name);
    return volatile_file(r, path, most, arena, size, cut);
}

static char *link_of(struct volatile_reader *r, uint32_t pid, const char *name, struct arena *arena)
{
    char path[64];
    snprintf(path, sizeof path, "%u/%s", pid, name);
    return volatile_link(r, path, arena);
}

static bool is_gone(int number)
{
    return number == ENOENT || number == ESRCH;
}

static void unread(struct volatile_reader *r, uint32_t pid, const char *name, int number)
{
    char what[64];
    snprintf(what, sizeof what, "/proc/%u/%s", pid, name);
    if (!is_gone(number))
        volatile_unread(r, what, strerror(number));
}

/* ---- processes ------------------------------------------------------------------------------ */

struct process {
    uint32_t pid;
    bool read;
    struct proc_stat stat;
};

static bool read_stat(struct volatile_reader *r, uint32_t pid, struct process *out)
{
    CLEANUP_ARENA struct arena *arena = arena_new();
    size_t size;
    const char *text = file_of(r, pid, "stat", MOST_SMALL_BYTES, arena, &size, NULL);
    *out = (struct process){.pid = pid};
    out->read = text && proc_parse_stat(text, &out->stat);
    return out->read;
}

/* When the host came up, in seconds since 1970: "btime" of /proc/stat. */
static int64_t boot_time(struct volatile_reader *r)
{
    CLEANUP_ARENA struct arena *arena = arena_new();
    size_t size;
    const char *text = volatile_file(r, "stat", 1 << 20, arena, &size, NULL);
    const char *line = text ? strstr(text, "\nbtime ") : NULL;
    return line ? strtoll(line + 7, NULL, 10) : 0;
}

static void put_start(json_t *o, int64_t boot, unsigned long long ticks)
{
    unsigned long long hz = (unsigned long long)sysconf(_SC_CLK_TCK);
    time_t when = (time_t)(boot + (int64_t)(ticks / hz));
    struct tm tm;
    char text[64];
    if (boot && gmtime_r(&when, &tm) && strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &tm))
        json_put_string(o, "start", text);
    json_put_int(o, "start_ticks", (int64_t)ticks); /* since the start of the host: what is sure */
}

static void put_command(struct volatile_reader *r, json_t *o, uint32_t pid, struct arena *arena)
{
    size_t size = 0;
    bool cut = false;
    const char *text = file_of(r, pid, "cmdline", MOST_COMMAND_BYTES, arena, &size, &cut);
    if (!text) {
        unread(r, pid, "cmdline", errno);
        return;
    }
    json_t *words = json_array();
    for (size_t at = 0; at < size; at += strnlen(text + at, size - at) + 1) {
        CLEANUP_JSON json_t *word = json_from_text(text + at); /* volatile_file() terminates */
        json_array_append(words, word);
    }
    json_object_set_new(o, "cmdline", words);
    if (cut)
        json_put_bool(o, "cmdline_cut", true);
}

/* Passwords and keys lie in the environment; these say who came from where, and what is loaded
 * into a program without being asked. */
static void put_environment(struct volatile_reader *r, json_t *o, uint32_t pid, struct arena *arena)
{
    static const char *const names[] = {
        "LD_PRELOAD=", "LD_LIBRARY_PATH=", "LD_AUDIT=", "SSH_CONNECTION=",
        "SUDO_USER=",  "LOGNAME=",         "HISTFILE="};
    size_t size = 0;
    const char *text = file_of(r, pid, "environ", 1 << 20, arena, &size, NULL);
    json_t *found = json_object();
    for (size_t at = 0; text && at < size; at += strnlen(text + at, size - at) + 1)
        for (size_t i = 0; i < ARRAY_COUNT(names); i++)
            if (str_starts(text + at, names[i])) {
                char name[32];
                snprintf(name, sizeof name, "%.*s", (int)strlen(names[i]) - 1, names[i]);
                json_put_string(found, name, text + at + strlen(names[i]));
            }
    if (json_object_size(found))
        json_object_set(o, "environment", found);
    json_decref(found);
}

/* Lines of /proc/PID/status that are kept as they are. */
static void put_status(struct volatile_reader *r, json_t *o, uint32_t pid, struct arena *arena)
{
    static const struct {
        const char *line, *key;
    } wanted[] = {{"Uid:", "uids"},
                  {"Gid:", "gids"},
                  {"Groups:", "groups"},
                  {"TracerPid:", "tracer"},
                  {"CapEff:", "capabilities"},
                  {"Seccomp:", "seccomp"},
                  {"NSpid:", "namespace_pids"}};
    size_t size = 0, position = 0, length;
    const char *line, *text = file_of(r, pid, "status", MOST_SMALL_BYTES, arena, &size, NULL);
    while (text && str_next_line(text, size, &position, &line, &length))
        for (size_t i = 0; i < ARRAY_COUNT(wanted); i++)
            if (length > strlen(wanted[i].line) && str_starts(line, wanted[i].line)) {
                size_t skip = strlen(wanted[i].line);
                char *value = arena_strndup(arena, line + skip, length - skip);
                for (char *c = value; *c; c++)
                    *c = *c == '\t' ? ' ' : *c;
                json_put_string(o, wanted[i].key, str_trim(value));
            }
}

static const struct process *find(const struct process *all, size_t count, uint32_t pid)
{
    size_t low = 0, high = count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (all[middle].pid < pid)
            low = middle + 1;
        else
            high = middle;
    }
    return low < count && all[low].pid == pid && all[low].read ? &all[low] : NULL;
}

static void put_parents(json_t *o, const struct process *all, size_t count,
                        const struct process *of)
{
    json_t *parents = json_array();
    for (size_t i = 0; of && of->stat.parent > 0 && i < MOST_PARENTS; i++) {
        json_array_append_new(parents, json_integer(of->stat.parent));
        of = find(all, count, (uint32_t)of->stat.parent);
    }
    json_object_set_new(o, "parents", parents);
}

static void put_program(struct volatile_reader *r, json_t *o, uint32_t pid, struct arena *arena)
{
    struct stat st;
    char path[16];
    char *exe = link_of(r, pid, "exe", arena);
    if (exe) {
        bool deleted = proc_cut_deleted(exe);
        json_put_string(o, "exe", exe);
        json_put_bool(o, "exe_deleted", deleted);
        put_command(r, o, pid, arena);
        const char *cwd = link_of(r, pid, "cwd", arena);
        if (cwd)
            json_put_string(o, "cwd", cwd);
    } else if (is_gone(errno)) {
        json_put_bool(o, "kernel_thread", true); /* or it has ended meanwhile */
    } else {
        unread(r, pid, "exe", errno);
    }
    snprintf(path, sizeof path, "%u", pid);
    if (fstatat(r->proc_fd, path, &st, AT_SYMLINK_NOFOLLOW) == 0)
        json_put_int(o, "uid", st.st_uid);
}

void volatile_processes(struct volatile_reader *r)
{
    CLEANUP_ARENA struct arena *kept = arena_new();
    struct process *all = arena_alloc(kept, (r->pid_count + 1) * sizeof *all);
    int64_t boot = boot_time(r);
    uint32_t pid;
    /* first of all who is whose child: that is over soonest */
    for (size_t i = 0; i < r->pid_count; i++)
        read_stat(r, r->pids[i], &all[i]);
    for (size_t next = 0; volatile_next(r, &next, &pid);) {
        const struct process *s = &all[next - 1];
        if (!s->read)
            continue; /* it has ended */
        CLEANUP_ARENA struct arena *arena = arena_new();
        json_t *o = json_object();
        char state[2] = {s->stat.state, '\0'};
        json_put_int(o, "pid", s->pid);
        json_put_int(o, "ppid", s->stat.parent);
        json_put_string(o, "name", s->stat.name);
        json_put_string(o, "state", state);
        put_start(o, boot, s->stat.start_ticks);
        put_program(r, o, pid, arena);
        json_put_int(o, "group", s->stat.group);
        json_put_int(o, "session", s->stat.session);
        json_put_int(o, "tty", s->stat.terminal);
        json_put_int(o, "threads", s->stat.threads);
        put_parents(o, all, r->pid_count, s);
        volatile_line(r, o);
    }
}

/* What costs more time than there is before the cut. */
void volatile_details(struct volatile_reader *r)
{
    static const char *const links[] = {"root", "ns/net", "ns/mnt", "ns/pid", "ns/user"};
    uint32_t pid;
    for (size_t next = 0; volatile_next(r, &next, &pid);) {
        CLEANUP_ARENA struct arena *arena = arena_new();
        json_t *o = json_object();
        size_t size;
        json_put_int(o, "pid", pid);
        put_status(r, o, pid, arena);
        put_environment(r, o, pid, arena);
        for (size_t i = 0; i < ARRAY_COUNT(links); i++) {
            const char *to = link_of(r, pid, links[i], arena);
            if (to)
                json_put_string(o, links[i], to);
        }
        char *cgroup = file_of(r, pid, "cgroup", MOST_SMALL_BYTES, arena, &size, NULL);
        if (cgroup)
            json_put_string(o, "cgroup", str_trim(cgroup));
        volatile_line(r, o);
    }
}

/* ---- what they have open and mapped --------------------------------------------------------- */

/* A descriptor of a file that has no name any more tells its size: /proc/PID/fd/N leads to it. */
static void put_deleted(struct volatile_reader *r, int dirfd, const char *number, json_t *o)
{
    struct volatile_file file;
    if (!volatile_stat(r, dirfd, number, &file) || !S_ISREG(file.mode))
        return;
    json_put_bool(o, "deleted", true);
    json_put_int(o, "size", (int64_t)file.size);
    json_put_int(o, "inode", (int64_t)file.inode);
}

static void open_files_of(struct volatile_reader *r, uint32_t pid)
{
    char path[64];
    snprintf(path, sizeof path, "%u/fd", pid);
    int fd = openat(r->proc_fd, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *dir = fd >= 0 ? fdopendir(fd) : NULL;
    if (!dir) {
        unread(r, pid, "fd", errno);
        if (fd >= 0)
            close(fd);
        return;
    }
    size_t count = 0;
    for (const struct dirent *d; (d = readdir(dir));) {
        char to[4097];
        if (!str_is_digit(d->d_name[0]))
            continue;
        if (count++ == MOST_DESCRIPTORS) {
            snprintf(path, sizeof path, "/proc/%u/fd", pid);
            volatile_unread(r, path, _("it has more than 100,000 files open"));
            break;
        }
        ssize_t n = readlinkat(fd, d->d_name, to, sizeof to - 1);
        if (n < 0)
            continue; /* closed meanwhile */
        to[n] = '\0';
        json_t *o = json_object();
        json_put_int(o, "pid", pid);
        json_put_int(o, "fd", strtoll(d->d_name, NULL, 10));
        json_put_string(o, "to", to);
        if (str_ends(to, " (deleted)"))
            put_deleted(r, fd, d->d_name, o);
        volatile_line(r, o);
    }
    closedir(dir);
}

void volatile_open_files(struct volatile_reader *r)
{
    uint32_t pid;
    for (size_t next = 0; volatile_next(r, &next, &pid);)
        open_files_of(r, pid);
}

void volatile_maps(struct volatile_reader *r)
{
    uint32_t pid;
    for (size_t next = 0; volatile_next(r, &next, &pid);) {
        CLEANUP_ARENA struct arena *arena = arena_new();
        size_t size = 0;
        bool cut = false;
        const char *text = file_of(r, pid, "maps", MOST_MAPS_BYTES, arena, &size, &cut);
        if (!text)
            unread(r, pid, "maps", errno);
        if (!text || !size)
            continue; /* a thread of the kernel */
        json_t *o = json_object();
        json_put_int(o, "pid", pid);
        json_put_string(o, "maps", text);
        if (cut)
            json_put_bool(o, "cut", true);
        volatile_line(r, o);
    }
}

/* ---- programs that have no name any more ---------------------------------------------------- */

struct copy {
    uint64_t device, inode;
    uint32_t pid; /* the first that runs it */
};

struct copies {
    struct copy list[MOST_COPIES];
    size_t count;
};

/* The copy of what this process runs, if that is deleted; *known: an earlier one runs it, too. */
static const struct copy *copy_of(struct volatile_reader *r, uint32_t pid, struct copies *copies,
                                  struct volatile_file *st, char **exe, bool *known,
                                  struct arena *arena)
{
    char path[64];
    *exe = link_of(r, pid, "exe", arena);
    snprintf(path, sizeof path, "%u/exe", pid);
    if (!*exe || !proc_cut_deleted(*exe) || !volatile_stat(r, r->proc_fd, path, st))
        return NULL;
    *known = true;
    for (size_t i = 0; i < copies->count; i++)
        if (copies->list[i].device == st->device && copies->list[i].inode == st->inode)
            return &copies->list[i];
    *known = false;
    if (copies->count == MOST_COPIES)
        return NULL;
    copies->list[copies->count] = (struct copy){st->device, st->inode, pid};
    return &copies->list[copies->count++];
}

void volatile_deleted(struct volatile_reader *r)
{
    CLEANUP_FREE struct copies *copies = mem_alloc(sizeof *copies);
    uint32_t pid;
    for (size_t next = 0; volatile_next(r, &next, &pid);) {
        CLEANUP_ARENA struct arena *arena = arena_new();
        struct volatile_file st;
        char *exe;
        bool known;
        const struct copy *copy = copy_of(r, pid, copies, &st, &exe, &known, arena);
        if (!copy)
            continue;
        json_t *o = json_object();
        json_put_int(o, "pid", pid);
        json_put_string(o, "exe", exe);
        json_put_int(o, "size", (int64_t)st.size);
        json_put_int(o, "uid", (int64_t)st.uid);
        json_put_int(o, "mode", (int64_t)st.mode);
        json_put_int(o, "inode", (int64_t)st.inode);
        json_put_int(o, "changed", st.changed);
        json_put_int(o, "modified", st.modified);
        json_put_string(o, "copy", arena_printf(arena, "deleted-%u.bin", copy->pid));
        volatile_line(r, o);
    }
}

/* False: there is no room for more. */
static bool copy_program(struct volatile_reader *r, uint32_t pid, uint64_t *left)
{
    CLEANUP_FREE char *piece = mem_resize(NULL, PIECE_BYTES);
    char path[64], what[64];
    uint64_t most = *left < most_copy_bytes ? *left : most_copy_bytes, done = 0;
    snprintf(path, sizeof path, "%u/exe", pid);
    snprintf(what, sizeof what, "/proc/%u/exe", pid);
    CLEANUP_CLOSE int fd = openat(r->proc_fd, path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        unread(r, pid, "exe", errno);
        return true;
    }
    volatile_copy_of(r, pid);
    ssize_t n = 1;
    while (done < most && (n = read(fd, piece, PIECE_BYTES)) > 0) {
        volatile_bytes(r, piece, (size_t)n);
        done += (uint64_t)n;
    }
    if (n < 0)
        volatile_unread(r, what, strerror(errno));
    else if (done >= most && read(fd, piece, 1) > 0)
        volatile_unread(r, what,
                        most < most_copy_bytes
                            ? _("256 MiB of programs are copied; the rest is left out")
                            : _("it is longer than 64 MiB; the rest is left out"));
    *left = done < *left ? *left - done : 0;
    return *left > 0;
}

void volatile_copies(struct volatile_reader *r)
{
    CLEANUP_FREE struct copies *copies = mem_alloc(sizeof *copies);
    uint64_t left = most_copies_bytes;
    uint32_t pid;
    for (size_t next = 0; volatile_next(r, &next, &pid);) {
        CLEANUP_ARENA struct arena *arena = arena_new();
        struct volatile_file st;
        char *exe;
        bool known;
        const struct copy *copy = copy_of(r, pid, copies, &st, &exe, &known, arena);
        if (!copy || known)
            continue;
        if (!volatile_may_open(r, pid, &st)) {
            volatile_unread(r, arena_printf(arena, "/proc/%u/exe", pid),
                            _("it lies on a file system that need not answer (FUSE, network) or is "
                              "no longer mounted: it is not opened"));
            continue;
        }
        if (!copy_program(r, pid, &left))
            return;
    }
}
