/* The rules that are shipped: they load, they lint, their own examples hold, every text of
 * theirs is in Japanese, and loading them is quick. */
#include "base/file.h"
#include "base/str.h"
#include "judge/rules.h"
#include "tests/support.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static const char *const folders[] = {"iis", "solaris", "netscape", "apache", "linux"};

static struct rules *load(struct sigma_problems *problems)
{
    const char *dirs[ARRAY_COUNT(folders)];
    struct rules *rules = NULL;
    struct error e = ERROR_INIT;
    for (size_t i = 0; i < ARRAY_COUNT(folders); i++)
        dirs[i] = arena_printf(problems->arena, "data/rules/%s", folders[i]);
    if (!rules_load(&rules, dirs, ARRAY_COUNT(folders), problems, &e))
        fail_msg("%s", e.message);
    return rules;
}

static void expect_none(const struct sigma_problems *problems)
{
    for (size_t i = 0; i < problems->list.count; i++) {
        const struct sigma_problem *p = &problems->list.items[i];
        fprintf(stderr, "%s:%u:%u: %s\n", p->path, p->line, p->column, p->message);
    }
    assert_int_equal(problems->list.count, 0);
}

static void they_load_without_a_warning(void **state)
{
    CLEANUP_ARENA struct arena *arena = arena_new();
    CLEANUP(sigma_problems_free) struct sigma_problems problems = {.arena = arena};
    CLEANUP(rules_cleanup) struct rules *rules = load(&problems);
    rules_lint(rules, &problems);
    expect_none(&problems);
    assert_true(rules_count(rules) > 140);
}

static void their_examples_hold(void **state)
{
    CLEANUP_ARENA struct arena *arena = arena_new();
    CLEANUP(sigma_problems_free) struct sigma_problems problems = {.arena = arena};
    CLEANUP(rules_cleanup) struct rules *rules = load(&problems);
    assert_true(rules_test(rules, &problems) >= rules_count(rules) * 2);
    expect_none(&problems);
}

static void their_ids_are_their_own(void **state)
{
    CLEANUP_ARENA struct arena *arena = arena_new();
    CLEANUP(sigma_problems_free) struct sigma_problems problems = {.arena = arena};
    CLEANUP(rules_cleanup) struct rules *rules = load(&problems);
    for (size_t i = 0; i < rules_count(rules); i++)
        for (size_t k = 0; k < i; k++)
            if (str_equal_nocase(rules_at(rules, i)->id, rules_at(rules, k)->id))
                fail_msg("%s and %s have one id", rules_at(rules, i)->name,
                         rules_at(rules, k)->name);
}

static double load_ms(void)
{
    CLEANUP_ARENA struct arena *arena = arena_new();
    CLEANUP(sigma_problems_free) struct sigma_problems problems = {.arena = arena};
    struct timespec a, b;
    clock_gettime(CLOCK_MONOTONIC, &a);
    struct rules *rules = load(&problems);
    clock_gettime(CLOCK_MONOTONIC, &b);
    rules_free(rules);
    return (double)(b.tv_sec - a.tv_sec) * 1e3 + (double)(b.tv_nsec - a.tv_nsec) / 1e6;
}

/* The figure is printed; the bound is wide, for shared machines and sanitizers. */
static void loading_them_is_quick(void **state)
{
    double best = 1e9;
    for (int i = 0; i < 5; i++) {
        double ms = load_ms();
        best = ms < best ? ms : best;
    }
    fprintf(stderr, "all rules loaded in %.2f ms\n", best);
    assert_true(best < 100);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(they_load_without_a_warning),
        cmocka_unit_test(their_examples_hold),
        cmocka_unit_test(their_ids_are_their_own),
        cmocka_unit_test(loading_them_is_quick),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
