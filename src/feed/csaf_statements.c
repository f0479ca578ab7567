#include "feed/csaf_statements.h"

#include "base/json.h"
#include "base/str.h"
#include "model/date.h"

#include <stdio.h>
#include <stdlib.h>

/* What a product status says (CSAF 2.0, 3.2.3.9). "recommended" says nothing of the hole. */
static const struct {
    const char *key;
    unsigned says;
} statuses[] = {
    {"known_affected", CSAF_SAYS_AFFECTED},
    {"first_affected", CSAF_SAYS_AFFECTED},
    {"last_affected", CSAF_SAYS_AFFECTED},
    {"known_not_affected", CSAF_SAYS_NOT_AFFECTED},
    {"fixed", CSAF_SAYS_FIXED},
    {"first_fixed", CSAF_SAYS_FIXED},
    {"under_investigation", CSAF_SAYS_INVESTIGATED},
};

/* CSAF 2.0, 3.2.3.12.1, and the two that 2.1 adds. */
static const struct {
    const char *category;
    enum remedy_kind kind;
} remedy_kinds[] = {
    {"vendor_fix", REMEDY_PATCH},        {"workaround", REMEDY_WORKAROUND},
    {"mitigation", REMEDY_MITIGATION},   {"no_fix_planned", REMEDY_NONE_PLANNED},
    {"none_available", REMEDY_NONE_YET}, {"fix_planned", REMEDY_NONE_YET},
    {"optional_patch", REMEDY_PATCH},
};

static const char *text_of(const json_t *object, const char *key)
{
    const char *text = json_get_string(object, key);
    return text ? text : "";
}

const struct csaf_product *csaf_at(const struct csaf_reading *r, uint32_t number)
{
    return &r->products->items.items[number];
}

const struct csaf_product *csaf_leaf(const struct csaf_reading *r, uint32_t number)
{
    return csaf_at(r, csaf_at(r, number)->leaf);
}

uint32_t csaf_subject_of(const struct csaf_reading *r, uint32_t number)
{
    const struct csaf_product *p = csaf_at(r, number);
    while (p->relates != CSAF_NO_PRODUCT && csaf_is_proof(csaf_leaf(r, number))) {
        number = p->relates;
        p = csaf_at(r, number);
    }
    return number;
}

static struct csaf_subject *subject_for(struct csaf_reading *r, uint32_t product)
{
    if (!r->at[product]) {
        struct csaf_subject fresh = {.product = product};
        VEC_PUSH(&r->subjects, fresh);
        r->at[product] = (uint32_t)r->subjects.count;
    }
    return &r->subjects.items[r->at[product] - 1];
}

/* --- product status --- */

static bool unresolved(const struct csaf_reading *r, const char *where, size_t item, const char *id,
                       struct error *e)
{
    error_set(e, ERR_FORMAT,
              "vulnerabilities[%zu].%s[%zu]: the product id \"%.120s\" is not defined "
              "in the product tree",
              r->vulnerability, where, item, id);
    return false;
}

static bool contradicts(unsigned says)
{
    return (says & CSAF_SAYS_NOT_AFFECTED && says & (CSAF_SAYS_AFFECTED | CSAF_SAYS_FIXED)) ||
           (says & CSAF_SAYS_AFFECTED && says & CSAF_SAYS_FIXED);
}

static bool read_status(struct csaf_reading *r, const json_t *vulnerability, struct error *e)
{
    const json_t *status = json_get_object(vulnerability, "product_status"), *id;
    for (size_t s = 0; s < ARRAY_COUNT(statuses); s++) {
        const json_t *list = json_get_array(status, statuses[s].key);
        size_t i;
        json_array_foreach(list, i, id)
        {
            const char *text = json_string_value(id);
            uint32_t number = csaf_products_find(r->products, text ? text : "");
            if (number == CSAF_NO_PRODUCT) {
                char where[64];
                snprintf(where, sizeof where, "product_status.%s", statuses[s].key);
                return unresolved(r, where, i, text ? text : "", e);
            }
            r->said[number] |= (uint8_t)statuses[s].says;
            if (contradicts(r->said[number])) {
                error_set(e, ERR_FORMAT,
                          "vulnerabilities[%zu].product_status.%s[%zu]: what is said "
                          "of product \"%.80s\" contradicts what was said before",
                          r->vulnerability, statuses[s].key, i, text);
                return false;
            }
            uint32_t about = csaf_subject_of(r, number);
            struct csaf_subject *subject = subject_for(r, about);
            const struct csaf_product *leaf = csaf_leaf(r, number);
            bool proof = csaf_is_proof(leaf);
            if (proof && statuses[s].says == CSAF_SAYS_FIXED)
                VEC_PUSH(&subject->proofs, number);
            else if (!proof)
                subject->says |= statuses[s].says;
        }
    }
    return true;
}

static void forget_status(struct csaf_reading *r, const json_t *vulnerability)
{
    const json_t *status = json_get_object(vulnerability, "product_status"), *id;
    for (size_t s = 0; s < ARRAY_COUNT(statuses); s++) {
        size_t i;
        const json_t *list = json_get_array(status, statuses[s].key);
        json_array_foreach(list, i, id)
        {
            const char *text = json_string_value(id);
            uint32_t number = csaf_products_find(r->products, text ? text : "");
            if (number != CSAF_NO_PRODUCT)
                r->said[number] = 0;
        }
    }
}

/* --- what applies to products: remediations, scores, threats --- */

typedef void apply(struct csaf_reading *r, struct csaf_subject *subject, uint32_t product,
                   void *what);

/* Calls `f` for every subject that `item` names by product_ids (or `products`) and group_ids;
 * for all of them where it names none. */
static bool for_named(struct csaf_reading *r, const json_t *item, const char *where, size_t index,
                      apply *f, void *what, struct error *e)
{
    const json_t *ids = json_get_array(item, "product_ids"), *id;
    const json_t *groups = json_get_array(item, "group_ids");
    size_t i;
    if (!ids)
        ids = json_get_array(item, "products");
    if (!json_array_size(ids) && !json_array_size(groups)) {
        for (i = 0; i < r->subjects.count; i++)
            f(r, &r->subjects.items[i], r->subjects.items[i].product, what);
        return true;
    }
    json_array_foreach(ids, i, id)
    {
        const char *text = json_string_value(id);
        uint32_t number = csaf_products_find(r->products, text ? text : "");
        if (number == CSAF_NO_PRODUCT)
            return unresolved(r, where, index, text ? text : "", e);
        uint32_t about = csaf_subject_of(r, number);
        if (r->at[about])
            f(r, &r->subjects.items[r->at[about] - 1], number, what);
    }
    json_array_foreach(groups, i, id)
    {
        const char *text = json_string_value(id);
        const struct csaf_group *group = csaf_products_group(r->products, text ? text : "");
        if (!group) {
            error_set(e, ERR_FORMAT,
                      "vulnerabilities[%zu].%s[%zu]: the group id \"%.120s\" is not "
                      "defined in the product tree",
                      r->vulnerability, where, index, text ? text : "");
            return false;
        }
        for (size_t g = 0; g < group->count; g++) {
            uint32_t about = csaf_subject_of(r, group->products[g]);
            if (r->at[about])
                f(r, &r->subjects.items[r->at[about] - 1], group->products[g], what);
        }
    }
    return true;
}

struct remedy {
    struct advisory_remedy said;
    int reboot;
};

static void apply_remedy(struct csaf_reading *r, struct csaf_subject *subject, uint32_t product,
                         void *what)
{
    const struct remedy *remedy = what;
    const struct advisory_remedy *said = &remedy->said;
    size_t count = subject->remedies.count;
    if (remedy->reboot >= 0)
        r->reboots[product] = remedy->reboot;
    /* named for the server and for its patch: once is enough */
    if (count && str_equal(subject->remedies.items[count - 1].text, said->text) &&
        subject->remedies.items[count - 1].kind == said->kind)
        return;
    VEC_PUSH(&subject->remedies, *said);
}

/* CSAF 2.0, 3.2.3.12.7: none, or the smallest part that has to be started again. */
static int reboot_of(const json_t *remediation)
{
    const char *category =
        json_get_string(json_get_object(remediation, "restart_required"), "category");
    if (!category)
        return -1;
    return str_equal(category, "machine") || str_equal(category, "system");
}

static bool read_remedies(struct csaf_reading *r, const json_t *vulnerability, struct error *e)
{
    const json_t *list = json_get_array(vulnerability, "remediations"), *item;
    size_t i;
    json_array_foreach(list, i, item)
    {
        const char *category = text_of(item, "category");
        size_t k = 0;
        while (k < ARRAY_COUNT(remedy_kinds) && !str_equal(remedy_kinds[k].category, category))
            k++;
        if (k == ARRAY_COUNT(remedy_kinds))
            continue;
        struct remedy remedy = {{remedy_kinds[k].kind,
                                 arena_strdup(r->arena, text_of(item, "details")),
                                 arena_strdup(r->arena, text_of(item, "url")), DATE_NONE},
                                reboot_of(item)};
        date_parse(text_of(item, "date"), &remedy.said.date);
        if (!for_named(r, item, "remediations", i, apply_remedy, &remedy, e))
            return false;
    }
    return true;
}

static void apply_score(struct csaf_reading *r, struct csaf_subject *subject, uint32_t product,
                        void *what)
{
    const struct csaf_subject *score = what;
    if (subject->scored && subject->cvss >= score->cvss)
        return;
    subject->scored = true;
    subject->cvss = score->cvss;
    subject->network = score->network;
    subject->no_login = score->no_login;
}

/* CVSS 2.0, 2.1 and CVSS 3.1, 2.1: the letters of a vector. */
static bool vector_has(const char *vector, const char *metric)
{
    for (const char *p = vector; (p = strstr(p, metric)); p++) {
        char before = p == vector ? '/' : p[-1], after = p[strlen(metric)];
        if ((before == '/' || before == '(') && (!after || after == '/' || after == ')'))
            return true;
    }
    return false;
}

static bool read_scores(struct csaf_reading *r, const json_t *vulnerability, struct error *e)
{
    const json_t *list = json_get_array(vulnerability, "scores"), *item;
    size_t i;
    json_array_foreach(list, i, item)
    {
        static const char *const keys[] = {"cvss_v3", "cvss_v2"};
        for (size_t k = 0; k < ARRAY_COUNT(keys); k++) {
            const json_t *cvss = json_get_object(item, keys[k]);
            if (!cvss)
                continue;
            const char *vector = text_of(cvss, "vectorString");
            double base = json_number_value(json_object_get(cvss, "baseScore"));
            struct csaf_subject score = {.cvss = base >= 0 && base <= 10 ? base : 0,
                                         .network = vector_has(vector, "AV:N"),
                                         .no_login = vector_has(vector, "PR:N") ||
                                                     vector_has(vector, "Au:N")};
            if (!for_named(r, item, "scores", i, apply_score, &score, e))
                return false;
        }
    }
    return true;
}

static void apply_exploit(struct csaf_reading *r, struct csaf_subject *subject, uint32_t product,
                          void *what)
{
    const struct advisory_exploit *exploit = what;
    size_t count = subject->exploits.count;
    if (!count || subject->exploits.items[count - 1].text != exploit->text)
        VEC_PUSH(&subject->exploits, *exploit);
}

/* "No known public exploits ..." is an exploit_status as well. */
static bool denies(const char *details)
{
    return str_starts_nocase(details, "no ") || str_starts_nocase(details, "none") ||
           str_starts_nocase(details, "not ") || str_find_nocase(details, "no known") ||
           str_find_nocase(details, "exploited:no") || !*details;
}

static bool read_threats(struct csaf_reading *r, const json_t *vulnerability, struct error *e)
{
    const json_t *list = json_get_array(vulnerability, "threats"), *item;
    size_t i;
    json_array_foreach(list, i, item)
    {
        const char *details = text_of(item, "details");
        if (!str_equal(text_of(item, "category"), "exploit_status") || denies(details))
            continue;
        struct advisory_exploit exploit = {arena_strdup(r->arena, details), r->revised};
        date_parse(text_of(item, "date"), &exploit.date);
        if (!for_named(r, item, "threats", i, apply_exploit, &exploit, e))
            return false;
    }
    return true;
}

static void apply_nothing(struct csaf_reading *r, struct csaf_subject *subject, uint32_t product,
                          void *what)
{
}

/* Why a product is not affected: only that the products are there is checked. */
static bool check_flags(struct csaf_reading *r, const json_t *vulnerability, struct error *e)
{
    const json_t *list = json_get_array(vulnerability, "flags"), *item;
    size_t i;
    json_array_foreach(
        list, i, item) if (!for_named(r, item, "flags", i, apply_nothing, NULL, e)) return false;
    return true;
}

bool csaf_statements_read(struct csaf_reading *r, const json_t *vulnerability, struct error *e)
{
    return read_status(r, vulnerability, e) && read_remedies(r, vulnerability, e) &&
           read_scores(r, vulnerability, e) && read_threats(r, vulnerability, e) &&
           check_flags(r, vulnerability, e);
}

static void forget_subjects(struct csaf_reading *r)
{
    for (size_t i = 0; i < r->subjects.count; i++) {
        struct csaf_subject *s = &r->subjects.items[i];
        r->at[s->product] = 0;
        VEC_FREE(&s->proofs);
        VEC_FREE(&s->remedies);
        VEC_FREE(&s->exploits);
    }
    r->subjects.count = 0;
}

void csaf_statements_forget(struct csaf_reading *r, const json_t *vulnerability)
{
    forget_subjects(r);
    forget_status(r, vulnerability);
}
