/* The ledger names what was done to it. */
#include "base/file.h"
#include "base/json.h"
#include "base/mem.h"
#include "model/date.h"
#include "record/ledger.h"
#include "record/state.h"
#include "tests/support.h"

#include <sqlite3.h>
#include <stdlib.h>

struct fixture {
    char *dir;
    struct state *state;
    struct arena *arena;
};

static void append(struct state *s, const char *patch)
{
    struct error e = ERROR_INIT;
    CLEANUP_JSON json_t *o =
        json_pack("{s:s, s:s, s:s}", "kind", "patch", "patch", patch, "target", "host-1");
    if (!ledger_append(s, o, 991785600, &e))
        fail_msg("%s", e.message);
}

static int set_up(void **state)
{
    struct fixture *f = mem_alloc(sizeof *f);
    struct error e = ERROR_INIT;
    f->dir = support_temp_dir();
    f->arena = arena_new();
    if (!state_open(&f->state, f->dir, &e))
        fail_msg("%s", e.message);
    append(f->state, "Q293826");
    append(f->state, "Q295534");
    append(f->state, "108662-01");
    append(f->state, "Q301625");
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;
    state_close(f->state);
    support_remove_tree(f->dir);
    arena_free(f->arena);
    free(f->dir);
    free(f);
    return 0;
}

static void tamper(struct fixture *f, const char *sql)
{
    assert_int_equal(sqlite3_exec(state_db(f->state), sql, NULL, NULL, NULL), SQLITE_OK);
}

static struct ledger_report verify(struct fixture *f, const char *checkpoint)
{
    struct ledger_report r;
    struct error e = ERROR_INIT;
    if (!ledger_verify(f->state, checkpoint, f->arena, &r, &e))
        fail_msg("%s", e.message);
    return r;
}

static bool names(struct fixture *f, const struct ledger_report *r, int64_t seq, const char *word)
{
    for (size_t i = 0; i < r->problems && i < 32; i++)
        if (r->problem_seq[i] == seq && strstr(message_text(f->arena, &r->problem[i]), word))
            return true;
    return false;
}

static void an_untouched_ledger_holds(void **state)
{
    struct ledger_report r = verify(*state, NULL);
    assert_int_equal(r.entries, 4);
    assert_int_equal(r.problems, 0);
}

static void a_changed_entry_is_named(void **state)
{
    tamper(*state, "UPDATE ledger SET body = replace(body, 'Q295534', 'Q295535') WHERE seq = 2");
    struct ledger_report r = verify(*state, NULL);
    assert_true(names(*state, &r, 2, "changed"));
    assert_false(names(*state, &r, 1, "") || names(*state, &r, 4, ""));
}

static void an_entry_slipped_in_is_named(void **state)
{
    tamper(*state, "INSERT INTO ledger SELECT 5, body, hash, signature FROM ledger WHERE seq = 1");
    tamper(*state, "UPDATE ledger SET signature = 'AAAA' WHERE seq = 5");
    struct ledger_report r = verify(*state, NULL);
    assert_true(names(*state, &r, 5, "slipped in"));
}

static void a_copied_entry_is_named_too(void **state)
{
    tamper(*state, "INSERT INTO ledger SELECT 5, body, hash, signature FROM ledger WHERE seq = 1");
    struct ledger_report r = verify(*state, NULL);
    assert_true(names(*state, &r, 5, "slipped in"));
    assert_true(names(*state, &r, 5, "entry 1"));
    assert_int_equal(r.problems, 1);
}

static void a_copy_behind_a_gap_is_named_and_nothing_is_missing(void **state)
{
    tamper(*state, "INSERT INTO ledger SELECT 8, body, hash, signature FROM ledger WHERE seq = 4");
    struct ledger_report r = verify(*state, NULL);
    assert_true(names(*state, &r, 8, "slipped in"));
    assert_int_equal(r.problems, 1);
}

static void a_forged_entry_behind_a_gap_is_named_and_nothing_is_missing(void **state)
{
    tamper(*state, "INSERT INTO ledger SELECT 8, replace(body, '\"seq\":4', '\"seq\":8'), hash, "
                   "'AAAA' FROM ledger WHERE seq = 4");
    struct ledger_report r = verify(*state, NULL);
    assert_true(names(*state, &r, 8, "slipped in"));
    assert_int_equal(r.problems, 1);
}

static void entries_that_changed_places_are_named(void **state)
{
    tamper(*state,
           "UPDATE ledger SET seq = 9 WHERE seq = 2;UPDATE ledger SET seq = 2 WHERE seq = 3;"
           "UPDATE ledger SET seq = 3 WHERE seq = 9");
    struct ledger_report r = verify(*state, NULL);
    assert_true(names(*state, &r, 2, "entry 3") && names(*state, &r, 3, "entry 2"));
}

static void an_entry_taken_out_is_named(void **state)
{
    tamper(*state, "DELETE FROM ledger WHERE seq = 2");
    struct ledger_report r = verify(*state, NULL);
    assert_true(names(*state, &r, 2, "missing"));
}

static void renumbering_does_not_hide_it(void **state)
{
    tamper(*state, "DELETE FROM ledger WHERE seq = 2");
    tamper(*state, "UPDATE ledger SET seq = seq - 1 WHERE seq > 2");
    struct ledger_report r = verify(*state, NULL);
    assert_true(r.problems > 0);
}

static void a_cut_tail_shows_only_against_a_checkpoint(void **state)
{
    struct fixture *f = *state;
    CLEANUP_STR struct str checkpoint = {0};
    struct error e = ERROR_INIT;
    assert_true(ledger_checkpoint(f->state, &checkpoint, 991785600, &e));
    struct ledger_report r = verify(f, str_text(&checkpoint));
    assert_int_equal(r.problems, 0);
    tamper(f, "DELETE FROM ledger WHERE seq = 4");
    r = verify(f, NULL);
    assert_int_equal(r.problems, 0);
    r = verify(f, str_text(&checkpoint));
    assert_true(names(f, &r, 4, "cut off"));
}

static void a_ledger_written_anew_with_another_key_is_found(void **state)
{
    struct fixture *f = *state;
    CLEANUP_STR struct str checkpoint = {0}, key = {0};
    assert_true(ledger_checkpoint(f->state, &checkpoint, 991785600, NULL));
    tamper(f, "DELETE FROM ledger");
    str_printf(&key, "%s/keys/ledger.key", f->dir);
    assert_int_equal(remove(str_text(&key)), 0);
    str_clear(&key);
    str_printf(&key, "%s/keys/ledger.pub", f->dir);
    assert_int_equal(remove(str_text(&key)), 0);
    for (int i = 0; i < 4; i++)
        append(f->state, "Q000000");
    struct ledger_report r = verify(f, NULL);
    assert_int_equal(r.problems, 0);
    r = verify(f, str_text(&checkpoint));
    assert_true(names(f, &r, 4, "another key"));
}

static void a_tail_rewritten_with_the_right_key_is_found(void **state)
{
    struct fixture *f = *state;
    CLEANUP_STR struct str checkpoint = {0};
    assert_true(ledger_checkpoint(f->state, &checkpoint, 991785600, NULL));
    tamper(f, "DELETE FROM ledger WHERE seq > 2");
    append(f->state, "Q000001");
    append(f->state, "Q000002");
    struct ledger_report r = verify(f, NULL);
    assert_int_equal(r.problems, 0);
    r = verify(f, str_text(&checkpoint));
    assert_true(names(f, &r, 4, "rewritten"));
}

static void what_is_no_checkpoint_is_refused(void **state)
{
    struct fixture *f = *state;
    struct ledger_report r;
    static const char *const bad[] = {"", "yagura ledger checkpoint, key ", "hello\n4\n",
                                      "yagura ledger checkpoint, key 00\n-1\nx\ny\nz\n"};
    for (size_t i = 0; i < ARRAY_COUNT(bad); i++) {
        struct error e = ERROR_INIT;
        assert_false(ledger_verify(f->state, bad[i], f->arena, &r, &e));
        assert_int_equal(e.code, ERR_FORMAT);
    }
}

static void entries_of_one_target_are_read_apart(void **state)
{
    struct fixture *f = *state;
    struct ledger_entry *entries;
    size_t count;
    assert_true(ledger_read(f->state, "host-1", f->arena, &entries, &count, NULL));
    assert_int_equal(count, 4);
    assert_true(ledger_read(f->state, "host-2", f->arena, &entries, &count, NULL));
    assert_int_equal(count, 0);
}

#define test(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        test(an_untouched_ledger_holds),
        test(a_changed_entry_is_named),
        test(an_entry_slipped_in_is_named),
        test(a_copied_entry_is_named_too),
        test(a_copy_behind_a_gap_is_named_and_nothing_is_missing),
        test(a_forged_entry_behind_a_gap_is_named_and_nothing_is_missing),
        test(entries_that_changed_places_are_named),
        test(an_entry_taken_out_is_named),
        test(renumbering_does_not_hide_it),
        test(a_cut_tail_shows_only_against_a_checkpoint),
        test(a_ledger_written_anew_with_another_key_is_found),
        test(a_tail_rewritten_with_the_right_key_is_found),
        test(what_is_no_checkpoint_is_refused),
        test(entries_of_one_target_are_read_apart),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
