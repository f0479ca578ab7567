/* What the ledger says was applied, against what the host's own list says (judge/patches.h). */
#include "base/mem.h"
#include "judge/patches.h"
#include "model/date.h"
#include "tests/judge/fixture.h"
#include "tests/support.h"

#define HOST(version, pack, written)                                                               \
    "{\"kind\":\"host\",\"family\":\"windows\",\"version\":\"" version                             \
    "\",\"service_pack\":\"" pack "\"" written "}\n"
#define WRITTEN(when) ",\"last_written\":\"" when "\""
#define LISTED        "{\"kind\":\"complete\",\"of\":\"hotfix\",\"found\":\"3\"}\n"
#define HOTFIX(id, installed)                                                                      \
    "{\"kind\":\"hotfix\",\"id\":\"" id "\",\"installed\":\"" installed "\"}\n"
#define RECORDED(id, then)                                                                         \
    "{\"kind\":\"patch-recorded\",\"id\":\"" id                                                    \
    "\",\"installed\":\"1\",\"time\":\"2001-05-20T00:00:00Z\"" then "}\n"
#define THEN(pack, when) ",\"service_pack\":\"" pack "\"" WRITTEN(when)

static void the_record_counts_where_the_host_cannot_speak(void **state)
{
    static const struct {
        const char *what, *facts;
        enum marker marker;
    } rows[] = {
        {"nobody says it", HOST("5.0", "1", WRITTEN("2001-06-01T00:00:00Z")) LISTED, MARKER_ABSENT},
        {"the host says it itself",
         HOST("5.0", "1", WRITTEN("2001-06-01T00:00:00Z")) LISTED HOTFIX("Q1", "1")
             RECORDED("Q1", THEN("1", "2001-05-01T00:00:00Z")),
         MARKER_PRESENT},
        {"the list was not read whole",
         HOST("5.0", "1", WRITTEN("2001-06-01T00:00:00Z"))
             RECORDED("Q1", THEN("1", "2001-05-01T00:00:00Z")),
         MARKER_PRESENT},
        {"the image is as it was when it was written down",
         HOST("5.0", "1", WRITTEN("2001-05-01T00:00:00Z"))
             LISTED RECORDED("Q1", THEN("1", "2001-05-01T00:00:00Z")),
         MARKER_PRESENT},
        {"the image is older than what was written down",
         HOST("5.0", "1", WRITTEN("2001-04-01T00:00:00Z"))
             LISTED RECORDED("Q1", THEN("1", "2001-05-01T00:00:00Z")),
         MARKER_PRESENT},
        {"an entry that does not say how the host looked: its own time counts",
         HOST("5.0", "1", WRITTEN("2001-05-19T00:00:00Z")) LISTED RECORDED("Q1", ""),
         MARKER_PRESENT},
        {"and the host was in use since",
         HOST("5.0", "1", WRITTEN("2001-05-21T00:00:00Z")) LISTED RECORDED("Q1", ""),
         MARKER_DENIED},
        {"in use since, the list lacks it",
         HOST("5.0", "1", WRITTEN("2001-06-01T00:00:00Z"))
             LISTED RECORDED("Q1", THEN("1", "2001-05-01T00:00:00Z")),
         MARKER_DENIED},
        {"a service pack came in between",
         HOST("5.0", "2", WRITTEN("2001-06-01T00:00:00Z"))
             LISTED RECORDED("Q1", THEN("1", "2001-05-01T00:00:00Z")),
         MARKER_LOST},
        {"the first service pack came in between",
         HOST("5.0", "1", WRITTEN("2001-06-01T00:00:00Z"))
             LISTED RECORDED("Q1", THEN("", "2001-05-01T00:00:00Z")),
         MARKER_LOST},
        {"6a is a service pack after 6",
         HOST("4.0", "6a", WRITTEN("2001-06-01T00:00:00Z"))
             LISTED RECORDED("Q1", THEN("6", "2001-05-01T00:00:00Z")),
         MARKER_LOST},
        {"applied again and written down again",
         HOST("5.0", "2", WRITTEN("2001-06-01T00:00:00Z"))
             LISTED RECORDED("Q1", THEN("1", "2001-05-01T00:00:00Z"))
                 RECORDED("Q1", THEN("2", "2001-06-01T00:00:00Z")),
         MARKER_PRESENT},
        {"it waits for a restart",
         HOST("5.0", "1", WRITTEN("2001-06-01T00:00:00Z")) LISTED HOTFIX("Q1", "pending")
             RECORDED("Q1", THEN("1", "2001-05-01T00:00:00Z")),
         MARKER_PENDING},
        {"the hotfixes of NT 3 were copied by hand",
         HOST("3.51", "5", WRITTEN("2001-06-01T00:00:00Z"))
             LISTED RECORDED("Q1", THEN("5", "2001-05-01T00:00:00Z")),
         MARKER_PRESENT},
        {"another patch was written down",
         HOST("5.0", "1", WRITTEN("2001-06-01T00:00:00Z"))
             LISTED RECORDED("Q2", THEN("1", "2001-05-01T00:00:00Z")),
         MARKER_ABSENT},
    };
    CLEANUP_ARENA struct arena *arena = arena_new();
    struct advisories *none = fixture_advisories(NULL, 0);
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
        struct facts *facts = fixture_facts(rows[i].facts);
        struct patches *p = patches_of(arena, none, facts, "iis", "5.0", DATE_NONE);
        if (patches_marker(p, "Q1", NULL) != rows[i].marker)
            fail_msg("%s: %d", rows[i].what, (int)patches_marker(p, "Q1", NULL));
        facts_free(facts);
    }
    advisories_close(none);
}

static void what_has_no_number_is_in_no_list(void **state)
{
    CLEANUP_ARENA struct arena *arena = arena_new();
    struct advisories *none = fixture_advisories(NULL, 0);
    struct facts *facts =
        fixture_facts(HOST("5.0", "1", WRITTEN("2001-06-01T00:00:00Z"))
                          LISTED RECORDED("mdac-handler", THEN("1", "2001-05-01T00:00:00Z")));
    struct patches *p = patches_of(arena, none, facts, "iis", "5.0", DATE_NONE);
    assert_int_equal(patches_marker(p, "mdac-handler", NULL), MARKER_PRESENT);
    facts_free(facts);
    advisories_close(none);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_record_counts_where_the_host_cannot_speak),
        cmocka_unit_test(what_has_no_number_is_in_no_list),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
