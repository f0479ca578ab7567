/* Every name is seen once, with what it is; nothing is followed, nothing hangs. */
#include "content/walk.h"
#include "tests/support.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/xattr.h>
#include <unistd.h>

struct seen {
    pthread_mutex_t lock;
    size_t dirs, entries, hashed, errors, xattrs, links, unlisted;
    uint64_t hash_sum; /* of the first bytes of all hashes: does not depend on the order */
};

static void want_all(void *context, struct walk_dir *dir)
{
    for (size_t i = 0; i < dir->count; i++) {
        dir->entries[i].hash = dir->entries[i].xattrs = dir->entries[i].descend = true;
        if (i)
            assert_true(strcmp(dir->entries[i - 1].name, dir->entries[i].name) < 0);
    }
}

static void count(void *context, struct walk_dir *dir)
{
    struct seen *s = context;
    pthread_mutex_lock(&s->lock);
    s->dirs++;
    s->unlisted += dir->error != NULL;
    for (size_t i = 0; i < dir->count; i++) {
        const struct walk_entry *entry = &dir->entries[i];
        s->entries++;
        s->hashed += entry->hashed;
        s->errors += entry->error != NULL;
        s->xattrs += entry->xattr_bytes != NULL;
        s->links += entry->target != NULL;
        if (entry->hashed)
            s->hash_sum += entry->sha256[0] + 256u * entry->sha256[1];
    }
    pthread_mutex_unlock(&s->lock);
}

static struct seen look(int fd, unsigned threads)
{
    struct seen s = {.lock = PTHREAD_MUTEX_INITIALIZER};
    struct error e = ERROR_INIT;
    struct walk_options o = {.threads = threads, .listed = want_all, .done = count, .context = &s};
    if (!walk(fd, &o, &e))
        fail_msg("%s", e.message);
    return s;
}

static void all_is_seen_once_by_any_number_of_threads(void **state)
{
    CLEANUP_FREE char *path = support_temp_dir();
    CLEANUP_CLOSE int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    char name[64];
    for (int i = 0; i < 700; i++) {
        snprintf(name, sizeof name, "%s/%d.html", i % 3 ? "a/b/c" : "wide", i);
        support_write(path, name, name, (size_t)(i % 50));
    }
    assert_int_equal(symlinkat("/etc/passwd", fd, "out"), 0);
    assert_int_equal(symlinkat("a", fd, "a-too"), 0);
    assert_int_equal(mkfifoat(fd, "fifo", 0600), 0);
    struct seen one = look(fd, 1);
    assert_int_equal(one.dirs, 5);
    assert_int_equal(one.entries, 700 + 4 + 3);
    assert_int_equal(one.hashed, 700);
    assert_int_equal(one.errors, 0);
    assert_int_equal(one.links, 2);
    for (unsigned threads = 2; threads < 9; threads++) {
        struct seen many = look(fd, threads);
        assert_int_equal(many.entries, one.entries);
        assert_int_equal(many.hashed, one.hashed);
        assert_int_equal(many.hash_sum, one.hash_sum);
    }
    support_remove_tree(path);
}

static void attributes_and_odd_names(void **state)
{
    CLEANUP_FREE char *path = support_temp_dir();
    CLEANUP_CLOSE int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    support_write(path, "plain", "x", 1);
    support_write(path, "new\nline", "x", 1);
    support_write(path, "\xff\xfe", "x", 1);
    char full[128];
    snprintf(full, sizeof full, "%s/plain", path);
    if (setxattr(full, "user.note", "hi", 2, 0) != 0)
        skip();
    struct seen s = look(fd, 2);
    assert_int_equal(s.entries, 3);
    assert_int_equal(s.xattrs, 1);
    support_remove_tree(path);
}

static void a_link_as_the_root_of_a_folder_is_not_followed(void **state)
{
    CLEANUP_FREE char *path = support_temp_dir();
    CLEANUP_CLOSE int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    support_write(path, "real/page", "x", 1);
    assert_int_equal(symlinkat("real", fd, "link"), 0);
    struct seen s = look(fd, 2);
    assert_int_equal(s.dirs, 2);
    assert_int_equal(s.entries, 3);
    support_remove_tree(path);
}

static void a_root_that_is_gone_is_an_error(void **state)
{
    struct seen s = {.lock = PTHREAD_MUTEX_INITIALIZER};
    struct error e = ERROR_INIT;
    struct walk_options o = {.listed = want_all, .done = count, .context = &s};
    int file = open("/dev/null", O_RDONLY | O_CLOEXEC);
    assert_false(walk(file, &o, &e));
    close(file);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_is_seen_once_by_any_number_of_threads),
        cmocka_unit_test(attributes_and_odd_names),
        cmocka_unit_test(a_link_as_the_root_of_a_folder_is_not_followed),
        cmocka_unit_test(a_root_that_is_gone_is_an_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
