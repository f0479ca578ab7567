#include "record/tampers.h"

#include "record/sql.h"

#include <string.h>

static bool sql_error(struct state *s, struct error *e, const char *doing)
{
    return sql_failed(s, e, N_("%s what was undone failed: %s"), doing);
}

static bool write_burst(struct state *s, struct tamper *t, struct error *e)
{
    static const char sql[] =
        "INSERT INTO tamper(id, site, first_ns, last_ns, restored, failed, unlisted, slowest_us,"
        " pid, uid, exe, command) VALUES(?,?,?,?,?,?,?,?,?,?,?,?) ON CONFLICT(id) DO UPDATE SET"
        " last_ns=excluded.last_ns, restored=excluded.restored, failed=excluded.failed,"
        " unlisted=excluded.unlisted, slowest_us=excluded.slowest_us";
    CLEANUP_STATEMENT sqlite3_stmt *st = NULL;
    if (sqlite3_prepare_v2(state_db(s), sql, -1, &st, NULL) != SQLITE_OK)
        return sql_error(s, e, _("writing"));
    if (t->id)
        sqlite3_bind_int64(st, 1, t->id);
    sqlite3_bind_text(st, 2, t->site, -1, SQLITE_STATIC);
    sqlite3_bind_int64(st, 3, t->first_ns);
    sqlite3_bind_int64(st, 4, t->last_ns);
    sqlite3_bind_int64(st, 5, (int64_t)t->restored);
    sqlite3_bind_int64(st, 6, (int64_t)t->failed);
    sqlite3_bind_int64(st, 7, (int64_t)t->unlisted);
    sqlite3_bind_int64(st, 8, (int64_t)t->slowest_us);
    sqlite3_bind_int64(st, 9, t->pid);
    sqlite3_bind_int64(st, 10, t->uid);
    sqlite3_bind_text(st, 11, t->exe, -1, SQLITE_STATIC);
    sqlite3_bind_text(st, 12, t->command, -1, SQLITE_STATIC);
    if (sqlite3_step(st) != SQLITE_DONE)
        return sql_error(s, e, _("writing"));
    if (!t->id)
        t->id = sqlite3_last_insert_rowid(state_db(s));
    return true;
}

static bool write_paths(struct state *s, int64_t id, const struct tamper_path *paths, size_t count,
                        struct error *e)
{
    CLEANUP_STATEMENT sqlite3_stmt *st = NULL;
    if (sqlite3_prepare_v2(state_db(s), "INSERT INTO tamper_path VALUES(?,?,?,?,?,?,?,?,?,?)", -1,
                           &st, NULL) != SQLITE_OK)
        return sql_error(s, e, _("writing"));
    for (size_t i = 0; i < count; i++) {
        const struct tamper_path *p = &paths[i];
        sqlite3_reset(st);
        sqlite3_clear_bindings(st);
        sqlite3_bind_int64(st, 1, id);
        sqlite3_bind_int64(st, 2, p->at_ns);
        sqlite3_bind_blob(st, 3, p->path, (int)strlen(p->path), SQLITE_STATIC);
        sqlite3_bind_text(st, 4, p->kind, -1, SQLITE_STATIC);
        sqlite3_bind_int64(st, 5, p->what);
        sqlite3_bind_text(st, 6, p->evidence, -1, SQLITE_STATIC);
        sqlite3_bind_int64(st, 7, (int64_t)p->took_us);
        sqlite3_bind_int64(st, 8, (int64_t)p->size);
        sqlite3_bind_int64(st, 9, p->undone);
        if (p->has_sha256)
            sqlite3_bind_blob(st, 10, p->sha256, sizeof p->sha256, SQLITE_STATIC);
        if (sqlite3_step(st) != SQLITE_DONE)
            return sql_error(s, e, _("writing"));
    }
    return true;
}

bool tampers_write(struct state *s, struct tamper *t, const struct tamper_path *paths, size_t count,
                   struct error *e)
{
    if (sqlite3_exec(state_db(s), "BEGIN IMMEDIATE", NULL, NULL, NULL) != SQLITE_OK)
        return sql_error(s, e, _("writing"));
    bool good = write_burst(s, t, e) && write_paths(s, t->id, paths, count, e);
    if (sqlite3_exec(state_db(s), good ? "COMMIT" : "ROLLBACK", NULL, NULL, NULL) != SQLITE_OK &&
        good)
        return sql_error(s, e, _("writing"));
    return good;
}

/* A path is bytes, and no text of the database's. */
static const char *path_text(struct arena *arena, sqlite3_stmt *st, int column)
{
    const char *bytes = sqlite3_column_blob(st, column);
    return arena_strndup(arena, bytes ? bytes : "", (size_t)sqlite3_column_bytes(st, column));
}

static bool read_paths(struct state *s, sqlite3_stmt *st, struct arena *arena,
                       struct tamper_path **out, size_t *count, struct error *e)
{
    VEC(struct tamper_path) list = {0};
    int code;
    while ((code = sqlite3_step(st)) == SQLITE_ROW) {
        struct tamper_path p = {.at_ns = sqlite3_column_int64(st, 0),
                                .path = path_text(arena, st, 1),
                                .kind = sql_text(arena, st, 2),
                                .what = (unsigned)sqlite3_column_int(st, 3),
                                .evidence = sql_text(arena, st, 4),
                                .took_us = (uint64_t)sqlite3_column_int64(st, 5),
                                .size = (uint64_t)sqlite3_column_int64(st, 6),
                                .undone = sqlite3_column_int(st, 7) != 0};
        p.has_sha256 = sqlite3_column_bytes(st, 8) == (int)sizeof p.sha256;
        if (p.has_sha256)
            memcpy(p.sha256, sqlite3_column_blob(st, 8), sizeof p.sha256);
        VEC_PUSH(&list, p);
    }
    bool good = code == SQLITE_DONE;
    if (good) {
        *out = list.count ? arena_dup(arena, list.items, list.count * sizeof *list.items) : NULL;
        *count = list.count;
    }
    VEC_FREE(&list);
    return good || sql_error(s, e, _("reading"));
}

#define PATH_COLUMNS                                                                               \
    "p.at_ns, p.path, p.kind, p.what, p.evidence, p.took_us, p.size, p.undone, p.sha256"

bool tampers_paths(struct state *s, int64_t id, struct arena *arena, struct tamper_path **out,
                   size_t *count, struct error *e)
{
    CLEANUP_STATEMENT sqlite3_stmt *st = NULL;
    if (sqlite3_prepare_v2(state_db(s),
                           "SELECT " PATH_COLUMNS " FROM tamper_path p WHERE tamper = ?"
                           " ORDER BY p.rowid",
                           -1, &st, NULL) != SQLITE_OK)
        return sql_error(s, e, _("reading"));
    sqlite3_bind_int64(st, 1, id);
    return read_paths(s, st, arena, out, count, e);
}

bool tampers_evidence(struct state *s, const char *site, struct arena *arena,
                      struct tamper_path **out, size_t *count, struct error *e)
{
    CLEANUP_STATEMENT sqlite3_stmt *st = NULL;
    if (sqlite3_prepare_v2(state_db(s),
                           "SELECT " PATH_COLUMNS " FROM tamper_path p JOIN tamper t ON"
                           " p.tamper = t.id WHERE t.site = ? AND p.evidence != ''"
                           " ORDER BY p.rowid",
                           -1, &st, NULL) != SQLITE_OK)
        return sql_error(s, e, _("reading"));
    sqlite3_bind_text(st, 1, site, -1, SQLITE_STATIC);
    return read_paths(s, st, arena, out, count, e);
}

bool tampers_list(struct state *s, const char *site, size_t most, struct arena *arena,
                  struct tamper **out, size_t *count, struct error *e)
{
    CLEANUP_STATEMENT sqlite3_stmt *st = NULL;
    if (!state_knows_sites(s)) {
        *out = NULL;
        *count = 0;
        return true;
    }
    if (sqlite3_prepare_v2(state_db(s),
                           "SELECT id, site, first_ns, last_ns, restored, failed, unlisted,"
                           " slowest_us, pid, uid, exe, command FROM tamper"
                           " WHERE ?1 IS NULL OR site = ?1 ORDER BY id DESC LIMIT ?2",
                           -1, &st, NULL) != SQLITE_OK)
        return sql_error(s, e, _("reading"));
    if (site)
        sqlite3_bind_text(st, 1, site, -1, SQLITE_STATIC);
    sqlite3_bind_int64(st, 2, (int64_t)most);
    VEC(struct tamper) list = {0};
    int code;
    while ((code = sqlite3_step(st)) == SQLITE_ROW) {
        struct tamper t = {.id = sqlite3_column_int64(st, 0),
                           .site = sql_text(arena, st, 1),
                           .first_ns = sqlite3_column_int64(st, 2),
                           .last_ns = sqlite3_column_int64(st, 3),
                           .restored = (uint64_t)sqlite3_column_int64(st, 4),
                           .failed = (uint64_t)sqlite3_column_int64(st, 5),
                           .unlisted = (uint64_t)sqlite3_column_int64(st, 6),
                           .slowest_us = (uint64_t)sqlite3_column_int64(st, 7),
                           .pid = sqlite3_column_int64(st, 8),
                           .uid = sqlite3_column_int64(st, 9),
                           .exe = sql_text(arena, st, 10),
                           .command = sql_text(arena, st, 11)};
        VEC_PUSH(&list, t);
    }
    bool good = code == SQLITE_DONE;
    if (good) {
        *out = list.count ? arena_dup(arena, list.items, list.count * sizeof *list.items) : NULL;
        *count = list.count;
    }
    VEC_FREE(&list);
    return good || sql_error(s, e, _("reading"));
}
