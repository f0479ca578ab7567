/* Out of reach and back again, exactly, whatever an attacker does meanwhile. */
#include "act/quarantine.h"
#include "base/str.h"
#include "tests/support.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <unistd.h>

struct place {
    char *dir;
    int fd;
    struct quarantine q;
    struct arena *arena;
};

static int setup(void **state)
{
    struct place *p = mem_alloc(sizeof *p);
    p->dir = support_temp_dir();
    p->fd = open(p->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    p->arena = arena_new();
    assert_true(quarantine_open(&p->q, p->fd, true, NULL));
    *state = p;
    return 0;
}

static int teardown(void **state)
{
    struct place *p = *state;
    quarantine_close(&p->q);
    close(p->fd);
    support_remove_tree(p->dir);
    arena_free(p->arena);
    free(p->dir);
    free(p);
    return 0;
}

static bool take(struct place *p, const char *path, struct quarantine_item *out, struct error *e)
{
    struct quarantine_wish wish = {
        .rootfd = p->fd, .path = path, .why = "a test", .who = "me", .now = 1000000000};
    return quarantine_take(&p->q, &wish, false, p->arena, out, e);
}

static bool give(struct place *p, const char *id, struct error *e)
{
    struct quarantine_item item;
    return quarantine_give_back(&p->q, id, false, p->arena, &item, e);
}

static void make(struct place *p, const char *name, const char *text)
{
    support_write(p->dir, name, text, strlen(text));
}

static char *read_at(struct place *p, const char *name)
{
    static char text[256];
    int fd = openat(p->fd, name, O_RDONLY);
    ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof text - 1);
    if (fd >= 0)
        close(fd);
    text[n < 0 ? 0 : n] = '\0';
    return n < 0 ? NULL : text;
}

static void comes_back_exactly(void **state)
{
    struct place *p = *state;
    struct quarantine_item item, *list;
    struct stat before, after;
    char value[16] = "", path[512];
    size_t count;
    make(p, "site/x.php", "a shell");
    snprintf(path, sizeof path, "%s/site/x.php", p->dir);
    bool marked = setxattr(path, "user.origin", "here", 4, 0) == 0;
    struct timespec times[2] = {{.tv_sec = 5, .tv_nsec = 7}, {.tv_sec = 991, .tv_nsec = 123456789}};
    assert_int_equal(chmod(path, 06751), 0);
    assert_int_equal(utimensat(AT_FDCWD, path, times, 0), 0);
    assert_int_equal(stat(path, &before), 0);
    assert_true(take(p, "/site/x.php", &item, NULL));
    assert_null(read_at(p, "site/x.php"));
    assert_string_equal(item.origin, path);
    assert_string_equal(item.sha256,
                        "1b7870670d635a5541c6399eed069e0c84564c0471c0fa6ecc2201ee42f726bf");
    assert_true(quarantine_list(&p->q, p->arena, &list, &count, NULL));
    assert_int_equal(count, 1);
    assert_string_equal(list[0].why, "a test");
    assert_string_equal(list[0].origin, path);
    assert_true(give(p, item.id, NULL));
    assert_int_equal(stat(path, &after), 0);
    assert_int_equal(after.st_ino, before.st_ino);
    assert_int_equal(after.st_mode, before.st_mode);
    assert_int_equal(after.st_mtim.tv_sec, before.st_mtim.tv_sec);
    assert_int_equal(after.st_mtim.tv_nsec, before.st_mtim.tv_nsec);
    if (marked) {
        assert_int_equal(getxattr(path, "user.origin", value, sizeof value), 4);
        assert_string_equal(value, "here");
    }
    assert_string_equal(read_at(p, "site/x.php"), "a shell");
    assert_true(quarantine_list(&p->q, p->arena, &list, &count, NULL));
    assert_int_equal(count, 0);
}

static void what_was_not_looked_at_is_not_moved(void **state)
{
    struct place *p = *state;
    struct error e = ERROR_INIT;
    struct quarantine_item item;
    struct stat st;
    make(p, "site/x.php", "a shell");
    assert_int_equal(fstatat(p->fd, "site/x.php", &st, 0), 0);
    struct quarantine_wish wish = {.rootfd = p->fd,
                                   .path = "site/x.php",
                                   .inode = st.st_ino + 1,
                                   .device = st.st_dev,
                                   .now = 1};
    assert_false(quarantine_take(&p->q, &wish, false, p->arena, &item, &e));
    assert_int_equal(e.code, ERR_UNREADABLE);
    assert_non_null(read_at(p, "site/x.php"));
    assert_false(take(p, "site/nothing", &item, &e));
    assert_false(take(p, "site/..", &item, &e));
    wish.inode = st.st_ino;
    assert_true(quarantine_take(&p->q, &wish, true, p->arena, &item, &e)); /* dry */
    assert_non_null(read_at(p, "site/x.php"));
}

static void nothing_is_written_over_and_no_link_followed(void **state)
{
    struct place *p = *state;
    struct error e = ERROR_INIT;
    struct quarantine_item item;
    make(p, "site/x.php", "a shell");
    make(p, "elsewhere/y", "y");
    assert_true(take(p, "site/x.php", &item, NULL));
    make(p, "site/x.php", "the page");
    assert_false(give(p, item.id, &e));
    assert_int_equal(e.code, ERR_USAGE);
    assert_string_equal(read_at(p, "site/x.php"), "the page");
    /* the folder becomes a link to another */
    assert_int_equal(unlinkat(p->fd, "site/x.php", 0), 0);
    assert_int_equal(unlinkat(p->fd, "site", AT_REMOVEDIR), 0);
    assert_false(give(p, item.id, &e));
    assert_int_equal(e.code, ERR_ABSENT);
    assert_int_equal(symlinkat("elsewhere", p->fd, "site"), 0);
    assert_false(give(p, item.id, &e));
    assert_int_equal(e.code, ERR_UNREADABLE);
    assert_null(read_at(p, "elsewhere/x.php"));
    assert_int_equal(unlinkat(p->fd, "site", 0), 0);
    assert_int_equal(mkdirat(p->fd, "site", 0755), 0);
    assert_true(give(p, item.id, NULL));
    assert_string_equal(read_at(p, "site/x.php"), "a shell");
}

static void links_and_folders_go_as_such(void **state)
{
    struct place *p = *state;
    struct quarantine_item item;
    char target[64] = "";
    make(p, "secret", "secret");
    make(p, "site/d/inside", "x");
    assert_int_equal(symlinkat("../secret", p->fd, "site/l"), 0);
    assert_true(take(p, "site/l", &item, NULL));
    assert_string_equal(item.kind, "link");
    assert_string_equal(read_at(p, "secret"), "secret");
    assert_true(give(p, item.id, NULL));
    assert_int_equal(readlinkat(p->fd, "site/l", target, sizeof target), 9);
    assert_true(take(p, "site/d", &item, NULL));
    assert_string_equal(item.kind, "directory");
    assert_null(read_at(p, "site/d/inside"));
    assert_true(give(p, item.id, NULL));
    assert_string_equal(read_at(p, "site/d/inside"), "x");
}

static void a_record_of_nonsense_is_said(void **state)
{
    struct place *p = *state;
    struct error e = ERROR_INIT;
    struct quarantine_item *list;
    size_t count;
    make(p, "quarantine/0badc0de.json", "{\"folder\": \"2f\"}");
    assert_false(quarantine_list(&p->q, p->arena, &list, &count, &e));
    assert_int_equal(e.code, ERR_CORRUPT);
    assert_false(give(p, "0badc0de", &e));
    assert_false(give(p, "../site/x", &e));
    assert_int_equal(e.code, ERR_ABSENT);
}

/* Puts file, link and folder into each other's place, with pauses as short as a move. */
static void swap_for_ever(int dir)
{
    for (unsigned pause = 1;; pause = pause * 1103515245 + 12345) {
        usleep(pause >> 8 & 8191);
        unlinkat(dir, "site/x", 0);
        (void)!symlinkat("../secret", dir, "site/x");
        unlinkat(dir, "site/x", 0);
        int fd = openat(dir, "site/x", O_WRONLY | O_CREAT | O_EXCL, 0644);
        if (fd >= 0)
            close(fd);
        /* the folder and a link to another one */
        (void)!renameat2(dir, "site", dir, "other", RENAME_EXCHANGE);
        (void)!renameat2(dir, "site", dir, "other", RENAME_EXCHANGE);
    }
}

static void a_race_leads_nowhere_else(void **state)
{
    enum { TRIES = 500 };
    struct place *p = *state;
    struct stat before, after;
    make(p, "secret", "secret");
    make(p, "private/x", "private");
    make(p, "site/x", "a shell");
    assert_int_equal(symlinkat("private", p->fd, "other"), 0);
    assert_int_equal(fstatat(p->fd, "secret", &before, 0), 0);
    pid_t pid = fork();
    if (pid == 0)
        swap_for_ever(p->fd);
    size_t moved = 0;
    for (int i = 0; i < TRIES; i++) {
        struct quarantine_item item;
        struct stat st;
        if (fstatat(p->fd, "site/x", &st, AT_SYMLINK_NOFOLLOW) != 0 || !S_ISREG(st.st_mode))
            continue;
        struct stat own;
        assert_int_equal(fstatat(p->fd, "private/x", &own, 0), 0);
        if (own.st_ino == st.st_ino)
            continue; /* `site` was the link at that moment: it is what was asked for */
        struct quarantine_wish wish = {
            .rootfd = p->fd, .path = "site/x", .inode = st.st_ino, .device = st.st_dev, .now = 1};
        struct error e = ERROR_INIT;
        if (quarantine_take(&p->q, &wish, false, p->arena, &item, &e))
            moved++;
        assert_string_equal(read_at(p, "secret"), "secret");
        assert_string_equal(read_at(p, "private/x"), "private");
    }
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
    assert_int_equal(fstatat(p->fd, "secret", &after, 0), 0);
    assert_int_equal(after.st_ino, before.st_ino);
    if (!moved)
        print_message("no try moved the file: hardly a race\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(comes_back_exactly, setup, teardown),
        cmocka_unit_test_setup_teardown(what_was_not_looked_at_is_not_moved, setup, teardown),
        cmocka_unit_test_setup_teardown(nothing_is_written_over_and_no_link_followed, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(links_and_folders_go_as_such, setup, teardown),
        cmocka_unit_test_setup_teardown(a_record_of_nonsense_is_said, setup, teardown),
        cmocka_unit_test_setup_teardown(a_race_leads_nowhere_else, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
