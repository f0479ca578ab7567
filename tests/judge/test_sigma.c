/* The evaluator of Sigma detections, case by case. sigma_reference.py compares it with an
 * evaluator of its own over thousands more. */
#include "base/str.h"
#include "judge/sigma.h"
#include "tests/support.h"

#include <stdio.h>
#include <time.h>

static const struct fact_value *field(void *context, const char *name)
{
    return fact_value(context, name);
}

static const struct fact_value *value_at(void *context, size_t index)
{
    const struct fact *f = context;
    return index < f->value_count ? &f->values[index] : NULL;
}

struct compiled {
    struct arena *arena;
    struct sigma *sigma;
    struct sigma_problems problems;
};

/* Lines of the detection, without the key itself. */
static struct compiled compile(const char *text)
{
    struct compiled c = {.arena = arena_new()};
    struct yaml_node **documents;
    size_t count;
    struct error e = ERROR_INIT;
    c.problems.arena = c.arena;
    if (!yaml_parse(&documents, &count, c.arena, text, strlen(text), "rule.yml", &e))
        fail_msg("%s: %s", text, e.message);
    c.sigma = sigma_compile(c.arena, documents[0], "rule.yml", &c.problems);
    return c;
}

static void done(struct compiled *c)
{
    sigma_free(c->sigma);
    sigma_problems_free(&c->problems);
    arena_free(c->arena);
}

/* Keys and values in turn; a value "?" is unreadable, "-" absent. */
static enum truth says(const char *text, const char *const *record)
{
    CLEANUP(facts_cleanup) struct facts *facts = facts_new();
    struct fact *f = facts_add(facts, "case", "", 0, -1, CONFIDENCE_HIGH);
    for (size_t i = 0; record[i]; i += 2)
        fact_put_state(facts, f, record[i],
                       str_equal(record[i + 1], "?")   ? VALUE_UNREADABLE
                       : str_equal(record[i + 1], "-") ? VALUE_ABSENT
                                                       : VALUE_TEXT,
                       record[i + 1]);
    struct compiled c = compile(text);
    if (!c.sigma)
        fail_msg("%s: %s", text, c.problems.list.items[0].message);
    struct sigma_record r = {field, value_at, f};
    enum truth answer = sigma_match(c.sigma, &r);
    done(&c);
    return answer;
}

enum { F = TRUTH_FALSE, T = TRUTH_TRUE, U = TRUTH_UNKNOWN };
struct row {
    const char *detection;
    const char *record[9];
    int expected;
};

static void check(const struct row *rows, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        int got = (int)says(rows[i].detection, rows[i].record);
        if (got != rows[i].expected)
            fail_msg("row %zu:\n%s\nsays %d, not %d", i, rows[i].detection, got, rows[i].expected);
    }
}
#define CHECK(rows) check(rows, ARRAY_COUNT(rows))
#define S           "condition: s\ns: "

static void maps_and_lists_hang_together_as_specified(void **state)
{
    static const struct row rows[] = {
        {S "{a: x, b: y}", {"a", "x", "b", "y"}, T},
        {S "{a: x, b: y}", {"a", "x", "b", "z"}, F},
        {S "{a: [x, y]}", {"a", "y"}, T},
        {S "{a|contains|all: [x, y]}", {"a", "yx"}, T},
        {S "{a|contains|all: [x, y]}", {"a", "yy"}, F},
        {S "[{a: x}, {b: y}]", {"a", "q", "b", "y"}, T},
        {S "[{a: x}, {b: y}]", {"a", "q", "b", "q"}, F},
        {S "[evil, '.b*d']", {"any", "an EVIL thing"}, T},
        {S "[evil, '.b*d']", {"any", "x.bad"}, T},
        {S "[evil]", {"a", "good", "b", "?"}, U},
        {S "[evil]", {"a", "good"}, F},
        {S "{'|all': [evil, bad]}", {"a", "evil", "b", "bad"}, T},
        {S "{'|all': [evil, bad]}", {"a", "evil"}, F},
        {S "{'|re': 'ev.l$'}", {"a", "an evil"}, T},
    };
    CHECK(rows);
}

static void wildcards_and_their_escapes(void **state)
{
    static const struct row rows[] = {
        {S "{a: 'X*z'}", {"a", "xyyyZ"}, T},
        {S "{a: 'x?z'}", {"a", "xyz"}, T},
        {S "{a: 'x?z'}", {"a", "xz"}, F},
        {S "{a: 'x?z'}", {"a", "x\xe6\xab\x93z"}, T}, /* one character of three bytes */
        {S "{a: '*?\?'}", {"a", "\xe6\xab\x93"}, F},
        {S "{a: 'x*z'}", {"a", "x\nz"}, T},
        {S "{a: 'x\\*z'}", {"a", "x*z"}, T},
        {S "{a: 'x\\*z'}", {"a", "xyz"}, F},
        {S "{a: 'x\\?z'}", {"a", "x?z"}, T},
        {S "{a: 'x\\\\*z'}", {"a", "x\\yyz"}, T},
        {S "{a: 'x\\\\*z'}", {"a", "xyyz"}, F},
        {S "{a: 'x\\\\\\*z'}", {"a", "x\\*z"}, T},
        {S "{a: 'C:\\WINNT\\x'}", {"a", "c:\\winnt\\X"}, T},
        {S "{a: 'x\\\\\\y'}", {"a", "x\\\\y"}, T},
        {S "{a: 'x\\\\\\\\y'}", {"a", "x\\\\y"}, T},
        {S "{a: '\\'}", {"a", "\\"}, T},
        {S "{a|endswith: '\\cmd.exe'}", {"a", "c:\\CMD.EXE"}, T},
        {S "{a: '*ab*ac*ad'}", {"a", "ababacabacad"}, T},
        {S "{a: '*ab*ac*ad'}", {"a", "ababacabacae"}, F},
        {S "{a: '**'}", {"a", ""}, T},
    };
    CHECK(rows);
}

static void modifiers_do_as_specified(void **state)
{
    static const struct row rows[] = {
        {S "{a|startswith: Ab}", {"a", "abc"}, T},
        {S "{a|startswith: b}", {"a", "abc"}, F},
        {S "{a|contains: B}", {"a", "abc"}, T},
        {S "{a|contains|cased: B}", {"a", "abc"}, F},
        {S "{a|cased: aB}", {"a", "aB"}, T},
        {S "{a|re: 'a.c$'}", {"a", "xabc"}, T},
        {S "{a|re: 'A.c'}", {"a", "abc"}, F},
        {S "{a|re|i: 'A.c'}", {"a", "abc"}, T},
        {S "{a|re: '^b'}", {"a", "a\nb"}, F},
        {S "{a|re|m: '^b'}", {"a", "a\nb"}, T},
        {S "{a|re: 'a.b'}", {"a", "a\nb"}, F},
        {S "{a|re|s: 'a.b'}", {"a", "a\nb"}, T},
        {S "{a|cidr: 10.0.0.0/8}", {"a", "10.255.1.1"}, T},
        {S "{a|cidr: 10.0.0.0/9}", {"a", "10.128.0.0"}, F},
        {S "{a|cidr: '2001:db8::/33'}", {"a", "2001:db8:7fff::1"}, T},
        {S "{a|cidr: '2001:db8::/33'}", {"a", "2001:db8:8000::1"}, F},
        {S "{a|cidr: 10.0.0.0/8}", {"a", "ten"}, F},
        {S "{a|exists: true}", {"a", ""}, T},
        {S "{a|exists: true}", {"b", ""}, F},
        {S "{a|exists: false}", {"a", "-"}, T},
        {S "{a|fieldref: b}", {"a", "Xy", "b", "xY"}, T},
        {S "{a|fieldref|endswith: b}", {"a", "wxy", "b", "XY"}, T},
        {S "{a|fieldref|cased: b}", {"a", "Xy", "b", "xY"}, F},
        {S "{a|fieldref: b}", {"a", "x"}, F},
        {S "{a|fieldref: b}", {"a", "x", "b", "?"}, U},
        {S "{a|neq: x}", {"a", "y"}, T},
        {S "{a|neq: [x, y]}", {"a", "y"}, F},
        {S "{a|windash|contains: ' -x /y'}", {"a", "p /x \xe2\x80\x94y"}, T},
        {S "{a|windash|contains: 'a-x'}", {"a", "a/x"}, F}, /* no option begins there */
        {S "{a|base64: foo}", {"a", "Zm9v"}, T},
        {S "{a|base64offset|contains: http}", {"a", "eGh0dHA="}, T},     /* xhttp */
        {S "{a|base64offset|contains: http}", {"a", "eHhodHRweA=="}, T}, /* xxhttpx */
        {S "{a|wide|base64offset|contains: foo}", {"a", "ZgBvAG8A"}, T},
        {S "{a|utf16|base64: a}", {"a", "//5hAA=="}, T},
    };
    CHECK(rows);
}

static void numbers_are_compared_exactly(void **state)
{
    static const struct row rows[] = {
        {S "{a: 5}", {"a", "5.0"}, T},
        {S "{a: '5'}", {"a", "5.0"}, F},
        {S "{a: 0644}", {"a", "0644"}, T},
        {S "{a: 0644}", {"a", "644"}, F},
        {S "{a|gt: 9}", {"a", "10"}, T},
        {S "{a|gt: 9007199254740992}", {"a", "9007199254740993"}, T},
        {S "{a|lt: -1}", {"a", "-2"}, T},
        {S "{a|lte: 1.50}", {"a", "1.5"}, T},
        {S "{a|gte: 1.50}", {"a", "1.49"}, F},
        {S "{a|lt: 1}", {"a", "-0.5"}, T},
        {S "{a|gt: 1}", {"a", "1.3.20"}, F},
        {S "{a|lt: 0}", {"a", "-0"}, F},
    };
    CHECK(rows);
}

static void what_is_absent_or_unreadable_is_told_apart(void **state)
{
    static const struct row rows[] = {
        {S "{a: x}", {"a", "-"}, F},
        {S "{a: x}", {"b", "x"}, F},
        {S "{a: null}", {"b", "x"}, T},
        {S "{a: null}", {"a", ""}, F},
        {S "{a: ''}", {"a", ""}, T},
        {S "{a: ''}", {"a", "-"}, F},
        {S "{a: 'null'}", {"a", "null"}, T},
        {S "{a: [null, '']}", {"a", ""}, T},
        {S "{a: x}", {"a", "?"}, U},
        {S "{a: null}", {"a", "?"}, U},
        {S "{a|exists: true}", {"a", "?"}, U},
        {S "{a|neq: x}", {"a", "?"}, U},
        {"condition: not s\ns: {a: x}", {"a", "?"}, U},
        {"condition: not s\ns: {a: x}", {"a", "-"}, T},
        {"condition: s or t\ns: {a: x}\nt: {b: y}", {"a", "?", "b", "y"}, T},
        {"condition: s and t\ns: {a: x}\nt: {b: y}", {"a", "?", "b", "z"}, F},
        {"condition: s and not t\ns: {a: x}\nt: {b: y}", {"a", "x", "b", "?"}, U},
    };
    CHECK(rows);
}

#define X "x_a: {a: '1'}\nx_b: {b: '1'}\ny: {c: '1'}\n_z: {d: '1'}\ncondition: "
static void conditions_bind_as_specified(void **state)
{
    static const struct row rows[] = {
        {X "y or x_a and x_b", {"c", "1"}, T},
        {X "(y or x_a) and x_b", {"c", "1"}, F},
        {X "not y and x_a", {"a", "1"}, T},
        {X "not (y and x_a)", {"a", "1"}, T},
        {X "not not y", {"c", "1"}, T},
        {X "1 of x_*", {"b", "1"}, T},
        {X "all of x_*", {"b", "1"}, F},
        {X "all of x_*", {"a", "1", "b", "1"}, T},
        {X "1 of them", {"d", "1"}, F}, /* _z is not one of them */
        {X "all of them", {"a", "1", "b", "1", "c", "1"}, T},
        {X "any of them and not 1 of x_*", {"c", "1"}, T},
        {X "_z", {"d", "1"}, T},
        {X "[x_a, y]", {"c", "1"}, T},
        {X "((((x_a))))", {"a", "1"}, T},
    };
    CHECK(rows);
}

static void what_is_wrong_is_named_with_its_place(void **state)
{
    static const struct {
        const char *text, *says;
        unsigned line;
    } rows[] = {
        {"s:\n  a|contain: x\ncondition: s", "did you mean \"contains\"", 2},
        {"s:\n  a|expand: '%x%'\ncondition: s", "\"expand\" is not supported", 2},
        {"s:\n  a|re: '('\ncondition: s", "does not compile, at its character 2", 2},
        {"s:\n  a: x\ncondition: t", "no selection is called \"t\": did you mean \"s\"", 3},
        {"sel:\n  a: x\ncondition: 1 of f*", "no selection is called \"f*\"", 3},
        {"s:\n  a: x\ncondition: s | count() > 5", "pipes", 3},
        {"s:\n  a: x\ncondition: s and", "a selection is missing", 3},
        {"s:\n  a: x\ncondition: (s", "a bracket is not closed", 3},
        {"s:\n  a: x\ncondition: s s", "is missing before \"s\"", 3},
        {"s:\n  a: x", "the condition is missing", 1},
        {"s:\n  a|cidr: 10.0.0.1/8\ncondition: s", "bits set", 2},
        {"s:\n  a|gt: x\ncondition: s", "is no number", 2},
        {"s:\n  a|re|contains: x\ncondition: s", "cannot be combined", 2},
        {"s:\n  a|wide: x\ncondition: s", "before \"base64\"", 2},
        {"s:\n  a|base64: 'x*'\ncondition: s", "with wildcards", 2},
        {"s:\n  a: {b: c}\ncondition: s", "needs a value", 2},
        {"s: []\ncondition: s", "selects nothing", 1},
        {"s:\n  a|i: x\ncondition: s", "behind \"re\" only", 2},
    };
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
        struct compiled c = compile(rows[i].text);
        if (c.sigma || !c.problems.list.count)
            fail_msg("%s\ncompiles", rows[i].text);
        const struct sigma_problem *p = &c.problems.list.items[0];
        if (!strstr(p->message, rows[i].says) || p->line != rows[i].line || p->warning)
            fail_msg("%s\nline %u: %s", rows[i].text, p->line, p->message);
        done(&c);
    }
}

static void what_does_nothing_is_a_warning(void **state)
{
    struct compiled c = compile("s: {a: x}\nspare: {b: y}\ncondition: s");
    assert_non_null(c.sigma);
    assert_int_equal(c.problems.list.count, 1);
    assert_true(c.problems.list.items[0].warning);
    assert_non_null(strstr(c.problems.list.items[0].message, "\"spare\" is not used"));
    done(&c);
}

static void the_fields_of_a_rule_are_known(void **state)
{
    struct compiled c = compile("s: {a: x, B|fieldref: c, A|exists: true}\ncondition: s");
    const char *const *names;
    assert_int_equal(sigma_fields(c.sigma, &names), 3);
    assert_string_equal(names[0], "a");
    assert_string_equal(names[1], "B");
    assert_string_equal(names[2], "c");
    done(&c);
}

/* (a+)+$ over a long run of a: exponential for a searcher without limits. */
static void a_hostile_value_costs_only_an_unknown(void **state)
{
    char text[4000];
    memset(text, 'a', sizeof text - 2);
    text[sizeof text - 2] = '!';
    text[sizeof text - 1] = '\0';
    struct timespec a, b;
    clock_gettime(CLOCK_MONOTONIC, &a);
    assert_int_equal(says(S "{a|re: '(a+)+$'}", (const char *const[]){"a", text, NULL}), U);
    assert_int_equal(says(S "{a: '*a*a*a*a*a*b'}", (const char *const[]){"a", text, NULL}), F);
    clock_gettime(CLOCK_MONOTONIC, &b);
    assert_true(b.tv_sec - a.tv_sec < 5);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(maps_and_lists_hang_together_as_specified),
        cmocka_unit_test(wildcards_and_their_escapes),
        cmocka_unit_test(modifiers_do_as_specified),
        cmocka_unit_test(numbers_are_compared_exactly),
        cmocka_unit_test(what_is_absent_or_unreadable_is_told_apart),
        cmocka_unit_test(conditions_bind_as_specified),
        cmocka_unit_test(what_is_wrong_is_named_with_its_place),
        cmocka_unit_test(what_does_nothing_is_a_warning),
        cmocka_unit_test(the_fields_of_a_rule_are_known),
        cmocka_unit_test(a_hostile_value_costs_only_an_unknown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
