#include "judge/rules_record.h"

#include "base/str.h"

#include <stdlib.h>

enum { HASH_FROM = 24 }; /* keys; a walk is as quick for fewer */

/* FNV-1a over the key in lower case. */
static size_t hash(const char *key)
{
    uint32_t h = 2166136261u;
    for (; *key; key++)
        h = (h ^ (uint8_t)str_lower(*key)) * 16777619u;
    return h;
}

void rules_record_open(struct rules_record *r, const struct fact *fact, bool host)
{
    *r = (struct rules_record){
        .fact = fact, .host = host, .not_stated = {"", VALUE_UNREADABLE, _("nobody looked at it")}};
    if (fact->value_count < HASH_FROM)
        return;
    size_t size = 64;
    while (size < fact->value_count * 2)
        size *= 2;
    r->slots = mem_alloc(size * sizeof *r->slots);
    r->mask = size - 1;
    for (size_t i = 0; i < fact->value_count; i++) {
        const struct fact_value *v = &fact->values[i];
        size_t slot = hash(v->key) & r->mask;
        while (r->slots[slot] && !str_equal_nocase(r->slots[slot]->key, v->key))
            slot = (slot + 1) & r->mask;
        if (!r->slots[slot]) /* of two of one name the first counts, as in fact_value() */
            r->slots[slot] = v;
    }
}

void rules_record_close(struct rules_record *r)
{
    free(r->slots);
    r->slots = NULL;
}

const struct fact_value *rules_record_value(struct rules_record *r, const char *key)
{
    const struct fact_value *v = NULL;
    if (r->slots) {
        size_t slot = hash(key) & r->mask;
        while (r->slots[slot] && !str_equal_nocase(r->slots[slot]->key, key))
            slot = (slot + 1) & r->mask;
        v = r->slots[slot];
    } else {
        v = fact_value(r->fact, key);
    }
    if (!v && r->host && rules_is_want(key))
        v = &r->not_stated;
    return v;
}

static const struct fact_value *field(void *context, const char *name)
{
    struct rules_record *r = context;
    const struct fact_value *v = rules_record_value(r, name);
    if (v && v->state == VALUE_UNREADABLE && !r->reason)
        r->reason = v->text;
    return v;
}

static const struct fact_value *value_at(void *context, size_t index)
{
    const struct rules_record *r = context;
    return index < r->fact->value_count ? &r->fact->values[index] : NULL;
}

enum truth rules_record_match(struct rules_record *r, const struct rule *rule)
{
    struct sigma_record record = {field, value_at, r};
    r->reason = NULL;
    return sigma_match(rule->sigma, &record);
}
