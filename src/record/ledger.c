#include "record/ledger.h"

#include "base/json.h"
#include "base/str.h"
#include "model/date.h"
#include "record/keys.h"
#include "record/sql.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>

enum { HASH_TEXT = 65 };
static const char first_hash[] = "0000000000000000000000000000000000000000000000000000000000000000";
static const char checkpoint_title[] = "yagura ledger checkpoint, key ";

static bool sql_error(struct state *s, struct error *e, const char *doing)
{
    return sql_failed(s, e, N_("%s the ledger failed: %s"), doing);
}

static void chain_hash(char out[HASH_TEXT], const char *before, const char *body)
{
    uint8_t digest[crypto_hash_sha256_BYTES];
    crypto_hash_sha256_state state;
    crypto_hash_sha256_init(&state);
    crypto_hash_sha256_update(&state, (const uint8_t *)before, strlen(before));
    crypto_hash_sha256_update(&state, (const uint8_t *)body, strlen(body));
    crypto_hash_sha256_final(&state, digest);
    sodium_bin2hex(out, HASH_TEXT, digest, sizeof digest);
}

static bool last_entry(struct state *s, int64_t *seq, char hash[HASH_TEXT], struct error *e)
{
    CLEANUP_STATEMENT sqlite3_stmt *st = NULL;
    if (sqlite3_prepare_v2(state_db(s), "SELECT seq, hash FROM ledger ORDER BY seq DESC LIMIT 1",
                           -1, &st, NULL) != SQLITE_OK)
        return sql_error(s, e, _("reading"));
    int code = sqlite3_step(st);
    if (code != SQLITE_ROW && code != SQLITE_DONE)
        return sql_error(s, e, _("reading"));
    *seq = code == SQLITE_ROW ? sqlite3_column_int64(st, 0) : 0;
    snprintf(hash, HASH_TEXT, "%s",
             code == SQLITE_ROW ? (const char *)sqlite3_column_text(st, 1) : first_hash);
    return true;
}

static bool write_entry(struct state *s, const json_t *object, int64_t now, const struct keypair *k,
                        struct error *e)
{
    int64_t seq;
    char before[HASH_TEXT], hash[HASH_TEXT], signature[89], time[32];
    if (!last_entry(s, &seq, before, e))
        return false;
    date_format(now, time);
    CLEANUP_JSON json_t *entry = json_pack("{s:I, s:s}", "seq", (json_int_t)seq + 1, "time", time);
    json_object_update_missing(entry, (json_t *)object);
    CLEANUP_STR struct str body = {0};
    json_add_line(&body, entry);
    chain_hash(hash, before, str_text(&body));
    keys_sign(signature, k, hash, strlen(hash));
    /* Look at what was signed before it counts. */
    if (!keys_verify(k, signature, hash, strlen(hash))) {
        error_set(e, ERR_CORRUPT, "the ledger's key does not verify its own signature");
        return false;
    }
    CLEANUP_STATEMENT sqlite3_stmt *st = NULL;
    if (sqlite3_prepare_v2(state_db(s), "INSERT INTO ledger VALUES(?,?,?,?)", -1, &st, NULL) !=
        SQLITE_OK)
        return sql_error(s, e, _("writing"));
    sqlite3_bind_int64(st, 1, seq + 1);
    sqlite3_bind_text(st, 2, str_text(&body), -1, SQLITE_STATIC);
    sqlite3_bind_text(st, 3, hash, -1, SQLITE_STATIC);
    sqlite3_bind_text(st, 4, signature, -1, SQLITE_STATIC);
    return sqlite3_step(st) == SQLITE_DONE || sql_error(s, e, _("writing"));
}

/* A new key is made for a new ledger only: beside another's entries it would make all of them look
 * slipped in. */
static bool open_key(struct state *s, struct keypair *k, bool make, int64_t last_seq,
                     struct error *e)
{
    struct error missing = ERROR_INIT;
    if (keys_open(k, state_dirfd(s), "ledger", make && !last_seq, &missing))
        return true;
    if (missing.code == ERR_ABSENT)
        error_set(&missing, ERR_ABSENT,
                  "the ledger's key is missing (keys/ledger.pub beside state.db): without it the "
                  "signatures prove nothing; put it back from a copy");
    if (!*missing.path)
        error_at(&missing, sqlite3_db_filename(state_db(s), "main"), 0, 0);
    if (e)
        *e = missing;
    return false;
}

bool ledger_append(struct state *s, const json_t *object, int64_t now, struct error *e)
{
    return ledger_append_with(s, object, now, NULL, NULL, e);
}

bool ledger_append_with(struct state *s, const json_t *object, int64_t now,
                        bool (*also)(struct state *s, const void *context, struct error *e),
                        const void *context, struct error *e)
{
    struct keypair k = {0};
    /* The key is made under the same lock, so that two first writers do not each make one. */
    if (sqlite3_exec(state_db(s), "PRAGMA synchronous=FULL; BEGIN IMMEDIATE", NULL, NULL, NULL) !=
        SQLITE_OK)
        return sql_error(s, e, _("writing"));
    int64_t seq;
    char hash[HASH_TEXT];
    bool good = last_entry(s, &seq, hash, e) && open_key(s, &k, true, seq, e);
    if (good && !k.has_secret) {
        error_set(e, ERR_ABSENT,
                  "the ledger's secret key (keys/ledger.key in the state) is not "
                  "here: nothing can be signed");
        good = false;
    }
    good = good && (!also || also(s, context, e)) && write_entry(s, object, now, &k, e);
    keys_wipe(&k);
    if (sqlite3_exec(state_db(s), good ? "COMMIT" : "ROLLBACK", NULL, NULL, NULL) != SQLITE_OK &&
        good)
        return sql_error(s, e, _("writing"));
    return good;
}

bool ledger_read(struct state *s, const char *target, struct arena *arena,
                 struct ledger_entry **out, size_t *count, struct error *e)
{
    CLEANUP_STATEMENT sqlite3_stmt *st = NULL;
    if (sqlite3_prepare_v2(state_db(s), "SELECT seq, body, hash FROM ledger ORDER BY seq", -1, &st,
                           NULL) != SQLITE_OK)
        return sql_error(s, e, _("reading"));
    VEC(struct ledger_entry) list = {0};
    int code;
    while ((code = sqlite3_step(st)) == SQLITE_ROW) {
        const char *body = (const char *)sqlite3_column_text(st, 1);
        const char *hash = (const char *)sqlite3_column_text(st, 2);
        if (target) {
            CLEANUP_JSON json_t *object = json_parse(body ? body : "", body ? strlen(body) : 0,
                                                     "ledger", 1 << 20, 1 << 20, NULL);
            if (!object || !str_equal(json_get_string(object, "target"), target))
                continue;
        }
        struct ledger_entry entry = {sqlite3_column_int64(st, 0),
                                     arena_strdup(arena, body ? body : ""),
                                     arena_strdup(arena, hash ? hash : "")};
        VEC_PUSH(&list, entry);
    }
    *out = arena_dup(arena, list.items, list.count * sizeof *list.items);
    *count = list.count;
    VEC_FREE(&list);
    return code == SQLITE_DONE || sql_error(s, e, _("reading"));
}

static void problem(struct ledger_report *r, int64_t seq, const char *id, struct arena *arena)
{
    if (r->problems < ARRAY_COUNT(r->problem)) {
        struct message m = message_of(id);
        message_put(&m, "seq", arena_printf(arena, "%lld", (long long)seq));
        r->problem[r->problems] = m;
        r->problem_seq[r->problems] = seq;
    }
    r->problems++;
}

/* The number that was signed with the entry; `otherwise` where none can be read. */
static int64_t own_number(const char *body, int64_t otherwise)
{
    CLEANUP_JSON json_t *o =
        json_parse(body ? body : "", body ? strlen(body) : 0, "ledger", 1 << 20, 1 << 20, NULL);
    const json_t *number = json_object_get(o, "seq");
    return json_is_integer(number) ? json_integer_value(number) : otherwise;
}

static void say_copy(struct ledger_report *r, int64_t seq, int64_t own, struct arena *arena)
{
    size_t at = r->problems;
    problem(r, seq, N_("entry {seq} was slipped in or moved here: it was signed as entry {own}"),
            arena);
    if (at < ARRAY_COUNT(r->problem))
        message_put(&r->problem[at], "own", arena_printf(arena, "%lld", (long long)own));
}

struct checkpoint {
    int64_t seq;
    char hash[HASH_TEXT], key[17];
};

static bool parse_checkpoint(struct checkpoint *out, const char *text, const struct keypair *k,
                             bool *key_differs, struct error *e)
{
    char time[32], signature[89];
    long long seq;
    int signed_length = 0;
    size_t title = strlen(checkpoint_title);
    if (!str_starts(text, checkpoint_title) ||
        sscanf(text + title, "%16s %lld %64s %31s %n%88s", out->key, &seq, out->hash, time,
               &signed_length, signature) != 5 ||
        seq < 0) {
        error_set(e, ERR_FORMAT, "this is not a ledger checkpoint");
        return false;
    }
    char number[17];
    keys_number_text(number, k);
    out->seq = seq;
    *key_differs = !str_equal(number, out->key) ||
                   !keys_verify(k, signature, text, title + (size_t)signed_length);
    return true;
}

bool ledger_verify(struct state *s, const char *checkpoint, struct arena *arena,
                   struct ledger_report *out, struct error *e)
{
    struct keypair k = {0};
    struct ledger_report r = {0};
    struct checkpoint mark = {.seq = -1};
    struct error no_key = ERROR_INIT;
    int64_t last;
    char last_hash[HASH_TEXT];
    if (!last_entry(s, &last, last_hash, e))
        return false;
    bool have_key = open_key(s, &k, false, last, &no_key), foreign = false;
    if (!have_key && (last || no_key.code != ERR_ABSENT)) {
        if (e)
            *e = no_key;
        return false;
    }
    if (checkpoint && !parse_checkpoint(&mark, checkpoint, &k, &foreign, e))
        return false;
    if (foreign)
        problem(&r, mark.seq,
                N_("the checkpoint was made with another key: this ledger was replaced as a whole, "
                   "or the checkpoint belongs to another ledger"),
                arena);

    CLEANUP_STATEMENT sqlite3_stmt *st = NULL;
    if (sqlite3_prepare_v2(state_db(s),
                           "SELECT seq, body, hash, signature FROM ledger ORDER BY seq", -1, &st,
                           NULL) != SQLITE_OK)
        return sql_error(s, e, _("reading"));
    char before[HASH_TEXT];
    snprintf(before, sizeof before, "%s", first_hash);
    int64_t expected = 1;
    bool mark_seen = mark.seq <= 0;
    int code;
    while ((code = sqlite3_step(st)) == SQLITE_ROW) {
        int64_t seq = sqlite3_column_int64(st, 0);
        const char *body = (const char *)sqlite3_column_text(st, 1);
        const char *hash = (const char *)sqlite3_column_text(st, 2);
        const char *signature = (const char *)sqlite3_column_text(st, 3);
        char computed[HASH_TEXT];
        chain_hash(computed, before, body ? body : "");
        bool good_signature = have_key && keys_verify(&k, signature ? signature : "",
                                                      hash ? hash : "", hash ? strlen(hash) : 0);
        int64_t own = own_number(body, seq);
        bool in_its_place = good_signature && own == seq;
        if (seq > expected && in_its_place)
            problem(&r, expected,
                    N_("entry {seq} is missing: it was taken out, or the ones after it were moved"),
                    arena);
        if (good_signature && !in_its_place)
            say_copy(&r, seq, own, arena);
        else if (!str_equal(computed, hash) && good_signature && seq == expected)
            problem(&r, seq, N_("entry {seq} was changed: its text is not the one that was signed"),
                    arena);
        else if (!good_signature)
            problem(&r, seq,
                    N_("entry {seq} was slipped in or rewritten: it is not signed with the "
                       "ledger's key"),
                    arena);
        if (seq == mark.seq) {
            mark_seen = true;
            if (!str_equal(hash, mark.hash))
                problem(&r, seq,
                        N_("entry {seq} is not the one the checkpoint names: the ledger was "
                           "rewritten"),
                        arena);
        }
        r.entries++;
        /* What stands behind a gap and does not belong there is no link of the chain. */
        if (seq > expected && !in_its_place)
            continue;
        snprintf(before, sizeof before, "%s", hash ? hash : "");
        expected = seq + 1;
    }
    keys_wipe(&k);
    if (code != SQLITE_DONE)
        return sql_error(s, e, _("reading"));
    if (!mark_seen)
        problem(&r, mark.seq,
                N_("the checkpoint names entry {seq}, and the ledger ends before it: its tail was "
                   "cut off"),
                arena);
    *out = r;
    return true;
}

bool ledger_checkpoint(struct state *s, struct str *out, int64_t now, struct error *e)
{
    struct keypair k = {0};
    int64_t seq;
    char hash[HASH_TEXT], time[32], signature[89], number[17];
    if (!last_entry(s, &seq, hash, e))
        return false;
    if (!seq) {
        error_set(e, ERR_ABSENT, "the ledger is empty: there is nothing to keep a checkpoint of");
        return false;
    }
    if (!open_key(s, &k, false, seq, e))
        return false;
    if (!k.has_secret) {
        error_set(e, ERR_ABSENT, "the ledger's secret key is not here: nothing can be signed");
        return false;
    }
    keys_number_text(number, &k);
    date_format(now, time);
    CLEANUP_STR struct str text = {0};
    str_printf(&text, "%s%s\n%lld\n%s\n%s\n", checkpoint_title, number, (long long)seq, hash, time);
    keys_sign(signature, &k, text.data, text.length);
    keys_wipe(&k);
    str_printf(&text, "%s\n", signature);
    str_add_bytes(out, text.data, text.length);
    return true;
}
