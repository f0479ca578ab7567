#include "show/progress.h"

#include "base/mem.h"
#include "base/str.h"

#include <pthread.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

enum { FIRST_MS = 500, STEP_MS = 100, LINE_MS = 30000 };

struct progress {
    const char *what;
    const struct walk_progress *at;
    uint64_t files, bytes;
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t ended;
    bool terminal, end;
};

static double megabytes(uint64_t bytes)
{
    return (double)bytes / 1e6;
}

/* In one write, as whoever reads a pipe may take the first one for all. */
static void print(const struct progress *p)
{
    uint64_t files = __atomic_load_n(&p->at->files, __ATOMIC_RELAXED);
    uint64_t bytes = __atomic_load_n(&p->at->bytes, __ATOMIC_RELAXED);
    CLEANUP_STR struct str line = {0};
    if (p->terminal)
        str_add_char(&line, '\r');
    if (p->files)
        str_printf(&line, _("%s: %llu of %llu files, %.0f of %.0f MB "), p->what,
                   (unsigned long long)files, (unsigned long long)p->files, megabytes(bytes),
                   megabytes(p->bytes));
    else
        str_printf(&line, _("%s: %llu files, %.0f MB "), p->what, (unsigned long long)files,
                   megabytes(bytes));
    if (!p->terminal)
        str_add_char(&line, '\n');
    fputs(str_text(&line), stderr);
    fflush(stderr);
}

/* True once the work has ended. */
static bool wait_ms(struct progress *p, long ms)
{
    struct timespec until;
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += ms / 1000;
    until.tv_nsec += ms % 1000 * 1000000;
    until.tv_sec += until.tv_nsec / 1000000000;
    until.tv_nsec %= 1000000000;
    while (!p->end && pthread_cond_timedwait(&p->ended, &p->lock, &until) == 0)
        continue;
    return p->end;
}

static void *run(void *context)
{
    struct progress *p = context;
    pthread_mutex_lock(&p->lock);
    bool printed = false;
    for (long ms = p->terminal ? FIRST_MS : LINE_MS; !wait_ms(p, ms);
         ms = p->terminal ? STEP_MS : LINE_MS) {
        print(p);
        printed = true;
    }
    pthread_mutex_unlock(&p->lock);
    if (printed && p->terminal)
        fputs("\r\033[K", stderr);
    return NULL;
}

struct progress *progress_start(const struct show *s, const char *what,
                                const struct walk_progress *at, uint64_t files, uint64_t bytes)
{
    if (s->json)
        return NULL;
    struct progress *p = mem_alloc(sizeof *p);
    *p = (struct progress){.what = what,
                           .at = at,
                           .files = files,
                           .bytes = bytes,
                           .terminal = isatty(2),
                           .lock = PTHREAD_MUTEX_INITIALIZER,
                           .ended = PTHREAD_COND_INITIALIZER};
    if (pthread_create(&p->thread, NULL, run, p) != 0) {
        free(p);
        return NULL;
    }
    return p;
}

void progress_end(struct progress *p)
{
    if (!p)
        return;
    pthread_mutex_lock(&p->lock);
    p->end = true;
    pthread_cond_signal(&p->ended);
    pthread_mutex_unlock(&p->lock);
    pthread_join(p->thread, NULL);
    free(p);
}
