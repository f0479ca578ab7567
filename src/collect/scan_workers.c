#include "collect/scan_workers.h"

#include "base/cores.h"
#include "base/helper.h"
#include "base/language.h"
#include "base/mem.h"
#include "base/monotonic.h"
#include "collect/scan_clamd.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
    MOST_WORKERS = 16, /* with two batches each, 512 descriptors are open */
    MOST_IN_HAND = 2,  /* batches a program has: one it works at, one it finds ready */
    BATCH_BYTES = 8 << 20,
    MOST_DEATHS = 200,
    MOST_RECONNECTS = 20,
    SEND_SECONDS = 30,
    POLL_MS = 1000,
};

struct batch {
    uint32_t first; /* number of its first file; the others follow */
    size_t count;
    uint64_t bytes;
    size_t asked; /* clamd was lost behind so many of them: the others are given again */
    struct scan_file files[SCAN_BATCH];
};

struct worker {
    pid_t pid; /* -1: none */
    int socket;
    bool ready, has_clamd;
    uint32_t next; /* number of the next file */
    struct batch in_hand[MOST_IN_HAND];
    size_t count;
    uint32_t steps; /* as last seen, and when */
    int64_t seen_ms;
};

struct scan_workers {
    const struct scan_setup *setup;
    struct scan_sink sink;
    struct worker workers[MOST_WORKERS];
    struct scan_progress *progress; /* a page a worker, shared with it */
    int progress_fds[MOST_WORKERS];
    size_t count;
    struct batch pending;
    VEC(struct scan_file) again; /* a dead program's: to be given to another one */
    struct scan_counts counts;
    unsigned deaths, reconnects;
    bool problems_told; /* of the rules, by the first program */
    bool clamd_lost;
    char *packet;
    struct scan_reply *reply;
};

static struct scan_progress *progress_of(struct scan_workers *w, const struct worker *one)
{
    return (struct scan_progress *)((char *)w->progress +
                                    (size_t)(one - w->workers) * (size_t)sysconf(_SC_PAGESIZE));
}

static void drop(struct scan_file *file)
{
    close(file->fd);
    free(file->path);
}

/* --- starting one --- */

static bool order(const struct worker *one, const struct scan_packet *request, const int *fds,
                  size_t fd_count)
{
    CLEANUP_STR struct str packet = {0};
    scan_put_packet(&packet, request);
    return scan_send(one->socket, &packet, fds, fd_count, 0);
}

/* Whoever wrote the folder decides what lies there: only files are opened. */
static int open_rules(const char *path)
{
    struct stat st;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (fd >= 0 && (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode))) {
        close(fd);
        errno = EINVAL;
        fd = -1;
    }
    return fd;
}

static bool give_rules(struct scan_workers *w, const struct worker *one)
{
    CLEANUP_FREE struct scan_packet *request = mem_alloc(sizeof *request);
    for (size_t i = 0; i < w->setup->rule_count; i++) {
        const struct scan_rules *rules = &w->setup->rules[i];
        CLEANUP_CLOSE int fd = open_rules(rules->path);
        if (fd < 0) {
            if (one == w->workers && !w->problems_told)
                w->sink.problem(w->sink.context, rules->path, 0, strerror(errno));
            continue;
        }
        request->order = SCAN_RULES;
        request->ours = rules->ours;
        snprintf(request->files[0].path, sizeof request->files[0].path, "%s", rules->path);
        if (!order(one, request, &fd, 1))
            return false;
    }
    request->order = SCAN_COMPILE;
    return order(one, request, NULL, 0);
}

static void give_clamd(struct scan_workers *w, struct worker *one)
{
    struct error e = ERROR_INIT;
    bool by_stream = false;
    one->has_clamd = false;
    if (!w->setup->clamd || w->clamd_lost)
        return;
    CLEANUP_CLOSE int fd = scan_clamd_connect(w->setup->clamd, &by_stream, &e);
    if (fd < 0 || w->reconnects > MOST_RECONNECTS) {
        w->clamd_lost = true;
        w->sink.note(w->sink.context, w->setup->clamd,
                     fd < 0 ? e.message : _("clamd hangs up again and again"));
        return;
    }
    CLEANUP_FREE struct scan_packet *request = mem_alloc(sizeof *request);
    request->order = by_stream ? SCAN_CLAMD_STREAM : SCAN_CLAMD;
    one->has_clamd = order(one, request, &fd, 1);
    w->counts.with_clamd |= one->has_clamd;
}

static bool start(struct scan_workers *w, struct worker *one, struct error *e)
{
    int pair[2];
    struct timeval patience = {.tv_sec = SEND_SECONDS};
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) != 0) {
        error_set_errno(e, errno, "no socket for the program that looks for patterns");
        return false;
    }
    *progress_of(w, one) = (struct scan_progress){0};
    *one = (struct worker){.pid = -1, .socket = pair[0], .next = 1, .seen_ms = monotonic_ms()};
    CLEANUP_CLOSE int theirs = helper_fd(pair[1]);
    setsockopt(one->socket, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
    const int fds[] = {theirs, w->progress_fds[one - w->workers]}; /* SCAN_SOCKET_FD and on */
    if (!helper_start(&one->pid, "yagura-scan", fds, ARRAY_COUNT(fds), e)) {
        close(one->socket);
        one->socket = -1;
        return false;
    }
    if (give_rules(w, one))
        give_clamd(w, one);
    return true; /* one that died meanwhile is seen as soon as it is listened to */
}

/* --- what they answer --- */

static void give_again(struct scan_workers *w, struct scan_file *file)
{
    VEC_PUSH(&w->again, *file);
}

/* The number must be of a file that the program has in hand. */
static const struct scan_file *file_of(const struct worker *one, uint32_t number)
{
    for (size_t i = 0; i < one->count; i++)
        if (number - one->in_hand[i].first < one->in_hand[i].count)
            return &one->in_hand[i].files[number - one->in_hand[i].first];
    return NULL;
}

static void done(struct scan_workers *w, struct worker *one)
{
    struct batch *b = &one->in_hand[0];
    for (size_t i = 0; i < b->count; i++) {
        if (i < b->asked)
            drop(&b->files[i]);
        else
            give_again(w, &b->files[i]);
    }
    one->in_hand[0] = one->in_hand[1];
    one->count--;
}

/* The new connection lies behind what the program has in hand: of that, what follows the file was
 * not asked about. */
static void lose_clamd(struct scan_workers *w, struct worker *one, const struct scan_file *file)
{
    uint32_t number = w->reply->number;
    w->sink.note(w->sink.context, file->path, w->reply->what);
    w->reconnects++;
    give_clamd(w, one);
    for (size_t i = 0; one->has_clamd && i < one->count; i++) {
        struct batch *b = &one->in_hand[i];
        size_t asked = number < b->first ? 0 : (size_t)(number - b->first) + 1;
        if (asked < b->asked)
            b->asked = asked;
    }
}

/* False where it makes no sense. */
static bool take(struct scan_workers *w, struct worker *one)
{
    const struct scan_reply *r = w->reply;
    const struct scan_file *file;
    switch (r->answer) {
    case SCAN_PROBLEM:
        if (one == w->workers && !w->problems_told) /* each finds the same */
            w->sink.problem(w->sink.context, r->path, r->number, r->what);
        return !one->ready;
    case SCAN_READY:
        w->counts.rules = r->number;
        w->problems_told |= one == w->workers;
        one->ready = true;
        return true;
    case SCAN_HIT:
        file = file_of(one, r->number);
        if (file)
            w->sink.hit(w->sink.context, file, r);
        return file != NULL;
    case SCAN_NOTE:
        file = file_of(one, r->number);
        if (file && r->note == SCAN_CLAMD_GONE)
            lose_clamd(w, one, file);
        else if (file)
            w->sink.note(w->sink.context, file->path, r->what);
        return file != NULL;
    case SCAN_DONE:
        if (!one->count || r->number != one->in_hand[0].first + one->in_hand[0].count - 1)
            return false;
        w->counts.archives +=
            r->archives < one->in_hand[0].count ? r->archives : one->in_hand[0].count;
        done(w, one);
        return true;
    }
    return false;
}

static void why_dead(char *out, size_t size, int status, bool hung, bool nonsense)
{
    int number = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
    if (hung)
        snprintf(out, size, _("looking at it took longer than %d s and was stopped"),
                 SCAN_WALL_SECONDS);
    else if (nonsense)
        snprintf(out, size, "%s", _("the program that looks for patterns sent nonsense"));
    else if (number)
        snprintf(out, size, _("the program that looks for patterns died of it (SIG%s)"),
                 sigabbrev_np(number) ? sigabbrev_np(number) : "?");
    else
        snprintf(out, size, _("the program that looks for patterns ended, with exit code %d"),
                 WEXITSTATUS(status));
}

static void bury(struct worker *one, int *status)
{
    *status = 0;
    /* it may be dying of its own: its status says why */
    for (int i = 0; i < 200 && waitpid(one->pid, status, WNOHANG) == 0; i++)
        poll(NULL, 0, 1);
    if (kill(one->pid, SIGKILL) == 0)
        while (waitpid(one->pid, status, 0) < 0 && errno == EINTR)
            ;
    one->pid = -1;
    close(one->socket);
    one->socket = -1;
}

/* Notes the file it had in hand; those behind go to another one. */
static void dead(struct scan_workers *w, struct worker *one, bool hung, bool nonsense)
{
    char why[256];
    int status;
    uint32_t current = atomic_load(&progress_of(w, one)->file);
    if (hung)
        kill(one->pid, SIGKILL);
    bury(one, &status);
    why_dead(why, sizeof why, status, hung, nonsense);
    w->deaths++;
    bool all = !one->ready && w->deaths > w->count; /* it dies of the rules, every time */
    for (size_t i = 0; i < one->count; i++) {
        struct batch *b = &one->in_hand[i];
        for (size_t k = 0; k < b->count; k++) {
            uint32_t number = b->first + (uint32_t)k;
            if (number > current && !all && w->deaths <= MOST_DEATHS) {
                give_again(w, &b->files[k]);
                continue;
            }
            if (number >= current)
                w->sink.note(w->sink.context, b->files[k].path, why);
            drop(&b->files[k]);
        }
    }
    if (!one->ready && !w->problems_told) {
        w->problems_told = true;
        w->sink.problem(w->sink.context, "", 0, why);
    }
    one->count = 0;
    struct error e = ERROR_INIT;
    if (!all && w->deaths <= MOST_DEATHS && !start(w, one, &e))
        w->sink.note(w->sink.context, "yagura-scan", e.message);
}

static void listen_to(struct scan_workers *w, struct worker *one)
{
    for (;;) {
        int fds[SCAN_BATCH];
        size_t fd_count;
        ssize_t n =
            scan_receive(one->socket, w->packet, SCAN_MOST_PACKET, fds, &fd_count, MSG_DONTWAIT);
        for (size_t i = 0; i < fd_count; i++)
            close(fds[i]);
        if (n < 0 && errno == EAGAIN)
            return;
        if (n <= 0) {
            dead(w, one, false, false);
            return;
        }
        one->seen_ms = monotonic_ms();
        if (!scan_get_reply(w->reply, w->packet, (size_t)n) || !take(w, one)) {
            kill(one->pid, SIGKILL);
            dead(w, one, false, true);
            return;
        }
    }
}

static void watch(struct scan_workers *w, struct worker *one)
{
    uint32_t steps = atomic_load(&progress_of(w, one)->steps);
    int64_t now = monotonic_ms();
    int64_t most = (one->ready ? SCAN_WALL_SECONDS : SCAN_COMPILE_SECONDS) * 1000LL;
    if (steps != one->steps || (one->ready && !one->count)) {
        one->steps = steps;
        one->seen_ms = now;
    } else if (now - one->seen_ms > most) {
        dead(w, one, true, false);
    }
}

/* One round: takes what has come, or waits a moment for it. */
static void wait_a_round(struct scan_workers *w)
{
    struct pollfd fds[MOST_WORKERS];
    nfds_t count = 0;
    size_t which[MOST_WORKERS];
    for (size_t i = 0; i < w->count; i++) {
        if (w->workers[i].pid < 0)
            continue;
        which[count] = i;
        fds[count++] = (struct pollfd){.fd = w->workers[i].socket, .events = POLLIN};
    }
    if (!count || poll(fds, count, POLL_MS) < 0)
        return;
    for (nfds_t i = 0; i < count; i++) {
        if (fds[i].revents)
            listen_to(w, &w->workers[which[i]]);
        else
            watch(w, &w->workers[which[i]]);
    }
}

/* --- giving --- */

/* The one with the least to do and room for more; NULL: none yet. *any: one lives at all. */
static struct worker *free_one(struct scan_workers *w, bool *any)
{
    struct worker *best = NULL;
    *any = false;
    for (size_t i = 0; i < w->count; i++) {
        struct worker *one = &w->workers[i];
        if (one->pid < 0)
            continue;
        *any = true;
        if (one->count < MOST_IN_HAND && (!best || one->count < best->count))
            best = one;
    }
    return best;
}

static void hand_over(struct scan_workers *w, struct worker *one)
{
    CLEANUP_FREE struct scan_packet *request = mem_resize(NULL, sizeof *request);
    struct batch *b = &one->in_hand[one->count++];
    int fds[SCAN_BATCH];
    *b = w->pending;
    w->pending.count = 0;
    w->pending.bytes = 0;
    b->first = one->next;
    b->asked = b->count;
    one->next += (uint32_t)b->count;
    request->order = SCAN_FILES;
    request->first = b->first;
    request->count = b->count;
    for (size_t i = 0; i < b->count; i++) {
        fds[i] = b->files[i].fd;
        request->files[i].size = (uint64_t)b->files[i].st.st_size;
        snprintf(request->files[i].path, sizeof request->files[i].path, "%s", b->files[i].path);
    }
    if (one->count == 1)
        one->seen_ms = monotonic_ms();
    if (!order(one, request, fds, b->count))
        dead(w, one, errno == EAGAIN, false);
}

static void flush(struct scan_workers *w)
{
    bool any = true;
    while (w->pending.count && any) {
        struct worker *one = free_one(w, &any);
        if (one)
            hand_over(w, one);
        else if (any)
            wait_a_round(w);
    }
    for (size_t i = 0; i < w->pending.count; i++) {
        w->sink.note(w->sink.context, w->pending.files[i].path,
                     _("the programs that look for patterns died too often; this was not looked "
                       "at any more"));
        drop(&w->pending.files[i]);
    }
    w->pending.count = 0;
    w->pending.bytes = 0;
}

static void add(struct scan_workers *w, struct scan_file file)
{
    w->pending.files[w->pending.count++] = file;
    w->pending.bytes += (uint64_t)file.st.st_size;
    if (w->pending.count == SCAN_BATCH || w->pending.bytes > BATCH_BYTES)
        flush(w);
}

static void add_those_again(struct scan_workers *w)
{
    while (w->again.count)
        add(w, w->again.items[--w->again.count]);
}

void scan_workers_give(struct scan_workers *w, int fd, const char *path, const struct stat *st)
{
    w->counts.files++;
    w->counts.bytes += (uint64_t)st->st_size;
    add(w, (struct scan_file){.fd = fd, .path = mem_strdup(path), .st = *st});
    add_those_again(w);
}

static bool busy(const struct scan_workers *w)
{
    for (size_t i = 0; i < w->count; i++)
        if (w->workers[i].pid >= 0 && (w->workers[i].count || !w->workers[i].ready))
            return true;
    return false;
}

void scan_workers_finish(struct scan_workers *w)
{
    do {
        add_those_again(w);
        flush(w);
        if (busy(w))
            wait_a_round(w);
    } while (busy(w) || w->again.count || w->pending.count);
}

struct scan_counts scan_workers_counts(const struct scan_workers *w)
{
    return w->counts;
}

static unsigned wanted_threads(const struct scan_setup *setup)
{
    if (!setup->threads)
        return cores_up(MOST_WORKERS);
    return setup->threads < MOST_WORKERS ? setup->threads : MOST_WORKERS;
}

/* A page a worker, each in a file of its own: what one writes the others do not see. */
static bool share_progress(struct scan_workers *w, struct error *e)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    char *all = mmap(NULL, page * w->count, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    bool good = all != MAP_FAILED;
    w->progress = good ? (struct scan_progress *)all : NULL;
    for (size_t i = 0; good && i < w->count; i++) {
        int fd = w->progress_fds[i] = helper_fd(memfd_create("yagura-scan", MFD_CLOEXEC));
        good = fd >= 0 && ftruncate(fd, (off_t)page) == 0 &&
               mmap(all + i * page, page, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED, fd, 0) !=
                   MAP_FAILED;
    }
    if (!good)
        error_set_errno(e, errno, "no memory to share with the program that looks for patterns");
    return good;
}

bool scan_workers_start(struct scan_workers **out, const struct scan_setup *setup,
                        const struct scan_sink *sink, struct error *e)
{
    CLEANUP(scan_workers_cleanup) struct scan_workers *w = mem_alloc(sizeof *w);
    w->setup = setup;
    w->sink = *sink;
    w->packet = mem_resize(NULL, SCAN_MOST_PACKET);
    w->reply = mem_alloc(sizeof *w->reply);
    w->count = wanted_threads(setup);
    for (size_t i = 0; i < MOST_WORKERS; i++) {
        w->workers[i] = (struct worker){.pid = -1, .socket = -1};
        w->progress_fds[i] = -1;
    }
    if (!share_progress(w, e))
        return false;
    for (size_t i = 0; i < w->count; i++)
        if (!start(w, &w->workers[i], e))
            return false;
    *out = w;
    w = NULL;
    return true;
}

void scan_workers_free(struct scan_workers *w)
{
    if (!w)
        return;
    for (size_t i = 0; i < w->count; i++) {
        struct worker *one = &w->workers[i];
        int status;
        for (size_t b = 0; b < one->count; b++)
            for (size_t k = 0; k < one->in_hand[b].count; k++)
                drop(&one->in_hand[b].files[k]);
        if (one->pid > 0) {
            kill(one->pid, SIGKILL);
            bury(one, &status);
        }
        if (w->progress_fds[i] >= 0)
            close(w->progress_fds[i]);
    }
    for (size_t i = 0; i < w->pending.count; i++)
        drop(&w->pending.files[i]);
    for (size_t i = 0; i < w->again.count; i++)
        drop(&w->again.items[i]);
    VEC_FREE(&w->again);
    if (w->progress)
        munmap(w->progress, w->count * (size_t)sysconf(_SC_PAGESIZE));
    free(w->packet);
    free(w->reply);
    free(w);
}

void scan_workers_cleanup(struct scan_workers **w)
{
    scan_workers_free(*w);
}
