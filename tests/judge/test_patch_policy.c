/* What a policy refuses, and what is only said. */
#include "base/str.h"
#include "judge/patch_policy.h"
#include "tests/support.h"

#include <stdlib.h>

enum { NOW = 1800000000, DAY = 24 * 3600, MONDAY = 1, TUESDAY, SATURDAY = 6, SUNDAY = 0 };

static const char *const known[] = {"RWknown"};

static void a_window_over_midnight_belongs_to_the_day_on_which_it_opens(void **state)
{
    struct patch_window night = {
        .set = true, .days = 1U << SATURDAY, .from = 22 * 60, .to = 4 * 60};
    struct patch_window day = {.set = true, .days = 1U << MONDAY, .from = 9 * 60, .to = 10 * 60};
    assert_true(patch_window_is_open(&night, SATURDAY, 22 * 60));
    assert_true(patch_window_is_open(&night, SATURDAY, 24 * 60 - 1));
    assert_true(patch_window_is_open(&night, SUNDAY, 0));
    assert_true(patch_window_is_open(&night, SUNDAY, 4 * 60 - 1));
    assert_false(patch_window_is_open(&night, SUNDAY, 4 * 60));
    assert_false(patch_window_is_open(&night, SUNDAY, 22 * 60));
    assert_false(patch_window_is_open(&night, SATURDAY, 3 * 60));
    assert_true(patch_window_is_open(&day, MONDAY, 9 * 60));
    assert_false(patch_window_is_open(&day, MONDAY, 10 * 60));
    assert_false(patch_window_is_open(&day, TUESDAY, 9 * 60));
}

static void each_clause_refuses_by_its_own_name(void **state)
{
    const struct patch_policy plain = {.receipt_days = 14, .backup_hours = 24};
    struct patch_policy staging = plain, keys = plain, other = plain, window = plain,
                        backup = plain;
    staging.staging = true;
    keys.receipt_keys = known;
    keys.receipt_key_count = 1;
    other.other_approver = true;
    window.window =
        (struct patch_window){.set = true, .days = 1U << MONDAY, .to = 60, .zone = "UTC"};
    backup.backup_path = "/var/backups";
    const struct patch_situation none = {
        .now = NOW, .weekday = MONDAY, .minute = 30, .applier = "bob", .approver = "", .key = ""};
    struct patch_situation good = none, old, mine, stranger, late, no_backup, future;
    good.receipt = true;
    good.key = "RWknown";
    good.receipt_made = NOW - DAY;
    good.approver = "alice";
    old = mine = stranger = late = no_backup = future = good;
    old.receipt_made = NOW - 15 * DAY;
    future.receipt_made = NOW + 2 * DAY;
    mine.approver = "Bob"; /* the same person */
    stranger.key = "RWstranger";
    late.minute = 61;
    no_backup.backup = PATCH_BACKUP_OLD;
    const struct {
        const struct patch_policy *policy;
        const struct patch_situation *situation;
        const char *refuses; /* "": nothing */
        size_t notes;
    } rows[] = {
        {&plain, &none, "", 1}, /* no receipt: said */
        {&plain, &good, "", 1}, /* a key that nobody knows: said */
        {&plain, &old, "receipt_days", 1},
        {&plain, &future, "receipt_days", 1},
        {&staging, &none, "staging", 0},
        {&staging, &good, "", 1},
        {&keys, &good, "", 0},
        {&keys, &stranger, "receipt_keys", 0},
        {&other, &good, "", 1},
        {&other, &mine, "other_approver", 1},
        {&other, &none, "other_approver", 1},
        {&window, &good, "", 1},
        {&window, &late, "window", 1},
        {&backup, &good, "", 1},
        {&backup, &no_backup, "backup", 1},
    };
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
        CLEANUP_ARENA struct arena *arena = arena_new();
        CLEANUP(patch_opinion_free) struct patch_opinion o = {0};
        patch_policy_judge(&o, arena, rows[i].policy, rows[i].situation);
        assert_int_equal(o.refusals.count, *rows[i].refuses ? 1 : 0);
        if (o.refusals.count)
            assert_string_equal(o.refusals.items[0].key, rows[i].refuses);
        assert_int_equal(o.notes.count, rows[i].notes);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_window_over_midnight_belongs_to_the_day_on_which_it_opens),
        cmocka_unit_test(each_clause_refuses_by_its_own_name),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
