#include "record/state.h"

#include "base/file.h"
#include "base/str.h"
#include "model/date.h"
#include "record/cache_files.h"
#include "record/sql.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

struct state {
    sqlite3 *db;
    int dirfd;
    bool read_only;
    struct cache_files *files;
    struct cache cache;
    int version; /* of the schema */
};

/* Version 2 added the sites and what was undone there. Every statement can be run over an older
 * version. */
enum { SCHEMA_VERSION = 2 };
static const char schema[] =
    "CREATE TABLE IF NOT EXISTS target(id TEXT PRIMARY KEY, name TEXT, kind TEXT, argument TEXT,"
    " given TEXT, first_seen INTEGER, last_seen INTEGER) WITHOUT ROWID;"
    "CREATE TABLE IF NOT EXISTS finding(target TEXT, id TEXT, rule TEXT, subject TEXT,"
    " verdict TEXT, severity TEXT, revision TEXT, first_seen INTEGER, last_seen INTEGER,"
    " fixed_at INTEGER, PRIMARY KEY(target, id)) WITHOUT ROWID;"
    "CREATE INDEX IF NOT EXISTS finding_id ON finding(id);"
    "CREATE TABLE IF NOT EXISTS patch(target TEXT, id TEXT, last_seen INTEGER,"
    " PRIMARY KEY(target, id)) WITHOUT ROWID;"
    "CREATE TABLE IF NOT EXISTS ledger(seq INTEGER PRIMARY KEY, body TEXT, hash TEXT,"
    " signature TEXT);"
    "CREATE TABLE IF NOT EXISTS site(name TEXT PRIMARY KEY, root TEXT, profile TEXT,"
    " generation INTEGER, manifest BLOB, since INTEGER) WITHOUT ROWID;"
    "CREATE TABLE IF NOT EXISTS tamper(id INTEGER PRIMARY KEY, site TEXT, first_ns INTEGER,"
    " last_ns INTEGER, restored INTEGER, failed INTEGER, unlisted INTEGER, slowest_us INTEGER,"
    " pid INTEGER, uid INTEGER, exe TEXT, command TEXT);"
    "CREATE TABLE IF NOT EXISTS tamper_path(tamper INTEGER, at_ns INTEGER, path BLOB, kind TEXT,"
    " what INTEGER, evidence TEXT, took_us INTEGER, size INTEGER, undone INTEGER, sha256 BLOB);"
    "CREATE INDEX IF NOT EXISTS tamper_path_of ON tamper_path(tamper);"
    "PRAGMA user_version=2;";

/* "disk I/O error" tells nobody that the disk is full: what the system said does. */
void state_sql_reason(struct state *s, char out[STATE_REASON], struct error *where)
{
    const char *path = s->db ? sqlite3_db_filename(s->db, "main") : NULL;
    int code = s->db ? sqlite3_errcode(s->db) & 0xff : SQLITE_NOMEM;
    int system = s->db ? sqlite3_system_errno(s->db) : 0;
    snprintf(out, STATE_REASON, "%s", s->db ? sqlite3_errmsg(s->db) : _("no memory"));
    if (system && (code == SQLITE_IOERR || code == SQLITE_FULL || code == SQLITE_CANTOPEN))
        snprintf(out, STATE_REASON, "%s (%s)", sqlite3_errmsg(s->db), strerror(system));
    if (path && *path)
        error_at(where, path, 0, 0);
}

static bool sql_error(struct state *s, struct error *e, const char *doing)
{
    return sql_failed(s, e, N_("%s in the state failed: %s"), doing);
}

static bool opening_failed(struct state *s, struct error *e)
{
    char reason[STATE_REASON];
    bool foreign = s->db && (sqlite3_errcode(s->db) & 0xff) == SQLITE_NOTADB;
    state_sql_reason(s, reason, NULL);
    error_set(e, foreign ? ERR_CORRUPT : ERR_SYSTEM,
              foreign ? N_("opening the state failed: %s; move it away and a new one is made")
                      : N_("opening the state failed: %s"),
              reason);
    return false;
}

static bool run(struct state *s, const char *sql, struct error *e)
{
    return sqlite3_exec(s->db, sql, NULL, NULL, NULL) == SQLITE_OK || sql_error(s, e, _("writing"));
}

static sqlite3_stmt *prepare(struct state *s, const char *sql, struct error *e)
{
    sqlite3_stmt *statement = NULL;
    if (sqlite3_prepare_v2(s->db, sql, -1, &statement, NULL) != SQLITE_OK)
        sql_error(s, e, _("reading"));
    return statement;
}

static void bind(sqlite3_stmt *st, int index, const char *text)
{
    sqlite3_bind_text(st, index, text ? text : "", -1, SQLITE_STATIC);
}

bool state_default_dir(char *out, size_t size, const char *flag, struct error *e)
{
    const char *env = getenv("YAGURA_STATE"), *xdg = getenv("XDG_STATE_HOME");
    const char *home = getenv("HOME");
    int n;
    if (flag || (env && *env))
        n = snprintf(out, size, "%s", flag ? flag : env);
    else if (geteuid() == 0)
        n = snprintf(out, size, "/var/lib/yagura");
    else if (xdg && *xdg)
        n = snprintf(out, size, "%s/yagura", xdg);
    else if (home && *home)
        n = snprintf(out, size, "%s/.local/state/yagura", home);
    else
        n = -1;
    if (n > 0 && (size_t)n < size)
        return true;
    error_set(e, ERR_USAGE, "no folder for the state is known: name one with --state DIR");
    return false;
}

/* Several first runs at once: the change to WAL does not wait by itself when it is locked. */
static bool switch_to_wal(struct state *s, struct error *e)
{
    enum { TRIES = 250, PAUSE_US = 20000 };
    int code = SQLITE_BUSY;
    for (int i = 0; i < TRIES && code == SQLITE_BUSY; i++) {
        if (i)
            usleep(PAUSE_US);
        code = sqlite3_exec(s->db, "PRAGMA journal_mode=WAL", NULL, NULL, NULL);
    }
    if (code == SQLITE_OK)
        return true;
    return opening_failed(s, e);
}

static int schema_version(struct state *s, struct error *e)
{
    CLEANUP_STATEMENT sqlite3_stmt *st = prepare(s, "PRAGMA user_version", e);
    if (st && sqlite3_step(st) == SQLITE_ROW)
        return sqlite3_column_int(st, 0);
    sql_error(s, e, _("reading"));
    return -1;
}

static bool prepare_database(struct state *s, struct error *e)
{
    /* A power cut may cost the last audit's memory; the ledger asks for FULL by itself. */
    if (!switch_to_wal(s, e) || !run(s, "PRAGMA synchronous=NORMAL", e))
        return false;
    int version = schema_version(s, e);
    if (version < 0)
        return false;
    if (version > SCHEMA_VERSION) {
        error_set(e, ERR_UNSUPPORTED, "the state was written by a newer version of this program");
        return false;
    }
    s->version = SCHEMA_VERSION;
    return version == SCHEMA_VERSION ||
           (run(s, "BEGIN IMMEDIATE", e) && run(s, schema, e) && run(s, "COMMIT", e));
}

static bool sql_open_error(struct state *s, const char *path, struct error *e)
{
    opening_failed(s, e);
    error_at(e, path, 0, 0);
    return false;
}

/* The name of a file as SQLite's URI wants it. */
static void add_uri(struct str *out, const char *path, const char *options)
{
    str_add(out, "file:");
    for (const char *p = path; *p; p++)
        str_printf(out, strchr("?#%", *p) ? "%%%02X" : "%c", (unsigned char)*p);
    str_printf(out, "?%s", options);
}

/* https://www.sqlite.org/wal.html, "Read-Only Databases": a database in WAL mode in a folder that
 * cannot be written opens only as immutable, and then what stands in a log beside it would be
 * passed over: the end of a ledger. */
static bool open_database_to_read(struct state *s, const char *dir, struct error *e)
{
    CLEANUP_STR struct str path = {0}, uri = {0};
    struct stat log;
    str_printf(&path, "%s/state.db", dir);
    if (faccessat(s->dirfd, "state.db", F_OK, AT_SYMLINK_NOFOLLOW) != 0) {
        error_set(e, ERR_ABSENT, "there is no state here: nothing was remembered in this folder");
        error_at(e, dir, 0, 0);
        return false;
    }
    bool fixed = faccessat(s->dirfd, ".", W_OK, AT_EACCESS) != 0;
    bool log_is_there =
        fstatat(s->dirfd, "state.db-wal", &log, AT_SYMLINK_NOFOLLOW) == 0 && log.st_size;
    if (fixed && log_is_there) {
        error_set(e, ERR_UNREADABLE,
                  "the newest entries stand in state.db-wal, which can only be read where the "
                  "folder can be written: copy the whole folder and name the copy with --state");
        error_at(e, str_text(&path), 0, 0);
        return false;
    }
    add_uri(&uri, str_text(&path), fixed ? "mode=ro&immutable=1" : "mode=rw");
    int flags = fixed ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE;
    if (sqlite3_open_v2(str_text(&uri), &s->db, flags | SQLITE_OPEN_URI | SQLITE_OPEN_NOFOLLOW,
                        NULL) != SQLITE_OK)
        return sql_open_error(s, str_text(&path), e);
    sqlite3_busy_timeout(s->db, 5000);
    /* A connection that may write takes its log and its index away again when it closes; one that
     * may not would leave them here. A log that was here before stays as it was. */
    sqlite3_db_config(s->db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, log_is_there, NULL);
    if (!run(s, "PRAGMA query_only=1", e))
        return false;
    struct error ignored;
    int version = schema_version(s, e ? e : &ignored);
    if (version == 0)
        error_set(e, ERR_ABSENT, "there is nothing in this state yet");
    else if (version > SCHEMA_VERSION)
        error_set(e, ERR_UNSUPPORTED, "the state was written by a newer version of this program");
    s->version = version;
    if (version > 0 && version <= SCHEMA_VERSION)
        return true;
    error_at(e, str_text(&path), 0, 0);
    return false;
}

static bool open_database(struct state *s, const char *dir, struct error *e)
{
    CLEANUP_STR struct str path = {0};
    str_printf(&path, "%s/state.db", dir);
    int code =
        sqlite3_open_v2(str_text(&path), &s->db,
                        SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOFOLLOW, NULL);
    if (code != SQLITE_OK)
        return sql_open_error(s, str_text(&path), e);
    file_give_to_owner(s->dirfd, "state.db"); /* its log and index will follow it */
    sqlite3_busy_timeout(s->db, 5000);
    if (prepare_database(s, e))
        return true;
    error_at(e, str_text(&path), 0, 0);
    return false;
}

static bool open_state(struct state **out, const char *dir, bool read_only, struct error *e)
{
    CLEANUP(state_cleanup) struct state *s = mem_alloc(sizeof *s);
    s->read_only = read_only;
    s->dirfd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (s->dirfd < 0) {
        if (errno == ENOENT)
            error_set(e, ERR_ABSENT, "there is no such folder, so nothing was remembered in it");
        else
            error_set_errno(e, errno, "opening the state folder failed");
        error_at(e, dir, 0, 0);
        return false;
    }
    if (read_only ? !open_database_to_read(s, dir, e) : !open_database(s, dir, e))
        return false;
    s->files = cache_files_open(s->dirfd, "cache", !read_only);
    cache_files_interface(s->files, &s->cache);
    *out = s;
    s = NULL;
    return true;
}

bool state_open(struct state **out, const char *dir, struct error *e)
{
    return file_make_dirs(dir, 0700, e) && open_state(out, dir, false, e);
}

bool state_open_to_read(struct state **out, const char *dir, struct error *e)
{
    return open_state(out, dir, true, e);
}

bool state_knows_sites(const struct state *s)
{
    return s->version >= 2;
}

bool state_is_read_only(const struct state *s)
{
    return s->read_only;
}

void state_close(struct state *s)
{
    if (!s)
        return;
    cache_files_close(s->files);
    sqlite3_close(s->db);
    mem_cleanup_close(&s->dirfd);
    free(s);
}

void state_cleanup(struct state **s)
{
    state_close(*s);
}

const struct cache *state_cache(struct state *s)
{
    return &s->cache;
}

int state_dirfd(const struct state *s)
{
    return s->dirfd;
}

struct sqlite3 *state_db(struct state *s)
{
    return s->db;
}

static bool is_open_name(const char *verdict)
{
    return str_equal(verdict, "affected") || str_equal(verdict, "broken");
}

/* One finding against what is remembered of it; true if there is anything to write. */
static void merge_one(sqlite3_stmt *look, const char *target, struct finding *f, int64_t now)
{
    sqlite3_reset(look);
    bind(look, 1, target);
    bind(look, 2, f->id);
    f->last_seen = now;
    f->first_seen = now;
    f->fixed_at = DATE_NONE;
    if (sqlite3_step(look) != SQLITE_ROW)
        return;
    const char *verdict = (const char *)sqlite3_column_text(look, 0);
    const char *revision = (const char *)sqlite3_column_text(look, 1);
    f->first_seen = sqlite3_column_int64(look, 2);
    bool was_fixed = sqlite3_column_type(look, 3) != SQLITE_NULL;
    if (f->verdict == VERDICT_FIXED || f->verdict == VERDICT_NOT_AFFECTED) {
        if (was_fixed)
            f->fixed_at = sqlite3_column_int64(look, 3);
        else if (verdict && is_open_name(verdict))
            f->fixed_at = now;
    }
    f->revised = f->revision && revision && *revision && !str_equal(f->revision, revision);
}

static bool close_missing(struct state *s, const char *target, int64_t now, struct error *e)
{
    CLEANUP_STATEMENT sqlite3_stmt *st =
        prepare(s,
                "UPDATE finding SET verdict='fixed', fixed_at=?2 WHERE target=?1 AND last_seen<?2 "
                "AND verdict IN ('affected','broken')",
                e);
    if (!st)
        return false;
    bind(st, 1, target);
    sqlite3_bind_int64(st, 2, now);
    return sqlite3_step(st) == SQLITE_DONE || sql_error(s, e, _("remembering what is gone"));
}

bool state_merge_findings(struct state *s, const char *target, struct findings *findings,
                          bool complete, int64_t now, struct error *e)
{
    CLEANUP_STATEMENT sqlite3_stmt *look = prepare(
        s, "SELECT verdict, revision, first_seen, fixed_at FROM finding WHERE target=? AND id=?",
        e);
    for (size_t i = 0; look && s->read_only && i < findings->list.count; i++)
        merge_one(look, target, findings->list.items[i], now);
    if (look && s->read_only)
        return true;
    CLEANUP_STATEMENT sqlite3_stmt *write = prepare(
        s,
        "INSERT INTO finding VALUES(?,?,?,?,?,?,?,?,?,?) ON CONFLICT(target, id) DO UPDATE "
        "SET verdict=CASE WHEN excluded.verdict='unknown' AND verdict IN "
        "('affected','broken') THEN verdict ELSE excluded.verdict END, severity=excluded.severity, "
        "revision=excluded.revision, last_seen=excluded.last_seen, "
        "fixed_at=excluded.fixed_at",
        e);
    if (!look || !write || !run(s, "BEGIN IMMEDIATE", e))
        return false;
    bool good = true;
    for (size_t i = 0; good && i < findings->list.count; i++) {
        struct finding *f = findings->list.items[i];
        merge_one(look, target, f, now);
        sqlite3_reset(write);
        bind(write, 1, target);
        bind(write, 2, f->id);
        bind(write, 3, f->rule_id);
        bind(write, 4, f->subject_name);
        bind(write, 5, verdict_name(f->verdict));
        bind(write, 6, severity_name(f->severity));
        bind(write, 7, f->revision);
        sqlite3_bind_int64(write, 8, f->first_seen);
        sqlite3_bind_int64(write, 9, f->last_seen);
        if (f->fixed_at == DATE_NONE)
            sqlite3_bind_null(write, 10);
        else
            sqlite3_bind_int64(write, 10, f->fixed_at);
        good = sqlite3_step(write) == SQLITE_DONE;
    }
    if (!good)
        sql_error(s, e, _("remembering a finding"));
    else if (complete)
        good = close_missing(s, target, now, e);
    sqlite3_reset(look); /* no statement may be open at the commit */
    sqlite3_reset(write);
    return run(s, good ? "COMMIT" : "ROLLBACK", good ? e : NULL) && good;
}

bool state_remember_ids(struct state *s, const char *target, const struct findings *findings,
                        int64_t now, struct error *e)
{
    if (s->read_only)
        return true;
    CLEANUP_STATEMENT sqlite3_stmt *write = prepare(
        s, "INSERT OR IGNORE INTO finding VALUES(?1,?2,?3,?4,'unknown','info','',?5,?5,NULL)", e);
    if (!write || !run(s, "BEGIN IMMEDIATE", e))
        return false;
    bool good = true;
    for (size_t i = 0; good && i < findings->list.count; i++) {
        const struct finding *f = findings->list.items[i];
        sqlite3_reset(write);
        bind(write, 1, target);
        bind(write, 2, f->id);
        bind(write, 3, f->rule_id);
        bind(write, 4, f->subject_name);
        sqlite3_bind_int64(write, 5, now);
        good = sqlite3_step(write) == SQLITE_DONE;
    }
    if (!good)
        sql_error(s, e, _("remembering a finding"));
    sqlite3_reset(write);
    return run(s, good ? "COMMIT" : "ROLLBACK", good ? e : NULL) && good;
}

bool state_remember_target(struct state *s, const char *target, const char *name, const char *kind,
                           const char *argument, const char *given, int64_t now, struct error *e)
{
    if (s->read_only)
        return true;
    CLEANUP_STATEMENT sqlite3_stmt *st =
        prepare(s,
                "INSERT INTO target VALUES(?1,?2,?3,?4,?6,?5,?5) ON CONFLICT(id) DO UPDATE SET "
                "name=?2, kind=?3, argument=?4, given=?6, last_seen=?5",
                e);
    if (!st)
        return false;
    bind(st, 1, target);
    bind(st, 2, name);
    bind(st, 3, kind);
    bind(st, 4, argument);
    sqlite3_bind_int64(st, 5, now);
    bind(st, 6, given);
    return sqlite3_step(st) == SQLITE_DONE || sql_error(s, e, _("remembering a target"));
}

bool state_target_of_finding(struct state *s, const char *id, struct state_target *out,
                             struct error *e)
{
    size_t length = strlen(id);
    if (length < 4 || length > 16 || strspn(id, "0123456789abcdef") != length) {
        error_set(e, ERR_USAGE, "\"%s\" is not the id of a finding: 4 to 16 hexadecimal digits",
                  id);
        return false;
    }
    CLEANUP_STATEMENT sqlite3_stmt *st =
        prepare(s,
                "SELECT finding.id, kind, argument, given FROM finding JOIN target ON "
                "finding.target = target.id WHERE substr(finding.id, 1, ?2) = ?1 LIMIT 2",
                e);
    if (!st)
        return false;
    bind(st, 1, id);
    sqlite3_bind_int64(st, 2, (int64_t)length);
    if (sqlite3_step(st) != SQLITE_ROW) {
        error_set(e, ERR_ABSENT, "no audit that is remembered here has a finding %s", id);
        return false;
    }
    snprintf(out->finding, sizeof out->finding, "%s", (const char *)sqlite3_column_text(st, 0));
    snprintf(out->kind, sizeof out->kind, "%s", (const char *)sqlite3_column_text(st, 1));
    snprintf(out->argument, sizeof out->argument, "%s", (const char *)sqlite3_column_text(st, 2));
    snprintf(out->given, sizeof out->given, "%s", (const char *)sqlite3_column_text(st, 3));
    if (sqlite3_step(st) == SQLITE_ROW) {
        error_set(e, ERR_USAGE, "several findings begin with %s: give more digits", id);
        return false;
    }
    return true;
}

bool state_merge_patches(struct state *s, const char *target, struct facts *facts, bool remember,
                         int64_t now, struct error *e)
{
    CLEANUP_STATEMENT sqlite3_stmt *look =
        prepare(s, "SELECT id, last_seen FROM patch WHERE target=? ORDER BY id", e);
    CLEANUP_STATEMENT sqlite3_stmt *write =
        prepare(s,
                "INSERT INTO patch VALUES(?,?,?) ON CONFLICT(target, id) DO UPDATE SET "
                "last_seen=excluded.last_seen",
                e);
    if (!look || !write)
        return false;
    bind(look, 1, target);
    while (sqlite3_step(look) == SQLITE_ROW) {
        char day[16];
        struct fact *f = facts_add(facts, "patch-before", "", 0, -1, CONFIDENCE_HIGH);
        fact_put(facts, f, "id", (const char *)sqlite3_column_text(look, 0));
        date_format_day(sqlite3_column_int64(look, 1), day);
        fact_put(facts, f, "last_seen", day);
    }
    sqlite3_reset(look);
    if (!remember || s->read_only || !facts_first(facts, "hotfix"))
        return true;
    if (!run(s, "BEGIN IMMEDIATE", e))
        return false;
    bool good = true;
    for (const struct fact *f = facts_first(facts, "hotfix"); good && f;
         f = facts_next(facts, "hotfix", f)) {
        if (!str_equal(fact_text(f, "installed"), "1"))
            continue;
        sqlite3_reset(write);
        bind(write, 1, target);
        bind(write, 2, fact_text(f, "id"));
        sqlite3_bind_int64(write, 3, now);
        good = sqlite3_step(write) == SQLITE_DONE;
    }
    if (!good)
        sql_error(s, e, _("remembering a patch"));
    sqlite3_reset(write);
    return run(s, good ? "COMMIT" : "ROLLBACK", good ? e : NULL) && good;
}

bool state_summarise(struct state *s, struct state_summary *out, struct error *e)
{
    CLEANUP_STATEMENT sqlite3_stmt *st = prepare(
        s,
        "SELECT (SELECT count(*) FROM target), (SELECT count(*) FROM finding WHERE verdict IN "
        "('affected','broken')), (SELECT count(*) FROM ledger), (SELECT max(last_seen) FROM "
        "target)",
        e);
    if (!st || sqlite3_step(st) != SQLITE_ROW)
        return false;
    out->targets = (size_t)sqlite3_column_int64(st, 0);
    out->open_findings = (size_t)sqlite3_column_int64(st, 1);
    out->ledger_entries = (size_t)sqlite3_column_int64(st, 2);
    out->last_audit =
        sqlite3_column_type(st, 3) == SQLITE_NULL ? DATE_NONE : sqlite3_column_int64(st, 3);
    return true;
}
