#include "respond/timeline.h"

#include "base/file.h"
#include "base/str.h"
#include "model/date.h"
#include "record/ledger.h"
#include "record/tampers.h"
#include "respond/kept.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum {
    MOST_MOMENTS = 50000,
    MOST_BURSTS = 1000,
    MOST_DEPTH = 16,
    MOST_LOGINS_BYTES = 64 << 20,
    DAY = 86400
};
static const int64_t second_ns = 1000000000;

void timeline_free(struct timeline *t)
{
    VEC_FREE(&t->moments);
}

static void add(struct timeline *t, struct moment m)
{
    if (t->moments.count >= MOST_MOMENTS)
        t->left_out++;
    else {
        m.order = t->moments.count;
        VEC_PUSH(&t->moments, m);
    }
}

/* ---- the ledger ----------------------------------------------------------------------------- */

static const char *text_of(struct response *r, const json_t *o, const char *key)
{
    const char *text = json_get_string(o, key);
    return text ? arena_strdup(r->arena, text) : "";
}

/* Of what says of itself whether it did. */
static bool went_well(const json_t *o)
{
    const json_t *good = json_object_get(o, "good");
    return !good || json_is_true(good);
}

static const char *what_of(struct response *r, const json_t *o)
{
    static const struct {
        const char *kind, *what, *text;
    } names[] = {{"respond", "start", N_("the incident was opened")},
                 {"respond", "begin", N_("a step was begun")},
                 {"respond", "done", N_("a step was done and proved")},
                 {"respond", "failed", N_("a step failed, or was not true")},
                 {"respond", "skip", N_("a step was skipped")},
                 {"respond", "plan", N_("a step was left for the host itself")},
                 {"respond", "resume", N_("somebody went on with it")},
                 {"respond", "undo", N_("a step was undone")},
                 {"respond", "sign", N_("a person signed")},
                 {"respond", "first-sign", N_("somebody said when it first showed")},
                 {"respond", "change", N_("an account was shut or opened, or salts made anew")},
                 {"respond", "evidence", N_("evidence was taken")},
                 {"respond", "stage", N_("a stage of the reconnection")},
                 {"respond", "watch", N_("the closer watch began")},
                 {"respond", "find", N_("the closer watch found something")},
                 {"respond", "watch-over", N_("the closer watch is over")},
                 {"respond", "close", N_("the incident was closed")},
                 {"init", NULL, N_("a site was taken into care")},
                 {"restore", NULL, N_("a site was put back")},
                 {"publish", NULL, N_("a site was published")},
                 {"tamper", NULL, N_("the guard undid changes")},
                 {"patch", NULL, N_("a patch was recorded")},
                 {"patch-begun", NULL, N_("patching began")},
                 {"patch-staged", NULL, N_("patches were tried on another host")},
                 {"patch-applied", NULL, N_("patches were applied")},
                 {"patch-undone", NULL, N_("patches were taken back")},
                 {"quarantine", NULL, N_("something was put into quarantine")},
                 {"process-ended", NULL, N_("a process that ran what was found was ended")},
                 {"give-back", NULL, N_("something was given back from the quarantine")},
                 {"ports-close", NULL, N_("ports were shut")},
                 {"ports-confirm", NULL, N_("that ports are shut was confirmed")},
                 {"ports-open", NULL, N_("ports were opened again")},
                 {"gc", NULL, N_("old generations were removed")},
                 {"feed-removed", NULL, N_("advisories were removed")}};
    const char *kind = json_get_string(o, "kind"), *what = json_get_string(o, "what");
    if (str_equal(kind, "patch-applied") && !went_well(o))
        return N_("patches were applied, and not all of it went well");
    for (size_t i = 0; i < ARRAY_COUNT(names); i++)
        if (str_equal(kind, names[i].kind) && (!names[i].what || str_equal(what, names[i].what)))
            return names[i].text;
    return arena_strdup(r->arena, kind ? kind : "");
}

static const char *detail_of(struct response *r, const json_t *o)
{
    if (*text_of(r, o, "because"))
        return text_of(r, o, "because");
    if (*text_of(r, o, "folder"))
        return arena_printf(r->arena, "SHA256SUMS %s", text_of(r, o, "sha256"));
    if (str_equal(text_of(r, o, "kind"), "process-ended"))
        return arena_printf(r->arena, "pid %lld: %s",
                            (long long)json_integer_value(json_object_get(o, "pid")),
                            text_of(r, o, "command"));
    if (*text_of(r, o, "way"))
        return text_of(r, o, "way");
    return text_of(r, o, "text");
}

static void add_entry(struct timeline *t, struct response *r, const json_t *o)
{
    const char *id = json_get_string(o, "incident"), *time = json_get_string(o, "time");
    int64_t at;
    if ((id && !str_equal(id, r->incident.id)) || !time || !date_parse(time, &at))
        return;
    if (!id && !respond_is_live(r) && json_get_string(o, "site"))
        return; /* sites, too, are of this host */
    const char *stage = text_of(r, o, "stage");
    const char *step = *stage ? stage : text_of(r, o, "step");
    const char *places[] = {step,
                            text_of(r, o, "folder"),
                            text_of(r, o, "site"),
                            text_of(r, o, "origin"),
                            text_of(r, o, "secret"),
                            text_of(r, o, "path"),
                            text_of(r, o, "signed"),
                            text_of(r, o, "first_sign")};
    const char *subject = "";
    for (size_t i = 0; i < ARRAY_COUNT(places) && !*subject; i++)
        subject = places[i];
    add(t, (struct moment){.at_ns = at * second_ns,
                           .source = N_("ledger"),
                           .what = what_of(r, o),
                           .subject = subject,
                           .detail = detail_of(r, o),
                           .who = text_of(r, o, "who"),
                           .done = went_well(o) ? text_of(r, o, "kind") : NULL});
}

static bool read_ledger(struct timeline *t, struct response *r, int64_t from, struct error *e)
{
    CLEANUP_ARENA struct arena *arena = arena_new();
    struct ledger_entry *entries;
    size_t count;
    if (!ledger_read(r->state, NULL, arena, &entries, &count, e))
        return false;
    for (size_t i = 0; i < count; i++) {
        int64_t at;
        CLEANUP_JSON json_t *o =
            json_parse(entries[i].body, strlen(entries[i].body), "ledger", 4 << 20, 4 << 20, NULL);
        const char *time = o ? json_get_string(o, "time") : NULL;
        if (time && date_parse(time, &at) && at >= from)
            add_entry(t, r, o);
    }
    return true;
}

/* ---- the guard ------------------------------------------------------------------------------ */

static const char *guard_what(const char *kind)
{
    return str_equal(kind, "added") ? N_("a file that was not published appeared, and was moved "
                                         "aside")
           : str_equal(kind, "removed") ? N_("a page was removed, and put back")
           : str_equal(kind, "type")    ? N_("a page became another kind of file, and was put back")
                                        : N_("a page was changed, and put back");
}

static const char *guard_failed(const char *kind)
{
    return str_equal(kind, "added")     ? N_("a file that was not published appeared, and is still "
                                                 "there")
           : str_equal(kind, "removed") ? N_("a page was removed, and could not be put back")
                                        : N_("a page was changed, and could not be put back");
}

static bool read_guard(struct timeline *t, struct response *r, int64_t from, struct error *e)
{
    struct tamper *bursts;
    size_t count;
    if (!respond_is_live(r))
        return true; /* the guard's memory is of this host */
    if (!tampers_list(r->state, NULL, MOST_BURSTS, r->arena, &bursts, &count, e))
        return false;
    for (size_t i = 0; i < count; i++) {
        const struct tamper *b = &bursts[i];
        struct tamper_path *paths;
        size_t path_count;
        if (b->last_ns / second_ns < from)
            continue;
        if (!tampers_paths(r->state, b->id, r->arena, &paths, &path_count, e))
            return false;
        const char *who = b->pid ? arena_printf(r->arena, "pid %lld, uid %lld, %s",
                                                (long long)b->pid, (long long)b->uid,
                                                b->command && *b->command ? b->command : b->exe)
                                 : "";
        t->bursts++;
        t->names += b->restored + b->failed;
        t->first_ns = !t->first_ns || b->first_ns < t->first_ns ? b->first_ns : t->first_ns;
        for (size_t k = 0; k < path_count; k++)
            add(t, (struct moment){paths[k].at_ns, N_("guard"),
                                   paths[k].undone ? guard_what(paths[k].kind)
                                                   : guard_failed(paths[k].kind),
                                   arena_printf(r->arena, "%s: %s", b->site, paths[k].path),
                                   paths[k].evidence ? paths[k].evidence : "", who, 0, NULL});
        t->left_out += b->unlisted;
    }
    return true;
}

/* ---- what was put aside --------------------------------------------------------------------- */

struct reading {
    struct timeline *t;
    struct response *r;
    int64_t from;
};

static void add_file(const struct reading *g, int64_t at_ns, const char *what, const char *subject,
                     const char *detail, const char *who)
{
    if (at_ns / second_ns >= g->from)
        add(g->t, (struct moment){at_ns, N_("file"), what, subject, detail, who, 0, NULL});
}

/* A rename keeps the time at which the file was made. 0: the file system does not know it. */
static int64_t made_ns(int parent, const char *name)
{
    struct statx st;
    if (statx(parent, name, AT_SYMLINK_NOFOLLOW, STATX_BTIME, &st) != 0 ||
        !(st.stx_mask & STATX_BTIME))
        return 0;
    return st.stx_btime.tv_sec * second_ns + st.stx_btime.tv_nsec;
}

static void add_times(const struct reading *g, int parent, const char *name, const char *subject,
                      const char *as, int depth)
{
    struct arena *arena = g->r->arena;
    struct stat st;
    char itself[32];
    if (fstatat(parent, name, &st, AT_SYMLINK_NOFOLLOW) != 0)
        return;
    date_format(st.st_mtim.tv_sec, itself);
    const char *who = arena_printf(arena, "uid %u, gid %u", st.st_uid, st.st_gid);
    const char *detail = arena_printf(arena, "%s, mode %04o, %lld bytes, mtime %s", as,
                                      st.st_mode & 07777, (long long)st.st_size, itself);
    add_file(g, st.st_mtim.tv_sec * second_ns + st.st_mtim.tv_nsec,
             N_("written, as the file itself says (mtime)"), subject, detail, who);
    add_file(g, made_ns(parent, name), N_("made, as the kernel says (btime)"), subject, detail,
             who);
    add_file(g, st.st_ctim.tv_sec * second_ns + st.st_ctim.tv_nsec,
             N_("last changed or moved, as the kernel says (ctime)"), subject, detail, who);
    DIR *dir = S_ISDIR(st.st_mode) && depth < MOST_DEPTH ? file_list(parent, name) : NULL;
    if (!dir)
        return;
    for (const struct dirent *d; (d = readdir(dir)) && g->t->moments.count < MOST_MOMENTS;)
        if (!str_equal(d->d_name, ".") && !str_equal(d->d_name, ".."))
            add_times(g, dirfd(dir), d->d_name, arena_printf(arena, "%s/%s", subject, d->d_name),
                      arena_printf(arena, "%s/%s", as, d->d_name), depth + 1);
    closedir(dir);
}

static bool add_kept(void *context, const struct kept *k, struct error *e)
{
    if (!k->noted)
        add_times(context, k->dirfd, k->name, k->subject, k->as, 0);
    return true;
}

/* What cannot be opened is said by the bundle. */
static bool read_files(struct timeline *t, struct response *r, int64_t from, struct error *e)
{
    struct reading reading = {t, r, from};
    struct kept_visitor visitor = {.each = add_kept, .context = &reading};
    return kept_each(r, &visitor, e);
}

/* ---- what was found ------------------------------------------------------------------------- */

/* `f` is a file of the finding `of`, or that itself. */
static void add_finding(const struct reading *g, const json_t *of, const json_t *f)
{
    static const struct {
        const char *key, *what;
    } times[] = {{"written_ns", N_("written, as the file itself says (mtime)")},
                 {"made_ns", N_("made, as the kernel says (btime)")},
                 {"changed_ns", N_("last changed or moved, as the kernel says (ctime)")}};
    const char *path = text_of(g->r, f, "path");
    const char *detail =
        arena_printf(g->r->arena, "%s %.8s", text_of(g->r, of, "rule"), text_of(g->r, of, "id"));
    const char *who = arena_printf(g->r->arena, "uid %lld",
                                   (long long)json_integer_value(json_object_get(f, "uid")));
    for (size_t i = 0; *path && i < ARRAY_COUNT(times); i++) {
        const json_t *at = json_object_get(f, times[i].key);
        if (at)
            add_file(g, json_integer_value(at), times[i].what, path, detail, who);
    }
}

/* Of every look that the ledger has: what was found first may be gone. */
static void read_findings(struct timeline *t, struct response *r, int64_t from)
{
    const struct reading reading = {t, r, from};
    const json_t *o, *f, *file;
    size_t i, k, n;
    json_array_foreach(r->incident.array, i, o)
    {
        const json_t *result = json_get_object(o, "result");
        if (!result || !str_equal(json_get_string(o, "incident"), r->incident.id))
            continue;
        json_array_foreach(json_object_get(result, "findings"), k, f)
        {
            add_finding(&reading, f, f);
            json_array_foreach(json_object_get(f, "files"), n, file)
            {
                add_finding(&reading, f, file);
            }
        }
    }
}

/* ---- logins --------------------------------------------------------------------------------- */

static void add_login(struct timeline *t, struct response *r, const json_t *o, int64_t from)
{
    static const struct {
        const char *type, *text;
    } names[] = {{"login", N_("somebody logged in")},
                 {"logout", N_("somebody logged out")},
                 {"boot", N_("the host was started")},
                 {"shutdown", N_("the host was shut down")},
                 {"clock", N_("the clock was set")}};
    int64_t at;
    const char *time = json_get_string(o, "time"), *type = json_get_string(o, "type");
    const char *source = text_of(r, o, "source");
    if (!time || !date_parse(time, &at) || at < from)
        return;
    const char *what = NULL;
    for (size_t i = 0; i < ARRAY_COUNT(names); i++)
        what = str_equal(type, names[i].type) ? names[i].text : what;
    if (str_ends(source, "/btmp"))
        what = N_("somebody failed to log in");
    /* lastlog and utmp say again what wtmp says */
    if (!what || str_ends(source, "/lastlog") || str_ends(source, "/utmp"))
        return;
    const char *host = text_of(r, o, "host"), *address = text_of(r, o, "address");
    add(t, (struct moment){
               at * second_ns, N_("login"), what, text_of(r, o, "user"),
               arena_printf(r->arena, "%s %s", text_of(r, o, "line"), *host ? host : address), "",
               0, NULL});
}

/* As they were kept: what the host says now may have been changed since. */
static bool read_logins(struct timeline *t, struct response *r, int64_t from, struct error *e)
{
    struct evidence_entry *entries;
    size_t count, size = 0, position = 0, length;
    const char *line;
    CLEANUP_FREE char *text = NULL;
    if (!evidence_entries(r, &entries, &count, e))
        return false;
    const struct evidence_entry *rest = evidence_last(entries, count, "rest");
    CLEANUP_CLOSE int dir = rest ? evidence_open(r, rest, NULL) : -1;
    CLEANUP_CLOSE int fd =
        dir >= 0 ? openat(dir, "logins.jsonl", O_RDONLY | O_NOFOLLOW | O_CLOEXEC) : -1;
    if (fd < 0 || !file_read_fd(&text, &size, fd, MOST_LOGINS_BYTES, NULL))
        return true;
    while (str_next_line(text, size, &position, &line, &length)) {
        CLEANUP_JSON json_t *o = json_parse(line, length, "logins.jsonl", 1 << 20, 1 << 20, NULL);
        if (o)
            add_login(t, r, o, from);
    }
    return true;
}

/* ---- all ------------------------------------------------------------------------------------ */

static int by_time(const void *a, const void *b)
{
    const struct moment *x = a, *y = b;
    if (x->at_ns != y->at_ns)
        return x->at_ns < y->at_ns ? -1 : 1;
    return x->order < y->order ? -1 : x->order > y->order;
}

/* A file is found by several rules, at several looks, and lies in quarantine then. */
static bool is_said(const struct timeline *t, size_t count, const struct moment *m)
{
    enum { MOST_LOOKED = 1000 }; /* a thousand files may have been given one time */
    size_t least = count > MOST_LOOKED ? count - MOST_LOOKED : 0;
    for (size_t i = count; i > least && t->moments.items[i - 1].at_ns == m->at_ns; i--) {
        const struct moment *before = &t->moments.items[i - 1];
        if (str_equal(before->source, "file") && str_equal(before->what, m->what) &&
            str_equal(before->subject, m->subject))
            return true;
    }
    return false;
}

static void say_each_once(struct timeline *t)
{
    size_t kept = 0;
    for (size_t i = 0; i < t->moments.count; i++) {
        const struct moment m = t->moments.items[i];
        if (!str_equal(m.source, "file") || !is_said(t, kept, &m))
            t->moments.items[kept++] = m;
    }
    t->moments.count = kept;
}

bool timeline_read(struct timeline *out, struct response *r, struct error *e)
{
    const struct incident *i = &r->incident;
    struct timeline t = {0};
    int64_t sign = i->first_sign && i->first_sign < i->opened ? i->first_sign : i->opened;
    int64_t from = sign - DAY;
    if (!read_ledger(&t, r, from, e) || !read_guard(&t, r, from, e) ||
        !read_files(&t, r, from, e) || !read_logins(&t, r, from, e)) {
        timeline_free(&t);
        return false;
    }
    read_findings(&t, r, from);
    if (t.moments.count)
        qsort(t.moments.items, t.moments.count, sizeof *t.moments.items, by_time);
    say_each_once(&t);
    *out = t;
    return true;
}

void timeline_local(int64_t seconds, char out[40])
{
    time_t when = (time_t)seconds;
    struct tm tm = {0};
    char text[32], zone[8];
    localtime_r(&when, &tm);
    strftime(text, sizeof text, "%Y-%m-%d %H:%M:%S", &tm);
    strftime(zone, sizeof zone, "%z", &tm);
    snprintf(out, 40, "%s %.3s:%.2s", text, zone, strlen(zone) > 3 ? zone + 3 : "00");
}

const char *timeline_screen(struct arena *arena, int64_t seconds)
{
    char utc[32], local[40];
    tzset();
    date_format(seconds, utc);
    timeline_local(seconds, local);
    return str_ends(local, " +00:00") ? arena_strdup(arena, utc)
                                      : arena_printf(arena, "%s (%s)", utc, local);
}

static int64_t seconds_of(const struct moment *m)
{
    return m->at_ns / second_ns - (m->at_ns % second_ns < 0);
}

/* The ledger and logins know whole seconds; a fraction would be made up. */
void timeline_time(const struct moment *m, char out[48])
{
    char when[40];
    timeline_local(seconds_of(m), when);
    if (str_equal(m->source, "ledger") || str_equal(m->source, "login"))
        snprintf(out, 48, "%s", when);
    else
        snprintf(out, 48, "%.19s.%03d%s", when,
                 (int)((m->at_ns - seconds_of(m) * second_ns) / 1000000), when + 19);
}

void timeline_add_lines(struct str *out, const struct timeline *t)
{
    for (size_t i = 0; i < t->moments.count; i++) {
        const struct moment *m = &t->moments.items[i];
        char when[32], fine[48];
        date_format(seconds_of(m), when);
        snprintf(fine, sizeof fine, "%.19s.%09lldZ", when,
                 (long long)(m->at_ns - seconds_of(m) * second_ns));
        CLEANUP_JSON json_t *o = json_object();
        json_put_string(o, "type", "moment");
        json_put_int(o, "number", (int64_t)i + 1);
        json_put_string(o, "time", fine);
        json_put_string(o, "source", m->source);
        json_put_string(o, "what", m->what);
        json_put_string(o, "subject", m->subject);
        json_put_string(o, "detail", m->detail);
        json_put_string(o, "who", m->who);
        json_add_line(out, o);
        str_add_char(out, '\n');
    }
}

void timeline_add_text(struct str *out, const struct timeline *t)
{
    for (size_t i = 0; i < t->moments.count; i++) {
        const struct moment *m = &t->moments.items[i];
        CLEANUP_STR struct str line = {0};
        char when[48];
        timeline_time(m, when);
        str_printf(&line, "%s  %s", when, language_text(m->what));
        const char *more[] = {m->subject, m->detail, m->who};
        for (size_t k = 0; k < ARRAY_COUNT(more); k++)
            if (*more[k])
                str_printf(&line, "  %s", more[k]);
        /* names of files are the attacker's: a line break in one would be a line of its own */
        for (char *c = line.data; *c; c++)
            *c = *c == '\n' || *c == '\t' ? ' ' : *c;
        str_add_printable(out, line.data, line.length);
        str_add_char(out, '\n');
    }
}
