/* A guard that died or hangs is started anew; one that only takes its time to begin is not. */
#include "guard/supervise.h"
#include "tests/support.h"

#include <signal.h>
#include <unistd.h>

struct told {
    unsigned died, hung;
};

static void on_died(void *context, bool hung, int status, unsigned restarts)
{
    struct told *told = context;
    told->died++;
    told->hung += hung;
}

static int supervised(int (*run)(void *, struct alive *), struct told *told)
{
    struct error e = ERROR_INIT;
    *told = (struct told){0};
    struct supervised what = {.run = run, .died = on_died, .context = told};
    return supervise(&what, &e);
}

static int silent_at_first(void *context, struct alive *alive)
{
    if (atomic_load(&alive->restarts) > 2)
        return 1; /* enough has gone wrong */
    usleep(2 * SUPERVISE_HUNG_MS * 1000);
    return 7;
}

static void a_guard_that_is_not_ready_has_its_time(void **state)
{
    struct told told;
    assert_int_equal(supervised(silent_at_first, &told), 7);
    assert_int_equal(told.died, 0);
}

static int hangs_once(void *context, struct alive *alive)
{
    if (atomic_load(&alive->restarts) > 0)
        return silent_at_first(context, alive); /* and this one is not ready yet */
    atomic_store(&alive->ready, true);
    sleep(60);
    return 1;
}

static void a_guard_that_is_ready_and_silent_is_started_anew(void **state)
{
    struct told told;
    assert_int_equal(supervised(hangs_once, &told), 7);
    assert_int_equal(told.died, 1);
    assert_int_equal(told.hung, 1);
}

static int dies_once(void *context, struct alive *alive)
{
    if (atomic_load(&alive->restarts) == 0)
        raise(SIGKILL);
    return 5;
}

static void a_guard_that_died_is_started_anew(void **state)
{
    struct told told;
    assert_int_equal(supervised(dies_once, &told), 5);
    assert_int_equal(told.died, 1);
    assert_int_equal(told.hung, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_guard_that_is_not_ready_has_its_time),
        cmocka_unit_test(a_guard_that_is_ready_and_silent_is_started_anew),
        cmocka_unit_test(a_guard_that_died_is_started_anew),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
