#include "guard/by_command.h"

#include "base/mem.h"
#include "base/str.h"
#include "guard/places.h"
#include "guard/watch.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/fanotify.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>
#include <xxhash.h>

/* A set of 64-bit keys, growing. */
struct set {
    VEC(uint64_t) keys; /* sorted when `sorted` */
    bool sorted;
};

struct by_command {
    pthread_mutex_t lock; /* of pids */
    struct set pids;
    struct set ours, theirs;       /* hashes of paths */
    struct set their_unknown_dirs; /* handles of directories that were not known yet */
    struct watch *watch;
    struct places *places;
    int end; /* eventfd: the command has ended */
    bool lost, failed;
};

static void set_add(struct set *s, uint64_t key)
{
    VEC_PUSH(&s->keys, key);
    s->sorted = false;
}

static int by_key(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

static bool set_has(struct set *s, uint64_t key)
{
    if (!s->sorted && s->keys.count)
        qsort(s->keys.items, s->keys.count, sizeof *s->keys.items, by_key);
    s->sorted = true;
    return s->keys.count &&
           bsearch(&key, s->keys.items, s->keys.count, sizeof *s->keys.items, by_key);
}

static uint64_t path_key(const char *path, size_t length)
{
    return XXH3_64bits(path, length);
}

/* ---- the watching thread ------------------------------------------------------------------- */

static void on_event(void *context, const struct watch_event *event)
{
    struct by_command *b = context;
    if (event->kind == WATCH_LOST) {
        b->lost = true;
        return;
    }
    pthread_mutex_lock(&b->lock);
    bool ours = set_has(&b->pids, (uint64_t)event->pid);
    pthread_mutex_unlock(&b->lock);
    CLEANUP_STR struct str path = {0};
    struct place at = places_find(b->places, event->dir, event->name, event->thing, &path);
    if (at.kind == PLACE_NONE && !ours && event->dir)
        set_add(&b->their_unknown_dirs, event->dir);
    if (at.kind != PLACE_PATH || event->pid == getpid())
        return;
    set_add(ours ? &b->ours : &b->theirs, path_key(path.data, path.length));
    if (event->is_dir && (event->mask & (FAN_CREATE | FAN_MOVED_TO)))
        places_learn(b->places, 0, path.data);
}

static void *watch_events(void *context)
{
    struct by_command *b = context;
    struct error e = ERROR_INIT;
    struct pollfd fds[] = {{.fd = watch_fd(b->watch), .events = POLLIN},
                           {.fd = b->end, .events = POLLIN}};
    for (;;) {
        if (poll(fds, ARRAY_COUNT(fds), watch_has_more(b->watch) ? 0 : -1) < 0 && errno != EINTR)
            break;
        if (watch_has_more(b->watch) || (fds[0].revents & POLLIN)) {
            if (watch_read(b->watch, on_event, b, &e))
                continue;
            break;
        }
        if (fds[1].revents & POLLIN) /* and no event is left */
            return NULL;
    }
    b->failed = true;
    return NULL;
}

/* ---- the tracing thread -------------------------------------------------------------------- */

static void add_pid(struct by_command *b, pid_t pid)
{
    pthread_mutex_lock(&b->lock);
    set_add(&b->pids, (uint64_t)pid);
    pthread_mutex_unlock(&b->lock);
}

static void go_on(struct by_command *b, pid_t pid, int status)
{
    int event = status >> 16, signal = WSTOPSIG(status);
    unsigned long other;
    if ((event == PTRACE_EVENT_FORK || event == PTRACE_EVENT_VFORK ||
         event == PTRACE_EVENT_CLONE) &&
        ptrace(PTRACE_GETEVENTMSG, pid, NULL, &other) == 0)
        add_pid(b, (pid_t)other);
    if (event == PTRACE_EVENT_STOP && signal != SIGTRAP)
        ptrace(PTRACE_LISTEN, pid, NULL, NULL); /* it is stopped by a signal, and stays so */
    else
        ptrace(PTRACE_CONT, pid, NULL, event ? 0L : (long)signal);
}

/* Until the command and all its descendants have ended. */
static int follow(struct by_command *b, pid_t command)
{
    int status, result = 0;
    pid_t pid;
    while ((pid = waitpid(-1, &status, __WALL)) > 0 || errno == EINTR) {
        if (pid <= 0)
            continue;
        if (WIFSTOPPED(status))
            go_on(b, pid, status);
        else if (pid == command)
            result = status;
    }
    return result;
}

static pid_t start(char *const argv[], struct error *e)
{
    pid_t pid = fork();
    if (pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL); /* or it would stay stopped for ever */
        raise(SIGSTOP);                   /* until we are seized */
        prctl(PR_SET_PDEATHSIG, 0);
        execvp(argv[0], argv);
        perror(argv[0]);
        _exit(127);
    }
    int status;
    long options = PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK | PTRACE_O_TRACECLONE;
    if (pid < 0 || waitpid(pid, &status, WUNTRACED) != pid ||
        ptrace(PTRACE_SEIZE, pid, NULL, options) != 0) {
        error_set_errno(e, errno, "starting the command under watch");
        if (pid > 0) {
            kill(pid, SIGKILL);
            waitpid(pid, &status, 0);
        }
        return -1;
    }
    kill(pid, SIGCONT);
    return pid;
}

static bool open_watch(struct by_command *b, const struct site *site, struct error *e)
{
    if (!watch_open(&b->watch, false, e) || !watch_add(b->watch, site->rootfd, e))
        return false;
    b->places = places_new(site, 1, b->watch, NULL);
    b->end = eventfd(0, EFD_CLOEXEC);
    if (b->end < 0) {
        error_set_errno(e, errno, "watching the command");
        return false;
    }
    return places_learn_site(b->places, 0, -1, e);
}

bool by_command_run(struct by_command **out, const struct site *site, char *const argv[],
                    int *status, struct error *e)
{
    struct by_command *b = mem_alloc(sizeof *b);
    *b = (struct by_command){.lock = PTHREAD_MUTEX_INITIALIZER, .end = -1};
    pthread_t thread;
    if (!open_watch(b, site, e)) {
        by_command_free(b);
        return false;
    }
    pid_t pid = start(argv, e);
    if (pid < 0) {
        by_command_free(b);
        return false;
    }
    add_pid(b, pid);
    int code = pthread_create(&thread, NULL, watch_events, b);
    *status = follow(b, pid);
    if (!code) {
        uint64_t one = 1;
        b->failed = write(b->end, &one, sizeof one) != sizeof one;
        pthread_join(thread, NULL);
    }
    if (code || b->failed)
        b->lost = true;
    *out = b;
    return true;
}

void by_command_free(struct by_command *b)
{
    if (!b)
        return;
    watch_close(b->watch);
    places_free(b->places);
    VEC_FREE(&b->pids.keys);
    VEC_FREE(&b->ours.keys);
    VEC_FREE(&b->theirs.keys);
    VEC_FREE(&b->their_unknown_dirs.keys);
    if (b->end >= 0)
        close(b->end);
    free(b);
}

bool by_command_lost(const struct by_command *b)
{
    return b->lost;
}

static bool has_path(const struct set *s, const char *path, size_t length)
{
    return set_has((struct set *)s, path_key(path, length));
}

bool by_command_changed(const struct by_command *b, const char *path)
{
    size_t length = strlen(path);
    while (length) {
        if (has_path(&b->ours, path, length))
            return true;
        while (length && path[--length] != '/')
            continue;
    }
    return false;
}

bool by_others_changed(const struct by_command *b, const char *path)
{
    if (has_path(&b->theirs, path, strlen(path)))
        return true;
    /* Somebody wrote into a directory before we knew which one it was. */
    return b->their_unknown_dirs.keys.count &&
           places_dir_in(b->places, 0, path, b->their_unknown_dirs.keys.items,
                         b->their_unknown_dirs.keys.count);
}
