/* Files: bounds, replacing, and paths that want out of their root. */
#include "base/file.h"
#include "base/mem.h"
#include "base/str.h"
#include "tests/support.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static char *dir;
static int dirfd_of;

static int make(void **state)
{
    dir = support_temp_dir();
    dirfd_of = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    return 0;
}

static int drop(void **state)
{
    close(dirfd_of);
    support_remove_tree(dir);
    free(dir);
    return 0;
}

static void a_file_is_read_up_to_its_limit_and_not_beyond(void **state)
{
    CLEANUP_STR struct str path = {0};
    char *data = NULL;
    size_t size = 0;
    struct error e = ERROR_INIT;
    support_write(dir, "ten", "0123456789", 10);
    str_printf(&path, "%s/ten", dir);
    assert_true(file_read(&data, &size, str_text(&path), 10, &e));
    assert_int_equal(size, 10);
    assert_string_equal(data, "0123456789");
    free(data);
    data = (char *)1;
    assert_false(file_read(&data, &size, str_text(&path), 9, &e));
    assert_int_equal(e.code, ERR_LIMIT);
    assert_ptr_equal(data, (char *)1); /* untouched */
    assert_string_equal(e.path, str_text(&path));
    assert_false(file_read(&data, &size, "/none/there", 9, &e));
    assert_int_equal(e.code, ERR_ABSENT);
}

static void what_has_no_size_is_bounded_too(void **state)
{
    int ends[2];
    char *data;
    size_t size;
    struct error e = ERROR_INIT;
    assert_int_equal(pipe(ends), 0);
    assert_int_equal(write(ends[1], "abcdef", 6), 6);
    close(ends[1]);
    assert_false(file_read_fd(&data, &size, ends[0], 5, &e));
    assert_int_equal(e.code, ERR_LIMIT);
    close(ends[0]);
    assert_false(file_read(&data, &size, "/dev/zero", 100000, &e));
    assert_int_equal(e.code, ERR_LIMIT);
}

static void a_pipe_has_to_speak(void **state)
{
    CLEANUP_FREE char *text = NULL;
    CLEANUP_STR struct str path = {0};
    struct error e = ERROR_INIT;
    char named[32];
    size_t size;
    int ends[2];
    str_printf(&path, "%s/fifo", dir);
    assert_int_equal(mkfifo(str_text(&path), 0600), 0);
    assert_false(file_read(&text, &size, str_text(&path), 1 << 20, &e));
    assert_int_equal(e.code, ERR_TIMEOUT);
    /* as of <(...) in a shell */
    assert_int_equal(pipe(ends), 0);
    pid_t pid = fork();
    if (pid == 0) {
        usleep(200 * 1000);
        (void)!write(ends[1], "one ", 4);
        usleep(200 * 1000);
        _exit(write(ends[1], "two", 3) != 3);
    }
    close(ends[1]);
    snprintf(named, sizeof named, "/dev/fd/%d", ends[0]);
    assert_true(file_read(&text, &size, named, 1 << 20, NULL));
    assert_string_equal(text, "one two");
    assert_int_equal(waitpid(pid, NULL, 0), pid);
    close(ends[0]);
}

static void a_file_is_replaced_whole_with_its_mode(void **state)
{
    struct stat st;
    char *data;
    size_t size;
    struct error e = ERROR_INIT;
    for (int i = 0; i < 2; i++) {
        const char *text = i ? "second, and longer" : "first";
        assert_true(file_replace(dirfd_of, "page", text, strlen(text), 0640, &e));
        CLEANUP_CLOSE int fd = file_open_beneath(dirfd_of, "page", &st, &e);
        assert_true(fd >= 0);
        assert_true(file_read_fd(&data, &size, fd, 100, &e));
        assert_string_equal(data, text);
        assert_int_equal(st.st_mode & 07777, 0640);
        free(data);
    }
    const struct iovec parts[] = {{(void *)"head, ", 6}, {NULL, 0}, {(void *)"body", 4}};
    assert_true(file_replace_parts(dirfd_of, "page", parts, ARRAY_COUNT(parts), 0600, &e));
    CLEANUP_CLOSE int page = file_open_beneath(dirfd_of, "page", &st, &e);
    assert_true(file_read_fd(&data, &size, page, 100, &e));
    assert_string_equal(data, "head, body");
    free(data);
    assert_false(file_replace(dirfd_of, "none/page", "x", 1, 0640, &e));
    /* a link is replaced, what it leads to is left alone */
    support_write(dir, "victim", "victim", 6);
    assert_int_equal(symlinkat("victim", dirfd_of, "link"), 0);
    assert_true(file_replace(dirfd_of, "link", "x", 1, 0640, &e));
    assert_true(file_stat_beneath(dirfd_of, "victim", false, &st, &e));
    assert_int_equal(st.st_size, 6);
    assert_true(file_stat_beneath(dirfd_of, "link", false, &st, &e));
    assert_true(S_ISREG(st.st_mode));
}

static void directories_are_made_with_their_parents(void **state)
{
    CLEANUP_STR struct str path = {0};
    struct stat st;
    struct error e = ERROR_INIT;
    str_printf(&path, "%s/a/b//c/", dir);
    assert_true(file_make_dirs(str_text(&path), 0700, &e));
    assert_true(file_make_dirs(str_text(&path), 0700, &e));
    assert_int_equal(stat(str_text(&path), &st), 0);
    assert_int_equal(st.st_mode & 07777, 0700);
    support_write(dir, "plain", "", 0);
    str_clear(&path);
    str_printf(&path, "%s/plain/below", dir);
    assert_false(file_make_dirs(str_text(&path), 0700, &e));
    assert_false(file_make_dirs("", 0700, &e));
}

static void paths_stay_beneath_their_root(void **state)
{
    static const char *const out[] = {"../etc/passwd", "/../../etc/passwd", "up/etc/passwd",
                                      "slash/etc/passwd", "a/../../../etc/passwd"};
    struct error e = ERROR_INIT;
    symlinkat("../../../../../..", dirfd_of, "up");
    symlinkat("/", dirfd_of, "slash");
    for (size_t i = 0; i < ARRAY_COUNT(out); i++) {
        assert_int_equal(file_open_beneath(dirfd_of, out[i], NULL, &e), -1);
        assert_int_equal(e.code, ERR_ABSENT);
    }
    assert_int_equal(file_open_dir_beneath(dirfd_of, "/none", &e), -1);
    CLEANUP_CLOSE int root = file_open_dir_beneath(dirfd_of, "slash", &e);
    struct stat a, b;
    assert_int_equal(fstat(root, &a), 0);
    assert_int_equal(fstat(dirfd_of, &b), 0);
    assert_int_equal(a.st_ino, b.st_ino);
    assert_int_equal(file_open_beneath(dirfd_of, "", NULL, &e), -1); /* a directory */
    assert_int_equal(e.code, ERR_UNREADABLE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_file_is_read_up_to_its_limit_and_not_beyond),
        cmocka_unit_test(what_has_no_size_is_bounded_too),
        cmocka_unit_test(a_pipe_has_to_speak),
        cmocka_unit_test(a_file_is_replaced_whole_with_its_mode),
        cmocka_unit_test(directories_are_made_with_their_parents),
        cmocka_unit_test(paths_stay_beneath_their_root),
    };
    return cmocka_run_group_tests(tests, make, drop);
}
