/* JSON and YAML: what is taken, what is refused, and where the message points. */
#include "base/json.h"
#include "base/yaml.h"
#include "tests/support.h"

#include <stdio.h>
#include <stdlib.h>

struct row {
    const char *name, *text;
    enum error_code code;  /* ERR_NONE: taken */
    unsigned line, column; /* 0: not looked at */
    const char *says;
};

static void check(const struct row *row, bool good, const struct error *e)
{
    if (good != (row->code == ERR_NONE) || (!good && e->code != row->code) ||
        (row->line && (e->line != row->line || (row->column && e->column != row->column))) ||
        (row->says && !strstr(e->message, row->says)))
        fail_msg("%s: %d at %lu:%lu: %s", row->name, (int)e->code, (unsigned long)e->line,
                 (unsigned long)e->column, e->message);
}

static void json_is_taken_strictly(void **state)
{
    static const struct row rows[] = {
        {"an object", "{\"a\":[1,2]}", ERR_NONE, 0, 0, NULL},
        {"a byte order mark", "\xef\xbb\xbf[]", ERR_NONE, 0, 0, NULL},
        {"nothing", "", ERR_FORMAT, 0, 0, NULL},
        {"a key twice", "{\"a\":1,\n\"a\":2}", ERR_FORMAT, 2, 0, "duplicate"},
        {"a lone surrogate", "[\"\\ud800\"]", ERR_FORMAT, 1, 0, NULL},
        {"bad UTF-8", "[\"\xff\"]", ERR_FORMAT, 1, 0, NULL},
        {"something behind", "[] x", ERR_FORMAT, 1, 0, NULL},
        {"a NUL", "[\"\\u0000\"]", ERR_FORMAT, 1, 0, NULL},
        {"ten bytes", "[\"0123456789\"]", ERR_NONE, 0, 0, NULL},
        {"eleven bytes", "[1,\n \"01234567890\"]", ERR_LIMIT, 2, 2, "11 bytes"},
        {"four times three bytes", "[\"\\u3042\\u3042\\u3042\\u3042\"]", ERR_LIMIT, 1, 2,
         "12 bytes"},
        {"two pairs of surrogates", "[\"\\ud83d\\ude00\\ud83d\\ude00\"]", ERR_NONE, 0, 0, NULL},
        {"quotes within", "[\"\\\"\\\"\\\"\",\"\\\\\"]", ERR_NONE, 0, 0, NULL},
    };
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
        struct error e = ERROR_INIT;
        CLEANUP_JSON json_t *value =
            json_parse(rows[i].text, strlen(rows[i].text), "x.json", 1000, 10, &e);
        check(&rows[i], value != NULL, &e);
        assert_true(value || str_equal(e.path, "x.json"));
    }
    struct error e = ERROR_INIT;
    assert_null(json_parse("[1,2,3]", 7, "x", 6, 10, &e));
    assert_int_equal(e.code, ERR_LIMIT);
}

static void json_is_written_in_order_and_in_utf8(void **state)
{
    CLEANUP_JSON json_t *o = json_object();
    CLEANUP_STR struct str line = {0};
    json_put_string(o, "z", "plain");
    json_put_string(o, "a", "bad\xff");
    json_put_string(o, "n", NULL);
    json_put_int(o, "i", -5);
    json_put_bool(o, "b", true);
    json_add_line(&line, o);
    assert_string_equal(str_text(&line),
                        "{\"z\":\"plain\",\"a\":\"bad\\\\xff\",\"n\":null,\"i\":-5,\"b\":true}");
    assert_string_equal(json_get_string(o, "z"), "plain");
    assert_null(json_get_string(o, "i"));
    assert_null(json_get_array(o, "z"));
    assert_null(json_get_object(NULL, "z"));
}

static void yaml_is_taken_strictly_and_errors_point(void **state)
{
    static const struct row rows[] = {
        {"a map", "a: 1\nb: [x, 'y']\n", ERR_NONE, 0, 0, NULL},
        {"nothing", "", ERR_NONE, 0, 0, NULL},
        {"a byte order mark",
         "\xef\xbb\xbf"
         "a: 1",
         ERR_NONE, 0, 0, NULL},
        {"a key twice", "a: 1\nbc: 2\na: 3\n", ERR_FORMAT, 3, 1, "first at line 1\n  a: 3\n  ^"},
        {"an alias", "a: &x 1\nb: *x\n", ERR_FORMAT, 2, 4, "  b: *x\n     ^"},
        {"a sequence as key", "? [a]\n: b\n", ERR_FORMAT, 1, 3, NULL},
        {"a tab", "a:\n\tb: 1\n", ERR_FORMAT, 2, 1, "^"},
        {"an open bracket", "a: [1, 2\nb: 3\n", ERR_FORMAT, 2, 0, "begins at line 1"},
        {"a control character", "a: \x01\n", ERR_FORMAT, 1, 4, NULL},
        {"bad UTF-8", "a: b\nc: \xff\n", ERR_FORMAT, 2, 4, "\\xff"},
        {"a NUL", "a: \"\\0\"\n", ERR_FORMAT, 1, 4, "NUL"},
    };
    CLEANUP_ARENA struct arena *arena = arena_new();
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
        struct error e = ERROR_INIT;
        struct yaml_node **documents;
        size_t count;
        bool good =
            yaml_parse(&documents, &count, arena, rows[i].text, strlen(rows[i].text), "x.yaml", &e);
        check(&rows[i], good, &e);
    }
}

static void yaml_has_limits(void **state)
{
    CLEANUP_ARENA struct arena *arena = arena_new();
    CLEANUP_STR struct str deep = {0}, many = {0}, large = {0};
    struct yaml_node **documents;
    size_t count;
    for (int i = 0; i < 65; i++)
        str_add(&deep, "[");
    for (int i = 0; i < 100001; i++)
        str_add(&many, "- 1\n");
    while (large.length <= 1 << 20)
        str_add(&large, "# comment\n");
    const struct str *texts[] = {&deep, &many, &large};
    for (size_t i = 0; i < ARRAY_COUNT(texts); i++) {
        struct error e = ERROR_INIT;
        assert_false(
            yaml_parse(&documents, &count, arena, texts[i]->data, texts[i]->length, "x", &e));
        assert_int_equal(e.code, ERR_LIMIT);
    }
}

static void yaml_nodes_know_what_and_where_they_are(void **state)
{
    static const char text[] =
        "title: A\nlist:\n  - one\n  - 'null'\nnone: ~\nempty:\n---\nsecond\n";
    CLEANUP_ARENA struct arena *arena = arena_new();
    struct yaml_node **documents;
    size_t count;
    struct error e = ERROR_INIT;
    assert_true(yaml_parse(&documents, &count, arena, text, sizeof text - 1, "x", &e));
    assert_int_equal(count, 2);
    assert_string_equal(documents[1]->text, "second");
    const struct yaml_node *root = documents[0], *list = yaml_get(root, "list");
    assert_string_equal(yaml_get_text(root, "title"), "A");
    assert_null(yaml_get_text(root, "list"));
    assert_null(yaml_get(root, "nothing"));
    assert_int_equal(list->count, 2);
    assert_int_equal(list->items[1]->line, 4);
    assert_int_equal(list->items[1]->column, 5);
    assert_false(yaml_is_null(list->items[1]));
    assert_true(yaml_is_null(yaml_get(root, "none")));
    assert_true(yaml_is_null(yaml_get(root, "empty")));
    yaml_error(&e, list, "x.yaml", "too %s", "long");
    assert_int_equal(e.line, 3);
    assert_string_equal(e.message, "too long");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(json_is_taken_strictly),
        cmocka_unit_test(json_is_written_in_order_and_in_utf8),
        cmocka_unit_test(yaml_is_taken_strictly_and_errors_point),
        cmocka_unit_test(yaml_has_limits),
        cmocka_unit_test(yaml_nodes_know_what_and_where_they_are),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
