/* An incident is what the ledger says of it, read in order. */
#include "base/str.h"
#include "record/ledger.h"
#include "respond/incident.h"
#include "respond/scan_spared.h"
#include "tests/support.h"

#include <sqlite3.h>
#include <stdlib.h>

enum { OPENED = 991785600 };
static const char book_text[] =
    "id: ours\ntitle: Ours\nsteps:\n"
    "  - {id: open, title: x, text: x, why: x, action: open, verify: [opened], undo: no}\n"
    "  - {id: scan, title: x, text: x, why: x, action: scan, verify: [scan-settled], undo: no}\n"
    "  - {id: restore, title: x, text: x, why: x, action: restore, verify: [content], undo: no}\n";

struct fixture {
    char *dir;
    struct state *state;
    struct arena *arena;
    struct runbook *book;
    struct incident is;
    int64_t now;
};

static int set_up(void **state)
{
    struct fixture *f = mem_alloc(sizeof *f);
    struct error e = ERROR_INIT;
    *f = (struct fixture){.dir = support_temp_dir(), .arena = arena_new(), .now = OPENED};
    support_write(f->dir, "book.yaml", book_text, strlen(book_text));
    if (!state_open(&f->state, f->dir, &e) ||
        !runbook_load(&f->book, arena_printf(f->arena, "%s/book.yaml", f->dir), f->arena, &e))
        fail_msg("%s", e.message);
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;
    incident_close(&f->is);
    runbook_free(f->book);
    state_close(f->state);
    support_remove_tree(f->dir);
    arena_free(f->arena);
    free(f->dir);
    free(f);
    return 0;
}

/* An entry, a second after the last one; `more` is JSON, or NULL. */
static void entry(struct fixture *f, const char *id, const char *what, const char *step,
                  const char *who, const char *more)
{
    struct error e = ERROR_INIT;
    CLEANUP_JSON json_t *o = incident_entry(id, what, step, who);
    if (more) {
        CLEANUP_JSON json_t *m = json_loads(more, 0, NULL);
        assert_non_null(m);
        json_object_update(o, m);
    }
    if (!ledger_append(f->state, o, f->now++, &e))
        fail_msg("%s", e.message);
}

static void start(struct fixture *f, const char *id)
{
    entry(f, id, "start", NULL, "taro", "{\"target_kind\": \"live\", \"runbook\": \"ours\"}");
}

static void read_it(struct fixture *f, const char *id)
{
    struct error e = ERROR_INIT;
    incident_close(&f->is);
    if (!incident_open(&f->is, f->state, id, f->arena, &e))
        fail_msg("%s", e.message);
    incident_read_steps(&f->is, f->book, f->arena);
}

static void test_cut_short(void **state)
{
    struct fixture *f = *state;
    start(f, "2001-06-06-1");
    entry(f, "2001-06-06-1", "begin", "open", "taro", NULL);
    entry(f, "2001-06-06-1", "done", "open", "taro", NULL);
    entry(f, "2001-06-06-1", "begin", "scan", "taro", NULL);
    read_it(f, NULL);
    assert_int_equal(f->is.opened, OPENED);
    assert_int_equal(f->is.steps[0].state, STEP_DONE);
    assert_int_equal(f->is.steps[0].at, OPENED + 2);
    assert_int_equal(f->is.steps[1].state, STEP_BEGUN);
    assert_int_equal(f->is.steps[2].state, STEP_OPEN);
    /* another one goes on with it, and it is not true yet */
    entry(f, "2001-06-06-1", "resume", NULL, "hanako", NULL);
    entry(f, "2001-06-06-1", "failed", "scan", "hanako", "{\"because\": \"1 finding\"}");
    read_it(f, NULL);
    assert_int_equal(f->is.steps[1].state, STEP_FAILED);
    assert_string_equal(f->is.steps[1].because, "1 finding");
    assert_string_equal(f->is.last_who, "hanako");
    assert_string_equal(f->is.who, "taro");
}

static void test_skipped_and_undone(void **state)
{
    struct fixture *f = *state;
    start(f, "2001-06-06-1");
    entry(f, "2001-06-06-1", "skip", "scan", "taro", "{\"because\": \"an image was taken\"}");
    entry(f, "2001-06-06-1", "done", "restore", "taro", "{\"result\": {\"sites\": []}}");
    entry(f, "2001-06-06-1", "undo", "restore", "taro", NULL);
    entry(f, "2001-06-06-1", "done", "of-an-older-runbook", "taro", NULL);
    read_it(f, NULL);
    assert_int_equal(f->is.steps[1].state, STEP_SKIPPED);
    assert_string_equal(f->is.steps[1].because, "an image was taken");
    assert_int_equal(f->is.steps[2].state, STEP_UNDONE);
    /* what was found is known though the last entry has no result */
    assert_non_null(json_get_array(f->is.steps[2].result, "sites"));
}

static void test_signed(void **state)
{
    struct fixture *f = *state;
    start(f, "2001-06-06-1");
    entry(f, "2001-06-06-1", "failed", "scan", "taro",
          "{\"result\": {\"findings\": [{\"id\": \"0123456789abcdef\"}],"
          " \"to_change\": [\"system-account:root\"]}}");
    entry(f, "2001-06-06-1", "sign", NULL, "taro",
          "{\"signed\": \"01234567\", \"because\": \"ours\"}");
    entry(f, "2001-06-06-1", "sign", NULL, "taro",
          "{\"signed\": \"system-account:root\", \"because\": \"changed\"}");
    read_it(f, NULL);
    assert_string_equal(incident_signed(&f->is, "0123456789abcdef"), "ours");
    assert_null(incident_signed(&f->is, "1123456789abcdef"));
    assert_string_equal(incident_signed(&f->is, "system-account:root"), "changed");
    /* names are whole, ids may be as they are shown */
    assert_null(incident_signed(&f->is, "system-account:root2"));
    assert_true(incident_knows(&f->is, "0123456789abcdef"));
    assert_true(incident_knows(&f->is, "01234567"));
    assert_false(incident_knows(&f->is, "0123456"));
    assert_true(incident_knows(&f->is, "system-account:root"));
    assert_false(incident_knows(&f->is, "system-account"));
}

static void test_which(void **state)
{
    struct fixture *f = *state;
    struct error e = ERROR_INIT;
    const char *id;
    assert_false(incident_open(&f->is, f->state, NULL, f->arena, &e));
    assert_int_equal(e.code, ERR_ABSENT);
    start(f, "2001-06-06-1");
    entry(f, "2001-06-06-1", "close", NULL, "taro", NULL);
    read_it(f, NULL);
    assert_int_equal(f->is.closed, OPENED + 1);
    assert_true(incident_new_id(f->state, OPENED, f->arena, &id, &e));
    assert_string_equal(id, "2001-06-06-2");
    start(f, id);
    entry(f, id, "begin", "open", "taro", NULL);
    read_it(f, NULL);
    assert_string_equal(f->is.id, "2001-06-06-2");
    assert_int_equal(f->is.closed, 0);
    /* the entries of another incident are not of this one */
    read_it(f, "2001-06-06-1");
    assert_int_equal(f->is.steps[0].state, STEP_OPEN);
    incident_close(&f->is);
    assert_false(incident_open(&f->is, f->state, "2001-06-06-9", f->arena, &e));
}

static void test_first_sign(void **state)
{
    struct fixture *f = *state;
    start(f, "2001-06-06-1");
    entry(f, "2001-06-06-1", "close", NULL, "taro", NULL);
    start(f, "2001-06-06-2");
    read_it(f, NULL);
    assert_int_equal(f->is.first_sign_from, FIRST_SIGN_NONE);
    assert_int_equal(f->is.before, OPENED + 1);
    entry(f, "2001-06-06-2", "done", "open", "taro",
          "{\"result\": {\"first_sign\": {\"time\": \"2001-06-05T12:00:00Z\", \"from\": \"files\","
          " \"subject\": \"www: x.php\"}}}");
    read_it(f, NULL);
    assert_int_equal(f->is.first_sign_from, FIRST_SIGN_FILES);
    assert_int_equal(f->is.first_sign, 991742400);
    assert_string_equal(f->is.first_sign_subject, "www: x.php");
    /* an earlier one counts, a later one does not */
    entry(f, "2001-06-06-2", "done", "open", "taro",
          "{\"result\": {\"first_sign\": {\"time\": \"2001-06-04T12:00:00Z\", \"from\": \"guard\","
          " \"subject\": \"www: index.html\"}}}");
    entry(f, "2001-06-06-2", "done", "open", "taro",
          "{\"result\": {\"first_sign\": {\"time\": \"2001-06-05T13:00:00Z\", \"from\": \"files\","
          " \"subject\": \"www: y.php\"}}}");
    read_it(f, NULL);
    assert_int_equal(f->is.first_sign_from, FIRST_SIGN_GUARD);
    assert_int_equal(f->is.first_sign, 991656000);
    /* what the operator says last goes before all of it */
    entry(f, "2001-06-06-2", "first-sign", NULL, "hanako",
          "{\"first_sign\": \"2001-06-05T00:00:00Z\"}");
    entry(f, "2001-06-06-2", "done", "open", "taro",
          "{\"result\": {\"first_sign\": {\"time\": \"2001-06-01T00:00:00Z\", \"from\": \"guard\","
          " \"subject\": \"www: index.html\"}}}");
    read_it(f, NULL);
    assert_int_equal(f->is.first_sign_from, FIRST_SIGN_SAID);
    assert_int_equal(f->is.first_sign, 991699200);
    assert_string_equal(f->is.first_sign_subject, "hanako");
    read_it(f, "2001-06-06-1");
    assert_int_equal(f->is.first_sign, 0);
    assert_int_equal(f->is.before, 0);
}

/* Ended when the incident was opened. */
static void scanned(struct fixture *f, size_t findings)
{
    CLEANUP_JSON json_t *o = incident_entry("2001-06-06-1", "done", "scan", "taro");
    json_t *result = json_object(), *list = json_array();
    struct error e = ERROR_INIT;
    json_put_string(result, "scan_ended", "2001-06-06T00:00:00Z");
    for (size_t i = 0; i < findings; i++)
        json_array_append_new(list, json_object());
    json_object_set_new(result, "findings", list);
    json_object_set_new(o, "result", result);
    if (!ledger_append(f->state, o, f->now++, &e))
        fail_msg("%s", e.message);
    read_it(f, NULL);
}

static bool is_spared(struct fixture *f, int64_t age, bool lets_in)
{
    int64_t minutes = -1;
    const json_t *last = scan_spared(&f->is, f->book, OPENED + age, lets_in, &minutes);
    if (last)
        assert_int_equal(minutes, age / 60);
    return last != NULL;
}

static void test_scan_spared(void **state)
{
    enum { HOUR = 3600, YEAR = 365 * 24 * HOUR };
    struct fixture *f = *state;
    start(f, "2001-06-06-1");
    read_it(f, NULL);
    assert_false(is_spared(f, 0, false));
    scanned(f, SCAN_MOST_LISTED - 1);
    /* visitors are let in on its word for an hour; who lets nobody in takes it at any age */
    assert_true(is_spared(f, 0, true));
    assert_true(is_spared(f, HOUR, true));
    assert_false(is_spared(f, HOUR + 1, true));
    assert_false(is_spared(f, YEAR, true));
    assert_true(is_spared(f, HOUR + 1, false));
    assert_true(is_spared(f, YEAR, false));
    /* a clock that was set back makes none younger */
    assert_false(is_spared(f, -1, true));
    assert_false(is_spared(f, -1, false));
    /* one that found more than is listed */
    scanned(f, SCAN_MOST_LISTED);
    assert_false(is_spared(f, 0, true));
    assert_false(is_spared(f, 0, false));
    /* what is claimed and not true any more is open again, and so is one that was begun anew */
    scanned(f, 0);
    assert_true(is_spared(f, 0, true));
    entry(f, "2001-06-06-1", "begin", "scan", "taro", NULL);
    read_it(f, NULL);
    assert_false(is_spared(f, 0, true));
    scanned(f, 0);
    entry(f, "2001-06-06-1", "failed", "scan", "taro", NULL);
    read_it(f, NULL);
    assert_false(is_spared(f, 0, false));
    /* nor does the scan of another incident count */
    scanned(f, 0);
    start(f, "2001-06-06-2");
    read_it(f, "2001-06-06-2");
    assert_false(is_spared(f, 0, false));
}

static void test_changed_ledger(void **state)
{
    struct fixture *f = *state;
    start(f, "2001-06-06-1");
    entry(f, "2001-06-06-1", "skip", "scan", "taro", "{\"because\": \"hurry\"}");
    read_it(f, NULL);
    assert_int_equal(f->is.problems, 0);
    assert_int_equal(sqlite3_exec(state_db(f->state),
                                  "update ledger set body = replace(body, 'skip', 'done')", NULL,
                                  NULL, NULL),
                     SQLITE_OK);
    read_it(f, NULL);
    assert_true(f->is.problems > 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_cut_short, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_skipped_and_undone, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_signed, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_which, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_first_sign, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_scan_spared, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_changed_ledger, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
