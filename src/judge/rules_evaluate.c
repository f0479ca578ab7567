/* What each rule says of a host: its records one by one, then the rule as a whole. */
#include "base/str.h"
#include "judge/rules.h"
#include "judge/rules_kinds.h"
#include "judge/rules_record.h"
#include "model/date.h"

#include <stdlib.h>

/* A rule while its records are walked. */
struct row {
    struct rule_result result;
    enum truth own;   /* of its own records */
    enum truth whole; /* with `also` */
    bool applicable, combined;
    VEC(const struct fact *) fired, unknown;
    VEC(const char *) reasons; /* of each of unknown */
};

struct rule_results {
    const struct rules *rules;
    struct row *rows;
    size_t count;
};

const char *rule_outcome_name(enum rule_outcome outcome)
{
    static const char *const names[] = {"quiet", "fires", "unknown", "not-applicable"};
    return names[outcome];
}

static bool speaks_of(const char *what, const char *name)
{
    size_t length = strlen(name);
    if (!length || strncmp(what, name, length) != 0)
        return false;
    if (what[length] == 's')
        length++;
    return !what[length] || what[length] == ':' || what[length] == ' ';
}

/* The key `kinds` of an `unread` fact names them word for word. */
static bool lists(const char *kinds, const char *name)
{
    size_t length = strlen(name);
    for (const char *p = kinds; *p;) {
        size_t n = strcspn(p, " ");
        if (n == length && memcmp(p, name, n) == 0)
            return true;
        p += n + (p[n] == ' ');
    }
    return false;
}

/* An `unread` fact for which records of the kind may be missing. */
static const struct fact *missing(const struct facts *facts, const struct rules_kind *kind)
{
    for (const struct fact *f = NULL; (f = facts_next(facts, "unread", f));)
        if (speaks_of(fact_text(f, "what"), kind->name) ||
            speaks_of(fact_text(f, "what"), kind->unread) ||
            lists(fact_text(f, "kinds"), kind->name))
            return f;
    return NULL;
}

static bool complete(const struct facts *facts, const char *kind)
{
    for (const struct fact *f = NULL; (f = facts_next(facts, "complete", f));)
        if (str_equal(fact_text(f, "of"), kind))
            return true;
    return false;
}

static void judge_record(struct row *row, struct rules_record *record)
{
    switch (rules_record_match(record, row->result.rule)) {
    case TRUTH_TRUE:
        VEC_PUSH(&row->fired, record->fact);
        row->own = TRUTH_TRUE;
        break;
    case TRUTH_UNKNOWN:
        VEC_PUSH(&row->unknown, record->fact);
        VEC_PUSH(&row->reasons, record->reason ? record->reason : _("a search took too long"));
        row->own = truth_or(row->own, TRUTH_UNKNOWN);
        if (!*row->result.reason)
            row->result.reason = row->reasons.items[0];
        break;
    case TRUTH_FALSE:
        break;
    }
}

static void judge_kind(struct rule_results *results, const struct facts *facts,
                       const struct rules_kind *kind, struct row **rows, size_t count)
{
    bool any = false;
    for (const struct fact *f = NULL; (f = facts_next(facts, kind->name, f));) {
        struct rules_record record;
        any = true;
        rules_record_open(&record, f, str_equal(kind->name, "host"));
        for (size_t i = 0; i < count; i++)
            judge_record(rows[i], &record);
        rules_record_close(&record);
    }
    const struct fact *gap = missing(facts, kind);
    bool silent = !any && kind->none_is_unknown && !complete(facts, kind->name);
    if (!gap && !silent)
        return;
    for (size_t i = 0; i < count; i++) {
        rows[i]->own = truth_or(rows[i]->own, TRUTH_UNKNOWN);
        if (!*rows[i]->result.reason && gap)
            rows[i]->result.reason = fact_text(gap, "reason");
        else if (!*rows[i]->result.reason)
            rows[i]->result.reason = _("no record of this kind was found, and none was ruled out");
    }
}

/* rules_load() has refused circles. */
static enum truth combine(struct rule_results *results, struct row *row)
{
    if (row->combined)
        return row->whole;
    row->combined = true;
    row->whole = row->applicable ? row->own : TRUTH_FALSE;
    for (size_t i = 0; i < row->result.rule->also_count && row->whole != TRUTH_FALSE; i++) {
        struct row *other = &results->rows[row->result.rule->also_rules[i]->index];
        row->whole = truth_and(row->whole, combine(results, other));
        if (row->whole == TRUTH_UNKNOWN && !*row->result.reason)
            row->result.reason = other->result.reason;
    }
    return row->whole;
}

static void conclude(struct row *row)
{
    struct rule_result *r = &row->result;
    if (row->whole == TRUTH_UNKNOWN)
        for (size_t i = 0; i < row->fired.count; i++) { /* would fire, if `also` were known */
            VEC_PUSH(&row->unknown, row->fired.items[i]);
            VEC_PUSH(&row->reasons, r->reason);
        }
    if (row->whole == TRUTH_TRUE) {
        r->fired = row->fired.items;
        r->fired_count = row->fired.count;
    }
    if (row->whole != TRUTH_FALSE) {
        r->unknown = row->unknown.items;
        r->unknown_count = row->unknown.count;
        r->reasons = row->reasons.items;
    }
    static const enum rule_outcome outcomes[] = {[TRUTH_FALSE] = OUTCOME_QUIET,
                                                 [TRUTH_TRUE] = OUTCOME_FIRES,
                                                 [TRUTH_UNKNOWN] = OUTCOME_UNKNOWN};
    r->outcome = row->applicable ? outcomes[row->whole] : OUTCOME_NOT_APPLICABLE;
    if (r->outcome == OUTCOME_QUIET || r->outcome == OUTCOME_NOT_APPLICABLE)
        r->reason = "";
}

struct rule_results *rules_evaluate(const struct rules *rules, const struct facts *facts)
{
    struct rule_results *results = mem_alloc(sizeof *results);
    results->rules = rules;
    results->count = rules_count(rules);
    results->rows = mem_alloc(results->count * sizeof *results->rows);
    struct row **of_kind = mem_alloc(results->count * sizeof(struct row *));
    for (size_t i = 0; i < results->count; i++) {
        struct row *row = &results->rows[i];
        row->result.rule = rules_at(rules, i);
        row->result.reason = "";
        row->result.as_of = DATE_NONE;
        row->result.severity = row->result.rule->severity;
        row->applicable =
            rules_kinds_find(row->result.rule->category) && rules_applies(row->result.rule, facts);
    }
    const struct rules_kind *kind;
    for (unsigned k = 0; (kind = rules_kinds_at(k)); k++) {
        size_t count = 0;
        for (size_t i = 0; i < results->count; i++)
            if (results->rows[i].applicable &&
                str_equal(results->rows[i].result.rule->category, kind->name))
                of_kind[count++] = &results->rows[i];
        if (count)
            judge_kind(results, facts, kind, of_kind, count);
    }
    free(of_kind);
    for (size_t i = 0; i < results->count; i++)
        combine(results, &results->rows[i]);
    for (size_t i = 0; i < results->count; i++)
        conclude(&results->rows[i]);
    return results;
}

void rule_results_free(struct rule_results *results)
{
    if (!results)
        return;
    for (size_t i = 0; i < results->count; i++) {
        VEC_FREE(&results->rows[i].fired);
        VEC_FREE(&results->rows[i].unknown);
        VEC_FREE(&results->rows[i].reasons);
    }
    free(results->rows);
    free(results);
}

void rule_results_cleanup(struct rule_results **results)
{
    rule_results_free(*results);
}

size_t rule_results_count(const struct rule_results *results)
{
    return results->count;
}

const struct rule_result *rule_results_at(const struct rule_results *results, size_t index)
{
    return &results->rows[index].result;
}

void rule_results_dismiss(struct rule_results *results, size_t index, enum rule_outcome outcome)
{
    struct rule_result *r = &results->rows[index].result;
    r->outcome = outcome;
    r->fired_count = r->unknown_count = 0;
}

void rule_results_set_too_early(struct rule_results *results, size_t index)
{
    results->rows[index].result.too_early = true;
}

/* Until the first of the days that grade it, it has the level named there. */
static enum severity severity_on(const struct rule *rule, int64_t day)
{
    const struct rule_later *next = NULL;
    for (size_t i = 0; i < rule->later_count; i++) {
        const struct rule_later *l = &rule->later[i];
        if (l->graded && l->date > day && (!next || l->date < next->date))
            next = l;
    }
    return next ? next->before : rule->severity;
}

void rule_results_as_of(struct rule_results *results, const struct facts *facts, int64_t day)
{
    for (size_t i = 0; i < results->count; i++) {
        struct rule_result *r = &results->rows[i].result;
        int64_t since = rules_since(r->rule, facts);
        r->as_of = day;
        r->severity = severity_on(r->rule, day);
        r->too_early |= since != DATE_NONE && since > day;
    }
}

size_t rule_results_too_early(const struct rule_results *results)
{
    size_t count = 0;
    for (size_t i = 0; i < results->count; i++) {
        const struct rule_result *r = &results->rows[i].result;
        count += r->too_early && !r->rule->helper &&
                 (r->outcome == OUTCOME_FIRES || r->outcome == OUTCOME_UNKNOWN);
    }
    return count;
}

const struct rule_result *rule_results_find(const struct rule_results *results, const char *name)
{
    const struct rule *rule = rules_find(results->rules, name);
    return rule ? &results->rows[rule->index].result : NULL;
}

enum truth rule_results_truth(void *context, const char *name, const struct fact **why)
{
    const struct rule_result *r = rule_results_find(context, name);
    if (why)
        *why = !r ? NULL : r->fired_count ? r->fired[0] : r->unknown_count ? r->unknown[0] : NULL;
    if (!r || r->outcome == OUTCOME_UNKNOWN)
        return TRUTH_UNKNOWN;
    return r->outcome == OUTCOME_FIRES ? TRUTH_TRUE : TRUTH_FALSE;
}
