#include "guard/report.h"

#include "base/json.h"
#include "base/monotonic.h"
#include "base/str.h"
#include "content/evidence.h"
#include "model/date.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { QUEUE = 16384, GATHER_US = 10000 };
static const int64_t burst_pause_ns = 2000000000;

/* A copy of what the guard told; path malloc-ed. */
struct item {
    size_t site;
    char *path;
    char evidence[ASIDE_NAME_SIZE], lies_as[ASIDE_NAME_SIZE];
    enum difference_kind kind;
    unsigned what;
    bool undone, failed;
    int64_t at_ns, took_ns;
    struct stat bad;
    struct who who;
};

struct burst {
    struct tamper row;
    struct who who; /* row's strings point into it */
    char first_path[4096];
    enum difference_kind first_kind;
    int64_t last_ns; /* of our own clock */
    size_t listed;
    bool open;
};

/* Our own hold on a site: the guard opens it anew after a publication. */
struct known_site {
    char *name;
    int aside;
};

struct report {
    struct report_options options;
    struct known_site *sites;
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    struct item *queue; /* a ring */
    size_t first, used;
    uint64_t *missed; /* of each site: events that found the queue full */
    bool stop;
    struct burst *bursts; /* one a site */
};

void report_event(struct report *r, const struct guard_event *event)
{
    if (event->said != GUARD_MENDED && event->said != GUARD_DETECTED)
        return;
    size_t site = 0;
    while (site < r->options.count && !str_equal(r->sites[site].name, event->site))
        site++;
    if (site == r->options.count)
        return;
    struct item item = {.site = site,
                        .kind = event->mend->kind,
                        .what = event->mend->what,
                        .undone = event->said == GUARD_MENDED && event->mend->undone,
                        .failed = event->mend->error != NULL,
                        .at_ns = event->at_ns,
                        .took_ns = event->took_ns,
                        .bad = event->mend->bad};
    memcpy(item.evidence, event->mend->evidence, sizeof item.evidence);
    memcpy(item.lies_as, event->mend->lies_as, sizeof item.lies_as);
    if (event->who)
        item.who = *event->who;
    pthread_mutex_lock(&r->lock);
    if (r->used < QUEUE) {
        item.path = mem_strdup(event->mend->path);
        r->queue[(r->first + r->used++) % QUEUE] = item;
    } else
        r->missed[site]++;
    if (r->used == 1) /* else it has been told already */
        pthread_cond_signal(&r->changed);
    pthread_mutex_unlock(&r->lock);
}

/* ---- the hook ------------------------------------------------------------------------------- */

static char *burst_json(const struct burst *b, const char *site)
{
    CLEANUP_JSON json_t *o = json_object();
    char when[32];
    date_format(b->row.first_ns / 1000000000, when);
    json_put_string(o, "type", "tamper");
    json_put_string(o, "site", site);
    json_put_string(o, "first", when);
    json_put_string(o, "path", b->first_path);
    json_put_string(o, "kind", difference_kind_name(b->first_kind));
    json_put_int(o, "restored", (int64_t)b->row.restored);
    json_put_int(o, "failed", (int64_t)b->row.failed);
    json_put_int(o, "pid", b->row.pid);
    json_put_int(o, "uid", b->row.uid);
    json_put_string(o, "exe", b->row.exe);
    json_put_string(o, "command", b->row.command);
    json_put_string(o, "do", "yagura respond start"); /* who reads it may have no page at hand */
    CLEANUP_STR struct str line = {0};
    json_add_line(&line, o);
    str_add_char(&line, '\n');
    return mem_strdup(line.data);
}

static void run_hook(const struct report *r, const struct burst *b, const char *site)
{
    if (r->options.caller < 0)
        return;
    CLEANUP_FREE char *text = burst_json(b, site);
    if (!caller_tell(r->options.caller, text, strlen(text)) && r->options.untold)
        r->options.untold(r->options.context);
}

/* ---- bursts --------------------------------------------------------------------------------- */

static void write_burst(struct report *r, struct burst *b, const struct tamper_path *path)
{
    struct error e = ERROR_INIT;
    if (tampers_write(r->options.state, &b->row, path, path ? 1 : 0, &e))
        return;
    b->row.unlisted += path != NULL;
}

static void end_burst(struct report *r, size_t site)
{
    struct burst *b = &r->bursts[site];
    write_burst(r, b, NULL);
    b->open = false;
    if (r->options.burst)
        r->options.burst(r->options.context, &b->row, b->first_path, b->first_kind, true);
    run_hook(r, b, r->sites[site].name);
    uint64_t removed, freed;
    if (r->options.evidence_bytes && r->sites[site].aside >= 0)
        evidence_prune(r->sites[site].aside, r->options.state, r->sites[site].name,
                       r->options.evidence_bytes, false, &removed, &freed, NULL);
}

static void begin_burst(struct report *r, const struct item *item)
{
    struct burst *b = &r->bursts[item->site];
    *b = (struct burst){.who = item->who, .first_kind = item->kind, .open = true};
    b->row = (struct tamper){.site = r->sites[item->site].name,
                             .first_ns = item->at_ns,
                             .pid = item->who.pid,
                             .uid = item->who.known ? (int64_t)item->who.uid : -1,
                             .exe = b->who.exe,
                             .command = b->who.command};
    strncpy(b->first_path, item->path, sizeof b->first_path - 1);
}

/* It may be about to get its name: then it lies under one of the two. */
static int open_evidence(int aside, const struct item *item)
{
    char unnamed[sizeof ASIDE_SPARE + ASIDE_NAME_SIZE];
    snprintf(unnamed, sizeof unnamed, ASIDE_SPARE "/%s", item->lies_as);
    int flags = O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC | O_NOATIME;
    int fd = openat(aside, item->lies_as[0] ? unnamed : item->evidence, flags);
    return fd < 0 && errno == ENOENT ? openat(aside, item->evidence, flags) : fd;
}

/* The evidence's own bytes, hashed where that is bearable; what is no file has none. */
static void hash_evidence(int aside, const struct item *item, struct tamper_path *path)
{
    path->size = S_ISREG(item->bad.st_mode) ? (uint64_t)item->bad.st_size : 0;
    if (!item->evidence[0] || !S_ISREG(item->bad.st_mode) || path->size > REPORT_HASHED)
        return;
    CLEANUP_CLOSE int fd = open_evidence(aside, item);
    path->has_sha256 = fd >= 0 && walk_hash_fd(path->sha256, fd, &path->size, NULL);
}

static void take(struct report *r, struct item *item)
{
    struct burst *b = &r->bursts[item->site];
    bool begins = !b->open;
    if (begins)
        begin_burst(r, item);
    b->last_ns = monotonic_ns();
    b->row.last_ns = item->at_ns;
    b->row.restored += item->undone;
    b->row.failed += item->failed;
    uint64_t took_us = (uint64_t)item->took_ns / 1000;
    if (took_us > b->row.slowest_us)
        b->row.slowest_us = took_us;
    if (b->listed < TAMPER_PATHS) {
        struct tamper_path path = {.at_ns = item->at_ns,
                                   .path = item->path,
                                   .kind = difference_kind_name(item->kind),
                                   .evidence = item->evidence,
                                   .what = item->what,
                                   .took_us = took_us,
                                   .undone = item->undone};
        hash_evidence(r->sites[item->site].aside, item, &path);
        write_burst(r, b, &path);
        b->listed++;
    } else
        b->row.unlisted++;
    if (begins && r->options.burst)
        r->options.burst(r->options.context, &b->row, b->first_path, b->first_kind, false);
    free(item->path);
}

static void end_old_bursts(struct report *r, bool all)
{
    int64_t now = monotonic_ns();
    for (size_t i = 0; i < r->options.count; i++) {
        struct burst *b = &r->bursts[i];
        if (!b->open || (!all && now - b->last_ns < burst_pause_ns))
            continue;
        pthread_mutex_lock(&r->lock);
        b->row.unlisted += r->missed[i];
        b->row.restored += r->missed[i];
        r->missed[i] = 0;
        pthread_mutex_unlock(&r->lock);
        end_burst(r, i);
    }
}

/* False: there is none now; *last: and there will be none. */
static bool next_item(struct report *r, struct item *out, bool *last)
{
    struct timespec until;
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += 1;
    pthread_mutex_lock(&r->lock);
    if (!r->used && !r->stop) {
        pthread_cond_timedwait(&r->changed, &r->lock, &until);
        /* In a burst, not one wakening a page: that costs the guard more than its own work. */
        pthread_mutex_unlock(&r->lock);
        usleep(GATHER_US);
        pthread_mutex_lock(&r->lock);
    }
    bool there = r->used > 0;
    if (there) {
        *out = r->queue[r->first];
        r->first = (r->first + 1) % QUEUE;
        r->used--;
    }
    *last = r->stop;
    pthread_mutex_unlock(&r->lock);
    return there;
}

static void *run(void *context)
{
    struct report *r = context;
    for (;;) {
        struct item item;
        bool last;
        if (next_item(r, &item, &last)) {
            take(r, &item);
            continue;
        }
        end_old_bursts(r, last);
        if (last)
            return NULL;
    }
}

static void report_free(struct report *r)
{
    for (size_t i = 0; i < r->options.count; i++) {
        free(r->sites[i].name);
        if (r->sites[i].aside >= 0)
            close(r->sites[i].aside);
    }
    free(r->sites);
    free(r->queue);
    free(r->missed);
    free(r->bursts);
    free(r);
}

bool report_start(struct report **out, const struct report_options *options, struct error *e)
{
    struct report *r = mem_alloc(sizeof *r);
    *r = (struct report){.options = *options,
                         .lock = PTHREAD_MUTEX_INITIALIZER,
                         .changed = PTHREAD_COND_INITIALIZER};
    r->queue = mem_alloc(QUEUE * sizeof *r->queue);
    r->missed = mem_alloc((options->count + 1) * sizeof *r->missed);
    r->bursts = mem_alloc((options->count + 1) * sizeof *r->bursts);
    r->sites = mem_alloc((options->count + 1) * sizeof *r->sites);
    for (size_t i = 0; i < options->count; i++)
        r->sites[i] = (struct known_site){mem_strdup(options->sites[i].row.name),
                                          fcntl(options->sites[i].aside.fd, F_DUPFD_CLOEXEC, 0)};
    int code = pthread_create(&r->thread, NULL, run, r);
    if (!code) {
        *out = r;
        return true;
    }
    error_set_errno(e, code, "starting the report's thread");
    report_free(r);
    return false;
}

void report_stop(struct report *r)
{
    if (!r)
        return;
    pthread_mutex_lock(&r->lock);
    r->stop = true;
    pthread_cond_signal(&r->changed);
    pthread_mutex_unlock(&r->lock);
    pthread_join(r->thread, NULL);
    report_free(r);
}
