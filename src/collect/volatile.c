#include "collect/volatile.h"

#include "base/bytes.h"
#include "base/monotonic.h"
#include "base/str.h"
#include "collect/volatile_internal.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/netlink.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

enum {
    MOST_TEXT_BYTES = 16 << 20,
    SEND_BYTES = 64 << 10,
    MOST_PIDS = 100000,
    /* A hang is told from work by silence. Before the cut every second is the attacker's. */
    FIRST_SILENCE_MS = 1000,
    REST_SILENCE_MS = 4000,
    /* In all, on a host that is alive but has more than we take: enough for some 30,000 processes
     * at the speeds measured (docs/evidence.md). */
    FIRST_MS = 3000,
    REST_MS = 60000,
    MOST_CAGES = 32,      /* two for each process that cannot be read */
    AT_ONCE = 32,         /* processes between two signs: each sign costs two changes of process */
    PIPE_BYTES = 1 << 20, /* for some thousand processes while the sockets are taken */
    SIDE_BY_SIDE = 2
};

static void volatile_mounts(struct volatile_reader *r)
{
    volatile_text(r, "self/mountinfo");
}

static void volatile_modules(struct volatile_reader *r)
{
    volatile_text(r, "modules");
}

static void volatile_conntrack(struct volatile_reader *r)
{
    volatile_text(r, "net/nf_conntrack");
}

static void volatile_kernel(struct volatile_reader *r)
{
    /* sysctl files: Documentation/admin-guide/sysctl/kernel.rst */
    static const char *const paths[] = {"version",
                                        "cmdline",
                                        "uptime",
                                        "loadavg",
                                        "sys/kernel/tainted",
                                        "sys/kernel/random/boot_id",
                                        "sys/kernel/modules_disabled",
                                        "sys/kernel/core_pattern",
                                        "sys/kernel/modprobe",
                                        "sys/kernel/randomize_va_space",
                                        "sys/kernel/yama/ptrace_scope",
                                        "sys/kernel/unprivileged_bpf_disabled",
                                        "swaps",
                                        "meminfo",
                                        "stat",
                                        "net/dev",
                                        "sysvipc/shm"};
    for (size_t i = 0; i < ARRAY_COUNT(paths); i++) {
        CLEANUP_ARENA struct arena *arena = arena_new();
        size_t size;
        const char *text = volatile_file(r, paths[i], SEND_BYTES, arena, &size, NULL);
        char path[64];
        snprintf(path, sizeof path, "/proc/%s", paths[i]);
        if (!text && errno == ENOENT)
            continue; /* a kernel without it */
        if (!text) {
            volatile_unread(r, path, strerror(errno));
            continue;
        }
        json_t *o = json_object();
        json_put_string(o, "path", path);
        json_put_string(o, "text", text);
        volatile_line(r, o);
    }
}

static const struct kind {
    enum volatile_part part;
    const char *file; /* NULL: named by volatile_copy_of() */
    void (*read)(struct volatile_reader *r);
} kinds[] = {
    {VOLATILE_FIRST, "sockets.jsonl", volatile_sockets},
    {VOLATILE_FIRST, "processes.jsonl", volatile_processes},
    {VOLATILE_REST, "sockets-others.jsonl", volatile_other_sockets},
    {VOLATILE_REST, "routing.jsonl", volatile_routing},
    {VOLATILE_REST, "process-details.jsonl", volatile_details},
    {VOLATILE_REST, "conntrack.txt", volatile_conntrack},
    {VOLATILE_REST, "open-files.jsonl", volatile_open_files},
    {VOLATILE_REST, "deleted.jsonl", volatile_deleted},
    {VOLATILE_REST, NULL, volatile_copies},
    {VOLATILE_REST, "maps.jsonl", volatile_maps},
    {VOLATILE_REST, "mounts.txt", volatile_mounts},
    {VOLATILE_REST, "modules.txt", volatile_modules},
    {VOLATILE_REST, "kernel.jsonl", volatile_kernel},
    {VOLATILE_REST, "logins.jsonl", volatile_logins},
};

enum {
    FRAME_FILE = 1, /* u32 kind, u32 pid (of a copy; else 0) */
    FRAME_AT,       /* u32 pid: what is behind it was sent */
    FRAME_ALIVE,
    FRAME_BYTES,
    FRAME_UNREAD /* string, string */
};

/* --- in the child --- */

static void send_two(struct volatile_reader *r, uint32_t type, uint32_t a, uint32_t b)
{
    CLEANUP_STR struct str frame = {0};
    bytes_put_u32le(&frame, a);
    bytes_put_u32le(&frame, b);
    cage_send(r->cage, type, frame.data, frame.length);
}

static void flush(struct volatile_reader *r)
{
    if (r->pending.length)
        cage_send(r->cage, FRAME_BYTES, r->pending.data, r->pending.length);
    str_clear(&r->pending);
}

void volatile_line(struct volatile_reader *r, json_t *o)
{
    json_add_line(&r->pending, o);
    str_add_char(&r->pending, '\n');
    json_decref(o);
    if (r->pending.length >= SEND_BYTES)
        flush(r);
}

void volatile_bytes(struct volatile_reader *r, const void *bytes, size_t size)
{
    flush(r);
    if (size)
        cage_send(r->cage, FRAME_BYTES, bytes, size);
}

void volatile_unread(struct volatile_reader *r, const char *what, const char *why)
{
    CLEANUP_STR struct str frame = {0};
    bytes_put_string(&frame, what);
    bytes_put_string(&frame, why);
    cage_send(r->cage, FRAME_UNREAD, frame.data, frame.length);
}

void volatile_copy_of(struct volatile_reader *r, uint32_t pid)
{
    flush(r);
    send_two(r, FRAME_FILE, r->kind, pid);
}

bool volatile_next(struct volatile_reader *r, size_t *next, uint32_t *pid)
{
    while (*next < r->pid_count && r->pids[*next] <= r->behind)
        ++*next;
    if (*next >= r->pid_count)
        return false;
    if (monotonic_ms() > r->deadline_ms) {
        char why[128];
        snprintf(why, sizeof why, _("the time was over with %zu processes to go"),
                 r->pid_count - *next);
        volatile_unread(r, kinds[r->kind].file ? kinds[r->kind].file : "deleted-*.bin", why);
        return false;
    }
    *pid = r->pids[(*next)++];
    if (r->careful || r->unsaid++ % AT_ONCE == 0) {
        flush(r);
        send_two(r, FRAME_AT, *pid, 0);
    }
    return true;
}

void volatile_alive(struct volatile_reader *r)
{
    if (r->unsaid++ % AT_ONCE == 0)
        cage_send(r->cage, FRAME_ALIVE, "", 0);
}

int64_t volatile_left_ms(const struct volatile_reader *r)
{
    return r->deadline_ms - monotonic_ms();
}

char *volatile_file(struct volatile_reader *r, const char *path, size_t most, struct arena *arena,
                    size_t *size, bool *cut)
{
    CLEANUP_STR struct str text = {0};
    char buffer[16 << 10];
    CLEANUP_CLOSE int fd = openat(r->proc_fd, path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0)
        return NULL;
    ssize_t n = 1;
    while (text.length < most) {
        size_t room = most - text.length;
        n = read(fd, buffer, room < sizeof buffer ? room : sizeof buffer);
        if (n <= 0)
            break;
        str_add_bytes(&text, buffer, (size_t)n);
    }
    if (n < 0 && !text.length)
        return NULL;
    if (cut)
        *cut = n > 0 && read(fd, buffer, 1) > 0;
    *size = text.length;
    return arena_strndup(arena, str_text(&text), text.length);
}

bool volatile_stat(struct volatile_reader *r, int dirfd, const char *path,
                   struct volatile_file *out)
{
    struct statx st;
    if (statx(dirfd, path, AT_STATX_DONT_SYNC | AT_NO_AUTOMOUNT, STATX_BASIC_STATS, &st) != 0)
        return false;
    *out = (struct volatile_file){.device = makedev(st.stx_dev_major, st.stx_dev_minor),
                                  .inode = st.stx_ino,
                                  .size = st.stx_size,
                                  .uid = st.stx_uid,
                                  .mode = st.stx_mode,
                                  .changed = st.stx_ctime.tv_sec,
                                  .modified = st.stx_mtime.tv_sec};
    return true;
}

/* "ID PARENT MAJOR:MINOR ROOT POINT OPTIONS ... - TYPE SOURCE ..."; proc(5) */
bool volatile_may_open(struct volatile_reader *r, uint32_t pid, const struct volatile_file *file)
{
    static const char *const foreign[] = {"fuse", "nfs",      "cifs", "smb",  "9p",    "ceph",
                                          "afs",  "virtiofs", "gfs",  "ocfs", "lustre"};
    CLEANUP_ARENA struct arena *arena = arena_new();
    char path[32];
    size_t size, position = 0, length;
    const char *line;
    if (file->device == r->memory_device)
        return true;
    snprintf(path, sizeof path, "%u/mountinfo", pid);
    const char *text = volatile_file(r, path, MOST_TEXT_BYTES, arena, &size, NULL);
    while (text && str_next_line(text, size, &position, &line, &length)) {
        unsigned major, minor;
        const char *copy = arena_strndup(arena, line, length);
        const char *type = strstr(copy, " - ");
        if (!type || sscanf(copy, "%*u %*u %u:%u", &major, &minor) != 2 ||
            makedev(major, minor) != file->device)
            continue;
        for (size_t i = 0; i < ARRAY_COUNT(foreign); i++)
            if (str_starts(type + 3, foreign[i]) && !str_starts(type + 3, "fusectl"))
                return false;
        return true;
    }
    return false;
}

char *volatile_link(struct volatile_reader *r, const char *path, struct arena *arena)
{
    char to[4097];
    ssize_t n = readlinkat(r->proc_fd, path, to, sizeof to - 1);
    return n < 0 ? NULL : arena_strndup(arena, to, (size_t)n);
}

void volatile_text(struct volatile_reader *r, const char *path)
{
    CLEANUP_ARENA struct arena *arena = arena_new();
    size_t size;
    bool cut = false;
    char what[64];
    const char *text = volatile_file(r, path, MOST_TEXT_BYTES, arena, &size, &cut);
    snprintf(what, sizeof what, "/proc/%s", path);
    if (text)
        volatile_bytes(r, text, size);
    else if (errno != ENOENT)
        volatile_unread(r, what, strerror(errno));
    if (cut)
        volatile_unread(r, what, _("it is longer than 16 MiB; the rest is left out"));
}

static int by_number(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return (x > y) - (x < y);
}

/* Ourselves we are not: the cage and its parent are no evidence, but are told all the same, as
 * whoever reads it later shall see who was reading. */
static void list_pids(struct volatile_reader *r, bool say, struct arena *arena)
{
    int fd = dup(r->proc_fd);
    DIR *dir = fd >= 0 ? fdopendir(fd) : NULL;
    r->pids = arena_alloc(arena, MOST_PIDS * sizeof *r->pids);
    if (!dir) {
        volatile_unread(r, "/proc", strerror(errno));
        if (fd >= 0)
            close(fd);
        return;
    }
    rewinddir(dir);
    for (const struct dirent *d; r->pid_count < MOST_PIDS && (d = readdir(dir));) {
        uint64_t number;
        if (str_to_u64(d->d_name, &number) && number > 0 && number < UINT32_MAX)
            r->pids[r->pid_count++] = (uint32_t)number;
    }
    if (say && r->pid_count == MOST_PIDS)
        volatile_unread(r, "/proc", _("there are more than 100,000 processes"));
    closedir(dir);
    qsort(r->pids, r->pid_count, sizeof *r->pids, by_number);
    if (say && r->pid_count && r->pids[0] != 1)
        volatile_unread(r, "/proc", _("processes of other users are hidden (hidepid)"));
}

struct place {
    uint32_t kind, pid; /* where the last cage was: this process is read next; 0: all of them */
    uint32_t end;       /* the kind behind the last one */
    bool careful;       /* say each process */
    bool beside;        /* another one beside it says what is wrong with the list of processes */
    int proc_fd, route_fd, diag_fd;
    int64_t deadline_ms;
    uint64_t memory_device;
};

static void read_kinds(struct cage *cage, void *context)
{
    const struct place *from = context;
    CLEANUP_ARENA struct arena *arena = arena_new();
    struct volatile_reader r = {.cage = cage,
                                .proc_fd = from->proc_fd,
                                .route_fd = from->route_fd,
                                .diag_fd = from->diag_fd,
                                .behind = from->pid ? from->pid - 1 : 0,
                                .careful = from->careful,
                                .deadline_ms = from->deadline_ms,
                                .memory_device = from->memory_device};
    list_pids(&r, !from->beside, arena);
    for (r.kind = from->kind; r.kind < from->end; r.kind++) {
        if (kinds[r.kind].file)
            send_two(&r, FRAME_FILE, r.kind, 0);
        kinds[r.kind].read(&r);
        flush(&r);
        r.behind = 0;
        r.unsaid = 0;
    }
    str_free(&r.pending);
}

/* --- in the parent --- */

struct parent {
    const struct volatile_sink *sink;
    struct place at;
    bool file_open;
    bool got_bytes, retried; /* of the kind that is read */
    uint32_t file_kind, file_pid;
};

static bool take_file(struct parent *p, struct bytes *in, struct error *e)
{
    char name[64];
    uint32_t kind = bytes_u32le(in), pid = bytes_u32le(in);
    if (in->failed || kind >= p->at.end || kind < p->at.kind || (kinds[kind].file && pid)) {
        error_set(e, ERR_FORMAT, "a collector sent something unknown");
        return false;
    }
    if (kind != p->at.kind) {
        p->at.pid = 0;
        p->got_bytes = p->retried = false;
    }
    p->at.kind = kind;
    /* a second cage goes on with the file of the first */
    if (p->file_open && p->file_kind == kind && p->file_pid == pid)
        return true;
    if (kinds[kind].file)
        snprintf(name, sizeof name, "%s", kinds[kind].file);
    else
        snprintf(name, sizeof name, "deleted-%u.bin", pid);
    p->file_open = true;
    p->file_kind = kind;
    p->file_pid = pid;
    return p->sink->file(p->sink->context, name, e);
}

static void take_unread(struct parent *p, struct bytes *in)
{
    enum { MOST_WORDS = 4096 };
    CLEANUP_STR struct str what = {0}, why = {0};
    size_t what_length = 0, why_length = 0;
    const char *a = bytes_string(in, MOST_WORDS, &what_length);
    const char *b = bytes_string(in, MOST_WORDS, &why_length);
    if (in->failed)
        return;
    str_add_printable(&what, a, what_length);
    str_add_printable(&why, b, why_length);
    p->sink->unread(p->sink->context, str_text(&what), str_text(&why));
}

static bool take_frame(void *context, uint32_t type, const void *data, size_t size, struct error *e)
{
    struct parent *p = context;
    struct bytes in = bytes_of(data, size);
    switch (type) {
    case FRAME_FILE:
        return take_file(p, &in, e);
    case FRAME_AT:
        p->at.pid = bytes_u32le(&in);
        return true;
    case FRAME_ALIVE:
        return true;
    case FRAME_BYTES:
        p->got_bytes = true;
        return !p->file_open || p->sink->bytes(p->sink->context, data, size, e);
    case FRAME_UNREAD:
        take_unread(p, &in);
        return true;
    default:
        error_set(e, ERR_FORMAT, "a collector sent something unknown");
        return false;
    }
}

/* The first time it is looked for which process it was, the second time that one is stated and left
 * out. False: there is nothing behind it. */
static bool go_on(struct parent *p, const struct error *died)
{
    char what[64];
    const char *file = kinds[p->at.kind].file ? kinds[p->at.kind].file : "deleted-*.bin";
    if (p->at.pid && !p->at.careful) {
        p->at.careful = true;
        return true;
    }
    if (!p->at.pid && !p->got_bytes && !p->retried) {
        p->retried = true; /* a host under attack has little time for us: once more */
        return true;
    }
    if (p->at.pid)
        snprintf(what, sizeof what, "%s: /proc/%u", file, p->at.pid++);
    else
        snprintf(what, sizeof what, "%s", file);
    p->sink->unread(p->sink->context, what, died->message);
    p->at.careful = false;
    if (!p->at.pid)
        p->at.kind++; /* it was not a process: the kind itself cannot be read */
    return p->at.kind < p->at.end;
}

static uint64_t find_memory_device(void)
{
    struct stat st = {0};
    CLEANUP_CLOSE int fd = memfd_create("yagura", MFD_CLOEXEC);
    return fd >= 0 && fstat(fd, &st) == 0 ? st.st_dev : 0;
}

struct reading {
    struct parent parent;
    struct cage_limits limits;
    struct cage_started cage;
    struct error failed; /* to start */
};

static void start(struct reading *r)
{
    struct place *from = &r->parent.at;
    int keep[3] = {from->proc_fd}, kept = 1;
    if (from->route_fd >= 0)
        keep[kept++] = from->route_fd;
    if (from->diag_fd >= 0)
        keep[kept++] = from->diag_fd;
    r->failed = ERROR_INIT;
    if (cage_start(&r->cage, CAGE_LIVE, -1, keep, kept, &r->limits, read_kinds, from, &r->failed))
        fcntl(r->cage.fd, F_SETPIPE_SZ, PIPE_BYTES);
}

/* What the cages found, and new ones where one died. */
static bool finish(struct reading *r, struct error *e)
{
    struct parent *p = &r->parent;
    for (int cages = 1;; cages++) {
        struct error died = r->failed;
        if (died.code == ERR_NONE && cage_finish(&r->cage, &r->limits, take_frame, p, &died))
            return true;
        if (died.code != ERR_CAGE && died.code != ERR_TIMEOUT) {
            *e = died;
            return false;
        }
        if (!go_on(p, &died))
            return true;
        if (cages == MOST_CAGES)
            break;
        start(r);
    }
    p->sink->unread(p->sink->context, "/proc",
                    _("too many processes could not be read; the rest is left out"));
    return true;
}

/* Before the cut a cage each, side by side: there is no time to lose, and what each of them tells
 * belongs to the same moment. */
bool volatile_read(enum volatile_part part, const struct volatile_sink *sink, struct error *e)
{
    CLEANUP_CLOSE int proc = open("/proc", O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    CLEANUP_CLOSE int route = socket(AF_NETLINK, SOCK_DGRAM | SOCK_CLOEXEC, NETLINK_ROUTE);
    CLEANUP_CLOSE int diag = socket(AF_NETLINK, SOCK_DGRAM | SOCK_CLOEXEC, NETLINK_SOCK_DIAG);
    if (proc < 0) {
        error_set_errno(e, errno, "opening /proc");
        return false;
    }
    bool first = part == VOLATILE_FIRST, good = true;
    struct reading readings[SIDE_BY_SIDE];
    struct reading new = {
        .parent = {.sink = sink,
                   .at = {.proc_fd = proc,
                          .route_fd = route,
                          .diag_fd = diag,
                          .memory_device = find_memory_device(),
                          .deadline_ms = monotonic_ms() + (first ? FIRST_MS : REST_MS)}},
        .limits = {.wall_ms = first ? FIRST_SILENCE_MS : REST_SILENCE_MS}};
    size_t count = 0;
    for (uint32_t kind = 0; kind < ARRAY_COUNT(kinds); kind++) {
        if (kinds[kind].part != part)
            continue;
        if (!count || (first && count < SIDE_BY_SIDE)) {
            new.parent.at.kind = kind;
            new.parent.at.beside = count > 0;
            readings[count++] = new;
        }
        readings[count - 1].parent.at.end = kind + 1;
    }
    for (size_t i = 0; i < count; i++)
        start(&readings[i]);
    for (size_t i = 0; i < count; i++) {
        struct error problem = ERROR_INIT;
        if (finish(&readings[i], &problem))
            continue;
        if (good)
            *e = problem;
        good = false;
    }
    return good;
}
