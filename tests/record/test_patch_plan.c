/* Plans and receipts: what is written is read again, what is wrong is named with its place. */
#include "base/file.h"
#include "base/str.h"
#include "record/patch_receipt.h"
#include "tests/support.h"

#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

static const char identity[] = "e215a6b7f222af9f937f94b8db499f5a5c31f3c2e4ba9d1f063001734ca140b6";

static struct patch_plan *some_plan(void)
{
    struct patch_plan *p = patch_plan_new();
    p->made = "2026-11-26T05:20:57Z";
    p->who = "root";
    p->version = "1";
    p->host = "test";
    p->identity = identity;
    p->os = "Debian \"12\"";
    VEC_PUSH(&p->packages,
             ((struct package_change){"libssl3", "amd64", "3.0.11-1~deb12u2", "1:3.0.17+x",
                                      "an archive", "debian-security-update", true, false}));
    VEC_PUSH(&p->packages,
             ((struct package_change){"till", "all", "", "1.0", "", "", false, true}));
    VEC_PUSH(&p->steps, ((struct patch_plan_step){1, "update", "", "sudo apt-get upgrade", "x"}));
    VEC_PUSH(&p->held, ((struct patch_plan_held){"shop", "all", "1", "2", "hold"}));
    return p;
}

static void a_plan_is_read_as_it_was_written(void **state)
{
    CLEANUP_FREE char *dir = support_temp_dir();
    CLEANUP_ARENA struct arena *arena = arena_new();
    CLEANUP(patch_plan_cleanup) struct patch_plan *p = some_plan();
    CLEANUP(patch_plan_cleanup) struct patch_plan *q = NULL;
    CLEANUP_STR struct str text = {0};
    struct error e = ERROR_INIT;
    char hash[PATCH_HASH_SIZE];
    /* more than a reader takes of one text: whole words of it */
    CLEANUP_STR struct str much = {0};
    for (unsigned i = 0; i < 1000; i++)
        str_add(&much, "some-rule ");
    p->steps.items[0].closes = str_text(&much);
    patch_plan_write(&text, p);
    support_write(dir, "plan.json", text.data, text.length);
    assert_true(patch_plan_read(&q, arena_printf(arena, "%s/plan.json", dir), &e));
    patch_hash(hash, text.data, text.length);
    assert_string_equal(q->hash, hash);
    assert_string_equal(q->os, p->os);
    assert_int_equal(q->packages.count, 2);
    assert_string_equal(q->packages.items[0].to, "1:3.0.17+x");
    assert_true(q->packages.items[0].security);
    assert_string_equal(q->packages.items[1].from, "");
    assert_true(q->packages.items[1].dependency);
    assert_int_equal(q->steps.count, 1);
    size_t kept = strlen(q->steps.items[0].closes);
    assert_in_range(kept, 3900, 4000);
    assert_int_equal(kept % strlen("some-rule "), strlen("some-rule"));
    assert_string_equal(q->held.items[0].held, "hold");
    support_remove_tree(dir);
}

static void what_is_wrong_is_named_with_its_place(void **state)
{
    static const struct {
        const char *from, *to, *says;
    } rows[] = {
        {"patch plan 1", "patch plan 2", "format"},
        {"\"libssl3\"", "\"-o\"", "packages[0].name"},
        {"\"libssl3\"", "\"x\"", "packages[0].name"},
        {"\"amd64\"", "\"amd 64\"", "packages[0].arch"},
        {"\"1.0\"", "\"1.0 -y\"", "packages[1].to"},
        {"\"1.0\"", "7", "packages[1].to"},
        {"\"to\": \"1.0\"", "\"too\": \"1.0\"", "packages[1].to is missing"},
        {"\"till\"", "\"libssl3\"", "twice"},
        {"\"security\": true", "\"security\": \"yes\"", "packages[0].security"},
        {"e215a6", "zzzzzz", "host.identity"},
        {"2026-11-26T", "yesterday", "made"},
        {"\"order\": 1", "\"order\": -1", "steps[0].order"},
        {"\"packages\": [", "\"packages\": {\"x\": [", "plan.json"},
    };
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
        CLEANUP_FREE char *dir = support_temp_dir();
        CLEANUP_ARENA struct arena *arena = arena_new();
        CLEANUP(patch_plan_cleanup) struct patch_plan *p = some_plan();
        struct patch_plan *q = NULL;
        CLEANUP_STR struct str text = {0}, changed = {0};
        struct error e = ERROR_INIT;
        char said[1024];
        p->packages.items[1].arch = "amd64";
        patch_plan_write(&text, p);
        const char *at = strstr(text.data, rows[i].from);
        assert_non_null(at);
        str_add_bytes(&changed, text.data, (size_t)(at - text.data));
        str_printf(&changed, "%s%s", rows[i].to, at + strlen(rows[i].from));
        support_write(dir, "plan.json", changed.data, changed.length);
        assert_false(patch_plan_read(&q, arena_printf(arena, "%s/plan.json", dir), &e));
        assert_non_null(strstr(error_text(&e, said, sizeof said), rows[i].says));
        assert_non_null(strstr(said, "plan.json"));
        support_remove_tree(dir);
    }
}

static void too_much_is_refused(void **state)
{
    CLEANUP_FREE char *dir = support_temp_dir();
    CLEANUP_ARENA struct arena *arena = arena_new();
    struct patch_plan *q = NULL;
    CLEANUP(patch_plan_cleanup) struct patch_plan *p = some_plan();
    CLEANUP_STR struct str text = {0};
    struct error e = ERROR_INIT;
    for (size_t i = 0; i < 5000; i++)
        VEC_PUSH(&p->packages, ((struct package_change){arena_printf(p->arena, "p%zu", i), "all",
                                                        "1", "2", "", "", false, false}));
    patch_plan_write(&text, p);
    support_write(dir, "plan.json", text.data, text.length);
    assert_false(patch_plan_read(&q, arena_printf(arena, "%s/plan.json", dir), &e));
    assert_non_null(strstr(e.message, "packages is too long"));
    CLEANUP_FREE char *much = mem_alloc(PATCH_PLAN_MOST_BYTES + 1);
    support_write(dir, "plan.json", much, PATCH_PLAN_MOST_BYTES + 1);
    assert_false(patch_plan_read(&q, arena_printf(arena, "%s/plan.json", dir), &e));
    assert_int_equal(e.code, ERR_LIMIT);
    support_remove_tree(dir);
}

static void a_receipt_holds_only_as_it_was_signed(void **state)
{
    CLEANUP_FREE char *dir = support_temp_dir();
    CLEANUP_ARENA struct arena *arena = arena_new();
    CLEANUP(patch_plan_cleanup) struct patch_plan *p = some_plan();
    CLEANUP(patch_receipt_cleanup) struct patch_receipt *r = NULL;
    struct patch_receipt *other = NULL;
    CLEANUP_CLOSE int fd = open(dir, O_RDONLY | O_DIRECTORY);
    CLEANUP_FREE char *text = NULL;
    size_t size;
    struct keypair key, stranger;
    struct error e = ERROR_INIT;
    char word[KEYS_PUBLIC_TEXT];
    const char *path = arena_printf(arena, "%s/receipt", dir);
    assert_true(keys_open(&key, fd, "ledger", true, &e));
    assert_true(keys_open(&stranger, fd, "stranger", true, &e));
    memcpy(p->hash, identity, sizeof p->hash);
    CLEANUP_JSON json_t *o = patch_receipt_begin(p, "alice", "root");
    json_t *host = json_object(), *rows = json_array(), *row = json_object();
    json_put_string(o, "when", "2026-11-26T05:21:45Z");
    json_put_string(host, "name", "test");
    json_put_string(host, "identity", identity);
    json_object_set_new(o, "host", host);
    static const char *const audits[] = {"audit_before", "audit_after"};
    for (size_t i = 0; i < 2; i++) {
        json_t *audit = json_object();
        json_put_int(audit, "open", 4 - (int64_t)i);
        json_object_set_new(o, audits[i], audit);
    }
    json_put_string(row, "name", "shop");
    json_put_string(row, "arch", "all");
    json_put_string(row, "before", "1");
    json_put_string(row, "after", "2");
    json_array_append_new(rows, row);
    json_object_set_new(o, "packages", rows);
    assert_true(patch_receipt_write(o, &key, path, &e));
    assert_true(patch_receipt_read(&r, path, &e));
    keys_public_text(word, &key);
    assert_string_equal(r->key, word);
    assert_string_equal(r->who, "alice");
    assert_int_equal(r->open_before, 4);
    assert_int_equal(r->open_after, 3);
    assert_string_equal(r->packages.items[0].to, "2");

    /* one letter, and another key in it */
    assert_true(file_read(&text, &size, path, 1 << 20, &e));
    char *name = strstr(text, "alice");
    name[0] = 'A';
    support_write(dir, "receipt", text, size);
    assert_false(patch_receipt_read(&other, path, &e));
    assert_int_equal(e.code, ERR_CORRUPT);
    name[0] = 'a';
    keys_public_text(word, &stranger);
    memcpy(strstr(text, r->key), word, strlen(word));
    support_write(dir, "receipt", text, size);
    assert_false(patch_receipt_read(&other, path, &e));
    assert_int_equal(e.code, ERR_CORRUPT);
    support_remove_tree(dir);
}

static void a_public_key_as_a_word(void **state)
{
    struct keypair k;
    struct error e = ERROR_INIT;
    char word[KEYS_PUBLIC_TEXT];
    static const char good[] = "RWTZgySutk4XkI+0f1LmZ/Wo3Jh/euDxepHeRYwX1NEE2WqmJQGxooaM";
    assert_true(keys_of_public_text(&k, good, &e));
    keys_public_text(word, &k);
    assert_string_equal(word, good);
    assert_false(k.has_secret);
    assert_false(keys_of_public_text(&k, "RWTZ", &e));
    assert_false(keys_of_public_text(&k, "", &e));
    assert_false(
        keys_of_public_text(&k, "XXTZgySutk4XkI+0f1LmZ/Wo3Jh/euDxepHeRYwX1NEE2WqmJQGxooaM", &e));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_plan_is_read_as_it_was_written),
        cmocka_unit_test(what_is_wrong_is_named_with_its_place),
        cmocka_unit_test(too_much_is_refused),
        cmocka_unit_test(a_receipt_holds_only_as_it_was_signed),
        cmocka_unit_test(a_public_key_as_a_word),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
