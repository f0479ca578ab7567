#include "collect/scan.h"

#include "base/language.h"
#include "base/mem.h"
#include "base/monotonic.h"
#include "base/str.h"
#include "collect/scan_running.h"
#include "collect/scan_walk.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { MOST_HITS = 10000, MOST_UNREAD = 200, MOST_RULE_FILES = 20000, MOST_RULE_DEPTH = 8 };

struct hit {
    const char *path, *rule, *rules, *what, *class, *severity, *found;
    enum scan_engine engine;
    bool ours;
    enum confidence confidence;
    uint64_t offset;
    uint32_t line;
    struct stat st;
    char sha256[2 * crypto_hash_sha256_BYTES + 1]; /* "": could not be read */
};

struct scanning {
    struct arena *arena;
    const struct scan_request *request;
    struct scan_result *out;
    struct scan_workers *workers;
    VEC(struct hit) hits;
    uint64_t more_hits;
    const char *hashed_path; /* the file of the last hit */
    char hashed[2 * crypto_hash_sha256_BYTES + 1];
    VEC(struct error) unread;
    uint64_t more_unread;
};

/* --- what comes back --- */

/* The content's name: for whoever asks whether it is the same file elsewhere. */
static void hash(char *out, size_t size, int fd, uint64_t most)
{
    enum { PIECE = 256 * 1024 };
    CLEANUP_FREE unsigned char *buffer = mem_resize(NULL, PIECE);
    unsigned char digest[crypto_hash_sha256_BYTES];
    crypto_hash_sha256_state state;
    ssize_t n = 1;
    crypto_hash_sha256_init(&state);
    uint64_t at = 0;
    for (; at <= most && (n = pread(fd, buffer, PIECE, (off_t)at)) > 0; at += (uint64_t)n)
        crypto_hash_sha256_update(&state, buffer, (size_t)n);
    *out = '\0';
    if (n != 0)
        return;
    crypto_hash_sha256_final(&state, digest);
    sodium_bin2hex(out, size, digest, sizeof digest);
}

static void on_hit(void *context, const struct scan_file *file, const struct scan_reply *r)
{
    struct scanning *s = context;
    if (s->hits.count == MOST_HITS) {
        s->more_hits++;
        return;
    }
    struct hit h = {.path = arena_strdup(s->arena, file->path),
                    .rule = arena_strdup(s->arena, r->rule),
                    .rules = arena_strdup(s->arena, r->path),
                    .what = arena_strdup(s->arena, r->what),
                    .class = arena_strdup(s->arena, r->class),
                    .severity = arena_strdup(s->arena, r->severity),
                    .found = arena_strdup(s->arena, r->found),
                    .engine = r->engine,
                    .ours = r->ours,
                    .confidence = CONFIDENCE_MEDIUM,
                    .offset = r->offset,
                    .line = r->line,
                    .st = file->st};
    (void)!confidence_from_name(r->confidence, &h.confidence);
    if (!s->hashed_path || !str_equal(s->hashed_path, h.path)) { /* several rules: once */
        hash(s->hashed, sizeof s->hashed, file->fd, SCAN_MOST_BYTES);
        s->hashed_path = h.path;
    }
    memcpy(h.sha256, s->hashed, sizeof h.sha256);
    VEC_PUSH(&s->hits, h);
}

static void on_note(void *context, const char *path, const char *sentence)
{
    struct scanning *s = context;
    if (s->unread.count == MOST_UNREAD) {
        s->more_unread++;
        return;
    }
    struct error e = ERROR_INIT;
    error_set(&e, ERR_UNREADABLE, "%s", sentence);
    error_at(&e, arena_strdup(s->arena, path), 0, 0);
    VEC_PUSH(&s->unread, e);
}

static void on_problem(void *context, const char *path, uint32_t line, const char *sentence)
{
    struct scan_result *out = ((struct scanning *)context)->out;
    size_t n = out->problem_count++;
    if (n >= ARRAY_COUNT(out->problems))
        return;
    error_set(&out->problems[n], ERR_FORMAT, "%s", sentence);
    error_at(&out->problems[n], path, line, 0);
}

static void on_file(void *context, int fd, const char *path, const struct stat *st)
{
    struct scanning *s = context;
    if (s->request->files)
        __atomic_fetch_add(s->request->files, 1, __ATOMIC_RELAXED);
    if (s->request->bytes)
        __atomic_fetch_add(s->request->bytes, (uint64_t)st->st_size, __ATOMIC_RELAXED);
    scan_workers_give(s->workers, fd, path, st);
}

/* --- the rules --- */

struct rule_files {
    VEC(struct scan_rules) list;
    struct arena *arena;
    struct scanning *s;
};

static bool is_rules_name(const char *name)
{
    return name[0] != '.' && (str_ends_nocase(name, ".yar") || str_ends_nocase(name, ".yara"));
}

static void add_rules(struct rule_files *files, const char *path, bool ours)
{
    if (files->list.count == MOST_RULE_FILES)
        on_problem(files->s, path, 0, _("more than 20,000 files of rules: the rest is left out"));
    if (files->list.count >= MOST_RULE_FILES)
        return;
    struct scan_rules one = {arena_strdup(files->arena, path), ours};
    VEC_PUSH(&files->list, one);
}

static void add_rules_beneath(struct rule_files *files, const char *path, bool ours, unsigned depth)
{
    DIR *dir = opendir(path);
    const struct dirent *d;
    if (!dir) {
        on_problem(files->s, path, 0, strerror(errno));
        return;
    }
    while ((d = readdir(dir))) {
        const char *name = arena_printf(files->arena, "%s/%s", path, d->d_name);
        struct stat st;
        if (d->d_name[0] == '.')
            continue;
        if (stat(name, &st) != 0) {
            if (is_rules_name(d->d_name))
                on_problem(files->s, name, 0, strerror(errno));
            continue;
        }
        if (S_ISDIR(st.st_mode) && depth < MOST_RULE_DEPTH)
            add_rules_beneath(files, name, ours, depth + 1);
        else if (S_ISREG(st.st_mode) && is_rules_name(d->d_name))
            add_rules(files, name, ours);
    }
    closedir(dir);
}

static int compare_rules(const void *x, const void *y)
{
    const struct scan_rules *a = x, *b = y;
    return a->ours != b->ours ? (int)b->ours - (int)a->ours : strcmp(a->path, b->path);
}

static bool find_rules(struct rule_files *files, const char *const *paths, size_t count, bool ours,
                       struct error *e)
{
    for (size_t i = 0; i < count; i++) {
        struct stat st;
        if (stat(paths[i], &st) != 0) {
            error_set_errno(e, errno, "looking for rules");
            error_at(e, paths[i], 0, 0);
            return false;
        }
        size_t before = files->list.count;
        if (S_ISDIR(st.st_mode))
            add_rules_beneath(files, paths[i], ours, 0);
        else
            add_rules(files, paths[i], ours);
        if (files->list.count == before)
            on_problem(files->s, paths[i], 0, _("there are no YARA rules here (*.yar, *.yara)"));
    }
    return true;
}

/* --- facts --- */

static int compare_hits(const void *x, const void *y)
{
    const struct hit *a = x, *b = y;
    int order = strcmp(a->path, b->path);
    if (!order)
        order = (int)a->engine - (int)b->engine;
    if (!order)
        order = strcmp(a->rule, b->rule);
    return order ? order : strcmp(a->rules, b->rules);
}

static void state_hit(struct facts *facts, const struct hit *h)
{
    bool yara = h->engine == SCAN_YARA;
    int64_t offset = yara && h->offset <= INT64_MAX ? (int64_t)h->offset : -1;
    CLEANUP_STR struct str name = {0};
    str_add_name(&name, h->path);
    struct fact *f = facts_add(facts, yara ? "yara-hit" : "clamav-hit", str_text(&name), h->line,
                               offset, yara ? h->confidence : CONFIDENCE_HIGH);
    fact_put(facts, f, "path", str_text(&name));
    if (!str_equal(fact_text(f, "path"), h->path)) { /* it is no text for people: in digits */
        size_t size = strlen(h->path);
        CLEANUP_FREE char *hex = mem_alloc(2 * size + 1);
        sodium_bin2hex(hex, 2 * size + 1, (const unsigned char *)h->path, size);
        fact_put(facts, f, "path_hex", hex);
    }
    fact_put(facts, f, yara ? "rule" : "signature", h->rule);
    if (yara) {
        fact_put(facts, f, "what", *h->what ? h->what : h->rule);
        fact_put(facts, f, "class", h->class);
        fact_put(facts, f, "severity", h->severity);
        fact_put(facts, f, "by", h->ours ? "yagura" : "user");
        fact_put(facts, f, "rules", h->rules);
        fact_put(facts, f, "found", h->found);
    }
    fact_put_number(facts, f, "size", h->st.st_size);
    fact_put_number(facts, f, "inode", (int64_t)h->st.st_ino);
    fact_put_number(facts, f, "device", (int64_t)h->st.st_dev);
    fact_put_number(facts, f, "owner", (int64_t)h->st.st_uid);
    if (*h->sha256)
        fact_put(facts, f, "sha256", h->sha256);
    else
        fact_put_state(facts, f, "sha256", VALUE_UNREADABLE, _("it could not be read to its end"));
}

static int compare_unread(const void *x, const void *y)
{
    const struct error *a = x, *b = y;
    int order = strcmp(a->path, b->path);
    return order ? order : strcmp(a->message, b->message);
}

static void state_facts(struct scanning *s, struct facts *facts, const char *target)
{
    if (s->hits.count)
        qsort(s->hits.items, s->hits.count, sizeof *s->hits.items, compare_hits);
    for (size_t i = 0; i < s->hits.count; i++) {
        const struct hit *h = &s->hits.items[i], *last = i ? h - 1 : NULL;
        /* a rule that lies in two files, or in one and by `include` in another */
        if (!last || !str_equal(last->path, h->path) || !str_equal(last->rule, h->rule) ||
            last->engine != h->engine)
            state_hit(facts, h);
    }
    if (s->unread.count)
        qsort(s->unread.items, s->unread.count, sizeof *s->unread.items, compare_unread);
    for (size_t i = 0; i < s->unread.count; i++) {
        const struct error *u = &s->unread.items[i];
        CLEANUP_STR struct str name = {0};
        str_add_name(&name, u->path);
        facts_unread(facts, N_("the contents of a file"), str_text(&name),
                     arena_printf(s->arena, "%s: %s", str_text(&name), u->message));
    }
    if (s->more_unread)
        facts_unread(facts, N_("the contents of files"), target,
                     arena_printf(s->arena, _("%llu more that could not be looked at"),
                                  (unsigned long long)s->more_unread));
    if (s->more_hits)
        facts_unread(facts, N_("hits"), target,
                     arena_printf(s->arena, _("%llu more than the 10,000 that are kept"),
                                  (unsigned long long)s->more_hits));
}

/* --- all of it --- */

static void walk_all(struct scanning *s, struct target *target, const struct scan_request *r,
                     struct scan_walk *w)
{
    static const char *const whole_root[] = {"/"}, *const whole_image[] = {""};
    bool image = target_kind(target) == TARGET_IMAGE;
    const char *const *paths = r->path_count ? r->paths : image ? whole_image : whole_root;
    size_t count = r->path_count || r->only_paths ? r->path_count : 1;
    for (size_t i = 0; i < count; i++) {
        w->late = false;
        if (image)
            scan_walk_image(w, target, paths[i]);
        else
            scan_walk_path(w, target_rootfd(target), paths[i]);
        if (w->late)
            on_note(s, *paths[i] ? paths[i] : "/",
                    _("the time was over before all beneath it was looked at: yagura scan, with "
                      "this path, looks until it is through"));
    }
    if (r->deleted_programs)
        running_each_deleted(on_file, s);
    scan_workers_finish(s->workers);
}

static void scanning_cleanup(struct scanning *s)
{
    scan_workers_free(s->workers);
    VEC_FREE(&s->hits);
    VEC_FREE(&s->unread);
    arena_free(s->arena);
}

static void rule_files_cleanup(struct rule_files *files)
{
    VEC_FREE(&files->list);
}

bool scan_bytes(struct facts *facts, struct target *target, const struct scan_request *request,
                struct scan_result *out, struct error *e)
{
    CLEANUP(scanning_cleanup)
    struct scanning s = {.arena = arena_new(), .request = request, .out = out};
    CLEANUP(rule_files_cleanup) struct rule_files files = {.arena = s.arena, .s = &s};
    struct scan_sink sink = {on_hit, on_note, on_problem, &s};
    struct scan_walk walk = {.file = on_file,
                             .note = on_note,
                             .context = &s,
                             .left_out = request->left_out,
                             .left_out_count = request->left_out_count};
    *out = (struct scan_result){0};
    if (target_kind(target) == TARGET_TEXT) {
        error_set(e, ERR_USAGE, "a text has no files to look into");
        return false;
    }
    if (!find_rules(&files, request->ours, request->our_count, true, e) ||
        !find_rules(&files, request->theirs, request->their_count, false, e))
        return false;
    if (files.list.count)
        qsort(files.list.items, files.list.count, sizeof *files.list.items, compare_rules);
    struct scan_setup setup = {.rules = files.list.items,
                               .rule_count = files.list.count,
                               .clamd = request->clamd,
                               .threads = request->threads};
    if (!scan_workers_start(&s.workers, &setup, &sink, e))
        return false;
    if (request->most_ms)
        walk.until_ms = monotonic_ms() + request->most_ms;
    walk_all(&s, target, request, &walk);
    out->counts = scan_workers_counts(s.workers);
    out->links = walk.links;
    out->others = walk.others;
    out->kernel = walk.kernel;
    out->aside = walk.aside;
    out->absent = walk.absent && !out->counts.files;
    state_facts(&s, facts, target_name(target));
    return true;
}

const char *scan_find_clamd(void)
{
    static const char *const places[] = {
        "/run/clamav/clamd.ctl",      /* Debian, Ubuntu: clamav-daemon */
        "/run/clamd.scan/clamd.sock", /* Fedora, RHEL: clamd@scan */
        "/run/clamav/clamd.sock",     /* Alpine, Arch */
        "/run/clamav/clamd-socket",   /* openSUSE */
    };
    for (size_t i = 0; i < ARRAY_COUNT(places); i++) {
        struct stat st;
        if (stat(places[i], &st) == 0 && S_ISSOCK(st.st_mode))
            return places[i];
    }
    return NULL;
}
