/* What the ledger's entries become in the timeline. */
#include "base/str.h"
#include "record/ledger.h"
#include "respond/respond.h"
#include "respond/timeline.h"
#include "tests/support.h"

#include <stdlib.h>

enum { OPENED = 991785600 };

static void append(struct state *state, json_t *o, int64_t now)
{
    struct error e = ERROR_INIT;
    if (!ledger_append(state, o, now, &e))
        fail_msg("%s", e.message);
    json_decref(o);
}

static const struct moment *moment_of(const struct timeline *t, const char *what)
{
    for (size_t i = 0; i < t->moments.count; i++)
        if (str_equal(t->moments.items[i].what, what))
            return &t->moments.items[i];
    fail_msg("not in the timeline: %s", what);
    return NULL;
}

/* Visitors are told of it only if it was. */
static void what_did_not_go_well_was_not_done(void **unused)
{
    char *dir = support_temp_dir();
    struct error e = ERROR_INIT;
    struct response r = {.arena = arena_new()};
    struct timeline t;
    if (!state_open(&r.state, dir, &e))
        fail_msg("%s", e.message);
    append(r.state,
           json_pack("{s:s, s:s, s:s, s:s, s:s}", "kind", "respond", "incident", "i-1", "what",
                     "start", "target_kind", "root", "runbook", "ours"),
           OPENED);
    append(r.state, json_pack("{s:s, s:b}", "kind", "patch-applied", "good", 0), OPENED + 1);
    append(r.state, json_pack("{s:s, s:b}", "kind", "patch-applied", "good", 1), OPENED + 2);
    append(r.state, json_pack("{s:s}", "kind", "quarantine"), OPENED + 3);
    if (!incident_open(&r.incident, r.state, NULL, r.arena, &e) || !timeline_read(&t, &r, &e))
        fail_msg("%s", e.message);
    assert_null(moment_of(&t, "patches were applied, and not all of it went well")->done);
    assert_string_equal(moment_of(&t, "patches were applied")->done, "patch-applied");
    assert_string_equal(moment_of(&t, "something was put into quarantine")->done, "quarantine");
    timeline_free(&t);
    incident_close(&r.incident);
    state_close(r.state);
    arena_free(r.arena);
    support_remove_tree(dir);
    free(dir);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(what_did_not_go_well_was_not_done)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
