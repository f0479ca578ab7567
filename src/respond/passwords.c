#include "respond/passwords.h"

#include "act/wp_config.h"
#include "audit/audit.h"
#include "base/file.h"
#include "content/publish.h"
#include "model/date.h"
#include "record/ledger.h"

#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static const char key_name[] = "password-marks.key";
enum {
    MOST_HASHED = 1 << 20,
    MARK_BYTES = 16,
    SHORT_MARK = 8, /* of each salt */
    MOST_LEADERS = 1000,
    SECONDS_A_DAY = 86400
};

struct audit *passwords_look(struct response *r, struct error *e)
{
    struct audit *a = NULL;
    struct audit_request request = {.kind = respond_target_kind(r),
                                    .argument = respond_is_live(r) ? NULL : r->incident.target,
                                    .as_of = DATE_NONE,
                                    .about = ABOUT_SECRETS};
    return audit_collect(&a, &request, e) ? a : NULL;
}

bool password_key(struct response *r, uint8_t key[ACCOUNT_KEY_BYTES], struct error *e)
{
    CLEANUP_CLOSE int folder = respond_evidence(r, e);
    CLEANUP_FREE char *bytes = NULL;
    size_t size;
    if (folder < 0)
        return false;
    CLEANUP_CLOSE int fd = file_open_beneath(folder, key_name, NULL, NULL);
    if (fd >= 0 && file_read_fd(&bytes, &size, fd, ACCOUNT_KEY_BYTES, NULL) &&
        size == ACCOUNT_KEY_BYTES) {
        memcpy(key, bytes, ACCOUNT_KEY_BYTES);
        return true;
    }
    account_key(key);
    return file_replace(folder, key_name, key, ACCOUNT_KEY_BYTES, 0600, e);
}

static bool is_account(const struct fact *f)
{
    return str_equal(fact_text(f, "reach"), "system-account");
}

const char *password_id(struct response *r, const struct fact *f)
{
    const char *path = fact_text(f, "path");
    return respond_id(r, fact_text(f, "reach"),
                      is_account(f) || !*path ? fact_text(f, "name") : path);
}

/* --- marks --- */

const char *password_key_name(struct response *r, const uint8_t *key)
{
    static const uint8_t what[] = "yagura password marks";
    uint8_t name[MARK_BYTES];
    char digits[2 * MARK_BYTES + 1];
    crypto_generichash(name, sizeof name, what, sizeof what, key, ACCOUNT_KEY_BYTES);
    sodium_bin2hex(digits, sizeof digits, name, sizeof name);
    return arena_strdup(r->arena, digits);
}

/* Under another key every mark is another, and nothing has changed for it. */
const char *password_mark_before(struct response *r, const char *id, const uint8_t *key)
{
    for (size_t i = 0; i < r->book->steps.count; i++) {
        const json_t *result = r->incident.steps[i].result;
        const json_t *marks = result ? json_get_object(result, "marks") : NULL;
        const char *name = marks ? json_get_string(result, "marks_key") : NULL;
        if (marks)
            return name && str_equal(name, password_key_name(r, key)) ? json_get_string(marks, id)
                                                                      : NULL;
    }
    return NULL;
}

bool password_has_changed(const char *before, const char *now)
{
    return before && now &&
           (str_equal(now, "locked") || str_equal(now, "expired") || !str_equal(before, now));
}

static bool has_expired(const struct account_state *is)
{
    uint64_t day;
    return str_to_u64(is->expires, &day) && day <= (uint64_t)date_now() / SECONDS_A_DAY;
}

static const char *mark_of_account(struct response *r, const char *user, const uint8_t *key)
{
    struct account_state is;
    char mark[2 * ACCOUNT_MARK_BYTES + 1];
    if (!account_look(&is, "", user, key, NULL))
        return NULL;
    sodium_bin2hex(mark, sizeof mark, is.mark, sizeof is.mark);
    return is.locked ? "locked" : has_expired(&is) ? "expired" : arena_strdup(r->arena, mark);
}

static int open_folder_of(const char *path, const char **name, struct error *e)
{
    char folder[4096];
    const char *slash = strrchr(path, '/');
    if (!slash) {
        error_set(e, ERR_USAGE, "it is named from a folder that is not known");
        return -1;
    }
    *name = slash + 1;
    snprintf(folder, sizeof folder, "%.*s", (int)(slash > path ? slash - path : 1), path);
    int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) {
        error_set_errno(e, errno, "opening the folder");
        error_at(e, folder, 0, 0);
    }
    return fd;
}

/* NULL where one of them is kept elsewhere, or in doubt: whether it changed cannot be seen. */
static const char *mark_of_salts(struct response *r, const struct wp_marks *marks)
{
    CLEANUP_STR struct str text = {0};
    char digits[2 * SHORT_MARK + 1];
    bool any = false;
    for (size_t i = 0; i < WP_SALTS; i++) {
        if (marks->elsewhere[i] || marks->doubtful[i])
            return NULL;
        any |= marks->there[i];
        sodium_bin2hex(digits, sizeof digits, marks->digest[i], SHORT_MARK);
        str_printf(&text, "%s%s", i ? "," : "", marks->there[i] ? digits : "");
    }
    return any ? arena_strdup(r->arena, str_text(&text)) : NULL;
}

static bool look_at_wordpress(struct wp_marks *out, const char *path, const uint8_t *key)
{
    const char *name;
    CLEANUP_CLOSE int folder = open_folder_of(path, &name, NULL);
    return folder >= 0 && wp_config_look(out, folder, name, key, NULL);
}

enum password_salts password_salts(const char *path)
{
    static const uint8_t no_key[WP_KEY_BYTES]; /* no mark is taken */
    struct wp_marks marks;
    size_t there = 0, elsewhere = 0;
    if (!look_at_wordpress(&marks, path, no_key))
        return PASSWORD_SALTS_HERE;
    for (size_t i = 0; i < WP_SALTS; i++) {
        there += marks.there[i];
        elsewhere += marks.elsewhere[i];
    }
    return !there               ? PASSWORD_SALTS_NONE
           : there == elsewhere ? PASSWORD_SALTS_ELSEWHERE
                                : PASSWORD_SALTS_HERE;
}

static const char *mark_of_wordpress(struct response *r, const struct fact *f, const uint8_t *key)
{
    enum { PASSWORD = WP_SALTS };
    struct wp_marks marks;
    char digits[2 * MARK_BYTES + 1];
    if (!look_at_wordpress(&marks, fact_text(f, "path"), key))
        return NULL;
    if (str_equal(fact_text(f, "reach"), "salt"))
        return mark_of_salts(r, &marks);
    if (!marks.there[PASSWORD] || marks.elsewhere[PASSWORD] || marks.doubtful[PASSWORD])
        return NULL;
    sodium_bin2hex(digits, sizeof digits, marks.digest[PASSWORD], MARK_BYTES);
    return arena_strdup(r->arena, digits);
}

static const char *mark_of_file(struct response *r, const char *path, const uint8_t *key)
{
    struct stat st;
    char *bytes = NULL, digits[2 * MARK_BYTES + 1];
    uint8_t mark[MARK_BYTES];
    size_t size;
    CLEANUP_CLOSE int fd = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    if (fd < 0 || fstat(fd, &st) != 0 || !S_ISREG(st.st_mode) ||
        !file_read_fd(&bytes, &size, fd, MOST_HASHED, NULL))
        return NULL;
    crypto_generichash(mark, sizeof mark, (const uint8_t *)bytes, size, key, ACCOUNT_KEY_BYTES);
    sodium_memzero(bytes, size);
    free(bytes);
    sodium_bin2hex(digits, sizeof digits, mark, sizeof mark);
    return arena_strdup(r->arena, digits);
}

const char *password_mark(struct response *r, const struct fact *f, const uint8_t *key)
{
    const char *path = fact_text(f, "path"), *reach = fact_text(f, "reach");
    if (is_account(f))
        return mark_of_account(r, fact_text(f, "name"), key);
    if (!*path || str_equal(reach, "cms-user")) /* these are in a database */
        return NULL;
    return str_ends(path, "/wp-config.php") ? mark_of_wordpress(r, f, key)
                                            : mark_of_file(r, path, key);
}

/* --- changing --- */

const char *password_way_name(enum password_way way)
{
    static const char *const names[] = {"lock", "expire", "unlock", "end-sessions", "rotate"};
    return names[way];
}

static json_t *entry_of(struct response *r, enum password_way way, const char *id)
{
    json_t *entry = incident_entry(r->incident.id, "change", NULL, r->options->who);
    json_put_string(entry, "way", password_way_name(way));
    json_put_string(entry, "secret", id);
    if (r->options->because)
        json_put_string(entry, "because", r->options->because);
    return entry;
}

/* How the account was before it was shut in this incident: of the first entry since it was opened
 * last. */
static bool shut_before(struct response *r, const char *id, struct account_state *out)
{
    const json_t *o;
    size_t i;
    bool found = false;
    json_array_foreach(r->incident.array, i, o)
    {
        const char *secret = json_get_string(o, "secret"), *way = json_get_string(o, "way");
        const json_t *before = json_get_object(o, "before");
        if (!str_equal(json_get_string(o, "incident"), r->incident.id) || !secret || !way ||
            !str_equal(secret, id))
            continue;
        if (str_equal(way, "unlock"))
            found = false;
        if (found || !before)
            continue;
        const char *expires = json_get_string(before, "expires");
        *out = (struct account_state){.locked = json_is_true(json_object_get(before, "locked"))};
        snprintf(out->expires, sizeof out->expires, "%s", expires ? expires : "");
        found = true;
    }
    return found;
}

struct leaders {
    pid_t items[MOST_LEADERS];
    size_t count;
};

/* Who is logged in as the user, as utmp and logind have it. */
static bool find_leaders(struct leaders *out, const char *user, struct error *e)
{
    CLEANUP(audit_cleanup) struct audit *a = NULL;
    struct audit_request request = {
        .kind = TARGET_LIVE, .as_of = DATE_NONE, .about = ABOUT_SECRETS};
    if (!audit_collect(&a, &request, e))
        return false;
    for (const struct fact *f = facts_first(a->facts, "session"); f;
         f = facts_next(a->facts, "session", f)) {
        uint64_t pid;
        if (str_equal(fact_text(f, "user"), user) && str_to_u64(fact_text(f, "pid"), &pid) &&
            pid > 1 && pid < INT32_MAX && out->count < MOST_LEADERS)
            out->items[out->count++] = (pid_t)pid;
    }
    return true;
}

static bool end_sessions(size_t *count, struct response *r, const char *user, uint32_t uid,
                         struct error *e)
{
    struct leaders leaders = {.count = 0};
    return find_leaders(&leaders, user, e) &&
           account_end_sessions(count, uid, leaders.items, leaders.count, r->options->dry_run, e);
}

/* *left: it is shut, and what it runs could not all be ended. */
static bool shut(struct response *r, enum password_way way, const char *user, json_t *entry,
                 const char **said, struct error *left, struct error *e)
{
    struct account_state before;
    size_t ended = 0;
    enum account_way how = way == PASSWORD_LOCK ? ACCOUNT_LOCK : ACCOUNT_EXPIRE;
    if (!account_shut(&before, "", user, how, r->options->dry_run, e))
        return false;
    json_t *o = json_object();
    json_put_bool(o, "locked", before.locked);
    json_put_string(o, "expires", before.expires);
    json_object_set_new(entry, "before", o);
    struct error why = ERROR_INIT;
    /* shut it is, and the ledger has to know it whatever became of its processes */
    if (!end_sessions(&ended, r, user, before.uid, &why)) {
        json_put_string(entry, "failed", why.message);
        *left = why;
        if (!r->options->dry_run)
            error_set(left, why.code, "%s is shut, and its processes could not all be ended: %s",
                      user, why.message);
    }
    json_put_int(entry, "ended", (int64_t)ended);
    *said = arena_printf(r->arena, _("%s is shut; processes ended: %zu"), user, ended);
    return true;
}

static bool unlock(struct response *r, const char *id, const char *user, const char **said,
                   struct error *e)
{
    struct account_state before;
    if (!shut_before(r, id, &before)) {
        error_set(e, ERR_ABSENT, "%s was not shut in this incident", user);
        return false;
    }
    *said = arena_printf(r->arena, _("%s is as it was before it was shut"), user);
    return account_reopen(&before, "", user, r->options->dry_run, e);
}

static bool end_only(struct response *r, const char *user, json_t *entry, const char **said,
                     struct error *e)
{
    struct account_state is;
    size_t ended = 0;
    if (!account_look(&is, "", user, NULL, e) || !end_sessions(&ended, r, user, is.uid, e))
        return false;
    json_put_int(entry, "ended", (int64_t)ended);
    *said = arena_printf(r->arena, _("%s: processes ended: %zu"), user, ended);
    return true;
}

/* --- salts --- */

struct chosen {
    const char *path; /* beneath the document root */
};

static bool is_chosen(void *context, const struct difference *d)
{
    const struct chosen *c = context;
    return str_equal(d->path, c->path);
}

/* Whether the file is as it was published, but for its time. */
static bool is_as_published(bool *out, struct site *site, const char *path,
                            struct differences **found, struct error *e)
{
    struct verify_options options = {.policies = site->policies};
    if (!verify(found, site->rootfd, site->generation.manifest, &options, e))
        return false;
    *out = true;
    for (size_t i = 0; i < (*found)->count; i++) {
        const struct difference *d = &(*found)->items[i];
        bool only_time = d->kind == DIFFERENCE_CHANGED && d->what == WHAT_MTIME;
        *out = *out && (only_time || !str_equal(d->path, path));
    }
    return true;
}

/* In a site: what else was changed in the file must not be published with the salts, and a guard
 * would put the old ones back. */
static bool rotate_in_site(size_t *count, struct response *r, const char *name, const char *inside,
                           const char *path, struct error *e)
{
    const struct respond_options *o = r->options;
    CLEANUP_SITE struct site site = {.rootfd = -1, .aside = {.fd = -1}};
    CLEANUP(differences_cleanup) struct differences *before = NULL, *after = NULL;
    struct objects *objects = respond_objects(r, e);
    bool clean;
    const char *last;
    if (!objects || !respond_open_site(&site, r, name, false, e) ||
        !is_as_published(&clean, &site, inside, &before, e))
        return false;
    if (!clean) {
        error_set(e, ERR_CORRUPT,
                  "it is not as it was published: yagura restore %s first, then give it new salts",
                  name);
        error_at(e, path, 0, 0);
        return false;
    }
    CLEANUP_CLOSE int folder = open_folder_of(path, &last, e);
    if (folder < 0 || !wp_config_rotate(count, folder, last, true, e)) {
        error_at(e, path, 0, 0); /* there may be several of that name */
        return false;
    }
    if (o->dry_run)
        return true;
    if (o->hold && !o->hold(o->context, name, e))
        return false;
    CLEANUP_JSON json_t *entry = incident_entry(r->incident.id, "publish", NULL, o->who);
    struct chosen chosen = {inside};
    size_t published = 0;
    json_put_string(entry, "kind", "publish");
    bool good =
        wp_config_rotate(count, folder, last, false, e) &&
        is_as_published(&clean, &site, inside, &after, e) &&
        publish_accept(r->state, objects, &site, after, is_chosen, &chosen, entry, &published, e);
    if (o->release)
        o->release(o->context, name);
    return good;
}

static bool rotate(struct response *r, const char *id, const char *path, const char **said,
                   struct error *e)
{
    struct site_row *rows;
    size_t sites, count = 0;
    const char *name, *in_site = NULL, *inside = path;
    if (!incident_knows(&r->incident, id)) {
        const char *step = respond_step_that(r, "passwords");
        error_set(e, ERR_USAGE, "no step found salts there: yagura respond do %.60s lists them",
                  step ? step : "passwords");
        error_at(e, path, 0, 0);
        return false;
    }
    if (!sites_list(r->state, r->arena, &rows, &sites, e))
        return false;
    for (size_t i = 0; i < sites; i++) {
        size_t length = strlen(rows[i].root);
        /* of sites in a site the innermost, whose file it is */
        if (str_starts(path, rows[i].root) && path[length] == '/' && path + length + 1 > inside) {
            in_site = rows[i].name;
            inside = path + length + 1;
        }
    }
    if (in_site) {
        if (!rotate_in_site(&count, r, in_site, inside, path, e))
            return false;
    } else {
        CLEANUP_CLOSE int folder = open_folder_of(path, &name, e);
        if (folder < 0 || !wp_config_rotate(&count, folder, name, r->options->dry_run, e)) {
            error_at(e, path, 0, 0); /* there may be several of that name */
            return false;
        }
    }
    *said = arena_printf(r->arena,
                         ngettext("%s: %zu new salt; all logins of WordPress have ended",
                                  "%s: %zu new salts; all logins of WordPress have ended", count),
                         path, count);
    return true;
}

bool password_change(struct response *r, enum password_way way, const char *what, const char **said,
                     struct error *e)
{
    const char *kind = way == PASSWORD_ROTATE ? "salt" : "system-account";
    size_t length = strlen(kind);
    bool whole = str_starts(what, kind) && what[length] == ':';
    const char *name = whole ? what + length + 1 : what;
    const char *id = respond_id(r, kind, name);
    if (!respond_is_live(r)) {
        error_set(e, ERR_USAGE, "this incident is about %s: change it on the host itself",
                  r->incident.target);
        return false;
    }
    if (r->incident.closed) {
        error_set(e, ERR_USAGE, "incident %.64s is closed", r->incident.id);
        return false;
    }
    CLEANUP_JSON json_t *entry = entry_of(r, way, id);
    struct error left = ERROR_INIT;
    bool good = way == PASSWORD_ROTATE         ? rotate(r, id, name, said, e)
                : way == PASSWORD_UNLOCK       ? unlock(r, id, name, said, e)
                : way == PASSWORD_END_SESSIONS ? end_only(r, name, entry, said, e)
                                               : shut(r, way, name, entry, said, &left, e);
    if (!good || (!r->options->dry_run && !ledger_append(r->state, entry, date_now(), e)))
        return false;
    if (left.code && e)
        *e = left;
    return !left.code;
}
