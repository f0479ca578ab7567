/* Checklist rules that ask for a patch: the day, the files, the advisory that asks, too. */
#include "base/mem.h"
#include "base/str.h"
#include "judge/patch_rules.h"
#include "model/date.h"
#include "tests/judge/fixture.h"
#include "tests/support.h"

static const char text[] = "title: No roll-up is recorded\n"
                           "logsource: {category: host, product: windows}\n"
                           "detection:\n  selection: {family: windows}\n  condition: selection\n"
                           "level: high\n"
                           "yagura:\n  set: iis5\n  fix: Apply it.\n  patches: [Q2, Q3]\n";

static void a_row_asks_for_what_can_be_had_and_is_not_there(void **state)
{
    static const struct {
        const char *what, *day, *facts;
        enum rule_outcome outcome;
        bool too_early, repeated;
    } rows[] = {
        {"none of its patches was there yet", "2000-06-01", WINDOWS_HOST(FILE_IS("\"5.0.1.1\"")),
         OUTCOME_FIRES, true, false},
        {"the advisory asks for it, too", "2001-06-06", WINDOWS_HOST(FILE_IS("\"5.0.1.1\"")),
         OUTCOME_FIRES, false, true},
        {"the file proves it, whatever the record says", "2001-06-06",
         WINDOWS_HOST(FILE_IS("\"5.0.2.1\"")), OUTCOME_QUIET, false, false},
    };
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
        CLEANUP_ARENA struct arena *a = arena_new();
        const char *docs[] = {fixture_bulletin(a, "MS00-001", "2000-01-01", "Q1", "", "", ""),
                              fixture_bulletin(a, "MS01-002", "2001-02-01", "Q2", "Q1",
                                               "vers:windows/>=5.0.2.1", "")};
        struct advisories *set = fixture_advisories(docs, 2);
        struct facts *facts = fixture_facts(rows[i].facts);
        struct sigma_problems problems = {.arena = a};
        CLEANUP(rules_cleanup) struct rules *rules = NULL;
        struct error e = ERROR_INIT;
        assert_true(rules_load_text(&rules, "roll-up", text, strlen(text), &problems, &e));
        assert_int_equal(problems.list.count, 0);
        CLEANUP(rule_results_cleanup) struct rule_results *results = rules_evaluate(rules, facts);
        CLEANUP(findings_cleanup) struct findings *findings = findings_new();
        struct judge_input in = {.facts = facts,
                                 .advisories = set,
                                 .identity = "t",
                                 .rule = rule_results_truth,
                                 .rule_context = results};
        assert_true(date_parse_day_end(rows[i].day, &in.as_of));
        patch_rules_dismiss(results, &in);
        judge_advisories(findings, &in);
        rules_judge(findings, results, facts, NULL, "t");
        patch_rules_mark_repeated(findings, &in);
        const struct finding *row = NULL;
        for (size_t k = 0; k < findings->list.count; k++)
            if (str_equal(findings->list.items[k]->rule_id, "roll-up"))
                row = findings->list.items[k];
        const struct rule_result *result = rule_results_at(results, 0);
        if (result->outcome != rows[i].outcome || result->too_early != rows[i].too_early)
            fail_msg("%s", rows[i].what);
        assert_int_equal(row != NULL, rows[i].outcome == OUTCOME_FIRES && !rows[i].too_early);
        assert_int_equal(row && row->repeated, rows[i].repeated);
        if (row)
            assert_int_equal(row->patches.count, 2);
        facts_free(facts);
        advisories_close(set);
    }
}

static void lint_names_what_is_no_patch(void **state)
{
    static const struct {
        const char *key;
        bool good;
    } rows[] = {{"Q293826", true},
                {"108662-01", true},
                {"service-pack:windows:5.0:2", true},
                {"service-pack:windows:5.0", false},
                {"windows:5.0:2", false},
                {"Apply MS01-026", false},
                {"roll-up", false}};
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++)
        if (patches_is_key(rows[i].key) != rows[i].good)
            fail_msg("%s", rows[i].key);
    CLEANUP_ARENA struct arena *a = arena_new();
    struct sigma_problems problems = {.arena = a};
    CLEANUP(rules_cleanup) struct rules *rules = NULL;
    struct error e = ERROR_INIT;
    const char *bad = arena_printf(a, "%s  why: w\n", text);
    char *broken = arena_strdup(a, bad);
    memcpy(strstr(broken, "Q3]"), "Q ]", 3);
    assert_true(rules_load_text(&rules, "roll-up", broken, strlen(broken), &problems, &e));
    rules_lint(rules, &problems);
    bool named = false;
    for (size_t i = 0; i < problems.list.count; i++)
        named |= strstr(problems.list.items[i].message, "patches:") != NULL;
    assert_true(named);
    sigma_problems_free(&problems);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_row_asks_for_what_can_be_had_and_is_not_there),
        cmocka_unit_test(lint_names_what_is_no_patch),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
