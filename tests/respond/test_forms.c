/* Templates: what is filled, what stays blank, what is no place. */
#include "tests/support.h"

#include "respond/forms.h"

#include <string.h>

static const struct {
    const char *template, *wanted;
} cases[] = {
    {"Host: {host}\n", "Host: www\n"},
    {"Host: {host}", "Host: www\n"},
    {"Name: {name}\n", "Name:\n"},
    {"{name|□} yes {host|□} no\n", "□ yes www no\n"},
    {"{not a place} {} {host {HOST} {{host}}\n", "{not a place} {} {host {HOST} {www}\n"},
    {"#: a remark\ntext # stays\n", "text # stays\n"},
    {"  {steps}\nend\n", "  1. open\n  2. close\nend\n"},
    {"{host|\n}\n", "{host|\n}\n"},
    {"{evil}\n", "\\x1b[2J{host}\n"},
    {"", ""},
};

static void places_are_filled_and_nothing_else(void **state)
{
    CLEANUP_JSON json_t *facts = json_object();
    json_put_string(facts, "host", "www");
    json_put_string(facts, "steps", "1. open\n2. close");
    /* what was filled in is not read as a template again */
    json_object_set_new(facts, "evil", json_string("\x1b[2J{host}"));
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        CLEANUP_STR struct str out = {0};
        forms_fill(&out, cases[i].template, strlen(cases[i].template), facts);
        assert_string_equal(str_text(&out), cases[i].wanted);
    }
}

static bool count(void *context, const char *name, const char *template, size_t size,
                  struct error *e)
{
    CLEANUP_STR struct str out = {0};
    CLEANUP_JSON json_t *none = json_object();
    ++*(int *)context;
    forms_fill(&out, template, size, none);
    assert_null(strpbrk(str_text(&out), "{}")); /* every place of ours is one */
    return true;
}

static void the_shipped_forms_are_whole(void **state)
{
    int forms = 0;
    struct error e = ERROR_INIT;
    assert_true(forms_each("data/forms", count, &forms, &e));
    assert_int_equal(forms, 7);
    assert_false(forms_each("/nonexistent", count, &forms, &e));
    assert_int_equal(e.code, ERR_ABSENT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(places_are_filled_and_nothing_else),
        cmocka_unit_test(the_shipped_forms_are_whole),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
