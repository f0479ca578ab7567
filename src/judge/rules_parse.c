#include "judge/rules_parse.h"

#include "base/str.h"
#include "model/date.h"

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

struct parse {
    struct arena *arena;
    const char *path;
    struct sigma_problems *problems;
    bool failed;
};

static void fail(struct parse *p, const struct yaml_node *at, const char *what, const char *key)
{
    sigma_problem(p->problems, false, p->path, at, "%s: %s", key, what);
    p->failed = true;
}

/* The keys of both maps, as data: a name, how its value is read, where it goes. */
enum reading { READ_TEXT, READ_TEXTS, READ_SKIP };
struct key {
    const char *name;
    enum reading reading;
    size_t offset, count_offset;
};
#define TEXT(name, member)                                                                         \
    {                                                                                              \
        name, READ_TEXT, offsetof(struct rule, member), 0                                          \
    }
#define TEXTS(name, member, count)                                                                 \
    {                                                                                              \
        name, READ_TEXTS, offsetof(struct rule, member), offsetof(struct rule, count)              \
    }
#define SKIP(name)                                                                                 \
    {                                                                                              \
        name, READ_SKIP, 0, 0                                                                      \
    }

static const struct key top_keys[] = {
    TEXT("title", title),
    TEXT("id", id),
    TEXT("status", status),
    TEXT("description", description),
    TEXTS("references", references, reference_count),
    TEXTS("falsepositives", falsepositives, falsepositive_count),
    TEXTS("tags", tags, tag_count),
};
static const struct key source_keys[] = {
    TEXT("category", category),
    TEXT("product", product),
    TEXT("service", service),
    SKIP("definition"),
};
static const struct key our_keys[] = {
    TEXTS("set", sets, set_count),
    TEXT("checklist_id", checklist_id),
    TEXT("why", why),
    TEXT("fix", fix),
    TEXTS("steps", steps, step_count),
    TEXT("source", source),
    TEXT("subject", subject),
    TEXT("gathers", gathers),
    TEXTS("also", also, also_count),
    TEXTS("patches", patches, patch_count),
    SKIP("since"),
    SKIP("later"),
    SKIP("applies"),
    SKIP("weight"),
    SKIP("helper"),
    SKIP("examples"),
};

static void read_texts(struct parse *p, const struct yaml_node *node, const char *name,
                       struct rule *rule, const struct key *key)
{
    size_t count = node->kind == YAML_SEQUENCE ? node->count : yaml_is_null(node) ? 0 : 1;
    const char **texts = arena_alloc(p->arena, (count + 1) * sizeof *texts);
    for (size_t i = 0; i < count; i++) {
        const struct yaml_node *item = node->kind == YAML_SEQUENCE ? node->items[i] : node;
        if (item->kind != YAML_SCALAR) {
            fail(p, item, _("a line of text is needed here"), name);
            return;
        }
        texts[i] = item->text;
    }
    *(const char *const **)((char *)rule + key->offset) = texts;
    *(size_t *)((char *)rule + key->count_offset) = count;
}

static void read_keys(struct parse *p, const struct yaml_node *map, struct rule *rule,
                      const struct key *keys, size_t count, bool closed)
{
    for (size_t i = 0; i < map->count; i++) {
        const char *name = map->keys[i]->text;
        size_t k = 0;
        while (k < count && !str_equal(keys[k].name, name))
            k++;
        if (k == count) {
            if (closed)
                sigma_problem(p->problems, true, p->path, map->keys[i], _("unknown key \"%s\""),
                              name);
            continue;
        }
        if (keys[k].reading == READ_TEXTS) {
            read_texts(p, map->items[i], name, rule, &keys[k]);
        } else if (keys[k].reading == READ_TEXT) {
            if (map->items[i]->kind == YAML_SCALAR)
                *(const char **)((char *)rule + keys[k].offset) = map->items[i]->text;
            else
                fail(p, map->items[i], _("text is needed here"), name);
        }
    }
}

/* Sigma has one level more or less than we: informational is our info. */
static void read_level(struct parse *p, const struct yaml_node *top, struct rule *rule)
{
    const struct yaml_node *level = yaml_get(top, "level");
    rule->severity = SEVERITY_MEDIUM; /* the level is optional in the specification */
    if (!level)
        return;
    const char *text = level->kind == YAML_SCALAR ? level->text : "";
    if (str_equal(text, "informational"))
        rule->severity = SEVERITY_INFO;
    else if (str_equal(text, "info") || !severity_from_name(text, &rule->severity))
        fail(p, level, _("one of informational, low, medium, high, critical"), "level");
}

static void read_applies(struct parse *p, const struct yaml_node *node, struct rule *rule)
{
    const struct yaml_node *one[1] = {node};
    const struct yaml_node *const *lines =
        node->kind == YAML_SEQUENCE ? (const struct yaml_node *const *)node->items : one;
    size_t line_count = node->kind == YAML_SEQUENCE ? node->count : 1, count = 0;
    for (size_t i = 0; i < line_count; i++)
        count += lines[i]->kind == YAML_MAP ? lines[i]->count : 1;
    struct rule_version *out = arena_alloc(p->arena, (count + 1) * sizeof *out);
    for (size_t i = 0; i < line_count; i++) {
        const struct yaml_node *line = lines[i];
        if (line->kind == YAML_SCALAR) /* the name alone: every version */
            out[rule->applies_count++] = (struct rule_version){line->text, ""};
        for (size_t k = 0; line->kind == YAML_MAP && k < line->count; k++) {
            if (line->items[k]->kind == YAML_SCALAR)
                out[rule->applies_count++] =
                    (struct rule_version){line->keys[k]->text, line->items[k]->text};
            else
                fail(p, line->items[k], "NAME: \"VERSION\"", "applies");
        }
    }
    rule->applies = out;
}

static int64_t read_day(struct parse *p, const struct yaml_node *node, const char *key)
{
    int64_t day = DATE_NONE;
    if (node->kind != YAML_SCALAR || !date_parse(node->text, &day))
        fail(p, node, _("a day like 2001-06-18"), key);
    return day;
}

/* {date: DAY, text: ..., source: ..., reference: ..., before: LEVEL} */
static void read_one_later(struct parse *p, const struct yaml_node *item, struct rule_later *out)
{
    static const char *const texts[] = {"text", "source", "reference"};
    const char **const places[] = {&out->text, &out->source, &out->reference};
    for (size_t i = 0; i < item->count; i++) {
        const char *name = item->keys[i]->text;
        const struct yaml_node *value = item->items[i];
        size_t k = 0;
        while (k < ARRAY_COUNT(texts) && !str_equal(texts[k], name))
            k++;
        if (str_equal(name, "date"))
            out->date = read_day(p, value, "date");
        else if (str_equal(name, "before") && value->kind == YAML_SCALAR &&
                 severity_from_name(value->text, &out->before))
            out->graded = true;
        else if (k < ARRAY_COUNT(texts) && value->kind == YAML_SCALAR)
            *places[k] = value->text;
        else
            fail(p, value, _("date, and text, source, reference or before (a level)"), "later");
    }
    if (out->date == DATE_NONE)
        fail(p, item, _("date is missing"), "later");
}

static void read_later(struct parse *p, const struct yaml_node *list, struct rule *rule)
{
    if (list->kind != YAML_SEQUENCE) {
        fail(p, list, _("a list is needed here"), "later");
        return;
    }
    struct rule_later *later = arena_alloc(p->arena, (list->count + 1) * sizeof *later);
    for (size_t i = 0; i < list->count; i++) {
        later[i] = (struct rule_later){DATE_NONE, "", "", "", false, SEVERITY_INFO};
        if (list->items[i]->kind == YAML_MAP)
            read_one_later(p, list->items[i], &later[i]);
        else
            fail(p, list->items[i], _("a map is needed here"), "later");
    }
    rule->later = later;
    rule->later_count = list->count;
}

static void read_ours(struct parse *p, const struct yaml_node *map, struct rule *rule)
{
    if (yaml_is_null(map)) { /* it held the examples only, and they were passed over */
        rule->ours = true;
        return;
    }
    if (map->kind != YAML_MAP) {
        fail(p, map, _("a map is needed here"), "yagura");
        return;
    }
    rule->ours = true;
    read_keys(p, map, rule, our_keys, ARRAY_COUNT(our_keys), true);
    rule->examples = yaml_get(map, "examples");
    const struct yaml_node *applies = yaml_get(map, "applies");
    if (applies)
        read_applies(p, applies, rule);
    if (yaml_get(map, "since"))
        rule->since = read_day(p, yaml_get(map, "since"), "since");
    if (yaml_get(map, "later"))
        read_later(p, yaml_get(map, "later"), rule);
    const struct yaml_node *weight = yaml_get(map, "weight");
    uint64_t number;
    if (weight && weight->kind == YAML_SCALAR && str_to_u64(weight->text, &number) && number <= 100)
        rule->weight = (double)number;
    else if (weight)
        fail(p, weight, _("a whole number from 0 to 100"), "weight");
    const struct yaml_node *helper = yaml_get(map, "helper");
    if (helper && helper->kind == YAML_SCALAR && str_equal(helper->text, "true"))
        rule->helper = true;
    else if (helper && !(helper->kind == YAML_SCALAR && str_equal(helper->text, "false")))
        fail(p, helper, _("true or false"), "helper");
    if (rule->set_count > RULE_MOST_SETS)
        fail(p, map, _("at most four sets"), "set");
}

static void read_rule(struct parse *p, const struct yaml_node *top, struct rule *rule)
{
    static const char *const foreign[] = {"correlation", "filter", "action"};
    if (top->kind != YAML_MAP) {
        fail(p, top, _("a rule is a map"), "rule");
        return;
    }
    for (size_t i = 0; i < ARRAY_COUNT(foreign); i++)
        if (yaml_get(top, foreign[i])) {
            fail(p, yaml_get(top, foreign[i]), _("documents of this kind are not supported"),
                 foreign[i]);
            return;
        }
    read_keys(p, top, rule, top_keys, ARRAY_COUNT(top_keys), false);
    read_level(p, top, rule);
    if (!*rule->title)
        fail(p, top, _("it is missing"), "title");
    const struct yaml_node *source = yaml_get(top, "logsource");
    if (!source || source->kind != YAML_MAP)
        fail(p, source ? source : top, _("a map with category, product or service"), "logsource");
    else
        read_keys(p, source, rule, source_keys, ARRAY_COUNT(source_keys), false);
    const struct yaml_node *ours = yaml_get(top, "yagura");
    if (ours)
        read_ours(p, ours, rule);
    const struct yaml_node *detection = yaml_get(top, "detection");
    if (!detection) {
        fail(p, top, _("it is missing"), "detection");
        return;
    }
    rule->sigma = sigma_compile(p->arena, detection, p->path, p->problems);
    if (!rule->sigma)
        p->failed = true;
    else
        rule->field_count = sigma_fields(rule->sigma, &rule->fields);
}

struct rule *rules_parse(struct arena *arena, const char *name, const char *path, const char *text,
                         size_t size, struct sigma_problems *problems)
{
    struct parse p = {arena, path, problems, false};
    struct yaml_node **documents = NULL;
    size_t count = 0;
    struct error e = ERROR_INIT;
    if (!yaml_parse(&documents, &count, arena, text, size, path, &e)) {
        struct yaml_node at = {.line = (uint32_t)e.line, .column = (uint32_t)e.column};
        sigma_problem(problems, false, path, e.line ? &at : NULL, "%s", e.message);
        return NULL;
    }
    if (count != 1) {
        sigma_problem(problems, false, path, NULL,
                      count ? _("several documents in one file: write one rule a file")
                            : _("the file is empty"));
        return NULL;
    }
    struct rule *rule = arena_alloc(arena, sizeof *rule);
    *rule = (struct rule){.name = arena_strdup(arena, name),
                          .path = path,
                          .title = "",
                          .id = "",
                          .status = "",
                          .description = "",
                          .category = "",
                          .product = "",
                          .service = "",
                          .checklist_id = "",
                          .why = "",
                          .fix = "",
                          .source = "",
                          .subject = "",
                          .gathers = "",
                          .since = DATE_NONE,
                          .weight = 1};
    read_rule(&p, documents[0], rule);
    if (!p.failed)
        return rule;
    sigma_free(rule->sigma);
    return NULL;
}
