/* Any lines as the entries of a ledger that somebody wrote into: an incident, its steps and its
 * evidence are read from them, and that they are not ours is said. */
#include "base/mem.h"
#include "base/str.h"
#include "record/ledger.h"
#include "respond/evidence.h"
#include "respond/incident.h"

#include <sqlite3.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { MOST_ENTRIES = 32 };

/* It lives as long as the fuzzer; opening a database for each input would be slow. */
static struct state *state_of_fuzzer(void)
{
    static struct state *state;
    static char dir[] = "/dev/shm/yagura-fuzz-XXXXXX";
    if (state)
        return state;
    CLEANUP_JSON json_t *o = json_pack("{s:s}", "kind", "first");
    if (!mkdtemp(dir) || !state_open(&state, dir, NULL) ||
        !ledger_append(state, o, 991785600, NULL))
        abort();
    return state;
}

static void put_line(struct state *state, size_t seq, const char *line, size_t length)
{
    sqlite3_stmt *st = NULL;
    if (sqlite3_prepare_v2(state_db(state), "INSERT INTO ledger VALUES(?,?,'','')", -1, &st,
                           NULL) != SQLITE_OK)
        abort();
    sqlite3_bind_int64(st, 1, (int64_t)seq);
    sqlite3_bind_text(st, 2, line, (int)length, SQLITE_STATIC);
    if (sqlite3_step(st) != SQLITE_DONE)
        abort();
    sqlite3_finalize(st);
}

static void read_all(struct state *state, struct runbook *book, struct arena *arena)
{
    const char *id;
    struct evidence_entry *entries;
    struct respond_options options = {.who = "fuzz"};
    struct response r = {.state = state, .book = book, .arena = arena, .options = &options};
    size_t count;
    (void)incident_new_id(state, 991785600, arena, &id, NULL);
    if (!incident_open(&r.incident, state, NULL, arena, NULL))
        return;
    if (!r.incident.problems)
        abort();
    incident_read_steps(&r.incident, book, arena);
    (void)incident_knows(&r.incident, "0123456789abcdef");
    (void)incident_signed(&r.incident, "0123456789abcdef");
    if (evidence_entries(&r, &entries, &count, NULL))
        (void)evidence_last(entries, count, "rest");
    incident_close(&r.incident);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct arena *volatile kept; /* read by nobody, and not lost */
    static struct runbook *book;
    CLEANUP_ARENA struct arena *arena = arena_new();
    struct state *state = state_of_fuzzer();
    size_t position = 0, length, seq = 1;
    const char *line;
    if (!book) {
        kept = arena_new();
        if (!runbook_load(&book, "data/runbooks/defacement.yaml", kept, NULL))
            abort();
    }
    sqlite3_exec(state_db(state), "BEGIN; DELETE FROM ledger WHERE seq > 1", NULL, NULL, NULL);
    while (seq <= MOST_ENTRIES &&
           str_next_line((const char *)data, size, &position, &line, &length))
        put_line(state, ++seq, line, length);
    read_all(state, book, arena);
    sqlite3_exec(state_db(state), "ROLLBACK", NULL, NULL, NULL);
    return 0;
}
