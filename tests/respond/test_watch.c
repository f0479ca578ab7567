/* The closer watch: when it is on, whether anybody looks, and its end. What a look finds is in
 * tests/system/incident.bats, on a server. */
#include "respond/watch.h"

#include "base/file.h"
#include "base/json.h"
#include "base/str.h"
#include "model/date.h"
#include "record/ledger.h"
#include "tests/support.h"

#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

static const char id[] = "2026-11-26-1";
static const char book_text[] =
    "id: ours\ntitle: Ours\nsteps:\n"
    "  - {id: back, title: x, text: x, why: x, action: reconnect, verify: [reconnected], undo: "
    "{action: isolate}}\n";

struct fixture {
    char *dir;
    struct respond_options options;
    struct response r;
};

static void entry(struct fixture *f, const char *what, const char *step, int64_t at,
                  const char *more)
{
    struct error e = ERROR_INIT;
    CLEANUP_JSON json_t *o = incident_entry(id, what, step, "taro");
    if (more) {
        CLEANUP_JSON json_t *m = json_loads(more, 0, NULL);
        assert_non_null(m);
        json_object_update(o, m);
    }
    if (!ledger_append(f->r.state, o, at, &e))
        fail_msg("%s", e.message);
}

static void read_it(struct fixture *f)
{
    struct error e = ERROR_INIT;
    incident_close(&f->r.incident);
    if (!incident_open(&f->r.incident, f->r.state, id, f->r.arena, &e))
        fail_msg("%s", e.message);
    incident_read_steps(&f->r.incident, f->r.book, f->r.arena);
}

static int set_up(void **state)
{
    struct fixture *f = mem_alloc(sizeof *f);
    struct error e = ERROR_INIT;
    f->dir = support_temp_dir();
    f->options = (struct respond_options){.who = "taro", .watch_hours = 72};
    f->r = (struct response){.arena = arena_new(), .options = &f->options};
    support_write(f->dir, "book.yaml", book_text, strlen(book_text));
    if (!state_open(&f->r.state, f->dir, &e) ||
        !runbook_load(&f->r.book, arena_printf(f->r.arena, "%s/book.yaml", f->dir), f->r.arena, &e))
        fail_msg("%s", e.message);
    f->r.step = &f->r.book->steps.items[0];
    entry(f, "start", NULL, date_now() - 7200,
          "{\"target_kind\": \"live\", \"runbook\": \"ours\"}");
    read_it(f);
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;
    struct arena *arena = f->r.arena;
    struct state *s = f->r.state;
    respond_close(&f->r);
    state_close(s);
    support_remove_tree(f->dir);
    arena_free(arena);
    free(f->dir);
    free(f);
    return 0;
}

static bool has_memory(struct fixture *f)
{
    return faccessat(state_dirfd(f->r.state), "watch.json", F_OK, 0) == 0;
}

static struct watch_status status(struct fixture *f)
{
    struct watch_status w;
    read_it(f);
    watch_status(&f->r, &w);
    return w;
}

static void begin(struct fixture *f)
{
    struct error e = ERROR_INIT;
    CLEANUP_JSON json_t *known = json_pack("{s:[i]}", "listeners", 80);
    if (!watch_begin(&f->r, known, &e))
        fail_msg("%s", e.message);
}

static enum watch_outcome look(struct fixture *f)
{
    struct error e = ERROR_INIT;
    struct watch_report report;
    if (!watch_look(&f->r, &report, &e))
        fail_msg("%s", e.message);
    watch_report_free(&report);
    return report.outcome;
}

static void where_no_watch_is_on_nothing_is_done(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(look(f), WATCH_OFF);
    assert_false(status(f).begun);
    f->options.watch_hours = 0;
    begin(f);
    assert_false(has_memory(f));
    assert_false(status(f).begun);
}

static void it_is_on_for_its_hours(void **state)
{
    struct fixture *f = *state;
    begin(f);
    struct watch_status w = status(f);
    assert_true(w.begun && w.on && !w.stale && !w.looked && !w.finds);
    assert_in_range(w.until, date_now() + 72 * 3600 - 60, date_now() + 72 * 3600);
    entry(f, "find", NULL, date_now(), "{\"because\": \"a door\"}");
    w = status(f);
    assert_int_equal(w.finds, 1);
    assert_string_equal(w.last, "a door");
    /* closing the incident is not the end of it; undoing the step is */
    entry(f, "close", NULL, date_now(), NULL);
    assert_true(status(f).on);
    entry(f, "undo", "back", date_now(), "{\"because\": \"the watch\"}");
    w = status(f); /* on trial, which may lapse */
    assert_true(w.on && !w.over && !w.ended);
    watch_end(&f->r);
    w = status(f);
    assert_true(w.begun && !w.on && w.over);
    assert_string_equal(w.ended, "the watch");
}

static void that_nobody_looks_is_said(void **state)
{
    struct fixture *f = *state;
    char until[32], more[100];
    date_format(date_now() + 3600, until);
    snprintf(more, sizeof more, "{\"result\": {\"until\": \"%s\"}}", until);
    entry(f, "watch", "back", date_now() - WATCH_STALE_SECONDS - 60, more);
    assert_true(status(f).stale);
    /* somebody looked a minute ago; somebody did an hour ago */
    for (int k = 0; k < 2; k++) {
        int n =
            snprintf(more, sizeof more, "{\"incident\": \"%s\", \"known\": {}, \"looked\": %lld}",
                     id, (long long)date_now() - (k ? 3600 : 60));
        support_write(f->dir, "watch.json", more, (size_t)n);
        assert_int_equal(status(f).stale, k);
    }
}

static void after_its_hours_it_says_so_once(void **state)
{
    struct fixture *f = *state;
    char text[200];
    begin(f);
    int n = snprintf(text, sizeof text,
                     "{\"incident\": \"%s\", \"until\": %lld, \"known\": {}, \"looks\": 5}", id,
                     (long long)date_now() - 1);
    support_write(f->dir, "watch.json", text, (size_t)n);
    assert_int_equal(look(f), WATCH_IS_OVER);
    assert_false(has_memory(f));
    struct watch_status w = status(f);
    assert_true(!w.on && w.over);
    incident_close(&f->r.incident);
    assert_int_equal(look(f), WATCH_OFF);
}

static void a_memory_that_makes_no_sense_is_an_error(void **state)
{
    struct fixture *f = *state;
    static const char *const texts[] = {"", "[]", "{\"incident\": 5}", "{\"incident\": \"x\"}",
                                        "{\"incident\": \"no such\", \"known\": {}}"};
    for (size_t i = 0; i < ARRAY_COUNT(texts); i++) {
        struct error e = ERROR_INIT;
        struct watch_report report;
        support_write(f->dir, "watch.json", texts[i], strlen(texts[i]));
        incident_close(&f->r.incident);
        assert_false(watch_look(&f->r, &report, &e));
        assert_true(e.message[0]);
        watch_report_free(&report);
    }
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(where_no_watch_is_on_nothing_is_done),
        TEST(it_is_on_for_its_hours),
        TEST(that_nobody_looks_is_said),
        TEST(after_its_hours_it_says_so_once),
        TEST(a_memory_that_makes_no_sense_is_an_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
