/* What goes first when there is too much evidence. */
#include "base/str.h"
#include "content/evidence.h"
#include "tests/support.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { KB = 1024, PIECE = 64 * KB };

struct fixture {
    char *dir;
    struct state *state;
    int aside;
    struct tamper burst;
};

static void put(struct fixture *f, const char *name, const char *path, uint8_t hash)
{
    static char bytes[PIECE];
    struct error e = ERROR_INIT;
    CLEANUP_STR struct str file = {0};
    str_printf(&file, "aside/%s", name);
    support_write(f->dir, file.data, bytes, sizeof bytes);
    if (!path)
        return;
    struct tamper_path row = {.path = path,
                              .kind = "changed",
                              .evidence = name,
                              .size = PIECE,
                              .undone = true,
                              .has_sha256 = true};
    memset(row.sha256, hash, sizeof row.sha256);
    if (!tampers_write(f->state, &f->burst, &row, 1, &e))
        fail_msg("%s", e.message);
}

static bool there(const struct fixture *f, const char *name)
{
    return faccessat(f->aside, name, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

static uint64_t prune(struct fixture *f, unsigned pieces, bool dry_run)
{
    uint64_t removed, freed;
    struct error e = ERROR_INIT;
    if (!evidence_prune(f->aside, f->state, "www", (uint64_t)pieces * PIECE, dry_run, &removed,
                        &freed, &e))
        fail_msg("%s", e.message);
    assert_int_equal(freed, removed * PIECE);
    return removed;
}

static int set_up(void **state)
{
    struct fixture *f = mem_alloc(sizeof *f);
    struct error e = ERROR_INIT;
    f->dir = support_temp_dir();
    f->burst = (struct tamper){.site = "www", .exe = "", .command = ""};
    CLEANUP_STR struct str path = {0};
    str_printf(&path, "%s/state", f->dir);
    if (!state_open(&f->state, path.data, &e))
        fail_msg("%s", e.message);
    put(f, "bad-20260101T000000Z-1", "a", 1);
    f->aside = open(f->dir, O_RDONLY | O_DIRECTORY);
    int aside = openat(f->aside, "aside", O_RDONLY | O_DIRECTORY);
    close(f->aside);
    f->aside = aside;
    put(f, "bad-20260101T000001Z-2", "a", 7); /* as the next one */
    put(f, "bad-20260101T000002Z-3", "a", 7);
    put(f, "bad-20260101T000003Z-10", "a", 9);    /* the newest of a */
    put(f, "bad-20260101T000000Z-4", "b\xff", 1); /* the only one of b */
    put(f, "bad-20260101T000009Z-11", NULL, 0);   /* of no burst */
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;
    close(f->aside);
    state_close(f->state);
    support_remove_tree(f->dir);
    free(f->dir);
    free(f);
    return 0;
}

static void what_fits_stays(void **state)
{
    assert_int_equal(prune(*state, 6, false), 0);
}

static void what_was_found_again_goes_first(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(prune(f, 5, true), 1);
    assert_true(there(f, "bad-20260101T000001Z-2"));
    assert_int_equal(prune(f, 5, false), 1);
    assert_false(there(f, "bad-20260101T000001Z-2"));
    assert_true(there(f, "bad-20260101T000000Z-1"));
}

static void then_the_oldest_and_never_the_newest_of_a_path(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(prune(f, 4, false), 2);
    assert_false(there(f, "bad-20260101T000000Z-1"));
    assert_true(there(f, "bad-20260101T000002Z-3"));
    assert_int_equal(prune(f, 0, false), 2); /* what no burst lists goes, too */
    assert_true(there(f, "bad-20260101T000003Z-10"));
    assert_true(there(f, "bad-20260101T000000Z-4"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(what_fits_stays, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_was_found_again_goes_first, set_up, tear_down),
        cmocka_unit_test_setup_teardown(then_the_oldest_and_never_the_newest_of_a_path, set_up,
                                        tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
