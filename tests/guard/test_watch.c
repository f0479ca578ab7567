/* What the kernel says: told once if nothing can have happened since, and else again. */
#include "base/mem.h"
#include "guard/handles.h"
#include "guard/watch.h"
#include "tests/support.h"

#include <fcntl.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { FILES = 64 };

struct told {
    int dirfd;
    unsigned first, others;
};

static void write_to(int dirfd, const char *name)
{
    int fd = openat(dirfd, name, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    assert_true(fd >= 0 && write(fd, "x", 1) == 1 && close(fd) == 0);
}

/* Who is told looks, and an attacker writes again right after the look. */
static void on_event(void *context, const struct watch_event *event)
{
    struct told *t = context;
    if (strcmp(event->name, "first") != 0)
        t->others++;
    else if (t->first++ == 0)
        write_to(t->dirfd, "first");
}

static void test_a_change_after_the_look_is_told(void **state)
{
    char *path = support_temp_dir();
    struct error e = ERROR_INIT;
    CLEANUP(watch_cleanup) struct watch *w = NULL;
    uint64_t key;
    CLEANUP_CLOSE int dirfd = open(path, O_RDONLY | O_DIRECTORY);
    struct told told = {.dirfd = dirfd};
    assert_true(watch_open_unprivileged(&w, &e) && watch_learn_dir(w, 0, dirfd, &key, &e));
    write_to(dirfd, "first");
    write_to(dirfd, "first");
    for (int i = 0; i < FILES; i++) {
        char name[32];
        snprintf(name, sizeof name, "other-%d", i);
        write_to(dirfd, name);
    }
    for (int i = 0; i < 4; i++)
        assert_true(watch_read(w, on_event, &told, &e));
    /* once for its making, once for what else was done to it, and for what was done later */
    assert_int_equal(told.first, 3);
    assert_int_equal(told.others, 2 * FILES);
    support_remove_tree(path);
    free(path);
}

/* A page that is put back over and over has a new inode each time. */
static void test_a_table_of_which_all_is_forgotten_does_not_grow(void **state)
{
    CLEANUP(handles_cleanup) struct handles *h = handles_new(64);
    handles_set(h, 7, 7);
    size_t before = mallinfo2().uordblks + mallinfo2().hblkhd;
    for (uint64_t i = 100; i < 1000000; i++) {
        handles_set(h, i, 1);
        handles_remove(h, i);
    }
    size_t after = mallinfo2().uordblks + mallinfo2().hblkhd;
    assert_true(after < before + 4096);
    assert_int_equal(handles_find(h, 7), 7);
    assert_int_equal(handles_find(h, 500), HANDLE_NONE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_change_after_the_look_is_told),
        cmocka_unit_test(test_a_table_of_which_all_is_forgotten_does_not_grow),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
