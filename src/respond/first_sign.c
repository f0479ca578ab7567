#include "respond/first_sign.h"

#include "base/file.h"
#include "base/language.h"
#include "base/str.h"
#include "content/site.h"
#include "content/verify.h"
#include "model/date.h"
#include "record/tampers.h"
#include "respond/clock.h"
#include "respond/timeline.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>

enum { MOST_BURSTS = 100000, MOST_MORE = 9, MOST_SECONDS = 5 };
static const int64_t second_ns = 1000000000;

struct sign {
    int64_t at_ns;
    const char *from, *subject, *who;
    int64_t mtime_ns; /* of files */
};

struct signs {
    VEC(struct sign) list;
    bool cut_short; /* a site was not compared to its end */
};

/* ---- the guard ------------------------------------------------------------------------------ */

static const char *first_path(struct response *r, int64_t burst, struct error *e)
{
    struct tamper_path *paths;
    size_t count;
    if (!tampers_paths(r->state, burst, r->arena, &paths, &count, e))
        return NULL;
    return count ? paths[0].path : "";
}

static bool read_guard(struct signs *out, struct response *r, struct error *e)
{
    struct tamper *bursts;
    size_t count;
    if (!tampers_list(r->state, NULL, MOST_BURSTS, r->arena, &bursts, &count, e))
        return false;
    for (size_t i = count; i-- > 0 && out->list.count <= MOST_MORE;) { /* the first ones */
        const struct tamper *b = &bursts[i];
        if (b->first_ns / second_ns < r->incident.before)
            continue;
        const char *path = first_path(r, b->id, e);
        if (!path)
            return false;
        VEC_PUSH(&out->list,
                 ((struct sign){
                     .at_ns = b->first_ns,
                     .from = "guard",
                     .subject = arena_printf(r->arena, "%s: %s", b->site, path),
                     .who = b->pid ? arena_printf(r->arena, "pid %lld, uid %lld, %s",
                                                  (long long)b->pid, (long long)b->uid,
                                                  b->command && *b->command ? b->command : b->exe)
                                   : ""}));
    }
    return true;
}

/* ---- files ---------------------------------------------------------------------------------- */

/* When the kernel made this name's file; 0: it does not know. */
static int64_t made_ns(struct response *r, int rootfd, const char *path, ino_t inode)
{
    struct statx st;
    const char *slash = strrchr(path, '/');
    const char *folder = slash ? arena_strndup(r->arena, path, (size_t)(slash - path)) : ".";
    CLEANUP_CLOSE int parent = file_open_dir_beneath(rootfd, folder, NULL);
    if (parent < 0 ||
        statx(parent, slash ? slash + 1 : path, AT_SYMLINK_NOFOLLOW, STATX_BTIME | STATX_INO,
              &st) != 0 ||
        !(st.stx_mask & STATX_BTIME) || st.stx_ino != inode)
        return 0;
    return st.stx_btime.tv_sec * second_ns + st.stx_btime.tv_nsec;
}

static int64_t ns_of(struct timespec t)
{
    return t.tv_sec * second_ns + t.tv_nsec;
}

static void add_file(struct signs *out, struct response *r, const struct site *site,
                     const struct difference *d)
{
    int64_t published = manifest_made_ns(site->generation.manifest);
    int64_t at = made_ns(r, site->rootfd, d->path, d->now.st_ino);
    if (at < published)
        at = ns_of(d->now.st_ctim); /* it was there: what was changed is its content */
    if (at >= published)
        VEC_PUSH(&out->list, ((struct sign){.at_ns = at,
                                            .from = "files",
                                            .subject = arena_printf(r->arena, "%s: %s",
                                                                    site->row.name, d->path),
                                            .who = arena_printf(r->arena, "uid %u", d->now.st_uid),
                                            .mtime_ns = ns_of(d->now.st_mtim)}));
}

static atomic_bool time_is_over; /* a timer's function may still run when its timer is gone */

static void on_time(union sigval nothing)
{
    time_is_over = true;
}

static bool read_site(struct signs *out, struct response *r, const char *name, struct error *e)
{
    CLEANUP_SITE struct site site = {.rootfd = -1, .aside = {.fd = -1}};
    CLEANUP(differences_cleanup) struct differences *found = NULL;
    if (!respond_open_site(&site, r, name, false, e) ||
        !site_compare_quickly(&found, r->state, &site, false, &time_is_over, e))
        return false;
    for (size_t i = 0; i < found->count; i++)
        if (found->items[i].wrong && found->items[i].now.st_ino)
            add_file(out, r, &site, &found->items[i]);
    return true;
}

/* A site that cannot be looked at is said, and is no reason not to open an incident. */
static bool read_files(struct signs *out, struct response *r, struct error *e)
{
    struct site_row *rows;
    size_t count;
    timer_t timer;
    struct sigevent event = {.sigev_notify = SIGEV_THREAD, .sigev_notify_function = on_time};
    const struct itimerspec when = {.it_value = {.tv_sec = MOST_SECONDS}};
    if (!sites_list(r->state, r->arena, &rows, &count, e))
        return false;
    time_is_over = false;
    if (timer_create(CLOCK_MONOTONIC, &event, &timer) != 0) {
        error_set(e, ERR_SYSTEM, "no timer can be had");
        return false;
    }
    timer_settime(timer, 0, &when, NULL);
    for (size_t i = 0; i < count; i++) {
        struct error why = ERROR_INIT;
        if (!time_is_over && !read_site(out, r, rows[i].name, &why))
            respond_say(r, arena_printf(r->arena, "%s: %s", rows[i].name, why.message));
    }
    timer_delete(timer);
    out->cut_short = time_is_over;
    return true;
}

/* ---- the proposal --------------------------------------------------------------------------- */

static int by_time(const void *a, const void *b)
{
    const struct sign *x = a, *y = b;
    if (x->at_ns != y->at_ns)
        return x->at_ns < y->at_ns ? -1 : 1;
    return strcmp(x->subject, y->subject);
}

static json_t *json_of(const struct sign *s)
{
    json_t *o = json_object();
    clock_put_time(o, "time", s->at_ns / second_ns);
    json_put_string(o, "from", s->from);
    json_put_string(o, "subject", s->subject);
    json_put_string(o, "who", s->who);
    if (s->mtime_ns)
        clock_put_time(o, "mtime", s->mtime_ns / second_ns);
    return o;
}

static void say(struct response *r, const struct sign *s)
{
    const char *other = "", *when = timeline_screen(r->arena, s->at_ns / second_ns),
               *itself = timeline_screen(r->arena, s->mtime_ns / second_ns);
    if (s->mtime_ns && !str_equal(when, itself))
        other = arena_printf(r->arena, _(" (its mtime, which its writer chose, says %s)"), itself);
    respond_say(r, arena_printf(r->arena,
                                str_equal(s->from, "guard")
                                    ? _("%s: the guard undid %s  %s%s")
                                    : _("%s at the latest, by the kernel's times of %s  %s%s"),
                                when, s->subject, s->who, other));
}

bool first_sign_propose(struct response *r, json_t *result, struct error *e)
{
    enum { MOST_SAID = 5 };
    struct signs signs = {0};
    bool good = read_guard(&signs, r, e) && read_files(&signs, r, e);
    if (good && signs.list.count) {
        qsort(signs.list.items, signs.list.count, sizeof *signs.list.items, by_time);
        json_t *first = json_of(&signs.list.items[0]), *more = json_array();
        respond_say(r, _("What may be the first sign of the intrusion, the earliest first:"));
        for (size_t i = 0; i < signs.list.count && i <= MOST_MORE; i++) {
            if (i < MOST_SAID)
                say(r, &signs.list.items[i]);
            if (i)
                json_array_append_new(more, json_of(&signs.list.items[i]));
        }
        json_object_set_new(first, "more", more);
        json_object_set_new(result, "first_sign", first);
    } else if (good)
        respond_say(r, _("Neither the guard nor the published sites show a first sign of the "
                         "intrusion."));
    if (good && signs.cut_short)
        respond_say(r, _("The sites are too large to be compared to their end before the cut: do "
                         "this step again after it"));
    json_put_bool(result, "first_sign_cut_short", signs.cut_short);
    VEC_FREE(&signs.list);
    return good;
}

const char *first_sign_source(struct arena *arena, const struct incident *i)
{
    switch (i->first_sign_from) {
    case FIRST_SIGN_SAID:
        return arena_printf(arena, _("said by %s"), i->first_sign_subject);
    case FIRST_SIGN_GUARD:
        return arena_printf(arena, _("the guard undid %s"), i->first_sign_subject);
    case FIRST_SIGN_FILES:
        return arena_printf(arena, _("at the latest, by the times of %s"), i->first_sign_subject);
    case FIRST_SIGN_NONE:
        break;
    }
    return "";
}
