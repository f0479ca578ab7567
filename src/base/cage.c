#include "base/cage.h"

#include "base/bytes.h"
#include "base/cage_rules.h"
#include "base/landlock.h"
#include "base/mem.h"
#include "base/monotonic.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
    HEADER_BYTES = 8, /* u32 length, u32 type */
    DEFAULT_WALL_MS = 30 * 1000,
    DEFAULT_FRAME_BYTES = 16 * 1024 * 1024,
    READ_BYTES = 64 * 1024,
    MOST_KEPT = 30,
    MOST_DYING_MS = 1000,
    MOST_WALLS = 20, /* a child that keeps sending frames gets that many times the wall limit */
};

/* Frames of our own, out of the way of the callers' types. */
enum { FRAME_END = 0x7fffff01, FRAME_FAILED = 0x7fffff02 };

/* Exit codes that no library would choose. */
enum { EXIT_NOT_WRITTEN = 113, EXIT_NOT_CAGED = 114 };

struct cage {
    int fd;
};

/* --- the child --- */

static void send_all(struct cage *cage, const char *bytes, size_t size)
{
    for (size_t done = 0; done < size;) {
        ssize_t n = write(cage->fd, bytes + done, size - done);
        if (n < 0 && errno != EINTR)
            _exit(EXIT_NOT_WRITTEN);
        done += n > 0 ? (size_t)n : 0;
    }
}

void cage_send_parts(struct cage *cage, uint32_t type, const struct iovec *parts, size_t count)
{
    CLEANUP_STR struct str header = {0};
    size_t size = 0;
    for (size_t i = 0; i < count; i++) {
        if (parts[i].iov_len > UINT32_MAX - HEADER_BYTES - size)
            _exit(EXIT_NOT_WRITTEN);
        size += parts[i].iov_len;
    }
    bytes_put_u32le(&header, (uint32_t)size);
    bytes_put_u32le(&header, type);
    send_all(cage, header.data, header.length);
    for (size_t i = 0; i < count; i++)
        send_all(cage, parts[i].iov_base, parts[i].iov_len);
}

void cage_send(struct cage *cage, uint32_t type, const void *bytes, size_t size)
{
    struct iovec part = {(void *)bytes, size};
    cage_send_parts(cage, type, &part, 1);
}

static int compare_fds(const void *a, const void *b)
{
    return *(const int *)a - *(const int *)b;
}

/* Closes all descriptors but those few; standard input and output too. */
static void close_others(const int *keep, size_t count)
{
    int sorted[MOST_KEPT + 4];
    unsigned next = 0;
    memcpy(sorted, keep, count * sizeof *keep);
    qsort(sorted, count, sizeof *sorted, compare_fds);
    for (size_t i = 0; i < count; i++) {
        if (sorted[i] < 0 || (unsigned)sorted[i] < next)
            continue;
        if ((unsigned)sorted[i] > next)
            syscall(SYS_close_range, next, (unsigned)sorted[i] - 1, 0);
        next = (unsigned)sorted[i] + 1;
    }
    syscall(SYS_close_range, next, ~0u, 0);
}

static void child_main(enum cage_kind kind, int rootfd, const int *keep_fds, size_t keep_count,
                       int pipe_fd, const struct cage_limits *limits, cage_child *child,
                       void *context)
{
    static const int signals[] = {SIGINT,  SIGTERM, SIGHUP,  SIGQUIT, SIGPIPE, SIGALRM,
                                  SIGCHLD, SIGXCPU, SIGSYS,  SIGABRT, SIGSEGV, SIGBUS,
                                  SIGFPE,  SIGILL,  SIGTRAP, SIGUSR1, SIGUSR2};
    sigset_t none;
    for (size_t i = 0; i < ARRAY_COUNT(signals); i++)
        signal(signals[i], SIG_DFL);
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);

    int keep[MOST_KEPT + 3];
    if (keep_count)
        memcpy(keep, keep_fds, keep_count * sizeof *keep);
    keep[keep_count++] = pipe_fd;
    keep[keep_count++] = STDERR_FILENO;
    keep[keep_count++] = rootfd;
    close_others(keep, keep_count);

    struct cage cage = {.fd = pipe_fd};
    struct error e = ERROR_INIT;
    if (!cage_enter(kind, rootfd, limits, &e)) {
        cage_send(&cage, FRAME_FAILED, &e, sizeof e);
        _exit(EXIT_NOT_CAGED);
    }
    child(&cage, context);
    cage_send(&cage, FRAME_END, "", 0);
    _exit(0);
}

bool cage_enter(enum cage_kind kind, int rootfd, const struct cage_limits *limits, struct error *e)
{
    return cage_rules_apply(kind, rootfd, limits, e);
}

/* --- the parent --- */

struct parent {
    int fd;
    uint32_t most; /* bytes of a frame */
    unsigned wall_ms;
    struct str pending;
    size_t taken; /* of pending */
    bool ended;
};

static void take_failure(const void *bytes, size_t size, struct error *e)
{
    struct error sent;
    if (size != sizeof sent) {
        error_set(e, ERR_CAGE, "the cage could not be made");
        return;
    }
    /* from before the child read anything: ours, but terminated all the same */
    memcpy(&sent, bytes, sizeof sent);
    sent.message[sizeof sent.message - 1] = sent.path[sizeof sent.path - 1] = '\0';
    error_set(e, ERR_CAGE, "%s", sent.message);
}

/* Hands over all whole frames that are there. */
static bool take_frames(struct parent *p, cage_frame *frame, void *context, bool *any,
                        struct error *e)
{
    *any = false;
    for (;;) {
        struct bytes in = bytes_of(p->pending.data + p->taken, p->pending.length - p->taken);
        uint32_t size = bytes_u32le(&in), type = bytes_u32le(&in);
        if (in.failed)
            break;
        if (size > p->most) {
            error_set(e, ERR_CAGE,
                      "the caged process sent a frame of %u bytes, over the limit of "
                      "%u",
                      size, p->most);
            return false;
        }
        const uint8_t *body = bytes_take(&in, size);
        if (in.failed)
            break;
        p->taken += HEADER_BYTES + size;
        *any = true;
        if (type == FRAME_END) {
            p->ended = true;
        } else if (type == FRAME_FAILED) {
            take_failure(body, size, e);
            return false;
        } else if (!frame(context, type, body, size, e)) {
            return false;
        }
    }
    /* what is left moves to the front once it pays */
    if (p->taken == p->pending.length) {
        str_clear(&p->pending);
        p->taken = 0;
    } else if (p->taken > READ_BYTES && p->taken > p->pending.length / 2) {
        p->pending.length -= p->taken;
        memmove(p->pending.data, p->pending.data + p->taken, p->pending.length);
        p->taken = 0;
    }
    return true;
}

static bool timed_out(const struct parent *p, bool silent, struct error *e)
{
    if (silent)
        error_set(e, ERR_TIMEOUT, "the caged process gave no sign for %u ms and was stopped",
                  p->wall_ms);
    else
        error_set(e, ERR_TIMEOUT, "the caged process was not through after %llu ms and was stopped",
                  (unsigned long long)p->wall_ms * MOST_WALLS);
    return false;
}

/* Reads until the pipe closes. False if the child has to be ended. */
static bool listen_to(struct parent *p, cage_frame *frame, void *context, struct error *e)
{
    CLEANUP_FREE char *buffer = mem_resize(NULL, READ_BYTES);
    int64_t deadline = monotonic_ms() + p->wall_ms;
    int64_t end = monotonic_ms() + (int64_t)p->wall_ms * MOST_WALLS;
    for (;;) {
        int64_t left = (deadline < end ? deadline : end) - monotonic_ms();
        struct pollfd poll_fd = {.fd = p->fd, .events = POLLIN};
        int ready = left > 0 ? poll(&poll_fd, 1, left < INT_MAX ? (int)left : INT_MAX) : 0;
        if (ready == 0)
            return timed_out(p, deadline < end, e);
        if (ready < 0)
            continue; /* EINTR: the caller's handler has seen it */
        ssize_t n = read(p->fd, buffer, READ_BYTES);
        if (n == 0)
            return true;
        if (n < 0)
            continue;
        str_add_bytes(&p->pending, buffer, (size_t)n);
        bool any;
        if (!take_frames(p, frame, context, &any, e))
            return false;
        if (any)
            deadline = monotonic_ms() + p->wall_ms;
    }
}

static bool explain_end(int status, const struct parent *p, const struct cage_limits *limits,
                        struct error *e)
{
    if (p->ended)
        return true;
    if (WIFEXITED(status) && WEXITSTATUS(status) == mem_exit_code) {
        error_set(e, ERR_CAGE, "the caged process gave up: it had no memory left");
        return false;
    }
    if (WIFEXITED(status)) {
        error_set(e, ERR_CAGE, "the caged process ended before its time, with exit code %d",
                  WEXITSTATUS(status));
        return false;
    }
    int number = WTERMSIG(status);
    if (number == SIGXCPU)
        error_set(e, ERR_TIMEOUT, "the caged process used up its %u s of processor time",
                  limits && limits->cpu_seconds ? limits->cpu_seconds : 20);
    else if (number == SIGSYS)
        error_set(e, ERR_CAGE,
                  "the caged process asked for something that its cage forbids and "
                  "was ended (SIGSYS)");
    else if (number == SIGABRT)
        error_set(e, ERR_CAGE, "the caged process gave up (SIGABRT)");
    else
        error_set(e, ERR_CAGE, "the caged process died (SIG%s)",
                  sigabbrev_np(number) ? sigabbrev_np(number) : "?");
    return false;
}

/* The pipe is closed. A child that is through, or that closed it only to stay on, is ended; one
 * that died is left to be the zombie it is becoming, as its status says why. */
static int reap(pid_t pid, bool now)
{
    int status = 0;
    siginfo_t info = {0};
    for (int i = 0; !now && i < MOST_DYING_MS && !info.si_pid; i++)
        if (waitid(P_PID, (id_t)pid, &info, WEXITED | WNOHANG | WNOWAIT) != 0 || info.si_pid ||
            poll(NULL, 0, 1) < 0)
            break;
    kill(pid, SIGKILL);
    /* One that waits for a file system that does not answer (FUSE, NFS) dies when that does: it is
     * left to itself. */
    for (int i = 0; i < MOST_DYING_MS; i++) {
        pid_t got = waitpid(pid, &status, WNOHANG);
        if (got == pid)
            return status;
        if (got < 0 && errno != EINTR)
            return 0; /* somebody else reaped it: only the end frame tells */
        poll(NULL, 0, 1);
    }
    return 0;
}

static void pending_free(struct parent *p)
{
    str_free(&p->pending);
}

bool cage_start(struct cage_started *out, enum cage_kind kind, int rootfd, const int *keep_fds,
                size_t keep_count, const struct cage_limits *limits, cage_child *child,
                void *child_context, struct error *e)
{
    int ends[2];
    if (keep_count > MOST_KEPT) {
        error_set(e, ERR_LIMIT, "more than %d descriptors for a cage", MOST_KEPT);
        return false;
    }
    if (pipe2(ends, O_CLOEXEC) != 0) {
        error_set_errno(e, errno, "no pipe for a cage");
        return false;
    }
    pid_t parent = getpid();
    pid_t pid = fork();
    if (pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
        if (getppid() != parent)
            _exit(EXIT_NOT_CAGED);
        child_main(kind, rootfd, keep_fds, keep_count, ends[1], limits, child, child_context);
    }
    close(ends[1]);
    if (pid < 0) {
        error_set_errno(e, errno, "no process for a cage");
        close(ends[0]);
        return false;
    }
    *out = (struct cage_started){pid, ends[0]};
    return true;
}

bool cage_finish(const struct cage_started *c, const struct cage_limits *limits, cage_frame *frame,
                 void *frame_context, struct error *e)
{
    CLEANUP_CLOSE int fd = c->fd;
    CLEANUP(pending_free)
    struct parent p = {
        .fd = fd,
        .most = limits && limits->frame_bytes ? limits->frame_bytes : DEFAULT_FRAME_BYTES,
        .wall_ms = limits && limits->wall_ms ? limits->wall_ms : DEFAULT_WALL_MS,
    };
    if (!listen_to(&p, frame, frame_context, e)) {
        reap(c->pid, true);
        return false;
    }
    return explain_end(reap(c->pid, p.ended), &p, limits, e);
}

bool cage_run(enum cage_kind kind, int rootfd, const int *keep_fds, size_t keep_count,
              const struct cage_limits *limits, cage_child *child, void *child_context,
              cage_frame *frame, void *frame_context, struct error *e)
{
    struct cage_started c;
    return cage_start(&c, kind, rootfd, keep_fds, keep_count, limits, child, child_context, e) &&
           cage_finish(&c, limits, frame, frame_context, e);
}

const char *cage_describe(void)
{
    static const char *const texts[] = {
        "seccomp, without Landlock (this kernel has none)",
        "seccomp, Landlock ABI 1",
        "seccomp, Landlock ABI 2",
        "seccomp, Landlock ABI 3",
        "seccomp, Landlock ABI 4",
        "seccomp, Landlock ABI 5",
        "seccomp, Landlock ABI 6",
        "seccomp, Landlock ABI 7",
        "seccomp, Landlock ABI 8",
    };
    int abi = landlock_abi();
    return texts[abi < (int)ARRAY_COUNT(texts) ? abi : (int)ARRAY_COUNT(texts) - 1];
}
