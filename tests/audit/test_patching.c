/* The run that `patch undo` goes back from, as the ledger tells of it. */
#include "audit/patching.h"
#include "base/json.h"
#include "base/str.h"
#include "record/ledger.h"
#include "tests/support.h"

#include <stdlib.h>

/* What a run of a plan notes of the package "shop". */
static void append(struct state *s, const char *kind, const char *plan, const char *before,
                   const char *after)
{
    struct error e = ERROR_INIT;
    CLEANUP_JSON json_t *o =
        json_pack("{s:s, s:s, s:s, s:[{s:s, s:s, s:s, s:s}]}", "kind", kind, "target", "host-1",
                  "plan", plan, "packages", "name", "shop", "arch", "all", "before", before,
                  str_equal(kind, "patch-begun") ? "to" : "after", after);
    assert_non_null(o);
    if (!ledger_append(s, o, 1800000000, &e))
        fail_msg("%s", e.message);
}

static void the_last_run_is_one_that_changed_something_and_is_not_undone(void **state)
{
    static const struct {
        const char *kind, *plan, *before, *after;
        const char *last, *from; /* the plan then, "": none; its version before */
    } rows[] = {
        {"patch", "a", "1", "2", "", ""},
        {"patch-begun", "a", "1", "2", "a", "1"},
        {"patch-staged", "a", "1", "2", "a", "1"},
        /* tried again, for another receipt: there was nothing to do */
        {"patch-begun", "a", "2", "2", "a", "1"},
        {"patch-staged", "a", "2", "2", "a", "1"},
        /* torn, taken up again */
        {"patch-begun", "b", "2", "3", "b", "2"},
        {"patch-begun", "b", "2", "3", "b", "2"},
        {"patch-applied", "b", "2", "3", "b", "2"},
        /* nothing could be installed */
        {"patch-begun", "c", "3", "4", "c", "3"},
        {"patch-applied", "c", "3", "3", "b", "2"},
        /* back twice, and no further */
        {"patch-undone", "b", "3", "2", "a", "1"},
        {"patch-undone", "a", "2", "1", "", ""},
        {"patch-begun", "a", "1", "2", "a", "1"},
    };
    CLEANUP_FREE char *dir = support_temp_dir();
    CLEANUP_ARENA struct arena *arena = arena_new();
    CLEANUP(state_cleanup) struct state *s = NULL;
    struct error e = ERROR_INIT;
    assert_true(state_open(&s, dir, &e));
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
        struct package_changes changes;
        const char *plan;
        e = ERROR_INIT;
        append(s, rows[i].kind, rows[i].plan, rows[i].before, rows[i].after);
        bool found = patching_last(&changes, arena, &plan, s, "host-1", &e);
        assert_int_equal(found, *rows[i].last != '\0');
        if (found) {
            assert_string_equal(plan, rows[i].last);
            assert_int_equal(changes.count, 1);
            assert_string_equal(changes.items[0].from, rows[i].from);
        } else {
            assert_int_equal(e.code, ERR_ABSENT);
        }
        assert_false(patching_last(&changes, arena, &plan, s, "host-2", NULL));
    }
    support_remove_tree(dir);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_last_run_is_one_that_changed_something_and_is_not_undone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
