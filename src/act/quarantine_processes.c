#include "act/quarantine_processes.h"

#include "base/cage.h"
#include "base/file.h"
#include "base/json.h"
#include "base/monotonic.h"
#include "base/str.h"
#include "collect/proc.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/pidfd.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <time.h>
#include <unistd.h>

enum {
    MOST_ROUNDS = 32,
    MOST_ABOVE = 64,
    END_MS = 5000, /* for all of them; one that waits for a disk takes its time */
    MOST_MAPS = 4 << 20,
    MOST_COMMAND = 64 << 10,
    MOST_ENVIRONMENT = 1 << 20,
    PIECE = 256 << 10,
    EVIDENCE_MS = 5000,      /* of one */
    ALL_EVIDENCE_MS = 60000, /* of all: they are stopped meanwhile, and wait for their end */
    MOST_KEPT = 500,
};
static const uint64_t most_program = 64 << 20, most_in_all = 256 << 20;

/* --- who --- */

static bool is_above_us(pid_t pid)
{
    pid_t at = getpid();
    struct proc_stat s;
    for (int i = 0; at > 1 && i < MOST_ABOVE; i++) {
        if (at == pid)
            return true;
        if (!proc_read_stat((uint32_t)at, &s) || proc_is_over(&s))
            break;
        at = s.parent;
    }
    return pid == 1;
}

static uint64_t number_of(const struct fact *f, const char *key)
{
    uint64_t number = 0;
    return str_to_u64(fact_text(f, key), &number) ? number : 0;
}

static bool is_same(const struct fact *a, const struct fact *b)
{
    return number_of(a, "pid") == number_of(b, "pid") &&
           number_of(a, "start_ticks") == number_of(b, "start_ticks");
}

static struct held_process *find_held(struct process_hold *h, const struct fact *f)
{
    for (size_t i = 0; i < h->list.count; i++)
        if (is_same(h->list.items[i].fact, f))
            return &h->list.items[i];
    return NULL;
}

/* --- holding --- */

/* By a descriptor, so that a number that was given anew in between is not hit. */
static void hold(struct process_hold *h, const struct fact *f)
{
    struct held_process p = {.fact = f,
                             .pid = (pid_t)number_of(f, "pid"),
                             .device = number_of(f, "device"),
                             .inode = number_of(f, "inode"),
                             .pidfd = -1};
    struct proc_stat s;
    if (is_above_us(p.pid)) {
        h->above_us = true;
        return;
    }
    if (!h->dry) {
        p.pidfd = pidfd_open(p.pid, 0);
        if (p.pidfd >= 0 && (!proc_read_stat((uint32_t)p.pid, &s) || proc_is_over(&s) ||
                             s.start_ticks != number_of(f, "start_ticks") ||
                             pidfd_send_signal(p.pidfd, SIGSTOP, NULL, 0) != 0)) {
            close(p.pidfd);
            p.pidfd = -1;
        }
        if (p.pidfd < 0)
            return; /* it has ended */
    }
    VEC_PUSH(&h->list, p);
}

static void let_go(struct held_process *p)
{
    if (p->pidfd < 0)
        return;
    if (!p->ended)
        pidfd_send_signal(p->pidfd, SIGCONT, NULL, 0);
    close(p->pidfd);
    p->pidfd = -1;
}

static bool is_stopped_by_now(const struct held_process *p)
{
    enum { TRIES = 200, PAUSE_NS = 5000000 };
    struct proc_stat s;
    for (int i = 0; i < TRIES; i++) {
        if (!proc_read_stat((uint32_t)p->pid, &s) || strchr("TtZX", s.state))
            return true;
        nanosleep(&(struct timespec){.tv_nsec = PAUSE_NS}, NULL);
    }
    return false; /* it waits for a disk, and stops behind that */
}

/* One look: holds who is new; *new_ones says how many. Of those who were held before a script's
 * file may have been moved: only those of this round have to be seen again. */
static bool look(struct process_hold *h, size_t *new_ones, struct error *e)
{
    struct facts *facts = facts_new();
    size_t before = h->list.count;
    if (!running_find(facts, h->files, h->file_count, e)) {
        facts_free(facts);
        return false;
    }
    /* facts live as long as the hold: they are taken over as text */
    for (const struct fact *f = NULL; (f = facts_next(facts, "running", f));) {
        CLEANUP_STR struct str packet = {0};
        if (!str_equal(fact_text(f, "proof"), "yes") || find_held(h, f))
            continue;
        fact_encode(&packet, f);
        struct bytes in = bytes_of(packet.data, packet.length);
        if (facts_add_encoded(h->facts, &in, NULL))
            hold(h, facts_at(h->facts, facts_count(h->facts) - 1));
    }
    facts_free(facts);
    *new_ones = h->list.count - before;
    return true;
}

/* Who was stopped just now may have begun another program before that: it goes on. */
static bool prove_again(struct process_hold *h, size_t first, struct error *e)
{
    CLEANUP(facts_cleanup) struct facts *facts = facts_new();
    for (size_t i = first; i < h->list.count; i++)
        (void)!is_stopped_by_now(&h->list.items[i]);
    if (!running_find(facts, h->files, h->file_count, e))
        return false;
    for (size_t i = first; i < h->list.count;) {
        struct held_process *p = &h->list.items[i];
        bool proven = false;
        for (const struct fact *f = NULL; !proven && (f = facts_next(facts, "running", f));)
            proven = is_same(f, p->fact) && str_equal(fact_text(f, "proof"), "yes");
        if (proven) {
            i++;
            continue;
        }
        let_go(p);
        *p = h->list.items[--h->list.count];
    }
    return true;
}

bool process_hold_more(struct process_hold *h, struct error *e)
{
    for (int round = 0; round < MOST_ROUNDS; round++) {
        size_t new_ones, first = h->list.count;
        if (!look(h, &new_ones, e))
            return false;
        if (h->dry || !new_ones)
            return true;
        if (!prove_again(h, first, e))
            return false;
    }
    return true; /* they start others faster than we look: killing is all that is left */
}

bool process_hold(struct process_hold *out, struct running_file *files, size_t count, bool dry,
                  struct error *e)
{
    *out = (struct process_hold){
        .facts = facts_new(), .files = files, .file_count = count, .dry = dry};
    return process_hold_more(out, e);
}

void process_hold_free(struct process_hold *h)
{
    for (size_t i = 0; i < h->list.count; i++)
        let_go(&h->list.items[i]);
    VEC_FREE(&h->list);
    facts_free(h->facts);
    *h = (struct process_hold){0};
}

/* --- evidence --- */

/* A process may have made its memory one that never answers: it is read in a cage. */
struct reading {
    pid_t pid;
    int proc_fd;
    uint64_t most;   /* bytes of the program; 0: it still has a name */
    uint64_t in_all; /* bytes of everything */
};

/* What is left for all of them. */
struct keeping {
    uint64_t bytes;
    size_t processes;
    int64_t end_ms;
};

static const struct {
    const char *file, *from;
    size_t most;
} parts[] = {{"maps", "maps", MOST_MAPS},
             {"command", "cmdline", MOST_COMMAND},
             {"environment-names", "environ", MOST_ENVIRONMENT},
             {"status", "status", MOST_COMMAND},
             {"program", "exe", 0}};
enum { PART_ENVIRONMENT = 2, PART_PROGRAM = 4 };

static uint64_t most_of(const struct reading *r, uint32_t part)
{
    return part == PART_PROGRAM ? r->most : parts[part].most;
}

/* Passwords stand behind the "=". */
static size_t send_names(struct cage *cage, const char *text, size_t size, uint64_t most)
{
    CLEANUP_STR struct str names = {0};
    for (size_t at = 0; at < size; at += strnlen(text + at, size - at) + 1) {
        size_t length = strnlen(text + at, size - at);
        const char *equals = memchr(text + at, '=', length);
        str_add_bytes(&names, text + at, equals ? (size_t)(equals - (text + at)) : 0);
        str_add_char(&names, '\n');
    }
    size_t sent = names.length < most ? names.length : (size_t)most;
    cage_send(cage, PART_ENVIRONMENT, names.data, sent);
    return sent;
}

static void read_process(struct cage *cage, void *context)
{
    const struct reading *r = context;
    uint64_t in_all = r->in_all;
    CLEANUP_FREE char *buffer = mem_resize(NULL, PIECE);
    for (uint32_t i = 0; i < ARRAY_COUNT(parts); i++) {
        CLEANUP_STR struct str environment = {0};
        char path[64];
        uint64_t left = most_of(r, i);
        left = left < in_all ? left : in_all;
        snprintf(path, sizeof path, "%d/%s", (int)r->pid, parts[i].from);
        CLEANUP_CLOSE int fd = openat(r->proc_fd, path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
        ssize_t n = fd < 0 ? -1 : 1;
        while (left && n > 0 && (n = read(fd, buffer, left < PIECE ? (size_t)left : PIECE)) > 0) {
            if (i == PART_ENVIRONMENT)
                str_add_bytes(&environment, buffer, (size_t)n);
            else
                cage_send(cage, i, buffer, (size_t)n);
            left -= (uint64_t)n;
            in_all -= i == PART_ENVIRONMENT ? 0 : (uint64_t)n;
        }
        if (environment.length)
            in_all -= send_names(cage, environment.data, environment.length, in_all);
    }
}

struct writing {
    int dir, fd;
    uint32_t part; /* of fd */
    uint64_t bytes[ARRAY_COUNT(parts)], in_all;
};

static bool write_part(void *context, uint32_t type, const void *bytes, size_t size,
                       struct error *e)
{
    struct writing *w = context;
    if (type >= ARRAY_COUNT(parts)) {
        error_set(e, ERR_FORMAT, "a collector sent something unknown");
        return false;
    }
    if (w->fd < 0 || w->part != type) {
        if (w->fd >= 0)
            close(w->fd);
        w->part = type;
        w->fd = openat(w->dir, parts[type].file,
                       O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0600);
    }
    if (w->fd < 0 || write(w->fd, bytes, size) != (ssize_t)size) {
        error_set_errno(e, errno, "writing the evidence");
        return false;
    }
    w->bytes[type] += size;
    w->in_all += size;
    return true;
}

static bool write_fact(int dir, const struct fact *f)
{
    CLEANUP_JSON json_t *o = fact_to_json(f);
    CLEANUP_STR struct str line = {0};
    json_add_line(&line, o);
    str_add_char(&line, '\n');
    return file_replace(dir, "process.json", line.data, line.length, 0600, NULL);
}

/* Each part up to its bound, and one that was read up to it may have gone on. */
static bool is_cut(const struct reading *r, const struct writing *w)
{
    bool cut = w->in_all >= r->in_all;
    for (uint32_t i = 0; i < ARRAY_COUNT(parts); i++)
        cut |= w->bytes[i] && w->bytes[i] >= most_of(r, i);
    return cut;
}

/* A folder "PID-START"; what could not be kept ends nothing: the process is still to be ended. */
static void keep(struct held_process *p, int proc_fd, int evidence_fd, struct keeping *all,
                 struct arena *arena)
{
    static const struct cage_limits limits = {.wall_ms = EVIDENCE_MS};
    struct error e = ERROR_INIT;
    p->cut = true;
    if (!all->processes || !all->bytes || monotonic_ms() >= all->end_ms)
        return;
    const char *name = arena_printf(arena, "%d-%s", (int)p->pid, fact_text(p->fact, "start_ticks"));
    if (mkdirat(evidence_fd, name, 0700) != 0 && errno != EEXIST)
        return;
    CLEANUP_CLOSE int dir =
        openat(evidence_fd, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
    if (dir < 0 || !write_fact(dir, p->fact))
        return;
    p->evidence = name;
    struct reading r = {.pid = p->pid, .proc_fd = proc_fd, .in_all = all->bytes};
    if (str_equal(fact_text(p->fact, "deleted"), "yes"))
        r.most = most_program;
    struct writing w = {.dir = dir, .fd = -1};
    bool read = cage_run(CAGE_LIVE, -1, &proc_fd, 1, &limits, read_process, &r, write_part, &w, &e);
    p->cut = !read || is_cut(&r, &w);
    all->bytes -= w.in_all < all->bytes ? w.in_all : all->bytes;
    all->processes--;
    if (w.fd >= 0) {
        fsync(w.fd);
        close(w.fd);
    }
    fsync(dir);
}

/* --- ending --- */

static size_t wait_for_end(struct process_hold *h)
{
    int64_t end = monotonic_ms() + END_MS;
    size_t left = 0;
    for (size_t i = 0; i < h->list.count; i++) {
        struct held_process *p = &h->list.items[i];
        if (!p->wanted || p->ended)
            continue;
        int64_t wait = end - monotonic_ms();
        struct pollfd fd = {.fd = p->pidfd, .events = POLLIN}; /* readable: it has ended */
        p->ended = poll(&fd, 1, wait > 0 ? (int)wait : 0) > 0;
        left += !p->ended;
    }
    return left;
}

/* Those of this round. */
static size_t end_round(struct process_hold *h,
                        bool (*wanted)(void *context, const struct held_process *p), void *context,
                        int evidence_fd, struct keeping *all, struct arena *arena)
{
    CLEANUP_CLOSE int proc = open("/proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    for (size_t i = 0; i < h->list.count; i++) {
        struct held_process *p = &h->list.items[i];
        p->wanted = !wanted || wanted(context, p);
        if (p->wanted && !p->ended && proc >= 0 && evidence_fd >= 0 && !p->evidence)
            keep(p, proc, evidence_fd, all, arena);
    }
    for (size_t i = 0; i < h->list.count; i++)
        if (h->list.items[i].wanted && !h->list.items[i].ended)
            pidfd_send_signal(h->list.items[i].pidfd, SIGKILL, NULL, 0);
    return wait_for_end(h);
}

/* Half of what is free: the ledger lies on the same disk, and has to say who was ended. */
static uint64_t room_for_evidence(int fd)
{
    struct statvfs disk;
    if (fd < 0 || fstatvfs(fd, &disk) != 0)
        return most_in_all;
    uint64_t half = (uint64_t)disk.f_bavail * disk.f_frsize / 2;
    return half < most_in_all ? half : most_in_all;
}

bool process_hold_end(struct process_hold *h,
                      bool (*wanted)(void *context, const struct held_process *p), void *context,
                      int evidence_fd, struct arena *arena, struct error *e)
{
    struct keeping all = {.bytes = room_for_evidence(evidence_fd),
                          .processes = MOST_KEPT,
                          .end_ms = monotonic_ms() + ALL_EVIDENCE_MS};
    size_t left = 0;
    for (int round = 0; round < MOST_ROUNDS; round++) {
        size_t before = h->list.count;
        left = end_round(h, wanted, context, evidence_fd, &all, arena);
        if (!process_hold_more(h, e))
            return false;
        if (h->list.count == before)
            break;
        left = h->list.count - before;
    }
    if (!left)
        return true;
    error_set(e, ERR_TIMEOUT, "%zu processes run on", left);
    return false;
}
