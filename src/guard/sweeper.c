#include "guard/sweeper.h"

#include "base/mem.h"
#include "base/monotonic.h"
#include "content/verify.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

/* Not idle priority: on a busy host a mapping's write would wait for as long as it is busy. */
enum { SHARE = 20, MOST_PATH = 8192, NICE = 5 };

struct sweeper {
    const struct site *sites;
    size_t count;
    struct stat_index **indexes;
    unsigned quick_ms, full_seconds;
    pthread_t thread;
    atomic_bool stop;
    int pipe[2];
    atomic_uint_least64_t proved;
    atomic_int_least64_t last_s;
};

/* A full pipe waits for its reader; the reader's end is closed only after the thread's end. */
static void report(struct sweeper *s, size_t site, const char *path)
{
    uint32_t head[2] = {(uint32_t)site, (uint32_t)strlen(path)};
    if (head[1] > MOST_PATH)
        return;
    CLEANUP_STR struct str message = {0};
    str_add_bytes(&message, head, sizeof head);
    str_add(&message, path);
    for (size_t done = 0; done < message.length && !s->stop;) {
        ssize_t n = write(s->pipe[1], message.data + done, message.length - done);
        if (n > 0)
            done += (size_t)n;
        else if (errno == EAGAIN && !done)
            usleep(10000); /* the next round finds it again, too */
        else if (errno != EINTR && errno != EAGAIN)
            return;
    }
}

static void look(struct sweeper *s, size_t i, bool quick)
{
    struct differences *found = NULL;
    struct verify_options options = {.policies = s->sites[i].policies,
                                     .index = s->indexes[i],
                                     .quick = quick,
                                     .threads = 1,
                                     .stop = &s->stop};
    struct error e = ERROR_INIT;
    if (!verify(&found, s->sites[i].rootfd, s->sites[i].generation.manifest, &options, &e)) {
        report(s, i, "");
        return;
    }
    for (size_t d = 0; d < found->count && !s->stop; d++) {
        if (!found->items[d].wrong || found->items[d].beneath)
            continue;
        if (found->items[d].from)
            report(s, i, found->items[d].from);
        report(s, i, found->items[d].path);
    }
    differences_free(found);
}

static void pause_ms(struct sweeper *s, int64_t ms)
{
    for (int64_t end = monotonic_ms() + ms; !s->stop && monotonic_ms() < end;)
        usleep(20000);
}

static void *run(void *context)
{
    struct sweeper *s = context;
    setpriority(PRIO_PROCESS, (id_t)gettid(), NICE);
    int64_t next_full = monotonic_ms();
    while (!s->stop) {
        bool full = s->full_seconds && monotonic_ms() >= next_full;
        int64_t began = monotonic_ms();
        for (size_t i = 0; i < s->count && !s->stop; i++)
            look(s, i, !full);
        if (full && !s->stop) {
            next_full = monotonic_ms() + (int64_t)s->full_seconds * 1000;
            atomic_fetch_add(&s->proved, 1);
            atomic_store(&s->last_s, (int64_t)time(NULL));
        }
        int64_t took = monotonic_ms() - began;
        pause_ms(s, full || took * SHARE < s->quick_ms ? s->quick_ms : took * SHARE);
    }
    return NULL;
}

static void sweeper_free(struct sweeper *s)
{
    for (size_t i = 0; i < s->count; i++)
        stat_index_free(s->indexes[i]);
    free(s->indexes);
    close(s->pipe[0]);
    close(s->pipe[1]);
    free(s);
}

bool sweeper_start(struct sweeper **out, const struct site *sites, size_t count, unsigned quick_ms,
                   unsigned full_seconds, struct error *e)
{
    struct sweeper *s = mem_alloc(sizeof *s);
    *s = (struct sweeper){
        .sites = sites, .count = count, .quick_ms = quick_ms, .full_seconds = full_seconds};
    if (pipe2(s->pipe, O_CLOEXEC | O_NONBLOCK) != 0) {
        error_set_errno(e, errno, "making a pipe");
        free(s);
        return false;
    }
    s->indexes = mem_alloc((count + 1) * sizeof *s->indexes);
    for (size_t i = 0; i < count; i++)
        s->indexes[i] = stat_index_new(sites[i].generation.manifest, sites[i].generation.sha256);
    int code = pthread_create(&s->thread, NULL, run, s);
    if (code) {
        error_set_errno(e, code, "starting the sweeper");
        sweeper_free(s);
        return false;
    }
    *out = s;
    return true;
}

void sweeper_stop(struct sweeper *s)
{
    if (!s)
        return;
    s->stop = true;
    pthread_join(s->thread, NULL);
    sweeper_free(s);
}

int sweeper_fd(const struct sweeper *s)
{
    return s->pipe[0];
}

/* The writer is our own thread and writes a message in two pieces at most: what was begun comes
 * whole. */
static bool read_all(int fd, void *bytes, size_t size)
{
    for (size_t done = 0; done < size;) {
        ssize_t n = read(fd, (char *)bytes + done, size - done);
        if (n > 0)
            done += (size_t)n;
        else if (n == 0 || (errno != EAGAIN && errno != EINTR) || !done)
            return false;
    }
    return true;
}

bool sweeper_next(struct sweeper *s, size_t *site, struct str *path)
{
    uint32_t head[2];
    char buffer[MOST_PATH];
    if (!read_all(s->pipe[0], head, sizeof head) || head[1] > sizeof buffer)
        return false;
    for (size_t done = 0; done < head[1];) {
        ssize_t n = read(s->pipe[0], buffer + done, head[1] - done);
        if (n > 0)
            done += (size_t)n;
        else if (n == 0 || (errno != EAGAIN && errno != EINTR))
            return false;
    }
    *site = head[0];
    str_clear(path);
    str_add_bytes(path, buffer, head[1]);
    str_add(path, "");
    return true;
}

uint64_t sweeper_proved(struct sweeper *s, int64_t *last_s)
{
    *last_s = atomic_load(&s->last_s);
    return atomic_load(&s->proved);
}
