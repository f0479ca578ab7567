/* Keys are what minisign takes. */
#include "base/mem.h"
#include "base/str.h"
#include "record/keys.h"
#include "tests/support.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static void a_pair_is_made_once_and_signs(void **state)
{
    struct keypair a, b;
    struct error e = ERROR_INIT;
    struct stat st;
    char signature[89];
    CLEANUP_FREE char *dir = support_temp_dir();
    int fd = open(dir, O_RDONLY | O_DIRECTORY);
    assert_false(keys_open(&a, fd, "test", false, &e));
    assert_int_equal(e.code, ERR_ABSENT);
    assert_true(keys_open(&a, fd, "test", true, &e));
    assert_true(keys_open(&b, fd, "test", false, &e));
    assert_memory_equal(&a, &b, sizeof a);
    assert_int_equal(fstatat(fd, "keys/test.key", &st, 0), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    keys_sign(signature, &a, "hello", 5);
    assert_true(keys_verify(&b, signature, "hello", 5));
    assert_false(keys_verify(&b, signature, "hallo", 5));
    signature[3] ^= 1;
    assert_false(keys_verify(&b, signature, "hello", 5));
    assert_false(keys_verify(&b, "", "hello", 5));
    close(fd);
    support_remove_tree(dir);
}

/* minisign itself signs with our secret key and verifies with our public one. */
static void minisign_takes_the_files(void **state)
{
    if (access("/usr/bin/minisign", X_OK) != 0) {
        fprintf(stderr, "skipped: minisign is not installed\n");
        skip();
    }
    struct keypair k;
    CLEANUP_FREE char *dir = support_temp_dir();
    CLEANUP_STR struct str command = {0};
    int fd = open(dir, O_RDONLY | O_DIRECTORY);
    assert_true(keys_open(&k, fd, "m", true, NULL));
    close(fd);
    support_write(dir, "text", "hello\n", 6);
    str_printf(&command,
               "cd %s && minisign -S -s keys/m.key -m text </dev/null >/dev/null 2>&1 && "
               "minisign -V -p keys/m.pub -m text >/dev/null 2>&1",
               dir);
    assert_int_equal(system(str_text(&command)), 0);
    support_remove_tree(dir);
}

static void a_damaged_key_is_refused(void **state)
{
    struct keypair k;
    struct error e = ERROR_INIT;
    CLEANUP_FREE char *dir = support_temp_dir();
    support_write(dir, "keys/x.key", "untrusted comment: x\nRWQAAEIy\n", 30);
    int fd = open(dir, O_RDONLY | O_DIRECTORY);
    assert_false(keys_open(&k, fd, "x", true, &e));
    assert_int_equal(e.code, ERR_FORMAT);
    close(fd);
    support_remove_tree(dir);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_pair_is_made_once_and_signs),
        cmocka_unit_test(minisign_takes_the_files),
        cmocka_unit_test(a_damaged_key_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
