/* The text of a rule: loaded, linted, its examples run, then evaluated over a few facts. */
#include "base/str.h"
#include "judge/rules.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A fact of each kind of value, whose texts are cut out of the rule's own. */
static void add_facts(struct facts *facts, const struct rule *rule, const char *text, size_t size)
{
    struct fact *host = facts_add(facts, "host", "", 0, -1, CONFIDENCE_HIGH);
    struct fact *f = facts_add(facts, rule->category, "", 0, -1, CONFIDENCE_LOW);
    fact_put(facts, host, "family", "windows");
    for (size_t i = 0; i < rule->field_count && i < 50; i++) {
        char value[200];
        size_t from = size ? i * 37 % size : 0, length = size - from;
        length = length < sizeof value ? length : sizeof value - 1;
        memcpy(value, text + from, length);
        value[length] = '\0';
        fact_put_state(facts, i % 2 ? host : f, rule->fields[i], (enum value_state)(i % 3), value);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct rules *rules = NULL;
    struct arena *arena = arena_new();
    struct sigma_problems problems = {.arena = arena};
    if (size < 20000 &&
        rules_load_text(&rules, "fuzz", (const char *)data, size, &problems, NULL)) {
        struct facts *facts = facts_new();
        rules_lint(rules, &problems);
        rules_test(rules, &problems);
        add_facts(facts, rules_at(rules, 0), (const char *)data, size);
        struct rule_results *results = rules_evaluate(rules, facts);
        struct findings *findings = findings_new();
        rules_judge(findings, results, facts, NULL, "fuzz");
        for (size_t i = 0; i < findings->list.count; i++)
            json_decref(finding_to_json(findings->list.items[i], "fuzz"));
        findings_free(findings);
        rule_results_free(results);
        facts_free(facts);
        rules_free(rules);
    }
    sigma_problems_free(&problems);
    arena_free(arena);
    return 0;
}
