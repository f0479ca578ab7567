/* sigma_says: what the evaluator says of many cases, one answer a line.
 *
 * Standard input: cases, each "rule BYTES\n" and that many bytes of a map with the key
 * `detection`, then "value STATE KEY-BYTES TEXT-BYTES\n" and those bytes for each value of the
 * record (STATE: text, absent, unreadable), then "end\n". Answers: false, true, unknown, or
 * "refused: why". Only for the comparison with sigma_reference.py. */
#include "base/str.h"
#include "judge/sigma.h"

#include <stdio.h>
#include <stdlib.h>

static char *take(size_t size)
{
    char *out = mem_alloc(size + 1);
    if (fread(out, 1, size, stdin) != size)
        exit(2);
    return out;
}

static const struct fact_value *field(void *context, const char *name)
{
    return fact_value(context, name);
}

static const struct fact_value *value_at(void *context, size_t index)
{
    const struct fact *f = context;
    return index < f->value_count ? &f->values[index] : NULL;
}

static void answer(const char *text, size_t size, struct fact *record)
{
    static const char *const names[] = {
        [TRUTH_FALSE] = "false", [TRUTH_TRUE] = "true", [TRUTH_UNKNOWN] = "unknown"};
    CLEANUP_ARENA struct arena *arena = arena_new();
    CLEANUP(sigma_problems_free) struct sigma_problems problems = {.arena = arena};
    struct yaml_node **documents;
    size_t count;
    struct error e = ERROR_INIT;
    if (!yaml_parse(&documents, &count, arena, text, size, "case", &e) || count != 1) {
        printf("refused: %s\n", e.message);
        return;
    }
    const struct yaml_node *detection = yaml_get(documents[0], "detection");
    struct sigma *s = detection ? sigma_compile(arena, detection, "case", &problems) : NULL;
    struct sigma_record r = {field, value_at, record};
    if (s)
        puts(names[sigma_match(s, &r)]);
    else
        printf("refused: %s\n", problems.list.count ? problems.list.items[0].message : "");
    sigma_free(s);
}

int main(void)
{
    char line[256], state[32];
    size_t size, key_size, text_size;
    while (fgets(line, sizeof line, stdin)) {
        if (sscanf(line, "rule %zu", &size) != 1)
            return 2;
        CLEANUP_FREE char *rule = take(size);
        CLEANUP(facts_cleanup) struct facts *facts = facts_new();
        struct fact *f = facts_add(facts, "case", "", 0, -1, CONFIDENCE_HIGH);
        while (fgets(line, sizeof line, stdin) &&
               sscanf(line, "value %31s %zu %zu", state, &key_size, &text_size) == 3) {
            CLEANUP_FREE char *key = take(key_size), *text = take(text_size);
            fact_put_state(facts, f, key,
                           str_equal(state, "text")     ? VALUE_TEXT
                           : str_equal(state, "absent") ? VALUE_ABSENT
                                                        : VALUE_UNREADABLE,
                           text);
        }
        answer(rule, size, f);
    }
    return 0;
}
