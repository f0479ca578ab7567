#include "judge/sigma.h"

#include "base/str.h"
#include "judge/sigma_internal.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

void sigma_problems_free(struct sigma_problems *problems)
{
    VEC_FREE(&problems->list);
}

static void add_problem(struct sigma_problems *problems, bool warning, const char *path,
                        const struct yaml_node *at, const char *format, va_list arguments)
{
    char text[512];
    vsnprintf(text, sizeof text, format, arguments);
    text[str_utf8_valid_prefix(text, strlen(text))] = '\0'; /* cut within a character */
    struct sigma_problem p = {path, at ? at->line : 1, at ? at->column : 1, warning,
                              arena_strdup(problems->arena, text)};
    VEC_PUSH(&problems->list, p);
}

void sigma_problem(struct sigma_problems *problems, bool warning, const char *path,
                   const struct yaml_node *at, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    add_problem(problems, warning, path, at, format, arguments);
    va_end(arguments);
}

void sigma_fail(struct sigma_build *b, const struct yaml_node *at, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    add_problem(b->problems, false, b->path, at, format, arguments);
    va_end(arguments);
    b->failed = true;
}

void sigma_add_field(struct sigma_build *b, const char *name)
{
    for (size_t i = 0; i < b->fields.count; i++)
        if (str_equal_nocase(b->fields.items[i], name))
            return;
    VEC_PUSH(&b->fields, name);
}

struct sigma_node *sigma_node(struct sigma_build *b, int kind, struct sigma_node **children,
                              size_t count)
{
    struct sigma_node *node = arena_alloc(b->arena, sizeof *node);
    node->kind = kind;
    node->count = count;
    node->children = count ? arena_dup(b->arena, children, count * sizeof *children) : NULL;
    return node;
}

/* --- compiling --- */

static void compile(struct sigma_build *b, const struct yaml_node *detection)
{
    const struct yaml_node *condition = yaml_get(detection, "condition");
    if (!condition) {
        sigma_fail(b, detection, _("detection: the condition is missing"));
        return;
    }
    if (detection->count > SIGMA_MOST_SELECTIONS) {
        sigma_fail(b, detection, _("detection: more than %d selections"), SIGMA_MOST_SELECTIONS);
        return;
    }
    struct sigma_selection *selections =
        arena_alloc(b->arena, detection->count * sizeof *selections);
    size_t count = 0;
    for (size_t i = 0; i < detection->count; i++) {
        const char *name = detection->keys[i]->text;
        if (str_equal(name, "condition") || str_equal(name, "timeframe"))
            continue;
        selections[count++] =
            (struct sigma_selection){.name = name,
                                     .at = detection->keys[i],
                                     .node = sigma_parse_selection(b, detection->items[i])};
    }
    b->sigma->condition = sigma_condition_parse(b, condition, selections, count);
    for (size_t i = 0; i < count && b->sigma->condition; i++)
        if (!selections[i].used)
            sigma_problem(b->problems, true, b->path, selections[i].at,
                          _("the selection \"%s\" is not used by the condition"),
                          selections[i].name);
}

struct sigma *sigma_compile(struct arena *arena, const struct yaml_node *detection,
                            const char *path, struct sigma_problems *problems)
{
    struct sigma *s = arena_alloc(arena, sizeof *s);
    struct sigma_build b = {.arena = arena, .path = path, .problems = problems, .sigma = s};
    if (detection->kind != YAML_MAP)
        sigma_fail(&b, detection, _("detection: a map of selections and a condition"));
    else
        compile(&b, detection);
    s->field_count = b.fields.count;
    s->fields = b.fields.count
                    ? arena_dup(arena, b.fields.items, b.fields.count * sizeof *b.fields.items)
                    : NULL;
    VEC_FREE(&b.fields);
    if (b.failed || !s->condition) {
        sigma_free(s);
        return NULL;
    }
    return s;
}

void sigma_free(struct sigma *s)
{
    if (!s)
        return;
    for (size_t i = 0; i < s->regexes.count; i++)
        pcre2_code_free(s->regexes.items[i]);
    VEC_FREE(&s->regexes);
    pcre2_match_data_free(s->match_data);
    pcre2_match_context_free(s->match_context);
    s->match_data = NULL;
    s->match_context = NULL;
}

size_t sigma_fields(const struct sigma *s, const char *const **out)
{
    *out = s->fields;
    return s->field_count;
}

/* --- evaluating --- */

static enum truth of_bool(bool b)
{
    return b ? TRUTH_TRUE : TRUTH_FALSE;
}

static enum truth refers(const struct sigma_value *v, const char *text,
                         const struct sigma_record *record)
{
    const struct fact_value *other = record->field(record->context, v->text);
    if (!other || other->state == VALUE_ABSENT)
        return TRUTH_FALSE;
    if (other->state == VALUE_UNREADABLE)
        return TRUTH_UNKNOWN;
    size_t length = strlen(text), wanted = strlen(other->text);
    if (v->cased)
        return of_bool(sigma_match_literal(v->how, text, length, other->text, wanted, true));
    switch (v->how) { /* neither side is in lower case yet */
    case SIGMA_CONTAINS:
        return of_bool(str_find_nocase(text, other->text));
    case SIGMA_PREFIX:
        return of_bool(str_starts_nocase(text, other->text));
    case SIGMA_SUFFIX:
        return of_bool(str_ends_nocase(text, other->text));
    default:
        return of_bool(str_equal_nocase(text, other->text));
    }
}

static enum truth group_of_field(const struct sigma *s, const struct sigma_alternatives *group,
                                 const struct fact_value *value, const struct sigma_record *record)
{
    enum truth answer = TRUTH_FALSE;
    for (size_t i = 0; i < group->count && answer != TRUTH_TRUE; i++) {
        const struct sigma_value *v = &group->values[i];
        enum truth one;
        if (v->kind == SIGMA_NULL)
            one = of_bool(!value);
        else if (v->kind == SIGMA_EXISTS)
            one = of_bool((value != NULL) == v->expected);
        else if (!value)
            one = TRUTH_FALSE;
        else if (v->kind == SIGMA_FIELDREF)
            one = refers(v, value->text, record);
        else
            one = sigma_match_value(s, v, value->text);
        answer = truth_or(answer, one);
    }
    return answer;
}

static enum truth group_of_record(const struct sigma *s, const struct sigma_alternatives *group,
                                  const struct sigma_record *record)
{
    enum truth answer = TRUTH_FALSE;
    const struct fact_value *value;
    if (!record->value_at)
        return TRUTH_UNKNOWN;
    for (size_t n = 0; (value = record->value_at(record->context, n)); n++) {
        if (value->state == VALUE_UNREADABLE)
            answer = truth_or(answer, TRUTH_UNKNOWN);
        for (size_t i = 0; value->state == VALUE_TEXT && i < group->count; i++)
            answer = truth_or(answer, sigma_match_value(s, &group->values[i], value->text));
        if (answer == TRUTH_TRUE)
            break;
    }
    return answer;
}

static enum truth item_match(const struct sigma *s, const struct sigma_item *item,
                             const struct sigma_record *record)
{
    const struct fact_value *value = NULL;
    if (item->field) {
        value = record->field(record->context, item->field);
        if (value && value->state == VALUE_UNREADABLE)
            return TRUTH_UNKNOWN;
        if (value && value->state == VALUE_ABSENT)
            value = NULL;
    }
    enum truth answer = of_bool(item->all), done = of_bool(!item->all);
    for (size_t i = 0; i < item->count && answer != done; i++) {
        enum truth one = item->field ? group_of_field(s, &item->groups[i], value, record)
                                     : group_of_record(s, &item->groups[i], record);
        answer = item->all ? truth_and(answer, one) : truth_or(answer, one);
    }
    return item->negated ? truth_not(answer) : answer;
}

static enum truth node_match(const struct sigma *s, const struct sigma_node *node,
                             const struct sigma_record *record)
{
    enum truth answer;
    switch (node->kind) {
    case NODE_ITEM:
        return item_match(s, node->item, record);
    case NODE_NOT:
        return truth_not(node_match(s, node->children[0], record));
    case NODE_AND:
        answer = TRUTH_TRUE;
        for (size_t i = 0; i < node->count && answer != TRUTH_FALSE; i++)
            answer = truth_and(answer, node_match(s, node->children[i], record));
        return answer;
    case NODE_OR:
        break;
    }
    answer = TRUTH_FALSE;
    for (size_t i = 0; i < node->count && answer != TRUTH_TRUE; i++)
        answer = truth_or(answer, node_match(s, node->children[i], record));
    return answer;
}

enum truth sigma_match(const struct sigma *s, const struct sigma_record *record)
{
    return node_match(s, s->condition, record);
}
