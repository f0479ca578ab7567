/* sql.h - what the files of this folder share about SQLite. */
#ifndef YAGURA_RECORD_SQL_H
#define YAGURA_RECORD_SQL_H

#include "base/mem.h"
#include "record/state.h"

#include <sqlite3.h>

void sql_finalize(sqlite3_stmt **statement);
#define CLEANUP_STATEMENT CLEANUP(sql_finalize)

/* ERR_SYSTEM with what was being done and why it failed; always false. `format` is a msgid that
 * takes both, as strings. */
bool sql_failed(struct state *s, struct error *e, const char *format, const char *doing);

/* A column's text in the arena; "" for NULL. */
const char *sql_text(struct arena *arena, sqlite3_stmt *st, int column);

#endif
