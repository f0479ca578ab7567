/* Live host, mounted root and text: what an attacked tree cannot make us do. */
#include "base/str.h"
#include "target/target.h"
#include "tests/support.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

struct tree {
    char *dir;
    struct target *target;
};

static void link_in(const char *dir, const char *to, const char *name)
{
    CLEANUP_STR struct str path = {0};
    str_printf(&path, "%s/%s", dir, name);
    assert_int_equal(symlink(to, str_text(&path)), 0);
}

static int make_tree(void **state)
{
    struct tree *t = calloc(1, sizeof *t);
    CLEANUP_STR struct str path = {0};
    struct error e = ERROR_INIT;
    t->dir = support_temp_dir();
    support_write(t->dir, "etc/passwd", "the root's own\n", 15);
    support_write(t->dir, "WINNT/System32/HttpExt.dll", "MZ", 2);
    support_write(t->dir, "odd/new\nline", "1", 1);
    support_write(t->dir, "odd/bad\xff\xfe", "2", 1);
    link_in(t->dir, "/etc/passwd", "absolute");
    link_in(t->dir, "../../../../../../../etc/shadow", "climbing");
    link_in(t->dir, "/etc", "folder");
    link_in(t->dir, "loop", "loop");
    link_in(t->dir, "gone", "nowhere");
    link_in(t->dir, "/proc/1/root/etc/passwd", "magic");
    str_printf(&path, "%s/fifo", t->dir);
    assert_int_equal(mkfifo(str_text(&path), 0666), 0);
    str_clear(&path);
    str_printf(&path, "%s/device", t->dir);
    if (mknod(str_text(&path), S_IFCHR | 0666, makedev(1, 5)) != 0) /* /dev/zero: never ends */
        fprintf(stderr, "skipped in part: no device could be made\n");
    str_clear(&path);
    str_printf(&path, "%s/large", t->dir);
    int fd = open(str_text(&path), O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
    assert_int_equal(ftruncate(fd, 1 << 30), 0);
    close(fd);
    assert_true(target_open_root(&t->target, t->dir, &e));
    *state = t;
    return 0;
}

static int drop_tree(void **state)
{
    struct tree *t = *state;
    target_close(t->target);
    support_remove_tree(t->dir);
    free(t->dir);
    free(t);
    return 0;
}

static void each_path_is_read_or_refused_for_its_reason(void **state)
{
    static const struct {
        const char *path, *content; /* NULL: refused, with this code */
        enum error_code code;
    } rows[] = {
        {"/etc/passwd", "the root's own\n", 0},
        {"etc/passwd", "the root's own\n", 0},
        {"/absolute", "the root's own\n", 0},
        {"/folder/passwd", "the root's own\n", 0},
        {"/../../etc/passwd", "the root's own\n", 0},
        {"/odd/new\nline", "1", 0},
        {"/odd/bad\xff\xfe", "2", 0},
        {"/climbing", NULL, ERR_UNREADABLE}, /* the root has no etc/shadow; the host has */
        {"/magic", NULL, ERR_UNREADABLE},
        {"/nowhere/below/that", NULL, ERR_UNREADABLE}, /* a link on the way leads to nothing */
        {"/loop", NULL, ERR_UNREADABLE},
        {"/fifo", NULL, ERR_UNREADABLE},
        {"/etc", NULL, ERR_UNREADABLE},
        {"/etc/passwd/below", NULL, ERR_ABSENT},
        {"/none", NULL, ERR_ABSENT},
        {"/large", NULL, ERR_LIMIT},
    };
    struct tree *t = *state;
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
        char *data = NULL;
        size_t size = 0;
        struct error e = ERROR_INIT;
        bool good = target_read(t->target, rows[i].path, 1 << 20, &data, &size, &e);
        if (good != (rows[i].content != NULL) || (!good && e.code != rows[i].code) ||
            (good && !str_equal(data, rows[i].content)))
            fail_msg("%s: %d (%s) %s", rows[i].path, e.code, e.message, data);
        if (!good)
            assert_true(e.path[0]);
        free(data);
    }
}

static void a_device_is_never_opened(void **state)
{
    struct tree *t = *state;
    struct target_stat st;
    char *data;
    size_t size;
    struct error e = ERROR_INIT;
    if (!target_stat(t->target, "/device", false, &st, NULL))
        skip();
    assert_int_equal(st.type, TARGET_OTHER);
    assert_false(target_read(t->target, "/device", 100, &data, &size, &e));
    assert_int_equal(e.code, ERR_UNREADABLE);
}

static void links_are_told_and_read_but_not_followed_when_asked(void **state)
{
    struct tree *t = *state;
    struct target_stat st;
    char link[64];
    struct error e = ERROR_INIT;
    assert_true(target_stat(t->target, "/climbing", false, &st, &e));
    assert_int_equal(st.type, TARGET_LINK);
    assert_false(target_stat(t->target, "/climbing", true, &st, &e));
    assert_int_equal(e.code, ERR_UNREADABLE);
    assert_string_equal(
        e.message, "/climbing is a link to ../../../../../../../etc/shadow, which is not there");
    assert_true(target_readlink(t->target, "/absolute", link, sizeof link, &e));
    assert_string_equal(link, "/etc/passwd");
    assert_true(target_readlink(t->target, "folder", link, sizeof link, &e));
    assert_false(target_readlink(t->target, "/etc/passwd", link, sizeof link, &e));
    assert_false(target_readlink(t->target, "/absolute", link, 5, &e));
    assert_int_equal(e.code, ERR_LIMIT);
}

static void a_folder_is_listed_absent_or_unreadable(void **state)
{
    static const struct {
        const char *path;
        enum error_code code; /* ERR_NONE: listed */
    } rows[] = {{"/etc", ERR_NONE},
                {"/folder", ERR_NONE},
                {"/none", ERR_ABSENT},
                {"/etc/none", ERR_ABSENT},
                {"/nowhere", ERR_UNREADABLE},
                {"/fifo", ERR_UNREADABLE},
                {"/loop", ERR_UNREADABLE},
                {"/climbing", ERR_UNREADABLE},
                {"/etc/passwd", ERR_UNREADABLE},
                {"/nowhere/below", ERR_UNREADABLE}};
    struct tree *t = *state;
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
        CLEANUP_ARENA struct arena *arena = arena_new();
        struct target_entry *entries;
        size_t count;
        struct error e = ERROR_INIT;
        target_list(t->target, rows[i].path, arena, &entries, &count, &e);
        if (e.code != rows[i].code)
            fail_msg("%s: %d (%s)", rows[i].path, e.code, e.message);
    }
}

static void names_are_found_whatever_their_case(void **state)
{
    struct tree *t = *state;
    CLEANUP_ARENA struct arena *arena = arena_new();
    const char *found;
    struct error e = ERROR_INIT;
    assert_true(
        target_resolve_nocase(t->target, "\\winnt\\SYSTEM32\\httpext.DLL", arena, &found, &e));
    assert_string_equal(found, "/WINNT/System32/HttpExt.dll");
    assert_false(target_resolve_nocase(t->target, "/winnt/system32/none.dll", arena, &found, &e));
    assert_int_equal(e.code, ERR_ABSENT);
    assert_false(target_resolve_nocase(t->target, "/winnt/../etc/passwd", arena, &found, &e));
    assert_int_equal(e.code, ERR_USAGE);
}

static void pieces_are_read_up_to_the_end(void **state)
{
    struct tree *t = *state;
    char buffer[32];
    size_t got = 99;
    struct error e = ERROR_INIT;
    assert_true(target_read_at(t->target, "/etc/passwd", 4, buffer, 4, &got, &e));
    assert_int_equal(got, 4);
    assert_memory_equal(buffer, "root", 4);
    assert_true(target_read_at(t->target, "/etc/passwd", 10, buffer, 32, &got, &e));
    assert_int_equal(got, 5);
    assert_true(target_read_at(t->target, "/etc/passwd", 1000, buffer, 32, &got, &e));
    assert_int_equal(got, 0);
    assert_true(target_read_at(t->target, "/etc/passwd", UINT64_MAX, buffer, 32, &got, &e));
    assert_int_equal(got, 0);
}

/* In memory where there is such a place: on a disk 100,001 files take their time. */
static void a_folder_of_too_many_entries_is_a_limit(void **state)
{
    CLEANUP_ARENA struct arena *arena = arena_new();
    CLEANUP(target_cleanup) struct target *t = NULL;
    char memory[] = "/dev/shm/yagura-test-XXXXXX";
    CLEANUP_FREE char *dir = mkdtemp(memory) ? mem_strdup(memory) : support_temp_dir();
    struct target_entry *entries;
    size_t count;
    struct error e = ERROR_INIT;
    assert_true(target_open_root(&t, dir, &e));
    for (int i = 0; i <= 100000; i++) {
        char name[16];
        snprintf(name, sizeof name, "%06d", i);
        assert_int_equal(mknodat(target_rootfd(t), name, S_IFREG | 0644, 0), 0);
        if (i != 99999)
            continue;
        assert_true(target_list(t, "/", arena, &entries, &count, &e));
        assert_int_equal(count, 100000);
        assert_string_equal(entries[7].name, "000007");
    }
    assert_false(target_list(t, "/", arena, &entries, &count, &e));
    assert_int_equal(e.code, ERR_LIMIT);
    support_remove_tree(dir);
}

static void the_live_host_is_read_from_its_root(void **state)
{
    CLEANUP(target_cleanup) struct target *t = NULL;
    char *data;
    size_t size;
    struct error e = ERROR_INIT;
    assert_true(target_open_live(&t, &e));
    assert_string_equal(target_name(t), "this host");
    assert_true(target_read(t, "/proc/self/status", 1 << 16, &data, &size, &e));
    assert_true(str_starts(data, "Name:"));
    free(data);
    assert_false(target_read(t, "/proc/self/root/etc/passwd", 1 << 16, &data, &size, &e));
    assert_int_equal(e.code, ERR_UNREADABLE);
    assert_false(target_security_descriptor(t, "/etc", &data, &size, &e));
    assert_int_equal(e.code, ERR_UNSUPPORTED);
}

static void a_text_is_utf8_whatever_it_was(void **state)
{
    static const struct {
        const char *name, *bytes;
        size_t size;
        const char *wanted;
    } rows[] = {
        {"plain", "Host Name: X\r\n", 14, "Host Name: X\r\n"},
        {"with a mark", "\xef\xbb\xbfHost", 7, "Host"},
        {"little-endian", "\xff\xfeH\0\xfc\0", 6, "H\xc3\xbc"},
        {"big-endian", "\xfe\xff\0H\0\xfc", 6, "H\xc3\xbc"},
        {"cut within a unit", "\xff\xfeH\0\xfc", 5, "H"},
        {"a mark and nothing", "\xff\xfe", 2, ""},
        {"empty", "", 0, ""},
        {"single bytes", "K\xf6ln", 4, "K\xf6ln"},
    };
    struct tree *tree = *state;
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
        CLEANUP_STR struct str path = {0};
        CLEANUP(target_cleanup) struct target *t = NULL;
        struct error e = ERROR_INIT;
        struct target_stat st;
        size_t size;
        support_write(tree->dir, "text", rows[i].bytes, rows[i].size);
        str_printf(&path, "%s/text", tree->dir);
        assert_true(target_open_text(&t, str_text(&path), &e));
        const char *text = target_text(t, &size);
        if (!str_equal(text, rows[i].wanted) || size != strlen(rows[i].wanted))
            fail_msg("%s: %s", rows[i].name, text);
        assert_false(target_stat(t, "/etc", true, &st, &e));
        assert_int_equal(e.code, ERR_UNSUPPORTED);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_path_is_read_or_refused_for_its_reason),
        cmocka_unit_test(a_device_is_never_opened),
        cmocka_unit_test(links_are_told_and_read_but_not_followed_when_asked),
        cmocka_unit_test(a_folder_is_listed_absent_or_unreadable),
        cmocka_unit_test(names_are_found_whatever_their_case),
        cmocka_unit_test(pieces_are_read_up_to_the_end),
        cmocka_unit_test(the_live_host_is_read_from_its_root),
        cmocka_unit_test(a_text_is_utf8_whatever_it_was),
        cmocka_unit_test(a_folder_of_too_many_entries_is_a_limit),
    };
    return cmocka_run_group_tests(tests, make_tree, drop_tree);
}
