/* What is kept comes back, whole or not at all. */
#include "base/mem.h"
#include "content/objects.h"
#include "content/walk.h"
#include "tests/support.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

struct place {
    char *path;
    int fd;
    struct objects *objects;
};

static void setup(struct place *p)
{
    struct error e = ERROR_INIT;
    p->path = support_temp_dir();
    p->fd = open(p->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    assert_true(p->fd >= 0);
    assert_true(objects_open(&p->objects, p->fd, &e));
}

static void teardown(struct place *p)
{
    objects_free(p->objects);
    close(p->fd);
    support_remove_tree(p->path);
    free(p->path);
}

static int file_of(const void *bytes, size_t size, uint8_t hash[32])
{
    struct error e = ERROR_INIT;
    int fd = memfd_create("content", MFD_CLOEXEC);
    assert_int_equal(write(fd, bytes, size), size);
    lseek(fd, 0, SEEK_SET);
    assert_true(walk_hash_fd(hash, fd, NULL, &e));
    return fd;
}

/* kind 0: text that compresses well, 1: noise */
static uint8_t *content(size_t size, int kind)
{
    uint8_t *bytes = mem_alloc(size + 1);
    uint64_t x = 88172645463325252ULL;
    for (size_t i = 0; i < size; i++) {
        x ^= x << 13;
        x ^= x >> 7;
        x ^= x << 17;
        bytes[i] = kind ? (uint8_t)x : (uint8_t)("<p>hoshi</p>\n"[i % 13]);
    }
    return bytes;
}

static void sizes_and_kinds_come_back(void **state)
{
    static const size_t sizes[] = {0,       1,       13,      4096,    262144,
                                   1048575, 1048576, 1048577, 5000000, 3 * 262144};
    struct place p;
    setup(&p);
    for (size_t i = 0; i < ARRAY_COUNT(sizes) * 2; i++) {
        struct error e = ERROR_INIT;
        size_t size = sizes[i / 2];
        CLEANUP_FREE uint8_t *bytes = content(size, i % 2);
        uint8_t hash[32], again[32];
        CLEANUP_CLOSE int fd = file_of(bytes, size, hash);
        if (!objects_put(p.objects, fd, size, hash, &e))
            fail_msg("%zu bytes: %s", size, e.message);
        assert_true(objects_has(p.objects, hash));
        CLEANUP_CLOSE int out = memfd_create("back", MFD_CLOEXEC);
        if (!objects_get(p.objects, hash, out, size, &e))
            fail_msg("%zu bytes: %s", size, e.message);
        uint64_t got;
        lseek(out, 0, SEEK_SET);
        assert_true(walk_hash_fd(again, out, &got, &e));
        assert_int_equal(got, size);
        assert_memory_equal(hash, again, 32);
        CLEANUP_FREE char *block = NULL;
        size_t block_size;
        assert_true(objects_get_bytes(p.objects, hash, 6000000, &block, &block_size, &e));
        assert_int_equal(block_size, size);
        assert_memory_equal(block, bytes, size);
    }
    teardown(&p);
}

static void content_that_is_not_what_was_hashed_is_not_kept(void **state)
{
    struct place p;
    setup(&p);
    struct error e = ERROR_INIT;
    uint8_t hash[32];
    CLEANUP_CLOSE int fd = file_of("published", 9, hash);
    assert_int_equal(pwrite(fd, "X", 1, 3), 1);
    assert_false(objects_put(p.objects, fd, 9, hash, &e));
    assert_int_equal(e.code, ERR_CORRUPT);
    assert_false(objects_has(p.objects, hash));
    assert_false(objects_get_bytes(p.objects, hash, 100, &(char *){NULL}, &(size_t){0}, &e));
    assert_int_equal(e.code, ERR_ABSENT);
    teardown(&p);
}

/* Flips one byte of the one object there is. */
static void damage(const char *folder, const char *hex, const char *suffix, off_t at)
{
    char path[256];
    snprintf(path, sizeof path, "%s/objects/%.2s/%s%s", folder, hex, hex + 2, suffix);
    int fd = open(path, O_RDWR);
    assert_true(fd >= 0);
    char byte;
    assert_int_equal(pread(fd, &byte, 1, at), 1);
    byte = (char)(byte ^ 0x10);
    assert_int_equal(pwrite(fd, &byte, 1, at), 1);
    close(fd);
}

static void a_damaged_object_is_never_given(void **state)
{
    for (int kind = 0; kind < 2; kind++) {
        struct place p;
        setup(&p);
        struct error e = ERROR_INIT;
        CLEANUP_FREE uint8_t *bytes = content(50000, kind);
        uint8_t hash[32];
        CLEANUP_CLOSE int fd = file_of(bytes, 50000, hash);
        assert_true(objects_put(p.objects, fd, 50000, hash, &e));
        char hex[65];
        for (size_t i = 0; i < 32; i++)
            snprintf(hex + 2 * i, 3, "%02x", hash[i]);
        damage(p.path, hex, kind ? "" : ".zst", 20);
        CLEANUP_CLOSE int out = memfd_create("back", MFD_CLOEXEC);
        assert_false(objects_get(p.objects, hash, out, 50000, &e));
        assert_int_equal(e.code, ERR_CORRUPT);
        teardown(&p);
    }
}

static bool keep_none(void *context, const uint8_t sha256[32])
{
    return context && memcmp(context, sha256, 32) == 0;
}

static void sweeping_keeps_what_is_wanted(void **state)
{
    struct place p;
    setup(&p);
    struct error e = ERROR_INIT;
    uint8_t one[32], other[32];
    CLEANUP_CLOSE int a = file_of("one", 3, one);
    CLEANUP_CLOSE int b = file_of("other", 5, other);
    assert_true(objects_put(p.objects, a, 3, one, &e));
    assert_true(objects_put(p.objects, b, 5, other, &e));
    uint64_t removed, freed;
    assert_true(objects_sweep(p.objects, keep_none, one, &removed, &freed, &e));
    assert_int_equal(removed, 1);
    assert_true(objects_has(p.objects, one));
    assert_false(objects_has(p.objects, other));
    teardown(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sizes_and_kinds_come_back),
        cmocka_unit_test(content_that_is_not_what_was_hashed_is_not_kept),
        cmocka_unit_test(a_damaged_object_is_never_given),
        cmocka_unit_test(sweeping_keeps_what_is_wanted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
