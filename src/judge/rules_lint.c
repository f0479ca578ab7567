/* Looking after rules: what is not good in them, and their own examples. */
#include "base/file.h"
#include "base/str.h"
#include "judge/patches.h"
#include "judge/rules.h"
#include "judge/rules_kinds.h"
#include "judge/rules_record.h"
#include "model/date.h"

/* Where the file has this word as a key (a field stands in front of its modifiers) or a value,
 * else where it begins. Of a rule only what it does is kept: the file is read once more. */
static const struct yaml_node *find_word(const struct yaml_node *node, const char *word)
{
    size_t length = strlen(word);
    if (node->kind == YAML_SCALAR)
        return str_equal(node->text, word) ? node : NULL;
    for (size_t i = 0; i < node->count; i++) {
        const struct yaml_node *key = node->kind == YAML_MAP ? node->keys[i] : NULL;
        if (key && str_starts(key->text, word) && (!key->text[length] || key->text[length] == '|'))
            return key;
        const struct yaml_node *found = find_word(node->items[i], word);
        if (found)
            return found;
    }
    return NULL;
}

static void warn(struct sigma_problems *problems, const struct rule *rule, const char *what,
                 const char *name)
{
    CLEANUP_ARENA struct arena *arena = arena_new();
    CLEANUP_FREE char *text = NULL;
    size_t size = 0, count = 0;
    struct yaml_node **documents, first = {.line = 1, .column = 1};
    const struct yaml_node *at = NULL;
    if (file_read(&text, &size, rule->path, 1 << 20, NULL) &&
        yaml_parse(&documents, &count, arena, text, size, rule->path, NULL))
        for (size_t i = 0; !at && *name && i < count; i++)
            at = find_word(documents[i], name);
    sigma_problem(problems, true, rule->path, at ? at : &first, "%s%s%s%s", what,
                  *name ? " \"" : "", name, *name ? "\"" : "");
}

/* Eight-four-four-four-twelve hexadecimal digits (RFC 4122, 3). */
static bool is_uuid(const char *text)
{
    size_t i = 0;
    for (; text[i]; i++)
        if (i == 8 || i == 13 || i == 18 || i == 23 ? text[i] != '-'
                                                    : !strchr("0123456789abcdefABCDEF", text[i]))
            return false;
    return i == 36;
}

static void lint_fields(const struct rule *rule, const struct rules_kind *kind,
                        struct sigma_problems *problems)
{
    bool host = str_equal(kind->name, "host");
    for (size_t i = 0; i < rule->field_count; i++) {
        const char *field = rule->fields[i];
        static const char *const of_host[] = {
            "family",    "name", "os",           "version",     "arch",     "service_pack",
            "build",     "ubr",  "product_type", "system_root", "identity", "identity_source",
            "tcp_let_in"};
        bool known = rules_is_want(field);
        if (known && !host) {
            warn(problems, rule, _("a wanted key is a field of category host only:"), field);
            continue;
        }
        for (size_t k = 0; host && k < ARRAY_COUNT(of_host); k++)
            known = known || str_equal(of_host[k], field);
        if (!known && (host || !rules_kinds_has(kind, field)))
            warn(problems, rule, _("facts of this category have no field"), field);
    }
}

/* The examples of a rule, from its file where they were passed over; in the arena. */
static const struct yaml_node *examples_of(const struct rule *rule, struct arena *arena)
{
    CLEANUP_FREE char *text = NULL;
    size_t size = 0, count = 0;
    struct yaml_node **documents;
    if (!rule->examples_passed_over)
        return rule->examples;
    if (!file_read(&text, &size, rule->path, 1 << 20, NULL) ||
        !yaml_parse(&documents, &count, arena, text, size, rule->path, NULL) || count != 1)
        return NULL;
    const struct yaml_node *ours = yaml_get(documents[0], "yagura");
    return ours ? yaml_get(ours, "examples") : NULL;
}

/* "fires" and "quiet" must both be shown. */
static bool shows(const struct yaml_node *list, const char *outcome)
{
    for (size_t i = 0; list && list->kind == YAML_SEQUENCE && i < list->count; i++) {
        const char *expect =
            list->items[i]->kind == YAML_MAP ? yaml_get_text(list->items[i], "expect") : NULL;
        if (expect && str_equal(expect, outcome))
            return true;
    }
    return false;
}

static void lint_ours(const struct rule *rule, struct sigma_problems *problems)
{
    static const char *const known[] = {"iis3",    "iis4",     "iis5",     "windows",     "linux",
                                        "solaris", "netscape", "apache13", "persistence", "scan"};
    if (!is_uuid(rule->id))
        warn(problems, rule, _("id is no UUID"), rule->id);
    if (!*rule->description)
        warn(problems, rule, _("description is missing: one sentence of what is wrong"), "");
    if (!*rule->why && !rule->helper)
        warn(problems, rule, _("why is missing"), "");
    if (!*rule->fix && !rule->helper)
        warn(problems, rule, _("fix is missing"), "");
    if (!rule->step_count && !rule->helper)
        warn(problems, rule, _("steps are missing: the lines to follow or to paste"), "");
    if (!rule->set_count && !rule->helper)
        warn(problems, rule, _("set is missing: the checklist it is a row of"), "");
    for (size_t i = 0; i < rule->set_count; i++) {
        size_t k = 0;
        while (k < ARRAY_COUNT(known) && !str_equal(known[k], rule->sets[i]))
            k++;
        if (k == ARRAY_COUNT(known))
            warn(problems, rule, _("unknown set"), rule->sets[i]);
    }
    for (size_t i = 0; i < rule->patch_count; i++)
        if (!patches_is_key(rule->patches[i]))
            warn(problems, rule,
                 _("patches: an id such as Q293826 or 108662-01, or "
                   "service-pack:NAME:VERSION:LEVEL; "
                   "not"),
                 rule->patches[i]);
    for (size_t i = 0; i < rule->later_count; i++)
        if (rule->since != DATE_NONE && rule->later[i].date < rule->since)
            warn(problems, rule, _("later: a date before since"), "");
    CLEANUP_ARENA struct arena *arena = arena_new();
    const struct yaml_node *examples = examples_of(rule, arena);
    if (!shows(examples, "fires"))
        warn(problems, rule, _("no example that fires"), "");
    if (!shows(examples, "quiet"))
        warn(problems, rule, _("no example that is quiet"), "");
}

void rules_lint(const struct rules *rules, struct sigma_problems *problems)
{
    for (size_t i = 0; i < rules_count(rules); i++) {
        const struct rule *rule = rules_at(rules, i);
        const struct rules_kind *kind = rules_kinds_find(rule->category);
        if (!kind)
            warn(problems, rule, _("there are no facts of category"), rule->category);
        else
            lint_fields(rule, kind, problems);
        if (rule->ours)
            lint_ours(rule, problems);
    }
}

/* --- examples --- */

static const char *const expectations[] = {
    [TRUTH_FALSE] = "quiet", [TRUTH_TRUE] = "fires", [TRUTH_UNKNOWN] = "unknown"};

static bool put_value(struct facts *set, struct fact *f, const char *key,
                      const struct yaml_node *value)
{
    const char *reason;
    if (value->kind == YAML_SCALAR && yaml_is_null(value))
        fact_put_state(set, f, key, VALUE_ABSENT, "");
    else if (value->kind == YAML_SCALAR)
        fact_put(set, f, key, value->text);
    else if (value->kind == YAML_MAP && yaml_get(value, "absent"))
        fact_put_state(set, f, key, VALUE_ABSENT, "");
    else if (value->kind == YAML_MAP && (reason = yaml_get_text(value, "unreadable")))
        fact_put_state(set, f, key, VALUE_UNREADABLE, reason);
    else
        return false;
    return true;
}

static void run_example(const struct rule *rule, const struct yaml_node *example,
                        struct sigma_problems *problems)
{
    CLEANUP(facts_cleanup) struct facts *facts = facts_new();
    struct fact *f =
        facts_add(facts, rule->category, rule->path, example->line, -1, CONFIDENCE_HIGH);
    const struct yaml_node *record = example->kind == YAML_MAP ? yaml_get(example, "record") : NULL;
    const char *expect = record ? yaml_get_text(example, "expect") : NULL;
    bool known = false;
    for (size_t i = 0; expect && i < ARRAY_COUNT(expectations); i++)
        known = known || str_equal(expectations[i], expect);
    if (!known || record->kind != YAML_MAP) {
        sigma_problem(problems, false, rule->path, example,
                      _("an example has a record and expects fires, quiet or unknown"));
        return;
    }
    for (size_t i = 0; i < record->count; i++)
        if (!put_value(facts, f, record->keys[i]->text, record->items[i]))
            sigma_problem(problems, false, rule->path, record->items[i],
                          _("a value is text, {absent: true} or {unreadable: reason}"));
    struct rules_record r;
    rules_record_open(&r, f, false); /* what an example does not mention is absent */
    enum truth got = rules_record_match(&r, rule);
    rules_record_close(&r);
    if (!str_equal(expectations[got], expect))
        sigma_problem(problems, false, rule->path, example,
                      _("the example expects \"%s\" and the rule says \"%s\""), expect,
                      expectations[got]);
}

size_t rules_test(const struct rules *rules, struct sigma_problems *problems)
{
    size_t run = 0;
    for (size_t i = 0; i < rules_count(rules); i++) {
        const struct rule *rule = rules_at(rules, i);
        CLEANUP_ARENA struct arena *arena = arena_new();
        const struct yaml_node *examples = examples_of(rule, arena);
        if (rule->examples_passed_over && !examples)
            warn(problems, rule, _("the examples cannot be read"), "");
        if (examples && examples->kind != YAML_SEQUENCE) {
            sigma_problem(problems, false, rule->path, examples, _("examples: a list"));
            continue;
        }
        for (size_t k = 0; examples && k < examples->count; k++, run++)
            run_example(rule, examples->items[k], problems);
    }
    return run;
}
