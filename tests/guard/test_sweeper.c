/* The sweeper finds what nobody told of, while others work on the same site. */
#include "guard/sweeper.h"
#include "tests/content/site_fixture.h"
#include "tests/support.h"

#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { PATIENCE_S = 60, QUICK_MS = 20 };

static struct site site_of(struct site_fixture *f)
{
    return (struct site){.row = f->row,
                         .rootfd = f->rootfd,
                         .policies = f->policies,
                         .aside = {.fd = -1},
                         .generation = f->generation};
}

static struct sweeper *start(const struct site *site, unsigned full_seconds)
{
    struct error e = ERROR_INIT;
    struct sweeper *s = NULL;
    if (!sweeper_start(&s, site, 1, QUICK_MS, full_seconds, &e))
        fail_msg("%s", e.message);
    return s;
}

static bool next(struct sweeper *s, struct str *path)
{
    struct pollfd fd = {.fd = sweeper_fd(s), .events = POLLIN};
    size_t site;
    if (poll(&fd, 1, 100) != 1 || !sweeper_next(s, &site, path))
        return false;
    assert_int_equal(site, 0);
    return true;
}

static void wait_for(struct sweeper *s, const char *wanted)
{
    CLEANUP_STR struct str path = {0};
    for (time_t end = time(NULL) + PATIENCE_S; time(NULL) < end;)
        if (next(s, &path) && strcmp(path.data, wanted) == 0)
            return;
    fail_msg("%s was not found", wanted);
}

static void wait_for_full_looks(struct sweeper *s, uint64_t more)
{
    int64_t when;
    uint64_t wanted = sweeper_proved(s, &when) + more;
    for (time_t end = time(NULL) + PATIENCE_S; sweeper_proved(s, &when) < wanted;) {
        assert_true(time(NULL) < end);
        usleep(10000);
    }
    assert_true(when > 0);
}

static void what_differs_comes_down_the_pipe(void **state)
{
    struct site_fixture f;
    site_make(&f);
    struct site site = site_of(&f);
    struct sweeper *s = start(&site, 1);
    CLEANUP_STR struct str path = {0};
    wait_for_full_looks(s, 1);
    assert_false(next(s, &path));
    site_sh(&f, "echo bad >css/a.css; echo new >shell.php; mv img images");
    wait_for(s, "css/a.css");
    wait_for(s, "shell.php");
    wait_for(s, "images");
    wait_for(s, "img");
    sweeper_stop(s);
    site_remove(&f);
}

/* Only the full look reads: same size and time, and a ctime that the index does not keep. */
static void a_full_look_comes_again_and_again(void **state)
{
    struct site_fixture f;
    site_make(&f);
    struct site site = site_of(&f);
    struct sweeper *s = start(&site, 1);
    wait_for_full_looks(s, 3);
    sweeper_stop(s);
    site_remove(&f);
}

struct attacker {
    struct site_fixture *f;
    atomic_bool ended;
};

static void *attack(void *context)
{
    struct attacker *a = context;
    for (int i = 0; i < 15; i++) {
        site_sh(a->f, "echo bad >css/a.css; rm -f index.html; echo new >shell.php;"
                      "chmod 777 img/logo.png; rm -rf css/print; echo up >uploads/up.jpg");
        usleep(20000);
    }
    atomic_store(&a->ended, true);
    return NULL;
}

/* As the guard does: one thread compares, the other mends with the same policies and manifest. */
static void what_it_finds_is_mended_beside_it(void **state)
{
    struct site_fixture f;
    site_make(&f);
    CLEANUP_FREE char *published = site_describe(f.root);
    struct site site = site_of(&f);
    struct sweeper *s = start(&site, 1);
    struct attacker attacker = {.f = &f};
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, attack, &attacker), 0);
    CLEANUP_STR struct str path = {0};
    time_t end = time(NULL) + 2 * PATIENCE_S;
    /* until it has nothing to say for as long as a full look takes */
    for (int quiet = 0; quiet < 20 && time(NULL) < end;)
        if (next(s, &path)) {
            quiet = 0;
            assert_int_not_equal(mend_path(&f.mender, path.data), MEND_FAILED);
        } else
            quiet += atomic_load(&attacker.ended);
    pthread_join(thread, NULL);
    sweeper_stop(s);
    assert_true(f.undone > 0);
    site_sh(&f, "rm uploads/up.jpg");
    CLEANUP_FREE char *now = site_describe(f.root);
    assert_string_equal(now, published);
    site_remove(&f);
}

/* More than a pipe holds: it waits for its reader, gives all, and can be stopped while it waits. */
static void a_late_reader_gets_all_and_stopping_needs_none(void **state)
{
    enum { PAGES = 1500 };
    struct site_fixture f;
    site_make(&f);
    struct site site = site_of(&f);
    site_sh(&f, "n=$(printf '%0200d' 0); mkdir many; i=0;"
                "while [ $i -lt 1500 ]; do echo >css/$n-$i; i=$((i+1)); done");
    struct sweeper *s = start(&site, 0);
    usleep(300000);
    bool *seen = mem_alloc(PAGES * sizeof *seen);
    size_t count = 0;
    CLEANUP_STR struct str path = {0};
    for (time_t end = time(NULL) + PATIENCE_S; count < PAGES && time(NULL) < end;) {
        if (!next(s, &path) || strncmp(path.data, "css/0", 5) != 0)
            continue;
        long i = strtol(strrchr(path.data, '-') + 1, NULL, 10);
        assert_true(i >= 0 && i < PAGES);
        count += !seen[i];
        seen[i] = true;
    }
    assert_int_equal(count, PAGES);
    usleep(300000); /* the pipe fills again */
    time_t before = time(NULL);
    sweeper_stop(s);
    assert_true(time(NULL) - before < 10);
    free(seen);
    site_remove(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_differs_comes_down_the_pipe),
        cmocka_unit_test(a_full_look_comes_again_and_again),
        cmocka_unit_test(what_it_finds_is_mended_beside_it),
        cmocka_unit_test(a_late_reader_gets_all_and_stopping_needs_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
