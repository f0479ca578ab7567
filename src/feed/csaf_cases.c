#include "feed/csaf_cases.h"

#include "base/mem.h"
#include "base/str.h"

#include <stdlib.h>
#include <xxhash.h>

struct building {
    struct advisory_case c;
    XXH128_hash_t hash;
    VEC(const char *) cves;
    VEC(const char *) arches;
    VEC(struct advisory_remedy) remedies;
    VEC(struct advisory_exploit) exploits;
};

struct csaf_cases {
    struct arena *arena;
    VEC(struct building *) items;
    uint32_t *slots; /* number + 1 */
    size_t slot_count;
    struct str key; /* of the case that is being added */
};

struct csaf_cases *csaf_cases_new(struct arena *arena)
{
    struct csaf_cases *list = mem_alloc(sizeof *list);
    list->arena = arena;
    return list;
}

void csaf_cases_free(struct csaf_cases *list)
{
    for (size_t i = 0; i < list->items.count; i++) {
        struct building *b = list->items.items[i];
        VEC_FREE(&b->cves);
        VEC_FREE(&b->arches);
        VEC_FREE(&b->remedies);
        VEC_FREE(&b->exploits);
    }
    VEC_FREE(&list->items);
    free(list->slots);
    str_free(&list->key);
    free(list);
}

size_t csaf_cases_count(const struct csaf_cases *list)
{
    return list->items.count;
}

static void digest_text(struct str *key, const char *text)
{
    str_add_bytes(key, text, strlen(text) + 1);
}

static void digest_count(struct str *key, size_t count)
{
    str_add_bytes(key, &count, sizeof count);
}

/* All that judging looks at; 128 bits are taken for the case itself. */
static XXH128_hash_t digest(struct str *key, const struct advisory_case *c)
{
    str_clear(key);
    const unsigned char flags[] = {(unsigned char)c->kind, c->not_affected, c->under_investigation,
                                   c->unclear};
    str_add_bytes(key, flags, sizeof flags);
    const char *const texts[] = {
        c->product,  c->name,
        c->vendor,   c->distro,
        c->platform, c->affected,
        c->rule,     c->exposed_by,
        c->port,     c->kind == CASE_PRODUCT ? c->title : "" /* builds of a package */};
    for (size_t i = 0; i < ARRAY_COUNT(texts); i++)
        digest_text(key, texts[i]);
    digest_count(key, c->fixed_count);
    for (size_t i = 0; i < c->fixed_count; i++)
        digest_text(key, c->fixed_ranges[i]);
    digest_count(key, c->patch_count);
    for (size_t i = 0; i < c->patch_count; i++)
        digest_text(key, c->patches[i]);
    digest_count(key, c->file_count);
    for (size_t i = 0; i < c->file_count; i++) {
        digest_text(key, c->files[i].path);
        digest_text(key, c->files[i].range);
        digest_count(key, c->files[i].core);
    }
    return XXH3_128bits(key->data, key->length);
}

static size_t slot_of(const struct csaf_cases *list, XXH128_hash_t hash)
{
    size_t at = hash.low64 & (list->slot_count - 1);
    while (list->slots[at] && !XXH128_isEqual(list->items.items[list->slots[at] - 1]->hash, hash))
        at = (at + 1) & (list->slot_count - 1);
    return at;
}

static void grow(struct csaf_cases *list)
{
    free(list->slots);
    list->slot_count = list->slot_count ? list->slot_count * 2 : 64;
    list->slots = mem_alloc(list->slot_count * sizeof *list->slots);
    for (size_t i = 0; i < list->items.count; i++)
        list->slots[slot_of(list, list->items.items[i]->hash)] = (uint32_t)i + 1;
}

static void join(struct building *b, const struct advisory_case *c)
{
    for (size_t i = 0; i < c->cve_count; i++) /* vulnerabilities come one after the other */
        if (!b->cves.count || !str_equal(b->cves.items[b->cves.count - 1], c->cves[i]))
            VEC_PUSH(&b->cves, c->cves[i]);
    bool known = !*c->arch;
    for (size_t i = 0; i < b->arches.count && !known; i++)
        known = str_equal(b->arches.items[i], c->arch);
    if (!known)
        VEC_PUSH(&b->arches, c->arch);
    for (size_t i = 0; i < c->remedy_count; i++) {
        known = false;
        for (size_t j = 0; j < b->remedies.count && !known; j++)
            known = b->remedies.items[j].kind == c->remedies[i].kind &&
                    str_equal(b->remedies.items[j].text, c->remedies[i].text) &&
                    str_equal(b->remedies.items[j].url, c->remedies[i].url);
        if (!known && b->remedies.count < 256)
            VEC_PUSH(&b->remedies, c->remedies[i]);
    }
    for (size_t i = 0; i < c->exploit_count; i++) {
        known = false;
        for (size_t j = 0; j < b->exploits.count && !known; j++)
            known = b->exploits.items[j].date == c->exploits[i].date &&
                    str_equal(b->exploits.items[j].text, c->exploits[i].text);
        if (!known && b->exploits.count < 256)
            VEC_PUSH(&b->exploits, c->exploits[i]);
    }
    if (c->cvss > b->c.cvss)
        b->c.cvss = c->cvss;
    b->c.network |= c->network;
    b->c.no_login |= c->no_login;
}

void csaf_cases_add(struct csaf_cases *list, const struct advisory_case *c)
{
    XXH128_hash_t hash = digest(&list->key, c);
    if (list->items.count * 2 >= list->slot_count)
        grow(list);
    size_t at = slot_of(list, hash);
    struct building *b;
    if (list->slots[at]) {
        b = list->items.items[list->slots[at] - 1];
    } else {
        b = arena_alloc(list->arena, sizeof *b);
        b->c = *c;
        b->hash = hash;
        VEC_PUSH(&list->items, b);
        list->slots[at] = (uint32_t)list->items.count;
    }
    join(b, c);
}

static const char *joined(struct arena *arena, const char *const *words, size_t count)
{
    CLEANUP_STR struct str text = {0};
    for (size_t i = 0; i < count; i++)
        str_printf(&text, "%s%s", i ? " " : "", words[i]);
    return arena_strdup(arena, str_text(&text));
}

size_t csaf_cases_take(struct csaf_cases *list, struct advisory_case **out)
{
    size_t count = list->items.count;
    struct advisory_case *cases = arena_alloc(list->arena, (count + 1) * sizeof *cases);
    for (size_t i = 0; i < count; i++) {
        struct building *b = list->items.items[i];
        cases[i] = b->c;
        cases[i].arch = joined(list->arena, b->arches.items, b->arches.count);
        cases[i].cve_count = b->cves.count;
        cases[i].cves = arena_dup(list->arena, b->cves.items, b->cves.count * sizeof(char *));
        cases[i].remedy_count = b->remedies.count;
        cases[i].remedies = arena_dup(list->arena, b->remedies.items,
                                      b->remedies.count * sizeof *b->remedies.items);
        cases[i].exploit_count = b->exploits.count;
        cases[i].exploits = arena_dup(list->arena, b->exploits.items,
                                      b->exploits.count * sizeof *b->exploits.items);
    }
    *out = cases;
    return count;
}
