/* What is built is what is read, and a damaged manifest never leads out of bounds. */
#include "base/mem.h"
#include "content/manifest.h"
#include "content/manifest_build.h"
#include "content/manifest_format.h"
#include "tests/support.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

static struct manifest_entry file_entry(const char *name, uint64_t size, const uint8_t *hash)
{
    return (struct manifest_entry){.name = name,
                                   .name_length = strlen(name),
                                   .mode = S_IFREG | 0644,
                                   .uid = 33,
                                   .gid = 34,
                                   .size = size,
                                   .mtime_ns = 981173106000000007,
                                   .sha256 = hash};
}

static struct manifest_entry dir_entry(const char *name, uint32_t number)
{
    return (struct manifest_entry){
        .name = name, .name_length = strlen(name), .mode = S_IFDIR | 0755, .first_child = number};
}

/* css/ (a.css), css/old/ (empty), index.html, logo -> img/logo.png with an attribute */
static int small_manifest(void)
{
    static const uint8_t hash[32] = {1, 2, 3, [31] = 32};
    static const uint8_t xattrs[] = "\x06\0\0\0\x02\0\0\0user.ahi";
    struct error e = ERROR_INIT;
    CLEANUP(build_cleanup) struct build *b = build_new();
    uint32_t css = build_new_dir(b), old = build_new_dir(b);
    struct manifest_entry root = dir_entry("", 0);
    build_root(b, &root);
    struct manifest_entry top[] = {dir_entry("css", css),
                                   file_entry("index.html", 5, hash),
                                   {.name = "logo",
                                    .name_length = 4,
                                    .mode = S_IFLNK | 0777,
                                    .size = 12,
                                    .target = "img/logo.png",
                                    .target_size = 12,
                                    .xattrs = xattrs,
                                    .xattrs_size = sizeof xattrs - 1}};
    struct manifest_entry below[] = {file_entry("a.css", 7, hash), dir_entry("old", old)};
    assert_true(build_add(b, css, below, 2, &e));
    assert_true(build_add(b, 0, top, 3, &e));
    int fd = memfd_create("manifest", MFD_CLOEXEC);
    assert_true(build_write(b, fd, "www", 3, 42, NULL, &e));
    return fd;
}

static void what_was_built_is_read(void **state)
{
    struct error e = ERROR_INIT;
    CLEANUP_CLOSE int fd = small_manifest();
    CLEANUP(manifest_cleanup) struct manifest *m = NULL;
    if (!manifest_open(&m, fd, &e))
        fail_msg("%s", e.message);
    assert_int_equal(manifest_count(m), 6);
    assert_int_equal(manifest_generation(m), 3);
    assert_int_equal(manifest_made_ns(m), 42);
    assert_string_equal(manifest_site(m), "www");

    struct manifest_entry entry;
    uint32_t index = manifest_find(m, "css/a.css", 9);
    assert_int_not_equal(index, MANIFEST_NONE);
    manifest_entry(m, index, &entry);
    assert_int_equal(entry.size, 7);
    assert_int_equal(entry.uid, 33);
    assert_int_equal(entry.gid, 34);
    assert_int_equal(entry.mtime_ns, 981173106000000007);
    assert_int_equal(entry.sha256[31], 32);
    CLEANUP_STR struct str path = {0};
    manifest_add_path(m, index, &path);
    assert_string_equal(path.data, "css/a.css");

    manifest_entry(m, manifest_find(m, "logo", 4), &entry);
    assert_memory_equal(entry.target, "img/logo.png", 12);
    assert_int_equal(entry.target_size, 12);
    assert_int_equal(entry.xattrs_size, 16);
    manifest_entry(m, manifest_find(m, "css/old", 7), &entry);
    assert_int_equal(entry.child_count, 0);
    assert_int_equal(manifest_find(m, "css/b.css", 9), MANIFEST_NONE);
    assert_int_equal(manifest_find(m, "index.html/x", 12), MANIFEST_NONE);
    assert_int_equal(manifest_find(m, "", 0), MANIFEST_ROOT);
}

static void a_copy_is_the_same(void **state)
{
    struct error e = ERROR_INIT;
    CLEANUP_CLOSE int fd = small_manifest();
    CLEANUP(manifest_cleanup) struct manifest *m = NULL, *again = NULL;
    assert_true(manifest_open(&m, fd, &e));
    CLEANUP(build_cleanup) struct build *b = build_new();
    struct manifest_entry root, top[3];
    manifest_entry(m, MANIFEST_ROOT, &root);
    for (uint32_t i = 0; i < 3; i++)
        assert_true(build_copy(b, &top[i], m, root.first_child + i, &e));
    build_root(b, &root);
    assert_true(build_add(b, 0, top, 3, &e));
    CLEANUP_CLOSE int copy = memfd_create("copy", MFD_CLOEXEC);
    assert_true(build_write(b, copy, "www", 3, 42, NULL, &e));
    assert_true(manifest_open(&again, copy, &e));
    const void *one, *other;
    size_t one_size, other_size;
    manifest_bytes(m, &one, &one_size);
    manifest_bytes(again, &other, &other_size);
    assert_int_equal(one_size, other_size);
    assert_memory_equal(one, other, one_size);
}

/* Reads everything that can be asked of it. */
static void read_all(const struct manifest *m)
{
    struct manifest_entry entry;
    CLEANUP_STR struct str path = {0};
    for (uint32_t i = 0; i < manifest_count(m); i++) {
        manifest_entry(m, i, &entry);
        str_clear(&path);
        manifest_add_path(m, i, &path);
        assert_int_equal(manifest_find(m, str_text(&path), path.length), i);
    }
}

static void damage_never_leads_out(void **state)
{
    CLEANUP_CLOSE int fd = small_manifest();
    off_t size = lseek(fd, 0, SEEK_END);
    CLEANUP_FREE uint8_t *good = mem_alloc((size_t)size);
    assert_int_equal(pread(fd, good, (size_t)size, 0), size);
    size_t refused = 0;
    for (size_t at = 0; at < (size_t)size; at++)
        for (unsigned bit = 0; bit < 8; bit++) {
            struct error e = ERROR_INIT;
            CLEANUP_FREE uint8_t *bad = mem_dup(good, (size_t)size);
            bad[at] ^= (uint8_t)(1u << bit);
            CLEANUP(manifest_cleanup) struct manifest *m = NULL;
            if (manifest_of_bytes(&m, bad, (size_t)size, &e))
                read_all(m);
            else
                refused++;
        }
    assert_true(refused > 500);
    for (size_t cut = 0; cut < (size_t)size; cut++) {
        struct error e = ERROR_INIT;
        struct manifest *m = NULL;
        assert_false(manifest_of_bytes(&m, good, cut, &e));
    }
}

static void an_entry_that_is_its_own_parent_is_refused(void **state)
{
    uint8_t bytes[MANIFEST_HEADER_SIZE + 2 * 72 + 1] = {0};
    struct manifest_header h = {.version = 1, .count = 2, .names_size = 1, .site = "x"};
    memcpy(h.magic, MANIFEST_MAGIC, 8);
    h.names_offset = MANIFEST_HEADER_SIZE + 2 * 72;
    h.extras_offset = h.names_offset + 1;
    struct manifest_record r[2] = {
        {.mode = S_IFDIR},
        {.mode = S_IFDIR, .size = 1 | 1ULL << 32, .parent = 1, .name_length = 1}};
    memcpy(bytes, &h, sizeof h);
    memcpy(bytes + sizeof h, r, sizeof r);
    bytes[sizeof bytes - 1] = 'a';
    struct manifest *m = NULL;
    struct error e = ERROR_INIT;
    assert_false(manifest_of_bytes(&m, bytes, sizeof bytes, &e));
}

static void a_newer_version_is_named(void **state)
{
    CLEANUP_CLOSE int fd = small_manifest();
    uint32_t version = 2;
    assert_int_equal(pwrite(fd, &version, sizeof version, 8), sizeof version);
    struct manifest *m = NULL;
    struct error e = ERROR_INIT;
    assert_false(manifest_open(&m, fd, &e));
    assert_int_equal(e.code, ERR_UNSUPPORTED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_built_is_read),
        cmocka_unit_test(a_copy_is_the_same),
        cmocka_unit_test(damage_never_leads_out),
        cmocka_unit_test(an_entry_that_is_its_own_parent_is_refused),
        cmocka_unit_test(a_newer_version_is_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
