#include "cmd/site.h"

#include "base/capabilities.h"
#include "base/json.h"
#include "base/notify.h"
#include "base/str.h"
#include "content/dpkg_owned.h"
#include "guard/guard.h"
#include "guard/report.h"
#include "guard/supervise.h"
#include "guard/walls.h"

#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* The parent: what it holds while it starts one guard after the other. */
struct parent {
    struct cli *cli;
    struct config *config;
    struct caller caller;
    struct notify notify;
    bool ready; /* as systemd was told */
};

struct package_job;

/* The guard's own process: what it holds while it lives. */
struct running {
    struct cli *cli;
    const struct config *config;
    int caller;
    struct state *state;
    struct objects *objects;
    struct site *sites;
    size_t count;
    struct guard *guard;
    struct control *control;
    struct state *report_state; /* of the report's own thread */
    struct report *report;
    VEC(struct package_job *) jobs;
    int64_t alarmed;       /* of the report's thread: when it last said what to do now */
    bool each;             /* a line a name: somebody is looking on; else a line a burst */
    const char *holds[16]; /* which site a connection holds */
};

static volatile sig_atomic_t asked_to_stop;

static void on_signal(int signal)
{
    asked_to_stop = 1;
}

static void say(struct cli *cli, const char *text)
{
    if (!cli->json)
        fprintf(stderr, "yagura: %s\n", text);
}

static const char *who_text(struct arena *arena, const struct who *who)
{
    if (!who || !who->pid)
        return "";
    if (!who->known)
        return arena_printf(arena, _(", by process %d, which has ended"), (int)who->pid);
    return arena_printf(arena, _(", by process %d (%s, user %u)"), (int)who->pid,
                        who->command[0] ? who->command : who->exe, who->uid);
}

static void json_event(struct cli *cli, const struct guard_event *event)
{
    static const char *const names[] = {"mended",    "swept",     "lost",    "blind",   "sees",
                                        "root-gone", "root-back", "trouble", "detected"};
    CLEANUP_ARENA struct arena *arena = arena_new();
    char when[32];
    date_format(event->at_ns / 1000000000, when);
    json_t *o = json_object();
    json_put_string(o, "type", "event");
    json_put_string(o, "time", when);
    json_put_string(o, "said", names[event->said]);
    json_put_string(o, "site", event->site);
    if (event->mend) {
        json_put_string(o, "kind", difference_kind_name(event->mend->kind));
        json_put_string(o, "path", show_path(arena, event->mend->path));
        json_put_bool(o, "undone", event->said == GUARD_MENDED && event->mend->undone);
        json_put_int(o, "took_us", event->took_ns / 1000);
        json_put_string(o, "evidence", event->mend->evidence);
        if (event->mend->error)
            json_put_string(o, "error", event->mend->error->message);
    }
    if (event->who && event->who->pid) {
        json_put_int(o, "pid", event->who->pid);
        if (event->who->known) {
            json_put_int(o, "uid", event->who->uid);
            json_put_string(o, "exe", event->who->exe);
            json_put_string(o, "command", event->who->command);
        }
    }
    show_json_line(&cli->show, o);
    fflush(stdout);
}

static void text_mended(const struct guard_event *event)
{
    CLEANUP_ARENA struct arena *arena = arena_new();
    const struct mend_event *mend = event->mend;
    const char *done = show_undone(arena, mend->kind, mend->path);
    const char *who = who_text(arena, event->who);
    if (mend->error)
        printf(_("? %s: %s could not be put back, and is tried again: %s\n"), event->site,
               show_path(arena, mend->path), mend->error->message);
    else if (event->said == GUARD_DETECTED)
        printf("! %s: %s%s\n", event->site, show_tampered(arena, mend->kind, mend->path), who);
    else if (event->took_ns)
        printf(_("+ %s: %s after %.1f ms%s\n"), event->site, done, (double)event->took_ns / 1e6,
               who);
    else
        printf(_("+ %s: %s (found by comparing)\n"), event->site, done);
}

static void on_event(void *context, const struct guard_event *event)
{
    struct running *r = context;
    report_event(r->report, event);
    if (r->cli->json) {
        json_event(r->cli, event);
        return;
    }
    switch (event->said) {
    case GUARD_MENDED:
    case GUARD_DETECTED:
        if (r->each)
            text_mended(event);
        break;
    case GUARD_SWEPT:
        break;
    case GUARD_LOST:
        printf("%s\n", _("! the kernel lost events: everything was compared"));
        break;
    case GUARD_BLIND:
        printf("%s\n", _("! BLIND: the self-test does not come back; comparing instead"));
        break;
    case GUARD_SEES:
        printf("%s\n", _("+ the self-test comes back again"));
        break;
    case GUARD_ROOT_GONE:
        printf(_("! %s: the document root was moved, deleted or covered\n"), event->site);
        break;
    case GUARD_ROOT_BACK:
        printf(_("+ %s: the document root is back\n"), event->site);
        break;
    case GUARD_TROUBLE:
        printf("? %s: %s\n", event->site, event->error ? event->error->message : "");
        break;
    }
    fflush(stdout);
}

/* Whoever reads this may have never been defaced before. */
static void say_what_to_do(struct running *r)
{
    enum { AGAIN_SECONDS = 3600 };
    CLEANUP_ARENA struct arena *arena = arena_new();
    int64_t now = date_now();
    if (now - r->alarmed < AGAIN_SECONDS)
        return;
    r->alarmed = now;
    show_hint(&r->cli->show,
              _("If that was none of you, somebody is in. What to do now, step by step:"),
              show_command(arena, "respond start"));
}

/* On the report's thread: a line for the journal when a burst begins, and one when it was more
 * than one name. */
static void on_burst(void *context, const struct tamper *t, const char *first_path,
                     enum difference_kind first_kind, bool ended)
{
    struct running *r = context;
    if (r->cli->json || (!r->each && ended && t->restored + t->failed < 2))
        return;
    if (r->each) {
        if (ended)
            say_what_to_do(r);
        return;
    }
    CLEANUP_ARENA struct arena *arena = arena_new();
    bool detect_only = r->cli->detect_only || r->config->detect_only;
    if (!ended && !t->restored)
        printf(detect_only ? _("%s: %s was tampered with (process %lld, %s)\n")
                           : _("%s: %s was tampered with and could not be put back "
                               "(process %lld, %s)\n"),
               t->site, show_path(arena, first_path), (long long)t->pid,
               t->command[0] ? t->command : "?");
    else if (!ended)
        printf(_("%s: tampered with: %s after %.1f ms (process %lld, %s)\n"), t->site,
               show_undone(arena, first_kind, first_path), (double)t->slowest_us / 1e3,
               (long long)t->pid, t->command[0] ? t->command : "?");
    else
        printf(_("%s: %llu changes were undone, %llu could not be; the slowest took %.1f ms\n"),
               t->site, (unsigned long long)t->restored, (unsigned long long)t->failed,
               (double)t->slowest_us / 1e3);
    if (!ended)
        say_what_to_do(r);
    fflush(stdout);
}

static void on_untold(void *context)
{
    fprintf(stderr, "yagura: %s\n",
            _("what runs on_tamper is gone, and was not told: start the guard anew"));
}

/* ---- what other commands ask ---------------------------------------------------------------- */

static void answer_status(struct running *r, struct str *answer)
{
    const struct guard_counts *c = guard_counts(r->guard);
    CLEANUP_JSON json_t *o = json_object();
    json_t *sites = json_array();
    for (size_t i = 0; i < r->count; i++) {
        uint64_t ready, wanted;
        json_t *site = json_object();
        guard_count_ready(r->guard, i, &ready, &wanted);
        json_put_int(site, "copies_ready", (int64_t)ready);
        json_put_int(site, "copies_wanted", (int64_t)wanted);
        json_put_string(site, "name", r->sites[i].row.name);
        json_put_string(site, "root", r->sites[i].row.root);
        json_put_int(site, "generation", (int64_t)r->sites[i].row.generation);
        json_put_int(site, "entries", manifest_count(r->sites[i].generation.manifest));
        json_array_append_new(sites, site);
    }
    json_put_string(o, "type", "guard");
    json_put_int(o, "started", atomic_load(&c->started_s));
    json_put_int(o, "events", (int64_t)atomic_load(&c->events));
    json_put_int(o, "restored", (int64_t)atomic_load(&c->mended));
    json_put_int(o, "failed", (int64_t)atomic_load(&c->failed));
    json_put_int(o, "pending", (int64_t)atomic_load(&c->pending));
    json_put_int(o, "lost", (int64_t)atomic_load(&c->lost));
    json_put_int(o, "sweeps", (int64_t)atomic_load(&c->sweeps));
    json_put_int(o, "last_event", atomic_load(&c->last_event_s));
    json_put_int(o, "last_proved", atomic_load(&c->last_proved_s));
    json_put_bool(o, "blind", atomic_load(&c->blind));
    json_put_bool(o, "detect_only", atomic_load(&c->detect_only));
    json_object_set_new(o, "sites", sites);
    json_add_line(answer, o);
}

static void answer(void *context, unsigned connection, const char *line, struct str *out)
{
    struct running *r = context;
    struct error e = ERROR_INIT;
    bool good = false;
    if (str_equal(line, "status")) {
        answer_status(r, out);
        return;
    }
    if (str_starts(line, "hold ") && !r->holds[connection]) {
        for (size_t i = 0; i < r->count; i++)
            if (str_equal(r->sites[i].row.name, line + 5)) {
                good = guard_hold(r->guard, line + 5, &e);
                r->holds[connection] = good ? mem_strdup(line + 5) : NULL;
            }
        if (!good && !e.code)
            error_set(&e, ERR_ABSENT, "it is not guarded here");
    } else if (str_starts(line, "release ") && str_equal(r->holds[connection], line + 8)) {
        good = guard_release(r->guard, line + 8, &e);
        free((void *)r->holds[connection]);
        r->holds[connection] = NULL;
    } else
        error_set(&e, ERR_USAGE, "status, hold SITE or release SITE");
    if (good)
        str_add(out, "ok");
    else
        str_printf(out, "no: %s", e.message);
}

/* Who held a site is gone without a word: the accepted generation counts. */
static void closed(void *context, unsigned connection)
{
    struct running *r = context;
    struct error e = ERROR_INIT;
    if (!r->holds[connection])
        return;
    if (!guard_release(r->guard, r->holds[connection], &e))
        cli_complain(&e);
    free((void *)r->holds[connection]);
    r->holds[connection] = NULL;
}

/* ---- the process ---------------------------------------------------------------------------- */

static bool open_sites(struct running *r, struct error *e)
{
    CLEANUP_ARENA struct arena *arena = arena_new();
    struct site_wants wants = {.aside = true,
                               .generation = true,
                               .makes_root = !r->cli->detect_only && !r->config->detect_only};
    struct site_row *rows;
    size_t count;
    if (!sites_list(r->state, arena, &rows, &count, e))
        return false;
    r->sites = mem_alloc((count + 1) * sizeof *r->sites);
    for (size_t i = 0; i < count; i++) {
        bool wanted = !r->cli->argument_count;
        for (size_t k = 0; k < r->cli->argument_count; k++)
            wanted = wanted || str_equal(r->cli->arguments[k], rows[i].name);
        if (!wanted)
            continue;
        wants.own = config_policies(r->config, rows[i].name);
        if (!site_open(&r->sites[r->count], r->state, rows[i].name, &wants, e)) {
            error_prefix(e, "%s", rows[i].name);
            return false;
        }
        r->count++;
    }
    if (!r->count)
        error_set(e, ERR_USAGE, "no such site: yagura init DOCUMENT-ROOT makes one");
    return r->count > 0;
}

/* What packages changed while nobody looked on. */
static bool accept_packages(struct running *r, struct error *e)
{
    for (size_t i = 0; r->config->dpkg && i < r->count; i++) {
        CLEANUP(dpkg_owned_cleanup) struct dpkg_owned *d = NULL;
        CLEANUP_JSON json_t *entry = cli_site_entry(r->cli, "publish");
        struct error absent = ERROR_INIT;
        size_t count;
        if (!dpkg_owned_load(&d, r->config->dpkg, &r->sites[i], NULL, 0, &absent)) {
            if (absent.code == ERR_ABSENT)
                return true;
            *e = absent;
            return false;
        }
        if (dpkg_owned_is_newer(d) &&
            !dpkg_owned_publish(d, r->state, r->objects, &r->sites[i], entry, &count, e))
            return false;
    }
    return true;
}

/* A thread for each site: the guard goes on meanwhile. */
struct package_job {
    pthread_t thread;
    struct running *running;
    char *site, *names;
    size_t size;
    atomic_bool done;
};

static void *publish_packages(void *context)
{
    struct package_job *job = context;
    struct running *r = job->running;
    struct site site = {.rootfd = -1, .aside = {.fd = -1}};
    struct site_wants wants = {.generation = true, .own = config_policies(r->config, job->site)};
    struct error e = ERROR_INIT;
    struct dpkg_owned *d = NULL;
    struct state *state = cli_state_or_fail(r->cli);
    CLEANUP_JSON json_t *entry = cli_site_entry(r->cli, "publish");
    size_t count;
    if (state && (!site_open(&site, state, job->site, &wants, &e) ||
                  !dpkg_owned_load(&d, r->config->dpkg, &site, job->names, job->size, &e) ||
                  !dpkg_owned_publish(d, state, r->objects, &site, entry, &count, &e)))
        cli_complain(&e);
    dpkg_owned_free(d);
    site_close(&site);
    state_close(state);
    atomic_store(&job->done, true);
    return NULL;
}

static void dpkg_ended(void *context, const char *site, const char *names, size_t size)
{
    struct running *r = context;
    struct package_job *job = mem_alloc(sizeof *job);
    *job = (struct package_job){
        .running = r, .site = mem_strdup(site), .names = mem_dup(names, size), .size = size};
    if (pthread_create(&job->thread, NULL, publish_packages, job) == 0) {
        VEC_PUSH(&r->jobs, job);
        return;
    }
    free(job->site);
    free(job->names);
    free(job);
}

static void end_jobs(struct running *r)
{
    for (size_t i = 0; i < r->jobs.count; i++) {
        struct package_job *job = r->jobs.items[i];
        pthread_join(job->thread, NULL);
        free(job->site);
        free(job->names);
        free(job);
    }
    VEC_FREE(&r->jobs);
}

static bool dpkg_busy(void *context)
{
    struct running *r = context;
    for (size_t i = 0; i < r->jobs.count; i++)
        if (!atomic_load(&r->jobs.items[i]->done))
            return true;
    end_jobs(r);
    return false;
}

static const struct policies *own_policies(void *context, const char *site)
{
    struct running *r = context;
    return config_policies(r->config, site);
}

static int loop(struct running *r, struct alive *alive)
{
    struct error e = ERROR_INIT;
    struct guard_options options = {.state = r->state,
                                    .objects = r->objects,
                                    .alive = alive,
                                    .unprivileged = !capabilities_have(CAPABILITY(CAP_SYS_ADMIN)),
                                    .detect_only = r->cli->detect_only || r->config->detect_only,
                                    .bounded_queue = r->config->bounded_queue,
                                    .ready_bytes = config_ready_bytes(r->config),
                                    .sweep_seconds = (unsigned)r->config->sweep_seconds,
                                    .selftest_seconds = (unsigned)r->config->selftest_seconds,
                                    .dpkg_admindir = r->config->dpkg,
                                    .dpkg_ended = dpkg_ended,
                                    .dpkg_busy = dpkg_busy,
                                    .own_policies = own_policies,
                                    .event = on_event,
                                    .context = r};
    struct report_options reporting = {.state = r->report_state,
                                       .sites = r->sites,
                                       .count = r->count,
                                       .evidence_bytes = config_evidence_bytes(r->config),
                                       .caller = r->caller,
                                       .burst = on_burst,
                                       .untold = on_untold,
                                       .context = r};
    /* The socket is the last one that is made. Who asks before the guard is ready waits. */
    if (!accept_packages(r, &e) ||
        !control_open(&r->control, state_dirfd(r->state), answer, closed, r, &e) ||
        !walls_enter(WALLS_GUARD, &e) || !report_start(&r->report, &reporting, &e) ||
        !guard_start(&r->guard, &options, r->sites, r->count, &e)) {
        cli_complain(&e);
        return EXIT_UNKNOWN;
    }
    atomic_store(&alive->ready, true);
    say(r->cli, _("on guard"));
    bool good = true;
    while (good && !asked_to_stop) {
        good = guard_step(r->guard, 1000, control_fd(r->control), &e);
        control_step(r->control);
    }
    if (!good)
        cli_complain(&e);
    control_close(r->control);
    end_jobs(r);
    guard_stop(r->guard);
    report_stop(r->report);
    return good ? EXIT_CLEAN : SUPERVISE_AGAIN;
}

static int run(void *context, struct alive *alive)
{
    struct parent *parent = context;
    struct running r = {.cli = parent->cli, .config = parent->config, .caller = parent->caller.fd};
    struct error e = ERROR_INIT;
    signal(SIGTERM, on_signal);
    signal(SIGINT, on_signal);
    r.each = isatty(1);
    r.state = cli_state_or_fail(r.cli);
    r.report_state = cli_state_or_fail(r.cli);
    if (!r.state || !r.report_state)
        return EXIT_UNKNOWN;
    if (!objects_open(&r.objects, state_dirfd(r.state), &e) || !open_sites(&r, &e)) {
        cli_complain(&e);
        return e.code == ERR_USAGE ? EXIT_USAGE : EXIT_UNKNOWN;
    }
    int code = loop(&r, alive);
    objects_free(r.objects);
    state_close(r.report_state);
    state_close(r.state);
    free(r.sites);
    return code;
}

static void died(void *context, bool hung, int status, unsigned restarts)
{
    fprintf(stderr,
            hung ? _("yagura: the guard hung and is started anew (%u)\n")
                 : _("yagura: the guard died and is started anew (%u)\n"),
            restarts);
}

static void look(void *context, const struct alive *alive)
{
    struct parent *parent = context;
    if (!parent->ready && atomic_load(&alive->ready)) {
        parent->ready = true;
        notify_say(&parent->notify, "READY=1");
    }
    notify_alive(&parent->notify);
}

int cmd_guard(struct cli *cli)
{
    struct error e = ERROR_INIT;
    struct parent parent = {.cli = cli, .config = cli_config(cli), .caller = CALLER_NONE};
    struct supervised what = {.run = run, .died = died, .look = look, .context = &parent};
    if (!parent.config)
        return EXIT_USAGE;
    const char *hook = parent.config->on_tamper;
    notify_open(&parent.notify);
    int code = -1;
    if ((!hook || caller_start(&parent.caller, hook, &e)) && walls_enter(WALLS_PARENT, &e))
        code = supervise(&what, &e);
    if (code < 0)
        cli_complain(&e);
    caller_end(&parent.caller);
    notify_close(&parent.notify);
    config_free(parent.config);
    return code < 0 ? EXIT_UNKNOWN : code;
}
