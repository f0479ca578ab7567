/* What is written is what tar reads: names, links, sizes, times, owners. */
#include "tests/support.h"

#include "base/file.h"
#include "base/str.h"
#include "base/tar_writer.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static bool keep(void *context, const void *bytes, size_t size, struct error *e)
{
    str_add_bytes(context, bytes, size);
    return true;
}

static void member(struct tar_writer *t, const char *name, struct stat *st, const char *link,
                   const char *content)
{
    struct error e = ERROR_INIT;
    uint64_t missing;
    st->st_mtim = (struct timespec){1006905600, 123456789};
    assert_true(tar_begin(t, name, st, link, &e));
    assert_true(tar_add(t, content, strlen(content), &e));
    assert_true(tar_end_member(t, &missing, &e));
}

/* What a command of tar prints of the archive; free() it. */
static char *ask(const char *dir, const char *command)
{
    char line[512], *text = NULL;
    size_t size;
    snprintf(line, sizeof line, "cd '%s' && LC_ALL=C.UTF-8 TZ=UTC %s", dir, command);
    FILE *f = popen(line, "r");
    assert_non_null(f);
    assert_true(file_read_fd(&text, &size, fileno(f), 1 << 20, NULL));
    assert_int_equal(pclose(f), 0);
    return text;
}

static void tar_reads_what_is_written(void **state)
{
    CLEANUP_STR struct str archive = {0};
    struct tar_writer t = {.write = keep, .context = &archive};
    struct error e = ERROR_INIT;
    char deep[300] = "";
    while (strlen(deep) < 250)
        strcat(deep, "folder-of-some/");
    strcat(deep, "page.html");
    struct stat file = {.st_mode = S_IFREG | 0640, .st_size = 5, .st_uid = 4000000000u};
    struct stat folder = {.st_mode = S_IFDIR | 0755}, fifo = {.st_mode = S_IFIFO | 0600};
    struct stat link = {.st_mode = S_IFLNK | 0777}, sock = {.st_mode = S_IFSOCK | 0600};
    member(&t, "plain", &file, NULL, "12345, and more than it has");
    member(&t, "ページ", &file, NULL, "abcde");
    member(&t, "bad\xff name", &file, NULL, "fghij");
    member(&t, deep, &file, NULL, "klmno");
    member(&t, "folder", &folder, NULL, "");
    member(&t, "folder/link", &link, deep, "");
    member(&t, "fifo", &fifo, NULL, "");
    assert_false(tar_begin(&t, "socket", &sock, NULL, &e));
    assert_int_equal(e.code, ERR_UNSUPPORTED);
    assert_true(tar_end(&t, &e));
    assert_int_equal(archive.length % 512, 0);

    char *dir = support_temp_dir();
    support_write(dir, "a.tar", archive.data, archive.length);
    CLEANUP_FREE char *list =
        ask(dir, "tar --numeric-owner --full-time --quoting-style=escape -tvf a.tar");
    assert_non_null(strstr(list, "-rw-r----- 4000000000/0"));
    assert_non_null(strstr(list, "2001-11-28 00:00:00.123456789 plain\n"));
    assert_non_null(strstr(list, " bad\\377 name\n"));
    assert_non_null(strstr(list, deep));
    assert_non_null(strstr(list, " folder/link -> folder-of-some/"));
    assert_non_null(strstr(list, "prw------- 0/0"));
    CLEANUP_FREE char *plain = ask(dir, "tar -xOf a.tar plain ページ");
    assert_string_equal(plain, "12345abcde");
    support_remove_tree(dir);
    free(dir);
}

static void what_became_shorter_is_filled_and_said(void **state)
{
    CLEANUP_STR struct str archive = {0};
    struct tar_writer t = {.write = keep, .context = &archive};
    struct stat st = {.st_mode = S_IFREG | 0600, .st_size = 1000};
    uint64_t missing;
    struct error e = ERROR_INIT;
    assert_true(tar_begin(&t, "short", &st, NULL, &e) && tar_add(&t, "abc", 3, &e) &&
                tar_end_member(&t, &missing, &e));
    assert_int_equal(missing, 997);
    assert_int_equal(archive.length % 512, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tar_reads_what_is_written),
        cmocka_unit_test(what_became_shorter_is_filled_and_said),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
