/* The reader of hives: against libhivex on every hive there is, and against damage. */
#include "base/file.h"
#include "base/mem.h"
#include "collect/hive.h"
#include "tests/collect/hive_builder.h"
#include "tests/support.h"

#include <fcntl.h>
#include <hivex.h>
#include <lzma.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

static const char small[] = "[Microsoft\\Windows NT\\CurrentVersion]\n"
                            "CurrentVersion=5.0\nCSDVersion=Service Pack 2\nUBR=#4294967295\n"
                            "Dir=%SystemRoot%\\x\nList=|one|two\nBlob=$00ff10\n=default\n"
                            "[Microsoft\\InetStp]\nMajorVersion=#5\n";

/* --- against libhivex --- */

static size_t compared;

static void same_values(hive_h *theirs, hive_node_h node, struct hive *ours, uint32_t key)
{
    CLEANUP_ARENA struct arena *arena = arena_new();
    struct hive_value *values;
    size_t count, damaged;
    CLEANUP_FREE hive_value_h *list = hivex_node_values(theirs, node);
    if (!list || !hive_values(ours, key, arena, &values, &count, &damaged, NULL))
        return;
    for (size_t i = 0; list[i] && !damaged; i++) {
        CLEANUP_FREE char *name = hivex_value_key(theirs, list[i]);
        hive_type type;
        size_t size;
        CLEANUP_FREE char *data = hivex_value_value(theirs, list[i], &type, &size);
        if (!name || !data)
            continue;
        assert_true(i < count);
        if (strlen(name) == hivex_value_key_len(theirs, list[i]))
            assert_string_equal(values[i].name, name);
        assert_int_equal(values[i].type, type);
        /* where a db is asked for more than there is, the two differ in what they hand out */
        assert_int_equal(values[i].size, size);
        assert_memory_equal(values[i].data, data, size);
        compared++;
        struct hive_value one;
        struct error e = ERROR_INIT;
        if (!hive_value(ours, key, values[i].name, arena, &one, &e))
            fail_msg("%s: %s", name, e.message);
    }
}

static void same_keys(hive_h *theirs, hive_node_h node, struct hive *ours, uint32_t key, int depth)
{
    CLEANUP_ARENA struct arena *arena = arena_new();
    struct hive_subkey *keys;
    size_t count, damaged;
    if (depth > 40)
        return;
    same_values(theirs, node, ours, key);
    CLEANUP_FREE hive_node_h *children = hivex_node_children(theirs, node);
    struct error e = ERROR_INIT;
    if (!children)
        return;
    if (!hive_subkeys(ours, key, arena, &keys, &count, &damaged, &e))
        fail_msg("%s", e.message);
    size_t i = 0;
    for (; children[i]; i++) {
        assert_true(i < count);
        CLEANUP_FREE char *name = hivex_node_name(theirs, children[i]);
        if (name && strlen(name) == hivex_node_name_len(theirs, children[i]))
            assert_string_equal(keys[i].name, name);
        same_keys(theirs, children[i], ours, keys[i].key, depth + 1);
    }
    assert_int_equal(i, count);
}

static bool unpack(char **out, size_t *size, const char *data, size_t length)
{
    lzma_stream s = LZMA_STREAM_INIT;
    size_t most = 64 << 20;
    char *buffer = malloc(most);
    if (lzma_stream_decoder(&s, 256 << 20, 0) != LZMA_OK)
        return false;
    s.next_in = (const uint8_t *)data;
    s.avail_in = length;
    s.next_out = (uint8_t *)buffer;
    s.avail_out = most;
    bool good = lzma_code(&s, LZMA_FINISH) == LZMA_STREAM_END;
    *size = most - s.avail_out;
    lzma_end(&s);
    *out = buffer;
    return good;
}

static bool load(const char *name, char **data, size_t *size)
{
    CLEANUP_FREE char *path = support_shared(name);
    struct error e = ERROR_INIT;
    if (!path)
        return false;
    if (!file_read(data, size, path, 64 << 20, &e))
        fail_msg("%s", e.message);
    if (str_ends(name, ".xz")) {
        char *packed = *data;
        assert_true(unpack(data, size, packed, *size));
        free(packed);
    }
    return true;
}

static hive_h *open_theirs(const void *data, size_t size)
{
    CLEANUP_CLOSE int fd = memfd_create("hive", 0);
    char path[64];
    assert_int_equal(write(fd, data, size), (ssize_t)size);
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    return hivex_open(path, 0);
}

static void it_agrees_with_libhivex_on_every_hive(void **state)
{
    static const struct {
        const char *name;
        size_t fewest;
    } rows[] = {
        {"registry-hives/SYSTEM.xz", 10000},
        {"registry-hives/SYSTEM_B.xz", 10000},
        {"registry-hives/SAM", 20},
        {"registry-hives/SAM.xz", 20},
        {"registry-hives/BCD.xz", 50},
        {"registry-hives/ntuser_software_partial.xz", 10000},
        {"registry-hives/100_sub_keys.hiv", 0},
        {"registry-hives/minimal-hive", 0},
        {"registry-hives/synthetic/w2k-sp2-iis5-SOFTWARE.hive", 10},
        {"registry-hives-hivex/minimal", 0},
        {"registry-hives-hivex/special", 2},
        {"registry-hives-pyreg/issue22.hive", 0},
        {"registry-hives-pyreg/REORGANIZED_VALUES_TESTS", 0},
        {"registry-hives-ez/SAM", 20},
    };
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
        char name[128];
        CLEANUP_FREE char *data = NULL;
        size_t size;
        snprintf(name, sizeof name, "data/audit/%s", rows[i].name);
        if (!load(name, &data, &size))
            skip();
        CLEANUP(hive_cleanup) struct hive *ours = NULL;
        struct error e = ERROR_INIT;
        if (!hive_open_bytes(&ours, data, size, &e))
            fail_msg("%s: %s", name, e.message);
        hive_h *theirs = open_theirs(data, size);
        if (!theirs) {
            print_message("libhivex does not open %s\n", name);
            continue;
        }
        compared = 0;
        same_keys(theirs, hivex_root(theirs), ours, hive_root(ours), 0);
        hivex_close(theirs);
        if (compared < rows[i].fewest)
            fail_msg("%s: only %zu values were compared", name, compared);
    }
}

static void the_builder_makes_what_libhivex_reads(void **state)
{
    CLEANUP_STR struct str hive = hive_builder_make(small);
    hive_h *theirs = open_theirs(hive.data, hive.length);
    assert_non_null(theirs);
    CLEANUP(hive_cleanup) struct hive *ours = NULL;
    assert_true(hive_open_bytes(&ours, hive.data, hive.length, NULL));
    compared = 0;
    same_keys(theirs, hivex_root(theirs), ours, hive_root(ours), 0);
    hivex_close(theirs);
    assert_int_equal(compared, 8);
}

/* --- values as text --- */

static void values_become_text_by_their_type(void **state)
{
    static const struct {
        const char *key, *name, *text;
    } rows[] = {
        {"Microsoft\\Windows NT\\CurrentVersion", "CurrentVersion", "5.0"},
        {"MICROSOFT\\windows nt\\currentversion", "csdversion", "Service Pack 2"},
        {"Microsoft\\Windows NT\\CurrentVersion", "UBR", "4294967295"},
        {"Microsoft\\Windows NT\\CurrentVersion", "Dir", "%SystemRoot%\\x"},
        {"Microsoft\\Windows NT\\CurrentVersion", "List", "one\ntwo"},
        {"Microsoft\\Windows NT\\CurrentVersion", "Blob", "00ff10"},
        {"Microsoft\\Windows NT\\CurrentVersion", "", "default"},
        {"\\Microsoft\\InetStp\\", "MajorVersion", "5"},
    };
    CLEANUP_STR struct str hive = hive_builder_make(small);
    CLEANUP(hive_cleanup) struct hive *h = NULL;
    CLEANUP_ARENA struct arena *arena = arena_new();
    assert_true(hive_open_bytes(&h, hive.data, hive.length, NULL));
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
        uint32_t key;
        struct hive_value value;
        const char *text;
        struct error e = ERROR_INIT;
        if (!hive_key(h, hive_root(h), rows[i].key, &key, &e) ||
            !hive_value(h, key, rows[i].name, arena, &value, &e) ||
            !hive_value_text(&value, arena, &text, &e))
            fail_msg("%s!%s: %s", rows[i].key, rows[i].name, e.message);
        assert_string_equal(text, rows[i].text);
    }
}

static void bytes_that_do_not_fit_their_type_are_an_error(void **state)
{
    static const struct {
        uint32_t type;
        size_t size;
        bool good;
    } rows[] = {
        {HIVE_DWORD, 4, true}, {HIVE_DWORD, 2, false},   {HIVE_DWORD, 0, false},
        {HIVE_QWORD, 8, true}, {HIVE_QWORD, 4, false},   {HIVE_SZ, 3, true},
        {HIVE_SZ, 0, true},    {HIVE_MULTI_SZ, 1, true}, {999, 5, true},
    };
    CLEANUP_ARENA struct arena *arena = arena_new();
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
        struct hive_value v = {"x", rows[i].type, (const uint8_t *)"\1\2\3\4\5\6\7\10",
                               rows[i].size};
        const char *text;
        if (hive_value_text(&v, arena, &text, NULL) != rows[i].good)
            fail_msg("row %zu", i);
    }
}

static void what_is_not_there_is_absent(void **state)
{
    static const struct {
        const char *key, *name;
    } rows[] = {
        {"Microsoft\\Nothing", NULL},
        {"Microsoft\\InetStp\\MajorVersion", NULL},
        {"Micro", NULL},
        {"Microsoft\\InetStp", "Major"},
        {"Microsoft\\InetStp", "MajorVersions"},
    };
    CLEANUP_STR struct str hive = hive_builder_make(small);
    CLEANUP(hive_cleanup) struct hive *h = NULL;
    CLEANUP_ARENA struct arena *arena = arena_new();
    assert_true(hive_open_bytes(&h, hive.data, hive.length, NULL));
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
        uint32_t key;
        struct hive_value value;
        struct error e = ERROR_INIT;
        if (hive_key(h, hive_root(h), rows[i].key, &key, &e)) {
            assert_non_null(rows[i].name);
            assert_false(hive_value(h, key, rows[i].name, arena, &value, &e));
        }
        assert_int_equal(e.code, ERR_ABSENT);
    }
}

/* --- damage --- */

static void put32(struct str *s, size_t at, uint32_t n)
{
    for (int i = 0; i < 4; i++)
        s->data[at + (size_t)i] = (char)(n >> 8 * i);
}

static size_t find(const struct str *s, const char *bytes, size_t from)
{
    for (size_t i = from; i + strlen(bytes) <= s->length; i++)
        if (memcmp(s->data + i, bytes, strlen(bytes)) == 0)
            return i;
    fail_msg("%s is not in the hive", bytes);
    return 0;
}

static void the_first_block_tells_clean_from_dirty(void **state)
{
    static const struct {
        uint32_t first, second;
        bool seal, dirty;
    } rows[] = {{7, 7, true, false}, {8, 7, true, true}, {7, 8, true, true}, {7, 7, false, true}};
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
        CLEANUP_STR struct str hive = hive_builder_make(small);
        CLEANUP(hive_cleanup) struct hive *h = NULL;
        put32(&hive, 4, rows[i].first);
        put32(&hive, 8, rows[i].second);
        hive_builder_seal(&hive);
        hive.data[100] ^= !rows[i].seal;
        assert_true(hive_open_bytes(&h, hive.data, hive.length, NULL));
        assert_int_equal(hive_info(h)->dirty, rows[i].dirty);
        assert_int_equal(hive_info(h)->minor, 3);
    }
}

static void what_is_no_hive_is_refused(void **state)
{
    CLEANUP_STR struct str hive = hive_builder_make(small);
    struct hive *h = NULL;
    struct error e = ERROR_INIT;
    assert_false(hive_open_bytes(&h, "regf", 4, &e));
    assert_int_equal(e.code, ERR_FORMAT);
    hive.data[0] = 'R';
    assert_false(hive_open_bytes(&h, hive.data, hive.length, &e));
    hive.data[0] = 'r';
    hive.data[20] = 2;
    assert_false(hive_open_bytes(&h, hive.data, hive.length, &e));
    hive.data[20] = 1;
    put32(&hive, 36, 0x7fffffff);
    assert_false(hive_open_bytes(&h, hive.data, hive.length, &e));
    assert_null(h);
}

static void a_circle_is_only_a_long_path(void **state)
{
    CLEANUP_STR struct str hive = hive_builder_make("[A\\B]\nx=1\n");
    CLEANUP(hive_cleanup) struct hive *h = NULL;
    CLEANUP_STR struct str path = {0};
    /* B's only child is A */
    size_t b = find(&hive, "B", 4096 + 32) - 76, a = find(&hive, "A", 4096 + 32) - 76;
    size_t list = find(&hive, "lf", find(&hive, "lf", 0) + 2);
    put32(&hive, b + 20, 1);
    put32(&hive, b + 28, (uint32_t)(list - 4 - 4096));
    put32(&hive, list + 4, (uint32_t)(a - 4 - 4096));
    assert_true(hive_open_bytes(&h, hive.data, hive.length, NULL));
    for (int i = 0; i < 200; i++)
        str_add(&path, i % 2 ? "B\\" : "A\\");
    uint32_t key;
    struct error e = ERROR_INIT;
    assert_false(hive_key(h, hive_root(h), str_text(&path), &key, &e));
    assert_int_equal(e.code, ERR_LIMIT);
}

static void huge_counts_are_refused(void **state)
{
    CLEANUP_STR struct str hive = hive_builder_make(small);
    CLEANUP(hive_cleanup) struct hive *h = NULL;
    CLEANUP_ARENA struct arena *arena = arena_new();
    size_t nk = find(&hive, "InetStp", 4096) - 76;
    put32(&hive, nk + 20, 0xfffffff0);
    put32(&hive, nk + 36, 0xfffffff0);
    assert_true(hive_open_bytes(&h, hive.data, hive.length, NULL));
    uint32_t key, below;
    struct hive_value value, *values;
    struct hive_subkey *keys;
    size_t count, damaged;
    struct error e = ERROR_INIT;
    assert_true(hive_key(h, hive_root(h), "Microsoft\\InetStp", &key, NULL));
    assert_false(hive_key(h, key, "x", &below, &e));
    assert_int_equal(e.code, ERR_LIMIT);
    assert_false(hive_value(h, key, "MajorVersion", arena, &value, NULL));
    assert_false(hive_values(h, key, arena, &values, &count, &damaged, NULL));
    assert_false(hive_subkeys(h, key, arena, &keys, &count, &damaged, NULL));
}

static void a_name_with_a_nul_is_not_the_one_without(void **state)
{
    CLEANUP_STR struct str hive = hive_builder_make("[Hotfix\\Q246009x]\nInstalledx=#1\n");
    CLEANUP(hive_cleanup) struct hive *h = NULL;
    CLEANUP_ARENA struct arena *arena = arena_new();
    hive.data[find(&hive, "Q246009x", 0) + 7] = '\0';
    hive.data[find(&hive, "Installedx", 0) + 9] = '\0';
    assert_true(hive_open_bytes(&h, hive.data, hive.length, NULL));
    uint32_t key;
    struct hive_subkey *keys;
    struct hive_value value;
    size_t count, damaged;
    assert_false(hive_key(h, hive_root(h), "Hotfix\\Q246009", &key, NULL));
    assert_true(hive_key(h, hive_root(h), "Hotfix", &key, NULL));
    assert_true(hive_subkeys(h, key, arena, &keys, &count, &damaged, NULL));
    assert_int_equal(count, 1);
    assert_string_equal(keys[0].name, "Q246009\xef\xbf\xbd");
    assert_false(hive_value(h, keys[0].key, "Installed", arena, &value, NULL));
}

/* Wherever it is cut, and whichever byte is turned, it answers or refuses. */
static void damage_anywhere_does_no_harm(void **state)
{
    CLEANUP_STR struct str hive = hive_builder_make(small);
    for (size_t i = 0; i < hive.length; i += i < 600 ? 1 : 7) {
        for (int cut = 0; cut < 2; cut++) {
            CLEANUP(hive_cleanup) struct hive *h = NULL;
            CLEANUP_ARENA struct arena *arena = arena_new();
            CLEANUP_FREE char *copy = mem_dup(hive.data, hive.length);
            copy[i] ^= cut ? 0 : 0xff;
            uint32_t key;
            struct hive_value *values;
            size_t count, damaged;
            if (hive_open_bytes(&h, copy, cut ? i : hive.length, NULL) &&
                hive_key(h, hive_root(h), "Microsoft\\Windows NT\\CurrentVersion", &key, NULL))
                hive_values(h, key, arena, &values, &count, &damaged, NULL);
        }
    }
}

/* --- a large hive is read in pieces --- */

struct source {
    const char *data;
    size_t size, fetched;
};

static bool fetch(void *self, uint64_t offset, void *buffer, size_t count, size_t *got,
                  struct error *e)
{
    struct source *s = self;
    memcpy(buffer, s->data + offset, count);
    s->fetched += count;
    *got = count;
    return true;
}

static void only_the_pieces_on_the_way_are_read(void **state)
{
    struct source s = {0};
    CLEANUP_FREE char *data = NULL;
    if (!load("data/audit/registry-hives/SYSTEM.xz", &data, &s.size))
        skip();
    s.data = data;
    CLEANUP(hive_cleanup) struct hive *h = NULL;
    struct timespec a, b;
    clock_gettime(CLOCK_MONOTONIC, &a);
    assert_true(hive_open(&h, s.size, fetch, &s, NULL));
    uint32_t key;
    assert_true(hive_key(h, hive_root(h), "ControlSet001\\Control\\ComputerName\\ComputerName",
                         &key, NULL));
    clock_gettime(CLOCK_MONOTONIC, &b);
    print_message("%zu of %zu bytes, %ld us\n", s.fetched, s.size,
                  (b.tv_sec - a.tv_sec) * 1000000 + (b.tv_nsec - a.tv_nsec) / 1000);
    assert_true(s.fetched < s.size / 4);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_agrees_with_libhivex_on_every_hive),
        cmocka_unit_test(the_builder_makes_what_libhivex_reads),
        cmocka_unit_test(values_become_text_by_their_type),
        cmocka_unit_test(bytes_that_do_not_fit_their_type_are_an_error),
        cmocka_unit_test(what_is_not_there_is_absent),
        cmocka_unit_test(the_first_block_tells_clean_from_dirty),
        cmocka_unit_test(what_is_no_hive_is_refused),
        cmocka_unit_test(a_circle_is_only_a_long_path),
        cmocka_unit_test(huge_counts_are_refused),
        cmocka_unit_test(a_name_with_a_nul_is_not_the_one_without),
        cmocka_unit_test(damage_anywhere_does_no_harm),
        cmocka_unit_test(only_the_pieces_on_the_way_are_read),
    };
    return cmocka_run_group_tests_name("collect/hive", tests, NULL, NULL);
}
