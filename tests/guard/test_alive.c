/* What the guard counts is seen from its parent, and nothing of it is lost. */
#include "guard/alive.h"
#include "tests/support.h"

#include <pthread.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

enum { THREADS = 4, BEATS = 20000 };

static void *beat(void *context)
{
    for (int i = 0; i < BEATS; i++)
        alive_beat(context);
    return NULL;
}

static void beats_of_several_threads_are_all_counted(void **state)
{
    struct error e = ERROR_INIT;
    struct alive *a = alive_new(&e);
    assert_non_null(a);
    pthread_t threads[THREADS];
    for (int i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, beat, a), 0);
    uint64_t before = 0, now;
    do {
        now = alive_sum(a);
        assert_true(now >= before);
        before = now;
    } while (now == 0);
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    assert_int_equal(alive_sum(a), THREADS * BEATS);
    munmap(a, sizeof *a);
}

static void a_childs_beat_is_seen_by_its_parent(void **state)
{
    struct error e = ERROR_INIT;
    struct alive *a = alive_new(&e);
    assert_non_null(a);
    pid_t child = fork();
    if (child == 0) {
        beat(a);
        _exit(0);
    }
    assert_int_equal(waitpid(child, NULL, 0), child);
    assert_int_equal(alive_sum(a), BEATS);
    munmap(a, sizeof *a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(beats_of_several_threads_are_all_counted),
        cmocka_unit_test(a_childs_beat_is_seen_by_its_parent),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
