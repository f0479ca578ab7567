#include "record/sql.h"

void sql_finalize(sqlite3_stmt **statement)
{
    sqlite3_finalize(*statement);
}

bool sql_failed(struct state *s, struct error *e, const char *format, const char *doing)
{
    char reason[STATE_REASON];
    state_sql_reason(s, reason, NULL);
    error_set(e, ERR_SYSTEM, format, doing, reason);
    state_sql_reason(s, reason, e);
    return false;
}

const char *sql_text(struct arena *arena, sqlite3_stmt *st, int column)
{
    const char *value = (const char *)sqlite3_column_text(st, column);
    return arena_strdup(arena, value ? value : "");
}
