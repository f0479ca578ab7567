#include "record/sites.h"

#include "base/str.h"
#include "record/ledger.h"
#include "record/sql.h"

#include <stdio.h>
#include <string.h>

bool site_name_valid(const char *name)
{
    size_t length = strlen(name);
    return length >= 1 && length <= 63 && name[0] != '.' && name[0] != '-' &&
           strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789._-") == length;
}

static bool sql_error(struct state *s, struct error *e, const char *doing)
{
    return sql_failed(s, e, N_("%s the sites of the state failed: %s"), doing);
}

static void row_of(struct site_row *row, sqlite3_stmt *st, struct arena *arena)
{
    *row = (struct site_row){
        .name = sql_text(arena, st, 0),
        .root = sql_text(arena, st, 1),
        .profile = sql_text(arena, st, 2),
        .generation = (uint64_t)sqlite3_column_int64(st, 3),
        .since = sqlite3_column_int64(st, 5),
    };
    if (sqlite3_column_bytes(st, 4) == (int)sizeof row->manifest_sha256)
        memcpy(row->manifest_sha256, sqlite3_column_blob(st, 4), sizeof row->manifest_sha256);
}

bool sites_list(struct state *s, struct arena *arena, struct site_row **out, size_t *count,
                struct error *e)
{
    CLEANUP_STATEMENT sqlite3_stmt *st = NULL;
    if (!state_knows_sites(s)) {
        *out = NULL;
        *count = 0;
        return true;
    }
    if (sqlite3_prepare_v2(state_db(s),
                           "SELECT name, root, profile, generation, manifest, since FROM site "
                           "ORDER BY name",
                           -1, &st, NULL) != SQLITE_OK)
        return sql_error(s, e, _("reading"));
    VEC(struct site_row) rows = {0};
    int code;
    while ((code = sqlite3_step(st)) == SQLITE_ROW) {
        struct site_row row;
        row_of(&row, st, arena);
        VEC_PUSH(&rows, row);
    }
    bool good = code == SQLITE_DONE;
    if (good) {
        *out = rows.count ? arena_dup(arena, rows.items, rows.count * sizeof *rows.items) : NULL;
        *count = rows.count;
    }
    VEC_FREE(&rows);
    return good || sql_error(s, e, _("reading"));
}

bool sites_find(struct state *s, const char *name, struct arena *arena, struct site_row *out,
                struct error *e)
{
    struct site_row *rows;
    size_t count;
    if (!sites_list(s, arena, &rows, &count, e))
        return false;
    for (size_t i = 0; i < count; i++)
        if (str_equal(rows[i].name, name)) {
            *out = rows[i];
            return true;
        }
    error_set(e, ERR_ABSENT, "there is no site \"%s\" under guard", name);
    return false;
}

static bool write_row(struct state *s, const void *context, struct error *e)
{
    const struct site_row *row = context;
    CLEANUP_STATEMENT sqlite3_stmt *st = NULL;
    if (sqlite3_prepare_v2(state_db(s), "INSERT OR REPLACE INTO site VALUES(?,?,?,?,?,?)", -1, &st,
                           NULL) != SQLITE_OK)
        return sql_error(s, e, _("writing"));
    sqlite3_bind_text(st, 1, row->name, -1, SQLITE_STATIC);
    sqlite3_bind_text(st, 2, row->root, -1, SQLITE_STATIC);
    sqlite3_bind_text(st, 3, row->profile, -1, SQLITE_STATIC);
    sqlite3_bind_int64(st, 4, (int64_t)row->generation);
    sqlite3_bind_blob(st, 5, row->manifest_sha256, sizeof row->manifest_sha256, SQLITE_STATIC);
    sqlite3_bind_int64(st, 6, row->since);
    return sqlite3_step(st) == SQLITE_DONE || sql_error(s, e, _("writing"));
}

bool sites_accept(struct state *s, const struct site_row *row, const json_t *entry, int64_t now,
                  struct error *e)
{
    return ledger_append_with(s, entry, now, write_row, row, e);
}
