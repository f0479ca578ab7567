#include "guard/live.h"

#include "base/str.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/fanotify.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

/* A self-test that has not come back by then: the guard is blind. */
static const int64_t blind_ns = 2000000000;
static const char selftest_name[] = "selftest";
/* What could not be put back is tried again after a second, then after twice as long each time.
 * One round gives up after this many failures one after the other, so that a full disk does not
 * keep the loop from its events. */
static const int64_t first_retry_ns = 1000000000, slowest_retry_ns = 60000000000;
enum { MOST_RETRIES = 4096, FAILURES_A_ROUND = 16 };

static int64_t clock_ns(clockid_t which)
{
    struct timespec now;
    clock_gettime(which, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

void guard_count_ready(const struct guard *g, size_t site, uint64_t *ready, uint64_t *wanted)
{
    *ready = *wanted = 0;
    if (g->live[site].spares)
        spares_count(g->live[site].spares, ready, wanted);
}

const struct guard_counts *guard_counts(const struct guard *g)
{
    return &g->counts;
}

/* ---- telling ----------------------------------------------------------------------------- */

static void tell(struct guard *g, struct guard_event *event)
{
    event->at_ns = g->event_wall_ns ? g->event_wall_ns : clock_ns(CLOCK_REALTIME);
    if (g->event_ns)
        event->took_ns = clock_ns(CLOCK_MONOTONIC) - g->event_ns;
    if (g->options.event)
        g->options.event(g->options.context, event);
}

void live_tell_said(struct guard *g, const struct live_site *live, enum guard_said said,
                    const struct error *error)
{
    struct guard_event event = {
        .said = said, .site = live ? live->site->row.name : "", .error = error};
    tell(g, &event);
}

/* ---- trying again ---------------------------------------------------------------------------- */

static struct retry *find_retry(struct live_site *live, const char *path)
{
    for (size_t i = 0; i < live->retries.count; i++)
        if (strcmp(live->retries.items[i].path, path) == 0)
            return &live->retries.items[i];
    return NULL;
}

static void add_retry(struct live_site *live, const char *path)
{
    if (live->retries.count >= MOST_RETRIES) {
        live->too_many_retries = true;
        path = "";
        if (find_retry(live, path))
            return;
    }
    int64_t now = clock_ns(CLOCK_MONOTONIC);
    struct retry retry = {mem_strdup(path), now, now + first_retry_ns, first_retry_ns};
    VEC_PUSH(&live->retries, retry);
    atomic_fetch_add(&live->guard->counts.pending, 1);
}

static void drop_retry(struct live_site *live, size_t i)
{
    free(live->retries.items[i].path);
    live->retries.items[i] = live->retries.items[--live->retries.count];
    atomic_fetch_sub(&live->guard->counts.pending, 1);
}

/* ---- telling, of the mender ------------------------------------------------------------------ */

static void forget_evidence(struct guard *g, struct live_site *live, const struct mend_event *mend)
{
    bool unnamed = mend->lies_as[0] != '\0';
    int dirfd = unnamed ? spares_dir(live->spares) : live->site->aside.fd;
    places_forget_evidence(g->places, live->number, dirfd,
                           unnamed ? mend->lies_as : mend->evidence);
    if (unnamed)
        spares_note_evidence(live->spares, mend->lies_as, mend->evidence);
}

/* What was put back is another inode now. What failed is said once, and tried again. */
static void on_mend(void *context, const struct mend_event *mend)
{
    struct live_site *live = context;
    struct guard *g = live->guard;
    if (g->options.alive) /* a sweep may find very many */
        alive_beat(g->options.alive);
    if (mend->error && !g->options.detect_only) {
        if (find_retry(live, mend->path))
            return;
        add_retry(live, mend->path);
    }
    bool undone = mend->undone && !live->mender.dry_run;
    if (mend->error)
        atomic_fetch_add(&g->counts.failed, 1);
    else
        atomic_fetch_add(undone ? &g->counts.mended : &g->counts.left, 1);
    if (undone) {
        if (mend->evidence[0])
            forget_evidence(g, live, mend);
        if (mend->kind != DIFFERENCE_ADDED &&
            !(mend->name &&
              places_learn_file(g->places, live->number, mend->path, mend->dirfd, mend->name)))
            places_learn(g->places, live->number, mend->path);
    }
    if (!mend->undone && !mend->error && mend->kind != DIFFERENCE_CHANGED &&
        mend->policy != POLICY_IGNORE)
        return; /* allowed: no event, the count is enough */
    struct guard_event event = {.said = live->mender.dry_run ? GUARD_DETECTED : GUARD_MENDED,
                                .site = live->site->row.name,
                                .mend = mend,
                                .who = g->who};
    if (!mend->undone && !mend->error)
        return;
    tell(g, &event);
}

/* ---- mending ------------------------------------------------------------------------------ */

static bool is_dir_at(const struct site *site, const char *path)
{
    CLEANUP_CLOSE int fd =
        openat(site->rootfd, path, O_PATH | O_NOFOLLOW | O_DIRECTORY | O_CLOEXEC);
    return fd >= 0;
}

void live_sweep(struct guard *g, struct live_site *live, const char *path, bool quick)
{
    enum mend_result r = mend_tree(&live->mender, path, 0, quick);
    atomic_fetch_add(&g->counts.sweeps, 1);
    if (r != MEND_FAILED && !path[0])
        atomic_store(&g->counts.last_proved_s, clock_ns(CLOCK_REALTIME) / 1000000000);
}

/* Thousands may have waited for a release: each that is looked at is a sign of life. */
void live_look_at(struct guard *g, struct live_site *live, const char *path)
{
    if (g->options.alive)
        alive_beat(g->options.alive);
    if (live->held) {
        publication_wait(live, path);
        return;
    }
    enum mend_result r = mend_path(&live->mender, path);
    if (r == MEND_LEFT && is_dir_at(live->site, path) &&
        (places_learn(g->places, live->number, path) || !g->stays))
        beneath_later(live, path);
}

/* True unless it failed again. */
static bool try_again(struct guard *g, struct live_site *live, size_t i)
{
    struct retry *retry = &live->retries.items[i];
    CLEANUP_FREE char *path = mem_strdup(retry->path);
    bool all = !path[0] && live->too_many_retries;
    g->event_ns = retry->since_ns;
    enum mend_result r =
        all ? mend_tree(&live->mender, "", 0, true) : mend_path(&live->mender, path);
    /* Of a folder that was made anew it may be a page in it that failed. */
    if (!all && r != MEND_FAILED && is_dir_at(live->site, path))
        r = mend_tree(&live->mender, path, 1, true);
    g->event_ns = 0;
    retry = find_retry(live, path); /* the list may have grown */
    if (r != MEND_FAILED) {
        live->too_many_retries = live->too_many_retries && !all;
        drop_retry(live, (size_t)(retry - live->retries.items));
        return true;
    }
    retry->delay_ns =
        retry->delay_ns * 2 < slowest_retry_ns ? retry->delay_ns * 2 : slowest_retry_ns;
    retry->next_ns = clock_ns(CLOCK_MONOTONIC) + retry->delay_ns;
    return false;
}

static void try_all_again(struct guard *g, struct live_site *live)
{
    int64_t now = clock_ns(CLOCK_MONOTONIC);
    int failures = 0;
    for (size_t i = live->retries.count; i-- > 0 && failures < FAILURES_A_ROUND;) {
        if (i >= live->retries.count || live->held || live->retries.items[i].next_ns > now)
            continue;
        failures = try_again(g, live, i) ? 0 : failures + 1;
        if (g->options.alive)
            alive_beat(g->options.alive);
    }
}

static void sweep_all(struct guard *g)
{
    for (size_t i = 0; i < g->count; i++) {
        struct live_site *live = &g->live[i];
        if (live->held) {
            publication_wait(live, "");
            continue;
        }
        live_sweep(g, live, "", false);
        live_tell_said(g, live, GUARD_SWEPT, NULL);
    }
}

/* ---- the self-test ------------------------------------------------------------------------- */

static bool is_deleted(int dir)
{
    struct stat st;
    return fstat(dir, &st) == 0 && st.st_nlink == 0;
}

/* In place: a full disk has room for what is there. False where nothing can be written by
 * anybody, so that nothing has to be seen; and where the folder itself was deleted, until it is
 * made anew. */
static bool write_selftest(struct guard *g)
{
    bool written = false;
    for (size_t i = 0; i < g->count; i++) {
        int proof = g->live[i].proof;
        CLEANUP_CLOSE int fd =
            openat(proof, selftest_name, O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
        written |= fd >= 0 || (proof >= 0 && errno != EROFS && !is_deleted(proof));
        if (fd >= 0 && pwrite(fd, "yagura\n", 7, 0) < 0)
            written |= errno != EROFS;
    }
    return written;
}

/* What was written to a folder that is gone will not be told: it is written to the new one, in
 * the time that was left for it. */
static void selftest_anew(struct guard *g)
{
    if (g->selftest_sent_ns)
        write_selftest(g);
    else
        g->next_selftest_ns = 0;
}

/* ---- the document root itself -------------------------------------------------------------- */

/* The folder of the self-test. The folder aside itself is not watched: what comes and goes there
 * is our own doing. */
static int open_proof(const struct aside *aside)
{
    return openat(aside->fd, ASIDE_PROOF, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
}

/* Without it nothing can be put back, nor proved. */
static void check_aside(struct guard *g, struct live_site *live)
{
    bool anew;
    struct error e = ERROR_INIT;
    if (g->options.detect_only)
        return;
    if (!root_mend_aside(live->root, &anew, &e) && !live->aside_gone)
        live_tell_said(g, live, GUARD_TROUBLE, &e);
    live->aside_gone = e.code != ERR_NONE;
    if (anew) {
        watch_ignore(g->watch, live->site->aside.fd);
        if (live->proof >= 0)
            close(live->proof);
        live->proof = open_proof(&live->site->aside);
        places_learn_site(g->places, live->number, live->proof, NULL);
        selftest_anew(g);
    }
    if (!anew && !(live->spares && spares_lost(live->spares)))
        return;
    spares_stop(live->spares, false);
    live->spares = NULL;
    live_start_spares(g, live);
}

static void check_root(struct guard *g, struct live_site *live)
{
    if (live->held)
        return;
    bool there = root_in_place(live->root), anew = false;
    if (!there && !live->root_gone) {
        live_tell_said(g, live, GUARD_ROOT_GONE, NULL);
        atomic_fetch_add(&g->counts.pending, 1);
        live->root_gone = true;
    }
    if (!there && !g->options.detect_only)
        there = root_bring_back(live->root, &anew);
    check_aside(g, live);
    if (!there)
        return;
    if (anew) { /* and is empty */
        watch_add(g->watch, live->site->rootfd, NULL);
        live_sweep(g, live, "", false);
        places_learn_site(g->places, live->number, live->proof, NULL);
    }
    if (!live->root_gone)
        return;
    live->root_gone = false;
    atomic_fetch_sub(&g->counts.pending, 1);
    mend_path(&live->mender, "");
    live_tell_said(g, live, GUARD_ROOT_BACK, NULL);
}

/* ---- events -------------------------------------------------------------------------------- */

static void on_event(void *context, const struct watch_event *event)
{
    struct guard *g = context;
    if (event->kind == WATCH_LOST) {
        g->lost = true;
        return;
    }
    CLEANUP_STR struct str path = {0};
    struct place at = places_find(g->places, event->dir, event->name, event->thing, &path);
    if (at.kind == PLACE_NONE)
        return;
    if (at.kind == PLACE_ASIDE) {
        if (strcmp(path.data, selftest_name) == 0)
            g->selftest_sent_ns = 0;
        return;
    }
    if (event->pid && event->pid == g->own) /* what the mender itself did */
        return;
    struct who who;
    g->event_ns = clock_ns(CLOCK_MONOTONIC);
    g->event_wall_ns = clock_ns(CLOCK_REALTIME);
    if (g->options.alive)
        alive_beat(g->options.alive);
    who_read(&who, event->pid);
    g->who = &who;
    g->stays = !(event->mask & (FAN_CREATE | FAN_MOVED_TO));
    atomic_fetch_add(&g->counts.events, 1);
    atomic_store(&g->counts.last_event_s, g->event_wall_ns / 1000000000);
    struct live_site *live = &g->live[at.site];
    if (at.is_root_itself)
        check_root(g, live);
    if (g->dpkg && path.length && dpkg_run_is(g->dpkg, event->pid))
        publication_wait_for_dpkg(g, live, path.data, event->is_dir);
    else
        live_look_at(g, live, path.data);
    g->who = NULL;
    g->stays = false;
    g->event_ns = g->event_wall_ns = 0;
}

static void take_from_sweeper(struct guard *g)
{
    CLEANUP_STR struct str path = {0};
    size_t site;
    while (sweeper_next(g->sweeper, &site, &path))
        if (site < g->count && !find_retry(&g->live[site], str_text(&path)))
            live_look_at(g, &g->live[site], str_text(&path));
    int64_t proved;
    if (sweeper_proved(g->sweeper, &proved) && proved > atomic_load(&g->counts.last_proved_s))
        atomic_store(&g->counts.last_proved_s, proved);
}

/* Tells it once, and compares everything. */
static void set_blind(struct guard *g, bool blind)
{
    if (atomic_load(&g->counts.blind) == blind)
        return;
    atomic_store(&g->counts.blind, blind);
    live_tell_said(g, NULL, blind ? GUARD_BLIND : GUARD_SEES, NULL);
    sweep_all(g);
}

static void selftest(struct guard *g, int64_t now)
{
    if (!g->options.selftest_seconds)
        return;
    if (g->selftest_sent_ns && now - g->selftest_sent_ns > blind_ns) {
        set_blind(g, true);
        g->selftest_sent_ns = 0;
        g->next_selftest_ns = now;
    } else if (!g->selftest_sent_ns && atomic_load(&g->counts.blind) && g->next_selftest_ns > now)
        set_blind(g, false);
    if (now < g->next_selftest_ns || g->selftest_sent_ns)
        return;
    g->next_selftest_ns = now + (int64_t)g->options.selftest_seconds * 1000000000;
    g->selftest_sent_ns = write_selftest(g) ? now : 0;
}

/* ---- start, step, stop --------------------------------------------------------------------- */

bool live_start_sweeper(struct guard *g, struct error *e)
{
    return !g->options.sweep_seconds ||
           sweeper_start(&g->sweeper, g->sites, g->count, 300, g->options.sweep_seconds, e);
}

static bool find_dir(void *context, uint32_t index, int *fd)
{
    struct live_site *live = context;
    return places_open_dir(live->guard->places, live->number, index, fd);
}

/* What the lesser eye does not see is compared instead. */
static void tell_unwatched(struct guard *g)
{
    size_t count = places_unwatched(g->places);
    struct error e = ERROR_INIT;
    if (places_untold(g->places)) {
        error_set(&e, ERR_UNSUPPORTED,
                  "what is mounted beneath a document root does not tell its changes: there they "
                  "are found by comparing");
        live_tell_said(g, NULL, GUARD_TROUBLE, &e);
    }
    if (!count)
        return;
    error_set(&e, ERR_LIMIT, "%zu folders cannot be watched: raise fs.inotify.max_user_watches",
              count);
    live_tell_said(g, NULL, GUARD_TROUBLE, &e);
}

static bool take_ready(void *context, uint32_t index, struct mend_ready *out)
{
    struct live_site *live = context;
    return live->spares && spares_take(live->spares, index, out);
}

/* Without copies every page is made when it is wanted: no reason not to guard. */
void live_start_spares(struct guard *g, struct live_site *live)
{
    struct site *site = live->site;
    struct error e = ERROR_INIT;
    if (!g->options.ready_bytes || g->options.detect_only)
        return;
    if (!spares_start(&live->spares, site->generation.manifest, site->policies, g->options.objects,
                      &site->aside, g->options.ready_bytes, g->options.alive, &e))
        live_tell_said(g, live, GUARD_TROUBLE, &e);
    else
        watch_ignore(g->watch, spares_dir(live->spares));
}

bool live_open(struct guard *g, size_t i, struct error *e)
{
    struct live_site *live = &g->live[i];
    struct site *site = &g->sites[i];
    *live = (struct live_site){.site = site, .guard = g, .number = i};
    live->proof = open_proof(&site->aside);
    live->index = stat_index_new(site->generation.manifest, site->generation.sha256);
    live->mender =
        (struct mender){.rootfd = site->rootfd,
                        .manifest = site->generation.manifest,
                        .policies = site->policies,
                        .objects = g->options.objects,
                        .aside = &site->aside,
                        .index = live->index,
                        .keeps_folder = true,
                        .dry_run = g->options.detect_only,
                        .progress = g->options.alive ? &g->options.alive->progress : NULL,
                        .find_dir = find_dir,
                        .waits = publication_waits,
                        .take_ready = take_ready,
                        .event = on_mend,
                        .context = live};
    return root_hold(&live->root, site, e);
}

static bool start(struct guard *g, struct error *e)
{
    if (!(g->options.unprivileged ? watch_open_unprivileged(&g->watch, e)
                                  : watch_open(&g->watch, g->options.bounded_queue, e)))
        return false;
    g->places = places_new(g->sites, g->count, g->watch, g->options.alive);
    for (size_t i = 0; i < g->count; i++) {
        if (!watch_add(g->watch, g->sites[i].rootfd, e) ||
            !watch_add(g->watch, g->sites[i].aside.fd, e) ||
            !aside_clear_ready(&g->sites[i].aside, e) ||
            !places_learn_site(g->places, i, g->live[i].proof, e)) {
            error_prefix(e, "%s", g->sites[i].row.root);
            return false;
        }
        watch_ignore(g->watch, g->sites[i].aside.fd);
        if (g->live[i].proof < 0) {
            struct error blind = ERROR_INIT;
            error_set(&blind, ERR_UNREADABLE,
                      "there is no folder for the self-test: whether "
                      "changes are told is not proved");
            live_tell_said(g, &g->live[i], GUARD_TROUBLE, &blind);
        }
    }
    for (size_t i = 0; i < g->count; i++)
        check_root(g, &g->live[i]);
    sweep_all(g);
    tell_unwatched(g);
    for (size_t i = 0; i < g->count; i++)
        live_start_spares(g, &g->live[i]);
    return live_start_sweeper(g, e);
}

bool guard_start(struct guard **out, const struct guard_options *options, struct site *sites,
                 size_t count, struct error *e)
{
    /* A tree is learnt with a descriptor a level. */
    struct rlimit files;
    if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
        files.rlim_cur = files.rlim_max;
        setrlimit(RLIMIT_NOFILE, &files);
    }
    struct guard *g = mem_alloc(sizeof *g);
    g->options = *options;
    if (options->alive)
        objects_count_in(options->objects, &options->alive->progress);
    g->sites = sites;
    g->count = count;
    g->own = getpid();
    g->live = mem_alloc((count + 1) * sizeof *g->live);
    g->mounts = open("/proc/self/mountinfo", O_RDONLY | O_CLOEXEC);
    if (options->dpkg_admindir)
        g->dpkg = dpkg_run_open(options->dpkg_admindir, count);
    atomic_store(&g->counts.started_s, clock_ns(CLOCK_REALTIME) / 1000000000);
    atomic_store(&g->counts.detect_only, options->detect_only);
    bool good = true;
    for (size_t i = 0; i < count; i++)
        good = live_open(g, i, e) && good;
    if (!good || !start(g, e)) {
        guard_stop(g);
        return false;
    }
    *out = g;
    return true;
}

static void after_events(struct guard *g)
{
    if (!g->lost)
        return;
    g->lost = false;
    atomic_fetch_add(&g->counts.lost, 1);
    live_tell_said(g, NULL, GUARD_LOST, NULL);
    sweep_all(g);
}

static void tick(struct guard *g)
{
    int64_t now = clock_ns(CLOCK_MONOTONIC);
    if (g->options.alive)
        alive_beat(g->options.alive);
    selftest(g, now);
    publication_follow_dpkg(g);
    if (now < g->next_tick_ns)
        return;
    g->next_tick_ns = now + 1000000000;
    for (size_t i = 0; i < g->count; i++) {
        check_root(g, &g->live[i]);
        try_all_again(g, &g->live[i]);
    }
}

static void crossed(void *context, size_t site, const char *path)
{
    struct guard *g = context;
    if (!g->live[site].held)
        live_sweep(g, &g->live[site], path, true);
}

/* What is mounted beneath a document root may hide what was published. */
static void look_at_mount(struct guard *g, const char *point)
{
    for (size_t i = 0; i < g->count; i++) {
        const char *root = g->sites[i].row.root;
        size_t length = strlen(root);
        if (strncmp(point, root, length) == 0 && point[length] == '/' && point[length + 1]) {
            live_look_at(g, &g->live[i], point + length + 1);
            places_learn(g->places, i, point + length + 1);
        }
    }
}

/* Reading the list again is also how the kernel learns that we have seen it. */
static void mounts_changed(struct guard *g)
{
    CLEANUP_STR struct str list = {0}, point = {0};
    char buffer[4096];
    ssize_t n;
    lseek(g->mounts, 0, SEEK_SET);
    while ((n = read(g->mounts, buffer, sizeof buffer)) > 0)
        str_add_bytes(&list, buffer, (size_t)n);
    for (size_t i = 0; i < g->count; i++)
        check_root(g, &g->live[i]);
    places_mounts_changed(g->places, crossed, g);
    const char *line;
    size_t position = 0, length;
    while (str_next_line(str_text(&list), list.length, &position, &line, &length))
        if (root_mount_point(line, length, &point))
            look_at_mount(g, point.data);
}

bool guard_step(struct guard *g, int timeout_ms, int other_fd, struct error *e)
{
    struct pollfd fds[] = {
        {.fd = watch_fd(g->watch), .events = POLLIN},
        {.fd = g->sweeper ? sweeper_fd(g->sweeper) : -1, .events = POLLIN},
        {.fd = g->mounts, .events = POLLPRI},
        {.fd = other_fd, .events = POLLIN},
    };
    if (timeout_ms < 0 || timeout_ms > 1000)
        timeout_ms = 1000;
    if (g->dpkg && dpkg_run_any(g->dpkg) && timeout_ms > 100)
        timeout_ms = 100;
    if (watch_has_more(g->watch) || beneath_has_more(g))
        timeout_ms = 0;
    int ready = poll(fds, ARRAY_COUNT(fds), timeout_ms);
    if (ready < 0 && errno != EINTR) {
        error_set_errno(e, errno, "waiting for what changes");
        return false;
    }
    if (watch_has_more(g->watch) || (ready > 0 && (fds[0].revents & POLLIN))) {
        if (!watch_read(g->watch, on_event, g, e))
            return false;
        after_events(g);
    }
    if (ready > 0 && (fds[1].revents & POLLIN))
        take_from_sweeper(g);
    if (ready > 0 && (fds[2].revents & POLLPRI))
        mounts_changed(g);
    publication_settle(g);
    beneath_step(g);
    for (size_t i = 0; i < g->count; i++)
        mend_settle(&g->live[i].mender);
    tick(g);
    return true;
}

void live_free_retries(struct live_site *live)
{
    while (live->retries.count)
        drop_retry(live, live->retries.count - 1);
    VEC_FREE(&live->retries);
}

void guard_stop(struct guard *g)
{
    sweeper_stop(g->sweeper);
    watch_close(g->watch);
    for (size_t i = 0; i < g->count; i++) {
        publication_free(&g->live[i]);
        beneath_free(&g->live[i]);
        root_let_go(g->live[i].root);
        live_free_retries(&g->live[i]);
        stat_index_free(g->live[i].index);
        mend_settle(&g->live[i].mender);
        spares_stop(g->live[i].spares, true);
        if (g->live[i].proof >= 0) {
            unlinkat(g->live[i].proof, selftest_name, 0);
            close(g->live[i].proof);
        }
        site_close(&g->sites[i]);
    }
    places_free(g->places);
    dpkg_run_close(g->dpkg);
    if (g->mounts >= 0)
        close(g->mounts);
    free(g->live);
    free(g);
}
